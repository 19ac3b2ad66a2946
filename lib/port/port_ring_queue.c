/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_malloc.h>

#include "base_payload.h"
#include "port_priv.h"
#include "port_ring_queue.h"

#define PREFETCH_AHEAD 4U /* slots */

struct port_ring_queue {
	struct port_ring_queue_config cfg;
	uint32_t at; /* the slot to look at next */
	uint32_t oldest; /* no slot further back is out; */
	uint32_t span; /* it is so many slots behind `at` */
	uint8_t *
		out; /* of each slot: is it lent? In its own header it is the reader's as long as that */
	bool starved; /* an mbuf was missing at the last look */
	struct port_stats stats;
	struct iovec tx_iov[PORT_BURST_MAX];
	struct mmsghdr tx_message[PORT_BURST_MAX];
};

static inline struct tpacket2_hdr *
slot_at(const struct port_ring_queue *r, uint32_t at)
{
	return (struct tpacket2_hdr *)(void *)(r->cfg.memory + (size_t)at * r->cfg.slot_bytes);
}

static inline uint32_t
following(const struct port_ring_queue *r, uint32_t at)
{
	return at + 1 == r->cfg.slots ? 0 : at + 1;
}

static inline uint32_t
status_of(const struct tpacket2_hdr *slot)
{
	return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
}

static inline void
set_status(struct tpacket2_hdr *slot, uint32_t status)
{
	__atomic_store_n(&slot->tp_status, status, __ATOMIC_RELEASE);
}

bool
port_ring_queue_owns(const struct port_ring_queue *r, const void *owner)
{
	const uint8_t *at = owner;

	return at >= r->cfg.memory && at < r->cfg.memory + (size_t)r->cfg.slots * r->cfg.slot_bytes;
}

void
port_ring_queue_release(struct port_ring_queue *r, void *owner)
{
	uint32_t offset = (uint32_t)((uint8_t *)owner - r->cfg.memory);

	r->out[offset / r->cfg.slot_bytes] = false;
	set_status(owner, TP_STATUS_KERNEL);
}

bool
port_ring_queue_copy(struct port_ring_queue *r, struct payload *p)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->cfg.pool);

	if (m == NULL) {
		/* Once, however often we look: what waits in the ring is not lost. */
		r->stats.rx_no_mbuf += !r->starved;
		r->starved = true;
		return false;
	}
	r->starved = false;
	m->data_len = (uint16_t)p->len;
	m->pkt_len = p->len;
	memcpy(rte_pktmbuf_mtod(m, void *), p->data, p->len);
	*p = (struct payload){rte_pktmbuf_mtod(m, const uint8_t *), p->len, m};
	return true;
}

/* CSUMNOTREADY: the sender is on this host, and no cable could have changed what it wrote. CSUM_VALID says too much:
 * until Linux 6.1 also of frames that a NIC had only summed up. */
static inline uint32_t
frame_flags(const struct port_ring_queue *r, uint32_t status)
{
	return (r->cfg.checksums && (status & TP_STATUS_CSUMNOTREADY) ? FRAME_L4_CSUM_GOOD : 0) |
	       ((status & TP_STATUS_VLAN_VALID) ? FRAME_VLAN_STRIPPED : 0);
}

/* Frames longer than a slot are cut short by the kernel: the IP length then says so. */
static inline void
fill_frame(const struct port_ring_queue *r, struct tpacket2_hdr *slot, uint32_t status,
	struct frame *ret)
{
	ret->data = (uint8_t *)slot + slot->tp_mac;
	ret->len = slot->tp_snaplen;
	ret->flags = frame_flags(r, status);
	ret->vlan_tci = slot->tp_vlan_tci;
	ret->owner = slot;
	ret->next = NULL;
}

/* Passes over what has come back meanwhile. */
static void
find_oldest(struct port_ring_queue *r)
{
	while (r->span > 0 && !r->out[r->oldest]) {
		r->oldest = following(r, r->oldest);
		r->span--;
	}
}

static bool
copy_frame(struct port_ring_queue *r, struct frame *f)
{
	struct payload p = {f->data, f->len, f->owner};

	if (!port_ring_queue_copy(r, &p))
		return false;
	port_ring_queue_release(r, f->owner);
	f->data = rte_pktmbuf_mtod((struct rte_mbuf *)p.owner, uint8_t *);
	f->owner = p.owner;
	return true;
}

/* false: the frame stays in its slot for now. */
static inline bool
take(struct port_ring_queue *r, struct tpacket2_hdr *slot, uint32_t status, struct frame *ret)
{
	fill_frame(r, slot, status, ret);
	rte_prefetch0(ret->data);
	rte_prefetch0(ret->data + RTE_CACHE_LINE_SIZE);
	if (unlikely(r->span >= r->cfg.lend_max))
		find_oldest(r);
	if (likely(r->span < r->cfg.lend_max))
		r->out[r->at] = true;
	else if (!copy_frame(r, ret))
		return false;
	r->at = following(r, r->at);
	r->span++;
	r->stats.rx_packets++;
	r->stats.rx_bytes += ret->len;
	return true;
}

uint32_t
port_ring_queue_rx(struct port_ring_queue *r, struct frame *ret, uint32_t n)
{
	uint32_t count, status, ahead = r->at + PREFETCH_AHEAD;
	struct tpacket2_hdr *slot;

	for (count = 0; count < n; count++, ahead++) {
		if (r->out[r->at])
			break; /* round the ring, and it has not come back */
		slot = slot_at(r, r->at);
		status = status_of(slot);
		if (!(status & TP_STATUS_USER) || !take(r, slot, status, &ret[count]))
			break;
		rte_prefetch0(slot_at(r, ahead < r->cfg.slots ? ahead : 0));
	}
	return count;
}

uint16_t
port_ring_queue_tx(struct port_ring_queue *r, struct rte_mbuf **mbufs, uint16_t n)
{
	int i, sent;

	for (i = 0; i < n; i++)
		r->tx_iov[i] =
			(struct iovec){rte_pktmbuf_mtod(mbufs[i], void *), mbufs[i]->data_len};
	sent = sendmmsg(r->cfg.fd, r->tx_message, n, MSG_DONTWAIT);
	if (sent <= 0) {
		r->stats.tx_errors++;
		return 0;
	}
	for (i = 0; i < sent; i++)
		r->stats.tx_bytes += mbufs[i]->data_len;
	r->stats.tx_packets += (uint64_t)sent;
	rte_pktmbuf_free_bulk(mbufs, (unsigned int)sent);
	return (uint16_t)sent;
}

struct port_ring_queue *
port_ring_queue_create(const struct port_ring_queue_config *cfg)
{
	struct port_ring_queue *r = rte_zmalloc("port_ring_queue", sizeof(*r), RTE_CACHE_LINE_SIZE);
	uint32_t i;

	if (r == NULL)
		return NULL;
	r->out = rte_zmalloc("port_ring_out", cfg->slots, RTE_CACHE_LINE_SIZE);
	if (r->out == NULL) {
		rte_free(r);
		return NULL;
	}
	r->cfg = *cfg;
	for (i = 0; i < PORT_BURST_MAX; i++)
		r->tx_message[i].msg_hdr =
			(struct msghdr){.msg_iov = &r->tx_iov[i], .msg_iovlen = 1};
	return r;
}

void
port_ring_queue_destroy(struct port_ring_queue *r)
{
	if (r == NULL)
		return;
	rte_free(r->out);
	rte_free(r);
}

const struct port_stats *
port_ring_queue_stats(const struct port_ring_queue *r)
{
	return &r->stats;
}
