/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base_bootstrap.h"
#include "base_bytes.h"
#include "base_check.h"

/* SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014). */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static double
median_in_place(double *values, uint32_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

double
bootstrap_median_of(const double *values, uint32_t n)
{
	double copy[BOOTSTRAP_SAMPLES_MAX];

	CHECK(n > 0 && n <= BOOTSTRAP_SAMPLES_MAX);
	memcpy(copy, values, n * sizeof(*values));
	return median_in_place(copy, n);
}

static double
ratio_of(double a, double b)
{
	if (b != 0.0)
		return a / b;
	return a == 0.0 ? 1.0 : INFINITY;
}

/* The statistic of one resample: a's median, or its ratio to b's. */
static double
resample(const double *a, const double *b, uint32_t n, uint64_t *state)
{
	double from_a[BOOTSTRAP_SAMPLES_MAX], from_b[BOOTSTRAP_SAMPLES_MAX];
	uint32_t i, at;

	for (i = 0; i < n; i++) {
		at = (uint32_t)(random_next(state) % n);
		from_a[i] = a[at];
		from_b[i] = b != NULL ? b[at] : 0.0;
	}
	if (b == NULL)
		return median_in_place(from_a, n);
	return ratio_of(median_in_place(from_a, n), median_in_place(from_b, n));
}

static struct bootstrap_estimate
estimate(const double *a, const double *b, uint32_t n, double confidence, uint64_t seed)
{
	double *statistic = calloc(BOOTSTRAP_RESAMPLES, sizeof(*statistic)), tail;
	struct bootstrap_estimate e;
	uint32_t i, cut;

	CHECK(n > 0 && n <= BOOTSTRAP_SAMPLES_MAX);
	e.value = bootstrap_median_of(a, n);
	if (b != NULL)
		e.value = ratio_of(e.value, bootstrap_median_of(b, n));
	e.low = e.high = e.value;
	if (statistic == NULL) /* the estimate stands without its interval */
		return e;
	for (i = 0; i < BOOTSTRAP_RESAMPLES; i++)
		statistic[i] = resample(a, b, n, &seed);
	qsort(statistic, BOOTSTRAP_RESAMPLES, sizeof(*statistic), compare_doubles);
	tail = (1.0 - confidence) / 2.0 * BOOTSTRAP_RESAMPLES;
	cut = MIN_OF((uint32_t)MAX_OF(tail, 0.0), BOOTSTRAP_RESAMPLES / 2U);
	e.low = statistic[cut];
	e.high = statistic[BOOTSTRAP_RESAMPLES - 1U - cut];
	free(statistic);
	return e;
}

struct bootstrap_estimate
bootstrap_median(const double *values, uint32_t n, double confidence, uint64_t seed)
{
	return estimate(values, NULL, n, confidence, seed);
}

struct bootstrap_estimate
bootstrap_ratio(const double *a, const double *b, uint32_t n, double confidence, uint64_t seed)
{
	return estimate(a, b, n, confidence, seed);
}
