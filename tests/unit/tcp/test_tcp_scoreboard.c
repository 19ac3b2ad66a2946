/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_scoreboard.h"

#define SMSS 100U
#define START UINT32_C(0xfffffe00) /* SND.UNA: the numbers wrap after 512 bytes */

/* A scoreboard with `sent` bytes outstanding; offsets in the tests count from START. */
struct fixture {
	struct tcp_scoreboard s;
	struct tcp_scoreboard_news news;
	struct tcp_sack_block segment;
};

static struct fixture
outstanding(uint32_t sent)
{
	static struct tcp_sack_block range[TCP_SCOREBOARD_RANGES_MAX]; /* one test at a time */
	struct fixture f = {0};

	tcp_scoreboard_init(&f.s, range, TCP_SCOREBOARD_RANGES_MAX);
	tcp_scoreboard_reset(&f.s, START, SMSS);
	tcp_scoreboard_on_sent(&f.s, START + sent);
	return f;
}

static void
ack2(struct fixture *f, int ack, int left1, int right1, int left2, int right2)
{
	const struct tcp_sack_block blocks[2] = {
		{START + (uint32_t)left1, START + (uint32_t)right1},
		{START + (uint32_t)left2, START + (uint32_t)right2},
	};
	uint32_t count = (left1 != right1 ? 1U : 0U) + (left2 != right2 ? 1U : 0U);

	tcp_scoreboard_update(&f->s, START + (uint32_t)ack, blocks, count, &f->news);
	tcp_scoreboard_check(&f->s);
}

static void
ack1(struct fixture *f, int ack, int left, int right)
{
	ack2(f, ack, left, right, 0, 0);
}

static void
assert_segment(const struct fixture *f, int left, int right)
{
	assert_int_equal((int32_t)(f->segment.left - START), left);
	assert_int_equal((int32_t)(f->segment.right - START), right);
}

static enum tcp_next_seg
next_seg(struct fixture *f, bool new_data)
{
	return tcp_scoreboard_next_seg(&f->s, new_data, &f->segment);
}

static void
retransmit(struct fixture *f, enum tcp_next_seg kind)
{
	tcp_scoreboard_on_retransmit(&f->s, kind, &f->segment);
	tcp_scoreboard_check(&f->s);
}

static void
test_scoreboard_cumulative_ack_advances_and_pipe_shrinks(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 1000);
	ack1(&f, 300, 0, 0);
	assert_int_equal(f.news.bytes_acked, 300);
	assert_int_equal(f.s.snd_una, START + 300);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 700);
}

static void
test_scoreboard_ack_outside_changes_nothing(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 1001, 0, 0);
	assert_int_equal(f.news.bytes_acked, 0);
	ack1(&f, -1, 0, 0);
	assert_int_equal(f.news.bytes_acked, 0);
	assert_int_equal(f.s.snd_una, START);
}

static void
test_scoreboard_sack_is_recorded_once(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 0, 200, 300);
	assert_int_equal(f.news.bytes_sacked, 100);
	ack1(&f, 0, 200, 300);
	assert_int_equal(f.news.bytes_sacked, 0);
	ack1(&f, 0, 150, 350);
	assert_int_equal(f.news.bytes_sacked, 100);
	ack1(&f, 0, 350, 400); /* adjacent: still one range */
	assert_int_equal(f.s.range_count, 1);
	assert_int_equal(f.s.sacked_bytes, 250);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 1000 - 100 - 250 - 50);
	ack1(&f, 250, 0, 0);
	assert_int_equal(f.s.sacked_bytes, 150);
	ack1(&f, 400, 0, 0);
	assert_int_equal(f.s.range_count, 0);
}

static void
test_scoreboard_hostile_blocks_change_nothing(void **state)
{
	struct fixture f = outstanding(1000);
	const struct tcp_scoreboard before = f.s;
	const struct tcp_sack_block blocks[] = {
		{START + 900, START + 1001}, /* never sent */
		{START + 300, START + 200}, /* reversed */
		{START + 300, START + 300}, /* empty */
		{START - UINT32_C(0x7fffffff), START - 5}, /* older than any window */
		{START + 5000, START + 6000},
		{START - 10, START + UINT32_C(0x7ffffff0)},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		tcp_scoreboard_update(&f.s, START, &blocks[i], 1, &f.news);
		assert_int_equal(f.news.blocks_invalid, 1);
		assert_int_equal(f.news.bytes_sacked, 0);
		assert_int_equal(f.news.dsack.left, f.news.dsack.right);
	}
	assert_memory_equal(&f.s, &before, sizeof(before));
}

static void
test_scoreboard_dsack_below_the_ack_is_only_reported(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 500, 0, 0);
	ack2(&f, 500, 300, 400, 600, 700);
	assert_int_equal(f.news.dsack.left, START + 300);
	assert_int_equal(f.news.dsack.right, START + 400);
	assert_int_equal(f.news.bytes_sacked, 100);
	assert_int_equal(f.news.blocks_invalid, 0);
}

static void
test_scoreboard_dsack_inside_the_second_block_is_recognised(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack2(&f, 0, 300, 400, 200, 500);
	assert_int_equal(f.news.dsack.left, START + 300);
	assert_int_equal(f.news.bytes_sacked, 300);
	ack2(&f, 0, 200, 500, 300, 400); /* the other way round there is none */
	assert_int_equal(f.news.dsack.left, f.news.dsack.right);
}

static void
test_scoreboard_block_of_a_reordered_ack_counts_above_snd_una(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 300, 0, 0);
	ack1(&f, 100, 200, 400);
	assert_int_equal(f.news.bytes_sacked, 100);
	ack1(&f, 100, 150, 250); /* wholly acknowledged since */
	assert_int_equal(f.news.bytes_sacked, 0);
	assert_int_equal(f.news.blocks_invalid, 0);
}

static void
test_scoreboard_three_ranges_above_make_it_lost(void **state)
{
	struct fixture f = outstanding(2000);

	(void)state;
	ack2(&f, 0, 200, 210, 400, 410);
	assert_false(tcp_scoreboard_is_lost(&f.s, START));
	ack1(&f, 0, 600, 610);
	assert_true(tcp_scoreboard_is_lost(&f.s, START));
	assert_true(tcp_scoreboard_is_lost(&f.s, START + 199));
	assert_false(tcp_scoreboard_is_lost(&f.s, START + 205)); /* SACKed */
	assert_false(tcp_scoreboard_is_lost(&f.s, START + 210)); /* only two above */
	assert_false(tcp_scoreboard_is_lost(&f.s, START - 1));
}

static void
test_scoreboard_more_than_two_segments_above_make_it_lost(void **state)
{
	struct fixture f = outstanding(2000);

	(void)state;
	ack1(&f, 0, 200, 400);
	assert_false(tcp_scoreboard_is_lost(&f.s, START)); /* exactly 2 * SMSS */
	ack1(&f, 0, 400, 401);
	assert_true(tcp_scoreboard_is_lost(&f.s, START));
	tcp_scoreboard_on_smss(&f.s, SMSS + 1);
	assert_false(tcp_scoreboard_is_lost(&f.s, START));
}

static void
test_scoreboard_pipe_counts_retransmissions(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 0, 100, 500);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 500);
	tcp_scoreboard_enter_recovery(&f.s);
	assert_int_equal(f.s.recovery_point, START + 1000);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 0, 100);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 600);
}

static void
test_scoreboard_next_seg_takes_the_rules_in_order(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack2(&f, 0, 250, 500, 600, 700);
	tcp_scoreboard_enter_recovery(&f.s);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT); /* 1 */
	assert_segment(&f, 0, 100);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 100, 200);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 200, 250); /* up to the SACKed range */
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_NEW); /* 2 */
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_RETRANSMIT); /* 3 */
	assert_segment(&f, 500, 600);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_RESCUE); /* 4 */
	assert_segment(&f, 900, 1000);
	retransmit(&f, TCP_NEXT_SEG_RESCUE);
	assert_int_equal(f.s.high_rxt, START + 600);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_NONE); /* once */
}

static void
test_scoreboard_rescue_holds_the_highest_unsacked_byte(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack2(&f, 0, 300, 440, 500, 1000);
	tcp_scoreboard_enter_recovery(&f.s);
	f.s.high_rxt = START + 480; /* as if all holes had been retransmitted but a part */
	f.segment = (struct tcp_sack_block){START + 480, START + 500};
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_RESCUE);
	assert_segment(&f, 440, 500);
}

static void
test_scoreboard_without_sack_there_is_no_rescue(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	tcp_scoreboard_enter_recovery(&f.s);
	assert_true(tcp_scoreboard_first_seg(&f.s, &f.segment));
	assert_segment(&f, 0, 100);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_NONE);
	ack1(&f, 450, 0, 0); /* RFC 6582: partial ACK */
	assert_true(tcp_scoreboard_first_seg(&f.s, &f.segment));
	assert_segment(&f, 450, 550);
}

static void
test_scoreboard_outside_recovery_only_new_data_is_next(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 0, 300, 900);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_NEW);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_NONE);
}

static void
test_scoreboard_recovery_ends_and_may_begin_again(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 0, 300, 900);
	tcp_scoreboard_enter_recovery(&f.s);
	ack1(&f, 1000, 0, 0);
	tcp_scoreboard_exit_recovery(&f.s);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 0);
	assert_false(tcp_scoreboard_first_seg(&f.s, &f.segment));
	tcp_scoreboard_on_sent(&f.s, START + 2000);
	tcp_scoreboard_enter_recovery(&f.s);
	assert_int_equal(f.s.recovery_point, START + 2000);
}

/* RFC 2018 §8: the SACKed bits are turned off, so a reneged range is sent again. */
static void
test_scoreboard_rto_forgets_sacks_and_gives_up_everything(void **state)
{
	struct fixture f = outstanding(350);

	(void)state;
	ack1(&f, 0, 100, 350);
	tcp_scoreboard_enter_recovery(&f.s);
	tcp_scoreboard_on_rto(&f.s);
	tcp_scoreboard_check(&f.s);
	assert_false(f.s.recovering);
	assert_true(f.s.after_rto);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 0);
	assert_true(tcp_scoreboard_is_lost(&f.s, START + 349));
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 0, 100);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 100);
	ack1(&f, 100, 200, 300); /* what is SACKed now is not sent again */
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 100, 200);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 300, 350);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	assert_int_equal(next_seg(&f, true), TCP_NEXT_SEG_NEW);
	tcp_scoreboard_on_sent(&f.s, START + 1000);
	assert_int_equal(tcp_scoreboard_pipe(&f.s), 100 + 50 + 650);
	ack1(&f, 349, 0, 0);
	assert_true(f.s.after_rto);
	ack1(&f, 350, 0, 0);
	assert_false(f.s.after_rto);
	tcp_scoreboard_enter_recovery(&f.s);
}

/* RFC 6675 §5.1: until the recovery point, losses of what was sent since start no recovery. */
static void
test_scoreboard_after_rto_newer_losses_wait(void **state)
{
	struct fixture f = outstanding(100);

	(void)state;
	tcp_scoreboard_on_rto(&f.s);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_RETRANSMIT);
	retransmit(&f, TCP_NEXT_SEG_RETRANSMIT);
	tcp_scoreboard_on_sent(&f.s, START + 1000);
	ack1(&f, 0, 200, 1000);
	assert_true(tcp_scoreboard_is_lost(&f.s, START + 100));
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_NONE);
	ack1(&f, 100, 0, 0);
	tcp_scoreboard_enter_recovery(&f.s);
	assert_int_equal(next_seg(&f, false), TCP_NEXT_SEG_RETRANSMIT);
	assert_segment(&f, 100, 200);
}

static void
test_scoreboard_rto_with_nothing_outstanding_is_over_at_once(void **state)
{
	struct fixture f = outstanding(0);

	(void)state;
	tcp_scoreboard_on_rto(&f.s);
	assert_false(f.s.after_rto);
	tcp_scoreboard_check(&f.s);
}

static void
test_scoreboard_ack_at_a_sacked_edge_looks_like_reneging(void **state)
{
	struct fixture f = outstanding(1000);

	(void)state;
	ack1(&f, 0, 200, 300);
	assert_false(tcp_scoreboard_reneging(&f.s));
	ack1(&f, 200, 0, 0);
	assert_true(tcp_scoreboard_reneging(&f.s));
	ack1(&f, 250, 0, 0);
	assert_true(tcp_scoreboard_reneging(&f.s));
	tcp_scoreboard_on_rto(&f.s);
	assert_false(tcp_scoreboard_reneging(&f.s));
	assert_true(tcp_scoreboard_first_seg(&f.s, &f.segment));
	assert_segment(&f, 250, 350);
}

static void
test_scoreboard_ranges_beyond_the_maximum_are_not_recorded(void **state)
{
	struct fixture f = outstanding(4 * TCP_SCOREBOARD_RANGES_MAX);
	int i, max = (int)TCP_SCOREBOARD_RANGES_MAX;

	(void)state;
	for (i = max; i > 0; i--)
		ack1(&f, 0, 2 * i, 2 * i + 1);
	assert_int_equal(f.s.range_count, max);
	ack1(&f, 0, 2 * max + 10, 2 * max + 11);
	assert_int_equal(f.news.bytes_sacked, 0);
	ack1(&f, 0, 3, 4); /* joins two */
	assert_int_equal(f.s.range_count, max - 1);
	ack1(&f, 0, 2 * max + 10, 2 * max + 11);
	assert_int_equal(f.news.bytes_sacked, 1);
	ack1(&f, 0, 1, 4 * max);
	assert_int_equal(f.s.range_count, 1);
}

/* The reference: one flag a byte, every function by its definition in RFC 6675 §4. */
#define MODEL_BYTES 700U

struct model {
	struct fixture f;
	struct tcp_sack_block range[TCP_SCOREBOARD_RANGES_MAX];
	bool sacked[MODEL_BYTES + 1]; /* by offset from START */
	uint32_t una, max, high_rxt, rto_edge, rescue_rxt;
	bool rescue_used, sack_seen;
	uint64_t random;
	uint32_t seed;
};

static uint32_t
model_random(struct model *m, uint32_t below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return below > 0 ? (uint32_t)(m->random >> 33) % below : 0;
}

static bool
model_is_lost(const struct model *m, uint32_t offset)
{
	uint32_t i, ranges = 0, bytes = 0;

	if (m->sacked[offset])
		return false;
	for (i = offset + 1; i < m->max; i++) {
		bytes += m->sacked[i];
		ranges += m->sacked[i] && !m->sacked[i - 1];
	}
	return ranges >= TCP_SCOREBOARD_DUP_THRESH ||
	       bytes > (TCP_SCOREBOARD_DUP_THRESH - 1) * m->f.s.smss || offset < m->rto_edge;
}

static uint32_t
model_pipe(const struct model *m)
{
	uint32_t i, pipe = 0;

	for (i = m->una; i < m->max; i++) {
		if (m->sacked[i])
			continue;
		pipe += !model_is_lost(m, i);
		pipe += i < m->high_rxt;
	}
	return pipe;
}

static uint32_t
model_highest(const struct model *m, bool sacked)
{
	uint32_t i;

	for (i = m->max; i > m->una; i--)
		if (m->sacked[i - 1] == sacked)
			return i;
	return m->una; /* none */
}

static uint32_t
model_run_end(const struct model *m, uint32_t left, uint32_t limit)
{
	uint32_t right = left;

	while (right < limit && right - left < m->f.s.smss && !m->sacked[right])
		right++;
	return right;
}

static enum tcp_next_seg
model_next_seg(const struct model *m, bool new_data, uint32_t *ret_left, uint32_t *ret_right)
{
	const struct tcp_scoreboard *s = &m->f.s;
	uint32_t s2 = m->high_rxt, left;

	while (s2 < m->max && m->sacked[s2])
		s2++;
	*ret_left = s2;
	if (s->after_rto && s2 < m->rto_edge) {
		*ret_right = model_run_end(m, s2, m->rto_edge);
		return TCP_NEXT_SEG_RETRANSMIT;
	}
	if (s->recovering && s2 < model_highest(m, true) && model_is_lost(m, s2)) {
		*ret_right = model_run_end(m, s2, m->max);
		return TCP_NEXT_SEG_RETRANSMIT;
	}
	if (new_data)
		return TCP_NEXT_SEG_NEW;
	if (s->recovering && s2 < model_highest(m, true)) {
		*ret_right = model_run_end(m, s2, m->max);
		return TCP_NEXT_SEG_RETRANSMIT;
	}
	*ret_right = left = model_highest(m, false);
	if (!s->recovering || !m->sack_seen || left == m->una)
		return TCP_NEXT_SEG_NONE;
	if (m->rescue_used && m->una <= m->rescue_rxt)
		return TCP_NEXT_SEG_NONE;
	while (left > m->una && *ret_right - left < s->smss && !m->sacked[left - 1])
		left--;
	*ret_left = left;
	return TCP_NEXT_SEG_RESCUE;
}

static void
model_compare(struct model *m)
{
	const struct tcp_scoreboard *s = &m->f.s;
	uint32_t i, left, right, sacked = 0;
	enum tcp_next_seg want;
	int new_data;

	tcp_scoreboard_check(s);
	assert_int_equal(s->snd_una, START + m->una);
	for (i = m->una; i < m->max; i++) {
		sacked += m->sacked[i];
		assert_int_equal(tcp_scoreboard_is_lost(s, START + i), model_is_lost(m, i));
	}
	assert_int_equal(s->sacked_bytes, sacked);
	assert_int_equal(tcp_scoreboard_pipe(s), model_pipe(m));
	for (new_data = 0; new_data < 2; new_data++) {
		want = model_next_seg(m, new_data != 0, &left, &right);
		assert_int_equal(next_seg(&m->f, new_data != 0), want);
		if (want == TCP_NEXT_SEG_RETRANSMIT || want == TCP_NEXT_SEG_RESCUE)
			assert_segment(&m->f, (int)left, (int)right);
	}
}

static void
model_ack(struct model *m)
{
	struct tcp_sack_block blocks[4];
	uint32_t i, j, left, right, news = 0, acked = 0, count = model_random(m, 5);

	if (model_random(m, 4) == 0)
		acked = model_random(m, model_random(m, m->max - m->una + 1) + 1);
	m->una += acked;
	for (i = 0; i < count; i++) {
		/* From SND.UNA on, so never a D-SACK below; inside the next one is ruled out. */
		left = m->una + model_random(m, m->max - m->una + 20);
		right = left + model_random(m, 60);
		blocks[i] = (struct tcp_sack_block){START + left, START + right};
		if (i == 1 && seq_geq(blocks[0].left, blocks[1].left) &&
			seq_leq(blocks[0].right, blocks[1].right))
			blocks[i].left = blocks[i].right = START;
		else if (left < right && right <= m->max)
			for (j = left; j < right; j++) {
				news += !m->sacked[j];
				m->sacked[j] = true;
				m->sack_seen = true;
			}
	}
	m->high_rxt = m->high_rxt > m->una ? m->high_rxt : m->una;
	tcp_scoreboard_update(&m->f.s, START + m->una, blocks, count, &m->f.news);
	assert_int_equal(m->f.news.bytes_acked, acked);
	assert_int_equal(m->f.news.bytes_sacked, news);
}

static void
model_retransmit(struct model *m)
{
	enum tcp_next_seg kind = next_seg(&m->f, model_random(m, 2) == 0);

	if (kind == TCP_NEXT_SEG_RETRANSMIT)
		m->high_rxt = m->f.segment.right - START;
	if (kind == TCP_NEXT_SEG_RESCUE) {
		m->rescue_used = true;
		m->rescue_rxt = m->f.s.recovery_point - START;
	}
	if (kind == TCP_NEXT_SEG_RETRANSMIT || kind == TCP_NEXT_SEG_RESCUE)
		retransmit(&m->f, kind);
}

static void
model_recovery(struct model *m)
{
	struct tcp_scoreboard *s = &m->f.s;

	if (s->recovering && seq_geq(s->snd_una, s->recovery_point)) {
		tcp_scoreboard_exit_recovery(s);
		m->high_rxt = m->una;
	} else if (!s->recovering && !s->after_rto && m->una < m->max) {
		tcp_scoreboard_enter_recovery(s);
		m->high_rxt = m->una;
		m->rescue_used = false;
	}
}

static void
model_rto(struct model *m)
{
	tcp_scoreboard_on_rto(&m->f.s);
	memset(m->sacked, 0, sizeof(m->sacked));
	m->high_rxt = m->una;
	m->rto_edge = m->max;
	m->rescue_used = false;
}

static void
model_step(struct model *m)
{
	switch (model_random(m, 12)) {
	case 0:
	case 1:
		m->max += model_random(m, MODEL_BYTES - m->max > 60 ? 60 : 1);
		tcp_scoreboard_on_sent(&m->f.s, START + m->max);
		break;
	case 2:
	case 3:
		model_recovery(m);
		break;
	case 4:
		if (model_random(m, 5) == 0)
			model_rto(m);
		break;
	case 5:
	case 6:
	case 7:
		model_retransmit(m);
		break;
	default:
		model_ack(m);
		break;
	}
}

static int
model_setup(void **state)
{
	*state = calloc(1, sizeof(struct model));
	return *state == NULL;
}

static int
model_teardown(void **state)
{
	struct model *m = *state;

	print_message("last seed: %u\n", m->seed);
	free(m);
	return 0;
}

static void
test_scoreboard_agrees_with_the_model_on_random_events(void **state)
{
	struct model *m = *state;
	uint32_t seed, step;

	for (seed = 1; seed <= 200; seed++) {
		*m = (struct model){.seed = seed, .random = seed * UINT64_C(0x9e3779b97f4a7c15)};
		tcp_scoreboard_init(&m->f.s, m->range, TCP_SCOREBOARD_RANGES_MAX);
		tcp_scoreboard_reset(&m->f.s, START, 1 + model_random(m, 40));
		for (step = 0; step < 80; step++) {
			model_step(m);
			model_compare(m);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scoreboard_cumulative_ack_advances_and_pipe_shrinks),
		cmocka_unit_test(test_scoreboard_ack_outside_changes_nothing),
		cmocka_unit_test(test_scoreboard_sack_is_recorded_once),
		cmocka_unit_test(test_scoreboard_hostile_blocks_change_nothing),
		cmocka_unit_test(test_scoreboard_dsack_below_the_ack_is_only_reported),
		cmocka_unit_test(test_scoreboard_dsack_inside_the_second_block_is_recognised),
		cmocka_unit_test(test_scoreboard_block_of_a_reordered_ack_counts_above_snd_una),
		cmocka_unit_test(test_scoreboard_three_ranges_above_make_it_lost),
		cmocka_unit_test(test_scoreboard_more_than_two_segments_above_make_it_lost),
		cmocka_unit_test(test_scoreboard_pipe_counts_retransmissions),
		cmocka_unit_test(test_scoreboard_next_seg_takes_the_rules_in_order),
		cmocka_unit_test(test_scoreboard_rescue_holds_the_highest_unsacked_byte),
		cmocka_unit_test(test_scoreboard_without_sack_there_is_no_rescue),
		cmocka_unit_test(test_scoreboard_outside_recovery_only_new_data_is_next),
		cmocka_unit_test(test_scoreboard_recovery_ends_and_may_begin_again),
		cmocka_unit_test(test_scoreboard_rto_forgets_sacks_and_gives_up_everything),
		cmocka_unit_test(test_scoreboard_after_rto_newer_losses_wait),
		cmocka_unit_test(test_scoreboard_rto_with_nothing_outstanding_is_over_at_once),
		cmocka_unit_test(test_scoreboard_ack_at_a_sacked_edge_looks_like_reneging),
		cmocka_unit_test(test_scoreboard_ranges_beyond_the_maximum_are_not_recorded),
		cmocka_unit_test_setup_teardown(
			test_scoreboard_agrees_with_the_model_on_random_events, model_setup,
			model_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
