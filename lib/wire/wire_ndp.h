/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_NDP_H
#define WIRE_NDP_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "wire_ip.h"

/* Neighbour Discovery, RFC 4861: the bodies of the ICMPv6 messages of struct icmpv6_message, that
 * is, what follows type, code and checksum. Hop limit and addresses are the caller's to check. */

#define NDP_HOP_LIMIT 255U /* of what comes from this link; nobody forwards it so */
#define NDP_PREFIXES_MAX 8U /* of a router advertisement; more are not looked at */
#define NDP_DNS_SERVERS_MAX 8U /* the withdrawn ones included */
#define NDP_NEIGHBOUR_LEN 32U /* a message that we build, with one link-layer address option */
#define NDP_ROUTER_SOLICITATION_LEN 16U
#define NDP_INFINITY UINT32_MAX /* of a lifetime in seconds */

/** A neighbour solicitation or advertisement (§4.3, §4.4). */
struct ndp_neighbour {
	struct ipv6_addr target;
	bool router, solicited, override; /* advertisements only */
	bool mac_set; /* the option was there: source's of a solicitation, target's of the other */
	struct ether_addr mac;
};

/** A Prefix Information option (§4.6.2). */
struct ndp_prefix {
	struct ipv6_addr prefix; /* 0 after prefix_len bits */
	uint8_t prefix_len; /* 0..128 */
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /* NDP_INFINITY: for ever */
};

/** One address of a Recursive DNS Server option (RFC 8106 §5.1). */
struct ndp_dns_server {
	struct ipv6_addr address;
	uint32_t lifetime_s; /* 0: not to be used any more; NDP_INFINITY: for ever */
};

/** A router advertisement (§4.2) with the options that a host has a use for. */
struct ndp_router_advertisement {
	uint8_t hop_limit; /* 0: unspecified */
	uint16_t lifetime_s; /* 0: not a default router */
	uint32_t retransmit_ms; /* between solicitations; 0: unspecified */
	uint32_t reachable_ms; /* 0: unspecified */
	bool mac_set;
	struct ether_addr mac;
	uint32_t mtu; /* 0: no option */
	uint32_t prefix_count;
	struct ndp_prefix prefix[NDP_PREFIXES_MAX];
	uint32_t dns_count;
	struct ndp_dns_server dns[NDP_DNS_SERVERS_MAX];
};

/** Parses the body of a neighbour solicitation (advertisement: false) or advertisement. DROP_NONE,
 *  or DROP_NDP_MALFORMED with *ret untouched (§7.1.1, §7.1.2: short, a multicast target, an option
 *  of length 0 or past the end). */
enum drop_reason wire_ndp_parse_neighbour(
	const uint8_t *body, uint32_t len, bool advertisement, struct ndp_neighbour *ret);

/** Parses the body of a router advertisement, §6.1.2. Prefixes and servers that make no sense are
 *  left out. DROP_NONE, or DROP_NDP_MALFORMED with *ret untouched. */
enum drop_reason wire_ndp_parse_router(
	const uint8_t *body, uint32_t len, struct ndp_router_advertisement *ret);

/** Writes a whole ICMPv6 message, solicitation or advertisement, at p, its checksum left 0; returns
 *  its length: NDP_NEIGHBOUR_LEN, or 8 less without mac_set. */
uint32_t wire_ndp_build_neighbour(
	uint8_t *p, bool advertisement, const struct ndp_neighbour *message);

/** Writes a router solicitation, with our MAC address unless mac is NULL; returns its length. */
uint32_t wire_ndp_build_router_solicitation(uint8_t *p, const struct ether_addr *mac);

#endif
