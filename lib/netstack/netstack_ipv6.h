/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_IPV6_H
#define NETSTACK_IPV6_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "netstack_limits.h"
#include "wire_ndp.h"

/*
 * A host's IPv6: its own addresses (RFC 4862), the routers and prefixes of its link (RFC 4861), and
 * the choice of source and next hop. Neighbours' MAC addresses are in netstack_neighbour.h.
 */

enum ipv6_address_state {
	IPV6_ADDRESS_FREE,
	IPV6_ADDRESS_TENTATIVE, /* being tested (RFC 4862 §5.4): not to be used yet */
	IPV6_ADDRESS_ASSIGNED,
	IPV6_ADDRESS_DUPLICATED, /* another host has it */
};

struct ipv6_own_address {
	struct ipv6_addr address;
	uint8_t prefix_len; /* addresses that share as many bits are on the link; 128: none */
	enum ipv6_address_state state;
	uint64_t preferred_until_ns, valid_until_ns; /* TIME_NEVER: for ever */
	uint32_t solicitations; /* of the duplicate test, sent */
	uint64_t next_ns; /* TENTATIVE: the next, or the end of the test */
	uint64_t defended_ns; /* 0: never */
	struct ether_addr conflict_mac;
};

struct ipv6_router {
	struct ipv6_addr address;
	uint64_t until_ns; /* 0: the place is free */
};

struct ipv6_link_prefix {
	struct ipv6_addr prefix;
	uint8_t prefix_len;
	uint64_t until_ns; /* 0: the place is free */
};

struct ipv6_dns_server {
	struct ipv6_addr address;
	uint64_t until_ns; /* 0: the place is free */
};

struct netstack_ipv6 {
	struct ipv6_own_address own[NETSTACK_IPV6_ADDRESSES];
	struct ipv6_router router[NETSTACK_IPV6_ROUTERS];
	struct ipv6_link_prefix prefix[NETSTACK_IPV6_PREFIXES];
	struct ipv6_dns_server dns[NETSTACK_IPV6_DNS_SERVERS]; /* with autoconf (RFC 8106) */
	uint32_t mtu; /* as routers say, 0: nothing */
	uint8_t hop_limit;
	uint64_t retransmit_ns; /* between solicitations of a duplicate test */
	uint32_t solicitations; /* to routers, sent */
	uint64_t solicit_next_ns; /* TIME_NEVER: no more */
	uint32_t reports_left; /* of multicast listening, that nobody asked for */
	bool queried; /* one more, for who asks */
	uint64_t report_next_ns;
	uint64_t deadline_ns; /* of all that is above */
};

struct netstack;
struct netstack_packet;

/* netstack_ipv6.c */

void netstack_ipv6_start(struct netstack *ns, uint64_t now_ns);
/** What is due: duplicate tests, solicitations, reports, ends of lifetimes; sets deadline_ns. */
void netstack_ipv6_run(struct netstack *ns, uint64_t now_ns);
/** The entry of an address that is ours to use; NULL: it is not. */
const struct ipv6_own_address *netstack_ipv6_find(
	const struct netstack_ipv6 *v6, const struct ipv6_addr *address);
/** The same, whatever its state; NULL: none of ours. */
struct ipv6_own_address *netstack_ipv6_own(
	struct netstack_ipv6 *v6, const struct ipv6_addr *address);
/** Is a packet to dst for us: an address of ours, or a group that we are in? */
bool netstack_ipv6_for_us(const struct netstack_ipv6 *v6, const struct ipv6_addr *dst);
/** Makes address ours, after the duplicate test if one is made. NULL: there is no room. */
struct ipv6_own_address *netstack_ipv6_add(
	struct netstack *ns, const struct ipv6_addr *address, uint8_t prefix_len, uint64_t now_ns);
/** Another host uses the address. One that is assigned is defended first. */
void netstack_ipv6_on_conflict(struct netstack *ns, struct ipv6_own_address *own,
	const struct ether_addr *mac, uint64_t now_ns);
/** The link's MTU: the port's, or less if a router says so. */
uint32_t netstack_ipv6_mtu(const struct netstack *ns);
/** See netstack_route_find. */
int netstack_ipv6_route(const struct netstack *ns, const struct ipv6_addr *remote,
	struct ip_address *ret_local, struct ip_address *ret_next_hop);
/** The address of ours to speak from to dst (RFC 6724); NULL: none. */
const struct ipv6_addr *netstack_ipv6_source(
	const struct netstack_ipv6 *v6, const struct ipv6_addr *dst);
/** See netstack_address_conflict. */
bool netstack_ipv6_conflict(
	const struct netstack_ipv6 *v6, struct ip_address *ret_address, struct ether_addr *ret_mac);

/* netstack_ndp.c */

/** Queues a solicitation for target's MAC address, to mac; NULL: to its solicited-node group. */
void netstack_ndp_ask(
	struct netstack *ns, const struct ether_addr *mac, const struct ipv6_addr *target);
/** Queues one of the duplicate test (RFC 4862 §5.4.2); false: there was no room. */
bool netstack_ndp_test(struct netstack *ns, const struct ipv6_addr *target);
/** Queues an advertisement of target, an address of ours, to everybody. */
void netstack_ndp_announce(struct netstack *ns, const struct ipv6_addr *target);
/** A neighbour solicitation or advertisement (advertisement: which); its body at data. */
enum drop_reason netstack_ndp_input(struct netstack *ns, const struct netstack_packet *p,
	bool advertisement, const uint8_t *body, uint32_t len, uint64_t now_ns);

/* netstack_router.c */

/** Queues a router solicitation. */
void netstack_router_solicit(struct netstack *ns);
/** A router advertisement; its body at data. */
enum drop_reason netstack_router_input(struct netstack *ns, const struct netstack_packet *p,
	const uint8_t *body, uint32_t len, uint64_t now_ns);
/** Is dst a neighbour on the link? */
bool netstack_router_on_link(const struct netstack *ns, const struct ipv6_addr *dst);
/** The router to send to; NULL: none is known. */
const struct ipv6_addr *netstack_router_default(const struct netstack *ns);
/** Forgets routers, prefixes and DNS servers whose time is over. */
void netstack_router_run(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_router_deadline(const struct netstack *ns);
/** address is no router any more (RFC 4861 §7.2.5). */
void netstack_router_forget(struct netstack *ns, const struct ipv6_addr *address);

#endif
