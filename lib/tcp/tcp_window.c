/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

uint8_t
tcp_window_scale(uint32_t window_max_bytes)
{
	uint8_t shift = 0;

	/* Twice the window, because an ACK may lag behind RCV.NXT by up to one. */
	while (shift < TCP_WSCALE_MAX && window_max_bytes >> shift > TCP_WINDOW_FIELD_MAX / 2)
		shift++;
	return shift;
}

void
tcp_window_init(struct tcp_conn *c)
{
	c->window = (struct tcp_window){
		.limit = c->cfg.rcv_window_init_bytes,
		.payload_mean = c->cfg.mss_max,
	};
}

/* What the held bytes and the held buffers leave: small segments pin whole buffers, so a window
 * of many small ones must close by their number. */
static uint32_t
room(const struct tcp_conn *c)
{
	const struct tcp_window *w = &c->window;
	uint64_t bytes = w->unread < w->limit ? w->limit - w->unread : 0;
	uint64_t by_buffers = (uint64_t)tcp_reassembly_room(c->reassembly) * w->payload_mean;

	return (uint32_t)MIN_OF(bytes, by_buffers);
}

/* RFC 9293 §3.8.6.2.2: an edge that moves by less than this is not worth announcing. */
static uint32_t
worthwhile(const struct tcp_conn *c)
{
	return MIN_OF(c->window.limit / 2, (uint32_t)c->cfg.mss_max);
}

uint16_t
tcp_window_advertise(struct tcp_conn *c, uint32_t ack)
{
	struct tcp_window *w = &c->window;
	uint32_t unit = 1U << c->rcv_wscale, kept = tcp_rcv_wnd(c), open = room(c), units;
	/* An ACK recorded earlier in this burst counts the window from further back. */
	uint32_t behind = c->rcv_nxt - ack;

	if (open < kept + worthwhile(c))
		open = kept;
	/* Rounding down to the scale may not take back what was promised: then round up. */
	units = MAX_OF((behind + open) / unit, (behind + kept + unit - 1) / unit);
	units = MIN_OF(units, TCP_WINDOW_FIELD_MAX);
	if (units * unit > behind + kept)
		w->adv = ack + units * unit;
	if (units == 0)
		counter_add(c->counters, COUNTER_TCP_ZERO_WINDOW_SENT, 1);
	return (uint16_t)units;
}

void
tcp_window_on_data(struct tcp_conn *c, uint32_t advance, uint32_t segment_bytes)
{
	struct tcp_window *w = &c->window;

	w->unread += advance;
	w->payload_mean += (uint32_t)((int32_t)(segment_bytes - w->payload_mean) / 8);
	w->payload_mean = MAX_OF(w->payload_mean, 1U);
}

/* The sender waits, or soon will, for an edge that it does not know of yet. */
static bool
needs_update(const struct tcp_conn *c)
{
	uint32_t kept = tcp_rcv_wnd(c), open = room(c);

	if (open <= kept || kept >= c->window.limit / 2)
		return false;
	return open - kept >= MIN_OF(c->window.limit / 2, 2U * c->cfg.mss_max);
}

void
tcp_window_on_consumed(struct tcp_conn *c, uint64_t bytes)
{
	struct tcp_window *w = &c->window;

	w->unread -= MIN_OF(bytes, w->unread);
	w->tune_bytes += bytes;
	if (!tcp_state_receives(c->state) || c->fin_received || !needs_update(c))
		return;
	c->ack.window_update = true;
	tcp_ack_at_once(c);
}

/* Dynamic right-sizing: when the application consumed half a window or more in one round trip,
 * the window may be what limits the sender. */
void
tcp_window_tune(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_window *w = &c->window;
	uint64_t interval_ns = MAX_OF(c->rtt.min_rtt_ns, TCP_TUNE_INTERVAL_MIN_NS);

	if (w->tune_start_ns != 0 && now_ns - w->tune_start_ns < interval_ns)
		return;
	if (w->tune_start_ns != 0 && w->tune_bytes > w->limit / 2 &&
		now_ns - w->tune_start_ns < 2 * interval_ns)
		w->limit = (uint32_t)MIN_OF(2 * (uint64_t)w->limit, c->cfg.rcv_window_max_bytes);
	w->tune_start_ns = now_ns;
	w->tune_bytes = 0;
}
