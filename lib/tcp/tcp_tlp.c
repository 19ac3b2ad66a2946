/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

/* Tail loss probes, RFC 8985 §7. */

void
tcp_tlp_reset(struct tcp_conn *c)
{
	c->tlp = (struct tcp_tlp){0};
}

/* TLP_calc_PTO(), but for the RTO's bound. */
static uint64_t
probe_timeout(const struct tcp_conn *c)
{
	if (c->rtt.samples == 0)
		return TCP_TLP_PTO_UNKNOWN_NS;
	return 2 * c->rtt.srtt_ns + (c->sent.count == 1 ? TCP_TLP_ACK_DELAY_MAX_NS : 0);
}

/* §7.2, and of §7.3 what has to hold when the PTO expires: nothing that could make it true later
 * leaves the timer as it is. */
static bool
may_probe(const struct tcp_conn *c)
{
	return c->rack.on && !c->board.recovering && !c->board.after_rto &&
	       c->sent.sacked_count == 0 && !c->tlp.outstanding &&
	       (!c->tlp.used || c->rtt.samples != c->tlp.samples);
}

void
tcp_tlp_schedule(struct tcp_conn *c, uint64_t now_ns)
{
	c->tlp_due = false;
	if (may_probe(c) && c->rto_ns != TIME_NEVER && c->timer_kind != TCP_TIMER_REO)
		tcp_timer_start_before_rto(c, TCP_TIMER_PTO, now_ns + probe_timeout(c));
}

void
tcp_tlp_on_timer(struct tcp_conn *c, uint64_t now_ns)
{
	c->tlp_due = true;
	tcp_timer_start_rto(c, now_ns); /* whether or not there is still something to probe */
}

void
tcp_tlp_on_probe(struct tcp_conn *c, bool is_retrans)
{
	c->tlp = (struct tcp_tlp){
		.outstanding = true,
		.is_retrans = is_retrans,
		.end_seq = tcp_snd_nxt(c),
		.used = true,
		.samples = c->rtt.samples,
	};
	counter_add(c->counters, COUNTER_TCP_TLP_PROBES, 1);
	tcp_timer_cancel(c, TCP_TIMER_PTO);
}

void
tcp_tlp_on_recovery(struct tcp_conn *c)
{
	c->tlp.outstanding = c->tlp_due = false;
	tcp_timer_cancel(c, TCP_TIMER_PTO);
}

bool
tcp_tlp_answered(const struct tcp_conn *c, const struct tcp_sack_block *dsack)
{
	return c->tlp.outstanding && c->tlp.is_retrans && dsack->left != dsack->right &&
	       dsack->right == c->tlp.end_seq;
}

/* TLP_process_ack(), §7.4.2 */
bool
tcp_tlp_on_ack(struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_sack_block *dsack,
	bool duplicate)
{
	struct tcp_tlp *t = &c->tlp;

	if (!t->outstanding || seq_lt(s->ack, t->end_seq))
		return false;
	if (t->is_retrans && !tcp_tlp_answered(c, dsack)) {
		if (seq_gt(s->ack, t->end_seq)) {
			t->outstanding = false;
			/* It repaired a loss; but that window may have been reduced since, for
			 * ECN-Echo. */
			return seq_gt(t->end_seq, c->ecn.reduced_at);
		}
		if (!duplicate || (s->options & TCP_OPT_SACK))
			return false; /* not decided yet */
	}
	t->outstanding = false;
	return false;
}
