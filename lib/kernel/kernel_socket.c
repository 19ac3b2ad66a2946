/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "kernel_socket.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
address_make(const struct ip_address *ip, uint16_t port, uint32_t scope, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ip->family == 4) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		ret->v4.sin_addr.s_addr = htonl(ip->v4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	memcpy(&ret->v6.sin6_addr, &ip->v6, sizeof(ret->v6.sin6_addr));
	if (ipv6_addr_is_link_local(&ip->v6))
		ret->v6.sin6_scope_id = scope;
	return sizeof(ret->v6);
}

static int
set_number(int fd, int level, int name, uint32_t value)
{
	int number = (int)value;

	return setsockopt(fd, level, name, &number, sizeof(number)) == 0 ? 0 : -errno;
}

/* With the port left to connect: one is enough for each remote end, not one for all of them. */
static int
bind_local(const struct kernel_socket_options *options, int fd, uint8_t family)
{
	union address local;
	socklen_t len;
	int rc;

	if (options->local.family != family)
		return -EAFNOSUPPORT;
	rc = set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (rc != 0)
		return rc;
	len = address_make(&options->local, 0, options->interface_index, &local);
	return bind(fd, &local.any, len) == 0 ? 0 : -errno;
}

static int
set_options(const struct kernel_socket_options *options, int fd, uint8_t family)
{
	int rc = set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);

	/* Before connect: it decides the window scale of the SYN. */
	if (rc == 0 && options->receive_buffer_bytes > 0)
		rc = set_number(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes);
	if (rc == 0 && options->busy_poll_us > 0)
		rc = set_number(fd, SOL_SOCKET, SO_BUSY_POLL, options->busy_poll_us);
	if (rc == 0 && options->interface[0] != '\0' &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface,
			(socklen_t)strlen(options->interface)) != 0)
		rc = -errno;
	if (rc == 0 && options->local.family != 0)
		rc = bind_local(options, fd, family);
	return rc;
}

int
kernel_socket_open(const struct kernel_socket_options *options, uint8_t family)
{
	int fd = socket(family == 4 ? AF_INET : AF_INET6,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int rc;

	if (fd < 0)
		return -errno;
	rc = set_options(options, fd, family);
	if (rc == 0)
		return fd;
	(void)close(fd);
	return rc;
}

int
kernel_socket_connect(const struct kernel_socket_options *options, int fd,
	const struct ip_address *remote, uint16_t port)
{
	union address to;
	socklen_t len = address_make(remote, port, options->interface_index, &to);

	return connect(fd, &to.any, len) == 0 || errno == EINPROGRESS ? 0 : -errno;
}

void
kernel_socket_close(int fd, bool abort)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (abort)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(fd);
}

void
kernel_socket_local(int fd, struct ip_address *ret_address, uint16_t *ret_port)
{
	union address local;
	socklen_t len = sizeof(local);

	memset(ret_address, 0, sizeof(*ret_address));
	*ret_port = 0;
	memset(&local, 0, sizeof(local));
	if (getsockname(fd, &local.any, &len) != 0)
		return;
	if (local.any.sa_family == AF_INET) {
		*ret_address = ip_address_of_v4(ntohl(local.v4.sin_addr.s_addr));
		*ret_port = ntohs(local.v4.sin_port);
	} else {
		ret_address->family = 6;
		memcpy(&ret_address->v6, &local.v6.sin6_addr, sizeof(ret_address->v6));
		*ret_port = ntohs(local.v6.sin6_port);
	}
}

int
kernel_socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static uint32_t
ask(int fd, unsigned long what)
{
	int bytes = 0;

	return ioctl(fd, what, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

uint32_t
kernel_socket_send_queued(int fd)
{
	return ask(fd, SIOCOUTQ);
}

uint32_t
kernel_socket_unread(int fd)
{
	return ask(fd, SIOCINQ);
}
