/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_OFFLOADS_H
#define PORT_OFFLOADS_H

#include <rte_ethdev.h>

#include "port.h"

/** What a NIC does for us. */
struct port_offloads {
	uint64_t rx, tx; /* RTE_ETH_RX_OFFLOAD_*, RTE_ETH_TX_OFFLOAD_* */
	uint32_t
		burst_max; /* frames taken at once, so that the parts of all of them have a place */
};

/** Only what the NIC has and we asked for; the rest is done in software. rx_room: bytes of one receive
 *  buffer, PORT_FRAME_ROOM_MIN or more. */
void port_offloads_choose(const struct port_config *cfg, const struct rte_eth_dev_info *dev,
	uint32_t rx_room, struct port_offloads *ret);

#endif
