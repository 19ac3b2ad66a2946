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

struct reassembly_node {
	struct payload payload;
	uint32_t next; /* in its range, or in the free list */
};

struct reassembly_range {
	uint32_t left, right; /* bytes left .. right - 1 */
	uint32_t first, last; /* nodes */
	uint16_t newer, older; /* slots, by last change */
};

struct tcp_reassembly_store {
	struct reassembly_node *nodes; /* payloads_max */
	uint32_t free_node;
	uint16_t newest, oldest; /* slots */
	uint16_t order[TCP_REASSEMBLY_RANGES_MAX]; /* slots: the used ones sorted, then the free */
	struct reassembly_range range[TCP_REASSEMBLY_RANGES_MAX];
};

/** Allocates an empty store of nodes_max nodes. NULL when out of memory. */
struct tcp_reassembly_store *reassembly_store_create(uint32_t nodes_max);

/** Frees s, but no owner: call reassembly_store_clear first. NULL is allowed. */
void reassembly_store_destroy(struct tcp_reassembly_store *s);

/** Releases all nodes' owners and removes all ranges. */
void reassembly_store_clear(struct tcp_reassembly *r);

/** The range at an index below range_count. */
struct reassembly_range *reassembly_range_at(const struct tcp_reassembly *r, uint32_t index);

/** The index of the first range whose right edge is at or above seq; range_count if none. */
uint32_t reassembly_range_find(const struct tcp_reassembly *r, uint32_t seq);

/** Makes a range of one payload at index; there must be room. It is the newest. */
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
