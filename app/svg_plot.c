/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "base_bytes.h"
#include "svg_plot.h"
#include "xml_text.h"

#define LEFT 64.0
#define RIGHT 30.0
#define TOP 30.0
#define BOTTOM 44.0
#define TICKS 5
#define NAME_ROOM 15.0 /* px, of a line of the style's 12px text */

double
svg_round_up(double value)
{
	double power = pow(10.0, floor(log10(value))), lead = value / power;

	return power * (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0);
}

static double
share(double value, double low, double high)
{
	return fmin(fmax((value - low) / (high - low), 0.0), 1.0);
}

static double
x_of(const struct svg_plot *p, double x)
{
	double s = p->x_log ? share(log10(fmax(x, p->x_min)), log10(p->x_min), log10(p->x_max))
			    : share(x, p->x_min, p->x_max);

	return LEFT + s * (p->width - LEFT - RIGHT);
}

static double
y_of(const struct svg_plot *p, double y)
{
	return p->height - BOTTOM - share(y, p->y_min, p->y_max) * (p->height - TOP - BOTTOM);
}

static void
write_text(const struct svg_plot *p, const char *class, const char *anchor, double x, double y,
	const char *text)
{
	fprintf(p->out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class,
		anchor, x, y);
	xml_text(p->out, text);
	fputs("</text>\n", p->out);
}

static void
write_line(const struct svg_plot *p, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(p->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		class, x1, y1, x2, y2);
}

/* A time in us, with the unit that makes it short. */
static void
time_label(double us, char *buf, size_t room)
{
	if (us >= 1e6)
		snprintf(buf, room, "%.4g s", us / 1e6);
	else if (us >= 1e3)
		snprintf(buf, room, "%.4g ms", us / 1e3);
	else
		snprintf(buf, room, "%.4g us", us);
}

static void
tick_x(const struct svg_plot *p, double x)
{
	char text[32];

	if (p->x_log)
		time_label(x, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%.4g", x);
	write_line(p, "grid", x_of(p, x), y_of(p, p->y_min), x_of(p, x), y_of(p, p->y_max));
	write_text(p, "label", "middle", x_of(p, x), p->height - BOTTOM + 16.0, text);
}

static void
tick_y(const struct svg_plot *p, double y)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4g", y);
	write_line(p, "grid", LEFT, y_of(p, y), p->width - RIGHT, y_of(p, y));
	write_text(p, "label", "end", LEFT - 6.0, y_of(p, y) + 4.0, text);
}

/* Round values of a linear axis. */
static void
ticks(const struct svg_plot *p, double low, double high,
	void (*tick)(const struct svg_plot *p, double at))
{
	double step = svg_round_up((high - low) / TICKS), first = ceil(low / step - 1e-9);
	int i, count = (int)floor(high / step + 1e-6 - first);

	for (i = 0; i <= count; i++)
		tick(p, (first + i) * step);
}

static void
ticks_x(const struct svg_plot *p)
{
	int power, last;

	if (!p->x_log) {
		ticks(p, p->x_min, p->x_max, tick_x);
		return;
	}
	last = (int)floor(log10(p->x_max) + 1e-6);
	for (power = (int)ceil(log10(p->x_min) - 1e-9); power <= last; power++)
		tick_x(p, pow(10.0, power));
}

void
svg_plot_begin(
	const struct svg_plot *p, const char *title, const char *x_title, const char *y_title)
{
	fprintf(p->out,
		"<svg role=\"img\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
		"xmlns=\"http://www.w3.org/2000/svg\">\n<title>",
		p->width, p->height, p->width, p->height);
	xml_text(p->out, title);
	fputs("</title>\n", p->out);
	ticks_x(p);
	if (!p->y_named)
		ticks(p, p->y_min, p->y_max, tick_y);
	write_line(p, "axis", LEFT, y_of(p, p->y_min), p->width - RIGHT, y_of(p, p->y_min));
	write_line(p, "axis", LEFT, y_of(p, p->y_min), LEFT, y_of(p, p->y_max));
	write_text(p, "heading", "start", LEFT, 18.0, title);
	write_text(
		p, "label", "middle", (LEFT + p->width - RIGHT) / 2.0, p->height - 10.0, x_title);
	fprintf(p->out,
		"<text class=\"label\" text-anchor=\"middle\" transform=\"rotate(-90)\" "
		"x=\"%.1f\" y=\"14\">",
		-(TOP + p->height - BOTTOM) / 2.0);
	xml_text(p->out, y_title);
	fputs("</text>\n", p->out);
}

void
svg_plot_name_y(const struct svg_plot *p, double y, const char *name)
{
	write_text(p, "label", "end", LEFT - 6.0, y_of(p, y) + 4.0, name);
}

double
svg_plot_height_of_names(uint32_t names)
{
	return TOP + names * NAME_ROOM + BOTTOM;
}

void
svg_plot_end(const struct svg_plot *p)
{
	fputs("</svg>\n", p->out);
}

void
svg_plot_line(const struct svg_plot *p, uint32_t series, const struct svg_point *point, uint32_t n,
	bool steps)
{
	uint32_t i;

	if (n == 0)
		return;
	fprintf(p->out, "<polyline class=\"line s%u\" points=\"", series);
	for (i = 0; i < n; i++) {
		if (steps && i > 0)
			fprintf(p->out, "%.1f,%.1f ", x_of(p, point[i].x), y_of(p, point[i - 1].y));
		fprintf(p->out, "%.1f,%.1f ", x_of(p, point[i].x), y_of(p, point[i].y));
	}
	fputs("\"/>\n", p->out);
}

void
svg_plot_stroke(const struct svg_plot *p, uint32_t series, double x, double y_low, double y_high)
{
	char class[24];

	snprintf(class, sizeof(class), "stroke s%u", series);
	write_line(p, class, x_of(p, x), y_of(p, y_low), x_of(p, x),
		fmin(y_of(p, y_high), y_of(p, y_low) - 1.0));
}

void
svg_plot_bar(const struct svg_plot *p, uint32_t series, const struct svg_point *low,
	const struct svg_point *high, const char *hint)
{
	double x = x_of(p, low->x), y = y_of(p, high->y);

	fprintf(p->out,
		"<rect class=\"bar f%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%.1f\"><title>",
		series, x, y, fmax(x_of(p, high->x) - x, 0.0), fmax(y_of(p, low->y) - y, 0.0));
	xml_text(p->out, hint);
	fputs("</title></rect>\n", p->out);
}
