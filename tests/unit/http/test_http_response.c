/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_response.h"

static struct test_response got;

/* Gives `text` whole, then cut at every place, and demands the same result each time. */
struct cut {
	uint32_t first;
	uint32_t calls;
};

static uint32_t
cut_piece(void *ctx)
{
	struct cut *cut = ctx;

	return cut->calls++ == 0 ? cut->first : UINT32_MAX;
}

static uint32_t
one_byte(void *ctx)
{
	(void)ctx;
	return 1;
}

/* And the same where nobody reads the fields, but for these. */
static void
run_unread(const char *text, struct test_response_options options)
{
	static struct test_response read, unread;
	struct http_head_cache *heads = http_head_cache_create();
	uint32_t len = (uint32_t)strlen(text), i;

	read = got;
	read.fields_len = 0;
	memset(read.fields, 0, sizeof(read.fields));
	options.fields_unread = true;
	for (i = 0; i <= 2 * len; i++) {
		struct cut cut = {.first = i / 2};

		options.heads = i % 2 != 0 ? heads : NULL;

		options.piece = i < 2 ? one_byte : cut_piece;
		options.piece_ctx = &cut;
		test_response_run((const uint8_t *)text, len, &options, &unread);
		assert_memory_equal(&unread, &read, sizeof(read));
	}
	http_head_cache_destroy(heads);
}

static void
run_with(const char *text, struct test_response_options options)
{
	static struct test_response other;
	uint32_t len = (uint32_t)strlen(text);
	uint32_t i;

	test_response_run((const uint8_t *)text, len, &options, &got);
	for (i = 0; i < 2 * len; i++) {
		struct cut cut = {.first = i / 2};

		options.piece = i < 2 ? one_byte : cut_piece;
		options.skip = i % 2 != 0;
		options.piece_ctx = &cut;
		test_response_run((const uint8_t *)text, len, &options, &other);
		assert_memory_equal(&other, &got, sizeof(got));
	}
	run_unread(text, options);
}

static void
run(const char *text)
{
	run_with(text, (struct test_response_options){0});
}

static void
run_to_end(const char *text)
{
	run_with(text, (struct test_response_options){.finish = true});
}

static void
test_response_content_length_complete_at_its_last_byte(void **state)
{
	(void)state;
	run("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloNEXT");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.framing, HTTP_FRAMING_LENGTH);
	assert_int_equal(got.length, 5);
	assert_int_equal(got.body_bytes, 5);
	assert_int_equal(got.header_bytes, 38);
	assert_int_equal(got.used, 43);
	assert_string_equal(got.body, "hello");
	assert_string_equal(got.error, "");
	assert_true(got.keep_alive);
}

static void
test_response_content_length_short_is_cut_off_at_end_of_connection(void **state)
{
	(void)state;
	run_to_end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, "body cut off at byte 42");
	assert_string_equal(got.body, "hell");
	assert_false(got.keep_alive);
}

static void
test_response_content_length_zero_complete_with_the_head(void **state)
{
	(void)state;
	run("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_LENGTH);
	assert_int_equal(got.body_bytes, 0);
	assert_true(got.keep_alive);
}

static void
test_response_head_cut_off_is_an_error_at_end_of_connection(void **state)
{
	(void)state;
	run_to_end("HTTP/1.1 200 OK\r\nContent-Le");
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, "head cut off at byte 27");
	assert_false(got.headers_complete);
}

static void
test_response_chunked_spans_joined_and_trailer_dropped(void **state)
{
	(void)state;
	run("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
	    "3;q;name=\"v\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nNEXT");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_CHUNKED);
	assert_int_equal(got.length, HTTP_LENGTH_UNKNOWN);
	assert_int_equal(got.body_bytes, 13);
	assert_string_equal(got.body, "abc0123456789");
	assert_string_equal(got.fields, "Transfer-Encoding=Chunked;");
	assert_true(got.keep_alive);
}

static void
test_response_chunked_without_last_chunk_is_cut_off(void **state)
{
	(void)state;
	run_to_end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, "chunked body cut off at byte 55");
	assert_string_equal(got.body, "abc");
}

static void
test_response_chunked_without_the_last_line_end_is_cut_off(void **state)
{
	(void)state;
	run_to_end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n");
	assert_int_equal(got.event, HTTP_ERROR);
}

static void
test_response_without_framing_lasts_until_the_connection_ends(void **state)
{
	(void)state;
	run("HTTP/1.1 200 OK\r\n\r\nall of it");
	assert_int_equal(got.event, HTTP_BODY);
	assert_int_equal(got.framing, HTTP_FRAMING_CLOSE);
	run_to_end("HTTP/1.1 200 OK\r\n\r\nall of it");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.length, HTTP_LENGTH_UNKNOWN);
	assert_string_equal(got.body, "all of it");
	assert_false(got.keep_alive);
}

static void
test_response_204_has_no_body(void **state)
{
	(void)state;
	run("HTTP/1.1 204 No Content\r\n\r\nNEXT");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_NONE);
	assert_int_equal(got.used, 27);
	assert_true(got.keep_alive);
}

static void
test_response_304_has_no_body_whatever_its_content_length(void **state)
{
	(void)state;
	run("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nNEXT");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_NONE);
	assert_int_equal(got.length, 9);
	assert_int_equal(got.body_bytes, 0);
}

static void
test_response_to_head_has_no_body_whatever_its_fields(void **state)
{
	(void)state;
	run_with("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nNEXT",
		(struct test_response_options){.is_head = true});
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_NONE);
	assert_int_equal(got.length, 9);
	assert_true(got.keep_alive);
	run_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nNEXT",
		(struct test_response_options){.is_head = true});
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.framing, HTTP_FRAMING_NONE);
}

static void
test_response_informational_ones_are_skipped_with_their_fields(void **state)
{
	(void)state;
	run("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.fields, "Content-Length=2;");
	assert_int_equal(got.header_bytes, got.used - 2);
	assert_string_equal(got.body, "ok");
}

static void
test_response_fields_are_trimmed_and_unfolded(void **state)
{
	(void)state;
	run("HTTP/1.1 200\r\nA:   b c \t \r\nEmpty:\r\nBlank:  \r\nFold: x\r\n  y\r\n"
	    "Content-Length: 0\r\n\r\n");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_string_equal(got.fields, "A=b c;Empty=;Blank=;Fold=x  y;Content-Length=0;");
}

static void
test_response_connection_close_ends_reuse(void **state)
{
	(void)state;
	run("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_false(got.keep_alive);
	run("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n");
	assert_false(got.keep_alive);
}

static void
test_response_http10_is_reused_only_with_keep_alive(void **state)
{
	(void)state;
	run("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_false(got.keep_alive);
	run("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
	assert_true(got.keep_alive);
}

static void
test_response_http10_chunked_is_read_but_not_reused(void **state)
{
	(void)state;
	run("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\na\r\n0\r\n\r\n");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_string_equal(got.body, "a");
	assert_false(got.keep_alive);
}

static void
test_response_status_line_without_reason_is_fine(void **state)
{
	(void)state;
	run("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_int_equal(got.status, 404);
}

static void
test_response_reset_serves_the_next_response(void **state)
{
	static const char first[] =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
	static const char second[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
	struct http_limits limits;
	struct http_response *r;
	const uint8_t *body;
	uint32_t used, body_len;

	(void)state;
	http_limits_defaults(&limits);
	r = http_response_create(&limits, NULL, NULL);
	assert_non_null(r);
	assert_false(http_response_started(r));
	assert_int_equal(http_response_feed(r, (const uint8_t *)first, sizeof(first) - 1, &used,
				 &body, &body_len),
		HTTP_COMPLETE);
	assert_true(http_response_started(r));
	http_response_reset(r, false);
	assert_false(http_response_started(r));
	assert_false(http_response_headers_complete(r));
	assert_int_equal(http_response_status(r), 0);
	assert_int_equal(http_response_feed(r, (const uint8_t *)second, sizeof(second) - 1, &used,
				 &body, &body_len),
		HTTP_COMPLETE);
	assert_int_equal(http_response_status(r), 404);
	assert_int_equal(body_len, 2);
	assert_memory_equal(body, "no", 2);
	http_response_destroy(r);
}

static void
test_response_after_the_end_nothing_more_is_used(void **state)
{
	static const char text[] = "HTTP/1.1 204 No Content\r\n\r\n";
	struct http_limits limits;
	struct http_response *r;
	const uint8_t *body;
	uint32_t used, body_len;

	(void)state;
	http_limits_defaults(&limits);
	r = http_response_create(&limits, NULL, NULL);
	assert_non_null(r);
	(void)http_response_feed(
		r, (const uint8_t *)text, sizeof(text) - 1, &used, &body, &body_len);
	assert_int_equal(http_response_feed(r, (const uint8_t *)text, 5, &used, &body, &body_len),
		HTTP_COMPLETE);
	assert_int_equal(used, 0);
	assert_int_equal(body_len, 0);
	assert_int_equal(http_response_finish(r), HTTP_COMPLETE);
	http_response_destroy(r);
}

/* Names and values that are longer than what the parser keeps of them, in pieces of every size. */
static void
test_response_fields_unread_are_judged_beyond_what_is_kept(void **state)
{
	static const char *const codings[] = {"chunked", " \t chunked", "chunked \t ",
		"  CHUNKED\t                                           "};
	static const char *const others[] = {"chunke", "chunkedx", "chunked, chunked", "chunked x",
		"c hunked", "gzip,          chunked"};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		snprintf(text, sizeof(text),
			"HTTP/1.1 200 OK\r\nTransfer-Encodings: gzip\r\nTransfer-Encodin: gzip\r\n"
			"transfer-ENCODING:%s\r\nX-Transfer-Encoding: "
			"gzip\r\n\r\n2\r\nab\r\n0\r\n\r\n",
			codings[i]);
		run(text);
		assert_int_equal(got.event, HTTP_COMPLETE);
		assert_int_equal(got.framing, HTTP_FRAMING_CHUNKED);
		assert_string_equal(got.body, "ab");
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
			others[i]);
		run(text);
		assert_int_equal(got.event, HTTP_ERROR);
	}
	run("HTTP/1.1 200 OK\r\na-name-of-more-than-eighteen-bytes-with-a{brace: x\r\n\r\n");
	assert_int_equal(got.event, HTTP_ERROR);
}

static uint32_t
status_of(struct http_response *r, const char *text, bool is_head)
{
	const uint8_t *body;
	uint32_t used, body_len;

	http_response_reset(r, is_head);
	(void)http_response_feed(
		r, (const uint8_t *)text, (uint32_t)strlen(text), &used, &body, &body_len);
	return http_response_status(r);
}

/* A parser that has seen "chunked" has its letters where the next value's blanks are. */
static void
test_response_coding_with_a_blank_in_it_is_no_chunked_after_one_that_was(void **state)
{
	static const char chunked[] =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
	static const char *const others[] = {
		"c unked", "chu ked", "chu\tked", "chunk d", "c    ed"};
	struct http_limits limits;
	struct http_response *r;
	char text[128];
	size_t i;

	(void)state;
	http_limits_defaults(&limits);
	r = http_response_create(&limits, NULL, NULL);
	assert_non_null(r);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(status_of(r, chunked, false), 200);
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
			others[i]);
		assert_int_equal(status_of(r, text, false), 0);
		assert_non_null(strstr(http_response_error(r), "Unsupported Transfer-Encoding"));
	}
	http_response_destroy(r);
}

/* A head that is known to one parser says the same to another, unless that one was made or asked
 * otherwise. */
static void
test_response_heads_shared_are_judged_by_each_parsers_limits(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nno";
	struct http_head_cache *heads = http_head_cache_create();
	struct http_limits limits;
	struct http_response *r, *few_fields, *few_bytes;

	(void)state;
	http_limits_defaults(&limits);
	r = http_response_create(&limits, NULL, NULL);
	limits.header_fields_max = 1;
	few_fields = http_response_create(&limits, NULL, NULL);
	http_limits_defaults(&limits);
	limits.header_bytes_max = 40;
	few_bytes = http_response_create(&limits, NULL, NULL);
	http_response_share_heads(r, heads);
	http_response_share_heads(few_fields, heads);
	http_response_share_heads(few_bytes, heads);
	assert_int_equal(status_of(r, text, false), 200);
	assert_int_equal(http_response_body_bytes(r), 2);
	assert_int_equal(status_of(r, text, false), 200);
	assert_int_equal(http_response_body_bytes(r), 2);
	assert_int_equal(status_of(r, text, true), 200);
	assert_int_equal(http_response_framing(r), HTTP_FRAMING_NONE);
	assert_int_equal(status_of(few_fields, text, false), 0);
	assert_string_not_equal(http_response_error(few_fields), "");
	assert_int_equal(status_of(few_bytes, text, false), 0);
	assert_string_not_equal(http_response_error(few_bytes), "");
	http_response_destroy(r);
	http_response_destroy(few_fields);
	http_response_destroy(few_bytes);
	http_head_cache_destroy(heads);
}

static void
test_response_no_bytes_need_more(void **state)
{
	struct http_limits limits;
	struct http_response *r;
	const uint8_t *body;
	uint32_t used, body_len;

	(void)state;
	http_limits_defaults(&limits);
	r = http_response_create(&limits, NULL, NULL);
	assert_non_null(r);
	assert_int_equal(http_response_feed(r, (const uint8_t *)"", 0, &used, &body, &body_len),
		HTTP_NEED_MORE);
	assert_false(http_response_started(r));
	assert_int_equal(http_response_finish(r), HTTP_ERROR);
	assert_string_equal(http_response_error(r), "head cut off at byte 0");
	http_response_destroy(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response_content_length_complete_at_its_last_byte),
		cmocka_unit_test(
			test_response_content_length_short_is_cut_off_at_end_of_connection),
		cmocka_unit_test(test_response_content_length_zero_complete_with_the_head),
		cmocka_unit_test(test_response_head_cut_off_is_an_error_at_end_of_connection),
		cmocka_unit_test(test_response_chunked_spans_joined_and_trailer_dropped),
		cmocka_unit_test(test_response_chunked_without_last_chunk_is_cut_off),
		cmocka_unit_test(test_response_chunked_without_the_last_line_end_is_cut_off),
		cmocka_unit_test(test_response_without_framing_lasts_until_the_connection_ends),
		cmocka_unit_test(test_response_204_has_no_body),
		cmocka_unit_test(test_response_304_has_no_body_whatever_its_content_length),
		cmocka_unit_test(test_response_to_head_has_no_body_whatever_its_fields),
		cmocka_unit_test(test_response_informational_ones_are_skipped_with_their_fields),
		cmocka_unit_test(test_response_fields_are_trimmed_and_unfolded),
		cmocka_unit_test(test_response_connection_close_ends_reuse),
		cmocka_unit_test(test_response_http10_is_reused_only_with_keep_alive),
		cmocka_unit_test(test_response_http10_chunked_is_read_but_not_reused),
		cmocka_unit_test(test_response_status_line_without_reason_is_fine),
		cmocka_unit_test(test_response_reset_serves_the_next_response),
		cmocka_unit_test(test_response_after_the_end_nothing_more_is_used),
		cmocka_unit_test(test_response_fields_unread_are_judged_beyond_what_is_kept),
		cmocka_unit_test(
			test_response_coding_with_a_blank_in_it_is_no_chunked_after_one_that_was),
		cmocka_unit_test(test_response_heads_shared_are_judged_by_each_parsers_limits),
		cmocka_unit_test(test_response_no_bytes_need_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
