/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DHCP_HOST_H
#define DHCP_HOST_H

#include "dhcp_client.h"
#include "netstack.h"
#include "netstack_udp.h"

/*
 * Keeps a netstack's address leased: the client's messages go through UDP port 68, a lease becomes
 * the netstack's address, a conflict declines it, its loss takes the address away. Pure. The worker
 * calls dhcp_host_poll now and then.
 */

struct dhcp_host_config {
	struct netstack *netstack; /* without an address */
	struct ether_addr mac;
	struct siphash_key key; /* secret and new each time */
	uint32_t gateway; /* host order; 0: the router that the lease names */
	bool probe; /* RFC 5227 probes before an address is used */
	struct counters *counters;
};

/** Plain memory; what is in it is dhcp_host.c's. */
struct dhcp_host {
	struct dhcp_host_config cfg;
	struct dhcp_client client;
	struct netstack_udp *udp; /* NULL: not started */
	uint32_t declined; /* leases, since the start */
	uint32_t lost; /* leases that ended by themselves */
	uint32_t declined_address; /* the last one, host order */
	struct ether_addr declined_mac; /* of the host that has it */
};

/** Begins to ask for a lease. 0, or an error of netstack_udp_open. */
int dhcp_host_start(struct dhcp_host *h, const struct dhcp_host_config *cfg, uint64_t now_ns);

/** Moves it on. true: there is a lease, and the netstack may use its address now. */
bool dhcp_host_poll(struct dhcp_host *h, uint64_t now_ns);

/** The lease in force (perhaps still being probed), or NULL. */
const struct dhcp_lease *dhcp_host_lease(const struct dhcp_host *h);

/** Gives the lease back: a RELEASE is queued in the netstack, which keeps the address for that.
 *  Drain netstack_output until dhcp_host_released. Does nothing where nothing was started. */
void dhcp_host_release(struct dhcp_host *h, uint64_t now_ns);

/** Has the RELEASE gone out, or is there none to be sent? */
bool dhcp_host_released(const struct dhcp_host *h);

#endif
