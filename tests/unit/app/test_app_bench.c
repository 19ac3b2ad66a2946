/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"
#include "bench_figures.h"
#include "bench_metrics.h"
#include "bench_report.h"
#include "stats_documented.h"

#define METRICS_PORT 29137
#define METRICS_PLACE "29137"
#define ADDRESS "--nic", "lo", "--address", "198.18.0.2/24"

/* 1000 responses in 2 s: 1 ms to 1 s in even steps; 10 errors; of the responses 990 are 2xx. */
static struct load_stats *
new_stats(void)
{
	struct load_stats *s = calloc(1, sizeof(*s));
	uint64_t i;

	assert_non_null(s);
	histogram_reset(&s->latency);
	histogram_reset(&s->service);
	histogram_reset(&s->first_byte);
	histogram_reset(&s->connect);
	s->start_ns = 5 * NS_PER_SEC;
	s->end_ns = 7 * NS_PER_SEC;
	for (i = 1; i <= 1000; i++)
		histogram_record(&s->latency, i * NS_PER_MS);
	s->counts.responses = 1000;
	s->counts.requests = 1010;
	s->counts.status[2] = 990;
	s->counts.status[4] = 10;
	s->counts.errors[LOAD_ERROR_TIMEOUT] = 7;
	s->counts.errors[LOAD_ERROR_HTTP] = 3;
	s->counts.body_bytes = 1000000;
	s->counts.connected = 40;
	s->counts.unasked = 6;
	s->unsent = 5;
	return s;
}

static bool
fails(const struct load_stats *s, const char *text)
{
	struct bench_limit limit;
	char message[320];

	if (bench_limit_parse(text, &limit, message, sizeof(message)) != 0)
		fail_msg("%s: %s", text, message);
	return bench_limit_fails(&limit, s);
}

static void
expect_failures(const struct load_stats *s, const char *const *text, size_t count, bool expected)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (fails(s, text[i]) != expected)
			fail_msg("%s should %shold", text[i], expected ? "" : "not ");
	}
}

static void
test_limit_conditions_are_judged_by_the_figures(void **state)
{
	static const char *const hold[] = {"p50>400ms", "p99 > 0.9s", "p99.9>=990ms", "max>999ms",
		"mean<501ms", "rps<501", "rps>=500", "errors>0", "errors>=10", "error-rate<1%",
		"error-rate>0.009", "non2xx>9", "unsent>4", "cps<21", "bps<4.1m", "unanswered<1",
		" p100 >= 1s", "p0<17ms"};
	static const char *const do_not[] = {"p50>600ms", "p99>1s", "rps>501", "rps<500",
		"rps<0.5k", "errors>10", "error-rate>1%", "non2xx>10", "unanswered>0", "cps<20",
		"bps>1g", "max<1000000us", "unsent<5"};
	struct load_stats *s = new_stats();

	(void)state;
	expect_failures(s, hold, sizeof(hold) / sizeof(hold[0]), true);
	expect_failures(s, do_not, sizeof(do_not) / sizeof(do_not[0]), false);
	free(s);
}

/* A latency that nobody knows is within no limit. */
static void
test_limit_of_a_latency_without_responses_fails(void **state)
{
	static const char *const hold[] = {"p99>1s", "p50<1s", "mean>1s", "max>=1s"};
	static const char *const do_not[] = {"errors>0", "bps<1m", "error-rate>0", "unanswered>1"};
	struct load_stats *s = new_stats();

	(void)state;
	histogram_reset(&s->latency);
	s->counts = (struct load_counts){.requests = 1, .body_bytes = 1000000};
	s->unanswered = 1;
	expect_failures(s, hold, sizeof(hold) / sizeof(hold[0]), true);
	expect_failures(s, do_not, sizeof(do_not) / sizeof(do_not[0]), false);
	free(s);
}

static void
test_limit_what_is_no_condition_is_refused(void **state)
{
	static const char *const bad[] = {"", "p99", "p99=1ms", "p99>", "p99>1", "p101>1ms",
		"p>1ms", "p99>-1ms", "latency>1ms", "errors>1ms", "rps<1x", "p99>1msx", ">1ms",
		"p99>>1ms", "error-rate>1ms", "p99>nan", "p99>infs", "pnan>1ms", "p99=>1ms",
		"errors>0 ", "p0x10>1ms", "p99>0x1ms", "rps<0X10", "errors>0x0p0"};
	struct bench_limit limit;
	char message[320];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		message[0] = '\0';
		if (bench_limit_parse(bad[i], &limit, message, sizeof(message)) != -EINVAL)
			fail_msg("'%s' should be refused", bad[i]);
		assert_true(message[0] != '\0');
	}
}

static void
test_figures_without_a_measured_time_are_zero(void **state)
{
	struct load_stats *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	s->counts.responses = 5;
	assert_true(bench_figures_rps(s) == 0.0 && bench_figures_bps(s) == 0.0);
	assert_true(bench_figures_error_rate(&(struct load_counts){0}) == 0.0);
	free(s);
}

static struct bench_url url_of_report[] = {
	{.text = (char[]){"http://198.18.0.1/x"}, .weight = 1},
	{.text = (char[]){"http://me:secret@198.18.0.1/y?z"}, .weight = 7},
};

static struct bench_report
report_of(const struct settings *settings, const struct load_stats *stats,
	const struct load_interval *interval, uint32_t intervals)
{
	return (struct bench_report){
		.settings = settings,
		.url = url_of_report[0].text,
		.target = url_of_report,
		.urls = 1,
		.workers = 1,
		.duration_ns = 2 * NS_PER_SEC,
		.start_ns = 4 * NS_PER_SEC,
		.stats = stats,
		.interval = interval,
		.intervals = intervals,
		.intervals_joined = 1,
		.cycles_hz = 1000000000,
	};
}

static const struct load_interval intervals[2] = {
	{.start_ns = 4 * NS_PER_SEC, .end_ns = 5 * NS_PER_SEC, .counts = {.responses = 3}},
	{.start_ns = 5 * NS_PER_SEC,
		.end_ns = 6 * NS_PER_SEC,
		.measured = true,
		.counts = {.responses = 500, .status = {[2] = 495}, .body_bytes = 500000},
		.open = 10,
		.latency_p50_ns = 2500000},
};

static void
test_report_text_has_the_lines_that_wrk_users_look_for(void **state)
{
	struct load_stats *stats = new_stats();
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX], *text = NULL;
	char *argv[] = {"dpfetch", "bench", ADDRESS, "-c", "20", "http://198.18.0.1/x", NULL};
	struct bench_report r;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(settings_load(9, argv, &s, message), SETTINGS_OK);
	r = report_of(&s, stats, intervals, 2);
	bench_report_heading(&r, out);
	bench_report_text(&r, out);
	fclose(out);
	assert_non_null(strstr(text, "Running 2s @ http://198.18.0.1/x\n"));
	assert_non_null(strstr(text, "1 worker, 20 connections, closed loop\n"));
	assert_non_null(strstr(text, "99.99%"));
	assert_non_null(strstr(text, "500.50ms")); /* the mean */
	assert_non_null(strstr(text, "  1000 requests in 2.00s, 976.56KB read"));
	assert_non_null(strstr(text, "  Status: 990 2xx, 10 4xx\n"));
	assert_non_null(strstr(text, "  Errors: timeout 7, http 3\n"));
	assert_non_null(strstr(text, "Unsent: 5 "));
	assert_non_null(strstr(text, "Unasked: 6 connections"));
	assert_non_null(strstr(text, "Requests/sec:        500.00\n"));
	assert_non_null(strstr(text, "Transfer/sec:      488.28KB"));
	assert_null(strstr(text, "intervals"));
	free(text);
	r.intervals_joined = 4;
	r.intervals_lost = true;
	out = open_memstream(&text, &len);
	bench_report_text(&r, out);
	fclose(out);
	assert_non_null(strstr(text, "each of --stats and --csv is 4 of them"));
	assert_non_null(strstr(text, "intervals are missing"));
	free(text);
	free(stats);
	settings_free(&s);
}

/* Does the text of two seconds over a stack warn of the generator? Of worker 0 cpu_ns is its thread's; its CPU, number 2,
 * had user_ns besides softirq_ns. */
static bool
warns_of_busy(char *stack, uint32_t workers, uint64_t cpu_ns, uint64_t user_ns, uint64_t softirq_ns)
{
	char *argv[] = {"dpfetch", "bench", ADDRESS, "--stack", stack, "http://198.18.0.1/x", NULL};
	struct bench_report_worker worker[2] = {
		{.core = 2, .usage = {.cpu_ns = cpu_ns}}, {.core = 3}};
	struct machine_sample *machine = calloc(1, sizeof(*machine));
	struct load_stats *stats = new_stats();
	char message[SETTINGS_MESSAGE_MAX], *text = NULL;
	struct bench_report r;
	struct settings s;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool warns;

	assert_non_null(machine);
	assert_int_equal(settings_load(9, argv, &s, message), SETTINGS_OK);
	machine->cpus = 4;
	machine->cpu[2].user_ns = user_ns;
	machine->cpu[2].softirq_ns = softirq_ns;
	r = report_of(&s, stats, intervals, 2);
	r.workers = workers;
	r.worker = worker;
	r.core = 2;
	r.usage.cpu_ns = cpu_ns;
	r.wall_ns = 2 * NS_PER_SEC;
	r.machine = machine;
	bench_report_text(&r, out);
	fclose(out);
	warns = strstr(text, "may be what limits these figures\n") != NULL;
	free(text);
	free(machine);
	free(stats);
	settings_free(&s);
	return warns;
}

static void
test_report_text_over_the_kernels_stack_warns_of_a_busy_generator(void **state)
{
	(void)state;
	assert_true(warns_of_busy("kernel", 1, 1900 * NS_PER_MS, 1900 * NS_PER_MS, 0));
	assert_false(warns_of_busy("kernel", 1, 1700 * NS_PER_MS, 1700 * NS_PER_MS, 0));
	assert_true(
		warns_of_busy("kernel", 1, 1000 * NS_PER_MS, 1000 * NS_PER_MS, 900 * NS_PER_MS));
	/* The thread's second has the softirqs in it already: that CPU was busy for 1.2 s. */
	assert_false(
		warns_of_busy("kernel", 1, 1200 * NS_PER_MS, 300 * NS_PER_MS, 900 * NS_PER_MS));
	/* One of several is enough, and two half busy ones are not one. */
	assert_true(warns_of_busy("kernel", 2, 1900 * NS_PER_MS, 1900 * NS_PER_MS, 0));
	assert_false(warns_of_busy("kernel", 2, 1700 * NS_PER_MS, 1700 * NS_PER_MS, 0));
	/* A poll core's thread is always busy. */
	assert_false(warns_of_busy("dpdk", 1, 2000 * NS_PER_MS, 2000 * NS_PER_MS, 0));
}

static json_t *
json_of(json_t *object, const char *path)
{
	char key[32];
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '/' ? 1U : 0U)) {
		len = strcspn(path, "/");
		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		object = json_object_get(object, key);
		assert_non_null(object);
	}
	return object;
}

static void
test_report_json_and_csv_hold_what_was_counted(void **state)
{
	struct load_stats *stats = new_stats();
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX], path[] = "/tmp/dpfetch-test-XXXXXX", line[512];
	char *argv[] = {"dpfetch", "bench", ADDRESS, "-R", "600", "http://198.18.0.1/x", NULL};
	struct bench_report r;
	json_t *root, *buckets, *bucket;
	json_int_t total = 0;
	size_t i;
	FILE *file;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(settings_load(9, argv, &s, message), SETTINGS_OK);
	r = report_of(&s, stats, intervals, 2);
	assert_int_equal(bench_report_json_write(&r, NULL, "/dev/full"), -ENOSPC);
	assert_int_equal(bench_report_json_write(&r, NULL, path), 0);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_of(root, "schema")), 1);
	assert_string_equal(json_string_value(json_of(root, "load/loop")), "open");
	assert_int_equal(json_array_size(json_of(root, "intervals")), 2);
	assert_int_equal(json_integer_value(json_of(root, "end/counts/errors/timeout")), 7);
	assert_int_equal(json_integer_value(json_of(root, "end/counts/status/2xx")), 990);
	assert_int_equal(json_integer_value(json_of(root, "end/counts/unasked")), 6);
	/* As it was, also where no option said so. */
	assert_true(json_real_value(json_of(root, "load/duration_s")) == 2.0);
	assert_true(json_real_value(json_of(root, "end/requests_per_second")) == 500.0);
	assert_true(json_real_value(json_of(root, "end/measured_from_s")) == 1.0);
	assert_true(json_real_value(json_of(root, "end/latency/max_us")) == 1e6);
	buckets = json_of(root, "end/latency/buckets_us");
	json_array_foreach(buckets, i, bucket) total +=
		json_integer_value(json_array_get(bucket, 1));
	assert_int_equal(total, 1000);
	assert_true(json_is_true(json_of(root, "end/intervals_complete")));
	assert_int_equal(json_integer_value(json_of(root, "end/intervals_joined")), 1);
	json_decref(root);
	r.duration_ns = TIME_NEVER;
	root = bench_report_start_json(&r);
	assert_true(json_is_null(json_of(root, "load/duration_s")));
	json_decref(root);
	assert_int_equal(bench_report_csv_write(&r, path), 0);
	file = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "start_s,end_s,measured,"));
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(fgets(line, sizeof(line), file));
	assert_true(strncmp(line, "1.000000,2.000000,1,0,500,495,5,", 32) == 0);
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
	unlink(path);
	free(stats);
	settings_free(&s);
}

/* A document that is looked at later has nothing else to tell what it is of. */
static void
test_report_json_says_what_was_run_and_where(void **state)
{
	static const char *const texts[] = {"version", "dpdk", "kernel", "cpu", "governor", "time"};
	char *argv[] = {"dpfetch", "bench", ADDRESS, "-r", "0-9", "-A", "me/1", "-H", "X-A: 1",
		"-H", "authorization: Basic c2VjcmV0", "http://198.18.0.1/x", NULL};
	char message[SETTINGS_MESSAGE_MAX], *text;
	struct load_stats *stats = new_stats();
	struct bench_report r;
	struct settings s;
	json_t *root, *list;
	size_t i;

	(void)state;
	assert_int_equal(settings_load(15, argv, &s, message), SETTINGS_OK);
	r = report_of(&s, stats, intervals, 2);
	r.urls = 2;
	r.port = (struct port_info){.driver = "net_x", .mtu = 9000};
	root = bench_report_start_json(&r);
	list = json_of(root, "load/urls");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(
		json_string_value(json_of(json_array_get(list, 0), "url")), "http://198.18.0.1/x");
	assert_string_equal(json_string_value(json_of(json_array_get(list, 1), "url")),
		"http://198.18.0.1/y?z");
	assert_int_equal(json_integer_value(json_of(json_array_get(list, 1), "weight")), 7);
	list = json_of(root, "load/headers");
	assert_int_equal(json_array_size(list), 4);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "User-Agent: me/1");
	assert_string_equal(json_string_value(json_array_get(list, 1)), "Range: bytes=0-9");
	assert_string_equal(json_string_value(json_array_get(list, 2)), "X-A: 1");
	assert_string_equal(json_string_value(json_array_get(list, 3)), "authorization: (hidden)");
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *value =
			json_string_value(json_of(json_of(root, "environment"), texts[i]));

		if (value == NULL || value[0] == '\0')
			fail_msg("environment/%s", texts[i]);
	}
	assert_true(json_integer_value(json_of(root, "environment/cpus")) > 0);
	assert_string_equal(json_string_value(json_of(root, "environment/driver")), "net_x");
	assert_int_equal(json_integer_value(json_of(root, "environment/mtu")), 9000);
	text = json_dumps(root, 0);
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "c2VjcmV0"));
	free(text);
	json_decref(root);
	free(stats);
	settings_free(&s);
}

/* Every field that there can be is in the report of this. */
static void
test_report_json_fields_are_all_documented(void **state)
{
	char *argv[] = {"dpfetch", "bench", ADDRESS, "--queues", "2", "http://198.18.0.1/x", NULL};
	struct machine_sample *machine = calloc(1, sizeof(*machine));
	const struct bench_report_worker worker[2] = {{.core = 2}, {.core = 3}};
	char message[SETTINGS_MESSAGE_MAX], path[] = "/tmp/dpfetch-test-XXXXXX";
	struct load_stats *stats = new_stats();
	char *text = stats_documented_read();
	struct bench_report r;
	struct settings s;
	json_t *root;
	int i;

	(void)state;
	assert_non_null(machine);
	close(mkstemp(path));
	assert_int_equal(settings_load(9, argv, &s, message), SETTINGS_OK);
	stats->counts.status[7] = 1;
	machine->cpus = 1;
	machine->server = machine->interface = true;
	r = report_of(&s, stats, intervals, 2);
	r.workers = 2;
	r.worker = worker;
	r.machine = machine;
	assert_int_equal(bench_report_json_write(&r, NULL, path), 0);
	root = json_load_file(path, 0, NULL);
	assert_non_null(json_of(root, "end/machine/server"));
	assert_non_null(json_of(root, "end/workers"));
	stats_documented_check(text, root, stats_documented_chapter(text, "bench"), "");
	for (i = 0; i < COUNTER_COUNT; i++)
		stats_documented_check_help(text, "counters", counter_name((enum counter_id)i),
			counter_help((enum counter_id)i));
	unlink(path);
	json_decref(root);
	free(text);
	free(stats);
	free(machine);
	settings_free(&s);
}

/* What bench_prepare makes of a file of URLs; the caller's to clean up. */
static int
prepare_file(const char *text, struct settings *s, struct bench *b)
{
	char path[] = "/tmp/dpfetch-test-XXXXXX", message[SETTINGS_MESSAGE_MAX];
	char *argv[] = {"dpfetch", "bench", "-s", ADDRESS, "--url-file", path, NULL};
	int fd = mkstemp(path), code;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(settings_load(9, argv, s, message), SETTINGS_OK);
	*b = (struct bench){.settings = s, .get = {.settings = s}};
	code = bench_prepare(b);
	unlink(path);
	return code;
}

static void
test_prepare_url_file_gives_urls_and_weights(void **state)
{
	struct settings s;
	struct bench b;

	(void)state;
	assert_int_equal(prepare_file("# a comment\n\n3 http://198.18.0.1/big\n"
				      "http://198.18.0.1/small  \r\n  12\thttp://198.18.0.3:81/x",
				 &s, &b),
		0);
	assert_int_equal(b.urls, 3);
	assert_int_equal(b.url[0].weight, 3);
	assert_int_equal(b.url[1].weight, 1);
	assert_string_equal(b.url[1].text, "http://198.18.0.1/small");
	assert_int_equal(b.url[2].weight, 12);
	assert_int_equal(b.get.target[2].url.port, 81);
	assert_non_null(
		memmem(b.url[0].request, b.url[0].request_len, "GET /big HTTP/1.1\r\n", 19));
	assert_true(malloc_usable_size(b.url[0].request) < 1024); /* a file has many */
	bench_cleanup(&b);
	settings_free(&s);
}

static int
prepare_report(char *option, char *path)
{
	char message[SETTINGS_MESSAGE_MAX];
	char *argv[] = {
		"dpfetch", "bench", "-s", ADDRESS, option, path, "http://198.18.0.1/", NULL};
	struct settings s;
	struct bench b;
	int code;

	assert_int_equal(settings_load(10, argv, &s, message), SETTINGS_OK);
	b = (struct bench){.settings = &s, .get = {.settings = &s}};
	code = bench_prepare(&b);
	bench_cleanup(&b);
	settings_free(&s);
	return code;
}

static void
test_prepare_reports_that_cannot_be_written_are_refused(void **state)
{
	(void)state;
	assert_int_equal(prepare_report("--csv", "/nonexistent/x"), 115);
	assert_int_equal(prepare_report("--stats", "/nonexistent/x"), 115);
	assert_int_equal(prepare_report("--stats-stream", "/dev/null/x"), 115);
	assert_int_equal(prepare_report("--stats", "/tmp/dpfetch-test-that-is-not-there"), 0);
	assert_int_equal(prepare_report("--stats", "dpfetch-test-that-is-not-there"), 0);
	assert_int_equal(prepare_report("--csv", "/dev/null"), 0);
	assert_int_equal(prepare_report("--csv", "-"), 0);
	assert_int_equal(access("/tmp/dpfetch-test-that-is-not-there", F_OK), -1);
}

static void
test_prepare_bad_url_file_is_refused(void **state)
{
	static const char *const bad[] = {"0 http://198.18.0.1/\n", "1000001 http://198.18.0.1/\n",
		"http://198.18.0.1/ 3\n", "99999999999999999999 http://198.18.0.1/\n", "# none\n"};
	struct settings s;
	struct bench b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(prepare_file(bad[i], &s, &b), 2);
		bench_cleanup(&b);
		settings_free(&s);
	}
}

static void
test_headers_range_is_checked_and_sent(void **state)
{
	static const struct {
		const char *range;
		int rc;
	} cases[] = {{"0-499", 0}, {"500-", 0}, {"-500", 0}, {"0-0,-1", 0}, {"", -EINVAL},
		{"-", -EINVAL}, {"5", -EINVAL}, {"0-1,", -EINVAL}, {"a-b", -EINVAL},
		{"0-1\r\nX: y", -EINVAL}, {"1-2-3", -EINVAL}};
	struct request_headers h;
	char message[SETTINGS_MESSAGE_MAX], range[64];
	struct settings s = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(range, sizeof(range), "%s", cases[i].range);
		s.range = range;
		if (request_headers_check(&s, message) != cases[i].rc)
			fail_msg("'%s'", range);
	}
	snprintf(range, sizeof(range), "0-99");
	assert_int_equal(request_headers_make(&s, true, &h), 0);
	assert_int_equal(h.count, 2);
	assert_string_equal(h.line[0], "Range: bytes=0-99");
	assert_string_equal(h.line[1], "Connection: close");
	request_headers_free(&h);
}

static void
test_metrics_page_is_what_prometheus_reads(void **state)
{
	struct bench_metrics_figures f = {
		.total = {.requests = 12, .status = {[2] = 10, [7] = 1}, .errors = {1}},
		.last = {.open = 3, .latency_p99_ns = 1500000},
	};
	char *page = bench_metrics_page(&f), *line, *next;

	(void)state;
	assert_non_null(page);
	assert_non_null(
		strstr(page, "# TYPE dpfetch_requests_total counter\ndpfetch_requests_total 12\n"));
	assert_non_null(strstr(page, "dpfetch_responses_total{status=\"2xx\"} 10\n"));
	assert_non_null(strstr(page, "dpfetch_responses_total{status=\"7xx\"} 1\n"));
	assert_non_null(strstr(page, "dpfetch_errors_total{kind=\"connect\"} 1\n"));
	assert_non_null(strstr(page, "dpfetch_connections_open 3\n"));
	assert_non_null(strstr(page, "dpfetch_latency_seconds{quantile=\"0.99\"} 0.001500000\n"));
	for (line = page; *line != '\0'; line = next + 1) {
		next = strchr(line, '\n');
		assert_non_null(next);
		assert_true(strncmp(line, "# ", 2) == 0 || strncmp(line, "dpfetch_", 8) == 0);
	}
	free(page);
}

static void
test_metrics_bad_places_to_listen_are_refused(void **state)
{
	static const char *const bad[] = {"", "0", "65536", "x", ":9100", "host:9100", "1.2.3.4",
		"1.2.3.4:", "[::1]", "9100x", "-1", "1.2.3.4:9100:"};
	struct bench_metrics *m = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (bench_metrics_open(bad[i], &m) != -EINVAL)
			fail_msg("'%s' should be refused", bad[i]);
	}
	assert_null(m);
}

/* Opens files until their numbers are beyond what select can watch. false: so many are not allowed. */
static bool
use_up_files(int *fd, size_t count)
{
	struct rlimit files;
	size_t i;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	if (files.rlim_max < count + 100 || setrlimit(RLIMIT_NOFILE, &files) != 0)
		return false;
	for (i = 0; i < count; i++) {
		fd[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fd[i] >= 0);
	}
	return true;
}

static void
test_metrics_are_served_beside_a_thousand_connections(void **state)
{
	static const char request[] =
		"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(METRICS_PORT)};
	const struct bench_metrics_figures figures = {.total = {.requests = 12}};
	struct bench_metrics *m = NULL;
	int fd[FD_SETSIZE], client, i;
	char answer[8192] = "";
	size_t len = 0;
	ssize_t n = -1;

	(void)state;
	assert_int_equal(bench_metrics_open(METRICS_PLACE, &m), 0);
	bench_metrics_update(m, &figures);
	if (!use_up_files(fd, FD_SETSIZE)) {
		bench_metrics_close(m);
		skip();
	}
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client >= FD_SETSIZE);
	assert_int_equal(connect(client, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(client, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	for (i = 0; i < 100 && n != 0; i++) {
		bench_metrics_serve(m, 20);
		n = recv(client, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	}
	answer[len] = '\0';
	assert_non_null(strstr(answer, "200 OK"));
	assert_non_null(strstr(answer, "dpfetch_requests_total 12\n"));
	close(client);
	for (i = 0; i < FD_SETSIZE; i++)
		close(fd[i]);
	bench_metrics_close(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_conditions_are_judged_by_the_figures),
		cmocka_unit_test(test_limit_of_a_latency_without_responses_fails),
		cmocka_unit_test(test_limit_what_is_no_condition_is_refused),
		cmocka_unit_test(test_figures_without_a_measured_time_are_zero),
		cmocka_unit_test(test_report_text_has_the_lines_that_wrk_users_look_for),
		cmocka_unit_test(test_report_text_over_the_kernels_stack_warns_of_a_busy_generator),
		cmocka_unit_test(test_report_json_and_csv_hold_what_was_counted),
		cmocka_unit_test(test_report_json_says_what_was_run_and_where),
		cmocka_unit_test(test_report_json_fields_are_all_documented),
		cmocka_unit_test(test_prepare_url_file_gives_urls_and_weights),
		cmocka_unit_test(test_prepare_reports_that_cannot_be_written_are_refused),
		cmocka_unit_test(test_prepare_bad_url_file_is_refused),
		cmocka_unit_test(test_headers_range_is_checked_and_sent),
		cmocka_unit_test(test_metrics_page_is_what_prometheus_reads),
		cmocka_unit_test(test_metrics_bad_places_to_listen_are_refused),
		cmocka_unit_test(test_metrics_are_served_beside_a_thousand_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
