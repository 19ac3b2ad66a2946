/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_response.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_check.h"
#include "http_response_priv.h"

void
http_limits_defaults(struct http_limits *ret)
{
	*ret = (struct http_limits){
		.header_bytes_max = 300U * 1024U, /* curl's MAX_HTTP_RESP_HEADER_SIZE */
		.header_fields_max = 5000, /* curl's MAX_HTTP_RESP_HEADER_COUNT */
		.informational_max = 32,
	};
}

uint64_t
http_response_size(const struct http_limits *limits, http_header_fn on_header)
{
	uint32_t room = on_header != NULL ? limits->header_bytes_max + 2U
					  : HTTP_NAME_ROOM + HTTP_VALUE_ROOM;

	return sizeof(struct http_response) + room;
}

struct http_response *
http_response_create(const struct http_limits *limits, http_header_fn on_header, void *ctx)
{
	struct http_response *r = malloc(http_response_size(limits, on_header));

	if (r == NULL)
		return NULL;
	*r = (struct http_response){.limits = *limits, .on_header = on_header, .ctx = ctx};
	http_response_reset(r, false);
	return r;
}

void
http_response_destroy(struct http_response *r)
{
	free(r);
}

void
http_response_reset(struct http_response *r, bool is_head)
{
	r->phase = HTTP_PHASE_HEAD;
	r->remaining = 0;
	r->body_bytes = 0;
	r->framing = HTTP_FRAMING_UNKNOWN;
	r->length = HTTP_LENGTH_UNKNOWN;
	r->status = 0;
	r->is_head = is_head;
	r->keep_alive = false;
	r->bad_prefix = false;
	r->head_bytes = 0;
	r->offset = 0;
	r->allowance = r->limits.header_bytes_max;
	r->fields = 0;
	r->informational = 0;
	r->error[0] = '\0';
	http_response_head_begin(r);
}

enum http_status_event
http_response_fail(struct http_response *r, const char *text, uint64_t at_byte)
{
	r->phase = HTTP_PHASE_ERROR;
	(void)snprintf(r->error, sizeof(r->error), "%s at byte %" PRIu64, text, at_byte);
	return HTTP_ERROR;
}

enum http_status_event
http_response_fail_parser(struct http_response *r, const uint8_t *data)
{
	const char *reason = r->refusal != NULL ? r->refusal : llhttp_get_error_reason(&r->parser);
	const uint8_t *at = (const uint8_t *)llhttp_get_error_pos(&r->parser);

	return http_response_fail(r, reason, r->offset + (uint64_t)(at - data));
}

static enum http_status_event
response_complete(struct http_response *r)
{
	r->phase = HTTP_PHASE_COMPLETE;
	return HTTP_COMPLETE;
}

/* RFC 9112 §6.3 item 6. The hot path: keep it to a countdown. */
static inline enum http_status_event
response_feed_length(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used,
	const uint8_t **ret_body, uint32_t *ret_body_len)
{
	uint32_t n = (uint32_t)MIN_OF(len, r->remaining);

	*ret_used = n;
	*ret_body_len = n;
	*ret_body = n > 0 ? data : NULL;
	r->remaining -= n;
	r->body_bytes += n;
	if (r->remaining == 0)
		return response_complete(r);
	return n > 0 ? HTTP_BODY : HTTP_NEED_MORE;
}

/* RFC 9112 §6.3 item 8. */
static enum http_status_event
response_feed_close(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used,
	const uint8_t **ret_body, uint32_t *ret_body_len)
{
	*ret_used = len;
	*ret_body_len = len;
	*ret_body = len > 0 ? data : NULL;
	r->body_bytes += len;
	return len > 0 ? HTTP_BODY : HTTP_NEED_MORE;
}

/* llhttp paused after `used` bytes: at a body span, or at the message's end. */
static enum http_status_event
response_chunked_paused(
	struct http_response *r, uint32_t used, const uint8_t **ret_body, uint32_t *ret_body_len)
{
	llhttp_resume(&r->parser);
	r->offset += used;
	if (r->message_ended)
		return response_complete(r);
	*ret_body = r->span;
	*ret_body_len = r->span_len;
	r->body_bytes += r->span_len;
	r->allowance = r->limits.header_bytes_max;
	return HTTP_BODY;
}

/* RFC 9112 §7.1. */
static enum http_status_event
response_feed_chunked(struct http_response *r, const uint8_t *data, uint32_t len,
	uint32_t *ret_used, const uint8_t **ret_body, uint32_t *ret_body_len)
{
	/* The allowance covers what is not body: it bounds chunk extensions and trailers. */
	uint32_t n = MIN_OF(len, r->allowance);
	llhttp_errno_t e = llhttp_execute(&r->parser, (const char *)data, n);

	*ret_used = n;
	*ret_body = NULL;
	*ret_body_len = 0;
	if (e == HPE_PAUSED) {
		*ret_used = (uint32_t)((const uint8_t *)llhttp_get_error_pos(&r->parser) - data);
		return response_chunked_paused(r, *ret_used, ret_body, ret_body_len);
	}
	if (e != HPE_OK)
		return http_response_fail_parser(r, data);
	r->offset += n;
	r->allowance -= n;
	if (n < len)
		return http_response_fail(r, "chunk framing or trailer too large", r->offset);
	return HTTP_NEED_MORE;
}

static enum http_status_event
response_feed_body(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used,
	const uint8_t **ret_body, uint32_t *ret_body_len)
{
	*ret_used = 0;
	*ret_body = NULL;
	*ret_body_len = 0;
	switch (r->phase) {
	case HTTP_PHASE_LENGTH:
		return response_feed_length(r, data, len, ret_used, ret_body, ret_body_len);
	case HTTP_PHASE_CHUNKED:
		if (len == 0)
			return HTTP_NEED_MORE;
		return response_feed_chunked(r, data, len, ret_used, ret_body, ret_body_len);
	case HTTP_PHASE_CLOSE:
		return response_feed_close(r, data, len, ret_used, ret_body, ret_body_len);
	case HTTP_PHASE_COMPLETE:
		return HTTP_COMPLETE;
	case HTTP_PHASE_HEAD:
	case HTTP_PHASE_ERROR:
		break;
	}
	return HTTP_ERROR;
}

/* HTTP_BODY: the head is complete, *ret_used bytes of data belong to it. */
static enum http_status_event
response_feed_head(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used)
{
	bool at_start = r->heads != NULL && r->head_bytes == 0;
	enum http_status_event event;

	if (at_start) {
		*ret_used = http_head_cache_apply(r, data, len);
		if (*ret_used > 0)
			return HTTP_BODY;
	}
	event = http_response_head_feed(r, data, len, ret_used);
	if (at_start && event == HTTP_BODY)
		http_head_cache_store(r, data, *ret_used);
	return event;
}

enum http_status_event
http_response_feed(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used,
	const uint8_t **ret_body, uint32_t *ret_body_len)
{
	enum http_status_event event;
	uint32_t head_used = 0;

	if (__builtin_expect(r->phase == HTTP_PHASE_LENGTH, 1))
		return response_feed_length(r, data, len, ret_used, ret_body, ret_body_len);
	if (r->phase == HTTP_PHASE_HEAD) {
		event = response_feed_head(r, data, len, &head_used);
		if (event != HTTP_BODY) {
			*ret_used = head_used;
			*ret_body = NULL;
			*ret_body_len = 0;
			return event;
		}
	}
	event = response_feed_body(
		r, data + head_used, len - head_used, ret_used, ret_body, ret_body_len);
	*ret_used += head_used;
	return event;
}

uint64_t
http_response_plain_ahead(const struct http_response *r)
{
	if (r->phase == HTTP_PHASE_LENGTH)
		return r->remaining;
	return r->phase == HTTP_PHASE_CLOSE ? HTTP_LENGTH_UNKNOWN : 0;
}

void
http_response_skip(struct http_response *r, uint64_t bytes)
{
	CHECK(bytes < http_response_plain_ahead(r));
	if (r->phase == HTTP_PHASE_LENGTH)
		r->remaining -= bytes;
	r->body_bytes += bytes;
}

enum http_status_event
http_response_finish(struct http_response *r)
{
	switch (r->phase) {
	case HTTP_PHASE_CLOSE:
	case HTTP_PHASE_COMPLETE:
		return response_complete(r);
	case HTTP_PHASE_HEAD:
		return http_response_fail(r, "head cut off", r->offset);
	case HTTP_PHASE_LENGTH:
		return http_response_fail(r, "body cut off", r->offset + r->body_bytes);
	case HTTP_PHASE_CHUNKED:
		return http_response_fail(r, "chunked body cut off", r->offset);
	case HTTP_PHASE_ERROR:
		break;
	}
	return HTTP_ERROR;
}

bool
http_response_headers_complete(const struct http_response *r)
{
	return r->framing != HTTP_FRAMING_UNKNOWN;
}

bool
http_response_started(const struct http_response *r)
{
	return r->head_bytes > 0;
}

bool
http_response_is_http(const struct http_response *r)
{
	return !r->bad_prefix;
}

uint32_t
http_response_status(const struct http_response *r)
{
	return r->status;
}

uint32_t
http_response_coming_status(const struct http_response *r)
{
	return r->parser.status_code;
}

uint8_t
http_response_minor_version(const struct http_response *r)
{
	return r->parser.http_minor;
}

enum http_framing
http_response_framing(const struct http_response *r)
{
	return r->framing;
}

uint64_t
http_response_length(const struct http_response *r)
{
	return r->length;
}

uint64_t
http_response_body_bytes(const struct http_response *r)
{
	return r->body_bytes;
}

uint64_t
http_response_header_bytes(const struct http_response *r)
{
	return r->head_bytes;
}

bool
http_response_keep_alive(const struct http_response *r)
{
	return r->phase == HTTP_PHASE_COMPLETE && r->keep_alive;
}

const char *
http_response_error(const struct http_response *r)
{
	return r->error;
}
