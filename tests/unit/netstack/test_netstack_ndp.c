/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"

/* Neighbours, RFC 4861 §7. */

#define NS ICMPV6_NEIGHBOUR_SOLICITATION
#define NA ICMPV6_NEIGHBOUR_ADVERTISEMENT

static const struct ether_addr other_mac = {{2, 0, 0, 0, 0, 7}};
static const struct ether_addr third_mac = {{2, 0, 0, 0, 0, 9}};

static struct test_peer *
quiet(void)
{
	struct test_peer *p = fx_new(test_peer_config_ipv6);

	fx_pass(p, 10 * NS_PER_SEC);
	return p;
}

static struct ndp_neighbour
last(const struct test_peer *p, uint32_t type)
{
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, type);
	struct ndp_neighbour n;

	assert_true(m->count > 0);
	assert_int_equal(m->ip.hop_limit, 255);
	assert_int_equal(
		wire_ndp_parse_neighbour(m->message + 4, m->len - 4, type == NA, &n), DROP_NONE);
	return n;
}

static uint32_t
sent(const struct test_peer *p, uint32_t type)
{
	return test_peer_icmpv6_sent(p, type)->count;
}

/* A message about target, with this MAC address in it unless NULL. flags: of an advertisement. */
static void
send_neighbour(struct test_peer *p, bool advertisement, const struct ndp_neighbour *m,
	const struct ipv6_addr *src, const struct ipv6_addr *dst)
{
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t len = wire_ndp_build_neighbour(message, advertisement, m);

	test_peer_send_icmpv6(p, src, dst, NDP_HOP_LIMIT, message, len);
	test_peer_deliver(p);
}

static void
solicit(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *dst,
	const struct ipv6_addr *target, const struct ether_addr *mac)
{
	struct ndp_neighbour m = {.target = *target, .mac_set = mac != NULL};

	if (mac != NULL)
		m.mac = *mac;
	send_neighbour(p, false, &m, src, dst);
}

enum flags { S = 1, O = 2, R = 4 };

static void
advertise(struct test_peer *p, const struct ipv6_addr *target, uint32_t flags,
	const struct ether_addr *mac, const struct ipv6_addr *dst)
{
	struct ndp_neighbour m = {.target = *target,
		.router = (flags & R) != 0,
		.solicited = (flags & S) != 0,
		.override = (flags & O) != 0,
		.mac_set = mac != NULL};

	if (mac != NULL)
		m.mac = *mac;
	send_neighbour(p, true, &m, target, dst);
}

static const struct neighbour *
entry(const struct test_peer *p)
{
	const struct ip_address ip = ip_address_of_v6(&test_peer_ipv6);
	const struct neighbour *e = netstack_neighbour_find(p->ns, &ip);

	assert_non_null(e);
	return e;
}

static void
assert_entry(const struct test_peer *p, enum neighbour_state state, const struct ether_addr *mac)
{
	assert_int_equal(entry(p)->state, state);
	assert_memory_equal(entry(p)->mac.byte, mac->byte, 6);
}

/* ---- asking ---- */

/* §7.2.2: to the solicited-node group, with our MAC address, from the address that will speak. */
TEST(test_ndp_next_hop_is_asked_for_by_multicast)
{
	struct test_peer *p = quiet();
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, NS);
	struct ipv6_addr group = fx_v6("ff02::1:ff00:1");
	struct ndp_neighbour n;

	p->answers.ndp = false;
	fx_connect_ipv6(p);
	(void)test_peer_take(p);
	assert_int_equal(m->count, 1);
	n = last(p, NS);
	assert_true(ipv6_addr_equal(&n.target, &test_peer_ipv6));
	assert_true(n.mac_set && ether_addr_equal(&n.mac, &test_our_mac));
	assert_true(ipv6_addr_equal(&m->ip.dst, &group));
	assert_true(ipv6_addr_equal(&m->ip.src, &test_our_ipv6));
	assert_int_equal(p->syns, 0);
	assert_int_equal(fx_count(p, COUNTER_NDP_SOLICITATIONS_SENT), 1);
	advertise(p, &test_peer_ipv6, S | O, &test_peer_mac, &test_our_ipv6);
	(void)test_peer_take(p);
	assert_int_equal(p->syns, 1);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	fx_end(p);
}

TEST(test_ndp_no_answer_ends_after_five_and_says_who_was_heard)
{
	struct test_peer *p = quiet();
	const struct ipv6_addr other = fx_v6("2001:db8::7"), third = fx_v6("2001:db8::9");
	struct netstack_conn *nc;
	struct netstack_next_hop_failure f;

	p->answers.ndp = false;
	nc = fx_connect_ipv6(p);
	(void)test_peer_take(p);
	advertise(p, &other, O, &other_mac, &ipv6_addr_all_nodes);
	solicit(p, &third, &ipv6_addr_all_nodes, &other, &third_mac);
	fx_pass(p, 4 * NS_PER_SEC);
	assert_int_equal(netstack_conn_error(nc), 0);
	fx_pass(p, 2 * NS_PER_SEC);
	assert_int_equal(netstack_conn_error(nc), -EHOSTUNREACH);
	assert_int_equal(sent(p, NS), 5);
	netstack_next_hop_failure(p->ns, &f);
	assert_true(f.failed && ipv6_addr_equal(&f.next_hop.v6, &test_peer_ipv6));
	assert_int_equal(f.requests_sent, 5);
	assert_int_equal(f.heard_count, 2);
	assert_true(ipv6_addr_equal(&f.heard_ip[0].v6, &other));
	assert_true(ether_addr_equal(&f.heard_mac[0], &other_mac));
	assert_true(ipv6_addr_equal(&f.heard_ip[1].v6, &third));
	fx_end(p);
}

/* §7.3.3: what was reachable is asked itself, not everybody. */
TEST(test_ndp_refresh_asks_the_neighbour_itself)
{
	struct test_peer *p = quiet();
	struct netstack_conn *nc = fx_established_ipv6(p);
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, NS);
	uint32_t before = m->count;

	fx_pass(p, 29 * NS_PER_SEC);
	tcp_conn_send(netstack_conn_tcp(nc), "hello", 5);
	netstack_conn_touch(p->ns, nc);
	fx_pass(p, 3 * NS_PER_SEC);
	assert_int_equal(m->count, before + 1);
	assert_true(ether_addr_equal(&m->ether.dst, &test_peer_mac));
	assert_true(ipv6_addr_equal(&m->ip.dst, &test_peer_ipv6));
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	fx_end(p);
}

/* ---- advertisements: §7.2.5 and its appendix C ---- */

TEST(test_ndp_advertisement_nobody_asked_for_makes_no_entry)
{
	struct test_peer *p = quiet();
	const struct ip_address ip = ip_address_of_v6(&test_peer_ipv6);

	advertise(p, &test_peer_ipv6, O, &test_peer_mac, &ipv6_addr_all_nodes);
	advertise(p, &test_peer_ipv6, S | O, &test_peer_mac, &test_our_ipv6);
	assert_null(netstack_neighbour_find(p->ns, &ip));
	assert_int_equal(fx_count(p, COUNTER_NDP_ADVERTISEMENTS_RECEIVED), 2);
	fx_end(p);
}

/* In INCOMPLETE any MAC address is taken; without one there is nothing to take. */
TEST(test_ndp_first_advertisement_needs_a_mac_address)
{
	uint32_t flags;

	for (flags = 0; flags < 8; flags++) {
		struct test_peer *p = quiet();

		p->answers.ndp = false;
		fx_connect_ipv6(p);
		(void)test_peer_take(p);
		advertise(p, &test_peer_ipv6, flags, NULL, &test_our_ipv6);
		assert_int_equal(entry(p)->state, NEIGHBOUR_PENDING);
		advertise(p, &test_peer_ipv6, flags, &other_mac, &test_our_ipv6);
		/* Who was not asked is not known to hear us (§7.3.1). */
		assert_entry(p, flags & S ? NEIGHBOUR_REACHABLE : NEIGHBOUR_REFRESHING, &other_mac);
		(void)test_peer_take(p);
		assert_int_equal(p->syns, 1);
		assert_memory_equal(p->last, other_mac.byte, 6);
		fx_end(p);
	}
}

static struct test_peer *
reachable(void)
{
	struct test_peer *p = quiet();

	fx_established_ipv6(p);
	p->answers.ndp = false;
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	return p;
}

/* Another MAC address: taken with O; without, doubt about the one that is known. */
TEST(test_ndp_other_mac_address_is_taken_only_with_override)
{
	uint32_t flags;

	for (flags = 0; flags < 8; flags++) {
		struct test_peer *p = reachable();

		advertise(p, &test_peer_ipv6, flags, &other_mac, &test_our_ipv6);
		assert_entry(p,
			(flags & S) && (flags & O) ? NEIGHBOUR_REACHABLE : NEIGHBOUR_REFRESHING,
			flags & O ? &other_mac : &test_peer_mac);
		(void)test_peer_take(p);
		fx_end(p);
	}
}

/* "If the Override flag is clear and the address differs", and the state is not REACHABLE: ignored. */
TEST(test_ndp_other_mac_address_without_override_changes_nothing_in_doubt)
{
	struct test_peer *p = reachable();
	uint32_t tries;

	advertise(p, &test_peer_ipv6, 0, &other_mac, &test_our_ipv6);
	fx_pass(p, NS_PER_SEC + 200 * NS_PER_MS);
	tries = entry(p)->tries;
	assert_int_equal(tries, 2);
	advertise(p, &test_peer_ipv6, S, &other_mac, &test_our_ipv6);
	assert_entry(p, NEIGHBOUR_REFRESHING, &test_peer_mac);
	assert_int_equal(entry(p)->tries, tries);
	fx_end(p);
}

/* The same MAC address, or none: with S it is confirmed, without S nothing changes. */
TEST(test_ndp_same_mac_address_confirms_only_when_solicited)
{
	const struct ether_addr *macs[] = {&test_peer_mac, NULL};
	uint32_t flags, i;

	for (flags = 0; flags < 8; flags++) {
		for (i = 0; i < 2; i++) {
			struct test_peer *p = reachable();
			uint32_t before = sent(p, NS);

			advertise(p, &test_peer_ipv6, flags, macs[i], &test_our_ipv6);
			assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
			(void)test_peer_take(p);
			assert_int_equal(sent(p, NS), before);
			advertise(p, &test_peer_ipv6, 0, &other_mac, &test_our_ipv6);
			assert_entry(p, NEIGHBOUR_REFRESHING, &test_peer_mac);
			advertise(p, &test_peer_ipv6, flags, macs[i], &test_our_ipv6);
			assert_entry(p, flags & S ? NEIGHBOUR_REACHABLE : NEIGHBOUR_REFRESHING,
				&test_peer_mac);
			fx_end(p);
		}
	}
}

/* §7.3.1: MUST NOT be a confirmation; a MAC address that has changed is asked itself. */
TEST(test_ndp_solicitation_of_a_neighbour_teaches_but_confirms_nothing)
{
	struct test_peer *p = reachable();

	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, &test_peer_mac);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	advertise(p, &test_peer_ipv6, 0, &other_mac, &test_our_ipv6);
	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, &test_peer_mac);
	assert_entry(p, NEIGHBOUR_REFRESHING, &test_peer_mac);
	advertise(p, &test_peer_ipv6, S, &test_peer_mac, &test_our_ipv6);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, &third_mac);
	assert_entry(p, NEIGHBOUR_REFRESHING, &third_mac);
	fx_end(p);
}

TEST(test_ndp_multicast_mac_address_is_never_learned)
{
	static const struct ether_addr group = {{0x33, 0x33, 0, 0, 0, 1}};
	struct test_peer *p = reachable();

	advertise(p, &test_peer_ipv6, S | O, &group, &test_our_ipv6);
	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, &ether_addr_broadcast);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	fx_end(p);
}

/* ---- being asked ---- */

/* §7.2.4: from the address asked for, S and O, not R, with our MAC address. */
static void
assert_answer(const struct test_peer *p, uint32_t n, const struct ether_addr *mac,
	const struct ipv6_addr *dst)
{
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, NA);
	struct ndp_neighbour a;

	assert_int_equal(m->count, n);
	a = last(p, NA);
	assert_true(ipv6_addr_equal(&a.target, &test_our_ipv6));
	assert_true(ipv6_addr_equal(&m->ip.src, &test_our_ipv6));
	assert_true(ipv6_addr_equal(&m->ip.dst, dst));
	assert_true(ether_addr_equal(&m->ether.dst, mac));
	assert_true(a.override && !a.router);
	assert_int_equal(a.solicited, !ipv6_addr_is_multicast(dst));
	assert_true(a.mac_set && ether_addr_equal(&a.mac, &test_our_mac));
}

TEST(test_ndp_solicitation_for_us_is_answered)
{
	struct test_peer *p = quiet();
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct ether_addr all = ipv6_addr_multicast_mac(&ipv6_addr_all_nodes);

	solicit(p, &test_peer_ipv6, &group, &test_our_ipv6, &other_mac);
	(void)test_peer_take(p);
	assert_answer(p, 1, &other_mac, &test_peer_ipv6);
	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, NULL);
	(void)test_peer_take(p);
	assert_answer(p, 2, &test_peer_mac, &test_peer_ipv6);
	/* Somebody tests whether the address is free: all must hear that it is not. */
	solicit(p, &ipv6_addr_unspecified, &group, &test_our_ipv6, NULL);
	(void)test_peer_take(p);
	assert_answer(p, 3, &all, &ipv6_addr_all_nodes);
	assert_int_equal(fx_count(p, COUNTER_NDP_ADVERTISEMENTS_SENT), 3);
	assert_int_equal(fx_count(p, COUNTER_NDP_CONFLICTS), 0);
	fx_end(p);
}

TEST(test_ndp_solicitation_for_another_is_not_answered)
{
	struct test_peer *p = quiet();
	const struct ipv6_addr same_group = fx_v6("2001:db8:1::2");

	solicit(p, &test_peer_ipv6, &ipv6_addr_all_nodes, &test_peer_link_local, &other_mac);
	solicit(p, &test_peer_ipv6, &ipv6_addr_all_nodes, &same_group, &other_mac);
	(void)test_peer_take(p);
	assert_int_equal(sent(p, NA), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_NOT_FOR_US), 2);
	fx_end(p);
}

/* More questions in one burst than answers have room: the others' tables ask again. */
TEST(test_ndp_burst_of_solicitations_is_answered_as_far_as_there_is_room)
{
	struct test_peer *p = quiet();
	const struct ndp_neighbour m = {
		.target = test_our_ipv6, .mac_set = true, .mac = test_peer_mac};
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t i, len = wire_ndp_build_neighbour(message, false, &m);

	for (i = 0; i < TEST_PEER_FRAMES; i++)
		test_peer_send_icmpv6(p, &test_peer_ipv6, &test_our_ipv6, 255, message, len);
	test_peer_deliver(p);
	assert_int_equal(test_peer_take(p), NETSTACK_CONTROL_FRAMES);
	assert_int_equal(sent(p, NA), NETSTACK_CONTROL_FRAMES);
	assert_int_equal(fx_count(p, COUNTER_NDP_ADVERTISEMENTS_SENT), NETSTACK_CONTROL_FRAMES);
	solicit(p, &test_peer_ipv6, &test_our_ipv6, &test_our_ipv6, NULL);
	assert_int_equal(test_peer_take(p), 1);
	fx_end(p);
}

TEST(test_ndp_neighbour_too_many_takes_the_place_of_the_one_used_longest_ago)
{
	struct test_peer *p = quiet();
	struct ip_address ip = {.family = 6, .v6 = fx_v6("2001:db8::100")}, first = ip, second = ip;
	uint32_t i;

	second.v6.byte[15] = 1;
	for (i = 0; i < NETSTACK_NEIGHBOURS; i++) {
		ip.v6.byte[15] = (uint8_t)i;
		netstack_neighbour_lookup(p->ns, &ip, p->now_ns++);
	}
	netstack_neighbour_lookup(p->ns, &first, p->now_ns++);
	ip.v6.byte[15]++;
	netstack_neighbour_lookup(p->ns, &ip, p->now_ns++);
	assert_non_null(netstack_neighbour_find(p->ns, &first));
	assert_non_null(netstack_neighbour_find(p->ns, &ip));
	assert_null(netstack_neighbour_find(p->ns, &second));
	fx_end(p);
}

/* §7.1.1, §7.1.2: hop limit, code, target, "::" with a MAC address or not to the group, S to a group. */
TEST(test_ndp_message_that_is_invalid_is_dropped_by_name)
{
	struct test_peer *p = reachable();
	const struct ipv6_addr *nobody = &ipv6_addr_unspecified, *all = &ipv6_addr_all_nodes;
	struct ndp_neighbour m = {.target = test_peer_ipv6,
		.solicited = true,
		.override = true,
		.mac_set = true,
		.mac = other_mac};
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t i, len;

	for (i = 0; i < 4; i++) { /* forwarded; another code; an option of length 0; cut off */
		len = wire_ndp_build_neighbour(message, true, &m);
		message[1] = i == 1;
		message[25] = i == 2 ? 0 : 1;
		len -= i == 3 ? 9 : 0;
		test_peer_send_icmpv6(
			p, &test_peer_ipv6, &test_our_ipv6, i == 0 ? 254 : 255, message, len);
		test_peer_deliver(p);
		assert_int_equal(fx_count(p, COUNTER_DROP_NDP_MALFORMED), i + 1);
	}
	advertise(p, &ipv6_addr_all_routers, O, &other_mac, &test_our_ipv6); /* its source is one */
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), 1);
	m.target = ipv6_addr_all_routers;
	send_neighbour(p, true, &m, &test_peer_ipv6, &test_our_ipv6);
	advertise(p, &test_peer_ipv6, S | O, &other_mac, all);
	solicit(p, nobody, all, &test_our_ipv6, NULL);
	m.target = test_our_ipv6;
	m.target.byte[15] = 2;
	solicit(p, nobody, &(struct ipv6_addr){{0xff, 2, [11] = 1, 0xff, [15] = 2}}, &test_our_ipv6,
		&other_mac);
	assert_int_equal(fx_count(p, COUNTER_DROP_NDP_MALFORMED), 8);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	(void)test_peer_take(p);
	assert_int_equal(sent(p, NA), 0);
	fx_end(p);
}

/* RFC 6980: MUST be ignored in fragments, even in one that is the whole. */
TEST(test_ndp_message_in_a_fragment_is_dropped)
{
	struct test_peer *p = reachable();
	const struct ndp_neighbour m = {.target = test_peer_ipv6,
		.solicited = true,
		.override = true,
		.mac_set = true,
		.mac = other_mac};
	const struct ipv6_header ip = {.src = test_peer_ipv6,
		.dst = test_our_ipv6,
		.protocol = IPV6_NEXT_FRAGMENT,
		.hop_limit = 255};
	uint8_t bytes[8 + NDP_NEIGHBOUR_LEN] = {IPV6_NEXT_ICMPV6}, second[8 + 16];

	wire_ndp_build_neighbour(bytes + 8, true, &m);
	wire_icmpv6_set_checksum(bytes + 8, NDP_NEIGHBOUR_LEN, &test_peer_ipv6, &test_our_ipv6);
	test_peer_send_ipv6(p, &ip, bytes, sizeof(bytes));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_DROP_NDP_MALFORMED), 1);
	memcpy(second, bytes, 8);
	memcpy(second + 8, bytes + 24, 16);
	bytes[3] = 1;
	second[3] = 16;
	test_peer_send_ipv6(p, &ip, bytes, 24);
	test_peer_send_ipv6(p, &ip, second, sizeof(second));
	test_peer_deliver(p);
	assert_int_equal(fx_count(p, COUNTER_IP_REASSEMBLED), 1);
	assert_int_equal(fx_count(p, COUNTER_DROP_NDP_MALFORMED), 2);
	assert_entry(p, NEIGHBOUR_REACHABLE, &test_peer_mac);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ndp_next_hop_is_asked_for_by_multicast),
		T(test_ndp_no_answer_ends_after_five_and_says_who_was_heard),
		T(test_ndp_refresh_asks_the_neighbour_itself),
		T(test_ndp_advertisement_nobody_asked_for_makes_no_entry),
		T(test_ndp_first_advertisement_needs_a_mac_address),
		T(test_ndp_other_mac_address_is_taken_only_with_override),
		T(test_ndp_other_mac_address_without_override_changes_nothing_in_doubt),
		T(test_ndp_same_mac_address_confirms_only_when_solicited),
		T(test_ndp_solicitation_of_a_neighbour_teaches_but_confirms_nothing),
		T(test_ndp_multicast_mac_address_is_never_learned),
		T(test_ndp_solicitation_for_us_is_answered),
		T(test_ndp_solicitation_for_another_is_not_answered),
		T(test_ndp_burst_of_solicitations_is_answered_as_far_as_there_is_room),
		T(test_ndp_neighbour_too_many_takes_the_place_of_the_one_used_longest_ago),
		T(test_ndp_message_that_is_invalid_is_dropped_by_name),
		T(test_ndp_message_in_a_fragment_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
