/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Round-trip time and retransmission timeout of one connection, RFC 6298. All values in ns.
 * Karn's algorithm: the caller takes a sample either from a segment that was sent once (its send
 * time), or from an echoed timestamp (RFC 7323 §4), never from a retransmitted segment's send
 * time; a backed-off timeout stays until a valid sample comes.
 */

/** RFC 6298 G: the clock's granularity; ours ticks in ns, the timer is run once a poll. */
#define TCP_RTT_GRANULARITY_NS UINT64_C(1000000)
/** RFC 6298 §5.7: RTO at the start of the data phase if the SYN's timer expired. */
#define TCP_RTT_RTO_AFTER_SYN_LOSS_NS UINT64_C(3000000000)
/** Samples above this are not believed (a stale or forged timestamp echo). */
#define TCP_RTT_SAMPLE_MAX_NS UINT64_C(300000000000)

struct tcp_rtt {
	uint64_t srtt_ns; /* 0 until the first sample, then >= 1 */
	uint64_t rttvar_ns;
	uint64_t min_rtt_ns; /* the smallest sample; 0 until the first */
	uint64_t latest_ns; /* the last sample; 0 until the first */
	uint64_t base_rto_ns; /* before backing off; rto_min..rto_max */
	uint64_t rto_min_ns, rto_max_ns;
	uint32_t backoff; /* expiries since the last valid sample: RTO = base * 2^backoff */
	uint32_t samples; /* taken, saturating */
};

/** No samples; RTO is rto_initial_ns. 0 < rto_min_ns <= rto_initial_ns <= rto_max_ns. */
void tcp_rtt_init(
	struct tcp_rtt *t, uint64_t rto_initial_ns, uint64_t rto_min_ns, uint64_t rto_max_ns);

/**
 * A round-trip time of a segment that was sent once, RFC 6298 §2.2-2.4. Clears the back-off.
 * expected_samples: how many samples the flight will yield, ceil(FlightSize / (2 * SMSS)); they
 * share the gains between them (RFC 7323 appendix G). 1 (and 0): RFC 6298's own gains.
 * Samples above TCP_RTT_SAMPLE_MAX_NS are ignored.
 */
void tcp_rtt_on_sample(struct tcp_rtt *t, uint64_t rtt_ns, uint32_t expected_samples);

/**
 * A sample from a timestamp echo on an ACK of new data (RFC 7323 §4.1), also valid after
 * retransmissions. ts_now, ts_ecr: our timestamp clock now and as echoed, in ticks of tick_ns,
 * modulo 2^32. An echo of the same tick counts as half a tick. true: taken; false: not
 * believable (the future, or older than TCP_RTT_SAMPLE_MAX_NS), ignored.
 * A send time gives the finer sample: prefer tcp_rtt_on_sample where Karn allows it.
 */
bool tcp_rtt_on_timestamp_echo(struct tcp_rtt *t, uint32_t ts_now, uint32_t ts_ecr,
	uint64_t tick_ns, uint32_t expected_samples);

/** The retransmission timer expired: RFC 6298 §5.5, the RTO doubles up to rto_max_ns. */
void tcp_rtt_on_timeout(struct tcp_rtt *t);

/** The last sample shows that the timeout before it was spurious: RFC 4015 §3.2 step 8, the estimates
 *  follow that sample at once, so that the next RTO is long enough. */
void tcp_rtt_on_spurious_timeout(struct tcp_rtt *t);

/** The handshake is done and its SYN was retransmitted: RFC 6298 §5.7, the back-off ends and the
 *  RTO becomes at least 3 s until a sample comes. */
void tcp_rtt_on_syn_retransmitted(struct tcp_rtt *t);

/** New data was acknowledged without a valid sample: the path works, so the next timeout starts
 *  again from the un-backed-off RTO. Optional: RFC 6298 §5 leaves it to Karn; use it where a
 *  probe (zero window, keepalive) was answered. */
void tcp_rtt_on_progress(struct tcp_rtt *t);

/** The current RTO with back-off, in ns: rto_min_ns..rto_max_ns. */
uint64_t tcp_rtt_rto(const struct tcp_rtt *t);

#endif
