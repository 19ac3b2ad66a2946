/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "netstack_priv.h"

static int
route_ipv4(const struct netstack *ns, uint32_t remote, struct ip_address *ret_local,
	struct ip_address *ret_next_hop)
{
	bool on_link = ((remote ^ ns->cfg.address) & ipv4_prefix_mask(ns->cfg.prefix_len)) == 0;

	if (ns->cfg.address == 0)
		return -EAFNOSUPPORT;
	if (netstack_has_ipv4(ns, remote))
		return -EADDRINUSE;
	if (!on_link && !ns->cfg.gateway_mac_set && ns->cfg.gateway == 0)
		return -ENETUNREACH;
	*ret_local = ip_address_of_v4(ns->cfg.address);
	*ret_next_hop =
		ip_address_of_v4(on_link || ns->cfg.gateway_mac_set ? remote : ns->cfg.gateway);
	return 0;
}

int
netstack_route_find(const struct netstack *ns, const struct ip_address *remote,
	struct ip_address *ret_local, struct ip_address *ret_next_hop)
{
	switch (remote->family) {
	case 4:
		return route_ipv4(ns, remote->v4, ret_local, ret_next_hop);
	case 6:
		return netstack_ipv6_route(ns, &remote->v6, ret_local, ret_next_hop);
	default:
		return -EAFNOSUPPORT;
	}
}

int
netstack_route(const struct netstack *ns, const struct ip_address *remote)
{
	struct ip_address local, next_hop;

	return netstack_route_find(ns, remote, &local, &next_hop);
}
