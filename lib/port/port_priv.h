/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_PRIV_H
#define PORT_PRIV_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "port.h"
#include "port_limits.h"
#include "port_offloads.h"

struct port_ring_queue;
struct port_socket;

/** What a port stands on: a DPDK port (port_ethdev.c), or packet sockets (port_ring.c,
 * port_vnet.c). */
struct port_driver {
	int (*bring_up)(struct port *p, char *ret_message); /* 0, or -errno with a message */
	void (*take_down)(struct port *p); /* also after a bring_up that failed */
	void (*info)(const struct port *p, struct port_info *ret); /* its part of them */
	void (*stats)(struct port *p, struct port_stats *ret);
	/* NULL: it has none. */
	void (*xstats)(
		struct port *p, void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx);
	/* NULL where it always stands on a kernel interface, which is asked itself. */
	bool (*link_up)(const struct port *p);
	bool (*is_gone)(const struct port *p);
};
extern const struct port_driver port_ethdev_driver, port_ring_driver, port_vnet_driver;

/** One queue pair; its memory belongs to one worker. */
struct port_queue {
	uint16_t port_id, queue;
	struct port_ring_queue *ring; /* at most one of these; neither: a DPDK port's queue */
	struct port_socket *socket;
	uint32_t burst_max; /* frames taken at once */
	uint32_t tx_offloads; /* TX_FRAME_* that the NIC carries out */
	struct rte_mempool *tx_pool;
	struct counters *counters;
	uint32_t
		held; /* received buffers that port_release has not seen again. Those that went over
			* to another queue's worker come off that one's, modulo 2^32: the sum over
			* all queues is what is held */
	uint32_t released; /* in release[] */
	uint32_t reserved; /* in tx[] */
	uint32_t spent; /* the first of those, sent since: they want an mbuf each */
	void *release[PORT_RELEASE_BATCH]; /* mbufs, and slots of the ring */
	struct tx_frame tx[PORT_BURST_MAX]; /* empty mbufs to send with */
	struct frame parts[PORT_PARTS_MAX];
	uint32_t parts_used;
} __rte_cache_aligned;

struct port {
	struct port_config cfg;
	const struct port_driver *driver;
	char interface[32]; /* of a kernel interface under a virtual device, else empty */
	unsigned int interface_index; /* its index when the port was opened */
	struct rte_eth_dev_info dev;
	struct rte_mempool *rx_pool, *tx_pool;
	struct rte_mempool *large_pool; /* of PORT_NIC_VNET: for what a small buffer is short of */
	uint16_t rx_descriptors, tx_descriptors;
	uint32_t rx_room;
	struct port_offloads offloads; /* that are on */
	bool promiscuous_set, mac_programmed, started;
	bool multicast_set; /* by us, and to be undone */
	struct rte_ether_addr mac_found; /* before we programmed ours */
	struct rte_eth_stats baseline;
	int packet_socket[PORT_QUEUES_MAX]; /* of a port on packet sockets, whose they are */
	uint32_t packet_sockets;
	uint64_t packet_drops;
	void *ring_memory; /* of PORT_NIC_RING: the socket's ring, ring_bytes of it */
	size_t ring_bytes;
	bool rss_asked; /* several queues, and the NIC hashes TCP */
	uint8_t rss_key[PORT_RSS_KEY_MAX]; /* then: the key that it was given */
	struct port_queue *queue; /* cfg.queues of them */
};

/** Frees the frames that are reserved. */
void port_tx_give_back(struct port_queue *q);

/** Makes the pools for p's rx_room and descriptors. 0, or -ENOMEM with a message. */
int port_create_pools(struct port *p, char *ret_message);

/** Asks in conf for TCP to be spread by RSS, where there are several queues and the NIC can. */
void port_rss_ask(struct port *p, struct rte_eth_conf *conf);

/** Sees to it, on a started port that was asked so, that each queue has entries in the RETA. */
void port_rss_deal_out(struct port *p);

/** Our own packet sockets, no DPDK port? */
static inline bool
port_mode_is_packet(enum port_nic_mode mode)
{
	return mode == PORT_NIC_RING || mode == PORT_NIC_VNET;
}

/** The EAL's --vdev argument for a kernel interface in mode AF_PACKET or AF_XDP into buf. 0, or -ERANGE with a message: the
 *  MTU does not fit that kind of device. */
int port_vdev_format(const struct port_eal_config *cfg, enum port_nic_mode mode, char *buf,
	size_t room, char *ret_message);

/** The name of the vdev in a --vdev argument: up to the first comma. */
void port_vdev_name(const char *vdev, char *buf, size_t room);

/** Bytes that one received frame needs at this MTU, as the buffers and a ring's slots are sized. */
uint32_t port_vdev_frame_room(uint16_t mtu);

/** 0, or -ERANGE with a message: frames at this MTU do not fit a ring's slots. */
int port_ring_check_mtu(uint16_t mtu, char *ret_message);

/** Frames of so many bytes that make a block of a ring: a whole number of frames and of pages, or
 *  net_af_packet reads wrong slots (16 packets arrive, then silence). */
uint32_t port_ring_frames_per_block(uint32_t frame_bytes);

/** Frames of so many bytes that a ring is to have, for frames_min that may be on their way. */
uint32_t port_ring_frames(uint32_t frame_bytes, uint32_t frames_min);

/** Bytes that net_af_xdp needs in a receive buffer, behind the mbuf's headroom, at this MTU. */
uint32_t port_af_xdp_room(uint16_t mtu);

/** 0, or -ERANGE with a message: frames at this MTU do not fit net_af_xdp's buffers. */
int port_af_xdp_check_mtu(uint16_t mtu, char *ret_message);

/** Is there such an interface, is it up, may we open it? 0, or -errno with a message. */
int port_interface_check(const char *interface, char *ret_message);

/** The kernel interface under a DPDK port's virtual device, empty if there is none. */
void port_interface_of(uint16_t port_id, char *buf, size_t room);

/** What follows the argument called key ("iface=") in a device's argument string, or NULL. */
const char *port_argument(const char *args, const char *key);

/** The ring frame size that a virtual device was made with, 0 if it has none. */
uint32_t port_frame_room_of(uint16_t port_id);

/** This process's packet sockets bound to the interface, up to room of them. Returns how many. They
 *  stay their makers'. */
uint32_t port_packet_sockets(const char *interface, int *ret, uint32_t room);

/** A packet socket for p's interface, set up as p's configuration says and not bound yet. 0 or -errno. */
int port_packet_open(const struct port *p, int *ret);

/** setsockopt of an int. 0 or -errno. */
int port_packet_option(int fd, int level, int name, int value);

/** A port_driver's info, of a port on packet sockets of our own: what is the same for all. */
void port_packet_info(
	const struct port *p, const char *driver, const char *rx_mode, struct port_info *ret);

/** From now on it receives. 0 or -errno. */
int port_packet_bind(const struct port *p, int fd);

/** Frames that found these sockets' rings full since this was last asked (packet(7),
 *  PACKET_STATISTICS). net_af_packet itself never asks, so its imissed is always 0. */
uint64_t port_packet_drops(const int *sockets, uint32_t count);

#define PORT_TELEMETRY_PREFIX_MAX 32U

/** The EAL's file prefix of this process while telemetry is on, "dpfetch-PID": its folder is its own. */
void port_telemetry_prefix(char *buf, size_t room);

/** Removes the telemetry socket of this process, if it has one. The EAL does so in an atexit(3) handler
 *  only, and so not where a signal ends us. Before rte_eal_cleanup. */
void port_telemetry_remove_socket(void);

/** Removes the EAL's folder if its name is our telemetry prefix. After rte_eal_cleanup. */
void port_telemetry_remove_dir(void);

/** true where the kernel says that the interface has a carrier. */
bool port_interface_carrier(const char *interface);

struct port_link;

/** What the kernel says of speed, duplex and autonegotiation, into *ret; left as it is where it does not say. */
void port_interface_link(const char *interface, struct port_link *ret);

/** The interface's own MAC address; all zero where the kernel does not say. */
void port_interface_mac(const char *interface, struct ether_addr *ret);

/** true where the kernel says that the interface is promiscuous already. */
bool port_interface_promiscuous(const char *interface);

#endif
