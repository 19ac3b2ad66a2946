/* SPDX-License-Identifier: BSD-3-Clause */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base_check.h"
#include "report_variable.h"

static const char *
ip_text(const struct ip_address *address, char *buf)
{
	return address->family == 0 ? "" : ip_address_format(address, buf);
}

static const char *
file_text(const struct report *r)
{
	if (r->path == NULL)
		return "/dev/null";
	return strcmp(r->path, "-") == 0 ? "" : r->path;
}

static const char *
version_text(const struct report *r)
{
	if (r->result.status == 0)
		return "0";
	return r->result.http_minor == 0 ? "1" : "1.1";
}

/* Location against the URL fetched, as curl would follow it. */
static const char *
redirect_text(const struct report *r, char *buf)
{
	CURLU *u = curl_url();
	char *text = NULL;

	buf[0] = '\0';
	if (u != NULL && r->result.status / 100 == 3 && r->headers.location[0] != '\0' &&
		curl_url_set(u, CURLUPART_URL, r->url->canonical, 0) == CURLUE_OK &&
		curl_url_set(u, CURLUPART_URL, r->headers.location, CURLU_NON_SUPPORT_SCHEME) ==
			CURLUE_OK &&
		curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
		snprintf(buf, REPORT_URL_MAX, "%s", text);
	curl_free(text);
	curl_url_cleanup(u);
	return buf;
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
		(void)r;                                    \
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
