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
	uint32_t header_bytes_max; /* all heads, 1xx included; and, in a chunked body, what stands
				    * between two body bytes (chunk lines, the trailer) */
	uint32_t header_fields_max; /* fields in all heads and the trailer */
	uint32_t informational_max; /* 1xx responses before the final one */
};

/** curl's: 300 KiB of head (MAX_HTTP_RESP_HEADER_SIZE), 5000 fields; and 32 1xx responses. */
void http_limits_defaults(struct http_limits *ret);

struct http_response;
struct http_head_cache;

enum http_status_event { /* what http_response_feed met */
	HTTP_NEED_MORE, /* all bytes used; more are needed */
	HTTP_BODY, /* a body span is in *ret_body, and the message goes on */
	HTTP_COMPLETE, /* the message is complete; its last body span may have come with it */
	HTTP_ERROR, /* malformed or over a limit: http_response_error */
};

/** Called for each header field of the final response (not of 1xx, not of the trailer), name and
 *  value trimmed and NUL-terminated, valid during the call. A folded value (RFC 9112 §5.2) comes
 *  unfolded. */
typedef void (*http_header_fn)(void *ctx, const char *name, const char *value);

/** Allocates a parser, ready for the response to a GET. limits are copied. on_header may be NULL: then
 *  fields are judged as they come and not kept, and the parser takes less than 1 KiB, instead of
 *  header_bytes_max and some. NULL: no memory. */
struct http_response *http_response_create(
	const struct http_limits *limits, http_header_fn on_header, void *ctx);
void http_response_destroy(struct http_response *r);

/** Bytes that http_response_create takes for these. */
uint64_t http_response_size(const struct http_limits *limits, http_header_fn on_header);

/**
 * Heads that came lately, and what they meant, for many parsers of one thread: small responses of one
 * server have the same head for as long as its Date is, and comparing it takes a fraction of parsing
 * it. NULL: no memory.
 */
struct http_head_cache *http_head_cache_create(void);
/** No parser may use it any more. NULL is allowed. */
void http_head_cache_destroy(struct http_head_cache *cache);

/** r looks into cache first, which has to outlive it. r was created without on_header. What feed says is
 *  the same with it as without. */
void http_response_share_heads(struct http_response *r, struct http_head_cache *cache);

/** Makes it ready for the next response. is_head: the request's method is HEAD. */
void http_response_reset(struct http_response *r, bool is_head);

/**
 * Feeds len bytes. Returns at each body span, at the end, on error, or when all is used.
 * *ret_used: bytes of data dealt with; after an error it says nothing. *ret_body_len: the span's
 * bytes at *ret_body, inside data; 0 and NULL when there is none, never 0 with HTTP_BODY. After
 * HTTP_BODY call again with the rest, if any. After HTTP_COMPLETE the rest belongs to no response
 * that was asked for. After HTTP_COMPLETE or HTTP_ERROR further calls use nothing and return the
 * same.
 */
enum http_status_event http_response_feed(struct http_response *r, const uint8_t *data,
	uint32_t len, uint32_t *ret_used, const uint8_t **ret_body, uint32_t *ret_body_len);

/** How many of the bytes to come are body whatever they are (RFC 9112 §6.3 items 6 and 8): they
 *  need not be fed but may be told of by http_response_skip. 0 outside such a body;
 *  HTTP_LENGTH_UNKNOWN in one that ends with the connection. */
uint64_t http_response_plain_ahead(const struct http_response *r);

/** bytes of body were not fed. bytes: less than http_response_plain_ahead, so that the end of a
 *  body is always fed. */
void http_response_skip(struct http_response *r, uint64_t bytes);

/** The connection's orderly end (FIN). HTTP_COMPLETE where the framing allows it (CLOSE), else
 *  HTTP_ERROR: the message is cut off. */
enum http_status_event http_response_finish(struct http_response *r);

bool http_response_headers_complete(const struct http_response *r);
bool http_response_started(const struct http_response *r); /* any byte of it has come */
/** false, with HTTP_ERROR: the first bytes are not "HTTP/", so it is HTTP/0.9 or no HTTP. */
bool http_response_is_http(const struct http_response *r);
/** The final response's status, 100..999; 0 before its head is complete. */
uint32_t http_response_status(const struct http_response *r);
/** The same already while the head's fields are passed on. */
uint32_t http_response_coming_status(const struct http_response *r);
/** HTTP/1.x: the x, of the final response. */
uint8_t http_response_minor_version(const struct http_response *r);
enum http_framing http_response_framing(const struct http_response *r);
/** Content-Length, or HTTP_LENGTH_UNKNOWN. */
uint64_t http_response_length(const struct http_response *r);
uint64_t http_response_body_bytes(const struct http_response *r); /* body bytes seen so far */
/** Head bytes, 1xx included; not chunk lines and trailer. After an error in the head: about. */
uint64_t http_response_header_bytes(const struct http_response *r);
/** May another request follow on this connection (RFC 9112 §9.3)? Valid once complete. */
bool http_response_keep_alive(const struct http_response *r);
/** What was wrong after HTTP_ERROR, with the offending byte's offset; "" else. Storage of r. */
const char *http_response_error(const struct http_response *r);

#endif
