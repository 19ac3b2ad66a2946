/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "affinity.h"
#include "base_bytes.h"
#include "compare.h"
#include "machine.h"
#include "sink_file.h"
#include "xml_text.h"
#include "report_json.h"

#define SEED 20261129U
#define FREE_SHARE_MIN 0.1 /* of the file system: below, allocation may be slow */
#define WHO_CURL COMPARE_SIDES
#define WHO_COUNT (COMPARE_SIDES + 1)

static const char *
name_of(int who)
{
	return who == WHO_CURL ? "curl" : compare_side_name((enum compare_side)who);
}

/* Each run's goodput, b/s; how many. */
static uint32_t
goodputs(const struct compare *c, int who, double *ret)
{
	uint32_t i, n = who == WHO_CURL ? c->curls : c->pairs;

	for (i = 0; i < n; i++)
		ret[i] = who == WHO_CURL
				 ? c->curl[i].bits_per_second
				 : report_json_number(c->run[who][i], "end/body_bits_per_second");
	return n;
}

/* Of the goodputs of pairs of runs. false: there are none. */
static bool
ratio_of(const struct compare *a, int who_a, const struct compare *b, int who_b,
	struct bootstrap_estimate *ret)
{
	double above[COMPARE_PAIRS_MAX], below[COMPARE_PAIRS_MAX];
	uint32_t n = goodputs(a, who_a, above), m = goodputs(b, who_b, below);

	n = MIN_OF(n, m);
	if (n == 0)
		return false;
	*ret = bootstrap_ratio(above, below, n, COMPARE_CONFIDENCE, SEED);
	return true;
}

/* Calls show for each ratio that there is. */
static void
each_ratio(const struct compare *c,
	void (*show)(void *ctx, const char *key, const char *name, const char *of,
		const struct bootstrap_estimate *e),
	void *ctx)
{
	struct bootstrap_estimate e;
	int who;

	for (who = 0; who < WHO_COUNT; who++) {
		if (ratio_of(c, who, c->null, who, &e))
			show(ctx, "file_to_null", "to the file / to nowhere", name_of(who), &e);
	}
	for (who = 0; who < COMPARE_SIDES; who++) {
		if (ratio_of(c->null, who, c->null, WHO_CURL, &e))
			show(ctx, "to_curl_null", "/ curl, to nowhere", name_of(who), &e);
	}
	for (who = 0; who < COMPARE_SIDES; who++) {
		if (ratio_of(c, who, c, WHO_CURL, &e))
			show(ctx, "to_curl_file", "/ curl, to the file", name_of(who), &e);
	}
}

static void
show_text(void *ctx, const char *key, const char *name, const char *of,
	const struct bootstrap_estimate *e)
{
	char text[64];

	(void)key;
	fprintf(ctx, "  %-7s %-24s %s x\n", of, name,
		compare_estimate_text(e, 1.0, text, sizeof(text)));
}

static void
show_html(void *ctx, const char *key, const char *name, const char *of,
	const struct bootstrap_estimate *e)
{
	char text[64];

	(void)key;
	fprintf(ctx, "<tr><td>%s %s</td><td>%s</td></tr>\n", of, name,
		compare_estimate_text(e, 1.0, text, sizeof(text)));
}

static void
show_json(void *ctx, const char *key, const char *name, const char *of,
	const struct bootstrap_estimate *e)
{
	json_t *object = json_object_get(ctx, key);

	(void)name;
	if (object == NULL) {
		object = json_object();
		json_object_set_new(ctx, key, object);
	}
	json_object_set_new(object, of, compare_estimate_json(e));
}

json_t *
compare_file_ratios_json(const struct compare *c)
{
	json_t *object = json_object();

	each_ratio(c, show_json, object);
	return object;
}

/* In one sentence each: what the file lay on, how it was written, what was flushed, what was verified. */
static void
describe(const struct compare *c, FILE *out, void (*put)(FILE *out, const char *text))
{
	json_t *k = compare_file_conditions(c);
	char text[512];

	snprintf(text, sizeof(text),
		"The file: %.3f GB on %s (%.1f GB free before, %.1f GB after); written by our "
		"writer over both stacks: %s; by curl through the page cache. ",
		(double)c->file->bytes / 1e9, json_string_value(json_object_get(k, "file_system")),
		report_json_number(k, "free_bytes_before") / 1e9,
		report_json_number(k, "free_bytes_after") / 1e9,
		json_string_value(json_object_get(k, "dpfetch_wrote_by")));
	put(out, text);
	snprintf(text, sizeof(text),
		"%s Before each run the file was removed and the file system synced: every run is "
		"a cold one. ",
		c->settings->fsync
			? "fsync counts, for all three: a run ends when the disk has the file."
			: "No fsync, for all three: a run ends when all has been handed to the "
			  "kernel.");
	put(out, text);
	snprintf(text, sizeof(text), "%u files were read back, all alike: %s %s.",
		c->file->verified, sink_digest_name(c->file->digest), c->file->hex);
	put(out, text);
	json_decref(k);
}

static void
put_text(FILE *out, const char *text)
{
	fprintf(out, "%s\n", text);
}

void
compare_file_text(const struct compare *c, FILE *out)
{
	fputs("ratios of goodputs, with 95 % intervals\n", out);
	each_ratio(c, show_text, out);
	describe(c, out, put_text);
}

void
compare_file_html(const struct compare *c, FILE *out)
{
	fputs("<h2>Ratios of goodputs</h2>\n<table>\n", out);
	each_ratio(c, show_html, out);
	fputs("</table>\n<p>", out);
	describe(c, out, xml_text);
	fputs("</p>\n", out);
}

static bool
has(const json_t *file, const char *key, const char *word)
{
	const char *text = json_string_value(json_object_get(file, key));

	return text != NULL && strstr(text, word) != NULL;
}

static void
check_writing(struct compare *c, const json_t *file)
{
	bool ours = has(file, "dpfetch_wrote_by", "direct");
	bool kernels = has(file, "kernel_wrote_by", "direct");

	if (ours != kernels)
		compare_warn(c, "only one of the two stacks' files was written with O_DIRECT");
	if (has(file, "file_system", "tmpfs") || has(file, "file_system", "ramfs"))
		compare_warn(c, "the file is in memory (%s): no disk was measured",
			json_string_value(json_object_get(file, "file_system")));
	else if (c->settings->fsync)
		return;
	else if (ours && c->curls > 0)
		compare_warn(c,
			"our writer used O_DIRECT, so its bytes have left memory when a run ends; "
			"curl's "
			"are still in the page cache: --fsync counts both to the end");
	else if (!ours)
		compare_warn(c, "written through the page cache and without --fsync: memory may "
				"have been measured, not the disk");
}

static void
check_room(struct compare *c, const json_t *file)
{
	double left = report_json_number(file, "free_bytes_before");
	double bytes = report_json_number(file, "bytes");

	if (left > 0 && bytes > left * (1.0 - FREE_SHARE_MIN))
		compare_warn(c,
			"the file takes %.0f %% of the %.1f GB that were free: the file system may "
			"be slow to find room",
			100.0 * bytes / left, left / 1e9);
}

/* Writer and server on one CPU take time from each other; only where there are files. */
static void
check_writer(struct compare *c)
{
	double core =
		c->pairs > 0 ? report_json_number(c->run[COMPARE_DPDK][0], "end/core/core") : NAN;
	const struct settings *s = c->settings;
	cpu_set_t others;
	int cpu;

	if (isnan(core) || s->server_pid == 0)
		return;
	cpu = (int)core;
	affinity_others(&cpu, 1, &others);
	cpu = s->writer_core >= 0 ? (int)s->writer_core : affinity_first(&others);
	if (cpu >= 0 && machine_process_may_use((pid_t)s->server_pid, cpu))
		compare_warn(c,
			"the server may run on CPU %d, where our writer thread is: over both "
			"stacks "
			"they share it",
			cpu);
}

void
compare_file_check_fairness(struct compare *c, const json_t *conditions)
{
	const json_t *file = json_object_get(conditions, "file");

	check_writing(c, file);
	check_room(c, file);
	check_writer(c);
}
