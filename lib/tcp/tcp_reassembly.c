/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "tcp_reassembly_priv.h"

static uint32_t
round_up_to_power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

uint64_t
tcp_reassembly_bytes(uint32_t payloads_max, bool pooled)
{
	return round_up_to_power_of_two(payloads_max) * (uint64_t)sizeof(struct payload) +
	       (pooled ? 0 : tcp_reassembly_store_bytes(payloads_max));
}

void
tcp_reassembly_init(struct tcp_reassembly *r, void *memory, uint32_t payloads_max,
	struct tcp_reassembly_pool *pool, const struct payload_buffers *buffers)
{
	uint32_t ring_size = round_up_to_power_of_two(payloads_max);

	CHECK(payloads_max >= TCP_REASSEMBLY_PAYLOADS_MIN &&
		payloads_max <= TCP_REASSEMBLY_PAYLOADS_MAX);
	*r = (struct tcp_reassembly){.ring = memory,
		.ring_mask = ring_size - 1,
		.payloads_max = payloads_max,
		.pool = pool,
		.buffers = buffers};
	if (pool == NULL)
		r->store = reassembly_store_init(r->ring + ring_size, payloads_max);
}

void
tcp_reassembly_reset(struct tcp_reassembly *r)
{
	struct payload part;

	reassembly_store_clear(r);
	while (tcp_reassembly_recv(r, &part, 1) > 0) {
		if (part.owner != NULL)
			r->buffers->release(r->buffers->ctx, part.owner);
	}
	tcp_reassembly_consumed(r, r->taken);
}

uint32_t
tcp_reassembly_recv(struct tcp_reassembly *r, struct payload *ret_parts, uint32_t parts_max)
{
	uint32_t i, n = MIN_OF(parts_max, tcp_reassembly_ready(r));
	uint32_t bytes = 0;

	for (i = 0; i < n; i++) {
		ret_parts[i] = r->ring[(r->ring_head + i) & r->ring_mask];
		bytes += ret_parts[i].len;
	}
	r->ring_head += n;
	r->ready_bytes -= bytes;
	r->taken += n;
	return n;
}

void
tcp_reassembly_consumed(struct tcp_reassembly *r, uint32_t parts)
{
	parts = MIN_OF(parts, r->taken);
	r->taken -= parts;
	r->held -= parts;
}

/* Where a segment goes: its new bytes, and the ranges around them. */
struct placement {
	uint32_t left, right; /* what is kept of the segment; left == right: nothing */
	uint32_t index; /* of the first range above left */
	uint32_t covered; /* ranges from index on that lie wholly inside */
	bool joins_below; /* left is the right edge of range index - 1 */
	bool joins_above; /* right is the left edge of range index + covered */
};

static void
note_duplicate(struct tcp_reassembly_result *ret, uint32_t left, uint32_t right)
{
	if (left == right)
		return;
	/* RFC 2883 §4 (1): the first contiguous run of duplicate data in the segment. */
	if (ret->bytes_duplicate == 0)
		ret->duplicate = (struct tcp_sack_block){.left = left, .right = right};
	ret->bytes_duplicate += right - left;
}

/* Trims off what was delivered, or is held by the range that contains the segment's start. */
static void
place_left_edge(const struct tcp_reassembly *r, uint32_t rcv_nxt, struct placement *p,
	struct tcp_reassembly_result *ret)
{
	const struct reassembly_range *below;
	uint32_t cut;

	if (seq_lt(p->left, rcv_nxt)) {
		cut = seq_min(p->right, rcv_nxt);
		note_duplicate(ret, p->left, cut);
		p->left = cut;
	}
	p->index = reassembly_range_find(r, p->left);
	if (p->left == p->right || p->index == r->range_count)
		return;
	below = reassembly_range_at(r, p->index);
	if (seq_gt(below->left, p->left))
		return;
	cut = seq_min(p->right, below->right);
	note_duplicate(ret, p->left, cut);
	p->left = cut;
	p->joins_below = true;
	p->index++;
}

/* Finds the ranges to replace, and trims off what the range holds that contains the end. */
static void
place_right_edge(
	const struct tcp_reassembly *r, struct placement *p, struct tcp_reassembly_result *ret)
{
	const struct reassembly_range *above;
	uint32_t index;

	for (index = p->index; index < r->range_count; index++) {
		above = reassembly_range_at(r, index);
		if (seq_geq(above->right, p->right))
			break;
		note_duplicate(ret, above->left, above->right);
		ret->bytes_new -= above->right - above->left;
		p->covered++;
	}
	if (index == r->range_count)
		return;
	above = reassembly_range_at(r, index);
	if (seq_gt(above->left, p->right))
		return;
	note_duplicate(ret, above->left, p->right);
	ret->bytes_new -= p->right - above->left;
	p->right = above->left;
	p->joins_above = true;
}

/* Replacing a range frees at least the node that is needed, and its slot. */
static bool
has_room(const struct tcp_reassembly *r, const struct placement *p, bool in_order)
{
	uint32_t limit = r->payloads_max;

	if (p->covered > 0)
		return true;
	if (in_order)
		return r->held < limit;
	limit -= r->payloads_max / TCP_REASSEMBLY_RESERVE_DIVISOR;
	return r->held < limit &&
	       (p->joins_below || p->joins_above ||
		       (r->range_count < tcp_reassembly_ranges_max(r->payloads_max) &&
			       reassembly_store_there(r)));
}

static void
keep_in_order(struct tcp_reassembly *r, const struct placement *p, const struct payload *payload,
	struct tcp_reassembly_result *ret)
{
	ret->verdict = TCP_REASSEMBLY_IN_ORDER;
	ret->rcv_nxt = p->right;
	reassembly_ring_push(r, payload);
	if (p->joins_above) {
		ret->rcv_nxt = reassembly_range_at(r, 0)->right;
		reassembly_range_deliver_first(r);
	}
}

static void
keep_out_of_order(struct tcp_reassembly *r, const struct placement *p,
	const struct payload *payload, struct tcp_reassembly_result *ret)
{
	ret->verdict = TCP_REASSEMBLY_OUT_OF_ORDER;
	if (p->joins_below) {
		reassembly_range_append(r, p->index - 1, payload);
		if (p->joins_above)
			reassembly_range_join_next(r, p->index - 1);
	} else if (p->joins_above) {
		reassembly_range_prepend(r, p->index, payload);
	} else {
		reassembly_range_add(r, p->index, p->left, payload);
	}
}

/* In-order data is about to be read; what comes behind a hole waits for the sender. */
static bool
may_stay(const struct tcp_reassembly *r, struct payload *payload, bool in_order)
{
	const struct payload_buffers *b = r->buffers;

	return in_order || b->keep == NULL || b->keep(b->ctx, payload);
}

bool
tcp_reassembly_insert(struct tcp_reassembly *r, uint32_t seq, const struct payload *payload,
	uint32_t rcv_nxt, struct tcp_reassembly_result *ret)
{
	struct placement p = {.left = seq, .right = seq + payload->len};
	struct payload trimmed = *payload;
	bool in_order;

	*ret = (struct tcp_reassembly_result){
		.verdict = TCP_REASSEMBLY_DUPLICATE, .rcv_nxt = rcv_nxt};
	place_left_edge(r, rcv_nxt, &p, ret);
	if (p.left == p.right) {
		/* RFC 2018 §4: the first block is the one that the segment belongs to. */
		if (p.joins_below)
			reassembly_range_touch(r, p.index - 1);
		return false;
	}
	ret->bytes_new = p.right - p.left;
	place_right_edge(r, &p, ret);
	in_order = p.left == rcv_nxt;
	trimmed.data += p.left - seq;
	trimmed.len = p.right - p.left;
	if (!has_room(r, &p, in_order) || !may_stay(r, &trimmed, in_order)) {
		ret->verdict = TCP_REASSEMBLY_NO_BUFFER;
		ret->bytes_new = 0;
		return false;
	}
	ret->filled_hole = in_order && r->range_count > 0;
	for (; p.covered > 0; p.covered--)
		reassembly_range_drop(r, p.index);
	r->held++;
	if (in_order)
		keep_in_order(r, &p, &trimmed, ret);
	else
		keep_out_of_order(r, &p, &trimmed, ret);
	return true;
}

uint32_t
tcp_reassembly_sack_blocks(const struct tcp_reassembly *r, const struct tcp_sack_block *dsack,
	struct tcp_sack_block *ret_blocks, uint32_t blocks_max)
{
	const struct reassembly_range *range;
	uint32_t count = 0;
	uint16_t slot;

	if (dsack != NULL && dsack->left != dsack->right && blocks_max > 0)
		ret_blocks[count++] = *dsack;
	slot = r->range_count > 0 ? r->store->newest : REASSEMBLY_NO_SLOT;
	for (; slot != REASSEMBLY_NO_SLOT && count < blocks_max; slot = range->older) {
		range = &r->store->range[slot];
		ret_blocks[count++] =
			(struct tcp_sack_block){.left = range->left, .right = range->right};
	}
	return count;
}

uint32_t
tcp_reassembly_high_seq(const struct tcp_reassembly *r, uint32_t rcv_nxt)
{
	return r->range_count > 0 ? reassembly_range_at(r, r->range_count - 1)->right : rcv_nxt;
}

static void
check_ring(const struct tcp_reassembly *r)
{
	uint64_t bytes = 0;
	uint32_t i;

	CHECK(tcp_reassembly_ready(r) <= r->payloads_max);
	for (i = r->ring_head; i != r->ring_tail; i++) {
		CHECK(r->ring[i & r->ring_mask].len > 0);
		bytes += r->ring[i & r->ring_mask].len;
	}
	CHECK(bytes == r->ready_bytes);
	CHECK(r->held == tcp_reassembly_ready(r) + r->out_of_order + r->taken);
	CHECK(r->held <= r->payloads_max);
}

/* Returns how many nodes the range has. */
static uint32_t
check_range(const struct tcp_reassembly *r, const struct reassembly_range *range)
{
	const struct reassembly_node *nodes = r->store->nodes;
	uint32_t count = 0, seq = range->left, node, last = REASSEMBLY_NO_NODE;

	CHECK(seq_lt(range->left, range->right));
	for (node = range->first; node != REASSEMBLY_NO_NODE; node = nodes[node].next) {
		CHECK(nodes[node].len > 0);
		seq += nodes[node].len;
		last = node;
		count++;
	}
	CHECK(seq == range->right);
	CHECK(last == range->last);
	return count;
}

static void
check_recency(const struct tcp_reassembly *r)
{
	const struct tcp_reassembly_store *s = r->store;
	uint16_t slot, newer = REASSEMBLY_NO_SLOT;
	uint32_t count = 0;

	for (slot = s->newest; slot != REASSEMBLY_NO_SLOT; slot = s->range[slot].older) {
		CHECK(s->range[slot].newer == newer);
		newer = slot;
		count++;
	}
	CHECK(s->oldest == newer);
	CHECK(count == r->range_count);
}

static uint32_t
count_free_nodes(const struct tcp_reassembly_store *s)
{
	uint32_t node, n = 0;

	for (node = s->free_node; node != REASSEMBLY_NO_NODE; node = s->nodes[node].next)
		n++;
	return n;
}

void
tcp_reassembly_check(const struct tcp_reassembly *r, uint32_t rcv_nxt)
{
	uint32_t i, used = 0, edge = rcv_nxt;
	uint64_t bytes = 0;

	check_ring(r);
	CHECK(r->range_count <= tcp_reassembly_ranges_max(r->payloads_max));
	for (i = 0; i < r->range_count; i++) {
		const struct reassembly_range *range = reassembly_range_at(r, i);

		CHECK(seq_gt(range->left, edge)); /* sorted, disjoint, not adjacent */
		edge = range->right;
		bytes += range->right - range->left;
		used += check_range(r, range);
	}
	CHECK(used == r->out_of_order);
	CHECK(bytes == r->out_of_order_bytes);
	CHECK(r->store != NULL || r->range_count == 0);
	CHECK(r->pool == NULL || r->store == NULL || r->range_count > 0);
	if (r->store == NULL)
		return;
	CHECK(used + count_free_nodes(r->store) == r->payloads_max);
	check_recency(r);
}
