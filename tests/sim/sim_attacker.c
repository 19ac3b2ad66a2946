/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "sim_attacker.h"
#include "wire_checksum.h"
#include "wire_icmp.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

static uint32_t
build_ip(const struct sim_attack *a, uint8_t protocol, uint32_t payload_len, uint8_t *frame)
{
	const struct ether_header ether = {
		.dst = a->client_mac, .src = a->server_mac, .type = ETHER_TYPE_IPV4};
	const struct ipv4_header ip = {.src = a->server_ip,
		.dst = a->client_ip,
		.protocol = protocol,
		.ttl = 64,
		.ecn = IPV4_ECN_MASK, /* CE */
		.total_len = (uint16_t)(IPV4_HEADER_LEN + payload_len)};
	uint32_t l2 = wire_ether_build(frame, &ether);

	return l2 + wire_ipv4_build(frame + l2, &ip, true);
}

static uint32_t
build_tcp(const struct sim_attack *a, struct tcp_segment *s, uint8_t *frame)
{
	uint8_t tcp[SIM_FORGED_MAX];
	uint32_t len, at;
	uint64_t sum;

	s->src_port = 80;
	s->dst_port = a->client_port;
	len = wire_tcp_build(tcp, s);
	sum = wire_checksum_pseudo_ipv4(a->server_ip, a->client_ip, IPV4_PROTO_TCP, len);
	wire_tcp_set_checksum(tcp, wire_checksum_finish(wire_checksum_add(sum, tcp, len)));
	at = build_ip(a, IPV4_PROTO_TCP, len, frame);
	memcpy(frame + at, tcp, len);
	return at + len;
}

/* Above RCV.NXT, in the window if it is open. */
static uint32_t
in_window(struct sim_random *r, const struct sim_attack *a)
{
	return a->victim.rcv_nxt + 1 +
	       (uint32_t)sim_random_range(r, 0, MAX_OF(a->victim.rcv_wnd, 2U) - 2);
}

static uint32_t
anywhere(struct sim_random *r)
{
	return (uint32_t)sim_random_next(r);
}

/* Of what was never sent: no acknowledgment number that RFC 5961 §5.2 lets pass. */
static uint32_t
bad_ack(struct sim_random *r, const struct sim_attack *a)
{
	return a->victim.snd_nxt + (uint32_t)sim_random_range(r, 1, 1U << 30);
}

/* Random or none: a stranger does not know the clock. */
static void
stamp(struct sim_random *r, struct tcp_segment *s)
{
	if (sim_random_chance(r, 300))
		return;
	s->options |= TCP_OPT_TIMESTAMPS;
	s->ts_val = anywhere(r);
	s->ts_ecr = anywhere(r);
}

static uint32_t
forge_tcp(struct sim_random *r, const struct sim_attack *a, uint8_t *frame)
{
	static const uint8_t junk[100] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
	static const uint8_t syns[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_SYN | TCP_FIN};
	struct tcp_segment s = {.window = (uint16_t)anywhere(r), .flags = TCP_ACK};

	s.seq = sim_random_chance(r, 700) ? in_window(r, a) : a->victim.rcv_nxt;
	s.ack = bad_ack(r, a);
	switch (sim_random_range(r, 0, 5)) {
	case 0: /* a reset, not exact */
		s.seq = in_window(r, a);
		s.flags = sim_random_chance(r, 500) ? TCP_RST : TCP_RST | TCP_ACK;
		return build_tcp(a, &s, frame);
	case 1:
		s.seq = sim_random_chance(r, 500) ? s.seq : anywhere(r);
		s.flags = syns[sim_random_range(r, 0, 2)];
		break;
	case 2: /* data, with and without its end */
		s.flags |= sim_random_chance(r, 300) ? TCP_FIN | TCP_PSH : TCP_PSH;
		s.payload = (struct payload){
			.data = junk, .len = (uint32_t)sim_random_range(r, 1, sizeof(junk))};
		break;
	case 3: /* data beyond the window; its acknowledgment might do */
		s.seq = a->victim.rcv_nxt + a->victim.rcv_wnd +
			(uint32_t)sim_random_range(r, 1, 1U << 20);
		s.ack = a->victim.snd_nxt;
		s.payload = (struct payload){.data = junk, .len = sizeof(junk)};
		break;
	case 4: /* an old ACK, or a FIN */
		s.seq = a->victim.rcv_nxt - (uint32_t)sim_random_range(r, 1, 1U << 30);
		s.flags |= sim_random_chance(r, 300) ? TCP_FIN : 0;
		break;
	default: /* an ACK of what was not sent */
		break;
	}
	s.flags |= sim_random_chance(r, 300) ? TCP_ECE | TCP_CWR : 0;
	stamp(r, &s);
	return build_tcp(a, &s, frame);
}

/* Unreachable, by port, host or size, about a packet that was, or was not, sent. */
static uint32_t
forge_icmp(struct sim_random *r, const struct sim_attack *a, uint8_t *frame)
{
	const struct ipv4_header quoted = {.src = a->client_ip,
		.dst = a->server_ip,
		.protocol = IPV4_PROTO_TCP,
		.total_len = (uint16_t)sim_random_range(r, 40, 1500),
		.ttl = 60};
	uint32_t flight = a->victim.snd_nxt - a->victim.snd_una, l4;
	uint8_t icmp[36] = {sim_random_chance(r, 200) ? ICMP_TIME_EXCEEDED : ICMP_UNREACHABLE,
		(uint8_t)sim_random_range(r, 0, 4)};
	bool lucky = flight > 0 && sim_random_chance(r, 200);

	be16_store(icmp + 6, (uint16_t)sim_random_range(r, 0, 1500));
	wire_ipv4_build(icmp + 8, &quoted, true);
	be16_store(icmp + 28, a->client_port);
	be16_store(icmp + 30, 80);
	be32_store(icmp + 32, lucky ? a->victim.snd_una : anywhere(r));
	be16_store(icmp + 2, wire_checksum_finish(wire_checksum_add(0, icmp, sizeof(icmp))));
	l4 = build_ip(a, IPV4_PROTO_ICMP, sizeof(icmp), frame);
	memcpy(frame + l4, icmp, sizeof(icmp));
	return l4 + (uint32_t)sizeof(icmp);
}

uint32_t
sim_attacker_forge(struct sim_random *r, const struct sim_attack *a, uint8_t frame[SIM_FORGED_MAX])
{
	return sim_random_chance(r, 150) ? forge_icmp(r, a, frame) : forge_tcp(r, a, frame);
}
