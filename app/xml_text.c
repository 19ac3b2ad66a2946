/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdint.h>

#include "utf8.h"
#include "xml_text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* XML 1.0 §2.2, without the surrogates, which UTF-8 has not. */
static bool
allowed(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return code != 0xfffe && code != 0xffff;
}

/* What stands for a character, NULL: itself. */
static const char *
stand_in(uint32_t code)
{
	switch (code) {
	case '<':
		return "&lt;";
	case '>': /* not in markup, but in "]]>" */
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case UTF8_REPLACEMENT: /* perhaps of a byte that is no character */
		return REPLACEMENT;
	default:
		return allowed(code) ? NULL : REPLACEMENT;
	}
}

void
xml_text(FILE *out, const char *text)
{
	const char *next, *other;

	for (; *text != '\0'; text = next) {
		next = text;
		other = stand_in(utf8_next(&next));
		if (other != NULL)
			fputs(other, out);
		else
			fwrite(text, 1, (size_t)(next - text), out);
	}
}
