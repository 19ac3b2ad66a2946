/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_ICMPV6_H
#define WIRE_ICMPV6_H

#include <stdint.h>

#include "wire_icmp.h"
#include "wire_ip.h"

#define ICMPV6_HEADER_LEN 8U
/* Types: RFC 4443, RFC 4861, RFC 3810. Below 128 they are errors. */
#define ICMPV6_UNREACHABLE 1U
#define ICMPV6_UNREACHABLE_PROHIBITED 1U
#define ICMPV6_UNREACHABLE_PORT 4U
#define ICMPV6_UNREACHABLE_POLICY 5U /* source address failed ingress or egress policy */
#define ICMPV6_UNREACHABLE_REJECT 6U
#define ICMPV6_PACKET_TOO_BIG 2U
#define ICMPV6_TIME_EXCEEDED 3U
#define ICMPV6_TIME_EXCEEDED_REASSEMBLY 1U
#define ICMPV6_PARAMETER_PROBLEM 4U
#define ICMPV6_PARAMETER_NEXT_HEADER 1U /* an unknown one */
#define ICMPV6_ECHO_REQUEST 128U
#define ICMPV6_ECHO_REPLY 129U
#define ICMPV6_MLD_QUERY 130U
#define ICMPV6_MLDV2_REPORT 143U
#define ICMPV6_ROUTER_SOLICITATION 133U
#define ICMPV6_ROUTER_ADVERTISEMENT 134U
#define ICMPV6_NEIGHBOUR_SOLICITATION 135U
#define ICMPV6_NEIGHBOUR_ADVERTISEMENT 136U
#define ICMPV6_REDIRECT 137U

/** A parsed ICMPv6 message (RFC 4443). */
struct icmpv6_message {
	uint8_t type, code;
	uint32_t mtu; /* with PACKET_TOO_BIG: the next hop's */
	struct icmp_quote quote; /* with errors: the packet of ours that it is about */
	const uint8_t *body; /* with others: what follows type, code and checksum */
	uint32_t body_len; /* bytes at body, >= 4 */
};

/** Parses len contiguous bytes of an ICMPv6 message from src to dst, checksum included. DROP_NONE,
 *  DROP_ICMP_MALFORMED, or DROP_ICMP_IGNORED for an error type that RFC 4443 does not have. */
enum drop_reason wire_icmpv6_parse(const uint8_t *data, uint32_t len, const struct ipv6_addr *src,
	const struct ipv6_addr *dst, struct icmpv6_message *ret);

/** Fills in the checksum of the message of len bytes at p, which goes from src to dst. */
void wire_icmpv6_set_checksum(
	uint8_t *p, uint32_t len, const struct ipv6_addr *src, const struct ipv6_addr *dst);

/** Writes an echo reply with the request's body at p and returns its length, 4 + body_len. The
 *  checksum is left 0, here and below. */
uint32_t wire_icmpv6_build_echo_reply(uint8_t *p, const uint8_t *body, uint32_t body_len);

/** Writes an error whose second word is `word`, about the packet that begins with the quoted_len
 *  bytes at quoted; returns its length, ICMPV6_HEADER_LEN + quoted_len. */
uint32_t wire_icmpv6_build_error(uint8_t *p, uint8_t type, uint8_t code, uint32_t word,
	const uint8_t *quoted, uint32_t quoted_len);

/* Of a listener report's record, RFC 3810 §5.2.12: no source is excluded, all may send. */
#define MLD_MODE_IS_EXCLUDE 2U /* in answer to a query */
#define MLD_CHANGE_TO_EXCLUDE 4U /* a new group */

/** Writes a version 2 listener report that says "I listen to these n groups, whoever sends"
 *  (RFC 3810 §5.2), in records of this type; returns its length, 8 + 20 n. */
uint32_t wire_icmpv6_build_mld_report(
	uint8_t *p, uint8_t type, const struct ipv6_addr *group, uint32_t n);

#endif
