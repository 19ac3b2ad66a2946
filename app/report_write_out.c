/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>

#include "report_variable.h"

static void
put_value(const struct report_value *value, FILE *out)
{
	switch (value->kind) {
	case REPORT_TEXT:
		fputs(value->text, out);
		break;
	case REPORT_WHOLE:
		fprintf(out, "%" PRId64, value->whole);
		break;
	case REPORT_REAL:
		fprintf(out, "%.6f", value->real);
		break;
	}
}

/* http_code is three digits in curl: 000 when no response came. */
static bool
put_status(const struct report *r, const char *name, FILE *out)
{
	if (strcmp(name, "http_connect") == 0) {
		fputs("000", out);
		return true;
	}
	if (strcmp(name, "http_code") != 0 && strcmp(name, "response_code") != 0)
		return false;
	fprintf(out, "%03u", r->result.status);
	return true;
}

static void
put_json(const struct report *r, FILE *out)
{
	json_t *object = report_variables_json(r);

	json_dumpf(object, out, JSON_COMPACT);
	json_decref(object);
}

/* %{name} without its frame. The stream that output goes to may change. */
static void
put_variable(const struct report *r, const char *name, FILE **stream, FILE *out, FILE *err)
{
	struct report_value value;
	uint32_t i;

	if (strcmp(name, "stdout") == 0) {
		*stream = out;
		return;
	}
	if (strcmp(name, "stderr") == 0) {
		*stream = err;
		return;
	}
	if (strcmp(name, "json") == 0) {
		put_json(r, *stream);
		return;
	}
	if (put_status(r, name, *stream) || strcmp(name, "onerror") == 0)
		return;
	for (i = 0; i < report_variable_count(); i++) {
		if (strcmp(report_variable_name(i), name) == 0) {
			report_variable_get(r, i, &value);
			put_value(&value, *stream);
			return;
		}
	}
	fprintf(err, "dpfetch: unknown --write-out variable: '%s'\n", name);
}

/* What follows a backslash; returns the characters used. */
static size_t
put_escape(const char *text, FILE *out)
{
	switch (text[0]) {
	case 'n':
		fputc('\n', out);
		return 1;
	case 't':
		fputc('\t', out);
		return 1;
	case 'r':
		fputc('\r', out);
		return 1;
	case '\0':
		fputc('\\', out);
		return 0;
	default:
		fprintf(out, "\\%c", text[0]);
		return 1;
	}
}

void
report_write_out(const struct report *r, const char *format, FILE *out, FILE *err)
{
	FILE *stream = out;
	const char *p = format, *end;
	char name[64];

	while (*p != '\0') {
		end = p[0] == '%' && p[1] == '{' ? strchr(p, '}') : NULL;
		if (end != NULL) {
			if (strncmp(p, "%{onerror}", 10) == 0 && r->exit_code == 0)
				break; /* curl: the rest is for failures only */
			snprintf(name, sizeof(name), "%.*s", (int)(end - p - 2), p + 2);
			put_variable(r, name, &stream, out, err);
			p = end + 1;
		} else if (p[0] == '%' && p[1] == '%') {
			fputc('%', stream);
			p += 2;
		} else if (p[0] == '\\') {
			p += 1 + put_escape(p + 1, stream);
		} else {
			fputc(*p++, stream);
		}
	}
	fflush(stream);
}
