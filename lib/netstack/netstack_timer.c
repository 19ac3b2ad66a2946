/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

/*
 * A binary heap of connections by deadline. A deadline that moves later (every ACK does that) is
 * left where it is; when the old one comes, the connection is looked at and set anew.
 */

static void
place(struct netstack *ns, uint32_t at, struct netstack_conn *nc)
{
	ns->heap[at] = nc;
	nc->heap_index = at;
}

static void
sift_up(struct netstack *ns, uint32_t at)
{
	struct netstack_conn *nc = ns->heap[at];
	uint32_t parent;

	while (at > 0) {
		parent = (at - 1) / 2;
		if (ns->heap[parent]->deadline_ns <= nc->deadline_ns)
			break;
		place(ns, at, ns->heap[parent]);
		at = parent;
	}
	place(ns, at, nc);
}

static void
sift_down(struct netstack *ns, uint32_t at)
{
	struct netstack_conn *nc = ns->heap[at];
	uint32_t child;

	while ((child = 2 * at + 1) < ns->heap_len) {
		if (child + 1 < ns->heap_len &&
			ns->heap[child + 1]->deadline_ns < ns->heap[child]->deadline_ns)
			child++;
		if (nc->deadline_ns <= ns->heap[child]->deadline_ns)
			break;
		place(ns, at, ns->heap[child]);
		at = child;
	}
	place(ns, at, nc);
}

void
netstack_timer_set(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns)
{
	if (deadline_ns == TIME_NEVER)
		return;
	if (nc->heap_index == NETSTACK_NO_INDEX) {
		nc->deadline_ns = deadline_ns;
		place(ns, ns->heap_len++, nc);
		sift_up(ns, nc->heap_index);
	} else if (deadline_ns < nc->deadline_ns) {
		nc->deadline_ns = deadline_ns;
		sift_up(ns, nc->heap_index);
	}
}

void
netstack_timer_cancel(struct netstack *ns, struct netstack_conn *nc)
{
	uint32_t at = nc->heap_index;
	struct netstack_conn *last;

	if (at == NETSTACK_NO_INDEX)
		return;
	nc->heap_index = NETSTACK_NO_INDEX;
	last = ns->heap[--ns->heap_len];
	if (last == nc)
		return;
	place(ns, at, last);
	sift_up(ns, at);
	sift_down(ns, last->heap_index);
}

struct netstack_conn *
netstack_timer_expired(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_conn *nc;

	if (ns->heap_len == 0 || ns->heap[0]->deadline_ns > now_ns)
		return NULL;
	nc = ns->heap[0];
	netstack_timer_cancel(ns, nc);
	return nc;
}

uint64_t
netstack_timer_next(const struct netstack *ns)
{
	return ns->heap_len > 0 ? ns->heap[0]->deadline_ns : TIME_NEVER;
}
