/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_ranges.h"

/* The first range that ends at or above `edge`. */
static uint32_t
find(const struct sim_ranges *r, uint64_t edge)
{
	uint32_t low = 0, high = r->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (r->at[middle].right < edge)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
make_room(struct sim_ranges *r)
{
	if (r->count < r->room)
		return;
	r->room = r->room > 0 ? 2 * r->room : 16;
	r->at = realloc(r->at, r->room * sizeof(*r->at));
	CHECK(r->at != NULL);
}

void
sim_ranges_add(struct sim_ranges *r, uint64_t left, uint64_t right)
{
	uint32_t first = find(r, left), next = first;

	if (left >= right)
		return;
	for (; next < r->count && r->at[next].left <= right; next++) {
		left = MIN_OF(left, r->at[next].left);
		right = MAX_OF(right, r->at[next].right);
	}
	make_room(r);
	memmove(r->at + first + 1, r->at + next, (r->count - next) * sizeof(*r->at));
	r->count = r->count - (next - first) + 1;
	r->at[first] = (struct sim_range){left, right};
}

void
sim_ranges_drop_below(struct sim_ranges *r, uint64_t edge)
{
	uint32_t gone = 0;

	while (gone < r->count && r->at[gone].right <= edge)
		gone++;
	if (gone > 0)
		memmove(r->at, r->at + gone, (r->count - gone) * sizeof(*r->at));
	r->count -= gone;
	if (r->count > 0 && r->at[0].left < edge)
		r->at[0].left = edge;
}

bool
sim_ranges_hold(const struct sim_ranges *r, uint64_t left, uint64_t right)
{
	return left >= right || sim_ranges_gap(r, left) >= right;
}

uint64_t
sim_ranges_gap(const struct sim_ranges *r, uint64_t from)
{
	uint32_t i = find(r, from + 1);

	return i < r->count && r->at[i].left <= from ? r->at[i].right : from;
}

void
sim_ranges_common(const struct sim_ranges *r, uint64_t left, uint64_t right, struct sim_ranges *to)
{
	uint32_t i;

	for (i = find(r, left); i < r->count && r->at[i].left < right; i++)
		sim_ranges_add(to, MAX_OF(left, r->at[i].left), MIN_OF(right, r->at[i].right));
}

void
sim_ranges_clear(struct sim_ranges *r)
{
	free(r->at);
	*r = (struct sim_ranges){0};
}
