/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port_priv.h"
#include "port_ring_queue.h"

static struct tpacket_req
plan_ring(const struct port *p)
{
	uint32_t per_block = port_ring_frames_per_block(p->rx_room);
	uint32_t frames = port_ring_frames(p->rx_room, p->cfg.rx_frames_min);
	uint32_t blocks = (frames + per_block - 1U) / per_block;

	return (struct tpacket_req){
		.tp_block_size = per_block * p->rx_room,
		.tp_block_nr = blocks,
		.tp_frame_size = p->rx_room,
		.tp_frame_nr = blocks * per_block,
	};
}

static int
make_ring(struct port *p, int fd, const struct tpacket_req *ring)
{
	const int version = TPACKET_V2;
	void *memory;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, ring, sizeof(*ring)) != 0)
		return -errno;
	p->ring_bytes = (size_t)ring->tp_block_size * ring->tp_block_nr;
	memory =
		mmap(NULL, p->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	p->ring_memory = memory;
	return 0;
}

/* A window is for what is on its way and for what is out, so what it lets come finds a slot; a quarter is left for what
 * comes besides, and for segments smaller than the window reckons with. */
static uint32_t
lend_max(uint32_t slots)
{
	return slots - slots / 4U;
}

static int
open_queue(struct port *p)
{
	const struct tpacket_req ring = plan_ring(p);
	struct port_ring_queue_config cfg = {
		.slots = ring.tp_frame_nr,
		.slot_bytes = ring.tp_frame_size,
		.lend_max = lend_max(ring.tp_frame_nr),
		.pool = p->rx_pool,
		.checksums = p->cfg.checksum_offload,
	};
	int rc = port_packet_open(p, &cfg.fd);

	if (rc != 0)
		return rc;
	p->packet_socket[p->packet_sockets++] = cfg.fd;
	rc = make_ring(p, cfg.fd, &ring);
	if (rc != 0)
		return rc;
	cfg.memory = p->ring_memory;
	p->rx_descriptors = (uint16_t)RTE_MIN(cfg.slots, (uint32_t)UINT16_MAX);
	p->queue[0] = (struct port_queue){
		.port_id = RTE_MAX_ETHPORTS,
		.burst_max = PORT_BURST_MAX,
		.ring = port_ring_queue_create(&cfg),
		.tx_pool = p->tx_pool,
		.counters = p->cfg.counters[0],
	};
	return p->queue[0].ring != NULL ? port_packet_bind(p, cfg.fd) : -ENOMEM;
}

static int
bring_up(struct port *p, char *ret_message)
{
	int rc = port_ring_check_mtu(p->cfg.mtu, ret_message);

	if (rc == 0 && p->cfg.queues > 1) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"--nic-mode ring has one queue; use --nic-mode af_packet for several");
		rc = -ENOTSUP;
	}
	if (rc != 0)
		return rc;
	p->rx_room = port_vdev_frame_room(p->cfg.mtu);
	p->rx_descriptors = 0; /* no mbuf waits for a frame */
	p->tx_descriptors = PORT_BURST_MAX;
	rc = port_create_pools(p, ret_message);
	if (rc != 0)
		return rc;
	rc = open_queue(p);
	if (rc != 0) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"%s: no packet socket with a ring: %s; try --nic-mode af_packet",
			p->interface, strerror(-rc));
		return rc;
	}
	p->started = true;
	return 0;
}

static void
take_down(struct port *p)
{
	port_ring_queue_destroy(p->queue[0].ring);
	if (p->ring_memory != NULL)
		munmap(p->ring_memory, p->ring_bytes);
	if (p->packet_sockets > 0)
		close(p->packet_socket[0]);
}

static void
info(const struct port *p, struct port_info *ret)
{
	port_packet_info(p, "ring", "TPACKET_V2, in place", ret);
}

static void
stats(struct port *p, struct port_stats *ret)
{
	*ret = *port_ring_queue_stats(p->queue[0].ring);
}

/* The interface's link the kernel tells, and more statistics than the usual ones there are not. */
const struct port_driver port_ring_driver = {
	.bring_up = bring_up,
	.take_down = take_down,
	.info = info,
	.stats = stats,
};
