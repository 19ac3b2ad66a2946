/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base_bytes.h"
#include "netstack_fixture.h"
#include "wire_checksum.h"

/* TCP by IPv6 through the whole stack, and what is none of ours. */

#define L3 14U
#define L4 54U
#define BODY_LEN 40000U
#define SEGMENT 1000U

static struct test_peer *
quiet(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = fx_new(change);

	fx_pass(p, 10 * NS_PER_SEC);
	p->client_port = 40000;
	p->ipv6 = true;
	return p;
}

/* ---- a transfer ---- */

static uint8_t
byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* The body in bursts of 8 segments; what has come is read after each. Returns how much. */
static uint32_t
send_body(struct test_peer *p, struct netstack_conn *nc)
{
	static uint8_t body[BODY_LEN], got[BODY_LEN + 1];
	uint32_t at, i, len = 0;

	for (i = 0; i < BODY_LEN; i++)
		body[i] = byte_at(i);
	for (at = 0; at < BODY_LEN;) {
		for (i = 0; i < 8; i++, at += SEGMENT)
			test_peer_send(p, TCP_ACK, body + at, SEGMENT);
		test_peer_deliver(p);
		len += fx_read(p, nc, got + len, sizeof(got) - len);
		(void)test_peer_take(p);
	}
	assert_memory_equal(got, body, len);
	return len;
}

/* Connect, a request, a body, FIN from both: to the byte. */
static void
check_transfer(void (*change)(struct netstack_config *cfg), uint16_t vlan_id)
{
	struct test_peer *p = fx_new(change);
	struct netstack_conn *nc;

	p->vlan_id = vlan_id;
	nc = fx_established_ipv6(p);
	assert_true(ipv6_addr_equal(&netstack_conn_local(nc)->v6, &test_our_ipv6));
	assert_true(ipv6_addr_equal(&netstack_conn_remote(nc)->v6, &test_peer_ipv6));
	tcp_conn_send(netstack_conn_tcp(nc), "GET /", 5);
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	assert_int_equal(p->received_len, 5);
	assert_memory_equal(p->received, "GET /", 5);
	assert_int_equal(send_body(p, nc), BODY_LEN);
	test_peer_send(p, TCP_FIN | TCP_ACK, NULL, 0);
	fx_run(p);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_CLOSE_WAIT);
	tcp_conn_close(netstack_conn_tcp(nc), p->now_ns);
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_CLOSED);
	assert_int_equal(netstack_conn_error(nc), 0);
	assert_int_equal(p->fins, 1);
	assert_int_equal(p->resets, 0);
	assert_int_equal(fx_count(p, COUNTER_TCP_BYTES_RECEIVED), BODY_LEN);
	assert_int_equal(fx_count(p, COUNTER_TCP_OUT_OF_ORDER), 0);
	assert_true(fx_count(p, COUNTER_TCP_FAST_PATH) >= BODY_LEN / SEGMENT / 2);
	fx_end(p);
}

TEST(test_input_ipv6_transfer_is_exact)
{
	check_transfer(test_peer_config_ipv6, 0);
}

static void
on_vlan_17(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->vlan_id = 17;
	cfg->address = 0;
}

TEST(test_input_ipv6_transfer_on_a_vlan_is_exact)
{
	check_transfer(on_vlan_17, 17);
}

TEST(test_input_ipv6_of_our_vlan_only_and_output_with_its_tag)
{
	struct test_peer *p = quiet(on_vlan_17);

	assert_memory_equal(p->last + 12, "\x81\x00\x00\x11\x86\xdd", 6); /* a listener report */
	test_peer_send(p, TCP_ACK, NULL, 0);
	p->vlan_id = 18;
	test_peer_send(p, TCP_ACK, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_VLAN_ID), 2);
	p->vlan_id = 17;
	test_peer_send(p, TCP_ACK, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_NO_CONNECTION), 1);
	(void)test_peer_take(p);
	assert_memory_equal(p->last + 12, "\x81\x00\x00\x11\x86\xdd", 6);
	fx_end(p);
}

/* RFC 9293 §3.7.1: ours is the MTU less both headers; theirs, unless they say, 1220. */
TEST(test_input_ipv6_segment_sizes_are_ipv6s)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	struct netstack_conn *nc;
	struct tcp_info info;

	p->answers.syn = false;
	nc = fx_connect_ipv6(p);
	fx_run(p);
	assert_int_equal(fx_last_tcp(p).mss, 1440);
	test_peer_send(p, TCP_SYN | TCP_ACK, NULL, 0);
	fx_run(p);
	tcp_conn_info(netstack_conn_tcp(nc), &info);
	assert_int_equal(info.mss_send, 1220);
	fx_end(p);
}

/* The same ends but for the IP are two connections. */
TEST(test_input_ipv6_and_ipv4_connections_are_kept_apart)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	struct netstack_conn *v6 = fx_established_ipv6(p), *v4 = fx_established(p);
	uint8_t buf[16];

	p->ipv6 = true; /* to the ports and numbers of the other one */
	test_peer_send(p, TCP_ACK, "abc", 3);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_NO_CONNECTION), 1);
	p->ipv6 = false;
	p->seq -= 3;
	test_peer_send(p, TCP_ACK, "def", 3);
	test_peer_deliver(p);
	assert_int_equal(fx_read(p, v4, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "def", 3);
	assert_int_equal(fx_read(p, v6, buf, sizeof(buf)), 0);
	fx_end(p);
}

static void
offloading(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->gateway_mac_set = true;
	cfg->gateway_mac = test_peer_mac;
	cfg->address = 0;
	cfg->tx_offloads = TX_FRAME_IP_CSUM | TX_FRAME_TCP_CSUM;
}

/* There is no IPv6 header checksum to ask for; TCP's is finished by the NIC. */
TEST(test_input_ipv6_checksum_is_left_to_the_nic)
{
	struct test_peer *p = quiet(offloading);
	uint8_t bytes[2048];
	struct tx_frame tx = {.data = bytes, .room = sizeof(bytes)};
	uint64_t pseudo;

	fx_connect_ipv6(p);
	assert_int_equal(netstack_output(p->ns, p->now_ns, &tx, 1), 1);
	assert_int_equal(tx.flags, TX_FRAME_TCP_CSUM | TX_FRAME_IPV6);
	assert_int_equal(tx.l2_len, 14);
	assert_int_equal(tx.l3_len, 40);
	assert_int_equal(tx.l4_len, tx.len - L4);
	pseudo = wire_checksum_pseudo_ipv6(
		&test_our_ipv6, &test_peer_ipv6, IPV4_PROTO_TCP, tx.l4_len);
	assert_int_equal(be16_load(bytes + L4 + 16), wire_checksum_fold(pseudo));
	test_peer_stop(p); /* its RST would have such a checksum too */
	free(p);
}

/* ---- segments for nobody ---- */

TEST(test_input_ipv6_ack_for_no_connection_is_refused_at_its_number)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	const struct tcp_segment in = {.seq = 1000, .ack = 2000, .flags = TCP_ACK};

	test_peer_send_segment(p, &in);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), 1);
	fx_assert_refused(p, 2000);
	assert_int_equal(p->resets, 1);
	fx_end(p);
}

/* RFC 4861 §6.3.4: what a router says of the hop limit holds for all that we send. */
TEST(test_input_ipv6_refusal_has_the_links_hop_limit)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	uint8_t message[16] = {ICMPV6_ROUTER_ADVERTISEMENT, [4] = 99};

	test_peer_send_icmpv6(
		p, &test_peer_link_local, &ipv6_addr_all_nodes, 255, message, sizeof(message));
	test_peer_send(p, TCP_ACK, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), 1);
	assert_int_equal(p->last[L3 + 7], 99);
	fx_end(p);
}

/* RFC 9293 §3.9.2.3 (MUST-57): neither to a group nor from one. */
TEST(test_input_ipv6_tcp_to_a_group_is_dropped)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);

	p->our_ipv6 = ipv6_addr_all_nodes;
	test_peer_send(p, TCP_SYN, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_PROTOCOL), 1);
	p->our_ipv6 = test_our_ipv6;
	p->host_ipv6 = ipv6_addr_all_nodes;
	test_peer_send(p, TCP_SYN, NULL, 0);
	p->host_ipv6 = ipv6_addr_unspecified;
	test_peer_send(p, TCP_SYN, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), 2);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

TEST(test_input_ipv6_for_another_address_mac_or_protocol_is_counted)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	const struct ipv6_header sctp = {
		.src = test_peer_ipv6, .dst = test_our_ipv6, .protocol = 132, .hop_limit = 64};
	struct ipv6_header none = sctp;

	p->our_ipv6.byte[15]++;
	test_peer_send(p, TCP_ACK, NULL, 0);
	p->our_ipv6 = test_our_ipv6;
	test_peer_send(p, TCP_ACK, NULL, 0);
	p->waiting[1].data[5]++;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 2);
	none.protocol = 59; /* no next header */
	test_peer_send_ipv6(p, &sctp, "abcdefgh", 8);
	test_peer_send_ipv6(p, &none, "abcdefgh", 8);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_PROTOCOL), 2);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

TEST(test_input_ipv6_is_not_heard_unless_told_to)
{
	struct test_peer *p = quiet(NULL);

	test_peer_send(p, TCP_ACK, NULL, 0);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_ETH_TYPE), 1);
	assert_int_equal(p->frames_seen, 2); /* ARP's announcements */
	fx_end(p);
}

TEST(test_input_ipv6_of_a_wrong_checksum_is_counted_and_dropped)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	uint64_t pseudo = wire_checksum_pseudo_ipv6(
		&test_peer_ipv6, &test_our_ipv6, IPV4_PROTO_TCP, TCP_HEADER_LEN);

	test_peer_send(p, TCP_ACK, NULL, 0);
	p->waiting[0].data[L4 + 17] ^= 1;
	/* Only the pseudo-header's sum is there: its kernel counted on hardware. */
	test_peer_send(p, TCP_ACK, NULL, 0);
	be16_store(p->waiting[1].data + L4 + 16, wire_checksum_fold(pseudo));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM), 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM_PARTIAL), 1);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

/* ---- what is around the segment ---- */

/* The frame that waits is taken away; ret has its bytes. Returns its length. */
static uint32_t
take_frame(struct test_peer *p, uint8_t *ret)
{
	struct frame f = p->waiting[--p->waiting_count];

	memcpy(ret, f.data, f.len);
	test_buffer_release(&p->buffers, f.owner);
	return f.len;
}

TEST(test_input_ipv6_frame_that_is_cut_anywhere_is_dropped)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	struct netstack_conn *nc = fx_established_ipv6(p);
	uint8_t frame[256] = {0}, buf[16];
	uint32_t len, cut;

	test_peer_send(p, TCP_ACK, "abcdef", 6);
	len = take_frame(p, frame);
	for (cut = 0; cut < len; cut++) {
		test_peer_send_frame(p, frame, cut);
		test_peer_deliver(p);
		assert_int_equal(fx_read(p, nc, buf, sizeof(buf)), 0);
	}
	assert_int_equal(fx_count(p, COUNTER_DROP_ETH_SHORT), 14);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_HEADER), 40);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_TRUNCATED), 26);
	test_peer_send_frame(p, frame, len + 10); /* padding is not payload */
	test_peer_deliver(p);
	assert_int_equal(fx_read(p, nc, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "abcdef", 6);
	fx_end(p);
}

/* The frame that waits comes in several buffers: the first `first` bytes, then `part` in each. */
static void
deliver_in_parts(struct test_peer *p, uint32_t first, uint32_t part)
{
	uint8_t bytes[256];
	struct frame parts[64];
	uint32_t whole = take_frame(p, bytes), at, n = 0, len = first;
	struct payload b;

	for (at = 0; at < whole; at += len, len = part, n++) {
		len = MIN_OF(len, whole - at);
		b = test_buffer_make(&p->buffers, bytes + at, len);
		parts[n] = (struct frame){.data = b.owner, .len = len, .owner = b.owner};
		if (n > 0)
			parts[n - 1].next = &parts[n];
	}
	netstack_input(p->ns, parts, 1, p->now_ns);
}

TEST(test_input_ipv6_in_several_buffers_is_one_segment)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	struct netstack_conn *nc = fx_established_ipv6(p);
	uint8_t buf[64];
	uint32_t part;

	for (part = 1; part < 30; part++) {
		test_peer_send(p, TCP_ACK, "abcdefghijklmnopqrstuvwxyz", 26);
		deliver_in_parts(p, L4 + 20, part);
		assert_int_equal(fx_read(p, nc, buf, sizeof(buf)), 26);
		assert_memory_equal(buf, "abcdefghijklmnopqrstuvwxyz", 26);
	}
	fx_end(p);
}

/* An echo request in parts is put together first. */
TEST(test_input_ipv6_echo_request_in_several_buffers_is_answered)
{
	struct test_peer *p = quiet(test_peer_config_ipv6);
	uint8_t message[40] = {ICMPV6_ECHO_REQUEST, [39] = 42};
	uint32_t part;

	for (part = 1; part < 12; part++) {
		test_peer_send_icmpv6(p, &test_peer_ipv6, &test_our_ipv6, 64, message, 40);
		deliver_in_parts(p, L4 + part, part);
		(void)test_peer_take(p);
		assert_int_equal(test_peer_icmpv6_sent(p, ICMPV6_ECHO_REPLY)->count, part);
		assert_int_equal(test_peer_icmpv6_sent(p, ICMPV6_ECHO_REPLY)->message[39], 42);
	}
	fx_end(p);
}

/* RFC 8200 §4: headers between IP's and TCP's are passed over, or the packet is dropped by name. */
TEST(test_input_ipv6_extension_headers_are_passed_over_or_counted)
{
	static const uint8_t padding[8] = {IPV4_PROTO_TCP, 0, 1, 4};
	static const uint8_t routing[8] = {IPV4_PROTO_TCP, 0, 0, 1}; /* a segment is left */
	struct test_peer *p = quiet(test_peer_config_ipv6);
	struct netstack_conn *nc = fx_established_ipv6(p);
	struct ipv6_header ip = {.src = test_peer_ipv6, .dst = test_our_ipv6, .hop_limit = 64};
	uint8_t frame[256], payload[256], buf[16];
	uint32_t len, i;

	for (i = 0; i < 3; i++) {
		test_peer_send(p, TCP_ACK, "abc", 3);
		len = take_frame(p, frame);
		memcpy(payload, i == 2 ? routing : padding, 8);
		memcpy(payload + 8, frame + L4, len - L4);
		ip.protocol = i == 0 ? IPV6_NEXT_HOP_BY_HOP
				     : (i == 1 ? IPV6_NEXT_DESTINATION : IPV6_NEXT_ROUTING);
		test_peer_send_ipv6(p, &ip, payload, 8 + len - L4);
		test_peer_deliver(p);
		assert_int_equal(fx_read(p, nc, buf, sizeof(buf)), i < 2 ? 3 : 0);
	}
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_EXTENSION), 1);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_input_ipv6_transfer_is_exact),
		T(test_input_ipv6_transfer_on_a_vlan_is_exact),
		T(test_input_ipv6_of_our_vlan_only_and_output_with_its_tag),
		T(test_input_ipv6_segment_sizes_are_ipv6s),
		T(test_input_ipv6_and_ipv4_connections_are_kept_apart),
		T(test_input_ipv6_checksum_is_left_to_the_nic),
		T(test_input_ipv6_ack_for_no_connection_is_refused_at_its_number),
		T(test_input_ipv6_refusal_has_the_links_hop_limit),
		T(test_input_ipv6_tcp_to_a_group_is_dropped),
		T(test_input_ipv6_for_another_address_mac_or_protocol_is_counted),
		T(test_input_ipv6_is_not_heard_unless_told_to),
		T(test_input_ipv6_of_a_wrong_checksum_is_counted_and_dropped),
		T(test_input_ipv6_frame_that_is_cut_anywhere_is_dropped),
		T(test_input_ipv6_in_several_buffers_is_one_segment),
		T(test_input_ipv6_echo_request_in_several_buffers_is_answered),
		T(test_input_ipv6_extension_headers_are_passed_over_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
