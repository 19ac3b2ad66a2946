/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <pthread.h>

/* The EAL pins the main thread to the poll core, and new threads inherit that. These take them
 * off it, where there is another CPU. */

/** Lets the thread run on every online CPU but this one. */
void affinity_avoid_cpu(pthread_t thread, int cpu);

/** Another online CPU than this one, -1 if there is none. */
int affinity_other_cpu(int cpu);

#endif
