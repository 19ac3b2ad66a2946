/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "base_time.h"
#include "prober.h"

#define WATCH_NS (2 * NS_PER_SEC)
#define LOOK_NS (10 * NS_PER_MS)
#define SPEED_TEXT_MAX 64U

static bool
see_nothing(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	(void)ctx;
	(void)queue;
	(void)seen;
	return false;
}

/* How often the link went down, while nobody touched it. */
static uint32_t
watch(struct prober *p)
{
	uint64_t until_ns = port_clock_ns() + WATCH_NS;
	uint32_t losses = 0;
	bool up = true, now;

	while (port_clock_ns() < until_ns && !prober_must_end(p)) {
		(void)prober_await(p, LOOK_NS, see_nothing, NULL);
		now = port_link_up(p->host.port);
		losses += up && !now;
		up = now;
	}
	return losses;
}

static const char *
speed_text(const struct port_link *link, char *buf)
{
	if (link->mbps == 0)
		(void)snprintf(buf, SPEED_TEXT_MAX, "up, speed not told");
	else
		(void)snprintf(buf, SPEED_TEXT_MAX, "%u Mb/s %s duplex", link->mbps,
			link->full_duplex ? "full" : "half");
	return buf;
}

static void
note_values(const struct nic_test_facts *f, struct nic_test_result *r)
{
	nic_test_add_value(r, "link_mbps", f->link.mbps);
	nic_test_add_value(r, "link_mbps_max", f->abilities.mbps_max);
	nic_test_add_value(r, "mtu_max", f->abilities.mtu_max);
	nic_test_add_value(r, "queues_max", f->abilities.queues_max);
}

static void
look(struct prober *p, struct nic_test_result *r)
{
	const struct nic_test_facts *f = p->facts;
	char speed[SPEED_TEXT_MAX];
	uint32_t losses = watch(p);

	note_values(f, r);
	speed_text(&f->link, speed);
	if (losses > 0)
		nic_test_conclude(r, NIC_TEST_FAIL,
			"the link went down %u times within %.0f s: look at cable, transceiver and "
			"the "
			"switch's port",
			losses, (double)WATCH_NS / 1e9);
	else if (f->link.mbps > 0 && !f->link.full_duplex && !f->abilities.virtual_device)
		nic_test_conclude(r, NIC_TEST_FAIL,
			"%s: the other end did not negotiate; switch autonegotiation on there",
			speed);
	else if (f->link.mbps > 0 && f->link.mbps < f->abilities.mbps_max)
		nic_test_conclude(r, NIC_TEST_PASS,
			"%s, of %u that the NIC can: the other end or the cable sets it", speed,
			f->abilities.mbps_max);
	else
		nic_test_conclude(r, NIC_TEST_PASS, "%s", speed);
}

void
nic_test_link(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {.port_only = true};

	prober_run(t, &cfg, look, r);
}
