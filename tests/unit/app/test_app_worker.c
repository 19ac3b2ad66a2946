/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker.h"

static void
test_worker_takes_fewer_jumbo_frames_at_once(void **state)
{
	(void)state;
	assert_int_equal(worker_rx_burst(576), 32);
	assert_int_equal(worker_rx_burst(1500), 32);
	assert_int_equal(worker_rx_burst(4096), 32);
	assert_int_equal(worker_rx_burst(9000), 14);
	assert_int_equal(worker_rx_burst(65535), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_takes_fewer_jumbo_frames_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
