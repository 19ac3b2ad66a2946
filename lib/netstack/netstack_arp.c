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
netstack_arp_start(struct netstack *ns, bool probe, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;

	arp->random ^= ns->cfg.key.k0;
	arp->claim_sent = arp->claim_at = 0;
	memset(arp->defended_ns, 0, sizeof(arp->defended_ns));
	arp->conflict_known = false;
	if (ns->cfg.address == 0 || !netstack_keeps_addresses(ns)) {
		arp->claim = ARP_CLAIM_HELD; /* nothing to claim, or another worker does */
		return;
	}
	arp->claim = probe ? ARP_CLAIM_PROBING : ARP_CLAIM_ANNOUNCING;
	arp->claim_next_ns = now_ns + (probe ? jitter(arp, ARP_PROBE_WAIT_NS) : 0);
}

/* false: the queue is full. */
static bool
send_packet(struct netstack *ns, const struct ether_addr *dst, const struct arp_packet *packet)
{
	uint32_t l2_len;
	struct netstack_control *frame = netstack_control_add(ns, dst, ETHER_TYPE_ARP, &l2_len);

	if (frame == NULL)
		return false;
	frame->len = l2_len + wire_arp_build(frame->bytes + l2_len, packet);
	return true;
}

/* sender_ip 0 makes it a probe (RFC 5227 §2.1.1). */
static bool
send_request(
	struct netstack *ns, const struct ether_addr *dst, uint32_t sender_ip, uint32_t target_ip)
{
	const struct arp_packet packet = {
		.operation = ARP_REQUEST,
		.sender_mac = ns->cfg.mac,
		.sender_ip = sender_ip,
		.target_ip = target_ip,
	};

	if (!send_packet(ns, dst, &packet))
		return false;
	counter_add(ns->counters, COUNTER_ARP_REQUESTS_SENT, 1);
	return true;
}

static bool
announce(struct netstack *ns, uint32_t address)
{
	return send_request(ns, &ether_addr_broadcast, address, address);
}

/* ---- timers ---- */

/* A probe or an announcement for each of our addresses. false: some must wait for the next output,
 * because the queue of control frames is full. */
static bool
send_round(struct netstack *ns)
{
	struct netstack_arp *arp = &ns->arp;
	bool probe = arp->claim == ARP_CLAIM_PROBING;
	uint32_t address;

	for (; arp->claim_at < ns->ipv4_count; arp->claim_at++) {
		address = ns->cfg.address + arp->claim_at;
		if (!(probe ? send_request(ns, &ether_addr_broadcast, 0, address)
			    : announce(ns, address)))
			return false;
	}
	arp->claim_at = 0;
	return true;
}

static void
run_claim(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;

	if (arp->claim == ARP_CLAIM_PROBING && arp->claim_sent == ARP_PROBE_NUM) {
		arp->claim = ARP_CLAIM_ANNOUNCING; /* nobody objected */
		arp->claim_sent = 0;
	}
	if (!send_round(ns))
		return;
	switch (arp->claim) {
	case ARP_CLAIM_PROBING:
		arp->claim_sent++;
		arp->claim_next_ns =
			now_ns +
			(arp->claim_sent == ARP_PROBE_NUM
					? ARP_ANNOUNCE_WAIT_NS
					: ARP_PROBE_MIN_NS +
						  jitter(arp, ARP_PROBE_MAX_NS - ARP_PROBE_MIN_NS));
		return;
	case ARP_CLAIM_ANNOUNCING:
		arp->claim_next_ns = now_ns + ARP_ANNOUNCE_INTERVAL_NS;
		if (++arp->claim_sent == ARP_ANNOUNCE_NUM)
			arp->claim = ARP_CLAIM_HELD;
		return;
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
	if (claim_running(&ns->arp) && now_ns >= ns->arp.claim_next_ns)
		run_claim(ns, now_ns);
}

uint64_t
netstack_arp_deadline(const struct netstack *ns)
{
	return claim_running(&ns->arp) ? ns->arp.claim_next_ns : TIME_NEVER;
}

void
netstack_arp_ask(struct netstack *ns, const struct ether_addr *dst, uint32_t target)
{
	(void)send_request(ns, dst, ns->cfg.address, target);
}

/* ---- input ---- */

/* RFC 5227 §2.1.1 while probing, §2.4 (b) later: defend once, then give way. */
static void
on_conflict(struct netstack *ns, const struct arp_packet *p, uint64_t now_ns)
{
	struct netstack_arp *arp = &ns->arp;
	uint32_t address = p->sender_ip != 0 ? p->sender_ip : p->target_ip; /* 0: in a probe */
	uint64_t *defended_ns = &arp->defended_ns[address - ns->cfg.address];
	bool defended = *defended_ns != 0 && now_ns - *defended_ns < ARP_DEFEND_INTERVAL_NS;

	netstack_count_heard(ns, COUNTER_ARP_CONFLICTS);
	if (arp->claim == ARP_CLAIM_LOST)
		return; /* it is theirs */
	arp->conflict_address = address;
	arp->conflict_mac = p->sender_mac;
	if (arp->claim == ARP_CLAIM_PROBING || defended) {
		arp->claim = ARP_CLAIM_LOST;
		arp->conflict_known = true;
		return;
	}
	*defended_ns = now_ns;
	if (netstack_keeps_addresses(ns))
		(void)announce(ns, address);
}

static bool
is_conflict(const struct netstack *ns, const struct arp_packet *p)
{
	if (ether_addr_equal(&p->sender_mac, &ns->cfg.mac))
		return false; /* our own, looped back */
	if (netstack_has_ipv4(ns, p->sender_ip))
		return true;
	return ns->arp.claim == ARP_CLAIM_PROBING && p->sender_ip == 0 &&
	       netstack_has_ipv4(ns, p->target_ip) && p->operation == ARP_REQUEST;
}

static void
answer(struct netstack *ns, const struct arp_packet *p)
{
	const struct arp_packet reply = {
		.operation = ARP_REPLY,
		.sender_mac = ns->cfg.mac,
		.sender_ip = p->target_ip,
		.target_mac = p->sender_mac,
		.target_ip = p->sender_ip,
	};

	if (netstack_keeps_addresses(ns) && send_packet(ns, &p->sender_mac, &reply))
		counter_add(ns->counters, COUNTER_ARP_REPLIES_SENT, 1);
}

enum drop_reason
netstack_arp_input(struct netstack *ns, const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	struct arp_packet p;
	enum drop_reason drop = wire_arp_parse(data, len, &p);
	struct ip_address sender;

	if (drop != DROP_NONE)
		return drop;
	sender = ip_address_of_v4(p.sender_ip);
	if (p.sender_ip != 0)
		netstack_neighbour_heard(ns, &sender, &p.sender_mac);
	if (is_conflict(ns, &p)) {
		on_conflict(ns, &p, now_ns);
		return DROP_NONE;
	}
	if (p.operation == ARP_REPLY)
		netstack_count_heard(ns, COUNTER_ARP_REPLIES_RECEIVED);
	if (p.sender_ip != 0)
		netstack_neighbour_on_answer(ns, &sender, &p.sender_mac, now_ns);
	if (p.operation == ARP_REQUEST && netstack_has_ipv4(ns, p.target_ip) &&
		ns->arp.claim != ARP_CLAIM_PROBING && ns->arp.claim != ARP_CLAIM_LOST &&
		!ether_addr_equal(&p.sender_mac, &ns->cfg.mac))
		answer(ns, &p);
	return DROP_NONE;
}
