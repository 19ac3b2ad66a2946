/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

/* Our address by DHCP. Without --address dhcp, and over the kernel's stack, there is nothing to do,
 * and all is well. */

/** Waits until there is a lease whose address may be used, for a bounded time. 0, or an exit code
 *  after having said why. */
int lease_ensure(struct host *h);

/** Renews the lease when its time has come; to be called often. false: it is lost; text says how
 *  and what helps. */
bool lease_keep(struct host *h, uint64_t now_ns, char *text, size_t room);

/** Gives the lease back, for the program's end; waits half a second for it to go out. */
void lease_give_back(struct host *h);

#endif
