/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_SOCKET_H
#define PORT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

struct port_stats;
struct port_socket;
struct rte_mbuf;
struct rte_mempool;

/*
 * A queue on a packet socket with virtio-net headers (packet(7), PACKET_VNET_HDR): the kernel hands over
 * super-packets whole, says whose checksum is not there because the sender never left this host, and copies
 * once, on the reader's core, where net_af_packet's ring is filled on the sender's and then copied
 * (docs/adr/vnet-port.md).
 */

/**
 * A queue on fd, a socket that gives and takes a virtio-net header and a frame at a time; it is the
 * queue's from then on. Frames are received into buffers of small, and what is longer goes on into those
 * of large; both outlive the queue. checksums: what the headers say of them is believed. NULL: no memory;
 * fd is still the caller's.
 */
struct port_socket *port_socket_create(
	int fd, struct rte_mempool *small, struct rte_mempool *large, bool checksums);

/** Closes the socket, gives the buffers back that are its own. NULL is allowed. */
void port_socket_destroy(struct port_socket *s);

/** Packets and bytes both ways; rx_errors: frames too long for the buffers that there were, or no frames;
 *  rx_no_mbuf: times that a pool was empty; tx_errors: bursts of which the kernel took nothing. */
const struct port_stats *port_socket_stats(const struct port_socket *s);

/** Receives up to n frames (1..PORT_BURST_MAX), chained where they are long. They are the caller's.
 *  Frames that are longer than anything on a cable are dropped and counted. Returns how many. */
uint16_t port_socket_rx(struct port_socket *s, struct rte_mbuf **ret, uint16_t n);

/** Sends the first of n frames (1..PORT_BURST_MAX) that the kernel takes, and frees them. Returns how
 *  many; the others stay the caller's. */
uint16_t port_socket_tx(struct port_socket *s, struct rte_mbuf **mbufs, uint16_t n);

#endif
