/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REQUEST_HEADERS_H
#define REQUEST_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

#define REQUEST_RANGE_MAX 128U /* bytes of --range */

/** The header lines that the settings ask for: --header's, and what --range means. */
struct request_headers {
	const char **line; /* count of them, of the settings or of text below */
	uint32_t count;
	char range[REQUEST_RANGE_MAX + sizeof("Range: bytes=")];
};

/** Is each --header a header, --user-agent a value, --range a list of ranges? 0, or -EINVAL with a
 *  message of SETTINGS_MESSAGE_MAX. */
int request_headers_check(const struct settings *s, char *message);

/** Makes *ret, which must not move and is freed by request_headers_free; s outlives it. close: the
 *  server is to close after the response. 0 or -ENOMEM. */
int request_headers_make(const struct settings *s, bool close, struct request_headers *ret);
void request_headers_free(struct request_headers *h);

#endif
