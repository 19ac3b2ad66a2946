/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/** SplitMix64 (Steele, Lea, Flood 2014): one seed, the same numbers everywhere. */
struct sim_random {
	uint64_t state;
};

static inline uint64_t
sim_random_next(struct sim_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** low .. high, both included. */
static inline uint64_t
sim_random_range(struct sim_random *r, uint64_t low, uint64_t high)
{
	return low + sim_random_next(r) % (high - low + 1);
}

/** true with a probability of per_mille / 1000. */
static inline bool
sim_random_chance(struct sim_random *r, uint32_t per_mille)
{
	return sim_random_next(r) % 1000 < per_mille;
}

/** The body's byte at an offset, of a body made from seed. */
static inline uint8_t
sim_body_byte(uint64_t seed, uint64_t offset)
{
	return (uint8_t)((offset * 2654435761U ^ seed) >> 7 ^ offset >> 3);
}

#endif
