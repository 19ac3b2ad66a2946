/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "base_bytes.h"
#include "tcp_priv.h"

/* In pieces for which the compiler has plain stores; all at once would be a "rep stos". */
static void
prepare(const struct tcp_conn *c, struct tcp_segment *ret)
{
	memset(ret, 0, offsetof(struct tcp_segment, payload));
	ret->payload = (struct payload){0};
	ret->payload2 = (struct payload){0};
	ret->src_port = c->local_port;
	ret->dst_port = c->remote_port;
	ret->seq = tcp_snd_nxt(c);
}

/* Counts the segment and notes what it told the peer. */
static bool
sent(struct tcp_conn *c, struct tcp_segment *s)
{
	counter_add(c->counters, COUNTER_TCP_SEGMENTS_SENT, 1);
	if (s->flags & TCP_RST)
		counter_add(c->counters, COUNTER_TCP_RST_SENT, 1);
	if (s->flags == TCP_ACK && s->payload.len == 0)
		counter_add(c->counters, COUNTER_TCP_ACKS_SENT, 1);
	if ((s->flags & TCP_ACK) && !(s->flags & TCP_RST))
		c->last_ack_sent = s->ack;
	tcp_ecn_on_output(c, s);
	return true;
}

static bool
output_rst(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (c->rst == TCP_RST_NONE)
		return false;
	prepare(c, ret);
	ret->seq = c->rst_seq;
	ret->flags = TCP_RST;
	if (c->rst == TCP_RST_CLOSE) {
		ret->flags |= TCP_ACK;
		ret->ack = c->rcv_nxt;
		tcp_options_stamp(c, now_ns, ret); /* RFC 7323 §3.2: SHOULD, once negotiated */
	}
	c->rst = TCP_RST_NONE;
	return sent(c, ret);
}

/* <SEQ=ISS><CTL=SYN>, and with ACK in a simultaneous open. */
static bool
output_syn(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (!c->syn_due)
		return false;
	c->syn_due = false;
	prepare(c, ret);
	ret->seq = c->iss;
	ret->flags = TCP_SYN;
	ret->window = (uint16_t)MIN_OF(c->window.limit, TCP_SYN_WINDOW_MAX);
	if (c->state == TCP_SYN_RECEIVED) {
		ret->flags |= TCP_ACK;
		ret->ack = c->rcv_nxt;
	}
	tcp_options_offer(c, ret);
	tcp_ecn_offer(c, ret);
	tcp_options_stamp(c, now_ns, ret);
	tcp_scoreboard_on_sent(&c->board, c->iss + 1);
	if (c->syn_sent_ns == 0) /* and not at connect: ARP may have taken its time */
		c->syn_sent_ns = now_ns;
	if (c->syn_retransmitted) {
		c->retransmits++;
		counter_add(c->counters, COUNTER_TCP_RETRANSMITS, 1);
	}
	if (c->rto_ns == TIME_NEVER)
		tcp_timer_start_rto(c, now_ns);
	return sent(c, ret);
}

/* The ACKs that out-of-order segments and the first windows asked for, one for each. */
static bool
output_recorded_ack(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (!tcp_ack_recorded(c))
		return false;
	prepare(c, ret);
	ret->flags = TCP_ACK;
	tcp_ack_take_record(c, now_ns, ret);
	return sent(c, ret);
}

static bool
output_data(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (!tcp_send_pending(c)) {
		if (tcp_snd_nxt(c) == c->snd_una)
			return false;
		if (!c->tlp_due && !c->retransmit_first && !tcp_recovery_on(c)) {
			tcp_timer_update_persist(c, false, now_ns);
			return false;
		}
	}
	prepare(c, ret);
	if (!tcp_send_next(c, now_ns, ret))
		return false;
	/* SACK blocks only where the path MTU leaves room for them (RFC 6691). */
	tcp_ack_fill(c, now_ns, c->smss - (ret->payload.len + ret->payload2.len), ret);
	return sent(c, ret);
}

static bool
output_ack(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (!tcp_ack_due(c, now_ns))
		return false;
	prepare(c, ret);
	ret->flags = TCP_ACK;
	tcp_ack_fill(c, now_ns, UINT32_MAX, ret);
	return sent(c, ret);
}

/* Zero-window and keepalive probes: an old sequence number, which obliges the peer to answer. */
static bool
output_probe(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (!c->probe_due)
		return false;
	c->probe_due = false;
	prepare(c, ret);
	ret->seq = c->snd_una - 1;
	ret->flags = TCP_ACK;
	tcp_ack_fill(c, now_ns, UINT32_MAX, ret);
	return sent(c, ret);
}

/* May data and FIN go, or go again, in this state? */
static bool
sends_data(enum tcp_state state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT || state == TCP_FIN_WAIT_1 ||
	       state == TCP_CLOSING || state == TCP_LAST_ACK;
}

bool
tcp_conn_output(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (c->state != TCP_CLOSED)
		tcp_timer_run(c, now_ns);
	if (output_rst(c, now_ns, ret))
		return true;
	if (c->state == TCP_CLOSED)
		return false;
	if (output_syn(c, now_ns, ret))
		return true;
	if (c->state == TCP_SYN_SENT)
		return false;
	tcp_window_tune(c, now_ns);
	if (output_recorded_ack(c, now_ns, ret))
		return true;
	if (sends_data(c->state) && output_data(c, now_ns, ret))
		return true;
	return output_ack(c, now_ns, ret) || output_probe(c, now_ns, ret);
}
