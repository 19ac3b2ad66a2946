/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"
#include "base_bytes.h"
#include "netstack_udp.h"
#include "wire_checksum.h"
#include "wire_udp.h"

/* UDP ports over IPv6 (RFC 8200 §8.1, RFC 768). */

#define PORT 40000U
#define DHCP_PORT 68U
#define NS ICMPV6_NEIGHBOUR_SOLICITATION

static const struct ip_address v4_peer = {.family = 4, .v4 = TEST_PEER_ADDRESS};

static void
both(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
}

static void
ipv6_alone(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->address = 0;
}

static struct test_peer *
quiet(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = fx_new(change);

	fx_pass(p, 3 * NS_PER_SEC);
	return p;
}

static int
send_to(struct test_peer *p, struct netstack_udp *u, const char *text, const char *data)
{
	const struct ip_address remote = {.family = 6, .v6 = fx_v6(text)};

	return netstack_udp_send(p->ns, u, &remote, 53, data, (uint32_t)strlen(data));
}

/* A datagram from the peer's port 53, ready to be spoilt. Returns its length. */
static uint32_t
make(uint8_t *p, const struct ipv6_addr *dst, uint16_t port, const void *data, uint32_t len)
{
	const struct udp_datagram udp = {
		.src_port = 53, .dst_port = port, .data = data, .data_len = len};

	return wire_udp_build(p, &udp,
		wire_checksum_pseudo_ipv6(
			&test_peer_ipv6, dst, IPV4_PROTO_UDP, UDP_HEADER_LEN + len));
}

static void
deliver_bytes(struct test_peer *p, const struct ipv6_addr *dst, const uint8_t *bytes, uint32_t len,
	uint32_t flags)
{
	const struct ipv6_header ip = {
		.src = test_peer_ipv6, .dst = *dst, .protocol = IPV4_PROTO_UDP, .hop_limit = 64};

	test_peer_send_ipv6(p, &ip, bytes, len);
	p->waiting[0].flags = flags;
	test_peer_deliver(p);
}

static void
deliver(struct test_peer *p, const struct ipv6_addr *dst, uint16_t port, const char *data)
{
	uint8_t bytes[200];

	deliver_bytes(p, dst, bytes, make(bytes, dst, port, data, (uint32_t)strlen(data)), 0);
}

/* The last frame sent is this datagram. */
static void
expect_sent(const struct test_peer *p, const char *src, const char *dst, const char *data)
{
	const struct ipv6_addr from = fx_v6(src), to = fx_v6(dst);
	const uint8_t *l3 = p->last + ETHER_HEADER_LEN, *l4 = l3 + IPV6_HEADER_LEN;
	struct ipv6_header ip;
	struct udp_datagram udp;

	assert_int_equal(wire_ipv6_parse(l3, p->last_len - 14, p->last_len - 14, &ip), DROP_NONE);
	assert_int_equal(ip.protocol, IPV4_PROTO_UDP);
	assert_int_equal(ip.hop_limit, IPV6_HOP_LIMIT_DEFAULT);
	assert_true(ipv6_addr_equal(&ip.src, &from));
	assert_true(ipv6_addr_equal(&ip.dst, &to));
	assert_int_equal(wire_udp_parse(l4, ip.total_len - IPV6_HEADER_LEN, &udp), DROP_NONE);
	assert_int_not_equal(udp.checksum, 0);
	assert_int_equal(wire_udp_verify(l4, &udp,
				 wire_checksum_pseudo_ipv6(&from, &to, IPV4_PROTO_UDP, udp.len)),
		DROP_NONE);
	assert_int_equal(udp.data_len, strlen(data));
	assert_memory_equal(udp.data, data, strlen(data));
}

TEST(test_udp_ipv6_datagram_waits_for_its_neighbour_then_goes_out_once)
{
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, 0);
	uint32_t asked = test_peer_icmpv6_sent(p, NS)->count;

	assert_int_equal(send_to(p, u, "2001:db8::1", "query"), 0);
	(void)test_peer_take(p);
	assert_int_equal(test_peer_icmpv6_sent(p, NS)->count, asked + 1);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 0);
	fx_run(p);
	expect_sent(p, "2001:db8::2", "2001:db8::1", "query");
	assert_memory_equal(p->last, test_peer_mac.byte, 6);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 1);
	assert_false(netstack_udp_waiting(u));
	fx_end(p);
}

TEST(test_udp_ipv6_source_and_next_hop_are_those_of_the_route)
{
	struct test_peer *p = quiet(both);
	struct netstack_udp *u = fx_open_port(p, 0);

	assert_int_equal(send_to(p, u, "2001:db8:9::1", "far"), 0);
	fx_run(p); /* by the gateway */
	expect_sent(p, "2001:db8::2", "2001:db8:9::1", "far");
	assert_int_equal(send_to(p, u, "fe80::ff:fe00:1", "near"), 0);
	fx_run(p);
	expect_sent(p, "fe80::ff:fe00:2", "fe80::ff:fe00:1", "near");
	assert_int_equal(netstack_udp_send(p->ns, u, &v4_peer, 53, "four", 4), 0);
	fx_run(p);
	assert_int_equal(be16_load(p->last + 12), ETHER_TYPE_IPV4);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 3);
	fx_end(p);
}

static void
being_tested(struct netstack_config *cfg)
{
	ipv6_alone(cfg);
	cfg->probe_address = true;
}

TEST(test_udp_ipv6_what_cannot_be_sent_is_refused_with_the_reason)
{
	static char text[NETSTACK_UDP_DATA_MAX];
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, 0);

	assert_int_equal(send_to(p, u, "ff02::1", "x"), -ENETUNREACH);
	assert_int_equal(send_to(p, u, "::1", "x"), -ENETUNREACH);
	assert_int_equal(send_to(p, u, "::", "x"), -ENETUNREACH);
	assert_int_equal(send_to(p, u, "2001:db8::2", "x"), -EADDRINUSE);
	assert_int_equal(netstack_udp_send(p->ns, u, &v4_peer, 53, "x", 1), -EAFNOSUPPORT);
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(send_to(p, u, "2001:db8::1", text), -EMSGSIZE);
	text[1500 - 40 - 8] = '\0';
	assert_int_equal(send_to(p, u, "2001:db8::1", text), 0);
	fx_run(p);
	assert_int_equal(p->last_len, 1514);
	fx_end(p);
	p = fx_new(being_tested);
	u = fx_open_port(p, 0);
	assert_int_equal(send_to(p, u, "2001:db8::1", "x"), -EINPROGRESS);
	fx_pass(p, 2 * NS_PER_SEC);
	assert_int_equal(send_to(p, u, "2001:db8::1", "x"), 0);
	fx_end(p);
}

TEST(test_udp_ipv6_next_hop_that_is_silent_is_an_error)
{
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, 0);

	p->answers.ndp = false;
	assert_int_equal(send_to(p, u, "2001:db8::1", "query"), 0);
	fx_pass(p, 6 * NS_PER_SEC);
	assert_int_equal(netstack_udp_error(u), -EHOSTUNREACH);
	assert_false(netstack_udp_waiting(u));
	fx_end(p);
}

TEST(test_udp_ipv6_received_datagrams_say_from_whom)
{
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, PORT);
	struct netstack_udp_received r;

	deliver(p, &test_our_ipv6, PORT, "global");
	deliver(p, &test_our_link_local, PORT, "local");
	assert_true(netstack_udp_recv(u, &r));
	assert_int_equal(r.from.family, 6);
	assert_true(ipv6_addr_equal(&r.from.v6, &test_peer_ipv6));
	assert_int_equal(r.from_port, 53);
	assert_int_equal(r.len, 6);
	assert_memory_equal(r.data, "global", 6);
	assert_true(netstack_udp_recv(u, &r));
	assert_memory_equal(r.data, "local", 5);
	assert_int_equal(test_buffers_live(&p->buffers), 0);
	fx_end(p);
}

/* RFC 8200 §8.1: whatever the NIC has to say about it. */
TEST(test_udp_ipv6_without_checksum_is_dropped_by_name)
{
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, PORT);
	struct netstack_udp_received r;
	uint8_t bytes[64];
	uint32_t len = make(bytes, &test_our_ipv6, PORT, "query", 5);

	be16_store(bytes + 6, 0);
	deliver_bytes(p, &test_our_ipv6, bytes, len, 0);
	deliver_bytes(p, &test_our_ipv6, bytes, len, FRAME_L4_CSUM_GOOD);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_CHECKSUM_NONE), 2);
	assert_false(netstack_udp_recv(u, &r));
	be16_store(bytes + 6, 0x1234);
	deliver_bytes(p, &test_our_ipv6, bytes, len, 0);
	deliver_bytes(p, &test_our_ipv6, bytes, len, FRAME_L4_CSUM_BAD);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_CHECKSUM), 2);
	be16_store(bytes + 6, wire_checksum_fold(wire_checksum_pseudo_ipv6(
				      &test_peer_ipv6, &test_our_ipv6, IPV4_PROTO_UDP, len)));
	deliver_bytes(p, &test_our_ipv6, bytes, len, 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_CHECKSUM_PARTIAL), 1);
	assert_false(netstack_udp_recv(u, &r));
	deliver_bytes(p, &test_our_ipv6, bytes, len, FRAME_L4_CSUM_GOOD);
	assert_true(netstack_udp_recv(u, &r));
	fx_end(p);
}

TEST(test_udp_ipv6_to_a_group_or_to_dhcps_port_is_dropped)
{
	struct test_peer *p = quiet(ipv6_alone);
	struct netstack_udp *u = fx_open_port(p, PORT), *dhcp = fx_open_port(p, DHCP_PORT);
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct netstack_udp_received r;

	deliver(p, &ipv6_addr_all_nodes, PORT, "x");
	deliver(p, &group, PORT, "x");
	deliver(p, &test_our_ipv6, DHCP_PORT, "x");
	deliver(p, &test_our_ipv6, PORT + 1, "x");
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_PORT), 4);
	deliver(p, &test_peer_link_local, PORT, "x");
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 1);
	assert_false(netstack_udp_recv(u, &r));
	assert_false(netstack_udp_recv(dhcp, &r));
	fx_end(p);
}

/* An ICMPv6 error about a datagram from src's port. */
static void
send_error(struct test_peer *p, uint8_t type, uint8_t code, const struct ipv6_addr *src,
	uint16_t src_port, uint16_t dst_port)
{
	const struct ipv6_header quoted = {.src = *src,
		.dst = test_peer_ipv6,
		.total_len = IPV6_HEADER_LEN + 13,
		.protocol = IPV4_PROTO_UDP,
		.hop_limit = 64};
	uint8_t message[8 + 40 + 8] = {type, code};

	wire_ipv6_build(message + 8, &quoted);
	be16_store(message + 48, src_port);
	be16_store(message + 50, dst_port);
	test_peer_send_icmpv6(p, &test_peer_ipv6, &test_our_ipv6, 64, message, sizeof(message));
	test_peer_deliver(p);
}

TEST(test_udp_ipv6_icmp_error_about_what_was_sent_is_told)
{
	struct test_peer *p = quiet(both);
	struct netstack_udp *u = fx_open_port(p, PORT);

	assert_int_equal(send_to(p, u, "2001:db8::1", "query"), 0);
	fx_run(p);
	send_error(p, ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, &test_our_ipv6, PORT + 1, 53);
	send_error(p, ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, &test_our_ipv6, PORT, 54);
	send_error(p, ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, &test_our_link_local, PORT, 53);
	send_error(p, ICMPV6_PACKET_TOO_BIG, 0, &test_our_ipv6, PORT, 53);
	assert_int_equal(netstack_udp_error(u), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), 4);
	send_error(p, ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, &test_our_ipv6, PORT, 53);
	assert_int_equal(netstack_udp_error(u), -ECONNREFUSED);
	send_error(p, ICMPV6_UNREACHABLE, 3, &test_our_ipv6, PORT, 53);
	assert_int_equal(netstack_udp_error(u), -EHOSTUNREACH);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_udp_ipv6_datagram_waits_for_its_neighbour_then_goes_out_once),
		T(test_udp_ipv6_source_and_next_hop_are_those_of_the_route),
		T(test_udp_ipv6_what_cannot_be_sent_is_refused_with_the_reason),
		T(test_udp_ipv6_next_hop_that_is_silent_is_an_error),
		T(test_udp_ipv6_received_datagrams_say_from_whom),
		T(test_udp_ipv6_without_checksum_is_dropped_by_name),
		T(test_udp_ipv6_to_a_group_or_to_dhcps_port_is_dropped),
		T(test_udp_ipv6_icmp_error_about_what_was_sent_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
