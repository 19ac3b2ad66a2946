/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_congestion_priv.h"

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"

#define INITIAL_WINDOW_SEGMENTS 10U /* RFC 6928 §2 */
#define INITIAL_WINDOW_BYTES 14600U /* RFC 6928 §2 */
#define DUP_THRESH 3U /* segments that have left the network, RFC 5681 §3.2 step 3 */

uint32_t
tcp_congestion_initial_window(uint32_t smss)
{
	return MIN_OF(INITIAL_WINDOW_SEGMENTS * smss, MAX_OF(2 * smss, INITIAL_WINDOW_BYTES));
}

void
tcp_congestion_init(
	struct tcp_congestion_control *cc, const struct tcp_congestion_ops *ops, uint32_t smss)
{
	CHECK(smss > 0 && smss <= UINT16_MAX);
	*cc = (struct tcp_congestion_control){
		.ops = ops,
		.cwnd = tcp_congestion_initial_window(smss),
		.ssthresh = TCP_CONGESTION_CWND_MAX,
		.smss = smss,
		.cubic = {.epoch_start_ns = TIME_NEVER},
	};
}

void
tcp_congestion_on_established(struct tcp_congestion_control *cc, bool syn_retransmitted)
{
	/* RFC 5681 §3.1 */
	cc->cwnd = syn_retransmitted ? cc->smss : tcp_congestion_initial_window(cc->smss);
}

void
tcp_congestion_on_smss(struct tcp_congestion_control *cc, uint32_t smss)
{
	CHECK(smss > 0 && smss <= UINT16_MAX);
	cc->smss = smss;
	cc->cwnd = MAX_OF(cc->cwnd, smss);
	cc->ssthresh = MAX_OF(cc->ssthresh, 2 * smss);
}

void
tcp_congestion_grow(struct tcp_congestion_control *cc, uint32_t bytes)
{
	cc->cwnd += MIN_OF(bytes, TCP_CONGESTION_CWND_MAX - cc->cwnd);
}

/* RFC 5681 §3.1 eq. 2, counting bytes as RFC 3465 §2.2 does. */
static void
slow_start(struct tcp_congestion_control *cc, uint32_t bytes)
{
	uint32_t limit = cc->after_rto ? cc->smss : 2 * cc->smss;

	bytes = MIN_OF(bytes, limit);
	tcp_congestion_grow(cc, MIN_OF(bytes, cc->ssthresh - cc->cwnd));
}

static bool
cwnd_was_the_limit(const struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	if (tcp_congestion_in_slow_start(cc))
		return flight_bytes >= cc->cwnd / 2;
	return flight_bytes + cc->smss > cc->cwnd;
}

void
tcp_congestion_on_ack(struct tcp_congestion_control *cc, uint32_t bytes, uint32_t flight_bytes,
	uint64_t srtt_ns, uint64_t now_ns)
{
	if (cc->recovering)
		return;
	if (!cwnd_was_the_limit(cc, flight_bytes)) {
		if (!cc->unlimited)
			cc->unlimited_since_ns = now_ns;
		cc->unlimited = true;
		return;
	}
	if (tcp_congestion_in_slow_start(cc)) {
		slow_start(cc, bytes);
	} else {
		cc->after_rto = false;
		cc->ops->on_avoidance_ack(cc, bytes, srtt_ns, now_ns);
	}
	cc->unlimited = false;
}

static void
reduce_ssthresh(struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	uint32_t ssthresh = cc->ops->on_congestion(cc, flight_bytes);

	cc->ssthresh = MAX_OF(ssthresh, 2 * cc->smss);
}

void
tcp_congestion_on_enter_recovery(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, bool sack, uint64_t now_ns)
{
	(void)now_ns;
	CHECK(!cc->recovering);
	reduce_ssthresh(cc, flight_bytes);
	cc->cwnd = cc->ssthresh;
	/* RFC 5681 §3.2 step 3. With SACK, pipe knows what has left the network. */
	if (!sack)
		tcp_congestion_grow(cc, DUP_THRESH * cc->smss);
	cc->recovering = true;
	cc->sack = sack;
	cc->after_rto = false;
}

/* ---- proportional rate reduction, RFC 9937 §6.2 ---- */

void
tcp_congestion_begin_prr(struct tcp_congestion_control *cc, uint32_t outstanding_bytes)
{
	cc->prr = (struct tcp_prr){.recover_fs = MAX_OF(outstanding_bytes, 1U)};
}

/* What may still be sent of what was delivered, and as it were of every RecoverFS bytes ssthresh. */
static uint64_t
proportional_part(const struct tcp_congestion_control *cc)
{
	const struct tcp_prr *p = &cc->prr;
	uint64_t due = (p->prr_delivered * cc->ssthresh + p->recover_fs - 1) / p->recover_fs;

	return due > p->prr_out ? due - p->prr_out : 0;
}

/* pipe is at or below ssthresh: back to it. */
static uint64_t
reduction_bound(const struct tcp_congestion_control *cc, uint32_t delivered_bytes,
	uint32_t pipe_bytes, bool safe)
{
	const struct tcp_prr *p = &cc->prr;
	uint64_t sndcnt = p->prr_delivered > p->prr_out ? p->prr_delivered - p->prr_out : 0;

	sndcnt = MAX_OF(sndcnt, (uint64_t)delivered_bytes);
	if (safe)
		sndcnt += cc->smss;
	return MIN_OF(sndcnt, (uint64_t)(cc->ssthresh - pipe_bytes));
}

void
tcp_congestion_on_recovery_ack(
	struct tcp_congestion_control *cc, uint32_t delivered_bytes, uint32_t pipe_bytes, bool safe)
{
	uint64_t sndcnt;

	if (!cc->recovering || !cc->sack)
		return;
	cc->prr.prr_delivered += delivered_bytes;
	if (pipe_bytes > cc->ssthresh)
		sndcnt = proportional_part(cc);
	else
		sndcnt = reduction_bound(cc, delivered_bytes, pipe_bytes, safe);
	if (cc->prr.prr_out == 0) /* the fast retransmission */
		sndcnt = MAX_OF(sndcnt, (uint64_t)cc->smss);
	cc->cwnd = pipe_bytes;
	tcp_congestion_grow(cc, (uint32_t)MIN_OF(sndcnt, (uint64_t)TCP_CONGESTION_CWND_MAX));
	cc->cwnd = MAX_OF(cc->cwnd, cc->smss);
}

void
tcp_congestion_on_recovery_sent(struct tcp_congestion_control *cc, uint32_t bytes)
{
	cc->prr.prr_out += bytes;
}

/* ---- other events ---- */

void
tcp_congestion_on_ecn(struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	CHECK(!cc->recovering);
	reduce_ssthresh(cc, flight_bytes);
	cc->cwnd = MIN_OF(cc->cwnd, cc->ssthresh);
}

void
tcp_congestion_on_dup_ack(struct tcp_congestion_control *cc)
{
	/* RFC 5681 §3.2 step 4 */
	if (cc->recovering && !cc->sack)
		tcp_congestion_grow(cc, cc->smss);
}

void
tcp_congestion_on_partial_ack(struct tcp_congestion_control *cc, uint32_t bytes)
{
	if (!cc->recovering || cc->sack)
		return;
	/* RFC 6582 §3.2 step 3 */
	cc->cwnd -= MIN_OF(bytes, cc->cwnd);
	if (bytes >= cc->smss)
		tcp_congestion_grow(cc, cc->smss);
	cc->cwnd = MAX_OF(cc->cwnd, cc->smss);
}

void
tcp_congestion_on_exit_recovery(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, uint64_t now_ns)
{
	(void)now_ns;
	if (!cc->recovering)
		return;
	/* RFC 6582 §3.2 step 3, full acknowledgment, option 1 */
	if (cc->sack)
		cc->cwnd = cc->ssthresh;
	else
		cc->cwnd = MIN_OF(cc->ssthresh, MAX_OF(flight_bytes, cc->smss) + cc->smss);
	cc->recovering = false;
}

void
tcp_congestion_on_rto(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, bool first, uint64_t now_ns)
{
	(void)now_ns;
	/* RFC 5681 §3.1 eq. 4: held constant when the same data times out again. */
	if (first)
		reduce_ssthresh(cc, flight_bytes);
	cc->cwnd = cc->smss;
	cc->recovering = false;
	cc->after_rto = true;
	cc->ops->on_restart(cc);
}

void
tcp_congestion_save(struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	cc->prior = (struct tcp_congestion_prior){
		.cwnd = cc->cwnd,
		.pipe_prev = MAX_OF(flight_bytes, cc->ssthresh),
		.bytes_acked = cc->bytes_acked,
		.cubic = cc->cubic,
	};
}

void
tcp_congestion_undo(struct tcp_congestion_control *cc, uint32_t flight_bytes, uint32_t bytes_acked)
{
	uint32_t more = MIN_OF(bytes_acked, tcp_congestion_initial_window(cc->smss));

	/* Inflated, or narrowed to what is in the network. */
	if (cc->recovering)
		cc->cwnd = MIN_OF(cc->cwnd, cc->ssthresh);
	cc->cwnd = MAX_OF(cc->cwnd, MIN_OF(cc->prior.cwnd, flight_bytes + more));
	cc->ssthresh = MAX_OF(cc->ssthresh, cc->prior.pipe_prev);
	cc->bytes_acked = cc->prior.bytes_acked;
	cc->cubic = cc->prior.cubic;
	cc->recovering = cc->after_rto = false;
}

void
tcp_congestion_on_idle(struct tcp_congestion_control *cc, uint64_t idle_ns, uint64_t rto_ns)
{
	uint32_t restart_window = tcp_congestion_initial_window(cc->smss);

	if (idle_ns <= rto_ns || cc->cwnd <= restart_window)
		return;
	cc->ssthresh = MAX_OF(cc->ssthresh, cc->cwnd - cc->cwnd / 4);
	cc->cwnd = restart_window;
	cc->ops->on_restart(cc);
}
