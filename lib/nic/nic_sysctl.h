/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_SYSCTL_H
#define NIC_SYSCTL_H

#include <jansson.h>

/* The settings that an interface has below /proc/sys/net (rp_filter, accept_ra, disable_ipv6 and so on),
 * which are the defaults again when its driver has made it anew. */

/** All that can be read, by "ipv4/conf/rp_filter". A new object; NULL: no memory. root: before /proc. */
json_t *nic_sysctl_save(const char *root, const char *interface);

/** Writes those that differ. How many could not be written; the first one's name to ret_name (of room). */
unsigned int nic_sysctl_apply(
	const char *root, const char *interface, json_t *saved, char *ret_name, size_t room);

#endif
