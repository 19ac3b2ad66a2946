/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_check.h"
#include "load_priv.h"

/* What became of the bytes that came. */
enum verdict {
	VERDICT_GO_ON,
	VERDICT_LAST, /* a response is whole after which the connection is of no more use */
	VERDICT_BAD, /* no HTTP, over a limit, or more than was asked for */
	VERDICT_UNASKED, /* bytes while no request was under way */
};

void
load_conn_expect_response(struct load *l, struct load_conn *c)
{
	c->began = 0;
	http_response_reset(c->response,
		c->count > 0 && load_request_target(l, load_conn_request(l, c, 0))->is_head);
}

/* -- Requests leave the ring. -- */

static void
pop(struct load *l, struct load_conn *c)
{
	load_list_remove(&load_conn_request(l, c, 0)->link);
	c->first = c->first + 1U < l->cfg.pipeline ? (uint8_t)(c->first + 1U) : 0;
	c->count--;
	if (c->out > 0)
		c->out--;
	else
		c->out_bytes = 0;
}

static void
fail_first(struct load *l, struct load_conn *c, enum load_error error)
{
	load_stats_on_error(l, load_conn_request(l, c, 0), error);
	pop(l, c);
	c->began = 0;
}

static void
fail_all(struct load *l, struct load_conn *c, enum load_error error)
{
	while (c->count > 0)
		fail_first(l, c, error);
}

/* RFC 9112 §9.3.1: a connection that has worked may be closed at any time, and what it has not begun
 * to answer is sent again, once. The others fail; those that are left go out on the next one. */
static void
settle(struct load *l, struct load_conn *c)
{
	uint32_t i;

	while (c->count > 0) {
		if (c->answered && !c->began && !load_conn_request(l, c, 0)->resent)
			break;
		fail_first(l, c, c->out > 0 || c->began ? LOAD_ERROR_RECEIVE : LOAD_ERROR_SEND);
	}
	for (i = 0; i < c->count; i++)
		load_conn_request(l, c, i)->resent = true;
}

/* -- Connections come and go. -- */

static void
let_go(struct load *l, struct load_conn *c, bool abort, uint64_t now_ns)
{
	load_conn_leave_list(c);
	if (c->state == LOAD_CONN_OPEN)
		l->open--;
	c->state = LOAD_CONN_CLOSED;
	if (c->transport != NULL)
		load_ops(l)->release(l->cfg.transport.ctx, c->transport, abort, now_ns);
	c->transport = NULL;
}

static void
rest(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	CHECK(c->count == 0 && c->transport == NULL);
	c->state = LOAD_CONN_WAITING;
	c->at_ns = now_ns;
	load_list_append(&l->waiting, &c->link);
}

static void
reopen(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	if (c->count > 0 || load_wants_requests(l))
		load_conn_open(l, c, now_ns);
}

static void
on_connect_failed(struct load *l, struct load_conn *c, int error, uint64_t now_ns)
{
	LOAD_COUNT(l, load_is_measuring(l), errors[LOAD_ERROR_CONNECT], 1);
	fail_all(l, c, LOAD_ERROR_RECEIVE); /* what the connection before had left */
	l->last_error = error;
	l->failed += !c->failed;
	c->failed = 1;
	let_go(l, c, true, now_ns);
	rest(l, c, now_ns);
}

static void
choose_endpoint(struct load *l, struct load_conn *c)
{
	if (c->endpoint != LOAD_ENDPOINT_NONE)
		load_mix_leave(&l->mix, c->endpoint);
	c->endpoint = load_mix_join(&l->mix);
}

void
load_conn_open(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	const struct load_target *t;
	int rc;

	CHECK(c->transport == NULL);
	if (c->count == 0)
		choose_endpoint(l, c);
	t = &l->mix.target[l->mix.endpoint[c->endpoint].first];
	c->served = 0;
	c->out = 0;
	c->out_bytes = 0;
	c->answered = c->blocked = 0;
	load_conn_expect_response(l, c);
	rc = load_ops(l)->connect(
		l->cfg.transport.ctx, &t->remote, t->remote_port, c, now_ns, &c->transport);
	if (rc == -EINPROGRESS) { /* not an attempt yet */
		c->transport = NULL;
		fail_all(l, c, LOAD_ERROR_RECEIVE);
		rest(l, c, now_ns);
		return;
	}
	LOAD_COUNT(l, load_is_measuring(l), connects, 1);
	if (rc != 0) {
		c->transport = NULL;
		on_connect_failed(l, c, rc, now_ns);
		return;
	}
	c->state = LOAD_CONN_CONNECTING;
	c->at_ns = now_ns;
	load_list_append(&l->connecting, &c->link);
}

/* The connection is gone, or of no more use. announced: by its last response; else the server just
 * closed it. */
static void
on_end(struct load *l, struct load_conn *c, bool announced, bool abort, uint64_t now_ns)
{
	bool was_idle = c->count == 0, was_used = c->served > 0;

	settle(l, c);
	if ((was_idle && !announced) || c->count > 0)
		LOAD_COUNT(l, load_is_measuring(l), disconnects, 1);
	let_go(l, c, abort, now_ns);
	if (was_used)
		reopen(l, c, now_ns);
	else
		rest(l, c, now_ns);
}

static void
on_unasked(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	bool was_used = c->served > 0;

	LOAD_COUNT(l, load_is_measuring(l), unasked, 1);
	settle(l, c);
	let_go(l, c, true, now_ns);
	if (was_used)
		reopen(l, c, now_ns);
	else
		rest(l, c, now_ns);
}

/* All requests on it fail for one reason, and we end it. */
static void
on_failure(struct load *l, struct load_conn *c, enum load_error error, uint64_t now_ns)
{
	fail_all(l, c, error);
	let_go(l, c, true, now_ns);
	reopen(l, c, now_ns);
}

/* true: it is established. */
static bool
on_connecting(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	int error;

	if (load_ops(l)->established(c->transport)) {
		load_list_remove(&c->link);
		c->state = LOAD_CONN_OPEN;
		l->open++;
		l->ever_connected = true;
		load_stats_on_established(l, c->at_ns, now_ns);
		return true;
	}
	error = load_ops(l)->error(c->transport);
	if (error != 0 || load_ops(l)->ended(c->transport))
		on_connect_failed(l, c, error != 0 ? error : -ECONNABORTED, now_ns);
	return false;
}

/* -- Receiving. -- */

/* The oldest request's response is whole. true: the connection may carry more. */
static bool
on_response(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	bool goes_on = c->out > 0 && http_response_keep_alive(c->response);

	load_stats_on_response(
		l, load_conn_request(l, c, 0), http_response_status(c->response), c->at_ns, now_ns);
	pop(l, c);
	c->answered = 1;
	load_conn_expect_response(l, c);
	return goes_on;
}

/* To the end of a response or of the part. The body goes nowhere. Advances *at. */
static enum http_status_event
feed(struct load *l, struct load_conn *c, const struct payload *part, uint32_t *at)
{
	struct http_response *r = c->response;
	uint64_t header_bytes = http_response_header_bytes(r);
	uint64_t body_bytes = http_response_body_bytes(r);
	enum http_status_event event = HTTP_NEED_MORE;
	uint32_t used, body_len;
	const uint8_t *body;

	while (*at < part->len && event != HTTP_COMPLETE && event != HTTP_ERROR) {
		if (part->len - *at < http_response_plain_ahead(r)) {
			http_response_skip(r, part->len - *at);
			*at = part->len;
			break;
		}
		event = http_response_feed(
			r, part->data + *at, part->len - *at, &used, &body, &body_len);
		*at += used;
	}
	LOAD_COUNT(l, load_is_measuring(l), header_bytes,
		http_response_header_bytes(r) - header_bytes);
	LOAD_COUNT(l, load_is_measuring(l), body_bytes, http_response_body_bytes(r) - body_bytes);
	return event;
}

/* more: another part has come with it. */
static enum verdict
take_part(
	struct load *l, struct load_conn *c, const struct payload *part, bool more, uint64_t now_ns)
{
	uint32_t at = 0;

	while (at < part->len) {
		if (load_conn_begun(c) == 0)
			return VERDICT_UNASKED;
		if (!c->began)
			c->at_ns = now_ns;
		c->began = 1;
		switch (feed(l, c, part, &at)) {
		case HTTP_NEED_MORE:
		case HTTP_BODY:
			break;
		case HTTP_ERROR:
			return VERDICT_BAD;
		case HTTP_COMPLETE:
			if (load_conn_begun(c) == 1 && (more || at < part->len))
				return VERDICT_BAD;
			if (!on_response(l, c, now_ns))
				return VERDICT_LAST;
			break;
		}
	}
	return VERDICT_GO_ON;
}

/* Those of the first n parts that are nothing but body need no parser. Returns how many. */
static uint32_t
take_plain_parts(struct load *l, struct load_conn *c, uint32_t n)
{
	uint64_t ahead = http_response_plain_ahead(c->response), bytes = 0;
	uint32_t i;

	for (i = 0; i < n && bytes + l->part[i].len < ahead; i++)
		bytes += l->part[i].len;
	if (i == 0)
		return 0;
	http_response_skip(c->response, bytes);
	LOAD_COUNT(l, load_is_measuring(l), body_bytes, bytes);
	return i;
}

static enum verdict
receive(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	const struct transport *t = &l->cfg.transport;
	enum verdict verdict = VERDICT_GO_ON;
	uint32_t i, n, plain, bytes;

	while (verdict == VERDICT_GO_ON && t->ops->recv_ready(c->transport)) {
		n = t->ops->recv(t->ctx, c->transport, l->part, LOAD_PARTS);
		if (n == 0)
			break;
		plain = take_plain_parts(l, c, n);
		for (i = 0, bytes = 0; i < n; i++) {
			if (i >= plain && verdict == VERDICT_GO_ON)
				verdict = take_part(l, c, &l->part[i], i + 1 < n, now_ns);
			bytes += l->part[i].len;
			if (l->part[i].owner != NULL)
				t->release(t->release_ctx, l->part[i].owner);
		}
		t->ops->consumed(t->ctx, c->transport, bytes, n);
	}
	return verdict;
}

/* RFC 9112 §6.3 item 8: the FIN is the body's end. */
static bool
on_fin_completes(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	if (!c->began || http_response_finish(c->response) != HTTP_COMPLETE)
		return false;
	(void)on_response(l, c, now_ns);
	return true;
}

/* -- Events. -- */

static void
on_open(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	switch (receive(l, c, now_ns)) {
	case VERDICT_GO_ON:
		break;
	case VERDICT_LAST:
		on_end(l, c, true, false, now_ns);
		return;
	case VERDICT_BAD:
		on_failure(l, c, LOAD_ERROR_HTTP, now_ns);
		return;
	case VERDICT_UNASKED:
		on_unasked(l, c, now_ns);
		return;
	}
	if (load_ops(l)->recv_finished(c->transport)) { /* a reset after the FIN harms nobody */
		on_end(l, c, on_fin_completes(l, c, now_ns), false, now_ns);
		return;
	}
	if (load_ops(l)->error(c->transport) != 0 || load_ops(l)->ended(c->transport)) {
		on_end(l, c, false, true, now_ns);
		return;
	}
	if (c->count == 0 && load_conn_is_used_up(l, c)) {
		let_go(l, c, false, now_ns);
		reopen(l, c, now_ns);
		return;
	}
	load_conn_send(l, c, now_ns);
}

void
load_conn_on_event(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	switch ((enum load_conn_state)c->state) {
	case LOAD_CONN_CLOSED:
	case LOAD_CONN_WAITING:
		return;
	case LOAD_CONN_CONNECTING:
		if (!on_connecting(l, c, now_ns))
			return;
		break;
	case LOAD_CONN_OPEN:
		break;
	}
	on_open(l, c, now_ns);
}

void
load_conn_on_connect_timeout(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	on_connect_failed(l, c, -ETIMEDOUT, now_ns);
}

void
load_conn_on_request_timeout(struct load *l, struct load_conn *c, uint64_t now_ns)
{
	on_failure(l, c, LOAD_ERROR_TIMEOUT, now_ns);
}

void
load_conn_give_up(struct load *l, struct load_conn *c, bool abort, uint64_t now_ns)
{
	let_go(l, c, abort || c->count > 0 || c->state == LOAD_CONN_CONNECTING, now_ns);
}
