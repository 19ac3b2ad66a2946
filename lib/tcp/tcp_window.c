/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_compiler.h"
#include "tcp_priv.h"

uint8_t
tcp_window_scale(uint32_t window_max_bytes)
{
	uint8_t shift = 0;

	while (shift < TCP_WSCALE_MAX && window_max_bytes >> shift > TCP_WINDOW_FIELD_MAX)
		shift++;
	return shift;
}

void
tcp_window_init(struct tcp_conn *c)
{
	/* A window below the scale's unit could never be announced. */
	uint32_t unit = 1U << tcp_window_scale(c->cfg->rcv_window_max_bytes);

	c->window = (struct tcp_window){
		.limit = MAX_OF(c->cfg->rcv_window_init_bytes, unit),
		.goal = MAX_OF(c->cfg->rcv_window_init_bytes, unit),
		.payload_mean = c->mss_max,
	};
}

static uint32_t
unit(const struct tcp_conn *c)
{
	return 1U << c->rcv_wscale;
}

/* The bytes that so many buffers are expected to bring: small segments pin whole buffers, so a
 * window of many small ones must close by their number. With most buffers free at least what the
 * scale can express, or the window would not open again after a run of tiny segments. */
static uint64_t
bytes_in_buffers(const struct tcp_conn *c, uint32_t buffers)
{
	uint64_t bytes = (uint64_t)buffers * c->window.payload_mean;

	return buffers > c->cfg->rcv_payloads_max / 2 ? MAX_OF(bytes, unit(c)) : bytes;
}

/* The largest window that can be told: with a peer that does not scale, 65,535 bytes. */
static uint32_t
expressible(const struct tcp_conn *c)
{
	return TCP_WINDOW_FIELD_MAX << c->rcv_wscale;
}

/* What the held bytes and the held buffers leave. */
static uint32_t
room(const struct tcp_conn *c)
{
	const struct tcp_window *w = &c->window;
	uint64_t bytes = w->unread < w->limit ? w->limit - w->unread : 0;
	uint64_t buffers = bytes_in_buffers(c, tcp_reassembly_room(&c->reassembly));

	bytes = MIN_OF(bytes, expressible(c));
	return (uint32_t)MIN_OF(bytes, buffers);
}

/* What room() is when nothing is held. */
static uint32_t
capacity(const struct tcp_conn *c)
{
	uint32_t limit = MIN_OF(c->window.limit, expressible(c));
	uint64_t buffers = bytes_in_buffers(c, c->cfg->rcv_payloads_max);

	return (uint32_t)MIN_OF(limit, buffers);
}

/* RFC 9293 §3.8.6.2.2: an edge that moves by less than `segments` of them, or than half of what
 * the window can be, is not worth announcing. */
static uint32_t
worthwhile(const struct tcp_conn *c, uint32_t segments)
{
	uint32_t step = MIN_OF(capacity(c) / 2, segments * c->mss_max);

	return MAX_OF(step, unit(c));
}

/* From ack, not from RCV.NXT: a recorded ACK may be behind. The edge stays or advances; the field
 * is rounded up, so that it never takes back what was promised (RFC 7323 §2.4). A run of segments
 * smaller than the scale's unit therefore pushes the edge ahead of itself; then the number of
 * buffers is what stops it. */
uint16_t
tcp_window_advertise(struct tcp_conn *c, uint32_t ack, bool grow)
{
	struct tcp_window *w = &c->window;
	uint32_t kept = seq_gt(ack, w->adv) ? 0 : w->adv - ack;
	uint32_t units = (kept + unit(c) - 1) >> c->rcv_wscale, edge;
	uint64_t open = (uint64_t)room(c) + (c->rcv_nxt - ack);

	if (grow && open >= (uint64_t)kept + worthwhile(c, 1))
		units = MAX_OF(units, (uint32_t)(open >> c->rcv_wscale));
	units = MIN_OF(units, TCP_WINDOW_FIELD_MAX);
	edge = ack + (units << c->rcv_wscale);
	if (seq_gt(edge, w->adv))
		w->adv = edge;
	if (units == 0)
		counter_add(c->counters, COUNTER_TCP_ZERO_WINDOW_SENT, 1);
	return (uint16_t)units;
}

static void
note_unread(struct tcp_conn *c, uint64_t bytes)
{
	struct tcp_window *w = &c->window;

	w->unread += bytes;
	if (tcp_rcv_wnd(c) < w->limit / TCP_TUNE_LEFT_PART)
		w->used_up = true;
}

static void
note_payload(struct tcp_window *w, uint32_t bytes)
{
	int32_t change = (int32_t)(bytes - w->payload_mean) / 8;

	/* A branch that is foreseen: of a run, no segment has to wait for the mean that the one before it leaves. */
	if (UNLIKELY(change != 0))
		w->payload_mean = MAX_OF(w->payload_mean + (uint32_t)change, 1U);
}

void
tcp_window_on_data(struct tcp_conn *c, uint32_t advance, uint32_t segment_bytes)
{
	note_unread(c, advance);
	note_payload(&c->window, segment_bytes);
}

void
tcp_window_on_run(struct tcp_conn *c, const struct payload *part, uint32_t n, uint64_t bytes)
{
	uint32_t i;

	note_unread(c, bytes);
	for (i = 0; i < n; i++)
		note_payload(&c->window, part[i].len);
}

/* The sender waits, or soon will, for an edge that it does not know of yet. */
static bool
needs_update(const struct tcp_conn *c)
{
	uint32_t kept = tcp_rcv_wnd(c), open;

	if (kept >= capacity(c) / 2)
		return false;
	open = room(c);
	return open > kept && open - kept >= worthwhile(c, 2);
}

/* A byte for each that was consumed, so that the edge advances by two: a sender that waits for it would send all that
 * a doubled window holds in one burst, more than a queue on the way takes. */
static void
grow(struct tcp_window *w, uint64_t consumed)
{
	if (UNLIKELY(w->limit < w->goal))
		w->limit += (uint32_t)MIN_OF(consumed, (uint64_t)(w->goal - w->limit));
}

void
tcp_window_on_consumed(struct tcp_conn *c, uint64_t bytes)
{
	struct tcp_window *w = &c->window;

	w->unread -= MIN_OF(bytes, w->unread);
	w->tune_bytes += bytes;
	grow(w, bytes);
	if (tcp_state_receives(c->state) && !c->fin_received && needs_update(c))
		c->ack.window_update = true;
}

/* What queues on the way surely take. A frame is as large as those that come are: they may have been joined. */
static uint64_t
queues_take(const struct tcp_conn *c)
{
	return TCP_TUNE_NEAR_FRAMES *
	       (uint64_t)MAX_OF(c->window.payload_mean, TCP_MSS_DEFAULT_IPV4);
}

/* On a near path a hole is, more likely than not, what a queue did not take of a burst that came at once, because the
 * window let it. What is promised stays promised; the edge waits until it is right again. */
static void
shrink_on_hole(struct tcp_conn *c)
{
	struct tcp_window *w = &c->window;
	uint64_t rtt_ns = c->rtt.min_rtt_ns;

	if (tcp_reassembly_ranges(&c->reassembly) == 0 || rtt_ns == 0 || rtt_ns >= TCP_TUNE_NEAR_NS)
		return;
	w->crowded = true;
	w->goal = (uint32_t)MIN_OF((uint64_t)w->goal, queues_take(c));
	w->limit = MIN_OF(w->limit, w->goal);
}

static uint32_t
doubled_goal(const struct tcp_conn *c)
{
	uint64_t max = c->cfg->rcv_window_max_bytes, goal = c->window.goal;

	if (c->window.crowded)
		max = MIN_OF(max, MAX_OF(queues_take(c), goal));
	return (uint32_t)MIN_OF(2 * goal, max);
}

/* Dynamic right-sizing: in slow start the sender doubles what it sends in each round trip, and the
 * window is to stay ahead of it: when the application consumed a quarter of it in one. It limits the
 * sender surely where the sender used it up, because the application, though fast enough, is late
 * (its thread waits for a CPU): the buffers for the largest window are there anyway. */
void
tcp_window_tune(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_window *w = &c->window;
	uint64_t interval_ns = MAX_OF(c->rtt.min_rtt_ns, TCP_TUNE_INTERVAL_MIN_NS);
	bool fast;

	shrink_on_hole(c);
	if (w->tune_start_ns != 0 && now_ns - w->tune_start_ns < interval_ns)
		return;
	fast = w->tune_bytes > w->goal / TCP_TUNE_LEFT_PART &&
	       now_ns - w->tune_start_ns < 2 * interval_ns;
	if (w->tune_start_ns != 0 && (fast || w->used_up))
		w->goal = doubled_goal(c);
	w->tune_start_ns = now_ns;
	w->tune_bytes = 0;
	w->used_up = false;
}
