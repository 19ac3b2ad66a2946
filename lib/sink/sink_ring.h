/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_RING_H
#define SINK_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"

/*
 * A ring for one producer thread and one consumer thread. Elements are of one fixed size and are
 * read in place. Indices run freely and wrap; capacity is a power of two. Each side keeps its own
 * index and a stale copy of the other's on its own cache lines, so that a full or empty look is
 * the only one that costs a cache miss.
 */
struct sink_ring {
	/* The producer's. */
	alignas(64) _Atomic uint32_t head; /* published: the consumer may read what is before */
	uint32_t put; /* filled, not all published yet */
	uint32_t tail_seen;
	/* The consumer's. */
	alignas(64) _Atomic uint32_t tail;
	uint32_t head_seen;
	/* Constant. */
	alignas(64) uint32_t mask;
	uint32_t element_bytes;
	uint8_t *elements;
};

/** Allocates room for `entries` elements (a power of two). 0 or -ENOMEM. */
int sink_ring_init(struct sink_ring *r, uint32_t entries, uint32_t element_bytes);
void sink_ring_free(struct sink_ring *r);

/** The producer's next free element, or NULL if the ring is full. Fill it, then sink_ring_put. */
static inline void *
sink_ring_slot(struct sink_ring *r)
{
	if (r->put - r->tail_seen > r->mask) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (r->put - r->tail_seen > r->mask)
			return NULL;
	}
	return &r->elements[(size_t)(r->put & r->mask) * r->element_bytes];
}

/** Appends the element that sink_ring_slot gave; unseen until sink_ring_publish. */
static inline void
sink_ring_put(struct sink_ring *r)
{
	r->put++;
}

/** Shows the consumer all that was put. */
static inline void
sink_ring_publish(struct sink_ring *r)
{
	atomic_store_explicit(&r->head, r->put, memory_order_release);
}

/** How many elements the consumer can read now. */
static inline uint32_t
sink_ring_ready(struct sink_ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (r->head_seen == tail)
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
	return r->head_seen - tail;
}

/** The i-th element of those ready; valid until it is dropped. */
static inline const void *
sink_ring_at(const struct sink_ring *r, uint32_t i)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	return &r->elements[(size_t)((tail + i) & r->mask) * r->element_bytes];
}

/** The consumer is done with the first n. */
static inline void
sink_ring_drop(struct sink_ring *r, uint32_t n)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}

#endif
