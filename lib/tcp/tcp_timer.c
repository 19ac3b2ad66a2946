/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "tcp_priv.h"

void
tcp_timer_stop_all(struct tcp_conn *c)
{
	tcp_timer_stop_rto(c);
	c->persist_ns = c->keepalive_ns = c->linger_ns = TIME_NEVER;
	c->retries = c->persist_backoff = c->keepalive_sent = 0;
}

void
tcp_timer_start_rto(struct tcp_conn *c, uint64_t now_ns)
{
	c->rto_ns = c->rto_at_ns = now_ns + tcp_rtt_rto(&c->rtt);
	c->timer_kind = TCP_TIMER_RTO;
}

void
tcp_timer_restart_rto(struct tcp_conn *c, uint64_t now_ns)
{
	uint64_t reo_ns = c->timer_kind == TCP_TIMER_REO ? c->rto_ns : TIME_NEVER;

	tcp_timer_start_rto(c, now_ns);
	if (reo_ns != TIME_NEVER)
		tcp_timer_start_before_rto(c, TCP_TIMER_REO, reo_ns);
}

void
tcp_timer_stop_rto(struct tcp_conn *c)
{
	c->rto_ns = c->rto_at_ns = TIME_NEVER;
	c->timer_kind = TCP_TIMER_RTO;
}

void
tcp_timer_start_before_rto(struct tcp_conn *c, enum tcp_timer_kind kind, uint64_t at_ns)
{
	c->rto_ns = time_min(at_ns, c->rto_at_ns);
	c->timer_kind = at_ns < c->rto_at_ns || kind == TCP_TIMER_PTO ? kind : TCP_TIMER_RTO;
}

void
tcp_timer_cancel(struct tcp_conn *c, enum tcp_timer_kind kind)
{
	if (c->timer_kind != kind)
		return;
	c->rto_ns = c->rto_at_ns;
	c->timer_kind = TCP_TIMER_RTO;
}

void
tcp_timer_start_linger(struct tcp_conn *c, uint64_t delay_ns, uint64_t now_ns)
{
	c->linger_ns = now_ns + delay_ns;
}

void
tcp_timer_on_received(struct tcp_conn *c, uint64_t now_ns)
{
	c->last_received_ns = now_ns;
	c->keepalive_sent = 0;
}

/* RFC 9293 §3.8.6.1: the first probe after an RTO, then exponentially further apart. */
static uint64_t
persist_interval(const struct tcp_conn *c)
{
	uint64_t interval_ns = tcp_rtt_rto(&c->rtt) << MIN_OF(c->persist_backoff, 10U);

	return MIN_OF(interval_ns, TCP_PERSIST_MAX_NS);
}

void
tcp_timer_update_persist(struct tcp_conn *c, bool blocked, uint64_t now_ns)
{
	if (!blocked) {
		c->persist_ns = TIME_NEVER;
		c->persist_backoff = 0;
	} else if (c->persist_ns == TIME_NEVER) {
		c->persist_ns = now_ns + persist_interval(c);
	}
}

/* The connection did not get through. Where ICMP said why, that is the error (RFC 5461). */
static void
give_up(struct tcp_conn *c)
{
	int error = c->soft_error != 0 ? c->soft_error : -ETIMEDOUT;

	if (tcp_state_synchronised(c->state)) {
		c->rst = TCP_RST_CLOSE;
		c->rst_seq = tcp_snd_nxt(c);
	}
	tcp_state_end(c, error);
}

static void
on_rto(struct tcp_conn *c, uint64_t now_ns)
{
	bool opening = !tcp_state_synchronised(c->state);

	c->retries++;
	counter_add(c->counters, COUNTER_TCP_RTO_EXPIRED, 1);
	if (c->retries > (opening ? c->cfg->syn_retries : c->cfg->data_retries)) {
		give_up(c);
		return;
	}
	tcp_rtt_on_timeout(&c->rtt);
	if (opening) {
		c->syn_due = true;
		c->syn_retransmitted = true;
		tcp_ecn_on_syn_lost(c);
	} else {
		tcp_black_hole_on_rto(c);
		tcp_recovery_on_rto(c, now_ns);
	}
	tcp_timer_start_rto(c, now_ns);
}

static void
on_retransmission_timer(struct tcp_conn *c, uint64_t now_ns)
{
	enum tcp_timer_kind kind = c->timer_kind;

	tcp_timer_cancel(c, kind);
	switch (kind) {
	case TCP_TIMER_RTO:
		on_rto(c, now_ns);
		break;
	case TCP_TIMER_REO:
		tcp_recovery_on_reo_timer(c, now_ns);
		break;
	case TCP_TIMER_PTO:
		tcp_tlp_on_timer(c, now_ns);
		break;
	}
}

/* RFC 9293 MUST-36: for as long as the peer answers; MUST-20 (R2) when it does not. */
static bool
probes_unanswered(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->persist_sent_ns == 0 || c->last_received_ns > c->persist_sent_ns) {
		c->persist_sent_ns = now_ns;
		c->persist_unanswered = 0;
	}
	return c->persist_unanswered++ >= c->cfg->data_retries;
}

static void
on_persist(struct tcp_conn *c, uint64_t now_ns)
{
	c->persist_ns = TIME_NEVER;
	if (!tcp_send_blocked(c))
		return;
	if (probes_unanswered(c, now_ns)) {
		give_up(c);
		return;
	}
	c->probe_due = !tcp_send_override(c);
	c->persist_backoff++;
	c->persist_ns = now_ns + persist_interval(c);
}

/* RFC 9293 §3.8.4, RFC 1122 §4.2.3.6. The timer is lazy: it looks when it last heard something. */
static void
on_keepalive(struct tcp_conn *c, uint64_t now_ns)
{
	uint64_t quiet_ns = now_ns - c->last_received_ns;

	if (quiet_ns < c->cfg->keepalive_idle_ns) {
		c->keepalive_ns = c->last_received_ns + c->cfg->keepalive_idle_ns;
		return;
	}
	if (tcp_snd_nxt(c) != c->snd_una) { /* not idle: retransmission finds out */
		c->keepalive_ns = now_ns + c->cfg->keepalive_idle_ns;
		return;
	}
	if (c->keepalive_sent >= c->cfg->keepalive_probes) {
		give_up(c);
		return;
	}
	c->keepalive_sent++;
	c->probe_due = true;
	c->keepalive_ns = now_ns + c->cfg->keepalive_interval_ns;
}

void
tcp_timer_run(struct tcp_conn *c, uint64_t now_ns)
{
	if (now_ns >= c->linger_ns)
		tcp_state_end(c, c->error);
	if (now_ns >= c->rto_ns)
		on_retransmission_timer(c, now_ns);
	if (now_ns >= c->persist_ns)
		on_persist(c, now_ns);
	if (now_ns >= c->keepalive_ns)
		on_keepalive(c, now_ns);
}

uint64_t
tcp_timer_deadline(const struct tcp_conn *c)
{
	return time_min(
		time_min(c->rto_ns, c->persist_ns), time_min(c->keepalive_ns, c->linger_ns));
}
