/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "worker.h"

/* The loop alone, over a port and a netstack of our own. */
static struct world {
	uint64_t cycles;
	uint32_t arrive; /* frames that come at each look */
	uint32_t due; /* frames that the netstack would like to send */
	uint32_t looks, polls, sent, sent_since_look, sent_at_once_max;
} world;

uint32_t
port_rx_burst(struct port_queue *q, struct frame *frames, uint32_t n)
{
	(void)q;
	(void)frames;
	world.looks++;
	world.sent_since_look = 0;
	return n < world.arrive ? n : world.arrive;
}

uint32_t
port_tx_reserve(struct port_queue *q, struct tx_frame *frames, uint32_t n)
{
	(void)q;
	(void)frames;
	return n;
}

uint32_t
port_tx_burst(struct port_queue *q, struct tx_frame *frames, uint32_t filled, uint32_t reserved)
{
	(void)q;
	(void)frames;
	assert_true(filled <= reserved);
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
	(void)frames;
	(void)n;
	(void)now_ns;
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
	uint32_t filled = world.due < n ? world.due : n;

	(void)ns;
	(void)now_ns;
	(void)frames;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_sends_all_that_is_due_in_one_iteration),
		cmocka_unit_test(test_worker_looks_for_frames_however_much_is_due),
		cmocka_unit_test(test_worker_takes_fewer_jumbo_frames_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
