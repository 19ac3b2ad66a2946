/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch_fixture.h"

/* From the response's framing to the sink. */

TEST(test_body_with_length_is_written_and_the_length_told)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	fx_start_to_request(f);
	assert_memory_equal(f->peer.received, "GET /x HTTP/1.1\r\nHost: 198.18.0.1\r\n", 35);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
	assert_false(fx_run(f));
	fx_reply(f, 0, "lo");
	r = fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, "hello");
	assert_int_equal(f->sink.expected, 5);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->length, 5);
	assert_int_equal(r->framing, HTTP_FRAMING_LENGTH);
	assert_true(r->start_ns < r->connected_ns && r->connected_ns <= r->request_sent_ns);
	assert_true(r->request_sent_ns < r->first_byte_ns && r->first_byte_ns <= r->end_ns);
	assert_false(r->may_retry);
	fx_end(f);
}

TEST(test_body_of_length_0_is_complete_at_once)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, "");
	fx_end(f);
}

TEST(test_body_in_chunks_with_a_trailer_is_joined)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	fx_reply(f, 0, "3\r\nabc\r\n2;x=y\r\nde\r\n4\r\nf");
	fx_reply(f, 0, "ghi\r\n0\r\nX-Trailer: 1\r\n\r\n");
	assert_int_equal(fx_expect_end(f, FETCH_OK)->framing, HTTP_FRAMING_CHUNKED);
	fx_expect_body(f, "abcdefghi");
	fx_end(f);
}

TEST(test_body_up_to_the_close_is_complete_with_the_fin)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\n\r\nall ");
	assert_false(fx_run(f));
	fx_reply(f, TCP_FIN, "of it");
	/* The connection is gone, its figures are not. */
	assert_true(fx_expect_end(f, FETCH_OK)->tcp.mss_send > 0);
	fx_expect_body(f, "all of it");
	fx_end(f);
}

TEST(test_body_is_none_after_204_304_and_head)
{
	static const char *const heads[] = {"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"};
	uint32_t i;

	for (i = 0; i < 3; i++) {
		struct fx *f = fx_new();

		f->job.method = i == 2 ? "HEAD" : NULL;
		fx_start_to_request(f);
		fx_reply(f, 0, heads[i]);
		fx_expect_end(f, FETCH_OK);
		fx_expect_body(f, "");
		assert_int_equal(f->sink.complete, i != 1); /* 304 leaves an old file alone */
		fx_end(f);
	}
}

TEST(test_body_comes_after_1xx_responses)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
	assert_false(fx_run(f));
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	assert_int_equal(fx_expect_end(f, FETCH_OK)->status, 200);
	fx_expect_body(f, "ok");
	fx_end(f);
}

/* What came before the error is body: the partial file has it. */
TEST(test_body_before_a_malformed_chunk_is_kept)
{
	struct fx *f = fx_new();

	fx_start_to_request(f);
	fx_reply(f, 0,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		"chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\nxyz\r\n");
	fx_expect_end(f, FETCH_RECV_ERROR);
	fx_expect_body(f, "abcdef");
	fx_end(f);
}

TEST(test_body_before_a_malformed_chunk_waits_for_a_full_sink)
{
	struct fx *f = fx_new();

	f->sink.room = 0;
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n");
	assert_false(fx_run(f));
	f->sink.room = UINT32_MAX;
	fx_expect_end(f, FETCH_RECV_ERROR);
	fx_expect_body(f, "abc");
	fx_end(f);
}

TEST(test_body_waits_for_a_full_sink_with_the_window_shut)
{
	static uint8_t body[60000];
	struct fx *f = fx_new();
	uint32_t done, i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + (i >> 8));
	f->sink.room = 0;
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
	for (done = 0; done < sizeof(body); done += 10000) {
		fx_reply_bytes(f, 0, body + done, 10000);
		assert_false(fx_run(f));
	}
	assert_int_equal(f->sink.len, 0);
	assert_true(test_buffers_live(&f->peer.buffers) > 40); /* all held, none lost */
	f->sink.room = UINT32_MAX;
	fx_expect_end(f, FETCH_OK);
	assert_int_equal(f->sink.len, sizeof(body));
	assert_memory_equal(f->sink.body, body, sizeof(body));
	fx_end(f);
}

/* One byte to a buffer, and a sink that takes two writes now and then. */
static void
check_small_buffers(const char *head, uint8_t last_flags)
{
	static const char body[] = "the quick brown fox jumps over the lazy dog";
	uint32_t i, len = (uint32_t)sizeof(body) - 1;
	struct fx *f = fx_new();
	bool over = false;

	fx_start_to_request(f);
	fx_reply(f, 0, head);
	for (i = 0; i < len; i++)
		fx_reply_bytes(f, i + 1 == len ? last_flags : 0, body + i, 1);
	for (i = 0; !over && i < 2 * len; i++) {
		f->sink.room = 2;
		over = fx_run(f);
		assert_true(f->sink.len <= 2 * (i + 1));
	}
	fx_expect_end(f, FETCH_OK);
	fx_expect_body(f, body);
	fx_end(f);
}

TEST(test_body_in_small_buffers_with_length_is_exact)
{
	check_small_buffers("HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n", 0);
}

TEST(test_body_in_small_buffers_up_to_the_close_is_exact)
{
	check_small_buffers("HTTP/1.1 200 OK\r\n\r\n", TCP_FIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_body_with_length_is_written_and_the_length_told),
		T(test_body_of_length_0_is_complete_at_once),
		T(test_body_in_chunks_with_a_trailer_is_joined),
		T(test_body_up_to_the_close_is_complete_with_the_fin),
		T(test_body_is_none_after_204_304_and_head),
		T(test_body_comes_after_1xx_responses),
		T(test_body_before_a_malformed_chunk_is_kept),
		T(test_body_before_a_malformed_chunk_waits_for_a_full_sink),
		T(test_body_in_small_buffers_with_length_is_exact),
		T(test_body_in_small_buffers_up_to_the_close_is_exact),
		T(test_body_waits_for_a_full_sink_with_the_window_shut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
