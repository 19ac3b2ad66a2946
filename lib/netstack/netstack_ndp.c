/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

/* Neighbour solicitations and advertisements, RFC 4861 §7.2, and duplicate tests, RFC 4862 §5.4. */

static bool
solicit(struct netstack *ns, const struct ether_addr *mac, const struct ipv6_addr *target,
	const struct ipv6_addr *src)
{
	const struct ndp_neighbour message = {
		.target = *target, .mac_set = src != NULL, .mac = ns->cfg.mac};
	struct ipv6_addr group = ipv6_addr_solicited_node(target);
	struct ether_addr group_mac = ipv6_addr_multicast_mac(&group);
	struct netstack_icmpv6_out out;

	if (!netstack_icmpv6_begin(ns, mac != NULL ? mac : &group_mac, &out))
		return false;
	netstack_icmpv6_end(&out, wire_ndp_build_neighbour(out.message, false, &message),
		NDP_HOP_LIMIT, src != NULL ? src : &ipv6_addr_unspecified,
		mac != NULL ? target : &group);
	counter_add(ns->counters, COUNTER_NDP_SOLICITATIONS_SENT, 1);
	return true;
}

void
netstack_ndp_ask(struct netstack *ns, const struct ether_addr *mac, const struct ipv6_addr *target)
{
	const struct ipv6_addr *src = netstack_ipv6_source(&ns->ipv6, target);

	if (src != NULL)
		(void)solicit(ns, mac, target, src);
}

bool
netstack_ndp_test(struct netstack *ns, const struct ipv6_addr *target)
{
	return solicit(ns, NULL, target, NULL);
}

static void
advertise_to(struct netstack *ns, const struct ether_addr *mac, const struct ipv6_addr *dst,
	const struct ipv6_addr *target, bool solicited)
{
	const struct ndp_neighbour message = {.target = *target,
		.solicited = solicited,
		.override = true,
		.mac_set = true,
		.mac = ns->cfg.mac};
	struct netstack_icmpv6_out out;

	if (!netstack_keeps_addresses(ns) || !netstack_icmpv6_begin(ns, mac, &out))
		return;
	netstack_icmpv6_end(&out, wire_ndp_build_neighbour(out.message, true, &message),
		NDP_HOP_LIMIT, target, dst);
	counter_add(ns->counters, COUNTER_NDP_ADVERTISEMENTS_SENT, 1);
}

void
netstack_ndp_announce(struct netstack *ns, const struct ipv6_addr *target)
{
	struct ether_addr all = ipv6_addr_multicast_mac(&ipv6_addr_all_nodes);

	advertise_to(ns, &all, &ipv6_addr_all_nodes, target, false);
}

/* RFC 4861 §7.2.4. To "::", the tester of an address, the answer goes to everybody. */
static void
advertise(struct netstack *ns, const struct netstack_packet *p, const struct ndp_neighbour *asked)
{
	if (ipv6_addr_is_unspecified(&p->src.v6))
		netstack_ndp_announce(ns, &asked->target);
	else
		advertise_to(ns, asked->mac_set ? &asked->mac : &p->ether->src, &p->src.v6,
			&asked->target, true);
}

/* RFC 4861 §7.1.1's last two rules. */
static bool
solicitation_valid(const struct netstack_packet *p, const struct ndp_neighbour *m)
{
	struct ipv6_addr group = ipv6_addr_solicited_node(&m->target);

	return !ipv6_addr_is_unspecified(&p->src.v6) ||
	       (!m->mac_set && ipv6_addr_equal(&p->dst.v6, &group));
}

/* RFC 4861 §7.2.3, RFC 4862 §5.4.3. */
static enum drop_reason
on_solicitation(struct netstack *ns, const struct netstack_packet *p, const struct ndp_neighbour *m,
	uint64_t now_ns)
{
	struct ipv6_own_address *own = netstack_ipv6_own(&ns->ipv6, &m->target);
	bool test = ipv6_addr_is_unspecified(&p->src.v6);

	if (!solicitation_valid(p, m))
		return DROP_NDP_MALFORMED;
	if (!test) {
		netstack_neighbour_heard(ns, &p->src, &p->ether->src);
		if (m->mac_set)
			netstack_neighbour_on_hint(ns, &p->src, &m->mac, now_ns);
	}
	if (own == NULL || own->state == IPV6_ADDRESS_DUPLICATED)
		return DROP_NOT_FOR_US;
	if (own->state == IPV6_ADDRESS_ASSIGNED)
		advertise(ns, p, m);
	else if (test && !ether_addr_equal(&p->ether->src, &ns->cfg.mac))
		netstack_ipv6_on_conflict(ns, own, &p->ether->src, now_ns); /* both of us test it */
	return DROP_NONE;
}

/* RFC 4861 §7.2.5, of a neighbour that we asked for. */
static void
believe(struct netstack *ns, struct neighbour *e, const struct ndp_neighbour *m, uint64_t now_ns)
{
	bool pending = e->state == NEIGHBOUR_PENDING;
	const struct ether_addr *mac = m->mac_set ? &m->mac : &e->mac;

	if (pending && !m->mac_set)
		return;
	if (!pending && !m->override && !ether_addr_equal(mac, &e->mac)) {
		netstack_neighbour_doubt(ns, e, now_ns);
		return;
	}
	if (!m->router)
		netstack_router_forget(ns, &m->target);
	if (m->solicited)
		netstack_neighbour_on_answer(ns, &e->ip, mac, now_ns);
	else
		netstack_neighbour_on_hint(ns, &e->ip, mac, now_ns);
}

static enum drop_reason
on_advertisement(struct netstack *ns, const struct netstack_packet *p,
	const struct ndp_neighbour *m, uint64_t now_ns)
{
	struct ip_address target = ip_address_of_v6(&m->target);
	struct ipv6_own_address *own = netstack_ipv6_own(&ns->ipv6, &m->target);
	const struct ether_addr *mac = m->mac_set ? &m->mac : &p->ether->src;
	struct neighbour *e;

	if (m->solicited && ipv6_addr_is_multicast(&p->dst.v6))
		return DROP_NDP_MALFORMED;
	netstack_count_heard(ns, COUNTER_NDP_ADVERTISEMENTS_RECEIVED);
	if (own != NULL) { /* RFC 4862 §5.4.4: somebody else has it */
		if (own->state != IPV6_ADDRESS_DUPLICATED && !ether_addr_equal(mac, &ns->cfg.mac))
			netstack_ipv6_on_conflict(ns, own, mac, now_ns);
		return DROP_NONE;
	}
	netstack_neighbour_heard(ns, &target, mac);
	e = netstack_neighbour_find(ns, &target);
	if (e != NULL)
		believe(ns, e, m, now_ns);
	return DROP_NONE;
}

enum drop_reason
netstack_ndp_input(struct netstack *ns, const struct netstack_packet *p, bool advertisement,
	const uint8_t *body, uint32_t len, uint64_t now_ns)
{
	struct ndp_neighbour m;
	enum drop_reason drop = wire_ndp_parse_neighbour(body, len, advertisement, &m);

	if (drop != DROP_NONE)
		return drop;
	return advertisement ? on_advertisement(ns, p, &m, now_ns)
			     : on_solicitation(ns, p, &m, now_ns);
}
