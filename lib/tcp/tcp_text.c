/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "tcp_priv.h"

/* The part of a segment that lies in the window; the FIN is cut off with what it follows. */
static struct tcp_segment
trim_to_window(const struct tcp_conn *c, const struct tcp_segment *s)
{
	struct tcp_segment t = *s;
	uint32_t cut;

	if (seq_gt(t.seq + t.payload.len, c->window.adv)) {
		cut = t.seq + t.payload.len - c->window.adv;
		t.payload.len -= MIN_OF(cut, t.payload.len);
		t.flags &= (uint8_t)~TCP_FIN;
	}
	/* Data past the FIN is none (a peer that sends it is wrong). */
	if (c->fin_seen && seq_gt(t.seq + t.payload.len, c->fin_seq)) {
		cut = t.seq + t.payload.len - c->fin_seq;
		t.payload.len -= MIN_OF(cut, t.payload.len);
	}
	return t;
}

/* A window probe, or more than the window holds, or data after the FIN. */
static void
on_trimmed(struct tcp_conn *c, const struct tcp_segment *rest)
{
	if (rest->payload.len == 0)
		counter_drop(c->counters, DROP_TCP_SEQUENCE);
	tcp_ack_at_once(c);
}

static void
on_in_order(struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_reassembly_result *r,
	uint64_t now_ns)
{
	uint32_t advance = r->rcv_nxt - c->rcv_nxt;

	c->rcv_nxt = r->rcv_nxt;
	tcp_window_on_data(c, advance, s->payload.len);
	if (r->filled_hole)
		tcp_ack_on_hole_filled(c);
	if ((s->flags & TCP_FIN) && !c->ack.parts.open)
		tcp_ack_on_last_data(c, now_ns);
	else
		tcp_ack_on_data(c, s->payload.len, (s->flags & TCP_PSH) != 0, now_ns);
	if (r->bytes_duplicate > 0)
		tcp_ack_on_duplicate(c, &r->duplicate); /* RFC 2883 §4.3: partly a duplicate */
	if (c->state == TCP_FIN_WAIT_2) /* the peer is alive and not done */
		tcp_timer_start_linger(c, c->cfg->fin_wait_2_ns, now_ns);
}

static bool
take_data(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_reassembly_result r;
	bool kept = tcp_reassembly_insert(&c->reassembly, s->seq, &s->payload, c->rcv_nxt, &r);

	counter_add(c->counters, COUNTER_TCP_BYTES_RECEIVED, r.bytes_new);
	counter_add(c->counters, COUNTER_TCP_DUPLICATE_BYTES, r.bytes_duplicate);
	switch (r.verdict) {
	case TCP_REASSEMBLY_IN_ORDER:
		on_in_order(c, s, &r, now_ns);
		break;
	case TCP_REASSEMBLY_OUT_OF_ORDER:
		tcp_count(c, s, COUNTER_TCP_OUT_OF_ORDER);
		tcp_ack_on_duplicate(c, &r.duplicate);
		break;
	case TCP_REASSEMBLY_DUPLICATE:
		tcp_count(c, s, COUNTER_TCP_DUPLICATE);
		tcp_ack_on_duplicate(c, &r.duplicate);
		break;
	case TCP_REASSEMBLY_NO_BUFFER:
		counter_drop(c->counters, DROP_TCP_NO_BUFFER);
		tcp_ack_on_duplicate(c, NULL);
		break;
	}
	return kept;
}

/* RFC 9293 §3.6, RFC 2525 §2.17: data that nobody will read must not be acknowledged as read. */
static void
refuse_data(struct tcp_conn *c)
{
	counter_drop(c->counters, DROP_TCP_AFTER_CLOSE);
	c->rst = TCP_RST_CLOSE;
	c->rst_seq = tcp_snd_nxt(c);
	tcp_state_end(c, -ECONNABORTED);
}

static bool
seventh_process_text(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (s->payload.len == 0 || !tcp_state_receives(c->state))
		return false;
	if (c->discard && seq_gt(s->seq + s->payload.len, c->rcv_nxt)) {
		refuse_data(c);
		return false;
	}
	return take_data(c, s, now_ns);
}

static void
on_fin(struct tcp_conn *c, uint64_t now_ns)
{
	switch (c->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(c, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1: /* our FIN is not acknowledged, or the state had changed */
		tcp_set_state(c, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT_2:
		tcp_set_state(c, TCP_TIME_WAIT);
		tcp_timer_stop_all(c);
		tcp_timer_start_linger(c, c->cfg->time_wait_ns, now_ns);
		break;
	case TCP_CLOSED:
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
		break;
	}
}

/* A FIN is remembered wherever it comes, and acted on when all before it has arrived. */
static void
eighth_check_fin(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!tcp_state_receives(c->state)) {
		/* RFC 9293 §3.10.7.4: a FIN is acknowledged in every state. This one is above the
		 * first: whoever sent it may learn where we are, but not make us talk. */
		if (s->flags & TCP_FIN)
			tcp_ack_challenge(c, now_ns);
		return;
	}
	if ((s->flags & TCP_FIN) && !c->fin_seen) {
		c->fin_seen = true;
		c->fin_seq = s->seq + s->payload.len;
	}
	if ((s->flags & TCP_FIN) && s->payload.len == 0 && s->seq != c->rcv_nxt)
		tcp_ack_on_duplicate(c, NULL); /* a FIN above a hole, each time that it comes */
	if (!c->fin_seen || c->fin_received || c->rcv_nxt != c->fin_seq)
		return;
	c->fin_received = true;
	c->rcv_nxt++;
	tcp_ack_at_once(c);
	on_fin(c, now_ns);
}

bool
tcp_text_process(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_segment t;
	bool kept;

	if (s->payload.len == 0 && !(s->flags & TCP_FIN))
		return false;
	t = trim_to_window(c, s);
	if (t.payload.len < s->payload.len)
		on_trimmed(c, &t);
	/* A FIN below what is held above it contradicts it; the data came first. */
	if ((t.flags & TCP_FIN) &&
		seq_lt(t.seq + t.payload.len, tcp_reassembly_high_seq(&c->reassembly, c->rcv_nxt)))
		t.flags &= (uint8_t)~TCP_FIN;
	kept = seventh_process_text(c, &t, now_ns);
	eighth_check_fin(c, &t, now_ns);
	return kept;
}

/*
 * Header prediction (Van Jacobson, RFC 1323 appendix A): the next data segment of a bulk transfer,
 * with nothing else in it. Anything unusual goes the long way.
 */
static bool
plain(const struct tcp_conn *c, const struct tcp_segment *s)
{
	/* CE stands in FIN's place, so that one comparison finds it as well. ECE on an ACK of
	 * nothing new says nothing new: it goes on until we have data that carries CWR. */
	unsigned int flags = s->flags | (s->ecn == TCP_ECN_CE ? TCP_FIN : 0U);

	return c->state == TCP_ESTABLISHED && (flags & ~(TCP_PSH | TCP_ECE)) == TCP_ACK &&
	       s->seq == c->rcv_nxt && s->payload.len > 0 && s->ack == c->snd_una &&
	       c->snd_una == tcp_snd_nxt(c) && (uint32_t)s->window << c->snd_wscale == c->snd_wnd &&
	       s->payload.len <= tcp_rcv_wnd(c) &&
	       s->options == (c->timestamps ? TCP_OPT_TIMESTAMPS : 0) &&
	       (!c->timestamps || (int32_t)(s->ts_val - c->ts_recent) >= 0) && !c->fin_seen &&
	       !c->discard;
}

/* PSH asks for an ACK at the end of the burst: such a segment comes alone. */
bool
tcp_text_run_expected(const struct tcp_conn *c, const struct tcp_segment *first, uint64_t now_ns)
{
	return plain(c, first) && first->flags == TCP_ACK && !first->more &&
	       tcp_ack_merges(c, now_ns) && tcp_reassembly_in_order_room(&c->reassembly) > 0;
}

uint32_t
tcp_text_run(struct tcp_conn *c, const struct tcp_segment *first, const struct payload *part,
	uint32_t n, uint64_t now_ns, uint64_t *ret_bytes)
{
	uint32_t window = tcp_rcv_wnd(c), bytes = 0, kept;

	n = MIN_OF(n, tcp_reassembly_in_order_room(&c->reassembly));
	for (kept = 0; kept < n && part[kept].len <= window - bytes; kept++) {
		bytes += part[kept].len;
		tcp_reassembly_append(&c->reassembly, &part[kept]);
	}
	tcp_options_on_segment(c, first, now_ns);
	c->rcv_nxt += bytes;
	c->snd_wl1 = c->rcv_nxt - part[kept - 1].len;
	tcp_window_on_run(c, part, kept, bytes);
	tcp_ack_on_run(c, kept, now_ns);
	*ret_bytes = bytes;
	return kept;
}

bool
tcp_text_predicted(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!plain(c, s) || !tcp_reassembly_append_in_order(&c->reassembly, &s->payload))
		return false;
	tcp_options_on_segment(c, s, now_ns);
	c->snd_wl1 = s->seq;
	c->rcv_nxt += s->payload.len;
	tcp_window_on_data(c, s->payload.len, s->payload.len);
	tcp_ack_on_data(c, s->payload.len, (s->flags & TCP_PSH) != 0, now_ns);
	return true;
}
