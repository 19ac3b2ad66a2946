/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_VARIABLE_H
#define REPORT_VARIABLE_H

#include <jansson.h>

#include "report.h"

enum report_variable_kind { REPORT_TEXT, REPORT_WHOLE, REPORT_REAL };

/** One entry of report_variables.def, with its value read from a report. */
struct report_value {
	enum report_variable_kind kind;
	const char *text; /* REPORT_TEXT; may point into buf */
	double real; /* REPORT_REAL */
	int64_t whole; /* REPORT_WHOLE */
	char buf[REPORT_URL_MAX];
};

/** How many there are. */
uint32_t report_variable_count(void);

/** The name of the index'th. */
const char *report_variable_name(uint32_t index);

/** Reads the index'th from r. */
void report_variable_get(const struct report *r, uint32_t index, struct report_value *ret);

/** All of them as one object, a new reference; NULL: out of memory. */
json_t *report_variables_json(const struct report *r);

#endif
