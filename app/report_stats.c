/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "report_variable.h"

#define STATS_SCHEMA_VERSION 1

/* JSON is UTF-8; what is not (a header or file name in Latin-1) is read as Latin-1. */
static json_t *
text_json(const char *text)
{
	json_t *json = json_string(text);
	size_t len = strlen(text), used = 0;
	char *utf8;

	if (json != NULL)
		return json;
	utf8 = malloc(2 * len + 1);
	if (utf8 == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			utf8[used++] = (char)(0xc0 | (unsigned char)*text >> 6);
		utf8[used++] = (char)((unsigned char)*text >= 0x80 ? 0x80 | (*text & 0x3f) : *text);
	}
	json = json_stringn(utf8, used);
	free(utf8);
	return json;
}

static json_t *
value_json(const struct report_value *value)
{
	switch (value->kind) {
	case REPORT_TEXT:
		return text_json(value->text);
	case REPORT_WHOLE:
		return json_integer(value->whole);
	case REPORT_REAL:
		return json_real(value->real);
	}
	return NULL;
}

json_t *
report_variables_json(const struct report *r)
{
	json_t *object = json_object();
	struct report_value value;
	uint32_t i;

	for (i = 0; i < report_variable_count(); i++) {
		report_variable_get(r, i, &value);
		json_object_set_new(object, report_variable_name(i), value_json(&value));
	}
	return object;
}

static json_t *
counters_json(const struct report *r)
{
	json_t *object = json_object();
	int i;

	for (i = 0; i < COUNTER_COUNT; i++)
		json_object_set_new(object, counter_name((enum counter_id)i),
			json_integer((json_int_t)r->counters.value[i]));
	return object;
}

static json_t *
ack_delay_json(const struct report *r)
{
	const struct histogram *h = &r->ack_delay;

	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)h->count,
		"mean_us", h->count > 0 ? (double)h->sum / (double)h->count / 1e3 : 0.0, "p50_us",
		(double)histogram_percentile(h, 50.0) / 1e3, "p90_us",
		(double)histogram_percentile(h, 90.0) / 1e3, "p99_us",
		(double)histogram_percentile(h, 99.0) / 1e3, "p99_9_us",
		(double)histogram_percentile(h, 99.9) / 1e3, "max_us", (double)h->max / 1e3);
}

static json_t *
tcp_json(const struct report *r)
{
	const struct tcp_info *t = &r->tcp;

	return json_pack("{s:s, s:f, s:f, s:i, s:i, s:i, s:b, s:b, s:b, s:I, s:I}", "state",
		tcp_state_name(t->state), "srtt_us", (double)t->srtt_ns / 1e3, "rto_ms",
		(double)t->rto_ns / 1e6, "mss_send", t->mss_send, "rcv_wscale", t->rcv_wscale,
		"snd_wscale", t->snd_wscale, "timestamps", t->timestamps, "sack", t->sack,
		"window_scaling", t->window_scaling, "rcv_window_limit",
		(json_int_t)t->rcv_window_limit, "retransmits", (json_int_t)t->retransmits);
}

static json_t *
core_json(const struct report *r)
{
	const struct worker_usage *u = &r->usage;

	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:f, s:f}", "core", r->core, "iterations",
		(json_int_t)u->iterations, "iterations_busy", (json_int_t)u->iterations_busy,
		"cycles", (json_int_t)u->cycles, "cycles_busy", (json_int_t)u->cycles_busy,
		"iteration_max_us", (double)u->iteration_cycles_max * 1e6 / (double)r->cycles_hz,
		"hz", (double)r->cycles_hz);
}

static json_t *
nic_json(const struct report *r)
{
	const struct port_stats *n = &r->nic;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
		(json_int_t)n->rx_packets, "rx_bytes", (json_int_t)n->rx_bytes, "tx_packets",
		(json_int_t)n->tx_packets, "tx_bytes", (json_int_t)n->tx_bytes, "imissed",
		(json_int_t)n->rx_missed, "ierrors", (json_int_t)n->rx_errors, "oerrors",
		(json_int_t)n->tx_errors, "rx_nombuf", (json_int_t)n->rx_no_mbuf);
}

static json_t *
sink_json(const struct report *r)
{
	const struct sink_file_info *i = &r->sink;

	return json_pack("{s:s, s:I, s:i, s:f, s:f}", "method", sink_method_name(i->method),
		"bytes_written", (json_int_t)i->bytes_written, "writes", (int)i->writes,
		"write_seconds", (double)i->write_ns_total / 1e9, "stall_seconds",
		(double)i->stall_ns / 1e9);
}

static json_t *
transfer_json(const struct report *r)
{
	json_t *object = json_object();

	json_object_set_new(object, "result", report_variables_json(r));
	json_object_set_new(object, "tcp", tcp_json(r));
	json_object_set_new(object, "ack_delay", ack_delay_json(r));
	json_object_set_new(object, "core", core_json(r));
	json_object_set_new(object, "nic", nic_json(r));
	json_object_set_new(object, "sink", sink_json(r));
	json_object_set_new(object, "counters", counters_json(r));
	return object;
}

static json_t *
environment_json(const struct report *r, const struct settings *s)
{
	struct utsname name = {0};
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	uname(&name);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:i, s:i, s:i}",
		"version", DPFETCH_VERSION, "time", when, "kernel", name.release, "machine",
		name.machine, "nic", r->port.name, "driver", r->port.driver, "mtu",
		(int)r->port.mtu, "numa_node", r->port.numa_node, "hugepages", r->port.hugepages,
		"rx_checksum_offload", r->port.rx_l4_checksum, "tx_checksum_offload",
		(r->port.tx_offloads & TX_FRAME_TCP_CSUM) != 0, "link_mbps", (int)r->port.link_mbps,
		"window_bytes", (int)s->window_bytes, "ack_segments", (int)s->ack_segments);
}

static void
add_xstat(void *ctx, const char *name, uint64_t value)
{
	json_object_set_new(ctx, name, json_integer((json_int_t)value));
}

int
report_stats_write(const char *path, const struct report *reports, uint32_t count,
	const struct settings *s, struct port *port)
{
	json_t *root = json_object(), *transfers = json_array(), *xstats = json_object();
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	uint32_t i;
	int rc = 0;

	if (file == NULL)
		rc = -errno;
	json_object_set_new(root, "schema", json_integer(STATS_SCHEMA_VERSION));
	if (count > 0)
		json_object_set_new(root, "environment", environment_json(&reports[0], s));
	for (i = 0; i < count; i++)
		json_array_append_new(transfers, transfer_json(&reports[i]));
	json_object_set_new(root, "transfers", transfers);
	if (port != NULL)
		port_xstats(port, add_xstat, xstats);
	json_object_set_new(root, "xstats", xstats);
	if (file != NULL &&
		(json_dumpf(root, file, JSON_INDENT(2)) != 0 || fputc('\n', file) == EOF))
		rc = -EIO;
	if (file != NULL && fflush(file) != 0)
		rc = -errno;
	if (file != NULL && file != stdout)
		fclose(file);
	json_decref(root);
	return rc;
}
