/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "test_peer.h"
#include "test_peer_priv.h"
#include "wire_checksum.h"
#include "wire_icmpv6.h"
#include "wire_ipv4.h"
#include "wire_ndp.h"

/* What the host across the cable says and hears by IPv6. */

#define FRAME_MAX 2048U

const struct ipv6_addr test_peer_ipv6 = {{0x20, 1, 0xd, 0xb8, [15] = 1}};
const struct ipv6_addr test_peer_link_local = {{0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 1}};
const struct ipv6_addr test_our_ipv6 = {{0x20, 1, 0xd, 0xb8, [15] = 2}};
const struct ipv6_addr test_our_link_local = {{0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 2}};

void
test_peer_config_ipv6(struct netstack_config *cfg)
{
	cfg->ipv6.enabled = true;
	cfg->ipv6.address = test_our_ipv6;
	cfg->ipv6.prefix_len = 64;
	cfg->ipv6.gateway = test_peer_link_local;
}

void
test_peer_send_ipv6(
	struct test_peer *p, const struct ipv6_header *header, const void *payload, uint32_t len)
{
	struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_IPV6};
	struct ipv6_header ip = *header;
	uint8_t frame[FRAME_MAX];
	uint32_t l2;

	ether.vlan_id = p->vlan_id;
	if (ipv6_addr_is_multicast(&ip.dst))
		ether.dst = ipv6_addr_multicast_mac(&ip.dst);
	l2 = wire_ether_build(frame, &ether);
	ip.total_len = IPV6_HEADER_LEN + len;
	assert_true(l2 + ip.total_len <= FRAME_MAX);
	wire_ipv6_build(frame + l2, &ip);
	memcpy(frame + l2 + IPV6_HEADER_LEN, payload, len);
	test_peer_send_frame(p, frame, l2 + ip.total_len);
}

void
test_peer_send_icmpv6(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *dst,
	uint8_t hop_limit, uint8_t *message, uint32_t len)
{
	const struct ipv6_header ip = {
		.src = *src, .dst = *dst, .protocol = IPV6_NEXT_ICMPV6, .hop_limit = hop_limit};

	wire_icmpv6_set_checksum(message, len, src, dst);
	test_peer_send_ipv6(p, &ip, message, len);
}

static bool
is_host(const struct ipv6_addr *a)
{
	return ipv6_addr_equal(a, &test_peer_ipv6) || ipv6_addr_equal(a, &test_peer_link_local);
}

/* RFC 4861 §7.2.4, as a host that is in the solicited-node groups of its addresses. */
static void
on_solicitation(struct test_peer *p, const struct ether_header *ether, const struct ipv6_header *ip,
	const uint8_t *message, uint32_t len)
{
	struct ipv6_addr group;
	struct ether_addr group_mac;
	struct ndp_neighbour m;
	uint8_t answer[NDP_NEIGHBOUR_LEN];

	assert_int_equal(ip->hop_limit, NDP_HOP_LIMIT);
	assert_int_equal(wire_ndp_parse_neighbour(message + 4, len - 4, false, &m), DROP_NONE);
	group = ipv6_addr_solicited_node(&m.target);
	group_mac = ipv6_addr_multicast_mac(&group);
	if (ipv6_addr_is_multicast(&ip->dst)) {
		assert_true(ipv6_addr_equal(&ip->dst, &group));
		assert_true(ether_addr_equal(&ether->dst, &group_mac));
	}
	if (!p->answers.ndp || !is_host(&m.target) || ipv6_addr_is_unspecified(&ip->src) ||
		(!ipv6_addr_is_multicast(&ip->dst) &&
			!ether_addr_equal(&ether->dst, &test_peer_mac)))
		return; /* not asked, or asked at another's MAC */
	m = (struct ndp_neighbour){.target = m.target,
		.solicited = true,
		.override = true,
		.router = p->answers.router,
		.mac_set = true,
		.mac = test_peer_mac};
	len = wire_ndp_build_neighbour(answer, true, &m);
	test_peer_send_icmpv6(p, &m.target, &ip->src, NDP_HOP_LIMIT, answer, len);
}

static uint32_t
icmpv6_index(uint32_t type)
{
	assert_true(type <= 4 || (type >= 128 && type <= 143));
	return type <= 4 ? type : type - 128 + 5;
}

const struct test_peer_icmpv6 *
test_peer_icmpv6_sent(const struct test_peer *p, uint32_t type)
{
	return &p->icmpv6[icmpv6_index(type)];
}

static void
on_icmpv6(struct test_peer *p, const struct ether_header *ether, const struct ipv6_header *ip,
	const uint8_t *message, uint32_t len)
{
	struct test_peer_icmpv6 *seen;
	uint64_t sum = wire_checksum_pseudo_ipv6(&ip->src, &ip->dst, IPV6_NEXT_ICMPV6, len);

	assert_true(len >= 8);
	assert_int_equal(wire_checksum_finish(wire_checksum_add(sum, message, len)), 0);
	seen = &p->icmpv6[icmpv6_index(message[0])];
	seen->count++;
	seen->ether = *ether;
	seen->ip = *ip;
	seen->len = len;
	assert_true(len <= sizeof(seen->message));
	memcpy(seen->message, message, len);
	if (message[0] == ICMPV6_NEIGHBOUR_SOLICITATION)
		on_solicitation(p, ether, ip, message, len);
}

/* RFC 4291 §2.7: a group is no source; RFC 2464 §7: a group's packets go to its MAC address. */
void
test_peer_on_ipv6(
	struct test_peer *p, const struct ether_header *ether, const uint8_t *data, uint32_t len)
{
	struct ipv6_header ip;
	struct ether_addr group_mac;

	assert_int_equal(wire_ipv6_parse(data, len, len, &ip), DROP_NONE);
	assert_int_equal(ip.total_len, len);
	assert_false(ipv6_addr_is_multicast(&ip.src));
	group_mac = ipv6_addr_multicast_mac(&ip.dst);
	if (ipv6_addr_is_multicast(&ip.dst))
		assert_true(ether_addr_equal(&ether->dst, &group_mac));
	if (ip.protocol == IPV6_NEXT_ICMPV6)
		on_icmpv6(p, ether, &ip, data + ip.header_len, len - ip.header_len);
	else if (ip.protocol == IPV4_PROTO_TCP && is_host(&ip.dst))
		test_peer_on_tcp(p, &ip.src, &ip.dst, data + ip.header_len, len - ip.header_len);
}
