/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define CPU_MAX 1023 /* as --core */

/* A number at *at, which moves behind it; -1: there is none, or it is too large. */
static int
take_number(const char **at)
{
	int value = 0;

	if (**at < '0' || **at > '9')
		return -1;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		value = value * 10 + (**at - '0');
		if (value > CPU_MAX)
			return -1;
	}
	return value;
}

static bool
is_in(const int *cpus, uint32_t count, int cpu)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (cpus[i] == cpu)
			return true;
	}
	return false;
}

/* first..last behind the others. */
static int
add_range(int *cpus, uint32_t *count, int first, int last)
{
	int cpu;

	if (first < 0 || last < first)
		return -EINVAL;
	for (cpu = first; cpu <= last; cpu++) {
		if (*count == SETTINGS_QUEUES_MAX || is_in(cpus, *count, cpu))
			return -EINVAL;
		cpus[(*count)++] = cpu;
	}
	return 0;
}

int
settings_cores(const struct settings *s, int *ret)
{
	const char *at = s->cores;
	uint32_t count = 0;
	int first, last;

	if (at == NULL)
		return 0;
	for (;;) {
		first = last = take_number(&at);
		if (*at == '-') {
			at++;
			last = take_number(&at);
		}
		if (add_range(ret, &count, first, last) != 0)
			return -EINVAL;
		if (*at == '\0')
			return (int)count;
		if (*at++ != ',')
			return -EINVAL;
	}
}

uint32_t
settings_queues(const struct settings *s)
{
	int cpus[SETTINGS_QUEUES_MAX], count = settings_cores(s, cpus);

	if (s->queues > 0)
		return (uint32_t)s->queues;
	return count > 0 ? (uint32_t)count : 1;
}
