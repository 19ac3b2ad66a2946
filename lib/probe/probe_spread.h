/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_SPREAD_H
#define PROBE_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

#define PROBE_QUEUES_MAX 64U

/** How flows came out over queues. */
struct probe_spread {
	uint32_t queues; /* 1..PROBE_QUEUES_MAX */
	uint32_t flows[PROBE_QUEUES_MAX]; /* of each queue */
};

/** Flows enough to tell, for so many queues: an even spread then leaves each within half and twice its share
 *  but for less than one time in a million. */
uint32_t probe_spread_flows(uint32_t queues);

/** Has each queue between half of its share and twice as much? */
bool probe_spread_is_even(const struct probe_spread *s);

#endif
