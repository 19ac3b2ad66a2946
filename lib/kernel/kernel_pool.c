/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <sys/mman.h>

#include "base_check.h"
#include "kernel_pool.h"

#define CACHE_LINE_BYTES 64U

static size_t
stride(uint32_t buffer_bytes)
{
	return ((size_t)buffer_bytes + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
}

/* Large pages and no page fault later, where the kernel knows how (5.14). */
static int
populate(void *memory, size_t bytes)
{
	(void)madvise(memory, bytes, MADV_HUGEPAGE);
	if (madvise(memory, bytes, MADV_POPULATE_WRITE) != 0 && errno != EINVAL)
		return -ENOMEM;
	return 0;
}

int
kernel_pool_init(struct kernel_pool *pool, uint32_t buffers, uint32_t buffer_bytes)
{
	uint32_t i;

	*pool = (struct kernel_pool){.count = buffers, .buffer_bytes = buffer_bytes};
	pool->memory_bytes = buffers * stride(buffer_bytes);
	pool->buffer = calloc(buffers, sizeof(*pool->buffer));
	pool->memory = mmap(NULL, pool->memory_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->memory == MAP_FAILED)
		pool->memory = NULL;
	if (pool->buffer == NULL || pool->memory == NULL ||
		populate(pool->memory, pool->memory_bytes) != 0) {
		kernel_pool_fini(pool);
		return -ENOMEM;
	}
	for (i = buffers; i-- > 0;) {
		struct kernel_buffer *b = &pool->buffer[i];

		b->data = pool->memory + i * stride(buffer_bytes);
		b->out = true;
		kernel_pool_give(pool, b);
	}
	return 0;
}

void
kernel_pool_fini(struct kernel_pool *pool)
{
	if (pool->memory != NULL)
		(void)munmap(pool->memory, pool->memory_bytes);
	free(pool->buffer);
	*pool = (struct kernel_pool){0};
}

struct kernel_buffer *
kernel_pool_take(struct kernel_pool *pool)
{
	struct kernel_buffer *b = pool->free;

	if (b == NULL)
		return NULL;
	pool->free = b->next;
	pool->free_count--;
	b->out = true;
	return b;
}

void
kernel_pool_give(struct kernel_pool *pool, struct kernel_buffer *b)
{
	CHECK(b->out);
	b->out = false;
	b->next = pool->free;
	pool->free = b;
	pool->free_count++;
}
