/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "nic_test_report_priv.h"
#include "utf8.h"

#define NAME_WIDTH 20U
#define CASE_WIDTH 22U
#define TEXT_COLUMN 41U /* where texts begin, of tests and of cases */

uint32_t
nic_test_report_count(const struct nic_test_report *report, enum nic_test_verdict verdict)
{
	uint32_t i, n = 0;

	for (i = 0; i < report->count; i++)
		n += report->results[i].verdict == verdict;
	return n;
}

enum nic_test_verdict
nic_test_report_verdict(const struct nic_test_report *report)
{
	if (report->count == 0 || nic_test_report_count(report, NIC_TEST_FAIL) > 0)
		return NIC_TEST_FAIL;
	return nic_test_report_count(report, NIC_TEST_PASS) > 0 ? NIC_TEST_PASS : NIC_TEST_SKIPPED;
}

/* Is it one that a terminal obeys, or none at all? */
static bool
controls(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == UTF8_REPLACEMENT;
}

/* Writes text, lines after the first at indent. Returns how many characters the last line has. */
static uint32_t
put_text(FILE *out, const char *text, uint32_t indent)
{
	const char *next;
	uint32_t code, width = 0;

	for (; *text != '\0'; text = next) {
		next = text;
		code = utf8_next(&next);
		if (code == '\n' && *next == '\0')
			break;
		width = code == '\n' ? 0 : width + 1;
		if (code == '\n')
			fprintf(out, "\n%*s", (int)indent, "");
		else if (controls(code))
			fputc(code == '\t' ? ' ' : '?', out);
		else
			fwrite(text, 1, (size_t)(next - text), out);
	}
	return width;
}

/* The columns that are the same of tests and cases: a name, filled up to width. */
static void
put_name(FILE *out, const char *name, uint32_t width)
{
	uint32_t used = put_text(out, name, 0);

	if (used < width)
		fprintf(out, "%*s", (int)(width - used), "");
}

static void
put_row(FILE *out, const char *verdict, const char *name, const char *text)
{
	fprintf(out, "%-8s %-8s ", "", verdict);
	if (text[0] == '\0') {
		put_text(out, name, 0);
	} else {
		put_name(out, name, CASE_WIDTH);
		fputc(' ', out);
		put_text(out, text, TEXT_COLUMN);
	}
	fputc('\n', out);
}

static void
put_details(const struct nic_test_result *r, bool figures, FILE *out)
{
	char text[NIC_TEST_FIGURE_MAX];
	uint32_t i;

	for (i = 0; i < r->case_count; i++)
		put_row(out, nic_test_verdict_name(r->cases[i].verdict), r->cases[i].name,
			r->cases[i].text);
	for (i = 0; figures && i < r->value_count; i++)
		put_row(out, "", r->values[i].name, nic_test_figure_text(r->values[i].value, text));
}

void
nic_test_report_line(const struct nic_test_result *r, bool all, FILE *out)
{
	fprintf(out, "%-8s ", nic_test_verdict_name(r->verdict));
	put_name(out, r->name, NAME_WIDTH);
	fprintf(out, " %7.1f s", r->seconds);
	if (r->text[0] != '\0') {
		fputs("  ", out);
		put_text(out, r->text, TEXT_COLUMN);
	}
	fputc('\n', out);
	if (all || r->verdict == NIC_TEST_FAIL)
		put_details(r, all, out);
}

void
nic_test_report_summary(const struct nic_test_report *report, FILE *out)
{
	fprintf(out, "%u passed, %u failed, %u skipped in %.*f s\n",
		nic_test_report_count(report, NIC_TEST_PASS),
		nic_test_report_count(report, NIC_TEST_FAIL),
		nic_test_report_count(report, NIC_TEST_SKIPPED), report->seconds < 10.0 ? 1 : 0,
		report->seconds);
}

const char *
nic_test_figure_text(double value, char buf[NIC_TEST_FIGURE_MAX])
{
	bool whole = fabs(value) < 1e15 && (fabs(value) >= 1e5 || value == rint(value));

	(void)snprintf(buf, NIC_TEST_FIGURE_MAX, whole ? "%.0f" : "%.6g", value);
	return buf;
}

int
nic_test_report_write(const struct nic_test_report *report, const char *path,
	void (*write)(const struct nic_test_report *report, FILE *out))
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int rc = 0;

	if (out == NULL)
		return -errno;
	errno = 0;
	write(report, out);
	if (ferror(out) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (fflush(out) != 0 && rc == 0)
		rc = -errno;
	if (out != stdout && fclose(out) != 0 && rc == 0)
		rc = -errno;
	return rc;
}
