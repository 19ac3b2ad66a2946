/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "netstack_priv.h"

/* NETSTACK_NEIGHBOURS: there is none. */
static uint32_t
index_of(const struct netstack_neighbours *all, const struct ip_address *ip)
{
	const struct neighbour *e = all->entry;
	uint32_t i = 0;

	while (i < NETSTACK_NEIGHBOURS &&
		(e[i].state == NEIGHBOUR_FREE || !ip_address_equal(&e[i].ip, ip)))
		i++;
	return i;
}

struct neighbour *
netstack_neighbour_find(struct netstack *ns, const struct ip_address *ip)
{
	uint32_t i = index_of(&ns->neighbours, ip);

	return i < NETSTACK_NEIGHBOURS ? &ns->neighbours.entry[i] : NULL;
}

bool
netstack_neighbour_pending(const struct netstack *ns, const struct ip_address *ip)
{
	uint32_t i = index_of(&ns->neighbours, ip);

	return !ns->cfg.gateway_mac_set && i < NETSTACK_NEIGHBOURS &&
	       ns->neighbours.entry[i].state == NEIGHBOUR_PENDING;
}

bool
netstack_neighbour_reachable(const struct netstack *ns, const struct ip_address *ip)
{
	uint32_t i = index_of(&ns->neighbours, ip);
	const struct neighbour *e = &ns->neighbours.entry[i];

	if (i == NETSTACK_NEIGHBOURS || e->suspect)
		return false;
	return e->state == NEIGHBOUR_REACHABLE ||
	       (e->state == NEIGHBOUR_REFRESHING && e->tries <= 1);
}

/* A free entry, else the one that was not used for the longest time. */
static struct neighbour *
take(struct netstack_neighbours *all)
{
	struct neighbour *oldest = &all->entry[0];
	uint32_t i;

	for (i = 0; i < NETSTACK_NEIGHBOURS; i++) {
		if (all->entry[i].state == NEIGHBOUR_FREE)
			return &all->entry[i];
		if (all->entry[i].used_ns < oldest->used_ns)
			oldest = &all->entry[i];
	}
	return oldest;
}

const struct ether_addr *
netstack_neighbour_lookup(struct netstack *ns, const struct ip_address *ip, uint64_t now_ns)
{
	struct neighbour *e;

	if (ns->cfg.gateway_mac_set)
		return &ns->cfg.gateway_mac;
	e = netstack_neighbour_find(ns, ip);
	if (e == NULL) {
		e = take(&ns->neighbours);
		*e = (struct neighbour){.ip = *ip, .state = NEIGHBOUR_PENDING, .next_ns = now_ns};
		ns->neighbours.failure.heard_count = 0;
		netstack_link_due(ns, now_ns);
	}
	e->used_ns = now_ns;
	return e->state == NEIGHBOUR_PENDING ? NULL : &e->mac;
}

const struct ether_addr *
netstack_neighbour_known(struct netstack *ns, const struct ip_address *ip)
{
	const struct neighbour *e;

	if (ns->cfg.gateway_mac_set)
		return &ns->cfg.gateway_mac;
	e = netstack_neighbour_find(ns, ip);
	return e == NULL || e->state == NEIGHBOUR_PENDING ? NULL : &e->mac;
}

/* ---- timers ---- */

/* RFC 4861 §7.3.1: a flow that brought something by this next hop in so long confirms it. */
static bool
confirmed_by_a_flow(
	const struct netstack *ns, const struct neighbour *e, uint64_t within_ns, uint64_t now_ns)
{
	struct tcp_info info;
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (!ns->conn[i].in_use || !ip_address_equal(&ns->conn[i].next_hop, &e->ip))
			continue;
		tcp_conn_info(ns->conn[i].tcp, &info);
		if (info.state >= TCP_ESTABLISHED && now_ns - info.last_received_ns <= within_ns)
			return true;
	}
	return false;
}

static void
reached(const struct netstack *ns, struct neighbour *e, uint64_t now_ns)
{
	e->state = NEIGHBOUR_REACHABLE;
	e->tries = 0;
	e->advised = e->suspect = false;
	e->next_ns = now_ns + ns->cfg.arp_reachable_ns;
}

/* Nobody has answered what TCP's advice made us ask: as if nobody had asked. */
static void
resume(struct neighbour *e, uint64_t now_ns)
{
	e->state = NEIGHBOUR_REACHABLE;
	e->tries = 0;
	e->advised = false;
	e->suspect = true;
	e->next_ns = MAX_OF(e->refresh_ns, now_ns);
}

static void
record_failure(struct netstack_neighbours *all, const struct neighbour *e)
{
	all->failure.failed = true;
	all->failure.next_hop = e->ip;
	all->failure.requests_sent = e->tries;
}

/* The next question of an entry that is being asked for, or its end. */
static void
ask(struct netstack *ns, struct neighbour *e, uint64_t now_ns)
{
	/* An address that TCP's advice makes doubtful names perhaps somebody else. */
	bool unicast = e->state == NEIGHBOUR_REFRESHING && !e->advised &&
		       e->tries < NETSTACK_NEIGHBOUR_UNICAST_TRIES;

	if (e->tries >= ns->cfg.arp_tries && e->advised) {
		resume(e, now_ns);
		return;
	}
	if (e->tries >= ns->cfg.arp_tries && e->state == NEIGHBOUR_REFRESHING &&
		confirmed_by_a_flow(ns, e, e->tries * ns->cfg.arp_interval_ns, now_ns)) {
		reached(ns, e, now_ns);
		return;
	}
	if (e->tries >= ns->cfg.arp_tries) {
		record_failure(&ns->neighbours, e);
		e->state = NEIGHBOUR_FREE;
		netstack_fail_next_hop(ns, &e->ip);
		return;
	}
	e->tries++;
	e->next_ns = now_ns + ns->cfg.arp_interval_ns;
	if (ns->listening)
		return; /* who received it asks, and all hear the answer */
	if (e->ip.family == 4)
		netstack_arp_ask(ns, unicast ? &e->mac : &ether_addr_broadcast, e->ip.v4);
	else
		netstack_ndp_ask(ns, unicast ? &e->mac : NULL, &e->ip.v6);
}

static void
refresh(struct netstack *ns, struct neighbour *e, uint64_t now_ns)
{
	e->state = NEIGHBOUR_REFRESHING;
	e->tries = 0;
	ask(ns, e, now_ns);
}

static void
run_entry(struct netstack *ns, struct neighbour *e, uint64_t now_ns)
{
	switch (e->state) {
	case NEIGHBOUR_FREE:
		return;
	case NEIGHBOUR_PENDING:
	case NEIGHBOUR_REFRESHING:
		ask(ns, e, now_ns);
		return;
	case NEIGHBOUR_REACHABLE:
		if (now_ns - e->used_ns > NETSTACK_NEIGHBOUR_IDLE_NS)
			e->state = NEIGHBOUR_FREE;
		else if (now_ns - e->used_ns > ns->cfg.arp_reachable_ns)
			e->next_ns = now_ns + ns->cfg.arp_reachable_ns; /* nobody needs it */
		else
			refresh(ns, e, now_ns);
		return;
	}
	CHECK(false);
}

void
netstack_neighbour_run(struct netstack *ns, uint64_t now_ns)
{
	struct neighbour *e = ns->neighbours.entry;
	uint32_t i;

	for (i = 0; i < NETSTACK_NEIGHBOURS; i++) {
		if (e[i].state != NEIGHBOUR_FREE && now_ns >= e[i].next_ns)
			run_entry(ns, &e[i], now_ns);
	}
}

uint64_t
netstack_neighbour_deadline(const struct netstack *ns)
{
	const struct neighbour *e = ns->neighbours.entry;
	uint64_t deadline_ns = TIME_NEVER;
	uint32_t i;

	for (i = 0; i < NETSTACK_NEIGHBOURS; i++) {
		if (e[i].state != NEIGHBOUR_FREE)
			deadline_ns = time_min(deadline_ns, e[i].next_ns);
	}
	return deadline_ns;
}

/* ---- what was heard ---- */

void
netstack_neighbour_heard(
	struct netstack *ns, const struct ip_address *ip, const struct ether_addr *mac)
{
	struct netstack_next_hop_failure *f = &ns->neighbours.failure;
	uint32_t i;

	for (i = 0; i < f->heard_count; i++) {
		if (ip_address_equal(&f->heard_ip[i], ip))
			return;
	}
	if (f->heard_count == NETSTACK_NEIGHBOURS_HEARD)
		return;
	f->heard_ip[f->heard_count] = *ip;
	f->heard_mac[f->heard_count++] = *mac;
}

void
netstack_neighbour_on_answer(struct netstack *ns, const struct ip_address *ip,
	const struct ether_addr *mac, uint64_t now_ns)
{
	struct neighbour *e = netstack_neighbour_find(ns, ip);
	bool was_pending;

	if (e == NULL || ether_addr_is_multicast(mac))
		return;
	was_pending = e->state == NEIGHBOUR_PENDING;
	e->mac = *mac;
	reached(ns, e, now_ns);
	if (was_pending)
		netstack_wake_next_hop(ns, &e->ip);
}

void
netstack_neighbour_doubt(struct netstack *ns, struct neighbour *e, uint64_t now_ns)
{
	if (e->state != NEIGHBOUR_REACHABLE)
		return;
	refresh(ns, e, now_ns);
	netstack_link_due(ns, e->next_ns);
}

void
netstack_neighbour_advise(struct netstack *ns, const struct ip_address *ip, uint64_t now_ns)
{
	struct neighbour *e = netstack_neighbour_find(ns, ip);

	if (e == NULL || e->state != NEIGHBOUR_REACHABLE ||
		(e->advised_ns != 0 && now_ns - e->advised_ns < ns->cfg.arp_interval_ns))
		return;
	e->advised_ns = now_ns;
	if (confirmed_by_a_flow(ns, e, ns->cfg.arp_interval_ns, now_ns))
		return;
	e->refresh_ns = e->next_ns;
	e->advised = true;
	refresh(ns, e, now_ns);
	netstack_link_due(ns, e->next_ns);
}

void
netstack_neighbour_on_hint(struct netstack *ns, const struct ip_address *ip,
	const struct ether_addr *mac, uint64_t now_ns)
{
	struct neighbour *e = netstack_neighbour_find(ns, ip);

	if (e == NULL || ether_addr_is_multicast(mac) ||
		(e->state != NEIGHBOUR_PENDING && ether_addr_equal(&e->mac, mac)))
		return;
	netstack_neighbour_on_answer(ns, ip, mac, now_ns);
	netstack_neighbour_doubt(ns, e, now_ns);
}
