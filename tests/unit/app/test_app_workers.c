/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_report.h"
#include "crew.h"
#include "host_priv.h"
#include "kernel_transport.h"

/* Several workers: their threads, over the kernel's stack, which needs no port; and what is reported. */

#define QUEUES 4U

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

static struct settings settings = {.stack = SETTINGS_STACK_KERNEL, .connections = 8};

static int
any_cpu(void)
{
	cpu_set_t set;
	int cpu;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (cpu = 0; !CPU_ISSET((size_t)cpu, &set); cpu++)
		;
	return cpu;
}

static void
host_new(struct host *h)
{
	uint32_t i;

	*h = (struct host){.settings = &settings, .queues = QUEUES, .numa_node = -1};
	h->capacity.connections = 4;
	for (i = 0; i < QUEUES; i++)
		h->cpu[i] = any_cpu();
	h->core = h->cpu[0];
	assert_int_equal(crew_create(h), 0);
	assert_int_equal(host_start_kernel(h), 0);
	assert_int_equal(crew_start(h), 0);
}

static void
host_end(struct host *h)
{
	crew_dismiss(h);
	kernel_transport_destroy(h->kernel);
	crew_destroy(h);
	assert_null(h->crew);
	crew_destroy(h); /* again: nothing */
}

struct work {
	pthread_t thread[QUEUES];
	uint32_t done[QUEUES];
	const struct kernel_transport *stack[QUEUES];
};

static void
work_once(struct host *h, void *ctx)
{
	struct work *w = ctx;

	w->thread[h->queue] = pthread_self();
	w->stack[h->queue] = h->kernel;
	w->done[h->queue]++;
}

TEST(test_crew_each_works_in_a_thread_of_its_own_and_on_its_own_stack)
{
	struct work w = {0};
	struct host h;
	uint32_t i, j, round;

	host_new(&h);
	for (round = 0; round < 50; round++) {
		crew_run(&h, work_once, &w);
		for (i = 0; i < QUEUES; i++)
			assert_int_equal(w.done[i], round + 1); /* all, when it returns */
	}
	assert_true(pthread_equal(w.thread[0], pthread_self()));
	for (i = 0; i < QUEUES; i++) {
		assert_non_null(w.stack[i]);
		assert_ptr_equal(crew_worker(&h, i)->kernel, w.stack[i]);
		assert_int_equal(crew_worker(&h, i)->queue, i);
		for (j = 0; j < i; j++) {
			assert_false(pthread_equal(w.thread[i], w.thread[j]));
			assert_ptr_not_equal(w.stack[i], w.stack[j]);
		}
	}
	host_end(&h);
}

TEST(test_crew_of_nobody_works_alone)
{
	struct host h = {.settings = &settings, .queues = 1};
	struct work w = {0};

	crew_run(&h, work_once, &w);
	assert_int_equal(w.done[0], 1);
	assert_ptr_equal(crew_worker(&h, 0), &h);
	crew_dismiss(&h);
	crew_destroy(&h);
}

/* A member that cannot start: its exit code is the crew's, what is left to do is done without it, and all end. */
TEST(test_crew_member_that_cannot_start_says_so)
{
	struct settings wrong = settings;
	struct host h = {.settings = &wrong, .queues = QUEUES, .numa_node = -1};
	struct work w = {0};

	h.capacity.connections = 4;
	h.core = h.cpu[0] = any_cpu();
	assert_int_equal(crew_create(&h), 0);
	assert_int_equal(host_start_kernel(&h), 0);
	wrong.nic = (char *)(uintptr_t) "no-such-interface";
	assert_int_not_equal(crew_start(&h), 0);
	crew_run(&h, work_once, &w);
	assert_int_equal(w.done[0], 1);
	assert_int_equal(w.done[1], 0);
	host_end(&h);
}

static uint64_t
memory_of(uint32_t queues)
{
	const struct settings s = {.mtu = 1500, .nic_mode = SETTINGS_NIC_PCI};
	const struct host h = {.settings = &s, .queues = queues, .capacity = {.buffers_held = 64}};

	return host_memory_needed(&h);
}

TEST(test_workers_memory_grows_as_their_number)
{
	uint64_t each = memory_of(17) - memory_of(16);

	assert_int_equal(memory_of(48) - memory_of(16), 32 * each);
	assert_true(memory_of(2) - memory_of(1) <= each);
}

/* What is written to standard error meanwhile: from to_file to read_back. */
static int
to_file(FILE *file)
{
	int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	return before;
}

static void
read_back(FILE *file, int before, char *text, size_t room)
{
	fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	rewind(file);
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

TEST(test_workers_that_cannot_be_bound_are_told_of_once)
{
	struct host h = {
		.settings = &settings, .level = {.notes = true}, .queues = QUEUES, .numa_node = -1};
	FILE *file = tmpfile();
	char text[512];
	int before;

	assert_non_null(file);
	h.capacity.connections = 4;
	h.core = h.cpu[0] = h.cpu[1] = any_cpu();
	h.cpu[2] = CPU_SETSIZE - 1; /* there is no such one */
	h.cpu[3] = CPU_SETSIZE - 2;
	assert_int_equal(crew_create(&h), 0);
	assert_int_equal(host_start_kernel(&h), 0);
	assert_int_equal(crew_start(&h), 0);
	before = to_file(file);
	host_warn_unpinned(&h);
	read_back(file, before, text, sizeof(text));
	host_end(&h);
	assert_non_null(strstr(text, "warning: 2 of 4 workers"));
	assert_non_null(strstr(text, "CPU 1023: Invalid argument"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static const struct bench_report_worker two[] = {
	{.core = 3,
		.usage = {.cycles = 100, .cycles_busy = 95},
		.responses = 600,
		.wrong_queue = 7,
		.handed_over = 2,
		.self_test = SELF_TEST_OTHER_QUEUE},
	{.core = 5,
		.usage = {.cycles = 100, .cycles_busy = 15},
		.responses = 400,
		.wrong_queue = 2,
		.handed_over = 7},
};

static struct bench_report
report_of_two(const struct settings *s, const struct load_stats *stats)
{
	return (struct bench_report){
		.settings = s,
		.url = "http://198.18.0.1/x",
		.urls = 1,
		.workers = 2,
		.worker = two,
		.steering = PORT_STEERING_RSS,
		.stats = stats,
		.usage = {.cycles = 200, .cycles_busy = 110},
		.cycles_hz = 1000,
	};
}

/* One worker that is too busy is warned of, though all together are not. */
TEST(test_report_text_tells_each_worker_and_the_busiest)
{
	const struct settings s = {.stack = SETTINGS_STACK_DPDK, .connections = 20};
	struct load_stats *stats = calloc(1, sizeof(*stats));
	struct bench_report r = report_of_two(&s, stats);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	bench_report_heading(&r, out);
	bench_report_text(&r, out);
	fclose(out);
	assert_non_null(strstr(text, "2 workers, 20 connections"));
	assert_non_null(strstr(text, "2 workers: 55 % busy"));
	assert_non_null(strstr(text, "worker 0 on core 3: 600 requests, 95 % busy, 7 segments"));
	assert_non_null(strstr(text, "worker 1 on core 5: 400 requests, 15 % busy, 2 segments"));
	assert_non_null(strstr(text, "warning: a poll core was more than 90 % busy"));
	free(text);
	free(stats);
}

TEST(test_report_json_has_the_workers)
{
	const struct settings s = {.stack = SETTINGS_STACK_DPDK, .connections = 20};
	struct load_stats *stats = calloc(1, sizeof(*stats));
	struct bench_report r = report_of_two(&s, stats);
	json_t *end = bench_report_end_json(&r), *workers = json_object_get(end, "workers"), *w;

	assert_string_equal(json_string_value(json_object_get(end, "steering")), "rss");
	assert_int_equal(json_array_size(workers), 2);
	w = json_array_get(workers, 0);
	assert_int_equal(json_integer_value(json_object_get(w, "responses")), 600);
	assert_int_equal(json_integer_value(json_object_get(w, "wrong_queue")), 7);
	assert_int_equal(json_integer_value(json_object_get(w, "handed_over")), 2);
	assert_string_equal(json_string_value(json_object_get(w, "self_test")), "other queue");
	w = json_object_get(json_array_get(workers, 1), "core");
	assert_int_equal(json_integer_value(json_object_get(w, "core")), 5);
	json_decref(end);
	r.workers = 1;
	end = bench_report_end_json(&r);
	assert_null(json_object_get(end, "workers"));
	json_decref(end);
	free(stats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_crew_each_works_in_a_thread_of_its_own_and_on_its_own_stack),
		T(test_crew_of_nobody_works_alone),
		T(test_crew_member_that_cannot_start_says_so),
		T(test_workers_memory_grows_as_their_number),
		T(test_workers_that_cannot_be_bound_are_told_of_once),
		T(test_report_text_tells_each_worker_and_the_busiest),
		T(test_report_json_has_the_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
