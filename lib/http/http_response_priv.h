/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_RESPONSE_PRIV_H
#define HTTP_RESPONSE_PRIV_H

#include <llhttp.h>

#include "http_response.h"

/* Which part of the message the next byte belongs to. */
enum http_phase {
	HTTP_PHASE_HEAD,
	HTTP_PHASE_LENGTH, /* body, counted down here without llhttp */
	HTTP_PHASE_CHUNKED, /* body, by llhttp */
	HTTP_PHASE_CLOSE, /* body, everything until the connection ends */
	HTTP_PHASE_COMPLETE,
	HTTP_PHASE_ERROR,
};

struct http_response {
	/* The hot path's: a body with Content-Length. */
	enum http_phase phase;
	uint64_t remaining; /* body bytes to come, HTTP_PHASE_LENGTH */
	uint64_t body_bytes;

	enum http_framing framing;
	uint64_t length;
	uint32_t status;
	bool is_head; /* no body whatever the fields say */
	bool keep_alive;
	bool bad_prefix;
	uint8_t prefix_matched; /* bytes of "HTTP/" seen */

	uint64_t head_bytes;
	uint64_t offset; /* bytes used, for error messages; without body_bytes of LENGTH, CLOSE */
	uint32_t allowance; /* bytes that may still come outside the body */
	uint32_t fields;
	uint32_t informational;

	const uint8_t *span; /* what on_body gave, during one llhttp_execute */
	uint32_t span_len;
	const char
		*refusal; /* why one of our callbacks refused; llhttp would say just that it did */
	bool message_ended; /* llhttp has seen the last chunk and the trailer */
	bool transfer_encoding; /* the field came; its value was "chunked" */

	struct http_limits limits;
	struct http_head_cache *heads; /* NULL: each head is parsed */
	http_header_fn on_header;
	void *ctx;
	llhttp_t parser;
	char error[128];

	/* the field that is being read */
	uint32_t name_len, value_len;
	uint32_t
		value_blanks; /* without on_header: blanks that may be in the value, or behind it */
	bool name_bad; /* no token */
	bool name_is_coding; /* Transfer-Encoding */
	char *value; /* behind the name in field */
	char field[]; /* "name\0value\0", room for header_bytes_max and both NULs; without on_header
		       * HTTP_NAME_ROOM and HTTP_VALUE_ROOM bytes, the beginnings */
};

#define HTTP_PREFIX_LEN 5U /* "HTTP/" */

/* Enough to tell Transfer-Encoding, and chunked, from all others: one byte more than they have. */
#define HTTP_NAME_ROOM 18U
#define HTTP_VALUE_ROOM 8U

/** The head at the beginning of data, if it is one of those in r->heads: r is as if it had been parsed.
 *  r is as new. Returns the head's length, or 0. */
uint32_t http_head_cache_apply(struct http_response *r, const uint8_t *data, uint32_t len);

/** Remembers the head of len bytes at data, which r, having been as new, has parsed in one go. */
void http_head_cache_store(struct http_response *r, const uint8_t *data, uint32_t len);

/** Makes llhttp ready, with callbacks that collect fields and pause at the head's and the message's end,
 *  for one more head: a new response, or the one after a 1xx. */
void http_response_head_begin(struct http_response *r);

/**
 * Feeds bytes of a head. HTTP_NEED_MORE: all were used; HTTP_ERROR; HTTP_BODY: the final head is
 * complete, r->phase says what follows, and *ret_used tells where.
 */
enum http_status_event http_response_head_feed(
	struct http_response *r, const uint8_t *data, uint32_t len, uint32_t *ret_used);

/** Enters HTTP_PHASE_ERROR with "text at byte N". Returns HTTP_ERROR. */
enum http_status_event http_response_fail(
	struct http_response *r, const char *text, uint64_t at_byte);

/** The same for what llhttp_execute has found in the bytes at data. */
enum http_status_event http_response_fail_parser(struct http_response *r, const uint8_t *data);

#endif
