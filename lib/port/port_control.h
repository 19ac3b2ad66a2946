/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_CONTROL_H
#define PORT_CONTROL_H

#include "port.h"

/* What can be asked of an open port, and done to it, beside bursts: none of it on the data path. */

/** How the link is. */
struct port_link {
	bool up;
	uint32_t mbps; /* 0: not known */
	bool full_duplex, autoneg; /* as the driver says; of a virtual link without meaning */
};
void port_link(const struct port *p, struct port_link *ret);

/** What the port could do. */
struct port_abilities {
	uint16_t mtu_max; /* IP bytes */
	uint16_t queues_max; /* RX/TX pairs */
	uint32_t mbps_max; /* the fastest link; 0: not known */
	bool virtual_device; /* on a kernel interface: no NIC of its own */
	bool rx_ip_checksum, rx_l4_checksum, tx_l4_checksum, vlan_strip, vlan_insert, rss;
};
void port_abilities(const struct port *p, struct port_abilities *ret);

/**
 * Switches promiscuous mode: whether frames to other unicast addresses are received. port_close puts back
 * what was. 0; -ENOTSUP: the driver cannot, or it is a kernel interface, which others may have in that mode; or
 * another -errno of the driver's.
 */
int port_set_promiscuous(struct port *p, bool on);

/** Takes the port's side of the link down, or up again. 0; -ENOTSUP: the driver cannot, or it is a kernel
 *  interface, which would lose addresses and routes; or another -errno of the driver's. */
int port_set_link_up(struct port *p, bool up);

/** IEEE 802.3x flow control in force. */
struct port_flow_control {
	bool rx_pause; /* frames of the link's other end stop our sending */
	bool tx_pause; /* we stop theirs when the ring fills */
	bool autoneg;
};

/** 0; -ENOTSUP: the driver knows none; or another -errno of the driver's. */
int port_flow_control(const struct port *p, struct port_flow_control *ret);

#endif
