/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "http_token.h"

#define USER_AGENT_DEFAULT "dpfetch/" DPFETCH_VERSION

/* The head as it grows; once full it stays full. */
struct request_text {
	char *buf;
	uint32_t room;
	uint32_t len;
	bool full;
};

static void
text_add_bytes(struct request_text *t, const char *bytes, size_t len)
{
	if (t->full || len > t->room - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->buf + t->len, bytes, len);
	t->len += (uint32_t)len;
}

static void
text_add(struct request_text *t, const char *text)
{
	text_add_bytes(t, text, strlen(text));
}

static void
text_add_port(struct request_text *t, uint16_t port)
{
	char digits[5]; /* 65535 */
	uint32_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + port % 10);
		port /= 10;
	} while (port > 0);
	text_add(t, ":");
	text_add_bytes(t, digits + i, sizeof(digits) - i);
}

/* RFC 4648 §4. */
static void
text_add_base64(struct request_text *t, const char *text)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);
	size_t i;

	for (i = 0; i < len; i += 3) {
		uint32_t a = (uint8_t)text[i];
		uint32_t b = i + 1 < len ? (uint8_t)text[i + 1] : 0;
		uint32_t c = i + 2 < len ? (uint8_t)text[i + 2] : 0;
		uint32_t group = a << 16 | b << 8 | c;
		char out[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
			(char)(i + 1 < len ? alphabet[group >> 6 & 63] : '='),
			(char)(i + 2 < len ? alphabet[group & 63] : '=')};

		text_add_bytes(t, out, sizeof(out));
	}
}

/* A -H argument, taken apart. */
struct request_header {
	size_t name_len;
	char separator; /* ':' or ';' */
	const char *value; /* without leading blanks */
};

static int
header_split(const char *header, struct request_header *ret)
{
	size_t name_len = strcspn(header, ":;");
	const char *value;

	if (header[name_len] == '\0' || !http_is_token(header, name_len))
		return -EINVAL;
	value = header + name_len + 1;
	while (http_is_blank(*value))
		value++;
	if (!http_is_field_value(value) || (header[name_len] == ';' && *value != '\0'))
		return -EINVAL;
	*ret = (struct request_header){name_len, header[name_len], value};
	return 0;
}

int
http_header_check(const char *header)
{
	struct request_header unused;

	return header_split(header, &unused);
}

static bool
header_is(const char *header, const char *name)
{
	return strncasecmp(header, name, strlen(name)) == 0 && header[strlen(name)] != '\0' &&
	       strchr(":;", header[strlen(name)]) != NULL;
}

/* The first -H argument that adds, replaces or removes the field `name`, or NULL. */
static const char *
request_overrides(const struct http_request *request, const char *name)
{
	uint32_t i;

	for (i = 0; i < request->headers_count; i++) {
		if (header_is(request->headers[i], name))
			return request->headers[i];
	}
	return NULL;
}

static int
request_add_header(struct request_text *t, const char *header)
{
	struct request_header parts;

	if (header_split(header, &parts) != 0)
		return -EINVAL;
	if (parts.separator == ':' && *parts.value == '\0')
		return 0; /* "Name:" only removes */
	text_add_bytes(t, header, parts.name_len);
	text_add(t, parts.separator == ';' ? ":" : ": ");
	text_add(t, parts.value);
	text_add(t, "\r\n");
	return 0;
}

/* RFC 9112 §3.2: first, and once; of several -H "Host: ..." the first counts, as in curl. */
static int
request_add_host(struct request_text *t, const struct http_request *request)
{
	const char *given = request_overrides(request, "Host");

	if (given != NULL)
		return request_add_header(t, given);
	text_add(t, "Host: ");
	text_add(t, request->url->host);
	if (!request->url->port_default)
		text_add_port(t, request->url->port);
	text_add(t, "\r\n");
	return 0;
}

static void
request_add_defaults(struct request_text *t, const struct http_request *request)
{
	const struct http_url *url = request->url;
	const char *agent = request->user_agent != NULL ? request->user_agent : USER_AGENT_DEFAULT;

	if (url->userinfo != NULL && !request_overrides(request, "Authorization")) {
		text_add(t, "Authorization: Basic ");
		text_add_base64(t, url->userinfo);
		text_add(t, "\r\n");
	}
	if (*agent != '\0' && !request_overrides(request, "User-Agent")) {
		text_add(t, "User-Agent: ");
		text_add(t, agent);
		text_add(t, "\r\n");
	}
	if (!request_overrides(request, "Accept"))
		text_add(t, "Accept: */*\r\n");
}

int
http_request_write(const struct http_request *request, char *buf, uint32_t room)
{
	struct request_text t = {.buf = buf, .room = room};
	uint32_t i;

	if (!http_is_token(request->method, strlen(request->method)) ||
		(request->user_agent != NULL && !http_is_field_value(request->user_agent)))
		return -EINVAL;
	text_add(&t, request->method);
	text_add(&t, " ");
	text_add(&t, request->url->path);
	text_add(&t, " HTTP/1.1\r\n");
	if (request_add_host(&t, request) != 0)
		return -EINVAL;
	request_add_defaults(&t, request);
	for (i = 0; i < request->headers_count; i++) {
		if (!header_is(request->headers[i], "Host") &&
			request_add_header(&t, request->headers[i]) != 0)
			return -EINVAL;
	}
	text_add(&t, "\r\n");
	return t.full ? -EMSGSIZE : (int)t.len;
}
