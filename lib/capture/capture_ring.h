/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_RING_H
#define CAPTURE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Frames of any length in one block of memory, in their order. One thread writes; either another one
 * reads along, and what finds no room is left out (keep false), or nobody reads before the writer has
 * ended, and the oldest frames give way (keep true).
 */

/** What is known of a frame; its bytes follow, captured of them. */
struct capture_record {
	uint64_t at_ns; /* since 1970 */
	uint32_t size; /* with the bytes, rounded up; or of a gap at the end of the memory */
	uint32_t captured, original; /* bytes in the ring, bytes on the wire */
	uint16_t queue;
	uint8_t sent; /* else received */
	uint8_t reason; /* enum drop_reason */
	bool gap; /* nothing */
};

struct capture_ring {
	uint8_t *memory;
	uint64_t bytes; /* a power of two */
	bool keep;
	uint32_t records_max; /* with keep: so many at most; 0: as many as there is room for */
	uint32_t records; /* with keep: in the ring, gaps not counted */
	_Alignas(64) _Atomic uint64_t head; /* bytes ever written */
	uint64_t pending; /* of the writer: where the record that it fills ends */
	uint64_t left_out; /* frames without room */
	_Alignas(64) _Atomic uint64_t tail; /* bytes ever read, or given up */
};

/** Makes an empty ring, its memory touched. 0 or -ENOMEM. */
int capture_ring_init(struct capture_ring *r, uint64_t bytes, bool keep, uint32_t records_max);
void capture_ring_free(struct capture_ring *r);

/** Room for a frame of which `captured` bytes (up to CAPTURE_FRAME_MAX) will be written behind the record, which
 *  is zeroed but for size and captured. It is the reader's only after capture_ring_commit. NULL: none, and counted. */
struct capture_record *capture_ring_begin(struct capture_ring *r, uint32_t captured);
void capture_ring_commit(struct capture_ring *r);

/** The oldest frame, NULL if there is none; it stays until capture_ring_drop. */
const struct capture_record *capture_ring_first(struct capture_ring *r);
void capture_ring_drop(struct capture_ring *r);

/** A record's bytes. */
static inline uint8_t *
capture_record_data(struct capture_record *c)
{
	return (uint8_t *)(c + 1);
}

#endif
