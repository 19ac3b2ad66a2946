/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base_check.h"
#include "http_request.h"
#include "http_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define URL_MAX 1024U

/* What goes into a request line or a file name holds nothing that would end it. */
static void
check_url(const struct http_url *u)
{
	const char *p;

	CHECK(u->host[0] != '\0' && u->port != 0);
	CHECK(u->port_default == (u->port == 80));
	CHECK(u->path[0] == '/');
	for (p = u->path; *p != '\0'; p++)
		CHECK((unsigned char)*p > ' ' && (unsigned char)*p < 0x7f);
	for (p = u->host; *p != '\0'; p++)
		CHECK((unsigned char)*p > ' ' && *p != 0x7f);
	if (u->filename != NULL)
		CHECK(u->filename[0] != '\0' && strchr(u->filename, '/') == NULL &&
			strcmp(u->filename, ".") != 0 && strcmp(u->filename, "..") != 0);
	CHECK(strncmp(u->canonical, "http://", 7) == 0);
}

/* A request for it has one head: its only empty line is at the end. */
static void
check_request(const struct http_url *u, const char *header)
{
	static char buf[16384];
	struct http_request request = {
		.method = "GET", .url = u, .headers = &header, .headers_count = 1};
	int len = http_request_write(&request, buf, sizeof(buf) - 1);

	CHECK((len == -EINVAL) == (http_header_check(header) != 0));
	if (len < 0)
		return;
	buf[len] = '\0';
	CHECK(strlen(buf) == (size_t)len && len > 4);
	CHECK(strstr(buf, "\r\n\r\n") == buf + len - 4);
}

/* CURLU drops an empty query from the whole URL, not from the parts. */
static bool
same_target(const char *a, const char *b)
{
	size_t len = strlen(a);

	if (len > 0 && a[len - 1] == '?')
		len--;
	return strncmp(a, b, len) == 0 && (b[len] == '\0' || strcmp(b + len, "?") == 0);
}

/* A URL parses or is refused with a message; what it parses to parses to the same again. The
 * text serves as a -H argument too. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[URL_MAX + 1];
	struct http_url u, again;
	const char *message = NULL;
	int e;

	if (size > URL_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	e = http_url_parse(text, &u, &message);
	if (e != 0) {
		CHECK(e == -EINVAL || e == -EPROTONOSUPPORT);
		CHECK(message != NULL && message[0] != '\0');
		(void)http_header_check(text);
		return 0;
	}
	check_url(&u);
	check_request(&u, text);
	CHECK(http_url_parse(u.canonical, &again, &message) == 0);
	CHECK(same_target(u.path, again.path) && u.port == again.port);
	http_url_free(&again);
	http_url_free(&u);
	return 0;
}
