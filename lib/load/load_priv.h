/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_PRIV_H
#define LOAD_PRIV_H

#include <stddef.h>

#include "base_time.h"
#include "load.h"
#include "load_limits.h"

/* The inside of a load, for lib/load and its tests. */

/* -- Lists. Their members are linked in place; all are O(1). -- */

struct load_link {
	struct load_link *prev, *next; /* NULL: in no list */
};

/** What is first in a list, NULL: it is empty. */
static inline struct load_link *
load_list_first(const struct load_link *list)
{
	return list->next != list ? list->next : NULL;
}

static inline void
load_list_init(struct load_link *list)
{
	list->prev = list->next = list;
}

static inline void
load_list_append(struct load_link *list, struct load_link *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/** Takes link out of the list that it is in, if any. */
static inline void
load_list_remove(struct load_link *link)
{
	if (link->next == NULL)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* -- Which request goes where (load_mix.c). -- */

#define LOAD_ENDPOINT_NONE UINT32_MAX

/** Targets at one address and port. */
struct load_endpoint {
	uint32_t first, targets; /* of load_mix.target */
	uint64_t weight; /* of them all */
	uint32_t connections; /* that belong to it */
	uint32_t whole; /* of its share of the connections, */
	double rest; /* and the fraction of one: 0 .. 1 */
	double credit; /* of the turns to take one for the fraction: those missed, less those had */
};

struct load_mix {
	struct load_target *target; /* those of an endpoint side by side */
	uint64_t *weight_up_to; /* of a target: its weight and those before it in its endpoint */
	struct load_endpoint *endpoint;
	uint32_t targets, endpoints;
	uint64_t weight; /* of all targets */
	uint64_t random; /* SplitMix64's state */
};

/** For so many connections, 1..; share: which of several loads this is, as load_config's. 0, or -ENOMEM. */
int load_mix_init(struct load_mix *m, const struct load_target *target, uint32_t targets,
	uint32_t connections, uint32_t share, uint64_t seed);
void load_mix_free(struct load_mix *m);

/** The endpoint for a connection that belongs to none; it is counted there. At most as many as m is for. */
uint32_t load_mix_join(struct load_mix *m);
/** One connection less. */
void load_mix_leave(struct load_mix *m, uint32_t endpoint);
/** The next request's target. */
uint32_t load_mix_target(struct load_mix *m, uint32_t endpoint);

/* -- Requests and connections (load_conn.c, load_send.c). -- */

/** A request under way: its first byte was taken by a connection. */
struct load_request {
	struct load_link link; /* in load.under_way */
	uint64_t start_ns; /* when its first byte was taken, for the first time */
	uint64_t planned_ns; /* the same in a closed loop */
	uint32_t target;
	bool measured;
	bool resent; /* its connection was closed, and it goes out on another one */
};

enum load_conn_state {
	LOAD_CONN_CLOSED, /* not opened yet, or not needed any more */
	LOAD_CONN_WAITING, /* for its next attempt to connect */
	LOAD_CONN_CONNECTING,
	LOAD_CONN_OPEN,
};

/* There may be a million: a cache line each. */
struct load_conn {
	struct load_link link; /* in the list of its state; open loop: in idle or room when OPEN */
	struct transport_conn *transport; /* CONNECTING, OPEN */
	struct http_response *response;
	uint64_t at_ns; /* WAITING, CONNECTING: since when; OPEN: when the first byte of the
			 * response under way came */
	uint32_t endpoint;
	uint32_t served; /* requests begun on this connection */
	uint32_t out_bytes; /* taken of the request number `out` */
	/* A ring of cfg.pipeline requests, oldest first. */
	uint8_t first, count;
	uint8_t out; /* how many of them the transport has taken whole */
	uint8_t state : 2; /* enum load_conn_state */
	uint8_t began : 1; /* a byte of the first one's response has come */
	uint8_t answered : 1; /* this connection has carried a whole response */
	uint8_t blocked : 1; /* the transport takes no more until an event says so */
	uint8_t failed : 1; /* it could not be made, at least once */
	uint8_t listed : 2; /* enum load_listed */
};

/** Where an open connection stands that a planned request may take. */
enum load_listed { LOAD_LISTED_NOT, LOAD_LISTED_IDLE, LOAD_LISTED_ROOM };

_Static_assert(sizeof(struct load_conn) <= 64, "a cache line");

/* -- When requests and connections are due (load_schedule.c). -- */

struct load_schedule {
	double ns_per_request; /* 0: closed loop */
	uint64_t planned; /* requests whose moment has come */
	uint64_t sent; /* of them; or given up at the measured time's end */
	uint64_t measured_from; /* the first one planned in the measured time */
	uint64_t next_ns; /* when the next is due; TIME_NEVER: none is */
	uint32_t opened; /* connections whose turn has come in the ramp */
};

/** When the connection with this number, 0.., is to be opened. */
uint64_t load_schedule_open_ns(const struct load *l, uint32_t number);
/** Open loop: when the request with this number, 0.., is planned. */
uint64_t load_schedule_request_ns(const struct load *l, uint64_t number);
/** Plans the requests due before until_ns, in the phase that is under way. */
void load_schedule_plan(struct load *l, uint64_t until_ns);
/** The measured time has begun: what was planned before it is not measured. */
void load_schedule_measure(struct load *l);
/** No more requests: returns how many of the measured time were never sent. */
uint64_t load_schedule_end(struct load *l);
/** Requests planned and not yet sent. */
static inline uint64_t
load_schedule_backlog(const struct load_schedule *s)
{
	return s->planned - s->sent;
}

struct load {
	struct load_config cfg; /* cfg.target is NULL: see mix */
	struct load_mix mix;
	struct load_schedule schedule;
	struct load_conn *conn; /* cfg.connections */
	struct http_head_cache *heads; /* that all parsers share */
	struct load_request *request; /* cfg.pipeline for each connection */
	struct load_link connecting, waiting, under_way; /* each oldest first */
	struct load_link idle,
		room; /* open loop: OPEN, with no request, with some; longest first */
	enum load_phase phase;
	uint64_t start_ns, phase_start_ns, phase_end_ns; /* of the load; of the phase */
	uint64_t now_ns; /* of the last call */
	uint64_t
		heard_ns; /* when a response came; or the measured time began, or none was missing */
	uint32_t open; /* connections established */
	uint32_t closed; /* let go in the end: those before this one */
	uint32_t failed; /* connections that could not be made, at least once */
	uint32_t requests_under_way, measured_under_way;
	bool ever_connected, unreachable, silent;
	int last_error; /* of the last connection that could not be made */
	struct load_stats stats;
	struct load_interval interval; /* the one under way */
	struct histogram *interval_latency; /* one of histogram */
	struct histogram
		*histogram; /* cfg.interval_histograms + 1; interval n's is n modulo that */
	struct load_interval *series; /* cfg.intervals_max + 1; interval n is at n modulo that */
	_Atomic uint32_t series_count; /* ended so far */
	struct payload part[LOAD_PARTS]; /* taken from a connection at once */
	char batch[LOAD_BATCH_BYTES]; /* given to a connection at once */
};

/** What carries l. */
static inline const struct transport_ops *
load_ops(const struct load *l)
{
	return l->cfg.transport.ops;
}

static inline bool
load_is_open_loop(const struct load *l)
{
	return l->schedule.ns_per_request > 0;
}

/** A limit beyond the clock's end is none. */
static inline uint64_t
load_time_after(uint64_t start_ns, uint64_t limit_ns)
{
	return limit_ns < TIME_NEVER - start_ns ? start_ns + limit_ns : TIME_NEVER;
}

static inline struct load_request *
load_conn_request(const struct load *l, const struct load_conn *c, uint32_t number)
{
	uint32_t slot = c->first + number;

	slot -= slot >= l->cfg.pipeline ? l->cfg.pipeline : 0;
	return &l->request[(size_t)(c - l->conn) * l->cfg.pipeline + slot];
}

static inline const struct load_target *
load_request_target(const struct load *l, const struct load_request *q)
{
	return &l->mix.target[q->target];
}

/** Has it carried as many requests as it may? */
static inline bool
load_conn_is_used_up(const struct load *l, const struct load_conn *c)
{
	return l->cfg.requests_per_connection > 0 && c->served >= l->cfg.requests_per_connection;
}

/** Requests of which the transport has taken at least a byte. */
static inline uint32_t
load_conn_begun(const struct load_conn *c)
{
	return c->out + (c->out_bytes > 0 ? 1U : 0);
}

/** May another request be begun now, as far as the phase and requests_max go? */
bool load_wants_requests(const struct load *l);

/** Opens a connection, to a newly chosen endpoint unless it has requests to send again. */
void load_conn_open(struct load *l, struct load_conn *c, uint64_t now_ns);
/** Something has happened on it. */
void load_conn_on_event(struct load *l, struct load_conn *c, uint64_t now_ns);
/** It was not established in time. */
void load_conn_on_connect_timeout(struct load *l, struct load_conn *c, uint64_t now_ns);
/** Its oldest request was not answered in time. */
void load_conn_on_request_timeout(struct load *l, struct load_conn *c, uint64_t now_ns);
/** The load is over: lets go of it, whatever it does. abort: by RST. */
void load_conn_give_up(struct load *l, struct load_conn *c, bool abort, uint64_t now_ns);
/** The parser stands before the response to the oldest request. */
void load_conn_expect_response(struct load *l, struct load_conn *c);

/* load_send.c */

/** An event says that the transport may take bytes: those of requests under way, and in a closed loop
 *  of new ones. */
void load_conn_send(struct load *l, struct load_conn *c, uint64_t now_ns);
/** Open loop: it is not free to take a planned request. */
void load_conn_leave_list(struct load_conn *c);
/** Open loop: it takes one planned request, if the transport does. */
void load_conn_take_planned(struct load *l, struct load_conn *c, uint64_t now_ns);

/* -- Counting (load_stats.c). Callees hear events. -- */

/* Adds n to a count of the interval and, if measured, of the measured time. */
#define LOAD_COUNT(l, measured, field, n)               \
	do {                                            \
		(l)->interval.counts.field += (n);      \
		if (measured)                           \
			(l)->stats.counts.field += (n); \
	} while (0)

/** Is now in the measured time? */
static inline bool
load_is_measuring(const struct load *l)
{
	return l->phase == LOAD_MEASURE;
}

void load_stats_init(struct load_stats *s);
void load_stats_on_established(struct load *l, uint64_t since_ns, uint64_t now_ns);
void load_stats_on_request(struct load *l, const struct load_request *q);
void load_stats_on_response(struct load *l, const struct load_request *q, uint32_t status,
	uint64_t first_byte_ns, uint64_t now_ns);
void load_stats_on_error(struct load *l, const struct load_request *q, enum load_error error);
/** The first interval begins. */
void load_stats_begin(struct load *l, uint64_t now_ns);
/** When the interval under way ends; TIME_NEVER: none is recorded. */
uint64_t load_stats_interval_end(const struct load *l);
/** The interval under way ends, by its time or (the last one) before, and is published. */
void load_stats_end_interval(struct load *l, uint64_t end_ns);
/** The load is over: so is the last interval. */
void load_stats_end(struct load *l, uint64_t now_ns);

#endif
