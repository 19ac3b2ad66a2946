/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_NETLINK_H
#define NIC_NETLINK_H

#include <stdint.h>

#include <libmnl/libmnl.h>

/* rtnetlink(7) requests by libmnl: one at a time, each answered before the next. */

struct nic_netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
};

#define NIC_NETLINK_BYTES 16384U /* room for a request; the kernel's answers are as long at most */

/** A socket in this thread's network namespace, which it stays in. 0 or -errno. */
int nic_netlink_open(struct nic_netlink *ret);

void nic_netlink_close(struct nic_netlink *n);

/** A request in buf (NIC_NETLINK_BYTES) of this type and flags (NLM_F_REQUEST is added), with the
 *  family's header of size bytes copied behind it; attributes go on. */
struct nlmsghdr *nic_netlink_request(
	char *buf, uint16_t type, uint16_t flags, const void *header, size_t size);

/** Sends it and hands each message of the answer to take (may be NULL). 0 or -errno, the kernel's. */
int nic_netlink_ask(struct nic_netlink *n, struct nlmsghdr *request, mnl_cb_t take, void *ctx);

#endif
