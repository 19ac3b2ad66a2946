/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "nic_test_report.h"
#include "report_json.h"
#include "url_shown.h"

static const char *
key(enum nic_test_verdict verdict)
{
	switch (verdict) {
	case NIC_TEST_FAIL:
		break;
	case NIC_TEST_PASS:
		return "pass";
	case NIC_TEST_SKIPPED:
		return "skipped";
	}
	return "fail";
}

static json_t *
number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL ? report_json_text(text) : json_null();
}

/* Each NULL: no memory. */
static json_t *
cases_json(const struct nic_test_result *r)
{
	json_t *cases = json_array();
	uint32_t i;

	for (i = 0; i < r->case_count; i++) {
		if (json_array_append_new(cases,
			    json_pack("{s:o, s:s, s:o}", "name", report_json_text(r->cases[i].name),
				    "verdict", key(r->cases[i].verdict), "text",
				    report_json_text(r->cases[i].text))) != 0) {
			json_decref(cases);
			return NULL;
		}
	}
	return cases;
}

static json_t *
values_json(const struct nic_test_result *r)
{
	json_t *values = json_object(), *name;
	uint32_t i;
	int rc;

	for (i = 0; i < r->value_count; i++) {
		name = report_json_text(r->values[i].name);
		rc = name == NULL ? -1
				  : json_object_set_new(values, json_string_value(name),
					    number(r->values[i].value));
		json_decref(name);
		if (rc != 0) {
			json_decref(values);
			return NULL;
		}
	}
	return values;
}

static json_t *
tests_json(const struct nic_test_report *report)
{
	json_t *tests = json_array();
	const struct nic_test_result *r;
	uint32_t i;

	for (i = 0; i < report->count; i++) {
		r = &report->results[i];
		if (json_array_append_new(tests,
			    json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "name",
				    report_json_text(r->name), "verdict", key(r->verdict), "text",
				    report_json_text(r->text), "seconds", number(r->seconds),
				    "cases", cases_json(r), "values", values_json(r))) != 0) {
			json_decref(tests);
			return NULL;
		}
	}
	return tests;
}

int
nic_test_report_json(const struct nic_test_report *report, const char *path)
{
	char *url = report->url != NULL ? url_shown(report->url) : NULL;
	json_t *root;
	int rc;

	root = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:O?, s:o}", "schema",
		NIC_TEST_REPORT_SCHEMA, "verdict", key(nic_test_report_verdict(report)), "nic",
		report_json_text(report->nic), "url", text_or_null(url), "started",
		text_or_null(report->started), "seconds", number(report->seconds), "passed",
		(int)nic_test_report_count(report, NIC_TEST_PASS), "failed",
		(int)nic_test_report_count(report, NIC_TEST_FAIL), "skipped",
		(int)nic_test_report_count(report, NIC_TEST_SKIPPED), "environment",
		report->environment, "tests", tests_json(report));
	free(url);
	if (root == NULL)
		return -ENOMEM;
	rc = report_json_write(root, path);
	json_decref(root);
	return rc;
}
