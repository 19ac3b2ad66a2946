/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "load.h"
#include "test_peer.h"
#include "transport_netstack.h"

/* A load over dpfetch's own stack: the same loop as a worker's. */

static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
#define REQUEST_LEN ((uint32_t)sizeof(request) - 1)

struct fixture {
	struct test_peer peer;
	struct load_target target;
	struct load_config cfg;
	struct load *load;
	uint32_t answered; /* requests */
};

static void
begin(struct fixture *f)
{
	struct netstack_config cfg;

	memset(f, 0, sizeof(*f));
	test_peer_config(&f->peer, &cfg);
	test_peer_start(&f->peer, &cfg);
	f->target = (struct load_target){
		.remote = {.family = 4, .v4 = TEST_PEER_ADDRESS},
		.remote_port = 80,
		.request = request,
		.request_len = REQUEST_LEN,
		.weight = 1,
	};
	load_config_defaults(&f->cfg);
	f->cfg.transport = transport_of_netstack(f->peer.ns, test_buffer_release, &f->peer.buffers);
	f->cfg.target = &f->target;
	f->cfg.targets = 1;
	f->cfg.duration_ns = TIME_NEVER;
}

/* The host's server: one response for each whole request; with the tenth it closes, if told so. */
static void
serve(struct fixture *f, bool closes)
{
	bool last;

	for (; f->peer.received_len >= REQUEST_LEN; f->peer.received_len -= REQUEST_LEN) {
		assert_memory_equal(f->peer.received, request, REQUEST_LEN);
		memmove(f->peer.received, f->peer.received + REQUEST_LEN,
			f->peer.received_len - REQUEST_LEN);
		last = closes && ++f->answered % 10 == 0;
		test_peer_send(&f->peer, TCP_ACK | TCP_PSH | (last ? TCP_FIN : 0), response,
			sizeof(response) - 1);
		if (last)
			f->peer.received_len = REQUEST_LEN;
	}
}

static void
run(struct fixture *f, bool closes)
{
	uint32_t i;

	for (i = 0; i < 100000 && !load_poll(f->load, f->peer.now_ns); i++) {
		test_peer_wait(&f->peer, 10 * NS_PER_US);
		(void)test_peer_take(&f->peer);
		serve(f, closes);
		test_peer_deliver(&f->peer);
	}
	assert_int_equal(load_phase(f->load), LOAD_OVER);
}

static void
end(struct fixture *f)
{
	load_destroy(f->load);
	test_peer_wait(&f->peer, NS_PER_MS);
	(void)test_peer_take(&f->peer);
	test_peer_stop(&f->peer);
}

static void
test_netstack_pipelined_requests_are_answered(void **unused)
{
	struct fixture f;
	const struct load_stats *s;

	(void)unused;
	begin(&f);
	f.cfg.pipeline = 4;
	f.cfg.requests_max = 1000;
	f.load = load_create(&f.cfg);
	assert_non_null(f.load);
	load_start(f.load, f.peer.now_ns);
	run(&f, false);
	s = load_stats(f.load);
	assert_int_equal(s->counts.requests, 1000);
	assert_int_equal(s->counts.responses, 1000);
	assert_int_equal(s->counts.body_bytes, 5000);
	assert_int_equal(s->counts.connects, 1);
	assert_int_equal(s->counts.disconnects, 0);
	assert_int_equal(s->unanswered, 0);
	end(&f);
}

static void
test_netstack_closing_server_is_reconnected_to(void **unused)
{
	struct fixture f;
	const struct load_stats *s;

	(void)unused;
	begin(&f);
	f.cfg.requests_max = 100;
	f.load = load_create(&f.cfg);
	assert_non_null(f.load);
	load_start(f.load, f.peer.now_ns);
	run(&f, true);
	s = load_stats(f.load);
	assert_int_equal(s->counts.responses, 100);
	assert_int_equal(s->counts.errors[LOAD_ERROR_RECEIVE], 0);
	assert_int_equal(s->counts.connects, 10);
	assert_in_range(s->counts.disconnects, 9, 10);
	end(&f);
}

static void
test_netstack_refusing_host_is_unreachable(void **unused)
{
	struct fixture f;
	int error = 0;

	(void)unused;
	begin(&f);
	f.peer.answers.syn = false;
	f.peer.answers.refuse = true;
	f.load = load_create(&f.cfg);
	assert_non_null(f.load);
	load_start(f.load, f.peer.now_ns);
	run(&f, false);
	assert_true(load_unreachable(f.load, &error));
	assert_int_equal(error, -ECONNREFUSED);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_netstack_pipelined_requests_are_answered),
		cmocka_unit_test(test_netstack_closing_server_is_reconnected_to),
		cmocka_unit_test(test_netstack_refusing_host_is_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
