/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "bench_series.h"

struct part {
	struct load *load;
	atomic_bool over;
};

struct bench_series {
	struct part *part;
	uint32_t parts;
	uint32_t intervals_max;
	struct load_interval *interval; /* NULL with one part: that one's are it */
	atomic_uint count; /* of interval[] */
	struct histogram all, one; /* of the interval being merged */
};

struct bench_series *
bench_series_create(struct load *const *load, uint32_t loads, uint32_t intervals_max)
{
	struct bench_series *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (s == NULL)
		return NULL;
	s->parts = loads;
	s->intervals_max = intervals_max;
	s->part = calloc(loads, sizeof(*s->part));
	if (loads > 1)
		s->interval = calloc(intervals_max, sizeof(*s->interval));
	if (s->part == NULL || (loads > 1 && s->interval == NULL)) {
		bench_series_destroy(s);
		return NULL;
	}
	for (i = 0; i < loads; i++)
		s->part[i].load = load[i];
	return s;
}

void
bench_series_destroy(struct bench_series *s)
{
	if (s == NULL)
		return;
	free(s->part);
	free(s->interval);
	free(s);
}

void
bench_series_over(struct bench_series *s, uint32_t number)
{
	atomic_store_explicit(&s->part[number].over, true, memory_order_release);
}

/* Those of a load that is over are looked at after that was. */
static const struct load_interval *
interval_of(const struct part *p, uint32_t number, bool *ret_over)
{
	const struct load_interval *series;
	uint32_t count;

	*ret_over = atomic_load_explicit(&p->over, memory_order_acquire);
	series = load_intervals(p->load, &count);
	return number < count ? &series[number] : NULL;
}

/* Has it ended in all loads, or will it never? And in one at least? */
static bool
is_complete(const struct bench_series *s, uint32_t number)
{
	bool over, any = false;
	uint32_t i;

	for (i = 0; i < s->parts; i++) {
		bool there = interval_of(&s->part[i], number, &over) != NULL;

		if (!there && !over)
			return false;
		any |= there;
	}
	return any;
}

static void
add_interval(struct load_interval *to, const struct load_interval *from)
{
	to->start_ns = to->end_ns == 0 ? from->start_ns : MIN_OF(to->start_ns, from->start_ns);
	to->end_ns = MAX_OF(to->end_ns, from->end_ns);
	to->measured &= from->measured;
	load_counts_add(&to->counts, &from->counts);
	to->open += from->open;
	to->backlog += from->backlog;
	to->latency_p50_ns = MAX_OF(to->latency_p50_ns, from->latency_p50_ns);
	to->latency_p90_ns = MAX_OF(to->latency_p90_ns, from->latency_p90_ns);
	to->latency_p99_ns = MAX_OF(to->latency_p99_ns, from->latency_p99_ns);
	to->latency_max_ns = MAX_OF(to->latency_max_ns, from->latency_max_ns);
}

/* false: it was gone, or went while it was copied. */
static bool
add_latencies(struct bench_series *s, const struct load *load, uint32_t number)
{
	const struct histogram *h = load_interval_histogram(load, number);

	if (h == NULL)
		return false;
	s->one = *h;
	atomic_thread_fence(memory_order_acquire);
	if (load_interval_histogram(load, number) == NULL)
		return false;
	histogram_merge(&s->all, &s->one);
	return true;
}

static void
merge(struct bench_series *s, uint32_t number, struct load_interval *ret)
{
	bool over, exact = true;
	uint32_t i;

	*ret = (struct load_interval){.measured = true};
	histogram_reset(&s->all);
	for (i = 0; i < s->parts; i++) {
		const struct load_interval *one = interval_of(&s->part[i], number, &over);

		if (one == NULL)
			continue;
		add_interval(ret, one);
		exact &= add_latencies(s, s->part[i].load, number);
	}
	if (!exact)
		return;
	ret->latency_p50_ns = histogram_percentile(&s->all, 50);
	ret->latency_p90_ns = histogram_percentile(&s->all, 90);
	ret->latency_p99_ns = histogram_percentile(&s->all, 99);
	ret->latency_max_ns = s->all.max;
}

void
bench_series_update(struct bench_series *s)
{
	uint32_t count = atomic_load_explicit(&s->count, memory_order_relaxed);

	if (s->parts == 1)
		return;
	for (; count < s->intervals_max && is_complete(s, count); count++) {
		merge(s, count, &s->interval[count]);
		atomic_store_explicit(&s->count, count + 1, memory_order_release);
	}
}

const struct load_interval *
bench_series_get(const struct bench_series *s, uint32_t *ret_count)
{
	if (s->parts == 1)
		return load_intervals(s->part[0].load, ret_count);
	*ret_count = atomic_load_explicit(&s->count, memory_order_acquire);
	return s->interval;
}
