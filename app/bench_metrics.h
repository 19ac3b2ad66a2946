/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_METRICS_H
#define BENCH_METRICS_H

#include "load.h"

/*
 * --metrics: the load's figures for Prometheus to scrape, at http://ADDRESS:PORT/metrics over the
 * kernel's network. It has no thread of its own: whoever holds it serves.
 */
struct bench_metrics;

/** What is shown. */
struct bench_metrics_figures {
	struct load_counts total; /* from the start of the load, ramp included */
	struct load_interval last; /* the last interval that ended */
};

/** Listens at where: "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT"; without an address on 127.0.0.1.
 *  0 and *ret; -EINVAL: where is none of these; or another -errno. */
int bench_metrics_open(const char *where, struct bench_metrics **ret);

/** Shows these from now on. */
void bench_metrics_update(struct bench_metrics *m, const struct bench_metrics_figures *figures);

/** Answers what is asked, for about wait_ms at most. */
void bench_metrics_serve(struct bench_metrics *m, int32_t wait_ms);

/** Stops listening and frees m. NULL is allowed. */
void bench_metrics_close(struct bench_metrics *m);

/** The page, allocated; the caller's to free. NULL: out of memory. */
char *bench_metrics_page(const struct bench_metrics_figures *figures);

#endif
