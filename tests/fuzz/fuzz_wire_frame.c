/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a frame through all parsers; a TCP header that parses is built and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "wire_arp.h"
#include "wire_ether.h"
#include "wire_icmp.h"
#include "wire_icmpv6.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"
#include "wire_ndp.h"
#include "wire_tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_tcp(const uint8_t *data, uint32_t len)
{
	static uint8_t built[UINT16_MAX + TCP_HEADER_LEN_MAX];
	struct tcp_segment s = {0}, again = {0};
	uint32_t header_len;

	if (wire_tcp_parse(data, len, &s) != DROP_NONE)
		return;
	CHECK(s.payload.data + s.payload.len == data + len);
	header_len = wire_tcp_header_len(&s);
	CHECK(header_len <= TCP_HEADER_LEN_MAX);
	CHECK(wire_tcp_parse(built, wire_tcp_build(built, &s), &again) == DROP_NONE);
	CHECK(again.seq == s.seq && again.ack == s.ack && again.flags == s.flags);
	CHECK((again.options | TCP_OPT_SACK) == (s.options | TCP_OPT_SACK));
	CHECK(again.payload.len == s.payload.len && again.sack_count <= s.sack_count);
	/* A SACK block is left out only where it has no room; the first needs four bytes more. */
	if (again.sack_count < s.sack_count)
		CHECK(header_len + (again.sack_count > 0 ? 8 : 12) > TCP_HEADER_LEN_MAX);
	CHECK(memcmp(again.payload.data, s.payload.data, s.payload.len) == 0);
}

/* What follows type, code and checksum; a message that parses is built and parsed again. */
static void
check_ndp(const uint8_t *body, uint32_t len)
{
	struct ndp_router_advertisement ra;
	struct ndp_neighbour m, again;
	uint8_t built[NDP_NEIGHBOUR_LEN];
	uint32_t i, n;

	for (i = 0; i < 2; i++) {
		if (wire_ndp_parse_neighbour(body, len, i, &m) != DROP_NONE)
			continue;
		CHECK(!ipv6_addr_is_multicast(&m.target));
		n = wire_ndp_build_neighbour(built, i, &m);
		CHECK(n <= len + 4 && n <= NDP_NEIGHBOUR_LEN);
		CHECK(wire_ndp_parse_neighbour(built + 4, n - 4, i, &again) == DROP_NONE);
		CHECK(again.mac_set == m.mac_set && again.override == m.override);
		CHECK(ipv6_addr_equal(&again.target, &m.target));
	}
	if (wire_ndp_parse_router(body, len, &ra) != DROP_NONE)
		return;
	CHECK(ra.prefix_count <= NDP_PREFIXES_MAX && ra.dns_count <= NDP_DNS_SERVERS_MAX);
	for (i = 0; i < ra.prefix_count; i++)
		CHECK(ra.prefix[i].prefix_len <= 128 &&
			ra.prefix[i].preferred_s <= ra.prefix[i].valid_s);
}

static void
check_icmpv6(uint8_t *data, uint32_t len, const struct ipv6_header *ip)
{
	struct icmpv6_message m;

	(void)wire_icmpv6_parse(data, len, &ip->src, &ip->dst, &m);
	if (len < 4)
		return;
	check_ndp(data + 4, len - 4);
	wire_icmpv6_set_checksum(data, len, &ip->src, &ip->dst);
	if (wire_icmpv6_parse(data, len, &ip->src, &ip->dst, &m) == DROP_NONE)
		CHECK(m.body == NULL || m.body + m.body_len == data + len);
}

static void
check_ipv6(uint8_t *l3, uint32_t len)
{
	struct ipv6_header ip, again;
	uint8_t built[IPV6_HEADER_LEN];

	if (wire_ipv6_parse(l3, len, len, &ip) != DROP_NONE)
		return;
	CHECK(ip.header_len >= IPV6_HEADER_LEN && ip.header_len <= ip.total_len);
	CHECK(ip.total_len <= len);
	wire_ipv6_build(built, &ip);
	if (wire_ipv6_parse(built, IPV6_HEADER_LEN, len, &again) == DROP_NONE)
		CHECK(again.total_len == ip.total_len && again.ecn == ip.ecn &&
			ipv6_addr_equal(&again.src, &ip.src));
	if (ip.fragment_offset > 0 || ip.more_fragments)
		return;
	check_tcp(l3 + ip.header_len, ip.total_len - ip.header_len);
	check_icmpv6(l3 + ip.header_len, ip.total_len - ip.header_len, &ip);
}

static void
check_ipv4(const uint8_t *l3, uint32_t len)
{
	struct icmp_message icmp;
	struct ipv4_header ip;

	if (wire_ipv4_parse(l3, len, len, false, &ip) != DROP_NONE)
		return;
	l3 += ip.header_len;
	len = (uint32_t)ip.total_len - ip.header_len;
	(void)wire_icmp_parse(l3, len, &icmp);
	check_tcp(l3, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct frame frame = {.data = copy, .len = (uint32_t)size};
	struct ether_header ether;
	struct arp_packet arp;
	uint32_t len;

	if (copy == NULL || size > UINT16_MAX) {
		free(copy);
		return 0;
	}
	memcpy(copy, data, size);
	if (wire_ether_parse(&frame, &ether) == DROP_NONE) {
		len = (uint32_t)size - ether.header_len;
		(void)wire_arp_parse(copy + ether.header_len, len, &arp);
		check_ipv4(copy + ether.header_len, len);
		check_ipv6(copy + ether.header_len, len);
	}
	free(copy);
	return 0;
}
