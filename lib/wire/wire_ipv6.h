/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_IPV6_H
#define WIRE_IPV6_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "wire_ip.h"

#define IPV6_HEADER_LEN 40U /* without extension headers; we send none but MLD's */
#define IPV6_MTU_MIN 1280U /* RFC 8200 §5: every link carries that much */
#define IPV6_HOP_LIMIT_DEFAULT 64U
#define IPV6_EXTENSIONS_MAX 8U /* headers walked; RFC 8504 §5.3 lets a host have a bound */
#define IPV6_FRAGMENT_LEN 8U /* the Fragment header */

/* Next Header values: RFC 8200 §4. */
#define IPV6_NEXT_HOP_BY_HOP 0U
#define IPV6_NEXT_ROUTING 43U
#define IPV6_NEXT_FRAGMENT 44U
#define IPV6_NEXT_ICMPV6 58U
#define IPV6_NEXT_DESTINATION 60U

/** A parsed IPv6 header (RFC 8200) with its extension headers. */
struct ipv6_header {
	struct ipv6_addr src, dst;
	uint32_t total_len; /* bytes, this header included */
	uint32_t header_len; /* to the upper layer's header, or to a fragment's data */
	uint8_t protocol; /* what comes there */
	uint8_t hop_limit;
	uint8_t ecn; /* RFC 3168 codepoint, 0..3 */
	bool fragment_header; /* there is one, around a whole packet or not */
	bool more_fragments;
	uint16_t
		fragment_offset; /* bytes, a multiple of 8; 0 and !more_fragments: a whole packet */
	uint32_t fragment_id;
};

/**
 * Parses an IPv6 header and the extension headers after it. data: its first byte; len: contiguous
 * bytes there; frame_len: bytes of the whole frame from data on, over all its parts (>= len).
 * Of a fragment the walk ends at its Fragment header: what follows is data until it is put
 * together (then wire_ipv6_walk goes on). A Fragment header around a whole packet is passed over
 * (RFC 6946).
 * DROP_NONE, or DROP_IP_HEADER (version, not contiguous), DROP_IP_TRUNCATED (payload length exceeds
 * frame_len), DROP_IP_EXTENSION (an extension header that is malformed, out of place, too many, asks
 * to be dropped when not understood, or a routing header with hops left: RFC 5095).
 */
enum drop_reason wire_ipv6_parse(
	const uint8_t *data, uint32_t len, uint32_t frame_len, struct ipv6_header *ret);

/**
 * Passes over the extension headers from data + *offset on, of kind *next; len: contiguous bytes at
 * data. DROP_NONE: *offset and *next are the upper layer's; or as wire_ipv6_parse. Fragment headers
 * are not understood here: DROP_IP_EXTENSION.
 */
enum drop_reason wire_ipv6_walk(const uint8_t *data, uint32_t len, uint32_t *offset, uint8_t *next);

/** Writes a 40-byte header at p and returns its length. header: src, dst, total_len, protocol,
 *  hop_limit and ecn are used. */
uint32_t wire_ipv6_build(uint8_t *p, const struct ipv6_header *header);

#endif
