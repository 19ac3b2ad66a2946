/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "tcp_reassembly_priv.h"

uint64_t
tcp_reassembly_store_bytes(uint32_t payloads_max)
{
	uint64_t ranges = tcp_reassembly_ranges_max(payloads_max), bytes;

	bytes = sizeof(struct tcp_reassembly_store) +
		payloads_max * (uint64_t)sizeof(struct reassembly_node) +
		ranges * (sizeof(struct reassembly_range) + sizeof(uint16_t));
	return (bytes + 7) & ~UINT64_C(7);
}

struct tcp_reassembly_store *
reassembly_store_init(void *memory, uint32_t nodes_max)
{
	struct tcp_reassembly_store *s = memory;
	uint32_t ranges = tcp_reassembly_ranges_max(nodes_max), i;

	*s = (struct tcp_reassembly_store){.nodes = (struct reassembly_node *)(s + 1)};
	s->range = (struct reassembly_range *)(s->nodes + nodes_max);
	s->order = (uint16_t *)(s->range + ranges);
	for (i = 0; i < nodes_max; i++)
		s->nodes[i].next = i + 1 < nodes_max ? i + 1 : REASSEMBLY_NO_NODE;
	for (i = 0; i < ranges; i++)
		s->order[i] = (uint16_t)i;
	s->newest = s->oldest = REASSEMBLY_NO_SLOT;
	return s;
}

struct tcp_reassembly_pool *
tcp_reassembly_pool_create(uint32_t payloads_max, uint32_t stores)
{
	uint64_t bytes = tcp_reassembly_store_bytes(payloads_max);
	struct tcp_reassembly_pool *pool = malloc(sizeof(*pool) + stores * bytes);
	struct tcp_reassembly_store *s;

	if (pool == NULL)
		return NULL;
	pool->free = NULL;
	while (stores > 0) {
		s = reassembly_store_init((uint8_t *)(pool + 1) + --stores * bytes, payloads_max);
		s->next = pool->free;
		pool->free = s;
	}
	return pool;
}

void
tcp_reassembly_pool_destroy(struct tcp_reassembly_pool *pool)
{
	free(pool);
}

static void
store_borrow(struct tcp_reassembly *r)
{
	if (r->store != NULL)
		return;
	CHECK(r->pool->free != NULL);
	r->store = r->pool->free;
	r->pool->free = r->store->next;
}

/* The last range is gone: an empty store is as good as any other. */
static void
store_return(struct tcp_reassembly *r)
{
	if (r->range_count > 0 || r->pool == NULL)
		return;
	r->store->next = r->pool->free;
	r->pool->free = r->store;
	r->store = NULL;
}

void
reassembly_store_clear(struct tcp_reassembly *r)
{
	while (r->range_count > 0)
		reassembly_range_drop(r, r->range_count - 1);
}

static uint32_t
node_take(struct tcp_reassembly *r, const struct payload *payload)
{
	struct tcp_reassembly_store *s = r->store;
	uint32_t id = s->free_node;

	CHECK(id != REASSEMBLY_NO_NODE);
	s->free_node = s->nodes[id].next;
	s->nodes[id] = (struct reassembly_node){
		payload->data, payload->len, REASSEMBLY_NO_NODE, payload->owner};
	r->out_of_order++;
	r->out_of_order_bytes += payload->len;
	return id;
}

/* Returns the node that followed. */
static uint32_t
node_give(struct tcp_reassembly *r, uint32_t id)
{
	struct tcp_reassembly_store *s = r->store;
	uint32_t next = s->nodes[id].next;

	r->out_of_order--;
	r->out_of_order_bytes -= s->nodes[id].len;
	s->nodes[id].next = s->free_node;
	s->free_node = id;
	return next;
}

static void
recency_unlink(struct tcp_reassembly_store *s, uint16_t slot)
{
	struct reassembly_range *range = &s->range[slot];

	if (range->newer != REASSEMBLY_NO_SLOT)
		s->range[range->newer].older = range->older;
	else
		s->newest = range->older;
	if (range->older != REASSEMBLY_NO_SLOT)
		s->range[range->older].newer = range->newer;
	else
		s->oldest = range->newer;
}

static void
recency_link_newest(struct tcp_reassembly_store *s, uint16_t slot)
{
	struct reassembly_range *range = &s->range[slot];

	range->newer = REASSEMBLY_NO_SLOT;
	range->older = s->newest;
	if (s->newest != REASSEMBLY_NO_SLOT)
		s->range[s->newest].newer = slot;
	else
		s->oldest = slot;
	s->newest = slot;
}

struct reassembly_range *
reassembly_range_at(const struct tcp_reassembly *r, uint32_t index)
{
	return &r->store->range[r->store->order[index]];
}

uint32_t
reassembly_range_find(const struct tcp_reassembly *r, uint32_t seq)
{
	uint32_t low = 0, high = r->range_count, middle;

	/* The common case: the segment after the last one, or beyond it. */
	if (high > 0 && seq_geq(seq, reassembly_range_at(r, high - 1)->right))
		return seq == reassembly_range_at(r, high - 1)->right ? high - 1 : high;
	while (low < high) {
		middle = (low + high) / 2;
		if (seq_geq(reassembly_range_at(r, middle)->right, seq))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void
reassembly_range_touch(struct tcp_reassembly *r, uint32_t index)
{
	uint16_t slot = r->store->order[index];

	if (r->store->newest == slot)
		return;
	recency_unlink(r->store, slot);
	recency_link_newest(r->store, slot);
}

void
reassembly_range_add(
	struct tcp_reassembly *r, uint32_t index, uint32_t left, const struct payload *payload)
{
	struct tcp_reassembly_store *s;
	uint16_t *order, slot;
	uint32_t node;

	CHECK(r->range_count < tcp_reassembly_ranges_max(r->payloads_max));
	store_borrow(r);
	s = r->store;
	order = s->order;
	node = node_take(r, payload);
	slot = order[r->range_count];
	memmove(&order[index + 1], &order[index], (r->range_count - index) * sizeof(*order));
	order[index] = slot;
	r->range_count++;
	s->range[slot].left = left;
	s->range[slot].right = left + payload->len;
	s->range[slot].first = s->range[slot].last = node;
	recency_link_newest(s, slot);
}

/* Takes the range out of the order; its nodes are the caller's business. */
static void
range_remove(struct tcp_reassembly *r, uint32_t index)
{
	uint16_t *order = r->store->order, slot = order[index];

	recency_unlink(r->store, slot);
	r->range_count--;
	memmove(&order[index], &order[index + 1], (r->range_count - index) * sizeof(*order));
	order[r->range_count] = slot;
}

void
reassembly_range_append(struct tcp_reassembly *r, uint32_t index, const struct payload *payload)
{
	struct reassembly_range *range = reassembly_range_at(r, index);
	uint32_t node = node_take(r, payload);

	r->store->nodes[range->last].next = node;
	range->last = node;
	range->right += payload->len;
	reassembly_range_touch(r, index);
}

void
reassembly_range_prepend(struct tcp_reassembly *r, uint32_t index, const struct payload *payload)
{
	struct reassembly_range *range = reassembly_range_at(r, index);
	uint32_t node = node_take(r, payload);

	r->store->nodes[node].next = range->first;
	range->first = node;
	range->left -= payload->len;
	reassembly_range_touch(r, index);
}

void
reassembly_range_join_next(struct tcp_reassembly *r, uint32_t index)
{
	struct reassembly_range *range = reassembly_range_at(r, index);
	const struct reassembly_range *next = reassembly_range_at(r, index + 1);

	CHECK(range->right == next->left);
	r->store->nodes[range->last].next = next->first;
	range->last = next->last;
	range->right = next->right;
	range_remove(r, index + 1);
	reassembly_range_touch(r, index);
}

void
reassembly_range_drop(struct tcp_reassembly *r, uint32_t index)
{
	uint32_t node = reassembly_range_at(r, index)->first;
	void *owner;

	range_remove(r, index);
	while (node != REASSEMBLY_NO_NODE) {
		owner = r->store->nodes[node].owner;
		node = node_give(r, node);
		r->held--;
		if (owner != NULL)
			r->buffers->release(r->buffers->ctx, owner);
	}
	store_return(r);
}

void
reassembly_range_deliver_first(struct tcp_reassembly *r)
{
	uint32_t node = reassembly_range_at(r, 0)->first;
	const struct reassembly_node *n;
	struct payload payload;

	range_remove(r, 0);
	while (node != REASSEMBLY_NO_NODE) {
		n = &r->store->nodes[node];
		payload = (struct payload){n->data, n->len, n->owner};
		reassembly_ring_push(r, &payload);
		node = node_give(r, node);
	}
	store_return(r);
}
