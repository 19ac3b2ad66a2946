/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_compiler.h"
#include "tcp_priv.h"

/* RFC 9293 §3.10.7. Each step says whether the segment is looked at further. */
enum step {
	STEP_ON, /* to the next step */
	STEP_DONE, /* dealt with */
};

static enum step
drop(struct tcp_conn *c, enum drop_reason reason)
{
	counter_drop(c->counters, reason);
	return STEP_DONE;
}

/* <SEQ=SEG.ACK><CTL=RST>, RFC 9293 §3.10.7.3: the connection itself goes on. */
static void
reply_with_rst(struct tcp_conn *c, const struct tcp_segment *s)
{
	c->rst = TCP_RST_REPLY;
	c->rst_seq = s->ack;
}

static void
enter_established(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	tcp_set_state(c, TCP_ESTABLISHED);
	c->established_ns = now_ns;
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	/* RFC 7323 §2.2: the window of a SYN is never scaled. */
	c->snd_wnd = (uint32_t)s->window << (s->flags & TCP_SYN ? 0 : c->snd_wscale);
	c->snd_wnd_max = c->snd_wnd;
	if (c->syn_retransmitted)
		tcp_rtt_on_syn_retransmitted(&c->rtt);
	tcp_congestion_on_established(&c->congestion, c->syn_retransmitted);
	c->retries = 0;
	c->soft_error = 0;
	c->last_received_ns = now_ns;
	if (c->cfg->keepalive_idle_ns != TIME_NEVER)
		c->keepalive_ns = now_ns + c->cfg->keepalive_idle_ns;
	if (c->fin_queued) /* closed in SYN-RECEIVED, RFC 9293 §3.10.4 */
		tcp_set_state(c, TCP_FIN_WAIT_1);
}

/* Our SYN is acknowledged. */
static void
syn_acknowledged(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_scoreboard_news news;

	tcp_scoreboard_update(&c->board, s->ack, NULL, 0, &news);
	c->snd_una = s->ack;
	if (!c->syn_retransmitted)
		tcp_rtt_on_sample(&c->rtt, now_ns - c->syn_sent_ns, 1);
	tcp_timer_stop_rto(c);
}

/* ---- SYN-SENT, RFC 9293 §3.10.7.3 ---- */

static enum step
syn_sent_first_check_ack(struct tcp_conn *c, const struct tcp_segment *s)
{
	if (!(s->flags & TCP_ACK))
		return STEP_ON;
	if (seq_gt(s->ack, c->iss) && seq_leq(s->ack, tcp_snd_nxt(c)))
		return STEP_ON;
	if (!(s->flags & TCP_RST))
		reply_with_rst(c, s);
	return drop(c, DROP_TCP_ACK);
}

static enum step
syn_sent_second_check_rst(struct tcp_conn *c, const struct tcp_segment *s)
{
	if (!(s->flags & TCP_RST))
		return STEP_ON;
	if (!(s->flags & TCP_ACK))
		return drop(c, DROP_TCP_SEQUENCE);
	counter_add(c->counters, COUNTER_TCP_RST_RECEIVED, 1);
	if (tcp_ecn_on_refused(c)) {
		c->syn_due = true;
		c->syn_sent_ns = 0; /* the handshake begins anew */
		return STEP_DONE;
	}
	c->answered = true;
	tcp_state_end(c, -ECONNREFUSED);
	return STEP_DONE;
}

static void
take_syn(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	uint32_t promised = MIN_OF(c->window.limit, TCP_SYN_WINDOW_MAX);

	c->answered = true;
	c->irs = s->seq;
	c->rcv_nxt = s->seq + 1;
	c->window.adv = c->rcv_nxt + promised;
	c->last_ack_sent = c->ack.covered = c->rcv_nxt;
	tcp_options_negotiate(c, s);
	tcp_ecn_on_syn(c, s);
	if (c->timestamps) {
		c->ts_recent = s->ts_val;
		c->ts_recent_ns = now_ns;
	}
}

static enum step
syn_sent_fourth_check_syn(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!(s->flags & TCP_SYN))
		return drop(c, DROP_TCP_HEADER);
	take_syn(c, s, now_ns);
	if (!(s->flags & TCP_ACK)) { /* simultaneous open */
		tcp_set_state(c, TCP_SYN_RECEIVED);
		c->syn_due = true;
		tcp_timer_start_rto(c, now_ns);
		return STEP_DONE;
	}
	syn_acknowledged(c, s, now_ns);
	enter_established(c, s, now_ns);
	tcp_ack_at_once(c);
	return STEP_ON;
}

/* ---- the other states, RFC 9293 §3.10.7.4 ---- */

static bool
in_window(const struct tcp_conn *c, uint32_t seq)
{
	return seq_geq(seq, c->rcv_nxt) && seq_lt(seq, c->window.adv);
}

/* The four cases of the acceptability table in §3.10.7.4, with its "special allowance": what
 * starts at RCV.NXT is looked at though the window is shut, for its ACK and FIN. */
static bool
acceptable(const struct tcp_conn *c, const struct tcp_segment *s)
{
	uint32_t len = tcp_segment_seq_len(s);

	/* The other half of a simultaneous open: its SYN again, with the ACK of ours. */
	if (c->state == TCP_SYN_RECEIVED && (s->flags & TCP_SYN) && (s->flags & TCP_ACK) &&
		s->seq == c->irs)
		return true;
	if (tcp_rcv_wnd(c) == 0)
		return s->seq == c->rcv_nxt;
	return in_window(c, s->seq) || (len > 0 && in_window(c, s->seq + len - 1));
}

/* RFC 5961 §3.2, tolerant: our ACKs cover whole bursts, so an honest peer that has not seen the
 * last one resets with a sequence number between that and RCV.NXT. */
static bool
rst_exact(const struct tcp_conn *c, const struct tcp_segment *s)
{
	return seq_geq(s->seq, c->last_ack_sent) && seq_leq(s->seq, c->rcv_nxt);
}

/* RFC 9293 §3.10.7.4, TIME-WAIT: a retransmitted FIN restarts the 2 MSL. */
static void
on_old_fin(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (c->state == TCP_TIME_WAIT && s->seq + s->payload.len == c->fin_seq)
		tcp_timer_start_linger(c, c->cfg->time_wait_ns, now_ns);
}

static void
on_old_data(struct tcp_conn *c, const struct tcp_segment *s)
{
	uint32_t end = s->seq + s->payload.len;
	struct tcp_sack_block dsack = {s->seq, seq_min(end, c->rcv_nxt)};

	tcp_count(c, s, COUNTER_TCP_DUPLICATE);
	counter_add(c->counters, COUNTER_TCP_DUPLICATE_BYTES, s->payload.len);
	tcp_ack_on_duplicate(c, &dsack);
}

static enum step
fourth_check_syn(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!(s->flags & TCP_SYN))
		return STEP_ON;
	if (c->state == TCP_SYN_RECEIVED && (s->flags & TCP_ACK) && s->seq == c->irs)
		return STEP_ON;
	tcp_ack_challenge(c, now_ns); /* RFC 5961 §4.2 */
	return drop(c, DROP_TCP_SEQUENCE);
}

static enum step
not_acceptable(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (s->flags & TCP_RST)
		return rst_exact(c, s) ? STEP_ON : drop(c, DROP_TCP_SEQUENCE);
	if (s->flags & TCP_SYN)
		return fourth_check_syn(c, s, now_ns);
	if (s->flags & TCP_FIN)
		on_old_fin(c, s, now_ns);
	if (s->payload.len > 0 && seq_lt(s->seq, c->rcv_nxt)) {
		on_old_data(c, s);
		return STEP_DONE;
	}
	if (s->payload.len > 0 || (s->flags & TCP_FIN) || s->seq == c->rcv_nxt - 1)
		tcp_ack_at_once(c); /* a keepalive or window probe, a FIN again */
	else
		tcp_ack_challenge(c, now_ns); /* never a reason for an ACK war */
	return drop(c, DROP_TCP_SEQUENCE);
}

static enum step
first_check_sequence(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (tcp_options_stamp_missing(c, s))
		return drop(c, DROP_TCP_PAWS);
	if (tcp_options_paws_reject(c, s, now_ns)) {
		if (s->payload.len > 0)
			tcp_ack_on_duplicate(c, NULL);
		else
			tcp_ack_challenge(c, now_ns);
		return drop(c, DROP_TCP_PAWS);
	}
	return acceptable(c, s) ? STEP_ON : not_acceptable(c, s, now_ns);
}

static enum step
second_check_rst(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	int error;

	if (!(s->flags & TCP_RST))
		return STEP_ON;
	if (!rst_exact(c, s)) {
		tcp_ack_challenge(c, now_ns);
		return drop(c, DROP_TCP_SEQUENCE);
	}
	counter_add(c->counters, COUNTER_TCP_RST_RECEIVED, 1);
	error = c->state == TCP_SYN_RECEIVED ? -ECONNREFUSED : -ECONNRESET;
	/* Everything was exchanged already: the reset harms nobody. */
	if (c->state == TCP_CLOSING || c->state == TCP_LAST_ACK || c->state == TCP_TIME_WAIT)
		error = 0;
	tcp_state_end(c, error);
	return STEP_DONE;
}

static enum step
syn_received_check_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (seq_leq(s->ack, c->snd_una) || seq_gt(s->ack, tcp_snd_nxt(c))) {
		reply_with_rst(c, s);
		return drop(c, DROP_TCP_ACK);
	}
	tcp_options_on_segment(c, s, now_ns);
	syn_acknowledged(c, s, now_ns);
	enter_established(c, s, now_ns);
	return STEP_ON;
}

/* What our FIN's acknowledgment changes. */
static void
on_fin_acked(struct tcp_conn *c, uint64_t now_ns)
{
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(c, TCP_FIN_WAIT_2);
		tcp_timer_start_linger(c, c->cfg->fin_wait_2_ns, now_ns);
		break;
	case TCP_CLOSING:
		tcp_set_state(c, TCP_TIME_WAIT);
		tcp_timer_stop_all(c);
		tcp_timer_start_linger(c, c->cfg->time_wait_ns, now_ns);
		break;
	case TCP_LAST_ACK:
		tcp_state_end(c, 0);
		break;
	case TCP_CLOSED:
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
	case TCP_TIME_WAIT:
		break;
	}
}

static enum step
fifth_check_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!(s->flags & TCP_ACK))
		return drop(c, DROP_TCP_ACK);
	if (c->state == TCP_SYN_RECEIVED)
		return syn_received_check_ack(c, s, now_ns);
	/* RFC 5961 §5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT. */
	if (seq_gt(s->ack, tcp_snd_nxt(c)) || seq_lt(s->ack, c->snd_una - c->snd_wnd_max)) {
		tcp_ack_challenge(c, now_ns);
		return drop(c, DROP_TCP_ACK);
	}
	tcp_timer_on_received(c, now_ns);
	tcp_options_on_segment(c, s, now_ns);
	tcp_recovery_on_ack(c, s, now_ns);
	if (tcp_send_fin_acked(c))
		on_fin_acked(c, now_ns);
	return c->state == TCP_CLOSED ? STEP_DONE : STEP_ON;
}

/* What follows a SYN in its segment, as if it had come alone. */
static struct tcp_segment
without_syn(const struct tcp_segment *s)
{
	struct tcp_segment rest = *s;

	if (s->flags & TCP_SYN)
		rest.seq++;
	rest.flags &= (uint8_t)~TCP_SYN;
	return rest;
}

static bool
input_syn_sent(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_segment rest;

	if (syn_sent_first_check_ack(c, s) != STEP_ON ||
		syn_sent_second_check_rst(c, s) != STEP_ON ||
		syn_sent_fourth_check_syn(c, s, now_ns) != STEP_ON)
		return false;
	rest = without_syn(s);
	return tcp_text_process(c, &rest, now_ns);
}

static bool
input_synchronised(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_segment rest;

	if (first_check_sequence(c, s, now_ns) != STEP_ON ||
		second_check_rst(c, s, now_ns) != STEP_ON ||
		fourth_check_syn(c, s, now_ns) != STEP_ON ||
		fifth_check_ack(c, s, now_ns) != STEP_ON)
		return false;
	tcp_ecn_on_data(c, s);
	if (__builtin_expect((s->flags & TCP_SYN) == 0, 1))
		return tcp_text_process(c, s, now_ns);
	rest = without_syn(s);
	return tcp_text_process(c, &rest, now_ns);
}

static OUT_OF_LINE bool
input_by_state(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	switch (c->state) {
	case TCP_CLOSED:
		counter_drop(c->counters, DROP_TCP_NO_CONNECTION);
		return false;
	case TCP_SYN_SENT:
		return input_syn_sent(c, s, now_ns);
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
		return input_synchronised(c, s, now_ns);
	}
	CHECK(false);
}

/* A segment, or what of it lies in one buffer. */
static bool
input_part(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct counters *counters = c->counters;
	uint64_t whole = s->more ? 0 : 1;

	counter_add(counters, COUNTER_TCP_SEGMENTS_RECEIVED, whole);
	counter_add(counters, COUNTER_TCP_DATA_SEGMENTS, s->payload.len > 0 ? whole : 0);
	if (!tcp_text_predicted(c, s, now_ns))
		return input_by_state(c, s, now_ns);
	tcp_timer_on_received(c, now_ns);
	counter_add(counters, COUNTER_TCP_FAST_PATH, whole);
	counter_add(counters, COUNTER_TCP_BYTES_RECEIVED, s->payload.len);
	return true;
}

static OUT_OF_LINE bool
input_in_parts(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	bool kept;

	tcp_ack_open_parts(c);
	kept = input_part(c, s, now_ns);
	if (!s->more)
		tcp_ack_close_parts(c, now_ns);
	return kept;
}

bool
tcp_input_segment(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (LIKELY(!s->more && !c->ack.parts.open))
		return input_part(c, s, now_ns);
	return input_in_parts(c, s, now_ns);
}

uint32_t
tcp_input_run(struct tcp_conn *c, const struct tcp_segment *first, const struct payload *part,
	uint32_t n, uint64_t now_ns)
{
	struct counters *counters = c->counters;
	uint64_t bytes;
	uint32_t kept;

	tcp_timer_on_received(c, now_ns);
	kept = tcp_text_run(c, first, part, n, now_ns, &bytes);
	counter_add(counters, COUNTER_TCP_SEGMENTS_RECEIVED, kept);
	counter_add(counters, COUNTER_TCP_DATA_SEGMENTS, kept);
	counter_add(counters, COUNTER_TCP_FAST_PATH, kept);
	counter_add(counters, COUNTER_TCP_BYTES_RECEIVED, bytes);
	return kept;
}
