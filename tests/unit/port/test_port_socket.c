/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_net.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>

#include "eal_fixture.h"
#include "port_priv.h"
#include "port_socket.h"

#define SMALL_ROOM 2048U
#define SMALL_ALL (PORT_SMALL_PARTS * SMALL_ROOM)
#define FRAME_MAX (SMALL_ALL + PORT_LARGE_PARTS * PORT_LARGE_ROOM)

/* A queue on one end of a pair of datagram sockets, which keep frames apart as packet sockets do. */
struct fx {
	int kernel; /* the other end */
	struct rte_mempool *small, *large;
	struct port_socket *socket;
};

static uint8_t frame[FRAME_MAX + 1];

static void
begin(struct fx *f, unsigned int small, unsigned int large, bool checksums)
{
	const int room = 4 << 20;
	int end[2];
	size_t i;

	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, end), 0);
	f->kernel = end[0];
	assert_int_equal(setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	f->small = rte_pktmbuf_pool_create(
		"small", small, 0, 0, SMALL_ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	f->large = rte_pktmbuf_pool_create(
		"large", large, 0, 0, PORT_LARGE_ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	assert_true(f->small != NULL && f->large != NULL);
	f->socket = port_socket_create(end[1], f->small, f->large, checksums);
	assert_non_null(f->socket);
}

static void
finish(struct fx *f)
{
	port_socket_destroy(f->socket);
	assert_int_equal(rte_mempool_in_use_count(f->small), 0);
	assert_int_equal(rte_mempool_in_use_count(f->large), 0);
	rte_mempool_free(f->small);
	rte_mempool_free(f->large);
	close(f->kernel);
}

static void
arrive(const struct fx *f, uint8_t flags, size_t len)
{
	struct virtio_net_hdr header = {.flags = flags};
	struct iovec iov[] = {{&header, sizeof(header)}, {frame, len}};
	const struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	assert_int_equal(sendmsg(f->kernel, &m, MSG_DONTWAIT), sizeof(header) + len);
}

/* It is the first len bytes of frame, whole. */
static void
check_and_free(struct rte_mbuf *m, uint32_t len)
{
	const struct rte_mbuf *part;
	uint32_t at = 0, parts = 0;

	assert_int_equal(rte_pktmbuf_pkt_len(m), len);
	for (part = m; part != NULL; part = part->next, parts++) {
		assert_memory_equal(
			rte_pktmbuf_mtod(part, const uint8_t *), frame + at, part->data_len);
		at += part->data_len;
	}
	assert_int_equal(at, len);
	assert_int_equal(m->nb_segs, parts);
	rte_pktmbuf_free(m);
}

static void
test_socket_frames_of_all_lengths_come_whole(void **state)
{
	static const uint32_t lens[] = {1, 60, 1514, SMALL_ROOM - 1, SMALL_ROOM, SMALL_ROOM + 1,
		SMALL_ALL, SMALL_ALL + 1, SMALL_ALL + PORT_LARGE_ROOM,
		SMALL_ALL + PORT_LARGE_ROOM + 1, 65549, FRAME_MAX};
	struct rte_mbuf *got[PORT_BURST_MAX];
	struct fx f;
	size_t i;

	(void)state;
	begin(&f, 511, 511, true);
	for (i = 0; i < RTE_DIM(lens); i++) {
		arrive(&f, 0, lens[i]);
		assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 1);
		assert_int_equal(got[0]->nb_segs,
			lens[i] <= SMALL_ALL
				? (lens[i] + SMALL_ROOM - 1) / SMALL_ROOM
				: PORT_SMALL_PARTS + (lens[i] - SMALL_ALL + PORT_LARGE_ROOM - 1) /
							     PORT_LARGE_ROOM);
		check_and_free(got[0], lens[i]);
	}
	assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 0);
	assert_int_equal(port_socket_stats(f.socket)->rx_packets, RTE_DIM(lens));
	finish(&f);
}

static void
test_socket_believes_checksums_only_where_it_may(void **state)
{
	static const struct {
		uint8_t flags;
		uint64_t expected;
	} cases[] = {{0, 0}, {VIRTIO_NET_HDR_F_NEEDS_CSUM, RTE_MBUF_F_RX_L4_CKSUM_NONE},
		{VIRTIO_NET_HDR_F_DATA_VALID, RTE_MBUF_F_RX_L4_CKSUM_GOOD}};
	struct rte_mbuf *got[1];
	struct fx f;
	size_t i, believes;

	(void)state;
	for (believes = 0; believes < 2; believes++) {
		begin(&f, 511, 511, believes);
		for (i = 0; i < RTE_DIM(cases); i++) {
			arrive(&f, cases[i].flags, 100);
			assert_int_equal(port_socket_rx(f.socket, got, 1), 1);
			assert_int_equal(got[0]->ol_flags, believes ? cases[i].expected : 0);
			check_and_free(got[0], 100);
		}
		finish(&f);
	}
}

static void
test_socket_counts_what_is_no_frame_or_too_long(void **state)
{
	struct rte_mbuf *got[PORT_BURST_MAX];
	struct fx f;

	(void)state;
	begin(&f, 511, 511, true);
	arrive(&f, 0, FRAME_MAX + 1);
	arrive(&f, 0, 0);
	assert_int_equal(send(f.kernel, frame, 3, MSG_DONTWAIT), 3);
	arrive(&f, 0, 77);
	assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 1);
	check_and_free(got[0], 77);
	assert_int_equal(port_socket_stats(f.socket)->rx_errors, 3);
	finish(&f);
}

/* What finds no buffers waits in the socket. */
static void
test_socket_goes_on_when_the_small_pool_was_empty(void **state)
{
	struct rte_mbuf *got[PORT_BURST_MAX];
	struct fx f;
	uint16_t i;

	(void)state;
	begin(&f, 10 * PORT_SMALL_PARTS, 511, true);
	for (i = 0; i < 12; i++)
		arrive(&f, 0, 7000);
	assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 10);
	for (i = 0; i < 5; i++)
		assert_int_equal(port_socket_rx(f.socket, got + 10, PORT_BURST_MAX - 10), 0);
	assert_int_equal(port_socket_stats(f.socket)->rx_no_mbuf, 1); /* not at each look */
	for (i = 0; i < 10; i++)
		check_and_free(got[i], 7000);
	assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 2);
	for (i = 0; i < 2; i++)
		check_and_free(got[i], 7000);
	assert_int_equal(port_socket_stats(f.socket)->rx_errors, 0);
	finish(&f);
}

/* Of large buffers the first slot has four and the second two: what is too long for those is counted. */
static void
test_socket_goes_on_when_the_large_pool_was_empty(void **state)
{
	static const uint32_t lens[] = {60000, 60000, 1000, 30000};
	struct rte_mbuf *got[PORT_BURST_MAX];
	struct fx f;
	size_t i;

	(void)state;
	begin(&f, 511, 6, true);
	for (i = 0; i < RTE_DIM(lens); i++)
		arrive(&f, 0, lens[i]);
	assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 2);
	check_and_free(got[0], 60000);
	check_and_free(got[1], 1000);
	assert_int_equal(port_socket_stats(f.socket)->rx_errors, 2);
	for (i = 0; i < RTE_DIM(lens); i++) {
		arrive(&f, 0, lens[i]);
		assert_int_equal(port_socket_rx(f.socket, got, PORT_BURST_MAX), 1);
		check_and_free(got[0], lens[i]);
	}
	finish(&f);
}

/* As a server cuts its super-packets while the window opens bit by bit. The window is full of them, and the
 * pools are as port_create_pools makes them for one of 4 MiB. */
static void
test_socket_window_of_frames_of_two_segments_loses_none(void **state)
{
	enum { WINDOW = 4 << 20, LEN = 66 + 2 * 1448, FRAMES = WINDOW / (2 * 1448) };

	static struct rte_mbuf *got[FRAMES];
	struct fx f;
	uint32_t i, n = 0;

	(void)state;
	begin(&f, 2 * FRAMES + PORT_SOCKET_SLOTS * PORT_SMALL_PARTS + 512,
		WINDOW / PORT_LARGE_ROOM + PORT_SOCKET_SLOTS * PORT_LARGE_PARTS + 512, true);
	for (i = 0; i < FRAMES; i++) {
		arrive(&f, 0, LEN);
		n += port_socket_rx(f.socket, got + n, PORT_BURST_MAX);
	}
	assert_int_equal(n, FRAMES);
	assert_int_equal(port_socket_stats(f.socket)->rx_errors, 0);
	for (i = 0; i < FRAMES; i++)
		check_and_free(got[i], LEN);
	finish(&f);
}

static void
test_socket_sends_frames_and_says_whose_checksum_is_missing(void **state)
{
	struct virtio_net_hdr header;
	uint8_t bytes[2048];
	struct iovec iov[] = {{&header, sizeof(header)}, {bytes, sizeof(bytes)}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	struct rte_mbuf *sent[2];
	struct fx f;
	size_t i;

	(void)state;
	begin(&f, 511, 511, true);
	assert_int_equal(rte_pktmbuf_alloc_bulk(f.small, sent, 2), 0);
	for (i = 0; i < 2; i++)
		memcpy(rte_pktmbuf_append(sent[i], 66), frame + i, 66);
	sent[1]->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
	sent[1]->l2_len = 14;
	sent[1]->l3_len = 20;
	assert_int_equal(port_socket_tx(f.socket, sent, 2), 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(recvmsg(f.kernel, &m, MSG_DONTWAIT), sizeof(header) + 66);
		assert_memory_equal(bytes, frame + i, 66);
		assert_int_equal(header.flags, i == 1 ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		assert_int_equal(header.csum_start, i == 1 ? 34 : 0);
		assert_int_equal(header.csum_offset, i == 1 ? 16 : 0);
	}
	close(f.kernel); /* nobody takes any more: they stay ours */
	assert_int_equal(rte_pktmbuf_alloc_bulk(f.small, sent, 2), 0);
	for (i = 0; i < 2; i++)
		assert_non_null(rte_pktmbuf_append(sent[i], 66));
	assert_int_equal(port_socket_tx(f.socket, sent, 2), 0);
	rte_pktmbuf_free_bulk(sent, 2);
	f.kernel = -1;
	finish(&f);
}

static int
setup(void **state)
{
	(void)state;
	return eal_fixture_start(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_frames_of_all_lengths_come_whole),
		cmocka_unit_test(test_socket_believes_checksums_only_where_it_may),
		cmocka_unit_test(test_socket_counts_what_is_no_frame_or_too_long),
		cmocka_unit_test(test_socket_goes_on_when_the_small_pool_was_empty),
		cmocka_unit_test(test_socket_goes_on_when_the_large_pool_was_empty),
		cmocka_unit_test(test_socket_window_of_frames_of_two_segments_loses_none),
		cmocka_unit_test(test_socket_sends_frames_and_says_whose_checksum_is_missing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
