/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base_check.h"

void
base_check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "dpfetch: internal error: %s does not hold at %s:%d; please report this\n",
		condition, file, line);
	abort();
}
