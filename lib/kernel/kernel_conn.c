/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <sys/socket.h>

#include "base_check.h"
#include "kernel_priv.h"

/*
 * Edges: epoll tells once that a socket has become readable or writable, and readable and writable
 * remember it until a call shows that it no longer is. For reading, a read that leaves part of its
 * buffer empty shows it, without another system call (epoll(7)); what comes afterwards is a new edge.
 *
 * An error is taken from the socket by whoever asks first. It is recv that shall, since it tells data
 * first, then a FIN, and an error only where no FIN came before. So nobody asks for SO_ERROR before
 * recv is at its end.
 */

/* A reset after the FIN is EPIPE (tcp_reset); to us it is a reset like any. */
static int
error_of(int number)
{
	return number == EPIPE ? -ECONNRESET : -number;
}

static void
end_by_error(struct transport_conn *c, int number)
{
	c->ended = true;
	c->error = error_of(number);
}

/* recv returned 0: a FIN; or an error has closed the socket that send has been told already. */
static void
on_end_of_file(struct transport_conn *c)
{
	c->finished = c->send_error == 0 || c->send_error == EPIPE;
	if (c->send_error != 0)
		end_by_error(c, c->send_error);
	else if (c->hung_up)
		end_by_error(c, kernel_socket_error(c->fd));
}

/* recv returned this, and no byte. */
static void
on_drained(struct transport_conn *c, ssize_t got, int number)
{
	c->readable = false;
	if (got == 0)
		on_end_of_file(c);
	else if (number != EAGAIN)
		end_by_error(c, number);
}

static ssize_t
peek(const struct transport_conn *c)
{
	uint8_t byte;

	return recv(c->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
}

static void
on_established(struct transport_conn *c, uint64_t now_ns)
{
	if (c->established)
		return;
	c->established = true;
	c->writable = true;
	c->established_ns = now_ns;
}

/* Closed in both directions. What has been received comes first: it, or a FIN, or an error that only
 * an open connection has, also tells that there was a connection. */
static void
on_hang_up(struct transport_conn *c, uint64_t now_ns)
{
	ssize_t got = peek(c);
	int number = errno;

	if (got < 0 && number == EAGAIN) /* it is open after all */
		return;
	if (got >= 0 || number == ECONNRESET || number == EPIPE)
		on_established(c, now_ns);
	c->hung_up = true;
	c->read_to_end = true;
	c->readable = got > 0;
	if (got <= 0)
		on_drained(c, got, number);
}

void
kernel_conn_on_event(struct transport_conn *c, uint32_t events, uint64_t now_ns)
{
	if (c->ended)
		return;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		on_hang_up(c, now_ns);
		return;
	}
	if ((events & EPOLLOUT) != 0) {
		on_established(c, now_ns);
		c->writable = true;
	}
	if ((events & (EPOLLRDHUP | EPOLLPRI)) != 0)
		c->read_to_end = true;
	if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 && !c->finished)
		c->readable = true;
}

static int
register_events(struct kernel_transport *kt, struct transport_conn *c)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
		.data = {.ptr = c},
	};

	return epoll_ctl(kt->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) == 0 ? 0 : -errno;
}

/* After connect: a socket that is not yet connecting counts as hung up. */
static int
open_socket(struct kernel_transport *kt, struct transport_conn *c, const struct ip_address *remote,
	uint16_t remote_port)
{
	int fd = kernel_socket_open(&kt->options, remote->family), rc;

	if (fd < 0)
		return fd;
	c->fd = fd;
	rc = kernel_socket_connect(&kt->options, fd, remote, remote_port);
	if (rc == 0)
		rc = register_events(kt, c);
	if (rc != 0)
		kernel_socket_close(fd, true);
	return rc;
}

static int
start(void *ctx, const struct ip_address *remote, uint16_t remote_port, void *user, uint64_t now_ns,
	struct transport_conn **ret)
{
	struct kernel_transport *kt = ctx;
	struct transport_conn *c = TAILQ_FIRST(&kt->free);
	int rc;

	if (c == NULL)
		return -ENOBUFS;
	*c = (struct transport_conn){
		.fd = -1, .user = user, .syn_sent_ns = now_ns, .link = c->link};
	rc = open_socket(kt, c, remote, remote_port);
	if (rc != 0) {
		c->fd = -1;
		return rc;
	}
	TAILQ_REMOVE(&kt->free, c, link);
	*ret = c;
	return 0;
}

static bool
established(const struct transport_conn *c)
{
	return c->established;
}

static bool
ended(const struct transport_conn *c)
{
	return c->ended;
}

static int
error(const struct transport_conn *c)
{
	return c->error;
}

static bool
reusable(const struct transport_conn *c)
{
	if (!c->established || c->ended || c->finished || c->read_to_end || c->send_error != 0)
		return false;
	return !c->readable || (peek(c) < 0 && errno == EAGAIN);
}

static uint32_t
send_some(void *ctx, struct transport_conn *c, const void *data, uint32_t len)
{
	ssize_t taken;

	(void)ctx;
	if (!c->writable || c->hung_up || c->send_error != 0)
		return 0;
	taken = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (taken >= 0)
		return (uint32_t)taken;
	if (errno == EAGAIN)
		c->writable = false;
	else
		c->send_error = errno; /* the edge of what happened is still to come */
	return 0;
}

static uint32_t
send_queued(const struct transport_conn *c)
{
	return kernel_socket_send_queued(c->fd);
}

/* false: there is nothing more now. */
static bool
read_part(struct kernel_transport *kt, struct transport_conn *c, struct payload *ret)
{
	struct kernel_buffer *b = kernel_turn_take(kt, c);
	ssize_t got;

	if (b == NULL)
		return false;
	got = recv(c->fd, b->data, kt->pool.buffer_bytes, MSG_DONTWAIT);
	if (got <= 0) {
		on_drained(c, got, errno);
		kernel_pool_give(&kt->pool, b);
		return false;
	}
	c->readable = got == (ssize_t)kt->pool.buffer_bytes || c->read_to_end;
	*ret = (struct payload){.data = b->data, .len = (uint32_t)got, .owner = b};
	return true;
}

static uint32_t
receive(void *ctx, struct transport_conn *c, struct payload *ret_parts, uint32_t parts_max)
{
	uint32_t n = 0;

	while (n < parts_max && c->readable && read_part(ctx, c, &ret_parts[n]))
		n++;
	return n;
}

static bool
recv_ready(const struct transport_conn *c)
{
	return c->readable;
}

static bool
recv_finished(const struct transport_conn *c)
{
	return c->finished;
}

/* The kernel opened the window when recv copied. */
static void
consumed(void *ctx, struct transport_conn *c, uint32_t bytes, uint32_t parts)
{
	(void)ctx;
	(void)c;
	(void)bytes;
	(void)parts;
}

static void
release(void *ctx, struct transport_conn *c, bool abort, uint64_t now_ns)
{
	struct kernel_transport *kt = ctx;

	(void)now_ns;
	kernel_turn_leave(kt, c);
	if (c->queued)
		TAILQ_REMOVE(&kt->events, c, link);
	kernel_socket_close(c->fd, abort); /* which takes it out of epoll */
	c->fd = -1;
	c->queued = false;
	TAILQ_INSERT_HEAD(&kt->free, c, link);
}

static struct transport_conn *
event_next(void *ctx, void **ret_user)
{
	struct kernel_transport *kt = ctx;
	struct transport_conn *c = TAILQ_FIRST(&kt->events);

	if (c == NULL)
		return NULL;
	TAILQ_REMOVE(&kt->events, c, link);
	c->queued = false;
	*ret_user = c->user;
	return c;
}

static void
local(const struct transport_conn *c, struct ip_address *ret_address, uint16_t *ret_port)
{
	kernel_socket_local(c->fd, ret_address, ret_port);
}

static bool
explain(void *ctx, int why, char *text, size_t room)
{
	(void)ctx;
	(void)why;
	(void)text;
	(void)room;
	return false;
}

const struct transport_ops kernel_conn_ops = {
	.connect = start,
	.established = established,
	.ended = ended,
	.error = error,
	.reusable = reusable,
	.send = send_some,
	.send_queued = send_queued,
	.recv = receive,
	.recv_ready = recv_ready,
	.recv_finished = recv_finished,
	.consumed = consumed,
	.release = release,
	.event_next = event_next,
	.local = local,
	.info = kernel_info,
	.explain = explain,
};
