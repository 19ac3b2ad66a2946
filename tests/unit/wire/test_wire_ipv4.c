/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"

#define PACKET_LEN 60U /* the longest header, and no data */

/* 198.18.0.1 -> 198.18.0.2, TCP, header of 20 bytes, its checksum right. */
static void
packet(uint8_t bytes[PACKET_LEN])
{
	const struct ipv4_header h = {.src = 0xc6120001,
		.dst = 0xc6120002,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64,
		.id = 0x1234,
		.ecn = 1,
		.total_len = PACKET_LEN};

	memset(bytes, 0, PACKET_LEN);
	wire_ipv4_build(bytes, &h, true);
}

static void
sum(uint8_t *bytes, uint32_t header_len)
{
	be16_store(bytes + 10, 0);
	be16_store(bytes + 10, wire_checksum_finish(wire_checksum_add(0, bytes, header_len)));
}

static void
assert_drop(const uint8_t *bytes, uint32_t len, enum drop_reason reason)
{
	struct ipv4_header h = {.id = 7};

	assert_int_equal(wire_ipv4_parse(bytes, len, len, true, &h), reason);
	assert_int_equal(h.id, 7); /* untouched */
}

static void
test_ipv4_header_built_is_parsed_with_every_field(void **state)
{
	uint8_t bytes[PACKET_LEN];
	struct ipv4_header h;

	(void)state;
	packet(bytes);
	assert_int_equal(wire_ipv4_parse(bytes, PACKET_LEN, PACKET_LEN, true, &h), DROP_NONE);
	assert_int_equal(h.src, 0xc6120001);
	assert_int_equal(h.dst, 0xc6120002);
	assert_int_equal(h.protocol, IPV4_PROTO_TCP);
	assert_int_equal(h.ttl, 64);
	assert_int_equal(h.id, 0x1234);
	assert_int_equal(h.ecn, 1);
	assert_int_equal(h.total_len, PACKET_LEN);
	assert_int_equal(h.header_len, 20);
	assert_true(h.dont_fragment);
}

/* RFC 1122 §3.2.1.1: not version 4 is dropped; RFC 791 §3.1: five words are the shortest header. */
static void
test_ipv4_header_that_cannot_be_is_dropped(void **state)
{
	uint8_t bytes[PACKET_LEN];

	(void)state;
	packet(bytes);
	assert_drop(bytes, 19, DROP_IP_HEADER);
	bytes[0] = 0x65;
	assert_drop(bytes, PACKET_LEN, DROP_IP_HEADER);
	bytes[0] = 0x44;
	assert_drop(bytes, PACKET_LEN, DROP_IP_HEADER);
	bytes[0] = 0x4f; /* 60 bytes of header, of which 59 are here */
	assert_drop(bytes, PACKET_LEN - 1, DROP_IP_HEADER);
	packet(bytes);
	be16_store(bytes + 2, 19); /* less in all than the header */
	assert_drop(bytes, PACKET_LEN, DROP_IP_HEADER);
}

static void
test_ipv4_packet_longer_than_its_frame_is_truncated(void **state)
{
	uint8_t bytes[PACKET_LEN];
	struct ipv4_header h;

	(void)state;
	packet(bytes);
	assert_drop(bytes, PACKET_LEN - 1, DROP_IP_TRUNCATED);
	/* Its rest may be in the frame's other parts; padding may follow it (RFC 894). */
	assert_int_equal(wire_ipv4_parse(bytes, 20, PACKET_LEN, true, &h), DROP_NONE);
	assert_int_equal(wire_ipv4_parse(bytes, 20, PACKET_LEN + 6, true, &h), DROP_NONE);
	assert_int_equal(h.total_len, PACKET_LEN);
}

/* RFC 1122 §3.2.1.2: each header's checksum is verified, by us where the NIC did not. */
static void
test_ipv4_header_with_any_bit_flipped_fails_its_checksum(void **state)
{
	uint8_t bytes[PACKET_LEN];
	struct ipv4_header h;
	uint32_t bit;

	(void)state;
	for (bit = 8 * 8; bit < 8 * IPV4_HEADER_LEN; bit++) { /* those before decide on more */
		packet(bytes);
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_drop(bytes, PACKET_LEN, DROP_IP_CHECKSUM);
		assert_int_equal(
			wire_ipv4_parse(bytes, PACKET_LEN, PACKET_LEN, false, &h), DROP_NONE);
	}
}

static void
test_ipv4_options_are_skipped_and_in_the_checksum(void **state)
{
	uint8_t bytes[PACKET_LEN];
	struct ipv4_header h;

	(void)state;
	packet(bytes);
	bytes[0] = 0x4f;
	memset(bytes + 20, 1, 40); /* no operation */
	sum(bytes, 60);
	assert_int_equal(wire_ipv4_parse(bytes, PACKET_LEN, PACKET_LEN, true, &h), DROP_NONE);
	assert_int_equal(h.header_len, 60);
	bytes[59] = 0;
	assert_drop(bytes, PACKET_LEN, DROP_IP_CHECKSUM);
}

/* RFC 791 §2.3: MF on all but the last, an offset on all but the first. */
static void
test_ipv4_fragment_first_middle_or_last_is_told_apart(void **state)
{
	static const struct {
		uint16_t field, offset;
		bool more;
	} fragments[] = {{0x2000, 0, true}, {0x2001, 8, true}, {0x0001, 8, false},
		{0x1fff, 65528, false}, {0x4000, 0, false}};
	uint8_t bytes[PACKET_LEN];
	struct ipv4_header h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
		packet(bytes);
		be16_store(bytes + 6, fragments[i].field);
		sum(bytes, 20);
		assert_int_equal(
			wire_ipv4_parse(bytes, PACKET_LEN, PACKET_LEN, true, &h), DROP_NONE);
		assert_int_equal(h.fragment_offset, fragments[i].offset);
		assert_int_equal(h.more_fragments, fragments[i].more);
	}
	packet(bytes);
	be16_store(bytes + 6, 0x8000); /* the reserved bit alone makes no fragment */
	sum(bytes, 20);
	assert_int_equal(wire_ipv4_parse(bytes, PACKET_LEN, PACKET_LEN, true, &h), DROP_NONE);
	assert_false(h.dont_fragment);
}

/* A NIC that fills in checksums must find a zero there. */
static void
test_ipv4_checksum_is_left_zero_for_the_nic(void **state)
{
	const struct ipv4_header h = {.src = 1, .dst = 2, .total_len = 20};
	uint8_t bytes[IPV4_HEADER_LEN];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	wire_ipv4_build(bytes, &h, false);
	assert_int_equal(be16_load(bytes + 10), 0);
}

static void
test_ipv4_address_text_is_parsed_and_formatted(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0", "198.18.0.1", "255.255.255.255", "9.10.99.100"};
	char text[IPV4_ADDR_TEXT_LEN];
	uint32_t a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ipv4_addr_parse(texts[i], &a), 0);
		assert_string_equal(ipv4_addr_format(a, text), texts[i]);
	}
}

static void
test_ipv4_address_text_malformed_is_invalid_and_leaves_the_output(void **state)
{
	static const char *const texts[] = {"", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5",
		"1.2.3.256", "1.2.3.4294967297", "01.2.3.4", "1.2.3.04", "1.2.3.-4", "1,2,3,4",
		"1.2.3.4 ", " 1.2.3.4", "a.2.3.4", "1..3.4", "1.2.3.:", "1.2.3./"};
	uint32_t a = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (ipv4_addr_parse(texts[i], &a) != -EINVAL)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_int_equal(a, 7);
	}
}

static void
test_ipv4_cidr_text_gives_address_and_prefix(void **state)
{
	uint32_t a;
	uint8_t prefix_len;

	(void)state;
	assert_int_equal(ipv4_cidr_parse("198.18.0.2/24", &a, &prefix_len), 0);
	assert_int_equal(a, 0xc6120002);
	assert_int_equal(prefix_len, 24);
	assert_int_equal(ipv4_cidr_parse("198.18.0.2", &a, &prefix_len), 0);
	assert_int_equal(prefix_len, 32);
	assert_int_equal(ipv4_cidr_parse("0.0.0.0/0", &a, &prefix_len), 0);
	assert_int_equal(prefix_len, 0);
}

static void
test_ipv4_cidr_text_malformed_is_invalid_and_leaves_the_output(void **state)
{
	static const char *const texts[] = {"198.18.0/24", "198.18.0.2/", "198.18.0.2/33",
		"198.18.0.2/024", "198.18.0.2/-1", "198.18.0.2/24 ", "198.18.0.2 /24",
		"198.18.0.2/x", "198.18.0.2//24", "/24", ""};
	uint32_t a = 7;
	uint8_t prefix_len = 8;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (ipv4_cidr_parse(texts[i], &a, &prefix_len) != -EINVAL)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_int_equal(a, 7);
		assert_int_equal(prefix_len, 8);
	}
}

static void
test_ipv4_prefix_mask_has_so_many_leading_ones(void **state)
{
	(void)state;
	assert_int_equal(ipv4_prefix_mask(0), 0);
	assert_int_equal(ipv4_prefix_mask(1), 0x80000000);
	assert_int_equal(ipv4_prefix_mask(24), 0xffffff00);
	assert_int_equal(ipv4_prefix_mask(32), 0xffffffff);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_header_built_is_parsed_with_every_field),
		cmocka_unit_test(test_ipv4_header_that_cannot_be_is_dropped),
		cmocka_unit_test(test_ipv4_packet_longer_than_its_frame_is_truncated),
		cmocka_unit_test(test_ipv4_header_with_any_bit_flipped_fails_its_checksum),
		cmocka_unit_test(test_ipv4_options_are_skipped_and_in_the_checksum),
		cmocka_unit_test(test_ipv4_fragment_first_middle_or_last_is_told_apart),
		cmocka_unit_test(test_ipv4_checksum_is_left_zero_for_the_nic),
		cmocka_unit_test(test_ipv4_address_text_is_parsed_and_formatted),
		cmocka_unit_test(test_ipv4_address_text_malformed_is_invalid_and_leaves_the_output),
		cmocka_unit_test(test_ipv4_cidr_text_gives_address_and_prefix),
		cmocka_unit_test(test_ipv4_cidr_text_malformed_is_invalid_and_leaves_the_output),
		cmocka_unit_test(test_ipv4_prefix_mask_has_so_many_leading_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
