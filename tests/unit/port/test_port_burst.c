/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "eal_fixture.h"
#include "port_fixture.h"
#include "port_priv.h"

/* A port on two rings: what is put on rx comes out of rx_burst, what is sent lands on tx. */
struct fixture {
	struct rte_ring *rx, *tx;
	struct rte_mempool *pool;
	struct counters counters, *of_queue;
	struct port *port;
	struct port_queue *queue;
};

static struct fixture f; /* the EAL starts once in a process */

static int
setup(void **state)
{
	struct port_config cfg;

	(void)state;
	assert_int_equal(eal_fixture_start(NULL, 0), 0);
	f.rx = rte_ring_create("rx", 128, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	f.tx = rte_ring_create("tx", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	f.pool = rte_pktmbuf_pool_create("test", 255, 0, 0, 2176, SOCKET_ID_ANY);
	f.of_queue = &f.counters;
	cfg = port_fixture_config(
		rte_eth_from_rings("net_ring_test", &f.rx, 1, &f.tx, 1, 0), &f.of_queue);
	cfg.rx_held_max = 256;
	cfg.checksum_offload = true;
	f.port = port_fixture_open(&cfg);
	f.queue = port_queue_of(f.port, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(port_close(f.port), 0);
	assert_int_equal(rte_mempool_in_use_count(f.pool), 0);
	return 0;
}

static struct rte_mbuf *
make_mbuf(const char *text)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.pool);
	char *p = rte_pktmbuf_append(m, (uint16_t)strlen(text));

	memcpy(p, text, strlen(text));
	return m;
}

static void
test_rx_burst_passes_data_and_checksum_flags_on(void **state)
{
	struct rte_mbuf *m = make_mbuf("hello");
	struct frame frames[4];

	(void)state;
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	rte_ring_enqueue(f.rx, m);
	assert_int_equal(port_rx_burst(f.queue, frames, 4), 1);
	assert_int_equal(frames[0].len, 5);
	assert_memory_equal(frames[0].data, "hello", 5);
	assert_int_equal(frames[0].flags, FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_BAD);
	assert_null(frames[0].next);
	assert_int_equal(f.queue->held, 1);
	port_release(f.queue, frames[0].owner);
	port_release_flush(f.queue);
	assert_int_equal(f.queue->held, 0);
}

/* rte_mbuf_core.h: NONE is not filled in, but the data are vouched for; virtio says so. */
static void
test_rx_burst_takes_a_checksum_left_out_for_good(void **state)
{
	struct rte_mbuf *m = make_mbuf("hello");
	struct frame frames[4];

	(void)state;
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	rte_ring_enqueue(f.rx, m);
	assert_int_equal(port_rx_burst(f.queue, frames, 4), 1);
	assert_int_equal(frames[0].flags, FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD);
	port_release(f.queue, frames[0].owner);
	port_release_flush(f.queue);
}

static void
test_rx_burst_cuts_a_chain_into_parts_that_free_one_by_one(void **state)
{
	struct rte_mbuf *a = make_mbuf("one "), *b = make_mbuf("two "), *c = make_mbuf("three");
	struct frame frames[4];

	(void)state;
	assert_int_equal(rte_pktmbuf_chain(b, c), 0);
	assert_int_equal(rte_pktmbuf_chain(a, b), 0);
	rte_ring_enqueue(f.rx, a);
	assert_int_equal(port_rx_burst(f.queue, frames, 4), 1);
	assert_memory_equal(frames[0].next->next->data, "three", 5);
	assert_null(frames[0].next->next->next);
	port_release(f.queue, frames[0].next->owner); /* any order */
	port_release(f.queue, frames[0].owner);
	port_release(f.queue, frames[0].next->next->owner);
	port_release_flush(f.queue);
	assert_int_equal(f.queue->held, 0);
	assert_int_equal(rte_mempool_in_use_count(f.pool), 0);
}

/* Two pools take turns, one mbuf has a second holder, one borrows another's bytes. */
static void
test_release_gives_each_mbuf_to_its_own_pool(void **state)
{
	struct rte_mempool *pools[2] = {
		f.pool, rte_pktmbuf_pool_create("other", 63, 0, 0, 2176, SOCKET_ID_ANY)};
	struct rte_mbuf *held = make_mbuf("held"), *clone = rte_pktmbuf_clone(held, f.pool);
	uint32_t i;

	(void)state;
	assert_non_null(pools[1]);
	rte_mbuf_refcnt_update(held, 1);
	port_release(f.queue, held); /* the test's count is left */
	for (i = 0; i < 30; i++)
		port_release(f.queue, rte_pktmbuf_alloc(pools[i / 3 % 2]));
	port_release(f.queue, clone);
	f.queue->held = f.queue->released;
	port_release_flush(f.queue);
	assert_int_equal(rte_mbuf_refcnt_read(held), 1);
	assert_int_equal(rte_mempool_in_use_count(pools[0]), 1);
	assert_int_equal(rte_mempool_in_use_count(pools[1]), 0);
	rte_pktmbuf_free(held);
	rte_mempool_free(pools[1]);
}

static void
test_tx_burst_sends_the_filled_and_keeps_the_others(void **state)
{
	struct tx_frame *frames;
	struct rte_mbuf *m = NULL;
	void *first, *fourth;
	uint32_t n;

	(void)state;
	frames = port_tx_reserve(f.queue, 8, &n);
	assert_int_equal(n, 8);
	first = frames[0].owner;
	fourth = frames[3].owner;
	assert_true(frames[0].room >= 1518);
	memcpy(frames[0].data, "abc", 3);
	frames[0].len = 3;
	frames[1].len = frames[2].len = 60;
	assert_int_equal(port_tx_burst(f.queue, 3), 3);
	assert_ptr_equal(port_tx_reserve(f.queue, 8, &n), frames);
	assert_int_equal(n, 8);
	assert_ptr_equal(frames[3].owner, fourth); /* not sent, so kept */
	assert_ptr_not_equal(frames[0].owner, first);
	assert_int_equal(frames[0].len, 0);
	assert_int_equal(rte_ring_count(f.tx), 3);
	assert_int_equal(rte_ring_dequeue(f.tx, (void **)&m), 0);
	assert_ptr_equal(m, first);
	assert_int_equal(m->pkt_len, 3);
	rte_pktmbuf_free(m);
	while (rte_ring_dequeue(f.tx, (void **)&m) == 0)
		rte_pktmbuf_free(m);
}

static void
test_tx_burst_frees_and_counts_what_the_port_does_not_take(void **state)
{
	struct tx_frame *frames;
	struct rte_mbuf *m = NULL;
	uint32_t i, n;

	(void)state;
	frames = port_tx_reserve(f.queue, 32, &n);
	assert_int_equal(n, 32);
	for (i = 0; i < 32; i++)
		frames[i].len = 60;
	assert_int_equal(port_tx_burst(f.queue, 32), 15); /* the ring holds 15 */
	assert_int_equal(f.counters.value[COUNTER_TX_UNSENT], 17);
	while (rte_ring_dequeue(f.tx, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	assert_int_equal(
		rte_mempool_in_use_count(f.queue->tx_pool), f.queue->reserved - f.queue->spent);
}

/* Others hold the pool's last mbufs (frames that the NIC has not sent yet): what is reserved can be used. */
static void
test_tx_reserve_gives_what_there_is_when_the_pool_is_empty(void **state)
{
	struct rte_mbuf *taken[4096], *m = NULL;
	struct tx_frame *frames;
	uint32_t n, count = 0;
	void *kept;

	(void)state;
	frames = port_tx_reserve(f.queue, 8, &n);
	kept = frames[2].owner;
	frames[0].len = frames[1].len = 60;
	assert_int_equal(port_tx_burst(f.queue, 2), 2);
	while (count < 4096 && (taken[count] = rte_pktmbuf_alloc(f.queue->tx_pool)) != NULL)
		count++;
	frames = port_tx_reserve(f.queue, 8, &n);
	assert_true(n > 0 && n == f.queue->reserved);
	assert_ptr_equal(frames[0].owner, kept);
	frames[0].len = 60;
	assert_int_equal(port_tx_burst(f.queue, 1), 1);
	rte_pktmbuf_free_bulk(taken, count);
	(void)port_tx_reserve(f.queue, 8, &n);
	assert_int_equal(n, 8);
	while (rte_ring_dequeue(f.tx, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	assert_int_equal(rte_mempool_in_use_count(f.queue->tx_pool), f.queue->reserved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rx_burst_passes_data_and_checksum_flags_on),
		cmocka_unit_test(test_rx_burst_takes_a_checksum_left_out_for_good),
		cmocka_unit_test(test_rx_burst_cuts_a_chain_into_parts_that_free_one_by_one),
		cmocka_unit_test(test_release_gives_each_mbuf_to_its_own_pool),
		cmocka_unit_test(test_tx_burst_sends_the_filled_and_keeps_the_others),
		cmocka_unit_test(test_tx_reserve_gives_what_there_is_when_the_pool_is_empty),
		cmocka_unit_test(test_tx_burst_frees_and_counts_what_the_port_does_not_take),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
