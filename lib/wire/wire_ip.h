/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_ether.h"

/* Addresses of both IP versions, for what does not care which one it is. */

/** An IPv6 address, in network order. */
struct ipv6_addr {
	uint8_t byte[16];
};

/** An IPv4 or IPv6 address. */
struct ip_address {
	uint8_t family; /* 4 or 6; 0: none */
	union {
		uint32_t v4; /* host order */
		struct ipv6_addr v6;
	};
};

#define IP_ADDRESS_TEXT_LEN 46U /* INET6_ADDRSTRLEN */

static inline struct ip_address
ip_address_of_v4(uint32_t v4)
{
	return (struct ip_address){.family = 4, .v4 = v4};
}

static inline struct ip_address
ip_address_of_v6(const struct ipv6_addr *v6)
{
	return (struct ip_address){.family = 6, .v6 = *v6};
}

/** Same family and same address; two without a family are equal. */
bool ip_address_equal(const struct ip_address *a, const struct ip_address *b);

/** Parses an IPv4 (dotted quad) or IPv6 (RFC 4291 §2.2, no brackets, no zone) address.
 *  0, or -EINVAL with *ret untouched. */
int ip_address_parse(const char *text, struct ip_address *ret);

/** Writes the address as text and a NUL to buf (IP_ADDRESS_TEXT_LEN bytes), IPv6 as RFC 5952 wants
 *  it; returns buf. Without a family: "none". */
char *ip_address_format(const struct ip_address *a, char *buf);

bool ipv6_addr_equal(const struct ipv6_addr *a, const struct ipv6_addr *b);
bool ipv6_addr_is_unspecified(const struct ipv6_addr *a); /* :: */
bool ipv6_addr_is_loopback(const struct ipv6_addr *a); /* ::1 */
bool ipv6_addr_is_multicast(const struct ipv6_addr *a); /* ff00::/8 */
bool ipv6_addr_is_link_local(const struct ipv6_addr *a); /* fe80::/10 */

/** How many leading bits a and b have in common: 0..128. */
uint32_t ipv6_addr_common_bits(const struct ipv6_addr *a, const struct ipv6_addr *b);

/** The address with the first prefix_len bits of prefix and the others of host. */
struct ipv6_addr ipv6_addr_join(
	const struct ipv6_addr *prefix, uint32_t prefix_len, const struct ipv6_addr *host);

/** prefix (64 bits of it) with the modified EUI-64 of mac as interface identifier: RFC 4291
 *  appendix A, RFC 2464 §4. */
struct ipv6_addr ipv6_addr_of_mac(const struct ipv6_addr *prefix, const struct ether_addr *mac);

/** The solicited-node multicast address of a (RFC 4291 §2.7.1). */
struct ipv6_addr ipv6_addr_solicited_node(const struct ipv6_addr *a);

/** The Ethernet address of an IPv6 multicast address (RFC 2464 §7). */
struct ether_addr ipv6_addr_multicast_mac(const struct ipv6_addr *a);

/** Parses "2001:db8::2/64"; without "/N" prefix_len is 128. 0, or -EINVAL. */
int ipv6_cidr_parse(const char *text, struct ipv6_addr *ret_addr, uint8_t *ret_prefix_len);

extern const struct ipv6_addr ipv6_addr_unspecified; /* :: */
extern const struct ipv6_addr ipv6_addr_all_nodes; /* ff02::1, RFC 4291 §2.7.1 */
extern const struct ipv6_addr ipv6_addr_all_routers; /* ff02::2 */
extern const struct ipv6_addr ipv6_addr_all_mldv2_routers; /* ff02::16, RFC 3810 §5.2.14 */
extern const struct ipv6_addr ipv6_addr_link_local_prefix; /* fe80::/64 */

#endif
