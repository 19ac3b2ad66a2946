/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "wire_frame.h"

/*
 * Frames to a pcapng file, both directions, off the poll core: each worker copies what passes into a
 * ring of its own (capture_tap), a thread writes the file. Where the ring is full or the file has its
 * size, frames are left out and counted; the poll core never waits. Beside it, or instead, the last
 * frames can be kept in memory for a file that is written at the end only if something failed.
 */

struct capture;
struct capture_tap;

struct capture_config {
	const char *path; /* NULL: no file while it runs */
	const char *on_error; /* NULL: none is kept for the end */
	const char *application, *interface; /* who captures, and where */
	uint32_t snaplen; /* bytes of a frame at most; 0: all */
	uint64_t file_bytes_max; /* of path; 0: no bound */
	uint32_t keep_packets; /* of each queue, for on_error; 0: what there is room for */
	uint32_t queues; /* taps, 1.. */
	const cpu_set_t
		*cpus; /* the thread's, off the poll core; NULL or empty: as the calling thread's */
	int64_t epoch_ns; /* what is to be added to the workers' time, so that it counts from 1970 */
};

/** Opens the file at path, if there is one, and starts the thread. The strings and cpus must outlive it. 0 and *ret;
 *  -errno of open; -ENOMEM; -errno of pthread_create. The thread blocks all signals. */
int capture_create(const struct capture_config *cfg, struct capture **ret);

/** A queue's tap, for its worker. */
struct capture_tap *capture_tap_of(struct capture *c, uint32_t queue);

/** A frame has come (its first part; the others follow by next) or is about to be sent. Received ones are
 *  written when it is known what became of them: capture_settle. now_ns: the worker's time. */
void capture_received(struct capture_tap *t, const struct frame *f, uint64_t now_ns);
void capture_settle(struct capture_tap *t, enum drop_reason reason);
void capture_sent(struct capture_tap *t, const struct tx_frame *f, uint64_t now_ns);

/** How it went. */
struct capture_result {
	uint64_t packets; /* in the file at path */
	uint64_t left_out; /* for want of room in a ring */
	bool full; /* file_bytes_max was reached: later frames are not in it */
	int error; /* 0 or -errno: the file ends there */
	uint64_t kept; /* packets written to on_error */
	int keep_error; /* of that */
};

/** Writes what is still in the rings, ends the thread, and with failed writes the file on_error. The taps
 *  must be at rest. Frees all. */
void capture_finish(struct capture *c, bool failed, struct capture_result *ret);

#endif
