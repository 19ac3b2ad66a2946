/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "report_json.h"
#include "url_shown.h"

#define URLS_PRINTED 8U /* of a list, to people */

const char *
compare_first_url(const struct compare *c)
{
	if (c->settings->urls.count > 0)
		return c->settings->urls.item[0];
	return c->listed.count > 0 ? c->listed.item[0].text : NULL;
}

static void
add_url(json_t *list, const char *url, uint32_t weight)
{
	char *shown = url_shown(url);

	if (shown != NULL)
		json_array_append_new(list, json_pack("{s:o, s:i}", "url", report_json_text(shown),
						    "weight", (int)weight));
	free(shown);
}

static json_t *
urls_json(const struct compare *c)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < c->settings->urls.count; i++)
		add_url(list, c->settings->urls.item[i], 1);
	for (i = 0; i < c->listed.count; i++)
		add_url(list, c->listed.item[i].text, c->listed.item[i].weight);
	return list;
}

json_t *
compare_workload(const struct compare *c)
{
	json_t *object = json_pack("{s:o}", "urls", urls_json(c)), *load;

	if (c->path != NULL) {
		json_object_set_new(object, "transfers_at_a_time", json_integer(1));
		return object;
	}
	load = c->pairs > 0 ? json_object_get(c->run[COMPARE_DPDK][0], "load") : NULL;
	if (load != NULL)
		json_object_update(object, load);
	json_object_del(object, "stack");
	return object;
}

/* Up to URLS_PRINTED of them, with between after each but the last one. */
static void
write_urls(const json_t *urls, const char *between, FILE *out)
{
	size_t i, count = json_array_size(urls);
	const json_t *url;

	for (i = 0; i < count && i < URLS_PRINTED; i++) {
		url = json_array_get(urls, i);
		fprintf(out, "%s%s", i > 0 ? between : "",
			json_string_value(json_object_get(url, "url")));
		if (count > 1)
			fprintf(out, " (weight %.0f)", report_json_number(url, "weight"));
	}
	if (count > URLS_PRINTED)
		fprintf(out, "%sand %zu more", between, count - URLS_PRINTED);
}

/* "64 connections, ...": a load's, or the transfers'. */
static void
write_load(const json_t *load, FILE *out)
{
	double connections = report_json_number(load, "connections");
	double rate = report_json_number(load, "rate");
	double seconds = report_json_number(load, "duration_s");
	double requests = report_json_number(load, "requests");

	if (isnan(connections)) {
		fputs("one transfer at a time", out);
		return;
	}
	fprintf(out, "%.0f connection%s, pipeline %.0f, ", connections, connections > 1 ? "s" : "",
		report_json_number(load, "pipeline"));
	if (rate > 0)
		fprintf(out, "open loop of %g requests/s", rate);
	else
		fputs("closed loop", out);
	if (json_is_true(json_object_get(load, "one_request_a_connection")))
		fputs(", one request a connection", out);
	if (!isnan(seconds))
		fprintf(out, ", %g s", seconds);
	if (requests > 0)
		fprintf(out, ", %.0f requests", requests);
	fprintf(out, "; ramp %g s, warm-up %g s", report_json_number(load, "ramp_s"),
		report_json_number(load, "warmup_s"));
}

/* What write says of it. */
static void
set_written(json_t *object, const char *key, const json_t *urls, const json_t *load)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return;
	if (urls != NULL)
		write_urls(urls, ", ", out);
	else
		write_load(load, out);
	fclose(out);
	json_object_set_new(object, key, report_json_text(text));
	free(text);
}

json_t *
compare_workload_facts(const struct compare *c)
{
	json_t *workload = compare_workload(c), *facts = json_object();

	set_written(facts, "URL", json_object_get(workload, "urls"), NULL);
	set_written(facts, "load", NULL, workload);
	json_decref(workload);
	return facts;
}

static void
print_workload(const struct compare *c, FILE *out)
{
	json_t *workload = compare_workload(c);

	fprintf(out, "  %-11s ", "URL");
	write_urls(json_object_get(workload, "urls"), "\n              ", out);
	fprintf(out, "\n  %-11s ", "load");
	write_load(workload, out);
	fputc('\n', out);
	json_decref(workload);
}

/* "unknown" where it is no string, or an empty one. */
static const char *
fact(const json_t *conditions, const char *key)
{
	const char *text = json_string_value(json_object_get(conditions, key));

	return text != NULL && text[0] != '\0' ? text : "unknown";
}

static void
print_offloads(const json_t *conditions, FILE *out)
{
	static const char *const key[] = {"rx_checksum", "tx_checksum", "tso", "gso", "gro", "lro"};
	static const char *const name[] = {
		"checksum of received", "of sent", "TSO", "GSO", "GRO", "LRO"};
	const json_t *offloads = json_object_get(conditions, "offloads");
	size_t i;

	fprintf(out, "  %-11s ", "offloads");
	if (!json_is_object(offloads))
		fputs("unknown", out);
	for (i = 0; json_is_object(offloads) && i < sizeof(key) / sizeof(key[0]); i++)
		fprintf(out, "%s%s %s", i > 0 ? ", " : "", name[i],
			json_is_true(json_object_get(offloads, key[i])) ? "on" : "off");
	fputc('\n', out);
}

static void
print_microseconds(const json_t *conditions, const char *name, const char *key, FILE *out)
{
	const char *text = fact(conditions, key);

	fprintf(out, ", %s %s%s", name, text, strspn(text, "0123456789") > 0 ? " us" : "");
}

static void
print_kernel(const json_t *conditions, FILE *out)
{
	fprintf(out, "  %-11s %s, tcp_rmem %s", "kernel's", fact(conditions, "congestion_control"),
		fact(conditions, "tcp_rmem"));
	print_microseconds(conditions, "busy poll", "busy_poll_us", out);
	print_microseconds(conditions, "busy read", "busy_read_us", out);
	fputc('\n', out);
}

static void
print_versions(const json_t *conditions, FILE *out)
{
	static const char *const optional[] = {"curl", "server"};
	const char *text;
	size_t i;

	fprintf(out, "  %-11s dpfetch %s, %s, kernel %s", "versions", fact(conditions, "dpfetch"),
		fact(conditions, "dpdk"), fact(conditions, "kernel"));
	for (i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		text = json_string_value(json_object_get(conditions, optional[i]));
		if (text != NULL)
			fprintf(out, ", %s %s", optional[i], text);
	}
	fputc('\n', out);
}

void
compare_conditions_text(const struct compare *c, const json_t *conditions, FILE *out)
{
	double mtu = report_json_number(conditions, "interface_mtu");

	fputs("conditions\n", out);
	print_workload(c, out);
	fprintf(out, "  %-11s %s, MTU %llu of ours", "interface", fact(conditions, "interface"),
		(unsigned long long)c->settings->mtu);
	if (!isnan(mtu))
		fprintf(out, ", %.0f of the kernel's", mtu);
	fputc('\n', out);
	print_offloads(conditions, out);
	print_kernel(conditions, out);
	fprintf(out, "  %-11s %s, %.0f CPUs, governor %s\n", "machine", fact(conditions, "cpu"),
		report_json_number(conditions, "cpus"), fact(conditions, "governor"));
	print_versions(conditions, out);
}
