/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_compiler.h"
#include "tcp_priv.h"

#define WINDOW_MAX (UINT32_C(1) << 30) /* RFC 7323 §2.3: nothing in flight is older */

/* ---- negotiation, RFC 3168 §6.1.1 ---- */

void
tcp_ecn_reset(struct tcp_conn *c)
{
	c->ecn = (struct tcp_ecn){.ask = c->cfg->ecn};
}

void
tcp_ecn_offer(struct tcp_conn *c, struct tcp_segment *syn)
{
	if (c->state == TCP_SYN_RECEIVED) {
		syn->flags |= c->ecn.on ? TCP_ECE : 0; /* an ECN-setup SYN-ACK */
		return;
	}
	if (c->ecn.ask) {
		syn->flags |= TCP_ECE | TCP_CWR;
		c->ecn.asked = true;
	} else {
		c->ecn.plain_syn = true;
	}
}

void
tcp_ecn_on_syn_lost(struct tcp_conn *c)
{
	if (c->retries >= TCP_ECN_SYN_TRIES)
		c->ecn.ask = false;
}

bool
tcp_ecn_on_refused(struct tcp_conn *c)
{
	if (!c->ecn.ask || !c->ecn.asked)
		return false;
	c->ecn.ask = false;
	return true;
}

void
tcp_ecn_on_syn(struct tcp_conn *c, const struct tcp_segment *syn)
{
	uint8_t setup = syn->flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR;

	c->ecn.on = c->ecn.asked && (syn->flags & (TCP_ECE | TCP_CWR)) == setup;
	/* "MUST NOT set ECT [...] unless it has sent [...] no non-ECN-setup SYN" */
	c->ecn.marks = c->ecn.on && !c->ecn.plain_syn;
	c->ecn.reduced_at = c->iss;
	if (c->ecn.on)
		counter_add(c->counters, COUNTER_TCP_ECN_CONNECTIONS, 1);
}

/* ---- the data receiver, RFC 3168 §6.1.3 ---- */

/*
 * Classic ECN's answer is a state, not a count: once CE has come, every ACK says ECE until CWR
 * comes. So merging ACKs, or sending one that was recorded before the mark, hides nothing. Where CE
 * and CWR come in one burst, and the ACK between them was merged away, the mark lay in the window
 * that the CWR's reduction was for: the sender would not have reduced again (§6.1.2).
 */
void
tcp_ecn_on_data(struct tcp_conn *c, const struct tcp_segment *s)
{
	/* §6.1.5, §6.1.6: not for what lies outside of the window, nor for pure ACKs. */
	if (!c->ecn.on || s->payload.len == 0 || tcp_rcv_wnd(c) == 0)
		return;
	if (s->flags & TCP_CWR) {
		c->ecn.echo = false;
		tcp_ack_at_once(c); /* the sender's window is small now */
	}
	if (s->ecn == TCP_ECN_CE) {
		c->ecn.echo = true;
		tcp_count(c, s, COUNTER_TCP_CE_RECEIVED);
	}
}

void
tcp_ecn_on_output(struct tcp_conn *c, struct tcp_segment *s)
{
	if (LIKELY(!c->ecn.echo) || (s->flags & (TCP_SYN | TCP_RST)) || !(s->flags & TCP_ACK))
		return;
	s->flags |= TCP_ECE;
	counter_add(c->counters, COUNTER_TCP_ECE_SENT, 1);
}

/* ---- the data sender, RFC 3168 §6.1.2 ---- */

void
tcp_ecn_on_reduction(struct tcp_conn *c)
{
	c->ecn.cwr_due = c->ecn.on;
	c->ecn.reduced_at = tcp_snd_nxt(c);
}

void
tcp_ecn_on_advance(struct tcp_conn *c)
{
	if (seq_gt(c->snd_una, c->ecn.reduced_at + WINDOW_MAX))
		c->ecn.reduced_at = c->snd_una - WINDOW_MAX;
}

bool
tcp_ecn_congested(const struct tcp_conn *c, const struct tcp_segment *s)
{
	/* Once a window, and not again for the window that a loss has reduced already. */
	return (s->flags & TCP_ECE) && c->ecn.on && !c->board.recovering && !c->board.after_rto &&
	       seq_gt(s->ack, c->ecn.reduced_at);
}

void
tcp_ecn_on_new_data(struct tcp_conn *c, struct tcp_segment *s)
{
	if (!c->ecn.on || s->payload.len + s->payload2.len == 0)
		return;
	if (c->ecn.marks)
		s->ecn = TCP_ECN_ECT0;
	if (c->ecn.cwr_due) {
		s->flags |= TCP_CWR;
		c->ecn.cwr_due = false;
		counter_add(c->counters, COUNTER_TCP_CWR_SENT, 1);
	}
}
