/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_TRANSPORT_H
#define KERNEL_TRANSPORT_H

#include "transport.h"

/*
 * The transport of the kernel's own TCP: non-blocking sockets and edge-triggered epoll. One thread
 * uses it, from create to destroy.
 *
 * What a connection is found to be (established, readable, ended) is as of the last wait and of the
 * calls made since; only waiting brings news. Received bytes are in buffers that recv hands out. When
 * none is free, reading pauses, and goes on with the wait that follows a release; connections that
 * are short of buffers take turns.
 */

/** What a transport is made with. */
struct kernel_transport_config {
	uint32_t connections_max; /* 1..KERNEL_CONNECTIONS_MAX */
	uint32_t buffer_bytes; /* one read takes up to so much: 1..KERNEL_BUFFER_BYTES_MAX */
	uint32_t buffers; /* 1..KERNEL_BUFFERS_MAX */
	uint32_t receive_buffer_bytes; /* SO_RCVBUF, which the kernel doubles; 0: it tunes itself */
	uint32_t busy_poll_us; /* SO_BUSY_POLL, and the same of epoll where the kernel has it; 0:
				* none. More than net.core.busy_read wants CAP_NET_ADMIN */
	const char *interface; /* SO_BINDTODEVICE; NULL: as the kernel routes. Copied */
	struct ip_address local; /* what to connect from; no family: as the kernel chooses */
};

/** 1,024 connections, 64 buffers of 256 KiB; the rest left to the kernel. */
void kernel_transport_config_defaults(struct kernel_transport_config *ret);

struct kernel_transport;

/**
 * Allocates all that it will ever use. 0 and *ret; -EINVAL (out of range); -ENOMEM; -EMFILE or
 * -ENFILE; -ENODEV (no such interface), -EPERM (interface, busy_poll_us), -EADDRNOTAVAIL (local is
 * none of ours) or another -errno of socket(7).
 */
int kernel_transport_create(
	const struct kernel_transport_config *cfg, struct kernel_transport **ret);

/** Frees everything. Connections that are left are reset, and buffers still out are gone. */
void kernel_transport_destroy(struct kernel_transport *kt);

/**
 * The transport, valid as long as kt. Where it says less than struct transport_ops does: connect
 * gives -EMFILE or -ENFILE when no file descriptor is left, -EAFNOSUPPORT also when `local` is of
 * the other family, and other errors of connect(2); error gives other errors of tcp(7) as they are;
 * closing with received bytes unread is a reset (RFC 2525 §2.17); explain knows nothing.
 */
struct transport kernel_transport_of(struct kernel_transport *kt);

/**
 * Waits until something happens on a connection, for timeout_ns at most (0: looks only; TIME_NEVER:
 * for ever), and queues it for event_next, which should have been emptied before. Returns at once
 * where a connection that was held back may read now. 1 or more: something has happened; 0: it has
 * not, in time; -EINTR: a signal came; another -errno of epoll_wait(2).
 * It knows nothing of what is still to be done above: see kernel_transport_buffers_out.
 */
int kernel_transport_wait(struct kernel_transport *kt, uint64_t timeout_ns);

/** Buffers handed out by recv and not released: while there are any, somebody has received data to
 *  deal with, of which no event tells. */
uint32_t kernel_transport_buffers_out(const struct kernel_transport *kt);

/** CLOCK_MONOTONIC: the clock of the now_ns that this transport is given, and of its info. */
uint64_t kernel_transport_clock_ns(void);

#endif
