/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_ARP_H
#define NETSTACK_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "netstack_limits.h"
#include "wire_arp.h"

enum arp_claim { /* how far our claim to our own address is (RFC 5227) */
	ARP_CLAIM_PROBING,
	ARP_CLAIM_ANNOUNCING,
	ARP_CLAIM_HELD,
	ARP_CLAIM_LOST, /* another host has the address */
};

/** ARP of one netstack: our claim to our address; several are claimed, and lost, together. Others' are in netstack_neighbour.h. */
struct netstack_arp {
	enum arp_claim claim;
	uint32_t claim_sent; /* rounds of probes or announcements, one for each address of ours */
	uint32_t claim_at; /* addresses of ours that have had theirs in this round */
	uint64_t claim_next_ns;
	uint64_t defended_ns[NETSTACK_IPV4_ADDRESSES_MAX]; /* 0: never */
	bool conflict_known;
	uint32_t conflict_address;
	struct ether_addr conflict_mac;
	uint64_t random; /* state of the jitter */
};

struct netstack;

/** Begins to claim our address, if there is one, probing or not; what was known of conflicts is
 *  forgotten. */
void netstack_arp_start(struct netstack *ns, bool probe, uint64_t now_ns);
/** One ARP packet. DROP_NONE, or why it was dropped. */
enum drop_reason netstack_arp_input(
	struct netstack *ns, const uint8_t *data, uint32_t len, uint64_t now_ns);
/** Queues the probes and announcements that are due. */
void netstack_arp_run(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_arp_deadline(const struct netstack *ns);
/** Queues a question for target's MAC address, to dst. */
void netstack_arp_ask(struct netstack *ns, const struct ether_addr *dst, uint32_t target);

#endif
