/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>

#include <linux/mman.h>
#include <numaif.h>
#include <sys/mman.h>

#include "sink_memory.h"

#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define NODE_BITS (sizeof(unsigned long) * CHAR_BIT)

static void
prefer_node(void *base, size_t bytes, int numa_node)
{
	unsigned long mask;

	if (numa_node < 0 || (size_t)numa_node >= NODE_BITS)
		return;
	mask = 1UL << numa_node;
	/* A preference only: memory elsewhere is slower, none at all would be worse. */
	(void)mbind(base, bytes, MPOL_PREFERRED, &mask, NODE_BITS, 0);
}

/* Touches all pages, reporting failure where a later touch would raise SIGBUS. Kernels before
 * 5.14 answer EINVAL; there the reservation made by mmap has to do. */
static int
populate(void *base, size_t bytes)
{
	if (madvise(base, bytes, MADV_POPULATE_WRITE) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

static int
map_pages(struct sink_memory *m, size_t bytes, int flags, int numa_node)
{
	void *base = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	prefer_node(base, bytes, numa_node);
	if ((flags & MAP_HUGETLB) == 0)
		(void)madvise(base, bytes, MADV_HUGEPAGE);
	if (populate(base, bytes) < 0) {
		munmap(base, bytes);
		return -ENOMEM;
	}
	*m = (struct sink_memory){.base = base, .bytes = bytes, .huge = (flags & MAP_HUGETLB) != 0};
	return 0;
}

int
sink_memory_map(struct sink_memory *m, size_t bytes, int numa_node)
{
	size_t whole = (bytes + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);

	if (map_pages(m, whole, MAP_HUGETLB | MAP_HUGE_2MB, numa_node) == 0)
		return 0;
	return map_pages(m, whole, 0, numa_node);
}

void
sink_memory_unmap(struct sink_memory *m)
{
	if (m->base != NULL)
		munmap(m->base, m->bytes);
	*m = (struct sink_memory){0};
}
