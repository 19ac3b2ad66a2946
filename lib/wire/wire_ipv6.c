/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_ipv6.h"

#define IPV6_VERSION 6U
#define ECN_MASK 0x03U
#define OPTION_PAD1 0U
#define OPTION_ACTION_SHIFT 6U /* RFC 8200 §4.2: 0 in the type's two highest bits: skip */
#define FRAGMENT_OFFSET_MASK 0xfff8U
#define FRAGMENT_MORE 1U

/* The options of a Hop-by-Hop or Destination Options header: padding, or to be skipped. */
static bool
options_pass(const uint8_t *p, uint32_t len)
{
	uint32_t at = 2;

	while (at < len) {
		if (p[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (len - at < 2 || p[at] >> OPTION_ACTION_SHIFT != 0)
			return false;
		at += 2U + p[at + 1];
	}
	return at == len;
}

/* One header of kind next at p, with room contiguous bytes. Its length; 0: it does not pass. */
static uint32_t
extension_len(uint8_t next, const uint8_t *p, uint32_t room)
{
	uint32_t len;

	if (room < 8)
		return 0;
	len = (p[1] + 1U) * 8U;
	if (len > room)
		return 0;
	if (next == IPV6_NEXT_ROUTING)
		return p[3] == 0 ? len : 0; /* segments left: not for us to forward */
	return options_pass(p, len) ? len : 0;
}

static bool
is_extension(uint8_t next)
{
	return next == IPV6_NEXT_HOP_BY_HOP || next == IPV6_NEXT_ROUTING ||
	       next == IPV6_NEXT_DESTINATION || next == IPV6_NEXT_FRAGMENT;
}

/* As wire_ipv6_walk, up to a Fragment header; *left: headers that may still come. */
static enum drop_reason
walk(const uint8_t *data, uint32_t len, uint32_t *offset, uint8_t *next, uint32_t *left)
{
	uint32_t n;

	for (; is_extension(*next) && *next != IPV6_NEXT_FRAGMENT; (*left)--) {
		if (*left == 0 || (*next == IPV6_NEXT_HOP_BY_HOP && *offset != IPV6_HEADER_LEN))
			return DROP_IP_EXTENSION;
		n = extension_len(*next, data + *offset, len - *offset);
		if (n == 0)
			return DROP_IP_EXTENSION;
		*next = data[*offset];
		*offset += n;
	}
	return DROP_NONE;
}

enum drop_reason
wire_ipv6_walk(const uint8_t *data, uint32_t len, uint32_t *offset, uint8_t *next)
{
	uint32_t left = IPV6_EXTENSIONS_MAX;
	enum drop_reason drop = walk(data, len, offset, next, &left);

	return drop == DROP_NONE && is_extension(*next) ? DROP_IP_EXTENSION : drop;
}

/* The extension headers of the packet; h->header_len and h->protocol go along. */
static enum drop_reason
walk_packet(const uint8_t *data, uint32_t len, struct ipv6_header *h)
{
	uint32_t left = IPV6_EXTENSIONS_MAX;
	enum drop_reason drop;
	const uint8_t *p;
	uint16_t place;

	for (;;) {
		drop = walk(data, len, &h->header_len, &h->protocol, &left);
		if (drop != DROP_NONE || h->protocol != IPV6_NEXT_FRAGMENT)
			return drop;
		if (left-- == 0 || len - h->header_len < IPV6_FRAGMENT_LEN)
			return DROP_IP_EXTENSION;
		p = data + h->header_len;
		place = be16_load(p + 2);
		h->fragment_header = true;
		h->protocol = p[0];
		h->header_len += IPV6_FRAGMENT_LEN;
		h->fragment_offset = place & FRAGMENT_OFFSET_MASK;
		h->more_fragments = (place & FRAGMENT_MORE) != 0;
		h->fragment_id = be32_load(p + 4);
		if (h->fragment_offset > 0 || h->more_fragments)
			return DROP_NONE;
	}
}

enum drop_reason
wire_ipv6_parse(const uint8_t *data, uint32_t len, uint32_t frame_len, struct ipv6_header *ret)
{
	struct ipv6_header h = {.header_len = IPV6_HEADER_LEN};
	enum drop_reason drop;

	if (len < IPV6_HEADER_LEN || data[0] >> 4 != IPV6_VERSION)
		return DROP_IP_HEADER;
	h.total_len = IPV6_HEADER_LEN + be16_load(data + 4);
	if (h.total_len > frame_len)
		return DROP_IP_TRUNCATED;
	h.protocol = data[6];
	h.hop_limit = data[7];
	h.ecn = (data[1] >> 4) & ECN_MASK;
	memcpy(h.src.byte, data + 8, sizeof(h.src.byte));
	memcpy(h.dst.byte, data + 24, sizeof(h.dst.byte));
	if (is_extension(h.protocol)) {
		drop = walk_packet(data, MIN_OF(len, h.total_len), &h);
		if (drop != DROP_NONE)
			return drop;
	}
	*ret = h;
	return DROP_NONE;
}

uint32_t
wire_ipv6_build(uint8_t *p, const struct ipv6_header *header)
{
	be32_store(p, IPV6_VERSION << 28 | (uint32_t)(header->ecn & ECN_MASK) << 20);
	be16_store(p + 4, (uint16_t)(header->total_len - IPV6_HEADER_LEN));
	p[6] = header->protocol;
	p[7] = header->hop_limit;
	memcpy(p + 8, header->src.byte, sizeof(header->src.byte));
	memcpy(p + 24, header->dst.byte, sizeof(header->dst.byte));
	return IPV6_HEADER_LEN;
}
