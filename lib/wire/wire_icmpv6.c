/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_icmpv6.h"
#include "wire_ipv6.h"

#define FIRST_INFORMATIONAL 128U
#define MLD_RECORD_LEN 20U

/* The packet inside an error is our own, so its payload length may be believed; it may be cut. Ours
 * have no extension header, but a tunnel may have put a Fragment header there. */
static enum drop_reason
parse_quote(const uint8_t *data, uint32_t len, struct icmp_quote *ret)
{
	struct ipv6_header h;

	if (wire_ipv6_parse(data, len, UINT32_MAX, &h) != DROP_NONE ||
		h.header_len + ICMP_QUOTED_DATA_LEN > len || h.fragment_offset > 0)
		return DROP_ICMP_MALFORMED;
	ret->total_len = h.total_len;
	ret->src = ip_address_of_v6(&h.src);
	ret->dst = ip_address_of_v6(&h.dst);
	ret->protocol = h.protocol;
	ret->src_port = be16_load(data + h.header_len);
	ret->dst_port = be16_load(data + h.header_len + 2);
	ret->seq = be32_load(data + h.header_len + 4);
	return DROP_NONE;
}

enum drop_reason
wire_icmpv6_parse(const uint8_t *data, uint32_t len, const struct ipv6_addr *src,
	const struct ipv6_addr *dst, struct icmpv6_message *ret)
{
	uint64_t sum = wire_checksum_pseudo_ipv6(src, dst, IPV6_NEXT_ICMPV6, len);
	struct icmpv6_message m = {0};
	enum drop_reason drop = DROP_NONE;

	if (len < ICMPV6_HEADER_LEN || wire_checksum_finish(wire_checksum_add(sum, data, len)) != 0)
		return DROP_ICMP_MALFORMED;
	m.type = data[0];
	m.code = data[1];
	if (m.type >= FIRST_INFORMATIONAL) {
		m.body = data + 4;
		m.body_len = len - 4;
	} else if (m.type >= ICMPV6_UNREACHABLE && m.type <= ICMPV6_PARAMETER_PROBLEM) {
		m.mtu = m.type == ICMPV6_PACKET_TOO_BIG ? be32_load(data + 4) : 0;
		drop = parse_quote(data + ICMPV6_HEADER_LEN, len - ICMPV6_HEADER_LEN, &m.quote);
	} else {
		return DROP_ICMP_IGNORED;
	}
	if (drop == DROP_NONE)
		*ret = m;
	return drop;
}

void
wire_icmpv6_set_checksum(
	uint8_t *p, uint32_t len, const struct ipv6_addr *src, const struct ipv6_addr *dst)
{
	uint64_t sum = wire_checksum_pseudo_ipv6(src, dst, IPV6_NEXT_ICMPV6, len);

	be16_store(p + 2, 0);
	be16_store(p + 2, wire_checksum_finish(wire_checksum_add(sum, p, len)));
}

uint32_t
wire_icmpv6_build_echo_reply(uint8_t *p, const uint8_t *body, uint32_t body_len)
{
	p[0] = ICMPV6_ECHO_REPLY;
	p[1] = 0;
	be16_store(p + 2, 0);
	memcpy(p + 4, body, body_len);
	return 4 + body_len;
}

uint32_t
wire_icmpv6_build_error(uint8_t *p, uint8_t type, uint8_t code, uint32_t word,
	const uint8_t *quoted, uint32_t quoted_len)
{
	p[0] = type;
	p[1] = code;
	be16_store(p + 2, 0);
	be32_store(p + 4, word);
	memcpy(p + ICMPV6_HEADER_LEN, quoted, quoted_len);
	return ICMPV6_HEADER_LEN + quoted_len;
}

uint32_t
wire_icmpv6_build_mld_report(uint8_t *p, uint8_t type, const struct ipv6_addr *group, uint32_t n)
{
	uint32_t i;

	memset(p, 0, ICMPV6_HEADER_LEN + n * MLD_RECORD_LEN);
	p[0] = ICMPV6_MLDV2_REPORT;
	be16_store(p + 6, (uint16_t)n);
	for (i = 0; i < n; i++) {
		p[ICMPV6_HEADER_LEN + i * MLD_RECORD_LEN] = type;
		memcpy(p + ICMPV6_HEADER_LEN + i * MLD_RECORD_LEN + 4, group[i].byte,
			sizeof(group[i].byte));
	}
	return ICMPV6_HEADER_LEN + n * MLD_RECORD_LEN;
}
