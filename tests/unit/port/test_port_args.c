/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "port_args.h"
#include "port_priv.h"

#define MANY 100

static bool
named(const char *nic, const char *option, const char *value)
{
	char first[128], second[128];
	char *user[] = {first, second};
	const struct port_eal_config cfg = {
		.nic = nic, .user_args = user, .user_args_count = value != NULL ? 2 : 1};

	(void)snprintf(first, sizeof(first), "%s", option);
	(void)snprintf(second, sizeof(second), "%s", value != NULL ? value : "");
	return port_args_user_named(&cfg);
}

static void
test_user_named_takes_the_very_device_in_each_spelling(void **state)
{
	(void)state;
	assert_true(named("eth1", "--vdev=net_af_packet5,iface=eth1,qpairs=1", NULL));
	assert_true(named("eth1", "--vdev", "net_af_xdp0,iface=eth1"));
	assert_true(named("net_ring0", "--vdev=net_ring0", NULL));
	assert_true(named("net_null0,size=64", "--vdev", "net_null0,size=64"));
	assert_true(named("3b:00.0", "-a0000:3b:00.0,max-pkts=1", NULL));
	assert_true(named("0000:3b:00.0", "--allow", "3b:00.0"));
	assert_true(named("0000:3b:00.0", "-a", "0000:3b:00.0"));
}

/* A part of a name was enough once, and the device was then never made. */
static void
test_user_named_does_not_take_parts_of_names_or_other_options(void **state)
{
	(void)state;
	assert_false(named("eth1", "--vdev=net_af_packet0,iface=eth10", NULL));
	assert_false(named("eth1", "--vdev=net_af_packet0,xiface=eth1", NULL));
	assert_false(named("eth", "--vdev=net_af_packet0,iface=eth1", NULL));
	assert_false(named("eth1", "--file-prefix=eth1", NULL));
	assert_false(named("eth1", "--file-prefix", "eth1"));
	assert_false(named("net_ring0", "--vdev=net_ring01", NULL));
	assert_false(named("0000:3b:00.0", "-b", "0000:3b:00.0"));
	assert_false(named("0000:3b:00.0", "-a", "0000:3b:00.1"));
	assert_false(named("0000:3b:00.0", "-a", NULL));
}

static void
test_build_passes_all_of_the_users_options_uncut(void **state)
{
	char long_text[4096], *user[MANY], message[PORT_MESSAGE_MAX];
	const struct port_eal_config cfg = {.program = "dpfetch",
		.nic = "net_null0",
		.user_args = user,
		.user_args_count = MANY};
	struct port_args args;
	int i;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (i = 0; i < MANY; i++)
		user[i] = long_text;
	assert_int_equal(port_args_build(&cfg, PORT_NIC_VDEV, &args, message), 0);
	assert_int_equal(args.count, 1 + MANY + 1);
	assert_string_equal(args.item[0], "dpfetch");
	for (i = 1; i <= MANY; i++)
		assert_string_equal(args.item[i], long_text);
	assert_string_equal(args.item[MANY + 1], "--vdev=net_null0");
	assert_null(args.item[args.count]);
	port_args_free(&args);
}

static bool
has(const struct port_args *args, const char *text)
{
	int i;

	for (i = 0; i < args->count; i++) {
		if (strcmp(args->item[i], text) == 0)
			return true;
	}
	return false;
}

static void
test_build_uses_hugepages_only_where_enough_are_free(void **state)
{
	struct port_eal_config cfg = {.program = "dpfetch",
		.nic = "0000:3b:00.0",
		.mtu = 1500,
		.memory_bytes = 64U << 20,
		.hugepage_bytes_free = 144U << 20};
	char message[PORT_MESSAGE_MAX];
	struct port_args args;

	(void)state;
	assert_int_equal(port_args_build(&cfg, PORT_NIC_PCI, &args, message), 0);
	assert_true(has(&args, "--in-memory"));
	assert_true(has(&args, "144"));
	assert_true(has(&args, "0000:3b:00.0"));
	assert_false(has(&args, "--no-pci"));
	port_args_free(&args);
	cfg.hugepage_bytes_free--;
	assert_int_equal(port_args_build(&cfg, PORT_NIC_PCI, &args, message), 0);
	assert_true(has(&args, "--no-huge"));
	assert_false(has(&args, "--in-memory"));
	port_args_free(&args);
}

/* A folder of each process's own: two at a time do not meet, and it can be removed. */
static void
test_build_telemetry_is_off_or_in_a_folder_of_this_process(void **state)
{
	struct port_eal_config cfg = {.program = "dpfetch", .nic = "net_null0", .mtu = 1500};
	char message[PORT_MESSAGE_MAX], prefix[64];
	struct port_args args;

	(void)state;
	snprintf(prefix, sizeof(prefix), "--file-prefix=dpfetch-%d", (int)getpid());
	assert_int_equal(port_args_build(&cfg, PORT_NIC_VDEV, &args, message), 0);
	assert_true(has(&args, "--no-telemetry"));
	assert_false(has(&args, prefix));
	port_args_free(&args);
	cfg.telemetry = true;
	assert_int_equal(port_args_build(&cfg, PORT_NIC_VDEV, &args, message), 0);
	assert_false(has(&args, "--no-telemetry"));
	assert_true(has(&args, prefix));
	port_args_free(&args);
}

static void
test_build_refuses_what_the_device_cannot_do(void **state)
{
	const struct port_eal_config cfg = {
		.program = "dpfetch", .nic = "eth1", .mtu = 9000, .queues = 1};
	char message[PORT_MESSAGE_MAX];
	struct port_args args;

	(void)state;
	assert_int_equal(port_args_build(&cfg, PORT_NIC_AF_XDP, &args, message), -ERANGE);
	assert_non_null(strstr(message, "--mtu"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_named_takes_the_very_device_in_each_spelling),
		cmocka_unit_test(test_user_named_does_not_take_parts_of_names_or_other_options),
		cmocka_unit_test(test_build_passes_all_of_the_users_options_uncut),
		cmocka_unit_test(test_build_uses_hugepages_only_where_enough_are_free),
		cmocka_unit_test(test_build_telemetry_is_off_or_in_a_folder_of_this_process),
		cmocka_unit_test(test_build_refuses_what_the_device_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
