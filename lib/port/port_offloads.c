/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "port_limits.h"
#include "port_offloads.h"

/* net_vmxnet3 tells the device to join segments, and that a frame takes 0 buffers (maxNumRxSG), which QEMU's
 * takes for one: each frame that does not fit in it is an error, and the sender must repeat it in
 * segments. ESXi's may be different; nobody here could try. */
static bool
joins_wrongly(const struct rte_eth_dev_info *dev)
{
	return dev->driver_name != NULL && strcmp(dev->driver_name, "net_vmxnet3") == 0;
}

/* Joined segments make a frame as long as an IP packet can be, in a chain of buffers. Their checksums
 * were verified one by one, by the NIC; of the frame that they became there is none. */
static bool
can_join(const struct port_config *cfg, const struct rte_eth_dev_info *dev)
{
	const uint64_t needed = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER |
				RTE_ETH_RX_OFFLOAD_TCP_CKSUM;

	return cfg->lro && cfg->checksum_offload && (dev->rx_offload_capa & needed) == needed &&
	       !joins_wrongly(dev);
}

void
port_offloads_choose(const struct port_config *cfg, const struct rte_eth_dev_info *dev,
	uint32_t rx_room, struct port_offloads *ret)
{
	uint32_t longest = cfg->mtu + PORT_L2_OVERHEAD, parts;
	uint64_t rx = 0, tx = 0;

	if (cfg->checksum_offload) {
		rx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
		tx = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	}
	if (cfg->vlan_offload) {
		rx |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
		tx |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	}
	if (can_join(cfg, dev)) {
		rx |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
		longest = UINT16_MAX + PORT_L2_OVERHEAD;
	}
	if (longest > rx_room)
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	/* All that we send comes from one pool and is referenced once. */
	tx |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	parts = (longest + rx_room - 1) / rx_room;
	*ret = (struct port_offloads){
		.rx = rx & dev->rx_offload_capa,
		.tx = tx & dev->tx_offload_capa,
		.burst_max = parts > 1 ? RTE_MIN(PORT_BURST_MAX, PORT_PARTS_MAX / (parts - 1))
				       : PORT_BURST_MAX,
	};
}
