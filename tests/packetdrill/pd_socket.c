/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base_bytes.h"
#include "pd.h"

static void
init(struct pd *p, struct pd_socket *s, enum pd_kind kind)
{
	*s = (struct pd_socket){.kind = kind, .fd = -1, .sndbuf = p->settings.sndbuf};
	s->received_tail = &s->received;
}

static struct pd_socket *
take_unused(struct pd *p)
{
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		if (p->socket[i].kind == PD_UNUSED)
			return &p->socket[i];
	}
	return NULL;
}

struct pd_socket *
pd_socket_find(struct pd *p, int fd)
{
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		if (p->socket[i].kind != PD_UNUSED && p->socket[i].fd == fd && fd >= 0)
			return &p->socket[i];
	}
	return NULL;
}

int
pd_socket_create(struct pd *p, int domain, int type, int protocol)
{
	struct pd_socket *s = take_unused(p);

	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if ((type & 0xf) != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP))
		return -EPROTONOSUPPORT;
	if (s == NULL)
		return -EMFILE;
	init(p, s, PD_FRESH);
	s->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	s->status_flags = type & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	return s->fd < 0 ? -errno : s->fd;
}

static bool
parse_address(
	const struct sockaddr *addr, socklen_t len, struct ip_address *ret_ip, uint16_t *ret_port)
{
	struct ipv6_addr v6;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (len >= sizeof(in) && addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		*ret_ip = ip_address_of_v4(ntohl(in.sin_addr.s_addr));
		*ret_port = ntohs(in.sin_port);
		return true;
	}
	if (len < sizeof(in6) || addr->sa_family != AF_INET6)
		return false;
	memcpy(&in6, addr, sizeof(in6));
	memcpy(v6.byte, &in6.sin6_addr, sizeof(v6.byte));
	*ret_ip = ip_address_of_v6(&v6);
	*ret_port = ntohs(in6.sin6_port);
	return true;
}

static bool
is_any(const struct ip_address *ip)
{
	return ip->family == 4 ? ip->v4 == INADDR_ANY : ipv6_addr_is_unspecified(&ip->v6);
}

int
pd_socket_bind(struct pd_socket *s, const struct sockaddr *addr, socklen_t len)
{
	struct ip_address ip, own;
	uint16_t port;

	if (!parse_address(addr, len, &ip, &port))
		return -EINVAL;
	own = pd_stack_local(&ip);
	if (s->kind != PD_FRESH || s->open.local_port != 0)
		return -EINVAL;
	if (!is_any(&ip) && !ip_address_equal(&ip, &own))
		return -EADDRNOTAVAIL;
	s->open.local_port = port;
	return 0;
}

int
pd_socket_listen(struct pd_socket *s)
{
	if ((s->kind != PD_FRESH && s->kind != PD_LISTENER) || s->open.local_port == 0)
		return -EINVAL;
	s->kind = PD_LISTENER;
	return 0;
}

int
pd_socket_error(struct pd_socket *s)
{
	struct pd_look look;

	if (s->nc == NULL || s->error_reported)
		return 0;
	pd_stack_look(s->nc, &look);
	if (look.state != PD_CLOSED || look.error == 0)
		return 0;
	s->error_reported = true;
	/* Our own reset is no error to the one who asked for it. */
	return look.error == -ECONNABORTED ? 0 : -look.error;
}

/* ---- connect ---- */

long
pd_socket_connected(struct pd *p, struct pd_op *op)
{
	struct pd_socket *s = op->s;
	struct pd_look look;
	int error;

	(void)p;
	pd_stack_look(s->nc, &look);
	if (look.state == PD_SYN_SENT || look.state == PD_SYN_RECEIVED)
		return -EAGAIN;
	error = pd_socket_error(s);
	if (error != 0)
		return -error;
	s->connect_reported = true;
	return look.state == PD_CLOSED ? -ECONNABORTED : 0;
}

static int
connect_again(struct pd *p, struct pd_socket *s)
{
	struct pd_op op = {.attempt = pd_socket_connected, .s = s};
	long result;

	if (s->connect_reported)
		return -EISCONN;
	result = pd_socket_connected(p, &op);
	return result == -EAGAIN ? -EALREADY : (int)result;
}

static int
connect_first(struct pd *p, struct pd_socket *s, const struct ip_address *ip, uint16_t port)
{
	struct pd_op op = {.attempt = pd_socket_connected, .s = s};
	long result;

	s->open.remote = *ip;
	s->open.remote_port = port;
	s->nc = pd_stack_open(p->stack, &s->open, false, p->now_ns);
	if (s->nc == NULL)
		return -ENOBUFS;
	s->kind = PD_CONNECTED;
	result = pd_clock_do(p, &op, s->status_flags & O_NONBLOCK);
	return result == -EAGAIN ? -EINPROGRESS : (int)result;
}

int
pd_socket_connect(struct pd *p, struct pd_socket *s, const struct sockaddr *addr, socklen_t len)
{
	struct ip_address ip;
	uint16_t port;

	if (!parse_address(addr, len, &ip, &port))
		return addr->sa_family == AF_INET || addr->sa_family == AF_INET6 ? -EINVAL
										 : -EAFNOSUPPORT;
	switch (s->kind) {
	case PD_FRESH:
		return connect_first(p, s, &ip, port);
	case PD_CONNECTED:
		return connect_again(p, s);
	case PD_LISTENER:
	case PD_PENDING:
	case PD_UNUSED:
		break;
	}
	return -EISCONN;
}

/* ---- the passive open that the product does not have ---- */

static struct pd_socket *
listener_of(struct pd *p, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		if (p->socket[i].kind == PD_LISTENER && p->socket[i].open.local_port == port)
			return &p->socket[i];
	}
	return NULL;
}

static void
open_passively(struct pd *p, struct pd_socket *listener, const struct pd_arrival *arrival)
{
	struct pd_socket *s = take_unused(p);

	if (s == NULL)
		return;
	init(p, s, PD_PENDING);
	s->listener = listener;
	s->open = listener->open;
	s->open.remote = arrival->remote;
	s->open.remote_port = arrival->remote_port;
	s->sndbuf = listener->sndbuf;
	s->nodelay = listener->nodelay;
	s->nc = pd_stack_open(p->stack, &s->open, true, p->now_ns);
	if (s->nc == NULL)
		s->kind = PD_UNUSED;
}

/* RFC 9293 §3.10.7.2: first a RST, second an ACK, third a SYN, fourth all else. */
bool
pd_socket_arrival(struct pd *p, const void *packet, size_t len)
{
	struct pd_arrival arrival;
	struct pd_socket *listener;

	if (!pd_stack_arrival(p->stack, packet, len, &arrival) || arrival.known)
		return true;
	listener = listener_of(p, arrival.local_port);
	if (listener == NULL)
		return true;
	if (arrival.rst)
		return false;
	if (arrival.ack)
		return true; /* answered with a RST, as without a listener */
	if (!arrival.syn)
		return false;
	open_passively(p, listener, &arrival);
	return true;
}

static void
free_socket(struct pd *p, struct pd_socket *s)
{
	if (s->nc != NULL)
		pd_stack_release(p->stack, s->nc, p->now_ns);
	pd_io_drop(p, s);
	if (s->fd >= 0)
		close(s->fd);
	s->kind = PD_UNUSED;
}

void
pd_socket_update(struct pd *p)
{
	struct pd_look look;
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		struct pd_socket *s = &p->socket[i];

		if (s->kind == PD_UNUSED || s->nc == NULL)
			continue;
		pd_stack_look(s->nc, &look);
		if (look.state >= PD_ESTABLISHED)
			s->established_once = true;
		/* A handshake that failed was never anybody's: the listener listens on. */
		if (s->kind == PD_PENDING && !s->established_once && look.state == PD_CLOSED)
			free_socket(p, s);
	}
}

static struct pd_socket *
pending_of(struct pd *p, const struct pd_socket *listener)
{
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		struct pd_socket *s = &p->socket[i];

		if (s->kind == PD_PENDING && s->listener == listener && s->established_once)
			return s;
	}
	return NULL;
}

long
pd_socket_accept(struct pd *p, struct pd_op *op)
{
	struct pd_socket *s;

	if (op->s->kind != PD_LISTENER)
		return -EINVAL;
	s = pending_of(p, op->s);
	if (s == NULL)
		return -EAGAIN;
	s->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->fd < 0)
		return -errno;
	s->kind = PD_CONNECTED;
	s->listener = NULL;
	s->connect_reported = true;
	return s->fd;
}

void
pd_socket_address(const struct pd_socket *s, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct ip_address ip;
	uint16_t port;

	if (addr == NULL || len == NULL || s->nc == NULL)
		return;
	pd_stack_remote(s->nc, &ip, &port);
	if (ip.family == 6) {
		memcpy(&in6.sin6_addr, ip.v6.byte, sizeof(ip.v6.byte));
		in6.sin6_port = htons(port);
		memcpy(addr, &in6, MIN_OF(*len, (socklen_t)sizeof(in6)));
		*len = sizeof(in6);
		return;
	}
	in.sin_addr.s_addr = htonl(ip.v4);
	in.sin_port = htons(port);
	memcpy(addr, &in, MIN_OF(*len, (socklen_t)sizeof(in)));
	*len = sizeof(in);
}

/* ---- the end ---- */

int
pd_socket_shutdown(struct pd *p, struct pd_socket *s, int how)
{
	struct pd_look look;

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (s->nc == NULL)
		return -ENOTCONN;
	pd_stack_look(s->nc, &look);
	if (look.state == PD_CLOSED || look.state == PD_TIME_WAIT)
		return -ENOTCONN;
	if (how != SHUT_WR)
		s->shut_rd = true;
	if (how != SHUT_RD) {
		s->shut_wr = true;
		pd_stack_shutdown(p->stack, s->nc, p->now_ns);
	}
	return 0;
}

static void
close_pending_of(struct pd *p, const struct pd_socket *listener)
{
	uint32_t i;

	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		struct pd_socket *s = &p->socket[i];

		if (s->kind != PD_PENDING || s->listener != listener)
			continue;
		pd_stack_abort(p->stack, s->nc);
		free_socket(p, s);
	}
}

void
pd_socket_close(struct pd *p, struct pd_socket *s)
{
	if (s->kind == PD_LISTENER)
		close_pending_of(p, s);
	/* RFC 9293 §3.6.1: what was not read must not seem delivered. */
	if (s->nc != NULL && (pd_io_readable(s) > 0 || (s->linger_on && s->linger_seconds == 0)))
		pd_stack_abort(p->stack, s->nc);
	free_socket(p, s);
}

short
pd_socket_events(struct pd *p, struct pd_socket *s)
{
	struct pd_look look;
	int events = 0;

	if (s->kind == PD_LISTENER)
		return pending_of(p, s) != NULL ? POLLIN | POLLRDNORM : 0;
	if (s->nc == NULL)
		return POLLOUT | POLLHUP;
	pd_stack_look(s->nc, &look);
	if (pd_io_readable(s) > 0)
		events |= POLLIN | POLLRDNORM;
	if (pd_stack_recv_finished(s->nc) || s->shut_rd)
		events |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (look.state == PD_CLOSED)
		events |= POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLOUT;
	if (look.state == PD_CLOSED && look.error != 0 && !s->error_reported)
		events |= POLLERR;
	if (s->shut_wr && (events & POLLRDHUP))
		events |= POLLHUP;
	/* Linux: writable when a third of the buffer is free. */
	if (s->shut_wr || ((look.state == PD_ESTABLISHED || look.state == PD_CLOSE_WAIT) &&
				  pd_stack_send_queued(s->nc) < s->sndbuf * 2 / 3))
		events |= POLLOUT | POLLWRNORM;
	return (short)events;
}
