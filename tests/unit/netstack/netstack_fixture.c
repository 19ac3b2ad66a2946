/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "netstack_fixture.h"

struct test_peer *
fx_new(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = calloc(1, sizeof(*p));
	struct netstack_config cfg;

	assert_non_null(p);
	test_peer_config(p, &cfg);
	if (change != NULL)
		change(&cfg);
	test_peer_start(p, &cfg);
	return p;
}

void
fx_end(struct test_peer *p)
{
	netstack_abort_all(p->ns);
	(void)test_peer_take(p);
	test_peer_stop(p);
	free(p);
}

struct netstack_conn *
fx_connect_to(struct test_peer *p, uint32_t address, uint16_t port)
{
	const struct ip_address remote = {.family = 4, .v4 = address};
	struct netstack_conn *nc = NULL;

	assert_int_equal(netstack_connect(p->ns, &remote, port, p, p->now_ns, &nc), 0);
	return nc;
}

struct netstack_conn *
fx_connect(struct test_peer *p)
{
	return fx_connect_to(p, TEST_PEER_ADDRESS, 80);
}

struct netstack_conn *
fx_established(struct test_peer *p)
{
	struct netstack_conn *nc = fx_connect(p);

	fx_run(p);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	return nc;
}

struct netstack_conn *
fx_connect_ipv6(struct test_peer *p)
{
	const struct ip_address remote = ip_address_of_v6(&test_peer_ipv6);
	struct netstack_conn *nc = NULL;

	assert_int_equal(netstack_connect(p->ns, &remote, 80, p, p->now_ns, &nc), 0);
	return nc;
}

struct netstack_conn *
fx_established_ipv6(struct test_peer *p)
{
	struct netstack_conn *nc = fx_connect_ipv6(p);

	fx_run(p);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	return nc;
}

void
fx_pass(struct test_peer *p, uint64_t ns)
{
	uint64_t end_ns = p->now_ns + ns;

	while (p->now_ns < end_ns) {
		test_peer_deliver(p);
		test_peer_wait(p, MIN_OF(100 * NS_PER_MS, end_ns - p->now_ns));
	}
	test_peer_deliver(p);
}

struct ipv6_addr
fx_v6(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	assert_int_equal(a.family, 6);
	return a.v6;
}

int
fx_route(const struct test_peer *p, const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	return netstack_route(p->ns, &a);
}

uint32_t
fx_read(struct test_peer *p, struct netstack_conn *nc, uint8_t *buf, uint32_t size)
{
	struct payload part;
	uint32_t len = 0;

	while (tcp_conn_recv(netstack_conn_tcp(nc), &part, 1) == 1) {
		assert_true(part.len <= size - len);
		memcpy(buf + len, part.data, part.len);
		len += part.len;
		if (part.owner != NULL)
			test_buffer_release(&p->buffers, part.owner);
		tcp_conn_consumed(netstack_conn_tcp(nc), part.len, 1);
	}
	netstack_conn_touch(p->ns, nc);
	return len;
}

void
fx_run(struct test_peer *p)
{
	uint32_t i;

	for (i = 0; i < 20; i++) {
		test_peer_deliver(p);
		test_peer_wait(p, NS_PER_US);
	}
}

void
fx_arp(struct test_peer *p, const struct ether_addr *dst, const struct arp_packet *a)
{
	const struct ether_header ether = {
		.dst = *dst, .src = a->sender_mac, .type = ETHER_TYPE_ARP};
	uint8_t frame[64];
	uint32_t l2 = wire_ether_build(frame, &ether);

	wire_arp_build(frame + l2, a);
	test_peer_send_frame(p, frame, l2 + ARP_PACKET_LEN);
	test_peer_deliver(p);
}

static struct ether_header
last_ether(const struct test_peer *p)
{
	const struct frame f = {.data = (uint8_t *)(uintptr_t)p->last, .len = p->last_len};
	struct ether_header ether;

	assert_int_equal(wire_ether_parse(&f, &ether), DROP_NONE);
	return ether;
}

struct arp_packet
fx_last_arp(const struct test_peer *p, uint16_t operation)
{
	struct ether_header ether = last_ether(p);
	struct arp_packet a;

	assert_int_equal(ether.type, ETHER_TYPE_ARP);
	assert_int_equal(
		wire_arp_parse(p->last + ether.header_len, p->last_len - ether.header_len, &a),
		DROP_NONE);
	assert_int_equal(a.operation, operation);
	return a;
}

struct tcp_segment
fx_last_tcp(const struct test_peer *p)
{
	struct ether_header ether = last_ether(p);
	struct tcp_segment s;
	uint32_t at;

	assert_true(ether.type == ETHER_TYPE_IPV4 || ether.type == ETHER_TYPE_IPV6);
	at = ether.header_len + (ether.type == ETHER_TYPE_IPV4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN);
	assert_int_equal(wire_tcp_parse(p->last + at, p->last_len - at, &s), DROP_NONE);
	return s;
}

uint64_t
fx_count(const struct test_peer *p, enum counter_id id)
{
	return p->counters.value[id];
}

bool fx_v6_tried;

int
fx_by_ipv4(void **state)
{
	(void)state;
	fx_v6_tried = false;
	return 0;
}

int
fx_by_ipv6(void **state)
{
	(void)state;
	fx_v6_tried = true;
	return 0;
}

struct netstack_udp *
fx_open_port(struct test_peer *p, uint16_t port)
{
	struct netstack_udp *u = NULL;

	assert_int_equal(netstack_udp_open(p->ns, port, &u), 0);
	return u;
}

void
fx_assert_refused(struct test_peer *p, uint32_t seq)
{
	struct tcp_segment s = fx_last_tcp(p);

	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, seq);
	assert_int_equal(s.src_port, 40000);
	assert_int_equal(s.dst_port, 80);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_NO_CONNECTION), 1);
}
