/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "nic_doctor.h"

/** What doctor found, in its order. */
#define DOCTOR_FINDINGS_MAX 64U

struct doctor_report {
	struct nic_finding finding[DOCTOR_FINDINGS_MAX];
	uint32_t count;
};

/** A nic_finding_fn; ctx is the struct doctor_report. */
void doctor_report_add(void *ctx, const struct nic_finding *f);

/** How many findings have this verdict. */
uint32_t doctor_report_count(const struct doctor_report *r, enum nic_verdict verdict);

/** For people: a line for each, the command that mends it below, and a line that sums up. */
void doctor_report_text(const struct doctor_report *r, FILE *file);

/** For programs. NULL: no memory. */
json_t *doctor_report_json(const struct doctor_report *r);

#endif
