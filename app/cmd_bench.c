/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_figures.h"
#include "bench_metrics.h"
#include "bench_report.h"
#include "bench_stream.h"
#include "cmd_bench.h"
#include "exit_code.h"
#include "host_run.h"
#include "lease.h"
#include "lookup.h"
#include "report_json.h"
#include "report_path.h"

/* Where people read: standard output, unless that is for programs. NULL: nowhere. */
static FILE *
text_file(const struct settings *s)
{
	const char *const machine[] = {s->stats, s->stats_stream, s->csv};
	size_t i;

	if (s->silent)
		return NULL;
	for (i = 0; i < sizeof(machine) / sizeof(machine[0]); i++) {
		if (machine[i] != NULL && strcmp(machine[i], "-") == 0)
			return stderr;
	}
	return stdout;
}

static bool
ready_poll(void *ctx, uint64_t now_ns)
{
	const struct bench *b = ctx;
	struct ip_address address;
	struct ether_addr mac;

	(void)now_ns;
	return netstack_ready(b->get.host.netstack) ||
	       netstack_address_conflict(b->get.host.netstack, &address, &mac) ||
	       monitor_signal(b->get.host.monitor) != 0;
}

/* An address of ours, theirs, and a way between them: for each URL. 0 or an exit code, said. */
static int
find_ways(struct bench *b)
{
	struct get *g = &b->get;
	char message[SETTINGS_MESSAGE_MAX] = "";
	uint32_t i;
	int code;

	if (g->host.kernel != NULL)
		return 0; /* names were looked up before; ways are the kernel's */
	code = lease_ensure(&g->host);
	if (code != 0)
		return code;
	worker_run(&g->host.worker, ready_poll, b);
	g->begun_ns = port_clock_ns();
	for (i = 0; code == 0 && i < g->count; i++) {
		if (g->target[i].remote.family == 0)
			code = lookup_target(g, &g->target[i], message);
		if (code == 0)
			code = get_check_route(g, &g->target[i].remote, message);
		if (code == 0)
			code = get_route(g, &g->target[i], message, sizeof(message));
	}
	lookup_end(g);
	if (code != 0)
		message_error(&g->host.level, code, "%s", message);
	return code;
}

static void
describe(const struct bench *b, struct bench_report *r)
{
	const struct host *h = &b->get.host;

	*r = (struct bench_report){
		.settings = b->settings,
		.url = b->get.target[0].url.canonical,
		.target = b->url,
		.urls = b->urls,
		.workers = h->queues,
		.steering = h->steering,
		.duration_ns = bench_run_duration(b->settings),
		.core = h->core,
		.cycles_hz = h->kernel == NULL ? port_cycles_hz() : 1,
		.load_bytes_per_connection = load_bytes_per_connection(&b->load_config),
		.stack_bytes_per_connection = h->bytes_per_connection,
	};
	host_port_info(h, &r->port);
}

static int
write_files(const struct bench *b, const struct bench_report *r)
{
	const struct settings *s = b->settings;
	int code = 0, rc;

	if (s->stats != NULL) {
		rc = bench_report_json_write(r, b->get.host.port, s->stats);
		code = report_path_tell(&b->get.host.level, "stats", s->stats, rc);
	}
	if (s->csv != NULL) {
		rc = report_path_tell(
			&b->get.host.level, "csv", s->csv, bench_report_csv_write(r, s->csv));
		code = code != 0 ? code : rc;
	}
	return code;
}

/* --fail-if, each in turn. */
static int
check_limits(const struct bench *b, const struct load_stats *stats)
{
	char text[64];
	uint32_t i;
	int code = 0;

	for (i = 0; i < b->settings->fail_if.count; i++) {
		if (!bench_limit_fails(&b->limit[i], stats))
			continue;
		code = EXIT_CODE_LIMIT;
		if (!bench_limit_is_known(&b->limit[i], stats))
			snprintf(text, sizeof(text), "unknown: no response was whole");
		else
			bench_limit_format(&b->limit[i], bench_limit_figure(&b->limit[i], stats),
				text, sizeof(text));
		message_error(&b->get.host.level, code, "--fail-if %s: it is %s",
			b->settings->fail_if.item[i], text);
	}
	return code;
}

/* No response was whole. What came of larger ones is a goodput all the same, unless each of them had failed
 * by the end. 0 or an exit code, said. */
static int
judge_without_responses(const struct message_level *level, const struct load_stats *stats)
{
	bool failed = bench_figures_errors(&stats->counts) > 0 && stats->unanswered == 0;

	if (stats->counts.body_bytes > 0 && !failed) {
		message_warning(level,
			"no response was whole in the measured time, so there is no latency; the "
			"goodput counts what came; use a longer -d or a smaller file");
		return 0;
	}
	message_error(level, FETCH_GOT_NOTHING, "not one response came in the measured time");
	return FETCH_GOT_NOTHING;
}

/* Did it end for a reason that is an error? 0, or an exit code, said. */
static int
judge(const struct bench *b, const struct load_stats *stats)
{
	const struct message_level *level = &b->get.host.level;
	int error = 0, code = b->exit_code;

	if (b->trouble[0] != '\0') {
		message_error(level, code != 0 ? code : EXIT_CODE_ABORTED, "%s", b->trouble);
		return code;
	}
	if (bench_run_unreachable(b, &error)) {
		code = error == -ETIMEDOUT ? (int)FETCH_OPERATION_TIMEDOUT
					   : EXIT_CODE_COULDNT_CONNECT;
		message_error(level, code, "Failed to connect to %s: %s",
			b->get.target[0].url.canonical, strerror(-error));
		return code;
	}
	if (bench_run_silent(b)) {
		code = FETCH_OPERATION_TIMEDOUT;
		message_error(level, code,
			"no response came for %.0f s: ended after %llu of %llu requests; is the "
			"server gone?",
			(double)b->load_config.silence_ns / 1e9,
			(unsigned long long)stats->counts.responses,
			(unsigned long long)b->settings->requests);
		return code;
	}
	code = check_limits(b, stats);
	if (code == 0 && stats->counts.responses == 0)
		code = judge_without_responses(level, stats);
	return code;
}

static int
open_metrics(const struct bench *b, struct bench_metrics **ret)
{
	const char *where = b->settings->metrics;
	int rc = where != NULL ? bench_metrics_open(where, ret) : 0;

	if (rc == 0)
		return 0;
	if (rc == -EINVAL) {
		message_error(&b->get.host.level, EXIT_CODE_USAGE,
			"--metrics: '%.100s' is not PORT or ADDRESS:PORT, such as 9100 or "
			"127.0.0.1:9100",
			where);
		return EXIT_CODE_USAGE;
	}
	message_error(&b->get.host.level, EXIT_CODE_REPORT,
		"--metrics: cannot listen at %.100s: %s; choose another port (ss -ltn shows those "
		"in "
		"use)",
		where, strerror(-rc));
	return EXIT_CODE_REPORT;
}

static int
measure(struct bench *b)
{
	const struct settings *s = b->settings;
	FILE *text = text_file(s);
	struct bench_stream_config cfg = {
		.path = s->stats_stream,
		.text = s->interval_ns > 0 ? text : NULL,
		.others = &b->get.host.others,
	};
	struct bench_stream *stream = NULL;
	struct bench_report r;
	int code, rc;

	describe(b, &r);
	rc = open_metrics(b, &cfg.metrics);
	if (rc != 0)
		return rc;
	if (text != NULL) {
		bench_report_heading(&r, text);
		fflush(text);
	}
	rc = bench_stream_open(&cfg, bench_report_start_json(&r), &stream);
	if (rc != 0) {
		bench_metrics_close(cfg.metrics);
		return report_path_tell(&b->get.host.level, "stats-stream", s->stats_stream, rc);
	}
	code = bench_run(b, stream, &r);
	rc = bench_stream_close(stream, code == 0 ? bench_report_end_json(&r) : NULL);
	bench_metrics_close(cfg.metrics);
	if (code != 0)
		return code;
	code = report_path_tell(&b->get.host.level, "stats-stream", s->stats_stream, rc);
	if (text != NULL)
		bench_report_text(&r, text);
	rc = write_files(b, &r);
	code = code != 0 ? code : rc;
	report_link_hints(&b->get.host.level, &r.counters, s);
	rc = judge(b, r.stats);
	return rc != 0 ? rc : code;
}

static int
bench(struct bench *b)
{
	int code = find_ways(b);

	if (code == 0)
		code = bench_run_create(b);
	if (code == 0)
		code = measure(b);
	bench_run_destroy(b);
	return code;
}

int
cmd_bench(const struct settings *s, int *ret_signal)
{
	struct bench b = {.settings = s, .get = {.settings = s}};
	int code, rc;

	*ret_signal = 0;
	b.get.host.level = message_level_of(s);
	code = bench_prepare(&b);
	if (code == 0 && s->check) {
		message_note(&b.get.host.level, "settings, URLs, core and address are in order");
		bench_cleanup(&b);
		return 0;
	}
	if (code == 0) {
		monitor_block_signals(); /* until here Ctrl-C just ends us */
		code = host_start(&b.get.host, false);
	}
	if (code == 0) {
		code = bench(&b);
		b.get.host.failed = code != 0;
		rc = host_stop(&b.get.host);
		code = code != 0 ? code : rc;
	}
	*ret_signal = b.get.host.signo;
	bench_cleanup(&b);
	return code;
}
