/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <strings.h>

#include "base_bytes.h"
#include "http_response_priv.h"
#include "http_token.h"

/* Content-Length above this cannot be a file's size (off_t). */
#define HTTP_LENGTH_MAX ((uint64_t)INT64_MAX)

static const char http_prefix[] = "HTTP/";
_Static_assert(HTTP_PREFIX_LEN == sizeof(http_prefix) - 1U, "the prefix's length");

/* -- llhttp's callbacks. They return 0, HPE_PAUSED, or -1 (refused). -- */

static int
head_refuse(struct http_response *r, const char *reason)
{
	r->refusal = reason;
	return -1;
}

/* The beginning of what comes in pieces, as far as there is room. */
static void
head_keep(char *to, uint32_t have, uint32_t room, const char *at, size_t len)
{
	if (have < room)
		memcpy(to + have, at, MIN_OF(len, (size_t)(room - have)));
}

static int
head_on_field(llhttp_t *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;
	uint32_t room = r->on_header != NULL ? r->limits.header_bytes_max : HTTP_NAME_ROOM;

	r->name_bad |= len > 0 && !http_is_token(at, len);
	head_keep(r->field, r->name_len, room, at, len);
	r->name_len += (uint32_t)len;
	return 0;
}

static bool
head_is(const char *text, uint32_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static int
head_on_field_complete(llhttp_t *parser)
{
	struct http_response *r = parser->data;

	/* llhttp lets an empty name pass, and its non-strict builds let blanks pass. */
	if (r->name_bad || r->name_len == 0)
		return head_refuse(r, "Invalid header field name");
	if (++r->fields > r->limits.header_fields_max)
		return head_refuse(r, "Too many header fields");
	r->name_is_coding = head_is(r->field, r->name_len, "Transfer-Encoding");
	r->value = r->field + HTTP_NAME_ROOM;
	if (r->on_header != NULL) {
		r->field[r->name_len] = '\0';
		r->value = r->field + r->name_len + 1;
	}
	return 0;
}

static void
head_keep_value(struct http_response *r, const char *at)
{
	head_keep(r->value, r->value_len, HTTP_VALUE_ROOM, at, 1);
	r->value_len++;
}

/* A value of which only the beginning is kept, without the blanks around it. Those in it are kept: else
 * what an earlier value left in their places would be part of this one. */
static void
head_judge_value(struct http_response *r, const char *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (http_is_blank(at[i])) {
			r->value_blanks += r->value_len > 0;
			continue;
		}
		for (; r->value_blanks > 0; r->value_blanks--)
			head_keep_value(r, " ");
		head_keep_value(r, &at[i]);
	}
}

static int
head_on_value(llhttp_t *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;

	if (r->on_header != NULL) {
		memcpy(r->value + r->value_len, at, len);
		r->value_len += (uint32_t)len;
	} else if (r->name_is_coding) {
		head_judge_value(r, at, len);
	}
	return 0;
}

/* RFC 9112 §6.1: chunked is the one coding that we asked for (no TE field), and it comes once.
 * Anything else would leave coded bytes in the file. */
static int
head_check_transfer_encoding(struct http_response *r)
{
	if (!r->name_is_coding)
		return 0;
	if (r->transfer_encoding || !head_is(r->value, r->value_len, "chunked"))
		return head_refuse(r, "Unsupported Transfer-Encoding");
	r->transfer_encoding = true;
	return 0;
}

static void
head_trim_value(struct http_response *r)
{
	while (r->value_len > 0 && http_is_blank(r->value[r->value_len - 1]))
		r->value_len--;
	r->value[r->value_len] = '\0';
	while (http_is_blank(*r->value)) {
		r->value++;
		r->value_len--;
	}
}

static void
head_begin_field(struct http_response *r)
{
	r->name_len = r->value_len = r->value_blanks = 0;
	r->name_bad = false;
}

static int
head_on_value_complete(llhttp_t *parser)
{
	struct http_response *r = parser->data;
	bool trailer = r->framing != HTTP_FRAMING_UNKNOWN;
	int e = 0;

	if (r->on_header != NULL)
		head_trim_value(r);
	if (!trailer)
		e = head_check_transfer_encoding(r);
	if (e == 0 && !trailer && parser->status_code >= 200 && r->on_header != NULL)
		r->on_header(r->ctx, r->field, r->value);
	head_begin_field(r);
	return e;
}

static int
head_on_headers_complete(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

static int
head_on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;

	r->span = (const uint8_t *)at;
	r->span_len = (uint32_t)len;
	return len > 0 ? HPE_PAUSED : 0;
}

static int
head_on_message_complete(llhttp_t *parser)
{
	struct http_response *r = parser->data;

	r->message_ended = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t head_settings = {
	.on_header_field = head_on_field,
	.on_header_field_complete = head_on_field_complete,
	.on_header_value = head_on_value,
	.on_header_value_complete = head_on_value_complete,
	.on_headers_complete = head_on_headers_complete,
	.on_body = head_on_body,
	.on_message_complete = head_on_message_complete,
};

void
http_response_head_begin(struct http_response *r)
{
	llhttp_init(&r->parser, HTTP_RESPONSE, &head_settings);
	r->parser.data = r;
	r->prefix_matched = 0;
	head_begin_field(r);
	r->refusal = NULL;
	r->message_ended = false;
	r->transfer_encoding = false;
}

/* -- What a complete head means. -- */

/* RFC 9112 §6.3: how long the body of the final response is. */
static enum http_phase
head_frame_body(struct http_response *r)
{
	if ((r->parser.flags & F_CONTENT_LENGTH) != 0)
		r->length = r->parser.content_length;
	if (r->is_head || r->status == 204 || r->status == 304) {
		r->framing = HTTP_FRAMING_NONE;
		return HTTP_PHASE_COMPLETE;
	}
	if (r->transfer_encoding) {
		r->framing = HTTP_FRAMING_CHUNKED;
		r->parser.flags |=
			F_CHUNKED; /* llhttp takes a tab behind the word for part of it */
		return HTTP_PHASE_CHUNKED;
	}
	if (r->length == HTTP_LENGTH_UNKNOWN) {
		r->framing = HTTP_FRAMING_CLOSE;
		return HTTP_PHASE_CLOSE;
	}
	r->framing = HTTP_FRAMING_LENGTH;
	r->remaining = r->length;
	return r->length > 0 ? HTTP_PHASE_LENGTH : HTTP_PHASE_COMPLETE;
}

/* RFC 9112 §9.3; and §6.1: HTTP/1.0 with Transfer-Encoding is faulty, so use it no further. */
static bool
head_keep_alive(const struct http_response *r)
{
	uint16_t flags = r->parser.flags;

	if (r->framing == HTTP_FRAMING_CLOSE || (flags & F_CONNECTION_CLOSE) != 0)
		return false;
	if (r->parser.http_minor == 0)
		return (flags & F_CONNECTION_KEEP_ALIVE) != 0 && !r->transfer_encoding;
	return true;
}

/* RFC 9110 §15.2: a 1xx ends with its head, and another response follows. */
static enum http_status_event
head_end_informational(struct http_response *r)
{
	if (r->parser.status_code == 101)
		return http_response_fail(r, "101 without an upgrade asked for", r->offset);
	if (++r->informational > r->limits.informational_max)
		return http_response_fail(r, "Too many 1xx responses", r->offset);
	http_response_head_begin(r);
	return HTTP_NEED_MORE;
}

static enum http_status_event
head_end(struct http_response *r)
{
	if (r->parser.http_major != 1)
		return http_response_fail(r, "Unsupported HTTP version", r->offset);
	if (r->parser.status_code < 100)
		return http_response_fail(r, "Invalid status code", r->offset);
	if (r->parser.status_code < 200)
		return head_end_informational(r);
	if ((r->parser.flags & F_CONTENT_LENGTH) != 0 && r->parser.content_length > HTTP_LENGTH_MAX)
		return http_response_fail(r, "Content-Length overflow", r->offset);
	r->status = r->parser.status_code;
	r->phase = head_frame_body(r);
	r->keep_alive = head_keep_alive(r);
	r->allowance = r->limits.header_bytes_max;
	if (r->phase == HTTP_PHASE_CHUNKED)
		llhttp_resume(&r->parser);
	return HTTP_BODY;
}

/* -- Feeding. -- */

/* A response begins with "HTTP/" or it is something else (llhttp would skip line ends first). */
static bool
head_prefix_ok(struct http_response *r, const uint8_t *data, uint32_t len)
{
	while (len > 0 && r->prefix_matched < HTTP_PREFIX_LEN) {
		if (*data != (uint8_t)http_prefix[r->prefix_matched])
			return false;
		r->prefix_matched++;
		data++;
		len--;
	}
	return true;
}

static void
head_account(struct http_response *r, uint32_t bytes)
{
	r->head_bytes += bytes;
	r->offset += bytes;
	r->allowance -= bytes;
}

/* One step: to the end of the bytes, of a head, or of the allowance. */
static enum http_status_event
head_step(struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used)
{
	uint32_t n = MIN_OF(len, r->allowance);
	uint64_t begin = r->offset - r->prefix_matched; /* as long as the prefix is not whole */
	llhttp_errno_t e;

	*ret_used = n;
	if (!head_prefix_ok(r, data, n)) {
		r->bad_prefix = r->informational == 0;
		head_account(r, n);
		return http_response_fail(r, "No \"HTTP/\" where a response begins", begin);
	}
	e = llhttp_execute(&r->parser, (const char *)data, n);
	if (e == HPE_PAUSED) {
		*ret_used = (uint32_t)((const uint8_t *)llhttp_get_error_pos(&r->parser) - data);
		head_account(r, *ret_used);
		return head_end(r);
	}
	if (e != HPE_OK) {
		(void)http_response_fail_parser(r, data);
		head_account(r, n);
		return HTTP_ERROR;
	}
	head_account(r, n);
	if (n < len)
		return http_response_fail(r, "Response head too large", r->offset);
	return HTTP_NEED_MORE;
}

enum http_status_event
http_response_head_feed(
	struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used)
{
	enum http_status_event event = HTTP_NEED_MORE;
	uint32_t used;

	*ret_used = 0;
	while (*ret_used < len && event == HTTP_NEED_MORE) {
		event = head_step(r, data + *ret_used, len - *ret_used, &used);
		*ret_used += used;
	}
	return event;
}
