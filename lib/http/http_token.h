/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Character classes of RFC 9110 §5.6. */

static inline bool
http_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
http_is_token_char(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/** A token (RFC 9110 §5.6.2): one or more of its characters and nothing else. */
static inline bool
http_is_token(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!http_is_token_char(text[i]))
			return false;
	return len > 0;
}

/** What a field value may hold (RFC 9110 §5.5): no control characters but HTAB. */
static inline bool
http_is_field_value(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

#endif
