/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "netstack_fixture.h"
#include "wire_checksum.h"
#include "wire_icmp.h"

/* Two workers of one port, a on queue 0 and b on queue 1, and what each receives of the other's. */

#define FRAME_ROOM 1518U

struct pair {
	struct netstack_steer *steer;
	struct netstack_exchange *exchange;
	struct test_peer *a, *b;
	struct test_buffers back; /* what either gives back, as from one pool */
};

static void
make_worker(struct pair *pair, struct test_peer **ret, uint16_t queue, bool probes)
{
	struct test_peer *p = calloc(1, sizeof(*p));
	struct netstack_config cfg;

	assert_non_null(p);
	test_peer_config(p, &cfg);
	test_peer_config_ipv6(&cfg);
	cfg.steer = pair->steer;
	cfg.exchange = pair->exchange;
	cfg.queue = queue;
	cfg.probe_address = probes && queue == 0;
	cfg.release_ctx = &pair->back;
	test_peer_start(p, &cfg);
	*ret = p;
}

/* probes: a tests the addresses first. */
static struct pair *
pair_make(bool probes)
{
	const struct netstack_steer_config by_port = {.kind = NETSTACK_STEER_PORT, .queues = 2};
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	pair->steer = netstack_steer_create(&by_port);
	pair->exchange = netstack_exchange_create(2, FRAME_ROOM);
	assert_non_null(pair->exchange);
	make_worker(pair, &pair->a, 0, probes);
	make_worker(pair, &pair->b, 1, probes);
	return pair;
}

static struct pair *
pair_new(void)
{
	struct pair *pair = pair_make(false);

	assert_int_equal(test_peer_take(pair->a), 2); /* it announces itself to ARP and NDP */
	assert_int_equal(fx_count(pair->a, COUNTER_ARP_REQUESTS_SENT), 1);
	assert_int_equal(test_peer_take(pair->b), 0); /* not for a second time */
	return pair;
}

/* No buffer is left, whoever made and whoever released it. */
static void
pair_end(struct pair *pair)
{
	struct test_peer *const peers[] = {pair->a, pair->b};
	uint64_t made = 0;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		netstack_abort_all(peers[i]->ns);
		(void)test_peer_take(peers[i]);
		test_peer_deliver(peers[i]);
		made += peers[i]->buffers.made;
		pair->back.released += peers[i]->buffers.released; /* what a test has read */
		peers[i]->buffers = (struct test_buffers){0};
	}
	netstack_exchange_clear(pair->exchange, test_buffer_release, &pair->back);
	for (i = 0; i < 2; i++) {
		test_peer_stop(peers[i]);
		free(peers[i]);
	}
	assert_int_equal(made + pair->back.made, pair->back.released);
	netstack_exchange_destroy(pair->exchange);
	netstack_steer_destroy(pair->steer);
	free(pair);
}

static uint64_t
count_of_both(const struct pair *pair, enum counter_id id)
{
	return fx_count(pair->a, id) + fx_count(pair->b, id);
}

/* What the host sent to `to` arrives on `on`'s queue. */
static void
misroute(struct test_peer *to, struct test_peer *on)
{
	memcpy(on->waiting, to->waiting, to->waiting_count * sizeof(to->waiting[0]));
	on->waiting_count = to->waiting_count;
	to->waiting_count = 0;
	test_peer_deliver(on);
}

/* A few rounds in which all that the host answers b comes by a's queue. */
static void
run_misrouted(struct pair *pair)
{
	uint32_t i;

	for (i = 0; i < 10; i++) {
		(void)test_peer_take(pair->b);
		misroute(pair->b, pair->a);
		(void)netstack_input_exchanged(pair->b->ns, pair->b->now_ns);
		(void)test_peer_take(pair->a);
	}
}

static struct netstack_conn *
established_misrouted(struct pair *pair)
{
	struct netstack_conn *nc = fx_connect(pair->b);

	run_misrouted(pair);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	return nc;
}

TEST(test_exchange_answers_on_the_wrong_queue_reach_their_connection)
{
	struct pair *pair = pair_new();

	established_misrouted(pair);
	/* ARP's answer is shared, the SYN-ACK handed over. */
	assert_int_equal(fx_count(pair->a, COUNTER_WRONG_QUEUE), 1);
	assert_int_equal(fx_count(pair->b, COUNTER_HANDED_OVER), 1);
	assert_int_equal(fx_count(pair->b, COUNTER_WRONG_QUEUE), 0);
	assert_int_equal(fx_count(pair->a, COUNTER_TCP_RST_SENT), 0);
	assert_int_equal(pair->b->resets, 0);
	pair_end(pair);
}

TEST(test_exchange_data_on_the_wrong_queue_arrives_whole_and_in_order)
{
	struct pair *pair = pair_new();
	struct netstack_conn *nc = established_misrouted(pair);
	uint8_t body[40 * 1000], got[sizeof(body)];
	uint32_t i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31 + i / 251);
	for (i = 0; i < 40; i++)
		test_peer_send(pair->b, TCP_ACK, body + i * 1000, 1000);
	misroute(pair->b, pair->a);
	while (netstack_input_exchanged(pair->b->ns, pair->b->now_ns) > 0)
		;
	assert_int_equal(fx_count(pair->a, COUNTER_WRONG_QUEUE), 41);
	assert_int_equal(fx_count(pair->b, COUNTER_TCP_OUT_OF_ORDER), 0);
	assert_int_equal(fx_read(pair->b, nc, got, sizeof(got)), sizeof(body));
	assert_memory_equal(got, body, sizeof(body));
	pair_end(pair);
}

/* In three parts, as a port with small buffers has them. */
static void
deliver_in_parts(struct test_peer *p, uint32_t first, uint32_t second)
{
	struct frame whole = p->waiting[0], part[3];
	const uint32_t len[3] = {first, second, whole.len - first - second};
	uint32_t i, at = 0;

	for (i = 0; i < 3; at += len[i], i++) {
		struct payload b = test_buffer_make(&p->buffers, whole.data + at, len[i]);

		part[i] = (struct frame){.data = b.owner, .len = len[i], .owner = b.owner};
		part[i].next = i < 2 ? &part[i + 1] : NULL;
	}
	p->buffers.made--;
	free(whole.owner);
	p->waiting_count = 0;
	netstack_input(p->ns, part, 1, p->now_ns);
}

TEST(test_exchange_frame_in_parts_is_handed_over_with_all_of_them)
{
	struct pair *pair = pair_new();
	struct netstack_conn *nc = established_misrouted(pair);
	uint8_t body[900], got[2 * sizeof(body)];
	uint32_t i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7);
	for (i = 0; i < 2; i++) {
		test_peer_send(pair->b, TCP_ACK, body, sizeof(body));
		pair->a->waiting[0] = pair->b->waiting[0];
		pair->b->waiting_count = 0;
		deliver_in_parts(pair->a, 60, 300);
	}
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 1);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 1);
	assert_int_equal(fx_read(pair->b, nc, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, body, sizeof(body));
	assert_memory_equal(got + sizeof(body), body, sizeof(body));
	pair_end(pair);
}

/* The segment that waits at p, cut into two fragments of its datagram (RFC 791 §2.3). */
static void
cut_in_two(struct test_peer *p, uint32_t left_len)
{
	struct frame f = p->waiting[0];
	uint32_t data_len = f.len - 34, i;
	uint8_t frame[2048];

	p->waiting_count = 0;
	for (i = 0; i < 2; i++) {
		uint32_t from = i == 0 ? 0 : left_len, to = i == 0 ? left_len : data_len;

		memcpy(frame, f.data, 34);
		memcpy(frame + 34, f.data + 34 + from, to - from);
		be16_store(frame + 14 + 2, (uint16_t)(20 + to - from));
		be16_store(frame + 14 + 6, (uint16_t)((i == 0 ? 0x2000U : 0U) | from / 8));
		be16_store(frame + 14 + 10, 0);
		be16_store(frame + 14 + 10,
			wire_checksum_finish(wire_checksum_add(0, frame + 14, 20)));
		test_peer_send_frame(p, frame, 34 + to - from);
	}
	p->buffers.made--;
	free(f.owner);
}

TEST(test_exchange_segment_in_fragments_is_handed_over_as_a_whole)
{
	struct pair *pair = pair_new();
	struct netstack_conn *nc = established_misrouted(pair);
	uint8_t body[700], got[sizeof(body)];
	uint32_t i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 3);
	test_peer_send(pair->b, TCP_ACK | TCP_PSH, body, sizeof(body));
	cut_in_two(pair->b, 320);
	misroute(pair->b, pair->a);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 1);
	assert_int_equal(fx_count(pair->b, COUNTER_IP_FRAGMENTS), 0);
	assert_int_equal(fx_read(pair->b, nc, got, sizeof(got)), sizeof(body));
	assert_memory_equal(got, body, sizeof(body));
	pair_end(pair);
}

static void
send_to_port(struct test_peer *p, uint16_t port)
{
	test_peer_send_segment(p, &(struct tcp_segment){.dst_port = port,
					  .src_port = 80,
					  .seq = 1000,
					  .ack = 2000,
					  .flags = TCP_ACK,
					  .window = 1000});
}

/* Once: the other worker answers, whether it knows the connection or not. */
TEST(test_exchange_segment_of_no_connection_is_refused_once_by_its_worker)
{
	struct pair *pair = pair_new();

	send_to_port(pair->a, 40001); /* b's, by its number */
	test_peer_deliver(pair->a);
	(void)test_peer_take(pair->a);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 1);
	(void)test_peer_take(pair->b);
	assert_int_equal(fx_count(pair->a, COUNTER_TCP_RST_SENT), 0);
	assert_int_equal(fx_count(pair->b, COUNTER_TCP_RST_SENT), 1);
	assert_int_equal(netstack_input_exchanged(pair->a->ns, pair->a->now_ns), 0);
	send_to_port(pair->a, 40000); /* a's own */
	test_peer_deliver(pair->a);
	assert_int_equal(fx_count(pair->a, COUNTER_TCP_RST_SENT), 1);
	assert_int_equal(fx_count(pair->a, COUNTER_WRONG_QUEUE), 1);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 0);
	pair_end(pair);
}

TEST(test_exchange_worker_that_is_behind_loses_frames_and_they_are_counted)
{
	struct pair *pair = pair_new();
	uint32_t i;

	for (i = 0; i < NETSTACK_EXCHANGE_FRAMES + 10; i++) {
		send_to_port(pair->a, 40001);
		test_peer_deliver(pair->a);
	}
	assert_int_equal(fx_count(pair->a, COUNTER_DROP_EXCHANGE), 10);
	for (i = 0; netstack_input_exchanged(pair->b->ns, pair->b->now_ns) > 0; i++)
		;
	assert_int_equal(fx_count(pair->b, COUNTER_HANDED_OVER), NETSTACK_EXCHANGE_FRAMES);
	send_to_port(pair->a, 40001);
	test_peer_deliver(pair->a); /* there is room again; pair_end finds it in the ring */
	assert_int_equal(fx_count(pair->a, COUNTER_DROP_EXCHANGE), 10);
	pair_end(pair);
}

/* Its sum, too: it was verified by who received it, not twice. */
TEST(test_exchange_segment_handed_over_is_counted_once)
{
	struct pair *pair = pair_new();

	established_misrouted(pair);
	test_peer_send(pair->b, TCP_ACK, "whole", 5);
	misroute(pair->b, pair->a);
	run_misrouted(pair);
	assert_int_equal(fx_count(pair->b, COUNTER_HANDED_OVER), 2);
	assert_int_equal(count_of_both(pair, COUNTER_RX_CSUM_SOFTWARE), 2);
	assert_int_equal(count_of_both(pair, COUNTER_RX_FRAMES), 3); /* and ARP's answer */
	assert_int_equal(fx_count(pair->b, COUNTER_RX_CSUM_HARDWARE), 0);
	pair_end(pair);
}

/* ---- what concerns all ---- */

TEST(test_exchange_neighbour_that_one_worker_hears_of_all_know)
{
	struct pair *pair = pair_new();
	struct netstack_conn *nc = fx_connect(pair->b);

	pair->b->answers.arp = false;
	(void)test_peer_take(pair->b);
	assert_int_equal(pair->b->who_has, 1);
	assert_int_equal(pair->b->syns, 0);
	fx_arp(pair->a, &test_our_mac,
		&(const struct arp_packet){.operation = ARP_REPLY,
			.sender_mac = test_peer_mac,
			.sender_ip = TEST_PEER_ADDRESS,
			.target_mac = test_our_mac,
			.target_ip = TEST_OUR_ADDRESS});
	test_peer_deliver(pair->a);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 1);
	(void)test_peer_take(pair->b);
	assert_int_equal(pair->b->syns, 1);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_SYN_SENT);
	assert_int_equal(netstack_input_exchanged(pair->a->ns, pair->a->now_ns), 0);
	pair_end(pair);
}

static uint32_t
who_has_answers(struct pair *pair)
{
	return (uint32_t)count_of_both(pair, COUNTER_ARP_REPLIES_SENT);
}

static void
ask_who_has(struct test_peer *p)
{
	const struct ether_addr broadcast = {{255, 255, 255, 255, 255, 255}};

	fx_arp(p, &broadcast,
		&(const struct arp_packet){.operation = ARP_REQUEST,
			.sender_mac = test_peer_mac,
			.sender_ip = TEST_PEER_ADDRESS,
			.target_ip = TEST_OUR_ADDRESS});
}

TEST(test_exchange_question_is_answered_by_the_worker_that_received_it_alone)
{
	struct pair *pair = pair_new();
	uint8_t echo[14 + 20 + 8] = {0};
	struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = 64,
		.total_len = 28};
	const struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_IPV4};

	ask_who_has(pair->a);
	wire_ether_build(echo, &ether);
	wire_ipv4_build(echo + 14, &ip, true);
	echo[34] = ICMP_ECHO_REQUEST;
	be16_store(echo + 36, wire_checksum_finish(wire_checksum_add(0, echo + 34, 8)));
	test_peer_send_frame(pair->a, echo, sizeof(echo));
	test_peer_deliver(pair->a);
	assert_int_equal(netstack_input_exchanged(pair->b->ns, pair->b->now_ns), 2);
	assert_int_equal(test_peer_take(pair->a), 2);
	assert_int_equal(test_peer_take(pair->b), 0);
	assert_int_equal(who_has_answers(pair), 1);
	assert_int_equal(fx_count(pair->b, COUNTER_ICMP_ECHO_REPLIES), 0);
	assert_int_equal(fx_count(pair->b, COUNTER_DROP_TCP_RATE_LIMITED), 0);
	pair_end(pair);
}

/* Who has test_our_ipv6? From "::" by one who tests it for himself. */
static void
solicit(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *group)
{
	const struct ndp_neighbour m = {.target = test_our_ipv6};
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t len = wire_ndp_build_neighbour(message, false, &m);

	test_peer_send_icmpv6(p, src, group, NDP_HOP_LIMIT, message, len);
}

/* What b has received is a's to hear; both say what they have to. */
static void
let_hear(struct pair *pair)
{
	test_peer_deliver(pair->b);
	(void)netstack_input_exchanged(pair->a->ns, pair->a->now_ns);
	(void)test_peer_take(pair->b);
	(void)test_peer_take(pair->a);
}

static void
pass(struct pair *pair, uint64_t ns)
{
	fx_pass(pair->a, ns);
	pair->b->now_ns = pair->a->now_ns;
	(void)test_peer_take(pair->b);
}

/* Whose question arrives is not up to us: the first answers for all. */
TEST(test_exchange_addresses_are_answered_for_by_the_first_worker)
{
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct pair *pair = pair_new();

	ask_who_has(pair->b);
	let_hear(pair);
	assert_int_equal(fx_count(pair->a, COUNTER_ARP_REPLIES_SENT), 1);
	assert_int_equal(fx_last_arp(pair->a, ARP_REPLY).sender_ip, TEST_OUR_ADDRESS);
	solicit(pair->b, &test_peer_ipv6, &group);
	let_hear(pair);
	assert_int_equal(fx_count(pair->a, COUNTER_NDP_ADVERTISEMENTS_SENT), 1);
	assert_int_equal(pair->b->frames_seen, 0);
	pair_end(pair);
}

/* RFC 5227 §1.1, RFC 4862 §5.4: not used, not even answered for, before the probes are over. */
TEST(test_exchange_addresses_being_probed_are_answered_for_by_no_worker)
{
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct pair *pair = pair_make(true);

	ask_who_has(pair->b);
	solicit(pair->b, &test_peer_ipv6, &group);
	let_hear(pair);
	assert_int_equal(who_has_answers(pair), 0);
	assert_int_equal(fx_count(pair->a, COUNTER_NDP_ADVERTISEMENTS_SENT), 0);
	assert_int_equal(pair->b->frames_seen, 0);
	pass(pair, 10 * NS_PER_SEC);
	assert_true(netstack_ready(pair->a->ns));
	ask_who_has(pair->b);
	solicit(pair->b, &test_peer_ipv6, &group);
	let_hear(pair);
	assert_int_equal(who_has_answers(pair), 1);
	assert_int_equal(fx_count(pair->a, COUNTER_NDP_ADVERTISEMENTS_SENT), 1);
	assert_int_equal(pair->b->frames_seen, 0);
	pair_end(pair);
}

/* An objection that another worker receives: that one must not defend what is not yet ours. */
TEST(test_exchange_objection_to_a_probe_is_heard_wherever_it_arrives)
{
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct pair *pair = pair_make(true);
	struct ip_address address;
	struct ether_addr mac;

	(void)test_peer_take(pair->a);
	fx_arp(pair->b, &test_our_mac,
		&(const struct arp_packet){.operation = ARP_REPLY,
			.sender_mac = test_peer_mac,
			.sender_ip = TEST_OUR_ADDRESS});
	solicit(pair->b, &ipv6_addr_unspecified, &group);
	let_hear(pair);
	assert_int_equal(pair->b->frames_seen, 0);
	assert_true(netstack_address_conflict(pair->a->ns, &address, &mac));
	assert_true(ether_addr_equal(&mac, &test_peer_mac));
	assert_int_equal(pair->a->ns->arp.claim, ARP_CLAIM_LOST);
	assert_int_equal(netstack_ipv6_own(&pair->a->ns->ipv6, &test_our_ipv6)->state,
		IPV6_ADDRESS_DUPLICATED);
	pair_end(pair);
}

TEST(test_exchange_listeners_are_reported_by_the_first_worker)
{
	uint8_t query[28] = {ICMPV6_MLD_QUERY};
	struct pair *pair = pair_new();

	pass(pair, 60 * NS_PER_SEC);
	assert_int_equal(fx_count(pair->a, COUNTER_MLD_REPORTS_SENT), 2);
	test_peer_send_icmpv6(
		pair->b, &test_peer_link_local, &ipv6_addr_all_nodes, 1, query, sizeof(query));
	let_hear(pair);
	pass(pair, 2 * NS_PER_SEC);
	assert_int_equal(fx_count(pair->a, COUNTER_MLD_REPORTS_SENT), 3);
	assert_int_equal(pair->b->frames_seen, 0);
	pair_end(pair);
}

/* All hear it; it arrived once. */
TEST(test_exchange_message_that_all_hear_is_counted_once)
{
	static const enum counter_id ids[] = {COUNTER_ARP_REPLIES_RECEIVED, COUNTER_ARP_CONFLICTS,
		COUNTER_NDP_ADVERTISEMENTS_RECEIVED, COUNTER_NDP_CONFLICTS,
		COUNTER_NDP_ROUTER_ADVERTISEMENTS_RECEIVED};
	uint8_t router[16] = {ICMPV6_ROUTER_ADVERTISEMENT};
	struct ndp_neighbour m = {.target = test_our_ipv6, .mac_set = true, .mac = test_peer_mac};
	struct arp_packet reply = {.operation = ARP_REPLY,
		.sender_mac = test_peer_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_ip = TEST_OUR_ADDRESS};
	struct pair *pair = pair_new();
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t i;

	fx_arp(pair->b, &test_our_mac, &reply);
	reply.sender_ip = TEST_OUR_ADDRESS;
	fx_arp(pair->b, &test_our_mac, &reply);
	test_peer_send_icmpv6(pair->b, &test_peer_link_local, &ipv6_addr_all_nodes, NDP_HOP_LIMIT,
		message, wire_ndp_build_neighbour(message, true, &m));
	test_peer_send_icmpv6(pair->b, &test_peer_link_local, &ipv6_addr_all_nodes, NDP_HOP_LIMIT,
		router, sizeof(router));
	let_hear(pair);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(count_of_both(pair, ids[i]), 1);
	assert_int_equal(count_of_both(pair, COUNTER_RX_FRAMES), 4);
	pair_end(pair);
}

/* Port unreachable, about a segment from `port` of ours to the host's 80; it arrives at p. */
static void
send_icmp_error(struct test_peer *p, uint16_t port, uint32_t seq)
{
	const struct ether_header ether = {
		.dst = test_our_mac, .src = test_peer_mac, .type = ETHER_TYPE_IPV4};
	const struct ipv4_header ip = {.src = TEST_PEER_ADDRESS,
		.dst = TEST_OUR_ADDRESS,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = 64,
		.total_len = 20 + 36};
	const struct ipv4_header quoted = {.src = TEST_OUR_ADDRESS,
		.dst = TEST_PEER_ADDRESS,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 60,
		.total_len = 60};
	uint8_t frame[14 + 20 + 36] = {0}, *icmp = frame + 34;

	wire_ether_build(frame, &ether);
	wire_ipv4_build(frame + 14, &ip, true);
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_UNREACHABLE_PORT;
	wire_ipv4_build(icmp + 8, &quoted, true);
	be16_store(icmp + 28, port);
	be16_store(icmp + 30, 80);
	be32_store(icmp + 32, seq);
	be16_store(icmp + 2, wire_checksum_finish(wire_checksum_add(0, icmp, 36)));
	test_peer_send_frame(p, frame, sizeof(frame));
	test_peer_deliver(p);
}

TEST(test_exchange_icmp_error_is_counted_once_by_its_connections_worker)
{
	struct pair *pair = pair_new();
	struct netstack_conn *nc = fx_connect(pair->b);
	uint32_t i, seq;

	pair->b->answers.syn = false;
	run_misrouted(pair);
	seq = fx_last_tcp(pair->b).seq;
	send_icmp_error(pair->a, netstack_conn_local_port(nc), seq);
	(void)netstack_input_exchanged(pair->b->ns, pair->b->now_ns);
	assert_int_equal(netstack_conn_error(nc), -ECONNREFUSED);
	assert_int_equal(count_of_both(pair, COUNTER_ICMP_ERRORS_APPLIED), 1);
	assert_int_equal(count_of_both(pair, COUNTER_DROP_ICMP_IGNORED), 0);
	for (i = 0; i < 2; i++) { /* of nobody's connection, but of a certain worker's ports */
		send_icmp_error(i == 0 ? pair->a : pair->b, 40001, seq);
		(void)netstack_input_exchanged(pair->a->ns, pair->a->now_ns);
		(void)netstack_input_exchanged(pair->b->ns, pair->b->now_ns);
		assert_int_equal(count_of_both(pair, COUNTER_DROP_ICMP_IGNORED), i + 1);
	}
	assert_int_equal(count_of_both(pair, COUNTER_ICMP_ERRORS_APPLIED), 1);
	pair_end(pair);
}

TEST(test_exchange_copies_stop_where_a_worker_is_behind_and_go_on_later)
{
	struct netstack_exchange *x = netstack_exchange_create(3, 100);
	uint8_t bytes[101] = {0};
	struct frame f = {.data = bytes, .len = 100, .flags = FRAME_L4_CSUM_GOOD}, got;
	uint32_t i;

	for (i = 0; i < NETSTACK_EXCHANGE_COPIES; i++) {
		bytes[99] = (uint8_t)i;
		assert_true(netstack_exchange_share(x, 1, &f));
	}
	for (i = 0; i < NETSTACK_EXCHANGE_COPIES; i++) { /* one of the two others is not enough */
		assert_true(netstack_exchange_hear(x, 0, &got));
		assert_int_equal(got.data[99], i);
		assert_int_equal(got.len, 100);
		assert_int_equal(got.flags, FRAME_L4_CSUM_GOOD);
		assert_null(got.owner);
	}
	assert_false(netstack_exchange_hear(x, 0, &got));
	assert_false(netstack_exchange_share(x, 1, &f));
	assert_false(netstack_exchange_hear(x, 1, &got)); /* not its own */
	assert_true(netstack_exchange_hear(x, 2, &got));
	assert_true(netstack_exchange_share(x, 1, &f));
	f.len = 101; /* too long */
	assert_true(netstack_exchange_hear(x, 2, &got));
	assert_false(netstack_exchange_share(x, 1, &f));
	netstack_exchange_destroy(x);
}

/* One that gives without end does not keep the others waiting. */
TEST(test_exchange_takes_from_all_in_turn)
{
	struct netstack_exchange *x = netstack_exchange_create(3, 100);
	uint8_t byte = 0;
	struct frame f = {.data = &byte, .len = 1}, got[4];
	uint32_t i;

	f.owner = &byte;
	for (i = 0; i < 8; i++)
		assert_true(netstack_exchange_hand_over(x, 0, 2, &f));
	f.owner = NULL;
	assert_true(netstack_exchange_hand_over(x, 1, 2, &f));
	assert_int_equal(netstack_exchange_take(x, 2, got, 4), 4);
	assert_int_equal(netstack_exchange_take(x, 2, got, 4), 4);
	assert_null(got[0].owner);
	assert_int_equal(netstack_exchange_take(x, 2, got, 4), 1);
	assert_int_equal(netstack_exchange_take(x, 2, got, 4), 0);
	netstack_exchange_destroy(x);
}

static uint32_t
give_all(struct netstack_exchange *x, uint32_t to, uint32_t n, const struct frame *f)
{
	uint32_t given = 0;

	while (given < n && netstack_exchange_hand_over(x, 0, to, f))
		given++;
	return given;
}

/* What a worker has in all its rings together is bounded, however many others there are; and one of them that
 * sleeps takes only half of that. */
TEST(test_exchange_of_many_workers_holds_no_more_of_one_than_of_three)
{
	struct netstack_exchange *x = netstack_exchange_create(8, 100);
	uint32_t half = NETSTACK_EXCHANGE_GIVEN_MAX / 2, i, total;
	struct frame second = {.len = 1}, f = {.len = 1}, parts = {.len = 1, .next = &second};
	struct frame got[2];

	total = give_all(x, 1, 2 * half, &f);
	assert_int_equal(total, NETSTACK_EXCHANGE_FRAMES);
	assert_true(total <= half);
	for (i = 2; i < 8; i++)
		total += give_all(x, i, 2 * half, &f);
	assert_int_equal(total, NETSTACK_EXCHANGE_GIVEN_MAX);
	for (i = 1; i < 8; i++) /* the second of them has filled its ring, too */
		assert_false(netstack_exchange_hand_over(x, 0, i, &f));
	assert_int_equal(netstack_exchange_take(x, 1, got, 1), 1);
	assert_false(netstack_exchange_hand_over(x, 0, 7, &parts));
	assert_int_equal(netstack_exchange_take(x, 2, got, 1), 1);
	assert_true(netstack_exchange_hand_over(x, 0, 7, &parts));
	assert_false(netstack_exchange_hand_over(x, 0, 7, &f));
	assert_true(netstack_exchange_hand_over(x, 3, 7, &f)); /* another's is another matter */
	netstack_exchange_destroy(x);
}

#define THREAD_FRAMES 200000U

struct giver {
	struct netstack_exchange *x;
	uint32_t number;
};

static void *
give(void *ctx)
{
	const struct giver *g = ctx;
	uint32_t i;

	for (i = 0; i < THREAD_FRAMES; i++) {
		struct frame f = {.len = i, .vlan_tci = (uint16_t)g->number};

		while (!netstack_exchange_hand_over(g->x, g->number, 2, &f))
			sched_yield();
	}
	return NULL;
}

/* Two threads give, one takes: each one's frames in their order, none lost, none twice. */
TEST(test_exchange_between_threads_keeps_order_and_loses_nothing)
{
	struct netstack_exchange *x = netstack_exchange_create(3, 100);
	struct giver giver[2] = {{x, 0}, {x, 1}};
	uint32_t next[2] = {0, 0}, n, i;
	pthread_t thread[2];
	struct frame got[32];

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, give, &giver[i]), 0);
	while (next[0] < THREAD_FRAMES || next[1] < THREAD_FRAMES) {
		n = netstack_exchange_take(x, 2, got, 32);
		for (i = 0; i < n; i++)
			assert_int_equal(got[i].len, next[got[i].vlan_tci]++);
		if (n == 0)
			sched_yield();
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(netstack_exchange_take(x, 2, got, 32), 0);
	netstack_exchange_destroy(x);
}

TEST(test_exchange_sizes_out_of_range_are_refused)
{
	assert_null(netstack_exchange_create(0, 100));
	assert_null(netstack_exchange_create(NETSTACK_EXCHANGE_WORKERS_MAX + 1, 100));
	assert_null(netstack_exchange_create(2, 0));
	netstack_exchange_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_exchange_answers_on_the_wrong_queue_reach_their_connection),
		T(test_exchange_data_on_the_wrong_queue_arrives_whole_and_in_order),
		T(test_exchange_frame_in_parts_is_handed_over_with_all_of_them),
		T(test_exchange_segment_in_fragments_is_handed_over_as_a_whole),
		T(test_exchange_segment_of_no_connection_is_refused_once_by_its_worker),
		T(test_exchange_worker_that_is_behind_loses_frames_and_they_are_counted),
		T(test_exchange_segment_handed_over_is_counted_once),
		T(test_exchange_neighbour_that_one_worker_hears_of_all_know),
		T(test_exchange_question_is_answered_by_the_worker_that_received_it_alone),
		T(test_exchange_addresses_are_answered_for_by_the_first_worker),
		T(test_exchange_addresses_being_probed_are_answered_for_by_no_worker),
		T(test_exchange_objection_to_a_probe_is_heard_wherever_it_arrives),
		T(test_exchange_listeners_are_reported_by_the_first_worker),
		T(test_exchange_message_that_all_hear_is_counted_once),
		T(test_exchange_icmp_error_is_counted_once_by_its_connections_worker),
		T(test_exchange_copies_stop_where_a_worker_is_behind_and_go_on_later),
		T(test_exchange_takes_from_all_in_turn),
		T(test_exchange_of_many_workers_holds_no_more_of_one_than_of_three),
		T(test_exchange_between_threads_keeps_order_and_loses_nothing),
		T(test_exchange_sizes_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
