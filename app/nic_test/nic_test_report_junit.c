/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "nic_test_report_priv.h"
#include "url_shown.h"
#include "xml_text.h"

#define CLASS_MAX 256U
#define TIMESTAMP_MAX 20U /* "2026-11-29T13:58:12": the schema knows no zone */

static void
write_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	xml_text(out, value);
	fputc('"', out);
}

/* <testsuites> and <testsuite> have the same ones. */
static void
write_counts(const struct nic_test_report *report, FILE *out)
{
	fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.3f\"",
		report->count, nic_test_report_count(report, NIC_TEST_FAIL),
		nic_test_report_count(report, NIC_TEST_SKIPPED), report->seconds);
}

static void
write_property(FILE *out, const char *name, const char *value)
{
	fputs("      <property", out);
	write_attribute(out, "name", name);
	write_attribute(out, "value", value);
	fputs("/>\n", out);
}

static void
write_properties(const struct nic_test_report *report, FILE *out)
{
	char *text = report->url != NULL ? url_shown(report->url) : NULL;
	const char *key;
	json_t *value;

	fputs("    <properties>\n", out);
	write_property(out, "nic", report->nic);
	if (text != NULL)
		write_property(out, "url", text);
	free(text);
	json_object_foreach(report->environment, key, value)
	{
		if (strcmp(key, "nic") == 0)
			continue; /* the same */
		text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		write_property(out, key, text != NULL ? text : json_string_value(value));
		free(text);
	}
	fputs("    </properties>\n", out);
}

static void
write_line(FILE *out, const char *first, const char *name, const char *text)
{
	fprintf(out, "%-8s ", first);
	xml_text(out, name);
	if (text[0] != '\0')
		fputs(": ", out);
	xml_text(out, text);
	fputc('\n', out);
}

/* The text, since GitLab shows no message, and the cases to blame. */
static void
write_failure(const struct nic_test_result *r, FILE *out)
{
	uint32_t i;

	fputs("      <failure", out);
	write_attribute(out, "message", r->text);
	write_attribute(out, "type", nic_test_verdict_name(r->verdict));
	fputc('>', out);
	xml_text(out, r->text);
	fputc('\n', out);
	for (i = 0; i < r->case_count; i++) {
		if (r->cases[i].verdict == NIC_TEST_FAIL)
			write_line(out, nic_test_verdict_name(NIC_TEST_FAIL), r->cases[i].name,
				r->cases[i].text);
	}
	fputs("</failure>\n", out);
}

static void
write_output(const struct nic_test_result *r, FILE *out)
{
	char figure[NIC_TEST_FIGURE_MAX];
	uint32_t i;

	fputs("      <system-out>", out);
	xml_text(out, r->text);
	fputc('\n', out);
	for (i = 0; i < r->case_count; i++)
		write_line(out, nic_test_verdict_name(r->cases[i].verdict), r->cases[i].name,
			r->cases[i].text);
	for (i = 0; i < r->value_count; i++)
		write_line(out, "", r->values[i].name,
			nic_test_figure_text(r->values[i].value, figure));
	fputs("</system-out>\n", out);
}

static void
write_test(const struct nic_test_result *r, const char *class, FILE *out)
{
	fputs("    <testcase", out);
	write_attribute(out, "classname", class);
	write_attribute(out, "name", r->name);
	fprintf(out, " time=\"%.3f\">\n", r->seconds);
	switch (r->verdict) {
	case NIC_TEST_FAIL:
		write_failure(r, out);
		break;
	case NIC_TEST_PASS:
		break;
	case NIC_TEST_SKIPPED:
		fputs("      <skipped", out);
		write_attribute(out, "message", r->text);
		fputs("/>\n", out);
		break;
	}
	write_output(r, out);
	fputs("    </testcase>\n", out);
}

/* What stands before the last dot is the package: the NIC's own dots are none. */
static void
class_name(const char *nic, char buf[CLASS_MAX])
{
	char *at;
	int prefix = snprintf(buf, CLASS_MAX, "dpfetch.nic_test.");

	(void)snprintf(buf + prefix, CLASS_MAX - (size_t)prefix, "%s", nic);
	for (at = buf + prefix; *at != '\0'; at++) {
		if (*at == '.')
			*at = '_';
	}
}

static void
write_junit(const struct nic_test_report *report, FILE *out)
{
	char class[CLASS_MAX], timestamp[TIMESTAMP_MAX];
	uint32_t i;

	class_name(report->nic, class);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dpfetch nic test\"",
		out);
	write_counts(report, out);
	fputs(">\n  <testsuite", out);
	write_attribute(out, "name", class);
	write_counts(report, out);
	if (report->started != NULL) {
		(void)snprintf(timestamp, sizeof(timestamp), "%s", report->started);
		write_attribute(out, "timestamp", timestamp);
	}
	fputs(">\n", out);
	write_properties(report, out);
	for (i = 0; i < report->count; i++)
		write_test(&report->results[i], class, out);
	fputs("  </testsuite>\n</testsuites>\n", out);
}

int
nic_test_report_junit(const struct nic_test_report *report, const char *path)
{
	return nic_test_report_write(report, path, write_junit);
}
