/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_FRAGMENT_H
#define NETSTACK_FRAGMENT_H

#include "netstack_limits.h"
#include "wire_ether.h"
#include "wire_ipv4.h"

/*
 * Reassembly of IPv4 datagrams (RFC 791 §3.2, RFC 1122 §3.3.2). Fragments stay in the buffers that
 * they came in; a complete datagram is a frame in several buffers. Few datagrams at a time, few
 * fragments in each, none that overlaps another: what TCP sends has DF, so fragments are rare, and
 * attacks are most of them (RFC 1858, RFC 5722).
 */

struct netstack;

struct netstack_fragment {
	struct frame
		frame; /* of the first one, from the Ethernet header on; of others, their data */
	uint32_t left, right; /* bytes of the datagram's data: left .. right - 1 */
};

struct netstack_datagram {
	bool in_use;
	uint32_t count; /* fragments, by left, disjoint */
	uint32_t bytes; /* of data in them */
	uint32_t total; /* of the whole datagram's data; 0: the last fragment has not come */
	uint64_t expires_ns;
	struct ipv4_header header; /* of the fragment that came first: what they have in common;
				    * complete: as if it had come in one packet */
	struct ether_addr from;
	bool congestion_experienced; /* by one of the fragments: by the whole (RFC 3168 §5.3) */
	struct netstack_fragment fragment[NETSTACK_FRAGMENTS_PER_DATAGRAM];
};

struct netstack_fragments {
	struct netstack_datagram datagram[NETSTACK_DATAGRAMS];
	uint64_t deadline_ns; /* no later than the first expiry */
};

/**
 * Keeps f, a fragment in one buffer whose headers ether and ip are. DROP_NONE: its owner is held,
 * and *ret is the datagram if this was the missing piece, else NULL. Otherwise the owner is the
 * caller's; and but for DROP_IP_FRAGMENT_DUPLICATE all that had come of the datagram is given back
 * (RFC 5722's rule: it is an attack, or damaged).
 */
enum drop_reason netstack_fragment_add(struct netstack *ns, const struct frame *f,
	const struct ether_header *ether, const struct ipv4_header *ip, uint64_t now_ns,
	struct netstack_datagram **ret);

/** The complete datagram as one frame, whose parts hold the owners. Valid until
 *  netstack_fragment_forget. */
struct frame *netstack_fragment_frame(struct netstack_datagram *d);

/** The owners have gone elsewhere: the place is free. */
void netstack_fragment_forget(struct netstack_datagram *d);

/** Gives up datagrams that have waited too long; tells their senders (RFC 1122 §3.3.2). */
void netstack_fragment_run(struct netstack *ns, uint64_t now_ns);

/** Gives all owners back. */
void netstack_fragment_clear(struct netstack *ns);

#endif
