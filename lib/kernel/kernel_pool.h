/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Buffers of one size, all made at once. The last one given back is the first one taken: its bytes
 * are still in the cache. */

struct kernel_buffer {
	uint8_t *data;
	struct kernel_buffer *next; /* free ones */
	bool out;
};

struct kernel_pool {
	uint8_t *memory;
	size_t memory_bytes;
	struct kernel_buffer *buffer, *free;
	uint32_t count, free_count;
	uint32_t buffer_bytes;
};

/** 0, or -ENOMEM. */
int kernel_pool_init(struct kernel_pool *pool, uint32_t buffers, uint32_t buffer_bytes);

/** Frees the memory; also of a zeroed pool. */
void kernel_pool_fini(struct kernel_pool *pool);

/** NULL: none is free. */
struct kernel_buffer *kernel_pool_take(struct kernel_pool *pool);

void kernel_pool_give(struct kernel_pool *pool, struct kernel_buffer *b);

#endif
