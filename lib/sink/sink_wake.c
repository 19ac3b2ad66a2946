/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base_time.h"
#include "sink_wake.h"

static bool
ring_holds(const struct sink_ring *r, uint32_t entries)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	return head - atomic_load_explicit(&r->tail, memory_order_relaxed) >= entries;
}

void
sink_wake_wait(struct sink_wake *w, struct sink_ring *r, uint32_t entries, uint64_t timeout_ns)
{
	struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_SEC),
		.tv_nsec = (long)(timeout_ns % NS_PER_SEC)};
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&w->wake_at, tail + entries, memory_order_relaxed);
	/* Sequentially consistent on both sides: either the producer sees asleep, or we see its
	 * elements. */
	atomic_store(&w->asleep, 1);
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring_holds(r, entries))
		syscall(SYS_futex, &w->asleep, FUTEX_WAIT_PRIVATE, 1,
			timeout_ns > 0 ? &timeout : NULL, NULL, 0);
	atomic_store(&w->asleep, 0);
}

void
sink_wake_kick(struct sink_wake *w, const struct sink_ring *r, bool now)
{
	uint32_t due;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&w->asleep, memory_order_relaxed) == 0)
		return;
	due = r->put - atomic_load_explicit(&w->wake_at, memory_order_relaxed);
	if (!now && due > UINT32_MAX / 2)
		return;
	if (atomic_exchange(&w->asleep, 0) == 1)
		syscall(SYS_futex, &w->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
