/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H
#define BENCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bench_limit.h"
#include "get.h"
#include "load.h"
#include "machine.h"

/* The inside of the bench command: its state, and its steps (bench_prepare.c, cmd_bench.c). */

struct bench_report;
struct bench_report_worker;
struct bench_series;
struct bench_stream;
struct bench_telemetry;

struct bench_url {
	char *text; /* as the user wrote it */
	uint32_t weight;
	char *request; /* the head, request_len bytes */
	uint32_t request_len;
};

/* One worker's share of the load; what its core had done when that was over, and its host had counted when all were. */
struct bench_worker {
	struct bench *bench;
	struct host *host;
	struct load *load;
	bool over;
	bool unreachable; /* counted in bench.unreachable */
	uint64_t check_ns;
	uint32_t stops; /* of bench.stops: those that this load has heard of */
	struct counters counters;
	uint64_t start_cpu_ns; /* of its thread, at the start of the load */
	struct worker_usage usage;
	struct histogram ack_delay; /* ns */
	struct histogram iteration; /* cycles */
} __attribute__((aligned(64)));

struct bench {
	const struct settings *settings;
	struct get get; /* names, ways and the host; target[i] belongs to url[i] */
	struct bench_url *url;
	uint32_t urls;
	struct bench_limit *limit; /* settings->fail_if, parsed */
	struct request_headers headers;
	struct load_config load_config; /* the first worker's, as it was created */
	struct bench_worker *worker; /* one a queue; only their own threads write to them */
	uint32_t workers;
	struct bench_series *series; /* of all loads */
	uint64_t load_start_ns;
	atomic_uint
		unreachable; /* workers of which no connection was ever made: when it is all, it ends */
	atomic_uint stops; /* how often all loads have been told to stop (load_stop) */
	atomic_uint loads_over;
	struct bench_report_worker *figures; /* of each, for the report */
	struct load_stats *stats; /* of all together */
	struct bench_telemetry *telemetry; /* NULL: off */
	struct machine_sample machine; /* over the load */
	int exit_code; /* what ended the load early, 0: nothing */
	char trouble[160]; /* the same in words */
};

/** Parses URLs, the file of URLs and the limits, writes the requests, decides what the host makes
 *  room for, without touching the port. 0, or an exit code after having said why; bench_cleanup in any
 *  case. */
int bench_prepare(struct bench *b);

void bench_cleanup(struct bench *b);

/* -- bench_run.c: the load on all workers. -- */

/** The measured time that was asked for, in ns. */
uint64_t bench_run_duration(const struct settings *s);

/** Makes each worker's load and, of several, tries whether each gets its own answers. After the ways are
 *  known. 0, or an exit code after having said why; bench_run_destroy in any case. */
int bench_run_create(struct bench *b);

/** Runs it to the end, and fills in what of r is known only then. stream's thread is ended. 0, or an exit
 *  code after having said why. */
int bench_run(struct bench *b, struct bench_stream *stream, struct bench_report *r);

/** Could no worker's load reach the server (load_unreachable)? Did silence end one? */
bool bench_run_unreachable(const struct bench *b, int *ret_error);
bool bench_run_silent(const struct bench *b);

void bench_run_destroy(struct bench *b);

#endif
