/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "netstack_priv.h"
#include "netstack_udp.h"
#include "tcp_limits.h"

#define CONNECTIONS_MAX (1U << 26)
#define MTU_MIN 576U /* RFC 791: every host takes that much */

void
netstack_config_defaults(struct netstack_config *ret)
{
	*ret = (struct netstack_config){
		.prefix_len = 24,
		.mtu = 1500,
		.address_count = 1,
		.connections_max = 16,
		.port_first = NETSTACK_PORT_FIRST,
		.port_count = NETSTACK_PORT_COUNT,
		.arp_tries = 5,
		.arp_interval_ns = NS_PER_SEC,
		.arp_reachable_ns = 30 * NS_PER_SEC, /* RFC 4861's, which Linux uses for ARP too */
	};
	tcp_config_defaults(&ret->tcp);
}

/* Several addresses have to be neighbours of the same hosts, and none of them 0. */
static bool
addresses_valid(const struct netstack_config *cfg)
{
	uint32_t last = cfg->address + cfg->address_count - 1U;

	if (cfg->address_count == 0 || cfg->address_count > NETSTACK_IPV4_ADDRESSES_MAX)
		return false;
	return cfg->address_count == 1 || cfg->address == 0 ||
	       (last > cfg->address &&
		       ((last ^ cfg->address) & ipv4_prefix_mask(cfg->prefix_len)) == 0);
}

static bool
config_valid(const struct netstack_config *cfg)
{
	return cfg->counters != NULL && cfg->release != NULL && cfg->mtu >= MTU_MIN &&
	       cfg->prefix_len <= 32 && cfg->connections_max > 0 && cfg->arp_tries > 0 &&
	       cfg->connections_max <= CONNECTIONS_MAX && addresses_valid(cfg) &&
	       cfg->port_first > 0 && cfg->port_count > 0 &&
	       cfg->port_first + (uint32_t)cfg->port_count <= 65536U &&
	       (cfg->steer != NULL ? cfg->queue < netstack_steer_queues(cfg->steer)
				   : cfg->exchange == NULL) &&
	       cfg->vlan_id <= ETHER_VLAN_ID_MAX && cfg->ipv6.prefix_len <= 128 &&
	       (!cfg->ipv6.enabled || cfg->mtu >= IPV6_MTU_MIN);
}

/* Of all connections. The pool, if any, is not in it so far. */
static struct tcp_config
tcp_config_of(const struct netstack_config *cfg)
{
	struct tcp_config tcp = cfg->tcp;

	tcp.mss_max = (uint16_t)(cfg->mtu - IPV4_HEADER_LEN - TCP_HEADER_LEN);
	tcp.counters = cfg->counters;
	tcp.buffers = (struct payload_buffers){cfg->release, cfg->keep, cfg->release_ctx};
	tcp.reorder_pool = NULL;
	return tcp;
}

static bool
shares_reorder_pool(const struct netstack_config *cfg)
{
	return cfg->out_of_order_max > 0 && cfg->out_of_order_max < cfg->connections_max;
}

static bool
create_connections(struct netstack *ns)
{
	struct tcp_config *tcp = &ns->cfg.tcp;

	*tcp = tcp_config_of(&ns->cfg);
	if (!tcp_config_valid(tcp))
		return false;
	if (shares_reorder_pool(&ns->cfg)) {
		ns->reorder_pool = tcp_reorder_pool_create(tcp, ns->cfg.out_of_order_max);
		if (ns->reorder_pool == NULL)
			return false;
	}
	tcp->reorder_pool = ns->reorder_pool;
	return netstack_table_create(ns);
}

uint64_t
netstack_bytes_per_connection(const struct netstack_config *cfg)
{
	struct tcp_config tcp = tcp_config_of(cfg);
	uint64_t n = cfg->connections_max, bytes;
	bool pooled = shares_reorder_pool(cfg);

	bytes = netstack_table_bytes(cfg->connections_max, &tcp, pooled);
	if (pooled)
		bytes += cfg->out_of_order_max * tcp_reorder_pool_bytes(&tcp);
	return (bytes + n - 1) / n;
}

static bool
create_control(struct netstack *ns)
{
	uint32_t i;

	ns->gathered = malloc(ns->cfg.mtu);
	if (ns->gathered == NULL)
		return false;
	ns->control_room = ETHER_HEADER_LEN + ETHER_VLAN_LEN + ns->cfg.mtu;
	for (i = 0; i < NETSTACK_CONTROL_FRAMES; i++) {
		ns->control[i].bytes = malloc(ns->control_room);
		if (ns->control[i].bytes == NULL)
			return false;
	}
	return true;
}

struct netstack *
netstack_create(const struct netstack_config *cfg, uint64_t now_ns)
{
	struct netstack *ns;

	if (!config_valid(cfg))
		return NULL;
	ns = calloc(1, sizeof(*ns));
	if (ns == NULL)
		return NULL;
	ns->cfg = *cfg;
	ns->counters = cfg->counters;
	netstack_flow_plain_init(ns->plain, &cfg->mac);
	ns->ipv4_count = cfg->address != 0 ? cfg->address_count : 0;
	ns->port_counter = (uint32_t)(cfg->key.k1 >> 17);
	ns->replies_left = NETSTACK_REPLIES_PER_SECOND;
	ns->replies_start_ns = now_ns;
	ns->udp = calloc(NETSTACK_UDP_PORTS, sizeof(*ns->udp));
	if (ns->udp == NULL || !create_control(ns) || !netstack_port_create(ns) ||
		!netstack_steer_attach(ns) || !create_connections(ns)) {
		netstack_destroy(ns);
		return NULL;
	}
	ns->fragments.deadline_ns = TIME_NEVER;
	netstack_arp_start(ns, cfg->probe_address, now_ns);
	netstack_ipv6_start(ns, now_ns);
	return ns;
}

void
netstack_destroy(struct netstack *ns)
{
	uint32_t i;

	if (ns == NULL)
		return;
	netstack_fragment_clear(ns);
	netstack_table_destroy(ns);
	tcp_reorder_pool_destroy(ns->reorder_pool);
	netstack_port_destroy(ns);
	netstack_steer_detach(ns);
	for (i = 0; i < NETSTACK_CONTROL_FRAMES; i++)
		free(ns->control[i].bytes);
	free(ns->udp);
	free(ns->gathered);
	free(ns);
}

/* The largest segment that goes to nc's other end in one packet, and what RFC 9293 §3.7.1 takes for
 * the other's if it does not say. */
static void
set_segment_sizes(const struct netstack *ns, const struct netstack_conn *nc, struct tcp_open *open)
{
	bool v6 = nc->remote.family == 6;
	uint32_t mtu = v6 ? netstack_ipv6_mtu(ns) : ns->cfg.mtu;

	open->mss_max = (uint16_t)(mtu - TCP_HEADER_LEN - (v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN));
	open->mss_default = v6 ? TCP_MSS_DEFAULT_IPV6 : TCP_MSS_DEFAULT_IPV4;
}

/* A free port, of IPv4 at the first of our addresses, from ipv4_next on, that has one; 0: none. */
static uint16_t
choose_local(struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	struct ip_address *local)
{
	uint32_t i;
	uint16_t port;

	if (local->family == 6)
		return netstack_port_choose(ns, local, remote, remote_port);
	for (i = 0; i < ns->ipv4_count; i++) {
		local->v4 = ns->cfg.address + ns->ipv4_next++ % ns->ipv4_count;
		port = netstack_port_choose(ns, local, remote, remote_port);
		if (port != 0)
			return port;
	}
	return 0;
}

/* The same; at need the port of a connection in TIME-WAIT. */
static uint16_t
choose_local_at_need(struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	struct ip_address *local)
{
	uint16_t port = choose_local(ns, remote, remote_port, local);
	struct netstack_conn *oldest;

	if (port != 0)
		return port;
	oldest = netstack_table_oldest_waiting(ns, local->family);
	if (oldest == NULL)
		return 0;
	if (local->family == 4)
		ns->ipv4_next = oldest->local.v4 - ns->cfg.address;
	netstack_table_free(ns, oldest);
	return choose_local(ns, remote, remote_port, local);
}

static void
begin(struct netstack *ns, struct netstack_conn *nc, uint64_t now_ns)
{
	struct tcp_open open;

	netstack_port_open(ns, nc, now_ns, &open);
	set_segment_sizes(ns, nc, &open);
	tcp_conn_connect(nc->tcp, &open, now_ns);
	nc->last_state = TCP_SYN_SENT;
	netstack_table_insert(ns, nc);
	netstack_ready_push(ns, nc);
	/* The first question for the next hop goes out in the next output. */
	netstack_neighbour_lookup(ns, &nc->next_hop, now_ns);
}

int
netstack_connect(struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	void *user, uint64_t now_ns, struct netstack_conn **ret)
{
	struct ip_address local, next_hop;
	struct netstack_conn *nc;
	int rc = netstack_route_find(ns, remote, &local, &next_hop);

	if (rc != 0)
		return rc;
	nc = netstack_table_take(ns);
	if (nc == NULL)
		return -ENOBUFS;
	nc->local_port = choose_local_at_need(ns, remote, remote_port, &local);
	if (nc->local_port == 0) {
		netstack_table_give_back(ns, nc);
		return -EADDRNOTAVAIL;
	}
	nc->in_use = true;
	nc->remote = *remote;
	nc->remote_port = remote_port;
	nc->local = local;
	nc->next_hop = next_hop;
	nc->user = user;
	nc->error = 0;
	begin(ns, nc, now_ns);
	*ret = nc;
	return 0;
}

struct tcp_conn *
netstack_conn_tcp(struct netstack_conn *nc)
{
	return nc->tcp;
}

void
netstack_conn_prefetch(const struct netstack_conn *nc)
{
	__builtin_prefetch(nc, 1);
	__builtin_prefetch((const uint8_t *)nc + NETSTACK_CACHE_LINE, 1);
	tcp_conn_prefetch(nc->tcp);
}

const struct tcp_conn *
netstack_conn_look(const struct netstack_conn *nc)
{
	return nc->tcp;
}

void *
netstack_conn_user(const struct netstack_conn *nc)
{
	return nc->user;
}

const struct ip_address *
netstack_conn_local(const struct netstack_conn *nc)
{
	return &nc->local;
}

const struct ip_address *
netstack_conn_remote(const struct netstack_conn *nc)
{
	return &nc->remote;
}

uint16_t
netstack_conn_local_port(const struct netstack_conn *nc)
{
	return nc->local_port;
}

void
netstack_conn_touch(struct netstack *ns, struct netstack_conn *nc)
{
	netstack_ready_push(ns, nc);
}

int
netstack_conn_error(const struct netstack_conn *nc)
{
	return nc->error != 0 ? nc->error : tcp_conn_error(nc->tcp);
}

void
netstack_release_conn(struct netstack *ns, struct netstack_conn *nc, uint64_t now_ns)
{
	nc->released = true;
	nc->event = false;
	nc->user = NULL;
	tcp_conn_discard(nc->tcp);
	tcp_conn_close(nc->tcp, now_ns);
	netstack_table_note_state(ns, nc);
	netstack_ready_push(ns, nc);
}

void
netstack_abort_all(struct netstack *ns)
{
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		if (!ns->conn[i].in_use)
			continue;
		tcp_conn_abort(ns->conn[i].tcp);
		netstack_ready_push(ns, &ns->conn[i]);
	}
}

uint32_t
netstack_connections(const struct netstack *ns)
{
	uint32_t i, count = 0;
	enum tcp_state state;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		state = tcp_conn_state(ns->conn[i].tcp);
		if (ns->conn[i].in_use && state != TCP_CLOSED && state != TCP_TIME_WAIT)
			count++;
	}
	return count;
}

/* Nobody else is told: what we should send would be from an address that is not ours. */
static void
end_connections_ipv4(struct netstack *ns, uint64_t now_ns)
{
	struct tcp_segment unsent;
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		struct netstack_conn *nc = &ns->conn[i];

		if (!nc->in_use || nc->local.family != 4)
			continue;
		nc->error = -EADDRNOTAVAIL;
		tcp_conn_abort(nc->tcp);
		while (tcp_conn_output(nc->tcp, now_ns, &unsent))
			; /* the RST */
		netstack_port_unmark(ns, nc);
		netstack_event_push(ns, nc);
		if (nc->released)
			netstack_table_free(ns, nc);
	}
}

void
netstack_set_address(struct netstack *ns, uint32_t address, uint8_t prefix_len, uint32_t gateway,
	bool probe, uint64_t now_ns)
{
	const struct ip_address before = ip_address_of_v4(ns->cfg.address);

	ns->cfg.prefix_len = prefix_len;
	ns->cfg.gateway = gateway;
	if (address == before.v4)
		return;
	end_connections_ipv4(ns, now_ns);
	ns->cfg.address = address;
	ns->ipv4_count = address != 0;
	ns->flow = (struct netstack_flow){0};
	netstack_udp_fail_local(ns, &before);
	netstack_arp_start(ns, probe, now_ns);
	ns->link_deadline_ns = now_ns;
}

uint32_t
netstack_address(const struct netstack *ns)
{
	return ns->cfg.address;
}

void
netstack_next_hop_failure(const struct netstack *ns, struct netstack_next_hop_failure *ret)
{
	*ret = ns->neighbours.failure;
}

bool
netstack_address_conflict(
	const struct netstack *ns, struct ip_address *ret_address, struct ether_addr *ret_mac)
{
	if (ns->arp.conflict_known) {
		*ret_address = ip_address_of_v4(ns->arp.conflict_address);
		*ret_mac = ns->arp.conflict_mac;
		return true;
	}
	return netstack_ipv6_conflict(&ns->ipv6, ret_address, ret_mac);
}

bool
netstack_ready(const struct netstack *ns)
{
	return ns->arp.claim == ARP_CLAIM_ANNOUNCING || ns->arp.claim == ARP_CLAIM_HELD;
}
