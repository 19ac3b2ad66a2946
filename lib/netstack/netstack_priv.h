/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_PRIV_H
#define NETSTACK_PRIV_H

#include "netstack.h"
#include "netstack_arp.h"
#include "netstack_fragment.h"
#include "netstack_limits.h"
#include "wire_arp.h"
#include "wire_icmp.h"
#include "wire_ipv4.h"

/* The inside of a netstack, for lib/netstack and its tests. */

#define NETSTACK_NO_INDEX UINT32_MAX

struct netstack_conn {
	/* the key, read for every segment */
	uint32_t remote_ip;
	uint16_t remote_port, local_port;
	struct tcp_conn *tcp;
	struct netstack_conn *hash_next;
	void *user;
	struct netstack_conn *ready_next, *event_next;
	uint64_t deadline_ns; /* as the timer heap has it */
	uint32_t heap_index; /* NETSTACK_NO_INDEX: not in the heap */
	uint32_t next_hop;
	uint16_t ip_id;
	int error;
	enum tcp_state last_state; /* as the application was last told */
	bool in_use, released, ready, event;
};

/** A list of connections, linked through one of their fields, oldest first. */
struct netstack_queue {
	struct netstack_conn *head, *tail;
};

/** A frame ready to be copied out. */
struct netstack_control {
	uint32_t len;
	uint8_t *bytes; /* of ns->control_room */
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
	uint32_t remote_ip, next_hop; /* next_hop 0: broadcast */
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

#define NETSTACK_FLOW_WORDS 5U

/** Header prediction below TCP (netstack_flow.c): what the last segment's headers were like. */
struct netstack_flow {
	struct netstack_conn *conn; /* of the last segment: runs are the rule. NULL: none */
	bool known; /* header is; else only conn is */
	uint64_t header[NETSTACK_FLOW_WORDS]; /* Ethernet, IPv4 and the ports, masked */
};

struct netstack {
	struct netstack_config cfg;
	struct counters *counters;
	struct netstack_flow flow;
	struct netstack_conn **bucket;
	uint32_t bucket_mask;
	struct netstack_queue ready, event;
	struct netstack_conn **heap; /* by deadline, the earliest first */
	uint32_t heap_len;
	struct netstack_conn *conn; /* connections_max of them */
	struct netstack_arp arp;
	uint64_t arp_deadline_ns; /* no later than what netstack_arp_deadline says */
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
};

/* netstack.c */

/** On the subnet the host itself, else the gateway; 0: there is no way. */
uint32_t netstack_next_hop(const struct netstack *ns, uint32_t remote_ip);

/* netstack_table.c */

struct netstack_conn *netstack_table_find(
	const struct netstack *ns, uint32_t remote_ip, uint16_t remote_port, uint16_t local_port);
void netstack_table_insert(struct netstack *ns, struct netstack_conn *nc);
void netstack_table_remove(struct netstack *ns, struct netstack_conn *nc);
/** A connection not in use, at need one in TIME-WAIT that nobody holds; NULL: the table is full. */
struct netstack_conn *netstack_table_take(struct netstack *ns);
/** Back to the unused ones. */
void netstack_table_free(struct netstack *ns, struct netstack_conn *nc);

/* netstack_flow.c */

/** Remembers what nc's next frame will look like: as f, which came the long way. */
void netstack_flow_learn(struct netstack_flow *flow, struct netstack_conn *nc,
	const struct frame *f, const struct ether_header *ether, const struct ipv4_header *ip);
/** Is f a frame of flow->conn that wire_ether_parse, wire_ipv4_parse and the checks on addresses
 *  would let pass, with an option-free IPv4 header in an untagged frame, in one buffer? false: the
 *  long way decides. The TCP header was not looked at. */
bool netstack_flow_matches(const struct netstack_flow *flow, const struct frame *f);
/** Is f, besides, a segment like that of first but for SEQ, which is seq? first matched the flow, and
 *  wire_tcp_parse took it. */
bool netstack_flow_continues(const struct netstack_flow *flow, const struct frame *first,
	const struct frame *f, uint32_t seq);

/* netstack_timer.c */

/** The connection must be looked at by deadline_ns at the latest. */
void netstack_timer_set(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns);
void netstack_timer_cancel(struct netstack *ns, struct netstack_conn *nc);
/** Takes the next connection whose deadline has come; NULL: none. */
struct netstack_conn *netstack_timer_expired(struct netstack *ns, uint64_t now_ns);
uint64_t netstack_timer_next(const struct netstack *ns);

/* netstack_output.c */

void netstack_ready_push(struct netstack *ns, struct netstack_conn *nc);
void netstack_event_push(struct netstack *ns, struct netstack_conn *nc);
/** Puts every connection that waits for this next hop on the ready list. */
void netstack_wake_next_hop(struct netstack *ns, uint32_t next_hop);
/** The next hop does not answer: its connections end with -EHOSTUNREACH. */
void netstack_fail_next_hop(struct netstack *ns, uint32_t next_hop);
/** Room for a control frame of at most ns->control_room bytes; NULL: the queue is full. The
 *  caller sets len; an Ethernet header towards dst is already in place, *ret_l2_len bytes. */
struct netstack_control *netstack_control_add(
	struct netstack *ns, const struct ether_addr *dst, uint16_t type, uint32_t *ret_l2_len);
/** May another answer to a stranger go out? Counts it, or the drop. */
bool netstack_reply_allowed(struct netstack *ns, uint64_t now_ns);
/** Queues a RST for a segment that belongs to no connection (RFC 9293 §3.10.7.1). */
void netstack_refuse(struct netstack *ns, const struct ether_header *ether,
	const struct ipv4_header *ip, const struct tcp_segment *s, uint64_t now_ns);

/* netstack_icmp.c */

/** One ICMP message to us; ip_payload bytes at data. */
enum drop_reason netstack_icmp_input(struct netstack *ns, const struct ether_header *ether,
	const struct ipv4_header *ip, const uint8_t *data, uint32_t len, uint64_t now_ns);

/* netstack_port.c */

/** A local port for this remote end that no connection uses; 0: none found. */
uint16_t netstack_port_choose(struct netstack *ns, uint32_t remote_ip, uint16_t remote_port);
/** ISN and timestamp offset of a new connection. */
void netstack_port_open(const struct netstack *ns, const struct netstack_conn *nc, uint64_t now_ns,
	struct tcp_open *ret);

#endif
