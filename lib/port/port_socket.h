/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_SOCKET_H
#define PORT_SOCKET_H

#include <stdint.h>

struct rte_mbuf;
struct port_socket;

/*
 * A queue on a packet socket with virtio-net headers (packet(7), PACKET_VNET_HDR): the kernel hands over
 * super-packets whole, says whose checksum is not there because the sender never left this host, and copies
 * once, on the reader's core, where net_af_packet's ring is filled on the sender's and then copied
 * (docs/adr/vnet-port.md).
 */

/** Receives up to n frames (1..PORT_BURST_MAX), chained where they are long. They are the caller's.
 *  Frames that are longer than anything on a cable are dropped and counted. Returns how many. */
uint16_t port_socket_rx(struct port_socket *s, struct rte_mbuf **ret, uint16_t n);

/** Sends the first of n frames (1..PORT_BURST_MAX) that the kernel takes, and frees them. Returns how
 *  many; the others stay the caller's. */
uint16_t port_socket_tx(struct port_socket *s, struct rte_mbuf **mbufs, uint16_t n);

#endif
