/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_udp.h"

#define SRC UINT32_C(0xc6120001)
#define DST UINT32_C(0xc6120002)

static uint64_t
pseudo(uint32_t len)
{
	return wire_checksum_pseudo_ipv4(SRC, DST, IPV4_PROTO_UDP, len);
}

static uint32_t
build(uint8_t *p, const void *data, uint32_t len)
{
	const struct udp_datagram udp = {
		.src_port = 53, .dst_port = 40000, .data = data, .data_len = len};

	return wire_udp_build(p, &udp, pseudo(UDP_HEADER_LEN + len));
}

/* The datagram in a block of just its size, so that ASan sees what reads beyond. */
static enum drop_reason
parse_exactly(const uint8_t *data, uint32_t len, struct udp_datagram *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum drop_reason drop;

	assert_non_null(copy);
	memcpy(copy, data, len);
	drop = wire_udp_parse(copy, len, ret);
	if (drop == DROP_NONE)
		drop = wire_udp_verify(copy, ret, pseudo(ret->len));
	free(copy);
	return drop;
}

static void
test_udp_what_was_built_is_parsed_and_padding_is_not_data(void **state)
{
	uint8_t p[64] = {0};
	struct udp_datagram udp;
	uint32_t len;

	(void)state;
	for (len = 0; len < 32; len++) {
		assert_int_equal(build(p, "abcdefghijklmnopqrstuvwxyz012345", len), 8 + len);
		assert_int_equal(wire_udp_parse(p, 8 + len + 10, &udp), DROP_NONE);
		assert_int_equal(udp.src_port, 53);
		assert_int_equal(udp.dst_port, 40000);
		assert_int_equal(udp.data_len, len);
		assert_memory_equal(udp.data, "abcdefghijklmnopqrstuvwxyz012345", len);
		assert_int_equal(wire_udp_verify(p, &udp, pseudo(udp.len)), DROP_NONE);
	}
}

static void
test_udp_length_that_lies_is_dropped(void **state)
{
	uint8_t p[64];
	struct udp_datagram udp = {.src_port = 77};
	uint32_t len = build(p, "abcd", 4), lie;

	(void)state;
	for (lie = 0; lie < 8; lie++) {
		assert_int_equal(parse_exactly(p, lie, &udp), DROP_UDP_HEADER);
		be16_store(p + 4, (uint16_t)lie);
		assert_int_equal(parse_exactly(p, len, &udp), DROP_UDP_LENGTH);
	}
	be16_store(p + 4, (uint16_t)(len + 1));
	assert_int_equal(parse_exactly(p, len, &udp), DROP_UDP_LENGTH);
	be16_store(p + 4, 0xffff);
	assert_int_equal(parse_exactly(p, len, &udp), DROP_UDP_LENGTH);
	assert_int_equal(udp.src_port, 77); /* untouched */
}

static void
test_udp_any_bit_flipped_is_dropped(void **state)
{
	uint8_t p[64];
	struct udp_datagram udp;
	uint32_t bit, len = build(p, "abcde", 5);

	(void)state;
	for (bit = 0; bit < 8 * len; bit++) {
		p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(parse_exactly(p, len, &udp), DROP_NONE);
		p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(parse_exactly(p, len, &udp), DROP_NONE);
}

/* RFC 768: 0 says that the sender made no checksum; one that would be 0 is sent as 0xffff. */
static void
test_udp_checksum_0_is_none_and_is_never_sent(void **state)
{
	uint8_t p[64], two[2];
	struct udp_datagram udp;
	uint32_t len = build(p, "abcd", 4), i;
	bool seen = false;

	(void)state;
	p[6] = p[7] = 0;
	p[8] ^= 1;
	assert_int_equal(parse_exactly(p, len, &udp), DROP_NONE);
	for (i = 0; i <= UINT16_MAX; i++) {
		be16_store(two, (uint16_t)i);
		len = build(p, two, 2);
		assert_int_not_equal(be16_load(p + 6), 0);
		seen = seen || be16_load(p + 6) == 0xffff;
		assert_int_equal(parse_exactly(p, len, &udp), DROP_NONE);
	}
	assert_true(seen);
}

static void
test_udp_checksum_left_to_hardware_is_named(void **state)
{
	uint8_t p[64];
	struct udp_datagram udp;
	uint32_t len = build(p, "abcd", 4);

	(void)state;
	be16_store(p + 6, wire_checksum_fold(pseudo(len)));
	assert_int_equal(parse_exactly(p, len, &udp), DROP_UDP_CHECKSUM_PARTIAL);
	be16_store(p + 6, (uint16_t)(wire_checksum_fold(pseudo(len)) + 1));
	assert_int_equal(parse_exactly(p, len, &udp), DROP_UDP_CHECKSUM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_what_was_built_is_parsed_and_padding_is_not_data),
		cmocka_unit_test(test_udp_length_that_lies_is_dropped),
		cmocka_unit_test(test_udp_any_bit_flipped_is_dropped),
		cmocka_unit_test(test_udp_checksum_0_is_none_and_is_never_sent),
		cmocka_unit_test(test_udp_checksum_left_to_hardware_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
