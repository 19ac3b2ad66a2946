/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_NEIGHBOUR_H
#define NETSTACK_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "netstack_limits.h"

/*
 * The neighbour cache of both IP versions: MAC addresses of next hops, asked for by ARP or by
 * Neighbour Discovery. RFC 4861 §7.3's states, with the names that ARP's users know: INCOMPLETE is
 * PENDING; STALE, DELAY and PROBE are one, REFRESHING, because a flow is what confirms a neighbour.
 */

enum neighbour_state {
	NEIGHBOUR_FREE,
	NEIGHBOUR_PENDING, /* asked, not yet answered */
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_REFRESHING, /* asked again; the old MAC is used meanwhile */
};

struct neighbour {
	struct ip_address ip;
	struct ether_addr mac;
	enum neighbour_state state;
	uint32_t tries; /* questions sent in this state */
	uint64_t next_ns; /* of the next question, or of the refresh */
	bool suspect; /* what TCP's advice made us ask was not answered */
	bool advised; /* REFRESHING because of TCP's advice, which ends no flow */
	uint64_t advised_ns; /* when that began last, 0: never */
	uint64_t refresh_ns; /* while advised: the refresh that was planned */
	uint64_t used_ns; /* last looked up */
};

struct netstack_neighbours {
	struct neighbour entry[NETSTACK_NEIGHBOURS];
	struct netstack_next_hop_failure failure;
};

struct netstack;

/** The MAC address of a next hop, or NULL while it is being asked for (which this begins). */
const struct ether_addr *netstack_neighbour_lookup(
	struct netstack *ns, const struct ip_address *ip, uint64_t now_ns);
/** The same for a last word: NULL where nobody knows, and nobody is asked. */
const struct ether_addr *netstack_neighbour_known(struct netstack *ns, const struct ip_address *ip);
/** Its entry, NULL: none. */
struct neighbour *netstack_neighbour_find(struct netstack *ns, const struct ip_address *ip);
/** Is it being asked for, and not known so far? */
bool netstack_neighbour_pending(const struct netstack *ns, const struct ip_address *ip);
/** Is it known to answer, as far as we have asked (RFC 4861 §6.3.6)? */
bool netstack_neighbour_reachable(const struct netstack *ns, const struct ip_address *ip);

/** ip has said that mac is its address: an entry that there is takes it over (RFC 826's merge); a
 *  new one is never made. */
void netstack_neighbour_on_answer(struct netstack *ns, const struct ip_address *ip,
	const struct ether_addr *mac, uint64_t now_ns);
/** The same of what ip said unasked: it need not hear us, so that nothing is confirmed (RFC 4861
 *  §7.3.1), and a MAC address that is new is asked at once. */
void netstack_neighbour_on_hint(struct netstack *ns, const struct ip_address *ip,
	const struct ether_addr *mac, uint64_t now_ns);
/** Ask e again now: there is doubt about its MAC address. */
void netstack_neighbour_doubt(struct netstack *ns, struct neighbour *e, uint64_t now_ns);
/** TCP has no answer by this next hop (RFC 9293 §3.8.3, RFC 1122 §3.3.1.4): everybody is asked whether its MAC address is
 *  right, once in arp_interval_ns at most, and not while another flow hears by it. Nobody's answer ends no flow: that is TCP's R2's to do. */
void netstack_neighbour_advise(struct netstack *ns, const struct ip_address *ip, uint64_t now_ns);
/** A host of the link was heard, for the report of a failure. */
void netstack_neighbour_heard(
	struct netstack *ns, const struct ip_address *ip, const struct ether_addr *mac);

/** Queues the questions that are due. */
void netstack_neighbour_run(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_neighbour_deadline(const struct netstack *ns);

#endif
