/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base_bytes.h"
#include "netstack_fixture.h"
#include "tcp_limits.h"
#include "wire_checksum.h"

/* Header prediction below TCP: a frame that it takes must fare as the long way would have it. All is
 * tried by IPv4, then by IPv6. */

#define HEADERS_LEN (L4 + 20U)
#define BODY_LEN 100U
#define L3 14U
#define L4 (fx_v6_tried ? 54U : 34U)

static struct netstack_conn *
connect_to_host(struct test_peer *p)
{
	return fx_v6_tried ? fx_connect_ipv6(p) : fx_connect(p);
}

/* What is done to a frame after a bit of it was changed. */
enum sums {
	SUMS_AS_THEY_ARE,
	SUMS_RIGHT, /* made to fit */
	SUMS_SAID_GOOD, /* the NIC says so */
};

static void
few(struct netstack_config *cfg)
{
	if (fx_v6_tried)
		test_peer_config_ipv6(cfg);
	cfg->connections_max = 2;
	cfg->tcp.rcv_payloads_max = 64;
	cfg->tcp.rcv_window_max_bytes = cfg->tcp.rcv_window_init_bytes = 65536;
}

static struct test_peer *
established(void)
{
	struct test_peer *p = fx_new(few);

	connect_to_host(p);
	fx_run(p);
	assert_int_equal(tcp_conn_state(p->ns->conn[0].tcp), TCP_ESTABLISHED);
	return p;
}

static void
next_frame_more(struct test_peer *p)
{
	static const uint8_t body[BODY_LEN] = {1, 2, 3};

	test_peer_send(p, TCP_ACK, body, sizeof(body));
}

static struct frame *
next_frame(struct test_peer *p)
{
	assert_int_equal(p->waiting_count, 0);
	next_frame_more(p);
	return &p->waiting[0];
}

/* The flow is known. */
static struct test_peer *
learned(void)
{
	struct test_peer *p = established();

	next_frame(p);
	fx_run(p);
	return p;
}

static uint64_t
pseudo_ipv6(const uint8_t *l3, uint32_t tcp_len)
{
	struct ipv6_addr src, dst;

	memcpy(src.byte, l3 + 8, 16);
	memcpy(dst.byte, l3 + 24, 16);
	return wire_checksum_pseudo_ipv6(&src, &dst, IPV4_PROTO_TCP, tcp_len);
}

static void
repair_sums(uint8_t *p)
{
	uint32_t tcp_len = fx_v6_tried ? be16_load(p + L3 + 4) : be16_load(p + L3 + 2) - 20U;
	uint64_t sum;

	if (tcp_len > 20 + BODY_LEN)
		tcp_len = 20 + BODY_LEN;
	if (!fx_v6_tried) {
		be16_store(p + L3 + 10, 0);
		be16_store(p + L3 + 10, wire_checksum_finish(wire_checksum_add(0, p + L3, 20)));
	}
	be16_store(p + L4 + 16, 0);
	sum = fx_v6_tried ? pseudo_ipv6(p + L3, tcp_len)
			  : wire_checksum_pseudo_ipv4(be32_load(p + L3 + 12),
				    be32_load(p + L3 + 16), IPV4_PROTO_TCP, tcp_len);
	be16_store(p + L4 + 16, wire_checksum_finish(wire_checksum_add(sum, p + L4, tcp_len)));
}

static void
change(struct frame *f, uint32_t bit, enum sums sums)
{
	f->data[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
	if (sums == SUMS_RIGHT)
		repair_sums(f->data);
	if (sums == SUMS_SAID_GOOD)
		f->flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD;
}

static struct tcp_info
info_of(const struct test_peer *p)
{
	struct tcp_info info;

	tcp_conn_info(p->ns->conn[0].tcp, &info);
	return info;
}

static void
assert_same(struct test_peer *p, struct test_peer *q)
{
	struct tcp_info a, b;

	assert_memory_equal(&p->counters, &q->counters, sizeof(p->counters));
	assert_int_equal(test_peer_take(p), test_peer_take(q));
	assert_int_equal(p->last_len, q->last_len);
	assert_memory_equal(p->last, q->last, p->last_len + 1);
	a = info_of(p);
	b = info_of(q);
	assert_int_equal(a.state, b.state);
	assert_int_equal(a.rcv_nxt, b.rcv_nxt);
	assert_int_equal(a.rcv_bytes_unread, b.rcv_bytes_unread);
	assert_int_equal(test_buffers_live(&p->buffers), test_buffers_live(&q->buffers));
}

static void
take_the_long_way(struct netstack *ns)
{
	ns->flow.known = false;
	ns->plain[0] = UINT64_MAX; /* no MAC address: no frame is plain */
}

/* What is compared with the long way. */
enum way {
	WAY_PREDICTED, /* the flow is known */
	WAY_PLAIN, /* it is not, but by IPv4 the frame is a plain one */
};
#define WAYS (fx_v6_tried ? 1U : 2U)

/* The same frame for both. */
static void
assert_same_fate(struct test_peer *p, enum way way, struct test_peer *q)
{
	if (way == WAY_PLAIN)
		p->ns->flow.known = false;
	take_the_long_way(q->ns);
	test_peer_deliver(p);
	test_peer_deliver(q);
	assert_same(p, q);
}

TEST(test_flow_next_frame_is_predicted)
{
	struct test_peer *p = learned();

	assert_true(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	assert_int_equal(info_of(p).rcv_bytes_unread, 2 * BODY_LEN);
	fx_end(p);
}

TEST(test_flow_fields_that_change_from_frame_to_frame_do_not_matter)
{
	/* Source MAC; DSCP and ECN, identification, TTL, or the rest of the traffic class, flow label,
	 * hop limit; sequence, acknowledgment, data offset, window. */
	const uint32_t at[] = {6, 15, fx_v6_tried ? 17 : 18, fx_v6_tried ? 21 : 22, L4 + 4, L4 + 8,
		L4 + 12, L4 + 14};
	uint32_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct test_peer *p = learned();
		struct frame *f = next_frame(p);

		change(f, at[i] * 8 + 7, SUMS_RIGHT);
		assert_true(netstack_flow_matches(&p->ns->flow, f));
		test_peer_deliver(p);
		fx_end(p);
	}
}

static void
check_changed_bit(uint32_t bit, enum sums sums, enum way way)
{
	struct test_peer *p = learned(), *q = learned();

	change(next_frame(p), bit, sums);
	change(next_frame(q), bit, sums);
	assert_same_fate(p, way, q);
	fx_end(p);
	fx_end(q);
}

TEST(test_flow_any_changed_bit_fares_as_on_the_long_way)
{
	uint32_t bit, sums, way;

	for (bit = 0; bit < HEADERS_LEN * 8; bit++) {
		for (sums = SUMS_AS_THEY_ARE; sums <= SUMS_SAID_GOOD; sums++) {
			for (way = 0; way < WAYS; way++)
				check_changed_bit(bit, (enum sums)sums, (enum way)way);
		}
	}
}

TEST(test_flow_any_length_fares_as_on_the_long_way)
{
	uint32_t i, len;

	for (i = 0; i < WAYS * (HEADERS_LEN + BODY_LEN + 1); i++) {
		struct test_peer *p = learned(), *q = learned();

		len = i / WAYS;
		next_frame(p)->len = len;
		next_frame(q)->len = len;
		assert_same_fate(p, (enum way)(i % WAYS), q);
		fx_end(p);
		fx_end(q);
	}
}

TEST(test_flow_any_flags_fare_as_on_the_long_way)
{
	uint32_t i, flags;

	for (i = 0; i < WAYS * 32; i++) {
		struct test_peer *p = learned(), *q = learned();

		flags = i / WAYS;
		next_frame(p)->flags = flags;
		next_frame(q)->flags = flags;
		p->waiting[0].vlan_tci = q->waiting[0].vlan_tci = 5;
		assert_same_fate(p, (enum way)(i % WAYS), q);
		fx_end(p);
		fx_end(q);
	}
}

#define BURST 5U

/* A burst of which one frame differs in a bit; false: out of bits. */
static void
queue_burst(struct test_peer *p, uint32_t which, uint32_t bit, enum sums sums)
{
	static const uint8_t body[BODY_LEN] = {1, 2, 3};
	uint32_t i;

	for (i = 0; i < BURST; i++)
		test_peer_send(p, TCP_ACK, body, sizeof(body));
	change(&p->waiting[which], bit, sums);
}

/* One by one, each on the long way. */
static void
deliver_singly(struct test_peer *p)
{
	uint32_t i, n = p->waiting_count;

	p->waiting_count = 0;
	for (i = 0; i < n; i++) {
		take_the_long_way(p->ns);
		netstack_input(p->ns, &p->waiting[i], 1, p->now_ns);
	}
	p->counters.value[COUNTER_RX_BURSTS] -= n - 1;
}

/* Past the quick ACKs of a connection's start a burst is taken in runs. */
static struct test_peer *
in_full_flight(void)
{
	struct test_peer *p = learned();
	struct payload part;
	uint32_t i;

	for (i = 0; i < TCP_ACK_QUICK_SEGMENTS; i++) {
		next_frame(p);
		fx_run(p);
		while (tcp_conn_recv(p->ns->conn[0].tcp, &part, 1) == 1) {
			test_buffer_release(&p->buffers, part.owner);
			tcp_conn_consumed(p->ns->conn[0].tcp, part.len, 1);
		}
	}
	return p;
}

static void
check_burst(uint32_t which, uint32_t bit, enum sums sums)
{
	struct test_peer *p = in_full_flight(), *q = in_full_flight();

	queue_burst(p, which, bit, sums);
	queue_burst(q, which, bit, sums);
	test_peer_deliver(p);
	deliver_singly(q);
	assert_same(p, q);
	fx_end(p);
	fx_end(q);
}

TEST(test_flow_burst_is_one_run)
{
	struct test_peer *p = in_full_flight();
	struct tcp_segment s = {.seq = p->seq, .ack = p->ack, .flags = TCP_ACK, .window = 60000};

	s.payload.len = 1;
	assert_true(tcp_conn_run_expected(p->ns->conn[0].tcp, &s, p->now_ns));
	fx_end(p);
}

TEST(test_flow_any_changed_bit_in_a_burst_fares_as_on_the_long_way)
{
	uint32_t bit, sums;

	for (bit = 0; bit < HEADERS_LEN * 8; bit++) {
		for (sums = SUMS_AS_THEY_ARE; sums <= SUMS_SAID_GOOD; sums++)
			check_burst(bit % BURST, bit, (enum sums)sums);
	}
}

/* The same headers with nothing behind them are no part of the run. */
TEST(test_flow_pure_ack_in_a_burst_fares_as_on_the_long_way)
{
	struct test_peer *p[2] = {in_full_flight(), in_full_flight()};
	uint32_t i;

	for (i = 0; i < 2; i++) {
		test_peer_send(p[i], TCP_ACK, "abc", 3);
		test_peer_send(p[i], TCP_ACK, NULL, 0);
		test_peer_send(p[i], TCP_ACK, "def", 3);
	}
	test_peer_deliver(p[0]);
	deliver_singly(p[1]);
	assert_same(p[0], p[1]);
	fx_end(p[0]);
	fx_end(p[1]);
}

#define STAMP_AT (L4 + 20U)

static void
send_stamped(struct test_peer *p, uint8_t flags, uint32_t len)
{
	static const uint8_t body[BODY_LEN] = {1, 2, 3};
	const struct tcp_segment s = {.seq = p->seq,
		.ack = p->ack,
		.flags = flags,
		.window = 60000,
		.options = TCP_OPT_TIMESTAMPS,
		.ts_val = 7000,
		.payload = {.data = body, .len = len}};

	test_peer_send_segment(p, &s);
	p->seq += len + ((flags & TCP_SYN) != 0);
}

static struct test_peer *
stamped_in_full_flight(void)
{
	struct test_peer *p = fx_new(few);
	struct payload part;
	uint32_t i;

	p->answers.syn = false;
	connect_to_host(p);
	fx_run(p);
	send_stamped(p, TCP_SYN | TCP_ACK, 0);
	fx_run(p);
	for (i = 0; i <= TCP_ACK_QUICK_SEGMENTS; i++) {
		send_stamped(p, TCP_ACK, BODY_LEN);
		fx_run(p);
		while (tcp_conn_recv(p->ns->conn[0].tcp, &part, 1) == 1) {
			test_buffer_release(&p->buffers, part.owner);
			tcp_conn_consumed(p->ns->conn[0].tcp, part.len, 1);
		}
	}
	return p;
}

/* RFC 7323: an older stamp is for PAWS, a newer one for TS.Recent, and no other options are there. */
TEST(test_flow_any_changed_option_bit_in_a_burst_fares_as_on_the_long_way)
{
	uint32_t bit, i, k;

	for (bit = STAMP_AT * 8; bit < (STAMP_AT + 12) * 8; bit++) {
		struct test_peer *p[2] = {stamped_in_full_flight(), stamped_in_full_flight()};

		for (i = 0; i < 2; i++) {
			for (k = 0; k < BURST; k++)
				send_stamped(p[i], TCP_ACK, BODY_LEN);
			p[i]->waiting[bit % BURST].flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD;
			p[i]->waiting[bit % BURST].data[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
		}
		test_peer_deliver(p[0]);
		deliver_singly(p[1]);
		assert_same(p[0], p[1]);
		fx_end(p[0]);
		fx_end(p[1]);
	}
}

static void
with_ecn(struct netstack_config *cfg)
{
	few(cfg);
	cfg->tcp.ecn = true;
}

static struct test_peer *
ecn_in_full_flight(void)
{
	struct test_peer *p = fx_new(with_ecn);
	struct payload part;
	uint32_t i;

	p->answers.syn = false;
	connect_to_host(p);
	fx_run(p);
	test_peer_send(p, TCP_SYN | TCP_ACK | TCP_ECE, NULL, 0);
	fx_run(p);
	for (i = 0; i <= TCP_ACK_QUICK_SEGMENTS; i++) {
		next_frame(p);
		fx_run(p);
		while (tcp_conn_recv(p->ns->conn[0].tcp, &part, 1) == 1) {
			test_buffer_release(&p->buffers, part.owner);
			tcp_conn_consumed(p->ns->conn[0].tcp, part.len, 1);
		}
	}
	return p;
}

/* RFC 3168 §6.1.3: a mark within a burst is not lost in the run. */
TEST(test_flow_congestion_experienced_in_a_burst_is_echoed)
{
	uint32_t which, i, k;

	for (which = 0; which < BURST; which++) {
		struct test_peer *p[2] = {ecn_in_full_flight(), ecn_in_full_flight()};

		for (i = 0; i < 2; i++) {
			for (k = 0; k < BURST; k++)
				test_peer_send(p[i], TCP_ACK, "abc", 3);
			p[i]->waiting[which].data[L3 + 1] |= fx_v6_tried ? 0x30 : 3;
			repair_sums(p[i]->waiting[which].data);
		}
		test_peer_deliver(p[0]);
		deliver_singly(p[1]);
		assert_int_equal(fx_count(p[0], COUNTER_TCP_CE_RECEIVED), 1);
		p[0]->now_ns = p[1]->now_ns += NS_PER_MS;
		assert_same(p[0], p[1]);
		assert_true(fx_last_tcp(p[0]).flags & TCP_ECE);
		fx_end(p[0]);
		fx_end(p[1]);
	}
}

static uint8_t
last_ecn(const struct test_peer *p)
{
	return (fx_v6_tried ? p->last[L3 + 1] >> 4 : p->last[L3 + 1]) & IPV4_ECN_MASK;
}

/* RFC 3168 §6.1.4 and §6.1.2: what the codepoint in our IP header says. */
TEST(test_flow_new_data_goes_as_ect_0_where_ecn_is_spoken)
{
	struct test_peer *p[2] = {ecn_in_full_flight(), in_full_flight()};
	uint32_t i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(last_ecn(p[i]), 0); /* an ACK */
		tcp_conn_send(p[i]->ns->conn[0].tcp, "hello", 5);
		netstack_conn_touch(p[i]->ns, &p[i]->ns->conn[0]);
		assert_int_equal(test_peer_take(p[i]), 1);
		assert_int_equal(last_ecn(p[i]), i == 0 ? 2 : 0);
		fx_end(p[i]);
	}
}

/* The body's bits are covered by the sum alone. */
TEST(test_flow_corrupted_body_in_a_burst_is_dropped)
{
	uint32_t which;

	for (which = 0; which < BURST; which++)
		check_burst(which, (HEADERS_LEN + 50) * 8, SUMS_AS_THEY_ARE);
}

static void
on_vlan_7(struct netstack_config *cfg)
{
	few(cfg);
	cfg->vlan_id = 7;
	cfg->gateway_mac_set = true;
	cfg->gateway_mac = (struct ether_addr){{2, 0, 0, 0, 0, 1}};
}

static void
tag_stripped(struct test_peer *p)
{
	p->waiting[0].flags = FRAME_VLAN_STRIPPED;
	p->waiting[0].vlan_tci = 7;
}

static void
tag_in_frame(struct test_peer *p)
{
	static const uint8_t tag[] = {0x81, 0, 0, 7};
	struct frame untagged = p->waiting[0];
	uint8_t bytes[256];

	memcpy(bytes, untagged.data, 12);
	memcpy(bytes + 12, tag, sizeof(tag));
	memcpy(bytes + 16, untagged.data + 12, untagged.len - 12);
	p->waiting_count = 0;
	test_peer_send_frame(p, bytes, untagged.len + sizeof(tag));
	test_buffer_release(&p->buffers, untagged.owner);
}

/* A tag shifts what follows, or is elsewhere: with a VLAN the long way is taken, and an untagged
 * frame is still not ours. */
static void
check_vlan(void (*tag)(struct test_peer *p))
{
	struct test_peer *p = fx_new(on_vlan_7);
	uint32_t i;

	connect_to_host(p);
	(void)test_peer_take(p);
	tag(p); /* the SYN-ACK */
	test_peer_deliver(p);
	for (i = 0; i < 2; i++) {
		next_frame(p);
		tag(p);
		assert_false(netstack_flow_matches(&p->ns->flow, &p->waiting[0]));
		test_peer_deliver(p);
	}
	assert_int_equal(info_of(p).rcv_bytes_unread, 2 * BODY_LEN);
	assert_false(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_VLAN_ID), 1);
	fx_end(p);
}

TEST(test_flow_of_a_vlan_whose_tag_is_stripped_is_not_predicted)
{
	check_vlan(tag_stripped);
}

TEST(test_flow_of_a_vlan_whose_tag_is_in_the_frame_is_not_predicted)
{
	check_vlan(tag_in_frame);
}

/* Between the IP header and TCP's; 4 bytes of options, or a Destination Options header. */
static void
add_ip_options(struct test_peer *p)
{
	static const uint8_t options[] = {1, 1, 1, 0}, extension[] = {6, 0, 1, 4, 0, 0, 0, 0};
	struct frame plain = p->waiting[0];
	uint32_t len = fx_v6_tried ? sizeof(extension) : sizeof(options);
	uint8_t bytes[256];

	memcpy(bytes, plain.data, L4);
	memcpy(bytes + L4, fx_v6_tried ? extension : options, len);
	memcpy(bytes + L4 + len, plain.data + L4, plain.len - L4);
	if (fx_v6_tried) {
		be16_store(bytes + L3 + 4, (uint16_t)(plain.len - L4 + len));
		bytes[L3 + 6] = IPV6_NEXT_DESTINATION;
	} else {
		bytes[L3] = 0x46;
		be16_store(bytes + L3 + 2, (uint16_t)(plain.len - L3 + len));
		be16_store(bytes + L3 + 10, 0);
		be16_store(bytes + L3 + 10,
			wire_checksum_finish(wire_checksum_add(0, bytes + L3, 24)));
	}
	p->waiting_count = 0;
	test_peer_send_frame(p, bytes, plain.len + len);
	p->waiting[0].flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD;
	test_buffer_release(&p->buffers, plain.owner);
}

TEST(test_flow_with_ip_options_is_not_predicted)
{
	struct test_peer *p = learned();
	uint32_t i;

	for (i = 0; i < 2; i++) {
		next_frame(p);
		add_ip_options(p);
		assert_false(netstack_flow_matches(&p->ns->flow, &p->waiting[0]));
		test_peer_deliver(p);
	}
	assert_int_equal(info_of(p).rcv_bytes_unread, 3 * BODY_LEN);
	fx_end(p);
}

TEST(test_flow_in_several_buffers_is_not_predicted)
{
	struct test_peer *p = learned();
	struct frame *first = next_frame(p), rest;
	struct payload b = test_buffer_make(&p->buffers, first->data + 100, first->len - 100);

	rest = (struct frame){.data = b.owner, .len = b.len, .owner = b.owner};
	first->len = 100;
	first->next = &rest;
	assert_false(netstack_flow_matches(&p->ns->flow, first));
	test_peer_deliver(p);
	assert_int_equal(info_of(p).rcv_bytes_unread, 2 * BODY_LEN);
	fx_end(p);
}

/* Two connections take turns: each frame goes to its own. */
TEST(test_flow_follows_the_connection_of_the_last_segment)
{
	struct test_peer *p = learned();
	uint16_t first = p->client_port;
	uint32_t seq = p->seq, ack = p->ack;

	connect_to_host(p);
	fx_run(p);
	next_frame(p);
	test_peer_deliver(p);
	p->client_port = first;
	p->seq = seq;
	p->ack = ack;
	assert_false(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	assert_true(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	assert_int_equal(info_of(p).rcv_bytes_unread, 3 * BODY_LEN);
	fx_end(p);
}

/* A run may begin with the first frame of a flow that is not known. */
TEST(test_flow_run_that_begins_with_a_plain_frame_fares_as_on_the_long_way)
{
	struct test_peer *p = in_full_flight(), *q = in_full_flight();
	uint32_t i;

	for (i = 0; i < BURST; i++) {
		next_frame_more(p);
		next_frame_more(q);
	}
	p->ns->flow = (struct netstack_flow){0};
	test_peer_deliver(p);
	deliver_singly(q);
	assert_same(p, q);
	fx_end(p);
	fx_end(q);
}

/* Where the bursts are of many connections a flow is known from its second frame on. */
TEST(test_flow_of_one_among_many_is_learned_from_its_second_frame)
{
	struct test_peer *p = learned();

	connect_to_host(p);
	fx_run(p);
	if (fx_v6_tried) { /* by IPv6 no frame is plain: the long way, from the first one */
		fx_end(p);
		return;
	}
	p->ns->flow.conn = &p->ns->conn[0];
	p->ns->flow.known = false;
	p->ns->many = true;
	next_frame(p);
	test_peer_deliver(p);
	assert_ptr_equal(p->ns->flow.conn, &p->ns->conn[1]);
	assert_false(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	p->ns->many = true;
	test_peer_deliver(p);
	assert_true(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	fx_end(p);
}

TEST(test_flow_frame_with_tcp_over_ipv4_is_plain)
{
	struct test_peer *p = established();
	struct frame *f = next_frame(p);

	assert_int_equal(netstack_flow_is_plain(p->ns->plain, f), !fx_v6_tried);
	f->data[5] ^= 1; /* another MAC address */
	assert_false(netstack_flow_is_plain(p->ns->plain, f));
	test_peer_deliver(p);
	fx_end(p);
}

/* The same ports by the other IP are another connection. */
TEST(test_flow_is_one_ips)
{
	struct test_peer *p = learned();

	next_frame(p);
	p->waiting[0].data[12] = fx_v6_tried ? 0x08 : 0x86;
	p->waiting[0].data[13] = fx_v6_tried ? 0x00 : 0xdd;
	assert_false(netstack_flow_matches(&p->ns->flow, &p->waiting[0]));
	test_peer_deliver(p);
	assert_int_equal(info_of(p).rcv_bytes_unread, BODY_LEN);
	fx_end(p);
}

TEST(test_flow_of_a_freed_connection_is_forgotten)
{
	struct test_peer *p = learned();
	struct netstack_conn *nc = &p->ns->conn[0];

	test_peer_send(p, TCP_RST | TCP_ACK, NULL, 0);
	test_peer_deliver(p);
	netstack_release_conn(p->ns, nc, p->now_ns);
	fx_run(p);
	assert_false(netstack_flow_matches(&p->ns->flow, next_frame(p)));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_NO_CONNECTION), 1);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_flow_next_frame_is_predicted),
		T(test_flow_fields_that_change_from_frame_to_frame_do_not_matter),
		T(test_flow_any_changed_bit_fares_as_on_the_long_way),
		T(test_flow_any_length_fares_as_on_the_long_way),
		T(test_flow_any_flags_fare_as_on_the_long_way),
		T(test_flow_burst_is_one_run),
		T(test_flow_any_changed_bit_in_a_burst_fares_as_on_the_long_way),
		T(test_flow_pure_ack_in_a_burst_fares_as_on_the_long_way),
		T(test_flow_any_changed_option_bit_in_a_burst_fares_as_on_the_long_way),
		T(test_flow_congestion_experienced_in_a_burst_is_echoed),
		T(test_flow_new_data_goes_as_ect_0_where_ecn_is_spoken),
		T(test_flow_corrupted_body_in_a_burst_is_dropped),
		T(test_flow_of_a_vlan_whose_tag_is_stripped_is_not_predicted),
		T(test_flow_of_a_vlan_whose_tag_is_in_the_frame_is_not_predicted),
		T(test_flow_with_ip_options_is_not_predicted),
		T(test_flow_in_several_buffers_is_not_predicted),
		T(test_flow_follows_the_connection_of_the_last_segment),
		T(test_flow_run_that_begins_with_a_plain_frame_fares_as_on_the_long_way),
		T(test_flow_of_one_among_many_is_learned_from_its_second_frame),
		T(test_flow_frame_with_tcp_over_ipv4_is_plain),
		T(test_flow_is_one_ips),
		T(test_flow_of_a_freed_connection_is_forgotten),
	};

	return cmocka_run_group_tests(tests, fx_by_ipv4, NULL) +
	       cmocka_run_group_tests(tests, fx_by_ipv6, NULL);
}
