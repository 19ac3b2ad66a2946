/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker.h"

/* The loop alone, over a port and a netstack of our own. */
static struct world {
	uint64_t cycles;
	uint32_t arrive; /* frames that come at each look */
	uint32_t due; /* frames that the netstack would like to send */
	uint32_t looks, polls, sent, sent_since_look, sent_at_once_max, inputs;
	uint8_t data[64];
	struct tx_frame tx[64];
	uint32_t reserved;
	struct counters counters;
} world;

uint32_t
port_rx_burst(struct port_queue *q, struct frame *frames, uint32_t n)
{
	uint32_t i;

	(void)q;
	world.looks++;
	world.sent_since_look = 0;
	n = n < world.arrive ? n : world.arrive;
	for (i = 0; i < n; i++)
		frames[i] = (struct frame){.data = world.data, .len = 60 + i};
	return n;
}

struct tx_frame *
port_tx_reserve(struct port_queue *q, uint32_t n, uint32_t *ret_count)
{
	uint32_t i;

	(void)q;
	assert_true(n <= sizeof(world.tx) / sizeof(world.tx[0]));
	for (i = 0; i < n; i++)
		world.tx[i] = (struct tx_frame){.data = world.data, .room = sizeof(world.data)};
	world.reserved = n;
	*ret_count = n;
	return world.tx;
}

uint32_t
port_tx_burst(struct port_queue *q, uint32_t filled)
{
	(void)q;
	assert_true(filled <= world.reserved);
	world.sent += filled;
	world.sent_since_look += filled;
	if (world.sent_since_look > world.sent_at_once_max)
		world.sent_at_once_max = world.sent_since_look;
	return filled;
}

uint64_t
port_clock_ns(void)
{
	return world.cycles++;
}

uint64_t
port_cycles(void)
{
	return world.cycles++;
}

void
netstack_input(struct netstack *ns, struct frame *frames, uint32_t n, uint64_t now_ns)
{
	(void)ns;
	(void)now_ns;
	world.inputs++;
	if (n == 1 && frames[0].len == 61) /* the second one of a burst */
		counter_drop(&world.counters, DROP_ETH_TYPE);
}

uint32_t
netstack_input_exchanged(struct netstack *ns, uint64_t now_ns)
{
	(void)ns;
	(void)now_ns;
	return 0;
}

uint32_t
netstack_output(struct netstack *ns, uint64_t now_ns, struct tx_frame *frames, uint32_t n)
{
	uint32_t filled = world.due < n ? world.due : n, i;

	(void)ns;
	(void)now_ns;
	for (i = 0; i < filled; i++)
		frames[i].len = 42;
	world.due -= filled;
	return filled;
}

static bool
poll_times(void *ctx, uint64_t now_ns)
{
	const uint32_t *times = ctx;

	(void)now_ns;
	return ++world.polls == *times;
}

static void
run(uint32_t arrive, uint32_t due, uint32_t times, struct worker *ret)
{
	memset(&world, 0, sizeof(world));
	world.arrive = arrive;
	world.due = due;
	*ret = (struct worker){.rx_burst = 32};
	histogram_reset(&ret->iteration);
	worker_run(ret, poll_times, &times);
	assert_int_equal(world.looks, times);
}

static void
test_worker_sends_all_that_is_due_in_one_iteration(void **state)
{
	struct worker w;

	(void)state;
	run(1, 40, 1, &w);
	assert_int_equal(world.sent, 40);
	assert_int_equal(w.usage.iterations_busy, 1);
	assert_int_equal(w.iteration.count, 1);
	assert_int_equal(w.iteration.max, w.usage.iteration_cycles_max);
	run(0, 0, 3, &w);
	assert_int_equal(w.usage.iterations, 3);
	assert_int_equal(w.usage.iterations_busy, 0);
	assert_int_equal(w.iteration.count, 0);
	assert_true(w.usage.cycles > 0);
}

/* Answers wait in the ring meanwhile: it overflows, and their timers expire. */
static void
test_worker_looks_for_frames_however_much_is_due(void **state)
{
	struct worker w;

	(void)state;
	run(32, 1000000, 100, &w);
	assert_int_equal(world.sent_at_once_max, WORKER_TX_FRAMES_MAX);
	assert_int_equal(world.sent, 100 * WORKER_TX_FRAMES_MAX);
}

static void
test_worker_takes_fewer_jumbo_frames_at_once(void **state)
{
	(void)state;
	assert_int_equal(worker_rx_burst(576), 32);
	assert_int_equal(worker_rx_burst(1500), 32);
	assert_int_equal(worker_rx_burst(4096), 32);
	assert_int_equal(worker_rx_burst(9000), 14);
	assert_int_equal(worker_rx_burst(65535), 4);
}

static uint32_t
count(const char *text, size_t len, const char *word)
{
	const char *at = text;
	uint32_t n = 0;

	while ((at = memmem(at, len - (size_t)(at - text), word, strlen(word))) != NULL) {
		at += strlen(word);
		n++;
	}
	return n;
}

/* Of three frames the second is dropped: it alone has the reason beside it. */
static void
test_worker_with_a_tap_captures_and_knows_what_was_dropped(void **state)
{
	char path[] = "/tmp/dpfetch-worker-XXXXXX", *text = malloc(1 << 16);
	const struct capture_config cfg = {
		.on_error = path, .application = "test", .interface = "c0", .queues = 1};
	struct worker w = {.rx_burst = 32, .counters = &world.counters};
	struct capture_result result;
	struct capture *c = NULL;
	uint32_t times = 1;
	size_t len;
	FILE *f;

	(void)state;
	close(mkstemp(path));
	memset(&world, 0, sizeof(world));
	world.arrive = 3;
	world.due = 2;
	histogram_reset(&w.iteration);
	assert_int_equal(capture_create(&cfg, &c), 0);
	w.tap = capture_tap_of(c, 0);
	worker_run(&w, poll_times, &times);
	assert_int_equal(world.inputs, 3);
	assert_int_equal(world.sent, 2);
	capture_finish(c, true, &result);
	assert_int_equal(result.kept, 5);
	f = fopen(path, "rb");
	len = fread(text, 1, 1 << 16, f);
	fclose(f);
	assert_int_equal(count(text, len, "drop_eth_type"), 1);
	assert_int_equal(count(text, len, "drop_"), 1);
	free(text);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_sends_all_that_is_due_in_one_iteration),
		cmocka_unit_test(test_worker_looks_for_frames_however_much_is_due),
		cmocka_unit_test(test_worker_takes_fewer_jumbo_frames_at_once),
		cmocka_unit_test(test_worker_with_a_tap_captures_and_knows_what_was_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
