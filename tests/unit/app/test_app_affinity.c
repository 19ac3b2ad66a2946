/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "affinity.h"

/* The CPUs of this process at the start, and the first two of them. */
static cpu_set_t all;
static int cpu[2];

static int
setup(void **state)
{
	int i, n = 0;

	(void)state;
	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return -1;
	for (i = 0; i < CPU_SETSIZE && n < 2; i++) {
		if (CPU_ISSET((size_t)i, &all))
			cpu[n++] = i;
	}
	if (n < 2)
		cpu[1] = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return sched_setaffinity(0, sizeof(all), &all);
}

static void
allow_only(int a, int b)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)a, &set);
	CPU_SET((size_t)b, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void
need_two_cpus(void)
{
	if (cpu[1] < 0)
		skip();
}

static void
test_affinity_others_are_those_allowed_without_the_polled(void **state)
{
	cpu_set_t others, expected = all;

	(void)state;
	need_two_cpus();
	affinity_others(&cpu[1], 1, &others);
	CPU_CLR((size_t)cpu[1], &expected);
	assert_true(CPU_EQUAL(&others, &expected));
	assert_int_equal(affinity_first(&others), cpu[0]);
}

/* What taskset or a container took away is not given back. */
static void
test_affinity_others_are_within_what_the_process_may_have(void **state)
{
	cpu_set_t others;
	int elsewhere = CPU_SETSIZE - 1;

	(void)state;
	need_two_cpus();
	allow_only(cpu[1], cpu[1]);
	affinity_others(&elsewhere, 1, &others);
	assert_int_equal(CPU_COUNT(&others), 1);
	assert_int_equal(affinity_first(&others), cpu[1]);
}

static void
test_affinity_others_of_workers_everywhere_spare_the_first(void **state)
{
	const int polled[2] = {cpu[1], cpu[0]};
	cpu_set_t others;

	(void)state;
	need_two_cpus();
	allow_only(cpu[0], cpu[1]);
	affinity_others(polled, 2, &others);
	assert_int_equal(CPU_COUNT(&others), 1);
	assert_int_equal(affinity_first(&others), cpu[0]);
}

static void
test_affinity_others_of_the_only_cpu_are_that_one(void **state)
{
	cpu_set_t others;

	(void)state;
	allow_only(cpu[0], cpu[0]);
	affinity_others(cpu, 1, &others);
	assert_int_equal(CPU_COUNT(&others), 1);
	assert_int_equal(affinity_first(&others), cpu[0]);
}

static void
test_affinity_pin_says_whether_it_could(void **state)
{
	cpu_set_t now;

	(void)state;
	assert_int_equal(affinity_pin(cpu[0]), 0);
	assert_int_equal(affinity_pin(CPU_SETSIZE - 1), -EINVAL);
	assert_int_equal(affinity_pin(-1), -EINVAL);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_int_equal(CPU_COUNT(&now), 1);
	assert_int_equal(affinity_first(&now), cpu[0]);
}

static void
test_affinity_keep_to_an_empty_set_changes_nothing(void **state)
{
	cpu_set_t none, now;

	(void)state;
	CPU_ZERO(&none);
	affinity_keep_to(pthread_self(), &none);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&now, &all));
	assert_int_equal(affinity_first(&none), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_affinity_others_are_those_allowed_without_the_polled, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_affinity_others_are_within_what_the_process_may_have, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_affinity_others_of_workers_everywhere_spare_the_first, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_affinity_others_of_the_only_cpu_are_that_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_affinity_pin_says_whether_it_could, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_affinity_keep_to_an_empty_set_changes_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
