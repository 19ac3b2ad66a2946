/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>

#include "http_url.h"

/** What a GET request is written from. Strings are not copied. */
struct http_request {
	const char *method; /* "GET" */
	const struct http_url *url;
	const char *user_agent; /* NULL: "dpfetch/VERSION"; "": none is sent */
	const char *const *headers; /* curl's -H: "Name: value" adds or replaces, "Name:" removes,
				     * "Name;" sends it empty */
	uint32_t headers_count;
};

/** Checks one -H argument. 0, or -EINVAL: no colon or semicolon, a name that is not a token
 *  (RFC 9110 §5.6.2), or a control character other than HTAB (CR, LF: request splitting). */
int http_header_check(const char *header);

/**
 * Writes the request head into buf (room bytes; not NUL-terminated) and returns its length, or
 * -EMSGSIZE when it does not fit, or -EINVAL for a bad method, user agent or header. Host first,
 * then Authorization (Basic, RFC 7617, when the URL has user information), User-Agent, Accept,
 * and the -H ones in their order; HTTP/1.1 keep-alive is implied.
 */
int http_request_write(const struct http_request *request, char *buf, uint32_t room);

#endif
