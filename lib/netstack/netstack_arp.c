/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "netstack_priv.h"

/* 0 .. bound - 1, for the jitter of RFC 5227 only. */
static uint64_t
jitter(struct netstack_arp *arp, uint64_t bound)
{
	arp->random = arp->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (arp->random >> 16) % bound;
}

void
netstack_arp_start(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;

	arp->random ^= ns->cfg.key.k0;
	arp->claim_sent = 0;
	arp->defended_ns = 0;
	arp->conflict_known = false;
	if (ns->cfg.address == 0) {
		arp->claim = ARP_CLAIM_NONE;
		return;
	}
	arp->claim = ns->cfg.probe_address ? ARP_CLAIM_PROBING : ARP_CLAIM_ANNOUNCING;
	arp->claim_next_ns = now_ns + (ns->cfg.probe_address ? jitter(arp, ARP_PROBE_WAIT_NS) : 0);
}

static void
send_packet(struct netstack *ns, const struct ether_addr *dst, const struct arp_packet *packet)
{
	uint32_t l2_len;
	struct netstack_control *frame = netstack_control_add(ns, dst, ETHER_TYPE_ARP, &l2_len);

	if (frame != NULL)
		frame->len = l2_len + wire_arp_build(frame->bytes + l2_len, packet);
}

/* sender_ip 0 makes it a probe (RFC 5227 §2.1.1). */
static void
send_request(
	struct netstack *ns, const struct ether_addr *dst, uint32_t sender_ip, uint32_t target_ip)
{
	const struct arp_packet packet = {
		.operation = ARP_REQUEST,
		.sender_mac = ns->cfg.mac,
		.sender_ip = sender_ip,
		.target_ip = target_ip,
	};

	send_packet(ns, dst, &packet);
	counter_add(ns->counters, COUNTER_ARP_REQUESTS_SENT, 1);
}

static void
announce(struct netstack *ns)
{
	send_request(ns, &ether_addr_broadcast, ns->cfg.address, ns->cfg.address);
}

static struct arp_entry *
find(struct netstack_arp *arp, uint32_t ip)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_ARP_ENTRIES; i++) {
		if (arp->entry[i].state != ARP_ENTRY_FREE && arp->entry[i].ip == ip)
			return &arp->entry[i];
	}
	return NULL;
}

/* A free entry, else the one that was not used for the longest time. */
static struct arp_entry *
take(struct netstack_arp *arp)
{
	struct arp_entry *oldest = &arp->entry[0];
	uint32_t i;

	for (i = 0; i < NETSTACK_ARP_ENTRIES; i++) {
		if (arp->entry[i].state == ARP_ENTRY_FREE)
			return &arp->entry[i];
		if (arp->entry[i].used_ns < oldest->used_ns)
			oldest = &arp->entry[i];
	}
	return oldest;
}

const struct ether_addr *
netstack_arp_lookup(struct netstack *ns, uint32_t ip, uint64_t now_ns)
{
	struct arp_entry *e;

	if (ns->cfg.gateway_mac_set)
		return &ns->cfg.gateway_mac;
	e = find(&ns->arp, ip);
	if (e == NULL) {
		e = take(&ns->arp);
		*e = (struct arp_entry){.ip = ip, .state = ARP_ENTRY_PENDING, .next_ns = now_ns};
		ns->arp.failure.heard_count = 0;
	}
	e->used_ns = now_ns;
	return e->state == ARP_ENTRY_PENDING ? NULL : &e->mac;
}

const struct ether_addr *
netstack_arp_known(struct netstack *ns, uint32_t ip)
{
	const struct arp_entry *e;

	if (ns->cfg.gateway_mac_set)
		return &ns->cfg.gateway_mac;
	e = find(&ns->arp, ip);
	return e == NULL || e->state == ARP_ENTRY_PENDING ? NULL : &e->mac;
}

/* ---- timers ---- */

/* RFC 4861 §7.3.1, for ARP: a flow that brings something by this next hop confirms it. */
static bool
confirmed_by_a_flow(const struct netstack *ns, const struct arp_entry *e, uint64_t now_ns)
{
	uint64_t asked_ns = (uint64_t)e->tries * ns->cfg.arp_interval_ns;
	struct tcp_info info;
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (!ns->conn[i].in_use || ns->conn[i].next_hop != e->ip)
			continue;
		tcp_conn_info(ns->conn[i].tcp, &info);
		if (info.state >= TCP_ESTABLISHED && now_ns - info.last_received_ns <= asked_ns)
			return true;
	}
	return false;
}

static void
reached(const struct netstack *ns, struct arp_entry *e, uint64_t now_ns)
{
	e->state = ARP_ENTRY_REACHABLE;
	e->tries = 0;
	e->next_ns = now_ns + ns->cfg.arp_reachable_ns;
}

static void
record_failure(struct netstack_arp *arp, const struct arp_entry *e)
{
	arp->failure.failed = true;
	arp->failure.next_hop = e->ip;
	arp->failure.requests_sent = e->tries;
}

/* The next request of an entry that is being asked for, or its end. */
static void
ask(struct netstack *ns, struct arp_entry *e, uint64_t now_ns)
{
	bool unicast = e->state == ARP_ENTRY_REFRESHING && e->tries < NETSTACK_ARP_UNICAST_TRIES;

	if (e->tries >= ns->cfg.arp_tries && e->state == ARP_ENTRY_REFRESHING &&
		confirmed_by_a_flow(ns, e, now_ns)) {
		reached(ns, e, now_ns);
		return;
	}
	if (e->tries >= ns->cfg.arp_tries) {
		record_failure(&ns->arp, e);
		e->state = ARP_ENTRY_FREE;
		netstack_fail_next_hop(ns, e->ip);
		return;
	}
	e->tries++;
	e->next_ns = now_ns + ns->cfg.arp_interval_ns;
	send_request(ns, unicast ? &e->mac : &ether_addr_broadcast, ns->cfg.address, e->ip);
}

static void
run_entry(struct netstack *ns, struct arp_entry *e, uint64_t now_ns)
{
	switch (e->state) {
	case ARP_ENTRY_FREE:
		return;
	case ARP_ENTRY_PENDING:
	case ARP_ENTRY_REFRESHING:
		ask(ns, e, now_ns);
		return;
	case ARP_ENTRY_REACHABLE:
		if (now_ns - e->used_ns > NETSTACK_ARP_IDLE_NS) {
			e->state = ARP_ENTRY_FREE;
		} else if (now_ns - e->used_ns > ns->cfg.arp_reachable_ns) {
			e->next_ns = now_ns + ns->cfg.arp_reachable_ns; /* nobody needs it */
		} else {
			e->state = ARP_ENTRY_REFRESHING;
			e->tries = 0;
			ask(ns, e, now_ns);
		}
		return;
	}
	CHECK(false);
}

static void
run_claim(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;

	if (arp->claim == ARP_CLAIM_PROBING && arp->claim_sent == ARP_PROBE_NUM) {
		arp->claim = ARP_CLAIM_ANNOUNCING; /* nobody objected */
		arp->claim_sent = 0;
	}
	switch (arp->claim) {
	case ARP_CLAIM_PROBING:
		send_request(ns, &ether_addr_broadcast, 0, ns->cfg.address);
		arp->claim_sent++;
		arp->claim_next_ns =
			now_ns +
			(arp->claim_sent == ARP_PROBE_NUM
					? ARP_ANNOUNCE_WAIT_NS
					: ARP_PROBE_MIN_NS +
						  jitter(arp, ARP_PROBE_MAX_NS - ARP_PROBE_MIN_NS));
		return;
	case ARP_CLAIM_ANNOUNCING:
		announce(ns);
		arp->claim_next_ns = now_ns + ARP_ANNOUNCE_INTERVAL_NS;
		if (++arp->claim_sent == ARP_ANNOUNCE_NUM)
			arp->claim = ARP_CLAIM_HELD;
		return;
	case ARP_CLAIM_NONE:
	case ARP_CLAIM_HELD:
	case ARP_CLAIM_LOST:
		return;
	}
	CHECK(false);
}

static bool
claim_running(const struct netstack_arp *arp)
{
	return arp->claim == ARP_CLAIM_PROBING || arp->claim == ARP_CLAIM_ANNOUNCING;
}

void
netstack_arp_run(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;
	uint32_t i;

	if (claim_running(arp) && now_ns >= arp->claim_next_ns)
		run_claim(ns, now_ns);
	for (i = 0; i < NETSTACK_ARP_ENTRIES; i++) {
		if (arp->entry[i].state != ARP_ENTRY_FREE && now_ns >= arp->entry[i].next_ns)
			run_entry(ns, &arp->entry[i], now_ns);
	}
}

uint64_t
netstack_arp_deadline(const struct netstack *ns)
{
	const struct netstack_arp *arp = &ns->arp;
	uint64_t deadline_ns = claim_running(arp) ? arp->claim_next_ns : TIME_NEVER;
	uint32_t i;

	for (i = 0; i < NETSTACK_ARP_ENTRIES; i++) {
		if (arp->entry[i].state != ARP_ENTRY_FREE)
			deadline_ns = time_min(deadline_ns, arp->entry[i].next_ns);
	}
	return deadline_ns;
}

/* ---- input ---- */

static void
note_heard(struct netstack_arp *arp, const struct arp_packet *p)
{
	struct netstack_arp_failure *f = &arp->failure;
	uint32_t i;

	for (i = 0; i < f->heard_count; i++) {
		if (f->heard_ip[i] == p->sender_ip)
			return;
	}
	if (p->sender_ip == 0 || f->heard_count == NETSTACK_ARP_HEARD)
		return;
	f->heard_ip[f->heard_count] = p->sender_ip;
	f->heard_mac[f->heard_count++] = p->sender_mac;
}

/* RFC 5227 §2.1.1 while probing, §2.4 (b) later: defend once, then give way. */
static void
on_conflict(struct netstack *ns, const struct arp_packet *p, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;
	bool defended = arp->defended_ns != 0 && now_ns - arp->defended_ns < ARP_DEFEND_INTERVAL_NS;

	counter_add(ns->counters, COUNTER_ARP_CONFLICTS, 1);
	if (arp->claim == ARP_CLAIM_LOST)
		return; /* it is theirs */
	arp->conflict_mac = p->sender_mac;
	if (arp->claim == ARP_CLAIM_PROBING || defended) {
		arp->claim = ARP_CLAIM_LOST;
		arp->conflict_known = true;
		return;
	}
	arp->defended_ns = now_ns;
	announce(ns);
}

static bool
is_conflict(const struct netstack *ns, const struct arp_packet *p)
{
	if (ns->arp.claim == ARP_CLAIM_NONE || ether_addr_equal(&p->sender_mac, &ns->cfg.mac))
		return false; /* nothing to dispute; our own, looped back */
	if (p->sender_ip == ns->cfg.address)
		return true;
	return ns->arp.claim == ARP_CLAIM_PROBING && p->sender_ip == 0 &&
	       p->target_ip == ns->cfg.address && p->operation == ARP_REQUEST;
}

/* What we asked for, or an entry that we have (RFC 826's merge); never a new one. */
static void
merge(struct netstack *ns, const struct arp_packet *p, uint64_t now_ns)
{
	struct arp_entry *e = find(&ns->arp, p->sender_ip);
	bool was_pending;

	if (e == NULL || p->sender_ip == 0 || ether_addr_is_multicast(&p->sender_mac))
		return;
	was_pending = e->state == ARP_ENTRY_PENDING;
	e->mac = p->sender_mac;
	reached(ns, e, now_ns);
	if (was_pending)
		netstack_wake_next_hop(ns, e->ip);
}

static void
answer(struct netstack *ns, const struct arp_packet *p)
{
	const struct arp_packet reply = {
		.operation = ARP_REPLY,
		.sender_mac = ns->cfg.mac,
		.sender_ip = ns->cfg.address,
		.target_mac = p->sender_mac,
		.target_ip = p->sender_ip,
	};

	send_packet(ns, &p->sender_mac, &reply);
	counter_add(ns->counters, COUNTER_ARP_REPLIES_SENT, 1);
}

enum drop_reason
netstack_arp_input(struct netstack *ns, const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	struct arp_packet p;
	enum drop_reason drop = wire_arp_parse(data, len, &p);

	if (drop != DROP_NONE)
		return drop;
	note_heard(&ns->arp, &p);
	if (is_conflict(ns, &p)) {
		on_conflict(ns, &p, now_ns);
		return DROP_NONE;
	}
	if (p.operation == ARP_REPLY)
		counter_add(ns->counters, COUNTER_ARP_REPLIES_RECEIVED, 1);
	merge(ns, &p, now_ns);
	if (p.operation == ARP_REQUEST && p.target_ip == ns->cfg.address && netstack_ready(ns) &&
		!ether_addr_equal(&p.sender_mac, &ns->cfg.mac))
		answer(ns, &p);
	return DROP_NONE;
}
