/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_bootstrap.h"

static void
test_bootstrap_median_of_odd_even_and_one(void **state)
{
	const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, one[] = {7};

	(void)state;
	assert_true(bootstrap_median_of(odd, 3) == 3.0);
	assert_true(bootstrap_median_of(even, 4) == 2.5);
	assert_true(bootstrap_median_of(one, 1) == 7.0);
	assert_true(odd[0] == 5.0); /* untouched */
}

static void
test_bootstrap_constant_sample_has_no_width(void **state)
{
	const double same[] = {2, 2, 2, 2, 2};
	struct bootstrap_estimate e = bootstrap_median(same, 5, 0.95, 1);

	(void)state;
	assert_true(e.value == 2.0 && e.low == 2.0 && e.high == 2.0);
}

static void
test_bootstrap_interval_holds_the_median_and_is_repeatable(void **state)
{
	const double v[] = {10, 12, 9, 11, 30, 10.5, 9.5, 11.5, 10.2, 10.8};
	struct bootstrap_estimate a = bootstrap_median(v, 10, 0.95, 42),
				  b = bootstrap_median(v, 10, 0.95, 42);

	(void)state;
	assert_true(a.low <= a.value && a.value <= a.high);
	assert_true(a.low >= 9.0 && a.high < 20.0); /* one outlier does not carry it away */
	assert_true(a.low == b.low && a.high == b.high);
	assert_true(bootstrap_median(v, 10, 0.5, 42).high <= a.high);
}

/* Both sides drift by a factor of three; their ratio does not, because pairs are drawn. */
static void
test_bootstrap_ratio_of_pairs_does_not_drift(void **state)
{
	double a[9], b[9];
	struct bootstrap_estimate e;
	int i;

	(void)state;
	for (i = 0; i < 9; i++) {
		b[i] = 1.0 + 0.25 * i;
		a[i] = 2.0 * b[i];
	}
	e = bootstrap_ratio(a, b, 9, 0.95, 7);
	assert_true(e.value == 2.0 && e.low == 2.0 && e.high == 2.0);
}

static void
test_bootstrap_ratio_to_nothing_is_infinite_or_of_equals(void **state)
{
	const double some[] = {1, 2}, none[] = {0, 0}, seldom[] = {0, 0, 1, 1, 1};
	const double more[] = {3, 3, 3, 3, 3};
	struct bootstrap_estimate e = bootstrap_ratio(some, none, 2, 0.95, 7);

	(void)state;
	assert_true(isinf(e.value) && isinf(e.low) && isinf(e.high));
	e = bootstrap_ratio(none, none, 2, 0.95, 7);
	assert_true(e.value == 1.0 && e.low == 1.0 && e.high == 1.0);
	e = bootstrap_ratio(more, seldom, 5, 0.95, 7); /* some resamples of b are mostly 0 */
	assert_true(e.value == 3.0 && e.low == 3.0 && isinf(e.high));
}

/* Of 300 samples of 15 from one distribution, about 95 % of the intervals hold its true median. */
static void
test_bootstrap_95_percent_intervals_hold_the_truth_about_as_often(void **state)
{
	uint64_t x = 12345;
	uint32_t run, i, held = 0;
	double v[15];

	(void)state;
	for (run = 0; run < 300; run++) {
		for (i = 0; i < 15; i++) { /* uniform over 0..1: the median is 0.5 */
			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			v[i] = (double)(x >> 11) / 9007199254740992.0;
		}
		struct bootstrap_estimate e = bootstrap_median(v, 15, 0.95, run);
		held += e.low <= 0.5 && 0.5 <= e.high;
	}
	assert_in_range(held, 270, 297);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootstrap_median_of_odd_even_and_one),
		cmocka_unit_test(test_bootstrap_constant_sample_has_no_width),
		cmocka_unit_test(test_bootstrap_interval_holds_the_median_and_is_repeatable),
		cmocka_unit_test(test_bootstrap_ratio_of_pairs_does_not_drift),
		cmocka_unit_test(test_bootstrap_ratio_to_nothing_is_infinite_or_of_equals),
		cmocka_unit_test(test_bootstrap_95_percent_intervals_hold_the_truth_about_as_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
