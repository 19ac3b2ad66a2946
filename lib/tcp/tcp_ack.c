/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "base_compiler.h"
#include "tcp_priv.h"

#define OPTION_SPACE 40U /* RFC 9293 §3.1 */
#define SACK_OPTION_BASE 4U /* kind, length, two NOPs */
#define SACK_BLOCK_LEN 8U

void
tcp_ack_reset(struct tcp_ack_state *a, enum tcp_ack_policy policy)
{
	a->policy = policy;
	a->now = a->window_update = a->push = false;
	a->segments = a->full_segments = 0;
	a->full_bytes = a->same_bytes = a->same_count = 0;
	a->quick_left = TCP_ACK_QUICK_SEGMENTS;
	a->covered = 0;
	a->since_ns = 0;
	a->parts = (struct tcp_ack_parts){0};
	a->ring_head = a->ring_tail = 0;
}

/* RFC 2018 §3: how many blocks option_room bytes hold. */
static uint32_t
sack_blocks_max(const struct tcp_conn *c, uint32_t option_room)
{
	uint32_t space = OPTION_SPACE - (c->timestamps ? TCP_TIMESTAMPS_LEN : 0);

	option_room = MIN_OF(option_room, space);
	if (!c->sack || option_room < SACK_OPTION_BASE)
		return 0;
	return MIN_OF((option_room - SACK_OPTION_BASE) / SACK_BLOCK_LEN, TCP_SACK_BLOCKS_MAX);
}

/* All that came so far is covered by an acknowledgment that was recorded or is on its way. */
static void
cover(struct tcp_conn *c)
{
	struct tcp_ack_state *a = &c->ack;

	a->segments = a->full_segments = 0;
	a->push = a->now = false;
	a->covered = c->rcv_nxt;
}

/* A place in the ring. In a full one the newest record is replaced: the new one tells the sender
 * everything that the replaced one did, but for its D-SACK. */
static struct tcp_ack_record *
next_record(struct tcp_conn *c, bool *ret_replaces)
{
	struct tcp_ack_state *a = &c->ack;

	*ret_replaces = a->ring_tail - a->ring_head == a->ring_size;
	if (*ret_replaces) {
		counter_add(c->counters, COUNTER_TCP_ACKS_COALESCED, 1);
		a->ring_tail--;
	}
	return &a->ring[a->ring_tail++ & (a->ring_size - 1)];
}

/* Records an ACK as it would be sent at this moment. */
static OUT_OF_LINE void
record(struct tcp_conn *c, bool duplicate, const struct tcp_sack_block *dsack)
{
	bool replaces;
	struct tcp_ack_record *r = next_record(c, &replaces);

	if (!replaces || !r->covers_data) {
		r->covers_data = c->ack.segments > 0;
		r->since_ns = c->ack.since_ns;
	}
	r->duplicate = duplicate && !r->covers_data && (!replaces || r->duplicate);
	r->ack = c->rcv_nxt;
	r->ts_ecr = c->ts_recent;
	r->dsack = c->sack && dsack != NULL && dsack->left != dsack->right;
	r->sack_count = (uint8_t)tcp_reassembly_sack_blocks(
		&c->reassembly, r->dsack ? dsack : NULL, r->sack, sack_blocks_max(c, OPTION_SPACE));
	cover(c);
}

/* "Full-sized" is what the peer makes it: its MSS less whatever options it sends, and less still
 * once its path MTU falls. So it is the largest size seen, until a run of smaller equal ones. */
static bool
full_sized(struct tcp_ack_state *a, uint32_t len)
{
	a->same_count = len == a->same_bytes ? a->same_count + 1 : 1;
	a->same_bytes = len;
	if (len > a->full_bytes || a->same_count >= TCP_ACK_SAME_SIZE)
		a->full_bytes = len;
	return len == a->full_bytes;
}

/* Does this segment get an acknowledgment of its own, even within a burst? */
static bool
on_data_by_policy(struct tcp_ack_state *a, uint32_t len)
{
	switch (a->policy) {
	case TCP_ACK_BURST:
		if (LIKELY(a->quick_left == 0))
			return false;
		a->quick_left--;
		a->push = true; /* no merging across bursts yet */
		return a->segments >= TCP_ACK_QUICK_EVERY;
	case TCP_ACK_EVERY:
		return true;
	case TCP_ACK_DELAYED:
		a->full_segments += full_sized(a, len);
		return a->full_segments >= TCP_ACK_DELAYED_EVERY;
	}
	CHECK(false);
}

void
tcp_ack_on_data(struct tcp_conn *c, uint32_t len, bool push, uint64_t now_ns)
{
	struct tcp_ack_state *a = &c->ack;

	if (UNLIKELY(a->parts.open)) {
		a->parts.data = true;
		a->parts.push |= push;
		a->parts.data_bytes += len;
		return;
	}
	if (a->segments++ == 0) {
		if (now_ns - a->since_ns > TCP_ACK_IDLE_NS)
			a->quick_left = TCP_ACK_QUICK_SEGMENTS;
		a->since_ns = now_ns;
	}
	a->push |= push;
	if (on_data_by_policy(a, len))
		record(c, false, NULL);
}

bool
tcp_ack_merges(const struct tcp_conn *c, uint64_t now_ns)
{
	const struct tcp_ack_state *a = &c->ack;

	return a->policy == TCP_ACK_BURST && a->quick_left == 0 && !a->parts.open &&
	       (a->segments > 0 || now_ns - a->since_ns <= TCP_ACK_IDLE_NS);
}

void
tcp_ack_on_run(struct tcp_conn *c, uint32_t n, uint64_t now_ns)
{
	struct tcp_ack_state *a = &c->ack;

	if (a->segments == 0)
		a->since_ns = now_ns;
	a->segments += n;
}

void
tcp_ack_on_last_data(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->ack.segments++ == 0)
		c->ack.since_ns = now_ns;
	tcp_ack_at_once(c);
}

/* RFC 2883 §4: one run, the first; the parts of a segment follow each other. */
static void
note_duplicate_part(struct tcp_ack_parts *p, const struct tcp_sack_block *dsack)
{
	p->duplicate = true;
	if (dsack == NULL || dsack->left == dsack->right)
		return;
	if (p->dsack.left == p->dsack.right)
		p->dsack = *dsack;
	else if (p->dsack.right == dsack->left)
		p->dsack.right = dsack->right;
}

void
tcp_ack_on_duplicate(struct tcp_conn *c, const struct tcp_sack_block *dsack)
{
	if (c->ack.parts.open) {
		note_duplicate_part(&c->ack.parts, dsack);
		return;
	}
	if (c->ack.policy == TCP_ACK_EVERY && c->ack.segments > 0)
		record(c, false, NULL); /* that of the data before it, whose FIN it waited for */
	counter_add(c->counters, COUNTER_TCP_ACKS_IMMEDIATE, 1);
	record(c, true, dsack);
}

void
tcp_ack_open_parts(struct tcp_conn *c)
{
	if (c->ack.parts.open)
		return;
	c->ack.parts = (struct tcp_ack_parts){.open = true};
}

void
tcp_ack_close_parts(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_ack_parts *p = &c->ack.parts;

	p->open = false;
	if (c->state == TCP_CLOSED)
		return;
	if (p->data)
		tcp_ack_on_data(c, p->data_bytes, p->push, now_ns);
	if (p->duplicate)
		tcp_ack_on_duplicate(c, &p->dsack);
}

void
tcp_ack_on_hole_filled(struct tcp_conn *c)
{
	c->ack.quick_left = MAX_OF(c->ack.quick_left, TCP_ACK_QUICK_AFTER_LOSS);
	tcp_ack_at_once(c);
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

	if (a->now || a->window_update)
		return true;
	if (a->segments == 0)
		return false;
	if (a->policy == TCP_ACK_BURST && (a->push || a->segments >= c->cfg->ack_segments_max))
		return true;
	return now_ns >= tcp_ack_deadline(c);
}

uint64_t
tcp_ack_deadline(const struct tcp_conn *c)
{
	const struct tcp_ack_state *a = &c->ack;

	if (a->now || a->window_update || tcp_ack_recorded(c))
		return 0;
	if (a->segments == 0)
		return TIME_NEVER;
	return a->since_ns +
	       (a->policy == TCP_ACK_DELAYED ? TCP_ACK_DELAYED_NS : c->cfg->ack_delay_max_ns);
}

static void
note_delay(const struct tcp_conn *c, uint64_t since_ns, uint64_t now_ns)
{
	if (c->cfg->ack_delay != NULL)
		histogram_record(c->cfg->ack_delay, now_ns - since_ns);
}

static void
set_sack_option(struct tcp_conn *c, uint32_t count, struct tcp_segment *ret)
{
	if (count == 0)
		return;
	ret->sack_count = (uint8_t)count;
	ret->options |= TCP_OPT_SACK;
	counter_add(c->counters, COUNTER_TCP_SACKS_SENT, 1);
}

static void
set_timestamp(const struct tcp_conn *c, uint64_t now_ns, uint32_t ts_ecr, struct tcp_segment *ret)
{
	tcp_options_stamp(c, now_ns, ret);
	if (ret->options & TCP_OPT_TIMESTAMPS)
		ret->ts_ecr = ts_ecr;
}

void
tcp_ack_take_record(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	const struct tcp_ack_record *r = &c->ack.ring[c->ack.ring_head++ & (c->ack.ring_size - 1)];
	uint32_t i;

	ret->ack = r->ack;
	/* RFC 5681 §2: a duplicate ACK with another window would not be counted as one. */
	ret->window = tcp_window_advertise(c, r->ack, !r->duplicate);
	if (!r->duplicate && r->ack == c->rcv_nxt)
		c->ack.window_update = false; /* it says all that an update would */
	set_timestamp(c, now_ns, r->ts_ecr, ret);
	for (i = 0; i < r->sack_count; i++)
		ret->sack[i] = r->sack[i];
	set_sack_option(c, r->sack_count, ret);
	if (r->dsack)
		counter_add(c->counters, COUNTER_TCP_DSACKS_SENT, 1);
	if (r->covers_data)
		note_delay(c, r->since_ns, now_ns);
}

void
tcp_ack_fill(struct tcp_conn *c, uint64_t now_ns, uint32_t option_room, struct tcp_segment *ret)
{
	struct tcp_ack_state *a = &c->ack;

	ret->ack = c->rcv_nxt;
	ret->window = tcp_window_advertise(c, c->rcv_nxt, true);
	tcp_options_stamp(c, now_ns, ret);
	if (UNLIKELY(tcp_reassembly_ranges(&c->reassembly) > 0))
		set_sack_option(c,
			tcp_reassembly_sack_blocks(
				&c->reassembly, NULL, ret->sack, sack_blocks_max(c, option_room)),
			ret);
	if (a->segments > 0)
		note_delay(c, a->since_ns, now_ns);
	if (a->window_update)
		counter_add(c->counters, COUNTER_TCP_WINDOW_UPDATES, 1);
	a->window_update = false;
	cover(c);
}
