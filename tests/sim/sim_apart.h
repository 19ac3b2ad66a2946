/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_APART_H
#define SIM_APART_H

#include "sim_world.h"

/** sim_world_run() in a process of its own, for servers whose state is global. A run that dies is a
 *  failure like others. */
void sim_apart_run(const struct sim_config *cfg, struct sim_outcome *ret);

#endif
