/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "fetch.h"
#include "sim_link.h"
#include "sim_peer.h"
#include "sim_referee.h"
#include "sim_sink.h"
#include "test_buffer.h"

#define SIM_DOWNLOADS_MAX 4U

/** Everything that one run is made of. */
struct sim_config {
	uint64_t seed;
	struct sim_link_config to_client, to_server;
	const struct sim_server_ops *server;
	struct sim_peer_config peer;
	enum sim_answer answer[SIM_DOWNLOADS_MAX];
	uint64_t body_len[SIM_DOWNLOADS_MAX];
	uint32_t downloads;
	enum tcp_ack_policy ack_policy;
	enum tcp_congestion congestion;
	bool ecn; /* we ask for it */
	bool shared_places; /* what comes out of order is kept in places that connections share */
	bool rfc6675; /* our recovery by SACK is without RACK-TLP */
	uint32_t window_bytes, payloads_max;
	uint16_t mtu;
	uint32_t chain_per_mille; /* frames that come in several buffers */
	uint32_t long_request_bytes; /* of an extra header, so that we send several segments */
	uint64_t sink_delay_max_ns, sink_fail_at;
	uint32_t sink_room_per_mille;
	uint64_t start_ns;
	uint32_t attack_per_mille; /* iterations in which a stranger forges a frame to us */
	uint64_t max_time_ns; /* for a download; 0: none */
	bool own_limits; /* the client gives up as it does by default, and not after hours */
	bool keepalive; /* off: a lost timer of ours stalls, instead of being saved by probes */
	bool unchecked; /* without tcp_conn_check(), which costs what payloads_max is */
	bool dump; /* print every frame */
};

/** What came of it. */
struct sim_outcome {
	char failure[512]; /* empty: all rules held */
	uint64_t end_ns, steps, trace; /* trace: a hash of all frames and their times */
	enum fetch_code code[SIM_DOWNLOADS_MAX];
	uint64_t took_ns[SIM_DOWNLOADS_MAX]; /* to its end */
	uint64_t half_ns, half_bytes; /* when half of the last body, at least, was on disk */
	uint64_t bytes, server_retransmissions, lost, forged;
	uint64_t marked, server_ecn_reductions;
	uint64_t buffers_max; /* received buffers alive after an iteration, at most */
	bool fins_crossed; /* at the server */
	bool all_ended; /* as the referee saw it: by both FINs, or a reset */
	struct counters counters;
	struct sim_referee_counts seen; /* by the referee */
	struct histogram ack_delay;
};

void sim_world_run(const struct sim_config *cfg, struct sim_outcome *ret);

/** All parameters from one number (sim_case.c). */
void sim_case_derive(uint64_t seed, struct sim_config *ret);
/** A perfect cable and a friendly server; tests change what they are about. */
void sim_case_plain(uint64_t body_len, struct sim_config *ret);
/** One line that tells the case. */
void sim_case_describe(const struct sim_config *cfg, char *buf, size_t room);

#endif
