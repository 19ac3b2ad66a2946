/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SERVER_H
#define LOAD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "test_buffer.h"
#include "transport.h"

/*
 * A transport without a network, in virtual time, and the servers at its other end. What a server does
 * it does by actions that lie in the future: the test's callbacks order them. CHECKs the transport's
 * contract: nothing is called on a connection that was let go, and what is read is what is consumed.
 */

struct server;
struct server_conn;

/** A whole request has come; number: which one on this connection, 0... head: how it begins. */
typedef void (*server_request_fn)(
	struct server *s, struct server_conn *c, uint32_t number, const char *head);
/** Somebody connects. 0: and by default it is established after connect_ns; or the call's -errno. */
typedef int (*server_connect_fn)(struct server *s, struct server_conn *c);

#define SERVER_HEAD_MAX 512U
#define SERVER_PIECES 64U

struct server_conn {
	struct server *server;
	struct server_conn *next; /* of all that ever were */
	struct server_conn *event_next;
	void *user;
	uint32_t number; /* of all, 0... */
	struct ip_address remote;
	uint16_t remote_port;
	uint64_t opened_ns,
		last_ns; /* last_ns: of the last action ordered; they keep their order */
	bool quiet; /* by the test's on_connect: it does not become established by itself */
	bool established, ended, fin, released, aborted, event;
	int error;
	uint32_t requests; /* that came whole */
	uint32_t room; /* bytes that send takes until the next room event */
	bool room_ordered;
	char head[SERVER_HEAD_MAX]; /* how the request that comes in begins */
	uint32_t head_len, last; /* its bytes so far; the last four */
	struct payload piece[SERVER_PIECES]; /* not read yet; a ring */
	uint32_t piece_first, pieces;
	uint64_t read_bytes, consumed_bytes;
	uint32_t read_parts, consumed_parts;
};

struct server_action;

struct server {
	struct transport transport; /* for the load */
	struct test_buffers buffers;
	uint64_t now_ns;
	/* The test's to set. */
	server_request_fn on_request; /* NULL: "200", with a body of 5 bytes, after response_ns */
	server_connect_fn on_connect; /* NULL: 0 */
	uint64_t connect_ns, response_ns;
	uint32_t send_room; /* bytes that a connection takes at once; 0: any number */
	uint64_t room_ns; /* until there is room again */
	void *test; /* the test's own */
	/* What happened. */
	uint32_t connects, live, live_max, aborts, established;
	uint64_t requests;
	uint64_t sends; /* calls of send */
	uint64_t calls; /* of any function of the transport */
	struct server_conn *conns; /* newest first */
	struct server_conn *event_first, *event_last;
	struct server_action *action; /* a heap by time */
	uint32_t actions, actions_room;
	uint64_t actions_made;
};

void server_init(struct server *s);
/** No connection and no buffer may be left. */
void server_end(struct server *s);

/** When it does something next; TIME_NEVER: it waits. */
uint64_t server_next_ns(const struct server *s);
/** Time goes on, and all that is due happens. */
void server_advance(struct server *s, uint64_t now_ns);

/* What a server can do, so long from now, but not before what was ordered before. After its FIN it says
 * nothing. */
void server_establish(struct server_conn *c, uint64_t after_ns);
void server_refuse(struct server_conn *c, uint64_t after_ns, int error);
void server_send(struct server_conn *c, uint64_t after_ns, const void *data, uint32_t len);
void server_say(struct server_conn *c, uint64_t after_ns, const char *text);
void server_fin(struct server_conn *c, uint64_t after_ns);
void server_reset(struct server_conn *c, uint64_t after_ns, int error);

#define SERVER_OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#endif
