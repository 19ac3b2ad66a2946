/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_FIXTURE_H
#define COMPARE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "child.h"
#include "compare.h"

/* What tests of compare's runs begin and end with: signals as compare blocks them, and a PATH that a test may replace. */

/** A comparison under these settings, which must outlive it; *ret_path_before: PATH, for the end. */
static inline struct compare *
compare_fixture_begin(const struct settings *settings, char **ret_path_before)
{
	struct compare *c = calloc(1, sizeof(*c));
	sigset_t before;

	assert_non_null(c);
	c->settings = settings;
	*ret_path_before = strdup(getenv("PATH"));
	child_block_signals(&before);
	return c;
}

/** Removes the folder and frees the rest, the runs included. */
static inline void
compare_fixture_end(struct compare *c, char *path_before, const char *folder)
{
	char command[128];
	uint32_t i;
	int side;

	setenv("PATH", path_before, 1);
	free(path_before);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	for (side = 0; side < COMPARE_SIDES; side++) {
		for (i = 0; i < c->pairs; i++)
			json_decref(c->run[side][i]);
	}
	free(c);
}

#endif
