/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#define HTTP_PORT_DEFAULT 80U /* RFC 9110 §4.2.1 */

/* As the curl tool, but blanks are taken too: they and non-ASCII bytes get percent-encoded. */
#define URL_SET_FLAGS (CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE)

static int
url_error(CURLUcode code, const char **ret_message)
{
	*ret_message = curl_url_strerror(code);
	return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

/* One part as memory of ours (free). A URL without it is an error. */
static int
url_part(CURLU *u, CURLUPart part, unsigned int flags, char **ret, const char **ret_message)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(u, part, &text, flags);

	if (code != CURLUE_OK)
		return url_error(code, ret_message);
	*ret = strdup(text);
	curl_free(text);
	return *ret != NULL ? 0 : url_error(CURLUE_OUT_OF_MEMORY, ret_message);
}

/* The same for a part that need not be there: 0 with *ret NULL. */
static int
url_part_optional(
	CURLU *u, CURLUPart part, unsigned int flags, char **ret, const char **ret_message)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(u, part, &text, flags);

	*ret = NULL;
	curl_free(text);
	if (code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD || code == CURLUE_NO_QUERY)
		return 0;
	return url_part(u, part, flags, ret, ret_message);
}

/* "ftp.example.org/x" makes CURLU guess ftp; without a scheme it is http here. */
static int
url_check_scheme(CURLU *u, const char *text, const char **ret_message)
{
	char *scheme;
	bool is_http;
	int e = url_part(u, CURLUPART_SCHEME, 0, &scheme, ret_message);

	if (e != 0)
		return e;
	is_http = strcasecmp(scheme, "http") == 0;
	free(scheme);
	if (is_http)
		return 0;
	if (strstr(text, "://") == NULL) {
		CURLUcode code = curl_url_set(u, CURLUPART_SCHEME, "http", 0);

		return code == CURLUE_OK ? 0 : url_error(code, ret_message);
	}
	*ret_message = "only http:// is supported";
	return -EPROTONOSUPPORT;
}

/* Never by CURLU_PUNYCODE: libcurl 7.88 answers "out of memory" to a name that it cannot convert
 * in the program's locale, and loses the memory. */
static int
url_get_host(CURLU *u, struct http_url *ret, const char **ret_message)
{
	const char *at;
	int e = url_part(u, CURLUPART_HOST, 0, &ret->host, ret_message);

	if (e != 0)
		return e;
	for (at = ret->host; *at != '\0'; at++) {
		if ((unsigned char)*at <= ' ' || *at == 0x7f) /* from %7f: libcurl lets it pass */
			return url_error(CURLUE_BAD_HOSTNAME, ret_message);
		if ((unsigned char)*at >= 0x80) {
			*ret_message =
				"the host has letters outside ASCII; write it in its xn-- form";
			return -EINVAL;
		}
	}
	return 0;
}

static int
url_get_port(CURLU *u, struct http_url *ret, const char **ret_message)
{
	char *text;
	unsigned long port;
	int e = url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &text, ret_message);

	if (e != 0)
		return e;
	port = strtoul(text, NULL, 10); /* CURLU has checked that it is 0..65535 */
	free(text);
	if (port == 0)
		return url_error(CURLUE_BAD_PORT_NUMBER, ret_message);
	ret->port = (uint16_t)port;
	ret->port_default = port == HTTP_PORT_DEFAULT;
	return 0;
}

/* "a" + separator + "b", or "a" alone when b is NULL. Takes both over. NULL: no memory. */
static char *
url_join(char *a, char separator, char *b)
{
	char *joined;

	if (b == NULL)
		return a;
	if (asprintf(&joined, "%s%c%s", a, separator, b) < 0)
		joined = NULL;
	free(a);
	free(b);
	return joined;
}

static int
url_get_path(CURLU *u, struct http_url *ret, const char **ret_message)
{
	char *query;
	int e = url_part(u, CURLUPART_PATH, 0, &ret->path, ret_message);

	if (e == 0)
		e = url_part_optional(u, CURLUPART_QUERY, 0, &query, ret_message);
	if (e != 0)
		return e;
	ret->path = url_join(ret->path, '?', query);
	return ret->path != NULL ? 0 : url_error(CURLUE_OUT_OF_MEMORY, ret_message);
}

static int
url_get_userinfo(CURLU *u, struct http_url *ret, const char **ret_message)
{
	char *password;
	int e = url_part_optional(u, CURLUPART_USER, CURLU_URLDECODE, &ret->userinfo, ret_message);

	if (e == 0)
		e = url_part_optional(
			u, CURLUPART_PASSWORD, CURLU_URLDECODE, &password, ret_message);
	if (e != 0 || (ret->userinfo == NULL && password == NULL))
		return e;
	if (ret->userinfo == NULL)
		ret->userinfo = strdup("");
	if (password == NULL)
		password = strdup("");
	if (ret->userinfo != NULL && password != NULL)
		ret->userinfo = url_join(ret->userinfo, ':', password);
	else
		free(password);
	return ret->userinfo != NULL ? 0 : url_error(CURLUE_OUT_OF_MEMORY, ret_message);
}

static int
url_get_canonical(CURLU *u, struct http_url *ret, const char **ret_message)
{
	static const CURLUPart dropped[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT};
	size_t i;

	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		(void)curl_url_set(u, dropped[i], NULL, 0);
	return url_part(u, CURLUPART_URL, 0, &ret->canonical, ret_message);
}

/* The last segment before percent-encoding, so "a b" is saved as "a b". */
static int
url_get_filename(const char *text, struct http_url *ret, const char **ret_message)
{
	CURLU *u = curl_url();
	CURLUcode code;
	char *path = NULL;
	int e;

	if (u == NULL)
		return url_error(CURLUE_OUT_OF_MEMORY, ret_message);
	code = curl_url_set(u, CURLUPART_URL, text, URL_SET_FLAGS);
	e = code == CURLUE_OK ? url_part(u, CURLUPART_PATH, 0, &path, ret_message)
			      : url_error(code, ret_message);
	curl_url_cleanup(u);
	if (e == 0) {
		const char *slash = strrchr(path, '/');
		const char *name = slash != NULL ? slash + 1 : path;

		if (*name != '\0') {
			ret->filename = strdup(name);
			if (ret->filename == NULL)
				e = url_error(CURLUE_OUT_OF_MEMORY, ret_message);
		}
	}
	free(path);
	return e;
}

static int
url_get_all(CURLU *u, const char *text, struct http_url *ret, const char **ret_message)
{
	int e = url_check_scheme(u, text, ret_message);

	if (e == 0)
		e = url_get_host(u, ret, ret_message);
	if (e == 0)
		e = url_get_port(u, ret, ret_message);
	if (e == 0)
		e = url_get_path(u, ret, ret_message);
	if (e == 0)
		e = url_get_userinfo(u, ret, ret_message);
	if (e == 0)
		e = url_get_filename(text, ret, ret_message);
	if (e == 0)
		e = url_get_canonical(u, ret, ret_message);
	return e;
}

int
http_url_parse(const char *text, struct http_url *ret, const char **ret_message)
{
	struct http_url url = {0};
	CURLU *u = curl_url();
	CURLUcode code;
	int e;

	if (u == NULL)
		return url_error(CURLUE_OUT_OF_MEMORY, ret_message);
	code = curl_url_set(u, CURLUPART_URL, text, URL_SET_FLAGS | CURLU_URLENCODE);
	e = code == CURLUE_OK ? url_get_all(u, text, &url, ret_message)
			      : url_error(code, ret_message);
	curl_url_cleanup(u);
	if (e == 0)
		*ret = url;
	else
		http_url_free(&url);
	return e;
}

void
http_url_free(struct http_url *u)
{
	free(u->host);
	free(u->path);
	free(u->userinfo);
	free(u->filename);
	free(u->canonical);
	*u = (struct http_url){0};
}
