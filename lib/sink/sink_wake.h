/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_WAKE_H
#define SINK_WAKE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sink_ring.h"

/*
 * How the writer thread sleeps on an empty ring and the poll core wakes it. The sleeper says at
 * which ring index it wants to be woken (the idea of virtio's used_event), so that a wake, and
 * its system call, is paid only when enough has piled up or the sleeper has no time-out.
 */
struct sink_wake {
	alignas(64) _Atomic uint32_t asleep; /* the futex: 1 while the consumer sleeps */
	_Atomic uint32_t wake_at; /* ring index at which to wake */
};

/** Consumer: sleeps until the ring holds `entries` (at least 1), or timeout_ns have passed (0: no
 *  time-out), or for no reason. Returns at once if that many are there. */
void sink_wake_wait(
	struct sink_wake *w, struct sink_ring *r, uint32_t entries, uint64_t timeout_ns);

/** Producer, after publishing: wakes the consumer if it sleeps and wants to be woken now. `now`:
 *  whatever it wants. Costs a fence; a system call only with a wake. */
void sink_wake_kick(struct sink_wake *w, const struct sink_ring *r, bool now);

#endif
