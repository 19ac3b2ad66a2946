/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <sys/resource.h>

#include "affinity.h"

#define NICE_BEST (-20)

static void
allowed_but(const int *polled, uint32_t count, cpu_set_t *ret)
{
	uint32_t i;

	if (sched_getaffinity(0, sizeof(*ret), ret) != 0)
		CPU_ZERO(ret);
	for (i = 0; i < count; i++) {
		if (polled[i] >= 0 && polled[i] < CPU_SETSIZE)
			CPU_CLR((size_t)polled[i], ret);
	}
}

void
affinity_others(const int *polled, uint32_t count, cpu_set_t *ret)
{
	allowed_but(polled, count, ret);
	if (CPU_COUNT(ret) == 0)
		allowed_but(polled, 1, ret);
	if (CPU_COUNT(ret) == 0)
		allowed_but(polled, 0, ret);
}

void
affinity_keep_to(pthread_t thread, const cpu_set_t *set)
{
	if (CPU_COUNT(set) > 0)
		(void)pthread_setaffinity_np(thread, sizeof(*set), set);
}

int
affinity_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0 && cpu < CPU_SETSIZE)
		CPU_SET((size_t)cpu, &set);
	return -pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void
affinity_raise_priority(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE_BEST);
}

int
affinity_first(const cpu_set_t *set)
{
	int i;

	for (i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, set))
			return i;
	}
	return -1;
}
