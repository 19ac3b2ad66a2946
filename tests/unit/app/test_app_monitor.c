/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eth_ring.h>
#include <rte_ring.h>

#include "base_bytes.h"
#include "base_time.h"
#include "eal_fixture.h"
#include "monitor.h"
#include "port_control.h"
#include "port_fixture.h"

#define LOOK_US 20000U
#define FLAP_NS (500 * NS_PER_MS)
#define WAIT_NS (20 * NS_PER_SEC) /* a loaded machine */

/* A port of net_ring's, whose driver can take its link down. */
static struct port *port;

static int
setup(void **state)
{
	static struct counters counters;
	static struct counters *of_queue = &counters;
	struct port_config cfg;
	struct rte_ring *ring;

	(void)state;
	assert_int_equal(eal_fixture_start(NULL, 0), 0);
	ring = rte_ring_create("ring", 64, SOCKET_ID_ANY, 0);
	cfg = port_fixture_config(
		rte_eth_from_rings("net_ring_monitor", &ring, 1, &ring, 1, 0), &of_queue);
	port = port_fixture_open(&cfg);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(port_close(port), 0);
	return rte_eal_cleanup();
}

static struct monitor *
start(uint64_t flap_ns)
{
	static const struct message_level silent; /* it tells of the link */
	static cpu_set_t any;
	const struct monitor_config cfg = {.port = port,
		.nic = "ring",
		.level = &silent,
		.link_timeout_ns = NS_PER_SEC,
		.flap_ns = flap_ns,
		.others = &any};
	struct monitor *m = NULL;

	assert_int_equal(monitor_start(&cfg, &m), 0);
	return m;
}

/* Until the monitor says that the link is so. How long it took. */
static uint64_t
wait_for(const struct monitor *m, bool up)
{
	uint64_t start_ns = port_clock_ns(), took_ns = 0;

	while ((monitor_link_down_ns(m) == 0) != up && took_ns < WAIT_NS) {
		usleep(LOOK_US);
		took_ns = port_clock_ns() - start_ns;
	}
	assert_true(took_ns < WAIT_NS);
	return took_ns;
}

static void
test_monitor_told_to_flap_takes_the_link_down_once_and_up_again(void **state)
{
	struct monitor *m = start(FLAP_NS);

	(void)state;
	usleep(2 * LOOK_US);
	assert_true(port_link_up(port)); /* nobody watches yet */
	monitor_watch_link(m);
	wait_for(m, false);
	assert_false(port_link_up(port));
	assert_true(wait_for(m, true) >= FLAP_NS / 2);
	assert_true(port_link_up(port));
	usleep((useconds_t)(3 * FLAP_NS / NS_PER_US));
	assert_true(port_link_up(port));
	assert_int_equal(monitor_link_down_ns(m), 0);
	monitor_stop(m);
}

static void
test_monitor_not_told_to_flap_leaves_the_link_and_sees_it_go(void **state)
{
	struct monitor *m = start(0);

	(void)state;
	monitor_watch_link(m);
	usleep(1500000); /* a flap would begin after a second */
	assert_true(port_link_up(port));
	assert_int_equal(port_set_link_up(port, false), 0);
	wait_for(m, false);
	assert_int_equal(port_set_link_up(port, true), 0);
	wait_for(m, true);
	monitor_stop(m);
}

/* A run ends with it: a tick of 100 ms each would be half of what a short one takes. */
static void
test_monitor_stops_without_waiting_for_its_next_tick(void **state)
{
	uint64_t start_ns, least_ns = UINT64_MAX;
	struct monitor *m;
	uint32_t i;

	(void)state;
	for (i = 0; i < 10; i++) { /* the quickest: machines are busy */
		m = start(0);
		usleep(LOOK_US);
		assert_int_equal(monitor_signal(m), 0);
		start_ns = port_clock_ns();
		monitor_stop(m);
		least_ns = MIN_OF(least_ns, port_clock_ns() - start_ns);
	}
	assert_true(least_ns < LOOK_US * NS_PER_US);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monitor_stops_without_waiting_for_its_next_tick),
		cmocka_unit_test(test_monitor_told_to_flap_takes_the_link_down_once_and_up_again),
		cmocka_unit_test(test_monitor_not_told_to_flap_leaves_the_link_and_sees_it_go),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
