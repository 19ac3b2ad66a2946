/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mempool.h>

#include "port_log.h"
#include "port_control.h"
#include "port_priv.h"

#define REASON_MAX 160U /* bytes of DPDK's own words in our message */

static uint32_t
descriptors(uint32_t wanted, uint32_t fallback)
{
	return wanted > 0 ? wanted : fallback;
}

static uint32_t
rx_pool_size(const struct port_config *cfg, uint32_t rx_descriptors)
{
	return cfg->queues * (rx_descriptors + 2 * PORT_POOL_CACHE + 2 * PORT_BURST_MAX) +
	       cfg->rx_held_max;
}

static uint32_t
tx_pool_size(const struct port_config *cfg, uint32_t tx_descriptors)
{
	return cfg->queues * (tx_descriptors + 2 * PORT_POOL_CACHE + PORT_BURST_MAX);
}

static uint32_t
tx_room(const struct port_config *cfg)
{
	return cfg->mtu + PORT_L2_OVERHEAD + RTE_PKTMBUF_HEADROOM;
}

/* Of super-packets; as many as hold what all buffers of one segment would hold. */
static uint32_t
large_pool_size(const struct port_config *cfg)
{
	uint64_t held = (uint64_t)cfg->rx_held_max * cfg->mtu / PORT_LARGE_ROOM;

	if (cfg->interface == NULL || cfg->mode == PORT_NIC_RING)
		return 0;
	return (uint32_t)held +
	       cfg->queues * (PORT_SOCKET_SLOTS * PORT_LARGE_PARTS + 2 * PORT_POOL_CACHE);
}

uint64_t
port_memory_needed(const struct port_config *cfg)
{
	uint32_t waiting = cfg->mode == PORT_NIC_RING
				   ? 0 /* no mbuf waits for a frame */
				   : descriptors(cfg->rx_descriptors, PORT_RX_DESCRIPTORS);
	uint64_t rx = rx_pool_size(cfg, waiting);
	uint64_t tx = tx_pool_size(cfg, descriptors(cfg->tx_descriptors, PORT_TX_DESCRIPTORS));

	return rx * (port_vdev_frame_room(cfg->mtu) + RTE_PKTMBUF_HEADROOM + PORT_MBUF_OVERHEAD) +
	       tx * (tx_room(cfg) + PORT_MBUF_OVERHEAD) +
	       large_pool_size(cfg) * (uint64_t)(PORT_LARGE_ROOM + PORT_MBUF_OVERHEAD);
}

/* A pool for what is received, and one of its own for what is sent: a full sink may hold every
 * received buffer, and the ACKs must go out all the same. */
int
port_create_pools(struct port *p, char *ret_message)
{
	uint32_t rx = rx_pool_size(&p->cfg, p->rx_descriptors), large = large_pool_size(&p->cfg);
	int node = p->cfg.numa_node >= 0 ? p->cfg.numa_node : SOCKET_ID_ANY;

	p->rx_pool = rte_pktmbuf_pool_create("dpfetch_rx", rx, PORT_POOL_CACHE, 0,
		(uint16_t)(p->rx_room + RTE_PKTMBUF_HEADROOM), node);
	p->tx_pool = rte_pktmbuf_pool_create("dpfetch_tx", tx_pool_size(&p->cfg, p->tx_descriptors),
		PORT_POOL_CACHE, 0, (uint16_t)tx_room(&p->cfg), node);
	if (large > 0)
		p->large_pool = rte_pktmbuf_pool_create(
			"dpfetch_large", large, PORT_POOL_CACHE, 0, PORT_LARGE_ROOM, node);
	if (p->rx_pool != NULL && p->tx_pool != NULL && (large == 0 || p->large_pool != NULL))
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"no memory for %u receive buffers of %u bytes; use a smaller --window or "
		"--rx-buffers, or "
		"give DPDK hugepages: sysctl vm.nr_hugepages=%u",
		rx, p->rx_room, (unsigned int)((port_memory_needed(&p->cfg) >> 21) + 64U));
	return -ENOMEM;
}

/* What the driver says meanwhile is of use only where it fails, and then in one message. */
static int
bring_up_quietly(struct port *p, char *ret_message)
{
	char reason[REASON_MAX] = "", *text;
	struct port_log log;
	size_t len;
	int rc;

	port_log_begin(&log, !p->cfg.verbose);
	rc = p->driver->bring_up(p, ret_message);
	text = port_log_end(&log);
	if (text != NULL)
		port_log_reason(text, reason, sizeof(reason));
	free(text);
	if (rc == 0 || reason[0] == '\0')
		return rc;
	len = strlen(ret_message);
	snprintf(ret_message + len, PORT_MESSAGE_MAX - len, " (%s)", reason);
	return rc;
}

static const struct port_driver *
driver_of(const struct port_config *cfg)
{
	if (cfg->interface == NULL)
		return &port_ethdev_driver;
	return cfg->mode == PORT_NIC_RING ? &port_ring_driver : &port_vnet_driver;
}

int
port_open(const struct port_config *cfg, struct port **ret, char *ret_message)
{
	struct port *p = rte_zmalloc("port", sizeof(*p), 0);
	int rc;

	if (p != NULL)
		p->queue = rte_zmalloc(
			"port_queue", cfg->queues * sizeof(struct port_queue), RTE_CACHE_LINE_SIZE);
	if (p == NULL || p->queue == NULL) {
		snprintf(ret_message, PORT_MESSAGE_MAX, "out of DPDK memory");
		rte_free(p);
		return -ENOMEM;
	}
	p->cfg = *cfg;
	p->rx_descriptors =
		(uint16_t)(cfg->rx_descriptors > 0 ? cfg->rx_descriptors : PORT_RX_DESCRIPTORS);
	p->tx_descriptors =
		(uint16_t)(cfg->tx_descriptors > 0 ? cfg->tx_descriptors : PORT_TX_DESCRIPTORS);
	p->driver = driver_of(cfg);
	if (cfg->interface != NULL)
		snprintf(p->interface, sizeof(p->interface), "%s", cfg->interface);
	else
		port_interface_of(cfg->port_id, p->interface, sizeof(p->interface));
	p->interface_index = if_nametoindex(p->interface);
	rc = bring_up_quietly(p, ret_message);
	if (rc == 0)
		*ret = p;
	else
		port_close(p);
	return rc;
}

uint32_t
port_close(struct port *p)
{
	uint32_t lost = 0;
	uint16_t q;

	if (p->started) {
		for (q = 0; q < p->cfg.queues; q++) {
			port_release_flush(&p->queue[q]);
			lost += p->queue[q].held;
			port_tx_give_back(&p->queue[q]);
		}
	}
	p->driver->take_down(p);
	rte_mempool_free(p->rx_pool);
	rte_mempool_free(p->large_pool);
	rte_mempool_free(p->tx_pool);
	rte_free(p->queue);
	rte_free(p);
	return lost;
}

struct port_queue *
port_queue_of(struct port *p, uint16_t queue)
{
	return &p->queue[queue];
}

void
port_info(const struct port *p, struct port_info *ret)
{
	struct port_link link;

	*ret = (struct port_info){
		.mtu = p->cfg.mtu,
		.rx_descriptors = p->rx_descriptors,
		.tx_descriptors = p->tx_descriptors,
		.rx_pool_size = p->rx_pool->size,
		.tx_pool_size = p->tx_pool->size,
		.rx_buffer_bytes = p->rx_room,
		.hugepages = rte_eal_has_hugepages() != 0,
	};
	p->driver->info(p, ret);
	port_link(p, &link);
	ret->link_mbps = link.mbps;
}
