/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "base_time.h"
#include "prober.h"

/*
 * Whoever takes Ethernet frames takes those that have a tag with a priority and no VLAN (IEEE 802.1Q: VID 0), and
 * none of a VLAN that it is not in. So a question with the first tag is answered and one with the second is not,
 * but if the NIC left the tags out.
 */

#define PRIORITY_TAG (5U << 13) /* PCP 5, VID 0 */
#define STRANGE_VID 4093U

enum inserter { BY_SOFTWARE, BY_NIC };

struct asking {
	struct prober *prober;
	enum inserter inserter;
	uint16_t tci;
	struct probe_seen seen;
};

static void
build(void *ctx, struct tx_frame *frame, uint32_t attempt)
{
	const struct asking *a = ctx;

	(void)attempt;
	probe_build_arp_probe(frame, &a->prober->peers.mac, prober_next_hop(a->prober), 0);
	if (a->inserter == BY_SOFTWARE) {
		probe_add_tag(frame, a->tci);
		return;
	}
	frame->flags |= TX_FRAME_VLAN;
	frame->vlan_tci = a->tci;
}

static bool
is_answer(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct asking *a = ctx;

	(void)queue;
	if (seen->kind != PROBE_ARP_REPLY || !ether_addr_equal(&seen->dst, &a->prober->peers.mac))
		return false;
	a->seen = *seen;
	return true;
}

static bool
ask(struct prober *p, enum inserter inserter, uint16_t tci, struct probe_seen *ret)
{
	struct asking a = {.prober = p, .inserter = inserter, .tci = tci};
	bool answered = prober_ask(p, PROBER_SILENCE_NS, build, is_answer, &a);

	if (ret != NULL)
		*ret = a.seen;
	return answered;
}

/* Without a VLAN on the other side. */
static void
try_insertion(struct prober *p, struct nic_test_result *r)
{
	static const char priority[] = "inserted, a priority alone (VID 0)";
	static const char strange[] = "inserted, a VLAN that nobody is in";
	bool sends = false; /* frames with a tag by the NIC do arrive */

	if (!ask(p, BY_SOFTWARE, PRIORITY_TAG, NULL))
		nic_test_add_case(r, NIC_TEST_SKIPPED, priority,
			"the next hop does not answer to such a tag from software, either");
	else if ((sends = ask(p, BY_NIC, PRIORITY_TAG, NULL)))
		nic_test_add_case(r, NIC_TEST_PASS, priority, "answered");
	else
		nic_test_add_case(r, NIC_TEST_FAIL, priority,
			"not answered, as it is with a tag from software: the NIC makes another "
			"frame of it");
	if (ask(p, BY_SOFTWARE, STRANGE_VID, NULL))
		nic_test_add_case(r, NIC_TEST_SKIPPED, strange,
			"the next hop answers in VLAN %u: it takes any tag", STRANGE_VID);
	else if (ask(p, BY_NIC, STRANGE_VID, NULL))
		nic_test_add_case(r, NIC_TEST_FAIL, strange,
			"answered: the NIC sends the frame without its tag");
	else if (sends)
		nic_test_add_case(r, NIC_TEST_PASS, strange, "not answered");
	else
		nic_test_add_case(r, NIC_TEST_SKIPPED, strange,
			"not answered, but nothing shows that a tag of the NIC's arrives at all");
}

static void
judge_stripping(
	struct prober *p, struct nic_test_result *r, const struct probe_seen *seen, uint16_t vid)
{
	static const char name[] = "stripped";

	if (!p->facts->port.vlan_strip)
		nic_test_add_case(r, NIC_TEST_SKIPPED, name, "driver %s strips no tags",
			p->facts->port.driver);
	else if (!seen->stripped)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			seen->tagged ? "the tag is still in the frame"
				     : "the frame has no tag, and the NIC tells of none");
	else if (seen->vlan_id != vid)
		nic_test_add_case(r, NIC_TEST_FAIL, name, "the NIC says VLAN %u instead of %u",
			seen->vlan_id, vid);
	else
		nic_test_add_case(r, NIC_TEST_PASS, name, "taken off, and told: VLAN %u", vid);
}

/* With a VLAN that both are in. */
static void
try_vlan(struct prober *p, struct nic_test_result *r, uint16_t vid)
{
	static const char name[] = "inserted, the VLAN that we share";
	struct probe_seen seen;

	if (!ask(p, BY_SOFTWARE, vid, &seen)) {
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"the next hop does not answer in VLAN %u to a tag from software, either",
			vid);
		return;
	}
	judge_stripping(p, r, &seen, vid);
	if (!(p->facts->port.tx_offloads & TX_FRAME_VLAN))
		return;
	if (!ask(p, BY_NIC, vid, &seen))
		nic_test_add_case(
			r, NIC_TEST_FAIL, name, "not answered, as it is with a tag from software");
	else if (seen.vlan_id != vid)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"answered in VLAN %u instead of %u: the NIC inserts another tag",
			seen.vlan_id, vid);
	else
		nic_test_add_case(r, NIC_TEST_PASS, name, "answered in VLAN %u", vid);
}

static void
try_all(struct prober *p, struct nic_test_result *r)
{
	uint64_t vid = p->settings.vlan_id > 0 ? p->settings.vlan_id : p->settings.test_vlan_id;

	if (!(p->facts->port.tx_offloads & TX_FRAME_VLAN))
		nic_test_add_case(r, NIC_TEST_SKIPPED, "inserted", "driver %s inserts no tags",
			p->facts->port.driver);
	else if (p->settings.vlan_id == 0)
		try_insertion(p, r);
	if (vid > 0)
		try_vlan(p, r, (uint16_t)vid);
	else
		nic_test_add_case(r, NIC_TEST_SKIPPED, "stripped",
			"nobody here sends tagged frames; on a Linux server ip link add link IF "
			"name IF.100 "
			"type vlan id 100, ip link set IF.100 up, and here --test-vlan 100");
	nic_test_conclude_cases(r, "tags are right");
}

void
nic_test_vlan(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {.vlan_offload = true};
	const struct port_abilities *a = &t->facts.abilities;

	if (!a->vlan_strip && !a->vlan_insert)
		nic_test_conclude(r, NIC_TEST_SKIPPED, "driver %s neither inserts nor strips tags",
			t->facts.port.driver);
	else
		prober_run(t, &cfg, try_all, r);
}
