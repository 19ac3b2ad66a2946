/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_DEFAULT_H
#define NIC_DEFAULT_H

typedef void (*nic_name_fn)(void *ctx, const char *interface);

/** Tells visit each interface of this network namespace that a default route leaves by: of every
 *  table, and by any of its next hops, which /proc/net/route does not show. An interface may be told
 *  several times. 0 or -errno. */
int nic_default_each(nic_name_fn visit, void *visit_ctx);

#endif
