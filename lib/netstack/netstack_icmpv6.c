/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_priv.h"

#define MLD_HOP_LIMIT 1U
#define MLD_QUERY_BODY_MIN 20U /* RFC 3810 §8.1: version 1's; what is shorter is none */

bool
netstack_icmpv6_begin(
	struct netstack *ns, const struct ether_addr *mac, struct netstack_icmpv6_out *ret)
{
	ret->frame = netstack_control_add(ns, mac, ETHER_TYPE_IPV6, &ret->l2_len);
	if (ret->frame == NULL)
		return false;
	ret->message = ret->frame->bytes + ret->l2_len + IPV6_HEADER_LEN;
	return true;
}

void
netstack_icmpv6_end(struct netstack_icmpv6_out *out, uint32_t len, uint8_t hop_limit,
	const struct ipv6_addr *src, const struct ipv6_addr *dst)
{
	const struct ipv6_header ip = {.src = *src,
		.dst = *dst,
		.total_len = IPV6_HEADER_LEN + len,
		.protocol = IPV6_NEXT_ICMPV6,
		.hop_limit = hop_limit};

	wire_icmpv6_set_checksum(out->message, len, src, dst);
	wire_ipv6_build(out->frame->bytes + out->l2_len, &ip);
	out->frame->len = out->l2_len + ip.total_len;
}

/* RFC 3810 §5: with a router alert, from "::" while there is no link-local address to use. */
void
netstack_icmpv6_report(struct netstack *ns, uint8_t type, const struct ipv6_addr *group, uint32_t n)
{
	static const uint8_t router_alert[] = {IPV6_NEXT_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct ipv6_addr *dst = &ipv6_addr_all_mldv2_routers;
	const struct ipv6_addr *own = netstack_ipv6_source(&ns->ipv6, dst);
	bool local = own != NULL && ipv6_addr_is_link_local(own);
	struct ipv6_header ip = {.src = local ? *own : ipv6_addr_unspecified,
		.dst = *dst,
		.protocol = IPV6_NEXT_HOP_BY_HOP,
		.hop_limit = MLD_HOP_LIMIT};
	struct ether_addr mac = ipv6_addr_multicast_mac(dst);
	struct netstack_icmpv6_out out;
	uint8_t *message;
	uint32_t len;

	if (!netstack_icmpv6_begin(ns, &mac, &out))
		return;
	memcpy(out.message, router_alert, sizeof(router_alert));
	message = out.message + sizeof(router_alert);
	len = wire_icmpv6_build_mld_report(message, type, group, n);
	wire_icmpv6_set_checksum(message, len, &ip.src, dst);
	ip.total_len = IPV6_HEADER_LEN + (uint32_t)sizeof(router_alert) + len;
	wire_ipv6_build(out.frame->bytes + out.l2_len, &ip);
	out.frame->len = out.l2_len + ip.total_len;
	counter_add(ns->counters, COUNTER_MLD_REPORTS_SENT, 1);
}

/* RFC 4443 §4.2: from the address that was asked, or, of a group, from one of ours. */
static enum drop_reason
answer_echo(struct netstack *ns, const struct netstack_packet *p, const struct icmpv6_message *m,
	uint64_t now_ns)
{
	const struct ipv6_addr *src = ipv6_addr_is_multicast(&p->dst.v6)
					      ? netstack_ipv6_source(&ns->ipv6, &p->src.v6)
					      : &p->dst.v6;
	struct netstack_icmpv6_out out;

	if (src == NULL || IPV6_HEADER_LEN + 4 + m->body_len > netstack_ipv6_mtu(ns))
		return DROP_ICMP_IGNORED;
	if (!netstack_reply_allowed(ns, now_ns) || !netstack_icmpv6_begin(ns, &p->ether->src, &out))
		return DROP_TCP_RATE_LIMITED;
	netstack_icmpv6_end(&out, wire_icmpv6_build_echo_reply(out.message, m->body, m->body_len),
		ns->ipv6.hop_limit, src, &p->src.v6);
	counter_add(ns->counters, COUNTER_ICMP_ECHO_REPLIES, 1);
	return DROP_NONE;
}

/* RFC 4443 §3.1; what is prohibited is as in IPv4. An unknown next header (§3.4) is a protocol that
 * the host does not speak: RFC 9293 §3.9.2.2. */
static enum tcp_icmp_kind
kind_of(const struct icmpv6_message *m)
{
	if (m->type == ICMPV6_PACKET_TOO_BIG)
		return TCP_ICMP_PACKET_TOO_BIG;
	if (m->type == ICMPV6_PARAMETER_PROBLEM)
		return m->code == ICMPV6_PARAMETER_NEXT_HEADER ? TCP_ICMP_HARD : TCP_ICMP_SOFT;
	if (m->type != ICMPV6_UNREACHABLE)
		return TCP_ICMP_SOFT;
	switch (m->code) {
	case ICMPV6_UNREACHABLE_PROHIBITED:
	case ICMPV6_UNREACHABLE_PORT:
	case ICMPV6_UNREACHABLE_POLICY:
	case ICMPV6_UNREACHABLE_REJECT:
		return TCP_ICMP_HARD;
	default:
		return TCP_ICMP_SOFT;
	}
}

static enum drop_reason
apply_error(struct netstack *ns, const struct icmpv6_message *m)
{
	enum tcp_icmp_kind kind = kind_of(m);

	/* RFC 8201 §4: no link is narrower, whoever says so. */
	if (kind == TCP_ICMP_PACKET_TOO_BIG && m->mtu < IPV6_MTU_MIN)
		return DROP_ICMP_IGNORED;
	return netstack_icmp_apply(ns, &m->quote, kind, m->mtu);
}

/* A query (RFC 3810 §5.1, version 1's too) is answered at once: there are few of us on a link. */
static enum drop_reason
answer_query(struct netstack *ns, const struct netstack_packet *p, const struct icmpv6_message *m,
	uint64_t now_ns)
{
	if (p->hop_limit != MLD_HOP_LIMIT || !ipv6_addr_is_link_local(&p->src.v6) ||
		m->body_len < MLD_QUERY_BODY_MIN)
		return DROP_ICMP_MALFORMED;
	if (!netstack_keeps_addresses(ns))
		return DROP_NONE;
	ns->ipv6.queried = true;
	ns->ipv6.report_next_ns = now_ns;
	netstack_link_due(ns, now_ns);
	return DROP_NONE;
}

/* RFC 4861 §6.1.2, §7.1: hop limit 255 shows that no router was in between, code 0.
 * RFC 6980 §5: never in fragments, which hide it from the switches that guard the link. */
static enum drop_reason
input_ndp(struct netstack *ns, const struct netstack_packet *p, const struct icmpv6_message *m,
	uint64_t now_ns)
{
	if (p->hop_limit != NDP_HOP_LIMIT || m->code != 0 || p->fragmented)
		return DROP_NDP_MALFORMED;
	if (m->type == ICMPV6_ROUTER_ADVERTISEMENT)
		return netstack_router_input(ns, p, m->body, m->body_len, now_ns);
	return netstack_ndp_input(
		ns, p, m->type == ICMPV6_NEIGHBOUR_ADVERTISEMENT, m->body, m->body_len, now_ns);
}

enum drop_reason
netstack_icmpv6_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, uint64_t now_ns)
{
	struct icmpv6_message m;
	enum drop_reason drop = wire_icmpv6_parse(data, p->l4_len, &p->src.v6, &p->dst.v6, &m);
	bool from_nobody = ipv6_addr_is_unspecified(&p->src.v6);

	if (drop != DROP_NONE)
		return drop;
	if (from_nobody && m.type != ICMPV6_NEIGHBOUR_SOLICITATION)
		return DROP_IP_SOURCE;
	switch (m.type) {
	case ICMPV6_UNREACHABLE:
	case ICMPV6_PACKET_TOO_BIG:
	case ICMPV6_TIME_EXCEEDED:
	case ICMPV6_PARAMETER_PROBLEM:
		return apply_error(ns, &m);
	case ICMPV6_ECHO_REQUEST:
		return answer_echo(ns, p, &m, now_ns);
	case ICMPV6_MLD_QUERY:
		return answer_query(ns, p, &m, now_ns);
	case ICMPV6_ROUTER_ADVERTISEMENT:
	case ICMPV6_NEIGHBOUR_SOLICITATION:
	case ICMPV6_NEIGHBOUR_ADVERTISEMENT:
		return input_ndp(ns, p, &m, now_ns);
	default: /* a router's, redirects among them (RFC 4861 §8.3: should; ours are short-lived) */
		return DROP_ICMP_IGNORED;
	}
}

void
netstack_icmpv6_reassembly_expired(
	struct netstack *ns, const struct netstack_packet *p, uint64_t now_ns)
{
	uint32_t room = IPV6_MTU_MIN - IPV6_HEADER_LEN - ICMPV6_HEADER_LEN;
	uint32_t quoted = MIN_OF((uint32_t)(p->l4 - p->l3) + p->l4_len, room);
	struct netstack_icmpv6_out out;

	if (ipv6_addr_is_multicast(&p->dst.v6)) /* RFC 4443 §2.4 (e) */
		return;
	if (!netstack_reply_allowed(ns, now_ns) || !netstack_icmpv6_begin(ns, &p->ether->src, &out))
		return;
	netstack_icmpv6_end(&out,
		wire_icmpv6_build_error(out.message, ICMPV6_TIME_EXCEEDED,
			ICMPV6_TIME_EXCEEDED_REASSEMBLY, 0, p->l3, quoted),
		ns->ipv6.hop_limit, &p->dst.v6, &p->src.v6);
}
