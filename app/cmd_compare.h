/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_COMPARE_H
#define CMD_COMPARE_H

#include "settings.h"

/** dpfetch compare: the same load over our stack and the kernel's, in turn. Returns the exit code;
 *  *ret_signal is the signal that ended it early, which main is to die of, or 0. */
int cmd_compare(const struct settings *s, int *ret_signal);

#endif
