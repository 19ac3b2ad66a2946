/* SPDX-License-Identifier: BSD-3-Clause */
#include "html_page.h"
#include "nic_test_report_priv.h"
#include "xml_text.h"

static const char style[] =
	":root{--fail:#c62828}\n"
	"@media (prefers-color-scheme:dark){:root{--fail:#ef9a9a}}\n"
	".PASS,.FAIL,.SKIPPED{font-weight:600}.PASS{color:var(--s2)}.FAIL{color:var(--fail)}"
	".SKIPPED{color:var(--dim)}\n"
	".tests th,.tests td{text-align:left;vertical-align:top}"
	".tests .number{text-align:right}\n"
	".tests table{margin:4px 0 8px}.tests table tr:last-child td{border-bottom:0}\n"
	".text{white-space:pre-line;overflow-wrap:anywhere}summary{cursor:pointer}\n";

static void
write_verdict(FILE *out, const char *element, enum nic_test_verdict verdict)
{
	const char *name = nic_test_verdict_name(verdict);

	fprintf(out, "<%s class=\"%s\">%s</%s>", element, name, name, element);
}

static void
write_text_cell(FILE *out, const char *text)
{
	fputs("<td class=\"text\">", out);
	xml_text(out, text);
	fputs("</td>", out);
}

static void
write_head(const struct nic_test_report *report, FILE *out)
{
	const char *driver = json_string_value(json_object_get(report->environment, "driver"));

	html_page_begin(out, "dpfetch nic test", style);
	fputs("<h1>Acceptance test of ", out);
	xml_text(out, report->nic);
	fputs("</h1>\n<p class=\"dim\">", out);
	if (driver != NULL) {
		fputs("driver ", out);
		xml_text(out, driver);
		fputs(", ", out);
	}
	if (report->url != NULL) {
		fputs("server ", out);
		html_page_url(out, report->url);
		fputs(", ", out);
	}
	fputs("dpfetch " DPFETCH_VERSION, out);
	if (report->started != NULL) {
		fputs(", ", out);
		xml_text(out, report->started);
	}
	fputs("</p>\n<p>", out);
	write_verdict(out, "span", nic_test_report_verdict(report));
	fputs(": ", out);
	nic_test_report_summary(report, out);
	fputs("</p>\n", out);
}

static void
write_cases(const struct nic_test_result *r, FILE *out)
{
	uint32_t i;

	fputs("<table>\n", out);
	for (i = 0; i < r->case_count; i++) {
		fputs("<tr>", out);
		write_verdict(out, "td", r->cases[i].verdict);
		write_text_cell(out, r->cases[i].name);
		write_text_cell(out, r->cases[i].text);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

static void
write_values(const struct nic_test_result *r, FILE *out)
{
	char text[NIC_TEST_FIGURE_MAX];
	uint32_t i;

	fputs("<table>\n", out);
	for (i = 0; i < r->value_count; i++) {
		fputs("<tr>", out);
		write_text_cell(out, r->values[i].name);
		fprintf(out, "<td class=\"number\">%s</td></tr>\n",
			nic_test_figure_text(r->values[i].value, text));
	}
	fputs("</table>\n", out);
}

static void
write_how_many(FILE *out, const char *what, uint32_t count, const char *before)
{
	if (count > 0)
		fprintf(out, "%s%u %s%s", before, count, what, count == 1 ? "" : "s");
}

/* Cases and figures, open where something failed. */
static void
write_details(const struct nic_test_result *r, FILE *out)
{
	if (r->case_count + r->value_count == 0)
		return;
	fprintf(out, "<details%s><summary class=\"dim\">",
		r->verdict == NIC_TEST_FAIL ? " open" : "");
	write_how_many(out, "case", r->case_count, "");
	write_how_many(out, "figure", r->value_count, r->case_count > 0 ? ", " : "");
	fputs("</summary>\n", out);
	if (r->case_count > 0)
		write_cases(r, out);
	if (r->value_count > 0)
		write_values(r, out);
	fputs("</details>", out);
}

static void
write_test(const struct nic_test_result *r, FILE *out)
{
	fputs("<tr><td>", out);
	xml_text(out, r->name);
	fputs("</td>", out);
	write_verdict(out, "td", r->verdict);
	fprintf(out, "<td class=\"number\">%.1f</td><td><span class=\"text\">", r->seconds);
	xml_text(out, r->text);
	fputs("</span>\n", out);
	write_details(r, out);
	fputs("</td></tr>\n", out);
}

static void
write_page(const struct nic_test_report *report, FILE *out)
{
	uint32_t i;

	write_head(report, out);
	fputs("<h2>Tests</h2>\n<table class=\"tests\"><tr><th>test</th><th>verdict</th>"
	      "<th class=\"number\">seconds</th><th>what was found</th></tr>\n",
		out);
	for (i = 0; i < report->count; i++)
		write_test(&report->results[i], out);
	fputs("</table>\n", out);
	if (report->environment != NULL)
		html_page_facts(out, "Environment", report->environment);
	html_page_end(out);
}

int
nic_test_report_html(const struct nic_test_report *report, const char *path)
{
	return nic_test_report_write(report, path, write_page);
}
