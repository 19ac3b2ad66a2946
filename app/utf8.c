/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include "utf8.h"

/* How many bytes follow one that begins a character of more than one; 0: it begins none. */
static uint32_t
following(unsigned char first)
{
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static bool
valid(uint32_t code, uint32_t more)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

	return code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

uint32_t
utf8_next(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	uint32_t more, code, i;

	(*text)++;
	if (s[0] < 0x80)
		return s[0];
	more = following(s[0]);
	if (more == 0)
		return UTF8_REPLACEMENT;
	code = s[0] & (0x3fU >> more);
	for (i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80) /* also the end of the text */
			return UTF8_REPLACEMENT;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if (!valid(code, more))
		return UTF8_REPLACEMENT;
	*text += more;
	return code;
}
