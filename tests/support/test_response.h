/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_RESPONSE_H
#define TEST_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "http_response.h"

/*
 * Feeds a whole stream to a response parser in pieces and records all that came of it, so that
 * tests and fuzzers can compare one way of cutting the stream with another.
 */

#define TEST_RESPONSE_TEXT_MAX 65536U

struct test_response {
	enum http_status_event event; /* the last one */
	uint32_t status;
	enum http_framing framing;
	uint64_t length, body_bytes;
	uint64_t header_bytes; /* 0 after an error */
	uint64_t used; /* bytes of the stream that belonged to the response; 0 after an error */
	bool headers_complete, is_http, keep_alive;
	char error[160];
	uint32_t body_len, fields_len;
	char body[TEST_RESPONSE_TEXT_MAX]; /* the spans joined; what exceeds the room is not kept */
	char fields[TEST_RESPONSE_TEXT_MAX]; /* "name=value;" for each */
};

/** How a stream is given: at each call the next piece's length, 1.. . */
typedef uint32_t (*test_response_piece_fn)(void *ctx);

struct test_response_options {
	const struct http_limits *limits; /* NULL: the defaults */
	bool is_head; /* the request's method is HEAD */
	bool finish; /* end the stream with http_response_finish */
	bool fields_unread; /* the parser has no on_header; fields stays empty */
	struct http_head_cache *heads; /* NULL: none; else with fields_unread only */
	bool skip; /* pieces that are all body are told of instead of fed */
	test_response_piece_fn piece; /* NULL: all at once */
	void *piece_ctx;
};

/** Feeds len bytes at data, each piece in a malloc block of its own. CHECKs the feed contract:
 *  spans inside the piece, never empty with HTTP_BODY, progress in every call. */
void test_response_run(const uint8_t *data, uint32_t len,
	const struct test_response_options *options, struct test_response *ret);

#endif
