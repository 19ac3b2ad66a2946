/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_WARNED_H
#define COMPARE_WARNED_H

#include <string.h>

#include "compare.h"

/* Does a warning of the comparison contain this? */
static inline bool
compare_has_warning(const struct compare *c, const char *text)
{
	uint32_t i;

	for (i = 0; i < c->warnings; i++) {
		if (strstr(c->warning[i], text) != NULL)
			return true;
	}
	return false;
}

#endif
