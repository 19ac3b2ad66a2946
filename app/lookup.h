/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "get.h"

/** Asks DNS over our own stack for the target's address, unless another target of the same host
 *  has it. 0 with t->remote and t->resolve_ns, or an exit code with a message of
 *  SETTINGS_MESSAGE_MAX. Takes 18 s at most once the servers are known (three silent ones, twice),
 *  and no longer than get_connect_until_ns. */
int lookup_target(struct get *g, struct target *t, char *message);

/**
 * The servers to ask, in ret's DNS_SERVERS_MAX places: those of --dns, else DHCP's, else those that
 * the link's routers name, else resolv.conf's. Waits for routers that are being asked, for our
 * addresses being tested, up to get_connect_until_ns. Returns how many; 0: none is known.
 */
uint32_t lookup_servers_find(struct get *g, struct ip_address *ret);

/** Gives back what lookups needed. */
void lookup_end(struct get *g);

#endif
