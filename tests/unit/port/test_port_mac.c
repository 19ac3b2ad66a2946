/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "eal_fixture.h"
#include "port_fixture.h"
#include "port_priv.h"

/* The linker sends our library's calls here (--wrap): a closed port can no longer be asked. */
int __real_rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac);
int __wrap_rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac);

static struct rte_ether_addr last_set;

int
__wrap_rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac)
{
	last_set = *mac;
	return __real_rte_eth_dev_default_mac_addr_set(port_id, mac);
}

static int
start_eal(void **state)
{
	static const char *const more[] = {"--vdev=net_null0"};

	(void)state;
	return eal_fixture_start(more, RTE_DIM(more));
}

static void
test_mac_that_we_programmed_is_taken_back_by_close(void **state)
{
	struct counters counters = {0}, *of_queue = &counters;
	struct port_config cfg = port_fixture_config(0, &of_queue);
	struct rte_ether_addr found, now;
	struct port *port;

	(void)state;
	assert_int_equal(rte_eth_macaddr_get(0, &found), 0);
	cfg.set_mac = true;
	cfg.mac = (struct ether_addr){{0x02, 0, 0x5e, 1, 2, 3}};
	port = port_fixture_open(&cfg);
	assert_int_equal(rte_eth_macaddr_get(0, &now), 0);
	assert_memory_equal(now.addr_bytes, cfg.mac.byte, ETHER_ADDR_LEN);
	assert_int_equal(port_close(port), 0);
	assert_memory_equal(last_set.addr_bytes, found.addr_bytes, ETHER_ADDR_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_that_we_programmed_is_taken_back_by_close),
	};

	return cmocka_run_group_tests(tests, start_eal, NULL);
}
