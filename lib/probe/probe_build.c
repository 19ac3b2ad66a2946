/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "probe.h"
#include "probe_pattern.h"
#include "wire_checksum.h"
#include "wire_icmp.h"
#include "wire_tcp.h"
#include "wire_udp.h"

#define SYN_MSS 1460U /* RFC 9293 §3.7.1: announced, and of no effect: nothing is sent to us */
#define SYN_WINDOW 65535U
#define WRONG_BITS 0xa5a5U /* no two sums that differ in these are the same number */
#define UDP_CHECKSUM_AT 6U
#define TCP_CHECKSUM_AT 16U

static void
begin(struct tx_frame *tx, const struct ether_addr *dst, const struct ether_addr *src,
	uint16_t type, uint16_t vlan_id)
{
	const struct ether_header ether = {
		.dst = *dst, .src = *src, .type = type, .vlan_id = vlan_id};

	tx->flags = 0;
	tx->l3_len = tx->l4_len = 0;
	tx->l2_len = (uint16_t)wire_ether_build(tx->data, &ether);
	tx->len = tx->l2_len;
}

static void
end_arp(struct tx_frame *tx, const struct arp_packet *arp)
{
	tx->len += wire_arp_build(tx->data + tx->len, arp);
}

void
probe_build_arp_request(struct tx_frame *tx, const struct probe_peers *p, uint32_t target)
{
	const struct arp_packet arp = {.operation = ARP_REQUEST,
		.sender_mac = p->mac,
		.sender_ip = p->address,
		.target_ip = target};

	begin(tx, &ether_addr_broadcast, &p->mac, ETHER_TYPE_ARP, p->vlan_id);
	end_arp(tx, &arp);
}

void
probe_build_arp_reply(
	struct tx_frame *tx, const struct probe_peers *p, const struct arp_packet *request)
{
	const struct arp_packet arp = {.operation = ARP_REPLY,
		.sender_mac = p->mac,
		.sender_ip = p->address,
		.target_mac = request->sender_mac,
		.target_ip = request->sender_ip};

	begin(tx, &request->sender_mac, &p->mac, ETHER_TYPE_ARP, p->vlan_id);
	end_arp(tx, &arp);
}

void
probe_build_arp_probe(
	struct tx_frame *tx, const struct ether_addr *mac, uint32_t target, uint16_t vlan_id)
{
	const struct arp_packet arp = {
		.operation = ARP_REQUEST, .sender_mac = *mac, .target_ip = target};

	begin(tx, &ether_addr_broadcast, mac, ETHER_TYPE_ARP, vlan_id);
	end_arp(tx, &arp);
}

void
probe_add_tag(struct tx_frame *tx, uint16_t tci)
{
	uint8_t *at = tx->data + (size_t)2 * ETHER_ADDR_LEN;

	CHECK(tx->l2_len == ETHER_HEADER_LEN && tx->len + ETHER_VLAN_LEN <= tx->room);
	memmove(at + ETHER_VLAN_LEN, at, tx->len - (size_t)2 * ETHER_ADDR_LEN);
	be16_store(at, ETHER_TYPE_VLAN);
	be16_store(at + 2, tci);
	tx->l2_len += ETHER_VLAN_LEN;
	tx->len += ETHER_VLAN_LEN;
}

/* The IP header before l4_len bytes that are there already. */
static void
end_ip(struct tx_frame *tx, uint32_t src, uint32_t dst, uint8_t protocol, uint32_t l4_len)
{
	const struct ipv4_header ip = {.src = src,
		.dst = dst,
		.total_len = (uint16_t)(IPV4_HEADER_LEN + l4_len),
		.protocol = protocol,
		.ttl = IPV4_TTL_DEFAULT};

	tx->l3_len = (uint16_t)wire_ipv4_build(tx->data + tx->l2_len, &ip, true);
	tx->len = tx->l2_len + tx->l3_len + l4_len;
	CHECK(tx->len <= tx->room);
}

static uint8_t *
begin_ip(struct tx_frame *tx, const struct probe_peers *p)
{
	begin(tx, &p->next_hop_mac, &p->mac, ETHER_TYPE_IPV4, p->vlan_id);
	return tx->data + tx->l2_len + IPV4_HEADER_LEN;
}

void
probe_build_echo(struct tx_frame *tx, const struct probe_peers *p, uint32_t ip_len, uint16_t id,
	uint32_t seq)
{
	uint8_t *icmp = begin_ip(tx, p);
	uint32_t i, len = ip_len - IPV4_HEADER_LEN;

	CHECK(ip_len >= PROBE_ECHO_IP_MIN && tx->l2_len + ip_len <= tx->room);
	icmp[0] = ICMP_ECHO_REQUEST;
	icmp[1] = 0;
	be16_store(icmp + 2, 0);
	be16_store(icmp + 4, id);
	be16_store(icmp + 6, (uint16_t)seq);
	be32_store(icmp + ICMP_HEADER_LEN, seq);
	for (i = ICMP_HEADER_LEN + 4; i < len; i++)
		icmp[i] = probe_pattern(seq, i);
	be16_store(icmp + 2, wire_checksum_finish(wire_checksum_add(0, icmp, len)));
	end_ip(tx, p->address, p->remote, IPV4_PROTO_ICMP, len);
}

/* Never 0, which would be no UDP checksum at all (RFC 768) instead of a wrong one. */
static uint16_t
wrong_sum(uint16_t right)
{
	return right != WRONG_BITS ? right ^ WRONG_BITS : (uint16_t)~WRONG_BITS;
}

/* At field, whose bytes are 0, of the len bytes at l4. */
static void
fill_sum(struct tx_frame *tx, uint8_t *l4, uint32_t len, uint8_t *field, uint64_t pseudo,
	enum probe_sum sum)
{
	uint16_t right = wire_checksum_finish(wire_checksum_add(pseudo, l4, len));

	switch (sum) {
	case PROBE_SUM_RIGHT:
		be16_store(field, right);
		break;
	case PROBE_SUM_WRONG:
		be16_store(field, wrong_sum(right));
		break;
	case PROBE_SUM_NIC:
		be16_store(field, wire_checksum_fold(pseudo));
		tx->flags |= TX_FRAME_TCP_CSUM;
		break;
	}
}

static void
end_tcp(struct tx_frame *tx, const struct probe_peers *p, uint32_t dst, const struct tcp_segment *s,
	enum probe_sum sum)
{
	uint8_t *tcp = begin_ip(tx, p);
	uint32_t len = wire_tcp_header_len(s) + s->payload.len;

	CHECK(tx->l2_len + IPV4_HEADER_LEN + len <= tx->room);
	tx->l4_len = (uint16_t)wire_tcp_header_len(s);
	wire_tcp_build(tcp, s);
	fill_sum(tx, tcp, len, tcp + TCP_CHECKSUM_AT,
		wire_checksum_pseudo_ipv4(p->address, dst, IPV4_PROTO_TCP, len), sum);
	end_ip(tx, p->address, dst, IPV4_PROTO_TCP, len);
}

static void
fill_pattern(uint8_t *data, uint32_t len, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		data[i] = probe_pattern(seed, i);
}

void
probe_build_syn(struct tx_frame *tx, const struct probe_peers *p, uint16_t src_port, uint32_t isn,
	uint32_t payload_len, enum probe_sum sum)
{
	uint8_t data[PROBE_PAYLOAD_MAX];
	const struct tcp_segment syn = {.seq = isn,
		.src_port = src_port,
		.dst_port = p->remote_port,
		.window = SYN_WINDOW,
		.mss = SYN_MSS,
		.flags = TCP_SYN,
		.options = TCP_OPT_MSS,
		.payload = {.data = data, .len = payload_len}};

	CHECK(payload_len <= PROBE_PAYLOAD_MAX);
	fill_pattern(data, payload_len, isn);
	end_tcp(tx, p, p->remote, &syn, sum);
}

void
probe_build_rst(struct tx_frame *tx, const struct probe_peers *p, uint16_t src_port, uint32_t seq)
{
	const struct tcp_segment rst = {
		.seq = seq, .src_port = src_port, .dst_port = p->remote_port, .flags = TCP_RST};

	end_tcp(tx, p, p->remote, &rst, PROBE_SUM_RIGHT);
}

static void
build_returning_udp(struct tx_frame *tx, const struct probe_peers *p, uint16_t port,
	const uint8_t *data, uint32_t data_len, enum probe_sum sum)
{
	const struct udp_datagram udp = {
		.src_port = port, .dst_port = port, .data = data, .data_len = data_len};
	uint8_t *l4 = begin_ip(tx, p);
	uint32_t len = UDP_HEADER_LEN + data_len;
	uint64_t pseudo = wire_checksum_pseudo_ipv4(p->address, p->address, IPV4_PROTO_UDP, len);

	CHECK(tx->l2_len + IPV4_HEADER_LEN + len <= tx->room);
	wire_udp_build(l4, &udp, pseudo);
	be16_store(l4 + UDP_CHECKSUM_AT, 0);
	fill_sum(tx, l4, len, l4 + UDP_CHECKSUM_AT, pseudo, sum);
	end_ip(tx, p->address, p->address, IPV4_PROTO_UDP, len);
}

void
probe_build_returning(struct tx_frame *tx, const struct probe_peers *p, uint8_t protocol,
	uint16_t port, uint64_t voucher, uint32_t payload_len, enum probe_sum sum)
{
	uint8_t data[PROBE_PAYLOAD_MAX];
	const struct tcp_segment s = {.src_port = port,
		.dst_port = port,
		.flags = TCP_PSH | TCP_ACK,
		.window = SYN_WINDOW,
		.payload = {.data = data, .len = payload_len}};

	CHECK(payload_len >= PROBE_VOUCHER_BYTES && payload_len <= PROBE_PAYLOAD_MAX);
	be32_store(data, (uint32_t)(voucher >> 32));
	be32_store(data + 4, (uint32_t)voucher);
	fill_pattern(
		data + PROBE_VOUCHER_BYTES, payload_len - PROBE_VOUCHER_BYTES, (uint32_t)voucher);
	if (protocol == IPV4_PROTO_TCP)
		end_tcp(tx, p, p->address, &s, sum);
	else
		build_returning_udp(tx, p, port, data, payload_len, sum);
}
