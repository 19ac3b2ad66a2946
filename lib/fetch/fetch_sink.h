/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_SINK_H
#define FETCH_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base_payload.h"

/*
 * Where a download's bytes go: what fetch asks of it. lib/sink implements it over io_uring;
 * fetch_sink_null and the tests implement it in memory. All calls come from the poll core and
 * never block.
 */

/**
 * One write. Writes of one file arrive in ascending, contiguous offsets from 0.
 * owner, credit_bytes and credit_parts come back in a completion once data is no longer needed;
 * owner NULL with credits 0 where a later write of the same buffer carries them (one received
 * buffer may hold several body spans).
 */
struct sink_write {
	uint64_t offset; /* in the file, bytes */
	const uint8_t *data; /* len bytes; NULL with len 0 */
	uint32_t len;
	uint32_t credit_bytes; /* for tcp_conn_consumed */
	uint32_t credit_parts;
	void *owner;
};

/** What came back: the sink needs owner no more. */
struct sink_completion {
	uint32_t credit_bytes;
	uint32_t credit_parts;
	void *owner; /* may be NULL */
};

struct fetch_sink_ops {
	/** How many writes would be taken now. 0: try again in a later iteration. */
	uint32_t (*write_room)(void *file);
	/** Hands over one write; only when write_room is not 0. */
	void (*write)(void *file, const struct sink_write *write);
	/** Takes up to n completions, one for each write; returns how many. Call it in every
	 *  iteration: it also pushes on what was written. */
	uint32_t (*completions)(void *file, struct sink_completion *ret, uint32_t n);
	/** The body's length has become known (bytes): preallocate. At most once, before writes. */
	void (*expect)(void *file, uint64_t length);
	/** No more writes: flush, digest, close (asynchronously). complete: the body is whole
	 *  (false also for a 304, which leaves what the client has as it is).
	 *  Needed after an error too. Again with complete false: give up waiting for a reader
	 *  of a pipe that takes nothing. */
	void (*finish)(void *file, bool complete);
	/** Before finish: 0, or -errno as soon as it has failed (sticky; writes from then on
	 *  complete without effect). After finish: 0 until it has been carried out and the last
	 *  completion has been taken, then 1 or -errno. */
	int (*status)(void *file);
};

/** Counts and completes at once: for throughput without a disk, and for tests. ctx: a
 *  struct fetch_sink_null that the caller zeroes. */
struct fetch_sink_null {
	uint64_t bytes;
	uint32_t head, tail; /* completions ring */
	struct sink_completion ring[256];
	bool finished;
};
extern const struct fetch_sink_ops fetch_sink_null_ops;

#endif
