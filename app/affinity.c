/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "affinity.h"

#define NICE_BEST (-20)

/* All online CPUs but one. Returns how many that are. */
static int
others(int cpu, cpu_set_t *ret)
{
	long i, count = sysconf(_SC_NPROCESSORS_ONLN);

	CPU_ZERO(ret);
	for (i = 0; i < count && i < CPU_SETSIZE; i++) {
		if (i != cpu)
			CPU_SET((size_t)i, ret);
	}
	return CPU_COUNT(ret);
}

void
affinity_avoid_cpu(pthread_t thread, int cpu)
{
	cpu_set_t set;

	if (others(cpu, &set) > 0)
		(void)pthread_setaffinity_np(thread, sizeof(set), &set);
}

void
affinity_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0 && cpu < CPU_SETSIZE)
		CPU_SET((size_t)cpu, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void
affinity_raise_priority(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE_BEST);
}

int
affinity_other_cpu(int cpu)
{
	cpu_set_t set;
	int i;

	if (others(cpu, &set) == 0)
		return -1;
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, &set))
			return i;
	}
	return -1;
}
