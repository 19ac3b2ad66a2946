/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "netstack_priv.h"
#include "netstack_udp.h"
#include "wire_checksum.h"
#include "wire_dhcp.h"
#include "wire_udp.h"

#define BROADCAST UINT32_MAX /* 255.255.255.255 */
#define PURPOSE_PORT UINT64_C(0x7564702d706f7274) /* "udp-port": of the uses of the one key */

static struct netstack_udp *
find(const struct netstack *ns, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_UDP_PORTS; i++) {
		if (ns->udp[i].in_use && ns->udp[i].port == port)
			return &ns->udp[i];
	}
	return NULL;
}

static uint16_t
choose_port(struct netstack *ns)
{
	uint64_t input[2] = {PURPOSE_PORT, 0};
	uint16_t port;

	do {
		input[1] = ns->udp_ports_chosen++;
		port = (uint16_t)(NETSTACK_PORT_FIRST +
				  siphash24(&ns->cfg.key, input, sizeof(input)) %
					  NETSTACK_PORT_COUNT);
	} while (find(ns, port) != NULL);
	return port;
}

int
netstack_udp_open(struct netstack *ns, uint16_t port, struct netstack_udp **ret)
{
	uint32_t i;

	if (port != 0 && find(ns, port) != NULL)
		return -EADDRINUSE;
	for (i = 0; i < NETSTACK_UDP_PORTS && ns->udp[i].in_use; i++)
		;
	if (i == NETSTACK_UDP_PORTS)
		return -ENOBUFS;
	*ret = &ns->udp[i];
	(*ret)->port = port != 0 ? port : choose_port(ns);
	(*ret)->in_use = true;
	(*ret)->error = 0;
	(*ret)->head = (*ret)->tail = 0;
	(*ret)->out = (struct netstack_udp_out){0};
	return 0;
}

static void
stop_sending(struct netstack *ns, struct netstack_udp *u)
{
	ns->udp_waiting -= u->out.waiting ? 1 : 0;
	u->out.waiting = false;
}

void
netstack_udp_close(struct netstack *ns, struct netstack_udp *u)
{
	if (u == NULL)
		return;
	stop_sending(ns, u);
	u->in_use = false;
}

uint16_t
netstack_udp_port(const struct netstack_udp *u)
{
	return u->port;
}

/* ---- output ---- */

static bool
is_broadcast(const struct ip_address *a)
{
	return a->family == 4 && a->v4 == BROADCAST;
}

static bool
fits(const struct netstack *ns, uint8_t family, uint32_t len)
{
	uint32_t ip_len = family == 6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
	uint32_t mtu = family == 6 ? netstack_ipv6_mtu(ns) : ns->cfg.mtu;

	return len <= NETSTACK_UDP_DATA_MAX && ip_len + UDP_HEADER_LEN + len <= mtu;
}

int
netstack_udp_send(struct netstack *ns, struct netstack_udp *u, const struct ip_address *remote,
	uint16_t remote_port, const void *data, uint32_t len)
{
	struct netstack_udp_out out = {.waiting = true,
		.local = ip_address_of_v4(ns->cfg.address),
		.remote = *remote,
		.remote_port = remote_port,
		.len = len};
	int rc = 0;

	if (!is_broadcast(remote))
		rc = netstack_route_find(ns, remote, &out.local, &out.next_hop);
	if (rc != 0)
		return rc;
	if (!fits(ns, remote->family, len))
		return -EMSGSIZE;
	stop_sending(ns, u);
	u->out = out;
	memcpy(u->out_data, data, len);
	u->error = 0;
	ns->udp_waiting++;
	return 0;
}

bool
netstack_udp_waiting(const struct netstack_udp *u)
{
	return u->out.waiting;
}

/* The IP header at p for a datagram of udp_len bytes. Returns its length. */
static uint32_t
build_ip(
	const struct netstack *ns, uint8_t *p, const struct netstack_udp_out *out, uint32_t udp_len)
{
	if (out->remote.family == 6) {
		const struct ipv6_header ip = {.src = out->local.v6,
			.dst = out->remote.v6,
			.total_len = IPV6_HEADER_LEN + udp_len,
			.protocol = IPV4_PROTO_UDP,
			.hop_limit = ns->ipv6.hop_limit};

		wire_ipv6_build(p, &ip);
		return IPV6_HEADER_LEN;
	}
	const struct ipv4_header ip = {.src = out->local.v4,
		.dst = out->remote.v4,
		.total_len = (uint16_t)(IPV4_HEADER_LEN + udp_len),
		.protocol = IPV4_PROTO_UDP,
		.ttl = IPV4_TTL_DEFAULT};

	return wire_ipv4_build(p, &ip, true);
}

/* As a control frame. false: their queue is full. */
static bool
build(struct netstack *ns, const struct netstack_udp *u, const struct ether_addr *dst)
{
	const struct udp_datagram udp = {.src_port = u->port,
		.dst_port = u->out.remote_port,
		.data = u->out_data,
		.data_len = u->out.len};
	uint32_t udp_len = UDP_HEADER_LEN + u->out.len, l2_len;
	uint64_t pseudo =
		wire_checksum_pseudo(&u->out.local, &u->out.remote, IPV4_PROTO_UDP, udp_len);
	struct netstack_control *frame = netstack_control_add(
		ns, dst, u->out.remote.family == 6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4, &l2_len);

	if (frame == NULL)
		return false;
	frame->len = l2_len + build_ip(ns, frame->bytes + l2_len, &u->out, udp_len);
	frame->len += wire_udp_build(frame->bytes + frame->len, &udp, pseudo);
	return true;
}

/* An address that is still being probed for is not used (RFC 5227 §2.1). */
static bool
may_use_source(const struct netstack *ns, const struct netstack_udp *u)
{
	return u->out.local.family == 6 || ns->cfg.address == 0 || netstack_ready(ns);
}

bool
netstack_udp_due(const struct netstack *ns)
{
	const struct netstack_udp *u;
	uint32_t i;

	for (i = 0; ns->udp_waiting > 0 && i < NETSTACK_UDP_PORTS; i++) {
		u = &ns->udp[i];
		if (u->in_use && u->out.waiting && may_use_source(ns, u) &&
			(is_broadcast(&u->out.remote) ||
				!netstack_neighbour_pending(ns, &u->out.next_hop)))
			return true;
	}
	return false;
}

static void
run_port(struct netstack *ns, struct netstack_udp *u, uint64_t now_ns)
{
	const struct ether_addr *dst = &ether_addr_broadcast;

	if (!may_use_source(ns, u))
		return;
	if (!is_broadcast(&u->out.remote))
		dst = netstack_neighbour_lookup(ns, &u->out.next_hop, now_ns);
	if (dst == NULL || !build(ns, u, dst))
		return;
	counter_add(ns->counters, COUNTER_UDP_DATAGRAMS_SENT, 1);
	stop_sending(ns, u);
}

void
netstack_udp_run(struct netstack *ns, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_UDP_PORTS; i++) {
		if (ns->udp[i].in_use && ns->udp[i].out.waiting)
			run_port(ns, &ns->udp[i], now_ns);
	}
}

void
netstack_udp_fail_next_hop(struct netstack *ns, const struct ip_address *next_hop)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_UDP_PORTS; i++) {
		if (!ns->udp[i].in_use || !ns->udp[i].out.waiting ||
			!ip_address_equal(&ns->udp[i].out.next_hop, next_hop))
			continue;
		stop_sending(ns, &ns->udp[i]);
		ns->udp[i].error = -EHOSTUNREACH;
	}
}

void
netstack_udp_fail_local(struct netstack *ns, const struct ip_address *local)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_UDP_PORTS; i++) {
		if (!ns->udp[i].in_use || !ns->udp[i].out.waiting ||
			!ip_address_equal(&ns->udp[i].out.local, local))
			continue;
		stop_sending(ns, &ns->udp[i]);
		ns->udp[i].error = -EADDRNOTAVAIL;
	}
}

bool
netstack_udp_on_icmp(struct netstack *ns, const struct icmp_quote *quote, int error)
{
	struct netstack_udp *u = find(ns, quote->src_port);

	if (u == NULL || u->out.waiting || !ip_address_equal(&u->out.local, &quote->src) ||
		!ip_address_equal(&u->out.remote, &quote->dst) ||
		u->out.remote_port != quote->dst_port)
		return false;
	u->error = error;
	return true;
}

int
netstack_udp_error(struct netstack_udp *u)
{
	int error = u->error;

	u->error = 0;
	return error;
}

/* ---- input ---- */

bool
netstack_udp_takes(const struct netstack *ns, const struct ipv4_header *ip)
{
	return ip->protocol == IPV4_PROTO_UDP && (ip->dst == BROADCAST || ns->cfg.address == 0) &&
	       find(ns, DHCP_CLIENT_PORT) != NULL;
}

/* Multicast is nothing that we asked for; DHCP's port is one of IPv4, and takes what
 * netstack_udp_takes let pass. */
static bool
takes(const struct netstack *ns, const struct netstack_udp *u, const struct ip_address *dst)
{
	if (dst->family == 6)
		return u->port != DHCP_CLIENT_PORT && !ipv6_addr_is_multicast(&dst->v6);
	return u->port == DHCP_CLIENT_PORT || netstack_has_ipv4(ns, dst->v4);
}

enum drop_reason
netstack_udp_input(
	struct netstack *ns, const struct netstack_packet *p, const uint8_t *data, bool sum_good)
{
	struct udp_datagram udp;
	struct netstack_udp *u;
	struct netstack_udp_slot *slot;
	enum drop_reason drop = wire_udp_parse(data, p->l4_len, &udp);

	if (drop == DROP_NONE && p->src.family == 6 && udp.checksum == 0)
		drop = DROP_UDP_CHECKSUM_NONE; /* RFC 8200 §8.1, whatever the NIC says */
	if (drop == DROP_NONE && !sum_good)
		drop = wire_udp_verify(data, &udp,
			wire_checksum_pseudo(&p->src, &p->dst, IPV4_PROTO_UDP, udp.len));
	if (drop != DROP_NONE)
		return drop;
	u = find(ns, udp.dst_port);
	if (u == NULL || !takes(ns, u, &p->dst))
		return DROP_UDP_PORT;
	if (u->tail - u->head == NETSTACK_UDP_QUEUE || udp.data_len > NETSTACK_UDP_DATA_MAX)
		return DROP_UDP_QUEUE;
	slot = &u->slot[u->tail++ % NETSTACK_UDP_QUEUE];
	slot->from = p->src;
	slot->from_port = udp.src_port;
	slot->len = udp.data_len;
	memcpy(slot->data, udp.data, udp.data_len);
	counter_add(ns->counters, COUNTER_UDP_DATAGRAMS_RECEIVED, 1);
	return DROP_NONE;
}

bool
netstack_udp_recv(struct netstack_udp *u, struct netstack_udp_received *ret)
{
	const struct netstack_udp_slot *slot;

	if (u->head == u->tail)
		return false;
	slot = &u->slot[u->head++ % NETSTACK_UDP_QUEUE];
	*ret = (struct netstack_udp_received){slot->from, slot->from_port, slot->data, slot->len};
	return true;
}
