/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"

/* RFC 826, RFC 1122 §2.3.2, RFC 5227. */

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};
static const struct ether_addr peer_mac = {{2, 0, 0, 0, 0, 1}};
static const struct ether_addr other_mac = {{2, 0, 0, 0, 0, 7}};
static const struct ether_addr zero_mac;

static void
quiet_run(struct test_peer *p, uint32_t seconds)
{
	uint32_t i;

	for (i = 0; i < seconds * 10; i++) {
		test_peer_deliver(p);
		test_peer_wait(p, 100 * NS_PER_MS);
	}
}

static void
who_has(struct test_peer *p, uint32_t target)
{
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_OUR_ADDRESS + 5,
		.target_ip = target};

	fx_arp(p, &ether_addr_broadcast, &a);
	(void)test_peer_take(p);
}

TEST(test_arp_start_announces_the_address_twice)
{
	struct test_peer *p = fx_new(NULL);
	struct arp_packet a;

	assert_true(netstack_ready(p->ns));
	assert_int_equal(test_peer_take(p), 1);
	a = fx_last_arp(p, ARP_REQUEST);
	assert_int_equal(a.sender_ip, TEST_OUR_ADDRESS);
	assert_int_equal(a.target_ip, TEST_OUR_ADDRESS);
	assert_true(ether_addr_equal(&a.sender_mac, &our_mac));
	quiet_run(p, 10);
	assert_int_equal(p->frames_seen, 2);
	fx_end(p);
}

static void
probing(struct netstack_config *cfg)
{
	cfg->probe_address = true;
}

TEST(test_arp_probe_asks_three_times_before_the_address_is_used)
{
	struct test_peer *p = fx_new(probing);
	struct arp_packet a;

	fx_connect(p);
	assert_false(netstack_ready(p->ns));
	quiet_run(p, 1);
	a = fx_last_arp(p, ARP_REQUEST);
	assert_int_equal(a.sender_ip, 0);
	assert_int_equal(a.target_ip, TEST_OUR_ADDRESS);
	assert_int_equal(p->syns, 0);
	who_has(p, TEST_OUR_ADDRESS);
	assert_int_equal(fx_count(p, COUNTER_ARP_REPLIES_SENT), 0); /* it is not ours yet */
	quiet_run(p, 7);
	assert_true(netstack_ready(p->ns));
	assert_int_equal(p->syns, 1);
	fx_end(p);
}

/* RFC 5227 §1.1: three probes 1 to 2 s apart, 2 s to wait for an objection, two announcements 2 s
 * apart; in steps of 100 ms. */
TEST(test_arp_probes_and_announcements_keep_the_rfcs_times)
{
	static const uint64_t least_ms[] = {0, 1000, 1000, 2000, 2000};
	static const uint64_t most_ms[] = {1100, 2100, 2100, 2100, 2100};
	struct test_peer *p = fx_new(probing);
	uint64_t last_ns = p->now_ns;
	uint32_t i, n = 0;

	for (i = 0; i < 150; i++) {
		uint32_t before = p->frames_seen;

		test_peer_wait(p, 100 * NS_PER_MS);
		if (p->frames_seen == before)
			continue;
		assert_int_equal(p->frames_seen, before + 1);
		assert_true(n < 5);
		assert_in_range((p->now_ns - last_ns) / NS_PER_MS, least_ms[n], most_ms[n]);
		assert_int_equal(
			fx_last_arp(p, ARP_REQUEST).sender_ip, n < 3 ? 0 : TEST_OUR_ADDRESS);
		assert_int_equal(netstack_ready(p->ns), n >= 3);
		last_ns = p->now_ns;
		n++;
	}
	assert_int_equal(n, 5);
	fx_end(p);
}

TEST(test_arp_probe_that_is_answered_finds_the_conflict)
{
	struct test_peer *p = fx_new(probing);
	const struct arp_packet a = {.operation = ARP_REPLY,
		.sender_mac = other_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_mac = our_mac};
	struct ip_address address;
	struct ether_addr mac;

	quiet_run(p, 2);
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	fx_arp(p, &our_mac, &a);
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_true(ether_addr_equal(&mac, &other_mac));
	quiet_run(p, 10);
	assert_false(netstack_ready(p->ns));
	fx_end(p);
}

/* RFC 5227 §2.1.1: another host that probes for the same address at the same time. */
TEST(test_arp_probe_of_another_for_our_address_is_a_conflict)
{
	struct test_peer *p = fx_new(probing);
	const struct arp_packet a = {
		.operation = ARP_REQUEST, .sender_mac = other_mac, .target_ip = TEST_OUR_ADDRESS};
	struct arp_packet of_another = a;
	struct ip_address address;
	struct ether_addr mac;

	of_another.target_ip++;
	quiet_run(p, 1);
	fx_arp(p, &ether_addr_broadcast, &of_another);
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	fx_arp(p, &ether_addr_broadcast, &a);
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	fx_end(p);
}

TEST(test_arp_conflict_is_defended_once_in_ten_seconds)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_ip = TEST_PEER_ADDRESS};
	struct ip_address address;
	struct ether_addr mac;
	uint32_t i;

	quiet_run(p, 5);
	for (i = 0; i < 2; i++) { /* far apart: each is defended */
		uint32_t before = p->frames_seen;

		fx_arp(p, &ether_addr_broadcast, &a);
		assert_int_equal(test_peer_take(p), 1);
		assert_int_equal(fx_last_arp(p, ARP_REQUEST).target_ip, TEST_OUR_ADDRESS);
		assert_int_equal(p->frames_seen, before + 1);
		assert_false(netstack_address_conflict(p->ns, &address, &mac));
		quiet_run(p, 11);
	}
	fx_arp(p, &ether_addr_broadcast, &a);
	fx_arp(p, &ether_addr_broadcast, &a);
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_int_equal(fx_count(p, COUNTER_ARP_CONFLICTS), 4);
	fx_end(p);
}

/* RFC 5227 §2.1.1, §2.4: an address that was given up is not claimed or defended any more. */
TEST(test_arp_address_that_was_lost_is_not_defended)
{
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_ip = TEST_OUR_ADDRESS};
	uint32_t probes, i;

	for (probes = 0; probes < 2; probes++) { /* lost while probing, and after */
		struct test_peer *p = fx_new(probes == 1 ? probing : NULL);
		struct ip_address address;
		struct ether_addr mac;

		quiet_run(p, probes == 1 ? 2 : 5);
		for (i = probes; i < 2; i++)
			fx_arp(p, &ether_addr_broadcast, &a);
		assert_true(netstack_address_conflict(p->ns, &address, &mac));
		(void)test_peer_take(p);
		p->frames_seen = 0;
		for (i = 0; i < 3; i++) { /* the owner announces itself, and goes on */
			fx_arp(p, &ether_addr_broadcast, &a);
			quiet_run(p, 11);
		}
		who_has(p, TEST_OUR_ADDRESS);
		assert_int_equal(p->frames_seen, 0);
		assert_false(netstack_ready(p->ns));
		fx_end(p);
	}
}

TEST(test_arp_own_packet_looped_back_is_no_conflict)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = our_mac,
		.sender_ip = TEST_OUR_ADDRESS,
		.target_ip = TEST_OUR_ADDRESS};
	struct ip_address address;
	struct ether_addr mac;

	(void)test_peer_take(p);
	fx_arp(p, &ether_addr_broadcast, &a);
	fx_arp(p, &ether_addr_broadcast, &a);
	assert_int_equal(test_peer_take(p), 0);
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	fx_end(p);
}

TEST(test_arp_answers_for_our_address_only)
{
	struct test_peer *p = fx_new(NULL);
	struct arp_packet a;

	quiet_run(p, 5);
	who_has(p, TEST_OUR_ADDRESS);
	a = fx_last_arp(p, ARP_REPLY);
	assert_int_equal(a.sender_ip, TEST_OUR_ADDRESS);
	assert_true(ether_addr_equal(&a.sender_mac, &our_mac));
	assert_int_equal(a.target_ip, TEST_OUR_ADDRESS + 5);
	assert_memory_equal(p->last, &other_mac, 6);
	who_has(p, TEST_OUR_ADDRESS + 1);
	assert_int_equal(fx_count(p, COUNTER_ARP_REPLIES_SENT), 1);
	fx_end(p);
}

TEST(test_arp_asks_five_times_then_fails_and_tells_who_was_heard)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc;
	struct netstack_next_hop_failure why;

	p->answers.arp = false;
	nc = fx_connect(p);
	quiet_run(p, 2);
	who_has(p, TEST_OUR_ADDRESS);
	quiet_run(p, 2);
	assert_int_equal(netstack_conn_error(nc), 0);
	quiet_run(p, 2);
	assert_int_equal(p->who_has, 5);
	assert_int_equal(netstack_conn_error(nc), -EHOSTUNREACH);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_CLOSED);
	netstack_next_hop_failure(p->ns, &why);
	assert_true(why.failed);
	assert_int_equal(why.next_hop.v4, TEST_PEER_ADDRESS);
	assert_int_equal(why.requests_sent, 5);
	assert_int_equal(why.heard_count, 1);
	assert_int_equal(why.heard_ip[0].v4, TEST_OUR_ADDRESS + 5);
	fx_end(p);
}

/* The report of the failure would begin anew with each question. */
TEST(test_arp_is_not_asked_again_for_a_connection_that_failed)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc;
	struct netstack_next_hop_failure why;

	p->answers.arp = false;
	nc = fx_connect(p);
	quiet_run(p, 2);
	who_has(p, TEST_OUR_ADDRESS);
	quiet_run(p, 4);
	assert_int_equal(netstack_conn_error(nc), -EHOSTUNREACH);
	netstack_release_conn(p->ns, nc, p->now_ns);
	quiet_run(p, 10);
	assert_int_equal(p->who_has, 5);
	netstack_next_hop_failure(p->ns, &why);
	assert_int_equal(why.heard_count, 1);
	fx_end(p);
}

/* Nobody asked: a cache that takes any answer can be filled and poisoned. */
TEST(test_arp_unsolicited_reply_makes_no_entry)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REPLY,
		.sender_mac = other_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};

	fx_arp(p, &our_mac, &a);
	fx_established(p);
	assert_int_equal(p->who_has, 1);
	fx_end(p);
}

TEST(test_arp_reply_from_a_multicast_address_is_not_believed)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REPLY,
		.sender_mac = ether_addr_broadcast,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};

	p->answers.arp = false;
	fx_connect(p);
	(void)test_peer_take(p);
	fx_arp(p, &our_mac, &a);
	fx_run(p);
	assert_int_equal(p->syns, 0);
	fx_end(p);
}

TEST(test_arp_malformed_is_counted)
{
	static const uint8_t frame[14 + 27] = {[0] = 2, [5] = 2, [12] = 8, [13] = 6};
	struct test_peer *p = fx_new(NULL);

	test_peer_send_frame(p, frame, sizeof(frame));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_ARP_MALFORMED), 1);
	fx_end(p);
}

static void
with_gateway(struct netstack_config *cfg)
{
	cfg->gateway = TEST_PEER_ADDRESS;
}

TEST(test_arp_asks_for_the_gateway_off_the_subnet)
{
	struct test_peer *p = fx_new(with_gateway);

	fx_connect_to(p, UINT32_C(0x0a000001), 80);
	(void)test_peer_take(p);
	assert_int_equal(fx_last_arp(p, ARP_REQUEST).target_ip, TEST_PEER_ADDRESS);
	fx_end(p);
}

TEST(test_arp_without_gateway_off_the_subnet_is_unreachable)
{
	struct test_peer *p = fx_new(NULL);
	const struct ip_address remote = {.family = 4, .v4 = UINT32_C(0x0a000001)};
	struct netstack_conn *nc;

	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), -ENETUNREACH);
	fx_end(p);
}

static void
with_gateway_mac(struct netstack_config *cfg)
{
	cfg->gateway_mac_set = true;
	cfg->gateway_mac = other_mac;
}

TEST(test_arp_is_not_asked_with_a_gateway_mac)
{
	struct test_peer *p = fx_new(with_gateway_mac);

	fx_connect(p);
	(void)test_peer_take(p);
	assert_int_equal(p->who_has, 0);
	assert_int_equal(p->syns, 1);
	assert_memory_equal(p->last, &other_mac, 6);
	fx_end(p);
}

static void
take_byte(struct test_peer *p, struct netstack_conn *nc)
{
	struct payload got;

	assert_int_equal(tcp_conn_recv(netstack_conn_tcp(nc), &got, 1), 1);
	tcp_conn_consumed(netstack_conn_tcp(nc), got.len, 1);
	test_buffer_release(&p->buffers, got.owner);
}

/* One exchange each second, so that the entry is in use. */
static void
exchange(struct test_peer *p, struct netstack_conn *nc, uint32_t seconds)
{
	uint32_t i;

	for (i = 0; i < seconds; i++) {
		test_peer_send(p, TCP_ACK, "x", 1);
		test_peer_deliver(p);
		take_byte(p, nc);
		test_peer_wait(p, NS_PER_SEC);
	}
}

TEST(test_arp_refresh_is_unicast_and_does_not_stall_the_flow)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);

	exchange(p, nc, 29);
	assert_int_equal(p->who_has, 1);
	assert_true(ether_addr_is_broadcast(&p->who_has_dst));
	exchange(p, nc, 3);
	assert_int_equal(p->who_has, 2);
	assert_true(ether_addr_equal(&p->who_has_dst, &peer_mac));
	assert_int_equal(fx_count(p, COUNTER_ARP_REPLIES_RECEIVED), 2);
	exchange(p, nc, 29);
	assert_int_equal(p->who_has, 3);
	fx_end(p);
}

/* As RFC 4861 §7.3.1 has it: what the flow itself shows confirms the neighbour. */
TEST(test_arp_refresh_without_an_answer_does_not_end_a_flow_that_lives)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);

	p->answers.arp = false;
	exchange(p, nc, 120);
	assert_int_equal(netstack_conn_error(nc), 0);
	assert_true(p->who_has > 10);
	fx_end(p);
}

/* RFC 1122 §2.3.2.1: the host may have got another MAC, which only a broadcast can reach. */
TEST(test_arp_refresh_asks_twice_by_unicast_then_everybody)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t i, asked = p->who_has;

	p->answers.arp = false;
	for (i = 0; i < 40 && p->who_has < asked + 4; i++) {
		uint32_t before = p->who_has;

		exchange(p, nc, 1);
		if (p->who_has > before)
			assert_int_equal(
				ether_addr_is_broadcast(&p->who_has_dst), p->who_has - asked > 2);
	}
	assert_int_equal(p->who_has, asked + 4);
	fx_end(p);
}

TEST(test_arp_refresh_without_an_answer_ends_a_flow_that_is_dead)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);

	p->answers.arp = p->answers.ack = false;
	exchange(p, nc, 29);
	tcp_conn_send(netstack_conn_tcp(nc), "y", 1);
	netstack_conn_touch(p->ns, nc);
	quiet_run(p, 20);
	assert_int_equal(netstack_conn_error(nc), -EHOSTUNREACH);
	fx_end(p);
}

static void
answer_with(struct test_peer *p, const struct ether_addr *mac)
{
	const struct arp_packet a = {.operation = ARP_REPLY,
		.sender_mac = *mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};

	fx_arp(p, &our_mac, &a);
}

/* ARP has no checksum: the first answer was damaged on its way. RFC 9293 MUST-20, RFC 1122 §3.3.1.4. */
TEST(test_arp_wrong_answer_is_asked_anew_when_the_syn_times_out)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc;

	p->answers.arp = p->answers.syn = false;
	nc = fx_connect(p);
	(void)test_peer_take(p);
	answer_with(p, &other_mac);
	(void)test_peer_take(p);
	assert_int_equal(p->syns, 1);
	assert_memory_equal(p->last, &other_mac, 6);
	assert_int_equal(p->who_has, 1);
	test_peer_wait(p, NS_PER_SEC);
	assert_int_equal(p->who_has, 2);
	assert_true(ether_addr_is_broadcast(&p->who_has_dst));
	answer_with(p, &peer_mac);
	test_peer_wait(p, 2 * NS_PER_SEC);
	assert_int_equal(p->syns, 3);
	assert_memory_equal(p->last, &peer_mac, 6);
	assert_int_equal(netstack_conn_error(nc), 0);
	fx_end(p);
}

/* R1 is three time-outs; the question goes to everybody, again and again, and ends nothing, as R2 does that. */
TEST(test_arp_advice_of_a_flow_asks_everybody_and_ends_nothing)
{
	struct test_peer *p = fx_new(NULL);
	const struct ip_address hop = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct netstack_conn *nc = fx_established(p);
	uint32_t asked = p->who_has;
	struct tcp_info info;

	p->answers.arp = p->answers.ack = false;
	tcp_conn_send(netstack_conn_tcp(nc), "y", 1);
	netstack_conn_touch(p->ns, nc);
	quiet_run(p, 1); /* the tail loss probe and two time-outs: 0.2, 0.6 s and so on */
	assert_int_equal(p->who_has, asked);
	assert_true(netstack_neighbour_reachable(p->ns, &hop));
	quiet_run(p, 6);
	assert_in_range(p->who_has, asked + 3, asked + 6);
	assert_true(ether_addr_is_broadcast(&p->who_has_dst));
	quiet_run(p, 15);
	assert_int_equal(netstack_conn_error(nc), 0);
	assert_false(netstack_neighbour_reachable(
		p->ns, &hop)); /* nobody takes it for a living router */
	test_peer_send(p, TCP_ACK, NULL, 0);
	quiet_run(p, 1);
	assert_int_equal(netstack_conn_error(nc), 0);
	tcp_conn_info(netstack_conn_tcp(nc), &info);
	assert_int_equal(info.snd_una, info.snd_nxt);
	fx_end(p);
}

/* Another flow hears by the same next hop: that its server does not answer says nothing of the way. */
TEST(test_arp_advice_is_not_taken_while_another_flow_hears)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);
	uint32_t i, asked = p->who_has, seq = p->seq, ack = p->ack;
	uint16_t client_port = p->client_port, port = p->port;

	p->answers.syn = false;
	fx_connect_to(p, TEST_PEER_ADDRESS, 81);
	for (i = 0; i < 10; i++) {
		test_peer_wait(p, 500 * NS_PER_MS);
		p->client_port = client_port; /* not the other one's, whose SYN was seen last */
		p->port = port;
		p->seq = seq;
		p->ack = ack;
		test_peer_send(p, TCP_ACK, "x", 1);
		seq = p->seq;
		test_peer_deliver(p);
		take_byte(p, nc);
	}
	assert_true(p->syns > 2);
	assert_int_equal(p->who_has, asked);
	fx_end(p);
}

/* Many connections whose SYNs time out are no reason to ask more than once a second. */
TEST(test_arp_advice_is_taken_once_in_an_interval)
{
	struct test_peer *p = fx_new(NULL);
	uint32_t i, asked;

	p->answers.syn = false;
	for (i = 0; i < 4; i++) {
		fx_connect(p);
		test_peer_wait(p, 100 * NS_PER_MS);
		test_peer_deliver(p);
	}
	asked = p->who_has;
	quiet_run(p, 1);
	assert_int_equal(p->who_has, asked + 1);
	fx_end(p);
}

TEST(test_arp_entry_follows_the_host_to_another_mac)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = zero_mac,
		.target_ip = TEST_PEER_ADDRESS};

	fx_established(p);
	fx_arp(p, &ether_addr_broadcast, &a); /* gratuitous, RFC 5944 §4.6 */
	test_peer_send(p, TCP_ACK, "x", 1);
	test_peer_deliver(p);
	test_peer_wait(p, NS_PER_MS);
	assert_memory_equal(p->last, &other_mac, 6);
	fx_end(p);
}

/* A forger's word is taken as any host's (RFC 826), and the ACKs go astray. It does not last: the
 * entry is asked after, at the forger's MAC and then everybody, and the server answers. */
TEST(test_arp_spoofed_mac_of_the_server_heals_and_the_flow_goes_on)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);
	const struct arp_packet forged = {.operation = ARP_REPLY,
		.sender_mac = other_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};
	uint32_t seconds;

	fx_arp(p, &our_mac, &forged);
	for (seconds = 0; seconds < 60; seconds++) {
		exchange(p, nc, 1);
		if (memcmp(p->last, &peer_mac, 6) == 0)
			break;
	}
	assert_in_range(
		seconds, 30, 40); /* refreshed after 30 s: two by unicast, one by broadcast */
	assert_int_equal(netstack_conn_error(nc), 0);
	fx_end(p);
}

/* Replies that nobody asked for, of a whole subnet: neither remembered nor answered. */
TEST(test_arp_spoofed_replies_in_masses_leave_the_one_entry_alone)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);
	struct arp_packet forged = {.operation = ARP_REPLY,
		.sender_mac = other_mac,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};
	uint32_t i, asked = p->who_has;

	for (i = 3; i < 10000; i++) {
		forged.sender_ip = (TEST_PEER_ADDRESS & 0xffff0000) + i;
		fx_arp(p, &our_mac, &forged);
	}
	assert_int_equal(test_peer_take(p), 0);
	exchange(p, nc, 1);
	assert_memory_equal(p->last, &peer_mac, 6);
	assert_int_equal(p->who_has, asked);
	for (i = 0; i < NETSTACK_NEIGHBOURS; i++)
		assert_true(p->ns->neighbours.entry[i].state == NEIGHBOUR_FREE ||
			    p->ns->neighbours.entry[i].ip.v4 == TEST_PEER_ADDRESS);
	fx_end(p);
}

/* Only ARP tells; a frame from another MAC may be a router's, or a forger's. */
TEST(test_arp_ip_traffic_from_another_mac_teaches_nothing)
{
	struct test_peer *p = fx_new(NULL);
	uint32_t i;

	fx_established(p);
	for (i = 0; i < 2; i++) {
		test_peer_send(p, TCP_ACK | TCP_PSH, "x", 1);
		if (i == 0)
			memcpy(p->waiting[0].data + 6, &other_mac, 6);
		test_peer_deliver(p);
		test_peer_wait(p, NS_PER_MS);
		assert_memory_equal(p->last, &peer_mac, 6);
	}
	fx_end(p);
}

TEST(test_arp_retransmission_goes_to_the_mac_of_now)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_PEER_ADDRESS,
		.target_ip = TEST_PEER_ADDRESS};
	uint32_t before;

	p->answers.ack = false;
	tcp_conn_send(netstack_conn_tcp(nc), "hello", 5);
	netstack_conn_touch(p->ns, nc);
	test_peer_wait(p, NS_PER_MS);
	assert_memory_equal(p->last, &peer_mac, 6);
	fx_arp(p, &ether_addr_broadcast, &a); /* another host took the address over */
	before = p->frames_seen;
	test_peer_wait(p, 300 * NS_PER_MS);
	assert_int_equal(p->frames_seen, before + 1);
	assert_memory_equal(p->last, &other_mac, 6);
	assert_int_equal(fx_last_tcp(p).payload.len, 5);
	fx_end(p);
}

/* As a neighbour does that refreshes its entry (RFC 1122 §2.3.2.1). */
TEST(test_arp_unicast_request_is_answered)
{
	struct test_peer *p = fx_new(NULL);
	const struct arp_packet a = {.operation = ARP_REQUEST,
		.sender_mac = other_mac,
		.sender_ip = TEST_OUR_ADDRESS + 5,
		.target_mac = our_mac,
		.target_ip = TEST_OUR_ADDRESS};

	quiet_run(p, 5);
	fx_arp(p, &our_mac, &a);
	assert_int_equal(test_peer_take(p), 1);
	assert_int_equal(fx_last_arp(p, ARP_REPLY).target_ip, TEST_OUR_ADDRESS + 5);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_arp_start_announces_the_address_twice),
		T(test_arp_probe_asks_three_times_before_the_address_is_used),
		T(test_arp_probes_and_announcements_keep_the_rfcs_times),
		T(test_arp_probe_that_is_answered_finds_the_conflict),
		T(test_arp_probe_of_another_for_our_address_is_a_conflict),
		T(test_arp_conflict_is_defended_once_in_ten_seconds),
		T(test_arp_address_that_was_lost_is_not_defended),
		T(test_arp_own_packet_looped_back_is_no_conflict),
		T(test_arp_answers_for_our_address_only),
		T(test_arp_asks_five_times_then_fails_and_tells_who_was_heard),
		T(test_arp_is_not_asked_again_for_a_connection_that_failed),
		T(test_arp_unsolicited_reply_makes_no_entry),
		T(test_arp_reply_from_a_multicast_address_is_not_believed),
		T(test_arp_malformed_is_counted),
		T(test_arp_asks_for_the_gateway_off_the_subnet),
		T(test_arp_without_gateway_off_the_subnet_is_unreachable),
		T(test_arp_is_not_asked_with_a_gateway_mac),
		T(test_arp_refresh_is_unicast_and_does_not_stall_the_flow),
		T(test_arp_refresh_without_an_answer_does_not_end_a_flow_that_lives),
		T(test_arp_refresh_asks_twice_by_unicast_then_everybody),
		T(test_arp_refresh_without_an_answer_ends_a_flow_that_is_dead),
		T(test_arp_wrong_answer_is_asked_anew_when_the_syn_times_out),
		T(test_arp_advice_of_a_flow_asks_everybody_and_ends_nothing),
		T(test_arp_advice_is_not_taken_while_another_flow_hears),
		T(test_arp_advice_is_taken_once_in_an_interval),
		T(test_arp_entry_follows_the_host_to_another_mac),
		T(test_arp_spoofed_mac_of_the_server_heals_and_the_flow_goes_on),
		T(test_arp_spoofed_replies_in_masses_leave_the_one_entry_alone),
		T(test_arp_ip_traffic_from_another_mac_teaches_nothing),
		T(test_arp_retransmission_goes_to_the_mac_of_now),
		T(test_arp_unicast_request_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
