/* SPDX-License-Identifier: BSD-3-Clause */
#include "doctor_report.h"
#include "report_json.h"

static const char *const names[] = {
	[NIC_VERDICT_OK] = "ok", [NIC_VERDICT_WARNING] = "warning", [NIC_VERDICT_ERROR] = "ERROR"};
static const char *const keys[] = {
	[NIC_VERDICT_OK] = "ok", [NIC_VERDICT_WARNING] = "warning", [NIC_VERDICT_ERROR] = "error"};

void
doctor_report_add(void *ctx, const struct nic_finding *f)
{
	struct doctor_report *r = ctx;

	if (r->count < DOCTOR_FINDINGS_MAX)
		r->finding[r->count++] = *f;
}

uint32_t
doctor_report_count(const struct doctor_report *r, enum nic_verdict verdict)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->count; i++)
		n += r->finding[i].verdict == verdict;
	return n;
}

void
doctor_report_text(const struct doctor_report *r, FILE *file)
{
	const struct nic_finding *f;
	uint32_t i;

	for (i = 0; i < r->count; i++) {
		f = &r->finding[i];
		fprintf(file, "%-8s %-10s  %s\n", names[f->verdict], f->subject, f->text);
		if (f->remedy[0] != '\0')
			fprintf(file, "%-8s %-10s  -> %s\n", "", "", f->remedy);
	}
	fprintf(file, "%u ok, %u warnings, %u errors\n", doctor_report_count(r, NIC_VERDICT_OK),
		doctor_report_count(r, NIC_VERDICT_WARNING),
		doctor_report_count(r, NIC_VERDICT_ERROR));
}

json_t *
doctor_report_json(const struct doctor_report *r)
{
	json_t *findings = json_array();
	const struct nic_finding *f;
	uint32_t i;

	for (i = 0; i < r->count; i++) {
		f = &r->finding[i];
		json_array_append_new(findings,
			json_pack("{s:s, s:s, s:o, s:o}", "verdict", keys[f->verdict], "subject",
				f->subject, "text", report_json_text(f->text), "remedy",
				f->remedy[0] != '\0' ? report_json_text(f->remedy) : json_null()));
	}
	return json_pack("{s:i, s:i, s:i, s:i, s:o}", "schema", REPORT_JSON_SCHEMA, "ok",
		(int)doctor_report_count(r, NIC_VERDICT_OK), "warnings",
		(int)doctor_report_count(r, NIC_VERDICT_WARNING), "errors",
		(int)doctor_report_count(r, NIC_VERDICT_ERROR), "findings", findings);
}
