/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_BOOTSTRAP_H
#define BASE_BOOTSTRAP_H

#include <stdint.h>

/*
 * Medians of small samples, and how far they can be trusted: the percentile bootstrap (B. Efron and
 * R. J. Tibshirani, An Introduction to the Bootstrap, 1993, §13.3). Samples are drawn with
 * replacement from a seeded generator, so that the same figures give the same interval.
 */

#define BOOTSTRAP_SAMPLES_MAX 1000U
#define BOOTSTRAP_RESAMPLES 10000U

/** An estimate and its confidence interval. */
struct bootstrap_estimate {
	double value, low, high;
};

/** The median of n (1..) values; the mean of the middle two of an even number. The values are not
 *  changed. n: at most BOOTSTRAP_SAMPLES_MAX, here and below. */
double bootstrap_median_of(const double *values, uint32_t n);

/** The median and its interval at this confidence (0..1, for example 0.95). */
struct bootstrap_estimate bootstrap_median(
	const double *values, uint32_t n, double confidence, uint64_t seed);

/**
 * The ratio of the medians of a and b, n pairs that were measured one after the other: pairs are
 * drawn, not values, so that what drifts with time drifts in both. No value may be negative. Where b's
 * median is 0, in a resample or in all, the ratio is INFINITY; where a's is 0, too, they are equal: 1.
 */
struct bootstrap_estimate bootstrap_ratio(
	const double *a, const double *b, uint32_t n, double confidence, uint64_t seed);

#endif
