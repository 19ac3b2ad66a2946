/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_SCOREBOARD_H
#define TCP_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_tcp.h"

/*
 * The sender's record of what the peer has SACKed: RFC 6675 §3 and §4. The names are the RFC's,
 * but every edge here is exclusive ("the next byte"), so HighACK is SND.UNA, HighData is SND.MAX
 * (the highest sequence number ever sent, FIN included; the core does not pull it back after a
 * timeout), HighRxt is the end of the highest retransmission of this recovery.
 *
 * Everything a peer sends is validated; a block outside of SND.UNA..SND.MAX changes nothing.
 * It serves connections without SACK as well: there are then no ranges, and after on_rto NextSeg
 * walks through all that was outstanding (go-back-N).
 *
 * The core's use:
 *   new data sent          tcp_scoreboard_on_sent(right edge)
 *   each acceptable ACK    tcp_scoreboard_update, then _is_lost(snd_una) or three duplicate ACKs:
 *                          _enter_recovery; while cwnd - _pipe >= SMSS: _next_seg, send,
 *                          _on_retransmit when it was a retransmission
 *   RTO                    _on_rto, then the same loop
 *   ACK >= recovery_point  _exit_recovery
 */

/** Disjoint SACKed ranges remembered at most; more are not recorded (their data may be sent twice). */
#define TCP_SCOREBOARD_RANGES_MAX 128U
#define TCP_SCOREBOARD_RANGES_MIN 8U
#define TCP_SCOREBOARD_DUP_THRESH 3U /* RFC 6675 §2 DupThresh */

/** Fields may be read; they are changed by the functions only. */
struct tcp_scoreboard {
	uint32_t snd_una; /* HighACK + 1 */
	uint32_t high_data; /* HighData + 1 */
	uint32_t high_rxt; /* HighRxt + 1, >= snd_una; == snd_una: nothing retransmitted */
	uint32_t rescue_rxt; /* RescueRxt; meaningful when rescue_used */
	uint32_t recovery_point; /* RecoveryPoint; meaningful when recovering or after_rto */
	uint32_t lost_edge; /* un-SACKed bytes below are lost by IsLost(), >= snd_una */
	uint32_t rto_edge; /* un-SACKed bytes below were given up by a timeout, >= snd_una */
	uint32_t smss;
	uint32_t sacked_bytes; /* in the ranges */
	uint32_t range_count;
	bool recovering; /* fast recovery */
	bool after_rto; /* a timeout's repair goes on, until recovery_point is acknowledged */
	bool rescue_used;
	bool sack_seen; /* the peer has SACKed something since the reset */
	uint32_t ranges_max;
	struct tcp_sack_block *range; /* sorted, disjoint, not adjacent */
};

/** What an ACK told us. */
struct tcp_scoreboard_news {
	uint32_t bytes_acked; /* SND.UNA advanced by */
	uint32_t bytes_sacked; /* newly SACKed bytes above the new SND.UNA: > 0 makes this a
				* duplicate ACK in RFC 6675's sense when SND.UNA stands still */
	uint32_t bytes_delivered; /* acknowledged or SACKed now and not SACKed before: RFC 9937's
				   * DeliveredData */
	uint32_t blocks_invalid; /* blocks that were ignored as malformed or out of bounds */
	struct tcp_sack_block dsack; /* the peer got this twice (RFC 2883); empty: no D-SACK */
};

/** What to send next. */
enum tcp_next_seg {
	TCP_NEXT_SEG_NONE,
	TCP_NEXT_SEG_NEW, /* rule 2: previously unsent data */
	TCP_NEXT_SEG_RETRANSMIT, /* rules 1 and 3 */
	TCP_NEXT_SEG_RESCUE, /* rule 4 */
};

/** Its memory: room for ranges_max (1..) ranges, the caller's, which has to outlive s. Reset follows. */
void tcp_scoreboard_init(
	struct tcp_scoreboard *s, struct tcp_sack_block *range, uint32_t ranges_max);

/** Nothing outstanding, nothing SACKed; the next byte to be sent is iss_next. smss: 1.. bytes. */
void tcp_scoreboard_reset(struct tcp_scoreboard *s, uint32_t iss_next, uint32_t smss);

/** The path MTU changed. smss: 1.. bytes. */
void tcp_scoreboard_on_smss(struct tcp_scoreboard *s, uint32_t smss);

/** New data (or FIN) up to right (exclusive) has been sent for the first time. */
void tcp_scoreboard_on_sent(struct tcp_scoreboard *s, uint32_t right);

/**
 * Update(): an acceptable ACK, snd_una <= ack <= high_data (an ack outside is treated as
 * snd_una). blocks: the SACK option's, count 0..TCP_SACK_BLOCKS_MAX. A first block below ack, or
 * inside the second, is a D-SACK (RFC 2883 §5) and only reported. *ret is filled in. Of a block that
 * begins below SND.UNA (a reordered ACK) the part above counts.
 * Ends after_rto when ack reaches recovery_point; ending `recovering` is left to the caller.
 */
void tcp_scoreboard_update(struct tcp_scoreboard *s, uint32_t ack,
	const struct tcp_sack_block *blocks, uint32_t count, struct tcp_scoreboard_news *ret);

/** IsLost(seq): DupThresh discontiguous ranges, or more than (DupThresh - 1) * SMSS bytes, have
 *  been SACKed above seq; or a timeout gave it up and it has not been SACKed since. false for
 *  SACKed bytes and outside of SND.UNA..SND.MAX. */
bool tcp_scoreboard_is_lost(const struct tcp_scoreboard *s, uint32_t seq);

/** Bytes of left..right that have not been SACKed. *cursor is 0 for the first of several calls whose
 *  left edges ascend, and makes them linear in the number of ranges all together. */
uint32_t tcp_scoreboard_unsacked(
	const struct tcp_scoreboard *s, uint32_t left, uint32_t right, uint32_t *cursor);

/** The first un-SACKed segment, 1..SMSS bytes, in left..right, which must have un-SACKed bytes. */
struct tcp_sack_block tcp_scoreboard_segment(
	const struct tcp_scoreboard *s, uint32_t left, uint32_t right);

/** SetPipe(): bytes estimated to be in the network: un-SACKed and not lost, plus un-SACKed and
 *  retransmitted. Linear in the number of ranges. */
uint32_t tcp_scoreboard_pipe(const struct tcp_scoreboard *s);

/** Has the peer's cumulative ACK stopped inside or before a range that it has SACKED from there on:
 *  it may have reneged (RFC 2018 §8). Nothing needs to be done: the RTO clears the ranges. */
bool tcp_scoreboard_reneging(const struct tcp_scoreboard *s);

/** RFC 6675 §5 (4): RecoveryPoint = HighData, HighRxt = HighACK, RescueRxt undefined. Not while
 *  recovering or after_rto. The caller then retransmits the first segment (tcp_scoreboard_first_seg). */
void tcp_scoreboard_enter_recovery(struct tcp_scoreboard *s);

/** ACK >= RecoveryPoint: back to normal. */
void tcp_scoreboard_exit_recovery(struct tcp_scoreboard *s);

/** A timeout: the ranges are forgotten (RFC 2018 §8: the peer may have reneged), all outstanding
 *  data counts as lost, fast recovery ends, RecoveryPoint = HighData; no fast recovery may be
 *  entered until it is acknowledged (RFC 6675 §5.1: after_rto). */
void tcp_scoreboard_on_rto(struct tcp_scoreboard *s);

/** The recovery that is on, if any, was spurious: what it took for lost is in flight. */
void tcp_scoreboard_undo(struct tcp_scoreboard *s);

/**
 * NextSeg(). new_data: there is unsent data that the peer's window allows. For RETRANSMIT and
 * RESCUE *ret_segment is the range to send, 1..SMSS bytes of un-SACKed sequence space (it may
 * include the FIN's); otherwise untouched. Rule 1 applies in fast recovery and after a timeout, rules
 * 3 and 4 in fast recovery only, rule 4 only if the peer uses SACK (RFC 6582 has no rescue).
 * Changes nothing: report what was sent with on_retransmit or on_sent.
 */
enum tcp_next_seg tcp_scoreboard_next_seg(
	const struct tcp_scoreboard *s, bool new_data, struct tcp_sack_block *ret_segment);

/** The first un-SACKed segment, 1..SMSS bytes from SND.UNA, whatever IsLost says: RFC 6675 §5 (4.3)
 *  and RFC 6582's fast and partial-ACK retransmissions. false: nothing is outstanding. */
bool tcp_scoreboard_first_seg(const struct tcp_scoreboard *s, struct tcp_sack_block *ret_segment);

/** segment (from next_seg or first_seg, or the part of it that was sent) has been retransmitted.
 *  kind: RETRANSMIT moves HighRxt, RESCUE sets RescueRxt. */
void tcp_scoreboard_on_retransmit(
	struct tcp_scoreboard *s, enum tcp_next_seg kind, const struct tcp_sack_block *segment);

/** Checks every invariant with CHECK(). For tests and fuzzers. */
void tcp_scoreboard_check(const struct tcp_scoreboard *s);

#endif
