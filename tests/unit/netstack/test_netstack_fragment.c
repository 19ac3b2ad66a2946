/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"
#include "wire_checksum.h"
#include "wire_icmp.h"

/* Fragments: put together (RFC 791 §3.2, RFC 1122 §3.3.2; RFC 8200 §4.5), or held within bounds and
 * dropped. All is tried by IPv4, then by IPv6. */

#define L3 14U
#define L4 (fx_v6_tried ? 54U : 34U)
#define BODY 100U /* with a TCP header of 20 bytes: data of 120 bytes */
#define PARTS_MAX 64U

/* A datagram as it was before it was cut. */
struct whole {
	uint8_t bytes[2048];
	uint32_t len;
	uint16_t id;
};

static struct test_peer *
established(void)
{
	struct test_peer *p = fx_new(fx_v6_tried ? test_peer_config_ipv6 : NULL);

	if (fx_v6_tried)
		fx_established_ipv6(p);
	else
		fx_established(p);
	return p;
}

/* The host's next segment, which is not sent. */
static struct whole
next_whole(struct test_peer *p, uint16_t id)
{
	uint8_t body[BODY];
	struct whole w = {.id = id};
	uint32_t i;

	for (i = 0; i < BODY; i++)
		body[i] = (uint8_t)(i + id);
	test_peer_send(p, TCP_ACK | TCP_PSH, body, BODY);
	w.len = p->waiting[0].len;
	memcpy(w.bytes, p->waiting[0].data, w.len);
	test_buffer_release(&p->buffers, p->waiting[0].owner);
	p->waiting_count = 0;
	return w;
}

/* Writes the headers of a fragment with these bytes of w's data; returns their length. */
static uint32_t
build_headers(uint8_t *frame, const struct whole *w, uint32_t left, uint32_t right, bool more)
{
	uint8_t *l3 = frame + L3, *fragment = frame + L4;

	memcpy(frame, w->bytes, L4);
	if (fx_v6_tried) {
		be16_store(l3 + 4, (uint16_t)(8 + right - left));
		l3[6] = IPV6_NEXT_FRAGMENT;
		fragment[0] = w->bytes[L3 + 6];
		be16_store(fragment + 2, (uint16_t)(left | more));
		be32_store(fragment + 4, UINT32_C(0x12340000) | w->id);
		return L4 + 8;
	}
	be16_store(l3 + 2, (uint16_t)(20 + right - left));
	be16_store(l3 + 4, w->id);
	be16_store(l3 + 6, (uint16_t)((more ? 0x2000U : 0) | left / 8));
	be16_store(l3 + 10, 0);
	be16_store(l3 + 10, wire_checksum_finish(wire_checksum_add(0, l3, 20)));
	return L4;
}

/* Bytes left .. right - 1 of w's data, with padding behind them. */
static void
queue_fragment(struct test_peer *p, const struct whole *w, uint32_t left, uint32_t right, bool more,
	uint32_t padding)
{
	uint8_t frame[2048] = {0};
	uint32_t headers_len = build_headers(frame, w, left, right, more), have = w->len - L4;

	if (left < have)
		memcpy(frame + headers_len, w->bytes + L4 + left, MIN_OF(right, have) - left);
	test_peer_send_frame(p, frame, headers_len + right - left + padding);
}

static void
send_fragment(struct test_peer *p, const struct whole *w, uint32_t left, uint32_t right, bool more)
{
	queue_fragment(p, w, left, right, more, 0);
	test_peer_deliver(p);
}

static uint32_t
unread(const struct test_peer *p)
{
	struct tcp_info info;

	tcp_conn_info(p->ns->conn[0].tcp, &info);
	return info.rcv_bytes_unread;
}

/* All that the connection has is the body of the segment with this id; it is taken. */
static void
expect_body(struct test_peer *p, uint16_t id)
{
	struct payload part;
	uint32_t at = 0, i;

	assert_int_equal(unread(p), BODY);
	while (tcp_conn_recv(p->ns->conn[0].tcp, &part, 1) == 1) {
		for (i = 0; i < part.len; i++, at++)
			assert_int_equal(part.data[i], (uint8_t)(at + id));
		if (part.owner != NULL)
			test_buffer_release(&p->buffers, part.owner);
		tcp_conn_consumed(p->ns->conn[0].tcp, part.len, 1);
	}
	assert_int_equal(at, BODY);
}

TEST(test_fragment_datagram_is_put_together_in_any_order)
{
	static const uint8_t orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const uint32_t edges[] = {0, 32, 80, 120};
	struct test_peer *p = established();
	uint32_t i, k;

	for (i = 0; i < 6; i++) {
		struct whole w = next_whole(p, (uint16_t)i);

		for (k = 0; k < 3; k++) {
			assert_int_equal(unread(p), 0);
			send_fragment(p, &w, edges[orders[i][k]], edges[orders[i][k] + 1],
				orders[i][k] < 2);
		}
		expect_body(p, (uint16_t)i);
	}
	assert_int_equal(fx_count(p, COUNTER_IP_FRAGMENTS), 18);
	assert_int_equal(fx_count(p, COUNTER_IP_REASSEMBLED), 6);
	fx_end(p);
}

TEST(test_fragment_padding_is_not_data)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	queue_fragment(p, &w, 0, 112, true, 0);
	queue_fragment(p, &w, 112, 120, false, 18); /* a frame of 60 bytes */
	test_peer_deliver(p);
	expect_body(p, 1);
	fx_end(p);
}

TEST(test_fragment_duplicate_is_ignored)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 0, 64, true);
	send_fragment(p, &w, 0, 64, true);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_DUPLICATE), 1);
	send_fragment(p, &w, 64, 120, false);
	expect_body(p, 1);
	fx_end(p);
}

/* Others of the datagram may never come, so the buffers that fragments came in must not be held. */
TEST(test_fragment_is_moved_to_where_it_may_stay)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);
	uint64_t moved = p->buffers.moved;

	send_fragment(p, &w, 64, 120, false);
	send_fragment(p, &w, 0, 64, true);
	assert_int_equal(p->buffers.moved, moved + 2);
	expect_body(p, 1);
	fx_end(p);
}

TEST(test_fragment_that_may_not_stay_is_dropped)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);
	uint64_t live = test_buffers_live(&p->buffers);

	p->buffers.keep_refuses = true;
	send_fragment(p, &w, 0, 64, true);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_LIMIT), 1);
	assert_int_equal(test_buffers_live(&p->buffers), live);
	p->buffers.keep_refuses = false;
	send_fragment(p, &w, 0, 64, true); /* once more, as for a retransmission */
	send_fragment(p, &w, 64, 120, false);
	expect_body(p, 1);
	fx_end(p);
}

/* Teardrop and its kin. RFC 5722 §3: the whole datagram goes. */
TEST(test_fragment_overlap_drops_the_datagram)
{
	static const uint32_t second[][2] = {{56, 120}, {0, 112}, {8, 16}, {0, 8}, {56, 64}};
	struct test_peer *p = established();
	uint64_t live = test_buffers_live(&p->buffers);
	struct whole w = next_whole(p, 1);
	uint32_t i;

	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		send_fragment(p, &w, 0, 64, true);
		send_fragment(p, &w, second[i][0], second[i][1], second[i][1] < 120);
		assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_OVERLAP), i + 1);
		assert_int_equal(test_buffers_live(&p->buffers), live);
	}
	send_fragment(p, &w, 64, 120, false);
	assert_int_equal(unread(p), 0);
	fx_end(p);
}

/* From above as well: what reaches into the one that follows it. */
TEST(test_fragment_overlap_with_a_later_one_drops_the_datagram)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 64, 96, true);
	send_fragment(p, &w, 40, 72, true);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_OVERLAP), 1);
	fx_end(p);
}

TEST(test_fragment_of_an_impossible_length_drops_the_datagram)
{
	struct test_peer *p = established();
	uint64_t live = test_buffers_live(&p->buffers);
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 0, 12, true); /* not a multiple of 8 */
	send_fragment(p, &w, 8, 8, true); /* nothing */
	send_fragment(p, &w, 65512, 65528, false); /* the ping of death */
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_LENGTH), 3);
	send_fragment(p, &w, 64, 120, false);
	send_fragment(p, &w, 120, 128, true); /* beyond the end */
	send_fragment(p, &w, 64, 120, false);
	send_fragment(p, &w, 120, 128, false); /* another end */
	send_fragment(p, &w, 80, 88, true);
	send_fragment(p, &w, 40, 48, false); /* an end before what came */
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_LENGTH), 6);
	assert_int_equal(test_buffers_live(&p->buffers), live);
	fx_end(p);
}

TEST(test_fragments_of_different_datagrams_are_not_mixed)
{
	struct test_peer *p = established();
	struct whole a = next_whole(p, 1), b = a;

	b.id = 2;
	send_fragment(p, &a, 0, 64, true);
	send_fragment(p, &b, 64, 120, false);
	assert_int_equal(unread(p), 0);
	send_fragment(p, &a, 64, 120, false);
	expect_body(p, 1);
	fx_end(p);
}

TEST(test_fragment_of_one_datagram_too_many_displaces_the_oldest)
{
	struct test_peer *p = established();
	uint64_t live = test_buffers_live(&p->buffers);
	struct whole w = next_whole(p, 0);
	uint32_t i;

	for (i = 0; i <= NETSTACK_DATAGRAMS; i++) {
		w.id = (uint16_t)i;
		send_fragment(p, &w, 0, 64, true);
		p->now_ns += NS_PER_SEC;
	}
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_LIMIT), 1);
	assert_int_equal(test_buffers_live(&p->buffers), live + NETSTACK_DATAGRAMS);
	w.id = 1;
	send_fragment(p, &w, 64, 120, false);
	expect_body(p, 0);
	fx_end(p);
}

TEST(test_fragment_too_many_of_one_datagram_drops_it)
{
	struct test_peer *p = established();
	uint64_t live = test_buffers_live(&p->buffers);
	struct whole w = next_whole(p, 1);
	uint32_t i;

	for (i = 0; i <= NETSTACK_FRAGMENTS_PER_DATAGRAM; i++)
		send_fragment(p, &w, i * 16, i * 16 + 8, true);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_LIMIT), 1);
	assert_int_equal(test_buffers_live(&p->buffers), live);
	fx_end(p);
}

/* What a NIC says of a fragment's TCP checksum is not about the whole. */
TEST(test_fragment_checksum_is_of_the_whole_and_verified)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);
	uint32_t i;

	w.bytes[L4 + 70] ^= 1;
	queue_fragment(p, &w, 0, 64, true, 0);
	queue_fragment(p, &w, 64, 120, false, 0);
	for (i = 0; i < 2; i++)
		p->waiting[i].flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD;
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_CHECKSUM), 1);
	assert_int_equal(unread(p), 0);
	fx_end(p);
}

/* RFC 1858: a TCP header in two fragments is an evasion, not traffic. */
TEST(test_fragment_that_cuts_the_tcp_header_is_dropped)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 0, 16, true);
	send_fragment(p, &w, 16, 120, false);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_HEADER), 1);
	fx_end(p);
}

/* RFC 4443 §3.3: as much of the fragment as there is. */
static bool
told_by_icmpv6(const struct test_peer *p, const struct whole *w)
{
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, ICMPV6_TIME_EXCEEDED);

	return m->count == 1 && m->message[1] == ICMPV6_TIME_EXCEEDED_REASSEMBLY &&
	       m->len == 8 + 48 + 64 && be32_load(m->message + 4) == 0 &&
	       ipv6_addr_equal(&m->ip.src, &test_our_ipv6) &&
	       ipv6_addr_equal(&m->ip.dst, &test_peer_ipv6) &&
	       memcmp(m->message + 8 + 48, w->bytes + L4, 64) == 0;
}

static bool
last_is_time_exceeded(const struct test_peer *p, const struct whole *w)
{
	const uint8_t *icmp = p->last + L4;

	if (fx_v6_tried)
		return told_by_icmpv6(p, w);
	return p->last_len == L4 + 8 + 28 && p->last[L3 + 9] == IPV4_PROTO_ICMP &&
	       be32_load(p->last + L3 + 16) == TEST_PEER_ADDRESS && icmp[0] == 11 && icmp[1] == 1 &&
	       wire_checksum_finish(wire_checksum_add(0, icmp, 36)) == 0 &&
	       be16_load(icmp + 8 + 4) == w->id && memcmp(icmp + 8 + 20, w->bytes + L4, 8) == 0;
}

TEST(test_fragment_datagram_that_stays_incomplete_is_given_up_and_told)
{
	struct test_peer *p = established();
	uint64_t live = test_buffers_live(&p->buffers);
	struct whole w = next_whole(p, 7);

	p->answers.ack = false; /* of keepalive's probe */
	send_fragment(p, &w, 0, 64, true);
	assert_true(netstack_deadline(p->ns) <= p->now_ns + NETSTACK_FRAGMENT_TIMEOUT_NS);
	test_peer_wait(p, NETSTACK_FRAGMENT_TIMEOUT_NS - NS_PER_US);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_TIMEOUT), 0);
	p->last_len = 0;
	test_peer_wait(p, NS_PER_US);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_TIMEOUT), 1);
	assert_int_equal(test_buffers_live(&p->buffers), live);
	assert_true(last_is_time_exceeded(p, &w));
	fx_end(p);
}

/* RFC 1122 §3.3.2: only if the first fragment has come; the ports are in that one. */
TEST(test_fragment_datagram_without_its_first_is_given_up_in_silence)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 7);

	send_fragment(p, &w, 64, 120, false);
	test_peer_wait(p, NETSTACK_FRAGMENT_TIMEOUT_NS - NS_PER_US);
	p->last_len = 0;
	test_peer_wait(p, NS_PER_US);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_TIMEOUT), 1);
	assert_false(last_is_time_exceeded(p, &w));
	fx_end(p);
}

TEST(test_fragments_of_an_echo_request_are_answered)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 3);

	w.bytes[L3 + (fx_v6_tried ? 6 : 9)] = fx_v6_tried ? IPV6_NEXT_ICMPV6 : IPV4_PROTO_ICMP;
	memset(w.bytes + L4, 0, 120);
	w.bytes[L4] = fx_v6_tried ? ICMPV6_ECHO_REQUEST : ICMP_ECHO_REQUEST;
	w.bytes[L4 + 99] = 42;
	be16_store(w.bytes + L4 + 2, wire_checksum_finish(wire_checksum_add(0, w.bytes + L4, 120)));
	if (fx_v6_tried)
		wire_icmpv6_set_checksum(w.bytes + L4, 120, &test_peer_ipv6, &test_our_ipv6);
	send_fragment(p, &w, 0, 64, true);
	send_fragment(p, &w, 64, 120, false);
	fx_run(p);
	assert_int_equal(fx_count(p, COUNTER_ICMP_ECHO_REPLIES), 1);
	fx_end(p);
}

/* The next frame with MF set is a fragment again, not a frame of the flow. */
TEST(test_fragment_is_not_what_the_flow_is_predicted_from)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 0, 64, true);
	send_fragment(p, &w, 64, 120, false);
	w = next_whole(p, 2);
	send_fragment(p, &w, 0, 64, true);
	assert_int_equal(fx_count(p, COUNTER_IP_FRAGMENTS), 3);
	fx_end(p);
}

TEST(test_fragment_with_congestion_experienced_marks_the_whole)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);
	struct netstack_datagram *d = &p->ns->fragments.datagram[0];
	struct netstack_packet packet;

	w.bytes[L3 + 1] = fx_v6_tried ? 0x30 : 3; /* CE, RFC 3168 §5.3 */
	send_fragment(p, &w, 64, 96, true);
	w.bytes[L3 + 1] = fx_v6_tried ? 0x20 : 2;
	send_fragment(p, &w, 0, 64, true);
	netstack_fragment_frame(d, NULL, &packet);
	assert_int_equal(packet.ecn, 3);
	send_fragment(p, &w, 96, 120, false);
	expect_body(p, 1);
	fx_end(p);
}

/* ---- IPv6 alone ---- */

/* The next segment with a Destination Options header, all of which is the fragments' data. */
static struct whole
next_with_options(struct test_peer *p, uint16_t id)
{
	static const uint8_t options[16] = {IPV4_PROTO_TCP, 1, 1, 12};
	struct whole w = next_whole(p, id);

	memmove(w.bytes + L4 + 16, w.bytes + L4, w.len - L4);
	memcpy(w.bytes + L4, options, sizeof(options));
	w.bytes[L3 + 6] = IPV6_NEXT_DESTINATION;
	w.len += 16;
	return w;
}

/* RFC 8200 §4.5: the headers after the Fragment header are looked at when all is together. */
TEST(test_fragments_that_carry_extension_headers_are_put_together)
{
	struct test_peer *p = established();
	struct whole w = next_with_options(p, 1);

	send_fragment(p, &w, 64, 136, false);
	send_fragment(p, &w, 0, 64, true);
	expect_body(p, 1);
	fx_end(p);
}

/* RFC 7112 §5: the first fragment has them all. */
TEST(test_fragment_that_cuts_the_extension_headers_is_dropped)
{
	struct test_peer *p = established();
	struct whole w = next_with_options(p, 1);

	send_fragment(p, &w, 0, 8, true);
	send_fragment(p, &w, 8, 136, false);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_EXTENSION), 1);
	send_fragment(p, &w, 0, 16, true);
	send_fragment(p, &w, 16, 136, false);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_HEADER), 1);
	fx_end(p);
}

/* RFC 8200 §4.5: "Next Header values in the Fragment headers may differ"; the first one's counts. */
TEST(test_fragment_says_what_comes_next_only_if_it_is_the_first)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1), other = w;

	other.bytes[L3 + 6] = IPV6_NEXT_DESTINATION;
	send_fragment(p, &other, 64, 120, false);
	send_fragment(p, &w, 0, 64, true);
	expect_body(p, 1);
	fx_end(p);
}

/* RFC 6946 §4: apart from any fragments with the same identification. */
TEST(test_fragment_that_is_the_whole_is_no_part_of_others)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 1);

	send_fragment(p, &w, 64, 120, false);
	send_fragment(p, &w, 0, 120, false);
	expect_body(p, 1);
	assert_int_equal(fx_count(p, COUNTER_IP_FRAGMENTS), 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_OVERLAP), 0);
	fx_end(p);
}

/* RFC 4443 §2.4 (e): no error about what went to a group. */
TEST(test_fragment_to_a_group_that_stays_incomplete_is_given_up_in_silence)
{
	struct test_peer *p = established();
	struct whole w = next_whole(p, 7);

	memcpy(w.bytes + L3 + 24, ipv6_addr_all_nodes.byte, 16);
	w.bytes[L3 + 6] = 17;
	send_fragment(p, &w, 0, 64, true);
	test_peer_wait(p, NETSTACK_FRAGMENT_TIMEOUT_NS);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_FRAGMENT_TIMEOUT), 1);
	assert_int_equal(test_peer_icmpv6_sent(p, ICMPV6_TIME_EXCEEDED)->count, 0);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest ipv6_tests[] = {
		T(test_fragments_that_carry_extension_headers_are_put_together),
		T(test_fragment_that_cuts_the_extension_headers_is_dropped),
		T(test_fragment_says_what_comes_next_only_if_it_is_the_first),
		T(test_fragment_that_is_the_whole_is_no_part_of_others),
		T(test_fragment_to_a_group_that_stays_incomplete_is_given_up_in_silence),
	};
	const struct CMUnitTest tests[] = {
		T(test_fragment_datagram_is_put_together_in_any_order),
		T(test_fragment_padding_is_not_data),
		T(test_fragment_duplicate_is_ignored),
		T(test_fragment_is_moved_to_where_it_may_stay),
		T(test_fragment_that_may_not_stay_is_dropped),
		T(test_fragment_overlap_drops_the_datagram),
		T(test_fragment_overlap_with_a_later_one_drops_the_datagram),
		T(test_fragment_of_an_impossible_length_drops_the_datagram),
		T(test_fragments_of_different_datagrams_are_not_mixed),
		T(test_fragment_of_one_datagram_too_many_displaces_the_oldest),
		T(test_fragment_too_many_of_one_datagram_drops_it),
		T(test_fragment_checksum_is_of_the_whole_and_verified),
		T(test_fragment_that_cuts_the_tcp_header_is_dropped),
		T(test_fragment_datagram_that_stays_incomplete_is_given_up_and_told),
		T(test_fragment_datagram_without_its_first_is_given_up_in_silence),
		T(test_fragments_of_an_echo_request_are_answered),
		T(test_fragment_is_not_what_the_flow_is_predicted_from),
		T(test_fragment_with_congestion_experienced_marks_the_whole),
	};

	return cmocka_run_group_tests(tests, fx_by_ipv4, NULL) +
	       cmocka_run_group_tests(tests, fx_by_ipv6, NULL) +
	       cmocka_run_group_tests(ipv6_tests, fx_by_ipv6, NULL);
}
