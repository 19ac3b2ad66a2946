/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "dns_client.h"
#include "test_peer.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_udp.h"

/* A lookup over a netstack; across the cable a host that answers as the test says. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define OTHER_SERVER UINT32_C(0xc6120003) /* whose MAC address nobody knows */

struct fixture {
	struct test_peer p;
	struct dns_client *c;
	uint16_t port; /* that the last question came from */
	uint8_t query[512]; /* its bytes */
	uint32_t query_len;
	uint8_t answer[1400];
	uint32_t answer_len;
};

static const struct ip_address no_server;

static struct fixture *
start_with(struct ip_address first_server, struct ip_address second_server)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct netstack_config cfg;
	struct dns_client_config client = {.release = test_buffer_release};

	assert_non_null(f);
	test_peer_config(&f->p, &cfg);
	if (first_server.family == 6)
		test_peer_config_ipv6(&cfg);
	test_peer_start(&f->p, &cfg);
	(void)test_peer_take(&f->p);
	client.netstack = f->p.ns;
	client.release_ctx = &f->p.buffers;
	client.dns.counters = &f->p.counters;
	client.dns.key = (struct siphash_key){3, 4};
	client.dns.server[0] = first_server;
	client.dns.server[1] = second_server;
	client.dns.server_count = second_server.family != 0 ? 2 : 1;
	f->c = dns_client_create(&client);
	assert_non_null(f->c);
	assert_int_equal(dns_client_start(f->c, "www.lab", 4), 0);
	return f;
}

static struct fixture *
start(uint32_t first_server, uint32_t second_server)
{
	return start_with(ip_address_of_v4(first_server),
		second_server != 0 ? ip_address_of_v4(second_server) : no_server);
}

static struct fixture *
start_ipv6(void)
{
	return start_with(ip_address_of_v6(&test_peer_ipv6), no_server);
}

static void
finish(struct fixture *f)
{
	dns_client_destroy(f->c, f->p.now_ns);
	netstack_abort_all(f->p.ns);
	(void)test_peer_take(&f->p);
	test_peer_stop(&f->p);
	free(f);
}

/* The worker's iteration, a few times, ns apart. Returns whether the lookup is over. */
static bool
run(struct fixture *f, uint32_t times, uint64_t ns)
{
	bool over = false;

	while (times-- > 0) {
		test_peer_deliver(&f->p);
		over = dns_client_poll(f->c, f->p.now_ns);
		test_peer_wait(&f->p, ns);
	}
	return over;
}

/* The last frame is a question by UDP: keeps it. */
static void
take_question(struct fixture *f)
{
	const uint8_t *l3 = f->p.last + 14;
	bool v6 = l3[0] >> 4 == 6;
	uint32_t l3_len = v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
	struct udp_datagram udp;

	assert_int_equal(l3[v6 ? 6 : 9], IPV4_PROTO_UDP);
	assert_int_equal(wire_udp_parse(l3 + l3_len, f->p.last_len - 14 - l3_len, &udp), DROP_NONE);
	assert_int_equal(udp.dst_port, 53);
	assert_true(udp.data_len <= sizeof(f->query));
	f->port = udp.src_port;
	f->query_len = udp.data_len;
	memcpy(f->query, udp.data, udp.data_len);
}

static void
make_answer(struct fixture *f, uint16_t flags)
{
	f->answer_len = 12 + 9 + 4;
	memcpy(f->answer, f->query, f->answer_len);
	be16_store(f->answer + 2, (uint16_t)(0x8180 | flags));
	memset(f->answer + 6, 0, 6);
	if (flags != 0)
		return;
	f->answer[7] = 1;
	memcpy(f->answer + f->answer_len, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x12\0\7", 16);
	f->answer_len += 16;
}

static void
send_answer(struct fixture *f, uint16_t to_port)
{
	const struct ether_header ether = {
		.dst = {{2, 0, 0, 0, 0, 2}}, .src = {{2, 0, 0, 0, 0, 1}}, .type = ETHER_TYPE_IPV4};
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.total_len = (uint16_t)(28 + f->answer_len),
		.protocol = IPV4_PROTO_UDP,
		.ttl = 64};
	const struct udp_datagram udp = {
		.src_port = 53, .dst_port = to_port, .data = f->answer, .data_len = f->answer_len};
	uint8_t frame[1500];
	uint32_t at = wire_ether_build(frame, &ether);

	at += wire_ipv4_build(frame + at, &ip, true);
	at += wire_udp_build(frame + at, &udp,
		wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_UDP, 8 + f->answer_len));
	test_peer_send_frame(&f->p, frame, at);
}

static void
send_answer_ipv6(struct fixture *f, const struct ipv6_addr *from)
{
	const struct ipv6_header ip = {
		.src = *from, .dst = test_our_ipv6, .protocol = IPV4_PROTO_UDP, .hop_limit = 64};
	const struct udp_datagram udp = {
		.src_port = 53, .dst_port = f->port, .data = f->answer, .data_len = f->answer_len};
	uint8_t bytes[1500];
	uint32_t len = wire_udp_build(bytes, &udp,
		wire_checksum_pseudo_ipv6(
			&ip.src, &ip.dst, IPV4_PROTO_UDP, UDP_HEADER_LEN + f->answer_len));

	test_peer_send_ipv6(&f->p, &ip, bytes, len);
}

TEST(test_dns_lookup_over_ipv6_finds_the_address)
{
	struct fixture *f = start_ipv6();

	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	make_answer(f, 0);
	send_answer_ipv6(f, &test_peer_link_local); /* not the one that was asked */
	assert_false(run(f, 1, NS_PER_MS));
	assert_int_equal(f->p.counters.value[COUNTER_DROP_DNS_MISMATCH], 1);
	send_answer_ipv6(f, &test_peer_ipv6);
	assert_true(run(f, 1, NS_PER_MS));
	assert_int_equal(dns_client_result(f->c)->outcome, DNS_FOUND);
	assert_int_equal(dns_client_result(f->c)->address[0].v4, 0xc6120007);
	finish(f);
}

TEST(test_dns_lookup_over_ipv6_goes_on_by_tcp)
{
	struct fixture *f = start_ipv6();
	uint8_t prefix[2];

	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	make_answer(f, 0x0200);
	send_answer_ipv6(f, &test_peer_ipv6);
	assert_false(run(f, 6, NS_PER_MS));
	assert_true(f->p.ipv6);
	assert_int_equal(f->p.received_len, 2U + be16_load(f->p.received));
	memcpy(f->query, f->p.received + 2, f->p.received_len - 2);
	make_answer(f, 0);
	be16_store(prefix, (uint16_t)f->answer_len);
	test_peer_send(&f->p, TCP_ACK | TCP_PSH, prefix, 2);
	test_peer_send(&f->p, TCP_ACK | TCP_PSH, f->answer, f->answer_len);
	assert_true(run(f, 1, NS_PER_MS));
	assert_true(dns_client_result(f->c)->by_tcp);
	assert_int_equal(dns_client_result(f->c)->outcome, DNS_FOUND);
	(void)run(f, 2, NS_PER_MS);
	finish(f);
}

TEST(test_dns_lookup_by_udp_finds_the_address)
{
	struct fixture *f = start(TEST_PEER_ADDRESS, 0);

	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	make_answer(f, 0);
	send_answer(f, (uint16_t)(f->port ^ 1));
	assert_false(run(f, 1, NS_PER_MS));
	assert_int_equal(f->p.counters.value[COUNTER_DROP_UDP_PORT], 1);
	send_answer(f, f->port);
	assert_true(run(f, 1, NS_PER_MS));
	assert_int_equal(dns_client_result(f->c)->outcome, DNS_FOUND);
	assert_int_equal(dns_client_result(f->c)->address[0].v4, 0xc6120007);
	send_answer(f, f->port); /* the port is closed */
	assert_true(run(f, 1, NS_PER_MS));
	assert_int_equal(f->p.counters.value[COUNTER_DROP_UDP_PORT], 2);
	finish(f);
}

TEST(test_dns_each_question_has_its_own_port_and_id)
{
	struct fixture *f = start(TEST_PEER_ADDRESS, 0);
	uint16_t port, id;

	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	port = f->port;
	id = be16_load(f->query);
	assert_false(run(f, 3, NS_PER_SEC));
	take_question(f);
	assert_int_not_equal(f->port, port);
	assert_int_not_equal(be16_load(f->query), id);
	make_answer(f, 0);
	be16_store(f->answer, id);
	send_answer(f, port); /* the first one's answer, late */
	assert_false(run(f, 1, NS_PER_MS));
	finish(f);
}

TEST(test_dns_servers_that_do_not_answer_arp_end_the_lookup_soon)
{
	struct fixture *f = start(OTHER_SERVER, TEST_PEER_ADDRESS);

	assert_false(run(f, 3, NS_PER_SEC)); /* its turn is over after 2 s */
	assert_false(run(f, 2, NS_PER_MS));
	take_question(f); /* to the second one */
	make_answer(f, 0);
	send_answer(f, f->port);
	assert_true(run(f, 1, NS_PER_MS));
	assert_int_equal(dns_client_result(f->c)->server.v4, TEST_PEER_ADDRESS);
	finish(f);
	f = start(0x08080808, 0); /* off the subnet, no gateway */
	assert_true(run(f, 1, NS_PER_MS));
	assert_int_equal(dns_client_result(f->c)->outcome, DNS_TIMED_OUT);
	assert_int_equal(dns_client_error(f->c), -ENETUNREACH);
	finish(f);
}

/* What is known of another server says nothing about the one that was asked last. */
TEST(test_dns_error_is_that_of_the_server_asked_last)
{
	struct fixture *f = start(0x08080808, TEST_PEER_ADDRESS);

	assert_false(run(f, 3, NS_PER_MS));
	assert_int_equal(dns_client_error(f->c), 0);
	assert_true(run(f, 9, NS_PER_SEC));
	assert_int_equal(dns_client_result(f->c)->outcome, DNS_TIMED_OUT);
	assert_int_equal(dns_client_result(f->c)->server.v4, TEST_PEER_ADDRESS);
	assert_int_equal(dns_client_error(f->c), 0);
	finish(f);
	f = start(TEST_PEER_ADDRESS, 0x08080808);
	assert_true(run(f, 10, NS_PER_SEC));
	assert_int_equal(dns_client_error(f->c), -ENETUNREACH);
	finish(f);
}

/* A truncated answer, and the connection that follows; the question has come by it. */
static struct fixture *
start_tcp(void)
{
	struct fixture *f = start(TEST_PEER_ADDRESS, 0);

	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	make_answer(f, 0x0200);
	send_answer(f, f->port);
	assert_false(run(f, 6, NS_PER_MS));
	assert_int_equal(f->p.syns, 1);
	assert_int_equal(f->p.received_len, 2U + be16_load(f->p.received));
	f->query_len = be16_load(f->p.received);
	memcpy(f->query, f->p.received + 2, f->query_len);
	make_answer(f, 0);
	return f;
}

TEST(test_dns_truncated_answer_comes_by_tcp)
{
	struct fixture *f = start_tcp();
	uint8_t prefix[2];

	be16_store(prefix, (uint16_t)f->answer_len);
	test_peer_send(&f->p, TCP_ACK | TCP_PSH, prefix, 2);
	assert_false(run(f, 1, NS_PER_MS));
	test_peer_send(&f->p, TCP_ACK | TCP_PSH, f->answer, 20);
	test_peer_send(&f->p, TCP_ACK | TCP_PSH, f->answer + 20, f->answer_len - 20);
	assert_true(run(f, 1, NS_PER_MS));
	assert_true(dns_client_result(f->c)->by_tcp);
	assert_int_equal(dns_client_result(f->c)->address[0].v4, 0xc6120007);
	(void)run(f, 2, NS_PER_MS);
	assert_int_equal(f->p.fins, 1); /* closed in order */
	finish(f);
}

TEST(test_dns_connection_that_ends_early_is_given_up)
{
	struct fixture *f = start_tcp();

	test_peer_send(&f->p, TCP_ACK | TCP_PSH, "\1", 1);
	test_peer_send(&f->p, TCP_ACK | TCP_FIN, NULL, 0);
	assert_false(run(f, 3, NS_PER_MS));
	/* The second round, by UDP; then the FIN. */
	assert_int_equal(f->p.counters.value[COUNTER_UDP_DATAGRAMS_SENT], 2);
	finish(f);
	f = start_tcp();
	test_peer_send(&f->p, TCP_ACK | TCP_RST, NULL, 0);
	assert_false(run(f, 3, NS_PER_MS));
	assert_int_equal(dns_client_error(f->c), -ECONNRESET);
	take_question(f);
	finish(f);
}

TEST(test_dns_refused_connection_is_given_up)
{
	struct fixture *f = start(TEST_PEER_ADDRESS, 0);

	f->p.answers.refuse = true;
	assert_false(run(f, 4, NS_PER_MS));
	take_question(f);
	make_answer(f, 0x0200);
	send_answer(f, f->port);
	assert_false(run(f, 6, NS_PER_MS));
	assert_int_equal(dns_client_error(f->c), -ECONNREFUSED);
	take_question(f);
	finish(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_lookup_by_udp_finds_the_address),
		cmocka_unit_test(test_dns_lookup_over_ipv6_finds_the_address),
		cmocka_unit_test(test_dns_lookup_over_ipv6_goes_on_by_tcp),
		cmocka_unit_test(test_dns_each_question_has_its_own_port_and_id),
		cmocka_unit_test(test_dns_servers_that_do_not_answer_arp_end_the_lookup_soon),
		cmocka_unit_test(test_dns_truncated_answer_comes_by_tcp),
		cmocka_unit_test(test_dns_error_is_that_of_the_server_asked_last),
		cmocka_unit_test(test_dns_connection_that_ends_early_is_given_up),
		cmocka_unit_test(test_dns_refused_connection_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
