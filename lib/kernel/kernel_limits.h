/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_LIMITS_H
#define KERNEL_LIMITS_H

/* How many connections a transport can be made for: as many as a load may have. */
#define KERNEL_CONNECTIONS_MAX 1000000U

/* One recv takes 1 GiB at most; what a system call moves is below 2 GiB (MAX_RW_COUNT). */
#define KERNEL_BUFFER_BYTES_MAX (1U << 30)

#define KERNEL_BUFFERS_MAX 1000000U

/* Events taken from the kernel by one wait; the others stay there for the next. */
#define KERNEL_EVENTS_MAX 1024U

/* Reads of one connection between two waits: then the others have their turn. With buffers of 256 KiB
 * what is under way stays within a core's second-level cache. */
#define KERNEL_READS_PER_WAIT 4U

#endif
