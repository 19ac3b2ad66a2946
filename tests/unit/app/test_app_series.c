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

static uint32_t
count_of(const struct bench_series *s)
{
	uint32_t count;

	(void)bench_series_get(s, &count);
	return count;
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
	bench_series_update(s);
	assert_int_equal(count_of(s), 0); /* of b nothing has ended */
	lf_run(b, 55 * NS_PER_MS);
	bench_series_update(s);
	all = bench_series_get(s, &count);
	of_a = load_intervals(a->load, &i);
	of_b = load_intervals(b->load, &i);
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
	bench_series_update(s);
	assert_int_equal(count_of(s), 4); /* a may have more, for all that is known */
	bench_series_over(s, 0);
	bench_series_update(s);
	bench_series_over(s, 1);
	bench_series_update(s);
	all = bench_series_get(s, &count);
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
	bench_series_update(s);
	all = bench_series_get(s, &count);
	of_b = load_intervals(b->load, &i);
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
	uint32_t count, own;

	lf_start(a);
	load = a->load;
	s = bench_series_create(&load, 1, 1000);
	lf_run(a, 50 * NS_PER_MS);
	bench_series_update(s);
	assert_ptr_equal(bench_series_get(s, &count), load_intervals(a->load, &own));
	assert_int_equal(count, own);
	bench_series_destroy(s);
	lf_end(a);
	bench_series_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_series_of_two_adds_counts_and_merges_latencies),
		T(test_series_goes_on_when_one_load_is_over),
		T(test_series_merged_too_late_tells_upper_bounds),
		T(test_series_of_one_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
