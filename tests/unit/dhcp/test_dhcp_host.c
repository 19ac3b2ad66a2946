/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp_host.h"
#include "test_peer.h"
#include "wire_arp.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_udp.h"

/* A netstack without an address and, across the cable, a DHCP server that does as the test says. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define LEASE_S 100U

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};
static const struct ether_addr peer_mac = {{2, 0, 0, 0, 0, 1}};

struct fixture {
	struct test_peer p;
	struct dhcp_host h;
	struct dhcp_message last; /* that we sent */
	struct ipv4_header ip; /* that it was in */
};

static struct fixture *
start(bool probe)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct dhcp_host_config dhcp = {.mac = our_mac, .key = {5, 6}, .probe = probe};
	struct netstack_config cfg;

	assert_non_null(f);
	test_peer_config(&f->p, &cfg);
	cfg.address = 0;
	test_peer_start(&f->p, &cfg);
	dhcp.netstack = f->p.ns;
	dhcp.counters = &f->p.counters;
	assert_int_equal(dhcp_host_start(&f->h, &dhcp, f->p.now_ns), 0);
	return f;
}

static void
finish(struct fixture *f)
{
	netstack_abort_all(f->p.ns);
	(void)test_peer_take(&f->p);
	test_peer_stop(&f->p);
	free(f);
}

static bool
step(struct fixture *f, uint64_t ns)
{
	bool ready;

	test_peer_deliver(&f->p);
	ready = dhcp_host_poll(&f->h, f->p.now_ns);
	test_peer_wait(&f->p, ns);
	return ready;
}

/* The last frame is a DHCP message of this type, from src to dst. */
static void
expect(struct fixture *f, enum dhcp_type type, uint32_t src, uint32_t dst)
{
	const uint8_t *l3 = f->p.last + 14;
	uint32_t len = f->p.last_len - 14;
	struct udp_datagram udp;

	assert_int_equal(wire_ipv4_parse(l3, len, len, true, &f->ip), DROP_NONE);
	assert_int_equal(f->ip.protocol, IPV4_PROTO_UDP);
	assert_int_equal(f->ip.src, src);
	assert_int_equal(f->ip.dst, dst);
	assert_int_equal(wire_udp_parse(l3 + 20, len - 20, &udp), DROP_NONE);
	assert_int_equal(udp.src_port, 68);
	assert_int_equal(udp.dst_port, 67);
	assert_int_equal(wire_dhcp_parse(udp.data, udp.data_len, &f->last), DROP_NONE);
	assert_int_equal(f->last.type, type);
}

static void
reply_from(struct fixture *f, enum dhcp_type type, uint16_t port)
{
	const struct dhcp_message m = {.op = DHCP_OP_REPLY,
		.type = (uint8_t)type,
		.xid = f->last.xid,
		.chaddr = our_mac,
		.yiaddr = TEST_OUR_ADDRESS,
		.server_id = TEST_PEER_ADDRESS,
		.subnet_mask = 0xffffff00,
		.router = TEST_PEER_ADDRESS,
		.lease_s = LEASE_S};
	const struct ether_header ether = {
		.dst = our_mac, .src = peer_mac, .type = ETHER_TYPE_IPV4};
	struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.protocol = IPV4_PROTO_UDP,
		.ttl = 64};
	uint8_t message[DHCP_MESSAGE_LEN_MAX], frame[1500];
	struct udp_datagram udp = {.src_port = port, .dst_port = 68, .data = message};
	uint32_t at = wire_ether_build(frame, &ether);

	udp.data_len = wire_dhcp_build(message, &m);
	ip.total_len = (uint16_t)(28 + udp.data_len);
	at += wire_ipv4_build(frame + at, &ip, true);
	at += wire_udp_build(frame + at, &udp,
		wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_UDP, 8 + udp.data_len));
	test_peer_send_frame(&f->p, frame, at);
}

static void
reply(struct fixture *f, enum dhcp_type type)
{
	reply_from(f, type, 67);
}

static struct fixture *
start_leased(bool probe)
{
	struct fixture *f = start(probe);

	assert_false(step(f, NS_PER_MS));
	expect(f, DHCP_TYPE_DISCOVER, 0, UINT32_MAX);
	reply(f, DHCP_TYPE_OFFER);
	assert_false(step(f, NS_PER_MS));
	expect(f, DHCP_TYPE_REQUEST, 0, UINT32_MAX);
	reply(f, DHCP_TYPE_ACK);
	assert_int_equal(step(f, NS_PER_MS), !probe);
	assert_int_equal(netstack_address(f->p.ns), TEST_OUR_ADDRESS);
	return f;
}

TEST(test_dhcp_lease_becomes_the_netstacks_address)
{
	const struct ip_address remote = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct fixture *f = start_leased(false);
	struct netstack_conn *nc;
	uint32_t i;

	assert_int_equal(netstack_connect(f->p.ns, &remote, 80, NULL, f->p.now_ns, &nc), 0);
	for (i = 0; i < 5; i++)
		assert_true(step(f, NS_PER_MS));
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	finish(f);
}

TEST(test_dhcp_message_from_another_port_is_no_servers)
{
	struct fixture *f = start(false);

	(void)step(f, NS_PER_MS);
	expect(f, DHCP_TYPE_DISCOVER, 0, UINT32_MAX);
	reply_from(f, DHCP_TYPE_OFFER, 1067);
	(void)step(f, NS_PER_MS);
	assert_int_equal(f->p.counters.value[COUNTER_DROP_DHCP_MISMATCH], 1);
	assert_int_equal(f->h.client.state, DHCP_CLIENT_SELECTING);
	finish(f);
}

TEST(test_dhcp_lease_is_renewed_by_unicast_without_harm_to_connections)
{
	const struct ip_address remote = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct fixture *f = start_leased(false);
	struct netstack_conn *nc;
	uint32_t i;

	assert_int_equal(netstack_connect(f->p.ns, &remote, 80, NULL, f->p.now_ns, &nc), 0);
	for (i = 0; i < 54 && f->h.client.state != DHCP_CLIENT_RENEWING; i++)
		assert_true(step(f, NS_PER_SEC));
	assert_true(i >= 46);
	(void)step(f, 0);
	expect(f, DHCP_TYPE_REQUEST, TEST_OUR_ADDRESS, TEST_PEER_ADDRESS);
	assert_memory_equal(f->p.last, peer_mac.byte, 6);
	reply(f, DHCP_TYPE_ACK);
	assert_true(step(f, NS_PER_MS));
	assert_int_equal(f->h.client.info.renewals, 1);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	finish(f);
}

TEST(test_dhcp_lease_that_runs_out_takes_the_address_and_connections)
{
	const struct ip_address remote = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct fixture *f = start_leased(false);
	struct netstack_conn *nc;
	uint32_t i;

	assert_int_equal(netstack_connect(f->p.ns, &remote, 80, NULL, f->p.now_ns, &nc), 0);
	for (i = 0; i < LEASE_S - 1; i++)
		assert_true(step(f, NS_PER_SEC));
	assert_int_equal(f->h.lost, 0);
	(void)step(f, NS_PER_SEC);
	assert_false(step(f, NS_PER_SEC));
	assert_int_equal(f->h.lost, 1);
	assert_null(dhcp_host_lease(&f->h));
	assert_int_equal(netstack_address(f->p.ns), 0);
	assert_int_equal(netstack_conn_error(nc), -EADDRNOTAVAIL);
	expect(f, DHCP_TYPE_DISCOVER, 0, UINT32_MAX); /* it begins anew */
	finish(f);
}

TEST(test_dhcp_address_that_the_probe_finds_taken_is_declined)
{
	const struct ether_header ether = {.dst = our_mac, .src = peer_mac, .type = ETHER_TYPE_ARP};
	const struct arp_packet theirs = {.operation = ARP_REPLY,
		.sender_mac = peer_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_mac = our_mac};
	struct fixture *f = start_leased(true);
	uint8_t frame[64];
	uint32_t i;

	assert_false(step(f, NS_PER_SEC));
	test_peer_send_frame(&f->p, frame,
		wire_ether_build(frame, &ether) + wire_arp_build(frame + 14, &theirs));
	assert_false(step(f, NS_PER_MS));
	expect(f, DHCP_TYPE_DECLINE, 0, UINT32_MAX);
	assert_int_equal(f->last.requested, TEST_OUR_ADDRESS);
	assert_int_equal(f->h.declined, 1);
	assert_int_equal(f->h.declined_address, TEST_OUR_ADDRESS);
	assert_memory_equal(f->h.declined_mac.byte, peer_mac.byte, 6);
	assert_int_equal(netstack_address(f->p.ns), 0);
	for (i = 0; i < 11; i++)
		assert_false(step(f, NS_PER_SEC));
	expect(f, DHCP_TYPE_DISCOVER, 0, UINT32_MAX);
	finish(f);
}

TEST(test_dhcp_address_that_the_probe_finds_free_is_used)
{
	struct fixture *f = start_leased(true);
	uint32_t i;

	for (i = 0; i < 8 && !step(f, NS_PER_SEC); i++)
		;
	assert_in_range(i, 3, 7); /* RFC 5227: 4 to 7 s */
	finish(f);
}

TEST(test_dhcp_release_goes_out_and_is_waited_for)
{
	struct fixture *f = start_leased(false);

	dhcp_host_release(&f->h, f->p.now_ns);
	assert_false(dhcp_host_released(&f->h)); /* ARP first */
	(void)test_peer_take(&f->p);
	test_peer_deliver(&f->p);
	(void)test_peer_take(&f->p);
	assert_true(dhcp_host_released(&f->h));
	expect(f, DHCP_TYPE_RELEASE, TEST_OUR_ADDRESS, TEST_PEER_ADDRESS);
	finish(f);
	f = start(false);
	dhcp_host_release(&f->h, f->p.now_ns);
	assert_true(dhcp_host_released(&f->h)); /* there was no lease */
	finish(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_lease_becomes_the_netstacks_address),
		cmocka_unit_test(test_dhcp_message_from_another_port_is_no_servers),
		cmocka_unit_test(test_dhcp_lease_is_renewed_by_unicast_without_harm_to_connections),
		cmocka_unit_test(test_dhcp_lease_that_runs_out_takes_the_address_and_connections),
		cmocka_unit_test(test_dhcp_address_that_the_probe_finds_taken_is_declined),
		cmocka_unit_test(test_dhcp_address_that_the_probe_finds_free_is_used),
		cmocka_unit_test(test_dhcp_release_goes_out_and_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
