/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_snapshot.h"
#include "bench_series.h"

struct part {
	struct load *load;
	atomic_bool over;
};

struct bench_series {
	struct part *part;
	uint32_t parts;
	uint32_t next; /* the interval to be merged next */
	bool lost; /* one was gone before it was merged */
	struct bench_series_live live;
	struct snapshot *published; /* of live, for other threads */
	struct load_interval *kept;
	uint32_t kept_count, kept_max;
	uint32_t joined; /* so many intervals make one of kept, a power of two */
	uint32_t last_joined; /* so many are in the last of kept */
	struct histogram all, one; /* of the interval being merged */
};

struct bench_series *
bench_series_create(struct load *const *load, uint32_t loads, uint32_t kept_max)
{
	struct bench_series *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (s == NULL)
		return NULL;
	s->parts = loads;
	s->kept_max = kept_max;
	s->joined = 1;
	s->part = calloc(loads, sizeof(*s->part));
	/* A page of it is touched, and so takes memory, once it is written. */
	s->kept = calloc((size_t)kept_max + 1U, sizeof(*s->kept));
	s->published = snapshot_create(sizeof(s->live));
	if (s->part == NULL || s->kept == NULL || s->published == NULL) {
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
	snapshot_destroy(s->published);
	free(s->part);
	free(s->kept);
	free(s);
}

void
bench_series_over(struct bench_series *s, uint32_t number)
{
	atomic_store_explicit(&s->part[number].over, true, memory_order_release);
}

/* -- One interval of all loads. -- */

/* What a load has of an interval. */
enum piece { PIECE_THERE, PIECE_NOT_YET, PIECE_NEVER, PIECE_LOST };

/* Those of a load that is over are looked at after that was. */
static enum piece
take_piece(const struct part *p, uint32_t number, struct load_interval *ret)
{
	bool over = atomic_load_explicit(&p->over, memory_order_acquire);
	int rc = load_interval_copy(p->load, number, ret);

	if (rc == 0)
		return PIECE_THERE;
	if (rc != -EAGAIN)
		return PIECE_LOST;
	return over ? PIECE_NEVER : PIECE_NOT_YET;
}

/* Has it ended in all loads, or will it never? And in one at least? */
static bool
is_complete(const struct bench_series *s, uint32_t number)
{
	struct load_interval interval;
	bool any = false;
	uint32_t i;

	for (i = 0; i < s->parts; i++) {
		enum piece piece = take_piece(&s->part[i], number, &interval);

		if (piece == PIECE_NOT_YET)
			return false;
		any |= piece != PIECE_NEVER;
	}
	return any;
}

/* Percentiles of two kinds of responses together are not above the greater ones. */
static void
raise_latencies(struct load_interval *to, const struct load_interval *from)
{
	to->latency_p50_ns = MAX_OF(to->latency_p50_ns, from->latency_p50_ns);
	to->latency_p90_ns = MAX_OF(to->latency_p90_ns, from->latency_p90_ns);
	to->latency_p99_ns = MAX_OF(to->latency_p99_ns, from->latency_p99_ns);
	to->latency_max_ns = MAX_OF(to->latency_max_ns, from->latency_max_ns);
}

/* The same time of another load. */
static void
add_interval(struct load_interval *to, const struct load_interval *from)
{
	to->start_ns = to->end_ns == 0 ? from->start_ns : MIN_OF(to->start_ns, from->start_ns);
	to->end_ns = MAX_OF(to->end_ns, from->end_ns);
	to->measured &= from->measured;
	load_counts_add(&to->counts, &from->counts);
	to->open += from->open;
	to->backlog += from->backlog;
	raise_latencies(to, from);
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

/* false: nothing of it is there any more. */
static bool
merge(struct bench_series *s, uint32_t number, struct load_interval *ret)
{
	bool any = false, exact = s->parts > 1;
	struct load_interval one;
	uint32_t i;

	*ret = (struct load_interval){.measured = true};
	histogram_reset(&s->all);
	for (i = 0; i < s->parts; i++) {
		enum piece piece = take_piece(&s->part[i], number, &one);

		s->lost |= piece == PIECE_LOST;
		if (piece != PIECE_THERE)
			continue;
		any = true;
		add_interval(ret, &one);
		exact = exact && add_latencies(s, s->part[i].load, number);
	}
	if (!exact)
		return any;
	ret->latency_p50_ns = histogram_percentile(&s->all, 50);
	ret->latency_p90_ns = histogram_percentile(&s->all, 90);
	ret->latency_p99_ns = histogram_percentile(&s->all, 99);
	ret->latency_max_ns = s->all.max;
	return any;
}

/* -- All intervals, in bounded memory. -- */

/* The time after it, of the same loads. */
static void
append_interval(struct load_interval *to, const struct load_interval *from)
{
	to->end_ns = from->end_ns;
	to->measured &= from->measured;
	load_counts_add(&to->counts, &from->counts);
	to->open = from->open;
	to->backlog = from->backlog;
	raise_latencies(to, from);
}

/* Pairs become one; of an odd number the last has no partner yet. */
static void
join_pairs(struct bench_series *s)
{
	uint32_t i;

	for (i = 0; i < s->kept_count; i++) {
		if (i % 2 == 0)
			s->kept[i / 2] = s->kept[i];
		else
			append_interval(&s->kept[i / 2], &s->kept[i]);
	}
	s->last_joined = s->kept_count % 2 == 0 ? 2 * s->joined : s->joined;
	s->kept_count = (s->kept_count + 1) / 2;
	s->joined *= 2;
}

static void
keep(struct bench_series *s, const struct load_interval *interval)
{
	if (s->kept_max == 0)
		return;
	if (s->kept_count == s->kept_max && s->last_joined == s->joined)
		join_pairs(s);
	if (s->kept_count > 0 && s->last_joined < s->joined) {
		append_interval(&s->kept[s->kept_count - 1], interval);
		s->last_joined++;
		return;
	}
	s->kept[s->kept_count++] = *interval;
	s->last_joined = 1;
}

/* -- The interface. -- */

bool
bench_series_next(struct bench_series *s, struct load_interval *ret)
{
	do {
		if (!is_complete(s, s->next))
			return false;
	} while (!merge(s, s->next++, ret));
	load_counts_add(&s->live.total, &ret->counts);
	s->live.last = *ret;
	snapshot_publish(s->published, &s->live);
	keep(s, ret);
	return true;
}

bool
bench_series_live(const struct bench_series *s, struct bench_series_live *ret)
{
	return snapshot_read(s->published, ret);
}

const struct load_interval *
bench_series_kept(const struct bench_series *s, uint32_t *ret_count, uint32_t *ret_joined)
{
	*ret_count = s->kept_count;
	*ret_joined = s->joined;
	return s->kept;
}

bool
bench_series_has_lost(const struct bench_series *s)
{
	return s->lost;
}
