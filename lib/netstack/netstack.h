/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_H
#define NETSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_siphash.h"
#include "tcp_conn.h"
#include "wire_ether.h"
#include "wire_frame.h"

/*
 * One host's ARP, IPv4, ICMP and TCP demultiplexing, for one worker (one queue pair). Pure:
 * frames and the time go in, frames come out. A worker's iteration is
 *
 *   n = port_rx_burst(queue, frames, BURST)
 *   netstack_input(ns, frames, n, now)
 *   ... the application's poll: netstack_event_next, tcp_conn_recv, ...
 *   while ((n = netstack_output(ns, now, tx, BURST)) > 0) port_tx_burst(queue, tx, n)
 */

/** Received buffers that fragments of IPv4 datagrams hold at most until they are put together. */
#define NETSTACK_FRAGMENTS_MAX 192U

/** An IP address; only family 4 is spoken so far. */
struct ip_address {
	uint8_t family; /* 4 or 6 */
	union {
		uint32_t v4; /* host order */
		uint8_t v6[16];
	};
};

struct netstack_config {
	struct ether_addr mac;
	uint32_t address; /* our IPv4 address, host order; 0: see netstack_set_address */
	uint8_t prefix_len; /* 0..32 */
	uint32_t gateway; /* next hop off the subnet; 0: none */
	bool gateway_mac_set; /* use gateway_mac for every next hop, no ARP */
	struct ether_addr gateway_mac;
	uint16_t vlan_id; /* 0: untagged */
	uint16_t mtu; /* IP packet bytes, 576..65535 */
	uint32_t tx_offloads; /* TX_FRAME_*: what the port can do */
	uint32_t connections_max; /* 1.. */
	bool probe_address; /* RFC 5227 probes before first use */
	uint32_t arp_tries; /* who-has per resolution, default 5 */
	uint64_t arp_interval_ns; /* between them, default 1 s */
	uint64_t arp_reachable_ns; /* an entry is refreshed by unicast after this, default 30 s */
	struct siphash_key key; /* secret: ISN, ports, hash table */
	struct tcp_config tcp; /* tcp.mss_max is set from mtu; counters and release are taken
				 * from below */
	buffer_release_fn release; /* gives back received frame owners */
	void *release_ctx;
	struct counters *counters;
};

/** Defaults for all that has one (tcp_config_defaults included); the rest zero. */
void netstack_config_defaults(struct netstack_config *ret);

struct netstack;
struct netstack_conn; /* a connection's place in the table */

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

/**
 * Fills up to n empty tx frames in order and returns how many: ARP, ICMP, TCP. Runs expired
 * timers first. Call until it returns 0, or until the port takes no more.
 */
uint32_t netstack_output(struct netstack *ns, uint64_t now_ns, struct tx_frame *tx, uint32_t n);

/** The earliest time at which netstack_output has something to do without input. */
uint64_t netstack_deadline(const struct netstack *ns);

/**
 * Starts a connection: picks a random local port (RFC 6056), ISN (RFC 6528), resolves the next
 * hop, sends the SYN. user is returned with events.
 * 0 and *ret; -EAFNOSUPPORT; -ENETUNREACH (off the subnet and no gateway); -ENOBUFS (table full);
 * -EADDRNOTAVAIL (no free port, or no address yet); -EADDRINUSE (remote is our own address).
 */
int netstack_connect(struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	void *user, uint64_t now_ns, struct netstack_conn **ret);

/** The TCP connection, for send, recv, consumed, close, info. Valid until netstack_release_conn. */
struct tcp_conn *netstack_conn_tcp(struct netstack_conn *nc);

/** What netstack_connect was given as user. */
void *netstack_conn_user(const struct netstack_conn *nc);

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
struct netstack_arp_failure {
	bool failed;
	uint32_t next_hop; /* host order */
	uint32_t requests_sent;
	uint32_t heard_count; /* distinct hosts heard on the link meanwhile, up to 8 */
	uint32_t heard_ip[8]; /* host order */
	struct ether_addr heard_mac[8];
};
void netstack_arp_failure(const struct netstack *ns, struct netstack_arp_failure *ret);

/**
 * Takes another IPv4 address (host order; 0: none) with its subnet and gateway, as
 * netstack_config has them; probe: RFC 5227 probes first. Connections of the address before end
 * with -EADDRNOTAVAIL, without a word to their servers: it is no longer ours. With the address that
 * is already held only prefix length and gateway change.
 */
void netstack_set_address(struct netstack *ns, uint32_t address, uint8_t prefix_len,
	uint32_t gateway, bool probe, uint64_t now_ns);

/** Our address, 0: none. */
uint32_t netstack_address(const struct netstack *ns);

/** RFC 5227: is another host using our address? Fills *ret_mac when so. */
bool netstack_address_conflict(const struct netstack *ns, struct ether_addr *ret_mac);

/** true once address probing is over (or was not asked for) and traffic may flow. */
bool netstack_ready(const struct netstack *ns);

#endif
