/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire_ip.h"

/* One TCP socket: how it is made and closed, and what is asked of it. All are non-blocking. */

/** What every socket is made with; see struct kernel_transport_config. */
struct kernel_socket_options {
	uint32_t receive_buffer_bytes;
	uint32_t busy_poll_us;
	char interface[IFNAMSIZ]; /* empty: none */
	uint32_t interface_index; /* 0: none */
	struct ip_address local; /* no family: none */
};

/** A socket of family 4 or 6 with these options, bound where they say so. Its descriptor; or -errno
 *  of socket, setsockopt or bind, -EAFNOSUPPORT when options->local is of the other family. */
int kernel_socket_open(const struct kernel_socket_options *options, uint8_t family);

/** Starts to connect. 0: it is under way, or done; or -errno of connect. */
int kernel_socket_connect(const struct kernel_socket_options *options, int fd,
	const struct ip_address *remote, uint16_t port);

/** Closes it: in order, or (abort) by RST. */
void kernel_socket_close(int fd, bool abort);

/** Where it is bound to; zeroes if the kernel does not say. */
void kernel_socket_local(int fd, struct ip_address *ret_address, uint16_t *ret_port);

/** The error that the socket has and loses by this (SO_ERROR): an errno, 0 none. */
int kernel_socket_error(int fd);

/** Bytes sent and not acknowledged; bytes received and not read. */
uint32_t kernel_socket_send_queued(int fd);
uint32_t kernel_socket_unread(int fd);

#endif
