/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "tcp_reassembly_priv.h"

static void
store_link_free_nodes(struct tcp_reassembly_store *s, uint32_t nodes_max)
{
	uint32_t i;

	for (i = 0; i < nodes_max; i++)
		s->nodes[i].next = i + 1 < nodes_max ? i + 1 : REASSEMBLY_NO_NODE;
	s->free_node = 0;
}

struct tcp_reassembly_store *
reassembly_store_create(uint32_t nodes_max)
{
	struct tcp_reassembly_store *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (s == NULL)
		return NULL;
	s->nodes = calloc(nodes_max, sizeof(*s->nodes));
	if (s->nodes == NULL) {
		free(s);
		return NULL;
	}
	store_link_free_nodes(s, nodes_max);
	for (i = 0; i < TCP_REASSEMBLY_RANGES_MAX; i++)
		s->order[i] = (uint16_t)i;
	s->newest = s->oldest = REASSEMBLY_NO_SLOT;
	return s;
}

void
reassembly_store_destroy(struct tcp_reassembly_store *s)
{
	if (s == NULL)
		return;
	free(s->nodes);
	free(s);
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
	s->nodes[id] = (struct reassembly_node){.payload = *payload, .next = REASSEMBLY_NO_NODE};
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
	r->out_of_order_bytes -= s->nodes[id].payload.len;
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
	struct tcp_reassembly_store *s = r->store;
	uint16_t *order = s->order, slot;
	uint32_t node;

	CHECK(r->range_count < TCP_REASSEMBLY_RANGES_MAX);
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
		owner = r->store->nodes[node].payload.owner;
		node = node_give(r, node);
		r->held--;
		if (owner != NULL)
			r->release(r->release_ctx, owner);
	}
}

void
reassembly_range_deliver_first(struct tcp_reassembly *r)
{
	uint32_t node = reassembly_range_at(r, 0)->first;

	range_remove(r, 0);
	while (node != REASSEMBLY_NO_NODE) {
		reassembly_ring_push(r, &r->store->nodes[node].payload);
		node = node_give(r, node);
	}
}
