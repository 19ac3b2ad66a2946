/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include <stdint.h>

#include "base_counters.h"
#include "wire_ip.h"

#define ICMP_HEADER_LEN 8U
#define ICMP_ECHO_REPLY 0U
#define ICMP_UNREACHABLE 3U
#define ICMP_UNREACHABLE_NET 0U
#define ICMP_UNREACHABLE_HOST 1U
#define ICMP_UNREACHABLE_PROTOCOL 2U
#define ICMP_UNREACHABLE_PORT 3U
#define ICMP_UNREACHABLE_FRAG 4U /* fragmentation needed and DF set */
#define ICMP_UNREACHABLE_NET_PROHIBITED 9U /* RFC 1122 §3.2.2.1 */
#define ICMP_UNREACHABLE_HOST_PROHIBITED 10U
#define ICMP_UNREACHABLE_PROHIBITED 13U /* RFC 1812 §5.2.7.1: a filter */
#define ICMP_ECHO_REQUEST 8U
#define ICMP_TIME_EXCEEDED 11U
#define ICMP_TIME_EXCEEDED_REASSEMBLY 1U
#define ICMP_QUOTED_DATA_LEN \
	8U /* RFC 792: of the packet that an error is about, after its header */

/** The inside of an ICMP error: the header of the packet of ours that it is about. */
struct icmp_quote {
	struct ip_address src, dst;
	uint8_t protocol;
	uint32_t total_len; /* of the whole packet, which is quoted in part */
	uint16_t src_port, dst_port; /* host order */
	uint32_t seq; /* TCP sequence number */
};

/** A parsed ICMP message (RFC 792). */
struct icmp_message {
	uint8_t type, code;
	uint16_t next_hop_mtu; /* with code FRAG: RFC 1191, 0 when the router gave none */
	struct icmp_quote quote; /* with UNREACHABLE and TIME_EXCEEDED */
	const uint8_t *body; /* with ECHO_REQUEST: identifier, sequence and data */
	uint32_t body_len; /* bytes at body, >= 4 */
};

/** Parses len contiguous bytes after the IP header, checksum included. DROP_NONE,
 *  DROP_ICMP_MALFORMED, or DROP_ICMP_IGNORED for types other than the three above. */
enum drop_reason wire_icmp_parse(const uint8_t *data, uint32_t len, struct icmp_message *ret);

/** Writes an echo reply with the request's body at p (ICMP_HEADER_LEN - 4 + body_len bytes) and
 *  returns its length. */
uint32_t wire_icmp_build_echo_reply(uint8_t *p, const uint8_t *body, uint32_t body_len);

/** Writes a time-exceeded error about the packet that begins with the quoted_len bytes at quoted
 *  (IP header and ICMP_QUOTED_DATA_LEN) at p; returns its length, ICMP_HEADER_LEN + quoted_len. */
uint32_t wire_icmp_build_time_exceeded(
	uint8_t *p, uint8_t code, const uint8_t *quoted, uint32_t quoted_len);

#endif
