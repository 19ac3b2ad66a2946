/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base_histogram.h"
#include "capture.h"
#include "netstack.h"
#include "port.h"

/** What the poll core did with its cycles. An iteration that received or sent is busy. */
struct worker_usage {
	uint64_t iterations, iterations_busy;
	uint64_t cycles, cycles_busy;
	uint64_t iteration_cycles_max; /* the longest iteration */
	uint64_t cpu_ns; /* CPU time of its thread; the user's to fill in (host_thread_cpu_ns) */
};

/** The application's part of an iteration: reads connections, starts and ends transfers.
 *  now_ns: when the burst was taken. true: worker_run returns after this iteration. */
typedef bool (*worker_poll_fn)(void *ctx, uint64_t now_ns);

/** Frames sent at most in one iteration of the poll loop; twice what it takes in, so that it comes
 *  after every acknowledgement. */
#define WORKER_TX_FRAMES_MAX 64U

/** One poll core's work: a queue pair and the netstack on it. */
struct worker {
	struct port_queue *queue;
	struct netstack *netstack;
	uint32_t rx_burst; /* frames taken at once: worker_rx_burst */
	struct worker_usage usage;
	const struct counters *counters; /* the netstack's; with a tap */
	struct capture_tap *tap; /* NULL: nobody captures what passes */
	struct histogram iteration; /* cycles of the busy iterations; the user resets it */
};

/** Frames of mtu bytes to take at once: 32, but of jumbo frames fewer. A burst's ACK waits for the
 *  whole burst, whose bytes are what takes time where the NIC does not verify checksums. */
uint32_t worker_rx_burst(uint32_t mtu);

/** Adds what another core did; of the longest iterations the longer one counts. */
void worker_usage_add(struct worker_usage *to, const struct worker_usage *from);

/** The poll loop: receives, runs netstack and poll, sends; until poll says stop. */
void worker_run(struct worker *w, worker_poll_fn poll, void *ctx);

#endif
