/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_compiler.h"
#include "netstack_priv.h"
#include "netstack_udp.h"
#include "wire_checksum.h"

void
netstack_ready_push(struct netstack *ns, struct netstack_conn *nc)
{
	nc->ready = true;
	if (nc->ready_listed)
		return;
	nc->ready_listed = true;
	nc->ready_next = NULL;
	if (ns->ready.tail != NULL)
		ns->ready.tail->ready_next = nc;
	else
		ns->ready.head = nc;
	ns->ready.tail = nc;
}

static struct netstack_conn *
ready_pop(struct netstack *ns)
{
	struct netstack_conn *nc;

	while ((nc = ns->ready.head) != NULL) {
		ns->ready.head = nc->ready_next;
		if (ns->ready.head == NULL)
			ns->ready.tail = NULL;
		nc->ready_listed = false;
		if (nc->ready) {
			nc->ready = false;
			return nc;
		}
	}
	return NULL;
}

void
netstack_event_push(struct netstack *ns, struct netstack_conn *nc)
{
	if (nc->released)
		return;
	nc->event = true;
	if (nc->event_listed)
		return;
	nc->event_listed = true;
	nc->event_next = NULL;
	if (ns->event.tail != NULL)
		ns->event.tail->event_next = nc;
	else
		ns->event.head = nc;
	ns->event.tail = nc;
}

struct netstack_conn *
netstack_event_next(struct netstack *ns)
{
	struct netstack_conn *nc;

	while ((nc = ns->event.head) != NULL) {
		ns->event.head = nc->event_next;
		if (ns->event.head == NULL)
			ns->event.tail = NULL;
		nc->event_listed = false;
		if (nc->event) {
			nc->event = false;
			return nc;
		}
	}
	return NULL;
}

void
netstack_wake_next_hop(struct netstack *ns, const struct ip_address *next_hop)
{
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (ns->conn[i].in_use && ip_address_equal(&ns->conn[i].next_hop, next_hop))
			netstack_ready_push(ns, &ns->conn[i]);
	}
}

static void
fail(struct netstack *ns, struct netstack_conn *nc, int error)
{
	nc->error = (int16_t)error;
	tcp_conn_abort(nc->tcp);
	netstack_event_push(ns, nc);
	if (nc->released)
		netstack_table_free(ns, nc);
}

void
netstack_fail_next_hop(struct netstack *ns, const struct ip_address *next_hop)
{
	uint32_t i;

	netstack_udp_fail_next_hop(ns, next_hop);
	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (ns->conn[i].in_use && ip_address_equal(&ns->conn[i].next_hop, next_hop))
			fail(ns, &ns->conn[i], -EHOSTUNREACH);
	}
}

void
netstack_fail_local(struct netstack *ns, const struct ip_address *local)
{
	uint32_t i;

	netstack_udp_fail_local(ns, local);
	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (ns->conn[i].in_use && ip_address_equal(&ns->conn[i].local, local))
			fail(ns, &ns->conn[i], -EADDRNOTAVAIL);
	}
}

void
netstack_link_due(struct netstack *ns, uint64_t at_ns)
{
	ns->link_deadline_ns = time_min(ns->link_deadline_ns, at_ns);
}

/* ---- control frames ---- */

struct netstack_control *
netstack_control_add(
	struct netstack *ns, const struct ether_addr *dst, uint16_t type, uint32_t *ret_l2_len)
{
	const struct ether_header header = {
		.dst = *dst, .src = ns->cfg.mac, .type = type, .vlan_id = ns->cfg.vlan_id};
	struct netstack_control *frame;

	if (ns->control_tail - ns->control_head == NETSTACK_CONTROL_FRAMES)
		return NULL;
	frame = &ns->control[ns->control_tail++ % NETSTACK_CONTROL_FRAMES];
	*ret_l2_len = wire_ether_build(frame->bytes, &header);
	frame->len = *ret_l2_len;
	return frame;
}

bool
netstack_reply_allowed(struct netstack *ns, uint64_t now_ns)
{
	if (ns->listening)
		return false;
	if (now_ns - ns->replies_start_ns >= NS_PER_SEC) {
		ns->replies_start_ns = now_ns;
		ns->replies_left = NETSTACK_REPLIES_PER_SECOND;
	}
	if (ns->replies_left == 0)
		return false;
	ns->replies_left--;
	return true;
}

static bool
output_control(struct netstack *ns, struct tx_frame *tx)
{
	const struct netstack_control *frame;

	if (ns->control_head == ns->control_tail)
		return false;
	frame = &ns->control[ns->control_head++ % NETSTACK_CONTROL_FRAMES];
	CHECK(frame->len <= tx->room);
	memcpy(tx->data, frame->bytes, frame->len);
	tx->len = frame->len;
	tx->flags = 0;
	return true;
}

/* ---- TCP segments ---- */

/* What the IP header of a segment is made of. */
struct envelope {
	const struct ip_address *src, *dst;
	uint16_t id; /* IPv4 */
	uint8_t ecn, hop_limit;
};

static uint32_t
ip_header_len(const struct envelope *e)
{
	return e->src->family == 4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
}

static ALWAYS_INLINE void
build_ip(uint8_t *l3, const struct envelope *e, uint32_t tcp_len, uint32_t offloads)
{
	if (e->src->family == 4) {
		const struct ipv4_header ip = {.src = e->src->v4,
			.dst = e->dst->v4,
			.total_len = (uint16_t)(IPV4_HEADER_LEN + tcp_len),
			.id = e->id,
			.protocol = IPV4_PROTO_TCP,
			.ttl = e->hop_limit,
			.ecn = e->ecn};

		wire_ipv4_build(l3, &ip, !(offloads & TX_FRAME_IP_CSUM));
	} else {
		const struct ipv6_header ip = {.src = e->src->v6,
			.dst = e->dst->v6,
			.total_len = IPV6_HEADER_LEN + tcp_len,
			.protocol = IPV4_PROTO_TCP,
			.hop_limit = e->hop_limit,
			.ecn = e->ecn};

		wire_ipv6_build(l3, &ip);
	}
}

/* Builds the headers and the checksum, in software or prepared for the NIC. Returns the bytes
 * from l3 on. */
static ALWAYS_INLINE uint32_t
build_packet(uint8_t *l3, const struct envelope *e, const struct tcp_segment *s, uint32_t offloads)
{
	uint8_t *l4 = l3 + ip_header_len(e);
	uint32_t tcp_len = wire_tcp_build(l4, s);
	uint64_t sum = wire_checksum_pseudo(e->src, e->dst, IPV4_PROTO_TCP, tcp_len);

	build_ip(l3, e, tcp_len, offloads);
	if (offloads & TX_FRAME_TCP_CSUM)
		wire_tcp_set_checksum(l4, wire_checksum_fold(sum));
	else
		wire_tcp_set_checksum(
			l4, wire_checksum_finish(wire_checksum_add(sum, l4, tcp_len)));
	return ip_header_len(e) + tcp_len;
}

static void
build_segment(struct netstack *ns, struct netstack_conn *nc, const struct ether_addr *dst,
	const struct tcp_segment *s, struct tx_frame *tx)
{
	bool v4 = nc->local.family == 4;
	const struct ether_header ether = {.dst = *dst,
		.src = ns->cfg.mac,
		.type = v4 ? ETHER_TYPE_IPV4 : ETHER_TYPE_IPV6,
		.vlan_id = ns->cfg.vlan_id};
	const struct envelope e = {.src = &nc->local,
		.dst = &nc->remote,
		.id = nc->ip_id++,
		.ecn = s->ecn,
		.hop_limit = v4 ? IPV4_TTL_DEFAULT : ns->ipv6.hop_limit};
	uint32_t header_len = wire_tcp_header_len(s);

	CHECK(ETHER_HEADER_LEN + ETHER_VLAN_LEN + ip_header_len(&e) + header_len + s->payload.len +
			s->payload2.len <=
		tx->room);
	tx->l2_len = (uint16_t)wire_ether_build(tx->data, &ether);
	tx->l3_len = (uint16_t)ip_header_len(&e);
	tx->l4_len = (uint16_t)header_len;
	tx->flags = v4 ? ns->cfg.tx_offloads
		       : (ns->cfg.tx_offloads & ~TX_FRAME_IP_CSUM) | TX_FRAME_IPV6;
	tx->len = tx->l2_len + build_packet(tx->data + tx->l2_len, &e, s, tx->flags);
}

void
netstack_refuse(struct netstack *ns, const struct netstack_packet *p, const struct tcp_segment *s,
	uint64_t now_ns)
{
	struct tcp_segment rst = {
		.src_port = s->dst_port, .dst_port = s->src_port, .flags = TCP_RST};
	bool v4 = p->src.family == 4;
	const struct envelope e = {.src = &p->dst,
		.dst = &p->src,
		.hop_limit = v4 ? IPV4_TTL_DEFAULT : ns->ipv6.hop_limit};
	struct netstack_control *frame;
	uint32_t l2_len;

	if ((s->flags & TCP_RST) || !netstack_reply_allowed(ns, now_ns))
		return;
	if (s->flags & TCP_ACK) {
		rst.seq = s->ack;
	} else {
		rst.flags |= TCP_ACK;
		rst.ack = s->seq + tcp_segment_seq_len(s);
	}
	frame = netstack_control_add(
		ns, &p->ether->src, v4 ? ETHER_TYPE_IPV4 : ETHER_TYPE_IPV6, &l2_len);
	if (frame == NULL)
		return;
	frame->len = l2_len + build_packet(frame->bytes + l2_len, &e, &rst, 0);
	counter_add(ns->counters, COUNTER_TCP_RST_SENT, 1);
}

/* Told to the application: a state that it has not seen, an error. */
static void
note_state(struct netstack *ns, struct netstack_conn *nc)
{
	enum tcp_state state = tcp_conn_state(nc->tcp);

	if (state == nc->last_state)
		return;
	nc->last_state = (uint8_t)state;
	netstack_event_push(ns, nc);
}

static void
set_deadlines(struct netstack *ns, struct netstack_conn *nc)
{
	netstack_timer_set(ns, nc, tcp_conn_timer_deadline(nc->tcp));
	netstack_ack_wait(ns, nc, tcp_conn_ack_deadline(nc->tcp));
}

/* Nothing more to send now: when to look again, and whether the place can be freed. */
static void
settle(struct netstack *ns, struct netstack_conn *nc)
{
	note_state(ns, nc);
	netstack_table_note_state(ns, nc);
	if (nc->released && tcp_conn_state(nc->tcp) == TCP_CLOSED)
		netstack_table_free(ns, nc);
	else
		set_deadlines(ns, nc);
}

/* Up to a quantum of one connection's segments. Returns the frames filled. */
static uint32_t
output_conn(struct netstack *ns, struct netstack_conn *nc, uint64_t now_ns, struct tx_frame *tx,
	uint32_t n)
{
	bool ended = tcp_conn_state(nc->tcp) == TCP_CLOSED;
	const struct ether_addr *dst = ended ? netstack_neighbour_known(ns, &nc->next_hop)
					     : netstack_neighbour_lookup(ns, &nc->next_hop, now_ns);
	struct tcp_segment s;
	uint32_t filled = 0;

	if (dst == NULL && !ended)
		return 0; /* the answer, or its absence, wakes the connection */
	while (filled < MIN_OF(n, NETSTACK_QUANTUM)) {
		if (!tcp_conn_output(nc->tcp, now_ns, &s)) {
			settle(ns, nc);
			return filled;
		}
		if (dst != NULL)
			build_segment(ns, nc, dst, &s, &tx[filled++]);
	}
	netstack_ready_push(ns, nc); /* there may be more; the others first */
	return filled;
}

static void
wake_expired(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_conn *nc;

	while ((nc = netstack_timer_expired(ns, now_ns)) != NULL) {
		if (!nc->in_use)
			continue;
		if (tcp_conn_way_in_doubt(nc->tcp, now_ns))
			netstack_neighbour_advise(ns, &nc->next_hop, now_ns);
		netstack_ready_push(ns, nc);
	}
	while ((nc = netstack_ack_waited(ns, now_ns)) != NULL)
		netstack_ready_push(ns, nc);
}

static void
count_output(struct netstack *ns, const struct tx_frame *tx, uint32_t n)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		bytes += tx[i].len;
	counter_add(ns->counters, COUNTER_TX_FRAMES, n);
	counter_add(ns->counters, COUNTER_TX_BYTES, bytes);
}

static void
run_link(struct netstack *ns, uint64_t now_ns)
{
	netstack_arp_run(ns, now_ns);
	netstack_ipv6_run(ns, now_ns);
	netstack_neighbour_run(ns, now_ns);
	ns->link_deadline_ns = time_min(netstack_arp_deadline(ns), netstack_neighbour_deadline(ns));
	ns->link_deadline_ns = time_min(ns->link_deadline_ns, ns->ipv6.deadline_ns);
}

uint32_t
netstack_output(struct netstack *ns, uint64_t now_ns, struct tx_frame *tx, uint32_t n)
{
	struct netstack_conn *nc;
	uint32_t filled = 0;

	wake_expired(ns, now_ns);
	if (UNLIKELY(ns->udp_waiting > 0))
		netstack_udp_run(ns, now_ns); /* it may have a question for ARP */
	if (now_ns >= ns->link_deadline_ns)
		run_link(ns, now_ns);
	if (now_ns >= ns->fragments.deadline_ns)
		netstack_fragment_run(ns, now_ns);
	while (filled < n && output_control(ns, &tx[filled]))
		filled++;
	while (filled < n && netstack_ready(ns) && (nc = ready_pop(ns)) != NULL)
		filled += output_conn(ns, nc, now_ns, tx + filled, n - filled);
	if (filled > 0)
		count_output(ns, tx, filled);
	return filled;
}

uint64_t
netstack_deadline(const struct netstack *ns)
{
	if (ns->control_head != ns->control_tail || ns->ready.head != NULL || netstack_udp_due(ns))
		return 0;
	return time_min(time_min(ns->link_deadline_ns, ns->fragments.deadline_ns),
		time_min(netstack_timer_next(ns), netstack_ack_wait_next(ns)));
}
