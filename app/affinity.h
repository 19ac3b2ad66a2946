/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

/* The EAL pins the main thread to the poll core, and new threads inherit that. These take them
 * off it, where there is another CPU that this process may have (taskset(1), cpuset(7)). */

/** The CPUs for threads that do not poll: those that the calling thread may run on, and so to be called before the EAL
 *  pins it, without the count (1..) polled ones. Where none is left, only without the first of these; then all. */
void affinity_others(const int *polled, uint32_t count, cpu_set_t *ret);

/** Lets the thread run on these only; an empty set changes nothing. */
void affinity_keep_to(pthread_t thread, const cpu_set_t *set);

/** The lowest CPU of a set, -1: it is empty. */
int affinity_first(const cpu_set_t *set);

/** Binds the calling thread to this CPU, as the EAL does with the poll core. 0, or -errno: it runs where it did. */
int affinity_pin(int cpu);

/** Raises the calling thread's priority as far as it may (nice -20): a poll core that waits for its
 *  turn acknowledges late, and the server then sends again. Without the permission nothing
 *  happens. */
void affinity_raise_priority(void);

#endif
