/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "compare.h"
#include "report_json.h"

const char *
compare_estimate_text(const struct bootstrap_estimate *e, double scale, char *buf, size_t room)
{
	double value = e->value * scale;
	int decimals = compare_decimals(value);

	snprintf(buf, room, "%.*f (%.*f-%.*f)", decimals, value, decimals, e->low * scale, decimals,
		e->high * scale);
	return buf;
}

static void
print_figure(const struct compare *c, const struct compare_figure *f, FILE *out)
{
	struct bootstrap_estimate side[COMPARE_SIDES], ratio;
	char ours[64], kernels[64], times[64] = "";

	if (!compare_figure_estimate(c, f, side, &ratio))
		return;
	if (side[COMPARE_KERNEL].value != 0.0)
		compare_estimate_text(&ratio, 1.0, times, sizeof(times));
	fprintf(out, "  %-24s %26s %26s %20s\n", f->name,
		compare_estimate_text(&side[COMPARE_DPDK], f->scale, ours, sizeof(ours)),
		compare_estimate_text(&side[COMPARE_KERNEL], f->scale, kernels, sizeof(kernels)),
		times);
}

static void
print_curl(const struct compare *c, FILE *out)
{
	double speed[COMPARE_PAIRS_MAX];
	struct bootstrap_estimate e;
	char text[64];
	uint32_t i;

	if (c->curls == 0)
		return;
	for (i = 0; i < c->curls; i++)
		speed[i] = c->curl[i].bits_per_second;
	e = bootstrap_median(speed, c->curls, COMPARE_CONFIDENCE, 1);
	fprintf(out, "curl -o %s, one transfer each time: %s Gb/s\n",
		c->path != NULL ? c->path : "/dev/null",
		compare_estimate_text(&e, 1e-9, text, sizeof(text)));
}

/* Of one transfer each, seen from the same place. */
static void
print_acks(const struct compare *c, FILE *out)
{
	char text[COMPARE_ACKS_TEXT_MAX];
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		if (compare_trace_acks_text(c->trace[side], text))
			fprintf(out, "%-7s %s\n", compare_side_name((enum compare_side)side), text);
	}
}

static void
print_table(const struct compare *c, FILE *out)
{
	const struct compare_figure *f;
	uint32_t i, count;

	if (c->path != NULL)
		fprintf(out, "one transfer, to %s\n",
			c->file != NULL ? c->path : "nowhere (the null sink)");
	fprintf(out,
		"  %-24s %26s %26s %20s\n  medians of %u interleaved pairs, 95 %% intervals "
		"(bootstrap)\n",
		"", "dpfetch", "kernel", "ratio", c->pairs);
	f = compare_figures(&count);
	for (i = 0; i < count; i++)
		print_figure(c, &f[i], out);
	print_curl(c, out);
}

void
compare_report_text(const struct compare *c, const json_t *conditions, FILE *out)
{
	uint32_t i;

	if (c->null != NULL)
		print_table(c->null, out);
	print_table(c, out);
	if (c->file != NULL)
		compare_file_text(c, out);
	print_acks(c, out);
	fprintf(out,
		"client's CPU: of dpfetch the busy part of the poll core (which else polls, and "
		"takes a whole CPU); of the kernel\n"
		"the client's process, without the softirqs that receive for it. machine's CPU: "
		"all "
		"CPUs, server and softirqs\nincluded, without idle polling. CPU, frames and what "
		"was sent again are of the whole run, with ramp, warm-up and end.\n");
	compare_conditions_text(c, conditions, out);
	for (i = 0; i < c->notes; i++)
		fprintf(out, "note: %s\n", c->note[i]);
	for (i = 0; i < c->warnings; i++)
		fprintf(out, "warning: %s\n", c->warning[i]);
}

/* JSON knows no infinity: null. */
static json_t *
finite_json(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *
compare_estimate_json(const struct bootstrap_estimate *e)
{
	return json_pack("{s:o, s:o, s:o}", "median", finite_json(e->value), "low",
		finite_json(e->low), "high", finite_json(e->high));
}

static json_t *
summary_json(const struct compare *c)
{
	json_t *object = json_object(), *line;
	struct bootstrap_estimate side[COMPARE_SIDES], ratio;
	const struct compare_figure *f;
	uint32_t i, count;
	int s;

	f = compare_figures(&count);
	for (i = 0; i < count; i++) {
		if (!compare_figure_estimate(c, &f[i], side, &ratio))
			continue;
		line = json_object();
		for (s = 0; s < COMPARE_SIDES; s++)
			json_object_set_new(line, compare_side_name((enum compare_side)s),
				compare_estimate_json(&side[s]));
		json_object_set_new(line, "ratio", compare_estimate_json(&ratio));
		json_object_set_new(object, f[i].key, line);
	}
	return object;
}

static json_t *
acks_json(const struct compare *c)
{
	json_t *object = json_object();
	struct compare_acks a;
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		if (!compare_trace_acks(c->trace[side], &a))
			continue;
		json_object_set_new(object, compare_side_name((enum compare_side)side),
			json_pack("{s:i, s:i, s:i, s:f, s:f, s:f}", "data_segments", (int)a.data,
				"acks", (int)a.bare, "covering_new_data", (int)a.acks,
				"delay_p50_us", a.p50_us, "delay_p99_us", a.p99_us, "delay_max_us",
				a.max_us));
	}
	return object;
}

static json_t *
pair_json(const struct compare *c, uint32_t i)
{
	json_t *object = json_object();
	int s;

	for (s = 0; s < COMPARE_SIDES; s++)
		json_object_set(object, compare_side_name((enum compare_side)s), c->run[s][i]);
	if (i < c->curls)
		json_object_set_new(object, "curl",
			json_pack("{s:f, s:f}", "bits_per_second", c->curl[i].bits_per_second,
				"seconds", c->curl[i].seconds));
	return object;
}

static json_t *
pairs_json(const struct compare *c)
{
	json_t *pairs = json_array();
	uint32_t i;

	for (i = 0; i < c->pairs; i++)
		json_array_append_new(pairs, pair_json(c, i));
	return pairs;
}

int
compare_report_json_write(const struct compare *c, const json_t *conditions, const char *path)
{
	json_t *root = json_object(), *warnings = json_array(), *notes = json_array();
	uint32_t i;
	int rc;

	json_object_set_new(root, "schema", json_integer(REPORT_JSON_SCHEMA));
	json_object_set_new(root, "command", json_string("compare"));
	json_object_set_new(root, "workload", compare_workload(c));
	json_object_set_new(root, "conditions", json_deep_copy(conditions));
	for (i = 0; i < c->warnings; i++)
		json_array_append_new(warnings, json_string(c->warning[i]));
	json_object_set_new(root, "warnings", warnings);
	for (i = 0; i < c->notes; i++)
		json_array_append_new(notes, json_string(c->note[i]));
	json_object_set_new(root, "notes", notes);
	json_object_set_new(root, "confidence", json_real(COMPARE_CONFIDENCE));
	json_object_set_new(root, "summary", summary_json(c));
	json_object_set_new(root, "acks", acks_json(c));
	json_object_set_new(root, "pairs", pairs_json(c));
	if (c->file != NULL) {
		json_object_set_new(root, "null_sink",
			json_pack("{s:o, s:o}", "summary", summary_json(c->null), "pairs",
				pairs_json(c->null)));
		json_object_set_new(root, "ratios", compare_file_ratios_json(c));
	}
	json_object_set_new(root, "signal", json_integer(c->signo));
	rc = report_json_write(root, path);
	json_decref(root);
	return rc;
}
