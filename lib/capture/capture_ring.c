/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "capture_limits.h"
#include "capture_ring.h"

#define ALIGN ((uint32_t)sizeof(struct capture_record)) /* a gap is as long as a record at least */

int
capture_ring_init(struct capture_ring *r, uint64_t bytes, bool keep, uint32_t records_max)
{
	CHECK((bytes & (bytes - 1)) == 0 && bytes >= 2 * CAPTURE_FRAME_MAX);
	*r = (struct capture_ring){.bytes = bytes, .keep = keep, .records_max = records_max};
	r->memory = aligned_alloc(64, bytes);
	if (r->memory == NULL)
		return -ENOMEM;
	memset(r->memory, 0, bytes); /* a first touch later would hold up the poll core */
	return 0;
}

void
capture_ring_free(struct capture_ring *r)
{
	free(r->memory);
	r->memory = NULL;
}

static struct capture_record *
record_at(const struct capture_ring *r, uint64_t position)
{
	return (struct capture_record *)(r->memory + (position & (r->bytes - 1)));
}

/* Of the oldest record, or gap. */
static void
give_up_oldest(struct capture_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	const struct capture_record *c = record_at(r, tail);

	r->records -= !c->gap;
	atomic_store_explicit(&r->tail, tail + c->size, memory_order_relaxed);
}

/* Is there room for size bytes behind head? */
static bool
make_room(struct capture_ring *r, uint64_t head, uint32_t size)
{
	if (r->keep) {
		while (head + size - atomic_load_explicit(&r->tail, memory_order_relaxed) >
				r->bytes ||
			(r->records_max > 0 && r->records >= r->records_max))
			give_up_oldest(r);
	}
	return head + size - atomic_load_explicit(&r->tail, memory_order_acquire) <= r->bytes;
}

struct capture_record *
capture_ring_begin(struct capture_ring *r, uint32_t captured)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), to_end;
	uint32_t size = (uint32_t)sizeof(struct capture_record) + captured, gap;
	struct capture_record *c;

	CHECK(captured <= CAPTURE_FRAME_MAX);
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	to_end = r->bytes - (head & (r->bytes - 1));
	gap = to_end < size ? (uint32_t)to_end : 0;
	if (!make_room(r, head, gap + size)) {
		r->left_out++;
		return NULL;
	}
	if (gap > 0) {
		c = record_at(r, head);
		*c = (struct capture_record){.size = gap, .gap = true};
		head += gap;
	}
	c = record_at(r, head);
	*c = (struct capture_record){.size = size, .captured = captured};
	r->pending = head + size;
	return c;
}

void
capture_ring_commit(struct capture_ring *r)
{
	r->records++;
	atomic_store_explicit(&r->head, r->pending, memory_order_release);
}

const struct capture_record *
capture_ring_first(struct capture_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	const struct capture_record *c;

	while (tail != atomic_load_explicit(&r->head, memory_order_acquire)) {
		c = record_at(r, tail);
		if (!c->gap)
			return c;
		tail += c->size;
		atomic_store_explicit(&r->tail, tail, memory_order_release);
	}
	return NULL;
}

void
capture_ring_drop(struct capture_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&r->tail, tail + record_at(r, tail)->size, memory_order_release);
}
