/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"

/* Connections that cannot be made, and 100,000 that can. */

static int
refuse(struct server *s, struct server_conn *c)
{
	c->quiet = true;
	server_refuse(c, s->connect_ns, -ECONNREFUSED);
	return 0;
}

static int
fail_in_call(struct server *s, struct server_conn *c)
{
	(void)s, (void)c;
	return -EADDRNOTAVAIL;
}

TEST(test_unreachable_all_refused_ends_the_load)
{
	struct lf *f = lf_new();
	int error = 0;

	f->cfg.connections = 10;
	f->server.on_connect = refuse;
	lf_start(f);
	assert_false(load_unreachable(f->load, &error));
	lf_run_to_end(f);
	assert_true(load_unreachable(f->load, &error));
	assert_int_equal(error, -ECONNREFUSED);
	assert_int_equal(load_stats(f->load)->counts.errors[LOAD_ERROR_CONNECT], 10);
	assert_int_equal(load_stats(f->load)->counts.connected, 0);
	assert_int_equal(f->server.connects, 10);
	assert_true(f->now_ns < LF_START + NS_PER_MS);
	lf_end(f);
}

static int
refuse_at_first(struct server *s, struct server_conn *c)
{
	return c->number == 0 ? refuse(s, c) : 0;
}

/* It says so, and takes it back when it gets through. */
TEST(test_unreachable_one_that_keeps_trying_gets_through)
{
	struct lf *f = lf_new();
	int error = 0;

	f->cfg.connections = 1;
	f->cfg.keeps_trying = true;
	f->server.on_connect = refuse_at_first;
	lf_start(f);
	lf_run(f, 50 * NS_PER_MS);
	assert_true(load_unreachable(f->load, &error));
	assert_int_equal(error, -ECONNREFUSED);
	assert_false(f->over);
	lf_run_to_end(f);
	assert_false(load_unreachable(f->load, &error));
	assert_true(load_stats(f->load)->counts.responses > 100);
	lf_end(f);
}

TEST(test_unreachable_failing_calls_end_the_load)
{
	struct lf *f = lf_new();
	int error = 0;

	f->cfg.connections = 10;
	f->server.on_connect = fail_in_call;
	lf_run_all(f);
	assert_true(load_unreachable(f->load, &error));
	assert_int_equal(error, -EADDRNOTAVAIL);
	lf_end(f);
}

TEST(test_unreachable_waits_for_the_ramp)
{
	struct lf *f = lf_new();
	int error = 0;

	f->cfg.connections = 10;
	f->cfg.ramp_ns = NS_PER_SEC;
	f->server.on_connect = refuse;
	lf_start(f);
	lf_run(f, 899 * NS_PER_MS);
	assert_false(load_unreachable(f->load, &error));
	lf_run(f, 2 * NS_PER_MS);
	assert_true(load_unreachable(f->load, &error));
	assert_true(f->over);
	lf_end(f);
}

static int
refuse_all_but_third(struct server *s, struct server_conn *c)
{
	return c->number == 2 ? 0 : refuse(s, c);
}

TEST(test_unreachable_not_when_one_was_made)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	int error = 0;

	f->cfg.connections = 3;
	f->server.on_connect = refuse_all_but_third;
	s = lf_run_all(f);
	assert_false(load_unreachable(f->load, &error));
	assert_int_equal(error, 0);
	assert_int_equal(s->end_ns - s->start_ns, NS_PER_SEC);
	/* Two that try every 100 ms. */
	assert_in_range(s->counts.errors[LOAD_ERROR_CONNECT], 19, 20);
	assert_int_equal(
		s->counts.connects, s->counts.connected + s->counts.errors[LOAD_ERROR_CONNECT]);
	assert_true(s->counts.responses > 9000);
	lf_end(f);
}

static int
never(struct server *s, struct server_conn *c)
{
	(void)s;
	c->quiet = true;
	return 0;
}

TEST(test_connect_timeout_is_unreachable)
{
	struct lf *f = lf_new();
	int error = 0;

	f->cfg.connections = 5;
	f->cfg.connect_timeout_ns = 200 * NS_PER_MS;
	f->server.on_connect = never;
	lf_run_all(f);
	assert_true(load_unreachable(f->load, &error));
	assert_int_equal(error, -ETIMEDOUT);
	assert_in_range(f->now_ns - LF_START, 200 * NS_PER_MS, 201 * NS_PER_MS);
	assert_int_equal(f->server.aborts, 5);
	lf_end(f);
}

static int
not_ready_at_first(struct server *s, struct server_conn *c)
{
	(void)c;
	return s->connects <= 3 ? -EINPROGRESS : 0;
}

TEST(test_connect_before_our_address_is_ready_waits)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->server.on_connect = not_ready_at_first;
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_CONNECT], 0);
	assert_int_equal(s->counts.connects, 1);
	assert_in_range(f->server.conns->opened_ns - LF_START, 300 * NS_PER_MS, 301 * NS_PER_MS);
	lf_end(f);
}

static void
close_second(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	if (number == 0)
		server_say(c, s->response_ns, SERVER_OK);
	else
		server_fin(c, s->response_ns);
}

static int
refuse_second(struct server *s, struct server_conn *c)
{
	return c->number == 1 ? refuse(s, c) : 0;
}

TEST(test_connect_failed_for_a_resend_fails_the_request)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 2;
	f->server.on_request = close_second;
	f->server.on_connect = refuse_second;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 1);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 1);
	assert_int_equal(s->counts.errors[LOAD_ERROR_CONNECT], 1);
	assert_int_equal(s->counts.connects, 2);
	lf_end(f);
}

/* The stale request's time-out goes on while its second connection is made. */
static int
never_second(struct server *s, struct server_conn *c)
{
	(void)s;
	c->quiet = c->number == 1;
	return 0;
}

TEST(test_connect_for_a_resend_counts_in_the_requests_timeout)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 2;
	f->cfg.request_timeout_ns = 30 * NS_PER_MS;
	f->server.on_request = close_second;
	f->server.on_connect = never_second;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 1);
	assert_int_equal(s->counts.errors[LOAD_ERROR_TIMEOUT], 1);
	assert_in_range(f->now_ns - LF_START, 30 * NS_PER_MS, 31 * NS_PER_MS);
	lf_end(f);
}

/* Calls into the transport are in proportion to what happens, not to connections times polls. */
TEST(test_many_connections_cost_by_events)
{
	struct lf *f = lf_new();
	uint64_t calls, polls, requests;
	uint32_t i;

	f->cfg.connections = 100000;
	f->cfg.rate = 100;
	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = TIME_NEVER;
	f->cfg.limits.header_bytes_max = 256;
	f->cfg.ramp_ns = 50 * NS_PER_MS;
	lf_start(f);
	lf_run(f, 100 * NS_PER_MS);
	assert_int_equal(f->server.established, 100000);
	calls = f->server.calls;
	requests = f->server.requests;
	polls = f->polls;
	lf_run(f, NS_PER_SEC);
	assert_int_equal(f->server.requests - requests, 100);
	/* A poll asks for events until there is none; a response takes some 10 calls. */
	assert_true(f->server.calls - calls <= f->polls - polls + 100 * 12);
	calls = f->server.calls;
	for (i = 0; i < 1000; i++)
		(void)load_poll(f->load, f->now_ns);
	assert_true(f->server.calls - calls == 1000);
	lf_run_to_end(f);
	assert_int_equal(load_stats(f->load)->counts.responses, 1000);
	lf_end(f);
}

TEST(test_many_connections_without_ramp_are_opened_in_pieces)
{
	struct lf *f = lf_new();
	uint32_t before = 0, polls;

	f->cfg.connections = 10000;
	f->cfg.requests_max = 20000;
	f->cfg.limits.header_bytes_max = 256;
	lf_start(f);
	for (polls = 0; f->server.connects < 10000; polls++) {
		assert_true(load_deadline(f->load) <= f->now_ns || polls == 0);
		server_advance(&f->server, f->now_ns);
		assert_false(load_poll(f->load, f->now_ns));
		assert_true(f->server.connects - before <= 256);
		before = f->server.connects;
	}
	assert_int_equal(polls, 40);
	lf_run_to_end(f);
	lf_end(f);
}

#define SERVED 10U

/* Answers SERVED requests, then is gone: resets what it has, and refuses. */
static void
serve_some(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	if (s->requests < SERVED)
		server_say(c, s->response_ns, SERVER_OK);
	else
		server_reset(c, s->response_ns, -ECONNRESET);
}

static int
refuse_when_gone(struct server *s, struct server_conn *c)
{
	return s->requests < SERVED ? 0 : refuse(s, c);
}

TEST(test_silence_of_a_server_that_is_gone_ends_a_number_of_requests)
{
	struct lf *f = lf_new();
	const struct load_stats *s;
	int error;

	f->cfg.connections = 3;
	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = TIME_NEVER;
	f->server.on_request = serve_some;
	f->server.on_connect = refuse_when_gone;
	lf_start(f);
	assert_false(load_silent(f->load));
	s = lf_run_to_end(f);
	assert_true(load_silent(f->load));
	assert_false(load_unreachable(f->load, &error));
	assert_in_range(s->counts.responses, SERVED - 1, SERVED);
	assert_in_range(s->end_ns - s->start_ns, 30 * NS_PER_SEC, 30 * NS_PER_SEC + NS_PER_MS);
	assert_in_range(s->counts.errors[LOAD_ERROR_CONNECT], 800, 900);
	lf_end(f);
}

static void
say_nothing(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)s, (void)c, (void)number, (void)head;
}

TEST(test_silence_of_a_server_that_never_answers_ends_a_number_of_requests)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = TIME_NEVER;
	f->cfg.request_timeout_ns = NS_PER_SEC;
	f->cfg.warmup_ns = 5 * NS_PER_SEC; /* is not part of it */
	f->server.on_request = say_nothing;
	s = lf_run_all(f);
	assert_true(load_silent(f->load));
	assert_int_equal(s->end_ns - s->start_ns, 30 * NS_PER_SEC);
	assert_in_range(s->counts.errors[LOAD_ERROR_TIMEOUT], 29, 30);
	lf_end(f);
}

TEST(test_silence_is_no_end_of_a_measured_time_that_has_one)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = 100 * NS_PER_SEC;
	f->cfg.request_timeout_ns = NS_PER_SEC;
	f->server.on_request = say_nothing;
	s = lf_run_all(f);
	assert_false(load_silent(f->load));
	assert_int_equal(s->end_ns - s->start_ns, 100 * NS_PER_SEC);
	lf_end(f);
}

TEST(test_silence_while_no_request_is_due_is_none)
{
	struct lf *f = lf_new();

	f->cfg.rate = 0.01; /* every 100 s */
	f->cfg.requests_max = 5;
	f->cfg.duration_ns = TIME_NEVER;
	assert_int_equal(lf_run_all(f)->counts.responses, 5);
	assert_false(load_silent(f->load));
	lf_end(f);
}

TEST(test_silence_is_counted_from_the_request_that_was_due)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.rate = 0.01;
	f->cfg.requests_max = 5;
	f->cfg.duration_ns = TIME_NEVER;
	f->cfg.request_timeout_ns = TIME_NEVER;
	f->server.on_request = say_nothing;
	s = lf_run_all(f);
	assert_true(load_silent(f->load));
	assert_in_range(s->end_ns - s->start_ns, 30 * NS_PER_SEC, 30 * NS_PER_SEC + NS_PER_MS);
	assert_int_equal(s->unanswered, 1);
	lf_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_unreachable_all_refused_ends_the_load),
		T(test_unreachable_one_that_keeps_trying_gets_through),
		T(test_unreachable_failing_calls_end_the_load),
		T(test_unreachable_waits_for_the_ramp),
		T(test_unreachable_not_when_one_was_made),
		T(test_connect_timeout_is_unreachable),
		T(test_connect_before_our_address_is_ready_waits),
		T(test_connect_failed_for_a_resend_fails_the_request),
		T(test_connect_for_a_resend_counts_in_the_requests_timeout),
		T(test_many_connections_cost_by_events),
		T(test_many_connections_without_ramp_are_opened_in_pieces),
		T(test_silence_of_a_server_that_is_gone_ends_a_number_of_requests),
		T(test_silence_of_a_server_that_never_answers_ends_a_number_of_requests),
		T(test_silence_is_no_end_of_a_measured_time_that_has_one),
		T(test_silence_while_no_request_is_due_is_none),
		T(test_silence_is_counted_from_the_request_that_was_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
