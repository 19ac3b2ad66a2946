/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_response.h"

/* What must not pass, each given whole and byte by byte, with the message that names it. */

static struct test_response got;

static uint32_t
one_byte(void *ctx)
{
	(void)ctx;
	return 1;
}

static void
assert_rejected_within(const char *text, const struct http_limits *limits, const char *error)
{
	struct test_response_options options = {.limits = limits};

	test_response_run((const uint8_t *)text, (uint32_t)strlen(text), &options, &got);
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, error);
	options.piece = one_byte;
	test_response_run((const uint8_t *)text, (uint32_t)strlen(text), &options, &got);
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, error);
	options.fields_unread = true;
	test_response_run((const uint8_t *)text, (uint32_t)strlen(text), &options, &got);
	assert_int_equal(got.event, HTTP_ERROR);
	assert_string_equal(got.error, error);
}

static void
assert_rejected(const char *text, const char *error)
{
	assert_rejected_within(text, NULL, error);
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static void
test_response_without_the_http_prefix_is_rejected(void **state)
{
	(void)state;
	assert_rejected("<html>", "No \"HTTP/\" where a response begins at byte 0");
	assert_false(got.is_http);
	assert_rejected(
		"HTTQ/1.1 200 OK\r\n\r\n", "No \"HTTP/\" where a response begins at byte 0");
	assert_rejected(
		"\r\nHTTP/1.1 200 OK\r\n\r\n", "No \"HTTP/\" where a response begins at byte 0");
	assert_false(got.is_http);
}

static void
test_response_garbage_after_1xx_is_rejected_but_not_as_http09(void **state)
{
	(void)state;
	assert_rejected("HTTP/1.1 100 C\r\n\r\nHTgarbage",
		"No \"HTTP/\" where a response begins at byte 18");
	assert_true(got.is_http);
}

static void
test_response_version_other_than_1_is_rejected(void **state)
{
	(void)state;
	assert_rejected("HTTP/2.0 200 OK\r\n\r\n", "Unsupported HTTP version at byte 19");
	assert_true(got.is_http);
	assert_rejected("HTTP/1.7 200 OK\r\n\r\n", "Invalid HTTP version at byte 8");
}

static void
test_response_status_not_of_three_digits_is_rejected(void **state)
{
	(void)state;
	assert_rejected("HTTP/1.1 99 OK\r\n\r\n", "Invalid status code at byte 18");
	assert_rejected("HTTP/1.1  200 OK\r\n\r\n", "Invalid status code at byte 20");
	assert_rejected("HTTP/1.1 2000 OK\r\n\r\n", "Response overflow at byte 13");
	assert_rejected("HTTP/1.1 abc\r\n\r\n", "Invalid response status at byte 9");
}

static void
test_response_transfer_encoding_with_content_length_is_rejected(void **state)
{
	static const char *const error =
		"Content-Length can't be present with Transfer-Encoding at byte 66";

	(void)state;
	assert_rejected(HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", error);
	assert_rejected(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", error);
}

static void
test_response_content_length_twice_is_rejected(void **state)
{
	(void)state;
	assert_rejected(HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"Duplicate Content-Length at byte 52");
	assert_rejected(HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
		"Duplicate Content-Length at byte 52");
}

static void
test_response_content_length_not_a_number_is_rejected(void **state)
{
	static const char *const error = "Invalid character in Content-Length at byte 33";

	(void)state;
	assert_rejected(HEAD "Content-Length: +3\r\n\r\n", error);
	assert_rejected(HEAD "Content-Length: -3\r\n\r\n", error);
	assert_rejected(HEAD "Content-Length: x\r\n\r\n", error);
	assert_rejected(HEAD "Content-Length: 3, 3\r\n\r\n",
		"Invalid character in Content-Length at byte 34");
	assert_rejected(HEAD "Content-Length: \r\n\r\n", "Empty Content-Length at byte 35");
}

static void
test_response_content_length_overflow_is_rejected(void **state)
{
	(void)state;
	assert_rejected(HEAD "Content-Length: 18446744073709551616\r\n\r\n",
		"Content-Length overflow at byte 53");
	/* UINT64_MAX fits, but it is HTTP_LENGTH_UNKNOWN and no file's size. */
	assert_rejected(HEAD "Content-Length: 18446744073709551615\r\n\r\n",
		"Content-Length overflow at byte 57");
}

static void
test_response_transfer_coding_other_than_chunked_is_rejected(void **state)
{
	(void)state;
	assert_rejected(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"Unsupported Transfer-Encoding at byte 51");
	assert_rejected(HEAD "Transfer-Encoding: xchunked\r\n\r\n",
		"Unsupported Transfer-Encoding at byte 46");
	assert_rejected(HEAD "Transfer-Encoding: chunked, identity\r\n\r\n",
		"Unsupported Transfer-Encoding at byte 55");
	assert_rejected(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"Unsupported Transfer-Encoding at byte 73");
}

static void
test_response_header_name_not_a_token_is_rejected(void **state)
{
	(void)state;
	assert_rejected(HEAD "A : b\r\n\r\n", "Invalid header token at byte 18");
	assert_rejected(HEAD "A b: c\r\n\r\n", "Invalid header token at byte 18");
	assert_rejected(HEAD ": b\r\n\r\n", "Invalid header field name at byte 18");
	assert_rejected(HEAD "novalue\r\n\r\n", "Invalid header token at byte 24");
	assert_rejected(HEAD " A: b\r\n\r\n", "Unexpected space after start line at byte 18");
}

static void
test_response_header_value_with_control_characters_is_rejected(void **state)
{
	(void)state;
	assert_rejected(HEAD "A: b\001\r\n\r\n", "Invalid header value char at byte 21");
	assert_rejected(
		HEAD "A: b\rc\r\n\r\n", "Missing expected LF after header value at byte 22");
}

static void
test_response_chunk_size_malformed_is_rejected(void **state)
{
	(void)state;
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
	assert_rejected(CHUNKED "x\r\n", "Invalid character in chunk size at byte 47");
	assert_rejected(CHUNKED "-1\r\n", "Invalid character in chunk size at byte 47");
	assert_rejected(CHUNKED "0x3\r\n", "Invalid character in chunk size at byte 48");
	assert_rejected(CHUNKED "3 \r\n", "Invalid character in chunk size at byte 48");
	assert_rejected(CHUNKED "3\nabc\n", "Invalid character in chunk size at byte 48");
	assert_rejected(CHUNKED "fffffffffffffffff\r\n", "Chunk size overflow at byte 64");
}

static void
test_response_chunk_longer_than_its_size_is_rejected(void **state)
{
	(void)state;
	assert_rejected(CHUNKED "3\r\nabcd\r\n", "Expected CRLF after chunk at byte 53");
	assert_string_equal(got.body, "abc");
}

static void
test_response_101_unasked_is_rejected(void **state)
{
	(void)state;
	assert_rejected("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
		"101 without an upgrade asked for at byte 61");
}

static void
test_response_head_over_the_byte_limit_is_rejected(void **state)
{
	struct http_limits limits;

	(void)state;
	http_limits_defaults(&limits);
	limits.header_bytes_max = 40;
	assert_rejected_within(HEAD "A: 0123456789012345678901234567890\r\n\r\n", &limits,
		"Response head too large at byte 40");
	limits.header_bytes_max = 30; /* 1xx heads count together with the final one */
	assert_rejected_within("HTTP/1.1 100 C\r\n\r\n" HEAD "\r\n", &limits,
		"Response head too large at byte 30");
}

static void
test_response_head_of_exactly_the_byte_limit_passes(void **state)
{
	static const char text[] = HEAD "A: b\r\nContent-Length: 0\r\n\r\n";
	struct http_limits limits;
	struct test_response_options options = {.limits = &limits};

	(void)state;
	http_limits_defaults(&limits);
	limits.header_bytes_max = sizeof(text) - 1;
	test_response_run((const uint8_t *)text, sizeof(text) - 1, &options, &got);
	assert_int_equal(got.event, HTTP_COMPLETE);
	assert_string_equal(got.fields, "A=b;Content-Length=0;");
}

static void
test_response_more_fields_than_the_limit_are_rejected(void **state)
{
	struct http_limits limits;

	(void)state;
	http_limits_defaults(&limits);
	limits.header_fields_max = 2;
	assert_rejected_within(
		HEAD "A: b\r\nC: d\r\nE: f\r\n\r\n", &limits, "Too many header fields at byte 31");
	assert_rejected_within(
		CHUNKED "0\r\nA: b\r\nC: d\r\n\r\n", &limits, "Too many header fields at byte 58");
}

static void
test_response_more_1xx_than_the_limit_are_rejected(void **state)
{
	struct http_limits limits;

	(void)state;
	http_limits_defaults(&limits);
	limits.informational_max = 1;
	assert_rejected_within("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n", &limits,
		"Too many 1xx responses at byte 36");
}

static void
test_response_trailer_or_extension_over_the_byte_limit_is_rejected(void **state)
{
	struct http_limits limits;

	(void)state;
	http_limits_defaults(&limits);
	limits.header_bytes_max = 60;
	assert_rejected_within(CHUNKED "0\r\nA: 01234567890123456789012345678901234567890123456789"
				       "01234567890123456789\r\n\r\n",
		&limits, "chunk framing or trailer too large at byte 107");
	assert_rejected_within(CHUNKED "3;a=01234567890123456789012345678901234567890123456789"
				       "01234567890123456789\r\nabc\r\n0\r\n\r\n",
		&limits, "chunk framing or trailer too large at byte 107");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response_without_the_http_prefix_is_rejected),
		cmocka_unit_test(test_response_garbage_after_1xx_is_rejected_but_not_as_http09),
		cmocka_unit_test(test_response_version_other_than_1_is_rejected),
		cmocka_unit_test(test_response_status_not_of_three_digits_is_rejected),
		cmocka_unit_test(test_response_transfer_encoding_with_content_length_is_rejected),
		cmocka_unit_test(test_response_content_length_twice_is_rejected),
		cmocka_unit_test(test_response_content_length_not_a_number_is_rejected),
		cmocka_unit_test(test_response_content_length_overflow_is_rejected),
		cmocka_unit_test(test_response_transfer_coding_other_than_chunked_is_rejected),
		cmocka_unit_test(test_response_header_name_not_a_token_is_rejected),
		cmocka_unit_test(test_response_header_value_with_control_characters_is_rejected),
		cmocka_unit_test(test_response_chunk_size_malformed_is_rejected),
		cmocka_unit_test(test_response_chunk_longer_than_its_size_is_rejected),
		cmocka_unit_test(test_response_101_unasked_is_rejected),
		cmocka_unit_test(test_response_head_over_the_byte_limit_is_rejected),
		cmocka_unit_test(test_response_head_of_exactly_the_byte_limit_passes),
		cmocka_unit_test(test_response_more_fields_than_the_limit_are_rejected),
		cmocka_unit_test(test_response_more_1xx_than_the_limit_are_rejected),
		cmocka_unit_test(
			test_response_trailer_or_extension_over_the_byte_limit_is_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
