/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base_histogram.h"
#include "http_response.h"
#include "transport.h"

/*
 * A load generator: many connections that ask web servers for the same few things, over any
 * transport. One a worker (queue); they share nothing. Pure: no clock, no system call, and no
 * allocation after create.
 *
 * Closed loop: each connection sends its next request when a response has come, so that a slow server
 * is asked less. Open loop: requests are planned at a constant rate whatever the server does, and a
 * response's latency counts from the planned moment, also when no connection was free then (no
 * coordinated omission).
 *
 * A run has phases: ramp (connections are opened, evenly spread; in an open loop the rate grows evenly
 * with them, from 0), warm-up (not counted), measured, drained (what is under way may end, and is
 * counted if it was sent in the measured time), and closed (connections are let go, not counted).
 *
 * Targets with the same address and port are one endpoint. Each connection belongs to one for as long as it
 * is open; as many to each as the weights of its targets ask for. Where that is no whole number, or there
 * are more endpoints than connections, the connections left over go to those with the largest fractions
 * (the largest remainders), and whenever such a one is opened again they take turns by their fractions.
 * Loads that share one load (cfg.share) begin their turns where those before end. A request picks among its
 * connection's targets by weight. So shares are exact within an endpoint; between them they are those
 * of the connections, and in a closed loop a faster endpoint gets more. See load_is_uneven.
 *
 * A connection that cannot be made rests for 100 ms before the next attempt, and so does one that is
 * closed before it carried a request.
 */

#define LOAD_CONNECTIONS_MAX 1000000U
#define LOAD_PIPELINE_MAX 64U
#define LOAD_INTERVAL_HISTOGRAMS_MAX 1024U

/** One thing to ask for. Pointers stay the caller's and outlive the load. */
struct load_target {
	struct ip_address remote;
	uint16_t remote_port;
	const char *request; /* the head, ready to go, as http_request_write makes it */
	uint32_t request_len; /* 1.. bytes */
	bool is_head; /* its method is HEAD: the response has no body */
	uint32_t weight; /* 1..; its share of the requests is weight / sum of all weights */
};

struct load_config {
	struct transport transport;
	const struct load_target *target; /* copied */
	uint32_t targets; /* 1.. */
	uint32_t connections; /* kept open, 1..LOAD_CONNECTIONS_MAX */
	uint32_t pipeline; /* requests under way on one connection, 1..LOAD_PIPELINE_MAX */
	uint32_t requests_per_connection; /* then it is closed and another opened; 0: no limit */
	double rate; /* open loop: requests a second, up to 1e9; 0: closed loop */
	/* Of loads that work together: how many there are, and which this is, 0 .. shares - 1. rate is that of
	 * all; the requests of the one schedule are theirs in turn. 1: it has them all. */
	uint32_t share, shares;
	uint64_t ramp_ns, warmup_ns;
	uint64_t duration_ns; /* of the measured time, 1..; TIME_NEVER: until requests_max */
	uint64_t requests_max; /* sent (open loop: planned) in the measured time, which ends when
				* each has got a response or failed; 0: no limit. Connections that
				* cannot be made do not count */
	bool keeps_trying; /* also where load_unreachable: who has other loads knows whether it is the server */
	uint64_t silence_ns; /* without an end by time: end it after so long without any whole
			      * response. Open loop: while one is missing. TIME_NEVER: never */
	uint64_t drain_ns; /* how long the end waits for responses under way */
	uint64_t connect_timeout_ns; /* TIME_NEVER: none, here and below */
	uint64_t request_timeout_ns; /* from the first byte sent to the response's last */
	uint64_t
		interval_ns; /* of the time series, for example a second; from load_start on. 0: none
			       * is kept */
	uint32_t intervals_max; /* the last so many are there to be read. 0: none is kept */
	uint32_t interval_histograms; /* 0..LOAD_INTERVAL_HISTOGRAMS_MAX, default 0: of the last so
				       * many intervals all latencies are kept, 30 KiB each, to be
				       * merged with those of other loads */
	struct http_limits limits;
	uint64_t seed; /* of the choice between targets */
};

/** Connections 1, no pipelining, a measured time of 10 s, a second's intervals (86,400 at most),
 *  2 s to drain, 30 s for a request and of silence, curl's limits with 32 KiB of head; the rest zero. */
void load_config_defaults(struct load_config *ret);

/**
 * Why a connection (the first one), or a request (all others), failed.
 *
 * A connection that has worked may be closed by the server at any time: what was sent on it and not
 * begun to be answered is sent again on a new one, once (RFC 9112 §9.3.1), its times still counted from
 * the first attempt; it fails (RECEIVE) if that connection fails. A time-out and bad HTTP end the
 * connection, and fail all requests that are under way on it.
 */
enum load_error {
	LOAD_ERROR_CONNECT, /* refused, unreachable, no port or place left, or not in time */
	LOAD_ERROR_SEND, /* the connection ended before the request was out */
	LOAD_ERROR_RECEIVE, /* it ended before the response was whole: reset or closed */
	LOAD_ERROR_TIMEOUT, /* the response was not whole in time */
	LOAD_ERROR_HTTP, /* it is no HTTP, over a limit, or followed by bytes that nobody asked for */
	LOAD_ERROR_COUNT
};

/** "connect", "send", ... Static storage. */
const char *load_error_name(enum load_error error);

/** What is counted. Every request sent ends as a response or as one of the errors but CONNECT, or is
 *  still under way when the drain ends (unanswered). */
struct load_counts {
	uint64_t planned; /* open loop: requests whose moment has come */
	uint64_t requests; /* sent: their first byte was taken by the transport. Once, also if sent
			    * again */
	uint64_t responses; /* whole, of whatever status */
	uint64_t status[10]; /* of them, by the status's first digit: 2 is 2xx */
	uint64_t errors[LOAD_ERROR_COUNT];
	uint64_t request_bytes; /* heads sent, and sent again */
	uint64_t header_bytes, body_bytes; /* received, of whole responses and others. What frames
					    * the chunks of a body is neither */
	uint64_t connects; /* begun */
	uint64_t connected; /* of them, established */
	uint64_t disconnects; /* by the server, between two exchanges: no error (RFC 9112 §9.5) */
	uint64_t unasked; /* connections given up because bytes came between two exchanges */
};

/** Adds all of from to to. */
void load_counts_add(struct load_counts *to, const struct load_counts *from);

/** A piece of the time series, from load_start on, ramp and warm-up included. Latencies are those of
 *  the responses that became whole in it, 0 without any. */
struct load_interval {
	uint64_t start_ns, end_ns; /* absolute; the last one may be short */
	bool measured; /* all of it lies in the measured time */
	struct load_counts counts;
	uint32_t open; /* connections established at its end */
	uint64_t backlog; /* open loop: planned and not yet sent at its end */
	uint64_t latency_p50_ns, latency_p90_ns, latency_p99_ns, latency_max_ns;
};

/** The measured time. Requests belong to it by the moment of their sending (open loop: their planned
 *  one), with their responses and errors; bytes, connections and disconnects by when they came, so
 *  that the bytes of responses that come in the drain are not among them. */
struct load_stats {
	uint64_t start_ns, end_ns; /* absolute; 0: not yet, or (load_stop) never */
	struct load_counts counts;
	uint64_t unsent; /* open loop: planned and never sent */
	uint64_t unanswered; /* under way when the drain ended */
	uint32_t open_max; /* most connections established at once */
	struct histogram latency; /* ns, see above; only whole responses */
	struct histogram
		service; /* ns from the request's first byte sent; in a closed loop the same */
	struct histogram first_byte; /* ns from the request's first byte sent to the response's */
	struct histogram connect; /* ns from connect to established */
};

/** Adds another worker's: counts and histograms add up (so does open_max, to an upper bound), the time
 *  is the union. to: of load_stats, or all zero but for the histograms, which are reset. */
void load_stats_merge(struct load_stats *to, const struct load_stats *from);

enum load_phase {
	LOAD_IDLE,
	LOAD_RAMP,
	LOAD_WARMUP,
	LOAD_MEASURE,
	LOAD_DRAIN,
	LOAD_CLOSE,
	LOAD_OVER
};

struct load;

/** What connections that stay with their endpoints make of the weights, where that is far off. */
struct load_unevenness {
	uint32_t target; /* one at the endpoint that is off most */
	uint32_t connections; /* that this endpoint gets */
	double share; /* that it should get of the connections */
	uint64_t wanted; /* so many in all would do; maybe more than LOAD_CONNECTIONS_MAX */
};

/**
 * Does an endpoint get none of the connections at the start, or a number that is more than a tenth off its
 * share? connections are divided among so many loads, 1.., the first ones having one more than the others.
 * false: no, and *ret is untouched; also when out of memory. Where connections carry one request each, turns
 * even it out.
 */
bool load_is_uneven(const struct load_target *target, uint32_t targets, uint32_t connections,
	uint32_t shares, struct load_unevenness *ret);

/** NULL: out of memory, or cfg is out of range. cfg is copied. */
struct load *load_create(const struct load_config *cfg);

/** Frees it. What is still connected is given up (RST). */
void load_destroy(struct load *l);

/** Bytes that load_create takes for each connection, about: for reports and limits. What the transport
 *  takes comes on top. */
uint64_t load_bytes_per_connection(const struct load_config *cfg);

/** Begins. Once. */
void load_start(struct load *l, uint64_t now_ns);

/** Moves everything on; call it in every iteration of the poll loop. Its work is in proportion to what
 *  has happened or is due, not to the connections; it opens at most 256 of them, and in the end closes
 *  16, and more at the next call. true: over, and all connections are let go: in order those that were
 *  idle, the others by RST. */
bool load_poll(struct load *l, uint64_t now_ns);

/** When load_poll has something to do without an event: a planned request, a time-out, the end of a
 *  phase. May be in the past: now. TIME_NEVER: nothing. */
uint64_t load_deadline(const struct load *l);

/** Ends the phase under way, whatever it is, and goes on with the drain (Ctrl-C). A second time, or in
 *  the drain: goes on with closing. Nothing before load_start. */
void load_stop(struct load *l, uint64_t now_ns);

enum load_phase load_phase(const struct load *l);

/** Did every attempt to connect fail, none was ever established, and each connection was tried? Then
 *  the load has ended by itself, unless it keeps trying, and *ret_error is the last one's -errno. */
bool load_unreachable(const struct load *l, int *ret_error);

/** Has silence_ns ended the measured time? */
bool load_silent(const struct load *l);

/** Valid until load_destroy; final when load_poll has returned true. */
const struct load_stats *load_stats(const struct load *l);

/** How many intervals of the time series have ended, of which the last intervals_max are there. */
uint32_t load_intervals(const struct load *l);

/**
 * A copy of the interval with this number, 0..; at any time, by any thread. 0; -EAGAIN: it has not ended;
 * -ENOENT: later ones have taken its place. *ret is touched in any case.
 */
int load_interval_copy(const struct load *l, uint32_t number, struct load_interval *ret);

/** The latencies of the interval with this number, 0..; NULL: it has not ended, or is not among the last
 *  interval_histograms. Another thread takes a copy, and then asks again whether it is still there: if
 *  not, the copy may be of two intervals. */
const struct histogram *load_interval_histogram(const struct load *l, uint32_t number);

#endif
