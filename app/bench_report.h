/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "base_counters.h"
#include "load.h"
#include "machine.h"
#include "port.h"
#include "self_test.h"
#include "settings.h"
#include "worker.h"

struct bench_url;

/* What one of several workers did. */
struct bench_report_worker {
	int core;
	struct worker_usage usage;
	uint64_t responses; /* of the measured time */
	uint64_t wrong_queue; /* segments that arrived here and were another's, */
	uint64_t handed_over; /* or there and were ours */
	enum self_test_result self_test;
};

/* All that is known of one bench. The text, the JSON and the CSV are made from this alone, so that
 * they cannot disagree. */
struct bench_report {
	const struct settings *settings;
	const char *url; /* the first */
	const struct bench_url *target; /* urls of them, with their weights */
	uint32_t urls;
	uint32_t workers; /* poll cores */
	const struct bench_report_worker *worker; /* so many */
	enum port_steering_kind steering; /* with several */
	uint64_t duration_ns; /* of the measured time, as it was asked for; TIME_NEVER */
	uint64_t start_ns; /* what the time series counts from */
	const struct load_stats *stats;
	const struct load_interval *interval;
	uint32_t intervals;
	uint32_t
		intervals_joined; /* so many of --interval make one of these; 1 unless there were too many */
	bool intervals_lost; /* some are missing: what took them was too slow */
	struct counters
		counters; /* from the load's start to its end, as what follows; our stack's */
	struct worker_usage usage; /* of all workers, as the counters */
	struct histogram ack_delay; /* ns */
	struct histogram iteration; /* cycles of the busy iterations of all poll loops */
	struct port_stats nic;
	const struct machine_sample *machine; /* NULL: not sampled */
	struct port_info port;
	uint64_t wall_ns, cpu_user_ns, cpu_system_ns; /* of this process; all threads */
	int core; /* the first worker's */
	uint64_t cycles_hz;
	uint64_t load_bytes_per_connection, stack_bytes_per_connection;
	int signo; /* it was ended early by this signal; 0: it was not */
};

/** What is about to run, two lines; of r only settings, url, urls, workers and duration_ns are read. */
void bench_report_heading(const struct bench_report *r, FILE *out);

/** The summary: what wrk's and h2load's users look for, lines with newlines. */
void bench_report_text(const struct bench_report *r, FILE *out);

/** One line of the time series. start_ns: what its times count from. */
void bench_report_interval_text(const struct load_interval *i, uint64_t start_ns, FILE *out);

/** The same as a JSON object, the caller's. */
json_t *bench_report_interval_json(const struct load_interval *i, uint64_t start_ns);

/** --stats: the whole report as one JSON document at path ("-": standard output); xstats are port's,
 *  which may be NULL. 0 or -errno. */
int bench_report_json_write(const struct bench_report *r, struct port *port, const char *path);

/** What is run, and the environment, for the first line of a stream (of r only settings, target, urls, workers,
 *  port and duration_ns are read); the totals, for its last. The caller's. */
json_t *bench_report_start_json(const struct bench_report *r);
json_t *bench_report_end_json(const struct bench_report *r);

/** --csv: the time series at path ("-": standard output). 0 or -errno. */
int bench_report_csv_write(const struct bench_report *r, const char *path);

#endif
