/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "probe.h"
#include "probe_pattern.h"
#include "wire_checksum.h"
#include "wire_icmp.h"
#include "wire_tcp.h"
#include "wire_udp.h"

/* An IP packet's payload: len bytes from data on, in the frame's first part; with the others total bytes. */
struct body {
	const struct probe_peers *peers;
	const struct frame *frame;
	const uint8_t *data;
	uint32_t len, total;
	struct ipv4_header ip;
};

static uint32_t
frame_len(const struct frame *frame)
{
	uint32_t len = 0;

	for (; frame != NULL; frame = frame->next)
		len += frame->len;
	return len;
}

/* Are the bytes from first up to total, over the parts, the pattern of seed? */
static bool
has_pattern(const struct body *b, uint32_t first, uint32_t seed)
{
	const struct frame *part = b->frame;
	const uint8_t *data = b->data;
	uint32_t offset = 0, in_part = (uint32_t)(part->data + part->len - data), i;

	while (offset < b->total) {
		for (i = 0; i < in_part && offset < b->total; i++, offset++) {
			if (offset >= first && data[i] != probe_pattern(seed, offset))
				return false;
		}
		part = part->next;
		if (part == NULL)
			break;
		data = part->data;
		in_part = part->len;
	}
	return offset == b->total;
}

static void
parse_echo(const struct body *b, struct probe_seen *ret)
{
	if (b->len < ICMP_HEADER_LEN + 4 || b->data[0] != ICMP_ECHO_REPLY ||
		b->ip.src != b->peers->remote)
		return;
	ret->kind = PROBE_ECHO_REPLY;
	ret->id = be16_load(b->data + 4);
	ret->seq = be32_load(b->data + ICMP_HEADER_LEN);
	ret->intact = has_pattern(b, ICMP_HEADER_LEN + 4, ret->seq);
}

/* Ours, from ourselves. */
static void
parse_returned(const struct body *b, uint16_t src_port, uint16_t dst_port, const uint8_t *data,
	uint32_t len, struct probe_seen *ret)
{
	uint64_t pseudo = wire_checksum_pseudo_ipv4(b->ip.src, b->ip.dst, b->ip.protocol, b->total);
	uint32_t i;

	if (src_port != dst_port || len < PROBE_VOUCHER_BYTES || b->len < b->total)
		return;
	ret->kind = PROBE_RETURNED;
	ret->port = dst_port;
	ret->voucher = (uint64_t)be32_load(data) << 32 | be32_load(data + 4);
	ret->sum_right = wire_checksum_finish(wire_checksum_add(pseudo, b->data, b->total)) == 0;
	ret->intact = true;
	for (i = PROBE_VOUCHER_BYTES; i < len; i++)
		ret->intact &=
			data[i] == probe_pattern((uint32_t)ret->voucher, i - PROBE_VOUCHER_BYTES);
}

static void
parse_tcp(const struct body *b, struct probe_seen *ret)
{
	struct tcp_segment s;

	if (wire_tcp_parse(b->data, b->len, &s) != DROP_NONE)
		return;
	if (b->ip.src == b->peers->address) {
		parse_returned(b, s.src_port, s.dst_port, s.payload.data, s.payload.len, ret);
		return;
	}
	if (b->ip.src != b->peers->remote || s.src_port != b->peers->remote_port)
		return;
	ret->port = s.dst_port;
	ret->seq = s.ack;
	ret->mss = s.options & TCP_OPT_MSS ? s.mss : 0;
	if ((s.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		ret->kind = PROBE_SYN_ACK;
	else if (s.flags & TCP_RST)
		ret->kind = PROBE_RST;
}

static void
parse_udp(const struct body *b, struct probe_seen *ret)
{
	struct udp_datagram udp;

	if (b->ip.src == b->peers->address && wire_udp_parse(b->data, b->len, &udp) == DROP_NONE)
		parse_returned(b, udp.src_port, udp.dst_port, udp.data, udp.data_len, ret);
}

static void
parse_ip(
	const struct probe_peers *p, const struct frame *frame, uint32_t at, struct probe_seen *ret)
{
	struct body b = {.peers = p, .frame = frame};
	uint32_t len = frame->len - at;

	if (wire_ipv4_parse(frame->data + at, len, ret->frame_len - at, true, &b.ip) != DROP_NONE ||
		b.ip.dst != p->address || b.ip.more_fragments || b.ip.fragment_offset != 0)
		return;
	b.data = frame->data + at + b.ip.header_len;
	b.total = (uint32_t)b.ip.total_len - b.ip.header_len;
	b.len = MIN_OF(len - b.ip.header_len, b.total);
	if (b.ip.protocol == IPV4_PROTO_ICMP)
		parse_echo(&b, ret);
	else if (b.ip.protocol == IPV4_PROTO_TCP)
		parse_tcp(&b, ret);
	else if (b.ip.protocol == IPV4_PROTO_UDP)
		parse_udp(&b, ret);
}

static void
parse_arp(
	const struct probe_peers *p, const struct frame *frame, uint32_t at, struct probe_seen *ret)
{
	if (wire_arp_parse(frame->data + at, frame->len - at, &ret->arp) != DROP_NONE)
		return;
	if (ret->arp.operation == ARP_REPLY)
		ret->kind = PROBE_ARP_REPLY;
	else if (ret->arp.operation == ARP_REQUEST && ret->arp.target_ip == p->address)
		ret->kind = PROBE_ARP_REQUEST;
}

void
probe_parse(const struct probe_peers *p, const struct frame *frame, struct probe_seen *ret)
{
	struct ether_header ether;

	*ret = (struct probe_seen){.kind = PROBE_OTHER,
		.frame_len = frame_len(frame),
		.flags = frame->flags,
		.stripped = (frame->flags & FRAME_VLAN_STRIPPED) != 0};
	if (wire_ether_parse(frame, &ether) != DROP_NONE)
		return;
	ret->dst = ether.dst;
	ret->vlan_id = ether.vlan_id;
	ret->tagged = ret->stripped || ether.header_len > ETHER_HEADER_LEN;
	if (ether.type == ETHER_TYPE_ARP)
		parse_arp(p, frame, ether.header_len, ret);
	else if (ether.type == ETHER_TYPE_IPV4)
		parse_ip(p, frame, ether.header_len, ret);
}
