/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_series.h"
#include "load_fixture.h"

/* The time series of several workers' loads, which run one after the other here: each in its own virtual
 * time, which begins at the same moment. */

#define INTERVAL_NS (10 * NS_PER_MS)

/* A worker whose server answers after so long; it is not started. */
static struct lf *
worker_new(uint64_t response_ns, uint32_t connections)
{
	struct lf *f = lf_new();

	f->cfg.connections = connections;
	f->cfg.interval_ns = INTERVAL_NS;
	f->cfg.interval_histograms = BENCH_SERIES_HISTOGRAMS;
	f->cfg.intervals_max = 1000;
	f->server.response_ns = response_ns;
	return f;
}

static struct bench_series *
series_of(struct lf *a, struct lf *b)
{
	struct load *const loads[] = {a->load, b->load};
	struct bench_series *s = bench_series_create(loads, 2, 1000);

	assert_non_null(s);
	return s;
}

static const struct load_interval *
kept_of(const struct bench_series *s, uint32_t *ret_count)
{
	uint32_t joined;

	return bench_series_kept(s, ret_count, &joined);
}

static uint32_t
count_of(const struct bench_series *s)
{
	uint32_t count;

	(void)kept_of(s, &count);
	return count;
}

static void
update(struct bench_series *s)
{
	struct load_interval interval;

	while (bench_series_next(s, &interval))
		;
}

TEST(test_series_of_two_adds_counts_and_merges_latencies)
{
	struct lf *a = worker_new(100 * NS_PER_US, 1), *b = worker_new(NS_PER_MS, 9);
	const struct load_interval *of_a, *of_b, *all;
	struct bench_series *s;
	struct histogram both;
	uint32_t count, i;

	lf_start(a);
	lf_start(b);
	s = series_of(a, b);
	lf_run(a, 100 * NS_PER_MS);
	update(s);
	assert_int_equal(count_of(s), 0); /* of b nothing has ended */
	lf_run(b, 55 * NS_PER_MS);
	update(s);
	all = kept_of(s, &count);
	of_a = lf_series(a, &i);
	of_b = lf_series(b, &i);
	assert_int_equal(count, 5);
	for (i = 0; i < count; i++) {
		assert_int_equal(all[i].start_ns, LF_START + i * INTERVAL_NS);
		assert_int_equal(all[i].end_ns, LF_START + (i + 1) * INTERVAL_NS);
		assert_int_equal(all[i].counts.responses,
			of_a[i].counts.responses + of_b[i].counts.responses);
		assert_int_equal(all[i].counts.body_bytes,
			of_a[i].counts.body_bytes + of_b[i].counts.body_bytes);
		assert_int_equal(all[i].open, of_a[i].open + of_b[i].open);
		assert_true(all[i].measured);
		histogram_reset(&both);
		histogram_merge(&both, load_interval_histogram(a->load, i));
		histogram_merge(&both, load_interval_histogram(b->load, i));
		assert_int_equal(all[i].latency_p50_ns, histogram_percentile(&both, 50));
		assert_int_equal(all[i].latency_p90_ns, histogram_percentile(&both, 90));
		assert_int_equal(all[i].latency_p99_ns, histogram_percentile(&both, 99));
		assert_int_equal(all[i].latency_max_ns, both.max);
	}
	/* Each has its half of the responses, one ten times as fast: neither's median is that of both. */
	assert_true(all[1].latency_p90_ns > of_a[1].latency_p90_ns);
	assert_true(all[1].latency_p50_ns < of_b[1].latency_p50_ns);
	bench_series_destroy(s);
	lf_run_to_end(a);
	lf_run_to_end(b);
	lf_end(a);
	lf_end(b);
}

/* One ends early: the other's intervals go on, and nothing is lost. */
TEST(test_series_goes_on_when_one_load_is_over)
{
	struct lf *a = worker_new(100 * NS_PER_US, 2), *b = worker_new(100 * NS_PER_US, 2);
	const struct load_interval *all;
	struct bench_series *s;
	struct load_counts sum = {0}, expected;
	uint32_t count, i;

	a->cfg.duration_ns = 35 * NS_PER_MS;
	b->cfg.duration_ns = 95 * NS_PER_MS;
	lf_start(a);
	lf_start(b);
	s = series_of(a, b);
	lf_run_to_end(a);
	lf_run_to_end(b);
	update(s);
	assert_int_equal(count_of(s), 4); /* a may have more, for all that is known */
	bench_series_over(s, 0);
	update(s);
	bench_series_over(s, 1);
	update(s);
	all = kept_of(s, &count);
	assert_int_equal(count, 10);
	for (i = 0; i < count; i++)
		load_counts_add(&sum, &all[i].counts);
	lf_sum(a, &expected);
	load_counts_add(&expected, &load_stats(b->load)->counts);
	assert_int_equal(sum.responses, expected.responses);
	assert_int_equal(sum.requests, expected.requests);
	bench_series_destroy(s);
	lf_end(a);
	lf_end(b);
}

/* Merged so late that the first intervals' latencies are gone: bounds from above. */
TEST(test_series_merged_too_late_tells_upper_bounds)
{
	struct lf *a = worker_new(100 * NS_PER_US, 1), *b = worker_new(NS_PER_MS, 9);
	const struct load_interval *of_b, *all;
	struct bench_series *s;
	uint32_t count, i;

	lf_start(a);
	lf_start(b);
	s = series_of(a, b);
	lf_run(a, (BENCH_SERIES_HISTOGRAMS + 10) * INTERVAL_NS);
	lf_run(b, (BENCH_SERIES_HISTOGRAMS + 10) * INTERVAL_NS);
	assert_null(load_interval_histogram(b->load, 0));
	update(s);
	all = kept_of(s, &count);
	of_b = lf_series(b, &i);
	assert_int_equal(count, BENCH_SERIES_HISTOGRAMS + 10);
	assert_int_equal(all[0].latency_p50_ns, of_b[0].latency_p50_ns);
	assert_true(all[count - 1].latency_p50_ns < of_b[count - 1].latency_p50_ns);
	bench_series_destroy(s);
	lf_end(a);
	lf_end(b);
}

TEST(test_series_of_one_is_its_own)
{
	struct lf *a = worker_new(100 * NS_PER_US, 1);
	struct load *load;
	struct bench_series *s;
	const struct load_interval *of_a, *all;
	uint32_t count, own;

	lf_start(a);
	load = a->load;
	s = bench_series_create(&load, 1, 1000);
	lf_run(a, 50 * NS_PER_MS);
	update(s);
	all = kept_of(s, &count);
	of_a = lf_series(a, &own);
	assert_int_equal(count, 5);
	assert_int_equal(own, 5);
	assert_memory_equal(all, of_a, 5 * sizeof(*all));
	bench_series_destroy(s);
	lf_end(a);
	bench_series_destroy(NULL);
}

/* What is kept covers all of the time, without gaps, and adds up; each is joined of as many but the last. */
static void
check_kept(const struct bench_series *s, uint32_t taken, const struct load_interval *last)
{
	const struct load_interval *kept;
	struct load_counts sum = {0};
	struct bench_series_live live;
	uint32_t i, count, joined;
	uint64_t step_ns;

	kept = bench_series_kept(s, &count, &joined);
	step_ns = joined * INTERVAL_NS;
	assert_int_equal(joined & (joined - 1), 0);
	assert_int_equal(count, (taken + joined - 1) / joined);
	for (i = 0; i < count; i++) {
		assert_int_equal(kept[i].start_ns, LF_START + i * step_ns);
		assert_int_equal(
			kept[i].end_ns, i + 1 < count ? kept[i].start_ns + step_ns : last->end_ns);
		assert_true(kept[i].latency_p50_ns <= kept[i].latency_max_ns);
		load_counts_add(&sum, &kept[i].counts);
	}
	assert_true(bench_series_live(s, &live));
	assert_memory_equal(&live.total, &sum, sizeof(sum));
	assert_memory_equal(&live.last, last, sizeof(*last));
	assert_false(bench_series_has_lost(s));
}

/* What is live goes on however long the load is; what is kept gets coarser. */
TEST(test_series_longer_than_its_room_joins_neighbours)
{
	static const uint32_t rooms[] = {1, 2, 7, 8, 150};
	struct load_interval one;
	size_t r;

	for (r = 0; r < sizeof(rooms) / sizeof(rooms[0]); r++) {
		struct lf *a = worker_new(100 * NS_PER_US, 1);
		struct bench_series *s;
		struct bench_series_live live;
		uint32_t taken = 0, count;

		a->cfg.intervals_max = 5; /* of the load: taken soon enough */
		lf_start(a);
		s = bench_series_create(&a->load, 1, rooms[r]);
		assert_false(bench_series_live(s, &live));
		while (!a->over) {
			lf_run(a, INTERVAL_NS);
			while (bench_series_next(s, &one)) {
				assert_int_equal(one.start_ns, LF_START + taken * INTERVAL_NS);
				check_kept(s, ++taken, &one);
			}
		}
		assert_int_equal(taken, 101);
		assert_in_range(kept_of(s, &count) != NULL ? count : 0, rooms[r] / 2, rooms[r]);
		bench_series_destroy(s);
		lf_end(a);
	}
}

TEST(test_series_that_keeps_nothing_is_live)
{
	struct lf *a = worker_new(100 * NS_PER_US, 1);
	struct bench_series_live live;
	struct bench_series *s;

	lf_start(a);
	s = bench_series_create(&a->load, 1, 0);
	lf_run(a, 50 * NS_PER_MS);
	update(s);
	assert_int_equal(count_of(s), 0);
	assert_true(bench_series_live(s, &live));
	assert_int_equal(live.last.start_ns, LF_START + 4 * INTERVAL_NS);
	bench_series_destroy(s);
	lf_end(a);
}

/* Who reads too late misses some, is told so, and goes on with those that are there. */
TEST(test_series_taken_too_late_has_lost_some)
{
	struct lf *a = worker_new(100 * NS_PER_US, 1);
	const struct load_interval *kept;
	struct bench_series *s;
	uint32_t count;

	a->cfg.intervals_max = 5;
	lf_start(a);
	s = bench_series_create(&a->load, 1, 1000);
	lf_run(a, 200 * NS_PER_MS);
	assert_false(bench_series_has_lost(s));
	update(s);
	kept = kept_of(s, &count);
	assert_int_equal(count, 5);
	assert_int_equal(kept[0].start_ns, LF_START + 15 * INTERVAL_NS);
	assert_true(bench_series_has_lost(s));
	lf_run(a, 10 * NS_PER_MS);
	update(s);
	assert_int_equal(count_of(s), 6);
	bench_series_destroy(s);
	lf_end(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_series_of_two_adds_counts_and_merges_latencies),
		T(test_series_goes_on_when_one_load_is_over),
		T(test_series_merged_too_late_tells_upper_bounds),
		T(test_series_of_one_is_its_own),
		T(test_series_longer_than_its_room_joins_neighbours),
		T(test_series_that_keeps_nothing_is_live),
		T(test_series_taken_too_late_has_lost_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
