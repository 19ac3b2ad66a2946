/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>

#include "load_fixture.h"

/* What is reported, and what is refused. */

static void
mishap(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	if (number % 5 == 4)
		server_fin(c, s->response_ns);
	else if (number % 7 == 6)
		server_reset(c, s->response_ns, -ECONNRESET);
	else
		server_say(c, s->response_ns, SERVER_OK);
}

TEST(test_intervals_sum_up_to_the_totals)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	const struct load_interval *series;
	struct load_counts sum;
	uint32_t n, i;

	f->cfg.connections = 5;
	f->cfg.pipeline = 2;
	f->cfg.interval_ns = 7 * NS_PER_MS;
	f->cfg.requests_max = 20000;
	f->cfg.duration_ns = TIME_NEVER;
	f->server.on_request = mishap;
	s = lf_run_all(f);
	lf_sum(f, &sum);
	assert_memory_equal(&sum, &s->counts, sizeof(sum));
	series = lf_series(f, &n);
	assert_true(n > 10);
	for (i = 0; i < n; i++) {
		assert_int_equal(series[i].start_ns, LF_START + i * 7 * NS_PER_MS);
		assert_int_equal(series[i].end_ns,
			i + 1 < n ? series[i].start_ns + 7 * NS_PER_MS : f->now_ns);
		assert_true(series[i].measured);
		assert_in_range(series[i].open, 0, 5);
		assert_in_range(series[i].latency_p50_ns, 100 * NS_PER_US, 350 * NS_PER_US);
		assert_true(series[i].latency_p50_ns <= series[i].latency_p90_ns);
		assert_true(series[i].latency_p90_ns <= series[i].latency_p99_ns);
		assert_true(series[i].latency_p99_ns <= series[i].latency_max_ns);
	}
	lf_end(f);
}

TEST(test_intervals_tell_what_is_measured)
{
	struct lf *f = lf_new();
	const struct load_interval *series;
	uint32_t n, i;

	f->cfg.ramp_ns = 100 * NS_PER_MS;
	f->cfg.warmup_ns = 150 * NS_PER_MS;
	f->cfg.duration_ns = 500 * NS_PER_MS;
	f->cfg.interval_ns = 100 * NS_PER_MS;
	f->server.response_ns = NS_PER_MS;
	lf_run_all(f);
	series = lf_series(f, &n);
	assert_in_range(n, 8, 8); /* 250 to 750 ms are measured */
	for (i = 0; i < n; i++)
		assert_int_equal(series[i].measured, i >= 3 && i <= 6);
	assert_int_equal(series[7].end_ns, f->now_ns);
	lf_end(f);
}

/* However many have ended, the last ones are there, and the series goes on. */
TEST(test_intervals_beyond_the_room_take_the_place_of_the_first)
{
	struct lf *f = lf_new();
	struct load_interval one;
	uint32_t n, i;

	f->cfg.interval_ns = NS_PER_MS;
	f->cfg.intervals_max = 10;
	lf_start(f);
	lf_run(f, 500 * NS_PER_MS);
	n = load_intervals(f->load);
	assert_int_equal(n, 500);
	for (i = 0; i < n + 3; i++) {
		int rc = load_interval_copy(f->load, i, &one);

		assert_int_equal(rc, i >= n ? -EAGAIN : i < n - 10 ? -ENOENT : 0);
		if (rc == 0)
			assert_int_equal(one.start_ns, LF_START + i * NS_PER_MS);
	}
	lf_run_to_end(f);
	assert_int_equal(load_intervals(f->load), 1001);
	lf_end(f);
}

TEST(test_intervals_are_none_where_none_are_asked_for)
{
	struct lf *f;
	uint32_t n;

	f = lf_new();
	f->cfg.interval_ns = 0;
	lf_run_all(f);
	(void)lf_series(f, &n);
	assert_int_equal(n, 0);
	lf_end(f);

	f = lf_new();
	f->cfg.intervals_max = 0;
	lf_run_all(f);
	(void)lf_series(f, &n);
	assert_int_equal(n, 0);
	lf_end(f);
}

/* The last eight have all their latencies, from which their percentiles are; others have none. */
TEST(test_intervals_keep_the_latencies_of_the_last_ones)
{
	struct lf *f = lf_new();
	const struct load_interval *series;
	const struct histogram *h;
	uint32_t n, i;

	f->cfg.connections = 5;
	f->cfg.interval_ns = 7 * NS_PER_MS;
	f->cfg.interval_histograms = 8;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	series = lf_series(f, &n);
	assert_int_equal(n, 14);
	for (i = 0; i < n + 3; i++) {
		h = load_interval_histogram(f->load, i);
		if (i < 6 || i >= n) {
			assert_null(h);
			continue;
		}
		assert_int_equal(h->count, series[i].counts.responses);
		assert_int_equal(histogram_percentile(h, 99), series[i].latency_p99_ns);
	}
	lf_run_to_end(f);
	lf_end(f);
}

TEST(test_intervals_keep_no_latencies_unless_asked)
{
	struct lf *f = lf_new();

	f->cfg.interval_ns = 7 * NS_PER_MS;
	lf_run_all(f);
	assert_null(load_interval_histogram(f->load, 0));
	lf_end(f);
	f = lf_new();
	f->cfg.interval_histograms = LOAD_INTERVAL_HISTOGRAMS_MAX + 1;
	assert_null(load_create(&f->cfg));
	lf_end(f);
}

TEST(test_intervals_are_published_while_it_runs)
{
	struct lf *f = lf_new();
	uint32_t n, i;

	f->cfg.interval_ns = 10 * NS_PER_MS;
	lf_start(f);
	for (i = 0; i < 50; i++) {
		lf_run(f, 10 * NS_PER_MS);
		assert_int_equal(lf_series(f, &n)[i].end_ns, f->now_ns);
		assert_int_equal(n, i + 1);
	}
	lf_run_to_end(f);
	lf_end(f);
}

TEST(test_merge_adds_up)
{
	struct lf *f = lf_new(), *g = lf_new();
	struct load_stats *sum = malloc(sizeof(*sum));
	const struct load_stats *a, *b;

	assert_non_null(sum);
	f->cfg.rate = 100;
	f->server.response_ns = 20 * NS_PER_MS;
	f->server.on_request = mishap;
	g->cfg.connections = 3;
	g->now_ns = LF_START + 500 * NS_PER_MS;
	g->cfg.duration_ns = 2 * NS_PER_SEC;
	a = lf_run_all(f);
	b = lf_run_all(g);
	*sum = *a;
	load_stats_merge(sum, b);
	assert_int_equal(sum->start_ns, LF_START);
	assert_int_equal(sum->end_ns, LF_START + 2500 * NS_PER_MS);
	assert_int_equal(sum->counts.requests, a->counts.requests + b->counts.requests);
	assert_int_equal(sum->counts.responses, a->counts.responses + b->counts.responses);
	assert_int_equal(sum->counts.status[2], a->counts.status[2] + b->counts.status[2]);
	assert_int_equal(sum->counts.disconnects, a->counts.disconnects);
	assert_true(a->counts.disconnects > 0 && a->unsent > 0);
	assert_int_equal(sum->unsent, a->unsent);
	assert_int_equal(sum->open_max, 4);
	assert_int_equal(sum->latency.count, a->latency.count + b->latency.count);
	assert_int_equal(sum->latency.max, a->latency.max);
	assert_int_equal(sum->latency.min, b->latency.min);
	assert_int_equal(sum->service.sum, a->service.sum + b->service.sum);
	assert_int_equal(sum->connect.count, a->connect.count + b->connect.count);
	assert_int_equal(sum->first_byte.count, sum->counts.responses);
	free(sum);
	lf_end(f);
	lf_end(g);
}

/* Each count is added, and only once: the sum of two structs of which each field differs. */
TEST(test_counts_add_adds_every_field)
{
	struct load_counts a, b, sum;
	uint64_t *from = (uint64_t *)&a, *to = (uint64_t *)&b, *is = (uint64_t *)&sum;
	size_t i, n = sizeof(a) / sizeof(uint64_t);

	for (i = 0; i < n; i++) {
		from[i] = i + 1;
		to[i] = 1000 * (i + 1);
	}
	sum = b;
	load_counts_add(&sum, &a);
	for (i = 0; i < n; i++)
		assert_int_equal(is[i], 1001 * (i + 1));
}

TEST(test_merge_into_the_stats_of_none_is_the_other)
{
	struct lf *f = lf_new(), *g = lf_new();
	struct load_stats *sum = malloc(sizeof(*sum));

	assert_non_null(sum);
	f->load = load_create(&f->cfg); /* never started: all zero */
	*sum = *load_stats(f->load);
	load_stats_merge(sum, lf_run_all(g));
	assert_memory_equal(sum, load_stats(g->load), sizeof(*sum));
	free(sum);
	lf_end(f);
	lf_end(g);
}

TEST(test_error_names_are_distinct)
{
	uint32_t i, j;

	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(load_error_name((enum load_error)i),
				load_error_name((enum load_error)j));
	assert_string_equal(load_error_name(LOAD_ERROR_CONNECT), "connect");
}

static void
expect_refused(const struct lf *f, const struct load_config *cfg)
{
	(void)f;
	assert_null(load_create(cfg));
}

TEST(test_create_out_of_range_is_refused)
{
	struct lf *f = lf_new();
	struct load_config cfg;

#define REFUSED(field, value)            \
	do {                             \
		cfg = f->cfg;            \
		cfg.field = (value);     \
		expect_refused(f, &cfg); \
	} while (0)
	REFUSED(targets, 0);
	REFUSED(target, NULL);
	REFUSED(connections, 0);
	REFUSED(connections, LOAD_CONNECTIONS_MAX + 1);
	REFUSED(pipeline, 0);
	REFUSED(pipeline, LOAD_PIPELINE_MAX + 1);
	REFUSED(rate, -1);
	REFUSED(rate, 1e300);
	REFUSED(rate, 0.0 / 0.0);
	REFUSED(duration_ns, 0);
	REFUSED(transport.ops, NULL);
#undef REFUSED
	f->target[0].weight = 0;
	expect_refused(f, &f->cfg);
	f->target[0].weight = 1;
	f->target[0].request_len = 0;
	expect_refused(f, &f->cfg);
	f->target[0].request_len = 10;
	f->target[0].remote.family = 0;
	expect_refused(f, &f->cfg);
	lf_end(f);
}

TEST(test_defaults_are_as_documented)
{
	struct load_config cfg;

	memset(&cfg, 0xff, sizeof(cfg));
	load_config_defaults(&cfg);
	assert_int_equal(cfg.connections, 1);
	assert_int_equal(cfg.pipeline, 1);
	assert_int_equal(cfg.duration_ns, 10 * NS_PER_SEC);
	assert_int_equal(cfg.interval_ns, NS_PER_SEC);
	assert_int_equal(cfg.intervals_max, 86400);
	assert_int_equal(cfg.drain_ns, 2 * NS_PER_SEC);
	assert_int_equal(cfg.silence_ns, 30 * NS_PER_SEC);
	assert_int_equal(cfg.request_timeout_ns, 30 * NS_PER_SEC);
	assert_int_equal(cfg.limits.header_bytes_max, 32768);
	assert_true(cfg.rate == 0 && cfg.requests_max == 0 && cfg.ramp_ns == 0);
}

TEST(test_times_never_are_none)
{
	struct lf *f = lf_new();

	f->cfg.connect_timeout_ns = f->cfg.request_timeout_ns = TIME_NEVER;
	f->cfg.drain_ns = f->cfg.duration_ns = f->cfg.silence_ns = TIME_NEVER;
	f->server.response_ns = 100 * NS_PER_SEC;
	f->server.connect_ns = 100 * NS_PER_SEC;
	f->cfg.requests_max = 3;
	assert_int_equal(lf_run_all(f)->counts.responses, 3);
	lf_end(f);
}

TEST(test_bytes_per_connection_grow_with_the_pipeline)
{
	struct lf *f = lf_new();
	uint64_t one = load_bytes_per_connection(&f->cfg);

	f->cfg.pipeline = 64;
	assert_in_range(load_bytes_per_connection(&f->cfg) - one, 63 * 32, 63 * 64);
	assert_in_range(one, 256, 4096);
	lf_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_intervals_sum_up_to_the_totals),
		T(test_intervals_tell_what_is_measured),
		T(test_intervals_beyond_the_room_take_the_place_of_the_first),
		T(test_intervals_are_none_where_none_are_asked_for),
		T(test_intervals_keep_the_latencies_of_the_last_ones),
		T(test_intervals_keep_no_latencies_unless_asked),
		T(test_intervals_are_published_while_it_runs),
		T(test_merge_adds_up),
		T(test_counts_add_adds_every_field),
		T(test_merge_into_the_stats_of_none_is_the_other),
		T(test_error_names_are_distinct),
		T(test_create_out_of_range_is_refused),
		T(test_defaults_are_as_documented),
		T(test_times_never_are_none),
		T(test_bytes_per_connection_grow_with_the_pipeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
