/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "kernel_priv.h"

/*
 * A turn is the time from one wait to the next. In each, a connection reads KERNEL_READS_PER_WAIT
 * times at most; with fewer free buffers than connections that want one, those that wait get them
 * first, in the order in which they came. A promise holds for one turn: a connection that does not
 * read then has lost its place, so that none can keep the others, or the wait, from going on.
 */

void
kernel_turn_leave(struct kernel_transport *kt, struct transport_conn *c)
{
	switch (c->waits) {
	case KERNEL_WAIT_NONE:
		break;
	case KERNEL_WAIT_TURN:
		TAILQ_REMOVE(&kt->spent, c, wait_link);
		break;
	case KERNEL_WAIT_BUFFER:
		TAILQ_REMOVE(&kt->starved, c, wait_link);
		kt->starved_count--;
		break;
	}
	c->waits = KERNEL_WAIT_NONE;
	if (c->promised == kt->turn)
		kt->promised--;
	c->promised = 0;
}

static void
hold(struct kernel_transport *kt, struct transport_conn *c, enum kernel_wait_reason why)
{
	if (c->waits == why)
		return;
	kernel_turn_leave(kt, c);
	c->waits = why;
	if (why == KERNEL_WAIT_TURN) {
		TAILQ_INSERT_TAIL(&kt->spent, c, wait_link);
	} else {
		TAILQ_INSERT_TAIL(&kt->starved, c, wait_link);
		kt->starved_count++;
	}
}

/* Is there a buffer for c beyond those that others wait for? */
static bool
may_take(const struct kernel_transport *kt, const struct transport_conn *c)
{
	uint32_t others = kt->starved_count + kt->promised;

	if (c->promised == kt->turn)
		return kt->pool.free_count > 0;
	if (c->waits == KERNEL_WAIT_BUFFER)
		others--;
	return kt->pool.free_count > others;
}

struct kernel_buffer *
kernel_turn_take(struct kernel_transport *kt, struct transport_conn *c)
{
	if (c->turn != kt->turn) {
		c->turn = kt->turn;
		c->reads = 0;
	}
	if (c->reads == KERNEL_READS_PER_WAIT) {
		hold(kt, c, KERNEL_WAIT_TURN);
		return NULL;
	}
	if (!may_take(kt, c)) {
		hold(kt, c, KERNEL_WAIT_BUFFER);
		return NULL;
	}
	kernel_turn_leave(kt, c);
	c->reads++;
	return kernel_pool_take(&kt->pool);
}

uint32_t
kernel_turn_begin(struct kernel_transport *kt)
{
	struct transport_conn *c;
	uint32_t n = 0;

	kt->turn++;
	kt->promised = 0;
	while ((c = TAILQ_FIRST(&kt->spent)) != NULL) {
		kernel_turn_leave(kt, c);
		kernel_transport_queue_event(kt, c);
		n++;
	}
	while (kt->promised < kt->pool.free_count && (c = TAILQ_FIRST(&kt->starved)) != NULL) {
		kernel_turn_leave(kt, c);
		c->promised = kt->turn;
		kt->promised++;
		kernel_transport_queue_event(kt, c);
		n++;
	}
	return n;
}
