/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nic_inventory.h"
#include "nic_tree.h"

#define NIC_A "0000:3b:00.0"
#define NIC_B "0000:3b:00.1"
#define BRIDGE_A "0000:3a:00.0"
#define NIC_C "0000:05:00.0"

static int
make(void **state)
{
	static struct nic_tree tree;

	nic_tree_make(&tree);
	*state = &tree;
	return 0;
}

static int
unmake(void **state)
{
	nic_tree_remove(*state);
	return 0;
}

/* Two ports of a card in one group, with the bridge before them; a NIC without IOMMU; a disk. */
static void
populate(struct nic_tree *t)
{
	const struct nic_tree_pci devices[] = {
		{NIC_B, NULL, "0x8086", "0x1572", "0x020000", 1, 7},
		{NIC_A, "i40e", "0x8086", "0x1572", "0x020000", 1, 7},
		{BRIDGE_A, "pcieport", "0x8086", "0x2030", "0x060400", 1, 7},
		{NIC_C, "vfio-pci", "0x15b3", "0x1017", "0x020000", -1, -1},
		{"0000:00:1f.2", "ahci", "0x8086", "0x2922", "0x010601", 0, 3},
	};
	struct nic_info *link;
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		nic_tree_pci(t, &devices[i]);
	nic_tree_interface(t, "lo", "", "");
	link = nic_tree_interface(t, "ens1f0", "i40e", NIC_A);
	link->up = link->carrier = true;
	link->speed_mbps = 10000;
	nic_tree_interface(t, "veth7", "veth", "");
}

static struct nic_dpdk_driver
dpdk(void *ctx, const struct nic_pci_id *id)
{
	struct nic_dpdk_driver ret = {.name = ""};

	assert_string_equal(ctx, "the table");
	assert_int_equal(id->subsystem_vendor, 0x1234);
	assert_int_equal(id->subsystem_device, 0x5678);
	if (id->vendor == 0x8086 && id->device == 0x1572)
		strcpy(ret.name, "net_i40e");
	if (id->vendor == 0x15b3)
		ret = (struct nic_dpdk_driver){"mlx5_eth", true};
	return ret;
}

static void
read_inventory(const struct nic_tree *t, const char *ssh_connection, struct nic_inventory *ret)
{
	char table[] = "the table";
	const struct nic_inventory_config cfg = {
		.ssh_connection = ssh_connection, .dpdk = dpdk, .dpdk_ctx = table};

	assert_int_equal(nic_inventory_read(&t->system, &cfg, ret), 0);
}

static void
test_inventory_network_devices_come_by_address_and_others_do_not(void **state)
{
	static const char *const wanted[] = {NIC_C, NIC_A, NIC_B, ""};
	struct nic_inventory inventory;
	uint32_t i;

	populate(*state);
	read_inventory(*state, NULL, &inventory);
	assert_int_equal(inventory.count, 4);
	for (i = 0; i < 4; i++)
		assert_string_equal(inventory.devices[i].address, wanted[i]);
	assert_string_equal(inventory.devices[3].ports[0].info.interface, "veth7");
	assert_string_equal(inventory.devices[3].driver, "veth");
	assert_ptr_equal(nic_inventory_find(&inventory, NIC_A), &inventory.devices[1]);
	assert_null(nic_inventory_find(&inventory, "0000:00:1f.2"));
	assert_null(nic_inventory_find(&inventory, ""));
	nic_inventory_free(&inventory);
}

static void
test_inventory_device_has_driver_interface_node_and_ids(void **state)
{
	struct nic_inventory inventory;
	const struct nic_device *d;

	populate(*state);
	read_inventory(*state, NULL, &inventory);
	d = nic_inventory_find(&inventory, NIC_A);
	assert_string_equal(d->driver, "i40e");
	assert_int_equal(d->numa_node, 1);
	assert_int_equal(d->id.vendor, 0x8086);
	assert_int_equal(d->id.device, 0x1572);
	assert_int_equal(d->id.class_code, 0x020000);
	assert_true(d->model[0] != '\0');
	assert_int_equal(d->port_count, 1);
	assert_string_equal(d->ports[0].info.interface, "ens1f0");
	assert_int_equal(d->ports[0].info.speed_mbps, 10000);
	assert_string_equal(d->ports[0].above, "");
	assert_string_equal(d->dpdk.name, "net_i40e");
	assert_false(d->dpdk.bifurcated);
	d = nic_inventory_find(&inventory, NIC_B);
	assert_string_equal(d->driver, "");
	assert_int_equal(d->port_count, 0);
	d = nic_inventory_find(&inventory, NIC_C);
	assert_string_equal(d->driver, "vfio-pci");
	assert_int_equal(d->numa_node, -1);
	assert_true(d->dpdk.bifurcated);
	nic_inventory_free(&inventory);
}

static void
test_inventory_group_names_its_other_members_with_drivers(void **state)
{
	struct nic_inventory inventory;
	const struct nic_device *d;

	populate(*state);
	read_inventory(*state, NULL, &inventory);
	d = nic_inventory_find(&inventory, NIC_A);
	assert_int_equal(d->iommu_group, 7);
	assert_int_equal(d->member_count, 2);
	assert_string_equal(d->members[0].address, BRIDGE_A);
	assert_string_equal(d->members[0].driver, "pcieport");
	assert_int_equal(d->members[0].class_code, 0x060400);
	assert_string_equal(d->members[1].address, NIC_B);
	assert_string_equal(d->members[1].driver, "");
	d = nic_inventory_find(&inventory, NIC_C);
	assert_int_equal(d->iommu_group, -1);
	assert_int_equal(d->member_count, 0);
	nic_inventory_free(&inventory);
}

static void
test_inventory_several_interfaces_of_one_device_stay_together(void **state)
{
	struct nic_inventory inventory;
	const struct nic_device *d;

	populate(*state);
	nic_tree_interface(*state, "ens1f0d1", "i40e", NIC_A);
	read_inventory(*state, NULL, &inventory);
	assert_int_equal(inventory.count, 4);
	d = nic_inventory_find(&inventory, NIC_A);
	assert_int_equal(d->port_count, 2);
	assert_string_equal(d->ports[1].info.interface, "ens1f0d1");
	nic_inventory_free(&inventory);
}

static void
expect_needed(struct nic_inventory *inventory, const char *text)
{
	char said[256] = "untouched";

	assert_int_equal(
		nic_device_is_needed(nic_inventory_find(inventory, NIC_A), said, sizeof(said)),
		text[0] != '\0');
	assert_string_equal(said, text);
	assert_false(
		nic_device_is_needed(nic_inventory_find(inventory, NIC_C), said, sizeof(said)));
	nic_inventory_free(inventory);
}

static void
test_inventory_default_route_marks_its_device(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "");
	nic_tree_file(*state, "/proc/net/route",
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
		"ens1f0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "ens1f0 carries the default route");
}

static void
test_inventory_default_route_of_a_vlan_on_a_bond_marks_its_device(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_stack(*state, "ens1f0", "bond0");
	nic_tree_stack(*state, "bond0", "bond0.5");
	nic_tree_file(*state, "/proc/net/ipv6_route",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"fd000000000000000000000000000001 00000400 00000001 00000000 00000003  bond0.5\n");
	read_inventory(*state, NULL, &inventory);
	assert_string_equal(nic_inventory_find(&inventory, NIC_A)->ports[0].above, "bond0");
	expect_needed(&inventory, "ens1f0 carries the default route");
}

/* A process with one socket, and the connections of the machine. */
static void
add_process(const struct nic_tree *t, const char *pid, const char *name, const char *socket)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	snprintf(text, sizeof(text), "%s\n", name);
	nic_tree_file(t, path, text);
	snprintf(path, sizeof(path), "/proc/%s/fd/3", pid);
	nic_tree_link(t, path, socket);
}

#define TCP_HEAD                                                                              \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
	"timeout inode\n"

static void
test_inventory_connection_of_sshd_marks_its_device(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_address(*state, "ens1f0", "192.0.2.2");
	add_process(*state, "812", "sshd-session", "socket:[4711]");
	add_process(*state, "900", "nginx", "socket:[4712]");
	/* 192.0.2.2:2222 of 192.0.2.7; a web server's; sshd's listening socket */
	nic_tree_file(*state, "/proc/net/tcp",
		TCP_HEAD
		"   0: 020200C0:08AE 090200C0:D431 01 00000000:00000000 00:00000000 00000000     0"
		"        0 4712 1 0\n"
		"   1: 020200C0:08AE 070200C0:D431 01 00000000:00000000 02:000A7214 00000000     0"
		"        0 4711 4 0\n");
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "ens1f0 carries an SSH session from 192.0.2.7");
}

static void
test_inventory_connections_of_others_or_not_established_mark_nothing(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_address(*state, "ens1f0", "192.0.2.2");
	add_process(*state, "812", "sshd", "socket:[4711]");
	add_process(*state, "900", "nginx", "socket:[4712]");
	nic_tree_file(*state, "/proc/net/tcp",
		TCP_HEAD
		"   0: 020200C0:08AE 070200C0:D431 0A 00000000:00000000 00:00000000 00000000     0"
		"        0 4711 1 0\n"
		"   1: 020200C0:0050 090200C0:D431 01 00000000:00000000 00:00000000 00000000     0"
		"        0 4712 1 0\n"
		"   2: 030200C0:0016 090200C0:D431 01 00000000:00000000 00:00000000 00000000     0"
		"        0 4713 1 0\n"
		"cut short\n");
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "");
}

/* Port 22 is enough: who is not root does not see sshd's sockets. */
static void
test_inventory_ipv6_connection_to_port_22_marks_its_device(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_stack(*state, "ens1f0", "br0");
	nic_tree_address(*state, "br0", "2001:db8::2");
	nic_tree_file(*state, "/proc/net/tcp6",
		TCP_HEAD
		"   0: B80D0120000000000000000002000000:0016 B80D0120000000000000000007000000:D431 "
		"01 00000000:00000000 02:000A7214 00000000     0        0 99 4 0\n");
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "ens1f0 carries an SSH session from 2001:db8::7");
}

/* As sshd's dual socket has it. */
static void
test_inventory_ipv4_in_ipv6_connection_marks_its_device(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_address(*state, "ens1f0", "192.0.2.2");
	nic_tree_file(*state, "/proc/net/tcp6",
		TCP_HEAD
		"   0: 0000000000000000FFFF0000020200C0:0016 0000000000000000FFFF0000070200C0:D431 "
		"01 00000000:00000000 02:000A7214 00000000     0        0 99 4 0\n");
	read_inventory(*state, NULL, &inventory);
	expect_needed(&inventory, "ens1f0 carries an SSH session from 192.0.2.7");
}

static void
test_inventory_variable_of_ssh_marks_its_device_with_the_route(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_address(*state, "ens1f0", "192.0.2.2");
	nic_tree_file(*state, "/proc/net/route",
		"ens1f0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	read_inventory(*state, "192.0.2.7 50022 192.0.2.2 22", &inventory);
	expect_needed(
		&inventory, "ens1f0 carries the default route and an SSH session from 192.0.2.7");
	read_inventory(*state, "nonsense", &inventory);
	expect_needed(&inventory, "ens1f0 carries the default route");
}

static void
test_inventory_session_over_loopback_or_of_no_interface_marks_nothing(void **state)
{
	struct nic_inventory inventory;

	populate(*state);
	nic_tree_address(*state, "lo", "127.0.0.1");
	read_inventory(*state, "127.0.0.1 50022 127.0.0.1 22", &inventory);
	expect_needed(&inventory, "");
	read_inventory(*state, "192.0.2.7 50022 192.0.2.2 22", &inventory);
	expect_needed(&inventory, "");
}

static void
test_inventory_machine_without_pci_has_its_interfaces(void **state)
{
	struct nic_inventory inventory;

	nic_tree_interface(*state, "lo", "", "");
	nic_tree_interface(*state, "eth0", "virtio_net", "");
	read_inventory(*state, NULL, &inventory);
	assert_int_equal(inventory.count, 1);
	assert_string_equal(inventory.devices[0].ports[0].info.interface, "eth0");
	assert_string_equal(inventory.devices[0].dpdk.name, "");
	nic_inventory_free(&inventory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inventory_network_devices_come_by_address_and_others_do_not),
		TEST(test_inventory_device_has_driver_interface_node_and_ids),
		TEST(test_inventory_group_names_its_other_members_with_drivers),
		TEST(test_inventory_several_interfaces_of_one_device_stay_together),
		TEST(test_inventory_default_route_marks_its_device),
		TEST(test_inventory_default_route_of_a_vlan_on_a_bond_marks_its_device),
		TEST(test_inventory_connection_of_sshd_marks_its_device),
		TEST(test_inventory_connections_of_others_or_not_established_mark_nothing),
		TEST(test_inventory_ipv6_connection_to_port_22_marks_its_device),
		TEST(test_inventory_ipv4_in_ipv6_connection_marks_its_device),
		TEST(test_inventory_variable_of_ssh_marks_its_device_with_the_route),
		TEST(test_inventory_session_over_loopback_or_of_no_interface_marks_nothing),
		TEST(test_inventory_machine_without_pci_has_its_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
