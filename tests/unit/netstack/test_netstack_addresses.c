/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"

/* Several consecutive IPv4 addresses of one netstack. */

#define ADDRESSES 3U
#define MANY UINT32_C(0xc6120100) /* 198.18.1.0, and all up to .255 */

static const struct ether_addr other_mac = {{2, 0, 0, 0, 0, 7}};

static void
three(struct netstack_config *cfg)
{
	cfg->address_count = ADDRESSES;
}

static void
three_with_two_ports(struct netstack_config *cfg)
{
	three(cfg);
	cfg->port_first = 1024;
	cfg->port_count = 2;
	cfg->connections_max = 16;
}

static void
all_probing(struct netstack_config *cfg)
{
	cfg->address_count = NETSTACK_IPV4_ADDRESSES_MAX;
	cfg->address = MANY;
	cfg->prefix_len = 16;
	cfg->probe_address = true;
}

static uint32_t
address_of(const struct netstack_conn *nc)
{
	return netstack_conn_local(nc)->v4;
}

static void
claim(struct test_peer *p, uint32_t sender, uint32_t target)
{
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = sender,
		.target_ip = target};

	fx_arp(p, &ether_addr_broadcast, &a);
	(void)test_peer_take(p);
}

TEST(test_addresses_are_taken_in_turn_and_each_is_answered)
{
	struct test_peer *p = fx_new(three);
	uint32_t i;

	for (i = 0; i < 2 * ADDRESSES; i++)
		assert_int_equal(address_of(fx_established(p)), TEST_OUR_ADDRESS + i % ADDRESSES);
	assert_int_equal(p->our_ipv4, TEST_OUR_ADDRESS + ADDRESSES - 1);
	fx_end(p);
}

/* Two ports each: the seventh connection finds none, but another server's does. */
TEST(test_addresses_multiply_the_ports)
{
	struct test_peer *p = fx_new(three_with_two_ports);
	const struct ip_address remote = ip_address_of_v4(TEST_PEER_ADDRESS);
	struct netstack_conn *nc[6], *more;
	uint32_t i, k;

	for (i = 0; i < 6; i++) {
		nc[i] = fx_connect(p);
		assert_in_range(netstack_conn_local_port(nc[i]), 1024, 1025);
		for (k = 0; k < i; k++)
			assert_false(
				address_of(nc[i]) == address_of(nc[k]) &&
				netstack_conn_local_port(nc[i]) == netstack_conn_local_port(nc[k]));
	}
	assert_int_equal(
		netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &more), -EADDRNOTAVAIL);
	(void)fx_connect_to(p, TEST_PEER_ADDRESS, 81);
	tcp_conn_abort(netstack_conn_tcp(nc[3]));
	netstack_release_conn(p->ns, nc[3], p->now_ns);
	fx_run(p);
	assert_int_equal(address_of(fx_connect(p)), TEST_OUR_ADDRESS);
	fx_end(p);
}

TEST(test_addresses_are_announced_and_defended_each)
{
	struct test_peer *p = fx_new(three);
	struct ip_address address;
	struct ether_addr mac;
	uint32_t i;

	assert_int_equal(test_peer_take(p), ADDRESSES);
	assert_int_equal(fx_last_arp(p, ARP_REQUEST).sender_ip, TEST_OUR_ADDRESS + ADDRESSES - 1);
	for (i = 0; i < ADDRESSES; i++) {
		claim(p, TEST_OUR_ADDRESS + 9, TEST_OUR_ADDRESS + i);
		assert_int_equal(fx_last_arp(p, ARP_REPLY).sender_ip, TEST_OUR_ADDRESS + i);
	}
	claim(p, TEST_OUR_ADDRESS + 9, TEST_OUR_ADDRESS + ADDRESSES);
	assert_int_equal(fx_count(p, COUNTER_ARP_REPLIES_SENT), ADDRESSES);
	for (i = 0; i < ADDRESSES; i++) { /* each once in ten seconds */
		claim(p, TEST_OUR_ADDRESS + i, TEST_OUR_ADDRESS + i);
		assert_int_equal(fx_last_arp(p, ARP_REQUEST).sender_ip, TEST_OUR_ADDRESS + i);
	}
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	claim(p, TEST_OUR_ADDRESS + 1, TEST_OUR_ADDRESS + 1);
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_int_equal(address.v4, TEST_OUR_ADDRESS + 1);
	assert_true(ether_addr_equal(&mac, &other_mac));
	assert_false(netstack_ready(p->ns));
	fx_end(p);
}

/* More than the queue of control frames holds: all are probed all the same. */
TEST(test_addresses_are_probed_each_three_times)
{
	struct test_peer *p = fx_new(all_probing);
	struct ip_address address;
	struct ether_addr mac;

	fx_pass(p, 9 * NS_PER_SEC);
	assert_true(netstack_ready(p->ns));
	assert_int_equal(p->who_has, 3 * NETSTACK_IPV4_ADDRESSES_MAX);
	fx_end(p);
	p = fx_new(all_probing);
	fx_pass(p, NS_PER_SEC);
	claim(p, 0, MANY + 255); /* another probes the last of them */
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_int_equal(address.v4, MANY + 255);
	fx_end(p);
}

/* A reset of these ports at another of our addresses is no reset of this connection. */
TEST(test_addresses_keep_connections_of_the_same_ports_apart)
{
	struct test_peer *p = fx_new(three);
	struct netstack_conn *nc[ADDRESSES];
	uint32_t i, local;

	for (i = 0; i < ADDRESSES; i++) {
		nc[i] = fx_established(p);
		local = p->our_ipv4;
		assert_int_equal(local, address_of(nc[i]));
		p->our_ipv4 = TEST_OUR_ADDRESS + (i + 1) % ADDRESSES;
		test_peer_send(p, TCP_RST, NULL, 0);
		fx_run(p);
		assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc[i])), TCP_ESTABLISHED);
		p->our_ipv4 = local;
		test_peer_send(p, TCP_RST, NULL, 0);
		fx_run(p);
		assert_int_equal(netstack_conn_error(nc[i]), -ECONNRESET);
	}
	fx_end(p);
}

TEST(test_addresses_lose_a_conflict_about_the_third)
{
	struct test_peer *p = fx_new(three);
	struct ip_address address;
	struct ether_addr mac;
	uint32_t i;

	(void)test_peer_take(p);
	for (i = 0; i < 2; i++) {
		assert_false(netstack_address_conflict(p->ns, &address, &mac));
		claim(p, TEST_OUR_ADDRESS + 2, TEST_OUR_ADDRESS + 2);
	}
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_int_equal(address.v4, TEST_OUR_ADDRESS + 2);
	fx_end(p);
}

static void
all_ports(struct netstack_config *cfg)
{
	cfg->address_count = 2;
	cfg->connections_max = 2 * 64512 + 8;
	cfg->port_first = 1024;
	cfg->port_count = 64512;
	cfg->tcp.rcv_payloads_max = 16;
	cfg->tcp.snd_buffer_bytes = 1024;
	cfg->tcp.rcv_window_init_bytes = cfg->tcp.rcv_window_max_bytes = 16384;
	cfg->out_of_order_max = 16;
}

/* Of two addresses; not one is given twice, then there is none, and one that is free is found. */
TEST(test_addresses_use_all_64512_ports_of_each)
{
	static bool seen[2][65536];
	struct test_peer *p = fx_new(all_ports);
	const struct ip_address remote = ip_address_of_v4(TEST_PEER_ADDRESS);
	struct netstack_conn *nc, *one = NULL;
	uint32_t i;

	for (i = 0; i < 2 * 64512; i++) {
		nc = fx_connect(p);
		assert_true(netstack_conn_local_port(nc) >= 1024);
		assert_false(seen[address_of(nc) - TEST_OUR_ADDRESS][netstack_conn_local_port(nc)]);
		seen[address_of(nc) - TEST_OUR_ADDRESS][netstack_conn_local_port(nc)] = true;
		one = i == 77777 ? nc : one;
	}
	assert_int_equal(
		netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), -EADDRNOTAVAIL);
	i = netstack_conn_local_port(one);
	tcp_conn_abort(netstack_conn_tcp(one));
	netstack_release_conn(p->ns, one, p->now_ns);
	while (one->in_use)
		(void)test_peer_take(p);
	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), 0);
	assert_int_equal(netstack_conn_local_port(nc), i);
	fx_end(p);
}

TEST(test_addresses_are_no_remote_ends_and_no_sources)
{
	struct test_peer *p = fx_new(three);
	struct ip_address remote = ip_address_of_v4(TEST_OUR_ADDRESS);
	uint32_t i;

	for (i = 0; i < ADDRESSES; i++, remote.v4++)
		assert_int_equal(netstack_route(p->ns, &remote), -EADDRINUSE);
	assert_int_equal(netstack_route(p->ns, &remote), 0);
	fx_end(p);
}

/* An echo request for the n-th address; returns where the reply came from, 0: there was none. */
static uint32_t
ping(struct test_peer *p, uint32_t n, uint32_t from)
{
	const struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_IPV4};
	struct ipv4_header ip = {.src = from,
		.dst = TEST_OUR_ADDRESS + n,
		.total_len = IPV4_HEADER_LEN + 8,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = 64};
	static const uint8_t echo[8] = {8, 0, 0xf7, 0xff};
	uint8_t frame[64];
	uint32_t l2 = wire_ether_build(frame, &ether);

	l2 += wire_ipv4_build(frame + l2, &ip, true);
	memcpy(frame + l2, echo, sizeof(echo));
	test_peer_send_frame(p, frame, l2 + sizeof(echo));
	test_peer_deliver(p);
	if (test_peer_take(p) == 0)
		return 0;
	assert_int_equal(wire_ipv4_parse(p->last + ETHER_HEADER_LEN, p->last_len - ETHER_HEADER_LEN,
				 p->last_len, true, &ip),
		DROP_NONE);
	return ip.src;
}

TEST(test_addresses_answer_echo_requests_as_themselves)
{
	struct test_peer *p = fx_new(three);
	uint32_t i;

	(void)test_peer_take(p);
	for (i = 0; i < ADDRESSES; i++)
		assert_int_equal(ping(p, i, TEST_PEER_ADDRESS), TEST_OUR_ADDRESS + i);
	assert_int_equal(ping(p, ADDRESSES, TEST_PEER_ADDRESS), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 1);
	assert_int_equal(ping(p, 0, TEST_OUR_ADDRESS + 2), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), 1);
	fx_end(p);
}

/* What DHCP gives is one: all connections from the ones before end, and their ports are free. */
TEST(test_addresses_end_with_another_address)
{
	struct test_peer *p = fx_new(three_with_two_ports);
	struct netstack_conn *nc[4];
	uint32_t i;

	for (i = 0; i < 4; i++)
		nc[i] = fx_connect(p);
	netstack_set_address(p->ns, TEST_OUR_ADDRESS + 2, 24, 0, false, p->now_ns);
	for (i = 0; i < 4; i++) {
		assert_int_equal(netstack_conn_error(nc[i]), -EADDRNOTAVAIL);
		netstack_release_conn(p->ns, nc[i], p->now_ns);
	}
	(void)test_peer_take(p);
	for (i = 0; i < 2; i++)
		assert_int_equal(address_of(fx_connect(p)), TEST_OUR_ADDRESS + 2);
	assert_int_equal(fx_route(p, "198.18.0.3"), 0); /* no longer ours */
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_addresses_are_taken_in_turn_and_each_is_answered),
		T(test_addresses_multiply_the_ports),
		T(test_addresses_are_announced_and_defended_each),
		T(test_addresses_are_probed_each_three_times),
		T(test_addresses_keep_connections_of_the_same_ports_apart),
		T(test_addresses_lose_a_conflict_about_the_third),
		T(test_addresses_use_all_64512_ports_of_each),
		T(test_addresses_are_no_remote_ends_and_no_sources),
		T(test_addresses_answer_echo_requests_as_themselves),
		T(test_addresses_end_with_another_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
