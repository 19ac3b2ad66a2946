/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "sim_answer.h"
#include "sim_link.h"

/*
 * What a run knows of a server: frames go in, frames come out by a cable, and there is a next
 * moment. sim_peer.c is one, written for these tests; sim_lwip.c is lwIP's TCP.
 * Names of TCP's own are kept out of here, since each server brings its own.
 */

/* What a server is like. lwIP heeds what it can: see sim_lwip.c. */
struct sim_peer_config {
	bool timestamps, sack, window_scaling;
	uint8_t wscale;
	uint16_t mss;
	uint32_t iss;
	uint32_t window; /* bytes offered for the request */
	uint32_t shut_segments; /* the window is shut until so many have come: we must be probed */
	bool fin_alone; /* the FIN does not travel with the last data */
	bool small_segments; /* of random size, as a peer without Nagle's algorithm may send */
	uint32_t keep_alive; /* requests that one connection serves */
	uint64_t think_ns; /* before an answer */
	uint32_t silent_from; /* the client's nth segment from 1, and all after it, fall into the
			       * void, and no more is sent; ARP is answered. 0: none */
	uint64_t idle_close_ns; /* its FIN, so long after all of an answer was sent; 0: it waits */
	uint32_t urgent_per_mille; /* segments with the urgent flag, and a pointer to anywhere */
	bool syn_cookies; /* no state before the handshake's ACK: each SYN-ACK has an ISN of its
			   * own and is sent once; without timestamps there are no options */
	bool ecn; /* agrees to RFC 3168 */
	bool ecn_drops_syn, ecn_resets_syn; /* what stands before it does not know ECN, and drops
					     * or refuses a SYN that asks for it */
	bool window_shrinks; /* each ACK offers any part of `window`, or none of it */
	bool ignores_window; /* ours: it sends what its cwnd lets out */
	uint32_t segment_max; /* bytes of data in a segment at most; 0: the MSS */
	uint32_t chunk_max; /* bytes in a chunk at most; 0: any number */
	bool exact_recovery; /* for measurements: half of what is in flight (RFC 5681 eq. 4), not of
			      * a cwnd that the client's window kept from use; and what was sent
			      * before something that has arrived is lost, if sent again too, as in
			      * RFC 8985, on a cable that does not reorder */
	bool forgets_options; /* what the cookie does not hold: SACK and scales, though granted */
};

/** Where it stands. What it points to outlives the server; it itself does not. */
struct sim_site {
	const struct sim_peer_config *cfg;
	struct sim_random *random;
	struct sim_link *out;
	uint8_t mac[6];
	uint32_t ip;
};

/** For the run's outcome. */
struct sim_server_report {
	uint64_t retransmissions, ecn_reductions;
	bool fins_crossed; /* theirs came while its own was under way */
};

struct sim_server_ops {
	void *(*start)(const struct sim_site *site, uint64_t now_ns);
	/** What the requests from now on are answered with. */
	void (*serve)(void *server, const struct sim_response *response);
	void (*input)(void *server, const struct sim_frame *f, uint64_t now_ns);
	/** After the inputs of a moment: timers, and what is to be sent. */
	void (*run)(void *server, uint64_t now_ns);
	uint64_t (*deadline)(const void *server);
	/** A rule that the client broke, or the server's own failure; "": none. */
	const char *(*fault)(const void *server);
	/** Its state in a line, for a stall. */
	void (*describe)(const void *server, char *buf, size_t room);
	void (*report)(const void *server, struct sim_server_report *ret);
	void (*stop)(void *server);
};

#endif
