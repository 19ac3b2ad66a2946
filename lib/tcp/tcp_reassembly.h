/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_REASSEMBLY_H
#define TCP_REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base_compiler.h"
#include "base_payload.h"
#include "wire_tcp.h"

/*
 * The received data of one connection: what is in order and waits for the application, and what
 * came out of order and waits for a hole to be filled (RFC 9293 §3.10.7.4, "seventh"). It holds
 * payloads by reference; no byte is copied. All memory is given to init; out-of-order data may be
 * kept in a store that is borrowed from a pool for as long as there is some.
 *
 * The caller keeps RCV.NXT and passes it in. The FIN is not stored here: the caller remembers its
 * sequence number and ends the stream when RCV.NXT reaches it (and recv has taken all), so that
 * an out-of-order FIN cannot truncate the stream.
 *
 * Out-of-order data is kept as sorted, disjoint, non-adjacent ranges. What has entered a range
 * stays until it is delivered or the store is reset: nothing that was SACKed is ever dropped
 * (no reneging, RFC 2018 §8).
 *
 * Each held payload is charged against payloads_max from the moment it is kept until
 * tcp_reassembly_consumed reports it. A part of that (out_of_order_reserve) can only be used by
 * in-order data, so that out-of-order data never starves the segment that fills the hole.
 */

/** Ranges held at once at most, of few payloads fewer: tcp_reassembly_ranges_max. A segment that
 *  would begin another is refused (NO_BUFFER). */
#define TCP_REASSEMBLY_RANGES_MAX 16384U /* 32 KiB are moved for one more below them all */
/* One for so many payloads: of a window, for which there are two payloads a segment, every second
 * segment may be missing, as after a queue that slow start overran. */
#define TCP_REASSEMBLY_RANGES_DIVISOR 4U
/** Out-of-order data may not use the last 1/8 of payloads_max. */
#define TCP_REASSEMBLY_RESERVE_DIVISOR 8U
#define TCP_REASSEMBLY_PAYLOADS_MIN 16U
#define TCP_REASSEMBLY_PAYLOADS_MAX (1U << 24)

/** Out-of-order data; see tcp_reassembly_priv.h. */
struct tcp_reassembly_store;

/** Stores that many connections share: each that holds out-of-order data has one. */
struct tcp_reassembly_pool;

/** The fields are for the inline functions below only; use the functions. */
struct tcp_reassembly {
	struct payload *ring; /* in order: ring[head & mask] .. ring[(tail - 1) & mask] */
	uint32_t ring_mask;
	uint32_t ring_head, ring_tail; /* free-running */
	uint32_t payloads_max;
	uint32_t held; /* ready + out of order + taken */
	uint32_t range_count;
	uint32_t ready_bytes; /* no window is above 2^30 */
	uint32_t taken; /* by recv, not yet reported by consumed */
	uint32_t out_of_order; /* payloads in ranges */
	uint32_t out_of_order_bytes;
	struct tcp_reassembly_store
		*store; /* NULL: none is needed, or there was none in the pool */
	struct tcp_reassembly_pool *pool; /* NULL: store is our own */
	const struct payload_buffers *buffers;
};

/** What became of an inserted segment. */
enum tcp_reassembly_verdict {
	TCP_REASSEMBLY_IN_ORDER, /* kept; it began at RCV.NXT, which has advanced */
	TCP_REASSEMBLY_OUT_OF_ORDER, /* kept above a hole; RCV.NXT has not moved */
	TCP_REASSEMBLY_DUPLICATE, /* held nothing new (or nothing at all); not kept */
	TCP_REASSEMBLY_NO_BUFFER, /* held new bytes, but there is no room, or keep refused; not kept */
};

struct tcp_reassembly_result {
	enum tcp_reassembly_verdict verdict;
	bool filled_hole; /* IN_ORDER, and out-of-order data became deliverable, or holes remain:
			   * RFC 5681 §4.2 wants an immediate ACK */
	uint32_t rcv_nxt; /* the new RCV.NXT */
	uint32_t bytes_new; /* bytes of this segment that were not held before; 0 if not kept */
	uint32_t bytes_duplicate; /* bytes that were already held or delivered */
	struct tcp_sack_block duplicate; /* the first run of those, for D-SACK (RFC 2883);
					  * left == right: none */
};

/** Ranges that are held at once at most with so many payloads. */
static inline uint32_t
tcp_reassembly_ranges_max(uint32_t payloads_max)
{
	uint32_t n = payloads_max / TCP_REASSEMBLY_RANGES_DIVISOR;

	return n < TCP_REASSEMBLY_RANGES_MAX ? n : TCP_REASSEMBLY_RANGES_MAX;
}

/** Bytes of memory that init needs, a multiple of 8; payloads_max in its range. pooled: out-of-order
 *  data is kept in a pool's stores. */
uint64_t tcp_reassembly_bytes(uint32_t payloads_max, bool pooled);

/**
 * Makes *r an empty one for at most payloads_max held payloads (TCP_REASSEMBLY_PAYLOADS_MIN .. _MAX)
 * in memory (tcp_reassembly_bytes, aligned to 8), which stays the caller's and has to outlive r as the
 * pool and *buffers have to. Owners of payloads that are replaced, or dropped by reset, are released, those that
 * are NULL are not; of what is kept out of order buffers->keep is asked. pool: of stores for as many payloads;
 * NULL: r has its own.
 */
void tcp_reassembly_init(struct tcp_reassembly *r, void *memory, uint32_t payloads_max,
	struct tcp_reassembly_pool *pool, const struct payload_buffers *buffers);

/** A pool of stores for payloads_max payloads each; while all are in use further out-of-order
 *  segments are refused (NO_BUFFER). NULL: no memory. */
struct tcp_reassembly_pool *tcp_reassembly_pool_create(uint32_t payloads_max, uint32_t stores);
/** None may be in use. NULL is allowed. */
void tcp_reassembly_pool_destroy(struct tcp_reassembly_pool *pool);
/** Bytes of one store. */
uint64_t tcp_reassembly_store_bytes(uint32_t payloads_max);

/** Releases every held owner; r is as new. What recv has handed out is no longer charged; late
 *  tcp_reassembly_consumed reports about it do no harm. */
void tcp_reassembly_reset(struct tcp_reassembly *r);

/**
 * Inserts payload, whose first byte has sequence number seq. rcv_nxt: the current RCV.NXT.
 * The caller has trimmed the payload to the receive window and to the FIN; both ends lie within
 * 2^30 of rcv_nxt. What is already there is trimmed off at either end, first-arrived bytes stay;
 * ranges that lie wholly inside the segment are replaced by it, so every new byte of a kept
 * segment is kept.
 *
 * Returns whether payload->owner was kept: true for IN_ORDER and OUT_OF_ORDER; otherwise the
 * owner stays the caller's. *ret is always filled in.
 */
bool tcp_reassembly_insert(struct tcp_reassembly *r, uint32_t seq, const struct payload *payload,
	uint32_t rcv_nxt, struct tcp_reassembly_result *ret);

/** Payloads that tcp_reassembly_append would take now: none while out-of-order data is held. */
static inline uint32_t
tcp_reassembly_in_order_room(const struct tcp_reassembly *r)
{
	return r->range_count > 0 || r->held >= r->payloads_max ? 0 : r->payloads_max - r->held;
}

/** Keeps payload (len > 0), which begins exactly at RCV.NXT; only with in_order_room. */
static inline void
tcp_reassembly_append(struct tcp_reassembly *r, const struct payload *payload)
{
	struct payload *slot = &r->ring[r->ring_tail++ & r->ring_mask];

	/* One by one, as they were written: a wider load would have to wait for both stores. */
	slot->data = payload->data;
	slot->len = payload->len;
	slot->owner = payload->owner;
	r->ready_bytes += payload->len;
	r->held++;
}

/**
 * The fast path of insert: payload (len > 0) begins exactly at RCV.NXT. true: kept, and the caller
 * advances RCV.NXT by payload->len. false: nothing happened; out-of-order data is held or there
 * is no room: use tcp_reassembly_insert.
 */
static inline bool
tcp_reassembly_append_in_order(struct tcp_reassembly *r, const struct payload *payload)
{
	if (UNLIKELY(tcp_reassembly_in_order_room(r) == 0))
		return false;
	tcp_reassembly_append(r, payload);
	return true;
}

/** Takes up to parts_max in-order payloads, oldest first; returns how many. Their owners are then
 *  the caller's. They stay charged until tcp_reassembly_consumed. */
uint32_t tcp_reassembly_recv(
	struct tcp_reassembly *r, struct payload *ret_parts, uint32_t parts_max);

/** `parts` payloads that recv handed out need no longer be charged. More than are charged (late
 *  reports after a reset): all of them. */
void tcp_reassembly_consumed(struct tcp_reassembly *r, uint32_t parts);

/** In-order payloads that recv would hand out. */
static inline uint32_t
tcp_reassembly_ready(const struct tcp_reassembly *r)
{
	return r->ring_tail - r->ring_head;
}

/** Bytes in those. */
static inline uint32_t
tcp_reassembly_ready_bytes(const struct tcp_reassembly *r)
{
	return r->ready_bytes;
}

/** Payloads charged: ready, out of order, and taken but not consumed. 0..payloads_max. */
static inline uint32_t
tcp_reassembly_held(const struct tcp_reassembly *r)
{
	return r->held;
}

/** How many more payloads in-order data may bring. For charging the window by buffers. */
static inline uint32_t
tcp_reassembly_room(const struct tcp_reassembly *r)
{
	return r->payloads_max - r->held;
}

/** Payloads held out of order. */
static inline uint32_t
tcp_reassembly_out_of_order(const struct tcp_reassembly *r)
{
	return r->out_of_order;
}

/** Bytes held out of order. */
static inline uint32_t
tcp_reassembly_out_of_order_bytes(const struct tcp_reassembly *r)
{
	return r->out_of_order_bytes;
}

/** Out-of-order ranges: > 0 means that there is a hole and ACKs should carry SACK blocks. */
static inline uint32_t
tcp_reassembly_ranges(const struct tcp_reassembly *r)
{
	return r->range_count;
}

/**
 * Fills in up to blocks_max SACK blocks and returns how many. dsack: a duplicate range to report
 * first (RFC 2883; the caller reports each once), NULL or empty for none. Then the range that the
 * last inserted segment touched, then the others from the most to the least recently changed
 * (RFC 2018 §4). Constant time.
 */
uint32_t tcp_reassembly_sack_blocks(const struct tcp_reassembly *r,
	const struct tcp_sack_block *dsack, struct tcp_sack_block *ret_blocks, uint32_t blocks_max);

/**
 * The end (right edge) of the highest range, or rcv_nxt when there is none: no byte at or above it
 * has been kept.
 */
uint32_t tcp_reassembly_high_seq(const struct tcp_reassembly *r, uint32_t rcv_nxt);

/** Checks every invariant with CHECK(). Linear time: for tests and fuzzers. */
void tcp_reassembly_check(const struct tcp_reassembly *r, uint32_t rcv_nxt);

#endif
