/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "eal_fixture.h"
#include "port_control.h"
#include "port_fixture.h"
#include "port_priv.h"

#define QUEUES 2U

static int
start_eal(void **state)
{
	static const char *const more[] = {"--vdev=net_null0"};

	(void)state;
	return eal_fixture_start(more, RTE_DIM(more));
}

/* A device of net_ring's, which knows promiscuous mode and its link: a new one, since port_close leaves none. */
static uint16_t
make_ring_device(void)
{
	static uint32_t made;
	struct rte_ring *ring[QUEUES];
	char name[32];
	uint32_t i;
	int id;

	for (i = 0; i < QUEUES; i++) {
		snprintf(name, sizeof(name), "ring%u_%u", made, i);
		ring[i] = rte_ring_create(name, 16, SOCKET_ID_ANY, 0);
		assert_non_null(ring[i]);
	}
	snprintf(name, sizeof(name), "net_ring_control%u", made++);
	id = rte_eth_from_rings(name, ring, QUEUES, ring, QUEUES, 0);
	assert_true(id >= 0);
	return (uint16_t)id;
}

static struct port *
open_port(uint16_t port_id)
{
	static struct counters counters;
	static struct counters *of_queue = &counters;
	const struct port_config cfg = port_fixture_config(port_id, &of_queue);

	return port_fixture_open(&cfg);
}

static void
test_control_abilities_are_the_devices(void **state)
{
	struct port *port = open_port(make_ring_device());
	struct port_abilities a;

	(void)state;
	port_abilities(port, &a);
	assert_int_equal(a.queues_max, QUEUES);
	assert_true(a.mtu_max >= 1500);
	assert_false(a.virtual_device);
	assert_false(a.tx_l4_checksum || a.vlan_strip || a.vlan_insert || a.rss);
	assert_int_equal(port_close(port), 0);
}

static void
test_control_link_goes_down_and_comes_up(void **state)
{
	struct port *port = open_port(make_ring_device());
	struct port_link link;

	(void)state;
	port_link(port, &link);
	assert_true(link.up);
	assert_int_equal(link.mbps, 10000);
	assert_true(link.full_duplex);
	assert_int_equal(port_set_link_up(port, false), 0);
	port_link(port, &link);
	assert_false(link.up);
	assert_false(port_link_up(port));
	assert_int_equal(port_set_link_up(port, true), 0);
	port_link(port, &link);
	assert_true(link.up);
	assert_int_equal(port_close(port), 0);
}

static void
test_control_promiscuous_mode_is_switched(void **state)
{
	struct port *port = open_port(make_ring_device());
	struct port_info info;

	(void)state;
	assert_int_equal(port_set_promiscuous(port, true), 0);
	port_info(port, &info);
	assert_true(info.promiscuous);
	assert_int_equal(port_set_promiscuous(port, false), 0);
	port_info(port, &info);
	assert_false(info.promiscuous);
	assert_int_equal(port_set_promiscuous(port, true), 0);
	assert_true(port->promiscuous_set); /* so that port_close takes it back */
	assert_int_equal(port_close(port), 0);
}

static void
test_control_what_the_driver_has_not_is_not_supported(void **state)
{
	struct port_flow_control fc = {.rx_pause = true};
	struct port *port;
	uint16_t id;

	(void)state;
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &id), 0);
	port = open_port(id);
	assert_int_equal(port_set_link_up(port, false), -ENOTSUP);
	assert_int_equal(port_flow_control(port, &fc), -ENOTSUP);
	assert_true(fc.rx_pause); /* untouched */
	assert_int_equal(port_close(port), 0);
}

/* ---- without a device: what is made of what a driver says ---- */

static void
test_control_mtu_is_what_frames_and_driver_allow(void **state)
{
	static const struct {
		uint32_t max_rx_pktlen;
		uint16_t max_mtu, expect;
	} of[] = {
		{1518, UINT16_MAX, 1500}, {9018, 9000, 9000}, {15872, 9710, 9710},
		{UINT32_MAX, UINT16_MAX, UINT16_MAX}, {0, UINT16_MAX, 1500}, /* it does not say */
		{9728, 1500, 1500}, /* virtio, whose host says so */
	};
	struct port_abilities a;
	struct port port = {0};
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(of); i++) {
		port.dev.max_rx_pktlen = of[i].max_rx_pktlen;
		port.dev.max_mtu = of[i].max_mtu;
		port_abilities(&port, &a);
		assert_int_equal(a.mtu_max, of[i].expect);
	}
}

static void
test_control_offloads_queues_and_speed_are_told(void **state)
{
	struct port port = {.dev = {.max_rx_queues = 8,
				    .max_tx_queues = 4,
				    .speed_capa = RTE_ETH_LINK_SPEED_1G | RTE_ETH_LINK_SPEED_25G |
						  RTE_ETH_LINK_SPEED_10G,
				    .rx_offload_capa = RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
						       RTE_ETH_RX_OFFLOAD_VLAN_STRIP,
				    .tx_offload_capa = RTE_ETH_TX_OFFLOAD_VLAN_INSERT,
				    .flow_type_rss_offloads = RTE_ETH_RSS_IP}};
	struct port_abilities a;

	(void)state;
	port_abilities(&port, &a);
	assert_int_equal(a.queues_max, 4);
	assert_int_equal(a.mbps_max, 25000);
	assert_true(a.rx_l4_checksum && a.vlan_strip && a.vlan_insert && a.rss);
	assert_false(a.rx_ip_checksum || a.tx_l4_checksum);
	port.dev.speed_capa = RTE_ETH_LINK_SPEED_AUTONEG;
	port_abilities(&port, &a);
	assert_int_equal(a.mbps_max, 0);
}

/* Others use it, too. */
static void
test_control_kernel_interface_is_left_alone(void **state)
{
	struct port over_device = {.interface = "lo",
			    .dev = {.max_rx_queues = 3, .max_tx_queues = 3}},
		    sockets = {.cfg = {.interface = "lo", .mtu = 1400}, .interface = "lo"};
	struct port *const of[] = {&over_device, &sockets};
	struct port_flow_control fc;
	struct port_abilities a;
	size_t i;

	(void)state;
	over_device.cfg.mtu = 1400;
	for (i = 0; i < RTE_DIM(of); i++) {
		assert_int_equal(port_set_link_up(of[i], false), -ENOTSUP);
		assert_int_equal(port_set_promiscuous(of[i], true), -ENOTSUP);
		assert_int_equal(port_flow_control(of[i], &fc), -ENOTSUP);
		port_abilities(of[i], &a);
		assert_true(a.virtual_device);
		assert_int_equal(a.mtu_max, 1400);
		assert_int_equal(a.queues_max, i == 0 ? 3 : 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_abilities_are_the_devices),
		cmocka_unit_test(test_control_link_goes_down_and_comes_up),
		cmocka_unit_test(test_control_promiscuous_mode_is_switched),
		cmocka_unit_test(test_control_what_the_driver_has_not_is_not_supported),
		cmocka_unit_test(test_control_mtu_is_what_frames_and_driver_allow),
		cmocka_unit_test(test_control_offloads_queues_and_speed_are_told),
		cmocka_unit_test(test_control_kernel_interface_is_left_alone),
	};

	return cmocka_run_group_tests(tests, start_eal, NULL);
}
