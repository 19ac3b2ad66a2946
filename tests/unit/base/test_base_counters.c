/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_counters.h"

static void
test_counters_every_one_has_a_unique_name_and_a_help_line(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < COUNTER_COUNT; i++) {
		assert_true(strlen(counter_help((enum counter_id)i)) > 10);
		for (j = 0; j < i; j++)
			assert_string_not_equal(
				counter_name((enum counter_id)i), counter_name((enum counter_id)j));
	}
}

static void
test_counters_drop_reason_counts_under_its_own_counter(void **state)
{
	struct counters c = {0};

	(void)state;
	counter_drop(&c, DROP_NONE);
	counter_drop(&c, DROP_IP_CHECKSUM);
	assert_int_equal(c.value[COUNTER_DROP_IP_CHECKSUM], 1);
	assert_string_equal(counter_name(counter_of_drop(DROP_TCP_PAWS)), "drop_tcp_paws");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_every_one_has_a_unique_name_and_a_help_line),
		cmocka_unit_test(test_counters_drop_reason_counts_under_its_own_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
