/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_REFEREE_H
#define SIM_REFEREE_H

#include "sim_ranges.h"
#include "sim_wire.h"
#include "tcp_conn.h"

/*
 * Watches our client from outside: each frame that the cable delivers to it, and each that it
 * sends, in order. From the first it knows what the client can have, and must have; the second has
 * to agree with that and with the RFCs. It shares no code with what it judges (tcp_conn.h is here
 * for the names of the ACK policies). The first broken rule is told in `fault`.
 *
 * Offsets: 0 is the first byte after the SYN, in either direction; 64 bits, so nothing wraps.
 */

#define SIM_STEP_SEGMENTS 64U /* delivered in one iteration at most: the burst */
#define SIM_STEP_ACKS 512U
#define SIM_QUICK_SEGMENTS 64U /* at a connection's start no ACK waits for another burst */
#define SIM_NEVER UINT64_MAX

/** What the client promises. */
struct sim_referee_config {
	uint32_t client_ip, server_ip;
	enum tcp_ack_policy ack_policy;
	uint64_t ack_delay_max_ns; /* the policy's bound for in-order data */
	uint64_t slack_ns; /* the worker's polling interval */
	uint32_t acks_recorded; /* the client may merge what exceeds this in one burst */
	uint32_t ack_segments_max; /* BURST: in-order segments that one ACK may cover */
	uint32_t mtu;
};

/** A data segment or FIN that was delivered in this iteration. */
struct sim_delivery {
	uint64_t left, right;
	bool push, fin;
};

/** What one ACK of this iteration said. */
struct sim_told {
	uint64_t ack;
	bool first_known, duplicate_known;
	struct sim_range first, duplicate; /* first SACK block; D-SACK */
};

/** ECN, RFC 3168. */
struct sim_referee_ecn {
	bool asked, plain_syn; /* SYNs of either kind were sent */
	bool on; /* agreed on */
	bool echo_min, echo_max; /* what the client sends must, may say ECE */
	bool cwr_min, cwr_max; /* its next new data must, may say CWR */
	bool tail_again; /* a probe of old data may have repaired a loss: CWR may follow */
	uint64_t reduced_at; /* snd_max at its last reduction */
};

struct sim_referee_conn {
	struct sim_referee_conn *next;
	uint16_t port;
	bool synchronised, ended;
	bool heard; /* something came after the SYN-ACK */
	bool ts, sack, ws; /* offered, then negotiated */
	uint8_t our_scale, server_scale;
	uint32_t iss, irs, server_mss;
	/* receiving */
	struct sim_ranges got; /* what was delivered: the client may have it */
	struct sim_ranges twice; /* what was delivered more than once */
	struct sim_ranges kept; /* what the client must have */
	struct sim_ranges sacked; /* what it said that it has, above `ack` */
	uint64_t fin_at; /* SIM_NEVER: not delivered */
	bool fin_kept; /* and surely taken: it lay inside the window */
	uint64_t ack, edge; /* told last; the edge is the farthest */
	uint32_t ts_recent_min, ts_recent_max; /* between these TS.Recent must be */
	uint32_t ts_recent_next, ts_ecr; /* the next iteration's minimum; echoed last */
	uint64_t segments_in_order, largest;
	uint32_t waiting, waiting_full; /* in-order segments without an ACK */
	uint64_t waiting_since_ns;
	bool doubt; /* it refused something: `kept` may say too little */
	/* sending */
	uint8_t *sent;
	uint64_t sent_room, snd_max, snd_una, snd_edge;
	uint64_t our_fin_at; /* SIM_NEVER: not sent */
	struct sim_referee_ecn ecn;
	bool ts_val_known;
	uint32_t ts_val;
	/* this iteration */
	struct sim_delivery delivered[SIM_STEP_SEGMENTS];
	struct sim_told told[SIM_STEP_ACKS];
	uint32_t deliveries, tolds;
	bool data_sent; /* new data */
	uint32_t frames, repeats; /* delivered with or without text; ACKs that said nothing new */
	uint64_t edge_before; /* at its beginning */
	uint64_t ack_before;
};

/** For tests, beside the client's own counters. */
struct sim_referee_counts {
	uint64_t connections, out_of_order, duplicates, sacks, dsacks, retransmissions, resets;
};

struct sim_referee {
	struct sim_referee_config cfg;
	struct sim_referee_conn *conns; /* the newest first */
	struct sim_referee_counts counts;
	char fault[200];
};

/** An undamaged frame reached the client. */
void sim_referee_on_delivered(struct sim_referee *r, const uint8_t *frame, uint32_t len);

/** A frame that a stranger forged reached the client, for the connection of this port: it must
 *  change nothing, and may be answered by one ACK. */
void sim_referee_on_forged(struct sim_referee *r, uint16_t client_port);

/** The client sent this frame (before the cable can do anything to it). */
void sim_referee_on_sent(struct sim_referee *r, const uint8_t *frame, uint32_t len);

/** The client's iteration is over. excused: it refused a segment in it for a lawful reason (no
 *  buffer, PAWS), so that what it must have is only what it says. */
void sim_referee_on_iteration(struct sim_referee *r, bool excused, uint64_t now_ns);

/** Has every connection ended: both FINs acknowledged, or a reset? */
bool sim_referee_all_ended(const struct sim_referee *r);

void sim_referee_clear(struct sim_referee *r);

#endif
