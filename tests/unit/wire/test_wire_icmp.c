/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_icmp.h"

#define ERROR_LEN 36U /* ICMP header, quoted IP header, eight bytes */

/* A port unreachable about 198.18.0.2:40000 -> 198.18.0.1:80; fragment: the quote's field. */
static enum drop_reason
parse_quote_of(uint16_t fragment, struct icmp_message *ret)
{
	uint8_t data[ERROR_LEN] = {3, 3, 0, 0, 0, 0, 0, 0, 0x45, 0, 5, 0xdc, 0, 7, 0, 0, 63, 6, 0,
		0, 198, 18, 0, 2, 198, 18, 0, 1, 0x9c, 0x40, 0, 80, 1, 2, 3, 4};

	be16_store(data + 14, fragment);
	be16_store(data + 2, wire_checksum_finish(wire_checksum_add(0, data, sizeof(data))));
	return wire_icmp_parse(data, sizeof(data), ret);
}

static void
test_icmp_quote_of_a_datagrams_beginning_gives_the_ports(void **state)
{
	const uint16_t fragments[] = {0, 0x4000, 0x2000}; /* none, DF, the first */
	struct icmp_message m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
		assert_int_equal(parse_quote_of(fragments[i], &m), DROP_NONE);
		assert_int_equal(m.quote.src_port, 40000);
		assert_int_equal(m.quote.total_len, 1500);
		assert_int_equal(m.quote.dst_port, 80);
		assert_int_equal(m.quote.seq, 0x01020304);
	}
}

static void
test_icmp_quote_of_a_later_fragment_is_malformed(void **state)
{
	struct icmp_message m;

	(void)state;
	assert_int_equal(parse_quote_of(0x0001, &m), DROP_ICMP_MALFORMED);
	assert_int_equal(parse_quote_of(0x3000, &m), DROP_ICMP_MALFORMED);
}

/* A message of these bytes, its checksum filled in. */
static enum drop_reason
parse(const uint8_t *bytes, uint32_t len, struct icmp_message *ret)
{
	uint8_t data[64];

	memcpy(data, bytes, len);
	be16_store(data + 2, 0);
	be16_store(data + 2, wire_checksum_finish(wire_checksum_add(0, data, len)));
	return wire_icmp_parse(data, len, ret);
}

static void
test_icmp_message_with_any_bit_flipped_is_malformed(void **state)
{
	uint8_t data[12];
	struct icmp_message m = {.type = 77};
	uint32_t bit;

	(void)state;
	for (bit = 0; bit < 8 * sizeof(data); bit++) {
		wire_icmp_build_echo_reply(data, (const uint8_t *)"abcdefgh", 8);
		data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(wire_icmp_parse(data, sizeof(data), &m), DROP_ICMP_MALFORMED);
	}
	assert_int_equal(m.type, 77); /* untouched */
}

static void
test_icmp_message_shorter_than_its_header_is_malformed(void **state)
{
	static const uint8_t echo[8] = {ICMP_ECHO_REQUEST};
	struct icmp_message m;

	(void)state;
	assert_int_equal(parse(echo, 7, &m), DROP_ICMP_MALFORMED);
	assert_int_equal(parse(echo, 8, &m), DROP_NONE);
	assert_int_equal(m.body_len, 4); /* identifier and sequence number, no data */
}

/* RFC 1122 §3.2.2: an unknown type is discarded silently; so are those of no use to us. */
static void
test_icmp_message_of_another_type_is_ignored(void **state)
{
	uint8_t data[8] = {0};
	struct icmp_message m;
	uint32_t type;

	(void)state;
	for (type = 0; type <= 255; type++) {
		data[0] = (uint8_t)type;
		if (type == ICMP_ECHO_REQUEST)
			continue;
		assert_int_equal(parse(data, sizeof(data), &m),
			type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED
				? DROP_ICMP_MALFORMED /* it quotes nothing */
				: DROP_ICMP_IGNORED);
	}
}

static void
test_icmp_quote_that_cannot_be_ours_is_malformed(void **state)
{
	static const uint8_t good[ERROR_LEN] = {11, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 5, 0xdc, 0, 7, 0,
		0, 63, 6, 0, 0, 198, 18, 0, 2, 198, 18, 0, 1, 0x9c, 0x40, 0, 80, 1, 2, 3, 4};
	uint8_t data[ERROR_LEN];
	struct icmp_message m;
	uint32_t len;

	(void)state;
	assert_int_equal(parse(good, ERROR_LEN, &m), DROP_NONE);
	assert_int_equal(m.type, ICMP_TIME_EXCEEDED);
	assert_int_equal(m.quote.src.v4, 0xc6120002);
	assert_int_equal(m.quote.dst.v4, 0xc6120001);
	assert_int_equal(m.quote.protocol, 6);
	for (len = ICMP_HEADER_LEN; len < ERROR_LEN;
		len++) /* RFC 792: 64 bits of the data at least */
		assert_int_equal(parse(good, len, &m), DROP_ICMP_MALFORMED);
	memcpy(data, good, sizeof(data));
	data[8] = 0x65;
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_ICMP_MALFORMED);
	data[8] = 0x44;
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_ICMP_MALFORMED);
	data[8] = 0x46; /* with options, whose ports would begin past the end */
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_ICMP_MALFORMED);
}

/* RFC 1191 §4: the next hop's MTU stands in the low half of the second word, with code 4 only. */
static void
test_icmp_next_hop_mtu_is_read_of_code_4_only(void **state)
{
	uint8_t data[ERROR_LEN] = {3, 0, 0, 0, 0, 0, 5, 0xdc, 0x45, 0, 5, 0xdc, 0, 7, 0, 0, 63, 6,
		0, 0, 198, 18, 0, 2, 198, 18, 0, 1, 0x9c, 0x40, 0, 80, 1, 2, 3, 4};
	struct icmp_message m;
	uint8_t code;

	(void)state;
	for (code = 0; code < 16; code++) {
		data[1] = code;
		assert_int_equal(parse(data, ERROR_LEN, &m), DROP_NONE);
		assert_int_equal(m.code, code);
		assert_int_equal(m.next_hop_mtu, code == ICMP_UNREACHABLE_FRAG ? 1500 : 0);
	}
	data[0] = ICMP_TIME_EXCEEDED;
	data[1] = 4;
	assert_int_equal(parse(data, ERROR_LEN, &m), DROP_NONE);
	assert_int_equal(m.next_hop_mtu, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_icmp_quote_of_a_datagrams_beginning_gives_the_ports),
		cmocka_unit_test(test_icmp_quote_of_a_later_fragment_is_malformed),
		cmocka_unit_test(test_icmp_message_with_any_bit_flipped_is_malformed),
		cmocka_unit_test(test_icmp_message_shorter_than_its_header_is_malformed),
		cmocka_unit_test(test_icmp_message_of_another_type_is_ignored),
		cmocka_unit_test(test_icmp_quote_that_cannot_be_ours_is_malformed),
		cmocka_unit_test(test_icmp_next_hop_mtu_is_read_of_code_4_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
