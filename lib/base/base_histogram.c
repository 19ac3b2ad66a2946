/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
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

double
histogram_mean(const struct histogram *h)
{
	return h->count > 0 ? (double)h->sum / (double)h->count : 0.0;
}

static double
bucket_middle(uint32_t index)
{
	double high = (double)bucket_upper_edge(index);
	double below = index > 0 ? (double)bucket_upper_edge(index - 1) : -1.0;

	return (below + 1.0 + high) / 2.0;
}

double
histogram_stddev(const struct histogram *h)
{
	double mean = histogram_mean(h), squares = 0.0, away;
	uint32_t i;

	if (h->count == 0)
		return 0.0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (h->bucket[i] == 0)
			continue;
		away = bucket_middle(i) - mean;
		squares += away * away * (double)h->bucket[i];
	}
	return sqrt(squares / (double)h->count);
}

bool
histogram_next(
	const struct histogram *h, uint32_t *cursor, uint64_t *ret_value, uint64_t *ret_count)
{
	uint32_t i = *cursor;

	while (i < HISTOGRAM_BUCKETS && h->bucket[i] == 0)
		i++;
	*cursor = i + 1;
	if (i >= HISTOGRAM_BUCKETS)
		return false;
	*ret_value = MIN_OF(bucket_upper_edge(i), h->max);
	*ret_count = h->bucket[i];
	return true;
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
