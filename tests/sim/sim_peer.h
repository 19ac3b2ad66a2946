/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "sim_ranges.h"
#include "sim_server.h"
#include "wire_ether.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

/*
 * The modelled server: ARP, TCP and HTTP of its own, written apart from lib/tcp (only the wire
 * format is shared), and the referee of what our client sends. A broken rule is a message in
 * `fault`, which ends the run.
 */

/** A segment under way: offset in the stream that begins with the response's first byte. */
struct sim_segment {
	uint64_t offset;
	uint32_t len;
	bool fin, sacked, lost;
	uint32_t sent;
	uint64_t sent_ns;
};

#define SIM_COOKIES 16U

enum sim_peer_state { SIM_LISTEN, SIM_SYN_RECEIVED, SIM_OPEN, SIM_CLOSED };

struct sim_peer {
	struct sim_peer_config cfg;
	struct sim_random *random;
	struct sim_link *out;
	struct ether_addr mac, client_mac;
	uint32_t ip, client_ip;
	struct sim_response response; /* what to answer */
	/* the connection */
	enum sim_peer_state state;
	uint16_t client_port, old_port; /* old: of the connection before */
	uint32_t rcv_nxt, client_iss, old_iss;
	uint32_t taken; /* TCP segments, of all connections */
	uint32_t cookie[SIM_COOKIES]; /* ISNs of the last SYN-ACKs */
	uint32_t cookies;
	bool fins_crossed; /* theirs came while ours was under way */
	bool ts, sack, ws, ecn; /* negotiated */
	bool ece, cwr_due; /* a mark came; our window was reduced */
	uint64_t ecn_recover; /* nxt at that time */
	uint64_t ecn_reductions;
	uint8_t client_wscale;
	uint32_t client_mss, ts_recent;
	uint64_t syn_ack_ns;
	char request[70000];
	uint32_t request_len, requests;
	struct sim_ranges request_got; /* offsets in the request; it may come out of order */
	struct sim_range request_newest,
		request_twice; /* what the next ACK's SACK tells; empty: - */
	uint64_t answer_at_ns;
	bool client_fin;
	uint32_t shut; /* segments still to come */
	struct sim_stream stream;
	bool fin_queued, reset_queued;
	uint64_t una, nxt, right_edge; /* stream offsets; the FIN counts one */
	struct sim_segment *seg;
	uint32_t segs, segs_room, seg_first;
	double cwnd, ssthresh;
	uint32_t dup_acks;
	uint64_t recover;
	bool in_recovery;
	uint64_t delivered_sent_ns; /* when the newest segment that arrived was sent */
	uint64_t rto_ns, rto_at_ns, probe_at_ns, close_at_ns;
	uint64_t retransmissions, data_segments;
	uint32_t ts_first, ts_last;
	char fault[160];
};

void sim_peer_start(struct sim_peer *p);
void sim_peer_input(struct sim_peer *p, const struct sim_frame *f, uint64_t now_ns);
void sim_peer_run(struct sim_peer *p, uint64_t now_ns);
uint64_t sim_peer_deadline(const struct sim_peer *p);
void sim_peer_stop(struct sim_peer *p);

extern const struct sim_server_ops sim_peer_ops; /* the same, for a run; sim_peer_server.c */

#endif
