/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "load_server.h"

enum action_kind {
	ACTION_ESTABLISH,
	ACTION_REFUSE,
	ACTION_SEND,
	ACTION_FIN,
	ACTION_RESET,
	ACTION_ROOM
};

struct server_action {
	uint64_t at_ns, order;
	enum action_kind kind;
	struct server_conn *conn;
	uint8_t *data;
	uint32_t len;
	int error;
};

/* -- The heap of actions. -- */

static bool
is_before(const struct server_action *a, const struct server_action *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void
swap(struct server_action *a, struct server_action *b)
{
	struct server_action t = *a;

	*a = *b;
	*b = t;
}

static void
push_action(struct server *s, const struct server_action *a)
{
	uint32_t i = s->actions++;

	if (s->actions > s->actions_room) {
		s->actions_room = 2 * s->actions_room + 64;
		s->action = realloc(s->action, s->actions_room * sizeof(*s->action));
		CHECK(s->action != NULL);
	}
	s->action[i] = *a;
	s->action[i].order = s->actions_made++;
	for (; i > 0 && is_before(&s->action[i], &s->action[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->action[i], &s->action[(i - 1) / 2]);
}

static struct server_action
pop_action(struct server *s)
{
	struct server_action first = s->action[0];
	uint32_t i = 0, child;

	s->action[0] = s->action[--s->actions];
	for (;;) {
		child = 2 * i + 1;
		if (child + 1 < s->actions && is_before(&s->action[child + 1], &s->action[child]))
			child++;
		if (child >= s->actions || !is_before(&s->action[child], &s->action[i]))
			return first;
		swap(&s->action[i], &s->action[child]);
		i = child;
	}
}

/* -- What a server does. -- */

static void
order(struct server_conn *c, uint64_t after_ns, struct server_action a)
{
	a.conn = c;
	a.at_ns = MAX_OF(c->server->now_ns + after_ns, c->last_ns);
	c->last_ns = a.at_ns;
	push_action(c->server, &a);
}

void
server_establish(struct server_conn *c, uint64_t after_ns)
{
	order(c, after_ns, (struct server_action){.kind = ACTION_ESTABLISH});
}

void
server_refuse(struct server_conn *c, uint64_t after_ns, int error)
{
	order(c, after_ns, (struct server_action){.kind = ACTION_REFUSE, .error = error});
}

void
server_send(struct server_conn *c, uint64_t after_ns, const void *data, uint32_t len)
{
	uint8_t *copy = malloc(len);

	CHECK(copy != NULL);
	memcpy(copy, data, len);
	order(c, after_ns, (struct server_action){.kind = ACTION_SEND, .data = copy, .len = len});
}

void
server_say(struct server_conn *c, uint64_t after_ns, const char *text)
{
	server_send(c, after_ns, text, (uint32_t)strlen(text));
}

void
server_fin(struct server_conn *c, uint64_t after_ns)
{
	order(c, after_ns, (struct server_action){.kind = ACTION_FIN});
}

void
server_reset(struct server_conn *c, uint64_t after_ns, int error)
{
	order(c, after_ns, (struct server_action){.kind = ACTION_RESET, .error = error});
}

static void
push_event(struct server_conn *c)
{
	struct server *s = c->server;

	if (c->event || c->released)
		return;
	c->event = true;
	c->event_next = NULL;
	if (s->event_last != NULL)
		s->event_last->event_next = c;
	else
		s->event_first = c;
	s->event_last = c;
}

static void
act(struct server *s, const struct server_action *a)
{
	struct server_conn *c = a->conn;

	if (c->released || c->ended)
		return;
	switch (a->kind) {
	case ACTION_ESTABLISH:
		c->established = true;
		s->established++;
		break;
	case ACTION_REFUSE:
	case ACTION_RESET:
		c->ended = true;
		c->error = a->error;
		break;
	case ACTION_SEND:
		if (c->fin)
			return;
		CHECK(c->pieces < SERVER_PIECES);
		c->piece[(c->piece_first + c->pieces++) % SERVER_PIECES] =
			test_buffer_make(&s->buffers, a->data, a->len);
		break;
	case ACTION_FIN:
		c->fin = true;
		break;
	case ACTION_ROOM:
		c->room = s->send_room;
		c->room_ordered = false;
		break;
	}
	push_event(c);
}

uint64_t
server_next_ns(const struct server *s)
{
	return s->actions > 0 ? s->action[0].at_ns : TIME_NEVER;
}

void
server_advance(struct server *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	while (server_next_ns(s) <= now_ns) {
		struct server_action a = pop_action(s);

		act(s, &a);
		free(a.data);
	}
}

/* -- The transport. -- */

static struct server_conn *
conn_of(const struct transport_conn *t)
{
	struct server_conn *c = (struct server_conn *)(uintptr_t)t;

	CHECK(!c->released);
	c->server->calls++;
	return c;
}

static int
op_connect(void *ctx, const struct ip_address *remote, uint16_t remote_port, void *user,
	uint64_t now_ns, struct transport_conn **ret)
{
	struct server *s = ctx;
	struct server_conn *c = calloc(1, sizeof(*c));
	int rc;

	CHECK(c != NULL && now_ns == s->now_ns);
	s->calls++;
	*c = (struct server_conn){
		.server = s,
		.next = s->conns,
		.user = user,
		.number = s->connects++,
		.remote = *remote,
		.remote_port = remote_port,
		.opened_ns = now_ns,
		.room = s->send_room,
	};
	s->conns = c;
	rc = s->on_connect != NULL ? s->on_connect(s, c) : 0;
	if (rc != 0) {
		c->released = true;
		return rc;
	}
	if (!c->quiet)
		server_establish(c, s->connect_ns);
	s->live++;
	s->live_max = MAX_OF(s->live_max, s->live);
	*ret = (struct transport_conn *)c;
	return 0;
}

static bool
op_established(const struct transport_conn *t)
{
	return conn_of(t)->established;
}

static bool
op_ended(const struct transport_conn *t)
{
	return conn_of(t)->ended;
}

static int
op_error(const struct transport_conn *t)
{
	return conn_of(t)->error;
}

static bool
op_reusable(const struct transport_conn *t)
{
	const struct server_conn *c = conn_of(t);

	return c->established && !c->ended && !c->fin && c->pieces == 0;
}

static void
take_byte(struct server *s, struct server_conn *c, char byte)
{
	if (c->head_len < SERVER_HEAD_MAX - 1) {
		c->head[c->head_len++] = byte;
		c->head[c->head_len] = '\0';
	}
	c->last = c->last << 8 | (uint8_t)byte;
	if (c->last != 0x0d0a0d0a) /* the empty line */
		return;
	c->head_len = c->last = 0;
	s->requests++;
	if (s->on_request != NULL)
		s->on_request(s, c, c->requests, c->head);
	else
		server_say(c, s->response_ns, SERVER_OK);
	c->requests++;
}

static uint32_t
op_send(void *ctx, struct transport_conn *t, const void *data, uint32_t len)
{
	struct server *s = ctx;
	struct server_conn *c = conn_of(t);
	uint32_t i;

	CHECK(c->established && len > 0);
	s->sends++;
	if (c->ended)
		return 0;
	if (s->send_room > 0 && len > c->room) {
		len = c->room;
		if (!c->room_ordered)
			push_action(s, &(struct server_action){.kind = ACTION_ROOM,
					       .at_ns = s->now_ns + s->room_ns,
					       .conn = c});
		c->room_ordered = true;
	}
	c->room -= s->send_room > 0 ? len : 0;
	for (i = 0; i < len; i++)
		take_byte(s, c, ((const char *)data)[i]);
	return len;
}

static uint32_t
op_send_queued(const struct transport_conn *t)
{
	(void)conn_of(t);
	return 0;
}

static uint32_t
op_recv(void *ctx, struct transport_conn *t, struct payload *ret, uint32_t parts_max)
{
	struct server_conn *c = conn_of(t);
	uint32_t n;

	(void)ctx;
	for (n = 0; n < parts_max && c->pieces > 0; n++, c->pieces--) {
		ret[n] = c->piece[c->piece_first];
		c->piece_first = (c->piece_first + 1) % SERVER_PIECES;
		c->read_bytes += ret[n].len;
		c->read_parts++;
	}
	return n;
}

static bool
op_recv_ready(const struct transport_conn *t)
{
	return conn_of(t)->pieces > 0;
}

static bool
op_recv_finished(const struct transport_conn *t)
{
	const struct server_conn *c = conn_of(t);

	return c->fin && c->pieces == 0;
}

static void
op_consumed(void *ctx, struct transport_conn *t, uint32_t bytes, uint32_t parts)
{
	struct server_conn *c = conn_of(t);

	(void)ctx;
	c->consumed_bytes += bytes;
	c->consumed_parts += parts;
	CHECK(c->consumed_bytes <= c->read_bytes && c->consumed_parts <= c->read_parts);
}

static void
drop_pieces(struct server_conn *c)
{
	for (; c->pieces > 0; c->pieces--) {
		test_buffer_release(&c->server->buffers, c->piece[c->piece_first].owner);
		c->piece_first = (c->piece_first + 1) % SERVER_PIECES;
	}
}

static void
drop_event(struct server *s, struct server_conn *c)
{
	struct server_conn **at = &s->event_first, *last = NULL;

	if (!c->event)
		return;
	for (; *at != c; at = &(*at)->event_next)
		last = *at;
	*at = c->event_next;
	if (s->event_last == c)
		s->event_last = last;
	c->event = false;
}

static void
op_release(void *ctx, struct transport_conn *t, bool abort, uint64_t now_ns)
{
	struct server *s = ctx;
	struct server_conn *c = conn_of(t);

	(void)now_ns;
	CHECK(c->consumed_bytes == c->read_bytes && c->consumed_parts == c->read_parts);
	drop_pieces(c);
	drop_event(s, c);
	c->released = true;
	c->aborted = abort;
	s->aborts += abort;
	s->live--;
}

static struct transport_conn *
op_event_next(void *ctx, void **ret_user)
{
	struct server *s = ctx;
	struct server_conn *c = s->event_first;

	s->calls++;
	if (c == NULL)
		return NULL;
	s->event_first = c->event_next;
	if (s->event_first == NULL)
		s->event_last = NULL;
	c->event = false;
	*ret_user = c->user;
	return (struct transport_conn *)c;
}

static const struct transport_ops server_ops = {
	.connect = op_connect,
	.established = op_established,
	.ended = op_ended,
	.error = op_error,
	.reusable = op_reusable,
	.send = op_send,
	.send_queued = op_send_queued,
	.recv = op_recv,
	.recv_ready = op_recv_ready,
	.recv_finished = op_recv_finished,
	.consumed = op_consumed,
	.release = op_release,
	.event_next = op_event_next,
};

void
server_init(struct server *s)
{
	*s = (struct server){
		.connect_ns = 10 * NS_PER_US,
		.response_ns = 100 * NS_PER_US,
		.room_ns = 20 * NS_PER_US,
	};
	s->transport = (struct transport){
		.ops = &server_ops,
		.ctx = s,
		.release = test_buffer_release,
		.release_ctx = &s->buffers,
	};
}

void
server_end(struct server *s)
{
	struct server_conn *c;

	CHECK(s->live == 0);
	CHECK(test_buffers_live(&s->buffers) == 0);
	while (s->actions > 0) {
		struct server_action a = pop_action(s);

		free(a.data);
	}
	free(s->action);
	while ((c = s->conns) != NULL) {
		s->conns = c->next;
		free(c);
	}
}
