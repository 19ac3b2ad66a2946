/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "sim_referee_priv.h"

/* RFC 3168 as seen from outside. What the client took is not always certain (it may have refused
 * a segment), so there are bounds: what it must say, and what it may say. */

void
sim_referee_ecn_on_syn(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	uint8_t bits = t->flags & (SIM_ECE | SIM_CWR);

	if (bits == (SIM_ECE | SIM_CWR))
		c->ecn.asked = true;
	else if (bits == 0)
		c->ecn.plain_syn = true;
	else
		sim_referee_fault(r, "a SYN with only one of ECE and CWR");
	if (t->ecn != SIM_NOT_ECT)
		sim_referee_fault(r, "a SYN with an ECN codepoint");
}

void
sim_referee_ecn_on_syn_ack(struct sim_referee_conn *c, const struct sim_tcp *t)
{
	c->ecn.on = c->ecn.asked && (t->flags & (SIM_ECE | SIM_CWR)) == SIM_ECE;
}

/* Surely acceptable to the client: in the window, no older than what it knows. */
static bool
surely_taken(const struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t left)
{
	return left >= sim_ranges_gap(&c->got, 0) && left < c->edge && left + t->len <= c->edge &&
	       sim_referee_client_offset(c, t->ack) >= c->snd_una &&
	       (!c->ts || (int32_t)(t->ts_val - c->ts_recent_max) >= 0);
}

/* §6.1.2: once a window. */
static void
on_echo(struct sim_referee_ecn *e, const struct sim_referee_conn *c, uint64_t ack, bool sure)
{
	e->cwr_max = true;
	if (ack > c->snd_max || ack <= e->reduced_at)
		return;
	e->cwr_min |= sure && ack > c->snd_una;
	e->reduced_at = c->snd_max;
}

void
sim_referee_ecn_on_delivered(struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t left)
{
	struct sim_referee_ecn *e = &c->ecn;
	bool sure = surely_taken(c, t, left);

	if (!e->on)
		return;
	if (t->len > 0 && (t->flags & SIM_CWR)) {
		e->echo_min = false;
		e->echo_max &= !sure;
	}
	if (t->len > 0 && t->ecn == SIM_CE) {
		e->echo_max = true;
		e->echo_min |= sure;
	}
	if (t->flags & SIM_ECE)
		on_echo(e, c, sim_referee_client_offset(c, t->ack), sure);
}

/* §6.1.4, §6.1.5, §6.1.6: what may carry ECT, and does. */
static void
check_codepoint(struct sim_referee *r, const struct sim_referee_conn *c, const struct sim_tcp *t,
	bool new_data)
{
	bool due = new_data && c->ecn.on && !c->ecn.plain_syn;

	if (t->ecn != (due ? SIM_ECT0 : SIM_NOT_ECT))
		sim_referee_fault(
			r, "ECN codepoint %u on %s data", t->ecn, new_data ? "new" : "no new");
}

void
sim_referee_ecn_on_sent(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	struct sim_referee_ecn *e = &c->ecn;
	uint64_t at = sim_referee_client_offset(c, t->seq);
	bool new_data = t->len > 0 && at == c->snd_max, cwr = (t->flags & SIM_CWR) != 0;

	check_codepoint(r, c, t, new_data);
	if ((t->flags & SIM_ECE) && !e->echo_max)
		sim_referee_fault(r, "ECE without a mark");
	if (!(t->flags & SIM_ECE) && e->echo_min)
		sim_referee_fault(r, "a mark is not echoed");
	if (cwr && !(e->on && new_data && (e->cwr_max || e->tail_again)))
		sim_referee_fault(r, "CWR without a reason, or not on new data");
	if (new_data && e->cwr_min && !cwr)
		sim_referee_fault(r, "ECE is not answered by CWR");
	if (cwr) /* for all that went before, also on an ECE that acknowledged none of it */
		e->reduced_at = at;
	if (new_data)
		e->cwr_min = e->cwr_max = false;
	/* RFC 8985 §7.4: whether a tail loss probe repaired a loss, and so asks for a reduction,
	 * shows only when what was sent after it is acknowledged. */
	e->tail_again = c->sack && ((t->len > 0 && !new_data && at + t->len == c->snd_max) ||
					   (e->tail_again && !cwr));
	if (t->len > 0 && !new_data) { /* sent again: for a loss the window is reduced as well */
		e->cwr_max = true;
		e->reduced_at = c->snd_max;
	}
}
