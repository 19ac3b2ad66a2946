/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if_packet.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base_payload.h"
#include "eal_fixture.h"
#include "port_priv.h"
#include "port_ring_queue.h"

#define SLOTS 8U
#define LEND_MAX 5U
#define SLOT_BYTES 2048U
#define MBUFS 7U
#define MAC_AT 66U /* where the kernel puts a frame in its slot */

/* A queue on a ring in ordinary memory; the test does the kernel's part. */
struct fx {
	uint8_t *memory;
	int other_end; /* of what is sent */
	int fd;
	uint32_t slots;
	uint32_t head; /* the slot that the kernel would use next */
	struct rte_mempool *pool;
	struct port_ring_queue *ring;
	struct counters counters;
	struct port_queue queue;
};

static void
begin_with(struct fx *f, uint32_t slots, uint32_t lend_max, bool checksums)
{
	struct port_ring_queue_config cfg = {.slots = slots,
		.slot_bytes = SLOT_BYTES,
		.lend_max = lend_max,
		.checksums = checksums};
	int end[2];

	*f = (struct fx){.slots = slots};
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, end), 0);
	f->fd = end[0];
	f->other_end = end[1];
	f->memory = aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)slots * SLOT_BYTES);
	assert_non_null(f->memory);
	memset(f->memory, 0, (size_t)slots * SLOT_BYTES);
	f->pool = rte_pktmbuf_pool_create(
		"ring", MBUFS, 0, 0, SLOT_BYTES + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	assert_non_null(f->pool);
	cfg.fd = f->fd;
	cfg.memory = f->memory;
	cfg.pool = f->pool;
	f->ring = port_ring_queue_create(&cfg);
	assert_non_null(f->ring);
	f->queue = (struct port_queue){.port_id = RTE_MAX_ETHPORTS,
		.burst_max = PORT_BURST_MAX,
		.ring = f->ring,
		.tx_pool = f->pool,
		.counters = &f->counters};
}

static void
begin(struct fx *f, bool checksums)
{
	begin_with(f, SLOTS, LEND_MAX, checksums);
}

static void
finish(struct fx *f)
{
	port_release_flush(&f->queue);
	assert_int_equal(f->queue.held, 0);
	assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
	port_ring_queue_destroy(f->ring);
	rte_mempool_free(f->pool);
	free(f->memory);
	close(f->fd);
	close(f->other_end);
}

static struct tpacket2_hdr *
slot_of(const struct fx *f, uint32_t at)
{
	return (struct tpacket2_hdr *)(void *)(f->memory + (size_t)(at % f->slots) * SLOT_BYTES);
}

/* false: the slot is not the kernel's, and it drops the frame, as packet(7)'s does. */
static bool
arrive(struct fx *f, uint8_t fill, uint32_t len, uint32_t status)
{
	struct tpacket2_hdr *slot = slot_of(f, f->head);

	if (slot->tp_status != TP_STATUS_KERNEL)
		return false;
	*slot = (struct tpacket2_hdr){.tp_status = TP_STATUS_USER | status,
		.tp_len = len,
		.tp_snaplen = RTE_MIN(len, SLOT_BYTES - MAC_AT),
		.tp_mac = MAC_AT,
		.tp_vlan_tci = 7};
	memset((uint8_t *)slot + MAC_AT, fill, slot->tp_snaplen);
	f->head++;
	return true;
}

static void
check_frame(const struct frame *frame, uint8_t fill, uint32_t len)
{
	uint32_t i;

	assert_int_equal(frame->len, len);
	assert_null(frame->next);
	for (i = 0; i < len; i++)
		assert_int_equal(frame->data[i], fill);
}

static struct frame
receive_one(struct fx *f)
{
	struct frame frame;

	assert_int_equal(port_rx_burst(&f->queue, &frame, 1), 1);
	return frame;
}

/* Four frames of 100 bytes, filled with 0 to 3. */
static void
four_arrive(struct fx *f)
{
	uint8_t i;

	for (i = 0; i < 4; i++)
		assert_true(arrive(f, i, 100, 0));
}

static bool
is_lent(const struct fx *f, const struct frame *frame)
{
	return port_ring_queue_owns(f->ring, frame->owner);
}

/* Round and round, the slot of each going back with the next look. */
static void
test_ring_frames_are_lent_where_they_are(void **state)
{
	struct frame frame;
	struct fx f;
	uint32_t i;

	(void)state;
	begin(&f, true);
	for (i = 0; i < 3 * SLOTS + 1; i++) {
		assert_int_equal(port_rx_burst(&f.queue, &frame, 1), 0);
		assert_true(arrive(&f, (uint8_t)i, 60 + i, 0));
		frame = receive_one(&f);
		check_frame(&frame, (uint8_t)i, 60 + i);
		assert_ptr_equal(frame.data, (uint8_t *)slot_of(&f, i) + MAC_AT);
		assert_true(is_lent(&f, &frame));
		port_release(&f.queue, frame.owner);
	}
	assert_int_equal(port_ring_queue_stats(f.ring)->rx_packets, 3 * SLOTS + 1);
	finish(&f);
}

static void
test_ring_takes_no_more_than_asked_for(void **state)
{
	struct frame frames[SLOTS];
	struct fx f;
	uint32_t i;

	(void)state;
	begin(&f, true);
	four_arrive(&f);
	assert_int_equal(port_rx_burst(&f.queue, frames, 3), 3);
	assert_int_equal(port_rx_burst(&f.queue, frames + 3, SLOTS - 3), 1);
	for (i = 0; i < 4; i++) {
		check_frame(&frames[i], (uint8_t)i, 100);
		port_release(&f.queue, frames[i].owner);
	}
	finish(&f);
}

/* In any order; and the kernel gets each slot back, but not before. */
static void
test_ring_slot_is_the_kernels_again_once_released(void **state)
{
	struct frame frames[4];
	struct fx f;
	uint32_t i;

	(void)state;
	begin(&f, true);
	four_arrive(&f);
	assert_int_equal(port_rx_burst(&f.queue, frames, 4), 4);
	port_release(&f.queue, frames[2].owner);
	port_release_flush(&f.queue);
	for (i = 0; i < 4; i++)
		assert_int_equal(slot_of(&f, i)->tp_status == TP_STATUS_KERNEL, i == 2);
	for (i = 0; i < 4; i++) {
		if (i != 2)
			port_release(&f.queue, frames[i].owner);
	}
	port_release_flush(&f.queue);
	for (i = 0; i < 4; i++)
		assert_int_equal(slot_of(&f, i)->tp_status, TP_STATUS_KERNEL);
	finish(&f);
}

/* So that those on their way find slots while the oldest is still out. */
static void
test_ring_frames_are_copied_while_an_old_one_is_out(void **state)
{
	struct frame old, frame;
	struct fx f;
	uint32_t i;

	(void)state;
	begin(&f, true);
	assert_true(arrive(&f, 0xaa, 100, 0));
	old = receive_one(&f);
	for (i = 1; i < SLOTS; i++) {
		assert_true(arrive(&f, (uint8_t)i, 200, 0));
		frame = receive_one(&f);
		check_frame(&frame, (uint8_t)i, 200);
		assert_int_equal(is_lent(&f, &frame), i < LEND_MAX);
		port_release(&f.queue, frame.owner);
		port_release_flush(&f.queue);
	}
	assert_false(arrive(&f, 1, 200, 0)); /* the kernel has come to the old one's slot */
	assert_int_equal(port_rx_burst(&f.queue, &frame, 1), 0);
	check_frame(&old, 0xaa, 100);
	port_release(&f.queue, old.owner);
	port_release_flush(&f.queue);
	assert_true(arrive(&f, 2, 200, 0));
	frame = receive_one(&f);
	assert_true(is_lent(&f, &frame));
	check_frame(&frame, 2, 200);
	port_release(&f.queue, frame.owner);
	finish(&f);
}

/* It waits in its slot, and is not counted again and again. */
static void
test_ring_frame_that_finds_no_mbuf_is_not_lost(void **state)
{
	struct rte_mbuf *taken[MBUFS];
	struct frame lent[LEND_MAX], frame;
	struct fx f;
	uint32_t i;

	(void)state;
	begin(&f, true);
	assert_int_equal(rte_pktmbuf_alloc_bulk(f.pool, taken, MBUFS), 0);
	for (i = 0; i <= LEND_MAX; i++)
		assert_true(arrive(&f, (uint8_t)i, 100, 0));
	assert_int_equal(port_rx_burst(&f.queue, lent, LEND_MAX), LEND_MAX);
	for (i = 0; i < 3; i++)
		assert_int_equal(port_rx_burst(&f.queue, &frame, 1), 0);
	assert_int_equal(port_ring_queue_stats(f.ring)->rx_no_mbuf, 1);
	rte_pktmbuf_free_bulk(taken, MBUFS);
	frame = receive_one(&f);
	check_frame(&frame, LEND_MAX, 100);
	assert_false(is_lent(&f, &frame));
	port_release(&f.queue, frame.owner);
	for (i = 0; i < LEND_MAX; i++)
		port_release(&f.queue, lent[i].owner);
	finish(&f);
}

static void
test_ring_bytes_that_stay_move_to_an_mbuf(void **state)
{
	struct frame frame;
	struct payload p;
	struct fx f;

	(void)state;
	begin(&f, true);
	assert_true(arrive(&f, 0x5c, 1000, 0));
	frame = receive_one(&f);
	p = (struct payload){frame.data + 66, 900, frame.owner};
	assert_true(port_keep(&f.queue, &p));
	assert_false(port_ring_queue_owns(f.ring, p.owner));
	assert_int_equal(p.len, 900);
	check_frame(&frame, 0x5c, 1000); /* whose turn it is still may look at it */
	port_release_flush(&f.queue);
	assert_int_equal(slot_of(&f, 0)->tp_status, TP_STATUS_KERNEL);
	memset(f.memory, 0, SLOT_BYTES);
	assert_int_equal(p.data[0], 0x5c);
	assert_int_equal(p.data[899], 0x5c);
	assert_int_equal(f.queue.held, 1);
	assert_true(port_keep(&f.queue, &p)); /* that may stay */
	assert_int_equal(rte_mempool_in_use_count(f.pool), 1);
	port_release(&f.queue, p.owner);
	finish(&f);
}

static void
test_ring_bytes_that_find_no_mbuf_may_not_stay(void **state)
{
	struct rte_mbuf *taken[MBUFS];
	struct frame frame;
	struct payload p;
	struct fx f;

	(void)state;
	begin(&f, true);
	assert_true(arrive(&f, 1, 100, 0));
	frame = receive_one(&f);
	p = (struct payload){frame.data, 100, frame.owner};
	assert_int_equal(rte_pktmbuf_alloc_bulk(f.pool, taken, MBUFS), 0);
	assert_false(port_keep(&f.queue, &p));
	assert_ptr_equal(p.owner, frame.owner);
	assert_ptr_equal(p.data, frame.data);
	rte_pktmbuf_free_bulk(taken, MBUFS);
	port_release(&f.queue, p.owner);
	finish(&f);
}

/* The kernel writes to what is its own at once. */
static void
overwrite_free_slots(const struct fx *f)
{
	uint32_t i;

	for (i = 0; i < f->slots; i++) {
		if (slot_of(f, i)->tp_status == TP_STATUS_KERNEL)
			memset((uint8_t *)slot_of(f, i) + MAC_AT, 0, SLOT_BYTES - MAC_AT);
	}
}

/* More than a batch, slots and mbufs mixed: the last one released may still be looked at. */
static void
test_ring_many_are_released_in_batches(void **state)
{
	struct frame frame[PORT_BURST_MAX];
	struct payload p;
	struct fx f;
	uint32_t i;

	(void)state;
	begin_with(&f, 2 * PORT_BURST_MAX, 2 * PORT_BURST_MAX, true);
	for (i = 0; i < PORT_BURST_MAX; i++)
		assert_true(arrive(&f, (uint8_t)(i + 1), 100, 0));
	assert_int_equal(port_rx_burst(&f.queue, frame, PORT_BURST_MAX), PORT_BURST_MAX);
	for (i = 0; i < PORT_BURST_MAX; i++) {
		p = (struct payload){frame[i].data, 50, frame[i].owner};
		if (i % 16 == 0) /* of these both the slot and the mbuf */
			assert_true(port_keep(&f.queue, &p));
		port_release(&f.queue, p.owner);
		overwrite_free_slots(&f);
		if (i % 16 != 0)
			check_frame(&frame[i], (uint8_t)(i + 1), 100);
	}
	assert_int_equal(f.queue.released, 4); /* so there was a whole batch */
	finish(&f);
}

static void
test_ring_believes_checksums_only_where_it_may(void **state)
{
	static const struct {
		uint32_t status, expected;
	} cases[] = {{0, 0}, {TP_STATUS_CSUMNOTREADY, FRAME_L4_CSUM_GOOD},
		{TP_STATUS_CSUM_VALID, 0}, {TP_STATUS_LOSING, 0}};
	struct frame frame;
	struct fx f;
	size_t i, believes;

	(void)state;
	for (believes = 0; believes < 2; believes++) {
		begin(&f, believes);
		for (i = 0; i < RTE_DIM(cases); i++) {
			assert_true(arrive(&f, 1, 100, cases[i].status));
			frame = receive_one(&f);
			assert_int_equal(frame.flags, believes ? cases[i].expected : 0);
			port_release(&f.queue, frame.owner);
		}
		finish(&f);
	}
}

static void
test_ring_tells_of_a_tag_that_the_kernel_took_out(void **state)
{
	struct frame frame;
	struct fx f;

	(void)state;
	begin(&f, true);
	assert_true(arrive(&f, 1, 100, TP_STATUS_VLAN_VALID));
	frame = receive_one(&f);
	assert_int_equal(frame.flags, FRAME_VLAN_STRIPPED);
	assert_int_equal(frame.vlan_tci, 7);
	port_release(&f.queue, frame.owner);
	finish(&f);
}

/* Its IP header tells the netstack that it is cut short. */
static void
test_ring_frame_that_is_longer_than_its_slot_ends_there(void **state)
{
	struct frame frame;
	struct fx f;

	(void)state;
	begin(&f, true);
	assert_true(arrive(&f, 9, 60000, 0));
	frame = receive_one(&f);
	check_frame(&frame, 9, SLOT_BYTES - MAC_AT);
	port_release(&f.queue, frame.owner);
	finish(&f);
}

static void
test_ring_sends_what_the_socket_takes(void **state)
{
	struct tx_frame *tx;
	uint8_t got[64];
	uint32_t n, i;
	struct fx f;

	(void)state;
	begin(&f, true);
	tx = port_tx_reserve(&f.queue, 3, &n);
	assert_int_equal(n, 3);
	for (i = 0; i < n; i++) {
		memset(tx[i].data, (int)i + 1, 40 + i);
		tx[i].len = 40 + i;
	}
	assert_int_equal(port_tx_burst(&f.queue, 3), 3);
	for (i = 0; i < n; i++) {
		assert_int_equal(recv(f.other_end, got, sizeof(got), MSG_DONTWAIT), 40 + i);
		assert_int_equal(got[0], i + 1);
	}
	assert_int_equal(port_ring_queue_stats(f.ring)->tx_packets, 3);
	assert_int_equal(port_ring_queue_stats(f.ring)->tx_bytes, 123);
	port_tx_give_back(&f.queue);
	finish(&f);
}

static int
start_eal(void **state)
{
	(void)state;
	return eal_fixture_start(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_frames_are_lent_where_they_are),
		cmocka_unit_test(test_ring_takes_no_more_than_asked_for),
		cmocka_unit_test(test_ring_slot_is_the_kernels_again_once_released),
		cmocka_unit_test(test_ring_frames_are_copied_while_an_old_one_is_out),
		cmocka_unit_test(test_ring_frame_that_finds_no_mbuf_is_not_lost),
		cmocka_unit_test(test_ring_bytes_that_stay_move_to_an_mbuf),
		cmocka_unit_test(test_ring_bytes_that_find_no_mbuf_may_not_stay),
		cmocka_unit_test(test_ring_many_are_released_in_batches),
		cmocka_unit_test(test_ring_believes_checksums_only_where_it_may),
		cmocka_unit_test(test_ring_tells_of_a_tag_that_the_kernel_took_out),
		cmocka_unit_test(test_ring_frame_that_is_longer_than_its_slot_ends_there),
		cmocka_unit_test(test_ring_sends_what_the_socket_takes),
	};

	return cmocka_run_group_tests(tests, start_eal, NULL);
}
