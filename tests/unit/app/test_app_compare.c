/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "compare.h"
#include "compare_plots.h"
#include "compare_warned.h"
#include "report_path.h"
#include "wire_tcp.h"
#include "report_json.h"

/* Comparisons of made-up runs. */

static const struct settings settings = {
	.nic = "no-such-if", .connections = 1, .pairs = 5, .mtu = 1500};

/* What a run's document says, as far as the tests care; seconds, but for bytes and counts. */
struct run {
	double busy, polled, thread; /* of the poll core; its thread's CPU time */
	double writer; /* CPU time of the client's other threads, on the other CPU */
	double others; /* user time on the client's CPU beside the client's thread */
	double warmup_bytes; /* received before the measured time */
	int retransmits, missed, failed, not_2xx;
	int super_bytes; /* more than an MTU's in each of its ten frames */
};

static const struct run plain = {.busy = 0.25, .polled = 1.0, .thread = 1.0};

/* One second on two CPUs of 1 GHz, the client's is the second; 1000 bytes in 10 responses. */
static json_t *
document(enum compare_side side, const struct run *r)
{
	bool ours = side == COMPARE_DPDK;
	double on_cpu = r->thread + r->others;
	json_t *end =
		json_pack("{s:f, s:f, s:{s:i, s:{s:i, s:i}, s:{s:i}, s:i}, s:{s:f, s:f, s:f}}",
			"body_bits_per_second", 8000.0, "requests_per_second", 10.0, "counts",
			"responses", 10, "status", "2xx", 10 - r->not_2xx, "5xx", r->not_2xx,
			"errors", "receive", r->failed, "body_bytes", 1000, "cpu", "wall_s", 1.0,
			"user_s", r->thread + r->writer, "system_s", 0.0);
	json_t *cpus = json_pack("[{s:f, s:f, s:f, s:f}, {s:f, s:f, s:f, s:f}]", "user_s",
		r->writer, "system_s", 0.0, "softirq_s", 0.0, "idle_s", 1.0 - r->writer, "user_s",
		on_cpu, "system_s", 0.0, "softirq_s", 0.0, "idle_s", fmax(1.0 - on_cpu, 0.0));
	json_t *run = json_pack("{s:{s:s}, s:[{s:f, s:f, s:{s:f}}, {s:f, s:f, s:{s:i}}], s:o}",
		"load", "stack", ours ? "dpdk" : "kernel", "intervals", "start_s", 0.0, "end_s",
		0.5, "counts", "body_bytes", r->warmup_bytes, "start_s", 0.5, "end_s", 1.0,
		"counts", "body_bytes", 1000, "end", end);

	assert_non_null(run);
	json_object_set_new(end, "core",
		json_pack("{s:i, s:f, s:f, s:f, s:f}", "core", 1, "cpu_s", r->thread, "cycles",
			ours ? r->polled * 1e9 : 0.0, "cycles_busy", ours ? r->busy * 1e9 : 0.0,
			"hz", ours ? 1e9 : 1.0));
	json_object_set_new(end, "machine",
		json_pack("{s:o, s:{s:f, s:i}, s:{s:i, s:i, s:i}}", "cpus", cpus, "server", "cpu_s",
			0.25, "retransmits", r->retransmits, "interface", "rx_frames", 10,
			"rx_bytes", 1500 + 10 * r->super_bytes, "tx_frames", 10));
	json_object_set_new(end, "nic",
		json_pack("{s:i, s:i, s:i}", "imissed", r->missed / 2, "rx_nombuf", 0, "ierrors",
			r->missed - r->missed / 2));
	return run;
}

/* pairs of the same two runs. */
static struct compare *
comparison(const struct run *ours, const struct run *kernels, uint32_t pairs)
{
	struct compare *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->settings = &settings;
	for (; c->pairs < pairs; c->pairs++) {
		c->run[COMPARE_DPDK][c->pairs] = document(COMPARE_DPDK, ours);
		c->run[COMPARE_KERNEL][c->pairs] = document(COMPARE_KERNEL, kernels);
	}
	return c;
}

static void
comparison_free(struct compare *c)
{
	uint32_t i;

	for (i = 0; i < c->pairs; i++) {
		json_decref(c->run[COMPARE_DPDK][i]);
		json_decref(c->run[COMPARE_KERNEL][i]);
	}
	free(c->trace[COMPARE_DPDK]);
	free(c->trace[COMPARE_KERNEL]);
	free(c);
}

static double
median(const struct compare *c, const char *key, enum compare_side side)
{
	struct bootstrap_estimate e[COMPARE_SIDES], ratio;
	const struct compare_figure *f;
	uint32_t i, count;

	f = compare_figures(&count);
	for (i = 0; i < count; i++) {
		if (strcmp(f[i].key, key) != 0)
			continue;
		assert_true(compare_figure_estimate(c, &f[i], e, &ratio));
		return e[side].value;
	}
	fail_msg("there is no figure %s", key);
	return NAN;
}

static void
assert_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-9))
		fail_msg("%g is not %g", value, expected);
}

/* What a writer wrote; the caller's. */
static char *
written_by(const struct compare *c,
	int (*write)(const struct compare *c, const json_t *conditions, const char *path))
{
	char path[] = "/tmp/test_app_compare-XXXXXX";
	char *text = calloc(1, 1 << 20);
	int fd = mkstemp(path);
	json_t *conditions = json_object();
	FILE *file;

	assert_true(fd >= 0 && text != NULL);
	close(fd);
	assert_int_equal(write(c, conditions, path), 0);
	json_decref(conditions);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	unlink(path);
	return text;
}

static void
test_compare_zero_of_the_kernel_gives_no_ratio_and_no_praise_to_more(void **state)
{
	struct run more = plain;
	struct compare *c;
	char *page, *stats;
	json_t *json;

	(void)state;
	more.retransmits = 50;
	c = comparison(&more, &plain, 5);
	page = written_by(c, compare_report_html_write);
	assert_null(strstr(page, "<td class=\"better\">50"));
	assert_non_null(strstr(page, "<td>server sent again</td><td>50.00"));
	assert_non_null(strstr(page, "<td class=\"better\">0.00"));
	stats = written_by(c, compare_report_json_write);
	json = json_loads(stats, 0, NULL);
	assert_non_null(json);
	assert_true(
		json_is_null(report_json_find(json, "summary/server_retransmits/ratio/median")));
	json_decref(json);
	free(page);
	free(stats);
	comparison_free(c);
}

/* Others had the poll core's CPU for 0.6 s, while the poll core's clock ran on. */
static void
test_compare_cpu_of_others_is_no_idle_polling(void **state)
{
	const struct run preempted = {.busy = 0.25, .polled = 1.0, .thread = 0.4, .others = 0.6};
	const struct run hardly = {.busy = 0.25, .polled = 1.0, .thread = 0.1, .others = 0.9};
	struct compare *c = comparison(&plain, &plain, 1);

	(void)state;
	assert_near(median(c, "client_cpu_s", COMPARE_DPDK), 0.25);
	assert_near(median(c, "machine_cpu_s", COMPARE_DPDK), 0.25);
	comparison_free(c);
	c = comparison(&preempted, &plain, 1);
	assert_near(median(c, "client_cpu_s", COMPARE_DPDK), 0.25);
	assert_near(median(c, "machine_cpu_s", COMPARE_DPDK), 0.85);
	comparison_free(c);
	c = comparison(&hardly, &plain, 1); /* more busy than it ran: others came in between */
	assert_near(median(c, "client_cpu_s", COMPARE_DPDK), 0.1);
	assert_near(median(c, "machine_cpu_s", COMPARE_DPDK), 1.0);
	comparison_free(c);
}

static void
test_compare_cycles_a_byte_count_the_bytes_of_the_warm_up(void **state)
{
	struct run warm = plain;
	struct compare *c;

	(void)state;
	warm.warmup_bytes = 4000;
	c = comparison(&warm, &warm, 1);
	assert_near(median(c, "client_cycles_per_byte", COMPARE_DPDK), 0.25 * 1e9 / 5000.0);
	assert_near(median(c, "client_cycles_per_byte", COMPARE_KERNEL), 1.0 * 1e9 / 5000.0);
	assert_near(median(c, "server_cycles_per_byte", COMPARE_KERNEL), 0.25 * 1e9 / 5000.0);
	comparison_free(c);
}

/* Does a warning of the comparison contain this, under these conditions, which are freed? */
static bool
warned_under(struct compare *c, json_t *conditions, const char *text)
{
	assert_non_null(conditions);
	c->warnings = 0;
	compare_check_fairness(c, conditions);
	json_decref(conditions);
	return compare_has_warning(c, text);
}

static bool
warned(struct compare *c, const char *text)
{
	return warned_under(c, json_object(), text);
}

/* Responses larger than the run: a goodput and no latency, which is no latency of zero. */
static void
test_compare_without_whole_responses_tells_no_latency(void **state)
{
	struct compare *c = comparison(&plain, &plain, 5);
	char *page, *stats;
	json_t *json;
	uint32_t i;
	int side;

	(void)state;
	assert_false(warned(c, "whole"));
	for (side = 0; side < COMPARE_SIDES; side++) {
		for (i = 0; i < c->pairs; i++) {
			json_t *end = json_object_get(c->run[side][i], "end");

			json_object_set_new(end, "requests_per_second", json_real(0.0));
			json_object_set_new(
				json_object_get(end, "counts"), "responses", json_integer(0));
			json_object_set_new(end, "latency",
				json_pack("{s:i, s:f, s:f, s:[]}", "count", 0, "p50_us", 0.0,
					"p99_us", 0.0, "buckets_us"));
		}
	}
	assert_true(warned(c, "dpfetch: no response was whole"));
	assert_true(warned(c, "kernel: no response was whole"));
	page = written_by(c, compare_report_html_write);
	assert_null(strstr(page, "<td>latency p"));
	assert_null(strstr(page, "nan"));
	stats = written_by(c, compare_report_json_write);
	json = json_loads(stats, 0, NULL);
	assert_non_null(json);
	assert_null(report_json_find(json, "summary/latency_p50_us"));
	assert_near(report_json_number(json, "summary/goodput_bps/ratio/median"), 1.0);
	assert_near(report_json_number(json, "summary/requests_per_second/dpfetch/median"), 0.0);
	json_decref(json);
	free(page);
	free(stats);
	comparison_free(c);
}

static void
test_compare_failed_requests_of_one_side_are_warned_of(void **state)
{
	const struct run failing = {
		.busy = 0.25, .polled = 1.0, .thread = 1.0, .failed = 10, .not_2xx = 5};
	struct compare *c = comparison(&plain, &plain, 5);

	(void)state;
	assert_false(warned(c, "requests failed"));
	comparison_free(c);
	c = comparison(&plain, &failing, 5);
	assert_true(warned(c, "kernel: up to 75 % of a run's requests failed"));
	assert_false(warned(c, "dpfetch: up to"));
	comparison_free(c);
}

static void
test_compare_other_processes_are_not_the_client_at_its_limit(void **state)
{
	const struct run idle = {.busy = 0.25, .polled = 1.0, .thread = 0.3};
	const struct run crowded = {.thread = 0.3, .others = 0.7}, full = {.thread = 0.95};
	struct compare *c = comparison(&idle, &crowded, 5);

	(void)state;
	assert_false(warned(c, "client was"));
	assert_true(warned(c, "kernel: other processes had 70 %"));
	comparison_free(c);
	c = comparison(&idle, &full, 5);
	assert_true(warned(c, "kernel's client was 95 % busy"));
	assert_false(warned(c, "other processes"));
	comparison_free(c);
}

static void
test_compare_drops_in_one_run_of_five_are_warned_of(void **state)
{
	struct run dropping = plain;
	struct compare *c = comparison(&plain, &plain, 5);

	(void)state;
	assert_false(warned(c, "dropped"));
	dropping.missed = 7;
	json_decref(c->run[COMPARE_DPDK][3]);
	c->run[COMPARE_DPDK][3] = document(COMPARE_DPDK, &dropping);
	assert_true(warned(c, "dropped up to 7 frames"));
	comparison_free(c);
}

static void
test_compare_super_packets_on_one_side_only_are_warned_of(void **state)
{
	const struct run large = {.busy = 0.25, .polled = 1.0, .thread = 1.0, .super_bytes = 30000};
	struct compare *c = comparison(&plain, &large, 5);

	(void)state;
	assert_true(warned(c, "super-packets on the kernel's side only: its frames have 30150 "
			      "bytes on average, ours 150, the MTU is 1500"));
	comparison_free(c);
	c = comparison(&large, &plain, 5);
	assert_true(warned(c, "super-packets on our side only: our frames have 30150 bytes"));
	assert_false(warned(c, "super-packets on the kernel's side only"));
	comparison_free(c);
	c = comparison(&large, &large, 5);
	assert_false(warned(c, "super-packets"));
	comparison_free(c);
	c = comparison(&plain, &plain, 5);
	assert_false(warned(c, "super-packets"));
	comparison_free(c);
}

static void
test_compare_gro_is_warned_of_by_the_interfaces_name(void **state)
{
	struct compare *c = comparison(&plain, &plain, 5);

	(void)state;
	assert_true(warned_under(c,
		json_pack(
			"{s:s, s:{s:b, s:b}}", "interface", "eth7", "offloads", "gro", 1, "lro", 0),
		"GRO or LRO is on at eth7: "));
	assert_true(compare_has_warning(c, "ethtool -K eth7 gro off"));
	assert_true(warned_under(c,
		json_pack(
			"{s:s, s:{s:b, s:b}}", "interface", "eth7", "offloads", "gro", 0, "lro", 1),
		"GRO or LRO"));
	assert_false(warned_under(c,
		json_pack(
			"{s:s, s:{s:b, s:b}}", "interface", "eth7", "offloads", "gro", 0, "lro", 0),
		"GRO or LRO"));
	comparison_free(c);
}

static void
test_compare_poll_core_at_its_limit_is_warned_of(void **state)
{
	const struct run full = {.busy = 0.95, .polled = 1.0, .thread = 1.0};
	const struct run idle = {.thread = 0.3}, full_kernel = {.thread = 0.95};
	struct compare *c = comparison(&full, &idle, 5);
	json_t *end;
	uint32_t i;

	(void)state;
	assert_true(warned(c, "our poll core was 95 % busy"));
	assert_true(warned(c, "only one side was limited by its client"));
	comparison_free(c);
	c = comparison(&full, &full_kernel, 5);
	assert_true(warned(c, "our poll core was 95 % busy"));
	assert_false(warned(c, "only one side was limited"));
	comparison_free(c);
	c = comparison(&plain, &idle, 5);
	assert_false(warned(c, "our poll core"));
	for (i = 0; i < 5; i++) { /* the busiest of two workers */
		end = json_object_get(c->run[COMPARE_DPDK][i], "end");
		json_object_set_new(end, "workers",
			json_pack("[{s:{s:i, s:f, s:f}}, {s:{s:i, s:f, s:f}}]", "core", "core", 0,
				"cycles", 1e9, "cycles_busy", 1e8, "core", "core", 1, "cycles", 1e9,
				"cycles_busy", 9.9e8));
	}
	assert_true(warned(c, "our poll core was 99 % busy"));
	comparison_free(c);
}

/* This process plays the server. */
static void
test_compare_server_on_the_clients_cpu_is_warned_of(void **state)
{
	struct settings named = settings;
	struct compare *c = comparison(&plain, &plain, 5);
	json_t *core = json_object_get(json_object_get(c->run[COMPARE_DPDK][0], "end"), "core");
	cpu_set_t set;
	char text[64];
	int cpu;

	(void)state;
	assert_true(warned(c, "where the server runs is not known"));
	named.server_pid = (uint64_t)getpid();
	c->settings = &named;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (cpu = 0; !CPU_ISSET((size_t)cpu, &set); cpu++)
		;
	snprintf(text, sizeof(text), "the server may run on CPU %d, too", cpu);
	json_object_set_new(core, "core", json_integer(cpu));
	assert_true(warned(c, text));
	assert_false(warned(c, "where the server runs is not known"));
	json_object_set_new(core, "core", json_integer(CPU_SETSIZE - 1));
	assert_false(warned(c, "the server may run on CPU"));
	comparison_free(c);
}

static void
test_compare_mtus_that_differ_are_warned_of(void **state)
{
	struct compare *c = comparison(&plain, &plain, 5);

	(void)state;
	assert_true(warned_under(c, json_pack("{s:i}", "interface_mtu", 9000),
		"the interface's MTU is 9000, which the kernel uses, and ours 1500"));
	assert_false(warned_under(c, json_pack("{s:i}", "interface_mtu", 1500), "MTU"));
	assert_false(warned(c, "MTU"));
	comparison_free(c);
}

static void
test_compare_few_pairs_are_warned_of(void **state)
{
	struct compare *c = comparison(&plain, &plain, 4);

	(void)state;
	assert_true(warned(c, "4 pairs: too few"));
	comparison_free(c);
	c = comparison(&plain, &plain, 5);
	assert_false(warned(c, "too few"));
	comparison_free(c);
}

/* A tap as the kernel would leave it, without the kernel. */
static struct compare_tap
made_up_tap(void)
{
	struct compare_tap tap = {open("/dev/null", O_RDONLY | O_CLOEXEC),
		mmap(NULL, COMPARE_TAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0)};

	assert_true(tap.fd >= 0 && tap.ring != MAP_FAILED);
	return tap;
}

/* A segment without data. */
static void
put_segment(const struct compare_tap *tap, uint32_t slot, uint16_t from, uint16_t to, uint32_t seq,
	uint32_t ack, uint8_t flags)
{
	uint8_t p[40] = {0x45, [3] = sizeof(p), [8] = 64, [9] = 6, [32] = 0x50, [33] = flags};
	const struct tpacket2_hdr h = {.tp_status = TP_STATUS_USER,
		.tp_len = sizeof(p),
		.tp_snaplen = sizeof(p),
		.tp_mac = 80,
		.tp_net = 80,
		.tp_sec = 1000 + slot};
	uint8_t *at = tap->ring + (size_t)slot * COMPARE_TAP_SLOT_BYTES;

	be16_store(p + 20, from);
	be16_store(p + 22, to);
	be32_store(p + 24, seq);
	be32_store(p + 28, ack);
	memcpy(at, &h, sizeof(h));
	memcpy(at + h.tp_net, p, sizeof(p));
}

static void
test_compare_trace_leaves_out_a_reset_that_acknowledges_nothing(void **state)
{
	struct compare_tap tap = made_up_tap();
	struct compare_trace *t;

	(void)state;
	put_segment(&tap, 0, 4000, 80, 100, 0, TCP_SYN);
	put_segment(&tap, 1, 80, 4000, 900, 101, TCP_SYN | TCP_ACK);
	put_segment(&tap, 2, 4000, 80, 101, 901, TCP_ACK);
	put_segment(&tap, 3, 4000, 80, 101, 0, TCP_RST);
	put_segment(&tap, 4, 4000, 80, 101, 901, TCP_RST | TCP_ACK);
	t = compare_trace_close(&tap, 80);
	assert_non_null(t);
	assert_int_equal(t->count, 4);
	assert_int_equal(t->segment[2].offset, 0);
	assert_int_equal(t->segment[3].offset, 0);
	assert_true(t->segment[3].time_ns == 4000000000U);
	free(t);
}

#define SENT_BYTES (128U << 20)

static void __attribute__((noreturn)) send_and_exit(int listener)
{
	static char block[1 << 20];
	int fd = accept(listener, NULL, NULL);
	size_t sent;

	for (sent = 0; sent < SENT_BYTES; sent += sizeof(block)) {
		if (send(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
			_exit(1);
	}
	_exit(0);
}

/* Super-packets of 64 KiB, each seen twice, of which the kernel holds far more than a socket's buffer may have. */
static void
test_compare_trace_keeps_large_packets_as_well_as_small_ones(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, status;
	static char block[1 << 20];
	struct compare_trace *t;
	struct compare_tap tap;
	struct compare_acks acks;
	socklen_t len = sizeof(at);
	ssize_t n;
	pid_t child;
	uint32_t i;
	uint64_t most = 0;

	(void)state;
	if (compare_trace_open("lo", &tap) != 0) {
		close(listener);
		skip(); /* nobody but root has packet sockets */
	}
	assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	child = fork();
	if (child == 0)
		send_and_exit(listener);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	while ((n = recv(fd, block, sizeof(block), 0)) > 0)
		;
	close(fd);
	close(listener);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	t = compare_trace_close(&tap, ntohs(at.sin_port));
	assert_non_null(t);
	for (i = 0; i < t->count; i++) {
		if (t->segment[i].from_server && t->segment[i].len > 0)
			most = MAX_OF(most, (uint64_t)t->segment[i].offset + t->segment[i].len);
	}
	assert_true(compare_trace_acks(t, &acks));
	if (t->count < COMPARE_TRACE_SEGMENTS)
		assert_int_equal(most, SENT_BYTES);
	free(t);
}

static struct compare_segment
data_at(uint64_t us, uint32_t offset, uint32_t len)
{
	return (struct compare_segment){.time_ns = us * 1000U,
		.from_server = true,
		.flags = TCP_ACK,
		.offset = offset,
		.len = len};
}

static struct compare_segment
ack_at(uint64_t us, uint32_t offset)
{
	return (struct compare_segment){.time_ns = us * 1000U, .flags = TCP_ACK, .offset = offset};
}

/* Two segments and an ACK for both, a duplicate of it, one more segment, and its ACK. */
static void
test_compare_acks_count_from_the_oldest_data_that_they_cover(void **state)
{
	struct compare_trace *t = calloc(1, sizeof(*t));
	const struct compare_segment segment[] = {data_at(100, 0, 1000), data_at(110, 1000, 1000),
		ack_at(130, 2000), ack_at(140, 2000), data_at(200, 2000, 1000), ack_at(210, 3000)};
	struct compare_acks a;

	(void)state;
	assert_non_null(t);
	assert_false(compare_trace_acks(NULL, &a));
	assert_false(compare_trace_acks(t, &a));
	t->count = sizeof(segment) / sizeof(segment[0]);
	memcpy(t->segment, segment, sizeof(segment));
	assert_true(compare_trace_acks(t, &a));
	assert_int_equal(a.data, 3);
	assert_int_equal(a.acks, 2);
	assert_int_equal(a.bare, 3);
	assert_near(a.p50_us, 10.0);
	assert_near(a.max_us, 30.0);
	t->segment[5].time_ns = t->segment[4].time_ns - 1000U; /* stamped by another CPU */
	assert_true(compare_trace_acks(t, &a));
	assert_near(a.p50_us, 0.0);
	free(t);
}

/* Of data of 1000 bytes each, with an ACK for each. */
static struct compare_trace *
trace_of(uint32_t data)
{
	struct compare_trace *t = calloc(1, sizeof(*t));
	uint32_t i;

	assert_non_null(t);
	for (i = 0; i < data; i++) {
		t->segment[t->count++] = data_at(100U * i, 1000 * i, 1000);
		t->segment[t->count++] = ack_at(100U * i + 4U, 1000 * (i + 1));
	}
	return t;
}

static void
test_compare_traces_are_cut_to_the_same_bytes(void **state)
{
	struct compare_trace *shorter = trace_of(10), *longer = trace_of(100),
			     *none = calloc(1, sizeof(*none));
	struct compare_acks a;

	(void)state;
	compare_trace_cut_alike(shorter, longer);
	assert_int_equal(shorter->count, 20);
	assert_int_equal(longer->count, 20); /* with the last one's ACK */
	assert_true(compare_trace_acks(longer, &a));
	assert_int_equal(a.data, 10);
	compare_trace_cut_alike(longer, NULL);
	compare_trace_cut_alike(none, longer);
	assert_int_equal(longer->count, 20);
	/* What was sent again, and comes behind what is cut off, stays; a packet over the end is clipped. */
	longer->segment[longer->count++] = data_at(9000, 9500, 2000);
	longer->segment[longer->count++] = data_at(9001, 20000, 1000);
	longer->segment[longer->count++] = data_at(9002, 3000, 1000);
	compare_trace_cut_alike(shorter, longer);
	assert_int_equal(longer->count, 22);
	assert_int_equal(longer->segment[20].len, 500);
	assert_int_equal(longer->segment[21].offset, 3000);
	free(shorter);
	free(longer);
	free(none);
}

/* 199 ACKs after 4 us and one after 3 ms: the plot shows the many, and says of the one that it is longer. */
static void
test_compare_plot_of_acks_does_not_shrink_for_a_straggler(void **state)
{
	struct compare *c = comparison(&plain, &plain, 1);
	struct compare_trace *t = calloc(1, sizeof(*t));
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	uint32_t i;

	(void)state;
	assert_non_null(t);
	c->trace[COMPARE_DPDK] = t;
	for (i = 0; i < 200; i++) {
		t->segment[t->count++] = data_at(10000U * i, 1000 * i, 1000);
		t->segment[t->count++] = ack_at(10000U * i + (i == 7 ? 3000U : 4U), 1000 * (i + 1));
	}
	compare_plot_ack_delay(c, out);
	fclose(out);
	assert_non_null(strstr(text, "dpfetch: 99.5 % of 200 in 4.0-4.2 us<"));
	assert_non_null(strstr(text, "dpfetch: 0.5 % of 200 in 4.8-5.0 us, or longer<"));
	free(text);
	comparison_free(c);
}

static void
test_compare_report_shows_acks_of_both_sides(void **state)
{
	struct compare *c = comparison(&plain, &plain, 1);
	char *text = NULL, *stats;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *json, *conditions;
	int side;

	(void)state;
	for (side = 0; side < COMPARE_SIDES; side++) {
		c->trace[side] = calloc(1, sizeof(*c->trace[side]));
		assert_non_null(c->trace[side]);
		c->trace[side]->count = 2;
		c->trace[side]->segment[0] = data_at(0, 0, 1000);
		c->trace[side]->segment[1] = ack_at(5U + 10U * (unsigned int)side, 1000);
	}
	conditions = compare_conditions(c);
	compare_report_text(c, conditions, out);
	json_decref(conditions);
	fclose(out);
	assert_non_null(strstr(text, "dpfetch 1 ACKs for a transfer's first 1 data segments (1 for "
				     "1.0), delay p50 5.0"));
	assert_non_null(strstr(text, "kernel  1 ACKs for a transfer's first 1 data segments (1 for "
				     "1.0), delay p50 15.0"));
	assert_non_null(strstr(text, "frames out"));
	stats = written_by(c, compare_report_json_write);
	json = json_loads(stats, 0, NULL);
	assert_near(report_json_number(json, "acks/kernel/delay_p99_us"), 15.0);
	assert_near(report_json_number(json, "acks/dpfetch/data_segments"), 1.0);
	json_decref(json);
	free(stats);
	free(text);
	comparison_free(c);
}

static void
test_report_path_says_beforehand_what_cannot_be_written(void **state)
{
	(void)state;
	assert_int_equal(report_path_check("-"), 0);
	assert_int_equal(report_path_check("/tmp/no-such-file-yet"), 0);
	assert_int_equal(report_path_check("no-such-file-yet"), 0);
	assert_int_equal(report_path_check("/tmp"), -EISDIR);
	assert_int_equal(report_path_check("/tmp/no-such-directory/x"), -ENOENT);
	assert_int_equal(report_path_check(""), -ENOENT);
}

static json_t *
latency_buckets(uint32_t buckets)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 1; i <= buckets; i++)
		json_array_append_new(list, json_pack("[f, i]", i * 10.0, 1));
	return json_pack("{s:o}", "buckets_us", list);
}

/* 100 pairs with 500 buckets each: the page is as large as with one pair. */
static void
test_compare_page_does_not_grow_with_the_pairs(void **state)
{
	struct compare *one = comparison(&plain, &plain, 1),
		       *many = comparison(&plain, &plain, 100);
	char *page[2];
	uint32_t i;

	(void)state;
	for (i = 0; i < 200; i++)
		json_object_set_new(json_object_get(many->run[i % 2][i / 2], "end"), "latency",
			latency_buckets(500));
	for (i = 0; i < 2; i++)
		json_object_set_new(
			json_object_get(one->run[i][0], "end"), "latency", latency_buckets(500));
	page[0] = written_by(one, compare_report_html_write);
	page[1] = written_by(many, compare_report_html_write);
	assert_true(strlen(page[1]) < strlen(page[0]) + 1000);
	assert_non_null(strstr(page[1], "<svg"));
	assert_null(strstr(page[1], ">-0<")); /* a tick at 0 */
	for (i = 0; i < 2; i++)
		free(page[i]);
	comparison_free(one);
	comparison_free(many);
}

static void
test_compare_page_shows_the_url_without_user_and_password(void **state)
{
	char url[] = "http://me:p@ss@web.test/a@b?<c>", without_scheme[] = "me:p@ss@web.test/a@b";
	struct settings named = settings;
	struct compare *c = comparison(&plain, &plain, 1);
	char *urls[] = {url}, *page;

	(void)state;
	named.urls.item = urls;
	named.urls.count = 1;
	c->settings = &named;
	page = written_by(c, compare_report_html_write);
	assert_non_null(strstr(page, ">http://web.test/a@b?&lt;c&gt;, 1 connection"));
	assert_null(strstr(page, "p@ss"));
	free(page);
	urls[0] = without_scheme;
	page = written_by(c, compare_report_html_write);
	assert_non_null(strstr(page, ">web.test/a@b, 1 connection"));
	assert_null(strstr(page, "p@ss"));
	free(page);
	comparison_free(c);
}

/* An interval of one pair, or of two, is no evidence. */
static void
test_compare_few_pairs_make_nothing_better(void **state)
{
	struct run more = plain;
	struct compare *c;
	uint32_t pairs;
	char *page;

	(void)state;
	more.retransmits = 50;
	for (pairs = 1; pairs <= 5; pairs++) {
		c = comparison(&more, &plain, pairs);
		page = written_by(c, compare_report_html_write);
		assert_int_equal(strstr(page, "class=\"better\"") != NULL, pairs == 5);
		free(page);
		comparison_free(c);
	}
}

static void
test_compare_decimals_show_small_values_too(void **state)
{
	(void)state;
	assert_int_equal(compare_decimals(1234), 0);
	assert_int_equal(compare_decimals(12.3), 2);
	assert_int_equal(compare_decimals(0), 2);
	assert_int_equal(compare_decimals(0.25), 3);
	assert_int_equal(compare_decimals(0.0025), 5); /* 2.5 Mb/s in Gb/s */
	assert_int_equal(compare_decimals(0.0000001), 6);
}

/* Only the threads that poll idle away what they have; over either stack the writer works. */
static void
test_compare_counts_the_file_writer_as_the_clients(void **state)
{
	const struct run ours = {.busy = 0.5, .polled = 1.0, .thread = 1.0, .writer = 0.4};
	const struct run kernels = {.thread = 0.6, .writer = 0.4};
	struct compare *c = comparison(&ours, &kernels, 3);

	(void)state;
	assert_float_equal(median(c, "client_cpu_s", COMPARE_DPDK), 0.9, 1e-9);
	assert_float_equal(median(c, "client_cpu_s", COMPARE_KERNEL), 1.0, 1e-9);
	assert_float_equal(median(c, "machine_cpu_s", COMPARE_DPDK), 0.9, 1e-9);
	comparison_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_compare_zero_of_the_kernel_gives_no_ratio_and_no_praise_to_more),
		cmocka_unit_test(test_compare_without_whole_responses_tells_no_latency),
		cmocka_unit_test(test_compare_cpu_of_others_is_no_idle_polling),
		cmocka_unit_test(test_compare_cycles_a_byte_count_the_bytes_of_the_warm_up),
		cmocka_unit_test(test_compare_failed_requests_of_one_side_are_warned_of),
		cmocka_unit_test(test_compare_other_processes_are_not_the_client_at_its_limit),
		cmocka_unit_test(test_compare_drops_in_one_run_of_five_are_warned_of),
		cmocka_unit_test(test_compare_super_packets_on_one_side_only_are_warned_of),
		cmocka_unit_test(test_compare_gro_is_warned_of_by_the_interfaces_name),
		cmocka_unit_test(test_compare_poll_core_at_its_limit_is_warned_of),
		cmocka_unit_test(test_compare_server_on_the_clients_cpu_is_warned_of),
		cmocka_unit_test(test_compare_mtus_that_differ_are_warned_of),
		cmocka_unit_test(test_compare_few_pairs_are_warned_of),
		cmocka_unit_test(test_compare_trace_leaves_out_a_reset_that_acknowledges_nothing),
		cmocka_unit_test(test_compare_trace_keeps_large_packets_as_well_as_small_ones),
		cmocka_unit_test(test_compare_traces_are_cut_to_the_same_bytes),
		cmocka_unit_test(test_compare_acks_count_from_the_oldest_data_that_they_cover),
		cmocka_unit_test(test_compare_plot_of_acks_does_not_shrink_for_a_straggler),
		cmocka_unit_test(test_compare_report_shows_acks_of_both_sides),
		cmocka_unit_test(test_report_path_says_beforehand_what_cannot_be_written),
		cmocka_unit_test(test_compare_page_does_not_grow_with_the_pairs),
		cmocka_unit_test(test_compare_page_shows_the_url_without_user_and_password),
		cmocka_unit_test(test_compare_decimals_show_small_values_too),
		cmocka_unit_test(test_compare_counts_the_file_writer_as_the_clients),
		cmocka_unit_test(test_compare_few_pairs_make_nothing_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
