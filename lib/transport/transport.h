/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_payload.h"
#include "tcp_conn.h"
#include "wire_ip.h"

/*
 * TCP connections, whoever carries them: dpfetch's own netstack (transport_netstack) or the kernel's
 * sockets (lib/kernel). What is above it, fetch and load, is the same code over either, so that a
 * comparison of the two differs in the stack alone. Pure: the calls never block, and what happens
 * outside of them (bursts, epoll) is the poll loop's business.
 */

/** One connection. Made by connect, gone with release. */
struct transport_conn;

struct transport_ops {
	/** Starts a connection; user comes back with its events. 0 and *ret; -EAFNOSUPPORT,
	 *  -EADDRNOTAVAIL (no free port), -ENOBUFS (as many as there may be), -ENETUNREACH,
	 *  -EINPROGRESS (our own address is not ready yet: later), or another -errno. */
	int (*connect)(void *ctx, const struct ip_address *remote, uint16_t remote_port, void *user,
		uint64_t now_ns, struct transport_conn **ret);

	/** Is it, or was it, established? */
	bool (*established)(const struct transport_conn *c);
	/** Nothing more will come or go: closed in order or by error. What was received can still be
	 *  read. */
	bool (*ended)(const struct transport_conn *c);
	/** Why it ended, -errno as of tcp_conn_error; 0: it has not, or in order. */
	int (*error)(const struct transport_conn *c);
	/** Open in both directions, all that was sent acknowledged or at least taken over, nothing
	 *  received that was not read: it may carry another exchange. */
	bool (*reusable)(const struct transport_conn *c);

	/** Takes over up to len bytes to send (copied); returns how many. */
	uint32_t (*send)(void *ctx, struct transport_conn *c, const void *data, uint32_t len);
	/** Bytes taken over and known not to have arrived yet. */
	uint32_t (*send_queued)(const struct transport_conn *c);

	/** Takes up to parts_max runs of received bytes, in order; returns how many. The owners are
	 *  then the caller's, who gives each back by struct transport's release. Fewer than
	 *  parts_max: there is no more now, be it that the caller holds all the buffers or that it
	 *  is another connection's turn; an event tells when there is. */
	uint32_t (*recv)(
		void *ctx, struct transport_conn *c, struct payload *ret_parts, uint32_t parts_max);
	/** Would recv return anything, now or when it may go on? Where only a system call could
	 *  tell, true: then it is recv that finds out, and a FIN or an error with it. */
	bool (*recv_ready)(const struct transport_conn *c);
	/** The peer's FIN has come, and everything before it has been taken by recv. */
	bool (*recv_finished)(const struct transport_conn *c);
	/** The caller is done with these bytes of so many parts: the window may open. */
	void (*consumed)(void *ctx, struct transport_conn *c, uint32_t bytes, uint32_t parts);

	/** Lets go of c, which is not to be used any more: closed in order, or (abort) by RST. */
	void (*release)(void *ctx, struct transport_conn *c, bool abort, uint64_t now_ns);

	/** The next connection on which something has happened since it was last returned here;
	 *  *ret_user is what connect was given. NULL: none. */
	struct transport_conn *(*event_next)(void *ctx, void **ret_user);

	/** Our end of it. */
	void (*local)(
		const struct transport_conn *c, struct ip_address *ret_address, uint16_t *ret_port);
	/** A look inside. What an implementation does not know is 0. */
	void (*info)(const struct transport_conn *c, struct tcp_info *ret);
	/** Why could a connection that ended with this error not be made? Writes more than strerror
	 *  knows into text and returns true, or false. */
	bool (*explain)(void *ctx, int error, char *text, size_t room);
};

/** Who carries. Copied freely; ctx and release_ctx outlive all connections. */
struct transport {
	const struct transport_ops *ops;
	void *ctx;
	buffer_release_fn release; /* gives back what recv gave */
	void *release_ctx;
};

#endif
