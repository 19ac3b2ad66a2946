/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic_route.h"

#define ZERO "00000000000000000000000000000000"
#define GATEWAY "fd000000000000000000000000000001"

static void
test_route_ipv4_default_through_the_interface_matches(void **state)
{
	(void)state;
	assert_true(nic_route_line_ipv4(
		"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n", "eth0"));
	/* Without a gateway, as on a point-to-point link. */
	assert_true(nic_route_line_ipv4(
		"ppp0\t00000000\t00000000\t0001\t0\t0\t100\t00000000\t0\t0\t0\n", "ppp0"));
}

static void
test_route_ipv4_others_do_not_match(void **state)
{
	static const char *const lines[] = {
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n",
		"eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", /* other */
		"eth00\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", /* a subnet */
		"eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n", /* 0.0.0.0/1 */
		"eth0\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n", /* unreachable */
		"eth0\t00000000\t00000000\t0000\t0\t0\t0\t00000000\t0\t0\t0\n", /* not up */
		"eth0\t00000000\t010200C0\t0003\t0\t0\t0\n", /* cut short */
		"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(nic_route_line_ipv4(lines[i], "eth0"));
}

static void
test_route_ipv6_default_through_the_interface_matches(void **state)
{
	(void)state;
	assert_true(nic_route_line_ipv6(ZERO " 00 " ZERO " 00 " GATEWAY
					     " 00000400 00000001 00000000 00000003     eth0\n",
		"eth0"));
}

static void
test_route_ipv6_others_do_not_match(void **state)
{
	static const char *const lines[] = {
		ZERO " 00 " ZERO " 00 " GATEWAY " 00000400 00000001 00000000 00000003 eth1\n",
		GATEWAY " 40 " ZERO " 00 " ZERO " 00000100 00000001 00000000 00000001 eth0\n",
		/* The kernel's "unreachable default" stands on lo. */
		ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200 eth0\n",
		ZERO " 00 " ZERO " 00\n",
		"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(nic_route_line_ipv6(lines[i], "eth0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_ipv4_default_through_the_interface_matches),
		cmocka_unit_test(test_route_ipv4_others_do_not_match),
		cmocka_unit_test(test_route_ipv6_default_through_the_interface_matches),
		cmocka_unit_test(test_route_ipv6_others_do_not_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
