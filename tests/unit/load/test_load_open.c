/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"
#include "load_priv.h"

/* Open loop: the plan, and latency from it. */

TEST(test_open_sends_at_the_planned_rate)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	uint32_t n, i;
	const struct load_interval *series;

	f->cfg.connections = 10;
	f->cfg.rate = 1000;
	f->cfg.duration_ns = 10 * NS_PER_SEC;
	s = lf_run_all(f);
	assert_int_equal(s->counts.planned, 10000);
	assert_int_equal(s->counts.requests, 10000);
	assert_int_equal(s->counts.responses, 10000);
	assert_int_equal(s->unsent, 0);
	series = lf_series(f, &n);
	assert_true(n >= 10);
	for (i = 0; i < 10; i++) {
		assert_int_equal(series[i].counts.planned, 1000);
		assert_int_equal(series[i].backlog, 0);
		assert_true(series[i].measured);
	}
	lf_end(f);
}

TEST(test_open_uses_connections_in_turn)
{
	struct lf *f = lf_new();
	const struct server_conn *c;

	f->cfg.connections = 10;
	f->cfg.rate = 1000;
	lf_run_all(f);
	for (c = f->server.conns; c != NULL; c = c->next)
		assert_in_range(c->requests, 99, 101);
	lf_end(f);
}

TEST(test_open_rate_of_fractions_is_met_over_time)
{
	struct lf *f = lf_new();

	f->cfg.rate = 3.7;
	f->cfg.duration_ns = 100 * NS_PER_SEC;
	assert_int_equal(lf_run_all(f)->counts.planned, 370);
	lf_end(f);
}

#define SHARES 3U
#define SHOWN 50U

/* What a load with this share plans; when its first SHOWN requests are due, in ret. */
static uint64_t
plan_of(uint32_t share, uint32_t shares, uint64_t *ret)
{
	struct lf *f = lf_new();
	uint64_t planned;
	uint32_t n;

	f->cfg.rate = 100;
	f->cfg.ramp_ns = NS_PER_SEC / 2;
	f->cfg.duration_ns = 1005 * NS_PER_MS;
	f->cfg.share = share;
	f->cfg.shares = shares;
	planned = lf_run_all(f)->counts.planned;
	for (n = 0; n < SHOWN; n++)
		ret[n] = load_schedule_request_ns(f->load, n) - LF_START;
	lf_end(f);
	return planned;
}

/* Together they are what one load alone would send, at its times; in the ramp, too. */
TEST(test_open_shares_deal_out_one_schedule)
{
	uint64_t part[SHARES][SHOWN], whole[SHOWN], planned = 0;
	uint32_t i;

	for (i = 0; i < SHARES; i++)
		planned += plan_of(i, SHARES, part[i]);
	assert_int_equal(planned, plan_of(0, 1, whole));
	for (i = 0; i < SHOWN; i++)
		assert_int_equal(whole[i], part[i % SHARES][i / SHARES]);
}

#define STALL_FROM (LF_START + 4 * NS_PER_SEC)
#define STALL_UNTIL (LF_START + 5 * NS_PER_SEC)

static void
stall(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	uint64_t wait_ns =
		s->now_ns >= STALL_FROM && s->now_ns < STALL_UNTIL ? STALL_UNTIL - s->now_ns : 0;

	(void)number, (void)head;
	server_say(c, wait_ns + s->response_ns, SERVER_OK);
}

/* No coordinated omission: in one of ten seconds the server answers nothing. Of all requests a tenth
 * was planned in it, and waited for its end for 0..1 s, evenly. */
TEST(test_open_stalled_server_shows_in_all_planned_requests)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 10;
	f->cfg.rate = 1000;
	f->cfg.duration_ns = 10 * NS_PER_SEC;
	f->server.on_request = stall;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 10000);
	assert_true(histogram_percentile(&s->latency, 50) < NS_PER_MS);
	assert_true(histogram_percentile(&s->latency, 88) < 2 * NS_PER_MS);
	assert_in_range(histogram_percentile(&s->latency, 92), 180 * NS_PER_MS, 240 * NS_PER_MS);
	assert_in_range(histogram_percentile(&s->latency, 95), 480 * NS_PER_MS, 540 * NS_PER_MS);
	assert_in_range(histogram_percentile(&s->latency, 99), 880 * NS_PER_MS, 940 * NS_PER_MS);
	assert_in_range(s->latency.max, 990 * NS_PER_MS, 1010 * NS_PER_MS);
	/* What the ten connections saw hides it: ten slow ones of 10,000. */
	assert_true(histogram_percentile(&s->service, 99) < 2 * NS_PER_MS);
	assert_in_range(s->service.max, 980 * NS_PER_MS, 1010 * NS_PER_MS);
	lf_end(f);
}

TEST(test_open_backlog_of_a_slow_server_is_unsent)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	const struct load_interval *series;
	uint32_t n;

	f->cfg.rate = 1000;
	f->server.response_ns = 10 * NS_PER_MS; /* one connection: 100 a second */
	s = lf_run_all(f);
	assert_int_equal(s->counts.planned, 1000);
	assert_in_range(s->counts.requests, 99, 101);
	assert_int_equal(s->unsent, 1000 - s->counts.requests);
	assert_int_equal(f->server.requests, s->counts.requests);
	/* The last one sent was planned at 100 ms and answered at the end. */
	assert_in_range(s->latency.max, 880 * NS_PER_MS, 920 * NS_PER_MS);
	series = lf_series(f, &n);
	assert_in_range(series[0].backlog, 895, 905);
	assert_int_equal(series[n - 1].backlog, 0);
	lf_end(f);
}

TEST(test_open_warmup_is_excluded_by_the_planned_moment)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.rate = 1000;
	f->cfg.warmup_ns = NS_PER_SEC;
	f->server.response_ns = 2 * NS_PER_MS; /* 500 a second: all sent in the measured time were
						* planned in the warm-up */
	s = lf_run_all(f);
	assert_int_equal(s->counts.planned, 1000);
	assert_in_range(s->counts.requests, 0, 1);
	assert_in_range(s->unsent, 999, 1000);
	assert_in_range(f->server.requests, 998, 1001);
	lf_end(f);
}

TEST(test_open_requests_max_is_planned_exactly)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 3;
	f->cfg.rate = 1000;
	f->cfg.warmup_ns = 700 * NS_PER_MS; /* more are planned in it */
	f->cfg.requests_max = 500;
	f->cfg.duration_ns = TIME_NEVER;
	s = lf_run_all(f);
	assert_int_equal(s->counts.planned, 500);
	assert_int_equal(s->counts.responses, 500);
	assert_int_equal(s->unsent, 0);
	assert_in_range(s->end_ns - s->start_ns, 499 * NS_PER_MS, 501 * NS_PER_MS);
	lf_end(f);
}

TEST(test_open_ramp_raises_the_rate_evenly)
{
	struct lf *f = lf_new();
	uint32_t n, i;
	const struct load_interval *series;

	f->cfg.connections = 100;
	f->cfg.rate = 1000;
	f->cfg.ramp_ns = 10 * NS_PER_SEC;
	lf_start(f);
	lf_run(f, 11 * NS_PER_SEC);
	series = lf_series(f, &n);
	for (i = 0; i < 10; i++) { /* 50, 150, ... 950 */
		assert_in_range(series[i].counts.planned, 100 * i + 49, 100 * i + 51);
		assert_int_equal(series[i].open, 10 * (i + 1));
	}
	assert_int_equal(series[10].counts.planned, 1000);
	lf_run_to_end(f);
	assert_int_equal(load_stats(f->load)->counts.planned, 1000);
	lf_end(f);
}

TEST(test_open_pipelines_only_when_no_connection_is_idle)
{
	struct lf *f = lf_new();
	const struct server_conn *c;
	uint32_t i;

	f->cfg.connections = 2;
	f->cfg.pipeline = 4;
	f->cfg.rate = 1000;
	f->server.response_ns = 100 * NS_PER_SEC;
	lf_start(f);
	for (i = 0; i < 3; i++)
		lf_run(f, NS_PER_MS);
	for (c = f->server.conns; c != NULL; c = c->next)
		assert_int_equal(c->requests, 2); /* of the 4 planned at 0, 1, 2, 3 ms */
	lf_run(f, 17 * NS_PER_MS);
	for (c = f->server.conns; c != NULL; c = c->next)
		assert_int_equal(c->requests, 4);
	lf_run_to_end(f);
	assert_int_equal(load_stats(f->load)->unanswered, 8);
	assert_int_equal(load_stats(f->load)->unsent, 992);
	lf_end(f);
}

TEST(test_open_late_poll_sends_all_that_was_planned)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.connections = 1;
	f->cfg.pipeline = 64;
	f->cfg.rate = 1000;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	f->now_ns += 50 * NS_PER_MS;
	s = lf_run_to_end(f);
	assert_int_equal(s->counts.responses, 1000);
	assert_in_range(s->latency.max, 49 * NS_PER_MS, 51 * NS_PER_MS);
	lf_end(f);
}

/* The next poll comes after so long, whatever would have been due before. */
static void
poll_after(struct lf *f, uint64_t ns)
{
	f->now_ns += ns;
	server_advance(&f->server, f->now_ns);
	f->over = load_poll(f->load, f->now_ns);
}

/* A request each nanosecond, and a poll that comes after minutes: planning takes no time of its own,
 * or the plan would run away from it. */
TEST(test_open_plans_any_number_at_once)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.rate = 1e9;
	f->cfg.ramp_ns = 20 * NS_PER_SEC;
	f->cfg.duration_ns = 1000 * NS_PER_SEC;
	f->cfg.requests_max = 900 * NS_PER_SEC;
	f->server.send_room = 1; /* few are sent */
	f->server.room_ns = NS_PER_SEC;
	lf_start(f);
	poll_after(f, 10 * NS_PER_SEC);
	poll_after(f, 510 * NS_PER_SEC);
	s = load_stats(f->load);
	/* What is due at this very moment is planned, too. */
	assert_int_equal(s->counts.planned, 500 * NS_PER_SEC + 1);
	poll_after(f, 490 * NS_PER_SEC);
	while (!f->over)
		poll_after(f, NS_PER_SEC);
	assert_int_equal(s->counts.planned, 900 * NS_PER_SEC);
	lf_end(f);
}

/* However the polls fall, each request is planned in the interval that its moment lies in. */
TEST(test_open_plan_does_not_depend_on_the_polls)
{
	static const double rates[] = {1, 3.7, 1000, 99999.9, 1e6 / 3};
	static const uint64_t steps_ns[] = {
		NS_PER_MS / 3, 7 * NS_PER_MS, 250 * NS_PER_MS, 3 * NS_PER_SEC};
	uint32_t i, k, n, m, at;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t want[8] = {0};

		for (k = 0; k < sizeof(steps_ns) / sizeof(steps_ns[0]); k++) {
			struct lf *f = lf_new();
			const struct load_interval *series;

			f->cfg.rate = rates[i];
			f->cfg.ramp_ns = 1500 * NS_PER_MS;
			f->cfg.duration_ns = 4 * NS_PER_SEC;
			lf_start(f);
			for (at = 0; !f->over && at < 100000; at++)
				poll_after(f, steps_ns[k]);
			series = lf_series(f, &n);
			assert_in_range(n, 5, 9);
			for (m = 0; m < 6 && m < n; m++) {
				want[m] = k == 0 ? series[m].counts.planned : want[m];
				assert_int_equal(series[m].counts.planned, want[m]);
			}
			assert_in_range(load_stats(f->load)->counts.planned,
				(uint64_t)(4 * rates[i]), (uint64_t)(4 * rates[i] + 1));
			lf_end(f);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_open_sends_at_the_planned_rate),
		T(test_open_uses_connections_in_turn),
		T(test_open_rate_of_fractions_is_met_over_time),
		T(test_open_shares_deal_out_one_schedule),
		T(test_open_stalled_server_shows_in_all_planned_requests),
		T(test_open_backlog_of_a_slow_server_is_unsent),
		T(test_open_warmup_is_excluded_by_the_planned_moment),
		T(test_open_requests_max_is_planned_exactly),
		T(test_open_ramp_raises_the_rate_evenly),
		T(test_open_pipelines_only_when_no_connection_is_idle),
		T(test_open_late_poll_sends_all_that_was_planned),
		T(test_open_plans_any_number_at_once),
		T(test_open_plan_does_not_depend_on_the_polls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
