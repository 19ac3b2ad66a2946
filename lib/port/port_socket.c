/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "port_priv.h"
#include "port_socket.h"

#define RX_PARTS (2 + PORT_LARGE_PARTS) /* the header, a small buffer, large ones */
#define TX_PARTS 2 /* the header, the frame */
#define TCP_CHECKSUM_AT 16U /* bytes into the TCP header */

/* Of one frame: where it goes, and what is known of it. */
struct rx_slot {
	struct virtio_net_hdr header;
	struct rte_mbuf *part[1 + PORT_LARGE_PARTS]; /* NULL: to be had anew, or there is none */
	struct iovec iov[RX_PARTS];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __rte_aligned(sizeof(size_t));
};

struct tx_slot {
	struct virtio_net_hdr header;
	struct iovec iov[TX_PARTS];
};

struct port_socket {
	int fd; /* -1: none */
	uint16_t burst; /* frames that are asked for at once */
	bool checksums; /* the kernel's word about them is taken */
	uint16_t used; /* slots whose buffers went to the reader */
	struct rte_mempool *small, *large;
	struct port_stats stats;
	uint64_t truncated;
	struct rx_slot rx[PORT_SOCKET_SLOTS];
	struct tx_slot tx[PORT_BURST_MAX];
	struct mmsghdr rx_message[PORT_SOCKET_SLOTS], tx_message[PORT_BURST_MAX];
};

static void
refill_slot(struct port_socket *s, struct rx_slot *slot)
{
	struct iovec *iov = &slot->iov[1];
	uint32_t i;

	for (i = 0; i < RTE_DIM(slot->part); i++, iov++) {
		if (slot->part[i] != NULL)
			continue;
		slot->part[i] = rte_pktmbuf_alloc(i == 0 ? s->small : s->large);
		iov->iov_base =
			slot->part[i] != NULL ? rte_pktmbuf_mtod(slot->part[i], void *) : NULL;
		iov->iov_len = slot->part[i] != NULL ? rte_pktmbuf_tailroom(slot->part[i]) : 0;
	}
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
		s->truncated++;
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

uint16_t
port_socket_rx(struct port_socket *s, struct rte_mbuf **ret, uint16_t n)
{
	uint64_t bytes = s->stats.rx_bytes;
	uint16_t count = 0;
	int i, got;

	for (i = 0; i < s->used; i++) {
		refill_slot(s, &s->rx[i]);
		prepare_message(&s->rx_message[i].msg_hdr);
	}
	s->used = 0;
	if (s->rx[0].part[0] == NULL) /* the pool is empty; the frames wait in the socket */
		return 0;
	got = recvmmsg(
		s->fd, s->rx_message, (unsigned int)RTE_MIN(n, s->burst), MSG_DONTWAIT, NULL);
	if (got <= 0) /* nothing, or the interface went down, which the link's watch tells */
		return 0;
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

static int
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int
join(int fd, unsigned int interface_index, unsigned short what)
{
	const struct packet_mreq r = {.mr_ifindex = (int)interface_index, .mr_type = what};

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &r, sizeof(r)) == 0 ? 0 : -errno;
}

/* The kernel takes memberships back when the socket is closed, however we end. */
static int
configure(const struct port *p, int fd)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)p->interface_index};
	int rc = set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1);

	if (rc == 0)
		rc = set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	if (rc == 0)
		rc = set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (rc == 0)
		rc = set_option(fd, SOL_PACKET, PACKET_QDISC_BYPASS, !p->cfg.visible);
	if (rc == 0)
		rc = set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, PORT_SOCKET_RCVBUF);
	if (rc == 0)
		rc = set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, PORT_SOCKET_SNDBUF);
	if (rc == 0 && (p->cfg.promiscuous || p->cfg.set_mac))
		rc = join(fd, p->interface_index, PACKET_MR_PROMISC);
	if (rc == 0 && p->cfg.multicast)
		rc = join(fd, p->interface_index, PACKET_MR_ALLMULTI);
	if (rc == 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		rc = -errno;
	return rc;
}

static int
open_queue(struct port *p, uint16_t queue)
{
	struct port_socket *s = rte_zmalloc("port_socket", sizeof(*s), RTE_CACHE_LINE_SIZE);

	p->queue[queue] = (struct port_queue){
		.port_id = RTE_MAX_ETHPORTS,
		.queue = queue,
		.socket = s,
		.tx_offloads = p->cfg.checksum_offload ? TX_FRAME_TCP_CSUM : 0,
		.tx_pool = p->tx_pool,
		.counters = p->cfg.counters[queue],
	};
	if (s == NULL)
		return -ENOMEM;
	lay_out(s);
	s->checksums = p->cfg.checksum_offload;
	s->small = p->rx_pool;
	s->large = p->large_pool;
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	p->packet_socket[p->packet_sockets++] = s->fd;
	return configure(p, s->fd);
}

static int
bring_up(struct port *p, char *ret_message)
{
	int rc;

	if (p->cfg.queues > 1) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"--nic-mode vnet has one queue; use --nic-mode af_packet for several");
		return -ENOTSUP;
	}
	p->rx_room = port_vdev_frame_room(p->cfg.mtu);
	p->rx_descriptors = PORT_SOCKET_SLOTS;
	p->tx_descriptors = PORT_BURST_MAX;
	rc = port_create_pools(p, ret_message);
	if (rc != 0)
		return rc;
	rc = open_queue(p, 0);
	if (rc != 0) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"%s: no packet socket with virtio-net headers: %s; try --nic-mode "
			"af_packet",
			p->interface, strerror(-rc));
		return rc;
	}
	p->started = true;
	return 0;
}

static void
close_queue(struct port_socket *s)
{
	uint32_t i, k;

	if (s->fd > 0)
		close(s->fd);
	for (i = 0; i < PORT_SOCKET_SLOTS; i++) {
		for (k = 0; k < RTE_DIM(s->rx[i].part); k++)
			rte_pktmbuf_free(s->rx[i].part[k]);
	}
	rte_free(s);
}

static void
take_down(struct port *p)
{
	uint16_t q;

	for (q = 0; q < p->cfg.queues; q++) {
		if (p->queue[q].socket != NULL)
			close_queue(p->queue[q].socket);
	}
}

static void
info(const struct port *p, struct port_info *ret)
{
	ret->numa_node = -1;
	ret->tx_offloads = p->queue[0].tx_offloads;
	ret->rx_l4_checksum = p->cfg.checksum_offload;
	ret->promiscuous = port_interface_promiscuous(p->interface);
	snprintf(ret->name, sizeof(ret->name), "packet socket on %s", p->interface);
	snprintf(ret->driver, sizeof(ret->driver), "vnet");
	port_interface_mac(p->interface, &ret->mac);
}

static void
stats(struct port *p, struct port_stats *ret)
{
	const struct port_socket *s = p->queue[0].socket;

	*ret = s->stats;
	ret->rx_errors = s->truncated;
}

static void
xstats(struct port *p, void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx)
{
	const struct port_socket *s = p->queue[0].socket;

	if (s->truncated > 0)
		fn(ctx, "rx_truncated", s->truncated);
}

/* The kernel knows of the interface, and is asked. */
static bool
never(const struct port *p)
{
	(void)p;
	return false;
}

const struct port_driver port_socket_driver = {
	.bring_up = bring_up,
	.take_down = take_down,
	.info = info,
	.stats = stats,
	.xstats = xstats,
	.link_up = never,
	.is_gone = never,
};
