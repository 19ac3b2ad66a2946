/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "fetch_priv.h"

#define COMPLETIONS 64U

/* The buffer is done with: the window may open, the port gets it back. */
static void
give_back(struct fetch *f, uint32_t bytes, uint32_t parts, void *owner)
{
	if (f->conn != NULL && parts > 0)
		fetch_ops(f)->consumed(f->cfg.transport.ctx, f->conn, bytes, parts);
	if (owner != NULL)
		f->cfg.transport.release(f->cfg.transport.release_ctx, owner);
}

void
fetch_stream_complete_writes(struct fetch *f)
{
	struct sink_completion done[COMPLETIONS];
	uint32_t i, n, bytes = 0, parts = 0;

	do {
		n = f->job.sink->completions(f->job.sink_file, done, COMPLETIONS);
		for (i = 0; i < n; i++) {
			bytes += done[i].credit_bytes;
			parts += done[i].credit_parts;
			if (done[i].owner != NULL)
				f->cfg.transport.release(
					f->cfg.transport.release_ctx, done[i].owner);
		}
		CHECK(n <= f->writes);
		f->writes -= n;
	} while (n == COMPLETIONS);
	give_back(f, bytes, parts, NULL);
}

bool
fetch_stream_empty(const struct fetch *f)
{
	return f->stream.at == f->stream.parts;
}

static uint32_t
recv_parts(struct fetch *f, struct payload *ret, uint32_t n)
{
	return fetch_ops(f)->recv(f->cfg.transport.ctx, f->conn, ret, n);
}

void
fetch_stream_drop(struct fetch *f)
{
	struct fetch_stream *s = &f->stream;
	struct payload p;

	for (; s->at < s->parts; s->at++)
		give_back(f, s->part[s->at].len, 1, s->part[s->at].owner);
	s->parts = s->at = s->used = s->span_len = 0;
	while (f->conn != NULL && recv_parts(f, &p, 1) == 1)
		give_back(f, p.len, 1, p.owner);
}

/* Before the first body byte: what the sink can prepare for. */
static void
tell_length(struct fetch *f)
{
	uint64_t length = http_response_length(f->response);

	if (f->expect_told)
		return;
	f->expect_told = true;
	if (length != HTTP_LENGTH_UNKNOWN)
		f->job.sink->expect(f->job.sink_file, length);
}

/* Writes the waiting span; with the buffer's owner when it was the buffer's last. false: the sink
 * is full, which closes the window. */
static bool
write_span(struct fetch *f, bool last)
{
	struct fetch_stream *s = &f->stream;
	const struct payload *part = &s->part[s->at];
	struct sink_write write = {
		.offset = f->result.body_bytes,
		.data = s->span,
		.len = s->span_len,
		.credit_bytes = last ? part->len : 0,
		.credit_parts = last ? 1 : 0,
		.owner = last ? part->owner : NULL,
	};

	tell_length(f);
	if (f->job.sink->write_room(f->job.sink_file) == 0)
		return false;
	f->job.sink->write(f->job.sink_file, &write);
	f->writes++;
	f->result.body_bytes += s->span_len;
	s->span_len = 0;
	return true;
}

/* The part is parsed to its end: its owner goes with the last span, or back at once. */
static bool
finish_part(struct fetch *f)
{
	struct fetch_stream *s = &f->stream;
	const struct payload *part = &s->part[s->at];

	if (s->span_len > 0) {
		if (!write_span(f, true))
			return false;
	} else {
		give_back(f, part->len, 1, part->owner);
	}
	s->at++;
	s->used = 0;
	return true;
}

/* What the head decided, once. */
static void
on_head(struct fetch *f)
{
	f->result.status = http_response_status(f->response);
	f->result.http_minor = http_response_minor_version(f->response);
	f->result.framing = http_response_framing(f->response);
	f->result.length = http_response_length(f->response);
	f->body_unwanted = f->job.fail_on_error && f->result.status >= 400;
}

static bool
take_parts(struct fetch *f, uint64_t now_ns)
{
	struct fetch_stream *s = &f->stream;

	s->at = 0;
	s->parts = f->conn != NULL ? recv_parts(f, s->part, FETCH_PARTS) : 0;
	if (s->parts > 0 && f->result.first_byte_ns == 0)
		f->result.first_byte_ns = now_ns;
	return s->parts > 0;
}

static bool
sink_has_room(const struct fetch *f)
{
	return f->job.sink->write_room(f->job.sink_file) > 0;
}

/*
 * Feeds the rest of the current part; a span that it finds becomes the waiting one. The span that
 * waited before goes only then: what follows it in the buffer may be no body (a chunk's end), and
 * then it was the buffer's last and carries the owner. false: the sink is full.
 */
static bool
feed_part(struct fetch *f, enum http_status_event *ret)
{
	struct fetch_stream *s = &f->stream;
	const struct payload *part = &s->part[s->at];
	uint32_t used, body_len;
	const uint8_t *body;

	if (s->span_len > 0 && !sink_has_room(f))
		return false;
	*ret = http_response_feed(
		f->response, part->data + s->used, part->len - s->used, &used, &body, &body_len);
	s->used += used;
	if (f->result.status == 0 && http_response_headers_complete(f->response))
		on_head(f);
	if (body_len == 0 || f->body_unwanted)
		return true;
	if (s->span_len > 0)
		CHECK(write_span(f, false));
	s->span = body;
	s->span_len = body_len;
	return true;
}

/* Buffers that hold nothing but body need no parser, and each is one write. Stops before the
 * buffer in which the body may end, and when the sink is full. */
static void
write_plain_parts(struct fetch *f)
{
	struct fetch_stream *s = &f->stream;
	uint64_t ahead = http_response_plain_ahead(f->response), body = 0;
	uint32_t room = f->job.sink->write_room(f->job.sink_file), at = s->at;

	for (; at < s->parts && room > 0 && body + s->part[at].len < ahead; at++, room--) {
		const struct payload *part = &s->part[at];
		const struct sink_write write = {
			.offset = f->result.body_bytes + body,
			.data = part->data,
			.len = part->len,
			.credit_bytes = part->len,
			.credit_parts = 1,
			.owner = part->owner,
		};

		f->job.sink->write(f->job.sink_file, &write);
		body += part->len;
	}
	f->writes += at - s->at;
	s->at = at;
	f->result.body_bytes += body;
	http_response_skip(f->response, body);
}

/* In the middle of a body, at a buffer's start? */
static bool
at_plain_part(const struct fetch *f)
{
	const struct fetch_stream *s = &f->stream;

	return s->used == 0 && s->span_len == 0 && !f->body_unwanted && !f->complete &&
	       f->expect_told && s->part[s->at].len < http_response_plain_ahead(f->response);
}

/* What was parsed before the error is body. false: the sink is full. */
static bool
flush_before_error(struct fetch *f)
{
	return f->stream.span_len == 0 || finish_part(f);
}

enum fetch_stream_event
fetch_stream_poll(struct fetch *f, uint64_t now_ns)
{
	struct fetch_stream *s = &f->stream;
	enum http_status_event event = HTTP_NEED_MORE;

	while (s->at < s->parts || take_parts(f, now_ns)) {
		if (at_plain_part(f)) {
			write_plain_parts(f);
			if (s->at < s->parts && !sink_has_room(f))
				return FETCH_STREAM_IDLE;
			continue;
		}
		if (!f->complete && s->used < s->part[s->at].len) {
			if (!feed_part(f, &event))
				return FETCH_STREAM_IDLE;
			if (event == HTTP_ERROR)
				return flush_before_error(f) ? FETCH_STREAM_ERROR
							     : FETCH_STREAM_IDLE;
			f->complete = event == HTTP_COMPLETE;
			f->excess = f->complete && s->used < s->part[s->at].len;
		}
		if (!f->complete && s->used < s->part[s->at].len)
			continue;
		if (!finish_part(f))
			return FETCH_STREAM_IDLE;
		if (f->complete)
			return FETCH_STREAM_COMPLETE;
	}
	return FETCH_STREAM_IDLE;
}
