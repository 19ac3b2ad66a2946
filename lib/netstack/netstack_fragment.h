/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_FRAGMENT_H
#define NETSTACK_FRAGMENT_H

#include "netstack_limits.h"
#include "wire_ether.h"
#include "wire_frame.h"
#include "wire_ip.h"

/*
 * Reassembly of datagrams (RFC 791 §3.2, RFC 1122 §3.3.2, RFC 8200 §4.5). Fragments stay in the buffers that
 * they came in; a complete datagram is a frame in several buffers. Few datagrams at a time, few
 * fragments in each, none that overlaps another: what TCP sends has DF, so fragments are rare, and
 * attacks are most of them (RFC 1858, RFC 5722).
 */

struct netstack;
struct netstack_packet;

/** What a fragment's header says of it. */
struct netstack_fragment_place {
	uint32_t id;
	uint32_t offset; /* bytes, a multiple of 8 */
	bool more; /* this is not the last one */
};

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
	struct ip_address src, dst; /* with the next two: what they have in common */
	uint32_t id;
	uint8_t protocol; /* IPv6: the first fragment's */
	uint8_t ecn, hop_limit; /* the first fragment's */
	uint32_t
		header_len; /* IP's, the first fragment's; before it has come, of the one that came */
	struct ether_addr from;
	bool congestion_experienced; /* by one of the fragments: by the whole (RFC 3168 §5.3) */
	struct netstack_fragment fragment[NETSTACK_FRAGMENTS_PER_DATAGRAM];
};

struct netstack_fragments {
	struct netstack_datagram datagram[NETSTACK_DATAGRAMS];
	uint64_t deadline_ns; /* no later than the first expiry */
};

/**
 * Keeps f, a fragment in one buffer, which is p of a whole (p->l4: its data). DROP_NONE: its owner
 * is held, and *ret is the datagram if this was the missing piece, else NULL. Otherwise the owner is
 * the caller's; and but for DROP_IP_FRAGMENT_DUPLICATE all that had come of the datagram is given
 * back (RFC 5722's rule: it is an attack, or damaged).
 */
enum drop_reason netstack_fragment_add(struct netstack *ns, const struct frame *f,
	const struct netstack_packet *p, const struct netstack_fragment_place *place,
	uint64_t now_ns, struct netstack_datagram **ret);

/** The complete datagram as one frame, whose parts hold the owners, and as a packet. ether: of the
 *  last one to come. Valid until netstack_fragment_forget. */
struct frame *netstack_fragment_frame(
	struct netstack_datagram *d, const struct ether_header *ether, struct netstack_packet *ret);

/** IPv6: passes over the extension headers that the fragments carried in common data. DROP_NONE; or
 *  why it does not pass. */
enum drop_reason netstack_fragment_walk(const struct frame *f, struct netstack_packet *p);

/** The owners have gone elsewhere: the place is free. */
void netstack_fragment_forget(struct netstack_datagram *d);

/** Gives up datagrams that have waited too long; tells their senders (RFC 1122 §3.3.2). */
void netstack_fragment_run(struct netstack *ns, uint64_t now_ns);

/** Gives all owners back. */
void netstack_fragment_clear(struct netstack *ns);

#endif
