/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_CONGESTION_H
#define TCP_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The congestion window of one connection. The core reports events; the algorithm (NewReno,
 * RFC 5681 and 6582; CUBIC, RFC 9438) moves cwnd and ssthresh. The core decides what is lost and
 * what to send; here is only how much may be in flight:
 *
 *   with SACK (RFC 6675)     send while cwnd - pipe >= SMSS; during recovery cwnd is pipe and what
 *                            PRR lets out on top of it
 *   without (RFC 6582)       send while cwnd - FlightSize >= SMSS; cwnd is inflated by on_dup_ack
 *                            and deflated by on_partial_ack during recovery
 *
 * Windows in bytes. Limited transmit (RFC 3042) is the core's: it may exceed cwnd by 2 * SMSS on
 * the first two duplicate ACKs.
 *
 * CUBIC computes its curve in double: at most a few operations an ACK, no state that wraps.
 */

/** cwnd never grows above this: the largest window that TCP can advertise (RFC 7323 §2.3). */
#define TCP_CONGESTION_CWND_MAX (1U << 30)

/** An algorithm; see tcp_congestion_priv.h for what one consists of. */
struct tcp_congestion_ops;
extern const struct tcp_congestion_ops tcp_congestion_newreno; /* RFC 5681, RFC 6582 */
extern const struct tcp_congestion_ops tcp_congestion_cubic; /* RFC 9438 */

/** RFC 9438 §4.1, names as there but in bytes. */
struct tcp_cubic {
	double w_max; /* bytes; 0: none yet */
	double k; /* seconds */
	double w_est; /* bytes */
	double cwnd_prior; /* bytes; 0: no reduction yet */
	double cwnd_fraction; /* bytes of growth too small for cwnd so far, 0..1 */
	uint64_t
		epoch_start_ns; /* moved on by the times in which cwnd was not the limit; TIME_NEVER: the next
				  * ACK in congestion avoidance begins one */
};

/** Proportional rate reduction, RFC 9937 §6.2, names as there; bytes. */
struct tcp_prr {
	uint64_t prr_delivered, prr_out; /* delivered, sent since recovery began */
	uint32_t recover_fs; /* RecoverFS, > 0 */
};

/** What was before a reduction that may turn out to be spurious. */
struct tcp_congestion_prior {
	uint32_t cwnd, pipe_prev; /* bytes; RFC 4015: pipe_prev = max(FlightSize, ssthresh) */
	uint32_t bytes_acked;
	struct tcp_cubic cubic;
};

/** cwnd, ssthresh may be read by anyone; the rest is private. */
struct tcp_congestion_control {
	const struct tcp_congestion_ops *ops;
	uint32_t cwnd; /* bytes, SMSS..TCP_CONGESTION_CWND_MAX */
	uint32_t ssthresh; /* bytes, >= 2 * SMSS */
	uint32_t smss; /* bytes */
	uint32_t bytes_acked; /* NewReno: towards the next SMSS of growth */
	bool recovering; /* between on_enter_recovery and on_exit_recovery or on_rto */
	bool sack; /* of the current recovery */
	bool after_rto; /* slow start that repairs a timeout */
	bool unlimited; /* the last ACK did not find cwnd to be the limit, */
	uint64_t unlimited_since_ns; /* nor did those since then */
	struct tcp_cubic cubic;
	struct tcp_prr prr;
	struct tcp_congestion_prior prior;
};

/** A new connection's state: cwnd is the initial window, ssthresh the maximum. smss: bytes of data
 *  in a full segment, 1..65535. */
void tcp_congestion_init(
	struct tcp_congestion_control *cc, const struct tcp_congestion_ops *ops, uint32_t smss);

/** RFC 6928: min(10 * SMSS, max(2 * SMSS, 14600)) bytes. */
uint32_t tcp_congestion_initial_window(uint32_t smss);

/** The handshake is done. syn_retransmitted: the initial window is then 1 SMSS (RFC 5681 §3.1,
 *  RFC 6928 §2 allows keeping it only when the SYN's loss was spurious). */
void tcp_congestion_on_established(struct tcp_congestion_control *cc, bool syn_retransmitted);

/** The path MTU changed. The windows stay as they are in bytes, above their floors. */
void tcp_congestion_on_smss(struct tcp_congestion_control *cc, uint32_t smss);

/**
 * An ACK of bytes new bytes (> 0), outside of recovery (calls inside are ignored). flight_bytes:
 * FlightSize just before this ACK; the window only grows if it was what limited us
 * (RFC 9438 §5.8, RFC 7661): in slow start it was at least half used, in congestion avoidance
 * used but for less than an SMSS. Slow start counts bytes, at most 2 * SMSS an ACK, after a timeout
 * SMSS (RFC 3465 §2.2, §2.3). srtt_ns: the smoothed RTT, 0 unknown.
 */
void tcp_congestion_on_ack(struct tcp_congestion_control *cc, uint32_t bytes, uint32_t flight_bytes,
	uint64_t srtt_ns, uint64_t now_ns);

/**
 * Loss found by duplicate ACKs or SACK: fast retransmit, RFC 5681 §3.2, RFC 6675 §5 (4).
 * flight_bytes: FlightSize (SND.NXT - SND.UNA) now, without what limited transmit added.
 * sack: recovery will be by RFC 6675 or 8985, with PRR (tcp_congestion_begin_prr has to follow), else
 * by RFC 6582 (cwnd = ssthresh + 3 * SMSS). Must not be called while recovering.
 */
void tcp_congestion_on_enter_recovery(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, bool sack, uint64_t now_ns);

/** RFC 9937 §6.2: recovery by SACK has begun. outstanding_bytes: RecoverFS, what is outstanding and
 *  not SACKed, and what the ACK that began it delivered. */
void tcp_congestion_begin_prr(struct tcp_congestion_control *cc, uint32_t outstanding_bytes);

/**
 * An ACK, or the expiry of the reordering timer, in recovery by SACK, the first one included:
 * cwnd = pipe + sndcnt. delivered_bytes: DeliveredData; pipe_bytes: after it; safe: it advanced
 * SND.UNA and no further loss was found (safeACK: the window may grow towards ssthresh as in slow
 * start, PRR-SSRB; else by as much as was delivered, PRR-CRB).
 */
void tcp_congestion_on_recovery_ack(struct tcp_congestion_control *cc, uint32_t delivered_bytes,
	uint32_t pipe_bytes, bool safe);

/** Bytes, old or new, were sent in recovery. */
void tcp_congestion_on_recovery_sent(struct tcp_congestion_control *cc, uint32_t bytes);

/** ECN-Echo: congestion without a loss, RFC 3168 §6.1.2. ssthresh as on entering recovery,
 *  cwnd no more than that, and no recovery follows. Must not be called while recovering. */
void tcp_congestion_on_ecn(struct tcp_congestion_control *cc, uint32_t flight_bytes);

/** A further duplicate ACK in recovery. RFC 6582 inflates cwnd by SMSS; with SACK nothing. */
void tcp_congestion_on_dup_ack(struct tcp_congestion_control *cc);

/** A partial ACK of bytes in recovery. RFC 6582 §3.2 step 3 deflates cwnd; with SACK nothing. */
void tcp_congestion_on_partial_ack(struct tcp_congestion_control *cc, uint32_t bytes);

/** The recovery point is acknowledged. cwnd becomes ssthresh (RFC 9937 §6.2). flight_bytes: FlightSize
 *  after that ACK: without SACK cwnd becomes min(ssthresh, max(flight, SMSS) + SMSS), so that no burst follows (RFC 6582). */
void tcp_congestion_on_exit_recovery(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, uint64_t now_ns);

/**
 * The retransmission timer expired. cwnd becomes 1 SMSS (RFC 5681 §3.1). first: it is the first
 * expiry for this data; only then ssthresh is lowered (RFC 5681 eq. 4). Ends any recovery.
 */
void tcp_congestion_on_rto(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, bool first, uint64_t now_ns);

/** A reduction for a loss follows, the first of a recovery: RFC 4015 §3.2 step 0. flight_bytes:
 *  FlightSize. */
void tcp_congestion_save(struct tcp_congestion_control *cc, uint32_t flight_bytes);

/**
 * The recovery since tcp_congestion_save was spurious, whether or not it is over: RFC 4015 §3.2
 * step 7, ssthresh = pipe_prev and cwnd = FlightSize + min(bytes acked, IW), though not above what it
 * was nor below what it is; CUBIC goes on from where it was (RFC 9438 §4.9). Ends any recovery.
 */
void tcp_congestion_undo(
	struct tcp_congestion_control *cc, uint32_t flight_bytes, uint32_t bytes_acked);

/** About to send after idle_ns without sending, nothing outstanding: if longer than the RTO, cwnd
 *  restarts from the initial window (RFC 5681 §4.1); ssthresh is then at least 3/4 of what cwnd
 *  was, so that slow start leads back there (RFC 7661 §4.4.2). */
void tcp_congestion_on_idle(struct tcp_congestion_control *cc, uint64_t idle_ns, uint64_t rto_ns);

static inline bool
tcp_congestion_in_slow_start(const struct tcp_congestion_control *cc)
{
	return cc->cwnd < cc->ssthresh;
}

#endif
