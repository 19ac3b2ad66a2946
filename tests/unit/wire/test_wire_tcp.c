/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_tcp.h"

#define ALL_OPTIONS \
	(TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS | TCP_OPT_SACK)

/* Parses a header of these option bytes, a multiple of 4. *ret is 0xa5 all over before. */
static enum drop_reason
parse(const uint8_t *options, uint32_t len, struct tcp_segment *ret)
{
	uint8_t data[TCP_HEADER_LEN_MAX] = {0};

	data[12] = (uint8_t)((TCP_HEADER_LEN + len) / 4 << 4);
	memcpy(data + TCP_HEADER_LEN, options, len);
	memset(ret, 0xa5, sizeof(*ret));
	return wire_tcp_parse(data, TCP_HEADER_LEN + len, ret);
}

static void
test_tcp_illegal_option_length_drops_and_leaves_the_output(void **state)
{
	const uint8_t bad[][8] = {{2, 4, 5, 180, 8, 0, 0, 0}, {2, 4, 5, 180, 8, 1, 0, 0},
		{2, 4, 5, 180, 8, 5, 0, 0}, {2, 4, 5, 180, 1, 1, 1, 8}};
	struct tcp_segment s, untouched;
	size_t i;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], sizeof(bad[i]), &s), DROP_TCP_HEADER);
		assert_memory_equal(&s, &untouched, sizeof(s));
	}
}

static void
test_tcp_known_option_of_another_length_is_ignored(void **state)
{
	const uint8_t odd[][8] = {{3, 4, 7, 0, 2, 4, 5, 180}, {4, 4, 0, 0, 2, 4, 5, 180},
		{5, 2, 1, 1, 2, 4, 5, 180}, {8, 4, 0, 0, 2, 4, 5, 180}};
	struct tcp_segment s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(parse(odd[i], sizeof(odd[i]), &s), DROP_NONE);
		assert_int_equal(s.options, TCP_OPT_MSS);
		assert_int_equal(s.mss, 1460);
		assert_int_equal(s.sack_count, 0);
	}
}

static void
test_tcp_every_option_set_is_built_within_60_bytes_and_parses(void **state)
{
	uint8_t data[TCP_HEADER_LEN_MAX];
	struct tcp_segment s = {.mss = 1460, .wscale = 7, .ts_val = 1, .ts_ecr = 2}, again;
	uint32_t options, count, len;

	(void)state;
	for (options = 0; options <= ALL_OPTIONS; options++) {
		for (count = 0; count <= TCP_SACK_BLOCKS_MAX; count++) {
			s.options = (uint8_t)options;
			s.sack_count = (uint8_t)count;
			len = wire_tcp_header_len(&s);
			assert_true(len <= TCP_HEADER_LEN_MAX && len % 4 == 0);
			assert_int_equal(wire_tcp_build(data, &s), len);
			assert_int_equal(wire_tcp_parse(data, len, &again), DROP_NONE);
			assert_int_equal(again.options | TCP_OPT_SACK, options | TCP_OPT_SACK);
			assert_int_equal(again.payload.len, 0);
		}
	}
}

static void
test_tcp_sack_blocks_without_room_are_left_out(void **state)
{
	/* The others take 20 bytes and leave room for two blocks: the newest, RFC 2018 §4. */
	struct tcp_segment s = {.options = ALL_OPTIONS,
		.sack_count = 4,
		.sack = {{10, 20}, {30, 40}, {50, 60}, {70, 80}}};
	uint8_t data[TCP_HEADER_LEN_MAX];
	struct tcp_segment again;

	(void)state;
	assert_int_equal(wire_tcp_build(data, &s), TCP_HEADER_LEN_MAX);
	assert_int_equal(wire_tcp_parse(data, sizeof(data), &again), DROP_NONE);
	assert_int_equal(again.sack_count, 2);
	assert_memory_equal(again.sack, s.sack, 2 * sizeof(s.sack[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_illegal_option_length_drops_and_leaves_the_output),
		cmocka_unit_test(test_tcp_known_option_of_another_length_is_ignored),
		cmocka_unit_test(test_tcp_every_option_set_is_built_within_60_bytes_and_parses),
		cmocka_unit_test(test_tcp_sack_blocks_without_room_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
