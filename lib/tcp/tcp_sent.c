/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_sent.h"

#include "base_bytes.h"
#include "base_check.h"

uint32_t
tcp_sent_records(uint32_t buffer_bytes)
{
	uint32_t records = MIN_OF(buffer_bytes / TCP_SENT_RECORD_BYTES, TCP_SENT_RECORDS_MAX);
	uint32_t size = TCP_SENT_RECORDS_MIN;

	while (size < records)
		size *= 2;
	return size;
}

void
tcp_sent_init(struct tcp_sent *s, struct tcp_sent_record *ring, uint32_t records)
{
	*s = (struct tcp_sent){.ring = ring, .size = records};
}

void
tcp_sent_reset(struct tcp_sent *s, uint32_t una)
{
	s->head = s->count = 0;
	s->lost_count = s->sacked_count = 0;
	s->una = una;
}

bool
tcp_sent_has_room(const struct tcp_sent *s)
{
	return s->count < s->size / 2;
}

void
tcp_sent_on_new(struct tcp_sent *s, uint32_t right, uint64_t now_ns)
{
	CHECK(s->count < s->size);
	*tcp_sent_at(s, s->count) = (struct tcp_sent_record){.right = right, .xmit_ns = now_ns};
	s->count++;
}

static void
set(bool *flag, uint32_t *flag_count, bool value)
{
	*flag_count += value;
	*flag_count -= *flag;
	*flag = value;
}

/* The i-th record becomes two, which meet at seq. false: there is no room. */
static bool
split(struct tcp_sent *s, uint32_t i, uint32_t seq)
{
	uint32_t k;

	if (s->count == s->size)
		return false;
	for (k = s->count++; k > i; k--)
		*tcp_sent_at(s, k) = *tcp_sent_at(s, k - 1);
	tcp_sent_at(s, i)->right = seq;
	s->lost_count += tcp_sent_at(s, i)->lost;
	s->sacked_count += tcp_sent_at(s, i)->sacked;
	return true;
}

void
tcp_sent_on_retransmit(
	struct tcp_sent *s, uint32_t i, const struct tcp_sack_block *segment, uint64_t now_ns)
{
	struct tcp_sent_record *r;

	CHECK(i < s->count && seq_geq(segment->left, tcp_sent_left(s, i)) &&
		seq_leq(segment->right, tcp_sent_at(s, i)->right));
	if (segment->left != tcp_sent_left(s, i) && split(s, i, segment->left))
		i++;
	if (segment->right != tcp_sent_at(s, i)->right)
		(void)split(s, i, segment->right);
	r = tcp_sent_at(s, i);
	set(&r->lost, &s->lost_count, false);
	r->retransmitted = true;
	r->xmit_ns = now_ns;
}

void
tcp_sent_on_ack(struct tcp_sent *s, uint32_t una)
{
	while (s->count > 0 && seq_leq(tcp_sent_at(s, 0)->right, una)) {
		s->lost_count -= tcp_sent_at(s, 0)->lost;
		s->sacked_count -= tcp_sent_at(s, 0)->sacked;
		s->head++;
		s->count--;
	}
	s->una = una;
}

void
tcp_sent_set_lost(struct tcp_sent *s, uint32_t i)
{
	set(&tcp_sent_at(s, i)->lost, &s->lost_count, true);
}

void
tcp_sent_set_sacked(struct tcp_sent *s, uint32_t i)
{
	struct tcp_sent_record *r = tcp_sent_at(s, i);

	set(&r->lost, &s->lost_count, false);
	set(&r->sacked, &s->sacked_count, true);
	r->delivered = true;
}

void
tcp_sent_forget_sacked(struct tcp_sent *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		tcp_sent_at(s, i)->sacked = false;
	s->sacked_count = 0;
}

void
tcp_sent_clear_lost(struct tcp_sent *s)
{
	uint32_t i;

	for (i = 0; s->lost_count > 0; i++)
		set(&tcp_sent_at(s, i)->lost, &s->lost_count, false);
}

void
tcp_sent_set_all_lost(struct tcp_sent *s)
{
	if (s->count == 0)
		return;
	*tcp_sent_at(s, 0) = (struct tcp_sent_record){
		.right = tcp_sent_at(s, s->count - 1)->right,
		.xmit_ns = tcp_sent_at(s, 0)->xmit_ns,
		.retransmitted = true, /* some of it may be */
		.lost = true,
	};
	s->count = s->lost_count = 1;
	s->sacked_count = 0;
}

void
tcp_sent_check(const struct tcp_sent *s, uint32_t una, uint32_t nxt)
{
	uint32_t i, lost = 0, sacked = 0;

	CHECK(s->count <= s->size && s->una == una);
	CHECK(tcp_sent_left(s, s->count) == nxt);
	for (i = 0; i < s->count; i++) {
		CHECK(seq_lt(tcp_sent_left(s, i), tcp_sent_at(s, i)->right));
		CHECK(!tcp_sent_at(s, i)->lost || !tcp_sent_at(s, i)->sacked);
		lost += tcp_sent_at(s, i)->lost;
		sacked += tcp_sent_at(s, i)->sacked;
	}
	CHECK(lost == s->lost_count && sacked == s->sacked_count);
}
