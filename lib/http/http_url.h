/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

/** A parsed http:// URL, by libcurl's URL API (CURLU), so with curl's exact semantics. */
struct http_url {
	char *host; /* for the Host field; IPv6 literals keep their brackets */
	char *path; /* request-target: path and query, percent-encoded, never empty */
	char *userinfo; /* "user:password" decoded, or NULL */
	char *filename; /* last path segment as the URL has it, not decoded (curl's -O; so "%2f" can
			 * name no other folder), or NULL when empty */
	char *canonical; /* the whole URL without user information, for messages */
	uint16_t port;
	bool port_default; /* port is 80: Host carries none then */
};

/**
 * Parses text; a scheme is optional as in curl (http assumed). 0 and *ret, which
 * http_url_free frees; or a negative errno with *ret_message pointing at static text saying what
 * is wrong: -EINVAL (malformed, curl exit 3), -EPROTONOSUPPORT (a scheme other than http,
 * curl exit 1), -ENOMEM.
 */
int http_url_parse(const char *text, struct http_url *ret, const char **ret_message);

/** Frees what *u holds and zeroes it. */
void http_url_free(struct http_url *u);

#endif
