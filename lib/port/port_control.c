/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "port_control.h"
#include "port_priv.h"

/* A port of DPDK's that is no kernel interface. */
static bool
is_device(const struct port *p)
{
	return p->cfg.interface == NULL && p->interface[0] == '\0';
}

void
port_link(const struct port *p, struct port_link *ret)
{
	struct rte_eth_link link = {0};

	*ret = (struct port_link){.up = port_link_up(p)};
	if (!is_device(p)) { /* of which a virtual device says what it was written with */
		port_interface_link(p->interface, ret);
		return;
	}
	if (rte_eth_link_get_nowait(p->cfg.port_id, &link) != 0)
		return;
	ret->mbps = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? link.link_speed : 0;
	ret->full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
	ret->autoneg = link.link_autoneg == RTE_ETH_LINK_AUTONEG;
}

/* Of RTE_ETH_LINK_SPEED_* bits. */
static uint32_t
fastest(uint32_t bits)
{
	static const uint32_t speeds[] = {RTE_ETH_SPEED_NUM_200G, RTE_ETH_SPEED_NUM_100G,
		RTE_ETH_SPEED_NUM_56G, RTE_ETH_SPEED_NUM_50G, RTE_ETH_SPEED_NUM_40G,
		RTE_ETH_SPEED_NUM_25G, RTE_ETH_SPEED_NUM_20G, RTE_ETH_SPEED_NUM_10G,
		RTE_ETH_SPEED_NUM_5G, RTE_ETH_SPEED_NUM_2_5G, RTE_ETH_SPEED_NUM_1G,
		RTE_ETH_SPEED_NUM_100M, RTE_ETH_SPEED_NUM_10M};
	size_t i;

	for (i = 0; i < RTE_DIM(speeds); i++) {
		if (bits & rte_eth_speed_bitflag(speeds[i], RTE_ETH_LINK_FULL_DUPLEX))
			return speeds[i];
	}
	return 0;
}

void
port_abilities(const struct port *p, struct port_abilities *ret)
{
	const struct rte_eth_dev_info *dev = &p->dev;
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN, longest;

	*ret = (struct port_abilities){
		.mtu_max = p->cfg.mtu, .queues_max = 1, .virtual_device = !is_device(p)};
	if (p->cfg.interface != NULL) {
		ret->vlan_strip = true;
		return;
	}
	longest = dev->max_rx_pktlen > overhead ? dev->max_rx_pktlen - overhead : RTE_ETHER_MTU;
	if (is_device(p))
		ret->mtu_max = (uint16_t)RTE_MIN(longest, (uint32_t)dev->max_mtu);
	ret->queues_max =
		dev->max_rx_queues < dev->max_tx_queues ? dev->max_rx_queues : dev->max_tx_queues;
	ret->mbps_max = fastest(dev->speed_capa);
	ret->rx_ip_checksum = (dev->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
	ret->rx_l4_checksum = (dev->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0;
	ret->tx_l4_checksum = (dev->tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
	ret->vlan_strip = (dev->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0;
	ret->vlan_insert = (dev->tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0;
	ret->rss = dev->flow_type_rss_offloads != 0;
}

int
port_set_promiscuous(struct port *p, bool on)
{
	int rc;

	if (!is_device(p))
		return -ENOTSUP;
	rc = on ? rte_eth_promiscuous_enable(p->cfg.port_id)
		: rte_eth_promiscuous_disable(p->cfg.port_id);
	if (rc == 0)
		p->promiscuous_set = on;
	return rc;
}

int
port_set_link_up(struct port *p, bool up)
{
	if (!is_device(p))
		return -ENOTSUP;
	return up ? rte_eth_dev_set_link_up(p->cfg.port_id)
		  : rte_eth_dev_set_link_down(p->cfg.port_id);
}

int
port_flow_control(const struct port *p, struct port_flow_control *ret)
{
	struct rte_eth_fc_conf conf = {0};
	int rc;

	if (!is_device(p))
		return -ENOTSUP;
	rc = rte_eth_dev_flow_ctrl_get(p->cfg.port_id, &conf);
	if (rc != 0)
		return rc;
	*ret = (struct port_flow_control){
		.rx_pause = conf.mode == RTE_ETH_FC_RX_PAUSE || conf.mode == RTE_ETH_FC_FULL,
		.tx_pause = conf.mode == RTE_ETH_FC_TX_PAUSE || conf.mode == RTE_ETH_FC_FULL,
		.autoneg = conf.autoneg != 0,
	};
	return 0;
}
