/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_RANGES_H
#define SIM_RANGES_H

#include <stdbool.h>
#include <stdint.h>

/** left .. right - 1 */
struct sim_range {
	uint64_t left, right;
};

/** A set of numbers, as sorted ranges that neither overlap nor touch. Zeroed: empty. */
struct sim_ranges {
	struct sim_range *at;
	uint32_t count, room;
};

void sim_ranges_add(struct sim_ranges *r, uint64_t left, uint64_t right);
/** Everything below `edge` is taken out. */
void sim_ranges_drop_below(struct sim_ranges *r, uint64_t edge);
/** All of left .. right - 1? True for an empty range. */
bool sim_ranges_hold(const struct sim_ranges *r, uint64_t left, uint64_t right);
/** The first number at or above `from` that is not in the set. */
uint64_t sim_ranges_gap(const struct sim_ranges *r, uint64_t from);
/** Adds to *to what left .. right - 1 and the set have in common. */
void sim_ranges_common(
	const struct sim_ranges *r, uint64_t left, uint64_t right, struct sim_ranges *to);
void sim_ranges_clear(struct sim_ranges *r);

#endif
