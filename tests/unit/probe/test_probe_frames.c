/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "probe.h"
#include "wire_checksum.h"
#include "wire_icmp.h"
#include "wire_tcp.h"
#include "wire_udp.h"

#define ROOM 9100U
#define US 0xc6120002U
#define THEM 0xc6120001U
#define VOUCHER UINT64_C(0x0123456789abcdef)

static const struct probe_peers peers = {.mac = {{2, 0, 0, 0, 0, 2}},
	.next_hop_mac = {{2, 0, 0, 0, 0, 1}},
	.address = US,
	.remote = THEM,
	.remote_port = 80};

struct built {
	uint8_t data[ROOM];
	struct tx_frame tx;
};

static struct built *
begin(void **state)
{
	struct built *b = *state;

	memset(b->data, 0xee, sizeof(b->data));
	b->tx = (struct tx_frame){.data = b->data, .room = ROOM};
	return b;
}

static int
set_up(void **state)
{
	*state = test_malloc(sizeof(struct built));
	return 0;
}

static int
tear_down(void **state)
{
	test_free(*state);
	return 0;
}

static struct probe_seen
parse(const struct built *b, uint32_t flags)
{
	struct frame frame = {.data = b->tx.data, .len = b->tx.len, .flags = flags};
	struct probe_seen seen;

	probe_parse(&peers, &frame, &seen);
	return seen;
}

/* What a host does with an echo request (RFC 792): exchanges the addresses, and makes a reply of it. */
static void
answer_echo(struct built *b)
{
	uint8_t *ip = b->data + b->tx.l2_len, *icmp = ip + IPV4_HEADER_LEN;
	uint32_t len = b->tx.len - b->tx.l2_len - IPV4_HEADER_LEN;
	const struct ipv4_header header = {.src = THEM,
		.dst = US,
		.total_len = (uint16_t)(IPV4_HEADER_LEN + len),
		.protocol = IPV4_PROTO_ICMP,
		.ttl = 64};

	assert_int_equal(wire_checksum_finish(wire_checksum_add(0, icmp, len)), 0);
	assert_int_equal(icmp[0], ICMP_ECHO_REQUEST);
	wire_ipv4_build(ip, &header, true);
	icmp[0] = ICMP_ECHO_REPLY;
}

static void
test_echo_of_every_length_comes_back_intact(void **state)
{
	struct built *b;
	struct probe_seen seen;
	uint32_t len;

	for (len = PROBE_ECHO_IP_MIN; len <= 9000; len += len < 1600 ? 1 : 100) {
		b = begin(state);
		probe_build_echo(&b->tx, &peers, len, 7, len * 3);
		assert_int_equal(b->tx.len, ETHER_HEADER_LEN + len);
		answer_echo(b);
		seen = parse(b, 0);
		assert_int_equal(seen.kind, PROBE_ECHO_REPLY);
		assert_int_equal(seen.id, 7);
		assert_int_equal(seen.seq, len * 3);
		assert_true(seen.intact);
		assert_int_equal(seen.frame_len, b->tx.len);
	}
}

static void
test_echo_with_a_changed_byte_is_not_intact(void **state)
{
	struct built *b;
	struct probe_seen seen;
	uint32_t at;

	for (at = ETHER_HEADER_LEN + PROBE_ECHO_IP_MIN - 4; at < ETHER_HEADER_LEN + 200; at++) {
		b = begin(state);
		probe_build_echo(&b->tx, &peers, 200, 7, 99);
		answer_echo(b);
		b->data[at] ^= 1;
		seen = parse(b, 0);
		assert_int_equal(seen.kind, PROBE_ECHO_REPLY);
		assert_false(seen.intact);
	}
}

static void
test_echo_in_several_buffers_is_intact_and_one_cut_short_is_not(void **state)
{
	struct built *b = begin(state);
	struct frame part[3] = {0};
	struct probe_seen seen;
	uint32_t i;

	probe_build_echo(&b->tx, &peers, 4000, 7, 5);
	answer_echo(b);
	for (i = 0; i < 3; i++) {
		part[i].data = b->data + (size_t)i * 1500;
		part[i].len = i < 2 ? 1500 : b->tx.len - 3000;
		part[i].next = i < 2 ? &part[i + 1] : NULL;
	}
	probe_parse(&peers, part, &seen);
	assert_int_equal(seen.kind, PROBE_ECHO_REPLY);
	assert_true(seen.intact);
	part[2].data[7] ^= 0x10;
	probe_parse(&peers, part, &seen);
	assert_false(seen.intact);
	part[1].next = NULL;
	probe_parse(&peers, part, &seen);
	assert_int_equal(seen.kind, PROBE_OTHER); /* the IP length says that there is more */
}

static void
test_arp_probe_asks_for_another_station_and_notes_nothing(void **state)
{
	const struct ether_addr other = {{2, 0, 0, 0, 9, 9}};
	struct built *b = begin(state);
	struct arp_packet arp;
	struct ether_header ether;
	struct frame frame;

	probe_build_arp_probe(&b->tx, &other, THEM, 0);
	frame = (struct frame){.data = b->data, .len = b->tx.len};
	assert_int_equal(wire_ether_parse(&frame, &ether), DROP_NONE);
	assert_true(ether_addr_equal(&ether.src, &other)); /* a switch learns where it is */
	assert_true(ether_addr_is_broadcast(&ether.dst));
	assert_int_equal(
		wire_arp_parse(b->data + ETHER_HEADER_LEN, b->tx.len - ETHER_HEADER_LEN, &arp),
		DROP_NONE);
	assert_int_equal(arp.operation, ARP_REQUEST);
	assert_int_equal(arp.sender_ip, 0); /* RFC 5227 §2.1.1 */
	assert_int_equal(arp.target_ip, THEM);
	assert_true(ether_addr_equal(&arp.sender_mac, &other));
}

static void
test_tag_added_is_parsed_with_its_vlan(void **state)
{
	struct built *b = begin(state);
	struct probe_seen seen;

	probe_build_arp_request(&b->tx, &peers, US);
	assert_int_equal(parse(b, 0).kind, PROBE_ARP_REQUEST);
	assert_false(parse(b, 0).tagged);
	probe_add_tag(&b->tx, 5U << 13 | 100);
	seen = parse(b, 0);
	assert_int_equal(seen.kind, PROBE_ARP_REQUEST);
	assert_true(seen.tagged);
	assert_false(seen.stripped);
	assert_int_equal(seen.vlan_id, 100);
	assert_int_equal(seen.arp.target_ip, US);
}

/* 0: right. */
static uint16_t
tcp_sum(const struct built *b, uint32_t dst)
{
	uint32_t at = b->tx.l2_len + (uint32_t)b->tx.l3_len, len = b->tx.len - at;

	return wire_checksum_finish(wire_checksum_add(
		wire_checksum_pseudo_ipv4(US, dst, IPV4_PROTO_TCP, len), b->data + at, len));
}

static void
test_syn_has_the_checksum_that_was_asked_for(void **state)
{
	static const uint32_t lengths[] = {0, 1, 2, 3, 1459, 1460};
	struct built *b;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		b = begin(state);
		probe_build_syn(&b->tx, &peers, 20000, 1000, lengths[i], PROBE_SUM_RIGHT);
		assert_int_equal(tcp_sum(b, THEM), 0);
		assert_int_equal(b->tx.flags, 0);
		b = begin(state);
		probe_build_syn(&b->tx, &peers, 20000, 1000, lengths[i], PROBE_SUM_WRONG);
		assert_int_not_equal(tcp_sum(b, THEM), 0);
	}
}

/* What a NIC does with it (DPDK, RTE_MBUF_F_TX_TCP_CKSUM): sums from the TCP header on, over the pseudo
 * header's sum that is in place. */
static void
test_syn_left_to_the_nic_holds_the_pseudo_header_sum(void **state)
{
	struct built *b = begin(state);
	uint8_t *tcp;
	uint32_t len;

	probe_build_syn(&b->tx, &peers, 20000, 1000, 17, PROBE_SUM_NIC);
	assert_int_equal(b->tx.flags, TX_FRAME_TCP_CSUM);
	assert_int_not_equal(tcp_sum(b, THEM), 0);
	assert_int_equal(b->tx.l4_len, TCP_HEADER_LEN + 4);
	tcp = b->data + b->tx.l2_len + b->tx.l3_len;
	len = b->tx.len - b->tx.l2_len - b->tx.l3_len;
	wire_tcp_set_checksum(tcp, wire_checksum_finish(wire_checksum_add(0, tcp, len)));
	assert_int_equal(tcp_sum(b, THEM), 0);
}

static void
test_syn_ack_and_rst_of_the_server_are_known_and_a_strangers_are_not(void **state)
{
	struct probe_peers server = {.mac = peers.next_hop_mac,
		.next_hop_mac = peers.mac,
		.address = THEM,
		.remote = US,
		.remote_port = 20000};
	struct built *b = begin(state);
	struct probe_seen seen;
	uint8_t *tcp;

	probe_build_syn(&b->tx, &server, 80, 5, 0, PROBE_SUM_RIGHT); /* as the server sends */
	tcp = b->data + b->tx.l2_len + b->tx.l3_len;
	tcp[13] = TCP_SYN | TCP_ACK;
	be32_store(tcp + 8, 1001);
	seen = parse(b, 0);
	assert_int_equal(seen.kind, PROBE_SYN_ACK);
	assert_int_equal(seen.port, 20000);
	assert_int_equal(seen.seq, 1001);
	assert_int_equal(seen.mss, 1460);
	tcp[13] = TCP_RST | TCP_ACK;
	assert_int_equal(parse(b, 0).kind, PROBE_RST);
	be16_store(tcp, 81); /* of another port of the server's */
	assert_int_equal(parse(b, 0).kind, PROBE_OTHER);
	server.address = THEM + 1;
	b = begin(state);
	probe_build_syn(&b->tx, &server, 80, 5, 0, PROBE_SUM_RIGHT);
	assert_int_equal(parse(b, 0).kind, PROBE_OTHER);
}

static void
check_returning(struct built *b, uint8_t protocol, uint32_t len)
{
	struct probe_seen seen;

	probe_build_returning(&b->tx, &peers, protocol, 21000, VOUCHER, len, PROBE_SUM_RIGHT);
	seen = parse(b, FRAME_L4_CSUM_GOOD);
	assert_int_equal(seen.kind, PROBE_RETURNED);
	assert_int_equal(seen.port, 21000);
	assert_true(seen.voucher == VOUCHER);
	assert_true(seen.sum_right && seen.intact);
	assert_int_equal(seen.flags, FRAME_L4_CSUM_GOOD);
	b->data[b->tx.len - 1] ^= 4;
	seen = parse(b, 0);
	assert_false(seen.sum_right);
	assert_int_equal(seen.intact, len == PROBE_VOUCHER_BYTES); /* then it is the voucher's */
	probe_build_returning(&b->tx, &peers, protocol, 21000, VOUCHER, len, PROBE_SUM_WRONG);
	seen = parse(b, 0);
	assert_int_equal(seen.kind, PROBE_RETURNED);
	assert_false(seen.sum_right);
	assert_true(seen.intact);
}

static void
test_returning_packets_tell_right_sums_from_wrong_ones(void **state)
{
	uint32_t len;

	for (len = PROBE_VOUCHER_BYTES; len < 200; len++) {
		check_returning(begin(state), IPV4_PROTO_TCP, len);
		check_returning(begin(state), IPV4_PROTO_UDP, len);
	}
	check_returning(begin(state), IPV4_PROTO_TCP, PROBE_PAYLOAD_MAX);
	check_returning(begin(state), IPV4_PROTO_UDP, PROBE_PAYLOAD_MAX);
}

#define UDP_SUM_AT (ETHER_HEADER_LEN + IPV4_HEADER_LEN + 6U)

/* The voucher's upper half moves the right sum through all numbers. 0 were no sum, and not a wrong one. */
static void
test_returning_wrong_udp_sum_is_never_none(void **state)
{
	struct built *b;
	uint32_t upper;

	for (upper = 0; upper < 0x10000; upper++) {
		b = begin(state);
		probe_build_returning(&b->tx, &peers, IPV4_PROTO_UDP, 21000, (uint64_t)upper << 32,
			PROBE_VOUCHER_BYTES, PROBE_SUM_WRONG);
		assert_int_not_equal(be16_load(b->data + UDP_SUM_AT), 0);
		assert_false(parse(b, 0).sum_right);
	}
}

static void
build_kind(struct built *b, uint32_t kind)
{
	if (kind == 0)
		probe_build_arp_request(&b->tx, &peers, US);
	else if (kind == 1)
		probe_build_echo(&b->tx, &peers, 60, 1, 1);
	else
		probe_build_returning(&b->tx, &peers, kind == 2 ? IPV4_PROTO_TCP : IPV4_PROTO_UDP,
			1, 1, 20, PROBE_SUM_RIGHT);
	if (kind == 1)
		answer_echo(b);
}

/* Every cut of every kind of frame, in memory that ends where the frame does. */
static void
test_frames_cut_short_are_others(void **state)
{
	struct built *b;
	uint8_t *copy;
	uint32_t kind, len;

	for (kind = 0; kind < 4; kind++) {
		b = begin(state);
		build_kind(b, kind);
		for (len = 0; len < b->tx.len; len++) {
			struct frame frame = {.len = len};
			struct probe_seen seen;

			copy = test_malloc(len + 1);
			memcpy(copy + 1, b->data, len);
			frame.data = copy + 1;
			probe_parse(&peers, &frame, &seen);
			assert_int_equal(seen.kind, PROBE_OTHER);
			test_free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo_of_every_length_comes_back_intact),
		cmocka_unit_test(test_echo_with_a_changed_byte_is_not_intact),
		cmocka_unit_test(test_echo_in_several_buffers_is_intact_and_one_cut_short_is_not),
		cmocka_unit_test(test_arp_probe_asks_for_another_station_and_notes_nothing),
		cmocka_unit_test(test_tag_added_is_parsed_with_its_vlan),
		cmocka_unit_test(test_syn_has_the_checksum_that_was_asked_for),
		cmocka_unit_test(test_syn_left_to_the_nic_holds_the_pseudo_header_sum),
		cmocka_unit_test(
			test_syn_ack_and_rst_of_the_server_are_known_and_a_strangers_are_not),
		cmocka_unit_test(test_returning_packets_tell_right_sums_from_wrong_ones),
		cmocka_unit_test(test_returning_wrong_udp_sum_is_never_none),
		cmocka_unit_test(test_frames_cut_short_are_others),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
