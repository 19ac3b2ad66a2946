/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "fetch_fixture.h"

/* Servers that would keep us for ever, or have us keep more than we will. */

/* Slow loris, turned round: never silent for long, never done. */
TEST(test_hostile_byte_a_second_is_28_after_max_time_with_what_came)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;
	uint32_t i;

	f->job.max_time_ns = 100 * NS_PER_SEC;
	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	for (i = 0; i < 99; i++) {
		assert_false(fx_run(f));
		test_peer_wait(&f->peer, NS_PER_SEC);
		fx_reply(f, 0, "x");
	}
	assert_false(fx_run(f));
	test_peer_wait(&f->peer, NS_PER_SEC);
	r = fx_expect_end(f, FETCH_OPERATION_TIMEDOUT);
	assert_non_null(strstr(r->message, "with 99 out of 100000 bytes received"));
	assert_in_range(r->end_ns - r->start_ns, 100 * NS_PER_SEC, 101 * NS_PER_SEC);
	assert_int_equal(f->peer.resets, 1);
	fx_end(f);
}

/* The same before the head is whole. */
TEST(test_hostile_head_of_a_byte_a_second_is_28_after_max_time)
{
	struct fx *f = fx_new();
	uint32_t i;

	f->job.max_time_ns = 20 * NS_PER_SEC;
	fx_start_to_request(f);
	for (i = 0; i < 19; i++) {
		fx_reply_bytes(f, 0, &"HTTP/1.1 200 OK\r\nX: "[i], 1);
		assert_false(fx_run(f));
		test_peer_wait(&f->peer, NS_PER_SEC);
	}
	assert_false(fx_run(f));
	test_peer_wait(&f->peer, NS_PER_SEC);
	fx_expect_end(f, FETCH_OPERATION_TIMEDOUT);
	fx_expect_body(f, "");
	fx_end(f);
}

/* 20 KiB at a time: the host's queue of frames is finite. Returns whether the fetch is over. */
static bool
reply_in_bursts(struct fx *f, const char *bytes, uint32_t len)
{
	uint32_t at, n;
	bool over = false;

	for (at = 0; at < len && !over; at += n) {
		n = MIN_OF(len - at, 20480U);
		fx_reply_bytes(f, 0, bytes + at, n);
		over = fx_run(f);
	}
	return over;
}

/* A head of about this many bytes, in fields of 99. free() it. */
static char *
make_head(uint32_t len, uint32_t *ret_len)
{
	char *head = malloc(len + 200U);
	uint32_t at = 0, i;

	assert_non_null(head);
	at += (uint32_t)sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n");
	for (i = 0; at < len; i++)
		at += (uint32_t)sprintf(head + at, "X-Field-%06u: %081u\r\n", i, i);
	at += (uint32_t)sprintf(head + at, "\r\nbody");
	*ret_len = at;
	return head;
}

struct field_count {
	uint32_t fields, right;
};

static void
count_field(void *ctx, const char *name, const char *value)
{
	struct field_count *c = ctx;

	if (strncmp(name, "X-Field-", 8) != 0)
		return;
	c->right += strtoul(name + 8, NULL, 10) == c->fields &&
		    strtoul(value, NULL, 10) == c->fields && strlen(value) == 81;
	c->fields++;
}

TEST(test_hostile_64_kib_of_head_are_taken_field_by_field)
{
	struct fx *f = fx_new();
	struct field_count count = {0};
	uint32_t len;
	char *head = make_head(64U << 10, &len);

	f->job.on_header = count_field;
	f->job.on_header_ctx = &count;
	fx_start_to_request(f);
	(void)reply_in_bursts(f, head, len);
	assert_in_range(fx_expect_end(f, FETCH_OK)->header_bytes, 64U << 10, (64U << 10) + 200);
	fx_expect_body(f, "body");
	assert_in_range(count.fields, 655, 665);
	assert_int_equal(count.right, count.fields);
	free(head);
	fx_end(f);
}

TEST(test_hostile_head_beyond_the_limit_is_8_and_resets)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;
	uint32_t len;
	char *head = make_head(400U << 10, &len);

	fx_start_to_request(f);
	assert_true(reply_in_bursts(f, head, len));
	r = fx_expect_end(f, FETCH_WEIRD_SERVER_REPLY);
	assert_non_null(strstr(r->message, "head too large at byte 307200"));
	fx_expect_body(f, "");
	assert_int_equal(f->peer.resets, 1);
	free(head);
	fx_end(f);
}

/* A chunk of one byte costs six; however many there are, what is held is the window's. */
TEST(test_hostile_tiny_chunks_are_joined_and_hold_no_more_than_a_burst)
{
	struct fx *f = fx_new();
	uint32_t i, at, block;
	char chunks[6 * 1024 + 1];

	fx_start_to_request(f);
	fx_reply(f, 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (block = 0; block < 60; block++) {
		for (i = at = 0; i < 1024; i++)
			at += (uint32_t)sprintf(chunks + at, "1\r\n%c\r\n", 'a' + (int)(i % 26));
		fx_reply_bytes(f, 0, chunks, at);
		while (f->sink.len < 1024 * (block + 1))
			assert_false(fx_run(f));
		assert_int_equal(test_buffers_live(&f->peer.buffers), 0);
	}
	fx_reply(f, 0, "0\r\n\r\n");
	fx_expect_end(f, FETCH_OK);
	assert_int_equal(f->sink.len, 60 * 1024);
	for (i = 0; i < f->sink.len; i++)
		assert_int_equal(f->sink.body[i], 'a' + (int)(i % 1024 % 26));
	fx_end(f);
}

/* RFC 9293 §3.8.6.1 (MUST-36): answered probes keep the connection open, so only the time ends it;
 * without this the user would look for the fault in the path. */
TEST(test_hostile_window_shut_for_ever_is_28_after_max_time_and_says_so)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;
	uint32_t seconds, heard = 0;

	f->job.max_time_ns = 600 * NS_PER_SEC;
	f->peer.window = 0;
	fx_start(f);
	for (seconds = 0; seconds < 599; seconds++) {
		heard = f->peer.frames_seen;
		assert_false(fx_run(f));
		test_peer_wait(&f->peer, NS_PER_SEC);
	}
	assert_int_equal(f->peer.received_len, 0);
	assert_true(heard > 10); /* we went on asking */
	test_peer_wait(&f->peer, NS_PER_SEC);
	r = fx_expect_end(f, FETCH_OPERATION_TIMEDOUT);
	assert_non_null(strstr(r->message, "with 0 bytes received: the server's window is shut"));
	assert_int_equal(f->peer.resets, 1);
	fx_end(f);
}

/* Not where the window is open and the server is merely silent. */
TEST(test_hostile_silence_with_an_open_window_is_not_said_to_be_a_shut_one)
{
	struct fx *f = fx_new();
	const struct fetch_result *r;

	f->job.max_time_ns = 5 * NS_PER_SEC;
	fx_start_to_request(f);
	test_peer_wait(&f->peer, 5 * NS_PER_SEC);
	r = fx_expect_end(f, FETCH_OPERATION_TIMEDOUT);
	assert_null(strstr(r->message, "window"));
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hostile_byte_a_second_is_28_after_max_time_with_what_came),
		T(test_hostile_head_of_a_byte_a_second_is_28_after_max_time),
		T(test_hostile_64_kib_of_head_are_taken_field_by_field),
		T(test_hostile_head_beyond_the_limit_is_8_and_resets),
		T(test_hostile_window_shut_for_ever_is_28_after_max_time_and_says_so),
		T(test_hostile_silence_with_an_open_window_is_not_said_to_be_a_shut_one),
		T(test_hostile_tiny_chunks_are_joined_and_hold_no_more_than_a_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
