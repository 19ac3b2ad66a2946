/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe_spread.h"

/* A queue's count is binomial, with a deviation of about the root of its share of 128, which is 11: half of
 * it is more than 5 of these away. */
#define FLOWS_A_QUEUE 128U

uint32_t
probe_spread_flows(uint32_t queues)
{
	return queues * FLOWS_A_QUEUE;
}

bool
probe_spread_is_even(const struct probe_spread *s)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < s->queues; i++)
		total += s->flows[i];
	for (i = 0; i < s->queues; i++) {
		if (2 * (uint64_t)s->flows[i] * s->queues < total ||
			(uint64_t)s->flows[i] * s->queues > 2 * total)
			return false;
	}
	return total > 0;
}
