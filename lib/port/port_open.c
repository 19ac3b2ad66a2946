/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include "port_log.h"
#include "port_priv.h"

#define REASON_MAX 160U /* bytes of DPDK's own words in our message */

static int
failed(struct port *p, int rc, const char *what, char *ret_message)
{
	snprintf(ret_message, PORT_MESSAGE_MAX, "%s (driver %s): %s failed: %s",
		p->dev.device != NULL ? rte_dev_name(p->dev.device) : "the port",
		p->dev.driver_name, what, rte_strerror(-rc));
	return rc;
}

static bool
is_af_xdp(const struct port *p)
{
	return strcmp(p->dev.driver_name, "net_af_xdp") == 0;
}

/* Only what the NIC has and we asked for; the rest is done in software. */
static void
choose_offloads(struct port *p)
{
	uint64_t rx = 0, tx = 0;

	if (p->cfg.checksum_offload) {
		rx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
		tx = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	}
	if (p->cfg.mtu + PORT_L2_OVERHEAD > p->rx_room)
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	/* All that we send comes from one pool and is referenced once. */
	tx |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	p->rx_offloads = rx & p->dev.rx_offload_capa;
	p->tx_offloads = tx & p->dev.tx_offload_capa;
}

static uint32_t
tx_frame_offloads(const struct port *p)
{
	uint32_t flags = 0;

	if (p->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		flags |= TX_FRAME_IP_CSUM;
	if (p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
		flags |= TX_FRAME_TCP_CSUM;
	return flags;
}

/* af_packet declares 1514 bytes whatever its ring takes, so a virtual device's word is not
 * taken for it; a real NIC's is. */
static uint16_t
configured_mtu(const struct port *p)
{
	uint32_t limit = p->dev.max_rx_pktlen > RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN
				 ? p->dev.max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN
				 : RTE_ETHER_MTU;

	limit = RTE_MIN(limit, (uint32_t)p->dev.max_mtu);
	return (uint16_t)RTE_MIN((uint32_t)p->cfg.mtu, limit);
}

/* A user's vdev string has as many queues as it says. */
static int
check_queues(const struct port *p, char *ret_message)
{
	uint16_t limit = p->dev.max_rx_queues;

	if (p->dev.max_tx_queues < limit)
		limit = p->dev.max_tx_queues;
	if (p->cfg.queues <= limit)
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"%u queues are more than the %u that driver %s has on this port; use --queues %u%s",
		p->cfg.queues, limit, p->dev.driver_name, limit,
		strcmp(p->dev.driver_name, "net_af_packet") == 0 ? ", or qpairs= in the vdev string"
								 : "");
	return -ERANGE;
}

static int
configure_queues(struct port *p, const struct rte_eth_conf *conf)
{
	return rte_eth_dev_configure(p->cfg.port_id, p->cfg.queues, p->cfg.queues, conf);
}

static int
configure(struct port *p, char *ret_message)
{
	struct rte_eth_conf conf = {0};
	int rc = check_queues(p, ret_message);

	if (rc != 0)
		return rc;

	choose_offloads(p);
	conf.rxmode.offloads = p->rx_offloads;
	conf.txmode.offloads = p->tx_offloads;
	conf.rxmode.mtu = configured_mtu(p);
	if (conf.rxmode.mtu < p->cfg.mtu && p->interface[0] == '\0') {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"an MTU of %u is more than driver %s takes on this port; use --mtu %u or "
			"less",
			p->cfg.mtu, p->dev.driver_name, conf.rxmode.mtu);
		return -ERANGE;
	}
	port_rss_ask(p, &conf);
	rc = configure_queues(p, &conf);
	if (rc != 0 && p->rss_asked) { /* then it spreads frames as it likes */
		p->rss_asked = false;
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
		rc = configure_queues(p, &conf);
	}
	if (rc != 0)
		return failed(p, rc, "configuring the queues", ret_message);
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(
		p->cfg.port_id, &p->rx_descriptors, &p->tx_descriptors);
	return rc == 0 ? 0 : failed(p, rc, "choosing the descriptors", ret_message);
}

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

uint64_t
port_memory_needed(const struct port_config *cfg)
{
	uint64_t rx = rx_pool_size(cfg, descriptors(cfg->rx_descriptors, PORT_RX_DESCRIPTORS));
	uint64_t tx = tx_pool_size(cfg, descriptors(cfg->tx_descriptors, PORT_TX_DESCRIPTORS));

	return rx * (port_vdev_frame_room(cfg->mtu) + RTE_PKTMBUF_HEADROOM + PORT_MBUF_OVERHEAD) +
	       tx * (tx_room(cfg) + PORT_MBUF_OVERHEAD);
}

/* The kernel refuses an af_xdp buffer that crosses into a page that does not follow physically; of
 * ordinary pages that is so many that soon nothing is received any more. */
static int
check_pages(const struct port *p, char *ret_message)
{
	if (!is_af_xdp(p) || rte_eal_has_hugepages())
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"af_xdp needs its buffers in hugepages: sysctl vm.nr_hugepages=%u (and 0 "
		"afterwards gives "
		"them back); or use --nic-mode af_packet",
		(unsigned int)((port_memory_needed(&p->cfg) * 5 / 4 >> 21) + 64U));
	return -ENOMEM;
}

/* A pool for what is received, and one of its own for what is sent: a full sink may hold every
 * received buffer, and the ACKs must go out all the same. */
static int
create_pools(struct port *p, char *ret_message)
{
	uint32_t rx = rx_pool_size(&p->cfg, p->rx_descriptors);
	int node = p->cfg.numa_node >= 0 ? p->cfg.numa_node : SOCKET_ID_ANY;

	p->rx_pool = rte_pktmbuf_pool_create("dpfetch_rx", rx, PORT_POOL_CACHE, 0,
		(uint16_t)(p->rx_room + RTE_PKTMBUF_HEADROOM), node);
	p->tx_pool = rte_pktmbuf_pool_create("dpfetch_tx", tx_pool_size(&p->cfg, p->tx_descriptors),
		PORT_POOL_CACHE, 0, (uint16_t)tx_room(&p->cfg), node);
	if (p->rx_pool != NULL && p->tx_pool != NULL)
		return check_pages(p, ret_message);
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"no memory for %u receive buffers of %u bytes; use a smaller --window or "
		"--rx-buffers, or "
		"give DPDK hugepages: sysctl vm.nr_hugepages=%u",
		rx, p->rx_room, (unsigned int)((port_memory_needed(&p->cfg) >> 21) + 64U));
	return -ENOMEM;
}

static int
setup_queues(struct port *p, char *ret_message)
{
	struct rte_eth_rxconf rxconf = p->dev.default_rxconf;
	struct rte_eth_txconf txconf = p->dev.default_txconf;
	unsigned int node = (unsigned int)rte_eth_dev_socket_id(p->cfg.port_id);
	uint16_t q;
	int rc;

	rxconf.offloads = p->rx_offloads;
	txconf.offloads = p->tx_offloads;
	for (q = 0; q < p->cfg.queues; q++) {
		rc = rte_eth_rx_queue_setup(
			p->cfg.port_id, q, p->rx_descriptors, node, &rxconf, p->rx_pool);
		if (rc != 0)
			return failed(p, rc, "setting up the receive queue", ret_message);
		rc = rte_eth_tx_queue_setup(p->cfg.port_id, q, p->tx_descriptors, node, &txconf);
		if (rc != 0)
			return failed(p, rc, "setting up the transmit queue", ret_message);
		p->queue[q] = (struct port_queue){
			.port_id = p->cfg.port_id,
			.queue = q,
			.tx_offloads = tx_frame_offloads(p),
			.tx_pool = p->tx_pool,
			.counters = p->cfg.counters[q],
		};
	}
	return 0;
}

/* A kernel interface keeps its own MAC: we only listen for ours, promiscuously. One that somebody
 * made promiscuous before us stays so: starting the port would switch that off otherwise. */
static void
set_address(struct port *p)
{
	bool already = p->interface[0] != '\0' && port_interface_promiscuous(p->interface);
	struct rte_ether_addr mac;
	bool programmed = false;

	if (p->cfg.set_mac && p->interface[0] == '\0') {
		memcpy(mac.addr_bytes, p->cfg.mac.byte, sizeof(mac.addr_bytes));
		programmed = rte_eth_macaddr_get(p->cfg.port_id, &p->mac_found) == 0 &&
			     rte_eth_dev_default_mac_addr_set(p->cfg.port_id, &mac) == 0;
		p->mac_programmed = programmed;
	}
	if (p->cfg.multicast && rte_eth_allmulticast_get(p->cfg.port_id) == 0)
		p->multicast_set = rte_eth_allmulticast_enable(p->cfg.port_id) == 0;
	if ((already || p->cfg.promiscuous || (p->cfg.set_mac && !programmed) ||
		    (p->cfg.multicast && rte_eth_allmulticast_get(p->cfg.port_id) != 1)) &&
		rte_eth_promiscuous_get(p->cfg.port_id) == 0)
		p->promiscuous_set = rte_eth_promiscuous_enable(p->cfg.port_id) == 0 && !already;
}

static int
choose_room(struct port *p, char *ret_message)
{
	if (is_af_xdp(p)) {
		p->rx_room = port_af_xdp_room(p->cfg.mtu);
		return port_af_xdp_check_mtu(p->cfg.mtu, ret_message);
	}
	/* af_packet copies whole ring frames without a look at the mbuf's room. */
	p->rx_room = RTE_MAX(port_vdev_frame_room(p->cfg.mtu), port_frame_room_of(p->cfg.port_id));
	p->rx_room = RTE_MIN(p->rx_room, PORT_RX_ROOM_MAX);
	return 0;
}

static int
bring_up(struct port *p, char *ret_message)
{
	int rc = choose_room(p, ret_message);

	if (rc == 0)
		rc = configure(p, ret_message);
	if (rc == 0)
		rc = create_pools(p, ret_message);
	if (rc == 0)
		rc = setup_queues(p, ret_message);
	if (rc != 0)
		return rc;
	set_address(p);
	rc = rte_eth_dev_start(p->cfg.port_id);
	if (rc != 0)
		return failed(p, rc, "starting the port", ret_message);
	p->started = true;
	port_rss_deal_out(p);
	rte_eth_stats_get(p->cfg.port_id, &p->baseline);
	p->packet_sockets = port_packet_sockets(p->interface, p->packet_socket, PORT_QUEUES_MAX);
	(void)port_packet_drops(p->packet_socket, p->packet_sockets); /* what went before */
	return 0;
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
	rc = rte_eth_dev_info_get(p->cfg.port_id, &p->dev);
	rc = rc == 0 ? bring_up(p, ret_message)
		     : failed(p, rc, "asking for its abilities", ret_message);
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

	if (p->promiscuous_set)
		rte_eth_promiscuous_disable(p->cfg.port_id);
	if (p->multicast_set)
		rte_eth_allmulticast_disable(p->cfg.port_id);
	if (p->mac_programmed)
		rte_eth_dev_default_mac_addr_set(p->cfg.port_id, &p->mac_found);
	if (p->started) {
		for (q = 0; q < p->cfg.queues; q++) {
			port_release_flush(&p->queue[q]);
			lost += p->queue[q].held;
			rte_pktmbuf_free_bulk(p->queue[q].stash, p->queue[q].stashed);
		}
		rte_eth_dev_stop(p->cfg.port_id);
	}
	rte_eth_dev_close(p->cfg.port_id);
	rte_mempool_free(p->rx_pool);
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
	struct rte_ether_addr mac;
	struct rte_eth_link link = {0};

	*ret = (struct port_info){
		.numa_node = rte_eth_dev_socket_id(p->cfg.port_id),
		.mtu = p->cfg.mtu,
		.tx_offloads = tx_frame_offloads(p),
		.rx_ip_checksum = (p->rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0,
		.rx_l4_checksum = (p->rx_offloads & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0,
		.rx_descriptors = p->rx_descriptors,
		.tx_descriptors = p->tx_descriptors,
		.rx_pool_size = p->rx_pool->size,
		.tx_pool_size = p->tx_pool->size,
		.rx_buffer_bytes = p->rx_room,
		.promiscuous = rte_eth_promiscuous_get(p->cfg.port_id) == 1,
		.hugepages = rte_eal_has_hugepages() != 0,
	};
	snprintf(ret->name, sizeof(ret->name), "%s%s%s", rte_dev_name(p->dev.device),
		p->interface[0] != '\0' ? " on " : "", p->interface);
	snprintf(ret->driver, sizeof(ret->driver), "%s", p->dev.driver_name);
	if (rte_eth_macaddr_get(p->cfg.port_id, &mac) == 0)
		memcpy(ret->mac.byte, mac.addr_bytes, ETHER_ADDR_LEN);
	if (rte_eth_link_get_nowait(p->cfg.port_id, &link) == 0 &&
		link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		ret->link_mbps = link.link_speed;
}
