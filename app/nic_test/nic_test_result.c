/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nic_test_result.h"

const char *
nic_test_verdict_name(enum nic_test_verdict verdict)
{
	switch (verdict) {
	case NIC_TEST_FAIL:
		break;
	case NIC_TEST_PASS:
		return "PASS";
	case NIC_TEST_SKIPPED:
		return "SKIPPED";
	}
	return "FAIL";
}

void
nic_test_conclude(struct nic_test_result *r, enum nic_test_verdict verdict, const char *format, ...)
{
	va_list args;

	r->verdict = verdict;
	va_start(args, format);
	(void)vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
}

void
nic_test_add_case(struct nic_test_result *r, enum nic_test_verdict verdict, const char *name,
	const char *format, ...)
{
	struct nic_test_case *c;
	va_list args;

	if (r->case_count == NIC_TEST_CASES_MAX && verdict != NIC_TEST_FAIL)
		return;
	if (r->case_count < NIC_TEST_CASES_MAX)
		r->case_count++;
	c = &r->cases[r->case_count - 1];
	c->verdict = verdict;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	va_start(args, format);
	(void)vsnprintf(c->text, sizeof(c->text), format, args);
	va_end(args);
}

void
nic_test_add_value(struct nic_test_result *r, const char *name, double value)
{
	struct nic_test_value *v;

	if (!isfinite(value) || r->value_count == NIC_TEST_VALUES_MAX)
		return;
	v = &r->values[r->value_count++];
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
}

/* The first case of that verdict, NULL: there is none. */
static const struct nic_test_case *
first_case(const struct nic_test_result *r, enum nic_test_verdict verdict)
{
	uint32_t i;

	for (i = 0; i < r->case_count; i++) {
		if (r->cases[i].verdict == verdict)
			return &r->cases[i];
	}
	return NULL;
}

void
nic_test_conclude_cases(struct nic_test_result *r, const char *format, ...)
{
	const struct nic_test_case *failed = first_case(r, NIC_TEST_FAIL);
	const struct nic_test_case *skipped = first_case(r, NIC_TEST_SKIPPED);
	va_list args;

	if (failed != NULL) {
		nic_test_conclude(r, NIC_TEST_FAIL, "%s: %.400s", failed->name, failed->text);
		return;
	}
	if (first_case(r, NIC_TEST_PASS) == NULL) {
		if (skipped != NULL)
			nic_test_conclude(
				r, NIC_TEST_SKIPPED, "%s: %.400s", skipped->name, skipped->text);
		else
			nic_test_conclude(r, NIC_TEST_FAIL, "nothing was tried");
		return;
	}
	r->verdict = NIC_TEST_PASS;
	va_start(args, format);
	(void)vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
}
