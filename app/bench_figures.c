/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_figures.h"

double
bench_figures_seconds(const struct load_stats *s)
{
	return s->end_ns > s->start_ns ? (double)(s->end_ns - s->start_ns) / 1e9 : 0.0;
}

static double
a_second(const struct load_stats *s, uint64_t count)
{
	double seconds = bench_figures_seconds(s);

	return seconds > 0.0 ? (double)count / seconds : 0.0;
}

double
bench_figures_rps(const struct load_stats *s)
{
	return a_second(s, s->counts.responses);
}

double
bench_figures_cps(const struct load_stats *s)
{
	return a_second(s, s->counts.connected);
}

double
bench_figures_bps(const struct load_stats *s)
{
	return a_second(s, 8 * s->counts.body_bytes);
}

uint64_t
bench_figures_errors(const struct load_counts *c)
{
	uint64_t errors = 0;
	int i;

	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		errors += c->errors[i];
	return errors;
}

double
bench_figures_error_rate(const struct load_counts *c)
{
	uint64_t errors = bench_figures_errors(c), ended = errors + c->responses;

	return ended > 0 ? (double)errors / (double)ended : 0.0;
}
