/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_MEMORY_H
#define SINK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One block of page-aligned, prefaulted memory. */
struct sink_memory {
	uint8_t *base;
	size_t bytes; /* mapped; what was asked for, rounded up to whole pages */
	bool huge; /* in hugepages: registered writes are much faster from there */
};

/** Maps `bytes`, in hugepages where there are enough free ones, else in ordinary pages (with
 *  transparent hugepages asked for); preferably on numa_node (-1: any). 0, or -ENOMEM. */
int sink_memory_map(struct sink_memory *m, size_t bytes, int numa_node);
void sink_memory_unmap(struct sink_memory *m);

#endif
