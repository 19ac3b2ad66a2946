/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base_bytes.h"
#include "fetch_fixture.h"
#include "transport_netstack.h"

#define ITERATIONS 20U
#define REPLY_SEGMENT 1400U

static uint32_t
sink_room(void *file)
{
	const struct fx_sink *s = file;

	return MIN_OF(s->room, 256U - s->done_count);
}

static void
sink_write(void *file, const struct sink_write *w)
{
	struct fx_sink *s = file;

	assert_true(sink_room(s) > 0);
	assert_false(s->finished);
	assert_int_equal(w->offset, s->len);
	assert_true(s->len + w->len <= FX_BODY_MAX);
	s->room -= s->room != UINT32_MAX ? 1 : 0;
	memcpy(s->body + s->len, w->data, w->len);
	s->len += w->len;
	s->done[s->done_count++] = (struct sink_completion){
		.credit_bytes = w->credit_bytes,
		.credit_parts = w->credit_parts,
		.owner = w->owner,
	};
}

static uint32_t
sink_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct fx_sink *s = file;

	n = MIN_OF(n, s->done_count);
	memcpy(ret, s->done, n * sizeof(*ret));
	s->done_count -= n;
	memmove(s->done, s->done + n, s->done_count * sizeof(*ret));
	return n;
}

static void
sink_expect(void *file, uint64_t length)
{
	struct fx_sink *s = file;

	assert_true(s->expected == UINT64_MAX && s->len == 0);
	s->expected = length;
}

static void
sink_finish(void *file, bool complete)
{
	struct fx_sink *s = file;

	s->finished = true;
	s->complete = complete;
}

static int
sink_status(void *file)
{
	const struct fx_sink *s = file;

	if (s->error != 0)
		return s->error;
	return s->finished && !s->slow && s->done_count == 0 ? 1 : 0;
}

static const struct fetch_sink_ops sink_ops = {
	.write_room = sink_room,
	.write = sink_write,
	.completions = sink_completions,
	.expect = sink_expect,
	.finish = sink_finish,
	.status = sink_status,
};

void
fx_reset_sink(struct fx *f)
{
	memset(&f->sink, 0, sizeof(f->sink));
	f->sink.room = UINT32_MAX;
	f->sink.expected = UINT64_MAX;
}

struct fx *
fx_new(void)
{
	struct fx *f = calloc(1, sizeof(*f));
	struct netstack_config cfg;
	struct fetch_config fetch = {0};
	const char *why;

	assert_non_null(f);
	test_peer_config(&f->peer, &cfg);
	test_peer_start(&f->peer, &cfg);
	fetch.transport = transport_of_netstack(f->peer.ns, test_buffer_release, &f->peer.buffers);
	http_limits_defaults(&fetch.limits);
	f->fetch = fetch_create(&fetch);
	assert_non_null(f->fetch);
	assert_int_equal(http_url_parse("http://198.18.0.1/x", &f->url, &why), 0);
	fx_reset_sink(f);
	f->job = (struct fetch_job){
		.url = &f->url,
		.remote = {.family = 4, .v4 = TEST_PEER_ADDRESS},
		.remote_port = 80,
		.connect_timeout_ns = TIME_NEVER,
		.max_time_ns = TIME_NEVER,
		.sink = &sink_ops,
		.sink_file = &f->sink,
	};
	return f;
}

void
fx_start(struct fx *f)
{
	assert_int_equal(fetch_start(f->fetch, &f->job, f->peer.now_ns), 0);
}

void
fx_start_to_request(struct fx *f)
{
	f->peer.received_len = 0;
	fx_start(f);
	assert_false(fx_run(f));
	assert_true(f->peer.received_len > 4);
	assert_memory_equal(f->peer.received + f->peer.received_len - 4, "\r\n\r\n", 4);
}

bool
fx_run(struct fx *f)
{
	uint32_t i;
	bool over = false;

	for (i = 0; i < ITERATIONS; i++) {
		test_peer_deliver(&f->peer);
		over = fetch_poll(f->fetch, f->peer.now_ns);
		test_peer_wait(&f->peer, NS_PER_US);
	}
	return over;
}

void
fx_reply_bytes(struct fx *f, uint8_t flags, const void *data, uint32_t len)
{
	uint32_t done = 0, n;

	do {
		n = MIN_OF(len - done, REPLY_SEGMENT);
		test_peer_send(&f->peer, TCP_ACK | (done + n == len ? flags : 0),
			(const uint8_t *)data + done, n);
		done += n;
	} while (done < len);
}

void
fx_reply(struct fx *f, uint8_t flags, const char *text)
{
	fx_reply_bytes(f, flags, text, (uint32_t)strlen(text));
}

const struct fetch_result *
fx_expect_end(struct fx *f, enum fetch_code code)
{
	const struct fetch_result *r = fetch_result(f->fetch);

	assert_true(fx_run(f));
	if (r->code != code)
		fail_msg("ended with %d (%s), not %d", (int)r->code, r->message, (int)code);
	assert_int_equal(r->message[0] == '\0', code == FETCH_OK);
	assert_true(f->sink.finished);
	assert_int_equal(f->sink.complete, code == FETCH_OK && r->status != 304);
	assert_int_equal(r->body_bytes, f->sink.len);
	return r;
}

void
fx_expect_body(const struct fx *f, const char *text)
{
	assert_int_equal(f->sink.len, strlen(text));
	assert_memory_equal(f->sink.body, text, f->sink.len);
}

void
fx_end(struct fx *f)
{
	fetch_shutdown(f->fetch, f->peer.now_ns);
	test_peer_wait(&f->peer, NS_PER_MS);
	fetch_destroy(f->fetch);
	test_peer_stop(&f->peer);
	http_url_free(&f->url);
	free(f);
}
