/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "nic_info.h"

static int
first_cpu(const cpu_set_t *set)
{
	int cpu = 0;

	while (!CPU_ISSET((size_t)cpu, set))
		cpu++;
	return cpu;
}

static void
test_host_cpu_chosen_is_the_last_one_allowed(void **state)
{
	cpu_set_t all, one;
	int cpu, first;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(nic_cpu_allowed_count(), CPU_COUNT(&all));
	cpu = nic_cpu_choose(-1);
	assert_true(cpu >= 0 && CPU_ISSET((size_t)cpu, &all));
	for (cpu++; cpu < CPU_SETSIZE; cpu++)
		assert_false(CPU_ISSET((size_t)cpu, &all));
	first = first_cpu(&all);
	CPU_ZERO(&one);
	CPU_SET((size_t)first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(nic_cpu_choose(-1), first);
	assert_int_equal(nic_cpu_allowed_count(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void
test_host_cpu_chosen_for_a_node_is_on_it_or_anywhere(void **state)
{
	int any = nic_cpu_choose(-1), node = nic_cpu_node(any);

	(void)state;
	if (node >= 0)
		assert_int_equal(nic_cpu_choose(node), any);
	assert_int_equal(nic_cpu_choose(1000), any);
	assert_int_equal(nic_cpu_node(1 << 20), -1);
}

static void
take_value(const char *line, const char *key, unsigned long long *ret)
{
	if (strncmp(line, key, strlen(key)) == 0)
		*ret = strtoull(line + strlen(key), NULL, 10);
}

/* As /proc/meminfo counts the pages of the default size. */
static uint64_t
free_by_meminfo(void)
{
	unsigned long long pages = 0, kilobytes = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		take_value(line, "HugePages_Free:", &pages);
		take_value(line, "Hugepagesize:", &kilobytes);
	}
	(void)fclose(file);
	return pages * kilobytes * 1024;
}

static void
test_host_free_hugepages_agree_with_meminfo(void **state)
{
	uint64_t before, counted, after;

	(void)state;
	/* Other programs may take and return pages while we look. */
	do {
		before = free_by_meminfo();
		counted = nic_hugepages_free(-1);
		after = free_by_meminfo();
	} while (before != after);
	assert_true(counted >= before);
	assert_true(nic_hugepages_free(0) <= counted || before != free_by_meminfo());
	assert_int_equal(nic_hugepages_free(1000), 0);
}

/* Takes a capability from this process, which may take it back; *ret_before: had it. */
static void
set_capability(unsigned int number, bool on, bool *ret_before)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	*ret_before = (data[0].effective >> number & 1U) != 0;
	data[0].effective &= ~(1U << number);
	data[0].effective |= (on ? 1U : 0U) << number;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void
test_host_memlock_limit_binds_who_lacks_the_capability(void **state)
{
	struct rlimit before, small;
	uint64_t bytes = 77;
	bool had, unused;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	set_capability(CAP_IPC_LOCK, false, &had);
	small = before;
	small.rlim_cur = 65536 < before.rlim_max ? 65536 : before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &small), 0);
	assert_true(nic_memlock_limit(&bytes));
	assert_int_equal(bytes, small.rlim_cur);
	if (had) {
		set_capability(CAP_IPC_LOCK, true, &unused);
		assert_false(nic_memlock_limit(&bytes));
	}
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_cpu_chosen_is_the_last_one_allowed),
		cmocka_unit_test(test_host_cpu_chosen_for_a_node_is_on_it_or_anywhere),
		cmocka_unit_test(test_host_free_hugepages_agree_with_meminfo),
		cmocka_unit_test(test_host_memlock_limit_binds_who_lacks_the_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
