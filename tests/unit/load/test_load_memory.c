/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "load.h"
#include "test_alloc.h"

/* A transport that nothing is asked of. */
static const struct transport_ops ops;

static void
test_create_without_memory_returns_null(void **unused)
{
	const struct load_target target[2] = {
		{.remote.family = 4, .request = "x", .request_len = 1, .weight = 1},
		{.remote.family = 6, .request = "x", .request_len = 1, .weight = 1},
	};
	struct load_config cfg;
	struct load *l;
	uint32_t nth;

	(void)unused;
	load_config_defaults(&cfg);
	cfg.transport.ops = &ops;
	cfg.target = target;
	cfg.targets = 2;
	cfg.connections = 5;
	for (nth = 1;; nth++) {
		test_alloc_fail_from(nth);
		l = load_create(&cfg);
		if (!test_alloc_failed())
			break;
		assert_null(l);
		assert_int_equal(test_alloc_live(), 0);
	}
	test_alloc_fail_from(0);
	/* The load, its series, its histogram, the heads, four of the mix, connections, requests, and a parser each. */
	assert_int_equal(nth, 10 + 5 + 1);
	assert_non_null(l);
	assert_int_equal(load_phase(l), LOAD_IDLE);
	load_destroy(l);
	load_destroy(NULL);
	assert_int_equal(test_alloc_live(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_without_memory_returns_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
