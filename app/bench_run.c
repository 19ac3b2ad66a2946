/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "bench.h"
#include "bench_report.h"
#include "bench_series.h"
#include "bench_stream.h"
#include "bench_telemetry.h"
#include "crew.h"
#include "exit_code.h"
#include "host_run.h"
#include "host_trouble.h"
#include "port_telemetry.h"
#include "self_test.h"

#define CHECK_NS NS_PER_MS
#define DURATION_DEFAULT_NS (10 * NS_PER_SEC)
#define LINE 64U

/* ---- the loads ---- */

static uint64_t
or_never(uint64_t limit_ns)
{
	return limit_ns > 0 ? limit_ns : TIME_NEVER;
}

/* As given; without it 10 s, or, with a number of requests, until they are done. */
uint64_t
bench_run_duration(const struct settings *s)
{
	if (s->duration_ns > 0)
		return s->duration_ns;
	return s->requests > 0 ? TIME_NEVER : DURATION_DEFAULT_NS;
}

/* This worker's part of a whole number: all parts come to it. */
static uint64_t
share_of(uint64_t whole, uint32_t worker, uint32_t workers)
{
	return whole / workers + (worker < whole % workers);
}

static void
fill_load_config(const struct bench *b, uint32_t number, struct load_config *cfg)
{
	const struct settings *s = b->settings;
	struct host *h = b->worker[number].host;

	load_config_defaults(cfg);
	cfg->transport = host_transport(h);
	cfg->connections = (uint32_t)share_of(s->connections, number, b->workers);
	cfg->pipeline = (uint32_t)s->pipeline;
	cfg->requests_per_connection = s->cps ? 1 : 0;
	cfg->rate = s->rate;
	cfg->keeps_trying = b->workers > 1; /* see tell_unreachable */
	cfg->share = number;
	cfg->shares = b->workers;
	cfg->ramp_ns = s->ramp_ns;
	cfg->warmup_ns = s->warmup_ns;
	cfg->duration_ns = bench_run_duration(s);
	cfg->requests_max = share_of(s->requests, number, b->workers);
	cfg->connect_timeout_ns = or_never(s->connect_timeout_ns);
	if (s->max_time_ns > 0)
		cfg->request_timeout_ns = s->max_time_ns;
	cfg->silence_ns = MAX_OF(cfg->silence_ns, cfg->request_timeout_ns);
	if (s->interval_ns > 0)
		cfg->interval_ns = s->interval_ns;
	if (b->workers > 1)
		cfg->interval_histograms = BENCH_SERIES_HISTOGRAMS;
	cfg->seed = host_clock_ns(h) + number * UINT64_C(0x9e3779b97f4a7c15);
}

static int
create_load(struct bench *b, uint32_t number, const struct load_target *target)
{
	struct load_config cfg;

	fill_load_config(b, number, &cfg);
	cfg.target = target;
	cfg.targets = b->urls;
	b->worker[number].load = load_create(&cfg);
	cfg.target = NULL; /* it was copied */
	if (number == 0)
		b->load_config = cfg;
	return b->worker[number].load != NULL ? 0 : EXIT_CODE_OUT_OF_MEMORY;
}

/* A connection stays with its server: few of them are a mix that nobody asked for. With one request each they
 * take turns. */
static void
warn_of_mix(const struct bench *b, const struct load_target *target)
{
	const struct settings *s = b->settings;
	char remedy[64] = "the weights are too far apart for one run";
	struct load_unevenness u;

	if (s->cps || !load_is_uneven(target, b->urls, (uint32_t)s->connections, b->workers, &u))
		return;
	if (u.wanted <= LOAD_CONNECTIONS_MAX)
		snprintf(remedy, sizeof(remedy), "-c %llu would do", (unsigned long long)u.wanted);
	message_warning(&b->get.host.level,
		"the requests will not follow the weights: each connection stays with one server, "
		"and of %llu connections the server of %.200s gets %u instead of %.4g; %s",
		(unsigned long long)s->connections, b->get.target[u.target].url.canonical,
		u.connections, u.share, remedy);
}

static int
create_loads(struct bench *b)
{
	struct load_target *target = calloc(b->urls, sizeof(*target));
	int code = target != NULL ? 0 : EXIT_CODE_OUT_OF_MEMORY;
	uint32_t i;

	for (i = 0; target != NULL && i < b->urls; i++)
		target[i] = (struct load_target){
			.remote = b->get.target[i].remote,
			.remote_port = b->get.target[i].url.port,
			.request = b->url[i].request,
			.request_len = b->url[i].request_len,
			.weight = b->url[i].weight,
		};
	if (target != NULL)
		warn_of_mix(b, target);
	for (i = 0; code == 0 && i < b->workers; i++)
		code = create_load(b, i, target);
	free(target);
	return code;
}

static struct bench_series *
create_series(const struct bench *b)
{
	struct load *load[SETTINGS_QUEUES_MAX];
	uint32_t i;

	for (i = 0; i < b->workers; i++)
		load[i] = b->worker[i].load;
	return bench_series_create(load, b->workers, b->load_config.intervals_max);
}

static int
create_workers(struct bench *b)
{
	uint32_t i;

	b->workers = b->get.host.queues;
	b->worker = aligned_alloc(LINE, b->workers * sizeof(*b->worker));
	b->figures = calloc(b->workers, sizeof(*b->figures));
	b->stats = calloc(1, sizeof(*b->stats));
	if (b->worker == NULL || b->figures == NULL || b->stats == NULL)
		return EXIT_CODE_OUT_OF_MEMORY;
	memset(b->worker, 0, b->workers * sizeof(*b->worker));
	for (i = 0; i < b->workers; i++) {
		b->worker[i].bench = b;
		b->worker[i].host = crew_worker(&b->get.host, i);
	}
	return 0;
}

static void
test_steering(struct bench *b)
{
	enum self_test_result result[SETTINGS_QUEUES_MAX];
	const struct target *t = &b->get.target[0];
	uint32_t i;

	if (b->workers == 1 || b->get.host.kernel != NULL)
		return;
	self_test_run(&b->get.host, &t->remote, t->url.port, result);
	self_test_tell(&b->get.host, result);
	for (i = 0; i < b->workers; i++)
		b->figures[i].self_test = result[i];
}

int
bench_run_create(struct bench *b)
{
	int code = create_workers(b);

	if (code == 0)
		code = create_loads(b);
	if (code == 0)
		b->series = create_series(b);
	if (code == 0 && b->series != NULL) {
		test_steering(b);
		return 0;
	}
	message_error(&b->get.host.level, EXIT_CODE_OUT_OF_MEMORY,
		"no memory for %llu connections of %llu bytes each beside the stack's; try fewer",
		(unsigned long long)b->settings->connections,
		(unsigned long long)load_bytes_per_connection(&b->load_config));
	return EXIT_CODE_OUT_OF_MEMORY;
}

void
bench_run_destroy(struct bench *b)
{
	uint32_t i;

	bench_telemetry_close(b->telemetry);
	b->telemetry = NULL;
	bench_series_destroy(b->series);
	for (i = 0; b->worker != NULL && i < b->workers; i++)
		load_destroy(b->worker[i].load);
	free(b->worker);
	free(b->figures);
	free(b->stats);
	b->series = NULL;
	b->worker = NULL;
	b->figures = NULL;
	b->stats = NULL;
}

/* ---- a worker's thread ---- */

/* Tells all loads to stop, once more. */
static void
stop_loads(struct bench *b)
{
	atomic_fetch_add_explicit(&b->stops, 1, memory_order_relaxed);
}

/* The first worker looks for all. */
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
			stop_loads(b);
		return;
	}
	if (trouble == HOST_TROUBLE_NONE)
		return;
	memcpy(b->trouble, text, sizeof(text));
	b->exit_code = codes[trouble];
	stop_loads(b);
}

/* One that has few connections may be unlucky with all of them; the server cannot be reached when that is so of
 * all workers. */
static void
tell_unreachable(struct bench_worker *w)
{
	struct bench *b = w->bench;
	int error;

	if (b->workers == 1 || w->over || w->unreachable == load_unreachable(w->load, &error))
		return;
	w->unreachable = !w->unreachable;
	if (!w->unreachable)
		atomic_fetch_sub_explicit(&b->unreachable, 1, memory_order_relaxed);
	else if (atomic_fetch_add_explicit(&b->unreachable, 1, memory_order_relaxed) ==
		 b->workers - 1)
		stop_loads(b);
}

/* Does as the first worker has told. */
static void
follow(struct bench_worker *w, uint64_t now_ns)
{
	uint32_t stops = atomic_load_explicit(&w->bench->stops, memory_order_relaxed);

	for (; w->stops != stops; w->stops++) {
		if (!w->over)
			load_stop(w->load, now_ns);
	}
}

static void
check(struct bench_worker *w, uint64_t now_ns)
{
	struct bench *b = w->bench;

	w->check_ns = now_ns + CHECK_NS;
	if (w->host->queue == 0)
		check_troubles(b, now_ns);
	tell_unreachable(w);
	follow(w, now_ns);
	bench_telemetry_publish(
		b->telemetry, w->host->queue, &w->host->counters, &w->host->worker.usage);
}

/* What the core does from now on is not this load's. What it counts is: others' segments, as long as they need it. */
static void
end_load(struct bench_worker *w)
{
	w->over = true;
	w->usage = w->host->worker.usage;
	w->usage.cpu_ns = host_thread_cpu_ns() - w->start_cpu_ns;
	w->iteration = w->host->worker.iteration;
	bench_series_over(w->bench->series, w->host->queue);
	atomic_fetch_add_explicit(&w->bench->loads_over, 1, memory_order_release);
}

static uint64_t
load_deadline_host(void *ctx)
{
	const struct bench_worker *w = ctx;

	return load_deadline(w->load);
}

/* Until all are over: the first worker looks for troubles meanwhile. */
static bool
load_poll_host(void *ctx, uint64_t now_ns)
{
	struct bench_worker *w = ctx;

	if (now_ns >= w->check_ns)
		check(w, now_ns);
	if (!w->over && load_poll(w->load, now_ns))
		end_load(w);
	return w->over && atomic_load_explicit(&w->bench->loads_over, memory_order_acquire) ==
				  w->bench->workers;
}

/* What the host has counted so far is not the load's. */
static void
run_worker(struct host *h, void *ctx)
{
	struct bench *b = ctx;
	struct bench_worker *w = &b->worker[h->queue];

	h->counters = (struct counters){0};
	h->worker.usage = (struct worker_usage){0};
	histogram_reset(&h->ack_delay);
	histogram_reset(&h->worker.iteration);
	w->start_cpu_ns = host_thread_cpu_ns();
	load_start(w->load, b->load_start_ns);
	host_run(h, load_poll_host, load_deadline_host, w);
	w->counters = h->counters;
	w->ack_delay = h->ack_delay;
}

/* ---- all together ---- */

/* What had been counted before the load. */
struct baseline {
	struct port_stats nic;
	struct host_cpu_time cpu;
	struct machine_sample machine;
};

static void
sample_before(const struct bench *b, struct baseline *ret)
{
	const struct host *h = &b->get.host;

	ret->nic = (struct port_stats){0};
	if (h->port != NULL)
		port_stats(h->port, &ret->nic);
	ret->cpu = host_cpu_time();
	host_sample_machine(h, &ret->machine);
}

static void
collect_worker(struct bench *b, uint32_t number, struct bench_report *r)
{
	const struct bench_worker *w = &b->worker[number];
	struct bench_report_worker *f = &b->figures[number];

	counters_add(&r->counters, &w->counters);
	worker_usage_add(&r->usage, &w->usage);
	histogram_merge(&r->ack_delay, &w->ack_delay);
	histogram_merge(&r->iteration, &w->iteration);
	load_stats_merge(b->stats, load_stats(w->load));
	f->core = w->host->core;
	f->usage = w->usage;
	f->responses = load_stats(w->load)->counts.responses;
	f->wrong_queue = w->counters.value[COUNTER_WRONG_QUEUE];
	f->handed_over = w->counters.value[COUNTER_HANDED_OVER];
}

static void
reset_histograms(struct load_stats *s)
{
	histogram_reset(&s->latency);
	histogram_reset(&s->service);
	histogram_reset(&s->first_byte);
	histogram_reset(&s->connect);
}

static void
collect(struct bench *b, const struct baseline *before, struct bench_report *r)
{
	const struct host *h = &b->get.host;
	struct host_cpu_time cpu = host_cpu_time();
	uint32_t i;

	r->start_ns = b->load_start_ns;
	r->machine = &b->machine;
	r->stats = b->stats;
	r->worker = b->figures;
	r->wall_ns = host_clock_ns(h) - b->load_start_ns;
	r->cpu_user_ns = cpu.user_ns - before->cpu.user_ns;
	r->cpu_system_ns = cpu.system_ns - before->cpu.system_ns;
	if (h->port != NULL) {
		port_stats(h->port, &r->nic);
		port_stats_subtract(&r->nic, &before->nic);
	}
	r->signo = monitor_signal(h->monitor);
	histogram_reset(&r->ack_delay);
	histogram_reset(&r->iteration);
	reset_histograms(b->stats);
	for (i = 0; i < b->workers; i++)
		collect_worker(b, i, r);
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
		.series = b->series,
		.workers = b->workers,
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

int
bench_run(struct bench *b, struct bench_stream *stream, struct bench_report *r)
{
	struct host *h = &b->get.host;
	struct baseline before;
	int rc;

	sample_before(b, &before);
	b->load_start_ns = host_clock_ns(h);
	rc = open_telemetry(b, &r->port);
	if (rc != 0)
		return rc;
	rc = bench_stream_run(stream, b->series, b->load_start_ns);
	if (rc != 0) {
		message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
			"the report thread could not be started: %s", strerror(-rc));
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	crew_run(h, run_worker, b);
	host_sample_machine(h, &b->machine);
	machine_sample_subtract(&b->machine, &before.machine);
	collect(b, &before, r);
	bench_stream_stop(stream);
	r->interval = bench_series_kept(b->series, &r->intervals, &r->intervals_joined);
	r->intervals_lost = bench_series_has_lost(b->series);
	return 0;
}

bool
bench_run_unreachable(const struct bench *b, int *ret_error)
{
	uint32_t i;

	for (i = 0; i < b->workers; i++) {
		if (!load_unreachable(b->worker[i].load, ret_error))
			return false;
	}
	return true;
}

bool
bench_run_silent(const struct bench *b)
{
	uint32_t i;

	for (i = 0; i < b->workers; i++) {
		if (load_silent(b->worker[i].load))
			return true;
	}
	return false;
}
