/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_check.h"
#include "report_variable.h"
#include "wire_ipv4.h"

static const char *
ip_text(uint32_t address, char *buf)
{
	return ipv4_addr_format(address, buf);
}

static double
speed_of(const struct report *r)
{
	return report_goodput_bps(r) / 8.0;
}

static double
percentile_us(const struct report *r, double percent)
{
	return (double)histogram_percentile(&r->ack_delay, percent) / 1e3;
}

static const char *
framing_text(const struct report *r)
{
	switch (r->result.framing) {
	case HTTP_FRAMING_UNKNOWN:
		return "unknown";
	case HTTP_FRAMING_NONE:
		return "none";
	case HTTP_FRAMING_LENGTH:
		return "content-length";
	case HTTP_FRAMING_CHUNKED:
		return "chunked";
	case HTTP_FRAMING_CLOSE:
		return "close";
	}
	CHECK(false);
}

static const char *
sink_text(const struct report *r)
{
	return r->path == NULL ? sink_method_name(SINK_METHOD_DISCARD)
			       : sink_method_name(r->sink.method);
}

#define TEXT(name, expression, help)                                      \
	static const char *text_##name(const struct report *r, char *buf) \
	{                                                                 \
		(void)r;                                                  \
		(void)buf;                                                \
		return expression;                                        \
	}
#define WHOLE(name, expression, help)                       \
	static int64_t whole_##name(const struct report *r) \
	{                                                   \
		return (int64_t)(expression);               \
	}
#define REAL(name, expression, help)                      \
	static double real_##name(const struct report *r) \
	{                                                 \
		(void)r;                                  \
		return expression;                        \
	}
#include "report_variables.def"
#undef TEXT
#undef WHOLE
#undef REAL

struct variable {
	const char *name, *help;
	const char *(*text)(const struct report *r, char *buf);
	int64_t (*whole)(const struct report *r);
	double (*real)(const struct report *r);
};

static const struct variable variables[] = {
#define TEXT(name, expression, help) {#name, help, text_##name, NULL, NULL},
#define WHOLE(name, expression, help) {#name, help, NULL, whole_##name, NULL},
#define REAL(name, expression, help) {#name, help, NULL, NULL, real_##name},
#include "report_variables.def"
#undef TEXT
#undef WHOLE
#undef REAL
};

uint32_t
report_variable_count(void)
{
	return sizeof(variables) / sizeof(variables[0]);
}

const char *
report_variable_name(uint32_t index)
{
	return variables[index].name;
}

bool
report_variable_describe(uint32_t index, const char **ret_name, const char **ret_help)
{
	if (index >= report_variable_count())
		return false;
	*ret_name = variables[index].name;
	*ret_help = variables[index].help;
	return true;
}

void
report_variable_get(const struct report *r, uint32_t index, struct report_value *ret)
{
	const struct variable *v = &variables[index];

	if (v->text != NULL) {
		ret->kind = REPORT_TEXT;
		ret->text = v->text(r, ret->buf);
	} else if (v->whole != NULL) {
		ret->kind = REPORT_WHOLE;
		ret->whole = v->whole(r);
	} else {
		ret->kind = REPORT_REAL;
		ret->real = v->real(r);
	}
}
