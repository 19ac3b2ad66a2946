/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_counters.h"
#include "capture_pcapng.h"

static uint8_t buf[2048 + CAPTURE_PCAPNG_MORE_MAX];

static uint32_t
word(uint32_t at)
{
	uint32_t value;

	memcpy(&value, buf + at, sizeof(value));
	return value;
}

static uint16_t
half(uint32_t at)
{
	uint16_t value;

	memcpy(&value, buf + at, sizeof(value));
	return value;
}

/* Each block begins with its type and ends with its length, which is in front, too. */
static void
check_block(uint32_t len, uint32_t type)
{
	assert_int_equal(len % 4, 0);
	assert_int_equal(word(0), type);
	assert_int_equal(word(4), len);
	assert_int_equal(word(len - 4), len);
	assert_true(len <= sizeof(buf));
}

/* Where the option's value is, its length in *ret; 0: there is none. Walks to the end of all options. */
static uint32_t
find_option(uint32_t at, uint32_t len, uint16_t code, uint16_t *ret)
{
	uint32_t found = 0;

	for (; half(at) != 0; at += 4 + (half(at + 2) + 3U) / 4 * 4) {
		assert_true(at < len - 4);
		if (half(at) != code)
			continue;
		*ret = half(at + 2);
		found = at + 4;
	}
	assert_int_equal(at, len - 8);
	return found;
}

static void
test_pcapng_section_says_byte_order_version_and_who(void **state)
{
	uint32_t len = capture_pcapng_section(buf, "dpfetch 1"), at;
	uint16_t size = 0;

	(void)state;
	check_block(len, 0x0a0d0d0a);
	assert_int_equal(word(8), 0x1a2b3c4d);
	assert_int_equal(half(12), 1);
	assert_int_equal(half(14), 0);
	at = find_option(24, len, 4, &size);
	assert_int_equal(size, 9);
	assert_memory_equal(buf + at, "dpfetch 1", 9);
}

static void
test_pcapng_interface_is_ethernet_with_nanoseconds(void **state)
{
	uint32_t len = capture_pcapng_interface(buf, "c0", 96), at;
	uint16_t size = 0;

	(void)state;
	check_block(len, 1);
	assert_int_equal(half(8), 1);
	assert_int_equal(word(12), 96);
	at = find_option(16, len, 2, &size);
	assert_int_equal(size, 2);
	assert_memory_equal(buf + at, "c0", 2);
	at = find_option(16, len, 9, &size);
	assert_int_equal(size, 1);
	assert_int_equal(buf[at], 9);
}

static void
test_pcapng_packet_has_time_lengths_direction_and_queue(void **state)
{
	const struct capture_record c = {.at_ns = UINT64_C(0x123456789abcdef0),
		.captured = 61,
		.original = 1514,
		.queue = 3,
		.sent = 1};
	uint8_t data[61];
	uint32_t len, at;
	uint16_t size = 0;

	(void)state;
	memset(data, 0xa5, sizeof(data));
	len = capture_pcapng_packet(buf, &c, data);
	check_block(len, 6);
	assert_int_equal(word(8), 0);
	assert_int_equal(word(12), 0x12345678);
	assert_int_equal(word(16), 0x9abcdef0);
	assert_int_equal(word(20), 61);
	assert_int_equal(word(24), 1514);
	assert_memory_equal(buf + 28, data, 61);
	assert_int_equal(buf[28 + 61] | buf[28 + 62] | buf[28 + 63], 0);
	at = find_option(92, len, 2, &size);
	assert_int_equal(size, 4);
	assert_int_equal(word(at), 2);
	at = find_option(92, len, 6, &size);
	assert_int_equal(word(at), 3);
	assert_int_equal(find_option(92, len, 1, &size), 0);
}

static void
test_pcapng_dropped_packet_has_the_reason_as_its_comment(void **state)
{
	struct capture_record c = {.captured = 0};
	uint32_t len, at;
	uint16_t size = 0;
	int reason;

	(void)state;
	for (reason = 1; reason < DROP_COUNT; reason++) {
		const char *name = counter_name(counter_of_drop((enum drop_reason)reason));

		c.reason = (uint8_t)reason;
		len = capture_pcapng_packet(buf, &c, NULL);
		check_block(len, 6);
		assert_true(len <= CAPTURE_PCAPNG_MORE_MAX);
		at = find_option(28, len, 1, &size);
		assert_true(at > 0 && size > strlen(name));
		assert_memory_equal(buf + at, name, strlen(name));
		at = find_option(28, len, 2, &size);
		assert_int_equal(word(at), 1);
	}
}

static void
test_pcapng_statistics_count_what_passed_and_what_is_missing(void **state)
{
	uint32_t len = capture_pcapng_statistics(buf, UINT64_C(5) << 32, 1000, 7), at;
	uint64_t value;
	uint16_t size = 0;

	(void)state;
	check_block(len, 5);
	assert_int_equal(word(12), 5);
	assert_int_equal(word(16), 0);
	at = find_option(20, len, 4, &size);
	memcpy(&value, buf + at, sizeof(value));
	assert_int_equal(size, 8);
	assert_int_equal(value, 1000);
	at = find_option(20, len, 5, &size);
	memcpy(&value, buf + at, sizeof(value));
	assert_int_equal(value, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcapng_section_says_byte_order_version_and_who),
		cmocka_unit_test(test_pcapng_interface_is_ethernet_with_nanoseconds),
		cmocka_unit_test(test_pcapng_packet_has_time_lengths_direction_and_queue),
		cmocka_unit_test(test_pcapng_dropped_packet_has_the_reason_as_its_comment),
		cmocka_unit_test(test_pcapng_statistics_count_what_passed_and_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
