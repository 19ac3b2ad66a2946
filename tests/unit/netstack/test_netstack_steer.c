/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "netstack_fixture.h"
#include "wire_rss.h"

/* Local ports whose segments arrive on one queue. */

#define CONNECTIONS 200U

static uint8_t key[52];
static uint16_t reta[NETSTACK_STEER_RETA_MAX];
static struct netstack_steer *steer; /* what the netstacks are made with */
static uint16_t queue;
static uint32_t port_first, port_count;

static void
fill(uint16_t queues)
{
	uint32_t i;

	srand(7);
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)rand();
	for (i = 0; i < NETSTACK_STEER_RETA_MAX; i++)
		reta[i] = (uint16_t)((uint32_t)rand() % MAX_OF(queues, 1U));
	port_first = NETSTACK_PORT_FIRST;
	port_count = NETSTACK_PORT_COUNT;
	queue = 0;
}

static struct netstack_steer *
make(enum netstack_steer_kind kind, uint16_t queues, uint32_t reta_size)
{
	const struct netstack_steer_config cfg = {.kind = kind,
		.queues = queues,
		.key = key,
		.key_len = sizeof(key),
		.reta = reta,
		.reta_size = reta_size};

	fill(queues);
	return netstack_steer_create(&cfg);
}

static void
steered(struct netstack_config *cfg)
{
	cfg->connections_max = CONNECTIONS;
	cfg->tcp.rcv_payloads_max = 16;
	cfg->steer = steer;
	cfg->queue = queue;
	cfg->port_first = (uint16_t)port_first;
	cfg->port_count = (uint16_t)port_count;
	test_peer_config_ipv6(cfg);
}

static uint16_t
queue_of(struct netstack_conn *nc)
{
	return netstack_steer_queue(steer, netstack_conn_local(nc), netstack_conn_remote(nc), 80,
		netstack_conn_local_port(nc));
}

/* Two hundred of each worker's: on its queue, and no two with one port. */
static void
expect_all_on_their_queue(uint16_t queues, bool v6)
{
	static uint8_t seen[65536];
	struct test_peer *p;
	uint16_t port;
	uint32_t i;

	memset(seen, 0, sizeof(seen));
	for (queue = 0; queue < queues; queue++) {
		p = fx_new(steered);
		for (i = 0; i < CONNECTIONS; i++) {
			struct netstack_conn *nc = v6 ? fx_connect_ipv6(p) : fx_connect(p);

			port = netstack_conn_local_port(nc);
			assert_int_equal(queue_of(nc), queue);
			assert_int_equal(seen[port]++, 0);
		}
		fx_end(p);
	}
}

TEST(test_steer_by_rss_takes_ports_of_its_queue_alone)
{
	static const struct {
		uint16_t queues;
		uint32_t reta_size;
	} ports[] = {{1, 1}, {2, 128}, {3, 64}, {7, 2048}};
	size_t i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		steer = make(NETSTACK_STEER_RSS, ports[i].queues, ports[i].reta_size);
		assert_non_null(steer);
		expect_all_on_their_queue(ports[i].queues, false);
		expect_all_on_their_queue(ports[i].queues, true);
		netstack_steer_destroy(steer);
	}
}

TEST(test_steer_by_port_takes_every_nth)
{
	steer = make(NETSTACK_STEER_PORT, 3, 0);
	expect_all_on_their_queue(3, false);
	expect_all_on_their_queue(3, true);
	netstack_steer_destroy(steer);
}

/* A queue is that of the NIC's definition: the RETA's entry that the hash's low bits name. */
TEST(test_steer_queue_is_the_entry_of_the_reta_that_the_hash_names)
{
	static struct wire_rss rss;
	const struct ip_address us = {.family = 4, .v4 = TEST_OUR_ADDRESS};
	const struct ip_address them = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	uint32_t port;

	steer = make(NETSTACK_STEER_RSS, 5, 128);
	assert_true(wire_rss_init(&rss, key, sizeof(key)));
	for (port = 0; port < 65536; port += 11)
		assert_int_equal(netstack_steer_queue(steer, &us, &them, 80, (uint16_t)port),
			reta[wire_rss_hash(&rss, &them, &us, 80, (uint16_t)port) % 128]);
	netstack_steer_destroy(steer);
}

/* Few ports, which do not begin at a multiple of 64: all of the queue's are found, and then none. */
static void
expect_every_port_is_found(enum netstack_steer_kind kind)
{
	const struct ip_address us = {.family = 4, .v4 = TEST_OUR_ADDRESS};
	const struct ip_address them = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct netstack_conn *nc;
	struct test_peer *p;
	uint32_t ours = 0, i;

	steer = make(kind, 4, 128);
	port_first = 40003;
	port_count = 301;
	queue = 1;
	for (i = 0; i < port_count; i++)
		ours += netstack_steer_queue(steer, &us, &them, 80, (uint16_t)(port_first + i)) ==
			queue;
	assert_in_range(ours, 1, 300);
	p = fx_new(steered);
	for (i = 0; i < ours; i++)
		assert_int_equal(queue_of(fx_connect(p)), queue);
	assert_int_equal(netstack_connect(p->ns, &them, 80, NULL, p->now_ns, &nc), -EADDRNOTAVAIL);
	/* To another remote end they can be used again, as far as they are the queue's there. */
	nc = fx_connect_to(p, TEST_PEER_ADDRESS, 81);
	assert_int_equal(
		netstack_steer_queue(steer, &us, &them, 81, netstack_conn_local_port(nc)), queue);
	fx_end(p);
	netstack_steer_destroy(steer);
}

TEST(test_steer_exhausts_the_ports_of_its_queue)
{
	expect_every_port_is_found(NETSTACK_STEER_RSS);
	expect_every_port_is_found(NETSTACK_STEER_PORT);
}

TEST(test_steer_config_out_of_range_is_refused)
{
	assert_null(make(NETSTACK_STEER_PORT, 0, 0));
	assert_null(make(NETSTACK_STEER_PORT, NETSTACK_STEER_QUEUES_MAX + 1, 0));
	assert_null(make(NETSTACK_STEER_RSS, 2, 0));
	assert_null(make(NETSTACK_STEER_RSS, 2, 100)); /* no power of two */
	assert_null(make(NETSTACK_STEER_RSS, 2, 2 * NETSTACK_STEER_RETA_MAX));
	fill(3);
	assert_null(netstack_steer_create(&(struct netstack_steer_config){NETSTACK_STEER_RSS, 2,
		key, sizeof(key), reta, 128})); /* the RETA names a third queue */
	fill(2);
	assert_null(netstack_steer_create(&(struct netstack_steer_config){
		NETSTACK_STEER_RSS, 2, key, WIRE_RSS_KEY_MIN - 1, reta, 128}));
}

TEST(test_steer_queue_that_the_port_does_not_have_is_no_config)
{
	struct test_peer p = {0};
	struct netstack_config cfg;

	steer = make(NETSTACK_STEER_PORT, 2, 0);
	test_peer_config(&p, &cfg);
	cfg.steer = steer;
	cfg.queue = 2;
	assert_null(netstack_create(&cfg, 0));
	netstack_steer_destroy(steer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_steer_by_rss_takes_ports_of_its_queue_alone),
		T(test_steer_by_port_takes_every_nth),
		T(test_steer_queue_is_the_entry_of_the_reta_that_the_hash_names),
		T(test_steer_exhausts_the_ports_of_its_queue),
		T(test_steer_config_out_of_range_is_refused),
		T(test_steer_queue_that_the_port_does_not_have_is_no_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
