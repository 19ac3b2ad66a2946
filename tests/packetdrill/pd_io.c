/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "pd.h"

/* All that is in order comes over to the socket, where MSG_PEEK can look at it. */
static void
pull(struct pd_socket *s)
{
	struct pd_received run, *kept;

	while (s->nc != NULL && pd_stack_recv(s->nc, &run.data, &run.len, &run.owner)) {
		kept = malloc(sizeof(*kept));
		if (kept == NULL)
			abort();
		run.next = NULL;
		*kept = run;
		*s->received_tail = kept;
		s->received_tail = &kept->next;
	}
}

uint32_t
pd_io_readable(struct pd_socket *s)
{
	const struct pd_received *run;
	uint32_t bytes = 0;

	pull(s);
	for (run = s->received; run != NULL; run = run->next)
		bytes += run->len;
	return bytes;
}

/* Takes up to len bytes off the front. */
static void
consume(struct pd *p, struct pd_socket *s, size_t len)
{
	struct pd_received *run;
	uint32_t part;

	while (len > 0 && (run = s->received) != NULL) {
		part = (uint32_t)MIN_OF(len, (size_t)run->len);
		run->data += part;
		run->len -= part;
		len -= part;
		pd_stack_consumed(p->stack, s->nc, part, run->len == 0 ? run->owner : NULL);
		if (run->len > 0)
			return;
		s->received = run->next;
		if (s->received == NULL)
			s->received_tail = &s->received;
		free(run);
	}
}

void
pd_io_drop(struct pd *p, struct pd_socket *s)
{
	struct pd_received *run;

	while ((run = s->received) != NULL) {
		s->received = run->next;
		pd_stack_drop(p->stack, run->owner);
		free(run);
	}
	s->received_tail = &s->received;
}

/* Copies runs into the operation's buffers; MSG_TRUNC: only counts. */
static size_t
copy_out(const struct pd_op *op, const struct pd_received *run)
{
	size_t i, at, offset = 0, copied = 0, part;

	for (i = 0; i < op->iov_count; i++) {
		for (at = 0; run != NULL && at < op->iov[i].iov_len; at += part) {
			part = MIN_OF(run->len - offset, op->iov[i].iov_len - at);
			if (!(op->flags & MSG_TRUNC))
				memcpy((uint8_t *)op->iov[i].iov_base + at, run->data + offset,
					part);
			copied += part;
			offset += part;
			if (offset == run->len) {
				run = run->next;
				offset = 0;
			}
		}
	}
	return copied;
}

static size_t
room_of(const struct pd_op *op)
{
	size_t i, room = 0;

	for (i = 0; i < op->iov_count; i++)
		room += op->iov[i].iov_len;
	return room;
}

/* What a read gives when there is no data. */
static long
nothing_to_read(struct pd_socket *s)
{
	struct pd_look look;
	int error;

	if (s->nc == NULL)
		return -ENOTCONN;
	if (pd_stack_recv_finished(s->nc) || s->shut_rd)
		return 0;
	error = pd_socket_error(s);
	if (error != 0)
		return -error;
	pd_stack_look(s->nc, &look);
	return look.state == PD_CLOSED ? 0 : -EAGAIN;
}

long
pd_io_read(struct pd *p, struct pd_op *op)
{
	struct pd_socket *s = op->s;
	size_t readable, room = room_of(op), copied;

	if (s->kind == PD_LISTENER)
		return -ENOTCONN;
	if (op->flags & (MSG_OOB | MSG_ERRQUEUE))
		return op->flags & MSG_OOB ? -EINVAL : -EAGAIN;
	readable = pd_io_readable(s);
	if (readable == 0)
		return room == 0 && s->nc != NULL ? 0 : nothing_to_read(s);
	if ((op->flags & MSG_WAITALL) && readable < room && nothing_to_read(s) == -EAGAIN)
		return -EAGAIN;
	copied = copy_out(op, s->received);
	if (!(op->flags & MSG_PEEK))
		consume(p, s, copied);
	return (long)copied;
}

/* 0: bytes may be queued; else what the call gives. */
static long
not_writable(struct pd_socket *s)
{
	struct pd_look look;
	int error;

	if (s->kind == PD_LISTENER || s->nc == NULL)
		return -EPIPE;
	error = pd_socket_error(s);
	if (error != 0)
		return -error;
	pd_stack_look(s->nc, &look);
	if (look.state == PD_SYN_SENT || look.state == PD_SYN_RECEIVED)
		return -EAGAIN;
	if (s->shut_wr || (look.state != PD_ESTABLISHED && look.state != PD_CLOSE_WAIT))
		return -EPIPE;
	return 0;
}

/* Queues what finds room of the bytes after op->progress. */
static void
gather(struct pd *p, struct pd_op *op)
{
	size_t i, skip = op->progress, len;
	uint32_t taken;

	for (i = 0; i < op->iov_count; i++) {
		len = op->iov[i].iov_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		taken = pd_stack_send(p->stack, op->s->nc,
			(const uint8_t *)op->iov[i].iov_base + skip, (uint32_t)(len - skip),
			op->s->sndbuf);
		op->progress += taken;
		if (taken < len - skip)
			return;
		skip = 0;
	}
}

long
pd_io_write(struct pd *p, struct pd_op *op)
{
	long result = not_writable(op->s);
	size_t all = room_of(op);

	if (result != 0)
		return op->progress > 0 ? (long)op->progress : result;
	gather(p, op);
	if (op->progress == all)
		return (long)all;
	/* A call that does not block says what it did so far. */
	if (((op->s->status_flags & O_NONBLOCK) || (op->flags & MSG_DONTWAIT)) && op->progress > 0)
		return (long)op->progress;
	return -EAGAIN;
}

long
pd_io_poll(struct pd *p, struct pd_op *op)
{
	long ready = 0;
	size_t i;

	for (i = 0; i < op->polled_count; i++) {
		struct pollfd *polled = &op->polled[i];
		struct pd_socket *s = pd_socket_find(p, polled->fd);

		polled->revents = s == NULL ? POLLNVAL : pd_socket_events(p, s);
		polled->revents &= (short)(polled->events | POLLERR | POLLHUP | POLLNVAL);
		ready += polled->revents != 0;
	}
	return ready > 0 ? ready : -EAGAIN;
}
