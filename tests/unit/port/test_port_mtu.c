/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "eal_fixture.h"
#include "port_fixture.h"
#include "port_priv.h"

#define MTU_MAX 65280U /* what --mtu takes at most */

/* An mbuf's buffer length has 16 bits: frame and headroom wrapped to 0 from an MTU of 64415. */
static void
test_open_at_the_largest_mtu_has_buffers_that_hold_it(void **state)
{
	struct counters counters = {0}, *of_queue = &counters;
	struct port_config cfg;
	struct rte_ring *ring;
	struct port *port;

	(void)state;
	assert_int_equal(eal_fixture_start(NULL, 0), 0);
	ring = rte_ring_create("ring", 16, SOCKET_ID_ANY, 0);
	cfg = port_fixture_config(
		rte_eth_from_rings("net_ring_mtu", &ring, 1, &ring, 1, 0), &of_queue);
	cfg.mtu = MTU_MAX;
	port = port_fixture_open(&cfg);
	assert_true((uint32_t)rte_pktmbuf_data_room_size(port->rx_pool) >=
		    RTE_PKTMBUF_HEADROOM + MTU_MAX + PORT_L2_OVERHEAD);
	assert_int_equal(port_close(port), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_at_the_largest_mtu_has_buffers_that_hold_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
