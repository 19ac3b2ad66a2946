/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>

#include "bench_limit.h"
#include "get.h"
#include "load.h"
#include "machine.h"

/* The inside of the bench command: its state, and its steps (bench_prepare.c, cmd_bench.c). */

struct bench_stream;
struct bench_telemetry;

struct bench_url {
	char *text; /* as the user wrote it */
	uint32_t weight;
	char *request; /* the head, request_len bytes */
	uint32_t request_len;
};

struct bench {
	const struct settings *settings;
	struct get get; /* names, ways and the host; target[i] belongs to url[i] */
	struct bench_url *url;
	uint32_t urls;
	struct bench_limit *limit; /* settings->fail_if, parsed */
	struct request_headers headers;
	struct load_config load_config; /* as it was created */
	struct load *load;
	uint64_t load_start_ns, check_ns;
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

#endif
