/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "port_priv.h"
#include "port_socket.h"

#define BUFFERS (PORT_SMALL_PARTS + PORT_LARGE_PARTS) /* of a frame, at most */
#define RX_PARTS (1 + BUFFERS) /* the header before them */
#define TX_PARTS 2 /* the header, the frame */
#define TCP_CHECKSUM_AT 16U /* bytes into the TCP header */

/* Of one frame: where it goes, and what is known of it. */
struct rx_slot {
	struct virtio_net_hdr header;
	struct rte_mbuf *part[BUFFERS]; /* NULL: to be had anew, or there is none */
	struct iovec iov[RX_PARTS];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __rte_aligned(sizeof(size_t));
};

struct tx_slot {
	struct virtio_net_hdr header;
	struct iovec iov[TX_PARTS];
};

struct port_socket {
	int fd;
	uint16_t burst; /* frames that are asked for at once */
	bool checksums; /* the kernel's word about them is taken */
	bool starved; /* buffers were missing at the last look */
	uint16_t used; /* of the slots below it, buffers went to the reader, or could not be had */
	struct rte_mempool *small, *large;
	struct port_stats stats;
	struct rx_slot rx[PORT_SOCKET_SLOTS];
	struct tx_slot tx[PORT_BURST_MAX];
	struct mmsghdr rx_message[PORT_SOCKET_SLOTS], tx_message[PORT_BURST_MAX];
};

/* Where a buffer is missing, those behind it are of no use. false: there is not even one. */
static bool
refill_slot(struct port_socket *s, struct rx_slot *slot)
{
	struct iovec *iov = &slot->iov[1];
	bool whole = true;
	uint32_t i;

	for (i = 0; i < RTE_DIM(slot->part); i++, iov++) {
		if (slot->part[i] == NULL)
			slot->part[i] =
				rte_pktmbuf_alloc(i < PORT_SMALL_PARTS ? s->small : s->large);
		whole = whole && slot->part[i] != NULL;
		iov->iov_base = whole ? rte_pktmbuf_mtod(slot->part[i], void *) : NULL;
		iov->iov_len = whole ? rte_pktmbuf_tailroom(slot->part[i]) : 0;
	}
	return slot->part[0] != NULL;
}

static void
prepare_message(struct msghdr *m)
{
	m->msg_controllen = sizeof(((struct rx_slot *)0)->control);
	m->msg_flags = 0;
}

/* The tag that the kernel took out of the frame. */
static void
read_tag(struct msghdr *m, struct rte_mbuf *mbuf)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct tpacket_auxdata aux;

	if (c == NULL || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0)
		return;
	mbuf->vlan_tci = aux.tp_vlan_tci;
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
}

/* NEEDS_CSUM: the sender is on this host, and no cable could have changed what it wrote. */
static uint64_t
checksum_flags(const struct virtio_net_hdr *h)
{
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return RTE_MBUF_F_RX_L4_CKSUM_NONE;
	return h->flags & VIRTIO_NET_HDR_F_DATA_VALID ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0;
}

/* Takes the buffers that len bytes lie in out of the slot, as one chain. */
static struct rte_mbuf *
take_chain(struct rx_slot *slot, uint32_t len)
{
	struct rte_mbuf *first = slot->part[0], *last;
	uint32_t i, room;

	first->pkt_len = len;
	for (i = 0;; i++) {
		last = slot->part[i];
		slot->part[i] = NULL;
		room = (uint32_t)slot->iov[1 + i].iov_len;
		last->data_len = (uint16_t)RTE_MIN(len, room);
		len -= last->data_len;
		if (len == 0)
			break;
		last->next = slot->part[i + 1];
		first->nb_segs++;
	}
	return first;
}

/* NULL: it is no frame. */
static struct rte_mbuf *
take(struct port_socket *s, int i)
{
	struct mmsghdr *m = &s->rx_message[i];
	struct rx_slot *slot = &s->rx[i];
	uint32_t len = m->msg_len - (uint32_t)sizeof(slot->header);
	struct rte_mbuf *mbuf;

	if ((m->msg_hdr.msg_flags & MSG_TRUNC) || m->msg_len <= sizeof(slot->header)) {
		s->stats.rx_errors++;
		return NULL;
	}
	mbuf = take_chain(slot, len);
	mbuf->ol_flags = s->checksums ? checksum_flags(&slot->header) : 0;
	read_tag(&m->msg_hdr, mbuf);
	s->stats.rx_packets++;
	s->stats.rx_bytes += len;
	return mbuf;
}

/* A burst of super-packets takes long to copy, and its ACKs wait for its end. */
static void
adapt_burst(struct port_socket *s, int got, uint64_t bytes)
{
	if (bytes > PORT_SOCKET_BURST_BYTES)
		s->burst = (uint16_t)RTE_MAX(s->burst / 2U, PORT_SOCKET_BURST_MIN);
	else if (got == s->burst)
		s->burst = (uint16_t)RTE_MIN(2U * s->burst, PORT_SOCKET_SLOTS);
}

/* Of the slots that were used, or had no buffers. Returns how many may be used, from the first on. */
static uint16_t
refill(struct port_socket *s)
{
	uint16_t i;

	for (i = 0; i < s->used; i++) {
		if (!refill_slot(s, &s->rx[i])) {
			/* Once, however often we look: what waits in the socket is not lost. */
			s->stats.rx_no_mbuf += !s->starved;
			s->starved = true;
			return i;
		}
		prepare_message(&s->rx_message[i].msg_hdr);
	}
	s->used = 0;
	s->starved = false;
	return PORT_SOCKET_SLOTS;
}

uint16_t
port_socket_rx(struct port_socket *s, struct rte_mbuf **ret, uint16_t n)
{
	uint64_t bytes = s->stats.rx_bytes;
	uint16_t count = 0, ready = refill(s);
	int i, got;

	if (n > s->burst)
		n = s->burst;
	if (n > ready)
		n = ready;
	if (n == 0)
		return 0;
	got = recvmmsg(s->fd, s->rx_message, n, MSG_DONTWAIT, NULL);
	if (got <= 0) /* nothing, or the interface went down, which the link's watch tells */
		return 0;
	if (got > s->used)
		s->used = (uint16_t)got;
	for (i = 0; i < got; i++) {
		ret[count] = take(s, i);
		if (ret[count] != NULL)
			count++;
	}
	adapt_burst(s, got, s->stats.rx_bytes - bytes);
	return count;
}

/* Our checksum field holds the pseudo-header's sum already: as ethdev wants it, and virtio. */
static void
fill_header(struct virtio_net_hdr *h, const struct rte_mbuf *m)
{
	*h = (struct virtio_net_hdr){0};
	if ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) != RTE_MBUF_F_TX_TCP_CKSUM)
		return;
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = (uint16_t)(m->l2_len + m->l3_len);
	h->csum_offset = TCP_CHECKSUM_AT;
}

uint16_t
port_socket_tx(struct port_socket *s, struct rte_mbuf **mbufs, uint16_t n)
{
	int i, sent;

	for (i = 0; i < n; i++) {
		fill_header(&s->tx[i].header, mbufs[i]);
		s->tx[i].iov[1].iov_base = rte_pktmbuf_mtod(mbufs[i], void *);
		s->tx[i].iov[1].iov_len = mbufs[i]->data_len;
	}
	sent = sendmmsg(s->fd, s->tx_message, n, MSG_DONTWAIT);
	if (sent <= 0) {
		s->stats.tx_errors++;
		return 0;
	}
	for (i = 0; i < sent; i++)
		s->stats.tx_bytes += mbufs[i]->data_len;
	s->stats.tx_packets += (uint64_t)sent;
	rte_pktmbuf_free_bulk(mbufs, (unsigned int)sent);
	return (uint16_t)sent;
}

static void
lay_out(struct port_socket *s)
{
	uint16_t i;

	for (i = 0; i < PORT_SOCKET_SLOTS; i++) {
		s->rx[i].iov[0] = (struct iovec){&s->rx[i].header, sizeof(s->rx[i].header)};
		s->rx_message[i].msg_hdr = (struct msghdr){.msg_iov = s->rx[i].iov,
			.msg_iovlen = RX_PARTS,
			.msg_control = s->rx[i].control};
	}
	for (i = 0; i < PORT_BURST_MAX; i++) {
		s->tx[i].iov[0] = (struct iovec){&s->tx[i].header, sizeof(s->tx[i].header)};
		s->tx_message[i].msg_hdr =
			(struct msghdr){.msg_iov = s->tx[i].iov, .msg_iovlen = TX_PARTS};
	}
	s->used = PORT_SOCKET_SLOTS; /* none has buffers yet */
	s->burst = PORT_SOCKET_SLOTS;
}

struct port_socket *
port_socket_create(int fd, struct rte_mempool *small, struct rte_mempool *large, bool checksums)
{
	struct port_socket *s = rte_zmalloc("port_socket", sizeof(*s), RTE_CACHE_LINE_SIZE);

	if (s == NULL)
		return NULL;
	s->fd = fd;
	s->checksums = checksums;
	s->small = small;
	s->large = large;
	lay_out(s);
	return s;
}

void
port_socket_destroy(struct port_socket *s)
{
	uint32_t i, k;

	if (s == NULL)
		return;
	close(s->fd);
	for (i = 0; i < PORT_SOCKET_SLOTS; i++) {
		for (k = 0; k < RTE_DIM(s->rx[i].part); k++)
			rte_pktmbuf_free(s->rx[i].part[k]);
	}
	rte_free(s);
}

const struct port_stats *
port_socket_stats(const struct port_socket *s)
{
	return &s->stats;
}
