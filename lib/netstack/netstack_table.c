/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

/* A keyed multiplicative hash: a peer cannot know which ports collide. */
static uint64_t
address_word(const struct ip_address *a)
{
	uint64_t high, low;

	if (a->family == 4)
		return a->v4;
	memcpy(&high, a->v6.byte, sizeof(high));
	memcpy(&low, a->v6.byte + 8, sizeof(low));
	return (high * UINT64_C(0xff51afd7ed558ccd) + low) * UINT64_C(0xc4ceb9fe1a85ec53);
}

static uint32_t
bucket_of(const struct netstack *ns, const struct ip_address *remote, uint16_t remote_port,
	uint16_t local_port)
{
	uint64_t x = address_word(remote) << 32 | (uint32_t)remote_port << 16 | local_port;

	x ^= address_word(remote) >> 32;
	x = (x ^ ns->cfg.key.k0) * UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 32;
	x = (x ^ ns->cfg.key.k1) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(x >> 32) & ns->bucket_mask;
}

static bool
matches(const struct netstack_conn *nc, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port)
{
	return nc->remote_port == remote_port && nc->local_port == local_port &&
	       ip_address_equal(&nc->remote, remote) && ip_address_equal(&nc->local, local);
}

struct netstack_conn *
netstack_table_find(const struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port)
{
	struct netstack_conn *nc = ns->flow.conn;

	if (nc != NULL && matches(nc, local, remote, remote_port, local_port))
		return nc;
	nc = ns->bucket[bucket_of(ns, remote, remote_port, local_port)];
	while (nc != NULL && !matches(nc, local, remote, remote_port, local_port))
		nc = nc->hash_next;
	return nc;
}

void
netstack_table_insert(struct netstack *ns, struct netstack_conn *nc)
{
	uint32_t b = bucket_of(ns, &nc->remote, nc->remote_port, nc->local_port);

	nc->hash_next = ns->bucket[b];
	ns->bucket[b] = nc;
}

void
netstack_table_remove(struct netstack *ns, struct netstack_conn *nc)
{
	struct netstack_conn **at =
		&ns->bucket[bucket_of(ns, &nc->remote, nc->remote_port, nc->local_port)];

	while (*at != NULL && *at != nc)
		at = &(*at)->hash_next;
	if (*at != NULL)
		*at = nc->hash_next;
	if (ns->flow.conn == nc)
		ns->flow = (struct netstack_flow){0};
}

struct netstack_conn *
netstack_table_take(struct netstack *ns)
{
	struct netstack_conn *waiting = NULL;
	uint32_t i;

	for (i = 0; i < ns->cfg.connections_max; i++) {
		struct netstack_conn *nc = &ns->conn[i];

		if (!nc->in_use)
			return nc;
		if (nc->released && tcp_conn_state(nc->tcp) == TCP_TIME_WAIT)
			waiting = nc;
	}
	if (waiting != NULL)
		netstack_table_free(ns, waiting);
	return waiting;
}

static void
unlink_from(struct netstack_queue *q, struct netstack_conn *nc, bool events)
{
	struct netstack_conn *at = q->head, *previous = NULL, *next;

	for (; at != NULL && at != nc; at = events ? at->event_next : at->ready_next)
		previous = at;
	if (at == NULL)
		return;
	next = events ? at->event_next : at->ready_next;
	if (previous == NULL)
		q->head = next;
	else if (events)
		previous->event_next = next;
	else
		previous->ready_next = next;
	if (q->tail == nc)
		q->tail = previous;
}

void
netstack_table_free(struct netstack *ns, struct netstack_conn *nc)
{
	struct tcp_conn *tcp = nc->tcp;

	netstack_table_remove(ns, nc);
	netstack_timer_cancel(ns, nc);
	if (nc->ready)
		unlink_from(&ns->ready, nc, false);
	if (nc->event)
		unlink_from(&ns->event, nc, true);
	tcp_conn_reset(tcp);
	*nc = (struct netstack_conn){.tcp = tcp, .heap_index = NETSTACK_NO_INDEX};
}
