/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include "load.h"

/*
 * The time series of a load that several workers share: theirs, interval by interval. Counts add up, and
 * percentiles are those of all latencies of the interval together, not means of percentiles. With one
 * worker it is that one's.
 *
 * The loads must have been started at the same moment, with the same interval, and several with
 * BENCH_SERIES_HISTOGRAMS. One thread merges while the workers run. If it is so far behind that a load
 * has let an interval's latencies go, its percentiles are the greatest of the workers', which are upper
 * bounds of the true ones; if a load has let the interval go, its part of it is lost.
 *
 * Intervals go on for as long as the load does. What is kept of them all is bounded: when the room is full
 * each pair of neighbours becomes one interval, and so on from then on, so that a longer series is a coarser
 * one. The percentiles of what is joined are the greatest of theirs, again upper bounds.
 */
struct bench_series;

#define BENCH_SERIES_HISTOGRAMS 64U /* load_config.interval_histograms: how far it may be behind */

/** What has been merged so far. */
struct bench_series_live {
	struct load_counts total; /* from the start of the load, ramp included */
	struct load_interval last;
};

/** Of loads that outlive it; kept_max intervals at most are kept, 0: none. NULL: no memory. */
struct bench_series *bench_series_create(
	struct load *const *load, uint32_t loads, uint32_t kept_max);
void bench_series_destroy(struct bench_series *s); /* NULL is allowed */

/** The load with this number is over: nobody waits for an interval of it any more. Its worker's. */
void bench_series_over(struct bench_series *s, uint32_t number);

/** Merges the next interval that has ended in all loads that are not over. By one thread at a time. false:
 *  there is none yet. */
bool bench_series_next(struct bench_series *s, struct load_interval *ret);

/** Any thread. false: nothing has been merged, and *ret is untouched. */
bool bench_series_live(const struct bench_series *s, struct bench_series_live *ret);

/** All that has been merged, *ret_count of them, each of *ret_joined intervals of the loads (a power of two;
 *  the last one of fewer, maybe). By the thread that merges; until the next bench_series_next. */
const struct load_interval *bench_series_kept(
	const struct bench_series *s, uint32_t *ret_count, uint32_t *ret_joined);

/** Is something missing in what was merged, because that was so late? By the thread that merges. */
bool bench_series_has_lost(const struct bench_series *s);

#endif
