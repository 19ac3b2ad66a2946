/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <rte_version.h>

#include "report_json.h"
#include "request_headers.h"
#include "url_shown.h"

#define KEY_ROOM 32U
#define LINE_ROOM 512U
#define HIDDEN "(hidden)"

/* JSON is UTF-8; what is not (a header or file name in Latin-1) is read as Latin-1. */
json_t *
report_json_text(const char *text)
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

json_t *
report_json_url(const char *url)
{
	char *shown = url_shown(url);
	json_t *json = shown != NULL ? report_json_text(shown) : NULL;

	free(shown);
	return json;
}

/* Documents are shown around. Of a field that has one of these words in its name the value is nobody's business. */
static bool
is_secret(const char *header)
{
	static const char *const words[] = {
		"auth", "cookie", "token", "key", "secret", "passw", "session", "signature"};
	size_t len = strcspn(header, ":;"), i, at;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (at = 0; at + strlen(words[i]) <= len; at++) {
			if (strncasecmp(header + at, words[i], strlen(words[i])) == 0)
				return true;
		}
	}
	return false;
}

static json_t *
header_json(const char *header)
{
	size_t len = strcspn(header, ":;");

	return is_secret(header) ? json_sprintf("%.*s: " HIDDEN, (int)len, header)
				 : report_json_text(header);
}

json_t *
report_json_headers(const struct settings *s)
{
	json_t *array = json_array();
	struct request_headers h;
	char *agent = NULL;
	uint32_t i;

	if (s->user_agent != NULL && asprintf(&agent, "User-Agent: %s", s->user_agent) >= 0) {
		json_array_append_new(array, report_json_text(agent));
		free(agent);
	}
	if (request_headers_make(s, s->cps, &h) != 0)
		return array;
	for (i = 0; i < h.count; i++)
		json_array_append_new(array, header_json(h.line[i]));
	request_headers_free(&h);
	return array;
}

json_t *
report_json_counters(const struct counters *c)
{
	json_t *object = json_object();
	int i;

	for (i = 0; i < COUNTER_COUNT; i++)
		json_object_set_new(object, counter_name((enum counter_id)i),
			json_integer((json_int_t)c->value[i]));
	return object;
}

json_t *
report_json_distribution(const struct histogram *h, double per_us)
{
	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)h->count,
		"mean_us", histogram_mean(h) / per_us, "p50_us",
		(double)histogram_percentile(h, 50.0) / per_us, "p90_us",
		(double)histogram_percentile(h, 90.0) / per_us, "p99_us",
		(double)histogram_percentile(h, 99.0) / per_us, "p99_9_us",
		(double)histogram_percentile(h, 99.9) / per_us, "max_us", (double)h->max / per_us);
}

json_t *
report_json_core(int core, const struct worker_usage *u, uint64_t cycles_hz)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "core", core, "iterations",
		(json_int_t)u->iterations, "iterations_busy", (json_int_t)u->iterations_busy,
		"cycles", (json_int_t)u->cycles, "cycles_busy", (json_int_t)u->cycles_busy,
		"iteration_max_us", (double)u->iteration_cycles_max * 1e6 / (double)cycles_hz, "hz",
		(double)cycles_hz, "cpu_s", (double)u->cpu_ns / 1e9);
}

json_t *
report_json_nic(const struct port_stats *n)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
		(json_int_t)n->rx_packets, "rx_bytes", (json_int_t)n->rx_bytes, "tx_packets",
		(json_int_t)n->tx_packets, "tx_bytes", (json_int_t)n->tx_bytes, "imissed",
		(json_int_t)n->rx_missed, "ierrors", (json_int_t)n->rx_errors, "oerrors",
		(json_int_t)n->tx_errors, "rx_nombuf", (json_int_t)n->rx_no_mbuf);
}

json_t *
report_json_machine(const struct machine_sample *m)
{
	json_t *object = json_object(), *cpus = json_array();
	uint32_t i;

	for (i = 0; i < m->cpus; i++)
		json_array_append_new(
			cpus, json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "cpu", (int)i, "user_s",
				      (double)m->cpu[i].user_ns / 1e9, "system_s",
				      (double)m->cpu[i].system_ns / 1e9, "softirq_s",
				      (double)m->cpu[i].softirq_ns / 1e9, "steal_s",
				      (double)m->cpu[i].steal_ns / 1e9, "idle_s",
				      (double)m->cpu[i].idle_ns / 1e9));
	json_object_set_new(object, "cpus", cpus);
	if (m->server)
		json_object_set_new(object, "server",
			json_pack("{s:f, s:I}", "cpu_s", (double)m->server_cpu_ns / 1e9,
				"retransmits", (json_int_t)m->server_retransmits));
	if (m->interface)
		json_object_set_new(object, "interface",
			json_pack("{s:I, s:I, s:I, s:I}", "rx_frames", (json_int_t)m->rx_frames,
				"rx_bytes", (json_int_t)m->rx_bytes, "tx_frames",
				(json_int_t)m->tx_frames, "tx_bytes", (json_int_t)m->tx_bytes));
	return object;
}

/* Of what is the same for every port. */
static json_t *
environment_of_machine(void)
{
	char when[32], model[LINE_ROOM], governor[LINE_ROOM];
	struct utsname name = {0};
	time_t now = time(NULL);
	struct tm tm;

	uname(&name);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	machine_cpu_model(model, sizeof(model));
	machine_governor(governor, sizeof(governor));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:o}", "version", DPFETCH_VERSION,
		"dpdk", rte_version(), "time", when, "kernel", name.release, "machine",
		name.machine, "cpu", report_json_text(model), "cpus",
		(int)sysconf(_SC_NPROCESSORS_ONLN), "governor", report_json_text(governor));
}

json_t *
report_json_environment(const struct port_info *port, const struct settings *s)
{
	json_t *object = environment_of_machine();

	json_object_update_new(object,
		json_pack("{s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:b, s:s, s:i, s:i, s:i}", "nic",
			port->name, "driver", port->driver, "mtu", (int)port->mtu, "numa_node",
			port->numa_node, "hugepages", port->hugepages, "rx_checksum_offload",
			port->rx_l4_checksum, "tx_checksum_offload",
			(port->tx_offloads & TX_FRAME_TCP_CSUM) != 0, "lro", port->lro, "rx_mode",
			port->rx_mode, "link_mbps", (int)port->link_mbps, "window_bytes",
			(int)s->window_bytes, "ack_segments", (int)s->ack_segments));
	return object;
}

static void
add_xstat(void *ctx, const char *name, uint64_t value)
{
	json_object_set_new(ctx, name, json_integer((json_int_t)value));
}

json_t *
report_json_xstats(struct port *port)
{
	json_t *object = json_object();

	if (port != NULL)
		port_xstats(port, add_xstat, object);
	return object;
}

const json_t *
report_json_find(const json_t *at, const char *path)
{
	char key[KEY_ROOM];
	size_t len;

	for (; at != NULL && *path != '\0'; path += len + (path[len] == '/' ? 1U : 0U)) {
		len = strcspn(path, "/");
		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		at = json_object_get(at, key);
	}
	return at;
}

double
report_json_number(const json_t *run, const char *path)
{
	const json_t *at = report_json_find(run, path);

	return at != NULL && json_is_number(at) ? json_number_value(at) : NAN;
}

int
report_json_write(const json_t *root, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int rc = 0;

	if (file == NULL)
		return -errno;
	errno = 0;
	if (json_dumpf(root, file, JSON_INDENT(2)) != 0 || fputc('\n', file) == EOF)
		rc = errno != 0 ? -errno : -EIO;
	if (fflush(file) != 0 && rc == 0)
		rc = -errno;
	if (file != stdout)
		fclose(file);
	return rc;
}
