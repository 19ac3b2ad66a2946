/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"

void
tcp_ack_reset(struct tcp_ack_state *a)
{
	a->now = a->window_update = a->push = false;
	a->segments = a->full_segments = a->segment_bytes_max = 0;
	a->quick_left = TCP_ACK_QUICK_SEGMENTS;
	a->since_ns = 0;
	a->ring_head = a->ring_tail = 0;
}

static uint32_t
sack_blocks_max(const struct tcp_conn *c)
{
	/* RFC 2018 §3: 40 bytes of options hold four blocks, three beside timestamps. */
	return c->timestamps ? TCP_SACK_BLOCKS_MAX - 1 : TCP_SACK_BLOCKS_MAX;
}

/* Records an ACK as it would be sent at this moment. In a full ring the newest one is replaced:
 * it tells the sender everything that the replaced one did. */
static void
record(struct tcp_conn *c, const struct tcp_sack_block *dsack)
{
	struct tcp_ack_state *a = &c->ack;
	struct tcp_ack_record *r;

	if (a->ring_tail - a->ring_head == TCP_ACK_RING)
		a->ring_tail--;
	r = &a->ring[a->ring_tail++ % TCP_ACK_RING];
	r->ack = c->rcv_nxt;
	r->dsack = c->sack && dsack != NULL && dsack->left != dsack->right;
	r->sack_count = 0;
	if (c->sack)
		r->sack_count = (uint8_t)tcp_reassembly_sack_blocks(
			c->reassembly, r->dsack ? dsack : NULL, r->sack, sack_blocks_max(c));
}

void
tcp_ack_on_data(struct tcp_conn *c, uint32_t len, bool push, uint64_t now_ns)
{
	struct tcp_ack_state *a = &c->ack;

	if (a->segments++ == 0)
		a->since_ns = now_ns;
	a->push |= push;
	a->segment_bytes_max = MAX_OF(a->segment_bytes_max, len);
	if (len == a->segment_bytes_max)
		a->full_segments++;
	if (a->quick_left > 0 && c->cfg.ack_policy == TCP_ACK_BURST) {
		a->quick_left--;
		a->push = true; /* no merging across bursts yet */
		if (a->segments % TCP_ACK_QUICK_EVERY == 0)
			record(c, NULL);
	} else if (c->cfg.ack_policy == TCP_ACK_EVERY) {
		record(c, NULL);
	}
}

void
tcp_ack_on_duplicate(struct tcp_conn *c, const struct tcp_sack_block *dsack)
{
	counter_add(c->counters, COUNTER_TCP_ACKS_IMMEDIATE, 1);
	record(c, dsack);
}

void
tcp_ack_at_once(struct tcp_conn *c)
{
	if (!c->ack.now)
		counter_add(c->counters, COUNTER_TCP_ACKS_IMMEDIATE, 1);
	c->ack.now = true;
}

void
tcp_ack_challenge(struct tcp_conn *c, uint64_t now_ns)
{
	if (now_ns - c->challenge_start_ns >= TCP_CHALLENGE_INTERVAL_NS) {
		c->challenge_start_ns = now_ns;
		/* An unguessable budget, so that it cannot be used to count (CVE-2016-5696). */
		c->challenge_seed = c->challenge_seed * UINT64_C(6364136223846793005) + 1;
		c->challenge_left = TCP_CHALLENGE_MAX / 2 +
				    (uint32_t)(c->challenge_seed >> 33) % TCP_CHALLENGE_MAX;
	}
	if (c->challenge_left == 0) {
		counter_drop(c->counters, DROP_TCP_RATE_LIMITED);
		return;
	}
	c->challenge_left--;
	counter_add(c->counters, COUNTER_TCP_CHALLENGE_ACKS, 1);
	tcp_ack_at_once(c);
}

bool
tcp_ack_due(const struct tcp_conn *c, uint64_t now_ns)
{
	const struct tcp_ack_state *a = &c->ack;

	if (a->now || (a->segments > 0 && now_ns >= tcp_ack_deadline(c)))
		return true;
	switch (c->cfg.ack_policy) {
	case TCP_ACK_BURST:
		return a->segments > 0 && (a->push || a->segments >= c->cfg.ack_segments_max);
	case TCP_ACK_EVERY:
		return a->segments > 0;
	case TCP_ACK_DELAYED:
		return a->full_segments >= TCP_ACK_DELAYED_EVERY;
	}
	CHECK(false);
}

uint64_t
tcp_ack_deadline(const struct tcp_conn *c)
{
	const struct tcp_ack_state *a = &c->ack;

	if (a->now || a->ring_head != a->ring_tail)
		return 0;
	if (a->segments == 0)
		return TIME_NEVER;
	return a->since_ns + (c->cfg.ack_policy == TCP_ACK_DELAYED ? TCP_ACK_DELAYED_NS
								   : c->cfg.ack_delay_max_ns);
}

static void
settle(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_ack_state *a = &c->ack;

	if (a->segments > 0 && c->cfg.ack_delay != NULL)
		histogram_record(c->cfg.ack_delay, now_ns - a->since_ns);
	a->segments = a->full_segments = 0;
	a->push = a->now = false;
}

bool
tcp_ack_take_record(struct tcp_conn *c, struct tcp_segment *ret)
{
	struct tcp_ack_state *a = &c->ack;
	const struct tcp_ack_record *r;
	uint32_t i;

	if (a->ring_head == a->ring_tail)
		return false;
	r = &a->ring[a->ring_head++ % TCP_ACK_RING];
	ret->ack = r->ack;
	ret->sack_count = r->sack_count;
	for (i = 0; i < r->sack_count; i++)
		ret->sack[i] = r->sack[i];
	if (r->sack_count > 0) {
		ret->options |= TCP_OPT_SACK;
		counter_add(c->counters, COUNTER_TCP_SACKS_SENT, 1);
	}
	if (r->dsack)
		counter_add(c->counters, COUNTER_TCP_DSACKS_SENT, 1);
	return true;
}

void
tcp_ack_fill(struct tcp_conn *c, struct tcp_segment *ret)
{
	ret->ack = c->rcv_nxt;
	if (!c->sack || tcp_reassembly_ranges(c->reassembly) == 0)
		return;
	ret->sack_count = (uint8_t)tcp_reassembly_sack_blocks(
		c->reassembly, NULL, ret->sack, sack_blocks_max(c));
	ret->options |= TCP_OPT_SACK;
	counter_add(c->counters, COUNTER_TCP_SACKS_SENT, 1);
}

void
tcp_ack_on_sent(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->ack.window_update)
		counter_add(c->counters, COUNTER_TCP_WINDOW_UPDATES, 1);
	c->ack.window_update = false;
	settle(c, now_ns);
}
