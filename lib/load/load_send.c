/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "load_priv.h"

/* -- Connections that a planned request may take. -- */

void
load_conn_leave_list(struct load_conn *c)
{
	load_list_remove(&c->link);
	c->listed = LOAD_LISTED_NOT;
}

static bool
has_room(const struct load *l, const struct load_conn *c)
{
	return !c->blocked && c->count < l->cfg.pipeline && !load_conn_is_used_up(l, c);
}

/* Keeps the place in the list that it is in already. */
static void
enter_list(struct load *l, struct load_conn *c)
{
	enum load_listed want = LOAD_LISTED_NOT;

	if (has_room(l, c))
		want = c->count == 0 ? LOAD_LISTED_IDLE : LOAD_LISTED_ROOM;
	if (c->listed == want)
		return;
	load_conn_leave_list(c);
	c->listed = (uint8_t)want & 3U; /* it fits */
	if (want != LOAD_LISTED_NOT)
		load_list_append(want == LOAD_LISTED_IDLE ? &l->idle : &l->room, &c->link);
}

/* -- Bytes. -- */

/* What is left to be sent of request number `number`, c->out or later. */
static const char *
unsent_part(const struct load *l, const struct load_conn *c, uint32_t number, uint32_t *ret_len)
{
	const struct load_target *t = load_request_target(l, load_conn_request(l, c, number));
	uint32_t sent = number == c->out ? c->out_bytes : 0;

	*ret_len = t->request_len - sent;
	return t->request + sent;
}

/* The requests from c->out on, to number end, as far as they fit. *ret_data: them, side by side.
 * Returns how many bytes; at least the first is among them. */
static uint32_t
gather(struct load *l, const struct load_conn *c, uint32_t end, const char **ret_data)
{
	uint32_t i, n, len = 0;
	const char *data;

	*ret_data = unsent_part(l, c, c->out, &n);
	if (end - c->out == 1 || n > LOAD_BATCH_BYTES)
		return n;
	for (i = c->out; i < end; i++) {
		data = unsent_part(l, c, i, &n);
		if (n > LOAD_BATCH_BYTES - len)
			break;
		memcpy(l->batch + len, data, n);
		len += n;
	}
	*ret_data = l->batch;
	return len;
}

/* The transport has taken so many bytes of the requests from c->out on. */
static void
on_taken(struct load *l, struct load_conn *c, uint32_t taken)
{
	uint32_t left, n;

	LOAD_COUNT(l, load_is_measuring(l), request_bytes, taken);
	for (; taken > 0; taken -= n) {
		(void)unsent_part(l, c, c->out, &left);
		n = MIN_OF(left, taken);
		c->served += c->out_bytes == 0;
		c->out_bytes += n;
		if (n == left) {
			c->out++;
			c->out_bytes = 0;
		}
	}
}

/* The transport takes what it will of the requests before number end: in one call if they are small,
 * as over sockets each is a system call. */
static void
hand_over(struct load *l, struct load_conn *c, uint32_t end)
{
	uint32_t len, taken;
	const char *data;

	while (!c->blocked && c->out < end) {
		len = gather(l, c, end, &data);
		taken = load_ops(l)->send(l->cfg.transport.ctx, c->transport, data, len);
		c->blocked = taken < len;
		on_taken(l, c, taken);
	}
}

/* -- Requests. -- */

/* Begins up to n requests, for which there is room. Returns how many: those of which the transport has
 * taken a byte. */
static uint32_t
begin_requests(struct load *l, struct load_conn *c, uint32_t n, uint64_t planned_ns, bool measured,
	uint64_t now_ns)
{
	uint32_t before = c->count, i;

	CHECK(c->out == before && c->out_bytes == 0);
	for (i = 0; i < n; i++)
		*load_conn_request(l, c, before + i) = (struct load_request){
			.start_ns = now_ns,
			.planned_ns = planned_ns,
			.target = load_mix_target(&l->mix, c->endpoint),
			.measured = measured,
		};
	hand_over(l, c, before + n);
	while (c->count < load_conn_begun(c)) {
		struct load_request *q = load_conn_request(l, c, c->count++);

		load_list_append(&l->under_way, &q->link);
		load_stats_on_request(l, q);
	}
	if (before == 0 && c->count > 0 &&
		load_request_target(l, load_conn_request(l, c, 0))->is_head)
		load_conn_expect_response(l, c); /* what it stood before had a body */
	return c->count - before;
}

/* Closed loop: how many requests it may begin. */
static uint32_t
allowance(const struct load *l, const struct load_conn *c)
{
	uint64_t n = l->cfg.pipeline - c->count;

	if (!has_room(l, c) || !load_wants_requests(l))
		return 0;
	if (l->cfg.requests_per_connection > 0)
		n = MIN_OF(n, l->cfg.requests_per_connection - c->served);
	if (l->cfg.requests_max > 0 && load_is_measuring(l))
		n = MIN_OF(n, l->cfg.requests_max - l->stats.counts.requests);
	return (uint32_t)n;
}

void
load_conn_send(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	uint32_t n;

	c->blocked = 0;
	hand_over(l, c, c->count);
	if (load_is_open_loop(l)) {
		enter_list(l, c);
		return;
	}
	n = allowance(l, c);
	if (n > 0)
		(void)begin_requests(l, c, n, now_ns, load_is_measuring(l), now_ns);
}

void
load_conn_take_planned(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	struct load_schedule *s = &l->schedule;
	bool measured = load_is_measuring(l) && s->sent >= s->measured_from;
	uint64_t planned_ns = load_schedule_request_ns(l, s->sent);

	load_conn_leave_list(c); /* and to its end: in turn */
	s->sent += begin_requests(l, c, 1, planned_ns, measured, now_ns);
	enter_list(l, c);
}
