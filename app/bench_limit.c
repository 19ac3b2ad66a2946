/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_figures.h"
#include "bench_limit.h"

enum unit { UNIT_TIME, UNIT_RATE, UNIT_COUNT, UNIT_SHARE };

static const struct {
	const char *name;
	enum bench_figure figure;
	enum unit unit;
} figures[] = {
	{"mean", BENCH_FIGURE_MEAN, UNIT_TIME},
	{"max", BENCH_FIGURE_MAX, UNIT_TIME},
	{"rps", BENCH_FIGURE_RPS, UNIT_RATE},
	{"cps", BENCH_FIGURE_CPS, UNIT_RATE},
	{"bps", BENCH_FIGURE_BPS, UNIT_RATE},
	{"errors", BENCH_FIGURE_ERRORS, UNIT_COUNT},
	{"error-rate", BENCH_FIGURE_ERROR_RATE, UNIT_SHARE},
	{"non2xx", BENCH_FIGURE_NON2XX, UNIT_COUNT},
	{"unsent", BENCH_FIGURE_UNSENT, UNIT_COUNT},
	{"unanswered", BENCH_FIGURE_UNANSWERED, UNIT_COUNT},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static enum unit
unit_of(enum bench_figure figure)
{
	size_t i;

	for (i = 0; i < FIGURES; i++) {
		if (figures[i].figure == figure)
			return figures[i].unit;
	}
	return UNIT_TIME; /* percentiles */
}

/* A decimal number without sign; *ret_end is left at what follows it. strtod takes hexadecimal, too. */
static bool
parse_decimal(const char *text, double *ret, const char **ret_end)
{
	char *end;

	if (text[0] == '\0' || strchr("0123456789.", text[0]) == NULL)
		return false;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return false;
	*ret = strtod(text, &end);
	*ret_end = end;
	return end != text && isfinite(*ret);
}

/* "p99.9" and the names of the table. */
static bool
parse_figure(const char *text, size_t len, struct bench_limit *ret)
{
	const char *end;
	size_t i;

	if (len > 1 && text[0] == 'p' && parse_decimal(text + 1, &ret->percent, &end)) {
		ret->figure = BENCH_FIGURE_PERCENTILE;
		return end == text + len && ret->percent <= 100.0;
	}
	for (i = 0; i < FIGURES; i++) {
		if (strlen(figures[i].name) == len && strncmp(figures[i].name, text, len) == 0) {
			ret->figure = figures[i].figure;
			return true;
		}
	}
	return false;
}

/* What the suffix multiplies by; 0: it is none of this unit. A time without one would be a guess. */
static double
suffix(enum unit unit, const char *text)
{
	static const struct {
		enum unit unit;
		const char *text;
		double factor;
	} known[] = {{UNIT_TIME, "ns", 1}, {UNIT_TIME, "us", 1e3}, {UNIT_TIME, "ms", 1e6},
		{UNIT_TIME, "s", 1e9}, {UNIT_RATE, "", 1}, {UNIT_RATE, "k", 1e3},
		{UNIT_RATE, "m", 1e6}, {UNIT_RATE, "M", 1e6}, {UNIT_RATE, "g", 1e9},
		{UNIT_RATE, "G", 1e9}, {UNIT_COUNT, "", 1}, {UNIT_SHARE, "", 1},
		{UNIT_SHARE, "%", 0.01}};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].unit == unit && strcmp(known[i].text, text) == 0)
			return known[i].factor;
	}
	return 0;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

int
bench_limit_parse(const char *text, struct bench_limit *ret, char *message, size_t room)
{
	const char *name = skip_blanks(text), *at = name + strcspn(name, " \t<>"), *end;
	size_t len = (size_t)(at - name);
	double factor;

	*ret = (struct bench_limit){0};
	if (!parse_figure(name, len, ret)) {
		snprintf(message, room,
			"'%.60s': there is no figure '%.*s'; there are pNN (p50, p99.9), mean, "
			"max, "
			"rps, cps, bps, errors, error-rate, non2xx, unsent, unanswered",
			text, (int)(len < 40 ? len : 40), name);
		return -EINVAL;
	}
	at = skip_blanks(at);
	if (*at != '<' && *at != '>') {
		snprintf(message, room, "'%.60s': after the figure < or > is expected", text);
		return -EINVAL;
	}
	ret->above = *at++ == '>';
	ret->or_equal = *at == '=';
	at = skip_blanks(at + (ret->or_equal ? 1 : 0));
	if (!parse_decimal(at, &ret->limit, &end) ||
		(factor = suffix(unit_of(ret->figure), end)) <= 0) {
		snprintf(message, room,
			"'%.60s': the limit is not a number with its unit (times: ns, us, ms, s; "
			"rates: "
			"none, k, m, g; error-rate: none or %%)",
			text);
		return -EINVAL;
	}
	ret->limit *= factor;
	return 0;
}

double
bench_limit_figure(const struct bench_limit *limit, const struct load_stats *stats)
{
	switch (limit->figure) {
	case BENCH_FIGURE_PERCENTILE:
		return (double)histogram_percentile(&stats->latency, limit->percent);
	case BENCH_FIGURE_MEAN:
		return histogram_mean(&stats->latency);
	case BENCH_FIGURE_MAX:
		return (double)stats->latency.max;
	case BENCH_FIGURE_RPS:
		return bench_figures_rps(stats);
	case BENCH_FIGURE_CPS:
		return bench_figures_cps(stats);
	case BENCH_FIGURE_BPS:
		return bench_figures_bps(stats);
	case BENCH_FIGURE_ERRORS:
		return (double)bench_figures_errors(&stats->counts);
	case BENCH_FIGURE_ERROR_RATE:
		return bench_figures_error_rate(&stats->counts);
	case BENCH_FIGURE_NON2XX:
		return (double)(stats->counts.responses - stats->counts.status[2]);
	case BENCH_FIGURE_UNSENT:
		return (double)stats->unsent;
	case BENCH_FIGURE_UNANSWERED:
		return (double)stats->unanswered;
	}
	return 0;
}

bool
bench_limit_is_known(const struct bench_limit *limit, const struct load_stats *stats)
{
	return unit_of(limit->figure) != UNIT_TIME || stats->latency.count > 0;
}

bool
bench_limit_fails(const struct bench_limit *limit, const struct load_stats *stats)
{
	double figure = bench_limit_figure(limit, stats);

	if (!bench_limit_is_known(limit, stats))
		return true;
	if (figure > limit->limit)
		return limit->above;
	if (figure < limit->limit)
		return !limit->above;
	return limit->or_equal;
}

const char *
bench_limit_format(const struct bench_limit *limit, double figure, char *buf, size_t room)
{
	switch (unit_of(limit->figure)) {
	case UNIT_TIME:
		snprintf(buf, room, "%.3f ms", figure / 1e6);
		break;
	case UNIT_RATE:
		snprintf(buf, room, "%.1f", figure);
		break;
	case UNIT_COUNT:
		snprintf(buf, room, "%.0f", figure);
		break;
	case UNIT_SHARE:
		snprintf(buf, room, "%.4g %%", figure * 100.0);
		break;
	}
	return buf;
}
