/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sys/socket.h>

#include "base_bytes.h"
#include "fetch.h"
#include "kernel_fixture.h"

#define MIB (UINT64_C(1) << 20)
#define RING 256U
#define HEAD_MAX 4096U

/* What the server does with each request. */
struct script {
	uint64_t body; /* bytes that it sends */
	uint64_t announced; /* Content-Length; UINT64_MAX: chunked; 0: none, the end is the close */
	uint32_t requests; /* on a connection, then it closes */
	bool reset; /* by a reset */
	bool silent; /* never answers */
};

#define CHUNKED UINT64_MAX

/* Counts, compares, and gives each buffer back one poll later. */
struct sink {
	struct sink_completion done[RING];
	uint32_t done_count;
	uint64_t bytes;
	bool same, finished, complete;
};

static uint32_t
sink_room(void *file)
{
	const struct sink *s = file;

	return RING - s->done_count;
}

static void
sink_write(void *file, const struct sink_write *w)
{
	struct sink *s = file;

	assert_int_equal(w->offset, s->bytes);
	s->same = s->same && kx_is_pattern(w->offset, w->data, w->len);
	s->bytes += w->len;
	s->done[s->done_count++] = (struct sink_completion){
		.credit_bytes = w->credit_bytes,
		.credit_parts = w->credit_parts,
		.owner = w->owner,
	};
}

static uint32_t
sink_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct sink *s = file;

	n = MIN_OF(n, s->done_count);
	memcpy(ret, s->done, n * sizeof(*ret));
	s->done_count -= n;
	memmove(s->done, s->done + n, s->done_count * sizeof(*ret));
	return n;
}

static void
sink_expect(void *file, uint64_t length)
{
	(void)file;
	(void)length;
}

static void
sink_finish(void *file, bool complete)
{
	struct sink *s = file;

	s->finished = true;
	s->complete = complete;
}

static int
sink_status(void *file)
{
	const struct sink *s = file;

	return s->finished && s->done_count == 0 ? 1 : 0;
}

static const struct fetch_sink_ops sink_ops = {
	.write_room = sink_room,
	.write = sink_write,
	.completions = sink_completions,
	.expect = sink_expect,
	.finish = sink_finish,
	.status = sink_status,
};

static bool
read_request(struct kx_server *s, int fd)
{
	uint32_t matched = 0;
	char byte;

	while (matched < 4) {
		if (!kx_server_receive(s, fd, &byte, 1))
			return false;
		matched = byte == "\r\n\r\n"[matched] ? matched + 1 : byte == '\r';
	}
	return true;
}

static bool
send_head(int fd, const struct script *script)
{
	char text[HEAD_MAX];
	int len;

	if (script->announced == CHUNKED)
		len = snprintf(text, sizeof(text),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	else if (script->announced > 0)
		len = snprintf(text, sizeof(text),
			"HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n\r\n",
			script->announced);
	else
		len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n\r\n");
	/* Together with the body, or Nagle's algorithm would wait for an ACK in between. */
	return send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_MORE) == len;
}

static bool
send_body(struct kx_server *s, int fd, const struct script *script)
{
	static uint8_t some[65521]; /* the pattern's period */
	char size[32];
	uint64_t at;
	size_t n;

	kx_pattern(0, some, sizeof(some));
	for (at = 0; at < script->body; at += n) {
		n = (size_t)MIN_OF(sizeof(some), script->body - at);
		(void)snprintf(size, sizeof(size), "%s%zx\r\n", at > 0 ? "\r\n" : "", n);
		if (script->announced == CHUNKED && !kx_server_send(s, fd, size, strlen(size)))
			return false;
		if (!kx_server_send(s, fd, some, n))
			return false;
	}
	return script->announced != CHUNKED || kx_server_send(s, fd, "\r\n0\r\n\r\n", 7);
}

static void
serve_http(struct kx_server *s, int fd)
{
	const struct script *script = s->serve_ctx;
	uint32_t i;

	for (i = 0; i < script->requests; i++) {
		if (!read_request(s, fd))
			return;
		if (script->silent) {
			kx_server_drain(s, fd);
			return;
		}
		if (!send_head(fd, script) || !send_body(s, fd, script))
			return;
	}
	if (script->reset)
		kx_server_reset(fd);
}

struct client {
	struct kx k;
	struct kx_server server;
	struct fetch *fetch;
	struct fetch_job job;
	struct http_url url;
	struct sink sink;
};

static void
client_make(struct client *x, uint8_t family, uint32_t connections, const struct script *script,
	uint32_t buffers, uint32_t buffer_bytes)
{
	struct fetch_config cfg = {0};
	struct script *copy = malloc(sizeof(*copy));
	const char *why;

	assert_non_null(copy);
	*copy = *script;
	memset(x, 0, sizeof(*x));
	kx_make(&x->k, 4, buffers, buffer_bytes);
	kx_server_start(&x->server, family, connections, serve_http, copy);
	cfg.transport = x->k.t;
	http_limits_defaults(&cfg.limits);
	x->fetch = fetch_create(&cfg);
	assert_non_null(x->fetch);
	assert_int_equal(http_url_parse("http://server.test/x", &x->url, &why), 0);
	x->job = (struct fetch_job){
		.url = &x->url,
		.remote = x->server.address,
		.remote_port = x->server.port,
		.connect_timeout_ns = TIME_NEVER,
		.max_time_ns = TIME_NEVER,
		.sink = &sink_ops,
		.sink_file = &x->sink,
	};
}

/* Until the end, asleep whenever there is nothing to do; the number of waits. */
static uint64_t
client_run(struct client *x)
{
	uint64_t now_ns = kx_now(), deadline_ns, waits = 0;

	memset(&x->sink, 0, sizeof(x->sink));
	x->sink.same = true;
	assert_int_equal(fetch_start(x->fetch, &x->job, now_ns), 0);
	while (!fetch_poll(x->fetch, now_ns)) {
		deadline_ns = time_min(fetch_deadline(x->fetch), now_ns + KX_PATIENCE_NS);
		if (x->sink.done_count > 0 || x->sink.finished)
			deadline_ns = now_ns;
		assert_true(kernel_transport_wait(x->k.kt, deadline_ns - now_ns) >= 0);
		now_ns = kx_now();
		waits++;
	}
	return waits;
}

static void
client_end(struct client *x)
{
	fetch_shutdown(x->fetch, kx_now());
	fetch_destroy(x->fetch);
	kx_server_join(&x->server);
	free(x->server.serve_ctx);
	http_url_free(&x->url);
	kx_end(&x->k);
}

static void
expect_whole(const struct client *x, uint64_t body)
{
	const struct fetch_result *r = fetch_result(x->fetch);

	assert_string_equal(r->message, "");
	assert_int_equal(r->code, FETCH_OK);
	assert_int_equal(r->body_bytes, body);
	assert_int_equal(x->sink.bytes, body);
	assert_true(x->sink.same && x->sink.complete);
}

static void
large_body(
	uint8_t family, uint32_t buffers, uint32_t buffer_bytes, uint64_t announced, uint64_t body)
{
	const struct script script = {.body = body, .announced = announced, .requests = 1};
	static struct client x;

	client_make(&x, family, 1, &script, buffers, buffer_bytes);
	client_run(&x);
	expect_whole(&x, body);
	assert_int_equal(fetch_result(x.fetch)->connections, 1);
	client_end(&x);
	assert_int_equal(x.server.error, 0);
}

TEST(test_kernel_fetch_of_64_mib_is_byte_exact)
{
	large_body(4, 64, 256U << 10, 64 * MIB, 64 * MIB);
}

TEST(test_kernel_fetch_over_ipv6_is_byte_exact)
{
	large_body(6, 64, 256U << 10, 8 * MIB, 8 * MIB);
}

TEST(test_kernel_fetch_with_one_buffer_is_byte_exact)
{
	large_body(4, 1, 64U << 10, 8 * MIB, 8 * MIB);
}

TEST(test_kernel_fetch_with_tiny_buffers_is_byte_exact)
{
	large_body(4, 3, 7, MIB / 8, MIB / 8);
}

TEST(test_kernel_fetch_of_a_chunked_body_is_byte_exact)
{
	large_body(4, 8, 64U << 10, CHUNKED, 8 * MIB + 12345);
}

TEST(test_kernel_fetch_of_a_body_that_ends_with_the_close_is_byte_exact)
{
	large_body(4, 8, 64U << 10, 0, 8 * MIB + 12345);
}

TEST(test_kernel_fetch_again_uses_the_connection_again)
{
	const struct script script = {.body = 10000, .announced = 10000, .requests = 100};
	static struct client x;
	uint32_t i;

	client_make(&x, 4, 1, &script, 4, 64U << 10);
	for (i = 0; i < 100; i++) {
		client_run(&x);
		expect_whole(&x, 10000);
		assert_int_equal(fetch_result(x.fetch)->reused, i > 0);
		assert_int_equal(fetch_result(x.fetch)->connections, i == 0);
	}
	client_end(&x);
}

/* The server closes when it has answered, and we look: that connection is not used again. */
TEST(test_kernel_fetch_after_the_servers_close_opens_another_connection)
{
	const struct script script = {.body = 10, .announced = 10, .requests = 1};
	static struct client x;

	client_make(&x, 4, 2, &script, 4, 64U << 10);
	client_run(&x);
	expect_whole(&x, 10);
	if (fetch_connection(x.fetch) != NULL)
		while (x.k.t.ops->reusable(fetch_connection(x.fetch)))
			kx_wait(&x.k);
	client_run(&x);
	expect_whole(&x, 10);
	assert_false(fetch_result(x.fetch)->reused);
	assert_int_equal(fetch_result(x.fetch)->connections, 1);
	client_end(&x);
}

static void
cut_off(bool reset, const char *message)
{
	const struct script script = {
		.body = MIB, .announced = 2 * MIB, .requests = 1, .reset = reset};
	static struct client x;

	client_make(&x, 4, 1, &script, 8, 64U << 10);
	client_run(&x);
	assert_int_equal(fetch_result(x.fetch)->code, FETCH_PARTIAL_FILE);
	assert_non_null(strstr(fetch_result(x.fetch)->message, message));
	assert_int_equal(x.sink.bytes, fetch_result(x.fetch)->body_bytes);
	assert_true(x.sink.same && x.sink.finished && !x.sink.complete);
	if (!reset)
		assert_int_equal(x.sink.bytes, MIB);
	client_end(&x);
}

TEST(test_kernel_fetch_that_the_server_closes_is_partial)
{
	cut_off(false, "transfer closed with 1048576 bytes remaining to read");
}

TEST(test_kernel_fetch_that_the_server_resets_is_partial)
{
	cut_off(true, "Connection reset by peer");
}

TEST(test_kernel_fetch_from_a_closed_port_is_refused)
{
	const struct script script = {.requests = 1};
	static struct client x;

	client_make(&x, 4, 0, &script, 1, 64U << 10);
	x.job.remote_port = 1; /* tcpmux: nobody's */
	client_run(&x);
	assert_int_equal(fetch_result(x.fetch)->code, FETCH_COULDNT_CONNECT);
	assert_true(fetch_result(x.fetch)->refused);
	assert_non_null(strstr(fetch_result(x.fetch)->message, "Connection refused"));
	client_end(&x);
}

TEST(test_kernel_fetch_without_an_answer_times_out_asleep)
{
	const struct script script = {.requests = 1, .silent = true};
	static struct client x;
	uint64_t waits;

	client_make(&x, 4, 1, &script, 1, 64U << 10);
	x.job.max_time_ns = 100 * NS_PER_MS;
	waits = client_run(&x);
	assert_int_equal(fetch_result(x.fetch)->code, FETCH_OPERATION_TIMEDOUT);
	assert_true(fetch_result(x.fetch)->end_ns - fetch_result(x.fetch)->start_ns >=
		    x.job.max_time_ns);
	assert_true(waits < 10);
	client_end(&x);
	assert_int_equal(x.server.error, ECONNRESET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kernel_fetch_of_64_mib_is_byte_exact),
		T(test_kernel_fetch_over_ipv6_is_byte_exact),
		T(test_kernel_fetch_with_one_buffer_is_byte_exact),
		T(test_kernel_fetch_with_tiny_buffers_is_byte_exact),
		T(test_kernel_fetch_of_a_chunked_body_is_byte_exact),
		T(test_kernel_fetch_of_a_body_that_ends_with_the_close_is_byte_exact),
		T(test_kernel_fetch_again_uses_the_connection_again),
		T(test_kernel_fetch_after_the_servers_close_opens_another_connection),
		T(test_kernel_fetch_that_the_server_closes_is_partial),
		T(test_kernel_fetch_that_the_server_resets_is_partial),
		T(test_kernel_fetch_from_a_closed_port_is_refused),
		T(test_kernel_fetch_without_an_answer_times_out_asleep),
	};

	return cmocka_run_group_tests_name("kernel_fetch", tests, NULL, NULL);
}
