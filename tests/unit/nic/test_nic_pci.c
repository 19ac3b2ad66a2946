/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic_info.h"

static void
test_pci_address_forms_are_normalised(void **state)
{
	static const struct {
		const char *text, *want;
	} forms[] = {
		{"0000:3b:00.0", "0000:3b:00.0"},
		{"3b:00.0", "0000:3b:00.0"},
		{"3B:1F.7", "0000:3b:1f.7"},
		{"0:3:0.1", "0000:03:00.1"},
		{"ABCD:ff:1f.7", "abcd:ff:1f.7"},
		{"10000:01:00.0", "10000:01:00.0"},
	};
	char address[NIC_NAME_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_true(nic_pci_address_parse(forms[i].text, address));
		assert_string_equal(address, forms[i].want);
	}
}

static void
test_pci_address_anything_else_is_refused_and_leaves_the_result(void **state)
{
	static const char *const texts[] = {"", "eth0", "3b:00", "3b:00.", "3b:00.8", "3b:20.0",
		"3b:00.0 ", " 3b:00.0", "3b:00.0,arg=1", "-3b:00.0", "+3b:00.0", "0x3b:00.0",
		"03b:00.0", "3b:000.0", "3b:00.00", "0000:3b:00.0:", "0000::3b:00.0", "3b:g0.0",
		"123456789:3b:00.0", "0000:3b:00:0", "net_tap0", "00:11:22:33:44:55"};
	char address[NIC_NAME_MAX] = "untouched";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (nic_pci_address_parse(texts[i], address))
			fail_msg("'%s' was taken for %s", texts[i], address);
	}
	assert_string_equal(address, "untouched");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci_address_forms_are_normalised),
		cmocka_unit_test(test_pci_address_anything_else_is_refused_and_leaves_the_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
