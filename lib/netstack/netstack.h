/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_H
#define NETSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_siphash.h"
#include "netstack_exchange.h"
#include "netstack_steer.h"
#include "tcp_conn.h"
#include "wire_ether.h"
#include "wire_frame.h"
#include "wire_ip.h"

/*
 * One host's ARP, NDP, IPv4, IPv6, ICMP and TCP demultiplexing, for one worker (one queue pair). Pure:
 * frames and the time go in, frames come out. A worker's iteration is
 *
 *   n = port_rx_burst(queue, frames, BURST)
 *   netstack_input(ns, frames, n, now)
 *   ... the application's poll: netstack_event_next, tcp_conn_recv, ...
 *   while ((n = netstack_output(ns, now, tx, BURST)) > 0) port_tx_burst(queue, n)
 */

/** Consecutive IPv4 addresses of one netstack at most. */
#define NETSTACK_IPV4_ADDRESSES_MAX 256U
/** Received buffers that fragments of datagrams hold at most until they are put together. */
#define NETSTACK_FRAGMENTS_MAX 192U

/** IPv6 on the port; all zero: none is spoken. */
struct netstack_ipv6_config {
	bool enabled; /* with a link-local address, made from the MAC address (RFC 4291) */
	bool autoconf; /* take addresses and DNS servers from router advertisements (RFC 4862) */
	struct ipv6_addr address; /* one of our own; unspecified: none but the above */
	uint8_t prefix_len; /* of address: 0..128, its neighbours */
	struct ipv6_addr
		gateway; /* next hop off the link; unspecified: from router advertisements */
};

struct netstack_config {
	struct ether_addr mac;
	uint32_t address; /* our IPv4 address, host order; 0: none, or see netstack_set_address */
	uint16_t address_count; /* 1..NETSTACK_IPV4_ADDRESSES_MAX, default 1: so many consecutive
				 * addresses from there on are ours, in one subnet; connections take
				 * them in turn. 65,536 ports of one are not enough for more
				 * connections to one server */
	uint8_t prefix_len; /* 0..32 */
	uint32_t gateway; /* next hop off the subnet; 0: none */
	bool gateway_mac_set; /* use gateway_mac for every next hop, no ARP or NDP */
	struct ether_addr gateway_mac;
	struct netstack_ipv6_config ipv6; /* needs an mtu of 1280 */
	uint16_t vlan_id; /* 0: untagged */
	uint16_t mtu; /* IP packet bytes, 576..65535 */
	uint32_t tx_offloads; /* TX_FRAME_*: what the port can do */
	uint32_t connections_max; /* 1.. */
	uint32_t out_of_order_max; /* so many connections may hold out-of-order data at once; others
				    * drop it, and their senders send it again. 0: all */
	uint16_t port_first; /* local ports of connections: 1.. (RFC 6056: 1024..), */
	uint16_t port_count; /* 1..65536 - port_first; default 32768..65535 */
	const struct netstack_steer *steer; /* which local ports are ours; outlives the netstack.
					     * NULL: all */
	uint16_t queue; /* with steer: our number, 0.. The first one keeps the addresses for all: it
			 * probes, announces and defends them, answers ARP and NDP about them, reports
			 * their groups (MLD), asks for routers. Without probe_address for the others */
	struct netstack_exchange
		*exchange; /* with the port's other workers, numbered as the queues;
					     * needs steer; outlives the netstack. NULL: none */
	bool probe_address; /* RFC 5227 probes, and RFC 4862's, before first use */
	uint32_t arp_tries; /* questions per resolution, ARP and NDP, default 5 */
	uint64_t arp_interval_ns; /* between them, default 1 s */
	uint64_t arp_reachable_ns; /* an entry is refreshed by unicast after this, default 30 s */
	struct siphash_key key; /* secret: ports, hash table. A new one for each run */
	/* What a later run of the program from the same address has to have in common with this one:
	 * its SYNs come upon TIME-WAIT connections that this one leaves at the servers, and are taken
	 * only if sequence numbers or timestamps have gone on (RFC 9293 §3.6.1, RFC 6191). */
	struct siphash_key lasting_key; /* secret: ISN and timestamp offsets */
	int64_t lasting_clock_ns; /* what to add to now_ns for a clock that goes on between runs */
	struct tcp_config tcp; /* tcp.mss_max is set from mtu; counters and release are taken
				 * from below */
	buffer_release_fn release; /* gives back received frame owners */
	buffer_keep_fn
		keep; /* asked of fragments and of what TCP keeps behind a hole; NULL: anything may
			      * stay */
	void *release_ctx; /* of both */
	struct counters *counters;
};

/** Defaults for all that has one (tcp_config_defaults included); the rest zero. */
void netstack_config_defaults(struct netstack_config *ret);

struct netstack;
struct netstack_conn; /* a connection's place in the table */

/** Bytes that each of connections_max connections takes of memory, all included: netstack_create
 *  allocates this much for each, rounded up to whole bytes, and what is the same for any number. cfg is
 *  as netstack_create takes it. */
uint64_t netstack_bytes_per_connection(const struct netstack_config *cfg);

/** NULL when out of memory or cfg is out of range. cfg is copied. */
struct netstack *netstack_create(const struct netstack_config *cfg, uint64_t now_ns);

/** Gives back all owners and frees everything. Sends nothing: see netstack_abort_all. */
void netstack_destroy(struct netstack *ns);

/**
 * Takes n received frames (first parts; the others by next) with all their owners: each is held
 * by a connection or released, the dropped ones counted by reason. n: 0..; now_ns is when the
 * burst was taken from the port.
 */
void netstack_input(struct netstack *ns, struct frame *frames, uint32_t n, uint64_t now_ns);

/** With an exchange, in each iteration after netstack_input: takes what other workers received and is
 *  ours, or concerns us all. Returns how many frames. */
uint32_t netstack_input_exchanged(struct netstack *ns, uint64_t now_ns);

/**
 * Fills up to n empty tx frames in order and returns how many: ARP, ICMP, TCP. Runs expired
 * timers first. Call until it returns 0, or until the port takes no more.
 */
uint32_t netstack_output(struct netstack *ns, uint64_t now_ns, struct tx_frame *tx, uint32_t n);

/** The earliest time at which netstack_output has something to do without input. */
uint64_t netstack_deadline(const struct netstack *ns);

/**
 * Is there a way to remote, and an address of ours to use on it? 0; -EINPROGRESS (our addresses are
 * being probed, or routers asked: try again later, or at netstack_deadline); -EAFNOSUPPORT (no address
 * of its family); -EADDRNOTAVAIL (another host has ours); -ENETUNREACH (off the link, no router);
 * -EADDRINUSE (remote is our own address).
 */
int netstack_route(const struct netstack *ns, const struct ip_address *remote);

/**
 * Starts a connection: picks our address (RFC 6724's rules as far as they matter here; of several
 * IPv4 addresses the next one that has a port free), a random local port (RFC 6056), ISN (RFC 6528), resolves the next hop, sends the SYN. user is returned with
 * events. 0 and *ret; what netstack_route says; -ENOBUFS (table full); -EADDRNOTAVAIL (also: no free
 * port).
 */
int netstack_connect(struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	void *user, uint64_t now_ns, struct netstack_conn **ret);

/** The TCP connection, for send, recv, consumed, close, info. Valid until netstack_release_conn. */
struct tcp_conn *netstack_conn_tcp(struct netstack_conn *nc);

/** nc is about to be used, though not at once: its memory comes into the cache meanwhile. For who serves
 *  many connections in turn. */
void netstack_conn_prefetch(const struct netstack_conn *nc);

/** The same, to look at only. */
const struct tcp_conn *netstack_conn_look(const struct netstack_conn *nc);

/** What netstack_connect was given as user. */
void *netstack_conn_user(const struct netstack_conn *nc);

/** Our end of the connection, and the other. */
const struct ip_address *netstack_conn_local(const struct netstack_conn *nc);
const struct ip_address *netstack_conn_remote(const struct netstack_conn *nc);

/** Our port of the connection. */
uint16_t netstack_conn_local_port(const struct netstack_conn *nc);

/** Says that the application called send, consumed, close or abort: output may be due. */
void netstack_conn_touch(struct netstack *ns, struct netstack_conn *nc);

/** 0, tcp_conn_error, or -EHOSTUNREACH when the next hop did not answer ARP. */
int netstack_conn_error(const struct netstack_conn *nc);

/**
 * The application is done with nc (state CLOSED, TIME-WAIT, or closing with nothing left to
 * read): the netstack finishes the close or TIME-WAIT by itself and frees the place. Owners
 * taken by tcp_conn_recv and not yet consumed are the application's.
 */
void netstack_release_conn(struct netstack *ns, struct netstack_conn *nc, uint64_t now_ns);

/**
 * The next connection on which something happened since it was last returned here: state
 * change, data ready, send space, error. NULL: none. Each at most once per input call.
 */
struct netstack_conn *netstack_event_next(struct netstack *ns);

/** Aborts every connection (RST due); for the program's exit. Drain with netstack_output. */
void netstack_abort_all(struct netstack *ns);

/** Connections not yet CLOSED, those in TIME-WAIT excluded. */
uint32_t netstack_connections(const struct netstack *ns);

/** Why the last next hop could not be resolved, for the user. */
struct netstack_next_hop_failure {
	bool failed;
	struct ip_address next_hop;
	uint32_t requests_sent;
	uint32_t heard_count; /* distinct hosts heard on the link meanwhile, up to 8 */
	struct ip_address heard_ip[8];
	struct ether_addr heard_mac[8];
};
void netstack_next_hop_failure(const struct netstack *ns, struct netstack_next_hop_failure *ret);

/**
 * Takes another IPv4 address (host order; 0: none) with its subnet and gateway, as
 * netstack_config has them and this one only; probe: RFC 5227 probes first. Connections from the address before end
 * with -EADDRNOTAVAIL, without a word to their servers: it is no longer ours. With the address that
 * is already held only prefix length and gateway change.
 */
void netstack_set_address(struct netstack *ns, uint32_t address, uint8_t prefix_len,
	uint32_t gateway, bool probe, uint64_t now_ns);

/** Our IPv4 address, the first one of several; 0: none. */
uint32_t netstack_address(const struct netstack *ns);

/** Is another host using an address of ours (RFC 5227, RFC 4862 §5.4)? Fills in which, and its MAC
 *  address, when so. */
bool netstack_address_conflict(
	const struct netstack *ns, struct ip_address *ret_address, struct ether_addr *ret_mac);

/** The index-th (0..) IPv6 address that we may use, as the sources prefer them; false: no such. */
bool netstack_ipv6_address(const struct netstack *ns, uint32_t index, struct ipv6_addr *ret);

/** The index-th (0..) DNS server that the link's routers name (RFC 8106), with autoconf; false: no
 *  such. */
bool netstack_ipv6_dns_server(const struct netstack *ns, uint32_t index, struct ipv6_addr *ret);

/** Are the link's routers being asked, and none has answered so far? */
bool netstack_ipv6_soliciting(const struct netstack *ns);

/** true once IPv4 address probing is over (or was not asked for) and traffic may flow. */
bool netstack_ready(const struct netstack *ns);

#endif
