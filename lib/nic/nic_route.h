/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_ROUTE_H
#define NIC_ROUTE_H

#include <stdbool.h>

/** Does a default route (IPv4 or IPv6) leave through this interface, or through a bridge, bond,
 *  VLAN or the like that stands on it? root: before /proc and /sys, "" for this machine. */
bool nic_route_is_default(const char *root, const char *interface);

/** Is this line of /proc/net/route (of /proc/net/ipv6_route) a usable default route through the
 *  interface? */
bool nic_route_line_ipv4(const char *line, const char *interface);
bool nic_route_line_ipv6(const char *line, const char *interface);

#endif
