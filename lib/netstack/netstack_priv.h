/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_PRIV_H
#define NETSTACK_PRIV_H

#include "base_bytes.h"
#include "netstack.h"
#include "netstack_arp.h"
#include "netstack_fragment.h"
#include "netstack_ipv6.h"
#include "netstack_limits.h"
#include "netstack_neighbour.h"
#include "netstack_steer.h"
#include "wire_arp.h"
#include "wire_icmp.h"
#include "wire_icmpv6.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"

/* The inside of a netstack, for lib/netstack and its tests. */

#define NETSTACK_NO_INDEX UINT32_MAX
#define NETSTACK_CACHE_LINE 64U

/* A place in the table. In a list it may stay after its reason to be there has gone, until its turn
 * comes: "listed" says that it is there, ready and event that it is meant. */
struct netstack_conn {
	/* the key, read for every segment: a cache line */
	struct ip_address remote, local;
	uint16_t remote_port, local_port;
	struct tcp_conn *tcp;
	struct netstack_conn *hash_next; /* in its bucket; of one not in use, in the free list */

	void *user;
	struct netstack_conn *ready_next, *event_next;
	uint32_t heap_index; /* NETSTACK_NO_INDEX: not in the heap */
	uint32_t wait_previous,
		wait_next; /* in the list of those in TIME-WAIT, places in the table */
	struct ip_address next_hop;
	uint16_t ip_id; /* IPv4 */
	int16_t error; /* a negative errno */
	uint8_t last_state; /* enum tcp_state, as the application was last told */
	bool in_use : 1, released : 1, waiting : 1, port_marked : 1;
	bool ready : 1, ready_listed : 1, event : 1, event_listed : 1;
	bool ack_listed : 1;
} __attribute__((aligned(NETSTACK_CACHE_LINE)));

_Static_assert(
	sizeof(struct netstack_conn) == 2 * NETSTACK_CACHE_LINE, "no larger than it must be");

/** A list of connections, linked through one of their fields, oldest first. */
struct netstack_queue {
	struct netstack_conn *head, *tail;
};

/** Waiting ACKs in the ring at most, a power of two: more than begin to wait within their 10 us. */
#define NETSTACK_ACK_WAIT_MAX 256U

/** When a connection must be looked at. */
struct netstack_timer {
	uint64_t deadline_ns;
	struct netstack_conn *conn;
};

/** The local ports that connections have, whatever their remote end: a set for all IPv6 addresses and one
 *  for each IPv4 address. A word of `used` is 64 ports, a bit of `full` such a word. */
struct netstack_ports {
	uint64_t *used, *full; /* the sets follow each other */
	uint32_t words, full_words; /* of one set */
};

/** A frame ready to be copied out. */
struct netstack_control {
	uint32_t len;
	uint8_t *bytes; /* of ns->control_room */
};

/** A datagram as the upper layers see it, of either IP version. */
struct netstack_packet {
	const struct ether_header *ether;
	struct ip_address src, dst;
	uint8_t protocol, ecn, hop_limit;
	bool fragmented; /* IPv6: it had a Fragment header */
	const uint8_t *l3; /* where the IP header begins, in the first part */
	const uint8_t *l4; /* where its data begins, there too */
	uint32_t l4_len; /* bytes, over all parts */
};

struct netstack_udp_slot {
	struct ip_address from;
	uint16_t from_port;
	uint32_t len;
	uint8_t data[NETSTACK_UDP_DATA_MAX];
};

/** The datagram that waits to go out, or went out last. */
struct netstack_udp_out {
	bool waiting;
	struct ip_address local, remote;
	struct ip_address next_hop; /* family 0: broadcast */
	uint16_t remote_port;
	uint32_t len;
};

struct netstack_udp {
	bool in_use;
	uint16_t port;
	int error;
	uint32_t head, tail; /* of slot, free-running */
	struct netstack_udp_slot slot[NETSTACK_UDP_QUEUE];
	struct netstack_udp_out out;
	uint8_t out_data[NETSTACK_UDP_DATA_MAX];
};

/** Of two hosts, and one port of the remote one (netstack_port.c). family 0: of none. */
struct netstack_pair {
	struct ip_address local, remote;
	uint16_t remote_port;
	uint32_t port_offset, ts_offset;
};
#define NETSTACK_PAIRS 16U /* remembered, by the local address */

#define NETSTACK_FLOW_WORDS_IPV4 5U
#define NETSTACK_FLOW_WORDS_IPV6 8U
#define NETSTACK_FLOW_WORDS_PLAIN 3U /* up to the protocol */

/** Header prediction below TCP (netstack_flow.c): what the last segment's headers were like. */
struct netstack_flow {
	struct netstack_conn *conn; /* of the last segment: runs are the rule. NULL: none */
	bool known; /* header is; else only conn is */
	bool v6;
	uint64_t header[NETSTACK_FLOW_WORDS_IPV6]; /* Ethernet, IP and the ports, masked */
};

struct netstack {
	struct netstack_config cfg;
	struct counters *counters;
	struct netstack_flow flow;
	uint64_t plain[NETSTACK_FLOW_WORDS_PLAIN]; /* netstack_flow_plain_init */
	bool many; /* the last burst was of many connections */
	bool handed_over; /* the frame at hand was, so that it is not handed on again */
	bool listening; /* it is a copy of what another worker received, who answers it, but for
			 * questions about our addresses: netstack_keeps_addresses */
	struct netstack_conn **bucket;
	uint32_t bucket_mask;
	struct netstack_queue ready, event;
	struct netstack_timer *heap, *heap_memory; /* by deadline, the earliest first */
	uint32_t heap_len;
	struct netstack_timer
		ack_wait[NETSTACK_ACK_WAIT_MAX]; /* a ring: ACKs that wait, in order */
	uint32_t ack_wait_head, ack_wait_tail;
	struct netstack_conn *conn; /* connections_max of them */
	struct netstack_conn *free_conn; /* the first of those not in use */
	uint32_t wait_oldest, wait_newest; /* released, in TIME-WAIT */
	bool conn_made; /* conn is initialised */
	struct tcp_reassembly_pool *reorder_pool; /* NULL: each connection has its own place */
	uint8_t *tcp_memory; /* connections_max times a struct tcp_conn with all it owns */
	struct netstack_ports ports;
	struct netstack_pair pair[NETSTACK_PAIRS];
	uint32_t ipv4_count; /* our addresses are cfg.address and those after it; 0: none */
	uint32_t ipv4_next; /* which of them the next connection begins to look for a port at */
	struct netstack_arp arp;
	struct netstack_neighbours neighbours;
	struct netstack_ipv6 ipv6;
	uint64_t link_deadline_ns; /* no later than what those three have to do next */
	struct netstack_control control[NETSTACK_CONTROL_FRAMES];
	uint32_t control_head, control_tail; /* free-running */
	uint32_t control_room;
	struct netstack_fragments fragments;
	uint8_t *gathered; /* cfg.mtu bytes: an ICMP message that came in several buffers */
	struct netstack_udp *udp; /* NETSTACK_UDP_PORTS of them */
	uint32_t udp_waiting; /* ports with a datagram that waits to go out */
	uint64_t udp_ports_chosen;
	uint64_t replies_start_ns;
	uint32_t replies_left;
	uint32_t port_counter;
	uint64_t *steer_mask; /* with cfg.steer: see netstack_steer_attach */
};

/** Is this IPv4 address ours? */
static inline bool
netstack_has_ipv4(const struct netstack *ns, uint32_t address)
{
	return address - ns->cfg.address < ns->ipv4_count;
}

/** One worker tests our addresses, answers for them, defends them and reports their groups, whoever received
 *  the question: the first, who alone knows how far the tests are (RFC 5227 §1.1, RFC 4862 §5.4). */
static inline bool
netstack_keeps_addresses(const struct netstack *ns)
{
	return ns->cfg.queue == 0;
}

/** A message of this kind was received. A copy counted where it arrived. */
static inline void
netstack_count_heard(struct netstack *ns, enum counter_id id)
{
	if (!ns->listening)
		counter_add(ns->counters, id, 1);
}

/* netstack_table.c */

/** Makes the table, empty. false: no memory. */
bool netstack_table_create(struct netstack *ns);
void netstack_table_destroy(struct netstack *ns);
/** What it takes for so many connections: the part of their memory that grows with their number. */
uint64_t netstack_table_bytes(uint32_t connections, const struct tcp_config *tcp, bool pooled);

struct netstack_conn *netstack_table_find(const struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port);
void netstack_table_insert(struct netstack *ns, struct netstack_conn *nc);
void netstack_table_remove(struct netstack *ns, struct netstack_conn *nc);
/** The bucket of the connection that an IPv4 frame without IP options may belong to, in the cache soon;
 *  NULL: the frame is of another kind. */
struct netstack_conn **netstack_table_prefetch(const struct netstack *ns, const struct frame *f);
/** A connection not in use, at need the one that is in TIME-WAIT for the longest time and that nobody
 *  holds; NULL: the table is full. */
struct netstack_conn *netstack_table_take(struct netstack *ns);
/** Of those in TIME-WAIT that nobody holds the one that is there for the longest time, by this IP
 *  version; NULL: none, or too many of the other one are before it. */
struct netstack_conn *netstack_table_oldest_waiting(struct netstack *ns, uint8_t family);
/** One that was taken and then not used. */
void netstack_table_give_back(struct netstack *ns, struct netstack_conn *nc);
/** Back to the unused ones. */
void netstack_table_free(struct netstack *ns, struct netstack_conn *nc);
/** If nc is released and in TIME-WAIT, its place may be taken. */
void netstack_table_note_state(struct netstack *ns, struct netstack_conn *nc);

/* netstack_flow.c */

/** Remembers what nc's next frame will look like: as f, which came the long way. */
void netstack_flow_learn(struct netstack_flow *flow, struct netstack_conn *nc,
	const struct frame *f, const struct netstack_packet *p);
/** The same for a plain frame (netstack_flow_is_plain). many: the last burst was of many connections;
 *  then the headers are remembered only if the frame before it was nc's, too. */
void netstack_flow_learn_plain(
	struct netstack_flow *flow, struct netstack_conn *nc, const struct frame *f, bool many);
/** What the frames to this MAC address have in common that netstack_flow_is_plain lets pass. */
void netstack_flow_plain_init(
	uint64_t ret[NETSTACK_FLOW_WORDS_PLAIN], const struct ether_addr *mac);
/** Is f an untagged frame to that address, in one buffer, with TCP over IPv4, no IP options, no
 *  fragment, that wire_ether_parse and wire_ipv4_parse would let pass? The IP addresses and the TCP
 *  header were not looked at. */
bool netstack_flow_is_plain(
	const uint64_t header[NETSTACK_FLOW_WORDS_PLAIN], const struct frame *f);
/** Is f a frame of flow->conn that wire_ether_parse, wire_ipv4_parse or wire_ipv6_parse, and the
 *  checks on addresses would let pass, with a plain IP header (no options, no extensions) in an
 *  untagged frame, in one buffer? false: the long way decides. The TCP header was not looked at. */
bool netstack_flow_matches(const struct netstack_flow *flow, const struct frame *f);
/** The payloads of first, the segment of frames[0], which matched, and of those of the n (1..) frames
 *  that follow it: segments that differ from it but in SEQ, each beginning where the one before ended,
 *  with data. Their checksums were not looked at. Returns how many; ret has room for n. */
uint32_t netstack_flow_collect(const struct netstack_flow *flow, const struct tcp_segment *first,
	const struct frame *frames, uint32_t n, struct payload *ret);
/** Of a frame that matched: where TCP's header begins, how long the segment is, its ECN codepoint. */
static inline uint32_t
netstack_flow_l4_offset(bool v6)
{
	return ETHER_HEADER_LEN + (v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN);
}
static inline uint32_t
netstack_flow_l4_len(const struct frame *f, bool v6)
{
	return v6 ? be16_load(f->data + ETHER_HEADER_LEN + 4)
		  : be16_load(f->data + ETHER_HEADER_LEN + 2) - IPV4_HEADER_LEN;
}
static inline uint8_t
netstack_flow_ecn(const struct frame *f, bool v6)
{
	uint8_t byte = f->data[ETHER_HEADER_LEN + 1];

	return (v6 ? byte >> 4 : byte) & IPV4_ECN_MASK;
}

/* netstack_timer.c */

/** The connection must be looked at by deadline_ns at the latest. */
void netstack_timer_set(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns);
void netstack_timer_cancel(struct netstack *ns, struct netstack_conn *nc);
/** Takes the next connection whose deadline has come, which may have ended since; NULL: none. */
struct netstack_conn *netstack_timer_expired(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_timer_next(const struct netstack *ns);

/* netstack_ack_wait.c */

/** The connection has an ACK that waits until deadline_ns; TIME_NEVER: none. */
void netstack_ack_wait(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns);
/** Takes the next connection whose ACK has waited until now_ns, and still does; NULL: none. */
struct netstack_conn *netstack_ack_waited(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_ack_wait_next(const struct netstack *ns);

/* netstack_output.c */

void netstack_ready_push(struct netstack *ns, struct netstack_conn *nc);
void netstack_event_push(struct netstack *ns, struct netstack_conn *nc);
/** Puts every connection that waits for this next hop on the ready list. */
void netstack_wake_next_hop(struct netstack *ns, const struct ip_address *next_hop);
/** The next hop does not answer: its connections end with -EHOSTUNREACH. */
void netstack_fail_next_hop(struct netstack *ns, const struct ip_address *next_hop);
/** Every connection from this address of ours ends with -EADDRNOTAVAIL: we have it no more. */
void netstack_fail_local(struct netstack *ns, const struct ip_address *local);
/** ARP, NDP or the neighbour cache have something to do at at_ns. */
void netstack_link_due(struct netstack *ns, uint64_t at_ns);
/** Room for a control frame of at most ns->control_room bytes; NULL: the queue is full. The caller sets len;
 *  an Ethernet header towards dst is already in place, *ret_l2_len bytes. */
struct netstack_control *netstack_control_add(
	struct netstack *ns, const struct ether_addr *dst, uint16_t type, uint32_t *ret_l2_len);
/** May another answer to a stranger go out? Counts it. Not to a copy (ns->listening). */
bool netstack_reply_allowed(struct netstack *ns, uint64_t now_ns);
/** Queues a RST for a segment that belongs to no connection (RFC 9293 §3.10.7.1). */
void netstack_refuse(struct netstack *ns, const struct netstack_packet *p,
	const struct tcp_segment *s, uint64_t now_ns);

/* netstack_icmp.c */

/** One ICMP message to us; its bytes at data. */
enum drop_reason netstack_icmp_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, uint64_t now_ns);
/** An ICMP error of this kind, which quotes a packet of ours (RFC 5927 §4). */
enum drop_reason netstack_icmp_apply(
	struct netstack *ns, const struct icmp_quote *quote, enum tcp_icmp_kind kind, uint32_t mtu);

/** Tells p's sender that its other fragments did not come in time (RFC 792). p: the first one. */
void netstack_icmp_reassembly_expired(
	struct netstack *ns, const struct netstack_packet *p, uint64_t now_ns);

/* netstack_icmpv6.c */

/** The same (RFC 4443 §3.3). */
void netstack_icmpv6_reassembly_expired(
	struct netstack *ns, const struct netstack_packet *p, uint64_t now_ns);
/** An ICMPv6 message of ours being written. */
struct netstack_icmpv6_out {
	struct netstack_control *frame;
	uint32_t l2_len;
	uint8_t *message; /* room for one that fills a packet of cfg.mtu */
};
/** A control frame to mac; false: the queue is full. */
bool netstack_icmpv6_begin(
	struct netstack *ns, const struct ether_addr *mac, struct netstack_icmpv6_out *ret);
/** Its headers and checksum: the message has len bytes. */
void netstack_icmpv6_end(struct netstack_icmpv6_out *out, uint32_t len, uint8_t hop_limit,
	const struct ipv6_addr *src, const struct ipv6_addr *dst);
/** Queues the report that we listen to these n groups (RFC 3810), in MLD_* records. */
void netstack_icmpv6_report(
	struct netstack *ns, uint8_t type, const struct ipv6_addr *group, uint32_t n);
/** One ICMPv6 message to us; its bytes at data. */
enum drop_reason netstack_icmpv6_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, uint64_t now_ns);

/* netstack_route.c */

/** The way to remote: our address and the next hop. 0, or as netstack_route. */
int netstack_route_find(const struct netstack *ns, const struct ip_address *remote,
	struct ip_address *ret_local, struct ip_address *ret_next_hop);

/* netstack_port.c */

/** Memory for the ports of all our addresses. false: there is none. */
bool netstack_port_create(struct netstack *ns);
void netstack_port_destroy(struct netstack *ns);
/** A local port for this remote end that no connection uses; 0: none found. */
uint16_t netstack_port_choose(struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port);
/** nc has its local port, if no other has; and gives it up. */
void netstack_port_mark(struct netstack *ns, struct netstack_conn *nc);
void netstack_port_unmark(struct netstack *ns, struct netstack_conn *nc);
/** ISN and timestamp offset of a new connection. */
void netstack_port_open(
	struct netstack *ns, const struct netstack_conn *nc, uint64_t now_ns, struct tcp_open *ret);

/* netstack_steer.c */

/** Works out which local ports are our queue's: a table by the place of every 64th of them. true also
 *  without cfg.steer; false: no memory. */
bool netstack_steer_attach(struct netstack *ns);
void netstack_steer_detach(struct netstack *ns);
/** With cfg.steer: the first port from index `from` on and round about that is our queue's between this
 *  pair and whose bit is clear in `used`, so many words of 64 ports from cfg.port_first on; as an index.
 *  NETSTACK_NO_INDEX: there is none. */
uint32_t netstack_steer_first_free(const struct netstack *ns, const uint64_t *used, uint32_t words,
	const struct netstack_pair *pair, uint32_t from);
/** Is this connection our queue's? Without cfg.steer every one is. */
bool netstack_steer_is_ours(const struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port);

#endif
