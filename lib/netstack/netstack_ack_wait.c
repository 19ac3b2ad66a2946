/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

/*
 * ACKs that wait for more data wait equally long (tcp_ack.c), so they fall due in the order in which they
 * began to: a ring does for them what the heap of timers does for everything else. Most of them have
 * long been sent when their time comes, with the data that they waited for or with the next request;
 * those are passed over.
 */

static struct netstack_timer *
at(struct netstack *ns, uint32_t i)
{
	return &ns->ack_wait[i & (NETSTACK_ACK_WAIT_MAX - 1)];
}

/* It goes last, unless it began to wait before the last one did. */
static bool
has_place(struct netstack *ns, uint64_t deadline_ns)
{
	uint32_t waiting = ns->ack_wait_tail - ns->ack_wait_head;

	return waiting == 0 || (waiting < NETSTACK_ACK_WAIT_MAX &&
				       deadline_ns >= at(ns, ns->ack_wait_tail - 1)->deadline_ns);
}

void
netstack_ack_wait(struct netstack *ns, struct netstack_conn *nc, uint64_t deadline_ns)
{
	if (deadline_ns == TIME_NEVER || nc->ack_listed)
		return;
	if (!has_place(ns, deadline_ns)) {
		netstack_timer_set(ns, nc, deadline_ns);
		return;
	}
	*at(ns, ns->ack_wait_tail++) = (struct netstack_timer){deadline_ns, nc};
	nc->ack_listed = true;
}

struct netstack_conn *
netstack_ack_waited(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_conn *nc;
	uint64_t deadline_ns;

	while (netstack_ack_wait_next(ns) <= now_ns) {
		nc = at(ns, ns->ack_wait_head++)->conn;
		nc->ack_listed = false;
		if (!nc->in_use)
			continue;
		deadline_ns = tcp_conn_ack_deadline(nc->tcp);
		if (deadline_ns <= now_ns)
			return nc;
		netstack_ack_wait(ns, nc, deadline_ns);
	}
	return NULL;
}

uint64_t
netstack_ack_wait_next(const struct netstack *ns)
{
	if (ns->ack_wait_head == ns->ack_wait_tail)
		return TIME_NEVER;
	return ns->ack_wait[ns->ack_wait_head & (NETSTACK_ACK_WAIT_MAX - 1)].deadline_ns;
}
