/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_ARP_H
#define NETSTACK_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "netstack_limits.h"
#include "wire_arp.h"

enum arp_entry_state {
	ARP_ENTRY_FREE,
	ARP_ENTRY_PENDING, /* asked, not yet answered */
	ARP_ENTRY_REACHABLE,
	ARP_ENTRY_REFRESHING, /* asked again; the old MAC is used meanwhile */
};

struct arp_entry {
	uint32_t ip; /* host order */
	struct ether_addr mac;
	enum arp_entry_state state;
	uint32_t tries; /* requests sent in this state */
	uint64_t next_ns; /* of the next request, or of the refresh */
	uint64_t used_ns; /* last looked up */
};

enum arp_claim { /* how far our claim to our own address is (RFC 5227) */
	ARP_CLAIM_NONE, /* we have no address */
	ARP_CLAIM_PROBING,
	ARP_CLAIM_ANNOUNCING,
	ARP_CLAIM_HELD,
	ARP_CLAIM_LOST, /* another host has the address */
};

/** The resolver of one netstack. */
struct netstack_arp {
	struct arp_entry entry[NETSTACK_ARP_ENTRIES];
	enum arp_claim claim;
	uint32_t claim_sent; /* probes or announcements */
	uint64_t claim_next_ns;
	uint64_t defended_ns; /* 0: never */
	bool conflict_known;
	struct ether_addr conflict_mac;
	uint64_t random; /* state of the jitter */
	struct netstack_arp_failure failure;
};

struct netstack;

/** Begins to claim our address, if there is one; what was known of conflicts is forgotten. */
void netstack_arp_start(struct netstack *ns, uint64_t now_ns);
/** One ARP packet. DROP_NONE, or why it was dropped. */
enum drop_reason netstack_arp_input(
	struct netstack *ns, const uint8_t *data, uint32_t len, uint64_t now_ns);
/** Queues the requests, probes and announcements that are due. */
void netstack_arp_run(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_arp_deadline(const struct netstack *ns);
/** The MAC address of a next hop, or NULL while it is being asked for (which this begins). */
const struct ether_addr *netstack_arp_lookup(struct netstack *ns, uint32_t ip, uint64_t now_ns);
/** The same for a last word: NULL where nobody knows, and nobody is asked. */
const struct ether_addr *netstack_arp_known(struct netstack *ns, uint32_t ip);

#endif
