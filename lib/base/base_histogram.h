/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A log-linear histogram (the HdrHistogram idea): 64 linear buckets in each power of two, so
 * that a reported value is at most 1/64 (1.6 %) above the recorded one. Values are any uint64_t;
 * dpfetch records nanoseconds. Fixed size, no allocation.
 */
#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* meaningful when count > 0 */
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/** Empties h. Must be called before first use. */
void histogram_reset(struct histogram *h);

/** Records one value. */
void histogram_record(struct histogram *h, uint64_t value);

/**
 * The value at or below which `percent` (0..100) of the recorded values lie, reported as its
 * bucket's upper edge and never above the true maximum. 0 when nothing was recorded.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/** The mean of what was recorded, exact; 0 when nothing was. */
double histogram_mean(const struct histogram *h);

/** The standard deviation (of the whole population), from the buckets' middles: each value is taken
 *  for one that is at most 0.8 % away. 0 when nothing was recorded. */
double histogram_stddev(const struct histogram *h);

/**
 * Walks the non-empty buckets upwards. *cursor: 0 for the first call, changed by each. true: *ret_value
 * is a bucket's upper edge (never above the true maximum) and *ret_count how many values it holds;
 * false: there is none left.
 */
bool histogram_next(
	const struct histogram *h, uint32_t *cursor, uint64_t *ret_value, uint64_t *ret_count);

/** Adds all that `from` recorded to `to`. */
void histogram_merge(struct histogram *to, const struct histogram *from);

#endif
