/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "url_shown.h"

static const char scheme_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";

/* Length of scheme, colon and slashes; 0: there is none. "user:password@host" has none. */
static size_t
scheme_len(const char *url)
{
	size_t len = strspn(url, scheme_chars);

	return len > 0 && url[len] == ':' && url[len + 1] == '/'
		       ? len + 1 + strspn(&url[len + 1], "/")
		       : 0;
}

char *
url_shown(const char *url)
{
	const char *rest, *at;
	size_t scheme, i;
	char *shown;

	url += strspn(url, " \t\r\n");
	scheme = scheme_len(url);
	rest = url + scheme;
	at = memrchr(rest, '@', strcspn(rest, "/?#"));
	if (at != NULL)
		rest = at + 1;
	shown = malloc(scheme + strlen(rest) + 1);
	if (shown == NULL)
		return NULL;
	for (i = 0; i < scheme; i++)
		shown[i] = (char)tolower((unsigned char)url[i]);
	memcpy(shown + scheme, rest, strlen(rest) + 1);
	return shown;
}
