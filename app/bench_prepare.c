/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "bench.h"
#include "exit_code.h"
#include "http_request.h"
#include "report_path.h"
#include "resolve.h"
#include "url_list.h"

#define REQUEST_MAX 65536U /* bytes of a request's head */

static int
out_of_memory(const struct bench *b)
{
	message_error(&b->get.host.level, EXIT_CODE_OUT_OF_MEMORY,
		"out of memory while preparing the requests");
	return EXIT_CODE_OUT_OF_MEMORY;
}

static int
usage(const struct bench *b, const char *message)
{
	message_error(&b->get.host.level, EXIT_CODE_USAGE, "%s", message);
	return EXIT_CODE_USAGE;
}

/* Takes the text over; of no memory for it (NULL), too. */
static int
add_url(struct bench *b, char *text, uint32_t weight)
{
	struct bench_url *grown = realloc(b->url, (b->urls + 1U) * sizeof(*grown));

	if (grown != NULL)
		b->url = grown;
	if (grown == NULL || text == NULL) {
		free(text);
		return out_of_memory(b);
	}
	grown[b->urls++] = (struct bench_url){.text = text, .weight = weight};
	return 0;
}

/* rc: of url_list_read. */
static int
tell_list(const struct bench *b, int rc, uint32_t line)
{
	const char *path = b->settings->url_file;

	if (rc == -ENOMEM)
		return out_of_memory(b);
	if (rc == -EBADMSG) {
		message_error(&b->get.host.level, EXIT_CODE_USAGE,
			"%.200s:%u: this is not \"URL\" or \"WEIGHT URL\", with a weight from 1 to "
			"%u",
			path, line, URL_LIST_WEIGHT_MAX);
		return EXIT_CODE_USAGE;
	}
	message_error(&b->get.host.level, EXIT_CODE_READ_ERROR,
		"--url-file: cannot read '%.200s': %s", path, strerror(-rc));
	return EXIT_CODE_READ_ERROR;
}

static int
read_url_file(struct bench *b)
{
	struct url_list list = {0};
	uint32_t line = 0, i;
	int rc = url_list_read(&list, b->settings->url_file, &line), code;

	code = rc == 0 ? 0 : tell_list(b, rc, line);
	for (i = 0; code == 0 && i < list.count; i++) {
		code = add_url(b, list.item[i].text, list.item[i].weight);
		list.item[i].text = NULL;
	}
	url_list_free(&list);
	return code;
}

static int
collect_urls(struct bench *b)
{
	const struct settings *s = b->settings;
	uint32_t i;
	int code = 0;

	for (i = 0; code == 0 && i < s->urls.count; i++)
		code = add_url(b, strdup(s->urls.item[i]), 1);
	if (code == 0 && s->url_file != NULL)
		code = read_url_file(b);
	if (code == 0 && b->urls == 0)
		code = usage(b, "the --url-file holds no URL");
	return code;
}

static int
write_request(struct bench *b, uint32_t i)
{
	const struct http_request request = {
		.method = "GET",
		.url = &b->get.target[i].url,
		.user_agent = b->settings->user_agent,
		.headers = b->headers.line,
		.headers_count = b->headers.count,
	};
	struct bench_url *u = &b->url[i];
	char *room = malloc(REQUEST_MAX);
	int len;

	if (room == NULL)
		return out_of_memory(b);
	len = http_request_write(&request, room, REQUEST_MAX);
	if (len > 0) /* there may be many: no more than it takes */
		u->request = malloc((size_t)len);
	if (u->request != NULL)
		memcpy(u->request, room, (size_t)len);
	free(room);
	if (len < 0) {
		message_error(&b->get.host.level, EXIT_CODE_SEND_ERROR,
			"the request for '%.200s' is larger than %u bytes", u->text, REQUEST_MAX);
		return EXIT_CODE_SEND_ERROR;
	}
	u->request_len = (uint32_t)len;
	return u->request != NULL ? 0 : out_of_memory(b);
}

static int
parse_limits(struct bench *b)
{
	const struct settings_list *list = &b->settings->fail_if;
	char why[320], message[SETTINGS_MESSAGE_MAX];
	uint32_t i;

	b->limit = calloc(list->count + 1U, sizeof(*b->limit));
	if (b->limit == NULL)
		return out_of_memory(b);
	for (i = 0; i < list->count; i++) {
		if (bench_limit_parse(list->item[i], &b->limit[i], why, sizeof(why)) == 0)
			continue;
		snprintf(message, sizeof(message), "--fail-if: %s", why);
		return usage(b, message);
	}
	return 0;
}

/* What all connections may send ahead, each. */
static uint32_t
request_bytes_ahead(const struct bench *b)
{
	uint32_t largest = 0, i;

	for (i = 0; i < b->urls; i++)
		largest = MAX_OF(largest, b->url[i].request_len);
	return largest * (uint32_t)b->settings->pipeline;
}

static int
prepare_targets(struct bench *b)
{
	uint32_t i;
	int code = 0;

	b->get.target = calloc(b->urls, sizeof(*b->get.target));
	if (b->get.target == NULL ||
		request_headers_make(b->settings, b->settings->cps, &b->headers))
		return out_of_memory(b);
	b->get.count = b->urls;
	for (i = 0; code == 0 && i < b->urls; i++)
		code = get_prepare_target(&b->get, b->url[i].text, &b->get.target[i]);
	for (i = 0; code == 0 && i < b->urls; i++)
		code = write_request(b, i);
	return code;
}

/* At once, not after a load of hours whose figures would be lost. */
static int
check_reports(const struct bench *b)
{
	const struct settings *s = b->settings;
	const struct {
		const char *option, *path;
	} reports[] = {{"stats", s->stats}, {"stats-stream", s->stats_stream}, {"csv", s->csv}};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		rc = reports[i].path != NULL ? report_path_check(reports[i].path) : 0;
		if (rc == 0)
			continue;
		message_error(&b->get.host.level, EXIT_CODE_REPORT,
			"--%s: cannot write '%.200s': %s", reports[i].option, reports[i].path,
			strerror(-rc));
		return EXIT_CODE_REPORT;
	}
	return 0;
}

int
bench_prepare(struct bench *b)
{
	char message[SETTINGS_MESSAGE_MAX];
	int code;

	if (settings_check(b->settings, message) != SETTINGS_OK ||
		resolve_check(b->settings, message) != 0 ||
		request_headers_check(b->settings, message) != 0)
		return usage(b, message);
	if (b->settings->server_pid > 0 && !machine_process_exists((pid_t)b->settings->server_pid))
		return usage(
			b, "--server-pid: there is no such process (pgrep -n nginx finds one)");
	code = parse_limits(b);
	if (code == 0)
		code = check_reports(b);
	if (code == 0)
		code = collect_urls(b);
	if (code == 0)
		code = prepare_targets(b);
	if (code == 0)
		code = host_check(&b->get.host, b->settings);
	if (code == 0)
		code = host_use_queues(&b->get.host, settings_queues(b->settings));
	if (code == 0)
		b->get.host.capacity = host_capacity_of_bench(b->settings, request_bytes_ahead(b));
	return code;
}

void
bench_cleanup(struct bench *b)
{
	uint32_t i;

	get_cleanup(&b->get);
	for (i = 0; i < b->urls; i++) {
		free(b->url[i].text);
		free(b->url[i].request);
	}
	free(b->url);
	free(b->limit);
	request_headers_free(&b->headers);
}
