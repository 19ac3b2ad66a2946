/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SINK_H
#define SIM_SINK_H

#include "fetch_sink.h"
#include "sim_random.h"

#define SIM_SINK_RING 64U

/** A slow disk that remembers nothing: each byte is compared when its write completes, so that a
 *  buffer given back too early shows. */
struct sim_sink {
	struct sim_random *random;
	uint64_t *now_ns;
	uint64_t body_seed, written, delay_max_ns;
	uint32_t room_per_mille; /* how often it takes anything */
	uint64_t fail_at; /* bytes after which it fails, UINT64_MAX never */
	struct sink_write ring[SIM_SINK_RING];
	uint64_t ready_ns[SIM_SINK_RING];
	uint32_t head, tail;
	uint64_t asked_ns;
	bool shut, finished, complete, mismatch;
	uint64_t expected;
};

extern const struct fetch_sink_ops sim_sink_ops;
uint64_t sim_sink_deadline(const struct sim_sink *s);

#endif
