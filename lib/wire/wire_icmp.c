/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_icmp.h"
#include "wire_ipv4.h"

#define IPV4_FRAGMENT_OFFSET 0x1fffU /* RFC 791 §3.1 */

/* The packet inside an error is our own, so its header needs no checksum test; it may be cut. */
static enum drop_reason
parse_quote(const uint8_t *data, uint32_t len, struct icmp_quote *ret)
{
	uint32_t header_len;

	if (len < IPV4_HEADER_LEN || data[0] >> 4 != 4)
		return DROP_ICMP_MALFORMED;
	header_len = (data[0] & 0x0fU) * 4U;
	if (header_len < IPV4_HEADER_LEN || len < header_len + ICMP_QUOTED_DATA_LEN)
		return DROP_ICMP_MALFORMED;
	/* Only the first fragment holds the ports. */
	if (be16_load(data + 6) & IPV4_FRAGMENT_OFFSET)
		return DROP_ICMP_MALFORMED;
	ret->total_len = be16_load(data + 2);
	ret->src = ip_address_of_v4(be32_load(data + 12));
	ret->dst = ip_address_of_v4(be32_load(data + 16));
	ret->protocol = data[9];
	ret->src_port = be16_load(data + header_len);
	ret->dst_port = be16_load(data + header_len + 2);
	ret->seq = be32_load(data + header_len + 4);
	return DROP_NONE;
}

enum drop_reason
wire_icmp_parse(const uint8_t *data, uint32_t len, struct icmp_message *ret)
{
	struct icmp_message m = {0};
	enum drop_reason drop = DROP_NONE;

	if (len < ICMP_HEADER_LEN || wire_checksum_finish(wire_checksum_add(0, data, len)) != 0)
		return DROP_ICMP_MALFORMED;
	m.type = data[0];
	m.code = data[1];
	switch (m.type) {
	case ICMP_ECHO_REQUEST:
		m.body = data + 4;
		m.body_len = len - 4;
		break;
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
		if (m.type == ICMP_UNREACHABLE && m.code == ICMP_UNREACHABLE_FRAG)
			m.next_hop_mtu = be16_load(data + 6);
		drop = parse_quote(data + ICMP_HEADER_LEN, len - ICMP_HEADER_LEN, &m.quote);
		break;
	default:
		return DROP_ICMP_IGNORED;
	}
	if (drop == DROP_NONE)
		*ret = m;
	return drop;
}

uint32_t
wire_icmp_build_echo_reply(uint8_t *p, const uint8_t *body, uint32_t body_len)
{
	p[0] = ICMP_ECHO_REPLY;
	p[1] = 0;
	be16_store(p + 2, 0);
	memcpy(p + 4, body, body_len);
	be16_store(p + 2, wire_checksum_finish(wire_checksum_add(0, p, 4 + body_len)));
	return 4 + body_len;
}

uint32_t
wire_icmp_build_time_exceeded(uint8_t *p, uint8_t code, const uint8_t *quoted, uint32_t quoted_len)
{
	uint32_t len = ICMP_HEADER_LEN + quoted_len;

	memset(p, 0, ICMP_HEADER_LEN);
	p[0] = ICMP_TIME_EXCEEDED;
	p[1] = code;
	memcpy(p + ICMP_HEADER_LEN, quoted, quoted_len);
	be16_store(p + 2, wire_checksum_finish(wire_checksum_add(0, p, len)));
	return len;
}
