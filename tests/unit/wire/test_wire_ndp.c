/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_fixture.h"
#include "wire_ndp.h"

/* RFC 4861 §4; RFC 8106 §5.1. Bodies begin after type, code and checksum. */

static const struct ether_addr mac = {{2, 3, 4, 5, 6, 7}};

/* The body of a message being made, in words of 8 bytes where options are. */
struct body {
	uint8_t bytes[2048];
	uint32_t len;
};

static struct body
neighbour(uint8_t flags, const char *target)
{
	struct body b = {.bytes = {flags}, .len = 20};
	struct ipv6_addr a = fx_v6(target);

	memcpy(b.bytes + 4, a.byte, 16);
	return b;
}

static void
add(struct body *b, const void *option, uint32_t len)
{
	memcpy(b->bytes + b->len, option, len);
	b->len += len;
}

static void
add_mac(struct body *b, uint8_t type)
{
	const uint8_t option[] = {type, 1, 2, 3, 4, 5, 6, 7};

	add(b, option, sizeof(option));
}

static uint8_t *
exact(const struct body *b)
{
	uint8_t *copy = malloc(b->len > 0 ? b->len : 1); /* ASan sees what is read past it */

	assert_non_null(copy);
	memcpy(copy, b->bytes, b->len);
	return copy;
}

static enum drop_reason
parse_neighbour(const struct body *b, bool advertisement, struct ndp_neighbour *ret)
{
	uint8_t *copy = exact(b);
	enum drop_reason drop = wire_ndp_parse_neighbour(copy, b->len, advertisement, ret);

	free(copy);
	return drop;
}

static enum drop_reason
parse_router(const struct body *b, struct ndp_router_advertisement *ret)
{
	uint8_t *copy = exact(b);
	enum drop_reason drop = wire_ndp_parse_router(copy, b->len, ret);

	free(copy);
	return drop;
}

TEST(test_ndp_neighbour_flags_are_an_advertisements)
{
	struct ipv6_addr target = fx_v6("2001:db8::5");
	struct ndp_neighbour m;
	uint32_t flags;

	for (flags = 0; flags < 256; flags += 0x20) {
		struct body b = neighbour((uint8_t)flags, "2001:db8::5");

		assert_int_equal(parse_neighbour(&b, true, &m), DROP_NONE);
		assert_int_equal(m.router, flags >> 7);
		assert_int_equal(m.solicited, flags >> 6 & 1);
		assert_int_equal(m.override, flags >> 5 & 1);
		assert_false(m.mac_set);
		assert_true(ipv6_addr_equal(&m.target, &target));
		assert_int_equal(parse_neighbour(&b, false, &m), DROP_NONE);
		assert_false(m.router || m.solicited || m.override);
	}
}

/* §4.3, §4.4: the source's MAC address in a solicitation, the target's in an advertisement. */
TEST(test_ndp_neighbour_mac_is_taken_of_its_own_option)
{
	uint32_t advertisement, type;
	struct ndp_neighbour m;

	for (advertisement = 0; advertisement < 2; advertisement++) {
		for (type = 1; type <= 2; type++) {
			struct body b = neighbour(0, "2001:db8::5");

			add(&b, "\x0e\x02 an unknown one", 16);
			add_mac(&b, (uint8_t)type);
			assert_int_equal(parse_neighbour(&b, advertisement, &m), DROP_NONE);
			assert_int_equal(m.mac_set, type == advertisement + 1);
			if (m.mac_set)
				assert_true(ether_addr_equal(&m.mac, &mac));
		}
	}
}

/* §7.1.1, §7.1.2. */
TEST(test_ndp_neighbour_malformed_is_dropped)
{
	struct body good = neighbour(0, "2001:db8::5"), b;
	struct ndp_neighbour m = {.mac_set = true};
	uint32_t len;

	add_mac(&good, 2);
	for (len = 0; len < good.len; len++) {
		b = good;
		b.len = len;
		if (len != 20) /* which has no option */
			assert_int_equal(parse_neighbour(&b, true, &m), DROP_NDP_MALFORMED);
	}
	b = good;
	b.bytes[21] = 0; /* an option of length 0 */
	assert_int_equal(parse_neighbour(&b, true, &m), DROP_NDP_MALFORMED);
	b.bytes[21] = 2; /* past the end */
	assert_int_equal(parse_neighbour(&b, true, &m), DROP_NDP_MALFORMED);
	b = neighbour(0, "ff02::1:ff00:5");
	assert_int_equal(parse_neighbour(&b, true, &m), DROP_NDP_MALFORMED);
	assert_int_equal(parse_neighbour(&b, false, &m), DROP_NDP_MALFORMED);
	assert_true(m.mac_set); /* untouched */
	assert_int_equal(parse_neighbour(&good, true, &m), DROP_NONE);
}

TEST(test_ndp_neighbour_built_is_parsed_again)
{
	struct ndp_neighbour in = {.target = fx_v6("2001:db8::5"), .mac = mac}, out;
	uint8_t p[NDP_NEIGHBOUR_LEN];
	uint32_t bits, len;

	for (bits = 0; bits < 32; bits++) {
		bool advertisement = (bits & 1) != 0;

		memset(p, 0xee, sizeof(p));
		in.router = (bits & 2) != 0;
		in.solicited = (bits & 4) != 0;
		in.override = (bits & 8) != 0;
		in.mac_set = (bits & 16) != 0;
		len = wire_ndp_build_neighbour(p, advertisement, &in);
		assert_int_equal(len, in.mac_set ? NDP_NEIGHBOUR_LEN : NDP_NEIGHBOUR_LEN - 8);
		assert_int_equal(p[0], advertisement ? 136 : 135);
		assert_memory_equal(p + 1, "\0\0\0", 3); /* code, checksum */
		assert_memory_equal(p + 5, "\0\0\0", 3); /* reserved */
		assert_int_equal(
			wire_ndp_parse_neighbour(p + 4, len - 4, advertisement, &out), DROP_NONE);
		assert_int_equal(out.router, in.router && advertisement);
		assert_int_equal(out.solicited, in.solicited && advertisement);
		assert_int_equal(out.override, in.override && advertisement);
		assert_int_equal(out.mac_set, in.mac_set);
		assert_true(!in.mac_set || ether_addr_equal(&out.mac, &mac));
		assert_true(ipv6_addr_equal(&out.target, &in.target));
	}
}

TEST(test_ndp_router_solicitation_built_has_the_rfcs_bytes)
{
	static const uint8_t wanted[] = {133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7};
	uint8_t p[NDP_ROUTER_SOLICITATION_LEN];

	memset(p, 0xee, sizeof(p));
	assert_int_equal(wire_ndp_build_router_solicitation(p, &mac), 16);
	assert_memory_equal(p, wanted, 16);
	memset(p, 0xee, sizeof(p));
	assert_int_equal(wire_ndp_build_router_solicitation(p, NULL), 8);
	assert_memory_equal(p, wanted, 8);
	assert_int_equal(p[8], 0xee);
}

/* ---- router advertisements ---- */

static struct body
router(void)
{
	return (struct body){
		.bytes = {64, 0, 7, 8, 0, 1, 0, 0, 0, 0, 3, 0xe8}, /* 1800 s, 65.536 s, 1 s */
		.len = 12,
	};
}

static void
add_prefix(struct body *b, const char *prefix, uint8_t len, uint8_t flags, uint32_t valid_s,
	uint32_t preferred_s)
{
	uint8_t option[32] = {3, 4, len, flags};
	struct ipv6_addr a = fx_v6(prefix);

	be32_store(option + 4, valid_s);
	be32_store(option + 8, preferred_s);
	memcpy(option + 16, a.byte, 16);
	add(b, option, sizeof(option));
}

TEST(test_ndp_router_advertisement_gives_every_field)
{
	struct body b = router();
	struct ndp_router_advertisement ra;
	struct ipv6_addr prefix = fx_v6("2001:db8:1::"), dns = fx_v6("2001:db8::53");
	uint8_t rdnss[24] = {25, 3, 0, 0, 0, 0, 2, 0};

	memcpy(rdnss + 8, dns.byte, 16);
	add_mac(&b, 1);
	add(&b, "\x05\x01\0\0\0\0\x05\xdc", 8);
	add_prefix(&b, "2001:db8:1::", 64, 0xc0, NDP_INFINITY, 100);
	add(&b, rdnss, sizeof(rdnss));
	add(&b, "\xfe\x01unknow", 8);
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_int_equal(ra.hop_limit, 64);
	assert_int_equal(ra.lifetime_s, 1800);
	assert_int_equal(ra.reachable_ms, 65536);
	assert_int_equal(ra.retransmit_ms, 1000);
	assert_true(ra.mac_set && ether_addr_equal(&ra.mac, &mac));
	assert_int_equal(ra.mtu, 1500);
	assert_int_equal(ra.prefix_count, 1);
	assert_true(ipv6_addr_equal(&ra.prefix[0].prefix, &prefix));
	assert_int_equal(ra.prefix[0].prefix_len, 64);
	assert_true(ra.prefix[0].on_link && ra.prefix[0].autonomous);
	assert_int_equal(ra.prefix[0].valid_s, NDP_INFINITY);
	assert_int_equal(ra.prefix[0].preferred_s, 100);
	assert_int_equal(ra.dns_count, 1);
	assert_int_equal(ra.dns[0].lifetime_s, 512);
	assert_true(ipv6_addr_equal(&ra.dns[0].address, &dns));
}

TEST(test_ndp_router_advertisement_without_options_has_none)
{
	struct body b = router();
	struct ndp_router_advertisement ra;

	memset(&ra, 0xee, sizeof(ra));
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_false(ra.mac_set);
	assert_int_equal(ra.mtu + ra.prefix_count + ra.dns_count, 0);
}

TEST(test_ndp_router_prefix_flags_are_told_apart)
{
	struct body b = router();
	struct ndp_router_advertisement ra;

	add_prefix(&b, "2001:db8:1::", 64, 0x80, 9, 9);
	add_prefix(&b, "2001:db8:2::", 64, 0x40, 9, 9);
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_true(ra.prefix[0].on_link && !ra.prefix[0].autonomous);
	assert_true(!ra.prefix[1].on_link && ra.prefix[1].autonomous);
}

/* RFC 4861 §6.3.4, RFC 4862 §5.5.3: what is wrong with one option does not harm the others. */
TEST(test_ndp_router_prefix_that_makes_no_sense_is_left_out)
{
	struct body b = router();
	struct ndp_router_advertisement ra;

	add_prefix(&b, "2001:db8:1::", 129, 0xc0, 9, 9);
	add_prefix(&b, "2001:db8:2::", 64, 0xc0, 9, 10); /* preferred for longer than valid */
	add_prefix(&b, "fe80::", 64, 0xc0, 9, 9);
	add_prefix(&b, "ff02::", 64, 0xc0, 9, 9);
	add(&b, "\x03\x01\x40\xc0\0\0\0\x09", 8); /* a prefix option of 8 bytes */
	add_prefix(&b, "2001:db8:7::", 128, 0xc0, 9, 9);
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_int_equal(ra.prefix_count, 1);
	assert_int_equal(ra.prefix[0].prefix_len, 128);
}

/* RFC 4861 §4.6.2: the bits after the prefix's length are ignored. */
TEST(test_ndp_router_prefix_has_no_bits_beyond_its_length)
{
	struct ipv6_addr wanted = fx_v6("2001:db8:1:2::");
	struct body b = router();
	struct ndp_router_advertisement ra;

	add_prefix(&b, "2001:db8:1:2:3:4:5:6", 64, 0xc0, 9, 9);
	add_prefix(&b, "2001:db8:1:3:ffff::", 63, 0xc0, 9, 9);
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_true(ipv6_addr_equal(&ra.prefix[0].prefix, &wanted));
	assert_true(ipv6_addr_equal(&ra.prefix[1].prefix, &wanted));
}

TEST(test_ndp_router_options_beyond_the_bounds_are_not_looked_at)
{
	struct body b = router();
	struct ndp_router_advertisement ra;
	uint8_t rdnss[8 + 10 * 16] = {25, 21};
	uint32_t i;

	for (i = 0; i < 40; i++)
		add_prefix(&b, "2001:db8::", 64, 0xc0, 9 + i, 9);
	for (i = 0; i < 10; i++)
		rdnss[8 + 16 * i] = (uint8_t)(0x20 + i);
	add(&b, rdnss, sizeof(rdnss));
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_int_equal(ra.prefix_count, NDP_PREFIXES_MAX);
	assert_int_equal(ra.prefix[7].valid_s, 16);
	assert_int_equal(ra.dns_count, NDP_DNS_SERVERS_MAX);
	assert_int_equal(ra.dns[7].address.byte[0], 0x27);
}

static void
add_dns(struct body *b, uint32_t lifetime_s, const char *text)
{
	uint8_t option[24] = {25, 3};
	struct ipv6_addr a = fx_v6(text);

	be32_store(option + 4, lifetime_s);
	memcpy(option + 8, a.byte, 16);
	add(b, option, sizeof(option));
}

/* RFC 8106 §5.1: an option's lifetime is that of its own addresses. */
TEST(test_ndp_router_dns_options_have_a_lifetime_each)
{
	struct body b = router();
	struct ndp_router_advertisement ra;

	add_dns(&b, 0, "2001:db8::1");
	add_dns(&b, 600, "2001:db8::2");
	add_dns(&b, NDP_INFINITY, "fe80::3");
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_int_equal(ra.dns_count, 3);
	assert_int_equal(ra.dns[0].lifetime_s, 0);
	assert_int_equal(ra.dns[1].lifetime_s, 600);
	assert_int_equal(ra.dns[2].lifetime_s, NDP_INFINITY);
}

TEST(test_ndp_router_dns_server_that_makes_no_sense_is_left_out)
{
	static const uint8_t none[8] = {25, 1}, cut[32] = {25, 4};
	struct ipv6_addr wanted = fx_v6("2001:db8::53");
	struct body b = router();
	struct ndp_router_advertisement ra;

	add_dns(&b, 600, "ff02::fb");
	add_dns(&b, 600, "::");
	add_dns(&b, 600, "::1");
	add(&b, none, sizeof(none));
	add(&b, cut, sizeof(cut)); /* an address and a half */
	add_dns(&b, 600, "2001:db8::53");
	assert_int_equal(parse_router(&b, &ra), DROP_NONE);
	assert_int_equal(ra.dns_count, 1);
	assert_true(ipv6_addr_equal(&ra.dns[0].address, &wanted));
}

/* §6.1.2: all options have a length greater than 0; nothing is cut. */
TEST(test_ndp_router_advertisement_malformed_is_dropped)
{
	struct body good = router(), b;
	struct ndp_router_advertisement ra = {.mtu = 7};
	uint32_t len;

	add_prefix(&good, "2001:db8::", 64, 0xc0, 9, 9);
	for (len = 0; len < good.len; len++) {
		b = good;
		b.len = len;
		if (len != 12)
			assert_int_equal(parse_router(&b, &ra), DROP_NDP_MALFORMED);
	}
	b = good;
	b.bytes[13] = 0;
	assert_int_equal(parse_router(&b, &ra), DROP_NDP_MALFORMED);
	b.bytes[13] = 255;
	assert_int_equal(parse_router(&b, &ra), DROP_NDP_MALFORMED);
	assert_int_equal(ra.mtu, 7); /* untouched */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ndp_neighbour_flags_are_an_advertisements),
		T(test_ndp_neighbour_mac_is_taken_of_its_own_option),
		T(test_ndp_neighbour_malformed_is_dropped),
		T(test_ndp_neighbour_built_is_parsed_again),
		T(test_ndp_router_solicitation_built_has_the_rfcs_bytes),
		T(test_ndp_router_advertisement_gives_every_field),
		T(test_ndp_router_advertisement_without_options_has_none),
		T(test_ndp_router_prefix_flags_are_told_apart),
		T(test_ndp_router_prefix_that_makes_no_sense_is_left_out),
		T(test_ndp_router_prefix_has_no_bits_beyond_its_length),
		T(test_ndp_router_options_beyond_the_bounds_are_not_looked_at),
		T(test_ndp_router_dns_options_have_a_lifetime_each),
		T(test_ndp_router_dns_server_that_makes_no_sense_is_left_out),
		T(test_ndp_router_advertisement_malformed_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
