/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CREW_H
#define CREW_H

#include "host.h"

/*
 * The workers of a host with several queues. Each has a host of its own, of which stack, counters and
 * worker are its own, and port, settings and monitor the first one's; and each but the first, which is
 * the caller's thread, has a thread on its CPU. What has no work goes on polling: the others may need
 * what arrives on its queue. They meet in two atomics, and only where a piece of work begins or ends.
 */
struct crew;

/** Makes the hosts, as copies of h; nothing runs yet. 0, or -ENOMEM. */
int crew_create(struct host *h);

/** The host of the worker with this number; 0: h itself, also without a crew. */
struct host *crew_worker(struct host *h, uint32_t number);

/** Brings up each one's stack, in its own thread, after h's own. 0, or the exit code of the first that
 *  failed, after it has said why. */
int crew_start(struct host *h);

/** A piece of work, in the thread of the worker whose host is given. */
typedef void (*crew_work_fn)(struct host *worker, void *ctx);

/** All workers do this, side by side; returns when each has. Who is done goes on polling for the others. Without a
 *  crew, or where crew_start failed, h does it alone. */
void crew_run(struct host *h, crew_work_fn work, void *ctx);

/** Tells all to take their stacks down, and to end; without waiting. The first one's own is not theirs. */
void crew_dismiss(struct host *h);

/** Waits for that, and frees them. Without a crew nothing. */
void crew_destroy(struct host *h);

#endif
