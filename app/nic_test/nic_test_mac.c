/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "base_time.h"
#include "prober.h"

#define SETTLE_NS (100 * NS_PER_MS) /* what was on its way in the old mode has come */

/* Answers to an ARP probe go to the address that it came from, whatever that is: so anybody who speaks ARP sends
 * frames to other stations than us. */

struct asking {
	const struct probe_peers *peers;
	struct ether_addr mac; /* whom the answer is for */
	uint32_t target;
};

static void
build(void *ctx, struct tx_frame *frame, uint32_t attempt)
{
	const struct asking *a = ctx;

	(void)attempt;
	probe_build_arp_probe(frame, &a->mac, a->target, a->peers->vlan_id);
}

static bool
is_answer(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	const struct asking *a = ctx;

	(void)queue;
	return seen->kind == PROBE_ARP_REPLY && ether_addr_equal(&seen->dst, &a->mac);
}

static bool
comes(struct prober *p, const struct ether_addr *mac, uint64_t timeout_ns)
{
	struct asking a = {.peers = &p->peers, .mac = *mac, .target = prober_next_hop(p)};

	return prober_ask(p, timeout_ns, build, is_answer, &a);
}

/* Nobody's: locally administered, and near ours. */
static struct ether_addr
foreign_mac(const struct probe_peers *p)
{
	struct ether_addr mac = p->mac;

	mac.byte[0] = (uint8_t)((mac.byte[0] | 0x02U) & ~0x01U);
	mac.byte[4] ^= 0x5aU;
	mac.byte[5] ^= 0xa5U;
	return mac;
}

static bool
switch_mode(struct prober *p, struct nic_test_result *r, const char *name, bool on)
{
	int rc = port_set_promiscuous(p->host.port, on);

	if (rc == 0) {
		prober_idle(p, SETTLE_NS);
		return true;
	}
	nic_test_add_case(r, NIC_TEST_SKIPPED, name,
		"driver %s cannot switch promiscuous mode %s: %s", p->facts->port.driver,
		on ? "on" : "off", strerror(-rc));
	return false;
}

/* Does it show that such frames come here at all? */
static bool
try_promiscuous(struct prober *p, struct nic_test_result *r, const struct ether_addr *foreign)
{
	static const char name[] = "another address, promiscuous";

	if (!switch_mode(p, r, name, true))
		return false;
	if (comes(p, foreign, PROBER_ANSWER_NS)) {
		nic_test_add_case(r, NIC_TEST_PASS, name, "received");
		return true;
	}
	nic_test_add_case(r, NIC_TEST_FAIL, name,
		"not received: the NIC filters all the same, or the switch lets only one MAC "
		"address through (port security)");
	return false;
}

/* they_come: without the filter. */
static void
try_filter(struct prober *p, struct nic_test_result *r, const struct ether_addr *foreign,
	bool they_come)
{
	static const char name[] = "another address, filtered";

	if (!switch_mode(p, r, name, false))
		return;
	if (comes(p, foreign, PROBER_SILENCE_NS))
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"received though promiscuous mode is off: the NIC does not filter");
	else if (they_come)
		nic_test_add_case(r, NIC_TEST_PASS, name, "not received");
	else
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"not received, but nothing shows that such frames come here at all");
}

static void
try_own(struct prober *p, struct nic_test_result *r, const char *name)
{
	if (comes(p, &p->peers.mac, PROBER_ANSWER_NS))
		nic_test_add_case(r, NIC_TEST_PASS, name, "received");
	else
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"not received: the NIC does not take frames for its own address");
}

static void
try_all(struct prober *p, struct nic_test_result *r)
{
	struct ether_addr foreign = foreign_mac(&p->peers);
	bool they_come;

	/* The first also tells whether the next hop answers such questions at all. */
	if (!comes(p, &p->peers.mac, PROBER_ANSWER_NS)) {
		nic_test_conclude(
			r, NIC_TEST_SKIPPED, "the next hop does not answer ARP probes (RFC 5227)");
		return;
	}
	if (p->facts->port.promiscuous) {
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"the port is promiscuous from the start: by --promiscuous, or because "
			"driver %s "
			"cannot set the address of --mac",
			p->facts->port.driver);
		return;
	}
	try_own(p, r, "our address, filtered");
	they_come = try_promiscuous(p, r, &foreign);
	try_filter(p, r, &foreign, they_come);
	try_own(p, r, "our address, filtered again");
	nic_test_conclude_cases(r, "%s",
		they_come ? "frames for others only come in promiscuous mode"
			  : "frames for us come; of the filter nothing can be told");
}

void
nic_test_mac(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {0};

	if (t->facts.abilities.virtual_device)
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"%s sees all frames of its interface; a NIC of its own filters",
			t->facts.port.driver);
	else
		prober_run(t, &cfg, try_all, r);
}
