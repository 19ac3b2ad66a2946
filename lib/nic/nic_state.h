/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_STATE_H
#define NIC_STATE_H

#include <jansson.h>

/*
 * What an interface of this network namespace is like, as JSON that can be put back by rtnetlink,
 * ethtool and sysctl: name, index, mac, permanent_mac, mtu, txqlen, up, promiscuous, allmulticast, arp,
 * multicast, alias, master, addresses, routes, features, sysctl, and saved_s (CLOCK_BOOTTIME). Each of
 * addresses and routes is the kernel's own message in hexadecimal, so that nothing of it is lost, beside
 * a text for people.
 *
 * Not in it: routes of the kernel's own making (it makes them again), and what routers advertised (it
 * asks them again), qdiscs, neighbours, multicast groups, ethtool's rings and channels.
 */

typedef void (*nic_say_fn)(void *ctx, const char *text);

/** 0 and *ret, the caller's; -ENODEV; -errno. */
int nic_state_save(const char *interface, json_t **ret);

/** Makes the interface, whatever its name is now, what state says, its name included. What cannot be
 *  put back is told to say, one call each; the rest is done all the same. 0; -EINVAL: the state
 *  is none; -ENODEV; -errno of the netlink socket. */
int nic_state_apply(const char *interface, json_t *state, nic_say_fn say, void *say_ctx);

#endif
