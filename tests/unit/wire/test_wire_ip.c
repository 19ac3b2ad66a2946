/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_fixture.h"

/* Addresses of both families: RFC 4291, RFC 5952, RFC 2464. */

static const struct ether_addr mac = {{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};

static void
expect_text(const char *in, const char *out)
{
	struct ip_address a;
	char text[IP_ADDRESS_TEXT_LEN];

	if (ip_address_parse(in, &a) != 0)
		fail_msg("not taken: \"%s\"", in);
	assert_string_equal(ip_address_format(&a, text), out);
}

/* RFC 5952 §4: no leading zeros, "::" for the longest run, the first of equals, never for one field,
 * lower case. */
TEST(test_ip_address_text_is_written_in_the_one_canonical_form)
{
	expect_text("198.18.0.1", "198.18.0.1");
	expect_text("2001:0db8:0:0:0:0:0:0001", "2001:db8::1");
	expect_text("2001:DB8::AbCd", "2001:db8::abcd");
	expect_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	expect_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	expect_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	expect_text("::", "::");
	expect_text("::1", "::1");
	expect_text("fe80::", "fe80::");
	expect_text("::ffff:192.0.2.1", "::ffff:192.0.2.1");
	expect_text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(test_ip_address_text_malformed_is_invalid_and_leaves_the_output)
{
	static const char *const texts[] = {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1::2::3", "12345::", "g::", "fe80::1%eth0", "[::1]", "::1 ", " ::1", "::1/64",
		"::1.2.3", "::1.2.3.256", "1.2.3.4:80", "1:2:3:4:5:6:7::8:9", "localhost"};
	struct ip_address a = ip_address_of_v4(7);
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++) {
		if (ip_address_parse(texts[i], &a) != -EINVAL)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_int_equal(a.family, 4);
		assert_int_equal(a.v4, 7);
	}
}

TEST(test_ip_address_without_a_family_is_none)
{
	const struct ip_address none = {0};
	char text[IP_ADDRESS_TEXT_LEN];

	assert_string_equal(ip_address_format(&none, text), "none");
}

TEST(test_ip_addresses_are_equal_in_family_and_address_only)
{
	struct ip_address a = {.family = 4}, b = {.family = 4}, none = {0};
	struct ipv6_addr v6 = fx_v6("2001:db8::1");

	memset(&a.v6, 0xaa, sizeof(a.v6)); /* what IPv4 does not use does not matter */
	a.v4 = b.v4 = 5;
	assert_true(ip_address_equal(&a, &b));
	b.v4 = 6;
	assert_false(ip_address_equal(&a, &b));
	a = ip_address_of_v6(&v6);
	b = a;
	assert_true(ip_address_equal(&a, &b));
	b.v6.byte[15] ^= 1;
	assert_false(ip_address_equal(&a, &b));
	b = a;
	b.family = 4;
	assert_false(ip_address_equal(&a, &b));
	assert_false(ip_address_equal(&a, &none));
	b = (struct ip_address){.family = 0, .v4 = 3};
	assert_true(ip_address_equal(&none, &b));
}

TEST(test_ipv6_cidr_text_gives_address_and_prefix)
{
	static const struct {
		const char *text;
		uint8_t prefix_len;
	} good[] = {{"2001:db8::2/64", 64}, {"2001:db8::2", 128}, {"2001:db8::2/128", 128},
		{"2001:db8::2/0", 0}};
	struct ipv6_addr a, wanted = fx_v6("2001:db8::2");
	uint8_t prefix_len;
	size_t i;

	for (i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(ipv6_cidr_parse(good[i].text, &a, &prefix_len), 0);
		assert_true(ipv6_addr_equal(&a, &wanted));
		assert_int_equal(prefix_len, good[i].prefix_len);
	}
}

TEST(test_ipv6_cidr_text_malformed_is_invalid_and_leaves_the_output)
{
	static const char *const texts[] = {"", "/64", "::/", "::/129", "::/064", "::/-1", "::/64 ",
		"::/6a", "::/4294967360", "::/64/64", "1.2.3.4/24", ":: /64",
		"2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8/64"};
	struct ipv6_addr a = fx_v6("2001:db8::7"), was = a;
	uint8_t prefix_len = 8;
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++) {
		if (ipv6_cidr_parse(texts[i], &a, &prefix_len) != -EINVAL)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_true(ipv6_addr_equal(&a, &was));
		assert_int_equal(prefix_len, 8);
	}
}

/* RFC 4291 §2.4. */
TEST(test_ipv6_address_kinds_are_told_by_their_prefixes)
{
	static const struct {
		const char *text;
		bool unspecified, loopback, multicast, link_local;
	} kinds[] = {
		{"::", true, false, false, false},
		{"::1", false, true, false, false},
		{"::2", false, false, false, false},
		{"1::1", false, false, false, false},
		{"ff02::1", false, false, true, false},
		{"feff::1", false, false, false, false},
		{"fe80::1", false, false, false, true},
		{"febf:ffff::1", false, false, false, true},
		{"fec0::1", false, false, false, false},
		{"fe7f::1", false, false, false, false},
		{"2001:db8::1", false, false, false, false},
	};
	size_t i;

	for (i = 0; i < COUNT_OF(kinds); i++) {
		struct ipv6_addr a = fx_v6(kinds[i].text);

		assert_int_equal(ipv6_addr_is_unspecified(&a), kinds[i].unspecified);
		assert_int_equal(ipv6_addr_is_loopback(&a), kinds[i].loopback);
		assert_int_equal(ipv6_addr_is_multicast(&a), kinds[i].multicast);
		assert_int_equal(ipv6_addr_is_link_local(&a), kinds[i].link_local);
	}
}

TEST(test_ipv6_common_bits_end_at_the_first_that_differs)
{
	struct ipv6_addr a = fx_v6("2001:db8:a5a5:5a5a:0:ffff:1234:5678"), b;
	uint32_t bit;

	assert_int_equal(ipv6_addr_common_bits(&a, &a), 128);
	for (bit = 0; bit < 128; bit++) {
		b = a;
		b.byte[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
		b.byte[15] ^= bit < 120 ? 0xffU : 0; /* what comes later does not matter */
		assert_int_equal(ipv6_addr_common_bits(&a, &b), bit);
		assert_int_equal(ipv6_addr_common_bits(&b, &a), bit);
	}
}

TEST(test_ipv6_join_takes_so_many_bits_of_the_prefix)
{
	const struct ipv6_addr ones = fx_v6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	struct ipv6_addr joined;
	uint32_t len, bit;

	for (len = 0; len <= 128; len++) {
		joined = ipv6_addr_join(&ones, len, &ipv6_addr_unspecified);
		for (bit = 0; bit < 128; bit++)
			assert_int_equal(joined.byte[bit / 8] >> (7 - bit % 8) & 1, bit < len);
		joined = ipv6_addr_join(&ipv6_addr_unspecified, len, &ones);
		for (bit = 0; bit < 128; bit++)
			assert_int_equal(joined.byte[bit / 8] >> (7 - bit % 8) & 1, bit >= len);
	}
}

/* RFC 2464 §4's example, but for the MAC address. */
TEST(test_ipv6_address_of_a_mac_is_its_modified_eui_64)
{
	const struct ether_addr global = {{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
	struct ipv6_addr prefix = fx_v6("2001:db8:1:2:ffff:ffff:ffff:ffff");
	struct ipv6_addr a = ipv6_addr_of_mac(&prefix, &mac), wanted;

	wanted = fx_v6("2001:db8:1:2:11:22ff:fe33:4455"); /* local becomes 0 */
	assert_true(ipv6_addr_equal(&a, &wanted));
	a = ipv6_addr_of_mac(&ipv6_addr_link_local_prefix, &global);
	wanted = fx_v6("fe80::3656:78ff:fe9a:bcde");
	assert_true(ipv6_addr_equal(&a, &wanted));
}

/* RFC 4291 §2.7.1's example; RFC 2464 §7. */
TEST(test_ipv6_solicited_node_group_has_the_last_24_bits)
{
	struct ipv6_addr a = fx_v6("4037::1:800:200e:8c6c"), wanted = fx_v6("ff02::1:ff0e:8c6c");
	struct ipv6_addr group = ipv6_addr_solicited_node(&a);
	struct ether_addr group_mac = ipv6_addr_multicast_mac(&group);

	assert_true(ipv6_addr_equal(&group, &wanted));
	assert_memory_equal(group_mac.byte, "\x33\x33\xff\x0e\x8c\x6c", 6);
}

TEST(test_ipv6_well_known_addresses_are_the_rfcs)
{
	const struct {
		const struct ipv6_addr *a;
		const char *text;
	} known[] = {{&ipv6_addr_unspecified, "::"}, {&ipv6_addr_all_nodes, "ff02::1"},
		{&ipv6_addr_all_routers, "ff02::2"}, {&ipv6_addr_all_mldv2_routers, "ff02::16"},
		{&ipv6_addr_link_local_prefix, "fe80::"}};
	size_t i;

	for (i = 0; i < COUNT_OF(known); i++) {
		struct ipv6_addr wanted = fx_v6(known[i].text);

		assert_true(ipv6_addr_equal(known[i].a, &wanted));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ip_address_text_is_written_in_the_one_canonical_form),
		T(test_ip_address_text_malformed_is_invalid_and_leaves_the_output),
		T(test_ip_address_without_a_family_is_none),
		T(test_ip_addresses_are_equal_in_family_and_address_only),
		T(test_ipv6_cidr_text_gives_address_and_prefix),
		T(test_ipv6_cidr_text_malformed_is_invalid_and_leaves_the_output),
		T(test_ipv6_address_kinds_are_told_by_their_prefixes),
		T(test_ipv6_common_bits_end_at_the_first_that_differs),
		T(test_ipv6_join_takes_so_many_bits_of_the_prefix),
		T(test_ipv6_address_of_a_mac_is_its_modified_eui_64),
		T(test_ipv6_solicited_node_group_has_the_last_24_bits),
		T(test_ipv6_well_known_addresses_are_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
