/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port_priv.h"
#include "port_socket.h"

static int
configure(const struct port *p, int fd)
{
	int rc = port_packet_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1);

	if (rc == 0)
		rc = port_packet_option(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	if (rc == 0)
		rc = port_packet_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, PORT_SOCKET_RCVBUF);
	return rc == 0 ? port_packet_bind(p, fd) : rc;
}

static int
open_queue(struct port *p, uint16_t queue)
{
	struct port_queue *q = &p->queue[queue];
	int fd, rc = port_packet_open(p, &fd);

	if (rc != 0)
		return rc;
	rc = configure(p, fd);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*q = (struct port_queue){
		.port_id = RTE_MAX_ETHPORTS,
		.burst_max = PORT_BURST_MAX,
		.queue = queue,
		.socket =
			port_socket_create(fd, p->rx_pool, p->large_pool, p->cfg.checksum_offload),
		.tx_offloads = p->cfg.checksum_offload ? TX_FRAME_TCP_CSUM : 0,
		.tx_pool = p->tx_pool,
		.counters = p->cfg.counters[queue],
	};
	if (q->socket == NULL) {
		close(fd);
		return -ENOMEM;
	}
	p->packet_socket[p->packet_sockets++] = fd;
	return 0;
}

static int
bring_up(struct port *p, char *ret_message)
{
	int rc;

	if (p->cfg.queues > 1) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"--nic-mode vnet has one queue; use --nic-mode af_packet for several");
		return -ENOTSUP;
	}
	p->rx_room = port_vdev_frame_room(p->cfg.mtu);
	p->rx_descriptors = PORT_SOCKET_SLOTS * PORT_SMALL_PARTS;
	p->tx_descriptors = PORT_BURST_MAX;
	rc = port_create_pools(p, ret_message);
	if (rc != 0)
		return rc;
	rc = open_queue(p, 0);
	if (rc != 0) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"%s: no packet socket with virtio-net headers: %s; try --nic-mode "
			"af_packet",
			p->interface, strerror(-rc));
		return rc;
	}
	p->started = true;
	return 0;
}

static void
take_down(struct port *p)
{
	uint16_t q;

	for (q = 0; q < p->cfg.queues; q++)
		port_socket_destroy(p->queue[q].socket);
}

static void
info(const struct port *p, struct port_info *ret)
{
	port_packet_info(p, "vnet", "recvmmsg", ret);
	ret->tx_offloads = p->queue[0].tx_offloads;
}

static void
stats(struct port *p, struct port_stats *ret)
{
	*ret = *port_socket_stats(p->queue[0].socket);
}

/* The interface's link the kernel tells, and more statistics than the usual ones there are not. */
const struct port_driver port_vnet_driver = {
	.bring_up = bring_up,
	.take_down = take_down,
	.info = info,
	.stats = stats,
};
