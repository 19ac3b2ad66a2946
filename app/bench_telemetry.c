/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_snapshot.h"
#include "base_time.h"
#include "bench_figures.h"
#include "bench_telemetry.h"
#include "port_telemetry.h"

#define NAME_MAX_BYTES 32U
#define DPDK_ENTRIES_MAX 256 /* values that DPDK takes in one answer */

/* What the poll core publishes. */
struct published {
	struct counters counters;
	struct worker_usage usage;
};

struct bench_telemetry {
	struct bench_telemetry_config cfg;
	char *url; /* cfg.url */
	struct snapshot **snapshot; /* of each worker a struct published */
};

/* -- /dpfetch/bench -- */

static void
add_total(struct port_telemetry_answer *a, const struct load_counts *c)
{
	char name[NAME_MAX_BYTES];
	int i;

	port_telemetry_add_number(a, "planned", c->planned);
	port_telemetry_add_number(a, "requests", c->requests);
	port_telemetry_add_number(a, "responses", c->responses);
	for (i = 1; i < 10; i++) {
		if (i > 5 && c->status[i] == 0)
			continue;
		snprintf(name, sizeof(name), "status_%dxx", i);
		port_telemetry_add_number(a, name, c->status[i]);
	}
	for (i = 0; i < LOAD_ERROR_COUNT; i++) {
		snprintf(name, sizeof(name), "errors_%s", load_error_name((enum load_error)i));
		port_telemetry_add_number(a, name, c->errors[i]);
	}
	port_telemetry_add_number(a, "body_bytes", c->body_bytes);
	port_telemetry_add_number(a, "connections", c->connected);
}

static uint64_t
whole_us(uint64_t ns)
{
	return (ns + NS_PER_US / 2) / NS_PER_US;
}

static void
add_last(struct port_telemetry_answer *a, const struct load_interval *i)
{
	port_telemetry_add_number(a, "interval_us", whole_us(i->end_ns - i->start_ns));
	port_telemetry_add_number(a, "interval_requests", i->counts.requests);
	port_telemetry_add_number(a, "interval_responses", i->counts.responses);
	port_telemetry_add_number(a, "interval_errors", bench_figures_errors(&i->counts));
	port_telemetry_add_number(a, "interval_body_bytes", i->counts.body_bytes);
	port_telemetry_add_number(a, "interval_connections", i->counts.connected);
	port_telemetry_add_number(a, "open", i->open);
	port_telemetry_add_number(a, "backlog", i->backlog);
	port_telemetry_add_number(a, "latency_p50_us", whole_us(i->latency_p50_ns));
	port_telemetry_add_number(a, "latency_p90_us", whole_us(i->latency_p90_ns));
	port_telemetry_add_number(a, "latency_p99_us", whole_us(i->latency_p99_ns));
	port_telemetry_add_number(a, "latency_max_us", whole_us(i->latency_max_ns));
}

static void
answer_bench(void *ctx, struct port_telemetry_answer *ret)
{
	const struct bench_telemetry *t = ctx;
	struct bench_series_live live = {0};
	bool any = bench_series_live(t->cfg.series, &live);

	port_telemetry_add_number(
		ret, "elapsed_us", any ? whole_us(live.last.end_ns - t->cfg.start_ns) : 0);
	add_total(ret, &live.total);
	add_last(ret, &live.last);
}

/* -- The others. -- */

/* What the workers have published, together. false: none has so far. */
static bool
read_published(const struct bench_telemetry *t, struct published *ret)
{
	struct published one;
	bool any = false;
	uint32_t i;

	*ret = (struct published){0};
	for (i = 0; i < t->cfg.workers; i++) {
		if (!snapshot_read(t->snapshot[i], &one))
			continue;
		any = true;
		counters_add(&ret->counters, &one.counters);
		worker_usage_add(&ret->usage, &one.usage);
	}
	return any;
}

static void
answer_counters(void *ctx, struct port_telemetry_answer *ret)
{
	const struct bench_telemetry *t = ctx;
	struct published p;
	int i;

	_Static_assert((int)COUNTER_COUNT <= DPDK_ENTRIES_MAX, "DPDK would leave some out");
	if (!read_published(t, &p))
		return;
	for (i = 0; i < (int)COUNTER_COUNT; i++)
		port_telemetry_add_number(
			ret, counter_name((enum counter_id)i), p.counters.value[i]);
}

static void
answer_core(void *ctx, struct port_telemetry_answer *ret)
{
	const struct bench_telemetry *t = ctx;
	struct published p;

	if (!read_published(t, &p))
		return;
	port_telemetry_add_number(ret, "workers", t->cfg.workers);
	port_telemetry_add_number(ret, "cpu", (uint64_t)t->cfg.core);
	port_telemetry_add_number(ret, "iterations", p.usage.iterations);
	port_telemetry_add_number(ret, "iterations_busy", p.usage.iterations_busy);
	port_telemetry_add_number(ret, "cycles", p.usage.cycles);
	port_telemetry_add_number(ret, "cycles_busy", p.usage.cycles_busy);
	port_telemetry_add_number(ret, "iteration_cycles_max", p.usage.iteration_cycles_max);
	port_telemetry_add_number(ret, "cycles_hz", port_cycles_hz());
}

static void
answer_info(void *ctx, struct port_telemetry_answer *ret)
{
	const struct bench_telemetry *t = ctx;

	port_telemetry_add_text(ret, "version", DPFETCH_VERSION);
	port_telemetry_add_text(ret, "command", "bench");
	port_telemetry_add_text(ret, "nic", t->cfg.port.name);
	port_telemetry_add_text(ret, "driver", t->cfg.port.driver);
	port_telemetry_add_text(ret, "url", t->url);
	port_telemetry_add_number(ret, "urls", t->cfg.urls);
}

static const struct port_telemetry_endpoint endpoints[] = {
	{"/dpfetch/bench", "The load so far, and its last interval. Takes no parameters",
		answer_bench},
	{"/dpfetch/core", "How busy the polling CPUs are, together. Takes no parameters",
		answer_core},
	{"/dpfetch/counters", "All counters of the stack. Takes no parameters", answer_counters},
	{"/dpfetch/info", "What is measured, and from where. Takes no parameters", answer_info},
};

static bool
create_snapshots(struct bench_telemetry *t)
{
	uint32_t i;

	t->snapshot = calloc(t->cfg.workers, sizeof(struct snapshot *));
	if (t->snapshot == NULL)
		return false;
	for (i = 0; i < t->cfg.workers; i++) {
		t->snapshot[i] = snapshot_create(sizeof(struct published));
		if (t->snapshot[i] == NULL)
			return false;
	}
	return true;
}

int
bench_telemetry_open(const struct bench_telemetry_config *cfg, struct bench_telemetry **ret)
{
	struct bench_telemetry *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	if (t == NULL)
		return rc;
	t->cfg = *cfg;
	t->url = strdup(cfg->url);
	if (t->url != NULL && create_snapshots(t))
		rc = port_telemetry_open(endpoints, sizeof(endpoints) / sizeof(endpoints[0]), t);
	if (rc == 0)
		*ret = t;
	else
		bench_telemetry_close(t);
	return rc;
}

void
bench_telemetry_publish(struct bench_telemetry *t, uint32_t worker, const struct counters *counters,
	const struct worker_usage *usage)
{
	struct published p;

	if (t == NULL)
		return;
	p.counters = *counters;
	p.usage = *usage;
	snapshot_publish(t->snapshot[worker], &p);
}

void
bench_telemetry_close(struct bench_telemetry *t)
{
	uint32_t i;

	if (t == NULL)
		return;
	port_telemetry_close();
	for (i = 0; t->snapshot != NULL && i < t->cfg.workers; i++)
		snapshot_destroy(t->snapshot[i]);
	free(t->snapshot);
	free(t->url);
	free(t);
}
