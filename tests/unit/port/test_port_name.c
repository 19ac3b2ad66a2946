/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_mempool.h>

#include "port_priv.h"

static enum port_nic_mode
mode_of(const char *nic, enum port_nic_mode mode, uint16_t queues)
{
	const struct port_eal_config cfg = {.nic = nic, .mode = mode, .queues = queues};

	return port_nic_mode_of(&cfg);
}

static void
test_mode_auto_is_told_from_the_name(void **state)
{
	(void)state;
	assert_int_equal(mode_of("0000:3b:00.0", PORT_NIC_AUTO, 1), PORT_NIC_PCI);
	assert_int_equal(mode_of("3b:00.0", PORT_NIC_AUTO, 1), PORT_NIC_PCI);
	assert_int_equal(mode_of("eth1", PORT_NIC_AUTO, 1), PORT_NIC_RING);
	assert_int_equal(mode_of("eth1", PORT_NIC_AUTO, 2), PORT_NIC_AF_PACKET);
	assert_int_equal(mode_of(NULL, PORT_NIC_AUTO, 1), PORT_NIC_RING);
	assert_int_equal(mode_of("net_ring0", PORT_NIC_AUTO, 1), PORT_NIC_VDEV);
	assert_int_equal(mode_of("foo0,iface=eth1", PORT_NIC_AUTO, 1), PORT_NIC_VDEV);
	assert_int_equal(mode_of("eth1", PORT_NIC_AF_PACKET, 1), PORT_NIC_AF_PACKET);
	assert_int_equal(mode_of("eth1", PORT_NIC_AF_XDP, 1), PORT_NIC_AF_XDP);
	assert_int_equal(mode_of("eth1", PORT_NIC_VNET, 1), PORT_NIC_VNET);
}

/* Then the EAL makes it, and we are to use that. */
static void
test_mode_auto_takes_the_device_that_the_user_made(void **state)
{
	char vdev[] = "--vdev=net_af_packet0,iface=eth1", other[] = "--log-level=8";
	char *args[] = {vdev};
	struct port_eal_config cfg = {
		.nic = "eth1", .queues = 1, .user_args = args, .user_args_count = 1};

	(void)state;
	assert_int_equal(port_nic_mode_of(&cfg), PORT_NIC_AF_PACKET);
	args[0] = other;
	assert_int_equal(port_nic_mode_of(&cfg), PORT_NIC_RING);
}

static uint32_t
number_after(const char *text, const char *key)
{
	const char *at = port_argument(text, key);

	assert_non_null(at);
	return (uint32_t)strtoul(at, NULL, 10);
}

/* The lab's pitfall: a block that is no whole number of frames and pages ends in silence. */
static void
test_af_packet_blocks_hold_whole_frames_and_pages_at_every_mtu(void **state)
{
	struct port_eal_config cfg = {.nic = "eth1", .queues = 1};
	char vdev[256], message[PORT_MESSAGE_MAX];
	uint32_t mtu, frame, block, count;

	(void)state;
	for (mtu = 576; mtu <= 65300; mtu += 7) {
		cfg.mtu = (uint16_t)mtu;
		assert_int_equal(
			port_vdev_format(&cfg, PORT_NIC_AF_PACKET, vdev, sizeof(vdev), message), 0);
		frame = number_after(vdev, "framesz=");
		block = number_after(vdev, "blocksz=");
		count = number_after(vdev, "framecnt=");
		assert_true(frame >= mtu + PORT_L2_OVERHEAD + AF_PACKET_HEADER_LEN);
		assert_true(frame <= AF_PACKET_FRAME_MAX);
		assert_int_equal(block % frame, 0);
		assert_int_equal(block % AF_PACKET_PAGE, 0);
		assert_int_equal(count % (block / frame), 0);
		assert_true(count >= AF_PACKET_FRAMES_MIN);
	}
}

/* A ring that overflows while the poll core is away loses packets. */
static void
test_af_packet_ring_holds_the_frames_asked_for(void **state)
{
	struct port_eal_config cfg = {
		.nic = "eth1", .queues = 1, .mtu = 1500, .rx_frames_min = 57461};
	char vdev[256], message[PORT_MESSAGE_MAX];

	(void)state;
	assert_int_equal(
		port_vdev_format(&cfg, PORT_NIC_AF_PACKET, vdev, sizeof(vdev), message), 0);
	assert_true(number_after(vdev, "framecnt=") >= 57461);
}

static void
test_mtu_too_large_is_refused_with_the_limit(void **state)
{
	struct port_eal_config cfg = {.nic = "eth1", .queues = 1, .mtu = 65400};
	char vdev[256], message[PORT_MESSAGE_MAX];

	(void)state;
	assert_int_equal(
		port_vdev_format(&cfg, PORT_NIC_AF_PACKET, vdev, sizeof(vdev), message), -ERANGE);
	assert_non_null(strstr(message, "--mtu 65310"));
	cfg.mtu = 9000;
	assert_int_equal(
		port_vdev_format(&cfg, PORT_NIC_AF_XDP, vdev, sizeof(vdev), message), -ERANGE);
	assert_non_null(strstr(message, "af_packet"));
}

/* What the driver's frame leaves to the kernel: the object without our part and its headroom. */
static uint32_t
af_xdp_object_bytes(uint16_t mtu)
{
	uint32_t element = (uint32_t)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM;

	return rte_mempool_calc_obj_size(element + port_af_xdp_room(mtu), 0, NULL);
}

/* 2974 was lost in silence, for the kernel's headroom; from 2975 on no port could be made. */
static void
test_af_xdp_buffers_hold_the_frame_and_the_headroom_in_one_page(void **state)
{
	char message[PORT_MESSAGE_MAX];
	uint16_t mtu;

	(void)state;
	for (mtu = 576; port_af_xdp_check_mtu(mtu, message) == 0; mtu++) {
		assert_true(
			port_af_xdp_room(mtu) >= mtu + PORT_L2_OVERHEAD + AF_XDP_KERNEL_HEADROOM);
		assert_true(af_xdp_object_bytes(mtu) <= AF_XDP_PAGE);
	}
	assert_int_equal(mtu, 3439);
	assert_true(af_xdp_object_bytes(mtu) > AF_XDP_PAGE);
	assert_non_null(strstr(message, "--mtu 3438"));
	assert_non_null(strstr(message, "--nic-mode af_packet"));
}

static void
test_mode_names_parse_back(void **state)
{
	enum port_nic_mode mode;

	(void)state;
	assert_int_equal(port_nic_mode_parse("af_xdp", &mode), 0);
	assert_int_equal(mode, PORT_NIC_AF_XDP);
	assert_int_equal(port_nic_mode_parse("vnet", &mode), 0);
	assert_int_equal(mode, PORT_NIC_VNET);
	assert_string_equal(port_nic_mode_name(PORT_NIC_VNET), "vnet");
	assert_int_equal(port_nic_mode_parse("af_packets", &mode), -EINVAL);
	assert_string_equal(port_nic_mode_name(PORT_NIC_PCI), "pci");
}

static void
test_interface_absent_is_named_with_the_command(void **state)
{
	char message[PORT_MESSAGE_MAX];

	(void)state;
	assert_int_equal(port_interface_check("nosuch0", message), -ENODEV);
	assert_non_null(strstr(message, "nosuch0"));
	assert_non_null(strstr(message, "ip -br link"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode_auto_is_told_from_the_name),
		cmocka_unit_test(test_mode_auto_takes_the_device_that_the_user_made),
		cmocka_unit_test(test_af_packet_blocks_hold_whole_frames_and_pages_at_every_mtu),
		cmocka_unit_test(test_af_packet_ring_holds_the_frames_asked_for),
		cmocka_unit_test(test_mtu_too_large_is_refused_with_the_limit),
		cmocka_unit_test(test_af_xdp_buffers_hold_the_frame_and_the_headroom_in_one_page),
		cmocka_unit_test(test_mode_names_parse_back),
		cmocka_unit_test(test_interface_absent_is_named_with_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
