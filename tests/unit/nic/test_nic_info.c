/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "nic_info.h"

#define TAP "dpfnic0"
#define BRIDGE "dpfnicbr0"

/* A network namespace of the test's own with one tap interface; without root there is none. */
struct lab {
	bool made;
	int tap; /* keeps the interface alive */
	int control; /* for ioctl */
};

static int
request(const struct lab *lab, unsigned long code, const char *name, struct ifreq *req)
{
	(void)snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", name);
	return ioctl(lab->control, code, req);
}

static struct sockaddr
ipv4(uint32_t address)
{
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	struct sockaddr ret;

	memcpy(&ret, &in, sizeof(ret));
	return ret;
}

static bool
make_namespace(void)
{
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       /* /sys shows the namespace in which it was mounted. */
	       mount("sysfs", "/sys", "sysfs", 0, NULL) == 0;
}

static bool
make_tap(struct lab *lab)
{
	struct ifreq req = {.ifr_name = TAP, .ifr_flags = IFF_TAP | IFF_NO_PI};

	lab->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	return lab->tap >= 0 && ioctl(lab->tap, TUNSETIFF, &req) == 0;
}

static int
make_lab(void **state)
{
	static struct lab lab = {.tap = -1, .control = -1};

	*state = &lab;
	lab.made = make_namespace() && make_tap(&lab);
	lab.control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return 0;
}

static int
remove_lab(void **state)
{
	struct lab *lab = *state;

	if (lab->tap >= 0)
		close(lab->tap);
	close(lab->control);
	return 0;
}

static void
need(const struct lab *lab)
{
	if (lab->made)
		return;
	print_message("skipped: cannot make a network namespace and a tap (not root?)\n");
	skip();
}

static void
set_up(const struct lab *lab, const char *name)
{
	struct ifreq req = {.ifr_flags = IFF_UP};

	assert_int_equal(request(lab, SIOCSIFFLAGS, name, &req), 0);
}

static void
set_address(const struct lab *lab, const char *name, uint32_t address)
{
	struct ifreq req = {.ifr_addr = ipv4(address)};

	assert_int_equal(request(lab, SIOCSIFADDR, name, &req), 0);
}

static int
change_default_route(const struct lab *lab, unsigned long code, char *name)
{
	struct rtentry route = {
		.rt_dst = ipv4(0), .rt_genmask = ipv4(0), .rt_flags = RTF_UP, .rt_dev = name};

	return ioctl(lab->control, code, &route);
}

static void
test_info_interface_has_the_facts_that_it_was_given(void **state)
{
	static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	const struct lab *lab = *state;
	struct ifreq req = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	struct nic_info info;

	need(lab);
	memcpy(req.ifr_hwaddr.sa_data, mac, sizeof(mac));
	assert_int_equal(request(lab, SIOCSIFHWADDR, TAP, &req), 0);
	req = (struct ifreq){.ifr_mtu = 1432};
	assert_int_equal(request(lab, SIOCSIFMTU, TAP, &req), 0);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_string_equal(info.interface, TAP);
	assert_string_equal(info.driver, "tun");
	assert_string_equal(info.pci_address, "");
	assert_memory_equal(info.mac, mac, sizeof(mac));
	assert_int_equal(info.mtu, 1432);
	assert_int_equal(info.numa_node, -1);
	assert_false(info.up);
	assert_false(info.default_route);
	set_up(lab, TAP);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_true(info.up);
}

static void
test_info_default_route_is_seen_on_its_interface_only(void **state)
{
	const struct lab *lab = *state;
	char tap[] = TAP;
	struct nic_info info;

	need(lab);
	set_up(lab, TAP);
	assert_int_equal(change_default_route(lab, SIOCADDRT, tap), 0);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_true(info.default_route);
	assert_int_equal(nic_info_find("lo", &info), 0);
	assert_false(info.default_route);
	assert_int_equal(change_default_route(lab, SIOCDELRT, tap), 0);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_false(info.default_route);
}

static void
test_info_default_route_of_a_bridge_is_seen_on_its_port(void **state)
{
	const struct lab *lab = *state;
	char bridge[] = BRIDGE;
	struct ifreq req = {0};
	struct nic_info info;

	need(lab);
	if (ioctl(lab->control, SIOCBRADDBR, bridge) < 0) {
		print_message("skipped: this kernel has no bridge\n");
		skip();
	}
	req.ifr_ifindex = (int)if_nametoindex(TAP);
	assert_int_equal(request(lab, SIOCBRADDIF, BRIDGE, &req), 0);
	set_up(lab, TAP);
	set_up(lab, BRIDGE);
	assert_int_equal(change_default_route(lab, SIOCADDRT, bridge), 0);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_true(info.default_route);
	assert_int_equal(change_default_route(lab, SIOCDELRT, bridge), 0);
	assert_int_equal(nic_info_find(TAP, &info), 0);
	assert_false(info.default_route);
}

static void
test_info_kernel_owns_its_addresses_and_no_others(void **state)
{
	const struct lab *lab = *state;
	char interface[NIC_NAME_MAX] = "untouched";

	need(lab);
	assert_int_equal(nic_kernel_owns_address(0xc6120009, interface), 0);
	assert_string_equal(interface, "untouched");
	set_address(lab, TAP, 0xc6120009); /* 198.18.0.9 */
	assert_int_equal(nic_kernel_owns_address(0xc6120009, interface), 1);
	assert_string_equal(interface, TAP);
	assert_int_equal(nic_kernel_owns_address(0xc612000a, interface), 0);
}

static void
test_info_unknown_names_are_told_apart_from_other_forms(void **state)
{
	static const char *const vdevs[] = {"", "net_tap0,iface=x", "a/b", "..", "with space",
		"much-too-long-for-an-interface"};
	struct nic_info info = {.mtu = 77};
	size_t i;

	(void)state;
	assert_int_equal(nic_info_find("dpfnone", &info), -ENODEV);
	assert_int_equal(nic_info_find("ffff:ff:1f.7", &info), -ENODEV);
	for (i = 0; i < sizeof(vdevs) / sizeof(vdevs[0]); i++)
		assert_int_equal(nic_info_find(vdevs[i], &info), -EINVAL);
	assert_int_equal(info.mtu, 77);
}

/* In the namespace that the machine's own NIC is in; so before make_lab. */
static void
test_info_pci_nic_is_found_by_name_and_by_address(void **state)
{
	struct if_nameindex *list = if_nameindex(), *at;
	struct nic_info by_name = {0}, by_address = {0};
	bool found = false;

	(void)state;
	assert_non_null(list);
	for (at = list; at->if_index != 0 && !found; at++)
		found = nic_info_find(at->if_name, &by_name) == 0 && by_name.pci_address[0] != '\0';
	if_freenameindex(list);
	if (!found) {
		print_message("skipped: no interface on a PCI NIC here\n");
		skip();
	}
	assert_int_equal(nic_info_find(by_name.pci_address, &by_address), 0);
	assert_string_equal(by_address.pci_address, by_name.pci_address);
	assert_string_not_equal(by_address.interface, "");
	assert_string_not_equal(by_address.driver, "");
	assert_int_equal(by_address.numa_node, by_name.numa_node);
}

int
main(void)
{
	const struct CMUnitTest here[] = {
		cmocka_unit_test(test_info_pci_nic_is_found_by_name_and_by_address),
		cmocka_unit_test(test_info_unknown_names_are_told_apart_from_other_forms),
	};
	const struct CMUnitTest in_lab[] = {
		cmocka_unit_test(test_info_interface_has_the_facts_that_it_was_given),
		cmocka_unit_test(test_info_default_route_is_seen_on_its_interface_only),
		cmocka_unit_test(test_info_kernel_owns_its_addresses_and_no_others),
		cmocka_unit_test(test_info_default_route_of_a_bridge_is_seen_on_its_port),
	};
	int failed = cmocka_run_group_tests(here, NULL, NULL);

	return failed + cmocka_run_group_tests(in_lab, make_lab, remove_lab);
}
