/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "fetch_priv.h"

/* The parser was made before any job: it passes headers on to the one under way. */
static void
pass_header(void *ctx, const char *name, const char *value)
{
	struct fetch *f = ctx;

	if (!f->status_told && f->job.on_status != NULL)
		f->job.on_status(f->job.on_header_ctx, http_response_minor_version(f->response),
			http_response_coming_status(f->response));
	f->status_told = true;
	if (f->job.on_header != NULL)
		f->job.on_header(f->job.on_header_ctx, name, value);
}

struct fetch *
fetch_create(const struct fetch_config *cfg)
{
	struct fetch *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->cfg = *cfg;
	f->response = http_response_create(&cfg->limits, pass_header, f);
	if (f->response == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void
fetch_destroy(struct fetch *f)
{
	if (f == NULL)
		return;
	fetch_stream_drop(f);
	http_response_destroy(f->response);
	free(f);
}

static int
write_request(struct fetch *f)
{
	const struct http_request request = {
		.method = f->job.method != NULL ? f->job.method : "GET",
		.url = f->job.url,
		.user_agent = f->job.user_agent,
		.headers = f->job.headers,
		.headers_count = f->job.headers_count,
	};
	int len = http_request_write(&request, f->request, FETCH_REQUEST_MAX);

	if (len < 0)
		return len;
	f->request_len = (uint32_t)len;
	f->request_sent = 0;
	return 0;
}

static int
open_connection(struct fetch *f, uint64_t now_ns)
{
	int rc = fetch_ops(f)->connect(
		f->cfg.transport.ctx, &f->job.remote, f->job.remote_port, f, now_ns, &f->conn);

	if (rc != 0) {
		f->conn = NULL;
		return rc;
	}
	f->conn_requests = 0;
	fetch_ops(f)->local(f->conn, &f->result.local, &f->result.local_port);
	f->result.connections++;
	f->state = FETCH_CONNECTING;
	return 0;
}

/* Is the kept connection still good, and to the same server? */
static bool
can_reuse(const struct fetch *f, const struct fetch_job *job)
{
	if (f->conn == NULL || f->job.remote.family != job->remote.family ||
		!ip_address_equal(&f->job.remote, &job->remote) ||
		f->job.remote_port != job->remote_port)
		return false;
	return fetch_ops(f)->reusable(f->conn);
}

static void
begin_transfer(struct fetch *f, uint64_t now_ns)
{
	f->state = FETCH_TRANSFER;
	f->conn_requests++;
	if (f->result.connected_ns == 0)
		f->result.connected_ns = now_ns;
}

int
fetch_start(struct fetch *f, const struct fetch_job *job, uint64_t now_ns)
{
	bool reuse = can_reuse(f, job);
	int rc;

	if (f->state != FETCH_IDLE)
		return -EBUSY;
	if (!reuse)
		fetch_drop_connection(f, false, now_ns);
	f->job = *job;
	f->result = (struct fetch_result){
		.start_ns = now_ns, .length = HTTP_LENGTH_UNKNOWN, .reused = reuse};
	if (reuse)
		fetch_ops(f)->local(f->conn, &f->result.local, &f->result.local_port);
	f->expect_told = f->body_unwanted = f->complete = f->excess = false;
	f->status_told = false;
	f->stream.parts = f->stream.at = f->stream.used = f->stream.span_len = 0;
	f->writes = 0;
	http_response_reset(f->response, job->method != NULL && strcmp(job->method, "HEAD") == 0);
	rc = write_request(f);
	if (rc == 0 && !reuse)
		rc = open_connection(f, now_ns);
	else if (rc == 0)
		begin_transfer(f, now_ns);
	return rc;
}

static void
send_request(struct fetch *f, uint64_t now_ns)
{
	uint32_t taken;

	if (f->request_sent == f->request_len)
		return;
	if (f->request_sent == 0 && f->job.on_request != NULL)
		f->job.on_request(f->job.on_header_ctx, f->request, f->request_len);
	taken = fetch_ops(f)->send(f->cfg.transport.ctx, f->conn, f->request + f->request_sent,
		f->request_len - f->request_sent);
	f->request_sent += taken;
	f->result.request_bytes += taken;
	if (f->request_sent == f->request_len)
		f->result.request_sent_ns = now_ns;
}

static void
poll_connecting(struct fetch *f, uint64_t now_ns)
{
	bool established = fetch_ops(f)->established(f->conn);
	int error = fetch_ops(f)->error(f->conn);

	if (error != 0 && established) { /* and ended in the same burst */
		begin_transfer(f, now_ns);
	} else if (error != 0 || fetch_ops(f)->ended(f->conn)) {
		fetch_end_by_connection(f, error, now_ns);
	} else if (established) {
		f->result.connected_ns = now_ns;
		begin_transfer(f, now_ns);
		send_request(f, now_ns);
	}
}

static bool
is_idempotent(const char *method)
{
	return method == NULL || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* RFC 9110 §9.2.2: a kept connection that ends before it answers was closed while our request was
 * under way; what changes nothing on the server may be sent again, once. */
static bool
retry_stale(struct fetch *f, uint64_t now_ns)
{
	if (!is_idempotent(f->job.method) || !f->result.reused || f->result.connections > 0 ||
		http_response_started(f->response))
		return false;
	fetch_stream_drop(f);
	fetch_drop_connection(f, true, now_ns);
	f->request_sent = 0;
	f->result.connected_ns = 0;
	if (open_connection(f, now_ns) != 0)
		fetch_end(f, FETCH_COULDNT_CONNECT,
			"the kept connection was closed and no new one could be "
			"opened",
			now_ns);
	return true;
}

/* The response is whole, as HTTP counts; what is left is the sink's. */
static void
end_complete(struct fetch *f, uint64_t now_ns)
{
	char text[64];

	if (!f->body_unwanted) {
		fetch_end(f, FETCH_OK, "", now_ns);
		return;
	}
	snprintf(text, sizeof(text), "The requested URL returned error: %u", f->result.status);
	fetch_end(f, FETCH_HTTP_RETURNED_ERROR, text, now_ns);
}

static void
end_malformed(struct fetch *f, uint64_t now_ns)
{
	char text[192];

	if (!http_response_is_http(f->response)) {
		fetch_end(f, FETCH_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed",
			now_ns);
		return;
	}
	if (http_response_headers_complete(f->response)) { /* curl: a receive error */
		snprintf(text, sizeof(text), "Malformed chunked encoding: %.160s",
			http_response_error(f->response));
		fetch_end(f, FETCH_RECV_ERROR, text, now_ns);
		return;
	}
	snprintf(
		text, sizeof(text), "Weird server reply: %.160s", http_response_error(f->response));
	fetch_end(f, FETCH_WEIRD_SERVER_REPLY, text, now_ns);
}

/* No more will come, and all that came has been dealt with. */
static void
on_connection_end(struct fetch *f, int error, uint64_t now_ns)
{
	if (retry_stale(f, now_ns))
		return;
	if (error == 0 && http_response_finish(f->response) == HTTP_COMPLETE) {
		f->complete = true;
		end_complete(f, now_ns);
		return;
	}
	fetch_end_by_connection(f, error, now_ns);
}

static void
poll_transfer(struct fetch *f, uint64_t now_ns)
{
	int error;

	send_request(f, now_ns);
	switch (fetch_stream_poll(f, now_ns)) {
	case FETCH_STREAM_COMPLETE:
		end_complete(f, now_ns);
		return;
	case FETCH_STREAM_ERROR:
		end_malformed(f, now_ns);
		return;
	case FETCH_STREAM_IDLE:
		break;
	}
	if (!fetch_stream_empty(f) || fetch_ops(f)->recv_ready(f->conn))
		return;
	/* Once -f has seen the status, the rest of the body is not waited for. */
	if (f->body_unwanted) {
		end_complete(f, now_ns);
		return;
	}
	if (fetch_ops(f)->recv_finished(f->conn)) { /* a reset after the FIN harms nobody */
		on_connection_end(f, 0, now_ns);
		return;
	}
	error = fetch_ops(f)->error(f->conn);
	if (error != 0 || fetch_ops(f)->ended(f->conn))
		on_connection_end(f, error, now_ns);
}

static void
check_sink(struct fetch *f, uint64_t now_ns)
{
	char text[96];
	int status = f->job.sink->status(f->job.sink_file);

	if (status >= 0)
		return;
	snprintf(text, sizeof(text), "Failed writing received data: %s", strerror(-status));
	fetch_end(f, FETCH_WRITE_ERROR, text, now_ns);
}

/* A limit beyond the clock's end is none. */
static uint64_t
time_after(uint64_t start_ns, uint64_t limit_ns)
{
	return limit_ns < TIME_NEVER - start_ns ? start_ns + limit_ns : TIME_NEVER;
}

static uint64_t
deadline_of(const struct fetch *f)
{
	uint64_t start_ns = f->result.start_ns;
	uint64_t deadline_ns = time_after(start_ns, f->job.max_time_ns);

	if (f->state == FETCH_CONNECTING)
		deadline_ns =
			time_min(deadline_ns, time_after(start_ns, f->job.connect_timeout_ns));
	return deadline_ns;
}

void
fetch_tend(struct fetch *f, uint64_t now_ns)
{
	if (f->conn != NULL && (f->state == FETCH_IDLE || f->state == FETCH_FINISHING) &&
		!fetch_ops(f)->reusable(f->conn))
		fetch_drop_connection(f, false, now_ns);
}

/* true: over. */
static bool
poll_finishing(struct fetch *f, uint64_t now_ns)
{
	int status = f->job.sink->status(f->job.sink_file);

	fetch_tend(f, now_ns);
	if (f->writes > 0 || status == 0)
		return false;
	if (status < 0 && f->result.code == FETCH_OK) {
		f->result.code = FETCH_WRITE_ERROR;
		snprintf(f->result.message, sizeof(f->result.message),
			"Failed writing received data: %s", strerror(-status));
	}
	f->result.end_ns = now_ns;
	f->state = FETCH_IDLE;
	return true;
}

bool
fetch_poll(struct fetch *f, uint64_t now_ns)
{
	if (f->state == FETCH_IDLE)
		return true;
	fetch_stream_complete_writes(f);
	if (f->state == FETCH_FINISHING)
		return poll_finishing(f, now_ns);
	if (now_ns >= deadline_of(f)) {
		fetch_end_by_timeout(f, now_ns);
		return false;
	}
	check_sink(f, now_ns);
	if (f->state == FETCH_CONNECTING)
		poll_connecting(f, now_ns);
	if (f->state == FETCH_TRANSFER)
		poll_transfer(f, now_ns);
	return false;
}

uint64_t
fetch_deadline(const struct fetch *f)
{
	return f->state == FETCH_IDLE || f->state == FETCH_FINISHING ? TIME_NEVER : deadline_of(f);
}

const struct fetch_result *
fetch_result(const struct fetch *f)
{
	return &f->result;
}

void
fetch_cancel(struct fetch *f, enum fetch_code code, const char *message, uint64_t now_ns)
{
	CHECK(code != FETCH_OK);
	if (f->state == FETCH_IDLE)
		return;
	if (f->state == FETCH_FINISHING)
		f->job.sink->finish(f->job.sink_file, false); /* give up waiting */
	else
		fetch_end(f, code, message, now_ns);
}

struct transport_conn *
fetch_connection(const struct fetch *f)
{
	return f->conn;
}

bool
fetch_info(const struct fetch *f, struct tcp_info *ret)
{
	if (f->conn == NULL)
		return false;
	fetch_ops(f)->info(f->conn, ret);
	return true;
}

void
fetch_shutdown(struct fetch *f, uint64_t now_ns)
{
	fetch_stream_drop(f);
	fetch_drop_connection(f, false, now_ns);
}
