/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SVG_PLOT_H
#define SVG_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Plots as inline SVG, for HTML pages that need nothing but themselves. Colours are CSS classes:
 * s0, s1, ... of series, axis, grid, label. */

struct svg_plot {
	FILE *out;
	double x_min, x_max, y_min, y_max; /* what the axes span; max above min */
	bool x_log; /* a logarithmic x axis of microseconds: x_min above 0 */
	bool y_named; /* no numbers on the y axis: svg_plot_name_y */
	double width, height; /* of the whole, in px */
};

struct svg_point {
	double x, y;
};

/** Begins the plot: frame, axes with ticks, titles. Texts are escaped. */
void svg_plot_begin(
	const struct svg_plot *p, const char *title, const char *x_title, const char *y_title);
void svg_plot_end(const struct svg_plot *p);

/** Writes name (up to about nine letters) where y is on the axis. */
void svg_plot_name_y(const struct svg_plot *p, double y, const char *name);

/** The least height of a plot whose y axis has so many names, at equal distances, so that none touches
 *  the next one, px. */
double svg_plot_height_of_names(uint32_t names);

/** A line through n points, in the colour of series; steps: it goes right before it goes up. Points
 *  outside of the axes are drawn at their edge. */
void svg_plot_line(const struct svg_plot *p, uint32_t series, const struct svg_point *point,
	uint32_t n, bool steps);

/** A vertical stroke at x from y_low to y_high. */
void svg_plot_stroke(
	const struct svg_plot *p, uint32_t series, double x, double y_low, double y_high);

/** A bar that fills x_low..x_high, y_low..y_high; hint is its tooltip. */
void svg_plot_bar(const struct svg_plot *p, uint32_t series, const struct svg_point *low,
	const struct svg_point *high, const char *hint);

/** The least of 1, 2, 5 times a power of ten that is not below value (above 0): where an axis may
 *  end. */
double svg_round_up(double value);

#endif
