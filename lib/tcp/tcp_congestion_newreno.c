/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_congestion_priv.h"

static uint32_t
newreno_on_congestion(struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	cc->bytes_acked = 0;
	return flight_bytes / 2; /* RFC 5681 §3.1 eq. 4 */
}

static void
newreno_on_restart(struct tcp_congestion_control *cc)
{
	cc->bytes_acked = 0;
}

/* RFC 5681 §3.1: one SMSS for each window acknowledged, counted in bytes (RFC 3465 §2.1). */
static void
newreno_on_avoidance_ack(
	struct tcp_congestion_control *cc, uint32_t bytes, uint64_t srtt_ns, uint64_t now_ns)
{
	(void)srtt_ns;
	(void)now_ns;
	cc->bytes_acked += bytes;
	if (cc->bytes_acked < cc->cwnd)
		return;
	cc->bytes_acked -= cc->cwnd;
	tcp_congestion_grow(cc, cc->smss);
}

const struct tcp_congestion_ops tcp_congestion_newreno = {
	.on_congestion = newreno_on_congestion,
	.on_restart = newreno_on_restart,
	.on_avoidance_ack = newreno_on_avoidance_ack,
};
