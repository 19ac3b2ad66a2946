/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench_series.h"

/*
 * The thread that writes the time series while the load runs, so that the poll core does not: each
 * interval as it ends, flushed at once. It also serves --metrics.
 */
struct bench_stream;

struct bench_stream_config {
	const char
		*path; /* --stats-stream: JSON, an object a line; "-" standard output; NULL: none */
	FILE *text; /* lines for people; NULL: none */
	struct bench_metrics *metrics; /* served meanwhile; NULL: none; stays the caller's */
	const cpu_set_t *others; /* the CPUs that do not poll: the thread runs on these */
};

/** Opens the file and writes first, which is taken over, as {"event":"start", ...}. The thread starts
 *  with bench_stream_run. 0 and *ret, or -errno. */
int bench_stream_open(
	const struct bench_stream_config *cfg, json_t *first, struct bench_stream **ret);

/** Starts the thread, which merges the series and writes its intervals; their times count from start_ns.
 *  series outlives s. 0 or -errno. */
int bench_stream_run(struct bench_stream *s, struct bench_series *series, uint64_t start_ns);

/** Ends the thread, and writes what is left, after the load is over: then all of the series is merged.
 *  Part of bench_stream_close. */
void bench_stream_stop(struct bench_stream *s);

/** Ends the thread if need be, and writes last (taken over) as {"event":"end", ...}; frees s.
 *  NULL is allowed, for s and for last. 0, or -errno of what could not be written. */
int bench_stream_close(struct bench_stream *s, json_t *last);

#endif
