/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"
#include "wire_checksum.h"
#include "wire_icmp.h"

/* What comes in, to whom it goes, and what is answered (RFC 9293 §3.10.7.1, RFC 1122 §3.2). */

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};
static const struct ether_addr peer_mac = {{2, 0, 0, 0, 0, 1}};

static struct test_peer *
quiet(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = fx_new(change);

	test_peer_wait(p, 10 * NS_PER_SEC);
	test_peer_wait(p, 10 * NS_PER_SEC);
	p->client_port = 40000;
	return p;
}

/* An IPv4 packet with this payload, whatever its checksum. */
static void
queue_ip(struct test_peer *p, const struct ether_header *ether, const struct ipv4_header *header,
	const void *payload, uint32_t len)
{
	struct ipv4_header ip = *header;
	uint8_t frame[2048];
	uint32_t l2 = wire_ether_build(frame, ether);

	ip.total_len = (uint16_t)(IPV4_HEADER_LEN + len);
	wire_ipv4_build(frame + l2, &ip, true);
	memcpy(frame + l2 + IPV4_HEADER_LEN, payload, len);
	test_peer_send_frame(p, frame, l2 + IPV4_HEADER_LEN + len);
}

static void
send_ip(struct test_peer *p, const struct ether_header *ether, const struct ipv4_header *ip,
	const void *payload, uint32_t len)
{
	queue_ip(p, ether, ip, payload, len);
	test_peer_deliver(p);
}

/* The frame that waits comes in several buffers: the first `first` bytes, then `part` in each. */
static void
deliver_in_parts(struct test_peer *p, uint32_t first, uint32_t part)
{
	struct frame whole = p->waiting[--p->waiting_count], parts[64];
	uint32_t at, n = 0, len = first;
	struct payload b;

	assert_int_equal(p->waiting_count, 0);
	for (at = 0; at < whole.len; at += len, len = part, n++) {
		len = MIN_OF(len, whole.len - at);
		b = test_buffer_make(&p->buffers, whole.data + at, len);
		assert_true(n < 64);
		parts[n] = (struct frame){.data = b.owner, .len = len, .owner = b.owner};
		if (n > 0)
			parts[n - 1].next = &parts[n];
	}
	test_buffer_release(&p->buffers, whole.owner);
	netstack_input(p->ns, parts, 1, p->now_ns);
}

static const struct ether_header to_us = {
	.dst = {{2, 0, 0, 0, 0, 2}}, .src = {{2, 0, 0, 0, 0, 1}}, .type = ETHER_TYPE_IPV4};

/* A TCP segment without data from this address. */
static void
send_tcp_from(struct test_peer *p, uint32_t src, uint8_t flags)
{
	const struct tcp_segment s = {
		.src_port = 80, .dst_port = 40000, .seq = 1, .ack = 2, .flags = flags};
	const struct ipv4_header ip = {
		.src = src, .dst = TEST_OUR_ADDRESS, .protocol = IPV4_PROTO_TCP, .ttl = 64};
	uint8_t tcp[60];
	uint32_t len = wire_tcp_build(tcp, &s);
	uint64_t sum = wire_checksum_pseudo_ipv4(src, ip.dst, IPV4_PROTO_TCP, len);

	wire_tcp_set_checksum(tcp, wire_checksum_finish(wire_checksum_add(sum, tcp, len)));
	send_ip(p, &to_us, &ip, tcp, len);
}

TEST(test_input_ack_for_no_connection_is_refused_at_its_number)
{
	struct test_peer *p = quiet(NULL);
	const struct tcp_segment in = {.seq = 1000, .ack = 2000, .flags = TCP_ACK};

	test_peer_send_segment(p, &in);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), 1);
	fx_assert_refused(p, 2000);
	fx_end(p);
}

TEST(test_input_syn_for_no_connection_is_refused_with_its_ack)
{
	struct test_peer *p = quiet(NULL);
	const struct tcp_segment in = {.seq = 1000,
		.flags = TCP_SYN,
		.payload = {.data = (uint8_t *)(uintptr_t) "abc", .len = 3}};
	struct tcp_segment s;

	test_peer_send_segment(p, &in);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), 1);
	s = fx_last_tcp(p);
	assert_int_equal(s.flags, TCP_RST | TCP_ACK);
	assert_int_equal(s.seq, 0);
	assert_int_equal(s.ack, 1004);
	fx_end(p);
}

TEST(test_input_rst_for_no_connection_is_not_answered)
{
	struct test_peer *p = quiet(NULL);
	const struct tcp_segment in = {.seq = 1000, .ack = 2000, .flags = TCP_RST | TCP_ACK};

	test_peer_send_segment(p, &in);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

/* RFC 1122 §3.2.1.3: such a source is nobody, and an answer would go to many, or to us. */
TEST(test_input_from_an_impossible_source_is_dropped)
{
	static const uint32_t sources[] = {0, UINT32_C(0xe0000001), UINT32_C(0xf0000001),
		UINT32_MAX, TEST_OUR_ADDRESS, UINT32_C(0x7f000001)};
	struct test_peer *p = quiet(NULL);
	uint32_t i;

	for (i = 0; i < 6; i++) {
		send_tcp_from(p, sources[i], TCP_ACK);
		assert_int_equal(test_peer_take(p), 0);
		assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), i + 1);
	}
	send_tcp_from(p, TEST_PEER_ADDRESS, TCP_ACK);
	assert_int_equal(test_peer_take(p), 1);
	fx_end(p);
}

TEST(test_input_refusals_have_a_limit_a_second)
{
	struct test_peer *p = quiet(NULL);
	uint32_t i, answers = 0;

	for (i = 0; i < NETSTACK_REPLIES_PER_SECOND + 50; i++) {
		send_tcp_from(p, TEST_PEER_ADDRESS, TCP_ACK);
		answers += test_peer_take(p);
	}
	assert_int_equal(answers, NETSTACK_REPLIES_PER_SECOND);
	test_peer_wait(p, NS_PER_SEC);
	send_tcp_from(p, TEST_PEER_ADDRESS, TCP_ACK);
	assert_int_equal(test_peer_take(p), 1);
	fx_end(p);
}

TEST(test_input_of_a_wrong_checksum_is_counted_and_dropped)
{
	struct test_peer *p = quiet(NULL);
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64};
	uint8_t tcp[20] = {0, 80, 0x9c, 0x40, [12] = 0x50, [13] = TCP_ACK, [16] = 0xab};

	send_ip(p, &to_us, &ip, tcp, sizeof(tcp));
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM), 1);
	assert_int_equal(test_peer_take(p), 0);
	/* Only the pseudo-header's sum is there: its kernel counted on hardware. */
	tcp[16] = tcp[17] = 0;
	wire_tcp_set_checksum(tcp, wire_checksum_fold(wire_checksum_pseudo_ipv4(
					   ip.src, ip.dst, IPV4_PROTO_TCP, sizeof(tcp))));
	send_ip(p, &to_us, &ip, tcp, sizeof(tcp));
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM_PARTIAL), 1);
	fx_end(p);
}

TEST(test_input_for_another_mac_ip_or_protocol_is_counted)
{
	struct test_peer *p = quiet(NULL);
	struct ether_header ether = to_us;
	struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS + 1,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64};
	static const uint8_t zeros[64];

	send_ip(p, &ether, &ip, zeros, 20);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 1);
	ip.dst = TEST_OUR_ADDRESS;
	ether.dst.byte[5]++;
	send_ip(p, &ether, &ip, zeros, 20);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 2);
	ether.dst = ether_addr_broadcast; /* TCP by broadcast is none (RFC 1122 §4.2.3.10) */
	send_ip(p, &ether, &ip, zeros, 20);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 3);
	ether.dst = our_mac;
	ip.protocol = 132;
	send_ip(p, &ether, &ip, zeros, 20);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_PROTOCOL), 1);
	ether.type = 0x86dd;
	send_ip(p, &ether, &ip, zeros, 20);
	assert_int_equal(fx_count(p, COUNTER_DROP_ETH_TYPE), 1);
	test_peer_send_frame(p, zeros, 13);
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_ETH_SHORT), 1);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

static void
vlan_17(struct netstack_config *cfg)
{
	cfg->vlan_id = 17;
}

TEST(test_input_of_our_vlan_only_and_output_with_its_tag)
{
	struct test_peer *p = quiet(vlan_17);
	const struct ipv4_header ip = {
		.src = TEST_PEER_ADDRESS, .dst = TEST_OUR_ADDRESS, .protocol = 132, .ttl = 64};
	struct ether_header ether = to_us;

	assert_memory_equal(p->last + 12, "\x81\x00\x00\x11\x08\x06", 6); /* the announcement */
	send_ip(p, &ether, &ip, "", 0);
	ether.vlan_id = 18;
	send_ip(p, &ether, &ip, "", 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_VLAN_ID), 2);
	ether.vlan_id = 17;
	send_ip(p, &ether, &ip, "", 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_PROTOCOL), 1);
	fx_connect(p);
	(void)test_peer_take(p);
	assert_memory_equal(p->last + 12, "\x81\x00\x00\x11\x08\x06", 6);
	fx_end(p);
}

static void
queue_icmp(struct test_peer *p, uint32_t src, uint8_t *icmp, uint32_t len)
{
	const struct ipv4_header ip = {
		.src = src, .dst = TEST_OUR_ADDRESS, .protocol = IPV4_PROTO_ICMP, .ttl = 64};

	icmp[2] = icmp[3] = 0;
	wire_tcp_set_checksum(icmp - 14, wire_checksum_finish(wire_checksum_add(0, icmp, len)));
	queue_ip(p, &to_us, &ip, icmp, len);
}

static void
send_icmp(struct test_peer *p, uint32_t src, uint8_t *icmp, uint32_t len)
{
	queue_icmp(p, src, icmp, len);
	test_peer_deliver(p);
}

TEST(test_input_echo_request_is_answered_with_its_data)
{
	struct test_peer *p = quiet(NULL);
	uint8_t room[14 + 8 + 1472] = {[14] = ICMP_ECHO_REQUEST, [18] = 1, 2, 3, 4},
			      *icmp = room + 14;
	uint32_t len;

	memset(icmp + 8, 0x5a, 1472);
	for (len = 8; len <= 1480; len += 1472) { /* no data, and as much as the MTU holds */
		send_icmp(p, TEST_PEER_ADDRESS, icmp, len);
		assert_int_equal(test_peer_take(p), 1);
		assert_int_equal(p->last_len, 34 + len);
		assert_int_equal(p->last[34], ICMP_ECHO_REPLY);
		assert_int_equal(wire_checksum_finish(wire_checksum_add(0, p->last + 34, len)), 0);
		assert_memory_equal(p->last + 38, icmp + 4, len - 4);
		assert_memory_equal(p->last, &peer_mac, 6);
	}
	icmp[9] ^= 1; /* after the checksum was made */
	send_ip(p, &to_us,
		&(const struct ipv4_header){.src = TEST_PEER_ADDRESS,
			.dst = TEST_OUR_ADDRESS,
			.protocol = IPV4_PROTO_ICMP,
			.ttl = 64},
		icmp, 1480);
	assert_int_equal(test_peer_take(p), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_MALFORMED), 1);
	fx_end(p);
}

/* An error about what we sent with this sequence number. */
static void
queue_error_about(
	struct test_peer *p, uint32_t src, uint8_t code, uint32_t seq, uint16_t mtu, uint16_t port)
{
	const struct ipv4_header ip = {.src = src,
		.dst = TEST_PEER_ADDRESS,
		.protocol = IPV4_PROTO_TCP,
		.total_len = 1500,
		.ttl = 60};
	uint8_t room[14 + 36] = {[14] = ICMP_UNREACHABLE, [15] = code}, *icmp = room + 14;

	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	wire_ipv4_build(icmp + 8, &ip, true);
	icmp[28] = (uint8_t)(p->client_port >> 8);
	icmp[29] = (uint8_t)p->client_port;
	icmp[30] = (uint8_t)(port >> 8);
	icmp[31] = (uint8_t)port;
	icmp[32] = (uint8_t)(seq >> 24);
	icmp[33] = (uint8_t)(seq >> 16);
	icmp[34] = (uint8_t)(seq >> 8);
	icmp[35] = (uint8_t)seq;
	queue_icmp(p, UINT32_C(0xc61200fe), icmp, 36); /* from a router */
}

static void
send_error_about(
	struct test_peer *p, uint32_t src, uint8_t code, uint32_t seq, uint16_t mtu, uint16_t port)
{
	queue_error_about(p, src, code, seq, mtu, port);
	test_peer_deliver(p);
}

static void
send_error(struct test_peer *p, uint8_t code, uint32_t seq, uint16_t mtu, uint16_t port)
{
	send_error_about(p, TEST_OUR_ADDRESS, code, seq, mtu, port);
}

TEST(test_input_port_unreachable_refuses_a_connection_that_is_being_opened)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc;

	p->answers.syn = false;
	nc = fx_connect(p);
	fx_run(p);
	send_error(p, ICMP_UNREACHABLE_PORT, p->ack + 5, 0, 80); /* not in flight */
	assert_int_equal(netstack_conn_error(nc), 0);
	send_error(p, ICMP_UNREACHABLE_PORT, p->ack - 1, 0, 81); /* another connection */
	assert_int_equal(netstack_conn_error(nc), 0);
	send_error_about(p, TEST_OUR_ADDRESS + 1, ICMP_UNREACHABLE_PORT, p->ack - 1, 0, 80);
	assert_int_equal(netstack_conn_error(nc), 0); /* what it quotes we did not send */
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), 3);
	send_error(p, ICMP_UNREACHABLE_PORT, p->ack - 1, 0, 80);
	assert_int_equal(netstack_conn_error(nc), -ECONNREFUSED);
	assert_int_equal(fx_count(p, COUNTER_ICMP_ERRORS_APPLIED), 1);
	fx_end(p);
}

/* As a firewall's REJECT rule answers. */
TEST(test_input_prohibited_refuses_a_connection_that_is_being_opened)
{
	static const uint8_t codes[] = {ICMP_UNREACHABLE_NET_PROHIBITED,
		ICMP_UNREACHABLE_HOST_PROHIBITED, ICMP_UNREACHABLE_PROHIBITED};
	struct netstack_conn *nc;
	size_t i;

	for (i = 0; i < sizeof(codes); i++) {
		struct test_peer *p = quiet(NULL);

		p->answers.syn = false;
		nc = fx_connect(p);
		fx_run(p);
		send_error(p, codes[i], p->ack - 1, 0, 80);
		assert_int_equal(netstack_conn_error(nc), -ECONNREFUSED);
		fx_end(p);
	}
}

/* RFC 5927 §5.2: an established connection does not die of a packet that anyone can send. */
TEST(test_input_port_unreachable_does_not_end_an_established_connection)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t seq = p->ack;

	p->answers.ack = false;
	tcp_conn_send(netstack_conn_tcp(nc), "hello", 5);
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	send_error(p, ICMP_UNREACHABLE_PORT, seq, 0, 80);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	fx_end(p);
}

TEST(test_input_fragmentation_needed_makes_segments_smaller)
{
	static uint8_t data[4000];
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t seq = p->ack;
	struct tcp_info info;

	p->answers.ack = false;
	tcp_conn_send(netstack_conn_tcp(nc), data, sizeof(data));
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	send_error(p, ICMP_UNREACHABLE_FRAG, seq + 100000, 1000, 80);
	tcp_conn_info(netstack_conn_tcp(nc), &info);
	assert_true(info.mss_send > 500); /* the host offered no MSS: 536 */
	send_error(p, ICMP_UNREACHABLE_FRAG, seq, 400, 80);
	tcp_conn_info(netstack_conn_tcp(nc), &info);
	assert_true(info.mss_send <= 400 - 40);
	fx_end(p);
}

static uint32_t
unread(struct netstack_conn *nc)
{
	struct tcp_info info;

	tcp_conn_info(netstack_conn_tcp(nc), &info);
	return info.rcv_bytes_unread;
}

/* A short packet fills up a frame of 60 bytes; how long it is, IP says. */
TEST(test_input_padding_is_not_payload)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t len, parts, total = 0;

	for (parts = 0; parts < 2; parts++) {
		for (len = 0; len <= 6; len += 3) {
			uint8_t frame[80] = {0};
			const struct frame *f = &p->waiting[0];
			struct frame sent;

			test_peer_send(p, TCP_ACK | TCP_PSH, "abcdef", len);
			assert_int_equal(f->len, 54 + len);
			memcpy(frame, f->data, f->len);
			memset(frame + f->len, 'X', sizeof(frame) - f->len);
			sent = p->waiting[--p->waiting_count];
			test_buffer_release(&p->buffers, sent.owner);
			test_peer_send_frame(p, frame, sizeof(frame));
			if (parts)
				deliver_in_parts(p, 54, 5);
			else
				test_peer_deliver(p);
			total += len;
			assert_int_equal(unread(nc), total);
		}
	}
	fx_end(p);
}

TEST(test_input_of_a_length_beyond_the_frame_is_dropped)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);

	test_peer_send(p, TCP_ACK, "abcdef", 6);
	p->waiting[0].len--;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_TRUNCATED), 1);
	assert_int_equal(unread(nc), 0);
	fx_end(p);
}

TEST(test_input_of_a_data_offset_that_cannot_be_is_dropped)
{
	static const uint8_t offsets[] = {0, 4, 7, 15}; /* words; 26 bytes there are */
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t i;

	for (i = 0; i < 4; i++) {
		test_peer_send(p, TCP_ACK, "abcdef", 6);
		p->waiting[0].data[14 + 20 + 12] = (uint8_t)(offsets[i] << 4);
		p->waiting[0].flags = FRAME_L4_CSUM_GOOD;
		test_peer_deliver(p);
		assert_int_equal(fx_count(p, COUNTER_DROP_TCP_HEADER), i + 1);
	}
	assert_int_equal(unread(nc), 0);
	fx_end(p);
}

/* UNKNOWN is not GOOD, and what the NIC calls bad is not looked at again. */
TEST(test_input_checksum_is_the_nics_word_or_our_own)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_established(p);

	test_peer_send(p, TCP_ACK, "abc", 3);
	p->waiting[0].flags = FRAME_L4_CSUM_BAD;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM), 1);
	p->seq -= 3;
	test_peer_send(p, TCP_ACK, "abc", 3);
	p->waiting[0].data[54] ^= 1;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM), 2);
	assert_int_equal(unread(nc), 0);
	p->seq -= 3;
	test_peer_send(p, TCP_ACK, "abc", 3);
	test_peer_deliver(p);
	assert_int_equal(unread(nc), 3);
	fx_end(p);
}

/* A port with small buffers hands over a long frame in parts, ICMP like any other. */
TEST(test_input_echo_request_in_several_buffers_is_answered)
{
	static const uint32_t firsts[] = {34, 42, 60}, parts[] = {31, 200, 1441};
	struct test_peer *p = quiet(NULL);
	uint8_t room[14 + 8 + 1472] = {[14] = ICMP_ECHO_REQUEST, [18] = 1, 2, 3, 4},
			      *icmp = room + 14;
	uint32_t i;

	for (i = 0; i < 1472; i++)
		icmp[8 + i] = (uint8_t)(i * 7);
	for (i = 0; i < 3; i++) {
		queue_icmp(p, TEST_PEER_ADDRESS, icmp, 1480);
		deliver_in_parts(p, firsts[i], parts[i]);
		assert_int_equal(test_peer_take(p), 1);
		assert_int_equal(p->last_len, 34 + 1480);
		assert_memory_equal(p->last + 38, icmp + 4, 1480 - 4);
	}
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_PROTOCOL), 0);
	queue_icmp(p, TEST_PEER_ADDRESS, icmp, 1480);
	p->waiting[0].data[500] ^= 1;
	deliver_in_parts(p, 42, 200);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_MALFORMED), 1);
	queue_icmp(p, TEST_PEER_ADDRESS, icmp, 1480);
	p->waiting[0].len -= 10; /* the last part is short of what IP says */
	deliver_in_parts(p, 42, 200);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_TRUNCATED), 1);
	fx_end(p);
}

TEST(test_input_in_several_buffers_is_counted_whole)
{
	struct test_peer *p = quiet(NULL);
	const uint8_t payload[600] = {0};
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64};
	uint64_t frames = fx_count(p, COUNTER_RX_FRAMES), bytes = fx_count(p, COUNTER_RX_BYTES);

	queue_ip(p, &to_us, &ip, payload, sizeof(payload));
	deliver_in_parts(p, 54, 100);
	assert_int_equal(fx_count(p, COUNTER_RX_FRAMES), frames + 1);
	assert_int_equal(fx_count(p, COUNTER_RX_BYTES), bytes + 14 + 20 + sizeof(payload));
	fx_end(p);
}

TEST(test_input_icmp_error_in_several_buffers_is_applied)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc;

	p->answers.syn = false;
	nc = fx_connect(p);
	fx_run(p);
	queue_error_about(p, TEST_OUR_ADDRESS, ICMP_UNREACHABLE_PORT, p->ack - 1, 0, 80);
	deliver_in_parts(p, 45, 7); /* inside the header that it quotes */
	assert_int_equal(netstack_conn_error(nc), -ECONNREFUSED);
	assert_int_equal(fx_count(p, COUNTER_ICMP_ERRORS_APPLIED), 1);
	fx_end(p);
}

/* What exceeds the MTU cannot be answered, nor would a router quote as much. */
TEST(test_input_icmp_in_several_buffers_beyond_the_mtu_is_ignored)
{
	struct test_peer *p = quiet(NULL);
	uint8_t room[14 + 1501] = {[14] = ICMP_ECHO_REQUEST};

	queue_icmp(p, TEST_PEER_ADDRESS, room + 14, 1501);
	deliver_in_parts(p, 60, 500);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_IGNORED), 1);
	assert_int_equal(test_peer_take(p), 0);
	fx_end(p);
}

TEST(test_input_goes_to_the_connection_of_its_four_tuple)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *one = fx_established(p), *two;
	uint16_t port_one = p->client_port;
	uint32_t seq_one = p->seq, ack_one = p->ack;
	const struct tcp_segment data = {.seq = seq_one,
		.ack = ack_one,
		.dst_port = port_one,
		.flags = TCP_ACK,
		.window = 1000,
		.payload = {.data = (uint8_t *)(uintptr_t) "first", .len = 5}};
	struct tcp_info info;

	two = fx_established(p);
	assert_int_not_equal(p->client_port, port_one);
	test_peer_send(p, TCP_ACK, "zwei", 4);
	test_peer_send_segment(p, &data);
	test_peer_deliver(p);
	tcp_conn_info(netstack_conn_tcp(one), &info);
	assert_int_equal(info.rcv_bytes_unread, 5);
	tcp_conn_info(netstack_conn_tcp(two), &info);
	assert_int_equal(info.rcv_bytes_unread, 4);
	fx_end(p);
}

/* RFC 9293 §3.10.7.1, though the application has not let go of it: a server whose SYN-ACK or data
 * meets silence sends it again and again. */
TEST(test_input_for_a_connection_that_has_ended_is_refused)
{
	struct test_peer *p = quiet(NULL);
	struct netstack_conn *nc = fx_connect(p);

	p->answers.syn = false;
	fx_run(p);
	tcp_conn_abort(netstack_conn_tcp(nc));
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	assert_int_equal(p->resets, 0); /* half open, and nobody had answered */
	test_peer_send(p, TCP_SYN | TCP_ACK, NULL, 0);
	fx_run(p);
	assert_int_equal(p->resets, 1);
	assert_int_equal(fx_last_tcp(p).seq, p->ack);
	test_peer_send(p, TCP_RST | TCP_ACK, NULL, 0);
	fx_run(p);
	assert_int_equal(p->resets, 1);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_input_ack_for_no_connection_is_refused_at_its_number),
		T(test_input_syn_for_no_connection_is_refused_with_its_ack),
		T(test_input_rst_for_no_connection_is_not_answered),
		T(test_input_from_an_impossible_source_is_dropped),
		T(test_input_refusals_have_a_limit_a_second),
		T(test_input_of_a_wrong_checksum_is_counted_and_dropped),
		T(test_input_for_another_mac_ip_or_protocol_is_counted),
		T(test_input_of_our_vlan_only_and_output_with_its_tag),
		T(test_input_echo_request_is_answered_with_its_data),
		T(test_input_port_unreachable_refuses_a_connection_that_is_being_opened),
		T(test_input_prohibited_refuses_a_connection_that_is_being_opened),
		T(test_input_port_unreachable_does_not_end_an_established_connection),
		T(test_input_fragmentation_needed_makes_segments_smaller),
		T(test_input_padding_is_not_payload),
		T(test_input_of_a_length_beyond_the_frame_is_dropped),
		T(test_input_of_a_data_offset_that_cannot_be_is_dropped),
		T(test_input_checksum_is_the_nics_word_or_our_own),
		T(test_input_echo_request_in_several_buffers_is_answered),
		T(test_input_in_several_buffers_is_counted_whole),
		T(test_input_icmp_error_in_several_buffers_is_applied),
		T(test_input_icmp_in_several_buffers_beyond_the_mtu_is_ignored),
		T(test_input_goes_to_the_connection_of_its_four_tuple),
		T(test_input_for_a_connection_that_has_ended_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
