/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch_fixture.h"

/* How a download that does not succeed ends: code, message, what may be tried again. */

#define BODY_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

TEST(test_end_refused_is_7_and_named_so)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	f->peer.answers.refuse = true;
	fx_start(f);
	r = fx_expect_end(f, FETCH_COULDNT_CONNECT);
	assert_non_null(strstr(r->message, "Connection refused"));
	assert_true(r->refused);
	assert_int_equal(r->request_bytes, 0);
	assert_false(r->may_retry);
	fx_end(f);
}

TEST(test_end_without_arp_answer_is_7_but_not_refused)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;
	uint32_t i;

	f->peer.answers.arp = false;
	fx_start(f);
	for (i = 0; i < 20; i++) {
		fx_run(f);
		test_peer_wait(&f->peer, NS_PER_SEC);
	}
	r = fx_expect_end(f, FETCH_COULDNT_CONNECT);
	assert_non_null(strstr(r->message, "198.18.0.1 did not answer 5 who-has"));
	assert_int_equal(f->peer.who_has, 5);
	assert_false(r->refused);
	fx_end(f);
}

/* curl: the connection was there, so it is a receive error. */
TEST(test_end_by_reset_in_the_burst_of_the_syn_ack_is_56)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	fx_start(f);
	while (f->peer.syns == 0) {
		test_peer_deliver(&f->peer);
		test_peer_wait(&f->peer, NS_PER_US);
	}
	test_peer_send(&f->peer, TCP_RST | TCP_ACK, NULL, 0);
	r = fx_expect_end(f, FETCH_RECV_ERROR);
	assert_non_null(strstr(r->message, "reset"));
	assert_true(r->connected_ns > 0);
	fx_end(f);
}

TEST(test_end_without_syn_ack_is_28_after_the_connect_timeout)
{
	struct fx *f = fx_new();

	f->peer.answers.syn = false;
	f->job.connect_timeout_ns = 2 * NS_PER_SEC;
	fx_start(f);
	fx_run(f);
	test_peer_wait(&f->peer, 1900 * NS_PER_MS);
	assert_false(fx_run(f));
	test_peer_wait(&f->peer, 100 * NS_PER_MS);
	assert_true(fx_expect_end(f, FETCH_OPERATION_TIMEDOUT)->may_retry);
	fx_end(f);
}

TEST(test_end_of_a_silent_server_is_28_after_max_time)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	f->job.max_time_ns = 5 * NS_PER_SEC;
	fx_start_to_request(f);
	fx_reply(f, 0, BODY_HEAD "1234");
	assert_false(fx_run(f));
	test_peer_wait(&f->peer, 5 * NS_PER_SEC);
	r = fx_expect_end(f, FETCH_OPERATION_TIMEDOUT);
	assert_non_null(strstr(r->message, "with 4 out of 10 bytes received"));
	fx_expect_body(f, "1234");
	assert_int_equal(f->peer.resets, 1);
	fx_end(f);
}

/* A limit that no clock reaches is none. */
TEST(test_end_by_a_limit_beyond_the_clock_does_not_come)
{
	struct fx *f = fx_new();

	f->job.max_time_ns = TIME_NEVER - 1;
	f->job.connect_timeout_ns = TIME_NEVER - 1;
	fx_start_to_request(f);
	fx_reply(f, 0, BODY_HEAD "1234567890");
	fx_expect_end(f, FETCH_OK);
	fx_end(f);
}

TEST(test_end_by_fin_in_the_body_is_18)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, TCP_FIN, BODY_HEAD "123");
	assert_non_null(strstr(
		fx_expect_end(f, FETCH_PARTIAL_FILE)->message, "with 7 bytes remaining to read"));
	fx_expect_body(f, "123");
	fx_end(f);
}

TEST(test_end_by_reset_in_the_body_keeps_what_came)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, BODY_HEAD "123");
	fx_reply(f, TCP_RST, "");
	fx_expect_end(f, FETCH_PARTIAL_FILE);
	fx_expect_body(f, "123");
	fx_end(f);
}

/* The FIN was the end. What becomes of the connection later, while a slow disk still takes the
 * body, does not cut it short: a server forgets it, and resets our keepalive probe. */
TEST(test_end_by_reset_after_the_fin_of_a_body_without_length_is_success)
{
	uint32_t slow;

	for (slow = 0; slow < 2; slow++) {
		struct fx *f = fx_new();

		fx_start_to_request(f);
		f->sink.room = slow ? 0 : f->sink.room;
		fx_reply(f, TCP_FIN, "HTTP/1.1 200 OK\r\n\r\nall of it");
		if (slow)
			assert_false(fx_run(f));
		fx_reply(f, TCP_RST, "");
		if (slow)
			assert_false(fx_run(f));
		f->sink.room = 100;
		fx_expect_end(f, FETCH_OK);
		fx_expect_body(f, "all of it");
		fx_end(f);
	}
}

/* It was not the end that the length promised, and the reset is not what cut it short. */
TEST(test_end_by_reset_after_the_fin_in_the_body_is_18)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, TCP_FIN, BODY_HEAD "123");
	fx_reply(f, TCP_RST, "");
	assert_non_null(strstr(fx_expect_end(f, FETCH_PARTIAL_FILE)->message,
		"transfer closed with 7 bytes remaining to read"));
	fx_end(f);
}

/* A body that is whole by its own framing does not need the connection any more. */
TEST(test_end_by_reset_in_the_burst_of_a_whole_body_is_success)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, BODY_HEAD "1234567890");
	fx_reply(f, TCP_RST, "");
	fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, "1234567890");
	fx_end(f);
}

TEST(test_end_by_fin_before_any_byte_is_52)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, TCP_FIN, "");
	fx_expect_end(f, FETCH_GOT_NOTHING);
	fx_end(f);
}

TEST(test_end_of_what_is_no_http_is_1_and_writes_nothing)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "SSH-2.0-OpenSSH\r\n");
	fx_expect_end(f, FETCH_UNSUPPORTED_PROTOCOL);
	fx_expect_body(f, "");
	fx_end(f);
}

/* As curl: at the end of the head, however long the body would be. */
TEST(test_end_by_status_with_fail_does_not_wait_for_the_body)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	f->job.fail_on_error = true;
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 404 Not Found\r\nContent-Length: 1000000000\r\n\r\nbla");
	r = fx_expect_end(f, FETCH_HTTP_RETURNED_ERROR);
	assert_int_equal(r->status, 404);
	assert_non_null(strstr(r->message, "404"));
	assert_int_equal(f->peer.resets, 1);
	fx_expect_body(f, "");
	fx_end(f);
}

TEST(test_end_by_status_with_fail_keeps_a_connection_that_is_done)
{
	struct fx *f = fx_new();

	f->job.fail_on_error = true;
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nbla");
	fx_expect_end(f, FETCH_HTTP_RETURNED_ERROR);
	fx_reset_sink(f);
	fx_start_to_request(f);
	assert_int_equal(f->peer.syns, 1);
	fx_end(f);
}

TEST(test_end_status_that_may_pass_may_be_retried_unless_something_else_failed)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nbla");
	assert_true(fx_expect_end(f, FETCH_OK)->may_retry);
	fx_reset_sink(f);
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nb");
	assert_false(fx_run(f));
	f->sink.error = -ENOSPC;
	assert_false(fx_expect_end(f, FETCH_WRITE_ERROR)->may_retry);
	fx_end(f);
}

TEST(test_end_by_a_failing_sink_is_23_and_resets)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, BODY_HEAD "123");
	assert_false(fx_run(f));
	f->sink.error = -ENOSPC;
	assert_non_null(strstr(fx_expect_end(f, FETCH_WRITE_ERROR)->message, "No space left"));
	assert_int_equal(f->peer.resets, 1);
	fx_end(f);
}

TEST(test_end_by_cancel_is_clean_in_every_state)
{
	uint32_t state;

	for (state = 0; state < 4; state++) {
		struct fx *f = fx_new();

		f->peer.answers.arp = state > 0;
		f->peer.answers.syn = state > 1;
		fx_start(f);
		fx_run(f);
		if (state == 3)
			fx_reply(f, 0, BODY_HEAD "123");
		fx_run(f);
		fetch_cancel(f->fetch, FETCH_ABORTED_BY_CALLBACK, "stop", f->peer.now_ns);
		fx_expect_end(f, FETCH_ABORTED_BY_CALLBACK);
		assert_int_equal(f->sink.len, state == 3 ? 3 : 0);
		fx_end(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_end_refused_is_7_and_named_so),
		T(test_end_without_arp_answer_is_7_but_not_refused),
		T(test_end_by_reset_in_the_burst_of_the_syn_ack_is_56),
		T(test_end_without_syn_ack_is_28_after_the_connect_timeout),
		T(test_end_of_a_silent_server_is_28_after_max_time),
		T(test_end_by_a_limit_beyond_the_clock_does_not_come),
		T(test_end_by_fin_in_the_body_is_18),
		T(test_end_by_reset_in_the_body_keeps_what_came),
		T(test_end_by_reset_after_the_fin_of_a_body_without_length_is_success),
		T(test_end_by_reset_after_the_fin_in_the_body_is_18),
		T(test_end_by_reset_in_the_burst_of_a_whole_body_is_success),
		T(test_end_by_fin_before_any_byte_is_52),
		T(test_end_of_what_is_no_http_is_1_and_writes_nothing),
		T(test_end_by_status_with_fail_does_not_wait_for_the_body),
		T(test_end_by_status_with_fail_keeps_a_connection_that_is_done),
		T(test_end_status_that_may_pass_may_be_retried_unless_something_else_failed),
		T(test_end_by_a_failing_sink_is_23_and_resets),
		T(test_end_by_cancel_is_clean_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
