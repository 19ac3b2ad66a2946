/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

/*
 * A heap of connections by deadline. A deadline that moves later (every ACK does that) is left where
 * it is; when the old one comes, the connection is looked at and set anew. So is that of a connection
 * which has ended. Deadlines stand in the heap itself, and four children share a cache line: a look at
 * them costs one miss, not four.
 */

#define CHILDREN 4U

static void
place(struct netstack *ns, uint32_t at, const struct netstack_timer *timer)
{
	ns->heap[at] = *timer;
	timer->conn->heap_index = at;
}

static void
sift_up(struct netstack *ns, uint32_t at)
{
	const struct netstack_timer timer = ns->heap[at];
	uint32_t parent;

	while (at > 0) {
		parent = (at - 1) / CHILDREN;
		if (ns->heap[parent].deadline_ns <= timer.deadline_ns)
			break;
		place(ns, at, &ns->heap[parent]);
		at = parent;
	}
	place(ns, at, &timer);
}

/* The earliest of the children that begin at first, of which there is one at least. */
static uint32_t
earliest_child(const struct netstack *ns, uint32_t first)
{
	uint32_t end = MIN_OF(first + CHILDREN, ns->heap_len), i, best = first;

	for (i = first + 1; i < end; i++)
		best = ns->heap[i].deadline_ns < ns->heap[best].deadline_ns ? i : best;
	return best;
}

static void
sift_down(struct netstack *ns, uint32_t at)
{
	const struct netstack_timer timer = ns->heap[at];
	uint32_t child;

	while (CHILDREN * at + 1 < ns->heap_len) {
		child = earliest_child(ns, CHILDREN * at + 1);
		if (timer.deadline_ns <= ns->heap[child].deadline_ns)
			break;
		place(ns, at, &ns->heap[child]);
		at = child;
	}
	place(ns, at, &timer);
}

void
netstack_timer_set(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns)
{
	if (deadline_ns == TIME_NEVER)
		return;
	if (nc->heap_index == NETSTACK_NO_INDEX)
		nc->heap_index = ns->heap_len++;
	else if (deadline_ns >= ns->heap[nc->heap_index].deadline_ns)
		return;
	ns->heap[nc->heap_index] = (struct netstack_timer){deadline_ns, nc};
	sift_up(ns, nc->heap_index);
}

void
netstack_timer_cancel(struct netstack *ns, struct netstack_conn *nc)
{
	uint32_t at = nc->heap_index;
	const struct netstack_timer *last;

	if (at == NETSTACK_NO_INDEX)
		return;
	nc->heap_index = NETSTACK_NO_INDEX;
	last = &ns->heap[--ns->heap_len];
	if (last->conn == nc)
		return;
	place(ns, at, last);
	sift_up(ns, at);
	sift_down(ns, last->conn->heap_index);
}

struct netstack_conn *
netstack_timer_expired(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_conn *nc;

	if (ns->heap_len == 0 || ns->heap[0].deadline_ns > now_ns)
		return NULL;
	nc = ns->heap[0].conn;
	netstack_timer_cancel(ns, nc);
	return nc;
}

uint64_t
netstack_timer_next(const struct netstack *ns)
{
	return ns->heap_len > 0 ? ns->heap[0].deadline_ns : TIME_NEVER;
}
