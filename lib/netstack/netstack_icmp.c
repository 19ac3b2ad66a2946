/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "netstack_priv.h"
#include "netstack_udp.h"

static enum drop_reason
answer_echo(struct netstack *ns, const struct netstack_packet *p, const struct icmp_message *m,
	uint64_t now_ns)
{
	struct ipv4_header reply = {
		.src = p->dst.v4,
		.dst = p->src.v4,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = IPV4_TTL_DEFAULT,
	};
	struct netstack_control *frame;
	uint32_t l2_len;

	if (!netstack_reply_allowed(ns, now_ns))
		return DROP_TCP_RATE_LIMITED;
	if (IPV4_HEADER_LEN + 4 + m->body_len > ns->cfg.mtu)
		return DROP_ICMP_IGNORED;
	frame = netstack_control_add(ns, &p->ether->src, ETHER_TYPE_IPV4, &l2_len);
	if (frame == NULL)
		return DROP_TCP_RATE_LIMITED;
	reply.total_len = (uint16_t)(IPV4_HEADER_LEN + 4 + m->body_len);
	frame->len = l2_len + wire_ipv4_build(frame->bytes + l2_len, &reply, true);
	frame->len += wire_icmp_build_echo_reply(frame->bytes + frame->len, m->body, m->body_len);
	counter_add(ns->counters, COUNTER_ICMP_ECHO_REPLIES, 1);
	return DROP_NONE;
}

/* RFC 9293 §3.9.2.2 names protocol and port. A filter that says so refuses the connection no less:
 * asking again for two minutes would not move it. */
static enum tcp_icmp_kind
kind_of_unreachable(uint8_t code)
{
	switch (code) {
	case ICMP_UNREACHABLE_FRAG:
		return TCP_ICMP_PACKET_TOO_BIG;
	case ICMP_UNREACHABLE_PROTOCOL:
	case ICMP_UNREACHABLE_PORT:
	case ICMP_UNREACHABLE_NET_PROHIBITED:
	case ICMP_UNREACHABLE_HOST_PROHIBITED:
	case ICMP_UNREACHABLE_PROHIBITED:
		return TCP_ICMP_HARD;
	default:
		return TCP_ICMP_SOFT;
	}
}

static enum tcp_icmp_kind
kind_of(const struct icmp_message *m)
{
	return m->type == ICMP_UNREACHABLE ? kind_of_unreachable(m->code) : TCP_ICMP_SOFT;
}

/* About a datagram: port 53 or 67 is shut, or no way leads there. */
static enum drop_reason
apply_udp_error(struct netstack *ns, const struct icmp_quote *q, enum tcp_icmp_kind kind)
{
	int error = kind == TCP_ICMP_HARD ? -ECONNREFUSED : -EHOSTUNREACH;

	if (kind == TCP_ICMP_PACKET_TOO_BIG || !netstack_udp_on_icmp(ns, q, error))
		return DROP_ICMP_IGNORED;
	counter_add(ns->counters, COUNTER_ICMP_ERRORS_APPLIED, 1);
	return DROP_NONE;
}

/* All workers hear it, and its connection's counts it; so does that one's what it ignores. */
static enum drop_reason
ignore(struct netstack *ns)
{
	if (ns->listening)
		counter_drop(ns->counters, DROP_ICMP_IGNORED);
	return DROP_ICMP_IGNORED;
}

static bool
is_anothers(const struct netstack *ns, const struct icmp_quote *q)
{
	return ns->cfg.exchange != NULL &&
	       !netstack_steer_is_ours(ns, &q->src, &q->dst, q->dst_port, q->src_port);
}

enum drop_reason
netstack_icmp_apply(
	struct netstack *ns, const struct icmp_quote *q, enum tcp_icmp_kind kind, uint32_t mtu)
{
	const struct tcp_icmp icmp = {.kind = kind,
		.seq = q->seq,
		.mtu = mtu,
		.packet_len = q->total_len,
		.ip_header_len = q->src.family == 4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN};
	struct netstack_conn *nc;

	if (q->protocol == IPV4_PROTO_UDP)
		return apply_udp_error(ns, q, kind);
	if (q->protocol != IPV4_PROTO_TCP)
		return DROP_ICMP_IGNORED;
	nc = netstack_table_find(ns, &q->src, &q->dst, q->dst_port, q->src_port);
	if (nc == NULL && is_anothers(ns, q))
		return DROP_NONE;
	if (nc == NULL || !tcp_conn_icmp(nc->tcp, &icmp))
		return ignore(ns);
	counter_add(ns->counters, COUNTER_ICMP_ERRORS_APPLIED, 1);
	netstack_ready_push(ns, nc);
	netstack_event_push(ns, nc);
	return DROP_NONE;
}

enum drop_reason
netstack_icmp_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, uint64_t now_ns)
{
	struct icmp_message m;
	enum drop_reason drop = wire_icmp_parse(data, p->l4_len, &m);

	if (drop != DROP_NONE)
		return drop;
	if (m.type == ICMP_ECHO_REQUEST)
		return answer_echo(ns, p, &m, now_ns);
	return netstack_icmp_apply(ns, &m.quote, kind_of(&m), m.next_hop_mtu);
}

void
netstack_icmp_reassembly_expired(
	struct netstack *ns, const struct netstack_packet *p, uint64_t now_ns)
{
	struct ipv4_header reply = {
		.src = p->dst.v4,
		.dst = p->src.v4,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = IPV4_TTL_DEFAULT,
	};
	uint32_t quoted = (uint32_t)(p->l4 - p->l3) + ICMP_QUOTED_DATA_LEN, l2_len;
	struct netstack_control *frame;

	if (!netstack_reply_allowed(ns, now_ns))
		return;
	frame = netstack_control_add(ns, &p->ether->src, ETHER_TYPE_IPV4, &l2_len);
	if (frame == NULL)
		return;
	reply.total_len = (uint16_t)(IPV4_HEADER_LEN + ICMP_HEADER_LEN + quoted);
	frame->len = l2_len + wire_ipv4_build(frame->bytes + l2_len, &reply, true);
	frame->len += wire_icmp_build_time_exceeded(
		frame->bytes + frame->len, ICMP_TIME_EXCEEDED_REASSEMBLY, p->l3, quoted);
}
