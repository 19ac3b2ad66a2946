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

#include "base_time.h"
#include "lasting.h"

static void
write_line(const char *path, const char *line)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fprintf(file, "%s\n", line) > 0);
	assert_int_equal(fclose(file), 0);
}

static bool
equal(const struct siphash_key *a, const struct siphash_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
test_secret_is_the_same_until_a_file_changes(void **state)
{
	char dir[] = "/tmp/lasting-XXXXXX", boot[64], board[64];
	const char *const both[] = {boot, board}, *const one[] = {boot, "/nonexistent"};
	struct siphash_key first, again, other;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(boot, sizeof(boot), "%s/boot", dir);
	snprintf(board, sizeof(board), "%s/board", dir);
	write_line(boot, "8e5b1f06-0d1c-4f5e-a26b-3d4c0a6f2c11");
	write_line(board, "board");
	assert_true(lasting_secret_of(both, 2, &first));
	assert_true(lasting_secret_of(both, 2, &again));
	assert_true(equal(&first, &again));
	assert_true(lasting_secret_of(one, 2, &other)); /* as for one who may not read it */
	assert_false(equal(&first, &other));
	write_line(boot, "8e5b1f06-0d1c-4f5e-a26b-3d4c0a6f2c12");
	assert_true(lasting_secret_of(both, 2, &other));
	assert_false(equal(&first, &other));
	unlink(boot);
	unlink(board);
	rmdir(dir);
}

static void
test_secret_without_any_file_is_a_new_one_each_time(void **state)
{
	const char *const none[] = {"/nonexistent"};
	struct siphash_key first, second;

	(void)state;
	assert_false(lasting_secret_of(none, 1, &first));
	assert_false(lasting_secret_of(none, 1, &second));
	assert_false(equal(&first, &second));
}

static void
test_clock_is_that_of_the_machine(void **state)
{
	int64_t before = lasting_clock_ns();
	double uptime_s = 0;
	FILE *file = fopen("/proc/uptime", "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lf", &uptime_s), 1);
	fclose(file);
	assert_true(uptime_s * 1e9 - (double)before < 10e9);
	assert_true(lasting_clock_ns() >= before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_is_the_same_until_a_file_changes),
		cmocka_unit_test(test_secret_without_any_file_is_a_new_one_each_time),
		cmocka_unit_test(test_clock_is_that_of_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
