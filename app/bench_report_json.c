/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "base_time.h"
#include "bench.h"
#include "bench_figures.h"
#include "bench_report.h"
#include "report_json.h"

static json_t *
whole(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void
set_whole(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, whole(value));
}

static json_t *
counts_json(const struct load_counts *c)
{
	json_t *object = json_object(), *status = json_object(), *errors = json_object();
	char key[8];
	int i;

	set_whole(object, "planned", c->planned);
	set_whole(object, "requests", c->requests);
	set_whole(object, "responses", c->responses);
	for (i = 1; i < 10; i++) {
		if (i > 5 && c->status[i] == 0)
			continue;
		snprintf(key, sizeof(key), "%dxx", i);
		set_whole(status, key, c->status[i]);
	}
	json_object_set_new(object, "status", status);
	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		set_whole(errors, load_error_name((enum load_error)i), c->errors[i]);
	json_object_set_new(object, "errors", errors);
	set_whole(object, "request_bytes", c->request_bytes);
	set_whole(object, "header_bytes", c->header_bytes);
	set_whole(object, "body_bytes", c->body_bytes);
	set_whole(object, "connects", c->connects);
	set_whole(object, "connected", c->connected);
	set_whole(object, "disconnects", c->disconnects);
	set_whole(object, "unasked", c->unasked);
	return object;
}

/* Percentiles, and every bucket (its upper edge and its count), so that others can draw it. */
static json_t *
latency_json(const struct histogram *h)
{
	static const double percents[] = {50, 75, 90, 95, 99, 99.9, 99.99};
	json_t *object = json_object(), *buckets = json_array();
	uint64_t value, count;
	uint32_t cursor = 0;
	char key[32];
	size_t i;

	set_whole(object, "count", h->count);
	json_object_set_new(object, "mean_us", json_real(histogram_mean(h) / 1e3));
	json_object_set_new(object, "stdev_us", json_real(histogram_stddev(h) / 1e3));
	json_object_set_new(object, "min_us", json_real(h->count > 0 ? (double)h->min / 1e3 : 0.0));
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		snprintf(key, sizeof(key), "p%g_us", percents[i]);
		json_object_set_new(
			object, key, json_real((double)histogram_percentile(h, percents[i]) / 1e3));
	}
	json_object_set_new(object, "max_us", json_real((double)h->max / 1e3));
	while (histogram_next(h, &cursor, &value, &count))
		json_array_append_new(
			buckets, json_pack("[f, I]", (double)value / 1e3, (json_int_t)count));
	json_object_set_new(object, "buckets_us", buckets);
	return object;
}

static double
since(uint64_t start_ns, uint64_t at_ns)
{
	return at_ns > start_ns ? (double)(at_ns - start_ns) / 1e9 : 0.0;
}

json_t *
bench_report_interval_json(const struct load_interval *i, uint64_t start_ns)
{
	json_t *object = json_pack("{s:f, s:f, s:b, s:i, s:I, s:f, s:f, s:f, s:f}", "start_s",
		since(start_ns, i->start_ns), "end_s", since(start_ns, i->end_ns), "measured",
		(int)i->measured, "open", (int)i->open, "backlog", (json_int_t)i->backlog, "p50_us",
		(double)i->latency_p50_ns / 1e3, "p90_us", (double)i->latency_p90_ns / 1e3,
		"p99_us", (double)i->latency_p99_ns / 1e3, "max_us",
		(double)i->latency_max_ns / 1e3);

	json_object_set_new(object, "counts", counts_json(&i->counts));
	return object;
}

/* Each with its weight. */
static json_t *
urls_json(const struct bench_report *r)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < r->urls; i++)
		json_array_append_new(
			array, json_pack("{s:o, s:I}", "url", report_json_url(r->target[i].text),
				       "weight", (json_int_t)r->target[i].weight));
	return array;
}

/* What the options ask for. */
static json_t *
load_json(const struct bench_report *r)
{
	const struct settings *s = r->settings;
	json_t *load = json_object();

	json_object_set_new(
		load, "stack", json_string(s->stack == SETTINGS_STACK_KERNEL ? "kernel" : "dpdk"));
	json_object_set_new(load, "loop", json_string(s->rate > 0 ? "open" : "closed"));
	set_whole(load, "workers", r->workers);
	set_whole(load, "connections", s->connections);
	set_whole(load, "pipeline", s->pipeline);
	json_object_set_new(load, "rate", json_real(s->rate));
	json_object_set_new(load, "one_request_a_connection", json_boolean(s->cps));
	json_object_set_new(load, "ramp_s", json_real((double)s->ramp_ns / 1e9));
	json_object_set_new(load, "warmup_s", json_real((double)s->warmup_ns / 1e9));
	json_object_set_new(load, "duration_s",
		r->duration_ns != TIME_NEVER ? json_real((double)r->duration_ns / 1e9)
					     : json_null());
	set_whole(load, "requests", s->requests);
	json_object_set_new(load, "urls", urls_json(r));
	json_object_set_new(load, "headers", report_json_headers(s));
	return load;
}

json_t *
bench_report_start_json(const struct bench_report *r)
{
	json_t *object = json_object();

	json_object_set_new(object, "schema", json_integer(REPORT_JSON_SCHEMA));
	json_object_set_new(object, "command", json_string("bench"));
	json_object_set_new(object, "environment", report_json_environment(&r->port, r->settings));
	json_object_set_new(object, "load", load_json(r));
	return object;
}

static const char *
steering_name(enum port_steering_kind kind)
{
	switch (kind) {
	case PORT_STEERING_UNKNOWN:
		break;
	case PORT_STEERING_PORT:
		return "port";
	case PORT_STEERING_RSS:
		return "rss";
	}
	return "unknown";
}

/* An array, one worker after the other. */
static json_t *
workers_json(const struct bench_report *r)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < r->workers; i++) {
		const struct bench_report_worker *w = &r->worker[i];

		json_array_append_new(array,
			json_pack("{s:o, s:I, s:I, s:I, s:s}", "core",
				report_json_core(w->core, &w->usage, r->cycles_hz), "responses",
				(json_int_t)w->responses, "wrong_queue", (json_int_t)w->wrong_queue,
				"handed_over", (json_int_t)w->handed_over, "self_test",
				self_test_result_name(w->self_test)));
	}
	return array;
}

json_t *
bench_report_end_json(const struct bench_report *r)
{
	const struct load_stats *s = r->stats;
	json_t *object = json_pack("{s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:i}", "seconds",
		bench_figures_seconds(s), "requests_per_second", bench_figures_rps(s),
		"connections_per_second", bench_figures_cps(s), "body_bits_per_second",
		bench_figures_bps(s), "error_rate", bench_figures_error_rate(&s->counts), "unsent",
		(json_int_t)s->unsent, "unanswered", (json_int_t)s->unanswered, "open_max",
		(int)s->open_max);

	json_object_set_new(object, "measured_from_s", json_real(since(r->start_ns, s->start_ns)));
	json_object_set_new(object, "signal", json_integer(r->signo));
	json_object_set_new(object, "intervals_complete", json_boolean(!r->intervals_lost));
	set_whole(object, "intervals_joined", r->intervals_joined);
	json_object_set_new(object, "counts", counts_json(&s->counts));
	json_object_set_new(object, "latency", latency_json(&s->latency));
	json_object_set_new(object, "service", latency_json(&s->service));
	json_object_set_new(object, "first_byte", latency_json(&s->first_byte));
	json_object_set_new(object, "connect", latency_json(&s->connect));
	json_object_set_new(object, "cpu",
		json_pack("{s:f, s:f, s:f}", "wall_s", (double)r->wall_ns / 1e9, "user_s",
			(double)r->cpu_user_ns / 1e9, "system_s", (double)r->cpu_system_ns / 1e9));
	json_object_set_new(object, "ack_delay", report_json_distribution(&r->ack_delay, 1e3));
	json_object_set_new(object, "iteration",
		report_json_distribution(&r->iteration, (double)r->cycles_hz / 1e6));
	json_object_set_new(object, "core", report_json_core(r->core, &r->usage, r->cycles_hz));
	if (r->workers > 1) {
		json_object_set_new(object, "steering", json_string(steering_name(r->steering)));
		json_object_set_new(object, "workers", workers_json(r));
	}
	json_object_set_new(object, "nic", report_json_nic(&r->nic));
	json_object_set_new(object, "counters", report_json_counters(&r->counters));
	if (r->machine != NULL)
		json_object_set_new(object, "machine", report_json_machine(r->machine));
	json_object_set_new(object, "bytes_per_connection",
		json_pack("{s:I, s:I}", "stack", (json_int_t)r->stack_bytes_per_connection, "load",
			(json_int_t)r->load_bytes_per_connection));
	return object;
}

int
bench_report_json_write(const struct bench_report *r, struct port *port, const char *path)
{
	json_t *root = bench_report_start_json(r), *intervals = json_array();
	uint32_t i;
	int rc;

	for (i = 0; i < r->intervals; i++)
		json_array_append_new(
			intervals, bench_report_interval_json(&r->interval[i], r->start_ns));
	json_object_set_new(root, "intervals", intervals);
	json_object_set_new(root, "end", bench_report_end_json(r));
	json_object_set_new(root, "xstats", report_json_xstats(port));
	rc = report_json_write(root, path);
	json_decref(root);
	return rc;
}

static void
write_csv_line(const struct load_interval *i, uint64_t start_ns, FILE *out)
{
	const struct load_counts *c = &i->counts;
	int e;

	fprintf(out, "%.6f,%.6f,%d,%llu,%llu", since(start_ns, i->start_ns),
		since(start_ns, i->end_ns), i->measured, (unsigned long long)c->requests,
		(unsigned long long)c->responses);
	fprintf(out, ",%llu,%llu", (unsigned long long)c->status[2],
		(unsigned long long)(c->responses - c->status[2]));
	for (e = 0; e < LOAD_ERROR_COUNT; e++)
		fprintf(out, ",%llu", (unsigned long long)c->errors[e]);
	fprintf(out, ",%llu,%llu,%llu,%u,%llu", (unsigned long long)c->body_bytes,
		(unsigned long long)c->header_bytes, (unsigned long long)c->connected, i->open,
		(unsigned long long)i->backlog);
	fprintf(out, ",%.3f,%.3f,%.3f,%.3f\n", (double)i->latency_p50_ns / 1e3,
		(double)i->latency_p90_ns / 1e3, (double)i->latency_p99_ns / 1e3,
		(double)i->latency_max_ns / 1e3);
}

int
bench_report_csv_write(const struct bench_report *r, const char *path)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	uint32_t i;
	int e, rc = 0;

	if (out == NULL)
		return -errno;
	fprintf(out, "start_s,end_s,measured,requests,responses,responses_2xx,responses_other");
	for (e = 0; e < LOAD_ERROR_COUNT; e++)
		fprintf(out, ",errors_%s", load_error_name((enum load_error)e));
	fprintf(out, ",body_bytes,header_bytes,connected,open,backlog,p50_us,p90_us,p99_us,"
		     "max_us\n");
	for (i = 0; i < r->intervals; i++)
		write_csv_line(&r->interval[i], r->start_ns, out);
	if (ferror(out) != 0 || fflush(out) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (out != stdout)
		fclose(out);
	return rc;
}
