/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_BENCH_H
#define CMD_BENCH_H

#include "settings.h"

/** dpfetch bench: loads a web server and reports. Returns the exit code; *ret_signal is the signal that
 *  ended it early, which main is to die of, or 0. */
int cmd_bench(const struct settings *s, int *ret_signal);

#endif
