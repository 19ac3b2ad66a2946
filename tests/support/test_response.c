/* SPDX-License-Identifier: BSD-3-Clause */
#include "test_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"

static void
append(char *text, uint32_t *len, const void *more, uint32_t more_len)
{
	uint32_t n = MIN_OF(more_len, TEST_RESPONSE_TEXT_MAX - 1U - *len);

	memcpy(text + *len, more, n);
	*len += n;
	text[*len] = '\0';
}

static void
on_header(void *ctx, const char *name, const char *value)
{
	struct test_response *t = ctx;

	append(t->fields, &t->fields_len, name, (uint32_t)strlen(name));
	append(t->fields, &t->fields_len, "=", 1);
	append(t->fields, &t->fields_len, value, (uint32_t)strlen(value));
	append(t->fields, &t->fields_len, ";", 1);
}

/* Feeds one piece until it is used up or the message has ended. */
static void
feed_piece(struct http_response *r, const uint8_t *piece, uint32_t len, struct test_response *t)
{
	do {
		const uint8_t *body;
		uint32_t body_len, used;

		t->event = http_response_feed(r, piece, len, &used, &body, &body_len);
		CHECK(used <= len);
		CHECK(body_len <= used && (body_len > 0) == (body != NULL));
		CHECK(body == NULL || (body >= piece && body + body_len <= piece + used));
		CHECK(t->event != HTTP_BODY || body_len > 0);
		CHECK(t->event != HTTP_NEED_MORE || used == len);
		if (body_len > 0)
			append(t->body, &t->body_len, body, body_len);
		t->used += used;
		piece += used;
		len -= used;
	} while (len > 0 && t->event == HTTP_BODY);
}

/* The piece is body whatever it is. */
static void
skip_piece(struct http_response *r, const uint8_t *piece, uint32_t len, struct test_response *t)
{
	http_response_skip(r, len);
	append(t->body, &t->body_len, piece, len);
	t->used += len;
	t->event = HTTP_BODY;
}

static void
feed_all(struct http_response *r, const uint8_t *data, uint32_t len,
	const struct test_response_options *options, struct test_response *t)
{
	while (len > 0 && t->event != HTTP_COMPLETE && t->event != HTTP_ERROR) {
		uint32_t n = options->piece != NULL ? options->piece(options->piece_ctx) : len;
		uint8_t *piece;

		n = MIN_OF(MAX_OF(n, 1U), len);
		piece = malloc(n);
		CHECK(piece != NULL);
		memcpy(piece, data, n);
		if (options->skip && n < http_response_plain_ahead(r))
			skip_piece(r, piece, n, t);
		else
			feed_piece(r, piece, n, t);
		free(piece);
		data += n;
		len -= n;
	}
	if (options->finish && t->event != HTTP_COMPLETE && t->event != HTTP_ERROR)
		t->event = http_response_finish(r);
}

void
test_response_run(const uint8_t *data, uint32_t len, const struct test_response_options *options,
	struct test_response *ret)
{
	struct http_limits defaults;
	struct http_response *r;

	http_limits_defaults(&defaults);
	memset(ret, 0, sizeof(*ret));
	ret->event = HTTP_NEED_MORE;
	r = http_response_create(options->limits != NULL ? options->limits : &defaults,
		options->fields_unread ? NULL : on_header, ret);
	CHECK(r != NULL);
	if (options->heads != NULL)
		http_response_share_heads(r, options->heads);
	http_response_reset(r, options->is_head);
	feed_all(r, data, len, options, ret);
	ret->status = http_response_status(r);
	ret->framing = http_response_framing(r);
	ret->length = http_response_length(r);
	ret->body_bytes = http_response_body_bytes(r);
	ret->header_bytes = http_response_header_bytes(r);
	if (ret->event == HTTP_ERROR)
		ret->used = ret->header_bytes = 0; /* not specified then */
	ret->headers_complete = http_response_headers_complete(r);
	ret->is_http = http_response_is_http(r);
	ret->keep_alive = http_response_keep_alive(r);
	(void)snprintf(ret->error, sizeof(ret->error), "%s", http_response_error(r));
	http_response_destroy(r);
}
