/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_checksum.h"
#include "wire_fixture.h"
#include "wire_icmpv6.h"
#include "wire_ipv6.h"

/* RFC 4443; RFC 3810's report. */

#define QUOTE_LEN 48U /* IPv6 header and eight bytes of TCP's */
#define ERROR_LEN (ICMPV6_HEADER_LEN + QUOTE_LEN)

static struct ipv6_addr src, dst;

static int
addresses(void **state)
{
	(void)state;
	src = fx_v6("fe80::1");
	dst = fx_v6("fe80::2");
	return 0;
}

/* A message of these bytes, its checksum filled in, in a block of its own length. */
static enum drop_reason
parse(const uint8_t *bytes, uint32_t len, struct icmpv6_message *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum drop_reason drop;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	if (len >= 4)
		wire_icmpv6_set_checksum(copy, len, &src, &dst);
	drop = wire_icmpv6_parse(copy, len, &src, &dst, ret);
	ret->body = NULL;
	free(copy);
	return drop;
}

/* An error about 2001:db8::2 port 40000 -> 2001:db8::1 port 80. */
static void
make_error(uint8_t *p, uint8_t type, uint8_t code, uint32_t word)
{
	static const uint8_t tcp[] = {0x9c, 0x40, 0, 80, 1, 2, 3, 4};
	const struct ipv6_header ours = {.src = fx_v6("2001:db8::2"),
		.dst = fx_v6("2001:db8::1"),
		.total_len = 1500,
		.protocol = 6,
		.hop_limit = 60};
	uint8_t quoted[QUOTE_LEN];

	wire_ipv6_build(quoted, &ours);
	memcpy(quoted + IPV6_HEADER_LEN, tcp, sizeof(tcp));
	assert_int_equal(
		wire_icmpv6_build_error(p, type, code, word, quoted, sizeof(quoted)), ERROR_LEN);
}

/* The sum was made by hand: that of the pseudo-header of test_wire_ipv6, and of these words. */
TEST(test_icmpv6_checksum_covers_the_pseudo_header)
{
	uint8_t echo[] = {128, 0, 0x08, 0x18, 0x12, 0x34, 0, 1, 'h', 'i'};
	struct icmpv6_message m;

	assert_int_equal(wire_icmpv6_parse(echo, sizeof(echo), &src, &dst, &m), DROP_NONE);
	assert_int_equal(m.type, ICMPV6_ECHO_REQUEST);
	assert_int_equal(m.code, 0);
	assert_int_equal(m.body_len, 6);
	assert_ptr_equal(m.body, echo + 4);
	dst.byte[15] ^= 1; /* it went to somebody else */
	assert_int_equal(
		wire_icmpv6_parse(echo, sizeof(echo), &src, &dst, &m), DROP_ICMP_MALFORMED);
	dst.byte[15] ^= 1;
	echo[2] = echo[3] = 0xff; /* what was there before does not matter */
	wire_icmpv6_set_checksum(echo, sizeof(echo), &src, &dst);
	assert_memory_equal(echo + 2, "\x08\x18", 2);
}

TEST(test_icmpv6_message_with_any_bit_flipped_is_malformed)
{
	uint8_t data[12];
	struct icmpv6_message m = {.type = 77};
	uint32_t bit;

	for (bit = 0; bit < 8 * sizeof(data); bit++) {
		wire_icmpv6_build_echo_reply(data, (const uint8_t *)"abcdefgh", 8);
		wire_icmpv6_set_checksum(data, sizeof(data), &src, &dst);
		data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(
			wire_icmpv6_parse(data, sizeof(data), &src, &dst, &m), DROP_ICMP_MALFORMED);
	}
	assert_int_equal(m.type, 77); /* untouched */
}

TEST(test_icmpv6_message_shorter_than_its_header_is_malformed)
{
	static const uint8_t echo[8] = {ICMPV6_ECHO_REQUEST};
	struct icmpv6_message m;
	uint32_t len;

	for (len = 0; len < 8; len++)
		assert_int_equal(parse(echo, len, &m), DROP_ICMP_MALFORMED);
	assert_int_equal(parse(echo, 8, &m), DROP_NONE);
	assert_int_equal(m.body_len, 4);
}

/* RFC 4443 §2.4 (b): an error that is not known is for the upper layer; ours has no use for it. */
TEST(test_icmpv6_types_are_errors_below_128_and_known_up_to_4)
{
	uint8_t data[8] = {0};
	struct icmpv6_message m;
	uint32_t type;

	for (type = 0; type < 256; type++) {
		enum drop_reason wanted = DROP_NONE;

		data[0] = (uint8_t)type;
		if (type < 128)
			wanted = type >= 1 && type <= 4 ? DROP_ICMP_MALFORMED /* no quote */
							: DROP_ICMP_IGNORED;
		assert_int_equal(parse(data, sizeof(data), &m), wanted);
		if (wanted == DROP_NONE)
			assert_int_equal(m.type, type);
	}
}

TEST(test_icmpv6_quote_gives_addresses_ports_and_number)
{
	uint8_t data[ERROR_LEN];
	struct icmpv6_message m;
	struct ipv6_addr ours = fx_v6("2001:db8::2"), theirs = fx_v6("2001:db8::1");
	uint8_t type;

	for (type = 1; type <= 4; type++) {
		make_error(data, type, 3, 0x00010500);
		assert_int_equal(parse(data, ERROR_LEN, &m), DROP_NONE);
		assert_int_equal(m.type, type);
		assert_int_equal(m.code, 3);
		/* RFC 4443 §3.2: 32 bits, and of a Packet Too Big alone. */
		assert_int_equal(m.mtu, type == ICMPV6_PACKET_TOO_BIG ? 0x00010500 : 0);
		assert_int_equal(m.quote.src.family, 6);
		assert_true(ipv6_addr_equal(&m.quote.src.v6, &ours));
		assert_true(ipv6_addr_equal(&m.quote.dst.v6, &theirs));
		assert_int_equal(m.quote.protocol, 6);
		assert_int_equal(m.quote.src_port, 40000);
		assert_int_equal(m.quote.dst_port, 80);
		assert_int_equal(m.quote.seq, 0x01020304);
		assert_int_equal(m.quote.total_len, 1500);
	}
}

TEST(test_icmpv6_quote_that_cannot_be_ours_is_malformed)
{
	uint8_t data[ERROR_LEN];
	struct icmpv6_message m;
	uint32_t len;

	make_error(data, ICMPV6_UNREACHABLE, 4, 0);
	for (len = ICMPV6_HEADER_LEN; len < ERROR_LEN; len++)
		assert_int_equal(parse(data, len, &m), DROP_ICMP_MALFORMED);
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_NONE);
	data[8] = 0x45;
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_ICMP_MALFORMED);
	data[8] = 0x60;
	data[14] = IPV6_NEXT_DESTINATION; /* whose end, and the ports, are not there */
	data[49] = 1;
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_ICMP_MALFORMED);
}

/* A tunnel may have cut our packet: the first fragment has our ports, a later one only data. */
TEST(test_icmpv6_quote_of_a_fragment_is_taken_of_the_first_alone)
{
	static const uint8_t fragment[8] = {6, 0, 0, 1, 0, 0, 0, 9};
	uint8_t data[ERROR_LEN + 8];
	struct icmpv6_message m;

	make_error(data, ICMPV6_PACKET_TOO_BIG, 0, 1400);
	memmove(data + 56, data + 48, 8);
	memcpy(data + 48, fragment, sizeof(fragment));
	data[14] = IPV6_NEXT_FRAGMENT;
	assert_int_equal(parse(data, sizeof(data), &m), DROP_NONE);
	assert_int_equal(m.quote.src_port, 40000);
	assert_int_equal(m.quote.protocol, 6);
	data[51] = 9;
	assert_int_equal(parse(data, sizeof(data), &m), DROP_ICMP_MALFORMED);
}

TEST(test_icmpv6_error_built_quotes_what_it_is_given)
{
	static const uint8_t wanted[] = {3, 1, 0, 0, 0x11, 0x22, 0x33, 0x44, 'a', 'b', 'c'};
	uint8_t p[16];

	memset(p, 0xee, sizeof(p));
	assert_int_equal(
		wire_icmpv6_build_error(p, 3, 1, 0x11223344, (const uint8_t *)"abc", 3), 11);
	assert_memory_equal(p, wanted, sizeof(wanted));
}

TEST(test_icmpv6_echo_reply_built_has_the_requests_body)
{
	uint8_t p[16];

	memset(p, 0xee, sizeof(p));
	assert_int_equal(wire_icmpv6_build_echo_reply(p, (const uint8_t *)"abcdef", 6), 10);
	assert_memory_equal(p, "\x81\0\0\0abcdef", 10);
}

/* RFC 3810 §5.2: type 143, the number of records; each a type, no sources, the group. */
TEST(test_icmpv6_mld_report_has_a_record_a_group)
{
	const struct ipv6_addr groups[] = {fx_v6("ff02::1:ff00:1"), fx_v6("ff02::1:ff00:2")};
	static const uint8_t head[] = {143, 0, 0, 0, 0, 0, 0, 2};
	static const uint8_t record[] = {4, 0, 0, 0};
	uint8_t p[64];
	uint32_t i;

	memset(p, 0xee, sizeof(p));
	assert_int_equal(wire_icmpv6_build_mld_report(p, MLD_CHANGE_TO_EXCLUDE, groups, 2), 48);
	assert_memory_equal(p, head, sizeof(head));
	for (i = 0; i < 2; i++) {
		assert_memory_equal(p + 8 + 20 * i, record, sizeof(record));
		assert_memory_equal(p + 12 + 20 * i, groups[i].byte, 16);
	}
	assert_int_equal(p[48], 0xee);
	wire_icmpv6_build_mld_report(p, MLD_MODE_IS_EXCLUDE, groups, 1);
	assert_int_equal(p[8], 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_icmpv6_checksum_covers_the_pseudo_header),
		T(test_icmpv6_message_with_any_bit_flipped_is_malformed),
		T(test_icmpv6_message_shorter_than_its_header_is_malformed),
		T(test_icmpv6_types_are_errors_below_128_and_known_up_to_4),
		T(test_icmpv6_quote_gives_addresses_ports_and_number),
		T(test_icmpv6_quote_that_cannot_be_ours_is_malformed),
		T(test_icmpv6_quote_of_a_fragment_is_taken_of_the_first_alone),
		T(test_icmpv6_error_built_quotes_what_it_is_given),
		T(test_icmpv6_echo_reply_built_has_the_requests_body),
		T(test_icmpv6_mld_report_has_a_record_a_group),
	};

	return cmocka_run_group_tests(tests, addresses, NULL);
}
