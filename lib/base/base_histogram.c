/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "base_histogram.h"

#define SUB_COUNT (UINT64_C(1) << HISTOGRAM_SUB_BITS)

static uint32_t
bucket_of(uint64_t value)
{
	uint32_t shift;

	if (value < SUB_COUNT)
		return (uint32_t)value;
	shift = 63U - (uint32_t)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
	return ((shift + 1U) << HISTOGRAM_SUB_BITS) +
	       (uint32_t)((value >> shift) & (SUB_COUNT - 1));
}

static uint64_t
bucket_upper_edge(uint32_t index)
{
	uint32_t shift;
	uint64_t low;

	if (index < SUB_COUNT)
		return index;
	shift = (index >> HISTOGRAM_SUB_BITS) - 1U;
	low = (SUB_COUNT + (index & (SUB_COUNT - 1))) << shift;
	return low + ((UINT64_C(1) << shift) - 1);
}

void
histogram_reset(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void
histogram_record(struct histogram *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	h->min = MIN_OF(h->min, value);
	h->max = MAX_OF(h->max, value);
	h->bucket[bucket_of(value)]++;
}

uint64_t
histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t rank, seen = 0;
	uint32_t i;

	if (h->count == 0)
		return 0;
	rank = (uint64_t)((double)h->count * percent / 100.0 + 0.5);
	rank = MAX_OF(rank, UINT64_C(1));
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return MIN_OF(bucket_upper_edge(i), h->max);
	}
	return h->max;
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	uint32_t i;

	to->count += from->count;
	to->sum += from->sum;
	to->min = MIN_OF(to->min, from->min);
	to->max = MAX_OF(to->max, from->max);
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}
