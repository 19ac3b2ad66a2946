/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_CONN_H
#define TCP_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_histogram.h"
#include "base_payload.h"
#include "base_time.h"
#include "wire_tcp.h"

/*
 * One TCP connection, client side, RFC 9293. Sans-I/O: segments and the time go in, segments
 * come out; no clock, no system call, no allocation after tcp_conn_create.
 *
 * The caller (netstack) drives it:
 *   for each received segment    tcp_conn_input
 *   after each burst, and when   tcp_conn_output until it returns false
 *   tcp_conn_deadline has come
 * The application (fetch) uses tcp_conn_send, _recv, _consumed, _close, _abort; each may make
 * output due, so the caller runs tcp_conn_output in the same iteration.
 */

/** RFC 9293 §3.3.2. There is no LISTEN: dpfetch is a client. */
enum tcp_state {
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED, /* simultaneous open only */
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
};

/** "SYN-SENT" and so on, as RFC 9293 writes them. Static storage. */
const char *tcp_state_name(enum tcp_state state);

/**
 * When in-order data is acknowledged. A burst is what comes between two rounds of
 * tcp_conn_output. Under every policy, hole-filling and FIN segments make an ACK due at the end of
 * the burst, and each out-of-order and each duplicate segment gets an ACK of its own (up to 32 in
 * a burst, fewer where rcv_payloads_max is below 128; then the newest replaces the one before, COUNTER_TCP_ACKS_COALESCED), with the
 * window that went before, so that a sender without SACK can count them.
 */
enum tcp_ack_policy {
	TCP_ACK_BURST, /* one ACK a burst, merged across bursts up to ack_segments_max and
			  * ack_delay_max_ns, but not past a PSH. While the sender's window is
			  * small (its first 64 segments, also after 200 ms of silence, and 32
			  * after a hole was filled) nothing is merged across bursts and each
			  * ACK covers 2 segments at most */
	TCP_ACK_EVERY, /* one ACK for each data segment, also within a burst */
	TCP_ACK_DELAYED, /* RFC 9293 §3.8.6.3: every second full-sized segment, or 40 ms */
};

enum tcp_congestion {
	TCP_CONGESTION_CUBIC, /* RFC 9438 */
	TCP_CONGESTION_NEWRENO, /* RFC 6582 */
};

/** Places for out-of-order data that many connections share (tcp_reorder_pool_create). */
struct tcp_reassembly_pool;

/**
 * What connections are made with; its sizes are those of their memory. tcp_config_defaults fills in
 * everything but the pointers; counters must be set, the others may be NULL.
 */
struct tcp_config {
	enum tcp_ack_policy ack_policy;
	enum tcp_congestion congestion;
	uint32_t ack_segments_max; /* BURST: segments merged into one ACK at most, 1.. */
	uint64_t ack_delay_max_ns; /* BURST: oldest unacknowledged segment's age at most */
	uint32_t rcv_window_max_bytes; /* 2 * MSS .. 1 GiB (RFC 7323 §2.3 limit) */
	uint32_t rcv_window_init_bytes; /* where auto-tuning starts, <= max */
	uint32_t rcv_payloads_max; /* received buffers held at once at most, 16.. */
	uint32_t snd_buffer_bytes; /* bytes accepted by tcp_conn_send and not yet ACKed */
	uint16_t mss_max; /* MTU - IP and TCP headers; advertised in our SYN, 88.. */
	bool timestamps; /* offer RFC 7323 timestamps */
	bool sack; /* offer RFC 2018 */
	bool window_scaling; /* offer RFC 7323 window scale */
	bool rack; /* where SACK is agreed on: losses are found by RACK-TLP (RFC 8985), else by
		    * RFC 6675 */
	bool ecn; /* ask for RFC 3168 ECN. Off: as clients do, for paths that drop such a SYN */
	uint32_t syn_retries; /* SYN retransmissions before ETIMEDOUT */
	uint32_t data_retries; /* consecutive RTOs of data before ETIMEDOUT (RFC 9293 R2) */
	uint64_t rto_initial_ns, rto_min_ns, rto_max_ns; /* RFC 6298 */
	uint64_t keepalive_idle_ns; /* TIME_NEVER: no keepalive (RFC 9293 §3.8.4) */
	uint64_t keepalive_interval_ns;
	uint32_t keepalive_probes;
	uint64_t time_wait_ns; /* 2 MSL */
	uint64_t fin_wait_2_ns; /* how long a closed half waits for more data or the FIN */
	struct payload_buffers
		buffers; /* release: what is not passed on; keep: what stays behind a hole */
	struct counters *counters;
	struct histogram *ack_delay; /* ns from tcp_conn_input of the oldest data that an ACK covers
				      * to its tcp_conn_output, once for each such ACK; may be
				      * NULL */
	struct tcp_reassembly_pool *reorder_pool; /* where out-of-order data is kept, made with this
						   * rcv_payloads_max; NULL: each connection has a
						   * place of its own */
};

/** RFC and common-practice defaults; no pointers set. */
void tcp_config_defaults(struct tcp_config *ret);

/** What connect needs. */
struct tcp_open {
	uint16_t local_port, remote_port;
	uint32_t iss; /* initial send sequence number (RFC 6528, netstack makes it) */
	uint32_t ts_offset; /* added to the millisecond timestamp clock (RFC 7323 §7.1) */
	uint64_t challenge_seed; /* randomises the RFC 5961 rate limit's phase */
	uint16_t mss_max; /* this path's, at most the config's, 88..; 0: the config's */
	uint16_t
		mss_default; /* the peer's if its SYN has no MSS option: RFC 9293 §3.7.1 says 536 for
			       * IPv4 and 1220 for IPv6; 0: 536 */
};

struct tcp_conn;

/** Is every field of cfg in its range, and counters and buffers.release set? */
bool tcp_config_valid(const struct tcp_config *cfg);

/**
 * Allocates a connection in CLOSED with all the memory it will ever use. cfg may be shared by many;
 * it and what it points to must outlive the connection, unchanged. NULL when out of memory or cfg is
 * out of range.
 */
struct tcp_conn *tcp_conn_create(const struct tcp_config *cfg);

/** Gives back every held owner and frees c. NULL is allowed. Sends nothing: see tcp_conn_abort. */
void tcp_conn_destroy(struct tcp_conn *c);

/** For who has many: the bytes of one connection of cfg (valid), a multiple of TCP_CONN_ALIGNMENT.
 *  pooled: cfg has, or will have, a reorder_pool. */
#define TCP_CONN_ALIGNMENT 64U
uint64_t tcp_conn_bytes(const struct tcp_config *cfg, bool pooled);

/** tcp_conn_create in memory of the caller's: tcp_conn_bytes of it, aligned. Ended by tcp_conn_end. */
struct tcp_conn *tcp_conn_init(void *memory, const struct tcp_config *cfg);

/** c is about to be used: what of it input and output read first comes into the cache. */
void tcp_conn_prefetch(const struct tcp_conn *c);

/** Gives back every held owner; c is CLOSED, with nothing to say. Its memory may be freed, or used for
 *  another tcp_conn_connect. */
void tcp_conn_end(struct tcp_conn *c);

/**
 * A pool for tcp_config.reorder_pool: so many connections of cfg may hold out-of-order data at once. A
 * connection that finds it empty drops out-of-order segments, which their sender then sends again.
 * NULL: no memory, or cfg out of range.
 */
struct tcp_reassembly_pool *tcp_reorder_pool_create(
	const struct tcp_config *cfg, uint32_t connections);
/** When no connection uses it any more. NULL is allowed. */
void tcp_reorder_pool_destroy(struct tcp_reassembly_pool *pool);
/** Bytes of one connection's place in it. */
uint64_t tcp_reorder_pool_bytes(const struct tcp_config *cfg);

/** Back to CLOSED as if new, for another tcp_conn_connect; held owners are given back. */
void tcp_conn_reset(struct tcp_conn *c);

/** Active open: CLOSED to SYN-SENT; the SYN is due. 0, or -EISCONN when not CLOSED. */
int tcp_conn_connect(struct tcp_conn *c, const struct tcp_open *open, uint64_t now_ns);

/**
 * One received segment for this connection (ports already matched, checksum verified).
 * true: c kept segment->payload.owner and will pass it on or release it;
 * false: the owner stays the caller's (no payload, duplicate, dropped).
 */
bool tcp_conn_input(struct tcp_conn *c, const struct tcp_segment *segment, uint64_t now_ns);

/**
 * Would the segments after first, if they differ from it only in SEQ and each begins where the one
 * before ended, be the plain next ones of a bulk transfer too? Then tcp_conn_input_run may take
 * them, first included, at once. Header prediction (RFC 1323 appendix A) for a whole burst.
 */
bool tcp_conn_run_expected(
	const struct tcp_conn *c, const struct tcp_segment *first, uint64_t now_ns);

/**
 * A run of n (1..) segments, as tcp_conn_run_expected has just found possible. part: their payloads
 * with owners, each of at least a byte; part[0] is first's. Leaves c as tcp_conn_input for one after the other
 * would. Returns how many were kept, at least 1; the owners of the others, for which window or
 * buffers are not enough, stay the caller's, who passes their segments to tcp_conn_input.
 */
uint32_t tcp_conn_input_run(struct tcp_conn *c, const struct tcp_segment *first,
	const struct payload *part, uint32_t n, uint64_t now_ns);

/**
 * The next segment to send, if any is due: retransmissions, data, FIN, ACKs, probes, RST.
 * It also runs timers that have expired by now_ns. true: *ret is filled in (payload points into
 * the send buffer, valid until the next call on c). false: nothing to send now.
 */
bool tcp_conn_output(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret);

/** When tcp_conn_output must be called even if nothing happens; TIME_NEVER: no timer runs.
 *  May be in the past: then output is due now. */
uint64_t tcp_conn_deadline(const struct tcp_conn *c);
/** Its two parts, of which it is the earlier: that of an ACK which waits for more data (struct tcp_config says for
 *  how long), and all others. */
uint64_t tcp_conn_ack_deadline(const struct tcp_conn *c);
uint64_t tcp_conn_timer_deadline(const struct tcp_conn *c);

/** Cheap: might tcp_conn_output return a segment now (an ACK, data or control is pending)? */
bool tcp_conn_output_pending(const struct tcp_conn *c);

/** Queues len bytes to send; returns how many were taken (0 when closed or the buffer is full).
 *  The bytes are copied; PSH is set on the segment that empties the queue. */
uint32_t tcp_conn_send(struct tcp_conn *c, const void *data, uint32_t len);

/** Bytes accepted by tcp_conn_send and not yet acknowledged by the peer. */
uint32_t tcp_conn_send_queued(const struct tcp_conn *c);

/**
 * Takes up to parts_max runs of in-order data, oldest first; returns how many. The runs' owners
 * are then the caller's. The window stays charged for them until tcp_conn_consumed.
 */
uint32_t tcp_conn_recv(struct tcp_conn *c, struct payload *ret_parts, uint32_t parts_max);

/** In-order runs waiting for tcp_conn_recv. */
uint32_t tcp_conn_recv_ready(const struct tcp_conn *c);

/** The application is done with `bytes` payload bytes in `parts` runs taken by tcp_conn_recv:
 *  the window may open by as much. */
void tcp_conn_consumed(struct tcp_conn *c, uint32_t bytes, uint32_t parts);

/** The peer's FIN has come, and everything before it has been taken by tcp_conn_recv. */
bool tcp_conn_recv_finished(const struct tcp_conn *c);

/** No more to send: a FIN follows the queued data (RFC 9293 §3.10.4). Receiving goes on. In
 *  SYN-SENT the connection ends; in SYN-RECEIVED it closes once it is established. */
void tcp_conn_close(struct tcp_conn *c, uint64_t now_ns);

/** We shall read no more: in-order data that was not read goes back at once, and new data that comes from now on is answered with RST and ends the
 *  connection with -ECONNABORTED (RFC 9293 §3.6.1, RFC 2525 §2.17); a FIN is not. */
void tcp_conn_discard(struct tcp_conn *c);

/** RFC 9293 §3.10.5: the state is CLOSED at once; where the peer must be told, tcp_conn_output
 *  still emits one RST. What was received in order can still be taken. */
void tcp_conn_abort(struct tcp_conn *c);

/** An ICMP error about this connection (RFC 5461, RFC 5927). */
enum tcp_icmp_kind {
	TCP_ICMP_HARD, /* protocol or port unreachable, prohibited: aborts an opening connection */
	TCP_ICMP_SOFT, /* net or host unreachable, time exceeded: remembered */
	TCP_ICMP_PACKET_TOO_BIG, /* mtu is the next hop's (RFC 1191), 0 unknown */
};

/** What an ICMP error says. */
struct tcp_icmp {
	enum tcp_icmp_kind kind;
	uint32_t seq; /* of the segment that it quotes; one outside SND.UNA..SND.NXT is ignored
		       * (RFC 5927 §4.1) */
	uint32_t mtu; /* PACKET_TOO_BIG: the next hop's, 0 unknown */
	uint32_t packet_len; /* IP length of the packet that it quotes: one that fits into mtu was
			      * not too big. 0 unknown */
	uint32_t ip_header_len; /* bytes to subtract from mtu besides TCP's */
};

/** true: it acted. */
bool tcp_conn_icmp(struct tcp_conn *c, const struct tcp_icmp *icmp);

enum tcp_state tcp_conn_state(const struct tcp_conn *c);

/** Why the connection ended: 0 (it did not, or closed in order), -ECONNREFUSED (RST to our SYN),
 *  -ECONNRESET, -ETIMEDOUT, -EHOSTUNREACH (soft ICMP errors until the time-out),
 *  -ECONNABORTED (tcp_conn_abort). */
int tcp_conn_error(const struct tcp_conn *c);

/** Has the same segment timed out so often in a row, the time-out that is due at now_ns included, that the way there is
 *  in doubt: threshold R1 of RFC 9293 §3.8.3, negative advice to the IP layer (MUST-20)? */
bool tcp_conn_way_in_doubt(const struct tcp_conn *c, uint64_t now_ns);

/** Is it, or was it since tcp_conn_connect, established? */
bool tcp_conn_was_established(const struct tcp_conn *c);

/** A look inside, for reports and tests. Times are 0 until they have happened. */
struct tcp_info {
	enum tcp_state state;
	uint64_t syn_sent_ns, established_ns;
	uint64_t last_received_ns; /* an acceptable segment */
	uint64_t srtt_ns, rttvar_ns, rto_ns;
	uint64_t rcv_rtt_ns; /* the receiver's estimate, 0 unknown */
	uint32_t snd_una, snd_nxt, snd_wnd, snd_cwnd, snd_ssthresh;
	uint32_t rcv_nxt, rcv_wnd, rcv_window_limit; /* limit: where auto-tuning stands */
	uint32_t iss, irs;
	uint16_t mss_send, mss_peer;
	uint8_t snd_wscale, rcv_wscale;
	bool timestamps, sack, window_scaling, ecn; /* as negotiated */
	bool answered; /* the peer's TCP has answered our SYN, with its own or a RST; an ICMP error is none */
	uint32_t retransmits; /* segments we sent again */
	uint32_t payloads_held, payloads_out_of_order;
	uint32_t rcv_bytes_unread; /* in order, not yet taken */
};

void tcp_conn_info(const struct tcp_conn *c, struct tcp_info *ret);

/** Checks every invariant of c with CHECK(): sequence order, window never retreated, reassembly
 *  sorted and disjoint, buffers accounted. Linear time: for tests and fuzzers. */
void tcp_conn_check(const struct tcp_conn *c);

#endif
