/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_RING_QUEUE_H
#define PORT_RING_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct frame;
struct payload;
struct port_ring_queue;
struct port_stats;
struct rte_mbuf;
struct rte_mempool;

/*
 * A queue on a packet socket's receive ring (packet(7), PACKET_RX_RING, TPACKET_V2). A received frame is lent
 * where the kernel put it, and its slot goes back when the frame is released: nothing is copied. The kernel
 * uses the slots one after another and stops at one that is out, so that what may stay for long has to move to an
 * mbuf; the same happens to frames while too many are out (docs/adr/ring-port.md).
 */

struct port_ring_queue_config {
	int fd; /* the ring's socket, also to send with; stays the caller's, as the memory does */
	uint8_t *memory; /* slots one behind the other; outlives the queue */
	uint32_t slots; /* 2..; slots * slot_bytes fits 32 bits */
	uint32_t slot_bytes; /* a tpacket2_hdr, and what the kernel writes behind it */
	uint32_t
		lend_max; /* 1..slots: the oldest frame that is out is so many slots behind, and further ones
			    * are copied */
	struct rte_mempool *pool; /* of mbufs with room for a slot; outlives the queue */
	bool checksums; /* believe the kernel where it says that nobody has made one yet */
};

/** NULL: no memory. */
struct port_ring_queue *port_ring_queue_create(const struct port_ring_queue_config *cfg);

/** Frames that are out are lost. NULL is allowed. */
void port_ring_queue_destroy(struct port_ring_queue *r);

/** Packets and bytes both ways; rx_no_mbuf: times that a frame was to be copied and the pool was empty;
 *  tx_errors: bursts of which the kernel took nothing. */
const struct port_stats *port_ring_queue_stats(const struct port_ring_queue *r);

/** Receives up to n frames, each of one part. They are the caller's: a slot's goes back by
 *  port_ring_queue_release, the others are mbufs. Returns how many. */
uint32_t port_ring_queue_rx(struct port_ring_queue *r, struct frame *ret, uint32_t n);

/** Sends the first of n frames (1..PORT_BURST_MAX) that the kernel takes, and frees them. Returns how
 *  many; the others stay the caller's. */
uint16_t port_ring_queue_tx(struct port_ring_queue *r, struct rte_mbuf **mbufs, uint16_t n);

/** Is owner a slot of this ring, and not an mbuf? */
bool port_ring_queue_owns(const struct port_ring_queue *r, const void *owner);

/** Gives a slot back to the kernel, which may write to it at once. */
void port_ring_queue_release(struct port_ring_queue *r, void *owner);

/** Copies bytes of a frame that is out to an mbuf, which becomes their owner; the slot is the caller's to
 *  release. false: there is no mbuf, and nothing has changed. */
bool port_ring_queue_copy(struct port_ring_queue *r, struct payload *p);

#endif
