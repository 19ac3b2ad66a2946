/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch_sink.h"
#include "http_request.h"
#include "http_response.h"
#include "http_url.h"
#include "transport.h"

/*
 * One client: downloads one URL after another over one transport, reusing the connection where
 * HTTP allows (RFC 9112 §9.3). Pure. The worker calls fetch_poll in every iteration.
 */

/** curl's exit codes that a transfer can end with (curl(1), EXIT CODES). */
enum fetch_code {
	FETCH_OK = 0,
	FETCH_UNSUPPORTED_PROTOCOL = 1,
	FETCH_COULDNT_CONNECT = 7,
	FETCH_WEIRD_SERVER_REPLY = 8,
	FETCH_PARTIAL_FILE = 18,
	FETCH_HTTP_RETURNED_ERROR = 22,
	FETCH_WRITE_ERROR = 23,
	FETCH_OPERATION_TIMEDOUT = 28,
	FETCH_ABORTED_BY_CALLBACK = 42,
	FETCH_GOT_NOTHING = 52,
	FETCH_SEND_ERROR = 55,
	FETCH_RECV_ERROR = 56,
};

struct fetch_config {
	struct transport transport;
	struct http_limits limits;
};

/** One download. Pointers stay the caller's and must outlive the download. */
struct fetch_job {
	const struct http_url *url;
	struct ip_address remote; /* url->host, resolved by the caller */
	uint16_t remote_port;
	const char *method; /* NULL: GET */
	const char *user_agent;
	const char *const *headers;
	uint32_t headers_count;
	bool fail_on_error; /* -f: a status >= 400 ends it with code 22, no body written */
	uint64_t connect_timeout_ns; /* from the start to ESTABLISHED; TIME_NEVER: none */
	uint64_t max_time_ns; /* the whole operation; TIME_NEVER: none */
	const struct fetch_sink_ops *sink;
	void *sink_file;
	http_header_fn on_header; /* may be NULL */
	/* What -v shows besides; may be NULL: the request's head as it begins to go out, not
	 * terminated; and the status before the response's first field. */
	void (*on_request)(void *ctx, const char *head, uint32_t len);
	void (*on_status)(void *ctx, uint8_t http_minor, uint32_t status);
	void *on_header_ctx; /* for all three */
};

/** All times are absolute on the poll loop's clock, 0 where it did not happen. */
struct fetch_result {
	enum fetch_code code;
	char message[192]; /* what happened, for code != FETCH_OK; empty else */
	uint32_t status; /* HTTP status, 0 if none came */
	uint8_t http_minor; /* HTTP/1.x: the x, with a status */
	enum http_framing framing;
	uint64_t length; /* Content-Length or HTTP_LENGTH_UNKNOWN */
	uint64_t body_bytes; /* handed to the sink */
	uint64_t header_bytes, request_bytes;
	uint64_t start_ns, connected_ns, request_sent_ns, first_byte_ns, end_ns;
	bool reused; /* the connection had served an earlier download */
	bool may_retry; /* the cause may pass (curl(1), --retry); body bytes may have been written */
	bool refused; /* the server answered our SYN with a reset */
	struct ip_address local; /* ours, of the connection last used; no family: none was opened */
	uint16_t local_port; /* the same; 0 */
	struct tcp_info tcp; /* the connection when it was let go; zeroes while it is kept */
	uint32_t connections; /* opened for this download: 0 reused, 2 after a stale reuse */
};

struct fetch;

/** NULL when out of memory. */
struct fetch *fetch_create(const struct fetch_config *cfg);

/** Releases everything. The connection must have been aborted or closed (fetch_shutdown). */
void fetch_destroy(struct fetch *f);

/** Starts one download; only when none is under way. 0, or -EBUSY, or -EMSGSIZE (request head
 *  too large), or the transport's connect's errors. */
int fetch_start(struct fetch *f, const struct fetch_job *job, uint64_t now_ns);

/** Moves the download on. true: it is over, fetch_result is final, and the sink has finished. */
bool fetch_poll(struct fetch *f, uint64_t now_ns);

/** Between downloads, in each iteration: gives up a kept connection that the server has ended or sends to unasked. */
void fetch_tend(struct fetch *f, uint64_t now_ns);

/** When fetch_poll has something to do without input: time-outs. TIME_NEVER: nothing. */
uint64_t fetch_deadline(const struct fetch *f);

/** The download so far (for progress) or its end. Valid until the next fetch_start. */
const struct fetch_result *fetch_result(const struct fetch *f);

/** Ends the download under way with `code` and message, keeping what was written (Ctrl-C,
 *  address conflict, link lost); fetch_poll then returns true once the sink has finished. */
void fetch_cancel(struct fetch *f, enum fetch_code code, const char *message, uint64_t now_ns);

/** The connection in use or kept alive, NULL if none. */
struct transport_conn *fetch_connection(const struct fetch *f);

/** A look inside of it. false, and *ret untouched: there is none. */
bool fetch_info(const struct fetch *f, struct tcp_info *ret);

/** Closes the kept-alive connection in order (FIN). Call before the program's exit, then let
 *  the transport finish. */
void fetch_shutdown(struct fetch *f, uint64_t now_ns);

#endif
