/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base_check.h"
#include "netstack_priv.h"

#define BUCKETS_PER_CONN 2U
/* The heap begins in the middle of a cache line, so that the four children of each do with one. */
#define HEAP_OFFSET 3U

static uint32_t
bucket_count(uint32_t connections)
{
	uint32_t buckets = 1;

	while (buckets < BUCKETS_PER_CONN * connections)
		buckets *= 2;
	return buckets;
}

uint64_t
netstack_table_bytes(uint32_t connections, const struct tcp_config *tcp, bool pooled)
{
	uint64_t each = sizeof(struct netstack_conn) + sizeof(struct netstack_timer);

	return connections * (each + tcp_conn_bytes(tcp, pooled)) +
	       bucket_count(connections) * sizeof(struct netstack_conn *);
}

/* NULL: no memory. aligned_alloc wants whole multiples of the alignment. */
static void *
aligned_array(uint64_t count, uint64_t size)
{
	uint64_t bytes = (count * size + NETSTACK_CACHE_LINE - 1) / NETSTACK_CACHE_LINE;

	return aligned_alloc(NETSTACK_CACHE_LINE, bytes * NETSTACK_CACHE_LINE);
}

static void
push_free(struct netstack *ns, struct netstack_conn *nc)
{
	nc->hash_next = ns->free_conn;
	ns->free_conn = nc;
}

bool
netstack_table_create(struct netstack *ns)
{
	uint32_t n = ns->cfg.connections_max, i;
	uint64_t bytes = tcp_conn_bytes(&ns->cfg.tcp, ns->reorder_pool != NULL);

	ns->bucket_mask = bucket_count(n) - 1;
	ns->bucket = calloc(ns->bucket_mask + 1, sizeof(struct netstack_conn *));
	ns->heap_memory = aligned_array(n + HEAP_OFFSET, sizeof(struct netstack_timer));
	ns->conn = aligned_array(n, sizeof(*ns->conn));
	ns->tcp_memory = aligned_array(n, bytes);
	if (ns->bucket == NULL || ns->heap_memory == NULL || ns->conn == NULL ||
		ns->tcp_memory == NULL)
		return false;
	ns->heap = ns->heap_memory + HEAP_OFFSET;
	ns->wait_oldest = ns->wait_newest = NETSTACK_NO_INDEX;
	for (i = n; i > 0; i--) {
		struct netstack_conn *nc = &ns->conn[i - 1];

		*nc = (struct netstack_conn){.heap_index = NETSTACK_NO_INDEX};
		nc->tcp = tcp_conn_init(ns->tcp_memory + (i - 1) * bytes, &ns->cfg.tcp);
		push_free(ns, nc);
	}
	ns->conn_made = true;
	return true;
}

void
netstack_table_destroy(struct netstack *ns)
{
	uint32_t i;

	for (i = 0; ns->conn_made && i < ns->cfg.connections_max; i++)
		tcp_conn_end(ns->conn[i].tcp);
	free(ns->tcp_memory);
	free(ns->conn);
	free(ns->heap_memory);
	free(ns->bucket);
}

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

#define L4_OFFSET (ETHER_HEADER_LEN + IPV4_HEADER_LEN)

struct netstack_conn **
netstack_table_prefetch(const struct netstack *ns, const struct frame *f)
{
	struct netstack_conn **bucket;
	struct ip_address remote;

	if (f->len < L4_OFFSET + TCP_HEADER_LEN || f->data[ETHER_HEADER_LEN] != 0x45)
		return NULL;
	remote = ip_address_of_v4(be32_load(f->data + ETHER_HEADER_LEN + 12));
	bucket = &ns->bucket[bucket_of(
		ns, &remote, be16_load(f->data + L4_OFFSET), be16_load(f->data + L4_OFFSET + 2))];
	__builtin_prefetch(bucket);
	return bucket;
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
	netstack_port_mark(ns, nc);
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

/* ---- those in TIME-WAIT that nobody holds, the oldest first ---- */

static void
wait_unlink(struct netstack *ns, struct netstack_conn *nc)
{
	if (!nc->waiting)
		return;
	nc->waiting = false;
	if (nc->wait_previous != NETSTACK_NO_INDEX)
		ns->conn[nc->wait_previous].wait_next = nc->wait_next;
	else
		ns->wait_oldest = nc->wait_next;
	if (nc->wait_next != NETSTACK_NO_INDEX)
		ns->conn[nc->wait_next].wait_previous = nc->wait_previous;
	else
		ns->wait_newest = nc->wait_previous;
}

void
netstack_table_note_state(struct netstack *ns, struct netstack_conn *nc)
{
	uint32_t at = (uint32_t)(nc - ns->conn);

	if (!nc->released || nc->waiting || tcp_conn_state(nc->tcp) != TCP_TIME_WAIT)
		return;
	nc->waiting = true;
	nc->wait_previous = ns->wait_newest;
	nc->wait_next = NETSTACK_NO_INDEX;
	if (ns->wait_newest != NETSTACK_NO_INDEX)
		ns->conn[ns->wait_newest].wait_next = at;
	else
		ns->wait_oldest = at;
	ns->wait_newest = at;
}

struct netstack_conn *
netstack_table_oldest_waiting(struct netstack *ns, uint8_t family)
{
	uint32_t at = ns->wait_oldest, tries;

	for (tries = 0; tries < NETSTACK_PORT_TRIES && at != NETSTACK_NO_INDEX; tries++) {
		if (ns->conn[at].local.family == family)
			return &ns->conn[at];
		at = ns->conn[at].wait_next;
	}
	return NULL;
}

struct netstack_conn *
netstack_table_take(struct netstack *ns)
{
	struct netstack_conn *nc;

	if (ns->free_conn == NULL && ns->wait_oldest != NETSTACK_NO_INDEX)
		netstack_table_free(ns, &ns->conn[ns->wait_oldest]);
	nc = ns->free_conn;
	if (nc != NULL)
		ns->free_conn = nc->hash_next;
	return nc;
}

void
netstack_table_give_back(struct netstack *ns, struct netstack_conn *nc)
{
	push_free(ns, nc);
}

/* In the ready and event lists, among the timers and the ACKs that wait it stays until its turn comes, then it is passed
 * over, or is in use anew: to take it out of the heap would touch a connection at each level of it. */
void
netstack_table_free(struct netstack *ns, struct netstack_conn *nc)
{
	netstack_table_remove(ns, nc);
	wait_unlink(ns, nc);
	netstack_port_unmark(ns, nc);
	tcp_conn_end(nc->tcp);
	nc->user = NULL;
	nc->error = 0;
	nc->in_use = nc->released = nc->ready = nc->event = false;
	push_free(ns, nc);
}
