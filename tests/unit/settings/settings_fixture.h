/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETTINGS_FIXTURE_H
#define SETTINGS_FIXTURE_H

#include <stdint.h>

#include "settings.h"

#define ARGS_MAX 32

/* settings_load over a NULL-terminated list; argv is writable because getopt_long permutes it. */
static inline enum settings_result
load(struct settings *ret, char *message, const char *const *args)
{
	char *argv[ARGS_MAX] = {0};
	int argc = 0;

	for (; args[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc];
	message[0] = '\0';
	return settings_load(argc, argv, ret, message);
}

#endif
