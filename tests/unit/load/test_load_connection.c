/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "load_fixture.h"

/* How connections end, and what becomes of their requests. */

static uint32_t *
test_count(struct server *s)
{
	return s->test;
}

static void
close_after_each(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	assert_int_equal(number, 0);
	server_say(c, s->response_ns,
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
	server_fin(c, 0);
}

TEST(test_conn_close_after_response_is_reopened)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 100;
	f->server.on_request = close_after_each;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 100);
	assert_int_equal(s->counts.connects, 100);
	assert_int_equal(s->counts.disconnects, 0);
	assert_int_equal(lf_request_errors(&s->counts), 0);
	assert_int_equal(f->server.live_max, 1);
	assert_int_equal(f->server.aborts, 0);
	lf_end(f);
}

static void
say_http_1_0(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, "HTTP/1.0 200 OK\r\n\r\nuntil");
	server_say(c, s->response_ns + NS_PER_US, " the end");
	server_fin(c, s->response_ns + 2 * NS_PER_US);
}

TEST(test_conn_body_until_close_ends_with_the_fin)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 20;
	f->server.on_request = say_http_1_0;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 20);
	assert_int_equal(s->counts.body_bytes, 20 * 13);
	assert_int_equal(s->counts.connects, 20);
	assert_int_equal(s->counts.disconnects, 0);
	assert_in_range(s->latency.min, 102 * NS_PER_US, 103 * NS_PER_US);
	assert_in_range(s->first_byte.max, 100 * NS_PER_US, 101 * NS_PER_US);
	lf_end(f);
}

static void
reset_in_body(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, "HTTP/1.0 200 OK\r\n\r\nuntil");
	server_reset(c, s->response_ns + NS_PER_US, -ECONNRESET);
}

TEST(test_conn_reset_in_body_until_close_is_an_error)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 20;
	f->server.on_request = reset_in_body;
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 20);
	assert_int_equal(s->counts.responses, 0);
	lf_end(f);
}

TEST(test_conn_requests_per_connection_is_met)
{
	struct lf *f = lf_new();
	const struct server_conn *c;

	f->cfg.connections = 2;
	f->cfg.pipeline = 3;
	f->cfg.requests_per_connection = 10;
	f->cfg.requests_max = 1000;
	lf_run_all(f);
	assert_int_equal(load_stats(f->load)->counts.responses, 1000);
	assert_int_equal(f->server.connects, 100);
	for (c = f->server.conns; c != NULL; c = c->next)
		assert_int_equal(c->requests, 10);
	assert_int_equal(f->server.live_max, 2);
	assert_int_equal(f->server.aborts, 0);
	lf_end(f);
}

static void
close_after_third(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	server_say(c, s->response_ns, SERVER_OK);
	if (number == 2)
		server_fin(c, s->response_ns + 10 * NS_PER_US);
}

/* The FIN meets the fourth request, which is under way. */
TEST(test_conn_stale_connection_resends_the_request)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 30;
	f->server.on_request = close_after_third;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 30);
	assert_int_equal(s->counts.responses, 30);
	assert_int_equal(lf_request_errors(&s->counts), 0);
	assert_int_equal(s->counts.connects, 10);
	assert_int_equal(s->counts.disconnects, 9);
	/* Its time counts from the first attempt: closed after 10 us, connected in 10, answered in
	 * 100. */
	assert_in_range(s->latency.max, 120 * NS_PER_US, 121 * NS_PER_US);
	assert_int_equal(s->latency.sum, s->service.sum);
	assert_int_equal(s->counts.request_bytes, 39 * f->target[0].request_len);
	lf_end(f);
}

static void
reset_fourth(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	if (number < 3)
		server_say(c, s->response_ns, SERVER_OK);
	else
		server_reset(c, s->response_ns, -ECONNRESET);
}

TEST(test_conn_reset_of_reused_connection_resends_the_request)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 30;
	f->server.on_request = reset_fourth;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 30);
	assert_int_equal(s->counts.disconnects, 9);
	assert_int_equal(s->counts.connects, 10);
	lf_end(f);
}

static void
answer_first_of_all(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	if ((*test_count(s))++ == 0)
		server_say(c, s->response_ns, SERVER_OK);
	else
		server_fin(c, s->response_ns);
}

TEST(test_conn_request_is_sent_again_only_once)
{
	struct lf *f = lf_new();
	uint32_t count = 0;
	const struct load_stats *s;

	f->server.test = &count;
	f->cfg.requests_max = 5;
	f->server.on_request = answer_first_of_all;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 1);
	assert_int_equal(s->counts.disconnects, 1);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 4);
	assert_int_equal(count, 6); /* the second request twice */
	lf_end(f);
}

static void
close_in_head(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	server_say(c, s->response_ns, number == 0 ? SERVER_OK : "HTTP/1.1 2");
	if (number == 1)
		server_fin(c, 0);
}

TEST(test_conn_closed_after_the_first_byte_is_an_error)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_request = close_in_head;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 5);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 5);
	assert_int_equal(s->counts.disconnects, 0);
	lf_end(f);
}

static void
close_when_idle(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, SERVER_OK);
	server_fin(c, 10 * NS_PER_MS);
}

TEST(test_conn_closed_when_idle_is_reopened_at_once)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.rate = 10;
	f->server.on_request = close_when_idle;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 10);
	assert_int_equal(s->counts.disconnects, 10);
	assert_int_equal(s->counts.connects, 11);
	assert_true(s->latency.max < NS_PER_MS);
	lf_end(f);
}

static int
connect_then_fin(struct server *s, struct server_conn *c)
{
	server_establish(c, s->connect_ns);
	server_fin(c, 0);
	c->quiet = true;
	return 0;
}

TEST(test_conn_closed_unused_rests_before_the_next)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->server.on_connect = connect_then_fin;
	s = lf_run_all(f);
	assert_in_range(s->counts.connects, 10, 11);
	assert_int_equal(s->counts.disconnects, s->counts.connects);
	assert_int_equal(s->counts.requests, 0);
	lf_end(f);
}

/* -- Pipelining. -- */

/* "/a" is answered with 200, "/b" with 300 and so on; test: how often each was. */
static void
echo_path(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	bool is_head = strncmp(head, "HEAD", 4) == 0;
	uint32_t path = (uint32_t)(strchr(head, '/')[1] - 'a');
	char text[128];

	(void)number;
	test_count(s)[path]++;
	snprintf(text, sizeof(text), "HTTP/1.1 %u X\r\nContent-Length: 1\r\n\r\n%s",
		200 + 100 * path, is_head ? "" : "x");
	server_say(c, s->response_ns, text);
}

TEST(test_pipeline_keeps_so_many_under_way)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.pipeline = 8;
	f->server.response_ns = NS_PER_MS;
	s = lf_run_all(f);
	assert_in_range(s->counts.requests, 7980, 8000);
	assert_int_equal(s->counts.responses, s->counts.requests);
	assert_in_range(s->latency.max, NS_PER_MS, 1001 * NS_PER_US);
	lf_end(f);
}

/* A response to HEAD has a length and no body: paired with another request it would not parse. */
TEST(test_pipeline_responses_belong_to_requests_in_order)
{
	static const char head_request[] = "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n";
	struct lf *f = lf_new();
	const struct load_stats *s;
	uint32_t count[3] = {0}, i;

	f->target[1].request = head_request;
	f->target[1].request_len = sizeof(head_request) - 1;
	f->target[1].is_head = true;
	f->cfg.targets = 3;
	f->cfg.pipeline = 16;
	f->cfg.requests_max = 3000;
	f->server.test = count;
	f->server.on_request = echo_path;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 3000);
	for (i = 0; i < 3; i++) {
		assert_in_range(count[i], 900, 1100);
		assert_int_equal(s->counts.status[2 + i], count[i]);
	}
	assert_int_equal(s->counts.body_bytes, count[0] + count[2]);
	lf_end(f);
}

static void
close_after_second(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	if (number < 2)
		server_say(c, s->response_ns, SERVER_OK);
	if (number == 1)
		server_fin(c, s->response_ns + NS_PER_US);
}

/* Two of eight are answered, six are sent again; of them two are answered, and four fail, as it was
 * their second time. */
TEST(test_pipeline_closed_after_some_resends_the_others_once)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.pipeline = 8;
	f->cfg.requests_max = 8;
	f->server.on_request = close_after_second;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 8);
	assert_int_equal(s->counts.responses, 4);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 4);
	assert_int_equal(s->counts.connects, 2);
	assert_int_equal(s->counts.disconnects, 1);
	assert_int_equal(f->server.requests, 14);
	lf_end(f);
}

static void
close_after_first(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	if (number == 0)
		close_after_each(s, c, number, head);
}

TEST(test_pipeline_connection_close_resends_the_others_once)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.pipeline = 4;
	f->cfg.requests_max = 4;
	f->server.on_request = close_after_first;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 2);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 2);
	assert_int_equal(s->counts.connects, 2);
	assert_int_equal(s->counts.disconnects, 1);
	assert_int_equal(f->server.requests, 7);
	lf_end(f);
}

/* -- Errors. -- */

static void
say_garbage(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, "SSH-2.0-OpenSSH_9.2\r\n");
}

TEST(test_error_garbage_is_http)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_request = say_garbage;
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_HTTP], 10);
	assert_int_equal(s->counts.connects, 10);
	assert_int_equal(f->server.aborts, 10);
	lf_end(f);
}

static void
say_large_head(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	char text[4096];

	(void)number, (void)head;
	memset(text, 'a', sizeof(text));
	memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
	server_send(c, s->response_ns, text, sizeof(text));
}

TEST(test_error_head_over_the_limit_is_http)
{
	struct lf *f = lf_new();

	f->cfg.requests_max = 3;
	f->server.on_request = say_large_head;
	assert_int_equal(lf_run_all(f)->counts.errors[LOAD_ERROR_HTTP], 3);
	lf_end(f);
}

static void
say_too_much(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, SERVER_OK "HTTP/1.1 200 OK\r\n");
}

static void
say_too_much_in_two(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, SERVER_OK);
	server_say(c, 0, "more");
}

TEST(test_error_bytes_after_the_response_are_http)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_request = say_too_much;
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_HTTP], 10);
	assert_int_equal(s->counts.responses, 0);
	lf_end(f);

	f = lf_new();
	f->cfg.requests_max = 10;
	f->server.on_request = say_too_much_in_two;
	assert_int_equal(lf_run_all(f)->counts.errors[LOAD_ERROR_HTTP], 10);
	lf_end(f);
}

static void
say_more_later(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_say(c, s->response_ns, SERVER_OK);
	server_say(c, 10 * NS_PER_MS, "HTTP/1.1 408 Request Timeout\r\n\r\n");
}

TEST(test_error_bytes_between_exchanges_give_up_the_connection)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.rate = 10;
	f->server.on_request = say_more_later;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 10);
	assert_int_equal(lf_request_errors(&s->counts), 0);
	assert_int_equal(s->counts.unasked, 10);
	assert_int_equal(s->counts.connects, 11);
	assert_int_equal(f->server.aborts, 10);
	lf_end(f);
}

static void
answer_no_odd(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	if ((*test_count(s))++ % 2 == 0)
		server_say(c, s->response_ns, SERVER_OK);
}

TEST(test_error_request_timeout_reopens)
{
	struct lf *f = lf_new();
	uint32_t count = 0;
	const struct load_stats *s;

	f->server.test = &count;
	f->cfg.requests_max = 10;
	f->cfg.duration_ns = TIME_NEVER;
	f->cfg.request_timeout_ns = 50 * NS_PER_MS;
	f->server.on_request = answer_no_odd;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 5);
	assert_int_equal(s->counts.errors[LOAD_ERROR_TIMEOUT], 5);
	assert_int_equal(s->counts.connects, 5);
	assert_int_equal(f->server.aborts, 5);
	assert_in_range(f->now_ns - LF_START, 250 * NS_PER_MS, 252 * NS_PER_MS);
	lf_end(f);
}

static void
say_head_only(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)head;
	if (number == 0)
		server_say(c, s->response_ns, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
}

TEST(test_error_timeout_within_the_body_fails_the_pipeline)
{
	struct lf *f = lf_new();

	f->cfg.pipeline = 4;
	f->cfg.requests_max = 4;
	f->cfg.request_timeout_ns = 50 * NS_PER_MS;
	f->server.on_request = say_head_only;
	assert_int_equal(lf_run_all(f)->counts.errors[LOAD_ERROR_TIMEOUT], 4);
	assert_int_equal(f->server.connects, 1); /* none is sent again */
	assert_in_range(f->now_ns - LF_START, 50 * NS_PER_MS, 51 * NS_PER_MS);
	lf_end(f);
}

static void
reset_at_once(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	(void)number, (void)head;
	server_reset(c, s->response_ns, -ECONNRESET);
}

TEST(test_error_reset_of_a_new_connection_is_receive)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_request = reset_at_once;
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 10);
	assert_int_equal(s->counts.disconnects, 0);
	assert_int_equal(s->counts.connects, 10);
	lf_end(f);
}

static int
connect_then_reset(struct server *s, struct server_conn *c)
{
	server_establish(c, s->connect_ns);
	server_reset(c, s->connect_ns + 5 * NS_PER_US, -ECONNRESET);
	c->quiet = true;
	return 0;
}

TEST(test_error_reset_before_the_request_is_out_is_send)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_connect = connect_then_reset;
	f->server.send_room = 10; /* and no more for 20 us */
	s = lf_run_all(f);
	assert_int_equal(s->counts.errors[LOAD_ERROR_SEND], 10);
	assert_int_equal(s->counts.request_bytes, 100);
	lf_end(f);
}

/* The server answers before it has heard the request to its end: no place for another one. */
static int
connect_then_say(struct server *s, struct server_conn *c)
{
	server_establish(c, s->connect_ns);
	server_say(c, s->connect_ns + 5 * NS_PER_US, SERVER_OK);
	c->quiet = true;
	return 0;
}

TEST(test_response_before_the_request_is_out_ends_the_connection)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_connect = connect_then_say;
	f->server.send_room = 10;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 10);
	assert_int_equal(s->counts.connects, 10);
	assert_int_equal(s->counts.request_bytes, 100);
	assert_int_equal(f->server.requests, 0);
	lf_end(f);
}

static void
answer_eighth(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	uint32_t i;

	(void)head;
	for (i = 0; i < 8 && number % 8 == 7; i++)
		server_say(c, s->response_ns, SERVER_OK);
}

TEST(test_pipeline_is_sent_at_once)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.pipeline = 8;
	f->cfg.requests_max = 804;
	f->cfg.request_timeout_ns = NS_PER_MS;
	f->server.on_request = answer_eighth;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 800);
	assert_int_equal(s->counts.errors[LOAD_ERROR_TIMEOUT], 4);
	assert_int_equal(f->server.sends, 101);
	lf_end(f);
}

static void
send_large(struct lf *f, uint32_t len, uint64_t sends)
{
	char *request = malloc(len);
	const struct load_stats *s;

	assert_non_null(request);
	memset(request, 'x', len);
	memcpy(request + len - 4, "\r\n\r\n", 4);
	f->target[0].request = request;
	f->target[0].request_len = len;
	f->cfg.pipeline = 8;
	f->cfg.requests_max = 8;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 8);
	assert_int_equal(s->counts.request_bytes, 8 * len);
	assert_int_equal(f->server.requests, 8);
	assert_int_equal(f->server.sends, sends);
	lf_end(f);
	free(request);
}

TEST(test_pipeline_of_large_requests_is_sent_whole)
{
	send_large(lf_new(), 2048, 1);
	send_large(lf_new(), 2049, 2);
	send_large(lf_new(), 16384, 8);
	send_large(lf_new(), 20000, 8);
}

TEST(test_send_in_pieces_is_one_request)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 100;
	f->cfg.pipeline = 4;
	f->server.send_room = 7;
	s = lf_run_all(f);
	assert_int_equal(s->counts.requests, 100);
	assert_int_equal(s->counts.responses, 100);
	assert_int_equal(f->server.requests, 100);
	assert_int_equal(s->counts.request_bytes, 100 * f->target[0].request_len);
	lf_end(f);
}

static void
say_chunked(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
				   "4\r\ndefg\r\n0\r\nX: y\r\n\r\n";
	uint32_t i;

	(void)number, (void)head;
	for (i = 0; i < sizeof(text) - 1; i += 5)
		server_send(c, s->response_ns + 200 * i, text + i,
			(uint32_t)MIN_OF(sizeof(text) - 1 - i, 5));
}

TEST(test_response_chunked_in_pieces_is_whole)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 10;
	f->server.on_request = say_chunked;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 10);
	assert_int_equal(s->counts.status[2], 10);
	assert_int_equal(s->counts.body_bytes, 70);
	assert_int_equal(s->counts.connects, 1);
	lf_end(f);
}

static void
say_large_body(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	static const uint8_t zeros[16384];
	uint32_t i;

	(void)number, (void)head;
	server_say(c, s->response_ns, "HTTP/1.1 200 OK\r\nContent-Length: 163840\r\n\r\n");
	for (i = 0; i < 10; i++)
		server_send(c, s->response_ns + i / 3 * NS_PER_US, zeros, sizeof(zeros));
}

TEST(test_response_with_a_large_body_is_whole)
{
	struct lf *f = lf_new();
	const struct load_stats *s;

	f->cfg.requests_max = 100;
	f->server.on_request = say_large_body;
	s = lf_run_all(f);
	assert_int_equal(s->counts.responses, 100);
	assert_int_equal(s->counts.body_bytes, 100 * 163840);
	lf_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_conn_close_after_response_is_reopened),
		T(test_conn_body_until_close_ends_with_the_fin),
		T(test_conn_reset_in_body_until_close_is_an_error),
		T(test_conn_requests_per_connection_is_met),
		T(test_conn_stale_connection_resends_the_request),
		T(test_conn_reset_of_reused_connection_resends_the_request),
		T(test_conn_request_is_sent_again_only_once),
		T(test_conn_closed_after_the_first_byte_is_an_error),
		T(test_conn_closed_when_idle_is_reopened_at_once),
		T(test_conn_closed_unused_rests_before_the_next),
		T(test_pipeline_keeps_so_many_under_way),
		T(test_pipeline_responses_belong_to_requests_in_order),
		T(test_pipeline_closed_after_some_resends_the_others_once),
		T(test_pipeline_connection_close_resends_the_others_once),
		T(test_error_garbage_is_http),
		T(test_error_head_over_the_limit_is_http),
		T(test_error_bytes_after_the_response_are_http),
		T(test_error_bytes_between_exchanges_give_up_the_connection),
		T(test_error_request_timeout_reopens),
		T(test_error_timeout_within_the_body_fails_the_pipeline),
		T(test_error_reset_of_a_new_connection_is_receive),
		T(test_error_reset_before_the_request_is_out_is_send),
		T(test_response_before_the_request_is_out_ends_the_connection),
		T(test_pipeline_is_sent_at_once),
		T(test_pipeline_of_large_requests_is_sent_whole),
		T(test_send_in_pieces_is_one_request),
		T(test_response_chunked_in_pieces_is_whole),
		T(test_response_with_a_large_body_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
