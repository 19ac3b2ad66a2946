/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch_fixture.h"

/* One connection for several downloads, or a new one. */

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

static struct fx *
first_done(const char *reply)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, reply);
	fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, "ok");
	fx_reset_sink(f);
	return f;
}

static void
second(struct fx *f, uint32_t syns)
{
	fx_start_to_request(f);
	assert_int_equal(f->peer.syns, syns);
	fx_reply(f, 0, OK_HEAD "no");
	assert_int_equal(fx_expect_end(f, FETCH_OK)->reused, syns == 1);
	fx_expect_body(f, "no");
	fx_end(f);
}

TEST(test_connection_is_used_again)
{
	second(first_done(OK_HEAD "ok"), 1);
}

TEST(test_connection_is_not_used_again_when_the_server_says_close)
{
	second(first_done("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
		2);
}

TEST(test_connection_is_not_used_again_for_another_port)
{
	struct fx *f = first_done(OK_HEAD "ok");

	f->job.remote_port = 81;
	fx_start(f);
	fx_run(f);
	assert_int_equal(f->peer.syns, 2);
	fx_end(f);
}

/* Whose response would they be? curl: "Excess found ... closing". */
TEST(test_connection_with_bytes_after_the_response_is_not_used_again)
{
	second(first_done(OK_HEAD "ok" OK_HEAD "oh"), 2);
}

TEST(test_connection_with_bytes_before_the_next_request_is_not_used_again)
{
	struct fx *f = first_done(OK_HEAD "ok");

	fx_reply(f, 0, OK_HEAD "oh");
	test_peer_deliver(&f->peer);
	second(f, 2);
}

/* A 408, for one. Nobody would ever read it, and its buffer may be such as has to go back in turn. */
TEST(test_connection_on_which_bytes_come_unasked_holds_none_between_downloads)
{
	struct fx *f = first_done(OK_HEAD "ok");

	fetch_tend(f->fetch, f->peer.now_ns);
	assert_int_equal(test_buffers_live(&f->peer.buffers), 0);
	fx_reply(f, 0, OK_HEAD "oh");
	test_peer_deliver(&f->peer);
	assert_int_not_equal(test_buffers_live(&f->peer.buffers), 0);
	fetch_tend(f->fetch, f->peer.now_ns);
	assert_int_equal(test_buffers_live(&f->peer.buffers), 0);
	second(f, 2);
}

/* While the sink takes its time. */
TEST(test_connection_on_which_bytes_come_unasked_holds_none_while_the_sink_finishes)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	f->sink.slow = true;
	fx_reply(f, 0, OK_HEAD "ok");
	assert_false(fx_run(f));
	fx_reply(f, 0, OK_HEAD "oh");
	assert_false(fx_run(f));
	assert_int_equal(test_buffers_live(&f->peer.buffers), 0);
	f->sink.slow = false;
	fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, "ok");
	fx_end(f);
}

/* The answer came early: the rest of the request would be taken for the next one's begin. */
TEST(test_connection_on_which_the_request_is_not_all_sent_is_not_used_again)
{
	static char header[20000]; /* more than the initial window */
	const char *headers[] = {header};
	struct fx *f = fx_new();

	memset(header, 'a', sizeof(header) - 1);
	memcpy(header, "X: ", 3);
	f->job.headers = headers;
	f->job.headers_count = 1;
	f->peer.answers.ack = false;
	fx_start(f);
	assert_false(fx_run(f));
	fx_reply(f, 0, OK_HEAD "ok");
	fx_expect_end(f, FETCH_OK);
	fx_reset_sink(f);
	f->job.headers_count = 0;
	f->peer.answers.ack = true;
	fx_start_to_request(f);
	assert_int_equal(f->peer.syns, 2);
	fx_end(f);
}

TEST(test_connection_closed_meanwhile_is_replaced)
{
	struct fx *f = first_done(OK_HEAD "ok");

	fx_reply(f, TCP_FIN, "");
	fx_run(f);
	second(f, 2);
}

/* RFC 9112 §9.3.1: the close and our request crossed. */
TEST(test_connection_that_ends_before_the_second_answer_is_replaced_once)
{
	struct fx *f = first_done(OK_HEAD "ok");

	fx_start_to_request(f);
	assert_int_equal(f->peer.syns, 1);
	fx_reply(f, TCP_FIN, "");
	assert_false(fx_run(f));
	assert_int_equal(f->peer.syns, 2);
	fx_reply(f, TCP_FIN, "");
	assert_int_equal(fx_expect_end(f, FETCH_GOT_NOTHING)->connections, 1);
	fx_end(f);
}

/* A server that has forgotten the connection resets it. */
TEST(test_connection_that_is_reset_before_the_second_answer_is_replaced_once)
{
	struct fx *f = first_done(OK_HEAD "ok");

	fx_start_to_request(f);
	fx_reply(f, TCP_RST, "");
	assert_false(fx_run(f));
	assert_int_equal(f->peer.syns, 2);
	fx_reply(f, 0, OK_HEAD "ok");
	assert_int_equal(fx_expect_end(f, FETCH_OK)->connections, 1);
	fx_end(f);
}

/* RFC 9110 §9.2.2: whether it was carried out is not known. */
TEST(test_connection_that_ends_is_not_replaced_for_a_post)
{
	struct fx *f = first_done(OK_HEAD "ok");

	f->job.method = "POST";
	fx_start_to_request(f);
	fx_reply(f, TCP_FIN, "");
	fx_expect_end(f, FETCH_GOT_NOTHING);
	assert_int_equal(f->peer.syns, 1);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_connection_is_used_again),
		T(test_connection_is_not_used_again_when_the_server_says_close),
		T(test_connection_is_not_used_again_for_another_port),
		T(test_connection_with_bytes_after_the_response_is_not_used_again),
		T(test_connection_with_bytes_before_the_next_request_is_not_used_again),
		T(test_connection_on_which_bytes_come_unasked_holds_none_between_downloads),
		T(test_connection_on_which_bytes_come_unasked_holds_none_while_the_sink_finishes),
		T(test_connection_on_which_the_request_is_not_all_sent_is_not_used_again),
		T(test_connection_closed_meanwhile_is_replaced),
		T(test_connection_that_ends_before_the_second_answer_is_replaced_once),
		T(test_connection_that_is_reset_before_the_second_answer_is_replaced_once),
		T(test_connection_that_ends_is_not_replaced_for_a_post),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
