/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PD_H
#define PD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "pd_settings.h"
#include "pd_stack.h"

/*
 * Sockets on the stack under test, and the clock. packetdrill has two threads: the main one runs
 * the script, another makes the system calls that a script lets block. Time is virtual and goes on
 * only in usleep and while the main thread waits for a packet. A call that blocks is an operation
 * that whoever moves the time tries again after each event; when it is done, the clock stands still
 * until its thread has read the time at which it ended.
 */

#define PD_SOCKETS_MAX 64U

enum pd_kind {
	PD_UNUSED,
	PD_FRESH, /* neither connected nor listening */
	PD_LISTENER,
	PD_PENDING, /* passively opened, not accepted yet */
	PD_CONNECTED, /* or connecting, or closed since */
};

/** Runs taken from the connection and not read yet. */
struct pd_received {
	const uint8_t *data;
	uint32_t len; /* left */
	void *owner;
	struct pd_received *next;
};

struct pd_socket {
	enum pd_kind kind;
	int fd; /* a real descriptor, so that packetdrill can close what it finds open */
	int status_flags; /* O_NONBLOCK */
	struct netstack_conn *nc;
	struct pd_socket *listener; /* of a pending one */
	struct pd_open open; /* what socket options and bind asked for */
	struct pd_received *received, **received_tail;
	uint32_t sndbuf;
	bool established_once, connect_reported, error_reported;
	bool shut_rd, shut_wr;
	bool nodelay, linger_on, reuse;
	int linger_seconds;
};

struct pd_op;
struct pd {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t main_thread;
	uint64_t now_ns;
	struct pd_op *blocked; /* of packetdrill's other thread */
	bool woken; /* its operation ended, and it has not read the clock yet */
	pid_t returning; /* the thread that has read it, and packetdrill must hear of; 0: none */
	struct pd_settings settings;
	struct pd_stack *stack;
	struct pd_socket socket[PD_SOCKETS_MAX];
};

/* pd_clock.c */

/** An operation that may block. */
struct pd_op {
	/** >= 0 the result, or -errno; -EAGAIN: try again later. */
	long (*attempt)(struct pd *p, struct pd_op *op);
	struct pd_socket *s;
	uint64_t deadline_ns; /* then it ends with on_deadline */
	long on_deadline;
	long result;
	bool done;
	/* arguments */
	struct iovec *iov;
	size_t iov_count;
	int flags;
	size_t progress; /* bytes that earlier attempts moved */
	struct pollfd *polled;
	size_t polled_count;
};

/** Runs the stack and what is blocked, at the present time. */
void pd_clock_settle(struct pd *p);
/** Moves the time on to until_ns, one event after the other. */
void pd_clock_advance(struct pd *p, uint64_t until_ns);
/** Moves the time on to the next event. false: there is none. */
bool pd_clock_next(struct pd *p);
/** Does op, blocking where nonblock is false. */
long pd_clock_do(struct pd *p, struct pd_op *op, bool nonblock);
/** Lets the thread whose blocked call ended come to rest in packetdrill, which takes real time. For
 *  the main thread, where it has let go of packetdrill's lock: in usleep. */
void pd_clock_let_return(struct pd *p);
/** A thread reads the clock. */
uint64_t pd_clock_read(struct pd *p);

/* pd_socket.c */

struct pd_socket *pd_socket_find(struct pd *p, int fd);
/** The new descriptor or -errno. */
int pd_socket_create(struct pd *p, int domain, int type, int protocol);
int pd_socket_bind(struct pd_socket *s, const struct sockaddr *addr, socklen_t len);
int pd_socket_listen(struct pd_socket *s);
int pd_socket_connect(
	struct pd *p, struct pd_socket *s, const struct sockaddr *addr, socklen_t len);
long pd_socket_accept(struct pd *p, struct pd_op *op);
/** Waits for the end of a handshake. */
long pd_socket_connected(struct pd *p, struct pd_op *op);
int pd_socket_shutdown(struct pd *p, struct pd_socket *s, int how);
void pd_socket_close(struct pd *p, struct pd_socket *s);
/** SO_ERROR: the pending error, once. */
int pd_socket_error(struct pd_socket *s);
/** A packet is about to be injected: a listener may open a connection for it. false: drop it. */
bool pd_socket_arrival(struct pd *p, const void *packet, size_t len);
/** After each event: notes what the connections became. */
void pd_socket_update(struct pd *p);
short pd_socket_events(struct pd *p, struct pd_socket *s);
void pd_socket_address(const struct pd_socket *s, struct sockaddr *addr, socklen_t *len);

/* pd_io.c */

long pd_io_read(struct pd *p, struct pd_op *op);
long pd_io_write(struct pd *p, struct pd_op *op);
long pd_io_poll(struct pd *p, struct pd_op *op);
/** Bytes that can be read now. */
uint32_t pd_io_readable(struct pd_socket *s);
/** Gives up what was not read. */
void pd_io_drop(struct pd *p, struct pd_socket *s);

/* pd_option.c */

int pd_option_get(
	struct pd *p, struct pd_socket *s, int level, int name, void *value, socklen_t *len);
int pd_option_set(struct pd_socket *s, int level, int name, const void *value, socklen_t len);

/* pd_interpose.c */

/** The adapter whose virtual time replaces packetdrill's own use of the system; NULL: none. */
void pd_interpose_begin(struct pd *p);

#endif
