/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

/*
 * All time in dpfetch is unsigned nanoseconds of one monotonic clock, passed as an argument
 * (now_ns); the pure modules never read a clock. Differences are taken only later - earlier.
 */
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

/** A deadline that never comes. */
#define TIME_NEVER UINT64_MAX

/** The earlier of two deadlines, in ns. */
static inline uint64_t
time_min(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

#endif
