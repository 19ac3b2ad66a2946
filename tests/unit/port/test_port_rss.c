/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "eal_fixture.h"
#include "port_priv.h"

/* Several queues, on net_null, which keeps a key and a RETA as a NIC does, and on net_ring, which has
 * none. */

#define QUEUES 4U

#define TOO_MANY 17U /* net_ring has 16 */

static struct counters counters[TOO_MANY];
static struct counters *of_queue[TOO_MANY];

/* Of a port that is not configured: a driver may say something else once it knows the queues. */
static uint16_t reta_size_before; /* 0: the driver's own */

int __real_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *ret);
int __wrap_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *ret);

int
__wrap_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *ret)
{
	int rc = __real_rte_eth_dev_info_get(port_id, ret);

	if (rc == 0 && ret->nb_rx_queues != QUEUES && reta_size_before > 0)
		ret->reta_size = reta_size_before;
	return rc;
}

static int
start_eal(void **state)
{
	static const char *const more[] = {
		"--vdev=net_null0", "--vdev=net_null1", "--vdev=net_ring0", "--vdev=net_ring1"};
	uint32_t i;

	(void)state;
	for (i = 0; i < TOO_MANY; i++)
		of_queue[i] = &counters[i];
	return eal_fixture_start(more, RTE_DIM(more));
}

static int
try_open(const char *name, uint16_t queues, struct port **ret, char *message)
{
	struct port_config cfg = {.queues = queues,
		.mtu = 1500,
		.rx_held_max = 256,
		.rx_descriptors = 64,
		.tx_descriptors = 64,
		.numa_node = -1,
		.counters = of_queue};

	assert_int_equal(rte_eth_dev_get_port_by_name(name, &cfg.port_id), 0);
	return port_open(&cfg, ret, message);
}

static void
test_port_rss_key_and_reta_are_those_in_force(void **state)
{
	char message[PORT_MESSAGE_MAX];
	struct port_steering s;
	uint32_t i, of[QUEUES] = {0};
	struct port *p;

	(void)state;
	if (try_open("net_null0", QUEUES, &p, message) != 0)
		fail_msg("%s", message);
	port_steering(p, &s);
	assert_int_equal(s.kind, PORT_STEERING_RSS);
	assert_int_equal(s.key_len, 40);
	assert_int_equal(s.key[0], 0x6d); /* the key that it was given */
	assert_int_equal(s.key[39], 0xfa);
	assert_in_range(s.reta_size, 1, PORT_RSS_RETA_MAX);
	for (i = 0; i < s.reta_size; i++) {
		assert_in_range(s.reta[i], 0, QUEUES - 1);
		of[s.reta[i]]++;
	}
	for (i = 0; i < QUEUES; i++)
		assert_int_equal(of[i], s.reta_size / QUEUES);
	assert_int_equal(port_close(p), 0);
}

/* mlx5's table is as large as the number of queues asks for. */
static void
test_port_rss_sizes_are_those_of_the_configured_port(void **state)
{
	char message[PORT_MESSAGE_MAX];
	struct rte_eth_dev_info info;
	struct port_steering s;
	struct port *p;
	int rc;

	(void)state;
	reta_size_before = 512;
	rc = try_open("net_null1", QUEUES, &p, message);
	reta_size_before = 0;
	if (rc != 0)
		fail_msg("%s", message);
	port_steering(p, &s);
	assert_int_equal(rte_eth_dev_info_get(p->cfg.port_id, &info), 0);
	assert_int_equal(s.kind, PORT_STEERING_RSS);
	assert_int_equal(s.reta_size, info.reta_size);
	assert_int_equal(s.key_len, 40);
	assert_int_equal(port_close(p), 0);
}

static void
test_port_rss_of_a_port_that_does_not_hash_is_unknown(void **state)
{
	char message[PORT_MESSAGE_MAX];
	struct port_steering s;
	struct port *p;

	(void)state;
	if (try_open("net_ring0", 1, &p, message) != 0)
		fail_msg("%s", message);
	port_steering(p, &s);
	assert_int_equal(s.kind, PORT_STEERING_UNKNOWN);
	assert_int_equal(port_close(p), 0);
}

static void *
register_thread(void *ctx)
{
	unsigned int *lcore = ctx;

	assert_int_equal(port_thread_register(), 0);
	*lcore = rte_lcore_id();
	port_thread_unregister();
	return NULL;
}

/* Mempool caches go by it. */
static void
test_port_thread_registered_has_a_number_of_its_own(void **state)
{
	unsigned int lcore = LCORE_ID_ANY;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, register_thread, &lcore), 0);
	pthread_join(thread, NULL);
	assert_int_not_equal(lcore, LCORE_ID_ANY);
	assert_int_not_equal(lcore, rte_lcore_id());
}

/* Last: a port that is refused is closed. */
static void
test_port_with_more_queues_than_it_has_says_how_many(void **state)
{
	char message[PORT_MESSAGE_MAX];
	struct port *p;

	(void)state;
	assert_int_equal(try_open("net_ring1", TOO_MANY, &p, message), -ERANGE);
	assert_non_null(strstr(message, "--queues 16"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port_rss_key_and_reta_are_those_in_force),
		cmocka_unit_test(test_port_rss_sizes_are_those_of_the_configured_port),
		cmocka_unit_test(test_port_rss_of_a_port_that_does_not_hash_is_unknown),
		cmocka_unit_test(test_port_thread_registered_has_a_number_of_its_own),
		cmocka_unit_test(test_port_with_more_queues_than_it_has_says_how_many),
	};

	return cmocka_run_group_tests(tests, start_eal, NULL);
}
