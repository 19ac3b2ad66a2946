/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"

/* ICMPv6: echo, and errors (RFC 4443) with their effect on connections (RFC 5927, RFC 8201). */

static struct test_peer *
quiet(void)
{
	struct test_peer *p = fx_new(test_peer_config_ipv6);

	fx_pass(p, 10 * NS_PER_SEC);
	return p;
}

static const struct test_peer_icmpv6 *
replies(const struct test_peer *p)
{
	return test_peer_icmpv6_sent(p, ICMPV6_ECHO_REPLY);
}

static void
ping(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *dst, uint32_t len)
{
	uint8_t message[1452] = {ICMPV6_ECHO_REQUEST};

	memset(message + 4, 0x5a, len - 4);
	test_peer_send_icmpv6(p, src, dst, 64, message, len);
	test_peer_deliver(p);
	(void)test_peer_take(p);
}

/* RFC 4443 §4.2: with its data, to whom it came from. */
TEST(test_icmpv6_echo_request_is_answered_with_its_data)
{
	struct test_peer *p = quiet();
	uint32_t len, n = 0;

	for (len = 8; len <= 1452; len += 1444) { /* no data, and as much as the MTU holds */
		ping(p, &test_peer_ipv6, &test_our_ipv6, len);
		assert_int_equal(replies(p)->count, ++n);
		assert_int_equal(replies(p)->len, len);
		assert_memory_equal(replies(p)->message, "\x81\0", 2);
		assert_int_equal(replies(p)->message[len - 1], 0x5a);
		assert_true(ipv6_addr_equal(&replies(p)->ip.src, &test_our_ipv6));
		assert_true(ipv6_addr_equal(&replies(p)->ip.dst, &test_peer_ipv6));
		assert_true(ether_addr_equal(&replies(p)->ether.dst, &test_peer_mac));
	}
	assert_int_equal(fx_count(p, COUNTER_ICMP_ECHO_REPLIES), 2);
	fx_end(p);
}

/* §2.2: to a group, from an address of ours in its scope. */
TEST(test_icmpv6_echo_request_to_a_group_is_answered_from_an_address)
{
	struct test_peer *p = quiet();
	struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct ipv6_addr other_group = fx_v6("ff02::1:ff00:77"), routers = ipv6_addr_all_routers;

	ping(p, &test_peer_link_local, &ipv6_addr_all_nodes, 16);
	assert_true(ipv6_addr_equal(&replies(p)->ip.src, &test_our_link_local));
	ping(p, &test_peer_ipv6, &group, 16);
	assert_true(ipv6_addr_equal(&replies(p)->ip.src, &test_our_ipv6));
	ping(p, &test_peer_ipv6, &other_group, 16);
	ping(p, &test_peer_ipv6, &routers, 16);
	assert_int_equal(replies(p)->count, 2);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 2);
	fx_end(p);
}

/* RFC 4291 §2.5, §2.7: such a source is nobody, and an answer would go to many, or to us. */
TEST(test_icmpv6_echo_request_from_an_impossible_source_is_dropped)
{
	struct test_peer *p = quiet();
	const struct ipv6_addr sources[] = {ipv6_addr_unspecified, ipv6_addr_all_nodes,
		fx_v6("::1"), test_our_ipv6, test_our_link_local};
	uint32_t i;

	for (i = 0; i < 5; i++) {
		ping(p, &sources[i], &test_our_ipv6, 16);
		ping(p, &sources[i], &ipv6_addr_all_nodes, 16);
		assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), 2 * i + 2);
	}
	assert_int_equal(replies(p)->count, 0);
	fx_end(p);
}

TEST(test_icmpv6_message_with_a_wrong_checksum_is_dropped)
{
	struct test_peer *p = quiet();
	uint8_t message[16] = {ICMPV6_ECHO_REQUEST};

	test_peer_send_icmpv6(p, &test_peer_ipv6, &test_our_ipv6, 64, message, 16);
	p->waiting[0].data[14 + 40 + 10] ^= 1;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_MALFORMED), 1);
	fx_end(p);
}

TEST(test_icmpv6_message_of_no_use_is_ignored)
{
	static const uint8_t types[] = {0, 5, 100, 127, ICMPV6_ECHO_REPLY, 131, 132,
		ICMPV6_ROUTER_SOLICITATION, ICMPV6_REDIRECT, 138, 143, 200, 255};
	struct test_peer *p = quiet();
	uint8_t message[64] = {0};
	uint32_t i;

	for (i = 0; i < sizeof(types); i++) {
		message[0] = types[i];
		test_peer_send_icmpv6(
			p, &test_peer_link_local, &test_our_link_local, 255, message, 64);
		test_peer_deliver(p);
		assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), i + 1);
	}
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

TEST(test_icmpv6_replies_have_a_limit_a_second)
{
	struct test_peer *p = quiet();
	uint32_t i;

	for (i = 0; i < NETSTACK_REPLIES_PER_SECOND + 50; i++)
		ping(p, &test_peer_ipv6, &test_our_ipv6, 16);
	assert_int_equal(replies(p)->count, NETSTACK_REPLIES_PER_SECOND);
	fx_end(p);
}

static void
say_mtu(struct test_peer *p, uint32_t mtu)
{
	uint8_t message[24] = {ICMPV6_ROUTER_ADVERTISEMENT, [16] = 5, 1};

	be32_store(message + 20, mtu);
	test_peer_send_icmpv6(
		p, &test_peer_link_local, &ipv6_addr_all_nodes, 255, message, sizeof(message));
	test_peer_deliver(p);
}

/* RFC 4861 §6.3.4: nothing longer than the link's MTU; we cut nothing into fragments. */
TEST(test_icmpv6_reply_that_the_link_does_not_take_is_not_sent)
{
	struct test_peer *p = quiet();

	say_mtu(p, 1280);
	ping(p, &test_peer_ipv6, &test_our_ipv6, 1240);
	assert_int_equal(replies(p)->count, 1);
	ping(p, &test_peer_ipv6, &test_our_ipv6, 1241);
	assert_int_equal(replies(p)->count, 1);
	fx_end(p);
}

/* ---- errors ---- */

/* An error, from a router, about what we sent to that port of the host's with this number. */
struct error {
	uint8_t type, code;
	uint32_t word, seq;
	uint16_t dst_port;
	struct ipv6_addr src; /* of the packet */
	uint8_t protocol;
};

static void
send_error(struct test_peer *p, const struct error *e)
{
	const struct ipv6_addr router = fx_v6("2001:db8:9::9");
	const struct ipv6_header ip = {.src = e->src,
		.dst = test_peer_ipv6,
		.total_len = 1500,
		.protocol = e->protocol,
		.hop_limit = 60};
	uint8_t message[8 + 48] = {e->type, e->code}, *quoted = message + 8;

	be32_store(message + 4, e->word);
	wire_ipv6_build(quoted, &ip);
	be16_store(quoted + 40, p->client_port);
	be16_store(quoted + 42, e->dst_port);
	be32_store(quoted + 44, e->seq);
	test_peer_send_icmpv6(p, &router, &test_our_ipv6, 60, message, sizeof(message));
	test_peer_deliver(p);
}

static struct error
error_about(uint8_t type, uint8_t code, uint32_t word, uint32_t seq)
{
	return (struct error){.type = type,
		.code = code,
		.word = word,
		.seq = seq,
		.dst_port = 80,
		.src = test_our_ipv6,
		.protocol = IPV4_PROTO_TCP};
}

static struct test_peer *
opening(struct netstack_conn **nc)
{
	struct test_peer *p = quiet();

	p->answers.syn = false;
	*nc = fx_connect_ipv6(p);
	fx_run(p);
	assert_int_equal(p->syns, 1);
	return p;
}

/* RFC 9293 §3.9.2.2; and no other connection than the one that is quoted. */
TEST(test_icmpv6_error_acts_on_the_connection_that_it_quotes_alone)
{
	struct netstack_conn *nc, *v4;
	struct test_peer *p = opening(&nc);
	uint16_t port = p->client_port;
	uint32_t i, seq = p->ack - 1;

	v4 = fx_connect(p);
	fx_run(p);
	p->client_port = port;
	for (i = 0; i < 5; i++) {
		struct error e = error_about(ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, 0, seq);

		e.seq += i == 0 ? 5 : 0; /* not in flight */
		e.dst_port = i == 1 ? 81 : 80;
		e.src.byte[15] ^= i == 2;
		e.protocol = i == 3 ? 17 : e.protocol;
		send_error(p, &e);
		assert_int_equal(netstack_conn_error(nc), i < 4 ? 0 : -ECONNREFUSED);
		assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), MIN_OF(i + 1, 4U));
	}
	assert_int_equal(fx_count(p, COUNTER_ICMP_ERRORS_APPLIED), 1);
	assert_int_equal(netstack_conn_error(v4), 0);
	fx_end(p);
}

TEST(test_icmpv6_errors_that_refuse_are_told_from_those_that_may_pass)
{
	static const struct {
		uint8_t type, code;
		bool refuses;
	} kinds[] = {{1, 0, false}, {1, 1, true}, {1, 2, false}, {1, 3, false}, {1, 4, true},
		{1, 5, true}, {1, 6, true}, {1, 7, false}, {2, 0, false}, {3, 0, false},
		{3, 1, false}, {4, 0, false}, {4, 1, true}, {4, 2, false}};
	uint32_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct netstack_conn *nc;
		struct test_peer *p = opening(&nc);
		struct error e = error_about(kinds[i].type, kinds[i].code, 1400, p->ack - 1);

		send_error(p, &e);
		assert_int_equal(netstack_conn_error(nc), kinds[i].refuses ? -ECONNREFUSED : 0);
		fx_end(p);
	}
}

/* RFC 5927 §5.2. */
TEST(test_icmpv6_error_does_not_end_an_established_connection)
{
	struct test_peer *p = quiet();
	struct netstack_conn *nc = fx_established_ipv6(p);
	struct error e = error_about(ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, 0, p->ack);

	p->answers.ack = false;
	tcp_conn_send(netstack_conn_tcp(nc), "hello", 5);
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	send_error(p, &e);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	fx_end(p);
}

static uint16_t
mss_send(struct netstack_conn *nc)
{
	struct tcp_info info;

	tcp_conn_info(netstack_conn_tcp(nc), &info);
	return (uint16_t)info.mss_send;
}

/* RFC 8201 §4: below 1280 it is no MTU; nor is what is not smaller than what we sent. */
TEST(test_icmpv6_packet_too_big_makes_segments_smaller)
{
	static uint8_t data[8000];
	static const struct {
		uint32_t mtu;
		uint16_t mss;
	} said[] = {{0, 1440}, {1279, 1440}, {UINT32_MAX, 1440}, {1501, 1440}, {1400, 1340},
		{1450, 1340}, {68, 1340}, {1280, 1220}, {1279, 1220}, {0x10000, 1220}};
	struct test_peer *p = quiet();
	struct netstack_conn *nc;
	struct tcp_segment s = {.seq = TEST_PEER_ISS,
		.flags = TCP_SYN | TCP_ACK,
		.window = 60000,
		.options = TCP_OPT_MSS,
		.mss = 1440};
	uint32_t i, seq;

	p->answers.syn = p->answers.ack = false;
	nc = fx_connect_ipv6(p);
	fx_run(p);
	s.ack = seq = p->ack;
	test_peer_send_segment(p, &s);
	fx_run(p);
	tcp_conn_send(netstack_conn_tcp(nc), data, sizeof(data));
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct error e = error_about(ICMPV6_PACKET_TOO_BIG, 0, said[i].mtu, seq);

		send_error(p, &e);
		assert_int_equal(mss_send(nc), said[i].mss);
	}
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_icmpv6_echo_request_is_answered_with_its_data),
		T(test_icmpv6_echo_request_to_a_group_is_answered_from_an_address),
		T(test_icmpv6_echo_request_from_an_impossible_source_is_dropped),
		T(test_icmpv6_message_with_a_wrong_checksum_is_dropped),
		T(test_icmpv6_message_of_no_use_is_ignored),
		T(test_icmpv6_replies_have_a_limit_a_second),
		T(test_icmpv6_reply_that_the_link_does_not_take_is_not_sent),
		T(test_icmpv6_error_acts_on_the_connection_that_it_quotes_alone),
		T(test_icmpv6_errors_that_refuse_are_told_from_those_that_may_pass),
		T(test_icmpv6_error_does_not_end_an_established_connection),
		T(test_icmpv6_packet_too_big_makes_segments_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
