/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "port_limits.h"
#include "port_offloads.h"

#define ROOM 2048U
#define ALL_RX                                                            \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |   \
		RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER | \
		RTE_ETH_RX_OFFLOAD_VLAN_STRIP)

static struct port_offloads
choose(uint64_t rx_capa, uint16_t mtu, bool checksums, bool lro)
{
	const struct port_config cfg = {.mtu = mtu, .checksum_offload = checksums, .lro = lro};
	const struct rte_eth_dev_info dev = {
		.rx_offload_capa = rx_capa, .tx_offload_capa = RTE_ETH_TX_OFFLOAD_TCP_CKSUM};
	struct port_offloads o;

	port_offloads_choose(&cfg, &dev, ROOM, &o);
	return o;
}

static void
test_offloads_nic_without_any_gets_none(void **state)
{
	struct port_offloads o = choose(0, 9000, true, true);

	(void)state;
	assert_int_equal(o.rx, 0);
	assert_int_equal(o.tx, RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
}

static void
test_offloads_lro_where_the_nic_verifies_and_chains(void **state)
{
	(void)state;
	assert_int_equal(choose(ALL_RX, 1500, true, true).rx,
		ALL_RX & ~(uint64_t)RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
}

/* Of a frame that was made of several nobody else could verify the sum. */
static void
test_offloads_no_lro_without_what_it_stands_on(void **state)
{
	static const uint64_t missing[] = {RTE_ETH_RX_OFFLOAD_TCP_CKSUM, RTE_ETH_RX_OFFLOAD_SCATTER,
		RTE_ETH_RX_OFFLOAD_TCP_LRO};
	uint32_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(missing); i++)
		assert_int_equal(choose(ALL_RX & ~missing[i], 1500, true, true).rx &
					 RTE_ETH_RX_OFFLOAD_TCP_LRO,
			0);
	assert_int_equal(choose(ALL_RX, 1500, false, true).rx & RTE_ETH_RX_OFFLOAD_TCP_LRO, 0);
	assert_int_equal(choose(ALL_RX, 1500, true, false).rx & RTE_ETH_RX_OFFLOAD_TCP_LRO, 0);
}

/* QEMU's device drops what its driver lets it join: tests/guest/test_super_packets.py. */
static void
test_offloads_no_lro_with_vmxnet3(void **state)
{
	const struct port_config cfg = {.mtu = 1500, .checksum_offload = true, .lro = true};
	struct rte_eth_dev_info dev = {.rx_offload_capa = ALL_RX, .driver_name = "net_vmxnet3"};
	struct port_offloads o;

	(void)state;
	port_offloads_choose(&cfg, &dev, ROOM, &o);
	assert_int_equal(o.rx & RTE_ETH_RX_OFFLOAD_TCP_LRO, 0);
	dev.driver_name = "net_virtio";
	port_offloads_choose(&cfg, &dev, ROOM, &o);
	assert_int_not_equal(o.rx & RTE_ETH_RX_OFFLOAD_TCP_LRO, 0);
}

/* Only who looks at tags himself asks for it: the netstack takes them in the frame. */
static void
test_offloads_vlan_tags_are_the_nics_where_asked_and_it_can(void **state)
{
	struct port_config cfg = {.mtu = 1500, .vlan_offload = true};
	struct rte_eth_dev_info dev = {.rx_offload_capa = ALL_RX | RTE_ETH_RX_OFFLOAD_VLAN_FILTER,
		.tx_offload_capa = RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_QINQ_INSERT};
	struct port_offloads o;

	(void)state;
	port_offloads_choose(&cfg, &dev, ROOM, &o);
	assert_int_equal(o.rx, RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	assert_int_equal(o.tx, RTE_ETH_TX_OFFLOAD_VLAN_INSERT);
	cfg.vlan_offload = false;
	port_offloads_choose(&cfg, &dev, ROOM, &o);
	assert_int_equal(o.rx | o.tx, 0);
	cfg.vlan_offload = true;
	dev.rx_offload_capa = dev.tx_offload_capa = 0;
	port_offloads_choose(&cfg, &dev, ROOM, &o);
	assert_int_equal(o.rx | o.tx, 0);
}

static void
test_offloads_scatter_only_for_frames_longer_than_a_buffer(void **state)
{
	(void)state;
	assert_int_equal(choose(ALL_RX, 1500, true, false).rx & RTE_ETH_RX_OFFLOAD_SCATTER, 0);
	assert_int_not_equal(choose(ALL_RX, 9000, true, false).rx & RTE_ETH_RX_OFFLOAD_SCATTER, 0);
}

/* What has no place is lost (split_chain). */
static void
test_offloads_burst_leaves_room_for_the_parts_of_all_frames(void **state)
{
	static const uint16_t mtu[] = {1500, 9000, 65280};
	struct port_offloads o;
	uint32_t i, longest;

	(void)state;
	for (i = 0; i < 2 * RTE_DIM(mtu); i++) {
		o = choose(ALL_RX, mtu[i / 2], true, i % 2);
		longest = (i % 2 ? UINT16_MAX : mtu[i / 2]) + PORT_L2_OVERHEAD;
		assert_true(o.burst_max > 0 && o.burst_max <= PORT_BURST_MAX);
		assert_true(o.burst_max * ((longest - 1) / ROOM) <= PORT_PARTS_MAX);
	}
	assert_int_equal(choose(ALL_RX, 1500, true, false).burst_max, PORT_BURST_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offloads_nic_without_any_gets_none),
		cmocka_unit_test(test_offloads_lro_where_the_nic_verifies_and_chains),
		cmocka_unit_test(test_offloads_no_lro_without_what_it_stands_on),
		cmocka_unit_test(test_offloads_no_lro_with_vmxnet3),
		cmocka_unit_test(test_offloads_vlan_tags_are_the_nics_where_asked_and_it_can),
		cmocka_unit_test(test_offloads_scatter_only_for_frames_longer_than_a_buffer),
		cmocka_unit_test(test_offloads_burst_leaves_room_for_the_parts_of_all_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
