/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "probe_spread.h"

static void
test_spread_by_chance_is_even(void **state)
{
	uint32_t trial, queues, i, flows;

	(void)state;
	srandom(1);
	for (trial = 0; trial < 2000; trial++) {
		struct probe_spread s = {.queues = 2 + trial % 15};

		queues = s.queues;
		flows = probe_spread_flows(queues);
		for (i = 0; i < flows; i++)
			s.flows[(uint32_t)random() % queues]++;
		assert_true(probe_spread_is_even(&s));
	}
}

static void
test_spread_that_leaves_a_queue_out_or_prefers_one_is_not(void **state)
{
	const struct probe_spread out = {.queues = 4, .flows = {170, 170, 172, 0}};
	const struct probe_spread one = {.queues = 2, .flows = {256, 0}};
	const struct probe_spread preferred = {.queues = 4, .flows = {300, 70, 71, 71}};
	const struct probe_spread little = {.queues = 4, .flows = {150, 150, 150, 62}};
	const struct probe_spread nothing = {.queues = 4};

	(void)state;
	assert_false(probe_spread_is_even(&out));
	assert_false(probe_spread_is_even(&one));
	assert_false(probe_spread_is_even(&preferred));
	assert_false(probe_spread_is_even(&little));
	assert_false(probe_spread_is_even(&nothing));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread_by_chance_is_even),
		cmocka_unit_test(test_spread_that_leaves_a_queue_out_or_prefers_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
