/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_REASSEMBLY_PRIV_H
#define TCP_REASSEMBLY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp_reassembly.h"

/*
 * The out-of-order half of struct tcp_reassembly: a pool of nodes, one a payload, and ranges of
 * contiguous nodes. Ranges have fixed slots; order[] sorts the slots by sequence number, and a
 * list links them by when they last changed, for SACK. "index" is a place in order[], "slot" a
 * place in range[].
 */

#define REASSEMBLY_NO_NODE UINT32_MAX
#define REASSEMBLY_NO_SLOT UINT16_MAX

/* A payload, and where the next one is. */
struct reassembly_node {
	const uint8_t *data;
	uint32_t len;
	uint32_t next; /* in its range, or in the free list */
	void *owner;
};

struct reassembly_range {
	uint32_t left, right; /* bytes left .. right - 1 */
	uint32_t first, last; /* nodes */
	uint16_t newer, older; /* slots, by last change */
};

struct tcp_reassembly_store {
	struct reassembly_node *nodes; /* payloads_max, behind this struct */
	struct reassembly_range *range; /* ranges_max, behind those */
	uint16_t *order; /* as many slots, behind those: the used ones sorted, then the free */
	struct tcp_reassembly_store *next; /* in the pool */
	uint32_t free_node;
	uint16_t newest, oldest; /* slots */
};

struct tcp_reassembly_pool {
	struct tcp_reassembly_store *free;
};

/** Makes an empty store of nodes_max nodes in memory (tcp_reassembly_store_bytes, aligned to 8). */
struct tcp_reassembly_store *reassembly_store_init(void *memory, uint32_t nodes_max);

/** Is there a store for r's out-of-order data? */
static inline bool
reassembly_store_there(const struct tcp_reassembly *r)
{
	return r->store != NULL || r->pool->free != NULL;
}

/** Releases all nodes' owners and removes all ranges. */
void reassembly_store_clear(struct tcp_reassembly *r);

/** The range at an index below range_count. */
struct reassembly_range *reassembly_range_at(const struct tcp_reassembly *r, uint32_t index);

/** The index of the first range whose right edge is at or above seq; range_count if none. */
uint32_t reassembly_range_find(const struct tcp_reassembly *r, uint32_t seq);

/** Makes a range of one payload at index; there must be room, and a store. It is the newest. */
void reassembly_range_add(
	struct tcp_reassembly *r, uint32_t index, uint32_t left, const struct payload *payload);

/** Adds a payload that begins at the range's right edge. The range becomes the newest. */
void reassembly_range_append(
	struct tcp_reassembly *r, uint32_t index, const struct payload *payload);

/** Adds a payload that ends at the range's left edge. The range becomes the newest. */
void reassembly_range_prepend(
	struct tcp_reassembly *r, uint32_t index, const struct payload *payload);

/** Joins range index + 1, which begins where range index ends, to it; it becomes the newest. */
void reassembly_range_join_next(struct tcp_reassembly *r, uint32_t index);

/** Marks the range as the one that the last segment belongs to. */
void reassembly_range_touch(struct tcp_reassembly *r, uint32_t index);

/** Removes the range and releases its owners. */
void reassembly_range_drop(struct tcp_reassembly *r, uint32_t index);

/** Moves the payloads of the lowest range to the in-order ring and removes it. */
void reassembly_range_deliver_first(struct tcp_reassembly *r);

/** Adds one payload, which the caller has charged, to the in-order ring. */
static inline void
reassembly_ring_push(struct tcp_reassembly *r, const struct payload *payload)
{
	r->ring[r->ring_tail++ & r->ring_mask] = *payload;
	r->ready_bytes += payload->len;
}

#endif
