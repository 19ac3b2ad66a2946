/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <pthread.h>

/* The EAL pins the main thread to the poll core, and new threads inherit that. These take them
 * off it, where there is another CPU. */

/** Lets the thread run on every online CPU but this one. */
void affinity_avoid_cpu(pthread_t thread, int cpu);

/** Binds the calling thread to this CPU, as the EAL does with the poll core. */
void affinity_pin(int cpu);

/** Raises the calling thread's priority as far as it may (nice -20): a poll core that waits for its
 *  turn acknowledges late, and the server then sends again. Without the permission nothing
 *  happens. */
void affinity_raise_priority(void);

/** Another online CPU than this one, -1 if there is none. */
int affinity_other_cpu(int cpu);

#endif
