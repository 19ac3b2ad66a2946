/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_GET_H
#define CMD_GET_H

#include "settings.h"

/**
 * The main job: fetches every URL of s to its file. Returns the exit code; *ret_signal is the
 * signal that ended it (0: none), by which the caller should end the process.
 */
int cmd_get(const struct settings *s, int *ret_signal);

#endif
