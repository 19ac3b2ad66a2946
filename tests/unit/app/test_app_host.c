/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "exit_code.h"
#include "host.h"

/* What a check said on standard error, and its result. */
struct said {
	int code;
	char text[512];
};

static struct said
check(int core_node, int nic_node, bool strict)
{
	const struct message_level level = {.errors = true, .notes = true};
	int before = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	struct said s = {0};
	size_t len;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	s.code = host_check_numa(&level, 5, core_node, nic_node, strict);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(file);
	len = fread(s.text, 1, sizeof(s.text) - 1, file);
	s.text[len] = '\0';
	fclose(file);
	return s;
}

static void
test_host_core_on_the_nics_node_is_silent(void **state)
{
	(void)state;
	assert_string_equal(check(1, 1, true).text, "");
	assert_int_equal(check(1, 1, true).code, 0);
	assert_string_equal(check(-1, 1, true).text, "");
	assert_string_equal(check(0, -1, true).text, "");
}

static void
test_host_core_on_another_node_is_warned_of(void **state)
{
	struct said s = check(0, 1, false);

	(void)state;
	assert_int_equal(s.code, 0);
	assert_non_null(strstr(s.text, "warning"));
	assert_non_null(strstr(s.text, "CPU 5 is on NUMA node 0"));
	assert_non_null(strstr(s.text, "core of node 1"));
}

static void
test_host_core_on_another_node_fails_with_strict_numa(void **state)
{
	struct said s = check(0, 1, true);

	(void)state;
	assert_int_equal(s.code, EXIT_CODE_NUMA);
	assert_non_null(strstr(s.text, "--strict-numa"));
	assert_non_null(strstr(s.text, "core of node 1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_core_on_the_nics_node_is_silent),
		cmocka_unit_test(test_host_core_on_another_node_is_warned_of),
		cmocka_unit_test(test_host_core_on_another_node_fails_with_strict_numa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
