/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_EXCHANGE_H
#define NETSTACK_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base_payload.h"
#include "wire_frame.h"

/*
 * Where the workers of one port, each with its netstack, give each other what arrived on the wrong queue.
 *
 * A segment of another worker's connection is handed over with its buffers: a ring for each pair of
 * workers, which one fills and the other empties; one that finds it full drops the frame, and TCP
 * repairs the loss. So does one that has NETSTACK_EXCHANGE_GIVEN_MAX buffers in all its rings together:
 * each buffer in a ring is one giver's, so that all rings together hold no more than that times the
 * number of workers (netstack_exchange_held_max). From then on the buffers are the other worker's, which gives them back as it does
 * its own: what a port counts of buffers held by one queue may be negative then, and only the sum over
 * all queues says something.
 *
 * ARP, NDP, ICMP and UDP reach one queue only, and matter to all (who a neighbour is, that a path's MTU
 * is smaller): they are shared, as copies that every other worker reads. An echo request is answered by the
 * worker that received it, what is asked about our addresses by the first one.
 *
 * While the port steers as expected nothing of this is touched on the data path: a worker looks at one
 * word of its own an iteration.
 */

#define NETSTACK_EXCHANGE_WORKERS_MAX 64U

struct netstack_exchange;

/** Rings for so many workers (1..NETSTACK_EXCHANGE_WORKERS_MAX), and copies of frames of up to frame_room
 *  bytes; longer ones are not shared. NULL: no memory, or out of range. */
struct netstack_exchange *netstack_exchange_create(uint32_t workers, uint32_t frame_room);

/** Buffers of one worker's that its rings hold at most, of so many workers. */
uint32_t netstack_exchange_held_max(uint32_t workers);

/** Gives back the buffers that nobody took, when no worker runs any more. */
void netstack_exchange_clear(
	struct netstack_exchange *x, buffer_release_fn release, void *release_ctx);

/** Frees it; netstack_exchange_clear first. NULL is allowed. */
void netstack_exchange_destroy(struct netstack_exchange *x);

/* What follows is the netstacks'. Workers are numbered from 0; each calls with its own number only. */

/** Hands f with all its parts from one worker to another. true: their owners are that one's; false: its
 *  ring is full, or too much is in all of them, they are still the caller's. */
bool netstack_exchange_hand_over(
	struct netstack_exchange *x, uint32_t from, uint32_t to, const struct frame *f);

/** What was handed over to this worker: up to n frames, whose owners are the caller's. The parts of a
 *  frame in several are valid until the next call. */
uint32_t netstack_exchange_take(
	struct netstack_exchange *x, uint32_t worker, struct frame *ret, uint32_t n);

/** Gives all other workers a copy of the frame. false: it is too long, or one of them is too far
 *  behind. */
bool netstack_exchange_share(struct netstack_exchange *x, uint32_t from, const struct frame *f);

/** The next such copy for this worker, without an owner; valid until the next call. false: none. */
bool netstack_exchange_hear(struct netstack_exchange *x, uint32_t worker, struct frame *ret);

#endif
