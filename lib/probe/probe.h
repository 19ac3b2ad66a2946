/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_arp.h"
#include "wire_frame.h"
#include "wire_ipv4.h"

/*
 * Frames that try what a port does, one at a time, against a web server's host and beside any connection:
 * what it answers to each of them, any host of the Internet does (RFC 826, 1122, 9293). IPv4 only.
 */

/** Who talks to whom. */
struct probe_peers {
	struct ether_addr mac, next_hop_mac; /* ours; the server's, or the router's */
	uint32_t address, remote; /* ours, the server's */
	uint16_t remote_port; /* an open one */
	uint16_t vlan_id; /* of all our frames; 0: untagged */
};

/** How a checksum is filled in. */
enum probe_sum {
	PROBE_SUM_RIGHT,
	PROBE_SUM_WRONG, /* every host must drop it */
	PROBE_SUM_NIC, /* left to the NIC: tx->flags says so */
};

#define PROBE_ECHO_IP_MIN 36U /* bytes: headers, and the 8 bytes that tell echoes apart */
#define PROBE_VOUCHER_BYTES 8U /* of a returning packet's payload, and so its least length */
#define PROBE_PAYLOAD_MAX 1460U /* bytes: a frame of 1,514 */

/* Each writes one frame at tx->data and sets tx's lengths and flags, but for a VLAN tag that the NIC is
 * to insert. tx->room is enough for what was asked. */

/** A question for the MAC address of target, from us. */
void probe_build_arp_request(struct tx_frame *tx, const struct probe_peers *p, uint32_t target);

/** Our answer to a question for our address. */
void probe_build_arp_reply(
	struct tx_frame *tx, const struct probe_peers *p, const struct arp_packet *request);

/**
 * An ARP probe (RFC 5227 §2.1.1) for target that comes from mac, in a VLAN (0: untagged): whoever has target
 * answers to mac, and notes nothing.
 */
void probe_build_arp_probe(
	struct tx_frame *tx, const struct ether_addr *mac, uint32_t target, uint16_t vlan_id);

/** Puts an 802.1Q tag with tci, host order, into an untagged frame that has been built. */
void probe_add_tag(struct tx_frame *tx, uint16_t tci);

/** An echo request in an IP packet of ip_len bytes (PROBE_ECHO_IP_MIN..): its data is a pattern of seq. */
void probe_build_echo(struct tx_frame *tx, const struct probe_peers *p, uint32_t ip_len,
	uint16_t id, uint32_t seq);

/** A SYN to the server's port with payload_len bytes, which it does not take yet, but which are in the checksum. */
void probe_build_syn(struct tx_frame *tx, const struct probe_peers *p, uint16_t src_port,
	uint32_t isn, uint32_t payload_len, enum probe_sum sum);

/** Takes such a connection back: a RST with this sequence number. */
void probe_build_rst(
	struct tx_frame *tx, const struct probe_peers *p, uint16_t src_port, uint32_t seq);

/**
 * A UDP datagram or TCP segment (protocol) to ourselves by way of the next hop, which forwards it back if it
 * is a router: so frames come in that no sound host sends. Its payload is voucher and a pattern, payload_len
 * (PROBE_VOUCHER_BYTES..) bytes.
 */
void probe_build_returning(struct tx_frame *tx, const struct probe_peers *p, uint8_t protocol,
	uint16_t port, uint64_t voucher, uint32_t payload_len, enum probe_sum sum);

/** What a received frame is an answer to. */
enum probe_kind {
	PROBE_OTHER,
	PROBE_ARP_REQUEST, /* for our address */
	PROBE_ARP_REPLY,
	PROBE_ECHO_REPLY,
	PROBE_SYN_ACK,
	PROBE_RST,
	PROBE_RETURNED,
};

struct probe_seen {
	enum probe_kind kind;
	struct ether_addr dst;
	bool tagged, stripped; /* it had a tag: in the frame, or taken off by the NIC */
	uint16_t vlan_id;
	uint32_t frame_len; /* bytes of all parts, a tag in the frame included */
	uint32_t flags; /* FRAME_*: what the NIC says of the checksums */
	struct arp_packet arp; /* of both ARP kinds */
	uint32_t seq; /* of an echo reply, its request's; of TCP its ACK field */
	uint16_t id; /* of an echo reply */
	uint16_t port; /* of TCP: ours; of a returned one: the one given */
	uint16_t mss; /* of a SYN-ACK; 0: not said */
	bool intact; /* an echo's or returned one's data is what was sent */
	bool sum_right; /* of a returned one's TCP or UDP checksum, in software */
	uint64_t voucher; /* of a returned one */
};

/** Looks at a received frame with all its parts. What is malformed, or not for p's address, is PROBE_OTHER. */
void probe_parse(const struct probe_peers *p, const struct frame *frame, struct probe_seen *ret);

#endif
