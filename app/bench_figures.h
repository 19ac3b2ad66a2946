/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "load.h"

/* What a load's counts come to. All reports are made from these, so that they cannot disagree. */

/** The measured time in seconds; 0: there was none. */
double bench_figures_seconds(const struct load_stats *s);

/** Whole responses a second; connections established a second; body bits a second. 0 without a
 *  measured time. */
double bench_figures_rps(const struct load_stats *s);
double bench_figures_cps(const struct load_stats *s);
double bench_figures_bps(const struct load_stats *s);

/** Failed requests of all kinds. */
uint64_t bench_figures_errors(const struct load_counts *c);

/** Their share of those that ended, 0..1. */
double bench_figures_error_rate(const struct load_counts *c);

#endif
