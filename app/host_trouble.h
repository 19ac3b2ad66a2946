/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_TROUBLE_H
#define HOST_TROUBLE_H

#include <stddef.h>
#include <stdint.h>

#include "host.h"

/** What ends the work on a port, whatever it is. */
enum host_trouble {
	HOST_TROUBLE_NONE,
	HOST_TROUBLE_SIGNAL, /* Ctrl-C and its kin */
	HOST_TROUBLE_LEASE, /* the DHCP lease was lost */
	HOST_TROUBLE_CONFLICT, /* another host uses our address */
	HOST_TROUBLE_GONE, /* the device is */
	HOST_TROUBLE_LINK, /* down for longer than --link-timeout */
};

/** Looks for trouble, and keeps the lease meanwhile; to be called about every millisecond. text, of
 *  room bytes (160 suffice), says what happened. */
enum host_trouble host_trouble_check(struct host *h, uint64_t now_ns, char *text, size_t room);

/** What to tell the user when the host with this MAC address has the address own, too. */
void host_trouble_conflict_text(
	const struct ip_address *own, const struct ether_addr *mac, char *text, size_t room);

#endif
