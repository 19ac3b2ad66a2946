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
#include "port_priv.h"

#define MTU_MAX 65280U /* what --mtu takes at most */

/* An mbuf's buffer length has 16 bits: frame and headroom wrapped to 0 from an MTU of 64415. */
static void
test_open_at_the_largest_mtu_has_buffers_that_hold_it(void **state)
{
	struct counters counters = {0}, *of_queue = &counters;
	struct port_config cfg = {.queues = 1,
		.mtu = MTU_MAX,
		.rx_held_max = 64,
		.rx_descriptors = 64,
		.tx_descriptors = 64,
		.numa_node = -1,
		.counters = &of_queue};
	char message[PORT_MESSAGE_MAX];
	struct rte_ring *ring;
	struct port *port = NULL;
	int port_id;

	(void)state;
	assert_int_equal(eal_fixture_start(NULL, 0), 0);
	ring = rte_ring_create("ring", 16, SOCKET_ID_ANY, 0);
	port_id = rte_eth_from_rings("net_ring_mtu", &ring, 1, &ring, 1, 0);
	assert_true(port_id >= 0);
	cfg.port_id = (uint16_t)port_id;
	if (port_open(&cfg, &port, message) != 0)
		fail_msg("%s", message);
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
