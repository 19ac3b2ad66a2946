/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_scoreboard.h"

#include <string.h>

#include "base_bytes.h"
#include "base_check.h"

/* A D-SACK block further below the ACK than any window reaches (RFC 7323 §2.3) is nonsense. */
#define DSACK_AGE_MAX (UINT32_C(1) << 30)

void
tcp_scoreboard_init(struct tcp_scoreboard *s, struct tcp_sack_block *range, uint32_t ranges_max)
{
	*s = (struct tcp_scoreboard){.range = range, .ranges_max = ranges_max};
}

void
tcp_scoreboard_reset(struct tcp_scoreboard *s, uint32_t iss_next, uint32_t smss)
{
	CHECK(smss > 0);
	tcp_scoreboard_init(s, s->range, s->ranges_max);
	s->snd_una = s->high_data = s->high_rxt = iss_next;
	s->rescue_rxt = s->recovery_point = iss_next;
	s->lost_edge = s->rto_edge = iss_next;
	s->smss = smss;
}

/* IsLost() for a whole scoreboard: what lies below the left edge of the highest range that, with
 * those above it, makes DupThresh ranges or more than (DupThresh - 1) * SMSS bytes. */
static void
find_lost_edge(struct tcp_scoreboard *s)
{
	uint32_t i, bytes = 0;

	s->lost_edge = s->snd_una;
	for (i = s->range_count; i > 0; i--) {
		bytes += s->range[i - 1].right - s->range[i - 1].left;
		if (s->range_count - i + 1 >= TCP_SCOREBOARD_DUP_THRESH ||
			bytes > (TCP_SCOREBOARD_DUP_THRESH - 1) * s->smss) {
			s->lost_edge = s->range[i - 1].left;
			return;
		}
	}
}

void
tcp_scoreboard_on_smss(struct tcp_scoreboard *s, uint32_t smss)
{
	CHECK(smss > 0);
	s->smss = smss;
	find_lost_edge(s);
}

void
tcp_scoreboard_on_sent(struct tcp_scoreboard *s, uint32_t right)
{
	s->high_data = seq_max(s->high_data, right);
}

/* Un-SACKed bytes below this are lost, whether by IsLost() or by a timeout. */
static uint32_t
lost_below(const struct tcp_scoreboard *s)
{
	return seq_max(s->lost_edge, s->rto_edge);
}

/* The index of the first range that ends above seq; range_count if none. */
static uint32_t
range_above(const struct tcp_scoreboard *s, uint32_t seq)
{
	uint32_t i = 0;

	while (i < s->range_count && seq_leq(s->range[i].right, seq))
		i++;
	return i;
}

static uint32_t
sacked_between(const struct tcp_scoreboard *s, uint32_t left, uint32_t right)
{
	uint32_t i, from, bytes = 0;

	for (i = range_above(s, left); i < s->range_count && seq_lt(s->range[i].left, right); i++) {
		from = seq_max(s->range[i].left, left);
		bytes += seq_min(s->range[i].right, right) - from;
	}
	return bytes;
}

/* Replaces the count ranges from index on by a single one, or inserts it where count is 0. */
static void
range_replace(struct tcp_scoreboard *s, uint32_t index, uint32_t count, struct tcp_sack_block by)
{
	memmove(&s->range[index + 1], &s->range[index + count],
		(s->range_count - index - count) * sizeof(s->range[0]));
	s->range[index] = by;
	s->range_count = s->range_count + 1 - count;
}

/* Records that block has been SACKed; returns how many of its bytes were news. */
static uint32_t
range_merge(struct tcp_scoreboard *s, struct tcp_sack_block block)
{
	uint32_t index = 0, count, known = 0, news;

	while (index < s->range_count && seq_lt(s->range[index].right, block.left))
		index++;
	for (count = 0; index + count < s->range_count; count++) {
		const struct tcp_sack_block *range = &s->range[index + count];

		if (seq_gt(range->left, block.right))
			break;
		known += range->right - range->left;
		block.left = seq_min(block.left, range->left);
		block.right = seq_max(block.right, range->right);
	}
	if (count == 0 && s->range_count == s->ranges_max)
		return 0;
	range_replace(s, index, count, block);
	news = block.right - block.left - known;
	s->sacked_bytes += news;
	return news;
}

static void
acknowledge(struct tcp_scoreboard *s, uint32_t ack)
{
	uint32_t covered;

	s->sacked_bytes -= sacked_between(s, s->snd_una, ack);
	covered = range_above(s, ack);
	s->range_count -= covered;
	memmove(&s->range[0], &s->range[covered], s->range_count * sizeof(s->range[0]));
	if (s->range_count > 0)
		s->range[0].left = seq_max(s->range[0].left, ack);
	s->snd_una = ack;
	s->high_rxt = seq_max(s->high_rxt, ack);
	s->rto_edge = seq_max(s->rto_edge, ack);
	if (s->after_rto && seq_geq(ack, s->recovery_point))
		s->after_rto = false;
}

/* Left below right, and nothing that was never sent. */
static bool
block_is_valid(const struct tcp_scoreboard *s, const struct tcp_sack_block *block)
{
	return seq_lt(block->left, block->right) && seq_leq(block->right, s->high_data) &&
	       s->high_data - block->left <= DSACK_AGE_MAX + (s->high_data - s->snd_una);
}

/* RFC 2883 §5: the first block lies below the ACK it came with, or inside the second block. */
static bool
first_block_is_dsack(uint32_t ack, const struct tcp_sack_block *blocks, uint32_t count)
{
	if (seq_lt(blocks[0].left, ack))
		return true;
	return count > 1 && seq_geq(blocks[0].left, blocks[1].left) &&
	       seq_leq(blocks[0].right, blocks[1].right);
}

static void
apply_block(struct tcp_scoreboard *s, struct tcp_sack_block block, struct tcp_scoreboard_news *ret)
{
	if (seq_leq(block.right, s->snd_una))
		return;
	block.left = seq_max(block.left, s->snd_una);
	ret->bytes_sacked += range_merge(s, block);
	s->sack_seen = true;
}

void
tcp_scoreboard_update(struct tcp_scoreboard *s, uint32_t ack, const struct tcp_sack_block *blocks,
	uint32_t count, struct tcp_scoreboard_news *ret)
{
	uint32_t i, before = s->snd_una + s->sacked_bytes;

	*ret = (struct tcp_scoreboard_news){0};
	if (seq_gt(ack, s->snd_una) && seq_leq(ack, s->high_data)) {
		ret->bytes_acked = ack - s->snd_una;
		acknowledge(s, ack);
	}
	for (i = 0; i < count; i++) {
		if (!block_is_valid(s, &blocks[i]))
			ret->blocks_invalid++;
		else if (i == 0 && first_block_is_dsack(ack, blocks, count))
			ret->dsack = blocks[0];
		else
			apply_block(s, blocks[i], ret);
	}
	ret->bytes_delivered = s->snd_una + s->sacked_bytes - before;
	if (ret->bytes_acked > 0 || ret->bytes_sacked > 0)
		find_lost_edge(s);
}

/* The first un-SACKed byte at or above seq. */
static uint32_t
first_unsacked(const struct tcp_scoreboard *s, uint32_t seq)
{
	uint32_t i = range_above(s, seq);

	if (i < s->range_count && seq_leq(s->range[i].left, seq))
		return s->range[i].right;
	return seq;
}

bool
tcp_scoreboard_is_lost(const struct tcp_scoreboard *s, uint32_t seq)
{
	return seq_geq(seq, s->snd_una) && seq_lt(seq, lost_below(s)) &&
	       first_unsacked(s, seq) == seq;
}

static uint32_t
unsacked_between(const struct tcp_scoreboard *s, uint32_t left, uint32_t right)
{
	return right - left - sacked_between(s, left, right);
}

uint32_t
tcp_scoreboard_pipe(const struct tcp_scoreboard *s)
{
	/* RFC 6675 §4 SetPipe (a): not lost; (b): retransmitted. */
	return unsacked_between(s, lost_below(s), s->high_data) +
	       unsacked_between(s, s->snd_una, s->high_rxt);
}

bool
tcp_scoreboard_reneging(const struct tcp_scoreboard *s)
{
	return s->range_count > 0 && s->range[0].left == s->snd_una;
}

void
tcp_scoreboard_enter_recovery(struct tcp_scoreboard *s)
{
	CHECK(!s->recovering && !s->after_rto);
	s->recovering = true;
	s->recovery_point = s->high_data;
	s->high_rxt = s->snd_una;
	s->rescue_used = false;
}

void
tcp_scoreboard_exit_recovery(struct tcp_scoreboard *s)
{
	s->recovering = false;
	s->high_rxt = s->snd_una;
}

void
tcp_scoreboard_on_rto(struct tcp_scoreboard *s)
{
	s->range_count = 0;
	s->sacked_bytes = 0;
	s->lost_edge = s->snd_una;
	s->rto_edge = s->high_data;
	s->high_rxt = s->snd_una;
	s->recovery_point = s->high_data;
	s->recovering = false;
	s->after_rto = s->high_data != s->snd_una;
	s->rescue_used = false;
}

void
tcp_scoreboard_undo(struct tcp_scoreboard *s)
{
	s->recovering = s->after_rto = false;
	s->high_rxt = s->rto_edge = s->snd_una;
}

/* Up to SMSS un-SACKed bytes from left (un-SACKed itself), not beyond limit. */
static struct tcp_sack_block
segment_from(const struct tcp_scoreboard *s, uint32_t left, uint32_t limit)
{
	uint32_t right = left + MIN_OF(s->smss, limit - left), i = range_above(s, left);

	if (i < s->range_count)
		right = seq_min(right, s->range[i].left);
	return (struct tcp_sack_block){.left = left, .right = right};
}

/* Up to SMSS bytes that end with the highest outstanding un-SACKed byte. false: all is SACKed. */
static bool
rescue_segment(const struct tcp_scoreboard *s, struct tcp_sack_block *ret)
{
	uint32_t left = s->snd_una, right = s->high_data, above = s->range_count;

	if (above > 0 && s->range[above - 1].right == right)
		right = s->range[--above].left;
	if (above > 0)
		left = s->range[above - 1].right;
	if (left == right)
		return false;
	*ret = (struct tcp_sack_block){
		.left = right - MIN_OF(s->smss, right - left), .right = right};
	return true;
}

uint32_t
tcp_scoreboard_unsacked(
	const struct tcp_scoreboard *s, uint32_t left, uint32_t right, uint32_t *cursor)
{
	uint32_t bytes = right - left, i;

	while (*cursor < s->range_count && seq_leq(s->range[*cursor].right, left))
		(*cursor)++;
	for (i = *cursor; i < s->range_count && seq_lt(s->range[i].left, right); i++)
		bytes -= seq_min(s->range[i].right, right) - seq_max(s->range[i].left, left);
	return bytes;
}

struct tcp_sack_block
tcp_scoreboard_segment(const struct tcp_scoreboard *s, uint32_t left, uint32_t right)
{
	return segment_from(s, first_unsacked(s, left), right);
}

enum tcp_next_seg
tcp_scoreboard_next_seg(
	const struct tcp_scoreboard *s, bool new_data, struct tcp_sack_block *ret_segment)
{
	uint32_t left = first_unsacked(s, s->high_rxt);
	/* After a timeout, what was sent since is left to the next recovery (RFC 6675 §5.1). */
	uint32_t lost = s->after_rto ? s->rto_edge : s->lost_edge;

	/* Rule 1: the first hole that is lost and was not retransmitted. */
	if ((s->recovering || s->after_rto) && seq_lt(left, lost)) {
		*ret_segment = segment_from(s, left, lost);
		return TCP_NEXT_SEG_RETRANSMIT;
	}
	/* Rule 2 */
	if (new_data)
		return TCP_NEXT_SEG_NEW;
	/* Rule 3: a hole below the highest SACKed byte. */
	if (s->recovering && s->range_count > 0 &&
		seq_lt(left, s->range[s->range_count - 1].left)) {
		*ret_segment = segment_from(s, left, s->high_data);
		return TCP_NEXT_SEG_RETRANSMIT;
	}
	/* Rule 4: once in a recovery, so that a lost tail does not wait for the RTO. */
	if (s->recovering && s->sack_seen &&
		(!s->rescue_used || seq_gt(s->snd_una, s->rescue_rxt)) &&
		rescue_segment(s, ret_segment))
		return TCP_NEXT_SEG_RESCUE;
	return TCP_NEXT_SEG_NONE;
}

bool
tcp_scoreboard_first_seg(const struct tcp_scoreboard *s, struct tcp_sack_block *ret_segment)
{
	uint32_t left = first_unsacked(s, s->snd_una);

	if (left == s->high_data)
		return false;
	*ret_segment = segment_from(s, left, s->high_data);
	return true;
}

void
tcp_scoreboard_on_retransmit(
	struct tcp_scoreboard *s, enum tcp_next_seg kind, const struct tcp_sack_block *segment)
{
	CHECK(seq_geq(segment->left, s->snd_una) && seq_leq(segment->right, s->high_data));
	if (kind == TCP_NEXT_SEG_RETRANSMIT) {
		s->high_rxt = seq_max(s->high_rxt, segment->right);
	} else if (kind == TCP_NEXT_SEG_RESCUE) {
		s->rescue_used = true;
		s->rescue_rxt = s->recovery_point;
	}
}

static bool
in_flight(const struct tcp_scoreboard *s, uint32_t seq)
{
	return seq - s->snd_una <= s->high_data - s->snd_una;
}

void
tcp_scoreboard_check(const struct tcp_scoreboard *s)
{
	uint32_t i, bytes = 0;

	CHECK(seq_leq(s->snd_una, s->high_data));
	CHECK(in_flight(s, s->high_rxt) && in_flight(s, s->lost_edge) && in_flight(s, s->rto_edge));
	CHECK(!(s->recovering && s->after_rto));
	CHECK(!s->after_rto || seq_lt(s->snd_una, s->recovery_point));
	CHECK(s->range_count <= s->ranges_max);
	for (i = 0; i < s->range_count; i++) {
		CHECK(seq_lt(s->range[i].left, s->range[i].right));
		CHECK(in_flight(s, s->range[i].left) && in_flight(s, s->range[i].right));
		CHECK(i == 0 || seq_lt(s->range[i - 1].right, s->range[i].left));
		bytes += s->range[i].right - s->range[i].left;
	}
	CHECK(bytes == s->sacked_bytes);
	CHECK(tcp_scoreboard_pipe(s) <= 2 * (s->high_data - s->snd_una));
}
