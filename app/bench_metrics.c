/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_metrics.h"

#define HOST_MAX 64U
#define CONNECTIONS_MAX 16U
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct bench_metrics {
	struct MHD_Daemon *daemon;
	struct bench_metrics_figures figures;
};

static void
heading(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP dpfetch_%s %s\n# TYPE dpfetch_%s %s\n", name, help, name, type);
}

static void
whole(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	heading(out, name, type, help);
	fprintf(out, "dpfetch_%s %" PRIu64 "\n", name, value);
}

static void
write_counts(FILE *out, const struct load_counts *c)
{
	int i;

	whole(out, "requests_total", "counter", "Requests sent.", c->requests);
	heading(out, "responses_total", "counter", "Whole responses, by status class.");
	for (i = 1; i < 10; i++) {
		if (i <= 5 || c->status[i] > 0)
			fprintf(out, "dpfetch_responses_total{status=\"%dxx\"} %" PRIu64 "\n", i,
				c->status[i]);
	}
	heading(out, "errors_total", "counter", "Failed requests, by kind.");
	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		fprintf(out, "dpfetch_errors_total{kind=\"%s\"} %" PRIu64 "\n",
			load_error_name((enum load_error)i), c->errors[i]);
	whole(out, "body_bytes_total", "counter", "Body bytes received.", c->body_bytes);
	whole(out, "connections_total", "counter", "Connections established.", c->connected);
	whole(out, "planned_total", "counter", "Requests planned (open loop).", c->planned);
}

static void
write_last(FILE *out, const struct load_interval *i)
{
	const struct {
		const char *quantile;
		uint64_t ns;
	} latency[] = {{"0.5", i->latency_p50_ns}, {"0.9", i->latency_p90_ns},
		{"0.99", i->latency_p99_ns}, {"1", i->latency_max_ns}};
	size_t q;

	whole(out, "connections_open", "gauge", "Connections established now.", i->open);
	whole(out, "backlog", "gauge", "Requests planned and not yet sent (open loop).",
		i->backlog);
	heading(out, "latency_seconds", "gauge", "Latency in the last interval, by quantile.");
	for (q = 0; q < sizeof(latency) / sizeof(latency[0]); q++)
		fprintf(out, "dpfetch_latency_seconds{quantile=\"%s\"} %.9f\n", latency[q].quantile,
			(double)latency[q].ns / 1e9);
}

char *
bench_metrics_page(const struct bench_metrics_figures *figures)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	write_counts(out, &figures->total);
	write_last(out, &figures->last);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* The libmicrohttpd callback: /metrics and nothing else. */
static enum MHD_Result
answer(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_len, void **state)
{
	const struct bench_metrics *m = ctx;
	bool known = strcmp(url, "/metrics") == 0 && strcmp(method, MHD_HTTP_METHOD_GET) == 0;
	char *page = known ? bench_metrics_page(&m->figures) : strdup("try GET /metrics\n");
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)version;
	(void)data;
	(void)data_len;
	(void)state;
	if (page == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(page);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, CONTENT_TYPE);
	result = MHD_queue_response(connection, known ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
	MHD_destroy_response(response);
	return result;
}

/* Splits where into host and port. */
static bool
split(const char *where, char *host, uint16_t *ret_port)
{
	const char *colon = strrchr(where, ':'), *port = colon != NULL ? colon + 1 : where;
	const char *from = where;
	size_t len = colon != NULL ? (size_t)(colon - where) : 0;
	unsigned long number;

	if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
		from++;
		len -= 2;
	}
	if (len >= HOST_MAX || port[0] == '\0' || port[strspn(port, "0123456789")] != '\0' ||
		strlen(port) > 5 || (colon != NULL && len == 0))
		return false;
	snprintf(host, HOST_MAX, "%.*s", (int)len, from);
	if (colon == NULL)
		snprintf(host, HOST_MAX, "127.0.0.1");
	number = strtoul(port, NULL, 10);
	*ret_port = (uint16_t)number;
	return number > 0 && number <= UINT16_MAX;
}

int
bench_metrics_open(const char *where, struct bench_metrics **ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct bench_metrics *m;
	char host[HOST_MAX];
	uint16_t port;
	bool is_v6;

	if (!split(where, host, &port))
		return -EINVAL;
	is_v6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
	if (!is_v6 && inet_pton(AF_INET, host, &v4.sin_addr) != 1)
		return -EINVAL;
	v4.sin_port = v6.sin6_port = htons(port);
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	errno = 0;
	/* epoll: beside the kernel's connections a scrape's socket may be beyond what select can watch. */
	m->daemon = MHD_start_daemon(MHD_USE_EPOLL | (is_v6 ? MHD_USE_IPv6 : MHD_NO_FLAG), port,
		NULL, NULL, answer, m, MHD_OPTION_SOCK_ADDR,
		is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 10U,
		MHD_OPTION_END);
	if (m->daemon == NULL) {
		free(m);
		return errno != 0 ? -errno : -EIO;
	}
	*ret = m;
	return 0;
}

void
bench_metrics_update(struct bench_metrics *m, const struct bench_metrics_figures *figures)
{
	m->figures = *figures;
}

void
bench_metrics_serve(struct bench_metrics *m, int32_t wait_ms)
{
	MHD_run_wait(m->daemon, wait_ms);
}

void
bench_metrics_close(struct bench_metrics *m)
{
	if (m == NULL)
		return;
	MHD_stop_daemon(m->daemon);
	free(m);
}
