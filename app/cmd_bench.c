/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "bench.h"
#include "bench_metrics.h"
#include "bench_report.h"
#include "bench_stream.h"
#include "bench_telemetry.h"
#include "cmd_bench.h"
#include "exit_code.h"
#include "host_run.h"
#include "host_trouble.h"
#include "lease.h"
#include "lookup.h"
#include "port_telemetry.h"
#include "report_json.h"

#define CHECK_NS NS_PER_MS
#define DURATION_DEFAULT_NS (10 * NS_PER_SEC)

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

static uint64_t
or_never(uint64_t limit_ns)
{
	return limit_ns > 0 ? limit_ns : TIME_NEVER;
}

/* Measured time: as given; without it 10 s, or, with a number of requests, until they are done. */
static uint64_t
duration_of(const struct settings *s)
{
	if (s->duration_ns > 0)
		return s->duration_ns;
	return s->requests > 0 ? TIME_NEVER : DURATION_DEFAULT_NS;
}

static void
fill_load_config(struct bench *b, struct load_config *cfg)
{
	const struct settings *s = b->settings;
	struct host *h = &b->get.host;

	load_config_defaults(cfg);
	cfg->transport = host_transport(h);
	cfg->connections = (uint32_t)s->connections;
	cfg->pipeline = (uint32_t)s->pipeline;
	cfg->requests_per_connection = s->cps ? 1 : 0;
	cfg->rate = s->rate;
	cfg->ramp_ns = s->ramp_ns;
	cfg->warmup_ns = s->warmup_ns;
	cfg->duration_ns = duration_of(s);
	cfg->requests_max = s->requests;
	cfg->connect_timeout_ns = or_never(s->connect_timeout_ns);
	if (s->max_time_ns > 0)
		cfg->request_timeout_ns = s->max_time_ns;
	cfg->silence_ns = MAX_OF(cfg->silence_ns, cfg->request_timeout_ns);
	if (s->interval_ns > 0)
		cfg->interval_ns = s->interval_ns;
	cfg->seed = host_clock_ns(h);
}

static int
create_load(struct bench *b)
{
	struct load_target *target = calloc(b->urls, sizeof(*target));
	uint32_t i;

	fill_load_config(b, &b->load_config);
	for (i = 0; target != NULL && i < b->urls; i++)
		target[i] = (struct load_target){
			.remote = b->get.target[i].remote,
			.remote_port = b->get.target[i].url.port,
			.request = b->url[i].request,
			.request_len = b->url[i].request_len,
			.weight = b->url[i].weight,
		};
	b->load_config.target = target;
	b->load_config.targets = b->urls;
	b->load = target != NULL ? load_create(&b->load_config) : NULL;
	free(target);
	b->load_config.target = NULL; /* it was copied */
	if (b->load != NULL)
		return 0;
	message_error(&b->get.host.level, EXIT_CODE_OUT_OF_MEMORY,
		"no memory for %u connections of %llu bytes each beside the stack's; try fewer",
		b->load_config.connections,
		(unsigned long long)load_bytes_per_connection(&b->load_config));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static void
check_troubles(struct bench *b, uint64_t now_ns)
{
	static const int codes[] = {
		[HOST_TROUBLE_SIGNAL] = 0, /* the signal says it */
		[HOST_TROUBLE_LEASE] = EXIT_CODE_INTERFACE_FAILED,
		[HOST_TROUBLE_CONFLICT] = EXIT_CODE_ADDRESS,
		[HOST_TROUBLE_GONE] = FETCH_RECV_ERROR,
		[HOST_TROUBLE_LINK] = FETCH_RECV_ERROR,
	};
	char text[sizeof(b->trouble)];
	enum host_trouble trouble = host_trouble_check(&b->get.host, now_ns, text, sizeof(text));

	if (b->trouble[0] != '\0') {
		if (monitor_signals(b->get.host.monitor) > 1) /* nobody waits for the drain */
			load_stop(b->load, now_ns);
		return;
	}
	if (trouble == HOST_TROUBLE_NONE)
		return;
	memcpy(b->trouble, text, sizeof(text));
	b->exit_code = codes[trouble];
	load_stop(b->load, now_ns);
}

static uint64_t
load_deadline_host(void *ctx)
{
	const struct bench *b = ctx;

	return load_deadline(b->load);
}

static bool
load_poll_host(void *ctx, uint64_t now_ns)
{
	struct bench *b = ctx;

	if (now_ns >= b->check_ns) {
		b->check_ns = now_ns + CHECK_NS;
		check_troubles(b, now_ns);
		bench_telemetry_publish(
			b->telemetry, &b->get.host.counters, &b->get.host.worker.usage);
	}
	return load_poll(b->load, now_ns);
}

static void
describe(const struct bench *b, struct bench_report *r)
{
	const struct host *h = &b->get.host;

	*r = (struct bench_report){
		.settings = b->settings,
		.url = b->url[0].text,
		.urls = b->urls,
		.workers = 1,
		.duration_ns = duration_of(b->settings),
		.intervals_max = b->load_config.intervals_max,
		.core = h->core,
		.cycles_hz = h->kernel == NULL ? port_cycles_hz() : 1,
		.load_bytes_per_connection = load_bytes_per_connection(&b->load_config),
		.stack_bytes_per_connection = h->bytes_per_connection,
	};
	host_port_info(h, &r->port);
}

/* What had been counted before the load. */
struct baseline {
	struct port_stats nic;
	struct host_cpu_time cpu;
	struct machine_sample machine;
};

/* What the host has counted so far is not the load's. */
static void
begin_counting(struct host *h, struct port_stats *ret_nic)
{
	h->counters = (struct counters){0};
	h->worker.usage = (struct worker_usage){0};
	histogram_reset(&h->ack_delay);
	*ret_nic = (struct port_stats){0};
	if (h->port != NULL)
		port_stats(h->port, ret_nic);
}

static void
collect(const struct bench *b, const struct baseline *before, struct bench_report *r)
{
	const struct host *h = &b->get.host;
	struct host_cpu_time cpu = host_cpu_time();

	r->start_ns = b->load_start_ns;
	r->machine = &b->machine;
	r->stats = load_stats(b->load);
	r->interval = load_intervals(b->load, &r->intervals);
	r->counters = h->counters;
	r->usage = h->worker.usage;
	r->ack_delay = h->ack_delay;
	r->wall_ns = host_clock_ns(h) - b->load_start_ns;
	r->cpu_user_ns = cpu.user_ns - before->cpu.user_ns;
	r->cpu_system_ns = cpu.system_ns - before->cpu.system_ns;
	if (h->port != NULL) {
		port_stats(h->port, &r->nic);
		port_stats_subtract(&r->nic, &before->nic);
	}
	r->signo = monitor_signal(h->monitor);
}

static int
unwritten(const struct bench *b, const char *option, const char *path, int rc)
{
	if (rc == 0)
		return 0;
	message_error(&b->get.host.level, EXIT_CODE_REPORT, "--%s: cannot write '%.200s': %s",
		option, path, strerror(-rc));
	return EXIT_CODE_REPORT;
}

static int
write_files(const struct bench *b, const struct bench_report *r)
{
	const struct settings *s = b->settings;
	int code = 0, rc;

	if (s->stats != NULL) {
		rc = bench_report_json_write(r, b->get.host.port, s->stats);
		code = unwritten(b, "stats", s->stats, rc);
	}
	if (s->csv != NULL) {
		rc = unwritten(b, "csv", s->csv, bench_report_csv_write(r, s->csv));
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
		message_error(&b->get.host.level, code, "--fail-if %s: it is %s",
			b->settings->fail_if.item[i],
			bench_limit_format(&b->limit[i], bench_limit_figure(&b->limit[i], stats),
				text, sizeof(text)));
	}
	return code;
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
	if (load_unreachable(b->load, &error)) {
		code = error == -ETIMEDOUT ? (int)FETCH_OPERATION_TIMEDOUT
					   : EXIT_CODE_COULDNT_CONNECT;
		message_error(level, code, "Failed to connect to %s: %s", b->url[0].text,
			strerror(-error));
		return code;
	}
	if (load_silent(b->load)) {
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
	if (code == 0 && stats->counts.responses == 0) {
		code = FETCH_GOT_NOTHING;
		message_error(level, code, "not one response came in the measured time");
	}
	return code;
}

static void
sample_machine(const struct bench *b, struct machine_sample *ret)
{
	host_sample_machine(&b->get.host, ret);
}

/* Says how to read it. The socket is there before; our commands are while the load runs. */
static void
announce_telemetry(const struct bench *b)
{
	const struct message_level *level = &b->get.host.level;
	char path[PORT_TELEMETRY_PATH_MAX];

	if (port_telemetry_socket(path, sizeof(path)) && b->settings->telemetry)
		message_note(level, "telemetry: %s", path);
	else if (b->settings->telemetry)
		message_warning(level,
			"--telemetry: DPDK made no socket; -v shows why, if it is not "
			"--no-telemetry among the EAL options");
}

/* With --telemetry, or where the user's own EAL options may have turned it on. */
static int
open_telemetry(struct bench *b, const struct port_info *port)
{
	struct bench_telemetry_config cfg = {
		.load = b->load,
		.start_ns = b->load_start_ns,
		.url = b->get.target[0].url.canonical,
		.urls = b->urls,
		.core = b->get.host.core,
		.port = *port,
	};
	int rc;

	if (b->get.host.kernel != NULL ||
		(!b->settings->telemetry && b->settings->eal_args_count == 0))
		return 0;
	announce_telemetry(b);
	rc = bench_telemetry_open(&cfg, &b->telemetry);
	if (rc == 0)
		return 0;
	message_error(&b->get.host.level, EXIT_CODE_OUT_OF_MEMORY,
		"--telemetry: the commands could not be registered: %s", strerror(-rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static int
run_load(struct bench *b, struct bench_stream *stream, struct bench_report *r)
{
	struct host *h = &b->get.host;
	struct baseline before;
	int rc;

	begin_counting(h, &before.nic);
	before.cpu = host_cpu_time();
	sample_machine(b, &before.machine);
	b->load_start_ns = host_clock_ns(h);
	rc = open_telemetry(b, &r->port);
	if (rc != 0)
		return rc;
	load_start(b->load, b->load_start_ns);
	rc = bench_stream_run(stream, b->load, b->load_start_ns);
	if (rc != 0) {
		message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
			"the report thread could not be started: %s", strerror(-rc));
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	host_run(h, load_poll_host, load_deadline_host, b);
	sample_machine(b, &b->machine);
	machine_sample_subtract(&b->machine, &before.machine);
	collect(b, &before, r);
	return 0;
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
		.avoid_cpu = b->get.host.core,
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
		return unwritten(b, "stats-stream", s->stats_stream, rc);
	}
	code = run_load(b, stream, &r);
	rc = bench_stream_close(stream, code == 0 ? bench_report_end_json(&r) : NULL);
	bench_metrics_close(cfg.metrics);
	if (code != 0)
		return code;
	code = unwritten(b, "stats-stream", s->stats_stream, rc);
	if (text != NULL)
		bench_report_text(&r, text);
	rc = write_files(b, &r);
	code = code != 0 ? code : rc;
	report_link_hints(&b->get.host.level, &r.counters, s->nic);
	rc = judge(b, r.stats);
	return rc != 0 ? rc : code;
}

static int
bench(struct bench *b)
{
	int code = find_ways(b);

	if (code == 0)
		code = create_load(b);
	if (code == 0)
		code = measure(b);
	bench_telemetry_close(b->telemetry);
	b->telemetry = NULL;
	load_destroy(b->load);
	b->load = NULL;
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
		rc = host_stop(&b.get.host);
		code = code != 0 ? code : rc;
	}
	*ret_signal = b.get.host.signo;
	bench_cleanup(&b);
	return code;
}
