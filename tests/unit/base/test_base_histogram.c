/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base_histogram.h"

static void
test_histogram_empty_percentile_is_zero(void **state)
{
	struct histogram h;

	(void)state;
	histogram_reset(&h);
	assert_int_equal(histogram_percentile(&h, 99.0), 0);
}

static void
test_histogram_any_value_is_reported_within_one_sixty_fourth(void **state)
{
	struct histogram h;
	uint64_t value, got;

	(void)state;
	for (value = 1; value < UINT64_MAX / 3; value = value * 3 - value / 2) {
		histogram_reset(&h);
		histogram_record(&h, value);
		histogram_record(&h, UINT64_MAX); /* so that max does not clamp the answer */
		got = histogram_percentile(&h, 50.0);
		assert_true(got >= value);
		assert_true(got - value <= value / 64);
	}
}

static void
test_histogram_percentiles_of_a_ramp_are_ordered_and_near(void **state)
{
	struct histogram h;
	uint64_t i, p50, p99;

	(void)state;
	histogram_reset(&h);
	for (i = 1; i <= 10000; i++)
		histogram_record(&h, i);
	p50 = histogram_percentile(&h, 50.0);
	p99 = histogram_percentile(&h, 99.0);
	assert_in_range(p50, 5000, 5000 + 5000 / 64 + 1);
	assert_in_range(p99, 9900, 10000);
	assert_int_equal(histogram_percentile(&h, 100.0), 10000);
	assert_int_equal(h.min, 1);
	assert_int_equal(h.sum, UINT64_C(10000) * 10001 / 2);
}

static void
test_histogram_merge_equals_recording_in_one(void **state)
{
	struct histogram *h = calloc(3, sizeof(*h));
	uint64_t i;
	double p;

	(void)state;
	assert_non_null(h);
	for (i = 0; i < 3; i++)
		histogram_reset(&h[i]);
	for (i = 0; i < 1000; i++) {
		histogram_record(&h[i % 2], i * i);
		histogram_record(&h[2], i * i);
	}
	histogram_merge(&h[0], &h[1]);
	for (p = 0.0; p <= 100.0; p += 12.5)
		assert_int_equal(histogram_percentile(&h[0], p), histogram_percentile(&h[2], p));
	assert_int_equal(h[0].count, h[2].count);
	assert_int_equal(h[0].max, h[2].max);
	free(h);
}

static void
test_histogram_mean_and_deviation_of_two_values(void **state)
{
	struct histogram h;
	int i;

	(void)state;
	histogram_reset(&h);
	assert_true(histogram_mean(&h) == 0.0 && histogram_stddev(&h) == 0.0);
	for (i = 0; i < 100; i++)
		histogram_record(&h, i % 2 == 0 ? 1000000 : 3000000);
	assert_true(histogram_mean(&h) == 2e6);
	assert_true(histogram_stddev(&h) > 0.984e6 && histogram_stddev(&h) < 1.016e6);
}

static void
test_histogram_next_walks_all_that_was_recorded(void **state)
{
	struct histogram h;
	uint64_t value, count, last = 0, total = 0;
	uint32_t cursor = 0, i;

	(void)state;
	histogram_reset(&h);
	assert_false(histogram_next(&h, &cursor, &value, &count));
	for (i = 0; i < 5000; i++)
		histogram_record(&h, (uint64_t)i * i * i);
	for (cursor = 0; histogram_next(&h, &cursor, &value, &count); total += count) {
		assert_true(count > 0 && (value > last || last == 0));
		last = value;
	}
	assert_int_equal(total, 5000);
	assert_int_equal(last, h.max);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram_empty_percentile_is_zero),
		cmocka_unit_test(test_histogram_any_value_is_reported_within_one_sixty_fourth),
		cmocka_unit_test(test_histogram_percentiles_of_a_ramp_are_ordered_and_near),
		cmocka_unit_test(test_histogram_merge_equals_recording_in_one),
		cmocka_unit_test(test_histogram_mean_and_deviation_of_two_values),
		cmocka_unit_test(test_histogram_next_walks_all_that_was_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
