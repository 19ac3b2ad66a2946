/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_payload.h"
#include "wire_ether.h"
#include "wire_frame.h"

/*
 * The only user of ethdev and of mempools. A port has one or more queue pairs; each worker works
 * on one struct port_queue and shares nothing with the others on the data path.
 */

enum port_nic_mode {
	PORT_NIC_AUTO, /* interface: a ring, af_packet for several queues; PCI address: PCI; else a vdev
			* string */
	PORT_NIC_RING, /* a packet socket's ring, read in place */
	PORT_NIC_AF_PACKET,
	PORT_NIC_AF_XDP,
	PORT_NIC_VNET, /* packet sockets with virtio-net headers: super-packets, no ring */
	PORT_NIC_PCI,
	PORT_NIC_VDEV,
};
int port_nic_mode_parse(const char *text, enum port_nic_mode *ret); /* 0 or -EINVAL */
const char *port_nic_mode_name(enum port_nic_mode mode);

/** The longest MTU (IP bytes) that a port of mode PORT_NIC_AF_XDP takes, whatever its interface's driver does. */
uint32_t port_af_xdp_mtu_max(void);

/** What to start the EAL with. */
struct port_eal_config {
	const char *program;
	const char *nic; /* as --nic: PCI address, interface name, vdev string */
	enum port_nic_mode mode;
	uint16_t mtu; /* IP bytes; sizes a ring's frames */
	int main_cpu; /* the poll core */
	int numa_node; /* the NIC's, -1 unknown */
	char **user_args; /* EAL options the user gave before "--"; then ours are left out */
	int user_args_count; /* 0: make our own */
	bool visible; /* of an interface: packet sockets see our frames, too, for a slower way out */
	bool verbose; /* else EAL's own messages are kept out of the user's sight */
	bool telemetry; /* DPDK's telemetry socket, in a folder of our own: see port_telemetry.h */
	uint64_t memory_bytes; /* what the pools will need */
	uint64_t hugepage_bytes_free; /* on the NIC's node; below what is needed: ordinary pages */
	uint16_t
		queues; /* queue pairs wanted of a virtual device. Of an interface by af_packet, they
			  * are steered: see port_steering */
	uint32_t
		rx_frames_min; /* frames that may arrive before the poll core looks: sizes af_packet's
				 * ring, whose overflow is packet loss */
};

#define PORT_MESSAGE_MAX 512U

/**
 * rte_eal_init with arguments made from cfg: in-memory, no PCI scan unless a PCI NIC is named,
 * hugepages where enough are free, --no-huge otherwise, the vdev for the chosen mode. 0 and
 * *ret_port_id, the DPDK port that `nic` names (none in modes RING and VNET); or -errno with a message for the user that says
 * what happened, what it means, and the command that fixes it.
 */
int port_eal_start(const struct port_eal_config *cfg, uint16_t *ret_port_id, char *ret_message);

/** What cfg's nic means in its mode, AUTO resolved: never AUTO. A NULL nic is taken for an interface. Of cfg nic, mode, queues and user_args are
 *  read. */
enum port_nic_mode port_nic_mode_of(const struct port_eal_config *cfg);

/** rte_eal_cleanup, after a successful port_eal_start and port_close of every port. Nothing of the
 *  telemetry socket is left. */
void port_eal_stop(void);

struct port_config {
	enum port_nic_mode
		mode; /* PORT_NIC_RING, PORT_NIC_VNET: packet sockets on interface; others:
				  * port_id */
	const char *interface; /* NULL: port_id */
	uint16_t port_id;
	uint16_t queues; /* 1..; RX/TX pairs */
	uint16_t mtu; /* IP bytes */
	uint32_t rx_descriptors, tx_descriptors; /* 0: 2048 / 1024, clamped to the NIC's limits */
	uint32_t rx_frames_min; /* of a ring: frames that may arrive before the poll core looks */
	uint32_t rx_held_max; /* received buffers that connections and sink may hold */
	int numa_node; /* -1: the NIC's */
	bool checksum_offload; /* use RX/TX checksum offloads where the NIC has them */
	bool lro; /* let the NIC join received segments where it can, and verifies checksums */
	bool vlan_offload; /* let the NIC strip and insert 802.1Q tags where it can */
	bool promiscuous;
	bool multicast; /* receive all multicast frames, as IPv6 needs; at need promiscuously */
	bool set_mac;
	bool visible; /* of packet sockets: others see our frames, too, for a slower way out */
	bool verbose; /* else DPDK's own messages are kept out of the user's sight */
	struct ether_addr mac; /* with set_mac: program it, or fall back to promiscuous */
	struct counters **counters; /* one per queue; owned by the caller */
};

/** Bytes that the pools of such a port take, for port_eal_config.memory_bytes. Of cfg mtu, queues,
 *  rx_held_max, mode, interface and the descriptors are read. */
uint64_t port_memory_needed(const struct port_config *cfg);

struct port;
struct port_queue;

/** Configures and starts the port. 0 and *ret, or -errno with a message as above. */
int port_open(const struct port_config *cfg, struct port **ret, char *ret_message);

/** Stops and closes the port, restoring what port_open changed; frees the pools. All received
 *  owners must have been given back by port_release. Returns how many were not (0 is right). */
uint32_t port_close(struct port *p);

/** Waits until the link is up, polling each 100 ms, at most timeout_ns; tick (may be NULL) is
 *  called once a second with the seconds left, and stops the wait by returning false.
 *  0, -ETIMEDOUT, -EINTR, -ENODEV (port_is_gone). */
int port_wait_link(
	struct port *p, uint64_t timeout_ns, bool (*tick)(void *ctx, uint32_t left_s), void *ctx);

/** Is the link up now? Cheap enough for once a second, not for every iteration. */
bool port_link_up(const struct port *p);

/** Is the device no longer there: unplugged, or its interface deleted or moved away? It does not
 *  come back to this port. As cheap as port_link_up. */
bool port_is_gone(const struct port *p);

struct port_info {
	char name[64]; /* DPDK's device name */
	char driver[32]; /* DPDK's ("net_af_packet"), or our own mode: "ring", "vnet" */
	struct ether_addr mac;
	int numa_node; /* -1 unknown */
	uint32_t link_mbps; /* 0 unknown */
	uint16_t mtu;
	uint32_t tx_offloads; /* TX_FRAME_* that tx bursts carry out */
	bool rx_ip_checksum, rx_l4_checksum; /* the NIC verifies them */
	bool lro; /* the NIC may join received segments */
	bool vlan_strip; /* the NIC moves tags to frame.vlan_tci; tx_offloads has TX_FRAME_VLAN */
	char rx_mode[64]; /* how the driver receives, in its own words ("Vector AVX2"); or empty */
	uint16_t rx_descriptors, tx_descriptors;
	uint32_t rx_pool_size, tx_pool_size, rx_buffer_bytes;
	bool promiscuous;
	bool hugepages;
};
void port_info(const struct port *p, struct port_info *ret);

struct port_queue *port_queue_of(struct port *p, uint16_t queue);

#define PORT_RSS_KEY_MAX 64U /* bytes */
#define PORT_RSS_RETA_MAX 2048U /* entries */

/** How a port with several queues chooses the one of a TCP segment that is no fragment. */
enum port_steering_kind {
	PORT_STEERING_UNKNOWN, /* nobody knows */
	PORT_STEERING_PORT, /* by its destination port, modulo the number of queues */
	PORT_STEERING_RSS, /* by the RETA's entry that the low bits of the Toeplitz hash name */
};

struct port_steering {
	enum port_steering_kind kind;
	uint8_t key[PORT_RSS_KEY_MAX]; /* with RSS, as the NIC says */
	uint32_t key_len;
	uint16_t reta[PORT_RSS_RETA_MAX]; /* queues */
	uint32_t reta_size;
};

/** What the port says of it; it may be wrong, so try it. A thread may ask that does not poll. */
void port_steering(const struct port *p, struct port_steering *ret);

/** Makes the calling thread, which the EAL did not start, one with mempool caches of its own: for each
 *  worker but the first. 0 or -errno. Its own port_thread_unregister comes before its end. */
int port_thread_register(void);
void port_thread_unregister(void);

/**
 * Takes up to n received frames into the array. Chained mbufs become frames linked by next
 * (taken from storage of the queue, valid until the next call). The owners are the caller's, to
 * be given back by port_release. Returns the number of frames (first parts).
 */
uint32_t port_rx_burst(struct port_queue *q, struct frame *frames, uint32_t n);

/** Empty frames to build in: up to n, from a pool that received data can never exhaust; *ret_count says how
 *  many. They are the queue's, reserved until they are sent, and valid until the next call for it. */
struct tx_frame *port_tx_reserve(struct port_queue *q, uint32_t n, uint32_t *ret_count);

/** Sends the first `filled` of the frames last got from port_tx_reserve; the others are kept for the next
 *  reserve. Frames that the NIC does not take are freed and counted (TX_UNSENT). Returns the frames
 *  sent. */
uint32_t port_tx_burst(struct port_queue *q, uint32_t filled);

/** A buffer_release_fn; ctx is the struct port_queue. Freed in bulk by the queue's next
 *  port_rx_burst, or port_release_flush, or when many are; the last one is not until one more is released. Only on the queue's own worker; but the buffer may be one that
 *  another queue of this port received (netstack_exchange.h). */
void port_release(void *queue, void *owner);
void port_release_flush(struct port_queue *q);

/** A buffer_keep_fn, with the same ctx: bytes in a ring's slot move to an mbuf; those in an mbuf may stay. */
bool port_keep(void *queue, struct payload *payload);

/** What the NIC itself counted since port_open. */
struct port_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t
		rx_missed; /* imissed: no descriptor, or no place in a packet socket's ring, was free */
	uint64_t rx_errors, tx_errors;
	uint64_t rx_no_mbuf; /* rx_nombuf: the pool was empty */
};
void port_stats(struct port *p, struct port_stats *ret);
/** Takes from s what had been counted at an earlier time. */
void port_stats_subtract(struct port_stats *s, const struct port_stats *earlier);

/** Calls fn for each non-zero extended statistic's name and value. */
void port_xstats(
	struct port *p, void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx);

/** The poll loop's clock: ns, monotonic, from the TSC calibrated by the EAL. */
uint64_t port_clock_ns(void);
/** Raw cycles, and their rate in Hz, for cycle accounting. */
uint64_t port_cycles(void);
uint64_t port_cycles_hz(void);

#endif
