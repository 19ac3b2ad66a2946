/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "load.h"

/* --fail-if: a condition on the end's figures, such as p99>1ms or errors>0. */

enum bench_figure {
	BENCH_FIGURE_PERCENTILE, /* pNN of the latency, ns */
	BENCH_FIGURE_MEAN, /* of the latency, ns */
	BENCH_FIGURE_MAX, /* of the latency, ns */
	BENCH_FIGURE_RPS, /* responses a second */
	BENCH_FIGURE_CPS, /* connections established a second */
	BENCH_FIGURE_BPS, /* body bits a second */
	BENCH_FIGURE_ERRORS, /* failed requests, of all kinds */
	BENCH_FIGURE_ERROR_RATE, /* errors / (errors + responses), 0..1 */
	BENCH_FIGURE_NON2XX, /* responses of another status */
	BENCH_FIGURE_UNSENT, /* planned and never sent */
	BENCH_FIGURE_UNANSWERED, /* under way at the end */
};

struct bench_limit {
	enum bench_figure figure;
	double percent; /* of PERCENTILE: 0..100 */
	bool above; /* fails if the figure is above the limit; else if below */
	bool or_equal; /* or equal to it */
	double limit; /* in the figure's unit */
};

/** Reads "FIGURE>LIMIT" (or <, >=, <=), blanks allowed. 0, or -EINVAL with what is wrong in message, of
 *  room bytes. */
int bench_limit_parse(const char *text, struct bench_limit *ret, char *message, size_t room);

/** The figure that the limit is about. */
double bench_limit_figure(const struct bench_limit *limit, const struct load_stats *stats);

/** false: it is a latency's, and there was no whole response that had one. */
bool bench_limit_is_known(const struct bench_limit *limit, const struct load_stats *stats);

/** Does the condition hold, so that the run has failed? So it has, too, where the figure is not known: it
 *  may have been anything. */
bool bench_limit_fails(const struct bench_limit *limit, const struct load_stats *stats);

/** The figure with its unit, for people ("1.234 ms"). buf has room bytes; returns buf. */
const char *bench_limit_format(
	const struct bench_limit *limit, double figure, char *buf, size_t room);

#endif
