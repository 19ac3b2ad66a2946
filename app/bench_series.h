/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include "load.h"

/*
 * The time series of a load that several workers share: theirs, interval by interval. Counts add up, and
 * percentiles are those of all latencies of the interval together, not means of percentiles. With one
 * worker it is that one's.
 *
 * The loads must have been started at the same moment, with the same interval, and with
 * BENCH_SERIES_HISTOGRAMS. One thread merges while the workers run. If it is so far behind that a load
 * has let an interval's latencies go, its percentiles are the greatest of the workers', which are upper
 * bounds of the true ones.
 */
struct bench_series;

#define BENCH_SERIES_HISTOGRAMS 64U /* load_config.interval_histograms: how far it may be behind */

/** Of loads that outlive it. NULL: no memory. */
struct bench_series *bench_series_create(
	struct load *const *load, uint32_t loads, uint32_t intervals_max);
void bench_series_destroy(struct bench_series *s); /* NULL is allowed */

/** The load with this number is over: nobody waits for an interval of it any more. Its worker's. */
void bench_series_over(struct bench_series *s, uint32_t number);

/** Merges what has ended in all loads that are not over. By one thread at a time. */
void bench_series_update(struct bench_series *s);

/** What has been merged, for any thread, as load_intervals. */
const struct load_interval *bench_series_get(const struct bench_series *s, uint32_t *ret_count);

#endif
