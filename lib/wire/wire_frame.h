/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdint.h>

/* frame.flags: what the port knows about a received frame's checksums. Neither bit: UNKNOWN. */
#define FRAME_IP_CSUM_GOOD (1U << 0) /* the NIC verified the IPv4 header checksum */
#define FRAME_IP_CSUM_BAD (1U << 1)
#define FRAME_L4_CSUM_GOOD (1U << 2) /* the NIC verified the TCP/UDP checksum */
#define FRAME_L4_CSUM_BAD (1U << 3)
#define FRAME_VLAN_STRIPPED (1U << 4) /* the 802.1Q tag was moved to vlan_tci */

/**
 * One received Ethernet frame, or one part of a frame that the port received in several buffers.
 *
 * The first part holds all headers (the port sees to that); next leads to the following parts,
 * NULL at the end. Each part has its own owner. data points at the destination MAC address; the
 * frame check sequence is not included.
 */
struct frame {
	uint8_t *data;
	uint32_t len; /* bytes of this part */
	uint32_t flags; /* FRAME_*, in the first part only */
	void *owner;
	struct frame *next;
	uint16_t vlan_tci; /* with FRAME_VLAN_STRIPPED: priority and VLAN id, host order */
};

/* tx_frame.flags: what the sender asks of the port. Only what the port said it can do. */
#define TX_FRAME_IP_CSUM (1U << 0) /* fill in the IPv4 header checksum */
#define TX_FRAME_TCP_CSUM (1U << 1) /* finish the TCP checksum; the pseudo-header sum is in place */
#define TX_FRAME_IPV6 (1U << 2) /* not asked: the packet is IPv6 */
#define TX_FRAME_VLAN (1U << 3) /* insert an 802.1Q tag with vlan_tci */

/**
 * A buffer to build one outgoing frame in. The port makes it with data, room and owner set; the
 * netstack fills in the rest. The buffer stays the port's: filled frames go back by
 * port_tx_burst, unfilled ones are used again for the next call.
 */
struct tx_frame {
	uint8_t *data;
	uint32_t room; /* bytes that may be written at data */
	uint32_t len; /* bytes written, without frame check sequence */
	uint32_t flags;
	uint16_t l2_len; /* Ethernet and VLAN header bytes */
	uint16_t l3_len; /* IP header bytes */
	uint16_t l4_len; /* TCP header bytes with options */
	uint16_t vlan_tci; /* with TX_FRAME_VLAN: priority and VLAN id, host order */
	void *owner;
};

#endif
