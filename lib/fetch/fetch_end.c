/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base_check.h"
#include "fetch_priv.h"
#include "wire_ipv4.h"

static uint64_t
elapsed_ms(const struct fetch *f, uint64_t now_ns)
{
	return (now_ns - f->result.start_ns) / NS_PER_MS;
}

void
fetch_drop_connection(struct fetch *f, bool abort, uint64_t now_ns)
{
	if (f->conn == NULL)
		return;
	fetch_ops(f)->info(f->conn, &f->result.tcp);
	fetch_ops(f)->release(f->cfg.transport.ctx, f->conn, abort, now_ns);
	f->conn = NULL;
	f->conn_requests = 0;
}

/* curl(1), --retry: time-outs, and of responses that came whole the statuses that say "later". */
static bool
may_retry(const struct fetch_result *r)
{
	if (r->code != FETCH_OK && r->code != FETCH_HTTP_RETURNED_ERROR)
		return r->code == FETCH_OPERATION_TIMEDOUT;
	switch (r->status) {
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
}

/* Nothing of this exchange is left that the next one could meet, in either direction. */
static bool
reusable(const struct fetch *f)
{
	return f->conn != NULL && f->complete && !f->excess &&
	       http_response_keep_alive(f->response) && fetch_stream_empty(f) &&
	       f->request_sent == f->request_len && fetch_ops(f)->reusable(f->conn);
}

void
fetch_end(struct fetch *f, enum fetch_code code, const char *message, uint64_t now_ns)
{
	struct fetch_result *r = &f->result;
	bool keep = code == FETCH_OK || code == FETCH_HTTP_RETURNED_ERROR;

	if (f->state == FETCH_FINISHING)
		return;
	r->code = code;
	snprintf(r->message, sizeof(r->message), "%s", message);
	r->header_bytes = http_response_header_bytes(f->response);
	r->may_retry = may_retry(r);
	if (!keep || !reusable(f)) {
		fetch_stream_drop(f);
		fetch_drop_connection(f, !f->complete, now_ns);
	}
	/* 304: what the client has is still right, so, as curl does, leave it alone. */
	f->job.sink->finish(f->job.sink_file, code == FETCH_OK && r->status != 304);
	f->state = FETCH_FINISHING;
}

/* "Failed to connect to 198.18.0.1 port 80 after 75 ms: Connection refused", as curl says it. */
static void
end_connecting(struct fetch *f, int error, uint64_t now_ns)
{
	char text[192], why[160], ip[IP_ADDRESS_TEXT_LEN];

	f->result.refused = error == -ECONNREFUSED;
	if (!fetch_ops(f)->explain(f->cfg.transport.ctx, error, why, sizeof(why)))
		snprintf(why, sizeof(why), "%s", strerror(error != 0 ? -error : ECONNABORTED));
	snprintf(text, sizeof(text), "Failed to connect to %s port %u after %" PRIu64 " ms: %.110s",
		ip_address_format(&f->job.remote, ip), f->job.remote_port, elapsed_ms(f, now_ns),
		why);
	fetch_end(f, error == -ETIMEDOUT ? FETCH_OPERATION_TIMEDOUT : FETCH_COULDNT_CONNECT, text,
		now_ns);
}

static void
end_in_body(struct fetch *f, int error, uint64_t now_ns)
{
	char text[192];
	const char *how = error != 0 ? strerror(-error) : "transfer closed";

	if (f->result.length != HTTP_LENGTH_UNKNOWN)
		snprintf(text, sizeof(text), "%s with %" PRIu64 " bytes remaining to read", how,
			f->result.length - f->result.body_bytes);
	else
		snprintf(text, sizeof(text), "%s with outstanding read data remaining", how);
	fetch_end(f, FETCH_PARTIAL_FILE, text, now_ns);
}

static void
end_before_head(struct fetch *f, int error, uint64_t now_ns)
{
	char text[192];

	if (error != 0) {
		snprintf(text, sizeof(text), "Recv failure: %s", strerror(-error));
		fetch_end(f, FETCH_RECV_ERROR, text, now_ns);
	} else if (!http_response_started(f->response)) {
		fetch_end(f, FETCH_GOT_NOTHING, "Empty reply from server", now_ns);
	} else {
		fetch_end(f, FETCH_RECV_ERROR,
			"Recv failure: the server closed inside the response's head", now_ns);
	}
}

void
fetch_end_by_connection(struct fetch *f, int error, uint64_t now_ns)
{
	if (f->state == FETCH_CONNECTING)
		end_connecting(f, error, now_ns);
	else if (http_response_headers_complete(f->response))
		end_in_body(f, error, now_ns);
	else
		end_before_head(f, error, now_ns);
}

/* The request waits for a window that the server does not open: no fault of the path. */
static bool
held_by_a_shut_window(const struct fetch *f)
{
	struct tcp_info info;

	if (f->conn == NULL)
		return false;
	fetch_ops(f)->info(f->conn, &info);
	return info.snd_wnd == 0 &&
	       (f->request_sent < f->request_len || fetch_ops(f)->send_queued(f->conn) > 0);
}

void
fetch_end_by_timeout(struct fetch *f, uint64_t now_ns)
{
	const char *why = held_by_a_shut_window(f) ? ": the server's window is shut" : "";
	char text[192], ip[IP_ADDRESS_TEXT_LEN];

	if (f->state == FETCH_CONNECTING)
		snprintf(text, sizeof(text),
			"Failed to connect to %s port %u after %" PRIu64 " ms: Timeout was reached",
			ip_address_format(&f->job.remote, ip), f->job.remote_port,
			elapsed_ms(f, now_ns));
	else if (f->result.length != HTTP_LENGTH_UNKNOWN)
		snprintf(text, sizeof(text),
			"Operation timed out after %" PRIu64 " milliseconds with %" PRIu64
			" out of %" PRIu64 " bytes received",
			elapsed_ms(f, now_ns), f->result.body_bytes, f->result.length);
	else
		snprintf(text, sizeof(text),
			"Operation timed out after %" PRIu64 " milliseconds with %" PRIu64
			" bytes received%s",
			elapsed_ms(f, now_ns), f->result.body_bytes, why);
	fetch_end(f, FETCH_OPERATION_TIMEDOUT, text, now_ns);
}
