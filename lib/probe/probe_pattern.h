/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_PATTERN_H
#define PROBE_PATTERN_H

#include <stdint.h>

/** The byte at offset of the data that belongs to seed: no two offsets nearby and no two seeds have the same
 *  run of bytes, so that what was moved or mixed up shows. */
static inline uint8_t
probe_pattern(uint32_t seed, uint32_t offset)
{
	uint32_t x = seed * 2654435761U + offset * 40503U; /* Knuth's multiplicative hash */

	return (uint8_t)((x ^ x >> 15) >> 5);
}

#endif
