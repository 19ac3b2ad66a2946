/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "compare.h"
#include "compare_plots.h"
#include "machine.h"
#include "nic_offloads.h"
#include "svg_plot.h"
#include "report_json.h"

#define HZ 2e9

/* A run of 1 s that carried 1e9 bytes at 8 Gb/s * speed: of our stack with a poll core of HZ that was busy
 * for half of it and polled for the rest, or of the kernel's with 0.6 s of CPU. CPU 0, the server's, was busy for 0.5 s. */
static json_t *
make_run(bool kernel, double speed)
{
	json_t *run = json_pack(
		"{s:{s:s}, s:{s:f, s:{s:I}, s:{s:f, s:f, s:f}, s:{s:i, s:f, s:f, s:f, s:f}, "
		"s:{s:[{s:f, s:f, s:f, s:f}, {s:f, s:f, s:f, s:f}], s:{s:f, s:i}}}}",
		"load", "stack", kernel ? "kernel" : "dpdk", "end", "body_bits_per_second",
		8e9 * speed, "counts", "body_bytes", (json_int_t)1000000000, "cpu", "wall_s", 1.0,
		"user_s", 0.1, "system_s", kernel ? 0.5 : 0.9, "core", "core", 1, "cpu_s",
		kernel ? 0.6 : 1.0, "hz", kernel ? 1.0 : HZ, "cycles", HZ, "cycles_busy", HZ / 2,
		"machine", "cpus", "user_s", 0.1, "system_s", 0.3, "softirq_s", 0.1, "idle_s", 0.5,
		"user_s", 0.9, "system_s", 0.1, "softirq_s", 0.0, "idle_s", 0.0, "server", "cpu_s",
		0.4, "retransmits", 3);

	assert_non_null(run);
	json_object_set_new(run, "intervals",
		json_pack("[{s:{s:I}}]", "counts", "body_bytes", (json_int_t)1000000000));
	return run;
}

static struct compare *
make_compare(void)
{
	static const double ours[] = {1.0, 1.2, 1.1}, kernels[] = {0.5, 0.6, 0.55};
	struct compare *c = calloc(1, sizeof(*c));
	uint32_t i;

	assert_non_null(c);
	for (i = 0; i < 3; i++) {
		c->run[COMPARE_DPDK][i] = make_run(false, ours[i]);
		c->run[COMPARE_KERNEL][i] = make_run(true, kernels[i]);
	}
	c->pairs = 3;
	return c;
}

static void
free_compare(struct compare *c)
{
	uint32_t i;

	for (i = 0; i < c->pairs; i++) {
		json_decref(c->run[COMPARE_DPDK][i]);
		json_decref(c->run[COMPARE_KERNEL][i]);
	}
	free(c);
}

/* The line of that key: medians of both sides, and their ratio. */
static void
expect(const struct compare *c, const char *key, double ours, double kernels)
{
	struct bootstrap_estimate side[COMPARE_SIDES], ratio;
	const struct compare_figure *f;
	uint32_t i, count;

	f = compare_figures(&count);
	for (i = 0; i < count && strcmp(f[i].key, key) != 0; i++)
		;
	assert_true(i < count);
	assert_true(compare_figure_estimate(c, &f[i], side, &ratio));
	if (fabs(side[COMPARE_DPDK].value - ours) > 1e-9 * ours ||
		fabs(side[COMPARE_KERNEL].value - kernels) > 1e-9 * kernels)
		fail_msg(
			"%s: %g and %g", key, side[COMPARE_DPDK].value, side[COMPARE_KERNEL].value);
	assert_true(fabs(ratio.value - ours / kernels) < 1e-9);
}

static void
test_figures_are_what_their_labels_say(void **state)
{
	struct compare *c = make_compare();

	(void)state;
	expect(c, "goodput_bps", 8.8e9, 4.4e9);
	expect(c, "client_cpu_s", 0.5, 0.6); /* ours: busy cycles; the kernel's: user and system */
	expect(c, "machine_cpu_s", 1.0, 1.5); /* ours without the half second of idle polling */
	expect(c, "server_cpu_s", 0.4, 0.4);
	expect(c, "client_cycles_per_byte", 1.0, 1.2);
	expect(c, "machine_cycles_per_byte", 2.0, 3.0);
	expect(c, "server_retransmits", 3, 3);
	free_compare(c);
}

static void
test_figures_that_a_run_lacks_are_left_out(void **state)
{
	struct compare *c = make_compare();
	struct bootstrap_estimate side[COMPARE_SIDES], ratio;
	const struct compare_figure *f;
	uint32_t i, count, missing = 0;

	(void)state;
	assert_true(isnan(report_json_number(c->run[0][0], "end/nothing/here")));
	assert_true(isnan(report_json_number(c->run[0][0], "load/stack"))); /* a text */
	f = compare_figures(&count);
	for (i = 0; i < count; i++)
		missing += !compare_figure_estimate(c, &f[i], side, &ratio);
	assert_int_equal(missing, 9); /* requests, four latencies, four of frames */
	free_compare(c);
}

/* In all of c's runs as many CPUs, each busy for 0.9 s of user and 0.1 s of system time. */
static void
set_cpus(struct compare *c, uint32_t count)
{
	json_t *cpus = json_array();
	uint32_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(
			cpus, json_pack("{s:f, s:f, s:f, s:f}", "user_s", 0.9, "system_s", 0.1,
				      "softirq_s", 0.0, "idle_s", 0.0));
	for (i = 0; i < COMPARE_SIDES * c->pairs; i++)
		json_object_set(
			json_object_get(json_object_get(c->run[i % 2][i / 2], "end"), "machine"),
			"cpus", cpus);
	json_decref(cpus);
}

/* *ret is the caller's. */
static void
cpu_plot(const struct compare *c, char **ret)
{
	size_t len = 0;
	FILE *out = open_memstream(ret, &len);

	compare_plot_cpu(c, out);
	fclose(out);
}

/* Workers on CPUs 0 and 1, busy for 0.5 and 0.75 of a second each; "core" has their sums, and the first one's CPU. */
static void
add_workers(json_t *run)
{
	json_t *end = json_object_get(run, "end");

	json_object_set_new(end, "core",
		json_pack("{s:i, s:f, s:f, s:f}", "core", 0, "cpu_s", 2.0, "hz", HZ, "cycles_busy",
			HZ * 1.25));
	json_object_set_new(end, "workers",
		json_pack("[{s:{s:i, s:f, s:f, s:f}}, {s:{s:i, s:f, s:f, s:f}}]", "core", "core", 0,
			"cpu_s", 1.0, "hz", HZ, "cycles_busy", HZ * 0.5, "core", "core", 1, "cpu_s",
			1.0, "hz", HZ, "cycles_busy", HZ * 0.75));
}

static void
test_plot_cpu_takes_each_workers_idle_polling_from_its_own_cpu(void **state)
{
	struct compare *c = make_compare();
	uint32_t i;
	char *text;

	(void)state;
	set_cpus(c, 2);
	for (i = 0; i < c->pairs; i++)
		add_workers(c->run[COMPARE_DPDK][i]);
	cpu_plot(c, &text);
	assert_non_null(strstr(text, "dpfetch, CPU 0: idle or idle polling 50.0 %"));
	assert_non_null(strstr(text, "dpfetch, CPU 1: idle or idle polling 25.0 %"));
	assert_non_null(strstr(text, "dpfetch, CPU 1: user 65.0 %"));
	assert_non_null(strstr(text, "kernel, CPU 0: idle or idle polling 0.0 %"));
	free(text);
	assert_true(fabs(compare_idle_polling_seconds(c->run[COMPARE_DPDK][0]) - 0.75) < 1e-9);
	free_compare(c);
}

static void
test_plot_cpu_of_many_cpus_is_high_enough_for_their_names(void **state)
{
	struct compare *c = make_compare();
	double height, y[2];
	char *text, *at;
	int i;

	(void)state;
	cpu_plot(c, &text);
	assert_non_null(strstr(text, "viewBox=\"0 0 560 300\""));
	assert_non_null(strstr(text, "dpfetch, CPU 1: idle or idle polling 50.0 %"));
	assert_non_null(strstr(text, "dpfetch, CPU 0: idle or idle polling 50.0 %")); /* its own */
	free(text);
	set_cpus(c, 32);
	cpu_plot(c, &text);
	assert_int_equal(sscanf(strstr(text, "viewBox"), "viewBox=\"0 0 560 %lf\"", &height), 1);
	assert_true(height > 900.0);
	for (i = 0; i < 2; i++) {
		at = strstr(text, i == 0 ? ">dpfetch 7<" : ">dpfetch 8<");
		assert_non_null(at);
		at = memrchr(text, 'y', (size_t)(at - text));
		assert_int_equal(sscanf(at, "y=\"%lf\"", &y[i]), 1);
	}
	assert_true(fabs(y[0] - y[1]) >= 12.0); /* the text's height */
	free(text);
	free_compare(c);
}

static void
test_svg_text_and_axes_are_well_formed(void **state)
{
	char *text = NULL, *at;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const struct svg_plot p = {
		.out = out, .width = 400, .height = 200, .x_max = 2.039, .y_max = 5.0};
	const struct svg_point line[] = {{0, 0}, {1, 9}, {3, 2}};
	int open = 0;

	(void)state;
	svg_plot_begin(&p, "<a & \"b\">", "x", "y");
	svg_plot_line(&p, 1, line, 3, true);
	svg_plot_end(&p);
	fclose(out);
	assert_non_null(strstr(text, "&lt;a &amp; &quot;b&quot;&gt;"));
	assert_non_null(strstr(text, ">1.5<")); /* round ticks */
	assert_null(strstr(text, "nan"));
	for (at = strchr(text, '<'); at != NULL; at = strchr(at + 1, '<')) {
		const char *end = strchr(at, '>');

		assert_non_null(end);
		if (end[-1] != '/')
			open += at[1] == '/' ? -1 : 1;
	}
	assert_int_equal(open, 0);
	free(text);
}

static void
test_svg_round_up_is_1_2_5_times_a_power_of_ten(void **state)
{
	(void)state;
	assert_true(fabs(svg_round_up(0.3) - 0.5) < 1e-12);
	assert_true(svg_round_up(1.0) == 1.0 && svg_round_up(1.1) == 2.0);
	assert_true(svg_round_up(413.0) == 500.0 && svg_round_up(5001.0) == 10000.0);
}

static void
test_machine_sample_counts_this_process(void **state)
{
	struct machine_sample *a = calloc(2, sizeof(*a)), *b = a + 1;
	volatile uint64_t work;
	cpu_set_t set;
	uint32_t i;

	(void)state;
	assert_non_null(a);
	machine_sample_take(a, getpid(), "lo");
	assert_true(a->cpus > 0 && a->server && a->interface);
	do { /* until the kernel's tick has seen it */
		for (i = 0; i < 10000000; i++)
			work = i;
		machine_sample_take(b, getpid(), "lo");
	} while (b->server_cpu_ns == a->server_cpu_ns || work == 0);
	machine_sample_subtract(b, a);
	assert_in_range(b->server_cpu_ns, 1, 60000000000ULL);
	machine_sample_take(a, 0, "no-such-if");
	assert_false(a->server || a->interface);
	assert_false(machine_process_exists(0) || machine_process_exists(4194305));
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (i = 0; i < CPU_SETSIZE; i++)
		assert_int_equal(machine_process_may_use(getpid(), (int)i), CPU_ISSET(i, &set));
	free(a);
}

#define CHILD_CPU_NS 300000000L

/* Works for CHILD_CPU_NS, says so, and lives until it hears of the other end's. */
static void __attribute__((noreturn)) work_and_wait(int out, int in)
{
	struct timespec used;
	char byte = 'x';

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec == 0 && used.tv_nsec < CHILD_CPU_NS);
	_exit(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 0 ? 0 : 1);
}

struct forker {
	int done[2], end[2];
	int status;
};

/* A child is its thread's as long as that lives. */
static void *
fork_in_thread(void *arg)
{
	struct forker *f = arg;
	pid_t child = fork();

	if (child == 0) {
		close(f->end[1]);
		work_and_wait(f->done[1], f->end[0]);
	}
	(void)waitpid(child, &f->status, 0);
	return NULL;
}

static void
test_machine_sample_counts_children_of_every_thread(void **state)
{
	struct machine_sample *a = calloc(2, sizeof(*a)), *b = a + 1;
	struct forker f = {.status = -1};
	pthread_t thread;
	char byte;

	(void)state;
	assert_non_null(a);
	assert_true(pipe(f.done) == 0 && pipe(f.end) == 0);
	machine_sample_take(a, getpid(), NULL);
	assert_int_equal(pthread_create(&thread, NULL, fork_in_thread, &f), 0);
	assert_int_equal(read(f.done[0], &byte, 1), 1);
	machine_sample_take(b, getpid(), NULL);
	close(f.end[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(f.status, 0);
	machine_sample_subtract(b, a);
	/* ticks of 10 ms are not exact */
	assert_true(b->server_cpu_ns >= CHILD_CPU_NS * 2 / 3);
	close(f.done[0]);
	close(f.done[1]);
	close(f.end[0]);
	free(a);
}

static void
test_nic_offloads_of_loopback_are_read(void **state)
{
	struct nic_offloads o;

	(void)state;
	assert_int_equal(nic_offloads_read("lo", &o), 0);
	assert_true(o.tx_checksum); /* always, it has no wire */
	assert_int_equal(nic_offloads_read("no-such-if", &o), -ENODEV);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_are_what_their_labels_say),
		cmocka_unit_test(test_figures_that_a_run_lacks_are_left_out),
		cmocka_unit_test(test_plot_cpu_takes_each_workers_idle_polling_from_its_own_cpu),
		cmocka_unit_test(test_plot_cpu_of_many_cpus_is_high_enough_for_their_names),
		cmocka_unit_test(test_svg_text_and_axes_are_well_formed),
		cmocka_unit_test(test_svg_round_up_is_1_2_5_times_a_power_of_ten),
		cmocka_unit_test(test_machine_sample_counts_this_process),
		cmocka_unit_test(test_machine_sample_counts_children_of_every_thread),
		cmocka_unit_test(test_nic_offloads_of_loopback_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
