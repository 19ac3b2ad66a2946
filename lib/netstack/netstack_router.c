/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_priv.h"

/* Routers and prefixes of the link, RFC 4861 §6.3; addresses from prefixes, RFC 4862 §5.5; DNS servers,
 * RFC 8106. */

#define SLAAC_PREFIX_LEN 64U /* RFC 2464 §4: what an interface identifier leaves */
#define RETRANSMIT_MAX_MS 60000U /* more is nonsense, and would hold the duplicate test up */

void
netstack_router_solicit(struct netstack *ns)
{
	const struct ipv6_addr *dst = &ipv6_addr_all_routers;
	const struct ipv6_addr *src = netstack_ipv6_source(&ns->ipv6, dst);
	struct ether_addr mac = ipv6_addr_multicast_mac(dst);
	struct netstack_icmpv6_out out;
	uint32_t len;

	if (!netstack_keeps_addresses(ns) || !netstack_icmpv6_begin(ns, &mac, &out))
		return;
	len = wire_ndp_build_router_solicitation(out.message, src != NULL ? &ns->cfg.mac : NULL);
	netstack_icmpv6_end(
		&out, len, NDP_HOP_LIMIT, src != NULL ? src : &ipv6_addr_unspecified, dst);
	counter_add(ns->counters, COUNTER_NDP_ROUTER_SOLICITATIONS_SENT, 1);
}

static uint64_t
until(uint32_t lifetime_s, uint64_t now_ns)
{
	return lifetime_s == NDP_INFINITY ? TIME_NEVER : now_ns + lifetime_s * NS_PER_SEC;
}

/* ---- routers ---- */

void
netstack_router_forget(struct netstack *ns, const struct ipv6_addr *address)
{
	struct ipv6_router *r = ns->ipv6.router;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ROUTERS; i++) {
		if (r[i].until_ns > 0 && ipv6_addr_equal(&r[i].address, address))
			r[i].until_ns = 0;
	}
}

static void
remember_router(
	struct netstack *ns, const struct ipv6_addr *address, uint16_t lifetime_s, uint64_t now_ns)
{
	struct ipv6_router *r = ns->ipv6.router, *place = NULL;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ROUTERS; i++) {
		if (r[i].until_ns > 0 && ipv6_addr_equal(&r[i].address, address)) {
			r[i].until_ns = until(lifetime_s, now_ns);
			return;
		}
		if (place == NULL && r[i].until_ns == 0)
			place = &r[i];
	}
	if (place != NULL)
		*place = (struct ipv6_router){*address, until(lifetime_s, now_ns)};
}

/* RFC 4861 §6.3.6: one that is known to answer, else any. */
const struct ipv6_addr *
netstack_router_default(const struct netstack *ns)
{
	const struct ipv6_router *r = ns->ipv6.router;
	const struct ipv6_addr *any = NULL;
	struct ip_address address;
	uint32_t i;

	if (!ipv6_addr_is_unspecified(&ns->cfg.ipv6.gateway))
		return &ns->cfg.ipv6.gateway;
	for (i = 0; i < NETSTACK_IPV6_ROUTERS; i++) {
		if (r[i].until_ns == 0)
			continue;
		address = ip_address_of_v6(&r[i].address);
		if (netstack_neighbour_reachable(ns, &address))
			return &r[i].address;
		any = any != NULL ? any : &r[i].address;
	}
	return any;
}

/* ---- prefixes ---- */

static void
remember_prefix(struct netstack *ns, const struct ndp_prefix *said, uint64_t now_ns)
{
	struct ipv6_link_prefix *p = ns->ipv6.prefix, *place = NULL;
	uint64_t until_ns = said->valid_s > 0 ? until(said->valid_s, now_ns) : 0;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_PREFIXES; i++) {
		if (p[i].until_ns == 0)
			place = place != NULL ? place : &p[i];
		else if (p[i].prefix_len == said->prefix_len &&
			 ipv6_addr_equal(&p[i].prefix, &said->prefix))
			break;
	}
	if (i < NETSTACK_IPV6_PREFIXES)
		p[i].until_ns = until_ns;
	else if (place != NULL)
		*place = (struct ipv6_link_prefix){said->prefix, said->prefix_len, until_ns};
}

/* RFC 5942: nothing but a prefix says that an address is on the link. */
bool
netstack_router_on_link(const struct netstack *ns, const struct ipv6_addr *dst)
{
	const struct netstack_ipv6 *v6 = &ns->ipv6;
	uint32_t i;

	if (ipv6_addr_is_link_local(dst))
		return true;
	for (i = 0; i < NETSTACK_IPV6_ADDRESSES; i++) {
		if (v6->own[i].state == IPV6_ADDRESS_ASSIGNED && v6->own[i].prefix_len < 128 &&
			!ipv6_addr_is_link_local(&v6->own[i].address) &&
			ipv6_addr_common_bits(&v6->own[i].address, dst) >= v6->own[i].prefix_len)
			return true;
	}
	for (i = 0; i < NETSTACK_IPV6_PREFIXES; i++) {
		if (v6->prefix[i].until_ns > 0 && ipv6_addr_common_bits(&v6->prefix[i].prefix,
							  dst) >= v6->prefix[i].prefix_len)
			return true;
	}
	return false;
}

/* RFC 4862 §5.5.3 (e): a forged advertisement cannot take an address away within two hours. */
static uint64_t
new_valid_until(const struct ipv6_own_address *own, uint32_t valid_s, uint64_t now_ns)
{
	uint64_t said_ns = until(valid_s, now_ns), floor_ns = now_ns + NDP_VALID_MIN_NS;

	if (said_ns > floor_ns || said_ns > own->valid_until_ns)
		return said_ns;
	return own->valid_until_ns <= floor_ns ? own->valid_until_ns : floor_ns;
}

/* RFC 4862 §5.5.3. */
static void
autoconfigure(struct netstack *ns, const struct ndp_prefix *said, uint64_t now_ns)
{
	struct ipv6_addr address = ipv6_addr_of_mac(&said->prefix, &ns->cfg.mac);
	struct ipv6_own_address *own = netstack_ipv6_own(&ns->ipv6, &address);

	if (!ns->cfg.ipv6.autoconf || said->prefix_len != SLAAC_PREFIX_LEN ||
		ipv6_addr_equal(&address, &ns->cfg.ipv6.address))
		return; /* (d): one that was given is not a router's to limit */
	if (own != NULL) {
		own->valid_until_ns = new_valid_until(own, said->valid_s, now_ns);
	} else if (said->valid_s > 0) {
		own = netstack_ipv6_add(ns, &address, 128, now_ns);
		if (own != NULL)
			own->valid_until_ns = until(said->valid_s, now_ns);
	}
	if (own != NULL)
		own->preferred_until_ns =
			said->preferred_s > 0 ? until(said->preferred_s, now_ns) : 0;
}

/* ---- DNS servers ---- */

/* RFC 8106 §6.1. Where there is no room, the one that would go first goes now. */
static void
remember_dns_server(struct netstack *ns, const struct ndp_dns_server *said, uint64_t now_ns)
{
	struct ipv6_dns_server *s = ns->ipv6.dns, *place = s;
	uint64_t until_ns = said->lifetime_s > 0 ? until(said->lifetime_s, now_ns) : 0;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_DNS_SERVERS; i++) {
		if (s[i].until_ns > 0 && ipv6_addr_equal(&s[i].address, &said->address)) {
			s[i].until_ns = until_ns;
			return;
		}
		if (s[i].until_ns < place->until_ns)
			place = &s[i];
	}
	if (until_ns > place->until_ns)
		*place = (struct ipv6_dns_server){said->address, until_ns};
}

/* ---- advertisements ---- */

static void
apply_parameters(struct netstack *ns, const struct ndp_router_advertisement *ra)
{
	if (ra->hop_limit > 0)
		ns->ipv6.hop_limit = ra->hop_limit;
	if (ra->mtu >= IPV6_MTU_MIN)
		ns->ipv6.mtu = ra->mtu;
	if (ra->retransmit_ms > 0 && ra->retransmit_ms <= RETRANSMIT_MAX_MS)
		ns->ipv6.retransmit_ns = ra->retransmit_ms * NS_PER_MS;
}

enum drop_reason
netstack_router_input(struct netstack *ns, const struct netstack_packet *p, const uint8_t *body,
	uint32_t len, uint64_t now_ns)
{
	struct ndp_router_advertisement ra;
	enum drop_reason drop = wire_ndp_parse_router(body, len, &ra);
	uint32_t i;

	if (drop != DROP_NONE)
		return drop;
	if (!ipv6_addr_is_link_local(&p->src.v6))
		return DROP_NDP_MALFORMED;
	netstack_count_heard(ns, COUNTER_NDP_ROUTER_ADVERTISEMENTS_RECEIVED);
	netstack_neighbour_heard(ns, &p->src, &p->ether->src);
	if (ra.mac_set)
		netstack_neighbour_on_hint(ns, &p->src, &ra.mac, now_ns);
	if (ra.lifetime_s > 0) {
		remember_router(ns, &p->src.v6, ra.lifetime_s, now_ns);
		ns->ipv6.solicit_next_ns = TIME_NEVER; /* §6.3.7: not before */
	} else {
		netstack_router_forget(ns, &p->src.v6);
	}
	apply_parameters(ns, &ra);
	for (i = 0; i < ra.prefix_count; i++) {
		if (ra.prefix[i].on_link)
			remember_prefix(ns, &ra.prefix[i], now_ns);
		if (ra.prefix[i].autonomous)
			autoconfigure(ns, &ra.prefix[i], now_ns);
	}
	for (i = 0; i < ra.dns_count && ns->cfg.ipv6.autoconf; i++)
		remember_dns_server(ns, &ra.dns[i], now_ns);
	netstack_link_due(ns, now_ns); /* lifetimes have changed */
	return DROP_NONE;
}

void
netstack_router_run(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_ipv6 *v6 = &ns->ipv6;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ROUTERS; i++) {
		if (v6->router[i].until_ns <= now_ns)
			v6->router[i].until_ns = 0;
	}
	for (i = 0; i < NETSTACK_IPV6_PREFIXES; i++) {
		if (v6->prefix[i].until_ns <= now_ns)
			v6->prefix[i].until_ns = 0;
	}
	for (i = 0; i < NETSTACK_IPV6_DNS_SERVERS; i++) {
		if (v6->dns[i].until_ns <= now_ns)
			v6->dns[i].until_ns = 0;
	}
}

uint64_t
netstack_router_deadline(const struct netstack *ns)
{
	const struct netstack_ipv6 *v6 = &ns->ipv6;
	uint64_t deadline_ns = TIME_NEVER;
	uint32_t i;

	for (i = 0; i < NETSTACK_IPV6_ROUTERS; i++) {
		if (v6->router[i].until_ns > 0)
			deadline_ns = time_min(deadline_ns, v6->router[i].until_ns);
	}
	for (i = 0; i < NETSTACK_IPV6_PREFIXES; i++) {
		if (v6->prefix[i].until_ns > 0)
			deadline_ns = time_min(deadline_ns, v6->prefix[i].until_ns);
	}
	for (i = 0; i < NETSTACK_IPV6_DNS_SERVERS; i++) {
		if (v6->dns[i].until_ns > 0)
			deadline_ns = time_min(deadline_ns, v6->dns[i].until_ns);
	}
	return deadline_ns;
}
