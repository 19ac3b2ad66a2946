/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_common.h>
#include <rte_log.h>

#include "port_log.h"

static void
expect_reason(const char *text, const char *want)
{
	char reason[120];

	port_log_reason(text, reason, sizeof(reason));
	assert_string_equal(reason, want);
}

static void
test_log_reason_is_what_names_the_cause(void **state)
{
	(void)state;
	expect_reason("EAL: Detected CPU lcores: 2\n"
		      "rte_eth_from_packet(): net_af_packet0: frame size exceeds block size!\n"
		      "vdev_probe(): failed to initialize net_af_packet0 device\n"
		      "EAL: Bus (vdev) probe failed.\n",
		"rte_eth_from_packet(): net_af_packet0: frame size exceeds block size!");
	expect_reason("EAL: lcore 77 unavailable\nEAL: invalid core list.\nEAL: third: one\n",
		"EAL: lcore 77 unavailable; EAL: invalid core list");
}

static void
test_log_reason_that_is_fatal_stands_alone(void **state)
{
	(void)state;
	expect_reason("EAL: something: said before\nEAL: FATAL: Cannot init memory\n",
		"Cannot init memory");
	expect_reason("EAL: lcore 77 unavailable\n"
		      "EAL: FATAL: Invalid 'command line' arguments.\n",
		"EAL: lcore 77 unavailable");
}

static void
test_log_without_a_reason_gives_none(void **state)
{
	(void)state;
	expect_reason("", "");
	expect_reason("TELEMETRY: No legacy callbacks, legacy socket not created\n", "");
	expect_reason(
		"\nUsage: dpfetch [options]\n\nEAL common options:\n  -c MASK  text: of it\n", "");
}

static void
test_log_usage_tells_the_option_that_is_not_in_it(void **state)
{
	static char lcores[] = "--lcores=0", frob[] = "--frob=1", dash[] = "-l";
	char *args[] = {dash, lcores, frob};
	const char *usage = "\nUsage: dpfetch [options]\n  --lcores MAP\n";

	(void)state;
	assert_string_equal(port_log_unknown_option(usage, args, 3), "--frob=1");
	assert_null(port_log_unknown_option(usage, args, 2));
	assert_null(port_log_unknown_option("EAL: no such device\n", args, 3));
}

static void
test_log_captures_all_outputs_and_gives_them_back(void **state)
{
	int before = dup(STDOUT_FILENO), out[2];
	struct port_log log;
	char *text, seen[16] = "";

	(void)state;
	assert_int_equal(pipe(out), 0);
	fflush(stdout);
	dup2(out[1], STDOUT_FILENO);
	port_log_begin(&log, true);
	printf("to stdout\n");
	fprintf(stderr, "to stderr\n");
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_EAL, "to the log\n");
	text = port_log_end(&log);
	assert_int_equal(write(STDOUT_FILENO, "after", 5), 5);
	dup2(before, STDOUT_FILENO);
	close(before);
	assert_non_null(text);
	assert_non_null(strstr(text, "to stdout"));
	assert_non_null(strstr(text, "to stderr"));
	assert_non_null(strstr(text, "to the log"));
	free(text);
	assert_int_equal(read(out[0], seen, sizeof(seen) - 1), 5);
	assert_string_equal(seen, "after");
	close(out[0]);
	close(out[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_reason_is_what_names_the_cause),
		cmocka_unit_test(test_log_reason_that_is_fatal_stands_alone),
		cmocka_unit_test(test_log_without_a_reason_gives_none),
		cmocka_unit_test(test_log_usage_tells_the_option_that_is_not_in_it),
		cmocka_unit_test(test_log_captures_all_outputs_and_gives_them_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
