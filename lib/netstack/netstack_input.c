/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_compiler.h"
#include "netstack_priv.h"
#include "netstack_udp.h"
#include "wire_checksum.h"

#define RUN_MAX 32U
#define MANY_TURNS 8U /* in a burst that does not consist of runs */

static void
release_owner(struct netstack *ns, void *owner)
{
	if (owner != NULL)
		ns->cfg.release(ns->cfg.release_ctx, owner);
}

static void
release_parts(struct netstack *ns, const struct frame *f)
{
	const struct frame *next;

	for (; f != NULL; f = next) {
		next = f->next; /* the array of parts is the port's; owners may go at once */
		release_owner(ns, f->owner);
	}
}

static uint32_t
frame_len(const struct frame *f)
{
	uint32_t len = 0;

	for (; f != NULL; f = f->next)
		len += f->len;
	return len;
}

/* The sum over tcp_len bytes that begin at l4 in the first part and go on in the others. */
static uint64_t
sum_parts(const struct frame *f, const uint8_t *l4, uint32_t tcp_len, uint64_t sum)
{
	uint32_t here = (uint32_t)(f->data + f->len - l4), done = 0;
	const uint8_t *at = l4;

	for (;;) {
		here = MIN_OF(here, tcp_len - done);
		sum = done % 2 == 0 ? wire_checksum_add(sum, at, here)
				    : wire_checksum_add_odd(sum, at, here);
		done += here;
		f = f->next;
		if (done == tcp_len || f == NULL)
			return sum;
		at = f->data;
		here = f->len;
	}
}

/* UNKNOWN is not GOOD: what the NIC did not verify is verified here. */
static OUT_OF_LINE enum drop_reason
check_tcp_sum_here(const struct frame *f, const struct ip_address *src,
	const struct ip_address *dst, const uint8_t *l4, uint32_t tcp_len)
{
	uint64_t pseudo = wire_checksum_pseudo(src, dst, IPV4_PROTO_TCP, tcp_len);

	if (wire_checksum_finish(sum_parts(f, l4, tcp_len, pseudo)) == 0)
		return DROP_NONE;
	/* A kernel that counts on its NIC leaves just the pseudo-header's sum (CHECKSUM_PARTIAL). */
	if (be16_load(l4 + 16) == wire_checksum_fold(pseudo))
		return DROP_TCP_CHECKSUM_PARTIAL;
	return DROP_TCP_CHECKSUM;
}

static enum drop_reason
check_tcp_sum(const struct frame *f, const struct ip_address *src, const struct ip_address *dst,
	const uint8_t *l4, uint32_t tcp_len)
{
	if (f->flags & FRAME_L4_CSUM_BAD)
		return DROP_TCP_CHECKSUM;
	if (f->flags & FRAME_L4_CSUM_GOOD)
		return DROP_NONE;
	return check_tcp_sum_here(f, src, dst, l4, tcp_len);
}

static void
count_sum(struct netstack *ns, const struct frame *f)
{
	if (UNLIKELY(ns->handed_over))
		return; /* who handed it over has verified and counted it */
	if (f->flags & FRAME_L4_CSUM_GOOD)
		counter_add(ns->counters, COUNTER_RX_CSUM_HARDWARE, 1);
	else if (!(f->flags & FRAME_L4_CSUM_BAD))
		counter_add(ns->counters, COUNTER_RX_CSUM_SOFTWARE, 1);
}

static void
input_or_release(
	struct netstack *ns, struct netstack_conn *nc, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!tcp_conn_input(nc->tcp, s, now_ns))
		release_owner(ns, s->payload.owner);
}

/*
 * A frame in several buffers is one segment that TCP gets in parts: each part's bytes follow the
 * part's before. SYN belongs to the first part, FIN and PSH to the last. payload_len: of the whole.
 */
static OUT_OF_LINE void
input_parts(struct netstack *ns, struct netstack_conn *nc, struct tcp_segment *s,
	const struct frame *f, uint32_t payload_len, uint64_t now_ns)
{
	uint8_t flags = s->flags, last_only = s->flags & (TCP_FIN | TCP_PSH);
	uint32_t left = payload_len;

	s->payload.len = MIN_OF(s->payload.len, left);
	s->payload.owner = f->owner;
	for (;;) {
		left -= s->payload.len;
		s->more = left > 0;
		s->flags = left == 0 ? flags : (uint8_t)(flags & ~last_only);
		if (s->payload.len > 0 || left == 0)
			input_or_release(ns, nc, s, now_ns);
		else
			release_owner(ns, s->payload.owner); /* headers alone */
		if (s->payload.len > 0) {
			s->seq += s->payload.len + ((s->flags & TCP_SYN) ? 1U : 0U);
			flags &= (uint8_t)~TCP_SYN;
		}
		f = f->next;
		if (f == NULL)
			return;
		if (left == 0) { /* padding alone */
			release_parts(ns, f);
			return;
		}
		s->payload = (struct payload){f->data, MIN_OF(f->len, left), f->owner};
	}
}

/* The TCP header at l4, its sum checked; tcp_len: of the segment, as the IP header says. */
static enum drop_reason
read_segment(struct netstack *ns, const struct frame *f, const struct ip_address *src,
	const struct ip_address *dst, const uint8_t *l4, uint32_t tcp_len, struct tcp_segment *ret)
{
	uint32_t here = MIN_OF((uint32_t)(f->data + f->len - l4), tcp_len);
	enum drop_reason drop = wire_tcp_parse(l4, here, ret);

	if (drop == DROP_NONE) {
		count_sum(ns, f);
		drop = check_tcp_sum(f, src, dst, l4, tcp_len);
	}
	ret->payload2.len = 0;
	return drop;
}

/* To its connection, with the frame's owners. payload_len: of the whole segment. */
static void
deliver(struct netstack *ns, struct netstack_conn *nc, struct tcp_segment *s, const struct frame *f,
	uint32_t payload_len, uint64_t now_ns)
{
	if (f->next == NULL) {
		s->payload.owner = f->owner;
		input_or_release(ns, nc, s, now_ns);
	} else {
		input_parts(ns, nc, s, f, payload_len, now_ns);
	}
	netstack_ready_push(ns, nc);
	netstack_event_push(ns, nc);
}

/* ---- other workers ---- */

/* What came in fragments, as the datagram that it is: who parses it again must not take the first
 * part for a fragment. */
static void
mark_whole(struct frame *f, const struct netstack_packet *p)
{
	uint8_t *l3 = f->data + (p->l3 - f->data);

	be16_store(l3 + 2, (uint16_t)(p->l4 + p->l4_len - p->l3));
	be16_store(l3 + 6, 0);
	f->flags |= FRAME_IP_CSUM_GOOD; /* that of the fragment was */
}

/* A segment of no connection here: of another worker's? Then *ret_drop says whether that one has the
 * frame's owners now. */
static OUT_OF_LINE bool
hand_over(struct netstack *ns, struct frame *f, const struct netstack_packet *p,
	const struct tcp_segment *s, enum drop_reason *ret_drop)
{
	uint16_t queue;

	if (ns->cfg.exchange == NULL || ns->handed_over)
		return false;
	queue = netstack_steer_queue(ns->cfg.steer, &p->dst, &p->src, s->src_port, s->dst_port);
	if (queue == ns->cfg.queue)
		return false;
	counter_add(ns->counters, COUNTER_WRONG_QUEUE, 1);
	*ret_drop = DROP_EXCHANGE;
	if (p->fragmented && p->src.family == 6)
		return true; /* its chain of headers would have to be mended */
	if (p->fragmented)
		mark_whole(f, p);
	f->flags |= FRAME_L4_CSUM_GOOD; /* it is verified */
	if (netstack_exchange_hand_over(ns->cfg.exchange, ns->cfg.queue, queue, f))
		*ret_drop = DROP_NONE;
	return true;
}

/* It may concern all workers. */
static void
share(struct netstack *ns, const struct frame *f)
{
	if (ns->cfg.exchange != NULL && !ns->listening)
		(void)netstack_exchange_share(ns->cfg.exchange, ns->cfg.queue, f);
}

static enum drop_reason
input_tcp(struct netstack *ns, struct frame *f, const struct netstack_packet *p, uint64_t now_ns)
{
	struct tcp_segment s;
	struct netstack_conn *nc;
	uint32_t payload_len;
	enum drop_reason drop = read_segment(ns, f, &p->src, &p->dst, p->l4, p->l4_len, &s);

	if (drop != DROP_NONE)
		return drop;
	nc = netstack_table_find(ns, &p->dst, &p->src, s.src_port, s.dst_port);
	payload_len = p->l4_len - (uint32_t)(s.payload.data - p->l4);
	if (nc == NULL && hand_over(ns, f, p, &s, &drop))
		return drop;
	/* One that has ended, and is still being read, is none: RFC 9293 §3.10.7.1. */
	if (nc == NULL || tcp_conn_state(nc->tcp) == TCP_CLOSED) {
		s.payload.len = payload_len;
		netstack_refuse(ns, p, &s, now_ns);
		return DROP_TCP_NO_CONNECTION;
	}
	s.ecn = p->ecn;
	netstack_flow_learn(&ns->flow, nc, f, p);
	deliver(ns, nc, &s, f, payload_len, now_ns);
	return DROP_NONE;
}

/* The len bytes that begin at l4 in the first part and go on in the others, joined if there are
 * others. NULL: they are more than an IP packet of ours. */
static const uint8_t *
gather(struct netstack *ns, const struct frame *f, const uint8_t *l4, uint32_t len)
{
	uint32_t n = MIN_OF((uint32_t)(f->data + f->len - l4), len), done = n;

	if (n == len)
		return l4;
	if (len > ns->cfg.mtu)
		return NULL;
	memcpy(ns->gathered, l4, n);
	for (f = f->next; f != NULL && done < len; f = f->next, done += n) {
		n = MIN_OF(f->len, len - done);
		memcpy(ns->gathered + done, f->data, n);
	}
	return ns->gathered;
}

static enum drop_reason
input_icmp(struct netstack *ns, const struct frame *f, const struct netstack_packet *p,
	uint64_t now_ns)
{
	const uint8_t *data = gather(ns, f, p->l4, p->l4_len);

	if (data == NULL)
		return DROP_ICMP_IGNORED;
	return p->src.family == 4 ? netstack_icmp_input(ns, p, data, now_ns)
				  : netstack_icmpv6_input(ns, p, data, now_ns);
}

static enum drop_reason
input_udp(struct netstack *ns, const struct frame *f, const struct netstack_packet *p)
{
	const uint8_t *data;

	if (f->flags & FRAME_L4_CSUM_BAD)
		return DROP_UDP_CHECKSUM;
	data = gather(ns, f, p->l4, p->l4_len);
	if (data == NULL)
		return DROP_UDP_QUEUE;
	return netstack_udp_input(ns, p, data, (f->flags & FRAME_L4_CSUM_GOOD) != 0);
}

/* RFC 1122 §3.2.1.3: not a multicast or broadcast address, "this host", loopback or our own. An
 * answer would go to many, or to ourselves. */
static bool
source_possible(const struct netstack *ns, uint32_t src)
{
	uint32_t first = src >> 24;

	return first != 0 && first != 127 && first < 224 && !netstack_has_ipv4(ns, src);
}

/* A whole datagram. false: the frame's owners are still the caller's. */
static bool
input_datagram(struct netstack *ns, struct frame *f, const struct netstack_packet *p,
	uint64_t now_ns, enum drop_reason *ret_drop)
{
	bool v6 = p->src.family == 6;

	if (p->protocol == IPV4_PROTO_TCP && !(v6 && ipv6_addr_is_multicast(&p->dst.v6))) {
		*ret_drop = input_tcp(ns, f, p, now_ns);
		return *ret_drop == DROP_NONE;
	}
	if (!p->fragmented)
		share(ns, f);
	if (p->protocol == (v6 ? IPV6_NEXT_ICMPV6 : IPV4_PROTO_ICMP))
		*ret_drop = input_icmp(ns, f, p, now_ns);
	else if (p->protocol == IPV4_PROTO_UDP)
		*ret_drop = input_udp(ns, f, p);
	else
		*ret_drop = DROP_IP_PROTOCOL;
	return false;
}

/* false: the fragment's owner is still the caller's. */
static bool
input_fragment(struct netstack *ns, struct frame *f, const struct netstack_packet *p,
	const struct netstack_fragment_place *place, uint64_t now_ns, enum drop_reason *ret_drop)
{
	struct netstack_datagram *d;
	struct netstack_packet whole;
	struct frame *first;
	bool taken;

	*ret_drop = netstack_fragment_add(ns, f, p, place, now_ns, &d);
	if (*ret_drop != DROP_NONE)
		return false;
	if (d == NULL)
		return true;
	counter_add(ns->counters, COUNTER_IP_REASSEMBLED, 1);
	first = netstack_fragment_frame(d, p->ether, &whole);
	*ret_drop = netstack_fragment_walk(first, &whole);
	taken = *ret_drop == DROP_NONE && input_datagram(ns, first, &whole, now_ns, ret_drop);
	if (!taken)
		release_parts(ns, first);
	netstack_fragment_forget(d);
	return true;
}

/* RFC 1122 §3.3.6: what came by broadcast must be addressed to all. */
static bool
to_us(const struct netstack *ns, const struct ether_header *ether, const struct ipv4_header *ip)
{
	if (netstack_has_ipv4(ns, ip->dst) && !ether_addr_is_broadcast(&ether->dst))
		return true;
	return netstack_udp_takes(ns, ip);
}

/* false: the frame's owners are still the caller's. */
static bool
input_ipv4(struct netstack *ns, struct frame *f, const struct ether_header *ether, uint64_t now_ns,
	enum drop_reason *ret_drop)
{
	const uint8_t *l3 = f->data + ether->header_len;
	uint32_t here = f->len - ether->header_len;
	struct netstack_fragment_place place;
	struct netstack_packet p;
	struct ipv4_header ip;

	if (f->flags & FRAME_IP_CSUM_BAD) {
		*ret_drop = DROP_IP_CHECKSUM;
		return false;
	}
	*ret_drop = wire_ipv4_parse(
		l3, here, frame_len(f) - ether->header_len, !(f->flags & FRAME_IP_CSUM_GOOD), &ip);
	if (*ret_drop == DROP_NONE && !to_us(ns, ether, &ip))
		*ret_drop = DROP_NOT_FOR_US;
	if (*ret_drop == DROP_NONE && !source_possible(ns, ip.src))
		*ret_drop = DROP_IP_SOURCE;
	if (*ret_drop != DROP_NONE)
		return false;
	p = (struct netstack_packet){.ether = ether,
		.src = ip_address_of_v4(ip.src),
		.dst = ip_address_of_v4(ip.dst),
		.protocol = ip.protocol,
		.ecn = ip.ecn,
		.hop_limit = ip.ttl,
		.l3 = l3,
		.l4 = l3 + ip.header_len,
		.l4_len = (uint32_t)ip.total_len - ip.header_len};
	if (ip.fragment_offset == 0 && !ip.more_fragments)
		return input_datagram(ns, f, &p, now_ns, ret_drop);
	place = (struct netstack_fragment_place){ip.id, ip.fragment_offset, ip.more_fragments};
	return input_fragment(ns, f, &p, &place, now_ns, ret_drop);
}

/* RFC 4291 §2.5.2, §2.5.3, §2.7; "::" only in duplicate address detection (RFC 4862 §5.4.3). */
static bool
source_possible_ipv6(const struct netstack *ns, const struct ipv6_header *ip)
{
	if (ipv6_addr_is_unspecified(&ip->src))
		return ip->protocol == IPV6_NEXT_ICMPV6 && ipv6_addr_is_multicast(&ip->dst);
	return !ipv6_addr_is_multicast(&ip->src) && !ipv6_addr_is_loopback(&ip->src) &&
	       netstack_ipv6_find(&ns->ipv6, &ip->src) == NULL;
}

/* false: the frame's owners are still the caller's. */
static bool
input_ipv6(struct netstack *ns, struct frame *f, const struct ether_header *ether, uint64_t now_ns,
	enum drop_reason *ret_drop)
{
	const uint8_t *l3 = f->data + ether->header_len;
	struct netstack_fragment_place place;
	struct netstack_packet p;
	struct ipv6_header ip;

	*ret_drop = wire_ipv6_parse(
		l3, f->len - ether->header_len, frame_len(f) - ether->header_len, &ip);
	if (*ret_drop == DROP_NONE && !netstack_ipv6_for_us(&ns->ipv6, &ip.dst))
		*ret_drop = DROP_NOT_FOR_US;
	if (*ret_drop == DROP_NONE && !source_possible_ipv6(ns, &ip))
		*ret_drop = DROP_IP_SOURCE;
	if (*ret_drop != DROP_NONE)
		return false;
	p = (struct netstack_packet){.ether = ether,
		.src = ip_address_of_v6(&ip.src),
		.dst = ip_address_of_v6(&ip.dst),
		.protocol = ip.protocol,
		.ecn = ip.ecn,
		.hop_limit = ip.hop_limit,
		.fragmented = ip.fragment_header,
		.l3 = l3,
		.l4 = l3 + ip.header_len,
		.l4_len = ip.total_len - ip.header_len};
	if (ip.fragment_offset == 0 && !ip.more_fragments)
		return input_datagram(ns, f, &p, now_ns, ret_drop);
	place = (struct netstack_fragment_place){
		ip.fragment_id, ip.fragment_offset, ip.more_fragments};
	return input_fragment(ns, f, &p, &place, now_ns, ret_drop);
}

static bool
for_us(const struct netstack *ns, const struct ether_header *ether)
{
	if (ether_addr_equal(&ether->dst, &ns->cfg.mac))
		return true;
	if (ether->type == ETHER_TYPE_ARP || ether->type == ETHER_TYPE_IPV4)
		return ether_addr_is_broadcast(&ether->dst);
	return ether->type == ETHER_TYPE_IPV6 && ether_addr_is_multicast(&ether->dst);
}

static enum drop_reason
input_arp(struct netstack *ns, const struct frame *f, const struct ether_header *ether,
	uint64_t now_ns)
{
	share(ns, f);
	return netstack_arp_input(
		ns, f->data + ether->header_len, f->len - ether->header_len, now_ns);
}

static OUT_OF_LINE void
input_frame(struct netstack *ns, struct frame *f, uint64_t now_ns)
{
	struct ether_header ether;
	enum drop_reason drop = wire_ether_parse(f, &ether);
	bool taken = false;

	if (drop == DROP_NONE && ether.vlan_id != ns->cfg.vlan_id)
		drop = DROP_VLAN_ID;
	else if (drop == DROP_NONE && !for_us(ns, &ether))
		drop = DROP_NOT_FOR_US;
	else if (drop == DROP_NONE && ether.type == ETHER_TYPE_IPV4)
		taken = input_ipv4(ns, f, &ether, now_ns, &drop);
	else if (drop == DROP_NONE && ether.type == ETHER_TYPE_IPV6 && ns->cfg.ipv6.enabled)
		taken = input_ipv6(ns, f, &ether, now_ns, &drop);
	else if (drop == DROP_NONE && ether.type == ETHER_TYPE_ARP)
		drop = input_arp(ns, f, &ether, now_ns);
	else if (drop == DROP_NONE)
		drop = DROP_ETH_TYPE;
	if (!ns->listening) /* else it counts where it was received */
		counter_drop(ns->counters, drop);
	if (!taken)
		release_parts(ns, f);
}

/* How many of the first n frames of a run, of which the first was checked, are undamaged. */
static uint32_t
undamaged(const struct netstack_conn *nc, const struct frame *frames, uint32_t n, bool v6)
{
	uint32_t l4_offset = netstack_flow_l4_offset(v6), i;

	for (i = 1; i < n; i++) {
		if (check_tcp_sum(&frames[i], &nc->remote, &nc->local, frames[i].data + l4_offset,
			    netstack_flow_l4_len(&frames[i], v6)) != DROP_NONE)
			break;
	}
	return i;
}

/* A bulk transfer: TCP takes what the burst holds of it at once. Returns the frames dealt with. */
static uint32_t
input_run(struct netstack *ns, const struct tcp_segment *first, const struct frame *frames,
	uint32_t n, uint64_t now_ns)
{
	struct netstack_conn *nc = ns->flow.conn;
	struct payload part[RUN_MAX];
	uint32_t i;

	n = netstack_flow_collect(&ns->flow, first, frames, MIN_OF(n, RUN_MAX), part);
	n = undamaged(nc, frames, n, ns->flow.v6);
	n = tcp_conn_input_run(nc->tcp, first, part, n, now_ns);
	for (i = 1; i < n; i++)
		count_sum(ns, &frames[i]);
	netstack_ready_push(ns, nc);
	netstack_event_push(ns, nc);
	return n;
}

/* The first of n frames, of the flow that the last one belonged to: the headers up to TCP's are known. */
static enum drop_reason
read_predicted(struct netstack *ns, const struct frame *f, struct tcp_segment *ret)
{
	struct netstack_conn *nc = ns->flow.conn;
	const uint8_t *l4 = f->data + netstack_flow_l4_offset(ns->flow.v6);
	uint32_t tcp_len = netstack_flow_l4_len(f, ns->flow.v6);
	enum drop_reason drop = read_segment(ns, f, &nc->remote, &nc->local, l4, tcp_len, ret);

	ret->ecn = netstack_flow_ecn(f, ns->flow.v6);
	return drop;
}

/* The usual frame of another connection, whose headers hold nothing unusual: it becomes the flow's.
 * false: nothing was done, the long way decides, and counts what it drops. */
static OUT_OF_LINE bool
read_plain(struct netstack *ns, const struct frame *f, struct tcp_segment *ret)
{
	const uint8_t *l4 = f->data + ETHER_HEADER_LEN + IPV4_HEADER_LEN;
	struct ip_address src, dst;
	struct netstack_conn *nc;
	uint32_t tcp_len;

	if (ns->cfg.vlan_id != 0 || !netstack_flow_is_plain(ns->plain, f))
		return false;
	src = ip_address_of_v4(be32_load(l4 - 8));
	dst = ip_address_of_v4(be32_load(l4 - 4));
	tcp_len = netstack_flow_l4_len(f, false);
	if (!netstack_has_ipv4(ns, dst.v4) || !source_possible(ns, src.v4) ||
		wire_tcp_parse(l4, tcp_len, ret) != DROP_NONE)
		return false;
	nc = netstack_table_find(ns, &dst, &src, ret->src_port, ret->dst_port);
	if (nc == NULL || tcp_conn_state(nc->tcp) == TCP_CLOSED ||
		check_tcp_sum(f, &src, &dst, l4, tcp_len) != DROP_NONE)
		return false;
	count_sum(ns, f);
	ret->payload2.len = 0;
	ret->ecn = netstack_flow_ecn(f, false);
	netstack_flow_learn_plain(&ns->flow, nc, f, ns->many);
	return true;
}

/* The first of n frames, and those that go with it. Returns how many. */
static uint32_t
input_some(struct netstack *ns, struct frame *frames, uint32_t n, uint64_t now_ns)
{
	struct tcp_segment s;
	enum drop_reason drop;

	if (LIKELY(netstack_flow_matches(&ns->flow, &frames[0])) &&
		tcp_conn_state(ns->flow.conn->tcp) != TCP_CLOSED) {
		drop = read_predicted(ns, &frames[0], &s);
		if (UNLIKELY(drop != DROP_NONE)) {
			counter_drop(ns->counters, drop);
			release_owner(ns, frames[0].owner);
			return 1;
		}
	} else if (!read_plain(ns, &frames[0], &s)) {
		input_frame(ns, &frames[0], now_ns);
		return 1;
	}
	if (LIKELY(ns->flow.known) && tcp_conn_run_expected(ns->flow.conn->tcp, &s, now_ns))
		return input_run(ns, &s, frames, n, now_ns);
	deliver(ns, ns->flow.conn, &s, &frames[0], s.payload.len, now_ns);
	return 1;
}

/* Of frames of many connections each would wait for its bucket, then for its place in the table, then
 * for the connection: each for all of them at once instead. */
static OUT_OF_LINE void
prefetch_connections(const struct netstack *ns, const struct frame *frames, uint32_t n)
{
	struct netstack_conn **bucket[RUN_MAX];
	uint32_t i;

	n = MIN_OF(n, RUN_MAX);
	for (i = 0; i < n; i++)
		bucket[i] = netstack_table_prefetch(ns, &frames[i]);
	for (i = 0; i < n; i++) {
		if (bucket[i] == NULL || *bucket[i] == NULL)
			continue;
		__builtin_prefetch(*bucket[i], 1);
		__builtin_prefetch((uint8_t *)*bucket[i] + NETSTACK_CACHE_LINE, 1);
	}
	for (i = 0; i < n; i++) {
		if (bucket[i] != NULL && *bucket[i] != NULL)
			tcp_conn_prefetch((*bucket[i])->tcp);
	}
}

/* Of all its parts. */
static inline uint64_t
frame_bytes(const struct frame *f)
{
	uint64_t bytes = f->len;

	for (f = f->next; UNLIKELY(f != NULL); f = f->next)
		bytes += f->len;
	return bytes;
}

void
netstack_input(struct netstack *ns, struct frame *frames, uint32_t n, uint64_t now_ns)
{
	uint64_t bytes = 0;
	uint32_t i, turns = 0;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		bytes += frame_bytes(&frames[i]);
	counter_add(ns->counters, COUNTER_RX_FRAMES, n);
	counter_add(ns->counters, COUNTER_RX_BYTES, bytes);
	counter_add(ns->counters, COUNTER_RX_BURSTS, 1);
	if (UNLIKELY(ns->many))
		prefetch_connections(ns, frames, n);
	for (i = 0; i < n; i += input_some(ns, frames + i, n - i, now_ns))
		turns++;
	ns->many = turns > MANY_TURNS;
}

uint32_t
netstack_input_exchanged(struct netstack *ns, uint64_t now_ns)
{
	struct frame frames[RUN_MAX], copy;
	uint32_t i, n;

	if (LIKELY(ns->cfg.exchange == NULL))
		return 0;
	n = netstack_exchange_take(ns->cfg.exchange, ns->cfg.queue, frames, RUN_MAX);
	counter_add(ns->counters, COUNTER_HANDED_OVER, n);
	ns->handed_over = true;
	for (i = 0; i < n; i += input_some(ns, frames + i, n - i, now_ns))
		;
	ns->handed_over = false;
	ns->listening = true;
	for (; netstack_exchange_hear(ns->cfg.exchange, ns->cfg.queue, &copy); n++)
		input_frame(ns, &copy, now_ns);
	ns->listening = false;
	return n;
}
