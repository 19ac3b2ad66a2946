/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"

/* Closed loop, phases, limits. */

TEST(test_closed_one_connection_asks_after_each_response)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->server.response_ns = NS_PER_MS;
	s = lf_run_all(f);
	/* 1 ms each; the first after the connection's 10 us. */
	assert_in_range(s->counts.requests, 999, 1000);
	assert_int_equal(s->counts.responses, s->counts.requests);
	assert_int_equal(s->counts.status[2], s->counts.responses);
	assert_int_equal(lf_request_errors(&s->counts), 0);
	assert_int_equal(s->unanswered, 0);
	assert_int_equal(s->counts.connects, 1);
	assert_int_equal(s->counts.connected, 1);
	assert_int_equal(s->counts.disconnects, 0);
	assert_int_equal(s->open_max, 1);
	assert_int_equal(s->counts.request_bytes, s->counts.requests * f->target[0].request_len);
	assert_in_range(s->latency.min, NS_PER_MS, NS_PER_MS + 200);
	assert_in_range(s->latency.max, NS_PER_MS, NS_PER_MS + 200);
	assert_int_equal(s->latency.sum, s->service.sum);
	assert_in_range(s->connect.max, 10 * NS_PER_US, 10 * NS_PER_US + 200);
	assert_int_equal(s->end_ns - s->start_ns, NS_PER_SEC);
	assert_int_equal(f->server.live_max, 1);
	assert_int_equal(f->server.aborts, 0);
	lf_end(f);
}

TEST(test_closed_body_and_header_bytes_are_counted)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	s = lf_run_all(f);
	assert_int_equal(s->counts.body_bytes, 50);
	assert_int_equal(s->counts.header_bytes, 10 * (strlen(SERVER_OK) - 5));
	lf_end(f);
}

TEST(test_closed_many_connections_are_kept_open)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 50;
	f->server.response_ns = NS_PER_MS;
	s = lf_run_all(f);
	assert_int_equal(f->server.live_max, 50);
	assert_int_equal(s->counts.connects, 50);
	assert_int_equal(s->open_max, 50);
	assert_in_range(s->counts.requests, 49900, 50000);
	lf_end(f);
}

TEST(test_requests_max_is_met_exactly)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 7;
	f->cfg.pipeline = 3;
	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = TIME_NEVER;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 1000);
	assert_int_equal(s->counts.responses, 1000);
	assert_int_equal(f->server.requests, 1000);
	assert_int_equal(s->end_ns, f->now_ns);
	lf_end(f);
}

TEST(test_requests_max_after_warmup_counts_measured_ones_only)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 3;
	f->cfg.warmup_ns = 100 * NS_PER_MS;
	f->cfg.requests_max = 500;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 500);
	assert_true(f->server.requests > 1500);
	assert_int_equal(s->start_ns, LF_START + 100 * NS_PER_MS);
	lf_end(f);
}

TEST(test_duration_before_requests_max_ends_it)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 1000000;
	f->cfg.duration_ns = 10 * NS_PER_MS;
	s = lf_run_all(f);
	assert_in_range(s->counts.requests, 90, 100);
	assert_int_equal(s->end_ns - s->start_ns, 10 * NS_PER_MS);
	lf_end(f);
}

static uint64_t
opened_before(const struct lf *f, uint64_t at_ns)
{
	const struct server_conn *c;
	uint64_t n = 0;

	for (c = f->server.conns; c != NULL; c = c->next)
		n += c->opened_ns < at_ns;
	return n;
}

TEST(test_ramp_opens_connections_evenly)
{
	struct lf *f = lf_new();
	uint32_t i;

	f->cfg.connections = 1000;
	f->cfg.ramp_ns = 10 * NS_PER_SEC;
	f->cfg.warmup_ns = NS_PER_SEC;
	f->server.response_ns = NS_PER_SEC;
	lf_start(f);
	lf_run(f, NS_PER_SEC / 2);
	assert_int_equal(load_phase(f->load), LOAD_RAMP);
	lf_run(f, 10 * NS_PER_SEC);
	assert_int_equal(load_phase(f->load), LOAD_WARMUP);
	assert_int_equal(f->server.connects, 1000);
	for (i = 1; i <= 100; i++)
		assert_in_range(opened_before(f, LF_START + i * 100 * NS_PER_MS + 1000), 10 * i,
			10 * i + 1);
	lf_run(f, NS_PER_SEC);
	assert_int_equal(load_phase(f->load), LOAD_MEASURE);
	assert_int_equal(load_stats(f->load)->start_ns, LF_START + 11 * NS_PER_SEC);
	lf_run(f, NS_PER_SEC / 2 + 1);
	assert_int_equal(load_phase(f->load), LOAD_DRAIN);
	lf_run_to_end(f);
	lf_end(f);
}

TEST(test_warmup_requests_are_not_measured)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	struct load_counts all;

	f->cfg.warmup_ns = NS_PER_SEC;
	f->server.response_ns = 300 * NS_PER_MS;
	s = lf_run_all(f);
	/* At 0, 300, 600, 900 and then, measured, at 1,200, 1,500 and 1,800 ms. */
	assert_int_equal(f->server.requests, 7);
	assert_int_equal(s->counts.requests, 3);
	assert_int_equal(s->counts.responses, 3);
	/* The connection was made in the warm-up; bytes count by when they come, which for the last
	 * response is in the drain. */
	assert_int_equal(s->counts.connects, 0);
	assert_int_equal(s->connect.count, 0);
	assert_int_equal(s->open_max, 1);
	assert_int_equal(s->counts.body_bytes, 15);
	lf_sum(f, &all);
	assert_int_equal(all.responses, 7);
	assert_int_equal(all.connected, 1);
	assert_int_equal(all.body_bytes, 35);
	lf_end(f);
}

static void
answer_never(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)s, (void)c, (void)number, (void)head;
}

TEST(test_drain_over_counts_unanswered)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 5;
	f->cfg.pipeline = 2;
	f->server.on_request = answer_never;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 10);
	assert_int_equal(s->unanswered, 10);
	assert_int_equal(f->now_ns, LF_START + 3 * NS_PER_SEC);
	assert_int_equal(s->end_ns, LF_START + NS_PER_SEC);
	assert_int_equal(f->server.aborts, 5);
	lf_end(f);
}

TEST(test_drain_waits_for_late_responses)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->server.response_ns = 1500 * NS_PER_MS;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 1);
	assert_int_equal(s->counts.responses, 1);
	assert_int_equal(s->unanswered, 0);
	assert_in_range(f->now_ns - LF_START, 1500 * NS_PER_MS, 1501 * NS_PER_MS);
	lf_end(f);
}

TEST(test_stop_drains_and_second_stop_ends)
{
	struct lf *f = lf_new();

	f->cfg.connections = 4;
	f->server.on_request = answer_never;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	load_stop(f->load, f->now_ns);
	assert_int_equal(load_phase(f->load), LOAD_DRAIN);
	assert_int_equal(load_stats(f->load)->end_ns, LF_START + 100 * NS_PER_MS);
	lf_run(f, 100 * NS_PER_MS);
	assert_false(f->over);
	assert_int_equal(f->server.live, 4);
	load_stop(f->load, f->now_ns);
	assert_int_equal(load_phase(f->load), LOAD_OVER);
	assert_int_equal(f->server.live, 0);
	load_stop(f->load, f->now_ns); /* harmless */
	lf_run_to_end(f);
	assert_int_equal(load_stats(f->load)->unanswered, 4);
	lf_end(f);
}

/* All at once the servers' answers would overrun the port. */
TEST(test_end_closes_a_few_connections_a_poll_after_the_statistics_are_final)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	uint32_t intervals, live, polls = 0;
	bool over = false;

	f->cfg.connections = 1000;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	assert_int_equal(f->server.live, 1000);
	load_stop(f->load, f->now_ns);
	load_stop(f->load, f->now_ns);
	assert_int_equal(load_phase(f->load), LOAD_CLOSE);
	s = load_stats(f->load);
	lf_series(f, &intervals);
	assert_int_not_equal(s->end_ns, 0);
	while (!over) {
		live = f->server.live;
		load_stop(f->load, f->now_ns); /* Ctrl-C once more: harmless */
		assert_true(load_deadline(f->load) <= f->now_ns);
		over = load_poll(f->load, f->now_ns);
		assert_in_range(live - f->server.live, 1, 16);
		polls++;
	}
	assert_int_equal(polls, 62); /* and one that began it */
	f->over = over;
	lf_run_to_end(f);
	lf_series(f, &polls);
	assert_int_equal(polls, intervals);
	lf_end(f);
}

TEST(test_stop_in_warmup_leaves_no_measured_time)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.warmup_ns = NS_PER_SEC;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	load_stop(f->load, f->now_ns);
	s = lf_run_to_end(f);
	assert_true(s->start_ns == 0 && s->end_ns == 0);
	assert_int_equal(s->counts.requests, 0);
	assert_true(f->server.requests > 0);
	assert_in_range(f->now_ns - LF_START, 100 * NS_PER_MS, 101 * NS_PER_MS);
	lf_end(f);
}

TEST(test_stop_before_start_does_nothing)
{
	struct lf *f = lf_new();

	f->load = load_create(&f->cfg);
	load_stop(f->load, f->now_ns);
	assert_int_equal(load_phase(f->load), LOAD_IDLE);
	load_start(f->load, f->now_ns);
	assert_int_equal(lf_run_to_end(f)->end_ns, LF_START + NS_PER_SEC);
	lf_end(f);
}

TEST(test_destroy_under_way_resets_connections)
{
	struct lf *f = lf_new();

	f->cfg.connections = 3;
	lf_start(f);
	lf_run(f, 10 * NS_PER_MS);
	assert_int_equal(f->server.live, 3);
	load_destroy(f->load);
	f->load = NULL;
	assert_int_equal(f->server.aborts, 3);
	lf_end(f);
}

TEST(test_late_poll_keeps_the_phases_times)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.ramp_ns = f->cfg.warmup_ns = 100 * NS_PER_MS;
	lf_start(f);
	lf_run(f, 50 * NS_PER_MS);
	f->now_ns += 5 * NS_PER_SEC; /* nobody polls */
	s = lf_run_to_end(f);
	assert_int_equal(s->start_ns, LF_START + 200 * NS_PER_MS);
	assert_int_equal(s->end_ns, LF_START + 1200 * NS_PER_MS);
	lf_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_closed_one_connection_asks_after_each_response),
		T(test_closed_body_and_header_bytes_are_counted),
		T(test_closed_many_connections_are_kept_open),
		T(test_requests_max_is_met_exactly),
		T(test_requests_max_after_warmup_counts_measured_ones_only),
		T(test_duration_before_requests_max_ends_it),
		T(test_ramp_opens_connections_evenly),
		T(test_warmup_requests_are_not_measured),
		T(test_drain_over_counts_unanswered),
		T(test_drain_waits_for_late_responses),
		T(test_stop_drains_and_second_stop_ends),
		T(test_end_closes_a_few_connections_a_poll_after_the_statistics_are_final),
		T(test_stop_in_warmup_leaves_no_measured_time),
		T(test_stop_before_start_does_nothing),
		T(test_destroy_under_way_resets_connections),
		T(test_late_poll_keeps_the_phases_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
