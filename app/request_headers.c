/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"
#include "http_token.h"
#include "request_headers.h"

/* RFC 9110 §14.1.2: "0-499", "500-", "-500", and several with commas. */
static bool
is_range(const char *text)
{
	const char *at = text;
	size_t first, last;

	if (strlen(text) > REQUEST_RANGE_MAX)
		return false;
	for (;; at++) {
		first = strspn(at, "0123456789");
		at += first;
		if (*at++ != '-')
			return false;
		last = strspn(at, "0123456789");
		at += last;
		if (first + last == 0 || (*at != ',' && *at != '\0'))
			return false;
		if (*at == '\0')
			return true;
	}
}

int
request_headers_check(const struct settings *s, char *message)
{
	uint32_t i;

	if (s->user_agent != NULL && !http_is_field_value(s->user_agent)) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--user-agent: a line end or another control character is not allowed");
		return -EINVAL;
	}
	if (s->range != NULL && !is_range(s->range)) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--range: '%.100s' is not a range of bytes, such as 0-499, 500- or -500",
			s->range);
		return -EINVAL;
	}
	for (i = 0; i < s->headers.count; i++) {
		if (http_header_check(s->headers.item[i]) == 0)
			continue;
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--header: '%.100s' is not of the form \"Name: value\"",
			s->headers.item[i]);
		return -EINVAL;
	}
	return 0;
}

int
request_headers_make(const struct settings *s, bool close, struct request_headers *ret)
{
	uint32_t i;

	*ret = (struct request_headers){
		.line = calloc((size_t)s->headers.count + 2U, sizeof(*ret->line))};
	if (ret->line == NULL)
		return -ENOMEM;
	if (s->range != NULL) {
		snprintf(ret->range, sizeof(ret->range), "Range: bytes=%s", s->range);
		ret->line[ret->count++] = ret->range;
	}
	if (close)
		ret->line[ret->count++] = "Connection: close";
	for (i = 0; i < s->headers.count; i++)
		ret->line[ret->count++] = s->headers.item[i];
	return 0;
}

void
request_headers_free(struct request_headers *h)
{
	free(h->line);
	*h = (struct request_headers){0};
}
