/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "port_priv.h"

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

static uint32_t
tx_frame_offloads(const struct port *p)
{
	uint32_t flags = 0;

	if (p->offloads.tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		flags |= TX_FRAME_IP_CSUM;
	if (p->offloads.tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
		flags |= TX_FRAME_TCP_CSUM;
	if (p->offloads.tx & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)
		flags |= TX_FRAME_VLAN;
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

static bool
is_af_packet(const struct port *p)
{
	return strcmp(p->dev.driver_name, "net_af_packet") == 0;
}

/* A user's vdev string has as many queues as it says. */
static int
check_queues(const struct port *p, char *ret_message)
{
	uint16_t limit = p->dev.max_rx_queues;

	if (p->dev.max_tx_queues < limit)
		limit = p->dev.max_tx_queues;
	if (p->cfg.queues > 1 && p->cfg.queues < limit && is_af_packet(p)) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"the vdev string has qpairs=%u, and frames that the kernel puts on a queue "
			"without a worker are lost; use --queues %u, or qpairs=%u in the string",
			limit, limit, p->cfg.queues);
		return -EINVAL;
	}
	if (p->cfg.queues <= limit)
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"%u queues are more than the %u that driver %s has on this port; use --queues %u%s",
		p->cfg.queues, limit, p->dev.driver_name, limit,
		is_af_packet(p) ? ", or qpairs= in the vdev string" : "");
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

	port_offloads_choose(&p->cfg, &p->dev, p->rx_room, &p->offloads);
	conf.rxmode.offloads = p->offloads.rx;
	conf.txmode.offloads = p->offloads.tx;
	conf.rxmode.max_lro_pkt_size = p->dev.max_lro_pkt_size; /* 0: the frame's */
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

static int
setup_queues(struct port *p, char *ret_message)
{
	struct rte_eth_rxconf rxconf = p->dev.default_rxconf;
	struct rte_eth_txconf txconf = p->dev.default_txconf;
	unsigned int node = (unsigned int)rte_eth_dev_socket_id(p->cfg.port_id);
	uint16_t q;
	int rc;

	rxconf.offloads = p->offloads.rx;
	txconf.offloads = p->offloads.tx;
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
			.burst_max = p->offloads.burst_max,
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
set_up(struct port *p, char *ret_message)
{
	int rc = choose_room(p, ret_message);

	if (rc == 0)
		rc = configure(p, ret_message);
	if (rc == 0)
		rc = port_create_pools(p, ret_message);
	if (rc == 0)
		rc = check_pages(p, ret_message);
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

static int
bring_up(struct port *p, char *ret_message)
{
	int rc = rte_eth_dev_info_get(p->cfg.port_id, &p->dev);

	if (rc != 0)
		return failed(p, rc, "asking for its abilities", ret_message);
	return set_up(p, ret_message);
}

/* rte_eal_cleanup leaves the files of vfio and uio open, and nobody else can be given a device that is open. */
static void
let_go_of_pci(struct rte_device *device)
{
	if (device != NULL && strcmp(rte_bus_name(rte_dev_bus(device)), "pci") == 0)
		rte_dev_remove(device);
}

static void
take_down(struct port *p)
{
	if (p->promiscuous_set)
		rte_eth_promiscuous_disable(p->cfg.port_id);
	if (p->multicast_set)
		rte_eth_allmulticast_disable(p->cfg.port_id);
	if (p->mac_programmed)
		rte_eth_dev_default_mac_addr_set(p->cfg.port_id, &p->mac_found);
	if (p->started)
		rte_eth_dev_stop(p->cfg.port_id);
	rte_eth_dev_close(p->cfg.port_id);
	let_go_of_pci(p->dev.device);
}

static void
info(const struct port *p, struct port_info *ret)
{
	struct rte_ether_addr mac;
	struct rte_eth_burst_mode mode = {0};

	ret->numa_node = rte_eth_dev_socket_id(p->cfg.port_id);
	ret->tx_offloads = tx_frame_offloads(p);
	ret->rx_ip_checksum = (p->offloads.rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
	ret->rx_l4_checksum = (p->offloads.rx & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0;
	ret->lro = (p->offloads.rx & RTE_ETH_RX_OFFLOAD_TCP_LRO) != 0;
	ret->vlan_strip = (p->offloads.rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0;
	if (rte_eth_rx_burst_mode_get(p->cfg.port_id, 0, &mode) == 0)
		snprintf(ret->rx_mode, sizeof(ret->rx_mode), "%.63s", mode.info);
	ret->promiscuous = rte_eth_promiscuous_get(p->cfg.port_id) == 1;
	snprintf(ret->name, sizeof(ret->name), "%s%s%s", rte_dev_name(p->dev.device),
		p->interface[0] != '\0' ? " on " : "", p->interface);
	snprintf(ret->driver, sizeof(ret->driver), "%s", p->dev.driver_name);
	if (rte_eth_macaddr_get(p->cfg.port_id, &mac) == 0)
		memcpy(ret->mac.byte, mac.addr_bytes, ETHER_ADDR_LEN);
}

static void
stats(struct port *p, struct port_stats *ret)
{
	struct rte_eth_stats s = {0};
	const struct rte_eth_stats *b = &p->baseline;

	rte_eth_stats_get(p->cfg.port_id, &s);
	*ret = (struct port_stats){
		.rx_packets = s.ipackets - b->ipackets,
		.rx_bytes = s.ibytes - b->ibytes,
		.tx_packets = s.opackets - b->opackets,
		.tx_bytes = s.obytes - b->obytes,
		.rx_missed = s.imissed - b->imissed,
		.rx_errors = s.ierrors - b->ierrors,
		.tx_errors = s.oerrors - b->oerrors,
		.rx_no_mbuf = s.rx_nombuf - b->rx_nombuf,
	};
}

static void
xstats(struct port *p, void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx)
{
	int i, count = rte_eth_xstats_get_names(p->cfg.port_id, NULL, 0);
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;

	if (count <= 0)
		return;
	names = calloc((size_t)count, sizeof(*names));
	values = calloc((size_t)count, sizeof(*values));
	if (names != NULL && values != NULL &&
		rte_eth_xstats_get_names(p->cfg.port_id, names, (unsigned int)count) == count &&
		rte_eth_xstats_get(p->cfg.port_id, values, (unsigned int)count) == count) {
		for (i = 0; i < count; i++) {
			if (values[i].value != 0)
				fn(ctx, names[values[i].id].name, values[i].value);
		}
	}
	free(names);
	free(values);
}

static bool
link_up(const struct port *p)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(p->cfg.port_id, &link) == 0 &&
	       link.link_status == RTE_ETH_LINK_UP;
}

static bool
is_gone(const struct port *p)
{
	return rte_eth_dev_is_removed(p->cfg.port_id) == 1;
}

const struct port_driver port_ethdev_driver = {
	.bring_up = bring_up,
	.take_down = take_down,
	.info = info,
	.stats = stats,
	.xstats = xstats,
	.link_up = link_up,
	.is_gone = is_gone,
};
