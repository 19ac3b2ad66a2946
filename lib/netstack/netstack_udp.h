/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_UDP_H
#define NETSTACK_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "netstack_limits.h"
#include "wire_ipv4.h"

/*
 * UDP for the program's own questions (DHCP, DNS): a few local ports, each with a short queue of
 * received datagrams, which are copied, and one datagram that waits to go out. A port is one of both
 * IP versions, but for DHCP's, which takes nothing by IPv6; nothing that is sent to a group is taken.
 */

struct icmp_quote;
struct netstack_packet;
struct netstack_udp; /* a local port */

/** A received datagram; data is valid until the next call of a netstack function. */
struct netstack_udp_received {
	struct ip_address from;
	uint16_t from_port;
	const uint8_t *data;
	uint32_t len; /* 0..NETSTACK_UDP_DATA_MAX */
};

/**
 * Opens a local port; 0: a random one (RFC 6056, RFC 5452 §9.2). DHCP's client port besides takes
 * broadcasts and, while the netstack has no address, whatever is sent to our MAC address.
 * 0 and *ret; -EADDRINUSE; -ENOBUFS (NETSTACK_UDP_PORTS are open).
 */
int netstack_udp_open(struct netstack *ns, uint16_t port, struct netstack_udp **ret);

/** Closes it; what waits in or out is dropped. NULL is allowed. */
void netstack_udp_close(struct netstack *ns, struct netstack_udp *u);

uint16_t netstack_udp_port(const struct netstack_udp *u);

/**
 * Queues a copy of len bytes (0..NETSTACK_UDP_DATA_MAX) for remote, in the place of one that still
 * waits. It goes out in netstack_output, when the next hop's MAC address is known and, by IPv4, the
 * netstack ready; 255.255.255.255 goes to all on the link at once, from 0.0.0.0 without an address.
 * 0; -EMSGSIZE (len, or more than the MTU takes); or what netstack_route says, -EINPROGRESS included.
 */
int netstack_udp_send(struct netstack *ns, struct netstack_udp *u, const struct ip_address *remote,
	uint16_t remote_port, const void *data, uint32_t len);

/** Is a datagram queued that has not gone out? */
bool netstack_udp_waiting(const struct netstack_udp *u);

/** Takes the oldest received datagram. false: none. */
bool netstack_udp_recv(struct netstack_udp *u, struct netstack_udp_received *ret);

/** What became of the last datagram sent, once: 0 (nothing is known), -EHOSTUNREACH (the next hop does
 *  not answer, or ICMP says so), -ECONNREFUSED (ICMP: port unreachable, prohibited), -EADDRNOTAVAIL
 *  (our address was gone before it went out). */
int netstack_udp_error(struct netstack_udp *u);

/* For the rest of the netstack. */

/** Is an IPv4 packet that is not to our address one for UDP all the same? */
bool netstack_udp_takes(const struct netstack *ns, const struct ipv4_header *ip);
/** One datagram; p->l4_len contiguous bytes at data. sum_good: the NIC has verified the checksum. */
enum drop_reason netstack_udp_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, bool sum_good);
/** An ICMP error about the datagram of this quote. true: it was one that we sent. */
bool netstack_udp_on_icmp(struct netstack *ns, const struct icmp_quote *quote, int error);
/** The next hop does not answer. */
void netstack_udp_fail_next_hop(struct netstack *ns, const struct ip_address *next_hop);
/** This address is no longer ours: what waits to go out from it does not. */
void netstack_udp_fail_local(struct netstack *ns, const struct ip_address *local);
/** Is there something to do for netstack_udp_run now: a datagram that can go out, or whose next hop is
 *  to be asked for? */
bool netstack_udp_due(const struct netstack *ns);
/** Queues what can go out. */
void netstack_udp_run(struct netstack *ns, uint64_t now_ns);

#endif
