/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netstack.h"
#include "test_alloc.h"
#include "test_buffer.h"

/* What a netstack's connections take of memory. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

static struct counters counters;
static struct test_buffers buffers;

static struct netstack_config
valid(uint32_t connections)
{
	struct netstack_config cfg;

	netstack_config_defaults(&cfg);
	cfg.address = 1;
	cfg.connections_max = connections;
	cfg.release = test_buffer_release;
	cfg.release_ctx = &buffers;
	cfg.counters = &counters;
	return cfg;
}

/* For a hundred thousand connections: a request of 2 KiB at most, responses of some 10 KiB. */
static struct netstack_config
small(uint32_t connections)
{
	struct netstack_config cfg = valid(connections);

	cfg.tcp.snd_buffer_bytes = 2048;
	cfg.tcp.rcv_payloads_max = 16;
	cfg.tcp.rcv_window_init_bytes = cfg.tcp.rcv_window_max_bytes = 16384;
	cfg.out_of_order_max = connections / 16;
	return cfg;
}

static uint64_t
bytes_of(const struct netstack_config *cfg)
{
	uint64_t before = test_alloc_bytes(), bytes;
	struct netstack *ns = netstack_create(cfg, NS_PER_SEC);

	assert_non_null(ns);
	bytes = test_alloc_bytes() - before;
	netstack_destroy(ns);
	return bytes;
}

/* What does not grow with the number of connections drops out of the difference. Numbers of which
 * neither the table nor the pool is rounded. */
static void assert_exact(struct netstack_config (*make)(uint32_t connections))
{
	const struct netstack_config few = make(64), many = make(1024);
	uint64_t grown = bytes_of(&many) - bytes_of(&few);

	assert_int_equal(grown, 1024 * netstack_bytes_per_connection(&many) -
					64 * netstack_bytes_per_connection(&few));
}

TEST(test_memory_per_connection_is_what_create_allocates)
{
	assert_exact(valid);
	assert_exact(small);
}

TEST(test_memory_of_a_small_connection_is_some_kibibytes)
{
	struct netstack_config cfg = small(1U << 17);

	assert_in_range(netstack_bytes_per_connection(&cfg), 2048, 4096);
	cfg.tcp.snd_buffer_bytes = 1024;
	assert_in_range(netstack_bytes_per_connection(&cfg), 1024, 3072);
}

TEST(test_memory_that_runs_out_makes_no_netstack_and_leaves_nothing)
{
	const struct netstack_config cfg = small(64);
	int64_t before = test_alloc_live();
	struct netstack *ns;
	uint32_t n;

	for (n = 1;; n++) {
		test_alloc_fail_from(n);
		ns = netstack_create(&cfg, NS_PER_SEC);
		assert_int_equal(ns != NULL, !test_alloc_failed());
		netstack_destroy(ns);
		assert_int_equal(test_alloc_live(), before);
		if (ns != NULL)
			break;
	}
	test_alloc_fail_from(0);
	assert_true(n > 5);
}

TEST(test_memory_of_a_config_out_of_range_is_none)
{
	struct netstack_config cfg = valid(8);

	cfg.tcp.rcv_payloads_max = 15;
	assert_null(netstack_create(&cfg, NS_PER_SEC));
	cfg = valid(8);
	cfg.port_first = 65000;
	cfg.port_count = 537;
	assert_null(netstack_create(&cfg, NS_PER_SEC));
	cfg.port_count = 0;
	assert_null(netstack_create(&cfg, NS_PER_SEC));
	cfg = valid(8);
	cfg.address_count = 0;
	assert_null(netstack_create(&cfg, NS_PER_SEC));
	cfg.address_count = 256; /* 0.0.0.1 to 0.0.1.0: two subnets */
	assert_null(netstack_create(&cfg, NS_PER_SEC));
	cfg.address_count = 255;
	assert_int_not_equal(bytes_of(&cfg), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_memory_per_connection_is_what_create_allocates),
		T(test_memory_of_a_small_connection_is_some_kibibytes),
		T(test_memory_that_runs_out_makes_no_netstack_and_leaves_nothing),
		T(test_memory_of_a_config_out_of_range_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
