/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binding.h"
#include "inventory_report.h"
#include "report_json.h"

/* A NIC that is needed and shares its group; one that stays with the kernel; a virtual interface. */
static struct nic_member members[] = {{"0000:3a:00.0", "pcieport", 0x060400},
	{"0000:3b:00.1", "ixgbe", 0x020000}, {"0000:3b:00.2", "", 0x020000}};
static struct nic_port ports[] = {
	{.info = {.interface = "ens1f0",
		 .mac = {2, 0, 0x5e, 0x10, 0, 1},
		 .ethernet = true,
		 .mtu = 9000,
		 .up = true,
		 .carrier = true,
		 .speed_mbps = 10000,
		 .default_route = true},
		.ssh_peer = "192.0.2.7",
		.above = "br0"},
	{.info = {.interface = "mlx0", .up = true, .ethernet = true}},
	{.info = {.interface = "tun0", .driver = "tun"}},
};
static struct nic_device devices[] = {
	{.address = "0000:3b:00.0",
		.driver = "ixgbe",
		.id = {0x8086, 0x1572, 0x8086, 1, 0x020000},
		.model = "Intel X710",
		.numa_node = 1,
		.iommu_group = 7,
		.members = members,
		.member_count = 3,
		.ports = &ports[0],
		.port_count = 1,
		.dpdk = {"net_i40e", false}},
	{.address = "0000:5e:00.0",
		.driver = "mlx5_core",
		.model = "ConnectX-5",
		.numa_node = -1,
		.iommu_group = -1,
		.ports = &ports[1],
		.port_count = 1,
		.dpdk = {"mlx5_eth", true}},
	{.address = "0000:5f:00.0",
		.driver = "vfio-pci",
		.numa_node = 0,
		.iommu_group = 9,
		.journal = true},
	{.driver = "tun", .numa_node = -1, .iommu_group = -1, .ports = &ports[2], .port_count = 1},
};
static const struct nic_inventory inventory = {devices, 4};

static void
table(char *buf, size_t room)
{
	FILE *file = tmpfile();
	size_t len;

	assert_non_null(file);
	inventory_report_table(&inventory, file);
	rewind(file);
	len = fread(buf, 1, room - 1, file);
	buf[len] = '\0';
	fclose(file);
}

/* The line that begins with the text, its blanks made single. */
static void
line_of(const char *text, const char *start, char *buf, size_t room)
{
	const char *at = strstr(text, start);
	size_t n = 0;

	assert_non_null(at);
	for (; *at != '\n' && *at != '\0' && n < room - 1; at++) {
		if (*at != ' ' || n == 0 || buf[n - 1] != ' ')
			buf[n++] = *at;
	}
	buf[n] = '\0';
}

static void
test_inventory_table_has_a_line_for_each_device(void **state)
{
	char text[4096], line[512];

	(void)state;
	table(text, sizeof(text));
	line_of(text, "DEVICE", line, sizeof(line));
	assert_string_equal(
		line, "DEVICE INTERFACE DRIVER LINK NODE GROUP DPDK DRIVER CARRIES MODEL");
	line_of(text, "0000:3b:00.0", line, sizeof(line));
	assert_string_equal(line, "0000:3b:00.0 ens1f0 ixgbe up 10000 Mb/s 1 7 net_i40e default "
				  "route, SSH Intel X710");
	line_of(text, "0000:5e:00.0", line, sizeof(line));
	assert_string_equal(
		line, "0000:5e:00.0 mlx0 mlx5_core no carrier - - mlx5_eth - ConnectX-5");
	line_of(text, "0000:5f:00.0", line, sizeof(line));
	assert_string_equal(line, "0000:5f:00.0 - vfio-pci - 0 9 - - -");
	line_of(text, "virtual", line, sizeof(line));
	assert_string_equal(line, "virtual tun0 tun down - - net_af_packet - -");
}

static void
test_inventory_table_says_below_what_does_not_fit_in(void **state)
{
	char text[4096];

	(void)state;
	table(text, sizeof(text));
	assert_non_null(strstr(text, "0000:3b:00.0: ens1f0 carries the default route and an SSH "
				     "session from 192.0.2.7.\n"));
	assert_non_null(strstr(text, "br0 stands on ens1f0.\n"));
	assert_non_null(strstr(text, "0000:3b:00.0 shares its IOMMU group 7 with 0000:3b:00.1 "
				     "(ixgbe), 0000:3b:00.2 (no driver).\n"));
	assert_non_null(strstr(text, "0000:5f:00.0 was bound by dpfetch: nic unbind 0000:5f:00.0"));
	assert_non_null(strstr(text, "0000:5e:00.0: mlx5_eth works beside the kernel's driver"));
}

static const char *
text_at(const json_t *root, const char *key)
{
	return json_string_value(json_object_get(root, key));
}

static void
test_inventory_json_has_all_and_null_for_what_is_not_there(void **state)
{
	json_t *root = inventory_report_json(&inventory), *list, *device, *port;

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), REPORT_JSON_SCHEMA);
	list = json_object_get(root, "devices");
	assert_int_equal(json_array_size(list), 4);
	device = json_array_get(list, 0);
	assert_string_equal(text_at(device, "pci_address"), "0000:3b:00.0");
	assert_string_equal(text_at(device, "vendor_id"), "8086");
	assert_string_equal(text_at(device, "class"), "020000");
	assert_string_equal(text_at(device, "dpdk_driver"), "net_i40e");
	assert_int_equal(json_integer_value(json_object_get(device, "iommu_group")), 7);
	assert_int_equal(json_array_size(json_object_get(device, "iommu_group_others")), 3);
	port = json_array_get(json_object_get(device, "interfaces"), 0);
	assert_string_equal(text_at(port, "mac"), "02:00:5e:10:00:01");
	assert_string_equal(text_at(port, "ssh_peer"), "192.0.2.7");
	assert_true(json_is_true(json_object_get(port, "default_route")));
	assert_int_equal(json_integer_value(json_object_get(port, "speed_mbps")), 10000);
	assert_true(json_is_false(json_object_get(device, "bound_by_dpfetch")));
	device = json_array_get(list, 2);
	assert_true(json_is_true(json_object_get(device, "bound_by_dpfetch")));
	device = json_array_get(list, 3);
	assert_true(json_is_null(json_object_get(device, "pci_address")));
	assert_true(json_is_null(json_object_get(device, "numa_node")));
	port = json_array_get(json_object_get(device, "interfaces"), 0);
	assert_true(json_is_null(json_object_get(port, "mac")));
	assert_true(json_is_null(json_object_get(port, "speed_mbps")));
	json_decref(root);
}

static bool
wanted(char *nic, int mode, int stack, char *address)
{
	const struct settings s = {.nic = nic, .nic_mode = mode, .stack = stack};

	return binding_is_wanted(&s, address);
}

static void
test_binding_is_wanted_of_pci_addresses_for_our_own_stack(void **state)
{
	char pci[] = "3b:00.0", interface[] = "eth1", vdev[] = "net_tap0,iface=x";
	char address[NIC_NAME_MAX];

	(void)state;
	assert_true(wanted(pci, SETTINGS_NIC_AUTO, SETTINGS_STACK_DPDK, address));
	assert_string_equal(address, "0000:3b:00.0");
	assert_true(wanted(pci, SETTINGS_NIC_PCI, SETTINGS_STACK_DPDK, address));
	assert_false(wanted(pci, SETTINGS_NIC_VDEV, SETTINGS_STACK_DPDK, address));
	assert_false(wanted(pci, SETTINGS_NIC_AUTO, SETTINGS_STACK_KERNEL, address));
	assert_false(wanted(interface, SETTINGS_NIC_AUTO, SETTINGS_STACK_DPDK, address));
	assert_false(wanted(vdev, SETTINGS_NIC_AUTO, SETTINGS_STACK_DPDK, address));
	assert_false(wanted(NULL, SETTINGS_NIC_AUTO, SETTINGS_STACK_DPDK, address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inventory_table_has_a_line_for_each_device),
		cmocka_unit_test(test_inventory_table_says_below_what_does_not_fit_in),
		cmocka_unit_test(test_inventory_json_has_all_and_null_for_what_is_not_there),
		cmocka_unit_test(test_binding_is_wanted_of_pci_addresses_for_our_own_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
