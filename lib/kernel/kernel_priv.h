/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_PRIV_H
#define KERNEL_PRIV_H

#include <sys/epoll.h>
#include <sys/queue.h>

#include "kernel_limits.h"
#include "kernel_pool.h"
#include "kernel_socket.h"
#include "kernel_transport.h"

/* The inside of a kernel transport, for lib/kernel alone. */

TAILQ_HEAD(kernel_conn_list, transport_conn);

/** Why a connection that has more to read does not. */
enum kernel_wait_reason {
	KERNEL_WAIT_NONE,
	KERNEL_WAIT_TURN, /* it has had its reads of this wait */
	KERNEL_WAIT_BUFFER, /* none is free, or others wait for those that are */
};

/** One connection; a slot of the transport's table. */
struct transport_conn {
	int fd;
	int error; /* -errno, once ended */
	int send_error; /* what send took from the socket, which then does not tell recv */
	void *user;
	uint64_t syn_sent_ns, established_ns;

	bool established, ended;
	bool finished; /* recv has returned 0 in order */
	bool writable; /* the last send was taken whole, as far as is known */
	bool readable; /* an edge has come, and was not read to its end */
	bool read_to_end; /* a short read does not prove that the socket is empty: a FIN, an error or
			   * urgent data is behind it, and its edge has come already */
	bool hung_up; /* closed in both directions, by an error */

	uint64_t turn; /* the wait after which `reads` was counted */
	uint32_t reads;
	uint64_t promised; /* the wait that promised it a buffer, 0 none */
	enum kernel_wait_reason waits;
	TAILQ_ENTRY(transport_conn) wait_link; /* in the list of that reason */

	bool queued;
	TAILQ_ENTRY(transport_conn) link; /* in events, or free */
};

struct kernel_transport {
	struct kernel_socket_options options;
	int epoll_fd;
	struct kernel_pool pool;
	struct transport_conn *conn;
	uint32_t connections_max;
	struct epoll_event *event; /* room for what one wait takes */
	uint32_t events_max;

	struct kernel_conn_list free;
	struct kernel_conn_list events; /* for event_next */
	uint64_t turn; /* counts the waits, from 1 */
	struct kernel_conn_list spent; /* KERNEL_WAIT_TURN */
	struct kernel_conn_list starved; /* KERNEL_WAIT_BUFFER */
	uint32_t starved_count;
	uint32_t promised; /* free buffers that this turn's promises are for */
};

/* kernel_turn.c: who may read, and into what. */

/** A new turn begins: those that were held back and may go on have an event. How many. */
uint32_t kernel_turn_begin(struct kernel_transport *kt);
/** A buffer for one read of c. NULL: not now, and an event will say when. */
struct kernel_buffer *kernel_turn_take(struct kernel_transport *kt, struct transport_conn *c);
/** c is read to its end, or goes away. */
void kernel_turn_leave(struct kernel_transport *kt, struct transport_conn *c);

/* kernel_conn.c */

extern const struct transport_ops kernel_conn_ops;

/** What epoll says of c. */
void kernel_conn_on_event(struct transport_conn *c, uint32_t events, uint64_t now_ns);

/* kernel_transport.c */

/** Has event_next return c, once. */
void kernel_transport_queue_event(struct kernel_transport *kt, struct transport_conn *c);

/* kernel_info.c */

/** struct transport_ops's info. */
void kernel_info(const struct transport_conn *c, struct tcp_info *ret);

#endif
