/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_LIMITS_H
#define TCP_LIMITS_H

#include "base_time.h"

/* Constants of the connection, each with its unit and source. */

#define TCP_MSS_DEFAULT_IPV4 536U /* bytes; RFC 9293 §3.7.1, when the peer sends no MSS option */
#define TCP_MSS_DEFAULT_IPV6 1220U
#define TCP_MSS_MIN 64U /* bytes; a peer's smaller MSS is taken as this */
#define TCP_TIMESTAMPS_LEN 12U /* bytes of option space, padded */
#define TCP_WSCALE_MAX 14U /* RFC 7323 §2.3 */
#define TCP_WINDOW_FIELD_MAX 65535U
#define TCP_SYN_WINDOW_MAX 65535U /* RFC 7323 §2.2: the SYN's window is not scaled */
#define TCP_TIMESTAMP_TICK_NS NS_PER_MS /* RFC 7323 §5.4: 1 ms to 1 s */
#define TCP_PAWS_IDLE_NS (24U * 86400U * NS_PER_SEC) /* RFC 7323 §5.5: TS.Recent is stale then */
#define TCP_PERSIST_MAX_NS (60 * NS_PER_SEC) /* RFC 9293 §3.8.6.1: back off, up to this */

/* ECN, RFC 3168 §5: the codepoints of the IP header that matter to us. */
#define TCP_ECN_ECT0 2U /* what we send: ECT(0), RFC 8311 §4.2 leaves ECT(1) to experiments */
#define TCP_ECN_CE 3U
/* SYNs that ask for ECN before one does not: RFC 3168 §6.1.1.1, the loss of one is no proof. */
#define TCP_ECN_SYN_TRIES 2U

/* Acknowledgments waiting to go out, one for each out-of-order segment of a burst. With few
 * buffers fewer: three duplicates tell a sender of a loss, and one more may come before them. */
#define TCP_ACK_RING 32U /* a power of two, */
#define TCP_ACK_RING_MIN 4U /* as this */
#define TCP_ACK_RING_PAYLOADS 4U /* one record for so many buffers */

/* The sender's first windows: acknowledge every second segment, so that slow start, which may
 * count ACKs and not bytes (RFC 3465 limits either way), opens as fast as the RFC allows. */
#define TCP_ACK_QUICK_SEGMENTS 64U
#define TCP_ACK_QUICK_AFTER_LOSS 32U /* segments after a hole was filled */
#define TCP_ACK_QUICK_EVERY 2U
#define TCP_ACK_IDLE_NS (200 * NS_PER_MS) /* a sender starts anew after its RTO, RFC 5681 §4.1 */
#define TCP_ACK_SAME_SIZE 8U /* segments of one size in a row: that is the full size now */
#define TCP_ACK_DELAYED_NS (40 * NS_PER_MS) /* RFC 9293 MUST-59: below 500 ms */
#define TCP_ACK_DELAYED_EVERY 2U /* RFC 9293 SHLD-19: every second full-sized segment */

/* RFC 5961 §7: challenge ACKs of one connection in one interval. */
#define TCP_CHALLENGE_INTERVAL_NS NS_PER_SEC
#define TCP_CHALLENGE_MAX 10U

/* RFC 9293 §3.8.3, R1: time-outs in a row after which the IP layer is asked whether the way is right (SHLD-10: 3 at least).
 * Of a SYN the first: a way that has never brought an answer may never have been right. */
#define TCP_R1_TIMEOUTS 3U
#define TCP_R1_SYN_TIMEOUTS 1U

/* Time-outs in a row of full-sized segments after which the path's MTU is suspected. */
#define TCP_BLACK_HOLE_RTOS 2U

/* Receive window auto-tuning: the shortest interval over which consumption is measured. */
#define TCP_TUNE_INTERVAL_MIN_NS (100 * NS_PER_US)
/* The window is used up when this part of it is left: half of what brings an update at the latest. */
#define TCP_TUNE_LEFT_PART 4U
/* After a loss on a path shorter than this the window ends at so many frames: more than its sender needs (22 Gb/s at 1,448
 * bytes and this RTT), and what queues on the way take at once (Linux's net.core.netdev_max_backlog: 1,000). */
#define TCP_TUNE_NEAR_NS (500 * NS_PER_US)
#define TCP_TUNE_NEAR_FRAMES 960U

/* Records of segments in flight (tcp_sent.h): one for so many bytes of the send buffer; a power of
 * two. */
#define TCP_SENT_RECORD_BYTES 256U
#define TCP_SENT_RECORDS_MIN 8U
#define TCP_SENT_RECORDS_MAX 16384U

/* RACK-TLP, RFC 8985. */
#define TCP_RACK_DUP_THRESH 3U /* segments; §5.3 RACK.dupthresh */
#define TCP_RACK_PERSIST 16U /* recoveries without a D-SACK; §6.2 step 4 */
#define TCP_RACK_MULT_MAX 255U /* quarters of min_RTT; beyond it SRTT is the limit anyway */
#define TCP_TLP_ACK_DELAY_MAX_NS (200 * NS_PER_MS) /* §7.2 TLP.max_ack_delay: a delayed ACK's */
#define TCP_TLP_PTO_UNKNOWN_NS NS_PER_SEC /* §7.2: before the first RTT sample */

/* Runs of segments sent again in one recovery, by whose D-SACKs it may be undone. */
#define TCP_UNDO_RANGES 8U

/* Limited transmit, RFC 3042: new segments on the first two duplicate ACKs. */
#define TCP_LIMITED_TRANSMIT 2U

#endif
