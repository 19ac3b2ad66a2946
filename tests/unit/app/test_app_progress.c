/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_time.h"
#include "progress.h"

static void
test_bytes_are_five_characters_as_curl_writes_them(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "    0"},
		{99999, "99999"},
		{100000, "  97k"},
		{10238976, "9999k"},
		{10240000, " 9.7M"},
		{UINT64_C(1) << 30, "1024M"},
		{UINT64_C(5) << 40, "5120G"},
		{UINT64_MAX, "  15E"},
	};
	char buf[PROGRESS_BYTES_TEXT_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		progress_bytes_format(cases[i].bytes, buf);
		assert_int_equal(strlen(buf), 5);
		if (cases[i].bytes != UINT64_MAX)
			assert_string_equal(buf, cases[i].text);
	}
}

static void
test_line_shows_percent_times_and_the_current_speed(void **state)
{
	struct progress_meter meter = {0};
	struct progress p = {.bytes = 256U << 20, .total = 1U << 30, .elapsed_ns = 2 * NS_PER_SEC};
	char line[160];

	(void)state;
	progress_line(&meter, &p, line, sizeof(line));
	assert_string_equal(line,
		"\r 25 1024M   25  256M    0     0   128M      0  0:00:08  0:00:02 "
		" 0:00:06  128M");
	p.bytes += 512U << 20;
	p.elapsed_ns += NS_PER_SEC;
	progress_line(&meter, &p, line, sizeof(line));
	assert_non_null(strstr(line, " 75 "));
	assert_non_null(strstr(line, " 512M")); /* of the last second */
}

static void
test_line_of_unknown_length_claims_no_percent(void **state)
{
	struct progress_meter meter = {0};
	struct progress p = {.bytes = 5000, .total = UINT64_MAX, .elapsed_ns = NS_PER_SEC};
	char line[160];

	(void)state;
	progress_line(&meter, &p, line, sizeof(line));
	assert_non_null(strstr(line, "\r  0  5000"));
	assert_non_null(strstr(line, "--:--:--"));
}

static void
test_line_of_another_try_does_not_count_from_the_last_one(void **state)
{
	struct progress_meter meter = {0};
	struct progress p = {.bytes = 9000, .total = 10000, .elapsed_ns = 3 * NS_PER_SEC};
	char line[160];

	(void)state;
	progress_line(&meter, &p, line, sizeof(line));
	p = (struct progress){.bytes = 1000, .total = 10000, .elapsed_ns = NS_PER_SEC};
	progress_line(&meter, &p, line, sizeof(line));
	assert_string_equal(line + strlen(line) - 6, "  1000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_of_another_try_does_not_count_from_the_last_one),
		cmocka_unit_test(test_bytes_are_five_characters_as_curl_writes_them),
		cmocka_unit_test(test_line_shows_percent_times_and_the_current_speed),
		cmocka_unit_test(test_line_of_unknown_length_claims_no_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
