/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "settings.h"

/* --queues and --cores: how many workers, and where. */

#define ARGS_MAX 32
#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

/* bench with these options; what settings_check says of them. */
static enum settings_result
check(struct settings *s, char *message, const char *const *options)
{
	static const char *const always[] = {"dpfetch", "bench", "--nic", "eth9", "--address",
		"198.18.0.2/24", "http://198.18.0.1/"};
	char *argv[ARGS_MAX] = {0};
	size_t argc, i;

	for (argc = 0; argc < sizeof(always) / sizeof(always[0]); argc++)
		argv[argc] = (char *)(uintptr_t)always[argc];
	for (i = 0; options[i] != NULL; i++)
		argv[argc++] = (char *)(uintptr_t)options[i];
	message[0] = '\0';
	assert_int_equal(settings_load((int)argc, argv, s, message), SETTINGS_OK);
	return settings_check(s, message);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
expect_queues(const char *const *options, uint32_t queues)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	if (check(&s, message, options) != SETTINGS_OK)
		fail_msg("%s", message);
	assert_int_equal(settings_queues(&s), queues);
	settings_free(&s);
}

static void
expect_wrong(const char *const *options, const char *word)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	assert_int_equal(check(&s, message, options), SETTINGS_USAGE);
	if (strstr(message, word) == NULL)
		fail_msg("no '%s' in: %s", word, message);
	settings_free(&s);
}

TEST(test_queues_are_as_many_as_asked_or_as_cores_or_one)
{
	expect_queues(OPTIONS(NULL), 1);
	expect_queues(OPTIONS("--queues", "4"), 4);
	expect_queues(OPTIONS("--queues", "0"), 1);
	expect_queues(OPTIONS("--cores", "5"), 1);
	expect_queues(OPTIONS("--cores", "0,2,4"), 3);
	expect_queues(OPTIONS("--cores", "0-3", "--queues", "4"), 4);
	expect_queues(OPTIONS("--core", "3", "--queues", "2"), 2);
	expect_queues(OPTIONS("--queues", "64", "-c", "64", "-n", "64"), 64);
}

TEST(test_queues_that_contradict_are_refused)
{
	expect_wrong(OPTIONS("--cores", "1,2", "--queues", "3"), "do not match");
	expect_wrong(OPTIONS("--cores", "1,2", "--core", "3"), "exclude");
	expect_wrong(OPTIONS("--queues", "4", "-c", "3"), "--connections");
	expect_wrong(OPTIONS("--queues", "4", "-n", "3"), "--requests");
	expect_wrong(OPTIONS("--queues", "2", "--address", "dhcp"), "dhcp");
}

TEST(test_cores_are_in_the_order_given)
{
	static const int expected[] = {7, 2, 3, 4, 0};
	struct settings s = {.cores = (char *)(uintptr_t) "7,2-4,0"};
	int cpus[SETTINGS_QUEUES_MAX];
	size_t i;

	assert_int_equal(settings_cores(&s, cpus), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(cpus[i], expected[i]);
	s.cores = NULL;
	assert_int_equal(settings_cores(&s, cpus), 0);
}

TEST(test_cores_malformed_are_refused)
{
	static const char *const lists[] = {"", ",", "1,", ",1", "1,,2", "a", "1a", "1-", "-1",
		"3-2", "1,1", "1-3,2", "1024", "99999999999", "0-64", "1 ,2", "1--2"};
	struct settings s = {0};
	int cpus[SETTINGS_QUEUES_MAX];
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		s.cores = (char *)(uintptr_t)lists[i];
		if (settings_cores(&s, cpus) != -EINVAL)
			fail_msg("taken: '%s'", lists[i]);
	}
	s.cores = (char *)(uintptr_t) "0-63";
	assert_int_equal(settings_cores(&s, cpus), 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_queues_are_as_many_as_asked_or_as_cores_or_one),
		T(test_queues_that_contradict_are_refused),
		T(test_cores_are_in_the_order_given),
		T(test_cores_malformed_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
