/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base_time.h"
#include "pd.h"
#include "pd_interface.h"

#define START_NS (1000 * NS_PER_SEC)

/* Each call holds the lock, and ends with what a system call gives: -1 and errno on failure. */

static struct pd *
enter(void *userdata)
{
	struct pd *p = userdata;

	pthread_mutex_lock(&p->lock);
	return p;
}

static long
leave(struct pd *p, long result)
{
	pd_clock_settle(p);
	pthread_mutex_unlock(&p->lock);
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

static int
on_socket(void *userdata, int domain, int type, int protocol)
{
	struct pd *p = enter(userdata);

	return (int)leave(p, pd_socket_create(p, domain, type, protocol));
}

static int
on_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	return (int)leave(p, s == NULL ? -EBADF : pd_socket_bind(s, addr, len));
}

static int
on_listen(void *userdata, int fd, int backlog)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	(void)backlog;
	return (int)leave(p, s == NULL ? -EBADF : pd_socket_listen(s));
}

static int
on_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct pd *p = enter(userdata);
	struct pd_op op = {.attempt = pd_socket_accept, .s = pd_socket_find(p, fd)};
	long result;

	if (op.s == NULL)
		return (int)leave(p, -EBADF);
	result = pd_clock_do(p, &op, op.s->status_flags & O_NONBLOCK);
	if (result >= 0)
		pd_socket_address(pd_socket_find(p, (int)result), addr, len);
	return (int)leave(p, result);
}

static int
on_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	return (int)leave(p, s == NULL ? -EBADF : pd_socket_connect(p, s, addr, len));
}

/* ---- data ---- */

static ssize_t
transfer(void *userdata, int fd, long (*attempt)(struct pd *, struct pd_op *),
	const struct iovec *iov, size_t count, int flags)
{
	struct pd *p = enter(userdata);
	struct pd_op op = {.attempt = attempt,
		.s = pd_socket_find(p, fd),
		.iov = (struct iovec *)(uintptr_t)iov,
		.iov_count = count,
		.flags = flags};
	bool nonblock;

	if (op.s == NULL)
		return leave(p, -EBADF);
	nonblock = (op.s->status_flags & O_NONBLOCK) || (flags & MSG_DONTWAIT);
	return leave(p, pd_clock_do(p, &op, nonblock));
}

static ssize_t
on_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	return transfer(userdata, fd, pd_io_read, iov, (size_t)count, 0);
}

static ssize_t
on_recv(void *userdata, int fd, void *buffer, size_t len, int flags)
{
	const struct iovec iov = {buffer, len};

	return transfer(userdata, fd, pd_io_read, &iov, 1, flags);
}

static ssize_t
on_read(void *userdata, int fd, void *buffer, size_t len)
{
	return on_recv(userdata, fd, buffer, len, 0);
}

static ssize_t
on_recvfrom(void *userdata, int fd, void *buffer, size_t len, int flags, struct sockaddr *addr,
	socklen_t *addr_len)
{
	(void)addr;
	if (addr_len != NULL)
		*addr_len = 0; /* as TCP has it */
	return on_recv(userdata, fd, buffer, len, flags);
}

static ssize_t
on_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	return transfer(userdata, fd, pd_io_read, msg->msg_iov, msg->msg_iovlen, flags);
}

static ssize_t
on_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	return transfer(userdata, fd, pd_io_write, iov, (size_t)count, 0);
}

static ssize_t
on_send(void *userdata, int fd, const void *buffer, size_t len, int flags)
{
	const struct iovec iov = {(void *)(uintptr_t)buffer, len};

	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return transfer(userdata, fd, pd_io_write, &iov, 1, flags);
}

static ssize_t
on_write(void *userdata, int fd, const void *buffer, size_t len)
{
	return on_send(userdata, fd, buffer, len, 0);
}

static ssize_t
on_sendto(void *userdata, int fd, const void *buffer, size_t len, int flags,
	const struct sockaddr *addr, socklen_t addr_len)
{
	(void)addr;
	(void)addr_len;
	return on_send(userdata, fd, buffer, len, flags);
}

static ssize_t
on_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return transfer(userdata, fd, pd_io_write, msg->msg_iov, msg->msg_iovlen, flags);
}

/* ---- control ---- */

static int
on_fcntl(void *userdata, int fd, int cmd, ...)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);
	va_list args;
	int flags;

	if (s == NULL)
		return (int)leave(p, -EBADF);
	switch (cmd) {
	case F_GETFL:
		return (int)leave(p, O_RDWR | s->status_flags);
	case F_SETFL:
		va_start(args, cmd);
		flags = va_arg(args, int);
		va_end(args);
		s->status_flags = flags & O_NONBLOCK;
		return (int)leave(p, 0);
	default:
		return (int)leave(p, -EINVAL);
	}
}

static int
on_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);
	va_list args;
	int *value;

	if (s == NULL)
		return (int)leave(p, -EBADF);
	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	switch (request) {
	case FIONREAD: /* SIOCINQ */
		*value = s->kind == PD_LISTENER ? -1 : (int)pd_io_readable(s);
		return (int)leave(p, s->kind == PD_LISTENER ? -EINVAL : 0);
	case SIOCOUTQ:
		*value = s->nc != NULL ? (int)pd_stack_send_queued(s->nc) : 0;
		return (int)leave(p, 0);
	default:
		return (int)leave(p, -ENOTTY);
	}
}

static int
on_close(void *userdata, int fd)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	if (s == NULL)
		return (int)leave(p, -EBADF);
	pd_socket_close(p, s);
	return (int)leave(p, 0);
}

static int
on_shutdown(void *userdata, int fd, int how)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	return (int)leave(p, s == NULL ? -EBADF : pd_socket_shutdown(p, s, how));
}

static int
on_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);

	return (int)leave(p, s == NULL ? -EBADF : pd_option_get(p, s, level, name, value, len));
}

static int
on_setsockopt(void *userdata, int fd, int level, int name, const void *value, socklen_t len)
{
	struct pd *p = enter(userdata);
	struct pd_socket *s = pd_socket_find(p, fd);
	int result = s == NULL ? -EBADF : pd_option_set(s, level, name, value, len);

	if (result == -ENOPROTOOPT)
		fprintf(stderr, "socket option not there: level %d name %d\n", level, name);
	return (int)leave(p, result);
}

static int
on_poll(void *userdata, struct pollfd *polled, nfds_t count, int timeout_ms)
{
	struct pd *p = enter(userdata);
	struct pd_op op = {.attempt = pd_io_poll, .polled = polled, .polled_count = count};
	long result;

	op.deadline_ns = timeout_ms < 0 ? TIME_NEVER : p->now_ns + (uint64_t)timeout_ms * NS_PER_MS;
	result = pd_clock_do(p, &op, timeout_ms == 0);
	return (int)leave(p, result == -EAGAIN ? 0 : result);
}

/* ---- the cable and the clock ---- */

/* From a socket that neither listens nor connects, packetdrill knows no addresses. */
static bool
has_addresses(const uint8_t *packet, size_t len)
{
	static const uint8_t unset[32];

	if (len >= 40 && packet[0] >> 4 == 6)
		return memcmp(packet + 8, unset, 32) != 0;
	return len < 20 || memcmp(packet + 12, unset, 8) != 0;
}

static int
on_netdev_send(void *userdata, const void *packet, size_t len)
{
	struct pd *p = enter(userdata);

	if (!has_addresses(packet, len))
		fprintf(stderr, "the script's packet has no addresses\n");
	pd_clock_settle(p);
	if (pd_socket_arrival(p, packet, len))
		pd_stack_input(p->stack, packet, len, p->now_ns);
	return (int)leave(p, 0);
}

/* Without a packet, and none to come, *len is 0, which packetdrill takes for a bad packet. */
static int
on_netdev_receive(void *userdata, void *packet, size_t *len, long long *time_us)
{
	struct pd *p = enter(userdata);
	uint64_t sent_ns = p->now_ns;
	size_t room = *len;

	pd_clock_settle(p);
	while ((*len = pd_stack_take(p->stack, packet, room, &sent_ns)) == 0) {
		if (!pd_clock_next(p)) {
			fprintf(stderr, "no packet was sent, and none will be\n");
			break;
		}
	}
	*time_us = (long long)(sent_ns / NS_PER_US);
	return (int)leave(p, 0);
}

static int
on_usleep(void *userdata, useconds_t us)
{
	struct pd *p = enter(userdata);

	pd_clock_let_return(p);
	pd_clock_advance(p, p->now_ns + us * NS_PER_US);
	pd_clock_let_return(p);
	return (int)leave(p, 0);
}

static int
on_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	struct pd *p = enter(userdata);
	uint64_t now_us = pd_clock_read(p) / NS_PER_US;

	(void)tz;
	tv->tv_sec = (time_t)(now_us / 1000000);
	tv->tv_usec = (suseconds_t)(now_us % 1000000);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

/* ---- not TCP's business ---- */

static int
no_epoll_create(void *userdata, int size)
{
	(void)userdata;
	(void)size;
	errno = ENOSYS;
	return -1;
}

static int
no_epoll_ctl(void *userdata, int epfd, int op, int fd, struct epoll_event *event)
{
	(void)op;
	(void)fd;
	(void)event;
	return no_epoll_create(userdata, epfd);
}

static int
no_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int count, int timeout)
{
	(void)events;
	(void)count;
	(void)timeout;
	return no_epoll_create(userdata, epfd);
}

static int
no_pipe(void *userdata, int *fds)
{
	(void)fds;
	return no_epoll_create(userdata, 0);
}

static ssize_t
no_splice(
	void *userdata, int in, off_t *off_in, int out, off_t *off_out, size_t len, unsigned flags)
{
	(void)off_in;
	(void)out;
	(void)off_out;
	(void)len;
	(void)flags;
	return no_epoll_create(userdata, in);
}

static void
on_free(void *userdata)
{
	struct pd *p = enter(userdata);
	uint32_t i;

	pd_interpose_begin(NULL);
	for (i = 0; i < PD_SOCKETS_MAX; i++) {
		if (p->socket[i].kind != PD_UNUSED)
			pd_socket_close(p, &p->socket[i]);
	}
	pd_stack_destroy(p->stack);
	pthread_mutex_unlock(&p->lock);
	free(p);
}

static const struct pd_interface functions = {
	.free = on_free,
	.socket = on_socket,
	.bind = on_bind,
	.listen = on_listen,
	.accept = on_accept,
	.connect = on_connect,
	.read = on_read,
	.readv = on_readv,
	.recv = on_recv,
	.recvfrom = on_recvfrom,
	.recvmsg = on_recvmsg,
	.write = on_write,
	.writev = on_writev,
	.send = on_send,
	.sendto = on_sendto,
	.sendmsg = on_sendmsg,
	.fcntl = on_fcntl,
	.ioctl = on_ioctl,
	.close = on_close,
	.shutdown = on_shutdown,
	.getsockopt = on_getsockopt,
	.setsockopt = on_setsockopt,
	.poll = on_poll,
	.netdev_send = on_netdev_send,
	.netdev_receive = on_netdev_receive,
	.usleep = on_usleep,
	.gettimeofday = on_gettimeofday,
	.epoll_create = no_epoll_create,
	.epoll_ctl = no_epoll_ctl,
	.epoll_wait = no_epoll_wait,
	.pipe = no_pipe,
	.splice = no_splice,
};

void
packetdrill_interface_init(const char *flags, struct pd_interface *ret)
{
	struct pd *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->main_thread = pthread_self();
	p->now_ns = START_NS;
	pd_settings_init(&p->settings, flags);
	p->stack = pd_stack_create(&p->settings, p->now_ns);
	if (p->stack == NULL) {
		fputs("no stack: out of memory, or an MTU below 576\n", stderr);
		exit(1);
	}
	*ret = functions;
	ret->userdata = p;
	pd_interpose_begin(p);
}
