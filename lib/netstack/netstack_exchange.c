/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "netstack_exchange.h"
#include "netstack_limits.h"

#define LINE 64U /* bytes of a cache line: what one core writes is not on another's */

/* From one worker to another. A frame in several parts is so many entries in a row, whose `next` is not
 * NULL but for the last. Head and tail run freely. */
struct ring {
	_Alignas(LINE) atomic_uint head; /* the giver's: entries up to here are filled */
	_Alignas(LINE) atomic_uint tail; /* the taker's: and up to here taken */
	_Alignas(LINE) struct frame frame[NETSTACK_EXCHANGE_FRAMES];
};

/* Copies that one worker shares with all others. */
struct copies {
	_Alignas(LINE) atomic_uint head;
	uint8_t *bytes; /* NETSTACK_EXCHANGE_COPIES times the room */
	struct frame frame[NETSTACK_EXCHANGE_COPIES];
};

/* One worker's own. A bit of `handed` says that the worker with that number may have handed something
 * over, one of `shared` that it may have shared something. */
struct end {
	_Alignas(LINE) atomic_uint_fast64_t handed, shared; /* the others set bits */
	_Alignas(LINE) uint64_t handed_left, shared_left; /* taken from there, not yet done with */
	uint32_t turn; /* whose the next look is at, so that none waits for ever */
	uint32_t room; /* buffers that it may hand over before it looks what was taken */
	atomic_uint shared_tail[NETSTACK_EXCHANGE_WORKERS_MAX]; /* of each one's copies */
	uint8_t *bytes; /* the copy that was heard last */
	struct frame part[NETSTACK_EXCHANGE_FRAMES];
};

struct netstack_exchange {
	uint32_t workers, room;
	struct ring *ring; /* that from a to b is number a * workers + b */
	struct copies *copies;
	struct end *end;
	uint8_t *bytes; /* of all copies, and of those heard */
};

static void *
aligned_zeroed(size_t count, size_t size)
{
	void *memory = aligned_alloc(LINE, count * size);

	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

struct netstack_exchange *
netstack_exchange_create(uint32_t workers, uint32_t frame_room)
{
	struct netstack_exchange *x;
	uint32_t i, each = (NETSTACK_EXCHANGE_COPIES + 1) * frame_room;

	if (workers == 0 || workers > NETSTACK_EXCHANGE_WORKERS_MAX || frame_room == 0 ||
		frame_room > UINT16_MAX)
		return NULL;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	x->workers = workers;
	x->room = frame_room;
	x->ring = aligned_zeroed((size_t)workers * workers, sizeof(*x->ring));
	x->copies = aligned_zeroed(workers, sizeof(*x->copies));
	x->end = aligned_zeroed(workers, sizeof(*x->end));
	x->bytes = malloc((size_t)workers * each);
	if (x->ring == NULL || x->copies == NULL || x->end == NULL || x->bytes == NULL) {
		netstack_exchange_destroy(x);
		return NULL;
	}
	for (i = 0; i < workers; i++) {
		x->copies[i].bytes = x->bytes + (size_t)i * each;
		x->end[i].bytes =
			x->copies[i].bytes + (size_t)NETSTACK_EXCHANGE_COPIES * frame_room;
	}
	return x;
}

uint32_t
netstack_exchange_held_max(uint32_t workers)
{
	return MIN_OF((workers - 1) * NETSTACK_EXCHANGE_FRAMES, NETSTACK_EXCHANGE_GIVEN_MAX);
}

void
netstack_exchange_clear(struct netstack_exchange *x, buffer_release_fn release, void *release_ctx)
{
	struct frame f;
	const struct frame *part;
	uint32_t i;

	for (i = 0; i < x->workers; i++) {
		while (netstack_exchange_take(x, i, &f, 1) > 0) {
			for (part = &f; part != NULL; part = part->next) {
				if (part->owner != NULL)
					release(release_ctx, part->owner);
			}
		}
	}
}

void
netstack_exchange_destroy(struct netstack_exchange *x)
{
	if (x == NULL)
		return;
	free(x->ring);
	free(x->copies);
	free(x->end);
	free(x->bytes);
	free(x);
}

static struct ring *
ring_of(struct netstack_exchange *x, uint32_t from, uint32_t to)
{
	return &x->ring[from * x->workers + to];
}

/* What this worker has in its rings. Others only take: it is never more than this, but for what is given after. */
static uint32_t
given(struct netstack_exchange *x, uint32_t from)
{
	uint32_t sum = 0, to;

	for (to = 0; to < x->workers; to++) {
		const struct ring *r = ring_of(x, from, to);

		sum += atomic_load_explicit(&r->head, memory_order_relaxed) -
		       atomic_load_explicit(&r->tail, memory_order_acquire);
	}
	return sum;
}

static bool
may_give(struct netstack_exchange *x, uint32_t from, uint32_t parts)
{
	struct end *e = &x->end[from];

	if (parts > e->room)
		e->room = NETSTACK_EXCHANGE_GIVEN_MAX - given(x, from);
	if (parts > e->room)
		return false;
	e->room -= parts;
	return true;
}

bool
netstack_exchange_hand_over(
	struct netstack_exchange *x, uint32_t from, uint32_t to, const struct frame *f)
{
	struct ring *r = ring_of(x, from, to);
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed), parts = 0;
	uint32_t used = head - atomic_load_explicit(&r->tail, memory_order_acquire);
	const struct frame *part;

	for (part = f; part != NULL; part = part->next)
		parts++;
	if (parts > NETSTACK_EXCHANGE_FRAMES - used || !may_give(x, from, parts))
		return false;
	for (part = f; part != NULL; part = part->next)
		r->frame[head++ % NETSTACK_EXCHANGE_FRAMES] = *part;
	atomic_store_explicit(&r->head, head, memory_order_release);
	atomic_fetch_or_explicit(&x->end[to].handed, UINT64_C(1) << from, memory_order_release);
	return true;
}

/* A frame with the parts that follow it, whose places are in the taker's end. */
static uint32_t
take_frame(struct end *e, const struct ring *r, uint32_t tail, struct frame *ret)
{
	uint32_t used = 0;
	struct frame *last = ret;

	*ret = r->frame[tail++ % NETSTACK_EXCHANGE_FRAMES];
	while (last->next != NULL) {
		e->part[used] = r->frame[tail++ % NETSTACK_EXCHANGE_FRAMES];
		last->next = &e->part[used++];
		last = last->next;
	}
	return tail;
}

/* From one worker. Ends after a frame in several parts, whose room is needed for the next one. */
static uint32_t
take_from(struct end *e, struct ring *r, struct frame *ret, uint32_t n, bool *ret_parts)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed), taken = 0;
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	while (taken < n && tail != head && !*ret_parts) {
		tail = take_frame(e, r, tail, &ret[taken]);
		*ret_parts = ret[taken++].next != NULL;
	}
	atomic_store_explicit(&r->tail, tail, memory_order_release);
	return taken;
}

/* Bits that others have set since, beside those that are left. */
static uint64_t
collect(atomic_uint_fast64_t *flags, uint64_t left)
{
	if (atomic_load_explicit(flags, memory_order_relaxed) == 0)
		return left;
	return left | atomic_exchange_explicit(flags, 0, memory_order_acquire);
}

/* The first bit that is set from number `from` on and round about. */
static uint32_t
next_bit(uint64_t bits, uint32_t from)
{
	uint64_t above = bits >> from << from;

	return (uint32_t)__builtin_ctzll(above != 0 ? above : bits);
}

uint32_t
netstack_exchange_take(struct netstack_exchange *x, uint32_t worker, struct frame *ret, uint32_t n)
{
	struct end *e = &x->end[worker];
	uint32_t taken = 0, from, got;
	bool parts = false;

	e->handed_left = collect(&e->handed, e->handed_left);
	while (e->handed_left != 0 && taken < n && !parts) {
		from = next_bit(e->handed_left, e->turn);
		got = take_from(e, ring_of(x, from, worker), ret + taken, n - taken, &parts);
		taken += got;
		e->turn = (from + 1) % NETSTACK_EXCHANGE_WORKERS_MAX;
		if (taken < n && !parts) /* it is empty; what comes later sets its bit again */
			e->handed_left &= ~(UINT64_C(1) << from);
	}
	return taken;
}

/* ---- copies ---- */

static bool
everybody_has_room(const struct netstack_exchange *x, uint32_t from, uint32_t head)
{
	uint32_t i, tail;

	for (i = 0; i < x->workers; i++) {
		tail = atomic_load_explicit(&x->end[i].shared_tail[from], memory_order_acquire);
		if (i != from && head - tail >= NETSTACK_EXCHANGE_COPIES)
			return false;
	}
	return true;
}

/* All parts, one after the other. false: they do not fit. */
static bool
copy_parts(const struct frame *f, uint8_t *bytes, uint32_t room, uint32_t *ret_len)
{
	uint32_t len = 0;

	for (; f != NULL; f = f->next) {
		if (f->len > room - len)
			return false;
		memcpy(bytes + len, f->data, f->len);
		len += f->len;
	}
	*ret_len = len;
	return true;
}

bool
netstack_exchange_share(struct netstack_exchange *x, uint32_t from, const struct frame *f)
{
	struct copies *c = &x->copies[from];
	uint32_t head = atomic_load_explicit(&c->head, memory_order_relaxed), len, i;
	uint32_t at = head % NETSTACK_EXCHANGE_COPIES;
	uint8_t *bytes = c->bytes + (size_t)at * x->room;

	if (!everybody_has_room(x, from, head) || !copy_parts(f, bytes, x->room, &len))
		return false;
	c->frame[at] = (struct frame){
		.data = bytes, .len = len, .flags = f->flags, .vlan_tci = f->vlan_tci};
	atomic_store_explicit(&c->head, head + 1, memory_order_release);
	for (i = 0; i < x->workers; i++) {
		if (i != from)
			atomic_fetch_or_explicit(
				&x->end[i].shared, UINT64_C(1) << from, memory_order_release);
	}
	return true;
}

bool
netstack_exchange_hear(struct netstack_exchange *x, uint32_t worker, struct frame *ret)
{
	struct end *e = &x->end[worker];
	const struct copies *c;
	uint32_t from, tail;

	e->shared_left = collect(&e->shared, e->shared_left);
	while (e->shared_left != 0) {
		from = (uint32_t)__builtin_ctzll(e->shared_left);
		c = &x->copies[from];
		tail = atomic_load_explicit(&e->shared_tail[from], memory_order_relaxed);
		if (tail == atomic_load_explicit(&c->head, memory_order_acquire)) {
			e->shared_left &= e->shared_left - 1;
			continue;
		}
		*ret = c->frame[tail % NETSTACK_EXCHANGE_COPIES];
		memcpy(e->bytes, ret->data, ret->len);
		ret->data = e->bytes;
		atomic_store_explicit(&e->shared_tail[from], tail + 1, memory_order_release);
		return true;
	}
	return false;
}
