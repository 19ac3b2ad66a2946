/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_rtt.h"

#include "base_bytes.h"
#include "base_check.h"

#define BACKOFF_MAX 32U /* beyond any rto_max / rto_min; only keeps the counter finite */

void
tcp_rtt_init(struct tcp_rtt *t, uint64_t rto_initial_ns, uint64_t rto_min_ns, uint64_t rto_max_ns)
{
	CHECK(rto_min_ns > 0 && rto_min_ns <= rto_initial_ns && rto_initial_ns <= rto_max_ns);
	*t = (struct tcp_rtt){
		.base_rto_ns = rto_initial_ns,
		.rto_min_ns = rto_min_ns,
		.rto_max_ns = rto_max_ns,
	};
}

/* RFC 6298 §2.2 */
static void
estimate_first(struct tcp_rtt *t, uint64_t rtt_ns)
{
	t->srtt_ns = rtt_ns;
	t->rttvar_ns = rtt_ns / 2;
}

/* RFC 6298 §2.3, alpha = 1/8 and beta = 1/4, each divided by n (RFC 7323 appendix G). */
static void
estimate_next(struct tcp_rtt *t, uint64_t rtt_ns, uint32_t n)
{
	int64_t error = (int64_t)rtt_ns - (int64_t)t->srtt_ns;
	int64_t deviation = error < 0 ? -error : error;
	int64_t rttvar = (int64_t)t->rttvar_ns, srtt = (int64_t)t->srtt_ns;

	if (n == 1) { /* the rule where little is in flight; then there is nothing to divide by */
		rttvar += (deviation - rttvar) / 4;
		srtt += error / 8;
	} else {
		rttvar += (deviation - rttvar) / (4 * (int64_t)n);
		srtt += error / (8 * (int64_t)n);
	}
	t->rttvar_ns = (uint64_t)rttvar;
	t->srtt_ns = (uint64_t)srtt;
}

/* RFC 6298 §2.3-2.5 */
static void
set_rto(struct tcp_rtt *t)
{
	uint64_t rto = t->srtt_ns + MAX_OF(TCP_RTT_GRANULARITY_NS, 4 * t->rttvar_ns);

	t->base_rto_ns = MIN_OF(MAX_OF(rto, t->rto_min_ns), t->rto_max_ns);
	t->backoff = 0;
}

void
tcp_rtt_on_sample(struct tcp_rtt *t, uint64_t rtt_ns, uint32_t expected_samples)
{
	if (rtt_ns > TCP_RTT_SAMPLE_MAX_NS)
		return;
	rtt_ns = MAX_OF(rtt_ns, 1U);
	if (t->samples == 0)
		estimate_first(t, rtt_ns);
	else
		estimate_next(t, rtt_ns, MAX_OF(expected_samples, 1U));
	t->min_rtt_ns = t->samples == 0 ? rtt_ns : MIN_OF(t->min_rtt_ns, rtt_ns);
	t->latest_ns = rtt_ns;
	t->samples += t->samples < UINT32_MAX;
	set_rto(t);
}

void
tcp_rtt_on_spurious_timeout(struct tcp_rtt *t)
{
	t->srtt_ns = MAX_OF(t->srtt_ns, t->latest_ns);
	t->rttvar_ns = MAX_OF(t->rttvar_ns, t->latest_ns / 2);
	set_rto(t);
}

bool
tcp_rtt_on_timestamp_echo(struct tcp_rtt *t, uint32_t ts_now, uint32_t ts_ecr, uint64_t tick_ns,
	uint32_t expected_samples)
{
	uint32_t ticks = ts_now - ts_ecr;
	uint64_t rtt_ns;

	if (ticks > INT32_MAX || ticks > TCP_RTT_SAMPLE_MAX_NS / tick_ns)
		return false;
	rtt_ns = ticks > 0 ? ticks * tick_ns : tick_ns / 2;
	tcp_rtt_on_sample(t, rtt_ns, expected_samples);
	return true;
}

void
tcp_rtt_on_timeout(struct tcp_rtt *t)
{
	t->backoff += t->backoff < BACKOFF_MAX;
}

void
tcp_rtt_on_syn_retransmitted(struct tcp_rtt *t)
{
	t->backoff = 0;
	if (t->samples == 0)
		t->base_rto_ns = MIN_OF(
			MAX_OF(t->base_rto_ns, TCP_RTT_RTO_AFTER_SYN_LOSS_NS), t->rto_max_ns);
}

void
tcp_rtt_on_progress(struct tcp_rtt *t)
{
	t->backoff = 0;
}

uint64_t
tcp_rtt_rto(const struct tcp_rtt *t)
{
	if (t->base_rto_ns > t->rto_max_ns >> t->backoff)
		return t->rto_max_ns;
	return t->base_rto_ns << t->backoff;
}
