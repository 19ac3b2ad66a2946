/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nic_doctor_priv.h"
#include "nic_tree.h"

#define PAGES "/sys/devices/system/node/node1/hugepages/hugepages-2048kB"
#define MIB (UINT64_C(1) << 20)

/* A machine, and what is asked of it: CPU 1 of 4 on node 1 polls, no NIC is named. */
static struct nic_tree tree;
static struct nic_doctor_config config;

static struct nic_finding found[64];
static uint32_t count;

static int
make(void **state)
{
	(void)state;
	nic_tree_make(&tree);
	config = (struct nic_doctor_config){.firmware = "",
		.core = 1,
		.core_node = 1,
		.cpus = 4,
		.queues = 1,
		.mtu = 1500,
		.memory_bytes = 72 * MIB, /* 36 pages, and DPDK's own 64 */
		.memlock_bytes = UINT64_MAX,
		.release = "6.1.0-test"};
	nic_tree_file(&tree, PAGES "/nr_hugepages", "200\n");
	nic_tree_file(&tree, PAGES "/free_hugepages", "150\n");
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	nic_tree_remove(&tree);
	return 0;
}

static void
add(void *ctx, const struct nic_finding *f)
{
	(void)ctx;
	assert_true(f->verdict == NIC_VERDICT_OK || f->text[0] != '\0');
	found[count++] = *f;
}

/* What is found of a subject: the last one, which must be there. */
static const struct nic_finding *
find(const char *subject)
{
	const struct nic_finding *ret = NULL;
	uint32_t i;

	count = 0;
	nic_doctor_examine(&tree.system, &config, add, NULL);
	for (i = 0; i < count; i++) {
		if (strcmp(found[i].subject, subject) == 0)
			ret = &found[i];
	}
	return ret;
}

static void
expect(const char *subject, enum nic_verdict verdict, const char *text, const char *remedy)
{
	const struct nic_finding *f = find(subject);

	assert_non_null(f);
	if (f->verdict != verdict || strstr(f->text, text) == NULL)
		fail_msg("%s: %d, %s", subject, f->verdict, f->text);
	if (remedy[0] == '\0')
		assert_string_equal(f->remedy, "");
	else if (strstr(f->remedy, remedy) == NULL)
		fail_msg("%s: %s", subject, f->remedy);
}

static void
test_doctor_list_of_cpus(void **state)
{
	(void)state;
	assert_true(nic_doctor_list_has("0-3,8", 3));
	assert_true(nic_doctor_list_has("0-3,8", 8));
	assert_false(nic_doctor_list_has("0-3,8", 4));
	assert_true(nic_doctor_list_has("5", 5));
	assert_false(nic_doctor_list_has("", 0));
	assert_false(nic_doctor_list_has("(null)", 0));
	assert_false(nic_doctor_list_has("15", 1));
}

static void
test_doctor_hugepages_are_those_of_the_node(void **state)
{
	(void)state;
	expect("hugepages", NIC_VERDICT_OK, "150 of 2 MiB are free, 100 are needed", "");
	nic_tree_file(&tree, PAGES "/free_hugepages", "30\n");
	expect("hugepages", NIC_VERDICT_WARNING, "ordinary pages", "echo 270 | sudo tee ");
	assert_non_null(strstr(find("hugepages")->remedy, PAGES "/nr_hugepages"));
	config.core_node = -1;
	nic_tree_file(&tree, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "7\n");
	nic_tree_file(&tree, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "7\n");
	expect("hugepages", NIC_VERDICT_WARNING, "7 of 2 MiB", "echo 100 | sudo tee ");
}

static void
test_doctor_hugepages_are_a_must_without_an_iommu(void **state)
{
	struct nic_device d = {.address = "0000:05:00.0", .numa_node = 1, .iommu_group = 3};

	(void)state;
	config.device = &d;
	config.dma = true;
	nic_tree_file(&tree, PAGES "/free_hugepages", "0\n");
	expect("hugepages", NIC_VERDICT_WARNING, "ordinary pages", "echo 300");
	d.iommu_group = -1;
	expect("hugepages", NIC_VERDICT_ERROR, "cannot work without", "echo 300");
}

static void
test_doctor_fix_reserves_what_is_missing(void **state)
{
	(void)state;
	assert_int_equal(nic_doctor_fix_hugepages(&tree.system, &config), 0);
	assert_int_equal(tree.steps, 0); /* nothing was missing */
	nic_tree_file(&tree, PAGES "/free_hugepages", "30\n");
	/* The made-up kernel takes the number and finds no page. */
	assert_int_equal(nic_doctor_fix_hugepages(&tree.system, &config), -ENOMEM);
	assert_int_equal(tree.steps, 1);
	tree.refuse = "nr_hugepages";
	tree.refuse_errno = EACCES;
	assert_int_equal(nic_doctor_fix_hugepages(&tree.system, &config), -EACCES);
}

static void
test_doctor_memlock_must_hold_the_buffers_of_a_bound_nic(void **state)
{
	struct nic_device d = {.address = "0000:05:00.0", .numa_node = -1, .iommu_group = 3};

	(void)state;
	expect("memlock", NIC_VERDICT_OK, "enough", "");
	config.memlock_bytes = 8 * MIB;
	expect("memlock", NIC_VERDICT_WARNING, "8192 KiB may be locked", "ulimit -l unlimited");
	config.device = &d;
	config.dma = true;
	expect("memlock", NIC_VERDICT_ERROR, "needs 73728 KiB", "ulimit -l unlimited");
}

static void
test_doctor_iommu_and_module(void **state)
{
	(void)state;
	expect("iommu", NIC_VERDICT_OK, "none", "intel_iommu=on");
	expect("vfio-pci", NIC_VERDICT_OK, "6.1.0-test has no such module", "linux-image");
	config.dma = true;
	expect("iommu", NIC_VERDICT_WARNING, "unsafely", "intel_iommu=on");
	expect("vfio-pci", NIC_VERDICT_WARNING, "no such module", "linux-image");
	nic_tree_file(&tree, "/lib/modules/6.1.0-test/modules.dep",
		"kernel/drivers/net/e1000.ko:\n"
		"kernel/drivers/vfio/pci/mlx5/mlx5-vfio-pci.ko: "
		"kernel/drivers/vfio/pci/vfio-pci.ko\n");
	expect("vfio-pci", NIC_VERDICT_WARNING, "no such module", "linux-image");
	nic_tree_file(&tree, "/lib/modules/6.1.0-test/modules.dep",
		"kernel/drivers/vfio/pci/vfio-pci.ko: kernel/drivers/vfio/vfio.ko\n");
	expect("vfio-pci", NIC_VERDICT_OK, "can be loaded", "");
	nic_tree_file(&tree, "/sys/bus/pci/drivers/vfio-pci/new_id", "");
	nic_tree_file(&tree, "/sys/kernel/iommu_groups/0/type", "DMA\n");
	nic_tree_file(&tree, "/sys/kernel/iommu_groups/1/type", "DMA\n");
	expect("vfio-pci", NIC_VERDICT_OK, "loaded", "");
	expect("iommu", NIC_VERDICT_OK, "2 groups", "");
}

static void
test_doctor_cpu_is_isolated_fast_and_alone(void **state)
{
	(void)state;
	expect("isolation", NIC_VERDICT_WARNING, "CPU 1 is not isolated and has", "isolcpus=1");
	nic_tree_file(&tree, "/sys/devices/system/cpu/isolated", "1-2\n");
	expect("isolation", NIC_VERDICT_WARNING, "isolated and has", "nohz_full=1");
	nic_tree_file(&tree, "/sys/devices/system/cpu/nohz_full", "0-2\n");
	expect("isolation", NIC_VERDICT_OK, "without a tick", "");
	expect("governor", NIC_VERDICT_OK, "does not change", "");
	nic_tree_file(
		&tree, "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
	expect("governor", NIC_VERDICT_WARNING, "powersave", "cpu1/cpufreq/scaling_governor");
	nic_tree_file(
		&tree, "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
	expect("governor", NIC_VERDICT_OK, "performance", "");
	expect("smt", NIC_VERDICT_OK, "no other", "");
	nic_tree_file(&tree, "/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1\n");
	expect("smt", NIC_VERDICT_OK, "no other", "");
	nic_tree_file(&tree, "/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1,3\n");
	expect("smt", NIC_VERDICT_WARNING, "CPUs 1,3", "smt/control");
	config.cpus = 1;
	expect("cpus", NIC_VERDICT_WARNING, "one only", "taskset");
}

static void
test_doctor_interrupts_of_devices_on_the_poll_core(void **state)
{
	(void)state;
	nic_tree_file(&tree, "/proc/interrupts",
		"            CPU0       CPU1       \n"
		"  5:    2000000         12  PCI-MSIX-0000:00:01.0   0-edge      eth0\n"
		"LOC:    9000000    9000000   Local timer interrupts\n");
	expect("interrupts", NIC_VERDICT_OK, "no device sends CPU 1 many", "");
	nic_tree_file(&tree, "/proc/interrupts",
		"            CPU0       CPU1       \n"
		"  5:          7       5000  PCI-MSIX-0000:00:01.0   0-edge      eth0\n"
		" 36:          0     588059  PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
		" 40:        100\n"
		"LOC:    9000000    9000000   Local timer interrupts\n");
	expect("interrupts", NIC_VERDICT_WARNING, "588059 of virtio1-req.0 came to CPU 1",
		"echo 0 | sudo tee /proc/irq/36/smp_affinity_list");
}

static void
test_doctor_clock_and_host(void **state)
{
	(void)state;
	assert_null(find("clock"));
	nic_tree_file(&tree, "/proc/cpuinfo",
		"processor: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n");
	expect("clock", NIC_VERDICT_OK, "evenly", "");
	nic_tree_file(&tree, "/proc/cpuinfo", "processor: 0\nflags\t\t: fpu tsc constant_tsc\n");
	expect("clock", NIC_VERDICT_WARNING, "in doubt", "performance");
	nic_tree_file(&tree, "/proc/stat", "cpu  100 0 100 9790 0 0 0 10 0 0\n");
	assert_null(find("host"));
	nic_tree_file(&tree, "/proc/stat", "cpu  100 0 100 9300 0 0 0 500 0 0\n");
	expect("host", NIC_VERDICT_WARNING, "took 5.0 %", "quieter");
}

static void
test_doctor_device_of_the_kernel(void **state)
{
	struct nic_port port = {
		.info = {.interface = "eth1", .mtu = 1500, .up = true, .carrier = true}};
	struct nic_device d = {.driver = "veth",
		.numa_node = -1,
		.iommu_group = -1,
		.ports = &port,
		.port_count = 1};
	struct nic_offloads o = {.rx_checksum = true};

	(void)state;
	config.device = &d;
	config.port = &port;
	config.offloads = &o;
	config.firmware = "8.10";
	expect("nic", NIC_VERDICT_OK, "driver veth, firmware 8.10", "");
	expect("link", NIC_VERDICT_OK, "eth1 is up", "");
	expect("mtu", NIC_VERDICT_OK, "1500", "");
	expect("offloads", NIC_VERDICT_OK, "rx-checksumming on, tx-checksumming off", "");
	o.gro = true;
	expect("offloads", NIC_VERDICT_WARNING, "eth1 has gro on", "--nic-mode vnet");
	config.joins = true;
	expect("offloads", NIC_VERDICT_OK, "gro on", "");
	port.info.mtu = 9000;
	expect("mtu", NIC_VERDICT_WARNING, "shorter", "--mtu 9000");
	port.info.mtu = 1400;
	expect("mtu", NIC_VERDICT_ERROR, "do not come through", "--mtu 1400");
	port.info.carrier = false;
	expect("link", NIC_VERDICT_ERROR, "no carrier", "cable");
	port.info.up = false;
	expect("link", NIC_VERDICT_ERROR, "is down", "sudo ip link set eth1 up");
	assert_null(find("use"));
	port.info.default_route = true;
	expect("use", NIC_VERDICT_WARNING, "default route", "another NIC");
}

static void
test_doctor_device_that_is_to_be_bound(void **state)
{
	struct nic_port port = {.info = {.interface = "eth1", .mtu = 9000}};
	struct nic_device d = {.address = "0000:05:00.0",
		.numa_node = 0,
		.iommu_group = 3,
		.ports = &port,
		.port_count = 1};

	(void)state;
	config.device = &d;
	config.port = &port;
	config.dma = true;
	config.queues = 2;
	expect("nic", NIC_VERDICT_ERROR, "none of the drivers", "--nic INTERFACE");
	snprintf(d.dpdk.name, sizeof(d.dpdk.name), "net_e1000_em");
	expect("nic", NIC_VERDICT_OK, "DPDK's would be net_e1000_em", "");
	expect("link", NIC_VERDICT_OK, "will bring it up", "");
	expect("numa", NIC_VERDICT_WARNING, "on node 0, CPU 1 on node 1", "--core N");
	assert_null(find("mtu"));
	assert_null(find("queues"));
	nic_tree_file(&tree, "/sys/class/net/eth1/queues/rx-0/rps_cpus", "0\n");
	expect("queues", NIC_VERDICT_WARNING, "has 1, 2 are asked for", "fewer --queues");
	nic_tree_file(&tree, "/sys/class/net/eth1/queues/rx-1/rps_cpus", "0\n");
	expect("queues", NIC_VERDICT_OK, "has 2", "");
	d.journal = true;
	expect("journal", NIC_VERDICT_WARNING, "bound by dpfetch", "nic restore 0000:05:00.0");
}

#define NIC "0000:05:00.0"

/* A NIC that is to be bound, as the DPDK driver's. */
static struct nic_device
device_for(const char *dpdk_driver)
{
	struct nic_device d = {.address = NIC, .numa_node = -1, .iommu_group = 3};

	snprintf(d.dpdk.name, sizeof(d.dpdk.name), "%s", dpdk_driver);
	return d;
}

static void
test_doctor_vmxnet3_joins_nothing_and_has_one_queue_in_qemu(void **state)
{
	struct nic_device d = device_for("net_vmxnet3");

	(void)state;
	config.device = &d;
	config.dma = true;
	config.queues = 2;
	assert_null(find("lro"));
	assert_null(find("queues"));
	config.lro = true;
	expect("lro", NIC_VERDICT_OK, "not asked of vmxnet3", "");
	nic_tree_file(&tree, "/sys/class/dmi/id/sys_vendor", "VMware, Inc.\n");
	assert_null(find("queues"));
	nic_tree_file(&tree, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	expect("queues", NIC_VERDICT_WARNING, "first queue only; 2 are", "--queues 1");
	config.queues = 1;
	assert_null(find("queues"));
	config.dma = false;
	assert_null(find("lro"));
}

static void
test_doctor_slot_with_fewer_lanes_than_the_nic_has(void **state)
{
	struct nic_device d = device_for("net_ice");

	(void)state;
	config.device = &d;
	assert_null(find("slot"));
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_width", "8\n");
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/max_link_width", "16\n");
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_speed", "Unknown\n");
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/max_link_speed", "16.0 GT/s PCIe\n");
	assert_null(find("slot")); /* a made-up one */
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_speed", "16.0 GT/s PCIe\n");
	expect("slot", NIC_VERDICT_WARNING, "has 8 PCIe lanes at 16.0 GT/s PCIe, and could use 16",
		"another slot");
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_width", "16\n");
	expect("slot", NIC_VERDICT_OK, "16 PCIe lanes", "");
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_speed", "8.0 GT/s PCIe\n");
	expect("slot", NIC_VERDICT_WARNING, "at 8.0 GT/s", "lspci -vv -s " NIC);
	nic_tree_file(&tree, "/sys/bus/pci/devices/" NIC "/current_link_width", "63\n");
	assert_null(find("slot"));
}

static void
test_doctor_lockdown_without_an_iommu_leaves_no_way(void **state)
{
	struct nic_device d = device_for("net_ice");

	(void)state;
	config.device = &d;
	config.dma = true;
	nic_tree_file(&tree, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_null(find("lockdown"));
	d.iommu_group = -1;
	expect("lockdown", NIC_VERDICT_ERROR, "uio_pci_generic cannot", "intel_iommu=on");
	nic_tree_file(&tree, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	assert_null(find("lockdown"));
}

static void
test_doctor_af_xdp_has_limits_of_its_own(void **state)
{
	struct nic_port port = {
		.info = {.interface = "eth1", .mtu = 1500, .up = true, .carrier = true}};
	struct nic_device d = {.driver = "ixgbe", .numa_node = -1, .iommu_group = -1};
	struct nic_offloads o = {.lro = true};

	(void)state;
	config.device = &d;
	config.port = &port;
	assert_null(find("af_xdp"));
	config.xdp_mtu_max = 3400;
	assert_null(find("af_xdp"));
	port.info.mtu = config.mtu = 9000;
	expect("af_xdp", NIC_VERDICT_ERROR, "the MTU of eth1 is 9000",
		"sudo ip link set eth1 mtu 3400");
	assert_null(find("mtu")); /* which would tell to raise ours */
	port.info.mtu = 1500;
	expect("af_xdp", NIC_VERDICT_ERROR, "9000 is asked for", "--mtu 1500");
	config.mtu = 1500;
	nic_tree_file(&tree, "/sys/class/net/eth1/queues/rx-0/rps_cpus", "0\n");
	assert_null(find("af_xdp"));
	nic_tree_file(&tree, "/sys/class/net/eth1/queues/rx-1/rps_cpus", "0\n");
	expect("af_xdp", NIC_VERDICT_WARNING, "has 2 queues", "sudo ethtool -L eth1 combined 1");
	config.offloads = &o;
	expect("af_xdp", NIC_VERDICT_WARNING, "lro on", "sudo ethtool -K eth1 lro off");
	nic_tree_file(&tree, PAGES "/free_hugepages", "0\n");
	expect("hugepages", NIC_VERDICT_ERROR, "af_xdp cannot work without", "echo 300");
}

static void
test_doctor_member_of_a_bridge_or_bond(void **state)
{
	struct nic_port port = {
		.info = {.interface = "eth1", .mtu = 1500, .up = true, .carrier = true}};
	struct nic_device d = {.driver = "veth", .numa_node = -1, .iommu_group = -1};

	(void)state;
	config.device = &d;
	config.port = &port;
	assert_null(find("member"));
	nic_tree_link(&tree, "/sys/class/net/eth1/master", "../bond7");
	expect("member", NIC_VERDICT_WARNING, "a member of bond7", "--nic bond7");
	nic_tree_file(&tree, "/sys/class/net/eth1/brport/state", "3\n");
	expect("member", NIC_VERDICT_WARNING, "a port of the bridge bond7",
		"sudo ip link set eth1 nomaster");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor_list_of_cpus),
		TEST(test_doctor_hugepages_are_those_of_the_node),
		TEST(test_doctor_hugepages_are_a_must_without_an_iommu),
		TEST(test_doctor_fix_reserves_what_is_missing),
		TEST(test_doctor_memlock_must_hold_the_buffers_of_a_bound_nic),
		TEST(test_doctor_iommu_and_module),
		TEST(test_doctor_cpu_is_isolated_fast_and_alone),
		TEST(test_doctor_interrupts_of_devices_on_the_poll_core),
		TEST(test_doctor_clock_and_host),
		TEST(test_doctor_device_of_the_kernel),
		TEST(test_doctor_device_that_is_to_be_bound),
		TEST(test_doctor_vmxnet3_joins_nothing_and_has_one_queue_in_qemu),
		TEST(test_doctor_slot_with_fewer_lanes_than_the_nic_has),
		TEST(test_doctor_lockdown_without_an_iommu_leaves_no_way),
		TEST(test_doctor_af_xdp_has_limits_of_its_own),
		TEST(test_doctor_member_of_a_bridge_or_bond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
