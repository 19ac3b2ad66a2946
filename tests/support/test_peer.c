/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "test_peer.h"
#include "test_peer_priv.h"
#include "wire_arp.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

#define BURST 16U
#define FRAME_MAX 2048U

const struct ether_addr test_peer_mac = {{2, 0, 0, 0, 0, 1}};
const struct ether_addr test_our_mac = {{2, 0, 0, 0, 0, 2}};

void
test_peer_config(struct test_peer *p, struct netstack_config *ret)
{
	memset(p, 0, sizeof(*p));
	p->now_ns = 1000 * NS_PER_SEC;
	p->answers = (struct test_peer_answers){.arp = true, .ndp = true, .syn = true, .ack = true};
	p->window = 60000;
	p->port = 80;
	p->our_ipv4 = TEST_OUR_ADDRESS;
	p->our_ipv6 = test_our_ipv6;
	p->host_ipv6 = test_peer_ipv6;
	netstack_config_defaults(ret);
	ret->mac = test_our_mac;
	ret->address = TEST_OUR_ADDRESS;
	ret->prefix_len = 24;
	ret->mtu = 1500;
	ret->connections_max = 8;
	ret->key = (struct siphash_key){1, 2};
	ret->lasting_key = (struct siphash_key){3, 4};
	ret->release = test_buffer_release;
	ret->keep = test_buffer_keep;
	ret->release_ctx = &p->buffers;
	ret->counters = &p->counters;
}

void
test_peer_start(struct test_peer *p, const struct netstack_config *cfg)
{
	p->ns = netstack_create(cfg, p->now_ns);
	assert_non_null(p->ns);
}

void
test_peer_stop(struct test_peer *p)
{
	test_peer_deliver(p);
	netstack_destroy(p->ns);
	assert_int_equal(test_buffers_live(&p->buffers), 0);
}

void
test_peer_send_frame(struct test_peer *p, const void *bytes, uint32_t len)
{
	struct payload buffer = test_buffer_make(&p->buffers, bytes, len);

	assert_true(p->waiting_count < TEST_PEER_FRAMES);
	p->waiting[p->waiting_count++] =
		(struct frame){.data = buffer.owner, .len = len, .owner = buffer.owner};
}

/* The segment with its checksum; pseudo: the pseudo-header's sum without the length. Returns the
 * length. */
static uint32_t
build_tcp(uint8_t *l4, const struct tcp_segment *s, uint64_t pseudo)
{
	uint32_t len = wire_tcp_build(l4, s);

	wire_tcp_set_checksum(l4, wire_checksum_finish(wire_checksum_add(pseudo + len, l4, len)));
	return len;
}

static void
send_ipv4(struct test_peer *p, const struct tcp_segment *s)
{
	const struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_IPV4};
	struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = p->our_ipv4,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64};
	uint8_t frame[FRAME_MAX];
	uint32_t l2 = wire_ether_build(frame, &ether);
	uint64_t pseudo = wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_TCP, 0);

	ip.total_len =
		(uint16_t)(IPV4_HEADER_LEN + build_tcp(frame + l2 + IPV4_HEADER_LEN, s, pseudo));
	wire_ipv4_build(frame + l2, &ip, true);
	test_peer_send_frame(p, frame, l2 + ip.total_len);
}

void
test_peer_send_segment(struct test_peer *p, const struct tcp_segment *segment)
{
	const struct ipv6_header ip = {.src = p->host_ipv6,
		.dst = p->our_ipv6,
		.protocol = IPV4_PROTO_TCP,
		.hop_limit = 64};
	uint64_t pseudo = wire_checksum_pseudo_ipv6(&ip.src, &ip.dst, IPV4_PROTO_TCP, 0);
	struct tcp_segment s = *segment;
	uint8_t tcp[FRAME_MAX];

	s.src_port = s.src_port != 0 ? s.src_port : p->port;
	s.dst_port = s.dst_port != 0 ? s.dst_port : p->client_port;
	assert_true(s.payload.len + 120 < FRAME_MAX);
	if (p->ipv6)
		test_peer_send_ipv6(p, &ip, tcp, build_tcp(tcp, &s, pseudo));
	else
		send_ipv4(p, &s);
}

void
test_peer_send(struct test_peer *p, uint8_t flags, const void *data, uint32_t len)
{
	struct tcp_segment s = {.seq = p->seq,
		.ack = p->ack,
		.flags = flags,
		.window = p->window,
		.payload = {.data = (uint8_t *)(uintptr_t)data, .len = len}};

	test_peer_send_segment(p, &s);
	p->seq += len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

void
test_peer_deliver(struct test_peer *p)
{
	uint32_t n = p->waiting_count;

	p->waiting_count = 0;
	netstack_input(p->ns, p->waiting, n, p->now_ns);
}

static void
on_syn(struct test_peer *p, const struct tcp_segment *s)
{
	p->syns++;
	p->client_port = s->src_port;
	p->port = s->dst_port;
	p->seq = TEST_PEER_ISS;
	p->ack = s->seq + 1;
	p->received_len = 0;
	if (p->answers.refuse)
		test_peer_send(p, TCP_RST | TCP_ACK, NULL, 0);
	else if (p->answers.syn)
		test_peer_send(p, TCP_SYN | TCP_ACK, NULL, 0);
}

static void
on_text(struct test_peer *p, const struct tcp_segment *s)
{
	bool fin = (s->flags & TCP_FIN) != 0;

	if (s->src_port == p->client_port && s->seq == p->ack - 1 && s->payload.len == 0 &&
		p->answers.ack)
		test_peer_send(p, TCP_ACK, NULL, 0); /* a probe of the window, or keepalive */
	if (s->src_port != p->client_port || s->seq != p->ack || (s->payload.len == 0 && !fin))
		return;
	assert_true(p->received_len + s->payload.len <= sizeof(p->received));
	memcpy(p->received + p->received_len, s->payload.data, s->payload.len);
	p->received_len += s->payload.len;
	p->ack += s->payload.len + fin;
	p->fins += fin;
	if (p->answers.ack)
		test_peer_send(p, TCP_ACK, NULL, 0);
}

static void
on_tcp(struct test_peer *p, const uint8_t *l4, uint32_t len)
{
	struct tcp_segment s;

	assert_int_equal(wire_tcp_parse(l4, len, &s), DROP_NONE);
	if (s.flags & TCP_RST)
		p->resets++;
	else if (s.flags & TCP_SYN)
		on_syn(p, &s);
	else
		on_text(p, &s);
}

void
test_peer_on_tcp(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *dst,
	const uint8_t *l4, uint32_t len)
{
	uint64_t sum = wire_checksum_pseudo_ipv6(src, dst, IPV4_PROTO_TCP, len);

	assert_int_equal(wire_checksum_finish(wire_checksum_add(sum, l4, len)), 0);
	p->ipv6 = true;
	p->our_ipv6 = *src;
	p->host_ipv6 = *dst;
	on_tcp(p, l4, len);
}

static void
on_arp(struct test_peer *p, const struct ether_addr *dst, const uint8_t *data, uint32_t len)
{
	const struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_ARP};
	struct arp_packet a, reply;
	uint8_t frame[64];
	uint32_t l2;

	assert_int_equal(wire_arp_parse(data, len, &a), DROP_NONE);
	if (a.operation != ARP_REQUEST || a.target_ip == a.sender_ip)
		return;
	p->who_has++;
	p->who_has_dst = *dst;
	if (!p->answers.arp || a.target_ip != TEST_PEER_ADDRESS ||
		(!ether_addr_is_broadcast(dst) && !ether_addr_equal(dst, &test_peer_mac)))
		return; /* not asked, or asked at another's MAC */
	reply = (struct arp_packet){.operation = ARP_REPLY,
		.sender_mac = test_peer_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = a.sender_mac,
		.target_ip = a.sender_ip};
	l2 = wire_ether_build(frame, &ether);
	wire_arp_build(frame + l2, &reply);
	test_peer_send_frame(p, frame, l2 + ARP_PACKET_LEN);
}

static void
on_frame(struct test_peer *p, uint8_t *data, uint32_t len)
{
	const struct frame f = {.data = data, .len = len};
	struct ether_header ether;
	struct ipv4_header ip;

	p->frames_seen++;
	assert_true(len <= sizeof(p->last));
	memcpy(p->last, data, len);
	p->last_len = len;
	assert_int_equal(wire_ether_parse(&f, &ether), DROP_NONE);
	data += ether.header_len;
	len -= ether.header_len;
	if (ether.type == ETHER_TYPE_ARP) {
		on_arp(p, &ether.dst, data, len);
		return;
	}
	if (ether.type == ETHER_TYPE_IPV6) {
		test_peer_on_ipv6(p, &ether, data, len);
		return;
	}
	assert_int_equal(wire_ipv4_parse(data, len, len, true, &ip), DROP_NONE);
	if (ip.protocol != IPV4_PROTO_TCP || ip.dst != TEST_PEER_ADDRESS)
		return;
	p->ipv6 = false;
	p->our_ipv4 = ip.src;
	on_tcp(p, data + ip.header_len, (uint32_t)ip.total_len - ip.header_len);
}

uint32_t
test_peer_take(struct test_peer *p)
{
	static uint8_t bytes[BURST][FRAME_MAX];
	struct tx_frame tx[BURST];
	uint32_t i, n, total = 0;

	do {
		for (i = 0; i < BURST; i++)
			tx[i] = (struct tx_frame){.data = bytes[i], .room = FRAME_MAX};
		n = netstack_output(p->ns, p->now_ns, tx, BURST);
		for (i = 0; i < n; i++)
			on_frame(p, tx[i].data, tx[i].len);
		total += n;
	} while (n > 0);
	return total;
}

void
test_peer_wait(struct test_peer *p, uint64_t ns)
{
	p->now_ns += ns;
	(void)test_peer_take(p);
}
