/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "netstack_priv.h"

void
netstack_ipv6_start(struct netstack *ns, uint64_t now_ns)
{
	const struct netstack_ipv6_config *cfg = &ns->cfg.ipv6;
	struct netstack_ipv6 *v6 = &ns->ipv6;
	struct ipv6_addr link_local = ipv6_addr_of_mac(&ipv6_addr_link_local_prefix, &ns->cfg.mac);

	v6->hop_limit = IPV6_HOP_LIMIT_DEFAULT;
	v6->retransmit_ns = NDP_RETRANSMIT_NS;
	v6->solicit_next_ns = v6->report_next_ns = v6->deadline_ns = TIME_NEVER;
	if (!cfg->enabled)
		return;
	netstack_ipv6_add(ns, &link_local, 64, now_ns);
	if (!ipv6_addr_is_unspecified(&cfg->address))
		netstack_ipv6_add(ns, &cfg->address, cfg->prefix_len, now_ns);
	if (cfg->autoconf || ipv6_addr_is_unspecified(&cfg->gateway))
		v6->solicit_next_ns = now_ns;
}

/* ---- our own addresses ---- */

const struct ipv6_own_address *
netstack_ipv6_find(const struct netstack_ipv6 *v6, const struct ipv6_addr *address)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state == IPV6_ADDRESS_ASSIGNED &&
			ipv6_addr_equal(&v6->own[i].address, address))
			return &v6->own[i];
	}
	return NULL;
}

struct ipv6_own_address *
netstack_ipv6_own(struct netstack_ipv6 *v6, const struct ipv6_addr *address)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state != IPV6_ADDRESS_FREE &&
			ipv6_addr_equal(&v6->own[i].address, address))
			return &v6->own[i];
	}
	return NULL;
}

bool
netstack_ipv6_for_us(const struct netstack_ipv6 *v6, const struct ipv6_addr *dst)
{
	struct ipv6_addr group;
	uint32_t i;

	if (!ipv6_addr_is_multicast(dst))
		return netstack_ipv6_find(v6, dst) != NULL;
	if (ipv6_addr_equal(dst, &ipv6_addr_all_nodes))
		return true;
	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		group = ipv6_addr_solicited_node(&v6->own[i].address);
		if (v6->own[i].state != IPV6_ADDRESS_FREE && ipv6_addr_equal(&group, dst))
			return true;
	}
	return false;
}

/* RFC 4862 §5.4: DupAddrDetectTransmits is 0 where nobody asked for a test. */
struct ipv6_own_address *
netstack_ipv6_add(
	struct netstack *ns, const struct ipv6_addr *address, uint8_t prefix_len, uint64_t now_ns)
{
	struct netstack_ipv6 *v6 = &ns->ipv6;
	struct ipv6_own_address *own = v6->own;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES && own->state != IPV6_ADDRESS_FREE; i++)
		own++;
	if (i == NETSTACK_IPV6_ADDRESSES)
		return NULL;
	*own = (struct ipv6_own_address){
		.address = *address,
		.prefix_len = prefix_len,
		.state = ns->cfg.probe_address ? IPV6_ADDRESS_TENTATIVE : IPV6_ADDRESS_ASSIGNED,
		.preferred_until_ns = TIME_NEVER,
		.valid_until_ns = TIME_NEVER,
		.next_ns = now_ns,
	};
	if (netstack_keeps_addresses(ns)) {
		v6->reports_left = MLD_REPORTS; /* there is a group more (RFC 4861 §7.2.1) */
		v6->report_next_ns = now_ns;
	}
	netstack_link_due(ns, now_ns);
	return own;
}

/* RFC 4862 §5.4.5; of an assigned address, about which it says nothing, as ARP's (RFC 5227 §2.4 (b)):
 * one forged advertisement is not to end all connections. */
void
netstack_ipv6_on_conflict(struct netstack *ns, struct ipv6_own_address *own,
	const struct ether_addr *mac, uint64_t now_ns)
{
	struct ip_address local = ip_address_of_v6(&own->address);
	bool defended = own->defended_ns != 0 && now_ns - own->defended_ns < ARP_DEFEND_INTERVAL_NS;

	netstack_count_heard(ns, COUNTER_NDP_CONFLICTS);
	if (own->state == IPV6_ADDRESS_ASSIGNED && !defended) {
		own->defended_ns = now_ns;
		netstack_ndp_announce(ns, &own->address);
		return;
	}
	own->state = IPV6_ADDRESS_DUPLICATED;
	own->conflict_mac = *mac;
	netstack_fail_local(ns, &local);
}

bool
netstack_ipv6_conflict(
	const struct netstack_ipv6 *v6, struct ip_address *ret_address, struct ether_addr *ret_mac)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state != IPV6_ADDRESS_DUPLICATED)
			continue;
		*ret_address = ip_address_of_v6(&v6->own[i].address);
		*ret_mac = v6->own[i].conflict_mac;
		return true;
	}
	return false;
}

bool
netstack_ipv6_address(const struct netstack *ns, uint32_t index, struct ipv6_addr *ret)
{
	uint32_t i = NETSTACK_IPV6_ADDRESSES;

	while (i-- > 0) { /* the link-local one is the first to be made, and the last to be used */
		if (ns->ipv6.own[i].state != IPV6_ADDRESS_ASSIGNED || index-- > 0)
			continue;
		*ret = ns->ipv6.own[i].address;
		return true;
	}
	return false;
}

bool
netstack_ipv6_dns_server(const struct netstack *ns, uint32_t index, struct ipv6_addr *ret)
{
	const struct ipv6_dns_server *s = ns->ipv6.dns;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_DNS_SERVERS; i++) {
		if (s[i].until_ns == 0 || index-- > 0)
			continue;
		*ret = s[i].address;
		return true;
	}
	return false;
}

bool
netstack_ipv6_soliciting(const struct netstack *ns)
{
	return ns->ipv6.solicit_next_ns != TIME_NEVER;
}

uint32_t
netstack_ipv6_mtu(const struct netstack *ns)
{
	uint32_t said = ns->ipv6.mtu;

	return said >= IPV6_MTU_MIN && said < ns->cfg.mtu ? said : ns->cfg.mtu;
}

/* ---- the way to somewhere ---- */

/* RFC 6724 §5, of two candidates for dst: rules 2 (scope), 3 (deprecated) and 8 (longest prefix). */
static bool
better(const struct ipv6_own_address *a, const struct ipv6_own_address *b,
	const struct ipv6_addr *dst)
{
	bool wanted = ipv6_addr_is_link_local(dst) || ipv6_addr_is_multicast(dst);
	bool a_local = ipv6_addr_is_link_local(&a->address);
	bool a_old = a->preferred_until_ns == 0, b_old = b->preferred_until_ns == 0;

	if (a_local != ipv6_addr_is_link_local(&b->address))
		return a_local == wanted;
	if (a_old != b_old)
		return b_old;
	return ipv6_addr_common_bits(&a->address, dst) > ipv6_addr_common_bits(&b->address, dst);
}

static const struct ipv6_own_address *
source(const struct netstack_ipv6 *v6, const struct ipv6_addr *dst)
{
	const struct ipv6_own_address *best = NULL;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state == IPV6_ADDRESS_ASSIGNED &&
			(best == NULL || better(&v6->own[i], best, dst)))
			best = &v6->own[i];
	}
	return best;
}

const struct ipv6_addr *
netstack_ipv6_source(const struct netstack_ipv6 *v6, const struct ipv6_addr *dst)
{
	const struct ipv6_own_address *own = source(v6, dst);

	return own != NULL ? &own->address : NULL;
}

/* An address may still come: from a test that goes on, from a router that answers. */
static int
no_way(const struct netstack *ns, int otherwise)
{
	const struct netstack_ipv6 *v6 = &ns->ipv6;
	struct ip_address address;
	struct ether_addr mac;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state == IPV6_ADDRESS_TENTATIVE)
			return -EINPROGRESS;
	}
	if (netstack_ipv6_conflict(v6, &address, &mac))
		return -EADDRNOTAVAIL;
	return v6->solicit_next_ns != TIME_NEVER ? -EINPROGRESS : otherwise;
}

int
netstack_ipv6_route(const struct netstack *ns, const struct ipv6_addr *remote,
	struct ip_address *ret_local, struct ip_address *ret_next_hop)
{
	const struct ipv6_addr *local = netstack_ipv6_source(&ns->ipv6, remote), *next_hop = remote;

	if (!ns->cfg.ipv6.enabled)
		return -EAFNOSUPPORT;
	if (netstack_ipv6_find(&ns->ipv6, remote) != NULL)
		return -EADDRINUSE;
	if (ipv6_addr_is_multicast(remote) || ipv6_addr_is_unspecified(remote) ||
		ipv6_addr_is_loopback(remote))
		return -ENETUNREACH;
	/* A link-local source reaches neighbours alone (RFC 4291 §2.5.6). */
	if (local == NULL || (ipv6_addr_is_link_local(local) && !ipv6_addr_is_link_local(remote)))
		return no_way(ns, -EAFNOSUPPORT);
	if (!ns->cfg.gateway_mac_set && !netstack_router_on_link(ns, remote))
		next_hop = netstack_router_default(ns);
	if (next_hop == NULL)
		return no_way(ns, -ENETUNREACH);
	*ret_local = ip_address_of_v6(local);
	*ret_next_hop = ip_address_of_v6(next_hop);
	return 0;
}

/* ---- what is due ---- */

/* RFC 4862 §5.4. */
static void
run_test(struct netstack *ns, struct ipv6_own_address *own, uint64_t now_ns)
{
	if (now_ns < own->next_ns)
		return;
	if (own->solicitations == NDP_DAD_TRANSMITS) {
		own->state = IPV6_ADDRESS_ASSIGNED; /* nobody objected */
		return;
	}
	own->next_ns = now_ns + ns->ipv6.retransmit_ns;
	if (netstack_ndp_test(ns, &own->address))
		own->solicitations++;
}

/* RFC 4862 §5.5.4. preferred_until_ns 0 is what says "deprecated" afterwards. */
static void
run_lifetime(struct netstack *ns, struct ipv6_own_address *own, uint64_t now_ns)
{
	struct ip_address address;

	if (now_ns >= own->preferred_until_ns)
		own->preferred_until_ns = 0;
	if (now_ns < own->valid_until_ns)
		return;
	own->state = IPV6_ADDRESS_FREE;
	address = ip_address_of_v6(&own->address);
	netstack_fail_local(ns, &address);
}

/* RFC 3810 §6.1: all our groups at once. */
static void
report_groups(struct netstack *ns, uint8_t type)
{
	struct ipv6_addr group[NETSTACK_IPV6_ADDRESSES];
	uint32_t i, n = 0;

	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (ns->ipv6.own[i].state != IPV6_ADDRESS_FREE)
			group[n++] = ipv6_addr_solicited_node(&ns->ipv6.own[i].address);
	}
	netstack_icmpv6_report(ns, type, group, n);
}

static void
run_reports(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_ipv6 *v6 = &ns->ipv6;

	if (now_ns < v6->report_next_ns)
		return;
	report_groups(ns, v6->queried ? MLD_MODE_IS_EXCLUDE : MLD_CHANGE_TO_EXCLUDE);
	if (v6->queried)
		v6->queried = false;
	else
		v6->reports_left--;
	v6->report_next_ns = v6->reports_left > 0 ? now_ns + MLD_REPORT_INTERVAL_NS : TIME_NEVER;
}

/* RFC 4861 §6.3.7. After the last one an answer has its time, then nobody is waited for. */
static void
run_solicitations(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_ipv6 *v6 = &ns->ipv6;

	if (now_ns < v6->solicit_next_ns)
		return;
	if (v6->solicitations == NDP_RS_MAX) {
		v6->solicit_next_ns = TIME_NEVER;
		return;
	}
	v6->solicitations++;
	v6->solicit_next_ns = now_ns + NDP_RS_INTERVAL_NS;
	netstack_router_solicit(ns);
}

static uint64_t
address_deadline(const struct ipv6_own_address *own)
{
	switch (own->state) {
	case IPV6_ADDRESS_TENTATIVE:
		return own->next_ns;
	case IPV6_ADDRESS_ASSIGNED:
		return own->preferred_until_ns > 0
			       ? time_min(own->preferred_until_ns, own->valid_until_ns)
			       : own->valid_until_ns;
	case IPV6_ADDRESS_FREE:
	case IPV6_ADDRESS_DUPLICATED:
		break;
	}
	return TIME_NEVER;
}

void
netstack_ipv6_run(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_ipv6 *v6 = &ns->ipv6;
	uint32_t i;

	run_reports(ns, now_ns); /* a group is joined before an address in it is tested */
	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state == IPV6_ADDRESS_TENTATIVE)
			run_test(ns, &v6->own[i], now_ns);
		if (v6->own[i].state == IPV6_ADDRESS_ASSIGNED)
			run_lifetime(ns, &v6->own[i], now_ns);
	}
	run_solicitations(ns, now_ns);
	netstack_router_run(ns, now_ns);
	v6->deadline_ns = time_min(v6->report_next_ns, v6->solicit_next_ns);
	v6->deadline_ns = time_min(v6->deadline_ns, netstack_router_deadline(ns));
	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++)
		v6->deadline_ns = time_min(v6->deadline_ns, address_deadline(&v6->own[i]));
}
