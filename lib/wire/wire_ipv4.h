/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_IPV4_H
#define WIRE_IPV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"

#define IPV4_HEADER_LEN 20U /* without options; we send none */
#define IPV4_PROTO_ICMP 1U
#define IPV4_PROTO_TCP 6U
#define IPV4_PROTO_UDP 17U
#define IPV4_TTL_DEFAULT 64U /* RFC 1700 */
#define IPV4_ECN_MASK 0x03U /* RFC 3168 §5: of the byte after version and header length */

/** A parsed IPv4 header (RFC 791); addresses in host order. */
struct ipv4_header {
	uint32_t src, dst;
	uint16_t total_len; /* bytes, header included */
	uint16_t header_len; /* bytes, 20..60 */
	uint16_t id;
	uint8_t protocol;
	uint8_t ttl;
	uint8_t ecn; /* RFC 3168 codepoint, 0..3 */
	uint16_t fragment_offset; /* bytes, a multiple of 8; 0: the first or only fragment */
	bool more_fragments; /* this is not the last one */
	bool dont_fragment;
};

/**
 * Parses and validates an IPv4 header. data: its first byte; len: contiguous bytes there;
 * frame_len: bytes of the whole frame from data on, over all its parts (>= len).
 * check_sum: verify the header checksum in software.
 * DROP_NONE, or DROP_IP_HEADER (version, length, header not contiguous), DROP_IP_CHECKSUM,
 * DROP_IP_TRUNCATED (total length > frame_len). Of a fragment (RFC 791: more_fragments, or an
 * offset) total_len is the fragment's.
 */
enum drop_reason wire_ipv4_parse(const uint8_t *data, uint32_t len, uint32_t frame_len,
	bool check_sum, struct ipv4_header *ret);

/** Writes a 20-byte header with DF set at p and returns its length. header: src, dst, total_len,
 *  id, protocol, ttl and ecn are used. fill_sum: false leaves the checksum 0 for the NIC. */
uint32_t wire_ipv4_build(uint8_t *p, const struct ipv4_header *header, bool fill_sum);

/** Parses dotted-quad text into host order. 0, or -EINVAL with *ret untouched. */
int ipv4_addr_parse(const char *text, uint32_t *ret);

/** Parses "198.18.0.2/24". prefix_len 0..32; without "/N" it is 32. 0, or -EINVAL. */
int ipv4_cidr_parse(const char *text, uint32_t *ret_addr, uint8_t *ret_prefix_len);

/** Writes dotted-quad text and a NUL to buf (16 bytes) and returns buf. addr in host order. */
#define IPV4_ADDR_TEXT_LEN 16U
char *ipv4_addr_format(uint32_t addr, char *buf);

/** The netmask of a prefix length 0..32, host order. */
uint32_t ipv4_prefix_mask(uint8_t prefix_len);

#endif
