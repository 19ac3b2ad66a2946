/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"
#include "base_bytes.h"
#include "netstack_udp.h"
#include "wire_checksum.h"
#include "wire_udp.h"

/* UDP ports, and a netstack whose address comes and goes. */

#define DHCP_PORT 68U

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};
static const struct ether_addr peer_mac = {{2, 0, 0, 0, 0, 1}};
static const struct ip_address peer = {.family = 4, .v4 = TEST_PEER_ADDRESS};
static const struct ip_address everybody = {.family = 4, .v4 = UINT32_MAX};

static void
no_address(struct netstack_config *cfg)
{
	cfg->address = 0;
}

static void
with_gateway(struct netstack_config *cfg)
{
	cfg->gateway = TEST_PEER_ADDRESS;
}

/* A netstack whose announcement is over. */
static struct test_peer *
quiet(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = fx_new(change);

	(void)test_peer_take(p);
	test_peer_wait(p, 3 * NS_PER_SEC);
	p->frames_seen = 0;
	return p;
}

/* The frame of a datagram; dst the IP address, l2_dst the MAC address. Returns its length. */
static uint32_t
make(uint8_t *frame, const struct ether_addr *l2_dst, uint32_t dst, uint16_t port, const void *data,
	uint32_t len)
{
	const struct ether_header ether = {
		.dst = *l2_dst, .src = peer_mac, .type = ETHER_TYPE_IPV4};
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = dst,
		.total_len = (uint16_t)(IPV4_HEADER_LEN + UDP_HEADER_LEN + len),
		.protocol = IPV4_PROTO_UDP,
		.ttl = 64};
	const struct udp_datagram udp = {
		.src_port = 53, .dst_port = port, .data = data, .data_len = len};
	uint32_t at = wire_ether_build(frame, &ether);

	at += wire_ipv4_build(frame + at, &ip, true);
	return at + wire_udp_build(frame + at, &udp,
			    wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_UDP, 8 + len));
}

static void
deliver_to(struct test_peer *p, const struct ether_addr *l2_dst, uint32_t dst, uint16_t port,
	const void *data, uint32_t len)
{
	uint8_t frame[2048];

	test_peer_send_frame(p, frame, make(frame, l2_dst, dst, port, data, len));
	test_peer_deliver(p);
}

static void
deliver(struct test_peer *p, uint16_t port, const void *data, uint32_t len)
{
	deliver_to(p, &our_mac, TEST_OUR_ADDRESS, port, data, len);
}

/* The last frame sent is this datagram. */
static void
expect_sent(const struct test_peer *p, uint32_t src, uint32_t dst, const void *data, uint32_t len)
{
	const uint8_t *l3 = p->last + ETHER_HEADER_LEN, *l4 = l3 + IPV4_HEADER_LEN;
	struct ipv4_header ip;
	struct udp_datagram udp;

	assert_int_equal(
		wire_ipv4_parse(l3, p->last_len - 14, p->last_len - 14, true, &ip), DROP_NONE);
	assert_int_equal(ip.protocol, IPV4_PROTO_UDP);
	assert_int_equal(ip.src, src);
	assert_int_equal(ip.dst, dst);
	assert_int_equal(wire_udp_parse(l4, ip.total_len - 20U, &udp), DROP_NONE);
	assert_int_not_equal(udp.checksum, 0);
	assert_int_equal(wire_udp_verify(l4, &udp,
				 wire_checksum_pseudo_ipv4(src, dst, IPV4_PROTO_UDP, udp.len)),
		DROP_NONE);
	assert_int_equal(udp.data_len, len);
	assert_memory_equal(udp.data, data, len);
}

TEST(test_udp_ports_are_random_distinct_and_few)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u[NETSTACK_UDP_PORTS], *one_more;
	uint32_t i, j;

	for (i = 0; i < NETSTACK_UDP_PORTS; i++) {
		u[i] = fx_open_port(p, 0);
		assert_true(netstack_udp_port(u[i]) >= NETSTACK_PORT_FIRST);
		for (j = 0; j < i; j++)
			assert_int_not_equal(netstack_udp_port(u[i]), netstack_udp_port(u[j]));
	}
	assert_int_equal(netstack_udp_open(p->ns, 0, &one_more), -ENOBUFS);
	assert_int_equal(netstack_udp_open(p->ns, netstack_udp_port(u[1]), &one_more), -EADDRINUSE);
	netstack_udp_close(p->ns, u[1]);
	u[1] = fx_open_port(p, 77);
	assert_int_equal(netstack_udp_port(u[1]), 77);
	netstack_udp_close(p->ns, NULL);
	fx_end(p);
}

TEST(test_udp_sent_datagram_waits_for_arp_then_goes_out_once)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 0);

	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "first", 5), 0);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0); /* in its place */
	(void)test_peer_take(p);
	assert_int_equal(p->who_has, 1);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 0);
	fx_run(p);
	expect_sent(p, TEST_OUR_ADDRESS, TEST_PEER_ADDRESS, "query", 5);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 1);
	assert_int_equal(netstack_udp_error(u), 0);
	assert_int_equal(p->ns->udp_waiting, 0);
	fx_end(p);
}

/* Who sleeps until the deadline must not sleep over a datagram that can go out. */
TEST(test_udp_datagram_that_can_go_out_is_due_at_once)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);

	(void)test_peer_take(p);
	assert_int_not_equal(netstack_deadline(p->ns), 0);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0);
	assert_int_equal(netstack_deadline(p->ns), 0);
	(void)test_peer_take(p); /* the question for ARP */
	assert_int_not_equal(netstack_deadline(p->ns), 0);
	test_peer_deliver(p);
	assert_int_equal(netstack_deadline(p->ns), 0);
	(void)test_peer_take(p);
	assert_false(netstack_udp_waiting(u));
	assert_int_not_equal(netstack_deadline(p->ns), 0);
	assert_int_equal(netstack_udp_send(p->ns, u, &everybody, 53, "query", 5), 0);
	assert_int_equal(netstack_deadline(p->ns), 0);
	fx_end(p);
}

TEST(test_udp_next_hop_that_is_silent_is_an_error_told_once)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 0);
	uint32_t i;

	p->answers.arp = false;
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0);
	for (i = 0; i < 5; i++)
		test_peer_wait(p, NS_PER_SEC);
	assert_int_equal(netstack_udp_error(u), 0);
	test_peer_wait(p, NS_PER_SEC);
	assert_int_equal(netstack_udp_error(u), -EHOSTUNREACH);
	assert_int_equal(netstack_udp_error(u), 0);
	assert_int_equal(p->ns->udp_waiting, 0);
	fx_end(p);
}

TEST(test_udp_off_the_subnet_goes_to_the_gateway_or_not_at_all)
{
	const struct ip_address far = {.family = 4, .v4 = 0x08080808}, six = {.family = 6};
	static const uint8_t zeros[NETSTACK_UDP_DATA_MAX + 1];
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 0);

	assert_int_equal(netstack_udp_send(p->ns, u, &far, 53, "q", 1), -ENETUNREACH);
	assert_int_equal(netstack_udp_send(p->ns, u, &six, 53, "q", 1), -EAFNOSUPPORT);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, zeros, sizeof(zeros)), -EMSGSIZE);
	assert_int_equal(test_peer_take(p), 0);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, zeros, sizeof(zeros) - 1), 0);
	fx_end(p);
	p = quiet(with_gateway);
	u = fx_open_port(p, 0);
	assert_int_equal(netstack_udp_send(p->ns, u, &far, 53, "q", 1), 0);
	fx_run(p);
	expect_sent(p, TEST_OUR_ADDRESS, far.v4, "q", 1);
	assert_memory_equal(p->last, peer_mac.byte, 6);
	fx_end(p);
}

TEST(test_udp_received_datagrams_are_copied_in_order_up_to_the_bound)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);
	struct netstack_udp_received r;
	char text[2] = "0";

	assert_false(netstack_udp_recv(u, &r));
	for (; text[0] < '0' + (char)NETSTACK_UDP_QUEUE + 1; text[0]++)
		deliver(p, 40000, text, 1);
	assert_int_equal(test_buffers_live(&p->buffers), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_QUEUE), 1);
	for (text[0] = '0'; text[0] < '0' + (char)NETSTACK_UDP_QUEUE; text[0]++) {
		assert_true(netstack_udp_recv(u, &r));
		assert_int_equal(r.from.family, 4);
		assert_int_equal(r.from.v4, TEST_PEER_ADDRESS);
		assert_int_equal(r.from_port, 53);
		assert_int_equal(r.len, 1);
		assert_int_equal(r.data[0], text[0]);
	}
	assert_false(netstack_udp_recv(u, &r));
	deliver(p, 40000, "again", 5);
	netstack_udp_close(p->ns, u);
	u = fx_open_port(p, 40000);
	assert_false(netstack_udp_recv(u, &r)); /* nothing of the one before */
	fx_end(p);
}

TEST(test_udp_datagram_that_is_wrong_is_dropped_by_its_reason)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);
	struct netstack_udp_received r;
	uint8_t frame[2048];
	static const uint8_t zeros[1500];
	uint32_t len;

	deliver(p, 40001, "x", 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_PORT), 1);
	deliver(p, 40000, zeros, NETSTACK_UDP_DATA_MAX + 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_QUEUE), 1);
	len = make(frame, &our_mac, TEST_OUR_ADDRESS, 40000, "x", 1);
	frame[len - 1] ^= 1;
	test_peer_send_frame(p, frame, len);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_CHECKSUM), 1);
	test_peer_send_frame(p, frame, len);
	p->waiting[0].flags = FRAME_L4_CSUM_BAD;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_CHECKSUM), 2);
	frame[14 + 20 + 5]++; /* the length */
	test_peer_send_frame(p, frame, len);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_LENGTH), 1);
	assert_false(netstack_udp_recv(u, &r));
	frame[14 + 20 + 5]--;
	test_peer_send_frame(p, frame, len);
	p->waiting[0].flags = FRAME_L4_CSUM_GOOD; /* the NIC's word */
	test_peer_deliver(p);
	assert_true(netstack_udp_recv(u, &r));
	fx_end(p);
}

TEST(test_udp_datagram_in_several_buffers_is_joined)
{
	static uint8_t data[1000];
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);
	struct netstack_udp_received r;
	struct payload part[3];
	struct frame f[3];
	uint8_t frame[2048];
	uint32_t i, len;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	len = make(frame, &our_mac, TEST_OUR_ADDRESS, 40000, data, sizeof(data));
	part[0] = test_buffer_make(&p->buffers, frame, 301);
	part[1] = test_buffer_make(&p->buffers, frame + 301, 400);
	part[2] = test_buffer_make(&p->buffers, frame + 701, len - 701);
	for (i = 0; i < 3; i++)
		f[i] = (struct frame){.data = part[i].owner,
			.len = part[i].len,
			.owner = part[i].owner,
			.next = i < 2 ? &f[i + 1] : NULL};
	netstack_input(p->ns, f, 1, p->now_ns);
	assert_true(netstack_udp_recv(u, &r));
	assert_int_equal(r.len, sizeof(data));
	assert_memory_equal(r.data, data, sizeof(data));
	fx_end(p);
}

/* An ICMP unreachable of this code about a datagram from our port to the peer's. */
static void
send_unreachable(struct test_peer *p, uint8_t code, uint16_t our_port, uint16_t their_port)
{
	const struct ether_header ether = {
		.dst = our_mac, .src = peer_mac, .type = ETHER_TYPE_IPV4};
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.total_len = 20 + 8 + 20 + 8,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = 64};
	const struct ipv4_header quoted = {.src = TEST_OUR_ADDRESS,
		.dst = TEST_PEER_ADDRESS,
		.total_len = 33,
		.protocol = IPV4_PROTO_UDP,
		.ttl = 64};
	uint8_t frame[128] = {0}, *icmp;
	uint32_t at = wire_ether_build(frame, &ether);

	at += wire_ipv4_build(frame + at, &ip, true);
	icmp = frame + at;
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = code;
	wire_ipv4_build(icmp + 8, &quoted, true);
	be16_store(icmp + 28, our_port);
	be16_store(icmp + 30, their_port);
	be16_store(icmp + 2, wire_checksum_finish(wire_checksum_add(0, icmp, 36)));
	test_peer_send_frame(p, frame, at + 36);
	test_peer_deliver(p);
}

TEST(test_udp_icmp_error_about_what_was_sent_is_told)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);

	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0);
	send_unreachable(p, ICMP_UNREACHABLE_PORT, 40000, 53); /* about what did not go out yet */
	assert_int_equal(netstack_udp_error(u), 0);
	fx_run(p);
	send_unreachable(p, ICMP_UNREACHABLE_PORT, 40000, 54);
	send_unreachable(p, ICMP_UNREACHABLE_PORT, 40001, 53);
	send_unreachable(p, ICMP_UNREACHABLE_FRAG, 40000, 53);
	assert_int_equal(netstack_udp_error(u), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), 4);
	send_unreachable(p, ICMP_UNREACHABLE_PORT, 40000, 53);
	assert_int_equal(netstack_udp_error(u), -ECONNREFUSED);
	send_unreachable(p, ICMP_UNREACHABLE_HOST, 40000, 53);
	assert_int_equal(netstack_udp_error(u), -EHOSTUNREACH);
	fx_end(p);
}

TEST(test_udp_without_address_dhcp_broadcasts_and_hears_all_that_is_for_our_mac)
{
	struct test_peer *p = quiet(no_address);
	struct netstack_udp *u = fx_open_port(p, DHCP_PORT), *other = fx_open_port(p, 40000);
	struct netstack_udp_received r;
	struct netstack_conn *nc;

	assert_int_equal(netstack_route(p->ns, &peer), -EAFNOSUPPORT);
	assert_int_equal(p->frames_seen, 0); /* nothing is announced */
	assert_int_equal(netstack_connect(p->ns, &peer, 80, NULL, p->now_ns, &nc), -EAFNOSUPPORT);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 67, "x", 1), -EAFNOSUPPORT);
	assert_int_equal(netstack_udp_send(p->ns, u, &everybody, 67, "discover", 8), 0);
	assert_int_equal(test_peer_take(p), 1);
	expect_sent(p, 0, UINT32_MAX, "discover", 8);
	assert_memory_equal(p->last, ether_addr_broadcast.byte, 6);
	deliver_to(p, &our_mac, 0xc6120032, DHCP_PORT, "unicast", 7);
	deliver_to(p, &ether_addr_broadcast, UINT32_MAX, DHCP_PORT, "broadcast", 9);
	assert_true(netstack_udp_recv(u, &r));
	assert_memory_equal(r.data, "unicast", 7);
	assert_true(netstack_udp_recv(u, &r));
	assert_memory_equal(r.data, "broadcast", 9);
	deliver_to(p, &our_mac, 0xc6120032, 40000, "x", 1);
	deliver_to(
		p, &our_mac, 0, 40000, "x", 1); /* which is not our address, though we have none */
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_PORT), 2);
	assert_false(netstack_udp_recv(other, &r));
	netstack_udp_close(p->ns, u);
	deliver_to(p, &our_mac, 0xc6120032, DHCP_PORT, "x", 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 1);
	fx_end(p);
}

TEST(test_udp_with_an_address_broadcasts_reach_dhcps_port_only)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, DHCP_PORT), *other = fx_open_port(p, 40000);
	struct netstack_udp_received r;

	deliver_to(p, &ether_addr_broadcast, UINT32_MAX, DHCP_PORT, "x", 1);
	assert_true(netstack_udp_recv(u, &r));
	deliver_to(p, &our_mac, TEST_OUR_ADDRESS, DHCP_PORT, "x", 1);
	assert_true(netstack_udp_recv(u, &r));
	deliver_to(p, &ether_addr_broadcast, UINT32_MAX, 40000, "x", 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_UDP_PORT), 1);
	deliver_to(p, &ether_addr_broadcast, TEST_OUR_ADDRESS, 40000, "x", 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 1); /* RFC 1122 §3.3.6 */
	deliver_to(p, &our_mac, TEST_OUR_ADDRESS + 1, DHCP_PORT, "x", 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 2);
	assert_false(netstack_udp_recv(u, &r));
	assert_false(netstack_udp_recv(other, &r));
	fx_end(p);
}

TEST(test_address_that_is_given_later_is_announced_and_used)
{
	struct test_peer *p = quiet(no_address);

	netstack_set_address(p->ns, TEST_OUR_ADDRESS, 24, 0, false, p->now_ns);
	assert_int_equal(netstack_address(p->ns), TEST_OUR_ADDRESS);
	assert_true(netstack_ready(p->ns));
	(void)test_peer_take(p);
	assert_int_equal(fx_last_arp(p, ARP_REQUEST).sender_ip, TEST_OUR_ADDRESS);
	(void)fx_established(p);
	p->frames_seen = 0;
	netstack_set_address(p->ns, TEST_OUR_ADDRESS, 16, TEST_PEER_ADDRESS, true, p->now_ns);
	assert_int_equal(netstack_connections(p->ns), 1); /* a renewal changes nothing */
	assert_int_equal(p->ns->cfg.prefix_len, 16);
	assert_true(netstack_ready(p->ns));
	fx_end(p);
}

TEST(test_address_being_probed_is_not_used_and_a_conflict_is_told)
{
	struct test_peer *p = quiet(no_address);
	struct netstack_udp *u = fx_open_port(p, 40000);
	struct arp_packet theirs = {.operation = ARP_REPLY,
		.sender_mac = peer_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_mac = our_mac};
	struct ip_address own;
	struct ether_addr mac;

	netstack_set_address(p->ns, TEST_OUR_ADDRESS, 24, 0, true, p->now_ns);
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0);
	test_peer_wait(p, NS_PER_SEC);
	assert_false(netstack_ready(p->ns));
	assert_int_equal(fx_last_arp(p, ARP_REQUEST).sender_ip, 0); /* a probe, no datagram */
	fx_arp(p, &our_mac, &theirs);
	assert_true(netstack_address_conflict(p->ns, &own, &mac));
	netstack_set_address(p->ns, 0, 0, 0, false, p->now_ns);
	assert_false(netstack_address_conflict(p->ns, &own, &mac));
	fx_arp(p, &our_mac, &theirs); /* theirs it may be */
	assert_false(netstack_address_conflict(p->ns, &own, &mac));
	netstack_set_address(p->ns, TEST_OUR_ADDRESS + 1, 24, 0, true, p->now_ns);
	test_peer_wait(p, 8 * NS_PER_SEC);
	test_peer_wait(p, 8 * NS_PER_SEC);
	test_peer_wait(p, 8 * NS_PER_SEC);
	test_peer_wait(p, 8 * NS_PER_SEC);
	assert_true(netstack_ready(p->ns));
	fx_end(p);
}

TEST(test_address_taken_away_ends_connections_in_silence)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p), *released = fx_established(p);

	netstack_release_conn(p->ns, released, p->now_ns);
	(void)test_peer_take(p);
	while (netstack_event_next(p->ns) != NULL)
		;
	p->frames_seen = 0;
	netstack_set_address(p->ns, 0, 0, 0, false, p->now_ns);
	assert_int_equal(netstack_conn_error(nc), -EADDRNOTAVAIL);
	assert_ptr_equal(netstack_event_next(p->ns), nc);
	assert_int_equal(netstack_connections(p->ns), 0);
	test_peer_wait(p, 10 * NS_PER_SEC);
	assert_int_equal(p->frames_seen, 0);
	fx_arp(p, &our_mac,
		&(struct arp_packet){.operation = ARP_REQUEST,
			.sender_mac = peer_mac,
			.sender_ip = TEST_PEER_ADDRESS,
			.target_ip = TEST_OUR_ADDRESS});
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

TEST(test_udp_datagram_from_an_address_that_is_gone_is_not_sent)
{
	const struct ip_address other = {.family = 4, .v4 = TEST_OUR_ADDRESS + 1};
	struct test_peer *p = quiet(NULL);
	struct netstack_udp *u = fx_open_port(p, 40000);

	p->answers.arp = false;
	assert_int_equal(netstack_udp_send(p->ns, u, &peer, 53, "query", 5), 0);
	netstack_fail_local(p->ns, &other);
	test_peer_wait(p, NS_PER_SEC);
	assert_true(netstack_udp_waiting(u));
	netstack_set_address(p->ns, 0, 0, 0, false, p->now_ns);
	assert_int_equal(netstack_udp_error(u), -EADDRNOTAVAIL);
	assert_false(netstack_udp_waiting(u));
	p->answers.arp = true;
	fx_pass(p, 2 * NS_PER_SEC);
	assert_int_equal(fx_count(p, COUNTER_UDP_DATAGRAMS_SENT), 0);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_udp_ports_are_random_distinct_and_few),
		T(test_udp_sent_datagram_waits_for_arp_then_goes_out_once),
		T(test_udp_datagram_that_can_go_out_is_due_at_once),
		T(test_udp_next_hop_that_is_silent_is_an_error_told_once),
		T(test_udp_off_the_subnet_goes_to_the_gateway_or_not_at_all),
		T(test_udp_received_datagrams_are_copied_in_order_up_to_the_bound),
		T(test_udp_datagram_that_is_wrong_is_dropped_by_its_reason),
		T(test_udp_datagram_in_several_buffers_is_joined),
		T(test_udp_icmp_error_about_what_was_sent_is_told),
		T(test_udp_without_address_dhcp_broadcasts_and_hears_all_that_is_for_our_mac),
		T(test_udp_with_an_address_broadcasts_reach_dhcps_port_only),
		T(test_address_that_is_given_later_is_announced_and_used),
		T(test_address_being_probed_is_not_used_and_a_conflict_is_told),
		T(test_address_taken_away_ends_connections_in_silence),
		T(test_udp_datagram_from_an_address_that_is_gone_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
