/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_fixture.h"

/* Routers and prefixes, RFC 4861 §6.3, RFC 5942; addresses of prefixes, RFC 4862 §5.5. */

#define RS ICMPV6_ROUTER_SOLICITATION
#define HOUR 3600U
#define ON_LINK 0x80U
#define AUTONOMOUS 0x40U
#define OURS "2001:db8:1::ff:fe00:2" /* of the prefix 2001:db8:1::/64 */

static const struct ether_addr other_mac = {{2, 0, 0, 0, 0, 7}};

static void
autoconf(struct netstack_config *cfg)
{
	cfg->ipv6.enabled = cfg->ipv6.autoconf = true;
}

static struct test_peer *
started(void (*change)(struct netstack_config *cfg))
{
	struct test_peer *p = fx_new(change);

	(void)test_peer_take(p);
	return p;
}

/* ---- advertisements being made ---- */

struct advert {
	uint8_t bytes[1400];
	uint32_t len;
};

static struct advert
advert(uint16_t lifetime_s)
{
	return (struct advert){
		.bytes = {ICMPV6_ROUTER_ADVERTISEMENT, [6] = (uint8_t)(lifetime_s >> 8),
			(uint8_t)lifetime_s},
		.len = 16};
}

static void
add_prefix(struct advert *a, const char *text, uint8_t len, uint8_t flags, uint32_t valid_s,
	uint32_t preferred_s)
{
	struct ipv6_addr prefix = fx_v6(text);
	uint8_t *option = a->bytes + a->len;

	assert_true(a->len + 32 <= sizeof(a->bytes));
	option[0] = 3;
	option[1] = 4;
	option[2] = len;
	option[3] = flags;
	be32_store(option + 4, valid_s);
	be32_store(option + 8, preferred_s);
	memcpy(option + 16, prefix.byte, 16);
	a->len += 32;
}

static void
add_mac(struct advert *a, const struct ether_addr *mac)
{
	a->bytes[a->len] = a->bytes[a->len + 1] = 1;
	memcpy(a->bytes + a->len + 2, mac->byte, 6);
	a->len += 8;
}

static void
add_dns(struct advert *a, uint32_t lifetime_s, const char *text)
{
	struct ipv6_addr server = fx_v6(text);
	uint8_t *option = a->bytes + a->len;

	assert_true(a->len + 24 <= sizeof(a->bytes));
	option[0] = 25;
	option[1] = 3;
	be32_store(option + 4, lifetime_s);
	memcpy(option + 8, server.byte, 16);
	a->len += 24;
}

static void
add_mtu(struct advert *a, uint32_t mtu)
{
	a->bytes[a->len] = 5;
	a->bytes[a->len + 1] = 1;
	be32_store(a->bytes + a->len + 4, mtu);
	a->len += 8;
}

static void
send_from(struct test_peer *p, struct advert *a, const struct ipv6_addr *src, uint8_t hop_limit)
{
	test_peer_send_icmpv6(p, src, &ipv6_addr_all_nodes, hop_limit, a->bytes, a->len);
	test_peer_deliver(p);
	(void)test_peer_take(p);
}

static void
send(struct test_peer *p, struct advert *a)
{
	send_from(p, a, &test_peer_link_local, 255);
}

/* One prefix of both kinds from the router that the host is. */
static void
send_prefix(struct test_peer *p, uint32_t valid_s, uint32_t preferred_s)
{
	struct advert a = advert(1800);

	add_prefix(&a, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, valid_s, preferred_s);
	send(p, &a);
}

static const struct ipv6_own_address *
own(const struct test_peer *p, const char *text)
{
	struct ipv6_addr a = fx_v6(text);

	return netstack_ipv6_find(&p->ns->ipv6, &a);
}

static uint64_t
valid_s(const struct test_peer *p)
{
	assert_non_null(own(p, OURS));
	return (own(p, OURS)->valid_until_ns - p->now_ns) / NS_PER_SEC;
}

static const struct ipv6_addr *
next_hop(const struct test_peer *p, const char *text)
{
	static struct ip_address hop;
	const struct ip_address remote = {.family = 6, .v6 = fx_v6(text)};
	struct ip_address local;

	assert_int_equal(netstack_route_find(p->ns, &remote, &local, &hop), 0);
	return &hop.v6;
}

static void
assert_via(const struct test_peer *p, const char *remote, const char *hop)
{
	struct ipv6_addr wanted = fx_v6(hop);

	assert_true(ipv6_addr_equal(next_hop(p, remote), &wanted));
}

/* ---- asking ---- */

/* §6.3.7: three at most, 4 s apart; an answer has its time after the last. */
TEST(test_router_solicitations_are_three_at_most)
{
	struct test_peer *p = started(autoconf);
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, RS);

	assert_int_equal(m->count, 1);
	assert_int_equal(m->ip.hop_limit, 255);
	assert_true(ipv6_addr_equal(&m->ip.dst, &ipv6_addr_all_routers));
	assert_true(ipv6_addr_equal(&m->ip.src, &test_our_link_local));
	assert_memory_equal(m->message + 8, "\1\1\2\0\0\0\0\2", 8);
	assert_int_equal(m->len, 16);
	fx_pass(p, 3 * NS_PER_SEC);
	assert_int_equal(m->count, 1);
	fx_pass(p, 2 * NS_PER_SEC);
	assert_int_equal(m->count, 2);
	fx_pass(p, 4 * NS_PER_SEC);
	assert_int_equal(m->count, 3);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EINPROGRESS);
	fx_pass(p, 60 * NS_PER_SEC);
	assert_int_equal(m->count, 3);
	assert_int_equal(fx_route(p, "2001:db8::1"), -EAFNOSUPPORT);
	assert_int_equal(fx_count(p, COUNTER_NDP_ROUTER_SOLICITATIONS_SENT), 3);
	fx_end(p);
}

static void
probing(struct netstack_config *cfg)
{
	autoconf(cfg);
	cfg->probe_address = true;
}

/* §4.1: MUST NOT have our MAC address when it is from "::". */
TEST(test_router_solicitation_from_nobody_has_no_mac_address)
{
	struct test_peer *p = started(probing);
	const struct test_peer_icmpv6 *m = test_peer_icmpv6_sent(p, RS);

	assert_int_equal(m->count, 1);
	assert_true(ipv6_addr_is_unspecified(&m->ip.src));
	assert_int_equal(m->len, 8);
	fx_end(p);
}

static void
with_gateway(struct netstack_config *cfg)
{
	test_peer_config_ipv6(cfg);
}

TEST(test_router_is_not_asked_for_where_all_is_given)
{
	struct test_peer *p = started(with_gateway);

	fx_pass(p, 20 * NS_PER_SEC);
	assert_int_equal(test_peer_icmpv6_sent(p, RS)->count, 0);
	assert_via(p, "2001:db8:ffff::1", "fe80::ff:fe00:1");
	fx_end(p);
}

/* ---- routers ---- */

TEST(test_router_that_advertises_itself_is_the_default_until_its_time_is_over)
{
	struct test_peer *p = started(autoconf);

	send_prefix(p, HOUR, HOUR);
	assert_via(p, "2001:db8:ffff::1", "fe80::ff:fe00:1");
	fx_pass(p, 20 * NS_PER_SEC);
	assert_int_equal(test_peer_icmpv6_sent(p, RS)->count, 1);
	test_peer_wait(p, 1779 * NS_PER_SEC);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), 0);
	test_peer_wait(p, 2 * NS_PER_SEC);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), -ENETUNREACH);
	assert_int_equal(fx_route(p, "2001:db8:1::5"), 0);
	fx_end(p);
}

/* §6.3.4: with a lifetime of 0 it is none, though what it says of prefixes is true; §6.3.7: the
 * search goes on. */
TEST(test_router_of_lifetime_0_is_no_default_and_is_not_the_end_of_the_search)
{
	struct test_peer *p = started(autoconf);
	struct advert a = advert(0);

	add_prefix(&a, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, HOUR, HOUR);
	send(p, &a);
	assert_int_equal(fx_route(p, "2001:db8:1::5"), 0);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), -EINPROGRESS);
	fx_pass(p, 5 * NS_PER_SEC);
	assert_int_equal(test_peer_icmpv6_sent(p, RS)->count, 2);
	send_prefix(p, HOUR, HOUR);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), 0);
	send(p, &a); /* it resigns */
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), -ENETUNREACH);
	fx_end(p);
}

/* §6.3.6: one that is known to answer before one that is not. */
TEST(test_router_that_is_reachable_is_preferred)
{
	struct test_peer *p = started(autoconf);
	struct ipv6_addr other = fx_v6("fe80::7");
	struct advert a = advert(1800);

	p->answers.router = true;
	send_from(p, &a, &other, 255);
	send_prefix(p, HOUR, HOUR);
	assert_via(p, "2001:db8:ffff::1", "fe80::7");
	netstack_neighbour_lookup(
		p->ns, &(struct ip_address){.family = 6, .v6 = test_peer_link_local}, p->now_ns);
	fx_run(p);
	assert_via(p, "2001:db8:ffff::1", "fe80::ff:fe00:1");
	fx_end(p);
}

static void
say_no_router(struct test_peer *p, bool override, const struct ether_addr *mac)
{
	const struct ndp_neighbour m = {
		.target = test_peer_link_local, .override = override, .mac_set = true, .mac = *mac};
	uint8_t message[NDP_NEIGHBOUR_LEN];
	uint32_t len = wire_ndp_build_neighbour(message, true, &m);

	test_peer_send_icmpv6(p, &test_peer_link_local, &ipv6_addr_all_nodes, 255, message, len);
	test_peer_deliver(p);
}

/* §7.2.5: what is known as a router and says that it is none is forgotten, if it is believed. */
TEST(test_router_that_says_it_is_none_is_forgotten)
{
	struct test_peer *p = started(autoconf);

	p->answers.router = true;
	send_prefix(p, HOUR, HOUR);
	netstack_neighbour_lookup(
		p->ns, &(struct ip_address){.family = 6, .v6 = test_peer_link_local}, p->now_ns);
	fx_run(p);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), 0);
	say_no_router(p, false, &other_mac);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), 0);
	say_no_router(p, true, &test_peer_mac);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), -ENETUNREACH);
	fx_end(p);
}

/* §7.3.1: an advertisement is no answer; what it says of the MAC address is asked after. */
TEST(test_router_advertisement_teaches_the_mac_address_and_confirms_nothing)
{
	struct test_peer *p = started(autoconf);
	const struct ip_address ip = ip_address_of_v6(&test_peer_link_local);
	struct advert a = advert(1800);

	p->answers.ndp = false;
	netstack_neighbour_lookup(p->ns, &ip, p->now_ns);
	add_mac(&a, &other_mac);
	send(p, &a);
	assert_int_equal(netstack_neighbour_find(p->ns, &ip)->state, NEIGHBOUR_REFRESHING);
	assert_memory_equal(netstack_neighbour_find(p->ns, &ip)->mac.byte, other_mac.byte, 6);
	send(p, &a);
	assert_int_equal(netstack_neighbour_find(p->ns, &ip)->state, NEIGHBOUR_REFRESHING);
	fx_end(p);
}

/* §6.1.2. */
TEST(test_router_advertisement_that_is_invalid_is_dropped_by_name)
{
	struct test_peer *p = started(autoconf);
	struct ipv6_addr global = fx_v6("2001:db8::7");
	struct advert good = advert(1800), a;

	add_prefix(&good, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, HOUR, HOUR);
	a = good;
	send_from(p, &a, &test_peer_link_local, 254);
	send_from(p, &a, &global, 255);
	a.bytes[1] = 1;
	send(p, &a);
	a = good;
	a.bytes[17] = 0; /* an option of length 0 */
	send(p, &a);
	a = good;
	a.len -= 8; /* cut off */
	send(p, &a);
	a.len = 12;
	send(p, &a);
	assert_int_equal(fx_count(p, COUNTER_DROP_NDP_MALFORMED), 6);
	a = good;
	send_from(p, &a, &ipv6_addr_unspecified, 255);
	assert_int_equal(fx_count(p, COUNTER_DROP_IP_SOURCE), 1);
	assert_null(own(p, OURS));
	assert_int_equal(fx_count(p, COUNTER_NDP_ROUTER_ADVERTISEMENTS_RECEIVED), 0);
	assert_int_equal(fx_route(p, "2001:db8:ffff::1"), -EINPROGRESS);
	send(p, &good);
	assert_non_null(own(p, OURS));
	fx_end(p);
}

static uint16_t
mss_of_new_connection(struct test_peer *p)
{
	uint32_t before = p->syns;
	struct tcp_segment s;

	p->answers.syn = false;
	fx_connect_ipv6(p);
	fx_run(p);
	assert_int_equal(p->syns, before + 1);
	s = fx_last_tcp(p);
	return s.mss;
}

/* §6.3.4: hop limit and MTU; what is out of range says nothing (RFC 8200 §5, and the port's MTU). */
TEST(test_router_says_hop_limit_and_mtu)
{
	static const uint32_t mtus[] = {1279, 0, 1400, 1501, UINT32_MAX, 1279};
	static const uint16_t mss[] = {1440, 1440, 1340, 1440, 1440, 1440};
	struct test_peer *p = started(autoconf);
	uint32_t i;

	for (i = 0; i < 6; i++) {
		struct advert a = advert(1800);

		add_prefix(&a, "2001:db8::", 64, ON_LINK | AUTONOMOUS, HOUR, HOUR);
		add_mtu(&a, mtus[i]);
		a.bytes[4] = i == 2 ? 0 : 77;
		send(p, &a);
		assert_int_equal(mss_of_new_connection(p), mss[i]);
		assert_int_equal(p->last[ETHER_HEADER_LEN + 7], 77);
	}
	fx_end(p);
}

/* ---- prefixes ---- */

/* RFC 5942 §4: an address of ours says nothing about its neighbours; only L does, only A makes one. */
TEST(test_router_prefix_flags_are_independent)
{
	struct test_peer *p = started(autoconf);
	struct advert a = advert(1800);

	add_prefix(&a, "2001:db8:1::", 64, AUTONOMOUS, HOUR, HOUR);
	add_prefix(&a, "2001:db8:2::", 64, ON_LINK, HOUR, HOUR);
	add_prefix(&a, "2001:db8:3::", 65, ON_LINK | AUTONOMOUS, HOUR, HOUR); /* no room for us */
	add_prefix(&a, "2001:db8:4::", 64, 0, HOUR, HOUR);
	send(p, &a);
	assert_non_null(own(p, OURS));
	assert_null(own(p, "2001:db8:2::ff:fe00:2"));
	assert_null(own(p, "2001:db8:3::ff:fe00:2"));
	assert_null(own(p, "2001:db8:4::ff:fe00:2"));
	assert_via(p, "2001:db8:1::5", "fe80::ff:fe00:1");
	assert_via(p, "2001:db8:2::5", "2001:db8:2::5");
	assert_via(p, "2001:db8:3::5", "2001:db8:3::5");
	assert_via(p, "2001:db8:3:0:8000::", "fe80::ff:fe00:1");
	assert_via(p, "2001:db8:4::5", "fe80::ff:fe00:1");
	fx_end(p);
}

TEST(test_router_prefix_is_on_the_link_until_its_time_is_over)
{
	struct test_peer *p = started(autoconf);
	struct advert a = advert(9000), gone = advert(9000);

	add_prefix(&a, "2001:db8:1::", 64, AUTONOMOUS, NDP_INFINITY, NDP_INFINITY);
	add_prefix(&a, "2001:db8:2::", 64, ON_LINK, 100, 100);
	add_prefix(&a, "2001:db8:3::7", 64, ON_LINK, NDP_INFINITY, 100);
	add_prefix(&gone, "2001:db8:3::8", 64, ON_LINK, 0, 0);
	send(p, &a);
	test_peer_wait(p, 99 * NS_PER_SEC);
	assert_via(p, "2001:db8:2::5", "2001:db8:2::5");
	test_peer_wait(p, 2 * NS_PER_SEC);
	assert_via(p, "2001:db8:2::5", "fe80::ff:fe00:1");
	assert_via(p, "2001:db8:3::5", "2001:db8:3::5");
	send(p, &gone);
	assert_via(p, "2001:db8:3::5", "fe80::ff:fe00:1");
	fx_end(p);
}

static void
no_autoconf(struct netstack_config *cfg)
{
	autoconf(cfg);
	cfg->ipv6.autoconf = false;
	cfg->ipv6.address = test_our_ipv6;
	cfg->ipv6.prefix_len = 128;
}

TEST(test_router_prefix_makes_no_address_unless_told_to)
{
	struct test_peer *p = started(no_autoconf);

	send_prefix(p, HOUR, HOUR);
	assert_null(own(p, OURS));
	assert_via(p, "2001:db8:1::5", "2001:db8:1::5");
	assert_via(p, "2001:db8::5", "fe80::ff:fe00:1");
	fx_end(p);
}

/* RFC 4862 §5.5.3 (e): said, and what of it is believed. */
TEST(test_router_cannot_take_an_address_away_within_two_hours)
{
	static const struct {
		uint32_t before_s, said_s, after_s;
	} cases[] = {
		{HOUR, 10 * HOUR, 10 * HOUR}, /* more than two hours */
		{HOUR, HOUR + 60, HOUR + 60}, /* more than what is left */
		{10 * HOUR, 3 * HOUR, 3 * HOUR}, /* less, but more than two hours */
		{10 * HOUR, HOUR, 2 * HOUR},
		{10 * HOUR, 0, 2 * HOUR},
		{2 * HOUR, 0, 2 * HOUR},
		{HOUR, HOUR / 2, HOUR}, /* ignored */
		{HOUR, 0, HOUR},
		{NDP_INFINITY, 1, 2 * HOUR},
	};
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_peer *p = started(autoconf);

		send_prefix(p, cases[i].before_s, 60);
		send_prefix(p, cases[i].said_s, 0);
		assert_int_equal(valid_s(p), cases[i].after_s);
		fx_end(p);
	}
}

TEST(test_router_can_make_an_address_last_for_ever)
{
	struct test_peer *p = started(autoconf);

	send_prefix(p, HOUR, 60);
	send_prefix(p, NDP_INFINITY, 60);
	assert_true(own(p, OURS)->valid_until_ns == TIME_NEVER);
	fx_end(p);
}

static void
autoconf_and_own(struct netstack_config *cfg)
{
	autoconf(cfg);
	cfg->ipv6.address = fx_v6(OURS);
	cfg->ipv6.prefix_len = 64;
}

/* (d): "configured by stateless autoconfiguration". */
TEST(test_router_does_not_limit_the_time_of_an_address_that_was_given)
{
	struct test_peer *p = started(autoconf_and_own);

	send_prefix(p, 3 * HOUR, 0);
	assert_true(own(p, OURS)->valid_until_ns == TIME_NEVER);
	assert_true(own(p, OURS)->preferred_until_ns == TIME_NEVER);
	test_peer_wait(p, (uint64_t)4 * HOUR * NS_PER_SEC);
	assert_non_null(own(p, OURS));
	fx_end(p);
}

/* DHCP's address comes without probes, or goes: that is nothing to IPv6. */
TEST(test_router_address_is_tested_whatever_becomes_of_ipv4s)
{
	struct test_peer *p = started(probing);

	netstack_set_address(p->ns, 0, 0, 0, false, p->now_ns);
	send_prefix(p, HOUR, HOUR);
	assert_null(own(p, OURS));
	fx_pass(p, 2 * NS_PER_SEC);
	assert_non_null(own(p, OURS));
	fx_end(p);
}

/* §5.5.4: used on while there is none better, and by what uses it. */
TEST(test_router_address_that_is_deprecated_is_the_last_choice)
{
	struct test_peer *p = started(autoconf);
	struct ipv6_addr dst = fx_v6("2001:db8:1::9"), ours = fx_v6(OURS);
	struct ipv6_addr second = fx_v6("2001:db8:2::ff:fe00:2");
	struct advert a = advert(1800);

	send_prefix(p, HOUR, 100);
	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &dst), &ours));
	test_peer_wait(p, 101 * NS_PER_SEC);
	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &dst), &ours));
	add_prefix(&a, "2001:db8:2::", 64, AUTONOMOUS, HOUR, HOUR);
	send(p, &a);
	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &dst), &second));
	send_prefix(p, HOUR, 100); /* preferred again */
	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &dst), &ours));
	send_prefix(p, HOUR, 0);
	assert_true(ipv6_addr_equal(netstack_ipv6_source(&p->ns->ipv6, &dst), &second));
	fx_end(p);
}

TEST(test_router_address_whose_time_is_over_ends_its_connections)
{
	struct test_peer *p = started(autoconf);
	struct netstack_conn *nc;
	struct advert a = advert(9000);

	add_prefix(&a, "2001:db8::", 64, ON_LINK | AUTONOMOUS, 300, 200);
	send(p, &a);
	nc = fx_established_ipv6(p);
	fx_pass(p, 250 * NS_PER_SEC);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_ESTABLISHED);
	fx_pass(p, 51 * NS_PER_SEC);
	assert_int_equal(netstack_conn_error(nc), -EADDRNOTAVAIL);
	assert_null(own(p, "2001:db8::ff:fe00:2"));
	assert_int_equal(fx_route(p, "2001:db8::1"), -EAFNOSUPPORT);
	fx_end(p);
}

/* ---- DNS servers, RFC 8106 ---- */

static void
assert_dns(const struct test_peer *p, uint32_t count, const char *const *text)
{
	struct ipv6_addr server, wanted;
	uint32_t i;

	for (i = 0; i < count; i++) {
		wanted = fx_v6(text[i]);
		assert_true(netstack_ipv6_dns_server(p->ns, i, &server));
		assert_true(ipv6_addr_equal(&server, &wanted));
	}
	assert_false(netstack_ipv6_dns_server(p->ns, count, &server));
}

#define DNS(...)                                                                             \
	(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), (const char *const[]) \
	{                                                                                    \
		__VA_ARGS__                                                                  \
	}

/* The lifetime is the option's: neither a router's nor a prefix's. */
TEST(test_router_dns_servers_are_kept_for_their_lifetimes)
{
	struct test_peer *p = started(autoconf);
	struct advert a = advert(0), again = advert(0);

	assert_true(netstack_ipv6_soliciting(p->ns));
	assert_dns(p, 0, NULL);
	add_dns(&a, 100, "2001:db8::53");
	add_dns(&a, NDP_INFINITY, "fe80::53");
	add_dns(&a, 300, "2001:db8::54");
	send(p, &a);
	assert_true(netstack_ipv6_soliciting(p->ns)); /* it is no router */
	assert_dns(p, DNS("2001:db8::53", "fe80::53", "2001:db8::54"));
	fx_pass(p, 50 * NS_PER_SEC);
	assert_false(netstack_ipv6_soliciting(p->ns));
	add_dns(&again, 200, "2001:db8::53");
	add_dns(&again, 0, "2001:db8::54"); /* withdrawn */
	add_dns(&again, 0, "2001:db8::55"); /* never heard of */
	send(p, &again);
	assert_dns(p, DNS("2001:db8::53", "fe80::53"));
	fx_pass(p, 199 * NS_PER_SEC);
	assert_dns(p, DNS("2001:db8::53", "fe80::53"));
	fx_pass(p, 2 * NS_PER_SEC);
	assert_dns(p, DNS("fe80::53"));
	fx_end(p);
}

TEST(test_router_dns_servers_are_three_those_that_last_longest)
{
	struct test_peer *p = started(autoconf);
	struct advert a = advert(1800), longer = advert(1800);

	add_dns(&a, 300, "2001:db8::1");
	add_dns(&a, 200, "2001:db8::2");
	add_dns(&a, 300, "2001:db8::3");
	add_dns(&a, 200, "2001:db8::4");
	send(p, &a);
	assert_false(netstack_ipv6_soliciting(p->ns));
	assert_dns(p, DNS("2001:db8::1", "2001:db8::2", "2001:db8::3"));
	add_dns(&longer, 400, "2001:db8::5");
	send(p, &longer);
	assert_dns(p, DNS("2001:db8::1", "2001:db8::5", "2001:db8::3"));
	fx_end(p);
}

TEST(test_router_dns_servers_are_not_taken_where_addresses_are_given)
{
	struct test_peer *p = started(no_autoconf);
	struct advert a = advert(1800);

	add_dns(&a, 300, "2001:db8::1");
	send(p, &a);
	assert_dns(p, 0, NULL);
	fx_end(p);
}

/* Whoever sends hundreds of routers, prefixes and lifetimes fills what there is, and no more. */
TEST(test_router_flood_stays_within_the_bounds)
{
	struct test_peer *p = started(autoconf);
	struct ipv6_addr src = fx_v6("fe80::"), ours;
	uint32_t i, k;

	send_prefix(p, HOUR, HOUR);
	for (i = 0; i < 400; i++) {
		struct advert a = advert((uint16_t)(1 + i));

		src.byte[14] = (uint8_t)(i >> 8);
		src.byte[15] = (uint8_t)i;
		for (k = 0; k < 12; k++) {
			add_prefix(&a, "2001:db8:ffff::", 64, ON_LINK | AUTONOMOUS, 9 + i, 9);
			a.bytes[16 + 32 * k + 16 + 6] = (uint8_t)i;
			a.bytes[16 + 32 * k + 16 + 7] = (uint8_t)k;
		}
		send_from(p, &a, &src, 255);
	}
	assert_int_equal(fx_count(p, COUNTER_NDP_ROUTER_ADVERTISEMENTS_RECEIVED), 401);
	assert_non_null(own(p, OURS)); /* who came first stays */
	assert_via(p, "2001:db8:eeee::1", "fe80::ff:fe00:1");
	assert_true(netstack_ipv6_address(p->ns, 4, &ours));
	assert_false(netstack_ipv6_address(p->ns, NETSTACK_IPV6_ADDRESSES, &ours));
	fx_pass(p, 500 * NS_PER_SEC);
	assert_true(netstack_ipv6_address(p->ns, 1, &ours)); /* and the others have gone */
	assert_false(netstack_ipv6_address(p->ns, 2, &ours));
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_router_solicitations_are_three_at_most),
		T(test_router_solicitation_from_nobody_has_no_mac_address),
		T(test_router_is_not_asked_for_where_all_is_given),
		T(test_router_that_advertises_itself_is_the_default_until_its_time_is_over),
		T(test_router_of_lifetime_0_is_no_default_and_is_not_the_end_of_the_search),
		T(test_router_that_is_reachable_is_preferred),
		T(test_router_that_says_it_is_none_is_forgotten),
		T(test_router_advertisement_teaches_the_mac_address_and_confirms_nothing),
		T(test_router_advertisement_that_is_invalid_is_dropped_by_name),
		T(test_router_says_hop_limit_and_mtu),
		T(test_router_prefix_flags_are_independent),
		T(test_router_prefix_is_on_the_link_until_its_time_is_over),
		T(test_router_prefix_makes_no_address_unless_told_to),
		T(test_router_cannot_take_an_address_away_within_two_hours),
		T(test_router_can_make_an_address_last_for_ever),
		T(test_router_does_not_limit_the_time_of_an_address_that_was_given),
		T(test_router_address_is_tested_whatever_becomes_of_ipv4s),
		T(test_router_address_that_is_deprecated_is_the_last_choice),
		T(test_router_address_whose_time_is_over_ends_its_connections),
		T(test_router_dns_servers_are_kept_for_their_lifetimes),
		T(test_router_dns_servers_are_three_those_that_last_longest),
		T(test_router_dns_servers_are_not_taken_where_addresses_are_given),
		T(test_router_flood_stays_within_the_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
