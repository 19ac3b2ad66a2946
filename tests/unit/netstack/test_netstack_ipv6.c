/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"

/* Our addresses (RFC 4862 §5.4), routes and sources (RFC 6724), listener reports (RFC 3810). */

#define NS ICMPV6_NEIGHBOUR_SOLICITATION
#define REPORT ICMPV6_MLDV2_REPORT

static const struct ether_addr other_mac = {{2, 0, 0, 0, 0, 7}};

static struct test_peer *
quiet(void)
{
	struct test_peer *p = fx_new(test_peer_config_ipv6);

	fx_pass(p, 10 * NS_PER_SEC);
	return p;
}

static void
probing(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->probe_address = true;
	cfg->address = 0; /* IPv4 has a test of its own */
}

/* ---- the duplicate test ---- */

static void
advertise_ours(struct test_peer *p, const struct ipv6_addr *target)
{
	const struct ndp_neighbour m = {
		.target = *target, .override = true, .mac_set = true, .mac = other_mac};
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t len = wire_ndp_build_neighbour(message, true, &m);

	test_peer_send_icmpv6(p, &test_peer_link_local, &ipv6_addr_all_nodes, 255, message, len);
	test_peer_deliver(p);
}

static void
solicit_ours(struct test_peer *p, const struct ipv6_addr *src)
{
	const struct ndp_neighbour m = {.target = test_our_ipv6};
	const struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t len = wire_ndp_build_neighbour(message, false, &m);

	test_peer_send_icmpv6(p, src, &group, 255, message, len);
	test_peer_deliver(p);
}

/* RFC 4862 §5.4.2: once, from "::", without our MAC address; for a second it is not ours to use. */
TEST(test_ipv6_address_is_tested_before_it_is_used)
{
	struct test_peer *p = fx_new(probing);
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, NS);
	struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6), a;

	(void)test_peer_take(p);
	assert_int_equal(m->count, 2); /* of the link-local address, and of this one */
	assert_true(ipv6_addr_is_unspecified(&m->ip.src));
	assert_true(ipv6_addr_equal(&m->ip.dst, &group));
	assert_memory_equal(m->message + 8, test_our_ipv6.byte, 16);
	assert_int_equal(m->len, 24);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EINPROGRESS);
	assert_false(netstack_ipv6_address(p->ns, 0, &a));
	solicit_ours(p, &test_peer_ipv6); /* somebody looks for the address: not us, yet */
	fx_pass(p, 900 * NS_PER_MS);
	assert_int_equal(test_peer_icmpv6_sent(p, ICMPV6_NEIGHBOUR_ADVERTISEMENT)->count, 0);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EINPROGRESS);
	fx_pass(p, 200 * NS_PER_MS);
	assert_int_equal(m->count, 2);
	assert_true(netstack_ipv6_address(p->ns, 0, &a));
	assert_true(ipv6_addr_equal(&a, &test_our_ipv6));
	fx_established_ipv6(p);
	fx_end(p);
}

static void
assert_conflict(struct test_peer *p, const struct ether_addr *mac)
{
	struct ip_address address;
	struct ether_addr seen;

	assert_true(netstack_address_conflict(p->ns, &address, &seen));
	assert_true(ipv6_addr_equal(&address.v6, &test_our_ipv6));
	assert_true(ether_addr_equal(&seen, mac));
	assert_int_equal(fx_count(p, COUNTER_NDP_CONFLICTS), 1);
	fx_pass(p, 5 * NS_PER_SEC);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EADDRNOTAVAIL);
	assert_int_equal(fx_route(p, "fe80::1"), 0); /* the link-local address is not concerned */
	solicit_ours(p, &test_peer_ipv6);
	(void)test_peer_take(p);
	assert_int_equal(test_peer_icmpv6_sent(p, ICMPV6_NEIGHBOUR_ADVERTISEMENT)->count, 0);
}

/* §5.4.4 and §5.4.3: an advertisement, or another's test at the same time. */
TEST(test_ipv6_address_that_another_has_is_never_used)
{
	struct test_peer *p = fx_new(probing);
	struct ip_address address;
	struct ether_addr mac;

	(void)test_peer_take(p);
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	advertise_ours(p, &test_our_ipv6);
	assert_conflict(p, &other_mac);
	fx_end(p);
	p = fx_new(probing);
	(void)test_peer_take(p);
	solicit_ours(p, &ipv6_addr_unspecified);
	assert_conflict(p, &test_peer_mac);
	fx_end(p);
}

/* As ARP's: a forged advertisement now and then ends nothing, an owner who insists gets the address. */
TEST(test_ipv6_address_in_use_is_defended_once_in_ten_seconds)
{
	struct test_peer *p = quiet();
	struct netstack_conn *nc = fx_established_ipv6(p), *v4 = fx_established(p);
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, ICMPV6_NEIGHBOUR_ADVERTISEMENT);
	uint32_t before = m->count, i;
	struct ip_address address;
	struct ether_addr mac;

	for (i = 1; i <= 2; i++) {
		advertise_ours(p, &test_our_ipv6);
		(void)test_peer_take(p);
		assert_int_equal(m->count, before + i);
		assert_true(ipv6_addr_equal(&m->ip.dst, &ipv6_addr_all_nodes));
		assert_int_equal(netstack_conn_error(nc), 0);
		if (i == 1)
			fx_pass(p, 11 * NS_PER_SEC);
	}
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	advertise_ours(p, &test_our_ipv6);
	assert_true(netstack_address_conflict(p->ns, &address, &mac));
	assert_int_equal(netstack_conn_error(nc), -EADDRNOTAVAIL);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(v4)), TCP_ESTABLISHED);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EADDRNOTAVAIL);
	(void)test_peer_take(p);
	assert_int_equal(m->count, before + 2);
	fx_end(p);
}

/* A switch may send our own solicitation back. */
TEST(test_ipv6_own_test_looped_back_is_no_conflict)
{
	struct test_peer *p = fx_new(probing);
	struct ip_address address;
	struct ether_addr mac;

	(void)test_peer_take(p);
	assert_int_equal(p->last[14 + 40], NS);
	test_peer_send_frame(p, p->last, p->last_len);
	test_peer_deliver(p);
	assert_false(netstack_address_conflict(p->ns, &address, &mac));
	fx_pass(p, 2 * NS_PER_SEC);
	fx_established_ipv6(p);
	fx_end(p);
}

/* ---- routes and sources ---- */

TEST(test_ipv6_route_says_why_there_is_none)
{
	struct test_peer *p = quiet();

	assert_int_equal(fx_route(p, "2001:db8::1"), 0);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), 0);
	assert_int_equal(fx_route(p, "fe80::1"), 0);
	assert_int_equal(fx_route(p, "2001:db8::2"), -EADDRINUSE);
	assert_int_equal(fx_route(p, "fe80::ff:fe00:2"), -EADDRINUSE);
	assert_int_equal(fx_route(p, "198.18.0.2"), -EADDRINUSE);
	assert_int_equal(fx_route(p, "::"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "::1"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "ff02::1"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "ff0e::1"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "198.18.1.1"), -ENETUNREACH);
	fx_end(p);
	p = fx_new(NULL);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EAFNOSUPPORT);
	assert_int_equal(fx_route(p, "fe80::1"), -EAFNOSUPPORT);
	assert_int_equal(netstack_route(p->ns, &(struct ip_address){0}), -EAFNOSUPPORT);
	fx_end(p);
	p = fx_new(probing);
	assert_int_equal(fx_route(p, "198.18.0.1"), -EAFNOSUPPORT);
	fx_end(p);
}

static void
without_gateway(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->ipv6.gateway = ipv6_addr_unspecified;
}

static void
with_gateway_mac(struct netstack_config *cfg)
{
	without_gateway(cfg);
	cfg->gateway_mac_set = true;
	cfg->gateway_mac = other_mac;
}

TEST(test_ipv6_route_off_the_link_needs_a_router_or_its_mac_address)
{
	struct test_peer *p = fx_new(without_gateway);

	assert_int_equal(fx_route(p, "2001:db8:1::1"), -EINPROGRESS);
	fx_pass(p, 13 * NS_PER_SEC);
	assert_int_equal(fx_route(p, "2001:db8:1::1"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "2001:db8::ffff"), 0);
	fx_end(p);
	p = fx_new(with_gateway_mac);
	assert_int_equal(fx_route(p, "2001:db8:1::1"), 0);
	fx_connect_ipv6(p);
	fx_run(p);
	assert_int_equal(test_peer_icmpv6_sent(p, NS)->count, 0);
	assert_int_equal(p->syns, 1);
	fx_end(p);
}

static void
assert_source(const struct test_peer *p, const char *dst, const char *src)
{
	struct ipv6_addr d = fx_v6(dst), wanted = fx_v6(src);

	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &d), &wanted));
}

/* RFC 6724 §5: rules 2 and 8. */
TEST(test_ipv6_source_has_the_scope_and_most_of_the_bits)
{
	struct test_peer *p = quiet();
	struct ipv6_addr a = fx_v6("2001:db8:8000::2"), b = fx_v6("fd00::2");

	netstack_ipv6_add(p->ns, &a, 64, p->now_ns);
	netstack_ipv6_add(p->ns, &b, 64, p->now_ns);
	assert_source(p, "2001:db8::9", "2001:db8::2");
	assert_source(p, "2001:db8:7fff::9", "2001:db8::2");
	assert_source(p, "2001:db8:8001::9", "2001:db8:8000::2");
	assert_source(p, "fd00:1::9", "fd00::2");
	assert_source(p, "fe80::9", "fe80::ff:fe00:2");
	assert_source(p, "ff02::1", "fe80::ff:fe00:2");
	fx_end(p);
}

/* ---- listener reports ---- */

static void
assert_report(const struct test_peer *p, uint32_t n, uint8_t type, const struct ipv6_addr *src)
{
	static const uint8_t hop_by_hop[] = {IPV6_NEXT_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, REPORT);
	struct ipv6_addr group = ipv6_addr_solicited_node(&test_our_ipv6);
	struct ipv6_addr local = ipv6_addr_solicited_node(&test_our_link_local);

	assert_int_equal(m->count, n);
	assert_int_equal(m->ip.hop_limit, 1);
	assert_int_equal(m->ip.header_len, 48);
	assert_true(ipv6_addr_equal(&m->ip.dst, &ipv6_addr_all_mldv2_routers));
	assert_true(ipv6_addr_equal(&m->ip.src, src));
	assert_int_equal(m->len, 48);
	assert_int_equal(m->message[8], type); /* §5.2.12 */
	assert_memory_equal(m->message + 12, local.byte, 16);
	assert_memory_equal(m->message + 32, group.byte, 16);
	assert_memory_equal(p->last + 14 + 40, hop_by_hop, 8);
}

static void
ipv6_alone(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
	cfg->address = 0;
}

/* RFC 3810 §5.2, §6.1: twice, a second apart, with a router alert (RFC 2711), hop limit 1. */
TEST(test_ipv6_start_reports_the_groups_twice)
{
	struct test_peer *p = fx_new(ipv6_alone);

	assert_int_equal(test_peer_take(p), 1);
	assert_report(p, 1, MLD_CHANGE_TO_EXCLUDE, &test_our_link_local);
	fx_pass(p, 900 * NS_PER_MS);
	assert_int_equal(p->frames_seen, 1);
	fx_pass(p, 60 * NS_PER_SEC);
	assert_int_equal(p->frames_seen, 2);
	assert_report(p, 2, MLD_CHANGE_TO_EXCLUDE, &test_our_link_local);
	assert_int_equal(fx_count(p, COUNTER_MLD_REPORTS_SENT), 2);
	fx_end(p);
}

static void
query(struct test_peer *p, const struct ipv6_addr *src, uint8_t hop_limit, uint32_t len)
{
	uint8_t message[28] = {ICMPV6_MLD_QUERY};

	test_peer_send_icmpv6(p, src, &ipv6_addr_all_nodes, hop_limit, message, len);
	test_peer_deliver(p);
	fx_pass(p, 2 * NS_PER_SEC);
}

/* §5.1.14, §6.2: only from the link; §8.1: version 1's too, which is shorter, but nothing shorter. */
TEST(test_ipv6_listener_query_is_answered)
{
	struct test_peer *p = quiet();

	query(p, &test_peer_link_local, 1, 28);
	assert_report(p, 3, MLD_MODE_IS_EXCLUDE, &test_our_link_local);
	query(p, &test_peer_link_local, 2, 28);
	query(p, &test_peer_ipv6, 1, 28);
	query(p, &test_peer_link_local, 1, 20);
	assert_report(p, 3, MLD_MODE_IS_EXCLUDE, &test_our_link_local);
	assert_int_equal(fx_count(p, COUNTER_DROP_ICMP_MALFORMED), 3);
	query(p, &test_peer_link_local, 1, 24);
	assert_report(p, 4, MLD_MODE_IS_EXCLUDE, &test_our_link_local);
	fx_end(p);
}

/* §6.1: what is told of a new group is told twice, whether somebody asked meanwhile or not. */
TEST(test_ipv6_listener_query_takes_no_reports_place)
{
	struct test_peer *p = fx_new(ipv6_alone);

	(void)test_peer_take(p);
	query(p, &test_peer_link_local, 1, 28);
	fx_pass(p, 60 * NS_PER_SEC);
	assert_report(p, 3, MLD_CHANGE_TO_EXCLUDE, &test_our_link_local);
	fx_end(p);
}

/* §5.2.13: MUST be from a link-local address or "::", though there is a wider one to use. */
TEST(test_ipv6_report_without_a_link_local_address_is_from_nobody)
{
	struct test_peer *p = fx_new(probing);

	(void)test_peer_take(p);
	assert_true(ipv6_addr_is_unspecified(&test_peer_icmpv6_sent(p, REPORT)->ip.src));
	advertise_ours(p, &test_our_link_local);
	fx_pass(p, 5 * NS_PER_SEC);
	query(p, &test_peer_link_local, 1, 28);
	assert_report(p, 3, MLD_MODE_IS_EXCLUDE, &ipv6_addr_unspecified);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ipv6_address_is_tested_before_it_is_used),
		T(test_ipv6_address_that_another_has_is_never_used),
		T(test_ipv6_address_in_use_is_defended_once_in_ten_seconds),
		T(test_ipv6_own_test_looped_back_is_no_conflict),
		T(test_ipv6_route_says_why_there_is_none),
		T(test_ipv6_route_off_the_link_needs_a_router_or_its_mac_address),
		T(test_ipv6_source_has_the_scope_and_most_of_the_bits),
		T(test_ipv6_start_reports_the_groups_twice),
		T(test_ipv6_listener_query_is_answered),
		T(test_ipv6_listener_query_takes_no_reports_place),
		T(test_ipv6_report_without_a_link_local_address_is_from_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
