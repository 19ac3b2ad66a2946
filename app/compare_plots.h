/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_PLOTS_H
#define COMPARE_PLOTS_H

#include <stdio.h>

#include "compare.h"

/* The plots of compare's HTML page. Each writes one, or nothing where there is nothing to draw. */

/** Goodput over time, of each side's run with the median goodput. */
void compare_plot_goodput(const struct compare *c, FILE *out);

/** With -o: both stacks' and curl's median goodput, to nowhere and to the file. */
void compare_plot_transfers(const struct compare *c, FILE *out);

/** How many of all responses came within a time, over all runs. */
void compare_plot_latency(const struct compare *c, FILE *out);

/** How long data waited for its acknowledgment, from the traces. */
void compare_plot_ack_delay(const struct compare *c, FILE *out);

/** What each CPU did during the run with the median goodput. */
void compare_plot_cpu(const struct compare *c, FILE *out);

/** Sequence and acknowledgment numbers over time at the beginning of a transfer, one plot a side, and
 *  the packets in a row. */
void compare_plot_timeline(const struct compare *c, FILE *out);

#endif
