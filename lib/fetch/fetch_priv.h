/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_PRIV_H
#define FETCH_PRIV_H

#include "fetch.h"

/* The inside of a fetch, for lib/fetch and its tests. */

#define FETCH_REQUEST_MAX 65536U /* bytes of a request head */
#define FETCH_PARTS 64U /* received payloads taken at once */

enum fetch_state {
	FETCH_IDLE,
	FETCH_CONNECTING,
	FETCH_TRANSFER, /* the request goes out, the response comes in */
	FETCH_FINISHING, /* over, but for the sink */
};

/** Received payloads on their way through the parser to the sink. */
struct fetch_stream {
	struct payload part[FETCH_PARTS];
	uint32_t parts, at; /* taken; the one being parsed */
	uint32_t used; /* bytes of it dealt with */
	/* The last body span found: it waits until it is known whether its buffer holds another,
	 * because the buffer's last write carries the owner. */
	const uint8_t *span;
	uint32_t span_len;
};

struct fetch {
	struct fetch_config cfg;
	enum fetch_state state;
	struct fetch_job job;
	struct fetch_result result;
	struct http_response *response;
	struct transport_conn *conn; /* in use or kept alive, NULL: none */
	uint32_t conn_requests; /* sent on it so far */
	struct fetch_stream stream;
	uint32_t writes; /* handed to the sink, not yet completed */
	bool expect_told, body_unwanted, status_told;
	bool complete; /* the response is */
	bool excess; /* bytes came after it that nobody asked for */
	char request[FETCH_REQUEST_MAX];
	uint32_t request_len, request_sent;
};

/** What carries f. */
static inline const struct transport_ops *
fetch_ops(const struct fetch *f)
{
	return f->cfg.transport.ops;
}

/* fetch_stream.c */

enum fetch_stream_event {
	FETCH_STREAM_IDLE, /* nothing more to do now */
	FETCH_STREAM_COMPLETE, /* the response is whole */
	FETCH_STREAM_ERROR, /* no HTTP, or over a limit */
};

/** Moves received bytes through the parser to the sink, as far as both allow. */
enum fetch_stream_event fetch_stream_poll(struct fetch *f, uint64_t now_ns);
/** Nothing is held between connection and sink. */
bool fetch_stream_empty(const struct fetch *f);
/** Gives back everything that is held. */
void fetch_stream_drop(struct fetch *f);
/** Takes the sink's completions: window and buffers come free. */
void fetch_stream_complete_writes(struct fetch *f);

/* fetch_end.c */

/** Ends the download: the connection is kept or dropped, the sink told, the code and message set. */
void fetch_end(struct fetch *f, enum fetch_code code, const char *message, uint64_t now_ns);
/** The connection ended, in order (error 0) or not, before the response was complete. */
void fetch_end_by_connection(struct fetch *f, int error, uint64_t now_ns);
void fetch_end_by_timeout(struct fetch *f, uint64_t now_ns);
/** Aborts or closes the connection and lets go of it. */
void fetch_drop_connection(struct fetch *f, bool abort, uint64_t now_ns);

#endif
