/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSPORT_NETSTACK_H
#define TRANSPORT_NETSTACK_H

#include "netstack.h"
#include "transport.h"

/** Connections of our own stack. release gives back the owners of received frames, as
 *  netstack_config's. ns and release_ctx stay the caller's. */
struct transport transport_of_netstack(
	struct netstack *ns, buffer_release_fn release, void *release_ctx);

/** The TCP connection behind one of a netstack's, for tests. */
struct tcp_conn *transport_netstack_tcp(struct transport_conn *c);

#endif
