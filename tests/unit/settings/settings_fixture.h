/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETTINGS_FIXTURE_H
#define SETTINGS_FIXTURE_H

#include <stdint.h>

#include "settings.h"

#define ARGS_MAX 32

/* Fills argv (writable, because getopt_long permutes it; settings.eal_args points into it). */
static inline enum settings_result
load_into(char **argv, struct settings *ret, char *message, const char *const *args)
{
	int argc = 0;

	for (; args[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc];
	message[0] = '\0';
	return settings_load(argc, argv, ret, message);
}

/* settings_load over a NULL-terminated list; what it reads lasts as long as the caller's block. */
#define load(ret, message, args) load_into((char *[ARGS_MAX]){0}, ret, message, args)

#endif
