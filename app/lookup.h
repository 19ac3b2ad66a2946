/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "get.h"

/** Asks DNS over our own stack for the target's address, unless another target of the same host
 *  has it. 0 with t->remote and t->resolve_ns, or an exit code with a message of
 *  SETTINGS_MESSAGE_MAX. Takes 18 s at most: three silent servers, twice. */
int lookup_target(struct get *g, struct target *t, char *message);

/** Gives back what lookups needed. */
void lookup_end(struct get *g);

#endif
