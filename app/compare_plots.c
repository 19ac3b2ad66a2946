/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "compare_plots.h"
#include "svg_plot.h"
#include "wire_tcp.h"
#include "report_json.h"

#define WIDTH 560.0
#define HEIGHT 300.0
#define WIDE 1140.0
#define DELAY_BINS 30U
#define SEGMENTS_DRAWN 400U /* of a time line */
#define PACKETS_IN_A_ROW 72U /* letters of the row below a time line */

/* The run of a side whose goodput is the median one, or next to it. */
static const json_t *
median_run(const struct compare *c, enum compare_side side)
{
	double value[COMPARE_PAIRS_MAX], median;
	uint32_t i, best = 0;

	for (i = 0; i < c->pairs; i++)
		value[i] = report_json_number(c->run[side][i], "end/body_bits_per_second");
	median = bootstrap_median_of(value, c->pairs);
	for (i = 1; i < c->pairs; i++) {
		if (fabs(value[i] - median) < fabs(value[best] - median))
			best = i;
	}
	return c->run[side][best];
}

/* One side's intervals as points; the caller frees *ret. */
static uint32_t
goodput_points(const json_t *run, struct svg_point **ret)
{
	const json_t *intervals = json_object_get(run, "intervals"), *i;
	size_t n = json_array_size(intervals), at;
	double start, end;

	*ret = calloc(n + 1, sizeof(**ret));
	if (*ret == NULL)
		return 0;
	json_array_foreach(intervals, at, i)
	{
		start = report_json_number(i, "start_s");
		end = report_json_number(i, "end_s");
		(*ret)[at] = (struct svg_point){end,
			end > start
				? report_json_number(i, "counts/body_bytes") * 8e-9 / (end - start)
				: 0.0};
	}
	return (uint32_t)n;
}

void
compare_plot_goodput(const struct compare *c, FILE *out)
{
	struct svg_point *points[COMPARE_SIDES];
	uint32_t n[COMPARE_SIDES], i;
	struct svg_plot p = {.out = out, .width = WIDTH, .height = HEIGHT};
	int s;

	for (s = 0; s < COMPARE_SIDES; s++) {
		n[s] = goodput_points(median_run(c, (enum compare_side)s), &points[s]);
		for (i = 0; i < n[s]; i++) {
			p.x_max = fmax(p.x_max, points[s][i].x);
			p.y_max = fmax(p.y_max, points[s][i].y);
		}
	}
	if (c->path == NULL && p.x_max > 0 && p.y_max > 0) {
		p.y_max = svg_round_up(p.y_max);
		svg_plot_begin(&p, "Goodput over time", "seconds", "Gb/s");
		for (s = 0; s < COMPARE_SIDES; s++)
			svg_plot_line(&p, (uint32_t)s, points[s], n[s], false);
		svg_plot_end(&p);
	}
	for (s = 0; s < COMPARE_SIDES; s++)
		free(points[s]);
}

/* The median goodput of a side, or of curl (COMPARE_SIDES), Gb/s; 0: there is none. */
static double
median_gbps(const struct compare *c, int who)
{
	double value[COMPARE_PAIRS_MAX];
	uint32_t i, n = who == COMPARE_SIDES ? c->curls : c->pairs;

	for (i = 0; i < n; i++)
		value[i] = who == COMPARE_SIDES
				   ? c->curl[i].bits_per_second
				   : report_json_number(c->run[who][i], "end/body_bits_per_second");
	return n > 0 ? bootstrap_median_of(value, n) / 1e9 : 0.0;
}

void
compare_plot_transfers(const struct compare *c, FILE *out)
{
	static const uint32_t series[COMPARE_SIDES + 1] = {0, 1, 5};
	const struct compare *const where[] = {c, c->null}; /* from below */
	struct svg_plot p = {
		.out = out, .width = WIDTH, .height = HEIGHT, .y_max = 6.0, .y_named = true};
	double gbps[2][COMPARE_SIDES + 1], y;
	const char *name;
	char hint[96];
	int w, who;

	if (c->null == NULL)
		return;
	for (w = 0; w < 2; w++) {
		for (who = 0; who <= COMPARE_SIDES; who++) {
			gbps[w][who] = median_gbps(where[w], who);
			p.x_max = fmax(p.x_max, gbps[w][who]);
		}
	}
	if (p.x_max <= 0.0)
		return;
	p.x_max = svg_round_up(p.x_max);
	svg_plot_begin(&p, "One transfer: to nowhere (above) and to the file (below)", "Gb/s", "");
	for (w = 0; w < 2; w++) {
		for (who = 0; who <= COMPARE_SIDES; who++) {
			y = 3.0 * w + COMPARE_SIDES - who;
			name = who == COMPARE_SIDES ? "curl"
						    : compare_side_name((enum compare_side)who);
			snprintf(hint, sizeof(hint), "%s %s: %.3f Gb/s", name,
				w == 0 ? "to the file" : "to nowhere", gbps[w][who]);
			svg_plot_bar(&p, series[who], &(struct svg_point){0.0, y + 0.15},
				&(struct svg_point){gbps[w][who], y + 0.85}, hint);
			svg_plot_name_y(&p, y + 0.5, name);
		}
	}
	svg_plot_end(&p);
}

static int
by_x(const void *a, const void *b)
{
	double x = ((const struct svg_point *)a)->x, y = ((const struct svg_point *)b)->x;

	return (x > y) - (x < y);
}

/* Counts become percents of all so far, one point for each x: the runs have the same buckets. Returns
 * how many. */
static uint32_t
sum_up(struct svg_point *point, uint32_t n, double total)
{
	double sum = 0.0;
	uint32_t i, kept = 0;

	for (i = 0; i < n; i++) {
		sum += point[i].y;
		if (kept > 0 && !(point[i].x > point[kept - 1].x))
			kept--;
		point[kept++] = (struct svg_point){point[i].x, 100.0 * sum / total};
	}
	return kept;
}

/* All runs' latency buckets, sorted and summed up to percents; the caller frees *ret. */
static uint32_t
latency_points(const struct compare *c, enum compare_side side, struct svg_point **ret)
{
	const json_t *buckets, *bucket;
	uint32_t pair, n = 0;
	double total = 0.0;
	size_t i, room = 0;

	for (pair = 0; pair < c->pairs; pair++)
		room += json_array_size(
			report_json_find(c->run[side][pair], "end/latency/buckets_us"));
	*ret = calloc(room + 1, sizeof(**ret));
	if (*ret == NULL)
		return 0;
	for (pair = 0; pair < c->pairs; pair++) {
		buckets = report_json_find(c->run[side][pair], "end/latency/buckets_us");
		json_array_foreach(buckets, i, bucket)
		{
			(*ret)[n].x = json_number_value(json_array_get(bucket, 0));
			(*ret)[n].y = json_number_value(json_array_get(bucket, 1));
			total += (*ret)[n++].y;
		}
	}
	qsort(*ret, n, sizeof(**ret), by_x);
	return sum_up(*ret, n, total);
}

void
compare_plot_latency(const struct compare *c, FILE *out)
{
	struct svg_point *points[COMPARE_SIDES];
	uint32_t n[COMPARE_SIDES];
	struct svg_plot p = {.out = out,
		.width = WIDTH,
		.height = HEIGHT,
		.x_log = true,
		.x_min = INFINITY,
		.y_max = 100.0};
	int s;

	for (s = 0; s < COMPARE_SIDES; s++) {
		n[s] = latency_points(c, (enum compare_side)s, &points[s]);
		if (n[s] == 0)
			continue;
		p.x_min = fmin(p.x_min, points[s][0].x);
		p.x_max = fmax(p.x_max, points[s][n[s] - 1].x);
	}
	if (p.x_max > 0) {
		p.x_min = pow(10.0, floor(log10(fmax(p.x_min, 0.001))));
		p.x_max = fmax(pow(10.0, ceil(log10(p.x_max))), p.x_min * 10.0);
		svg_plot_begin(&p, "Latency of responses, cumulative", "", "% within");
		for (s = 0; s < COMPARE_SIDES; s++)
			svg_plot_line(&p, (uint32_t)s, points[s], n[s], true);
		svg_plot_end(&p);
	}
	for (s = 0; s < COMPARE_SIDES; s++)
		free(points[s]);
}

/* Two bars a bin, side by side. The plot ends where 99 % of one side's do: a single straggler would squeeze
 * the rest into one bin. Longer ones are in the last. */
static void
delay_bars(const struct svg_plot *p, uint32_t side, const double *delay, uint32_t n, double width)
{
	double count[DELAY_BINS] = {0};
	char hint[96];
	uint32_t i, bin;

	for (i = 0; i < n; i++) {
		bin = (uint32_t)fmin(delay[i] / width, DELAY_BINS - 1U);
		count[bin] += 100.0 / n;
	}
	for (bin = 0; bin < DELAY_BINS; bin++) {
		const struct svg_point low = {width * (bin + 0.05 + 0.45 * side), 0.0};
		const struct svg_point high = {low.x + width * 0.42, count[bin]};

		snprintf(hint, sizeof(hint), "%s: %.1f %% of %u in %.1f-%.1f us%s",
			compare_side_name((enum compare_side)side), count[bin], n, width * bin,
			width * (bin + 1), bin + 1 == DELAY_BINS ? ", or longer" : "");
		if (count[bin] > 0)
			svg_plot_bar(p, side, &low, &high, hint);
	}
}

static void
draw_delays(struct svg_plot *p, double *const *delay, const uint32_t *n, double longest)
{
	int s;

	p->x_max = svg_round_up(longest);
	svg_plot_begin(p, "ACK delay in a transfer",
		"microseconds from data to the ACK that covers it, at the interface", "% of ACKs");
	for (s = 0; s < COMPARE_SIDES; s++) {
		if (n[s] > 0)
			delay_bars(p, (uint32_t)s, delay[s], n[s], p->x_max / DELAY_BINS);
	}
	svg_plot_end(p);
}

void
compare_plot_ack_delay(const struct compare *c, FILE *out)
{
	double *delay[COMPARE_SIDES], longest = 0.0;
	struct svg_plot p = {.out = out, .width = WIDTH, .height = HEIGHT, .y_max = 100.0};
	struct compare_acks acks;
	uint32_t n[COMPARE_SIDES];
	int s;

	for (s = 0; s < COMPARE_SIDES; s++) {
		delay[s] = calloc(COMPARE_TRACE_SEGMENTS, sizeof(*delay[s]));
		n[s] = delay[s] != NULL ? compare_trace_delays(c->trace[s], delay[s]) : 0;
		if (compare_trace_acks(c->trace[s], &acks))
			longest = fmax(longest, acks.p99_us);
	}
	if (longest > 0.0)
		draw_delays(&p, delay, n, longest);
	for (s = 0; s < COMPARE_SIDES; s++)
		free(delay[s]);
}

/* One CPU's bar: series 2 user, 3 system, 5 softirq, 4 idle. */
static void
cpu_bar(const struct svg_plot *p, const char *name, double y, const double *seconds)
{
	static const char *const what[] = {"user", "system", "softirq", "idle or idle polling"};
	static const uint32_t series[] = {2, 3, 5, 4};
	double total = seconds[0] + seconds[1] + seconds[2] + seconds[3], at = 0.0;
	char hint[128];
	int i;

	for (i = 0; i < 4 && total > 0; i++) {
		const struct svg_point low = {at, y};
		const struct svg_point high = {at + 100.0 * seconds[i] / total, y + 0.7};

		snprintf(hint, sizeof(hint), "%s: %s %.1f %%", name, what[i],
			100.0 * seconds[i] / total);
		svg_plot_bar(p, series[i], &low, &high, hint);
		at = high.x;
	}
}

/* What our poll core idles away is idle, whatever the kernel calls it: user time first. */
static void
take_idle_polling(const json_t *run, uint32_t cpu, double *seconds)
{
	double idle = compare_idle_polling_seconds_on(run, cpu), from_system, from_user;

	from_user = fmin(idle, seconds[0]);
	from_system = fmin(idle - from_user, seconds[1]);
	seconds[0] -= from_user;
	seconds[1] -= from_system;
	seconds[3] += from_user + from_system;
}

void
compare_plot_cpu(const struct compare *c, FILE *out)
{
	const json_t *cpus, *cpu;
	struct svg_plot p = {
		.out = out, .width = WIDTH, .height = HEIGHT, .x_max = 100.0, .y_named = true};
	double seconds[4];
	char name[64];
	size_t i;
	int s;

	cpus = report_json_find(median_run(c, COMPARE_DPDK), "end/machine/cpus");
	if (json_array_size(cpus) == 0)
		return;
	p.y_max = 2.0 * (double)json_array_size(cpus);
	p.height = fmax(HEIGHT, svg_plot_height_of_names((uint32_t)p.y_max));
	svg_plot_begin(&p, "What each CPU did", "% of the run", "");
	for (s = 0; s < COMPARE_SIDES; s++) {
		const json_t *run = median_run(c, (enum compare_side)s);

		cpus = report_json_find(run, "end/machine/cpus");
		json_array_foreach(cpus, i, cpu)
		{
			seconds[0] = report_json_number(cpu, "user_s");
			seconds[1] = report_json_number(cpu, "system_s");
			seconds[2] = report_json_number(cpu, "softirq_s");
			seconds[3] = report_json_number(cpu, "idle_s");
			if (s == COMPARE_DPDK)
				take_idle_polling(run, (uint32_t)i, seconds);
			snprintf(name, sizeof(name), "%s, CPU %zu",
				compare_side_name((enum compare_side)s), i);
			cpu_bar(&p, name, (double)i + 0.15 + s * p.y_max / 2.0, seconds);
			snprintf(name, sizeof(name), "%s %zu",
				compare_side_name((enum compare_side)s), i);
			svg_plot_name_y(&p, (double)i + 0.5 + s * p.y_max / 2.0, name);
		}
	}
	svg_plot_end(&p);
}

static void
timeline(const struct compare_trace *t, enum compare_side side, FILE *out)
{
	struct svg_plot p = {.out = out, .width = WIDE, .height = HEIGHT};
	struct svg_point ack[SEGMENTS_DRAWN];
	char title[96];
	uint32_t i, acks = 0, count = MIN_OF(t->count, SEGMENTS_DRAWN);

	for (i = 0; i < count; i++) {
		const struct compare_segment *s = &t->segment[i];

		p.x_max = fmax(p.x_max, (double)s->time_ns / 1e3);
		p.y_max = fmax(p.y_max, (double)(s->offset + s->len) / 1024.0);
		if (!s->from_server && (s->flags & TCP_SYN) == 0)
			ack[acks++] = (struct svg_point){
				(double)s->time_ns / 1e3, (double)s->offset / 1024.0};
	}
	if (p.x_max <= 0 || p.y_max <= 0)
		return;
	snprintf(title, sizeof(title), "%s: the server's segments (strokes) and our ACKs (line)",
		compare_side_name(side));
	svg_plot_begin(&p, title, "microseconds since the SYN", "KiB of the stream");
	for (i = 0; i < count; i++) {
		const struct compare_segment *s = &t->segment[i];

		if (s->from_server && s->len > 0)
			svg_plot_stroke(&p, 2, (double)s->time_ns / 1e3, (double)s->offset / 1024.0,
				(double)(s->offset + s->len) / 1024.0);
	}
	svg_plot_line(&p, (uint32_t)side, ack, acks, true);
	svg_plot_end(&p);
}

/* The packets of data and their ACKs in a row, as they passed. */
static void
packet_row(const struct compare_trace *t, enum compare_side side, FILE *out)
{
	uint32_t i, n = 0;

	fprintf(out, "<p class=\"packets\">%s:", compare_side_name(side));
	for (i = 0; i < t->count && n < PACKETS_IN_A_ROW; i++) {
		const struct compare_segment *s = &t->segment[i];

		if ((s->flags & TCP_SYN) != 0 || (s->from_server && s->len == 0))
			continue;
		fputs(s->from_server ? " P" : s->len > 0 ? " Q" : " <b>A</b>", out);
		n++;
	}
	fputs("</p>\n", out);
}

void
compare_plot_timeline(const struct compare *c, FILE *out)
{
	bool any = false;
	int s;

	for (s = 0; s < COMPARE_SIDES; s++) {
		if (c->trace[s] == NULL)
			continue;
		if (!any)
			fputs("<h2>The beginning of a transfer</h2>\n<p class=\"dim\">One request, "
			      "seen "
			      "by a packet socket on the interface. In the rows: Q our request, P "
			      "a "
			      "segment with data, A an ACK of ours.</p>\n",
				out);
		any = true;
		timeline(c->trace[s], (enum compare_side)s, out);
		packet_row(c->trace[s], (enum compare_side)s, out);
	}
}
