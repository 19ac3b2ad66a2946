/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An incremental HTTP/1.1 response parser (RFC 9112) over llhttp. Bytes go in as they come; body
 * spans, pointing into those bytes, come out. A body with Content-Length bypasses llhttp.
 */

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

enum http_framing { /* RFC 9112 §6.3: how the end of the body is known */
	HTTP_FRAMING_UNKNOWN, /* headers not complete yet */
	HTTP_FRAMING_NONE, /* 204, 304, or the answer to HEAD: no body */
	HTTP_FRAMING_LENGTH, /* Content-Length */
	HTTP_FRAMING_CHUNKED,
	HTTP_FRAMING_CLOSE, /* until the connection closes: completeness cannot be known */
};

struct http_limits {
	uint32_t header_bytes_max; /* status line, header and trailer fields together */
	uint32_t header_fields_max;
	uint32_t informational_max; /* 1xx responses before the final one */
};

/** curl's: 300 KiB in all; 100 fields more than any server sends. */
void http_limits_defaults(struct http_limits *ret);

struct http_response;

enum http_status_event { /* what http_response_feed met */
	HTTP_NEED_MORE, /* all bytes used; more are needed */
	HTTP_BODY, /* a body span is in *ret_body */
	HTTP_COMPLETE, /* the message is complete; *ret_used bytes belonged to it */
	HTTP_ERROR, /* malformed or over a limit: http_response_error */
};

/** Called for each header field of the final response (not of 1xx), name and value trimmed and
 *  NUL-terminated, valid during the call. */
typedef void (*http_header_fn)(void *ctx, const char *name, const char *value);

/** Allocates a parser. on_header may be NULL. head: the request was HEAD. NULL: no memory. */
struct http_response *http_response_create(
	const struct http_limits *limits, http_header_fn on_header, void *ctx);
void http_response_destroy(struct http_response *r);

/** Makes it ready for the next response on the connection. is_head: the request's method. */
void http_response_reset(struct http_response *r, bool is_head);

/**
 * Feeds len bytes. Returns at each body span (HTTP_BODY: *ret_body / *ret_body_len point into
 * data), at the end, on error, or when all is used. *ret_used: bytes of data dealt with; call
 * again with the rest after HTTP_BODY. After HTTP_COMPLETE or HTTP_ERROR call only the getters
 * and http_response_reset.
 */
enum http_status_event http_response_feed(struct http_response *r, const uint8_t *data,
	uint32_t len, uint32_t *ret_used, const uint8_t **ret_body, uint32_t *ret_body_len);

/** The connection's orderly end (FIN). HTTP_COMPLETE where the framing allows it (CLOSE), else
 *  HTTP_ERROR: the message is cut off. */
enum http_status_event http_response_finish(struct http_response *r);

bool http_response_headers_complete(const struct http_response *r);
bool http_response_started(const struct http_response *r); /* any byte of it has come */
uint32_t http_response_status(const struct http_response *r); /* 0 before the status line */
enum http_framing http_response_framing(const struct http_response *r);
/** Content-Length, or HTTP_LENGTH_UNKNOWN. */
uint64_t http_response_length(const struct http_response *r);
uint64_t http_response_body_bytes(const struct http_response *r); /* body bytes seen so far */
uint64_t http_response_header_bytes(const struct http_response *r); /* head bytes, 1xx included */
/** May another request follow on this connection (RFC 9112 §9.3)? Valid once complete. */
bool http_response_keep_alive(const struct http_response *r);
/** What was wrong after HTTP_ERROR, with the offending byte offset; storage of r. */
const char *http_response_error(const struct http_response *r);

#endif
