/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base_compiler.h"
#include "port_priv.h"
#include "port_ring_queue.h"
#include "port_socket.h"

/* What the NIC said about the checksums; neither flag is UNKNOWN, which is not GOOD. */
static inline uint32_t
frame_flags(const struct rte_mbuf *m)
{
	uint64_t ip = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint32_t flags = 0;

	if (likely(m->ol_flags == 0))
		return 0;
	/* NONE: not filled in, but what it covers is vouched for (virtio, a peer on this host). */
	flags |= ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD || ip == RTE_MBUF_F_RX_IP_CKSUM_NONE
			 ? FRAME_IP_CSUM_GOOD
			 : 0;
	flags |= ip == RTE_MBUF_F_RX_IP_CKSUM_BAD ? FRAME_IP_CSUM_BAD : 0;
	flags |= l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE
			 ? FRAME_L4_CSUM_GOOD
			 : 0;
	flags |= l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD ? FRAME_L4_CSUM_BAD : 0;
	flags |= m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? FRAME_VLAN_STRIPPED : 0;
	return flags;
}

static inline void
fill_frame(struct frame *f, struct rte_mbuf *m)
{
	f->data = rte_pktmbuf_mtod(m, uint8_t *);
	f->len = m->data_len;
	f->flags = frame_flags(m);
	f->vlan_tci = m->vlan_tci;
	f->owner = m;
	f->next = NULL;
}

/* With timestamps they are on two cache lines, which the NIC or another core wrote; all of a burst's are
 * on their way before the first is looked at. */
static inline void
prefetch_headers(const struct frame *f)
{
	rte_prefetch0(f->data);
	rte_prefetch0(f->data + RTE_CACHE_LINE_SIZE);
}

/* Cuts a chain into mbufs that can be freed one by one. What exceeds the storage is lost, and
 * the IP length then says that the frame is cut short. */
static void
split_chain(struct port_queue *q, struct frame *first, struct rte_mbuf *m)
{
	struct rte_mbuf *part = m->next, *next;
	struct frame *last = first;

	m->next = NULL;
	m->nb_segs = 1;
	m->pkt_len = m->data_len;
	for (; part != NULL; part = next) {
		next = part->next;
		part->next = NULL;
		part->nb_segs = 1;
		part->pkt_len = part->data_len;
		if (q->parts_used == PORT_PARTS_MAX) {
			rte_pktmbuf_free_seg(part);
			continue;
		}
		q->held++;
		last->next = &q->parts[q->parts_used++];
		last = last->next;
		fill_frame(last, part);
	}
}

static inline uint16_t
receive(struct port_queue *q, struct rte_mbuf **mbufs, uint16_t n)
{
	return q->socket != NULL ? port_socket_rx(q->socket, mbufs, n)
				 : rte_eth_rx_burst(q->port_id, q->queue, mbufs, n);
}

static inline uint16_t
transmit(struct port_queue *q, struct rte_mbuf **mbufs, uint16_t n)
{
	if (q->ring != NULL)
		return port_ring_queue_tx(q->ring, mbufs, n);
	if (q->socket != NULL)
		return port_socket_tx(q->socket, mbufs, n);
	if (q->tx_offloads != 0)
		n = rte_eth_tx_prepare(q->port_id, q->queue, mbufs, n);
	return rte_eth_tx_burst(q->port_id, q->queue, mbufs, n);
}

static uint32_t
receive_mbufs(struct port_queue *q, struct frame *frames, uint32_t n)
{
	struct rte_mbuf *mbufs[PORT_BURST_MAX];
	uint16_t i, received;

	q->parts_used = 0;
	received = receive(q, mbufs, (uint16_t)n);
	for (i = 0; i < received; i++)
		rte_prefetch0(mbufs[i]);
	for (i = 0; i < received; i++) {
		fill_frame(&frames[i], mbufs[i]);
		prefetch_headers(&frames[i]);
		if (unlikely(mbufs[i]->nb_segs > 1))
			split_chain(q, &frames[i], mbufs[i]);
	}
	return received;
}

uint32_t
port_rx_burst(struct port_queue *q, struct frame *frames, uint32_t n)
{
	uint32_t received;

	n = RTE_MIN(n, q->burst_max);
	if (q->released > 0)
		port_release_flush(q);
	received = q->ring != NULL ? port_ring_queue_rx(q->ring, frames, n)
				   : receive_mbufs(q, frames, n);
	q->held += received;
	return received;
}

static bool
reserve(struct port_queue *q, struct tx_frame *frames, uint32_t n)
{
	struct rte_mbuf *mbufs[PORT_BURST_MAX];
	uint32_t i;

	if (rte_pktmbuf_alloc_bulk(q->tx_pool, mbufs, n) != 0)
		return false;
	for (i = 0; i < n; i++)
		frames[i] = (struct tx_frame){.data = rte_pktmbuf_mtod(mbufs[i], uint8_t *),
			.room = (uint32_t)mbufs[i]->buf_len - mbufs[i]->data_off,
			.owner = mbufs[i]};
	return true;
}

/* What is reserved stays where it is: an iteration that sends one ACK makes one frame anew, not a burst. */
static void
replace_spent(struct port_queue *q)
{
	if (!reserve(q, q->tx, q->spent)) {
		q->reserved -= q->spent;
		memmove(q->tx, q->tx + q->spent, q->reserved * sizeof(q->tx[0]));
	}
	q->spent = 0;
}

struct tx_frame *
port_tx_reserve(struct port_queue *q, uint32_t n, uint32_t *ret_count)
{
	n = RTE_MIN(n, PORT_BURST_MAX);
	if (q->spent > 0)
		replace_spent(q);
	if (unlikely(q->reserved < n) && reserve(q, q->tx + q->reserved, n - q->reserved))
		q->reserved = n;
	*ret_count = RTE_MIN(n, q->reserved);
	return q->tx;
}

static void
prepare(struct rte_mbuf *m, const struct tx_frame *f)
{
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
	m->ol_flags = 0;
	if (unlikely(f->flags & TX_FRAME_VLAN)) {
		m->ol_flags = RTE_MBUF_F_TX_VLAN;
		m->vlan_tci = f->vlan_tci;
	}
	if ((f->flags & (TX_FRAME_IP_CSUM | TX_FRAME_TCP_CSUM)) == 0)
		return;
	m->tx_offload = rte_mbuf_tx_offload(f->l2_len, f->l3_len, f->l4_len, 0, 0, 0, 0);
	m->ol_flags |= f->flags & TX_FRAME_IPV6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	if (f->flags & TX_FRAME_IP_CSUM)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (f->flags & TX_FRAME_TCP_CSUM)
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
}

uint32_t
port_tx_burst(struct port_queue *q, uint32_t filled)
{
	struct rte_mbuf *mbufs[PORT_BURST_MAX];
	uint16_t sent;
	uint32_t i;

	if (filled == 0)
		return 0;
	for (i = 0; i < filled; i++) {
		mbufs[i] = q->tx[i].owner;
		prepare(mbufs[i], &q->tx[i]);
	}
	q->spent = filled;
	sent = transmit(q, mbufs, (uint16_t)filled);
	if (unlikely(sent < filled)) {
		rte_pktmbuf_free_bulk(mbufs + sent, (unsigned int)(filled - sent));
		counter_add(q->counters, COUNTER_TX_UNSENT, filled - sent);
	}
	return sent;
}

/* The flush first, so that whoever releases a frame may still look at it until the next one's turn. A function of its own:
 * the other path, each frame's, has no registers to save. */
static OUT_OF_LINE void
release_after_flush(struct port_queue *q, void *owner)
{
	port_release_flush(q);
	q->release[q->released++] = owner;
}

void
port_release(void *queue, void *owner)
{
	struct port_queue *q = queue;

	if (unlikely(q->released == PORT_RELEASE_BATCH))
		release_after_flush(q, owner);
	else
		q->release[q->released++] = owner;
}

bool
port_keep(void *queue, struct payload *payload)
{
	struct port_queue *q = queue;
	void *slot = payload->owner;

	if (q->ring == NULL || !port_ring_queue_owns(q->ring, slot))
		return true;
	if (!port_ring_queue_copy(q->ring, payload))
		return false;
	q->held++;
	port_release(q, slot);
	return true;
}

/* An mbuf of its own, in one segment, goes back to its pool as it is: an mbuf in a pool has
 * next NULL and nb_segs 1 (rte_mbuf_raw_free), and looking at its second cache line to see that
 * is what rte_pktmbuf_free_bulk spends its time on. */
static inline bool
is_plain(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) == 1 && m->nb_segs == 1 && RTE_MBUF_DIRECT(m);
}

/* Gives the slots back. Returns how many mbufs are left, at release[]'s beginning. */
static uint32_t
release_slots(struct port_queue *q)
{
	uint32_t i, mbufs = 0;

	for (i = 0; i < q->released; i++) {
		if (port_ring_queue_owns(q->ring, q->release[i]))
			port_ring_queue_release(q->ring, q->release[i]);
		else
			q->release[mbufs++] = q->release[i];
	}
	return mbufs;
}

static void
release_mbufs(struct rte_mbuf **mbufs, uint32_t n)
{
	struct rte_mempool *pool;
	uint32_t i, first = 0;

	for (i = 0; i < n; i = first) {
		pool = mbufs[first]->pool;
		while (i < n && is_plain(mbufs[i]) && mbufs[i]->pool == pool)
			i++;
		if (i > first)
			rte_mempool_put_bulk(pool, (void **)&mbufs[first], i - first);
		else
			rte_pktmbuf_free_seg(mbufs[i++]);
		first = i;
	}
}

void
port_release_flush(struct port_queue *q)
{
	uint32_t mbufs = q->ring != NULL ? release_slots(q) : q->released;

	release_mbufs((struct rte_mbuf **)q->release, mbufs);
	q->held -= q->released;
	q->released = 0;
}

void
port_tx_give_back(struct port_queue *q)
{
	uint32_t i;

	for (i = q->spent; i < q->reserved; i++)
		rte_pktmbuf_free(q->tx[i].owner);
	q->reserved = q->spent = 0;
}
