/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_TELEMETRY_H
#define BENCH_TELEMETRY_H

#include "base_counters.h"
#include "bench_series.h"
#include "port.h"
#include "worker.h"

/*
 * The load's figures at DPDK's telemetry socket, as /dpfetch/bench, /dpfetch/counters, /dpfetch/core and
 * /dpfetch/info. DPDK's threads ask for them; the poll core only publishes a copy of its counters now
 * and then, and never waits for them.
 */
struct bench_telemetry;

struct bench_telemetry_config {
	const struct bench_series *series; /* of all workers */
	uint32_t workers;
	uint64_t start_ns; /* of the load */
	const char *url; /* the first one, without user information; copied, as the others */
	uint32_t urls;
	int core; /* the first worker's */
	struct port_info port;
};

/** Registers the commands. series outlives t. Once a process, after port_eal_start. 0 and *ret, or
 *  -errno. */
int bench_telemetry_open(const struct bench_telemetry_config *cfg, struct bench_telemetry **ret);

/** Shows these of the worker with this number, 0.., from now on. That worker's, at most every millisecond or so: it copies about a
 *  kilobyte. t NULL is allowed: nothing. */
void bench_telemetry_publish(struct bench_telemetry *t, uint32_t worker,
	const struct counters *counters, const struct worker_usage *usage);

/** Ends that, and frees t. Before the load's end of life. NULL is allowed. */
void bench_telemetry_close(struct bench_telemetry *t);

#endif
