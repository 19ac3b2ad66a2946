/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "compare.h"
#include "compare_plots.h"
#include "html_page.h"
#include "xml_text.h"

#define SURE_PAIRS 5U

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
	xml_text(out, f->name);
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
write_head(const struct compare *c, FILE *out)
{
	const struct settings *s = c->settings;
	const char *url = compare_first_url(c);
	uint32_t i, urls = s->urls.count + c->listed.count;

	html_page_begin(out, "dpfetch and the kernel's stack", NULL);
	fputs("<h1>dpfetch's stack and the kernel's, compared</h1>\n<p class=\"dim\">", out);
	if (url != NULL)
		html_page_url(out, url);
	if (urls > 1)
		fprintf(out, " and %u more", urls - 1U);
	if (c->path != NULL)
		fputs(", one transfer at a time", out);
	else
		fprintf(out, ", %llu connection%s, %s", (unsigned long long)s->connections,
			s->connections > 1 ? "s" : "", s->rate > 0 ? "open loop" : "closed loop");
	fprintf(out, "<br>\n<span class=\"key k0\"></span>dpfetch "
		     "<span class=\"key k1\"></span>kernel</p>\n");
	for (i = 0; i < c->warnings; i++) {
		fputs("<p class=\"warning\">", out);
		xml_text(out, c->warning[i]);
		fputs("</p>\n", out);
	}
	for (i = 0; i < c->notes; i++) {
		fputs("<p class=\"dim\">", out);
		xml_text(out, c->note[i]);
		fputs("</p>\n", out);
	}
}

int
compare_report_html_write(const struct compare *c, const json_t *conditions, const char *path)
{
	FILE *out = fopen(path, "we");
	json_t *workload;
	int rc = 0;

	if (out == NULL)
		return -errno;
	workload = compare_workload_facts(c);
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
	html_page_facts(out, "Workload", workload);
	html_page_facts(out, "Conditions", conditions);
	html_page_end(out);
	json_decref(workload);
	if (ferror(out) != 0)
		rc = -EIO;
	if (fclose(out) != 0 && rc == 0)
		rc = -errno;
	return rc;
}
