/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "compare_plots.h"
#include "svg_plot.h"

#define SURE_PAIRS 5U

static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#68707a;--grid:#e3e6ea;"
	"--warn:#fff3d6;--warnfg:#6b4a00;--s0:#1565c0;--s1:#d9730d;--s2:#2e7d32;--s3:#8e24aa;"
	"--s4:#b0bec5;--s5:#546e7a}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e8ea;--dim:#9aa3ad;"
	"--grid:#2b3138;--warn:#3a2f12;--warnfg:#ffd98a;--s0:#64b5f6;--s1:#ffb066;--s2:#81c784;"
	"--s3:#ce93d8;--s4:#455a64;--s5:#90a4ae}}\n"
	"body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0 "
	"auto;"
	"max-width:1180px;padding:24px}\n"
	"h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:28px 0 8px}\n"
	".dim{color:var(--dim)}.grid2{display:flex;flex-wrap:wrap;gap:20px}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:4px 14px 4px 0;text-align:right;border-bottom:1px solid var(--grid)}\n"
	"th:first-child,td:first-child{text-align:left}td.better{font-weight:600}\n"
	".warning{background:var(--warn);color:var(--warnfg);padding:8px 12px;margin:6px 0;"
	"border-radius:6px}\n"
	"svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--fg)}\n"
	"svg .label{fill:var(--dim)}svg .heading{font-size:14px;font-weight:600}\n"
	"svg .axis{stroke:var(--dim)}svg .grid{stroke:var(--grid)}\n"
	"svg .line{fill:none;stroke-width:1.8}svg .stroke{stroke-width:1.6}\n"
	"svg .s0{stroke:var(--s0)}svg .s1{stroke:var(--s1)}svg .s2{stroke:var(--s2)}"
	"svg .s3{stroke:var(--s3)}\n"
	"svg .f0{fill:var(--s0)}svg .f1{fill:var(--s1)}svg .f2{fill:var(--s2)}"
	"svg .f3{fill:var(--s3)}svg .f4{fill:var(--s4)}svg .f5{fill:var(--s5)}\n"
	".key{display:inline-block;width:12px;height:12px;border-radius:2px;margin:0 4px 0 12px}\n"
	".k0{background:var(--s0)}.k1{background:var(--s1)}.k2{background:var(--s2)}"
	".k3{background:var(--s3)}.k4{background:var(--s4)}.k5{background:var(--s5)}\n"
	".packets{font:13px/1.7 ui-monospace,monospace;word-spacing:2px}\n"
	".packets b{color:var(--s1)}\n"
	"</style>\n";

static void
cell_text(FILE *out, const struct bootstrap_estimate *e, double scale, bool better)
{
	double value = e->value * scale;
	int decimals = compare_decimals(value);

	fprintf(out, "<td%s>%.*f <span class=\"dim\">%.*f&ndash;%.*f</span></td>",
		better ? " class=\"better\"" : "", decimals, value, decimals, e->low * scale,
		decimals, e->high * scale);
}

static void
write_row(const struct compare *c, const struct compare_figure *f, FILE *out)
{
	struct bootstrap_estimate side[COMPARE_SIDES], ratio;
	bool sure, ours_better;

	if (!compare_figure_estimate(c, f, side, &ratio))
		return;
	/* Better only where the whole interval says so, and is one: of few pairs it is hardly more than a
	 * point. */
	sure = c->pairs >= SURE_PAIRS && (ratio.low > 1.0 || ratio.high < 1.0);
	ours_better = (ratio.value > 1.0) != f->less_is_better;
	fputs("<tr><td>", out);
	svg_text(out, f->name);
	fputs("</td>", out);
	cell_text(out, &side[COMPARE_DPDK], f->scale, sure && ours_better);
	cell_text(out, &side[COMPARE_KERNEL], f->scale, sure && !ours_better);
	if (side[COMPARE_KERNEL].value != 0.0)
		cell_text(out, &ratio, 1.0, false);
	else
		fputs("<td></td>", out);
	fputs("</tr>\n", out);
}

static void
write_table(const struct compare *c, FILE *out)
{
	const struct compare_figure *f;
	uint32_t i, count;

	fputs("<h2>Figures", out);
	if (c->path != NULL)
		fputs(c->file != NULL ? ", to a file" : ", to nowhere (the null sink)", out);
	fprintf(out,
		"</h2>\n<p class=\"dim\">Medians of %u interleaved pairs, with 95 %% "
		"bootstrap intervals; the ratio is dpfetch's to the kernel's. Bold: the better "
		"side, "
		"where the ratio's interval leaves no doubt.</p>\n"
		"<table><tr><th></th><th>dpfetch</th><th>kernel</th><th>ratio</th></tr>\n",
		c->pairs);
	f = compare_figures(&count);
	for (i = 0; i < count; i++)
		write_row(c, &f[i], out);
	fputs("</table>\n", out);
}

static void
write_note(FILE *out)
{
	fputs("<p class=\"dim\">The client's CPU is, of dpfetch, the busy part of the "
	      "poll "
	      "core, which else polls and takes a whole CPU; of the kernel, the client's process, "
	      "without the softirqs that receive for it. The machine's CPU is that of all CPUs, "
	      "server and softirqs included, without idle polling. CPU, frames and what was sent "
	      "again are of the whole run, with ramp, warm-up and end.</p>\n",
		out);
}

static void
write_acks(const struct compare *c, FILE *out)
{
	char text[COMPARE_ACKS_TEXT_MAX];
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		if (compare_trace_acks_text(c->trace[side], text))
			fprintf(out, "<p>%s: %s.</p>\n", compare_side_name((enum compare_side)side),
				text);
	}
}

static void
write_conditions(const json_t *conditions, FILE *out)
{
	/* json_object_foreach wants what is not const. */
	json_t *copy = json_deep_copy(conditions), *value;
	const char *key;
	char *text;

	fputs("<h2>Conditions</h2>\n<table>\n", out);
	json_object_foreach(copy, key, value)
	{
		text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		fputs("<tr><td>", out);
		svg_text(out, key);
		fputs("</td><td>", out);
		svg_text(out, text != NULL ? text : json_string_value(value));
		fputs("</td></tr>\n", out);
		free(text);
	}
	fputs("</table>\n", out);
	json_decref(copy);
}

/* A URL without its user and password: pages are shown around. */
static void
write_url(FILE *out, const char *url)
{
	static const char scheme[] = "http://";
	const char *at;

	if (strncasecmp(url, scheme, sizeof(scheme) - 1) == 0) {
		fputs(scheme, out);
		url += sizeof(scheme) - 1;
	}
	at = memrchr(url, '@', strcspn(url, "/?#"));
	svg_text(out, at != NULL ? at + 1 : url);
}

static void
write_head(const struct compare *c, FILE *out)
{
	const struct settings *s = c->settings;
	const char *url = s->urls.count > 0 ? s->urls.item[0] : s->url_file;
	uint32_t i;

	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<title>dpfetch and the kernel's stack</title>\n",
		out);
	fputs(style, out);
	fputs("</head><body>\n<h1>dpfetch's stack and the kernel's, compared</h1>\n"
	      "<p class=\"dim\">",
		out);
	if (url != NULL)
		write_url(out, url);
	if (c->path != NULL)
		fputs(", one transfer at a time", out);
	else
		fprintf(out, ", %llu connection%s, %s", (unsigned long long)s->connections,
			s->connections > 1 ? "s" : "", s->rate > 0 ? "open loop" : "closed loop");
	fprintf(out, "<br>\n<span class=\"key k0\"></span>dpfetch "
		     "<span class=\"key k1\"></span>kernel</p>\n");
	for (i = 0; i < c->warnings; i++) {
		fputs("<p class=\"warning\">", out);
		svg_text(out, c->warning[i]);
		fputs("</p>\n", out);
	}
}

int
compare_report_html_write(const struct compare *c, const json_t *conditions, const char *path)
{
	FILE *out = fopen(path, "we");
	int rc = 0;

	if (out == NULL)
		return -errno;
	write_head(c, out);
	if (c->null != NULL)
		write_table(c->null, out);
	write_table(c, out);
	if (c->file != NULL)
		compare_file_html(c, out);
	write_note(out);
	write_acks(c, out);
	fputs("<h2>Plots</h2>\n<div class=\"grid2\">\n", out);
	compare_plot_goodput(c, out);
	compare_plot_transfers(c, out);
	compare_plot_latency(c, out);
	compare_plot_ack_delay(c, out);
	compare_plot_cpu(c, out);
	fputs("</div>\n<p class=\"dim\">CPUs: <span class=\"key k2\"></span>user <span class=\"key "
	      "k3\">"
	      "</span>system <span class=\"key k5\"></span>softirq <span class=\"key "
	      "k4\"></span>idle, or "
	      "dpfetch's idle polling</p>\n",
		out);
	compare_plot_timeline(c, out);
	write_conditions(conditions, out);
	fputs("</body></html>\n", out);
	if (ferror(out) != 0)
		rc = -EIO;
	if (fclose(out) != 0 && rc == 0)
		rc = -errno;
	return rc;
}
