/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_LIMITS_H
#define PORT_LIMITS_H

#define PORT_BURST_MAX 64U /* frames a call of rx_burst or tx_reserve */
#define PORT_PARTS_MAX 1024U /* further parts of chained frames in one burst */
#define PORT_RX_DESCRIPTORS 2048U
#define PORT_TX_DESCRIPTORS 1024U
#define PORT_POOL_CACHE 256U /* mbufs in a core's mempool cache */
#define PORT_MBUF_OVERHEAD 256U /* bytes of an mbuf and its pool header, rounded up */
#define PORT_RELEASE_BATCH 64U
#define PORT_L2_OVERHEAD 18U /* Ethernet and one 802.1Q tag */
#define PORT_FRAME_ROOM_MIN 2048U /* bytes; what vector drivers and af_packet's default expect */
#define PORT_RX_ROOM_MAX \
	(65535U - RTE_PKTMBUF_HEADROOM) /* bytes; an mbuf's buffer is counted in 16 bits */
#define PORT_LINK_POLL_US 100000U
#define PORT_QUEUES_MAX 64U

/* A PACKET_MMAP ring (net_af_packet's, or our own) of frames that hold a tpacket2_hdr besides the packet. */
#define AF_PACKET_HEADER_LEN 80U /* TPACKET2_HDRLEN and VLAN, rounded up */
#define AF_PACKET_FRAME_MAX 65408U /* bytes; measured: larger ones are refused */
/* The kernel goes round the whole ring: a larger one than the window needs only costs cache misses. */
#define AF_PACKET_RING_BYTES (8U << 20)
#define AF_PACKET_RING_BYTES_MAX (256U << 20) /* kernel memory, not swappable */
#define AF_PACKET_FRAMES_MIN 256U
#define AF_PACKET_BLOCK_MAX (2U << 20)
#define AF_PACKET_FRAME_ALIGN 1024U
#define AF_PACKET_PAGE \
	4096U /* the kernel's own on x86-64; a multiple serves larger ones less well */

/* net_af_xdp: the kernel receives into the mempool's objects themselves. One must fit a page, and
 * holds the mempool's header, the mbuf and its headroom, the kernel's headroom, the frame and the
 * cache line that spreads objects over memory channels. Measured: exact. */
#define AF_XDP_PAGE 4096U
#define AF_XDP_KERNEL_HEADROOM 256U /* XDP_PACKET_HEADROOM */
#define AF_XDP_OBJECT_OVERHEAD (64U + 128U + 128U + 64U)
#define AF_XDP_MTU_MAX \
	(AF_XDP_PAGE - AF_XDP_OBJECT_OVERHEAD - AF_XDP_KERNEL_HEADROOM - PORT_L2_OVERHEAD)

/* Packet sockets with virtio-net headers: a frame goes to buffers of the usual size and, what is longer,
 * on to large ones: 65,535 bytes of IP, Ethernet and a tag behind them are 65,553 bytes. A window may be full of
 * frames that are a little longer than one buffer (the server cuts them as the window opens): with four
 * before it a large one is used by frames above 8 KiB only, of which the window holds as many as
 * large_pool_size has. */
#define PORT_SOCKET_SLOTS PORT_BURST_MAX
#define PORT_SMALL_PARTS 4U
#define PORT_LARGE_ROOM 16384U
#define PORT_LARGE_PARTS 4U
#define PORT_SOCKET_BURST_BYTES 262144U /* more in one burst, and the ACKs come late */
#define PORT_SOCKET_BURST_MIN 4U
#define PORT_SOCKET_RCVBUF \
	(256 << 20) /* bytes that may wait, counted as the kernel's buffers are */
#define PORT_SOCKET_SNDBUF (4 << 20)

#endif
