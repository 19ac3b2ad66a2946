/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base_check.h"
#include "test_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_MAX 2048U

/* First byte: bit 0 the request was HEAD, bit 1 the connection ends after the stream, bits 2-3
 * how small the limits are. The rest is the stream. */
static struct test_response_options
options_of(uint8_t byte, struct http_limits *limits)
{
	static const uint32_t header_bytes_max[] = {300U * 1024U, 256, 64, 20};

	http_limits_defaults(limits);
	limits->header_bytes_max = header_bytes_max[byte >> 2 & 3];
	limits->header_fields_max = 8;
	limits->informational_max = 2;
	return (struct test_response_options){
		.limits = limits, .is_head = (byte & 1) != 0, .finish = (byte & 2) != 0};
}

static uint32_t
piece_of(void *ctx)
{
	uint32_t *next = ctx;
	uint32_t n = *next;

	*next = UINT32_MAX;
	return n;
}

static uint32_t
one_byte(void *ctx)
{
	(void)ctx;
	return 1;
}

static void
check_sane(const struct test_response *t)
{
	CHECK((t->event == HTTP_ERROR) == (t->error[0] != '\0'));
	CHECK(t->event != HTTP_COMPLETE || t->headers_complete);
	CHECK(!t->keep_alive || t->event == HTTP_COMPLETE);
	CHECK(t->headers_complete == (t->status >= 200));
	CHECK(t->framing != HTTP_FRAMING_LENGTH || t->body_bytes <= t->length);
	CHECK(t->framing != HTTP_FRAMING_LENGTH || t->event != HTTP_COMPLETE ||
		t->body_bytes == t->length);
	CHECK(t->framing != HTTP_FRAMING_NONE || t->body_bytes == 0);
	CHECK(t->body_bytes == t->body_len);
}

/* The same but for the fields, which the parser did not keep. */
static void
check_unread(const struct test_response *read, const struct test_response *unread)
{
	static struct test_response expected;

	expected = *read;
	expected.fields_len = 0;
	memset(expected.fields, 0, sizeof(expected.fields));
	CHECK(memcmp(&expected, unread, sizeof(expected)) == 0);
}

/* Whole, cut in two at every place, or byte by byte, with the fields read or not: the result is the
 * same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct test_response whole, cut;
	struct test_response_options options;
	struct http_head_cache *heads;
	struct http_limits limits;
	uint32_t len, i;

	if (size < 1 || size > STREAM_MAX)
		return 0;
	options = options_of(data[0], &limits);
	len = (uint32_t)size - 1;
	test_response_run(data + 1, len, &options, &whole);
	check_sane(&whole);
	heads = http_head_cache_create();
	CHECK(heads != NULL);
	for (i = 0; i < len; i++) {
		uint32_t first = i;

		options.piece = i == 0 ? one_byte : piece_of;
		options.piece_ctx = &first;
		options.skip = i % 2 != 0;
		options.fields_unread = (i / 2) % 2 != 0;
		options.heads = (i / 2) % 4 == 3 ? heads : NULL;
		test_response_run(data + 1, len, &options, &cut);
		if (options.fields_unread)
			check_unread(&whole, &cut);
		else
			CHECK(memcmp(&whole, &cut, sizeof(whole)) == 0);
	}
	http_head_cache_destroy(heads);
	return 0;
}
