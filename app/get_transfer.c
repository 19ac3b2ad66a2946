/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base_bytes.h"
#include "exit_code.h"
#include "get.h"
#include "host_run.h"
#include "host_trouble.h"
#include "lease.h"
#include "lookup.h"
#include "output.h"

#define PROGRESS_NS NS_PER_MS
#define RETRY_DELAY_FIRST_NS NS_PER_SEC
#define RETRY_DELAY_MAX_NS (600 * NS_PER_SEC) /* curl(1), --retry */

static void
note_header(void *ctx, const char *name, const char *value)
{
	struct report *r = ctx;

	report_note_header(&r->headers, name, value, time(NULL));
}

/* Like note_header, and shown as curl -v shows them. */
static void
show_header(void *ctx, const char *name, const char *value)
{
	note_header(ctx, name, value);
	fprintf(stderr, "< %s: %s\n", name, value);
}

static void
show_status(void *ctx, uint8_t http_minor, uint32_t status)
{
	(void)ctx;
	fprintf(stderr, "< HTTP/1.%u %u\n", http_minor, status);
}

static void
show_request(void *ctx, const char *head, uint32_t len)
{
	const char *at = head, *end;

	(void)ctx;
	while (at < head + len && (end = memchr(at, '\r', (size_t)(head + len - at))) != NULL) {
		fprintf(stderr, "> %.*s\n", (int)(end - at), at);
		at = end + 2;
	}
}

static void
publish_progress(struct get *g, uint64_t now_ns)
{
	const struct fetch_result *result = fetch_result(g->fetch);
	const struct progress p = {
		.bytes = result->body_bytes,
		.total = result->length,
		.elapsed_ns = now_ns - g->start_ns,
	};

	g->progress_ns = now_ns + PROGRESS_NS;
	monitor_progress(g->host.monitor, &p);
}

/* Ctrl-C, a second host with our address, a link that stays down: the transfer ends. After Ctrl-C it
 * has been told once. */
static void
check_troubles(struct get *g, uint64_t now_ns)
{
	static const enum fetch_code codes[] = {
		[HOST_TROUBLE_SIGNAL] = FETCH_ABORTED_BY_CALLBACK,
		[HOST_TROUBLE_LEASE] = FETCH_RECV_ERROR,
		[HOST_TROUBLE_CONFLICT] = FETCH_COULDNT_CONNECT,
		[HOST_TROUBLE_GONE] = FETCH_RECV_ERROR,
		[HOST_TROUBLE_LINK] = FETCH_RECV_ERROR,
	};
	char text[160];
	enum host_trouble trouble = host_trouble_check(&g->host, now_ns, text, sizeof(text));

	if (trouble == HOST_TROUBLE_NONE || (trouble == HOST_TROUBLE_SIGNAL && g->interrupted))
		return;
	g->interrupted = g->interrupted || trouble == HOST_TROUBLE_SIGNAL;
	fetch_cancel(g->fetch, codes[trouble], text, now_ns);
}

static bool
transfer_poll(void *ctx, uint64_t now_ns)
{
	struct get *g = ctx;

	if (now_ns >= g->progress_ns) {
		publish_progress(g, now_ns);
		check_troubles(g, now_ns);
	}
	return fetch_poll(g->fetch, now_ns);
}

static uint64_t
transfer_deadline(void *ctx)
{
	const struct get *g = ctx;

	return output_pending(g->output) ? host_look_again_ns(&g->host) : fetch_deadline(g->fetch);
}

/* The stack stays alive (ARP, ping, closing connections) while we wait for the next try. */
static bool
retry_poll(void *ctx, uint64_t now_ns)
{
	struct get *g = ctx;
	char text[160];

	fetch_tend(g->fetch, now_ns);
	/* Without a lease the next try says so. */
	return now_ns >= g->wait_until_ns || !lease_keep(&g->host, now_ns, text, sizeof(text)) ||
	       monitor_signal(g->host.monitor) != 0 ||
	       monitor_port_gone(g->host.monitor); /* the next try says so */
}

static uint64_t
retry_deadline(void *ctx)
{
	const struct get *g = ctx;

	return g->wait_until_ns;
}

static void
fail(struct report *r, int code, const char *format, const char *text)
{
	r->exit_code = code;
	snprintf(r->error, sizeof(r->error), format, text);
}

/* What was counted before the transfer, to be taken from what is counted after it. */
struct baseline {
	struct counters counters;
	struct worker_usage usage;
	struct port_stats nic;
	struct host_cpu_time cpu;
	struct machine_sample machine;
};

/* The kernel's stack has no port. */
static void
port_counts(const struct host *h, struct port_stats *ret)
{
	*ret = (struct port_stats){0};
	if (h->port != NULL)
		port_stats(h->port, ret);
}

static void
take_baseline(struct get *g, struct baseline *ret)
{
	ret->counters = g->host.counters;
	ret->usage = g->host.worker.usage;
	ret->usage.cpu_ns = host_thread_cpu_ns();
	ret->cpu = host_cpu_time();
	port_counts(&g->host, &ret->nic);
	if (g->settings->compared)
		host_sample_machine(&g->host, &ret->machine);
	histogram_reset(&g->host.ack_delay);
	histogram_reset(&g->host.worker.iteration);
	g->host.worker.usage.iteration_cycles_max = 0;
}

static void
subtract_usage(struct worker_usage *u, const struct worker_usage *from)
{
	u->iterations -= from->iterations;
	u->iterations_busy -= from->iterations_busy;
	u->cycles -= from->cycles;
	u->cycles_busy -= from->cycles_busy;
	u->cpu_ns -= from->cpu_ns;
}

/* compare wants it; for others it is too much to read. */
static void
collect_machine(const struct get *g, struct report *r, const struct baseline *base)
{
	if (!g->settings->compared)
		return;
	if (r->machine == NULL)
		r->machine = malloc(sizeof(*r->machine));
	if (r->machine == NULL)
		return;
	host_sample_machine(&g->host, r->machine);
	machine_sample_subtract(r->machine, &base->machine);
}

static void
collect(struct get *g, struct report *r, const struct baseline *base)
{
	struct host_cpu_time cpu = host_cpu_time();
	int i;

	r->cpu_user_ns = cpu.user_ns - base->cpu.user_ns;
	r->cpu_system_ns = cpu.system_ns - base->cpu.system_ns;
	r->kernel = g->host.kernel != NULL;
	collect_machine(g, r, base);
	r->result = *fetch_result(g->fetch);
	r->counters = g->host.counters;
	for (i = 0; i < COUNTER_COUNT; i++)
		r->counters.value[i] -= base->counters.value[i];
	r->usage = g->host.worker.usage;
	r->usage.cpu_ns = host_thread_cpu_ns();
	subtract_usage(&r->usage, &base->usage);
	port_counts(&g->host, &r->nic);
	port_stats_subtract(&r->nic, &base->nic);
	r->ack_delay = g->host.ack_delay;
	r->iteration = g->host.worker.iteration;
	host_port_info(&g->host, &r->port);
	r->core = g->host.core;
	r->cycles_hz = g->host.kernel == NULL ? port_cycles_hz() : 1;
	r->local_address = r->result.local;
	r->local_port = r->result.local_port;
	r->tcp = r->result.tcp;
	fetch_info(g->fetch, &r->tcp);
}

/* One try. The report says how it went. */
static void
attempt(struct get *g, uint32_t index, struct report *r)
{
	const struct target *t = &g->target[index];
	const struct settings *s = g->settings;
	const struct sink_file_config file = {
		.path = t->path,
		.create_dirs = s->create_dirs,
		.fsync = s->fsync,
		.direct = s->direct,
		.digest = g->digest,
	};
	struct baseline base;
	struct fetch_job job = {
		.url = &t->url,
		.remote = t->remote,
		.remote_port = t->url.port,
		.user_agent = s->user_agent,
		.headers = g->headers.line,
		.headers_count = g->headers.count,
		.fail_on_error = s->fail,
		.sink = &output_ops,
		.on_header = s->verbose ? show_header : note_header,
		.on_request = s->verbose ? show_request : NULL,
		.on_status = s->verbose ? show_status : NULL,
		.on_header_ctx = r,
	};
	int rc;

	r->exit_code = g->host.kernel == NULL ? get_route(g, t, r->error, sizeof(r->error)) : 0;
	if (r->exit_code != 0)
		return;
	rc = output_create(g->host.sink, &file, &g->host.others, &g->output);
	if (rc != 0) {
		fail(r, EXIT_CODE_OUT_OF_MEMORY, "%s", strerror(-rc));
		return;
	}
	job.sink_file = g->output;
	take_baseline(g, &base);
	g->start_ns = host_clock_ns(&g->host);
	job.connect_timeout_ns = get_time_left_ns(g, s->connect_timeout_ns, g->start_ns);
	job.max_time_ns = get_time_left_ns(g, s->max_time_ns, g->start_ns);
	rc = fetch_start(g->fetch, &job, g->start_ns);
	if (rc == 0) {
		host_run(&g->host, transfer_poll, transfer_deadline, g);
		publish_progress(g, host_clock_ns(&g->host));
		collect(g, r, &base);
		r->exit_code = (int)r->result.code;
		snprintf(r->error, sizeof(r->error), "%s", r->result.message);
		output_info(g->output, &r->sink);
	} else {
		fail(r, rc == -EMSGSIZE ? EXIT_CODE_SEND_ERROR : EXIT_CODE_COULDNT_CONNECT,
			"the transfer could not be started: %s", strerror(-rc));
	}
	output_destroy(g->output);
	g->output = NULL;
}

static bool
worth_a_retry(const struct get *g, const struct report *r)
{
	if (r->exit_code == 0 && !r->result.may_retry)
		return false;
	if (g->interrupted || r->attempts > g->settings->retries)
		return false;
	/* What went down a pipe cannot be taken back; a file is begun anew. */
	if (r->result.body_bytes > 0 && r->path != NULL && strcmp(r->path, "-") == 0)
		return false;
	return r->result.may_retry || (g->settings->retry_connrefused && r->result.refused);
}

static void
wait_before_retry(struct get *g, const struct report *r)
{
	uint64_t delay_ns = g->settings->retry_delay_ns;
	uint32_t doublings = MIN_OF(r->attempts - 1U, 10U);

	if (delay_ns == 0)
		delay_ns = MIN_OF(RETRY_DELAY_FIRST_NS << doublings, RETRY_DELAY_MAX_NS);
	if (r->headers.retry_after_ns > 0 &&
		(r->exit_code == 0 || r->exit_code == (int)FETCH_HTTP_RETURNED_ERROR))
		delay_ns = r->headers.retry_after_ns; /* the server knows best (RFC 9110 §10.2.3) */
	message_warning(&g->host.level,
		"%s; trying again in %.1f s (%u of %" PRIu64 " retries used)",
		r->error[0] != '\0' ? r->error : "the server asks to come back later",
		(double)delay_ns / 1e9, r->attempts - 1U, g->settings->retries);
	g->wait_until_ns = host_clock_ns(&g->host) + delay_ns;
	host_run(&g->host, retry_poll, retry_deadline, g);
}

static void
check_digest(const struct get *g, struct report *r)
{
	if (g->digest == SINK_DIGEST_NONE)
		return;
	r->digest_name = sink_digest_name(g->digest);
	if (r->exit_code != 0 || g->digest_hex == NULL || r->result.status == 304 ||
		strcasecmp(g->digest_hex, r->sink.digest_hex) == 0)
		return;
	r->exit_code = EXIT_CODE_CHECKSUM;
	snprintf(r->error, sizeof(r->error),
		"the body's %s is %s, not the one given; %.60s is kept", r->digest_name,
		r->sink.digest_hex, r->path != NULL ? r->path : "nothing");
}

/* Which file it was, what the system said, and what helps. */
static void
explain_write_error(struct report *r)
{
	const char *hint = "";

	if (r->exit_code != EXIT_CODE_WRITE_ERROR || r->sink.error == 0 || r->path == NULL)
		return;
	if (r->sink.error == -ENOENT)
		hint = "; --create-dirs makes missing directories";
	else if (r->sink.error == -ENOSPC || r->sink.error == -EDQUOT)
		hint = "; make room (df -h shows it), or choose another disk with -o";
	else if (r->sink.error == -EACCES || r->sink.error == -EROFS)
		hint = "; choose a place that you may write with -o";
	snprintf(r->error, sizeof(r->error), "Failed writing %.120s: %s: %s%s", r->path,
		r->sink.error_call != NULL ? r->sink.error_call : "write", strerror(-r->sink.error),
		hint);
}

static void
say_how_it_went(const struct get *g, const struct report *r)
{
	const struct message_level *level = &g->host.level;

	if (r->exit_code != 0)
		message_error(level, r->exit_code, "%s", r->error);
	if (r->exit_code != 0 && r->sink.bytes_written > 0 && r->path != NULL &&
		strcmp(r->path, "-") != 0)
		message_error(level, r->exit_code, "the partial file %s is kept: %" PRIu64 " bytes",
			r->path, r->sink.bytes_written);
	if (level->notes && r->result.start_ns > 0 && r->exit_code == 0)
		report_summary(r, stderr);
	report_link_hints(level, &r->counters, g->settings);
	if (g->settings->write_out != NULL)
		report_write_out(r, g->settings->write_out, stdout, stderr);
}

/* What must be there before a connection: our address, theirs, a way between the two. Our address
 * may have been lost with the transfer before. */
static void
prepare_addresses(struct get *g, struct target *t, struct report *r)
{
	char message[SETTINGS_MESSAGE_MAX] = "";

	r->exit_code = lease_ensure(&g->host);
	if (r->exit_code != 0)
		snprintf(message, sizeof(message), "there is no address to fetch %.200s from",
			t->url.canonical);
	g->begun_ns = host_clock_ns(&g->host); /* a lease is the port's, not the transfer's */
	if (r->exit_code == 0 && t->remote.family == 0)
		r->exit_code = lookup_target(g, t, message);
	if (r->exit_code == 0)
		r->exit_code = get_check_route(g, &t->remote, message);
	snprintf(r->error, sizeof(r->error), "%s", message);
	r->resolve_ns = t->resolve_ns;
	r->remote_address = t->remote;
}

/* A failure that our address's loss explains has that exit code. */
static void
blame_address(const struct get *g, struct report *r)
{
	struct ip_address address;
	struct ether_addr mac;

	if (netstack_address_conflict(g->host.netstack, &address, &mac))
		r->exit_code = EXIT_CODE_ADDRESS;
	else if (g->settings->address_dhcp && netstack_address(g->host.netstack) == 0)
		r->exit_code = EXIT_CODE_INTERFACE_FAILED;
}

/* The transfer, and its retries. */
static void
fetch_one(struct get *g, uint32_t index, struct report *r)
{
	monitor_meter(g->host.monitor, true);
	for (;;) {
		r->attempts++;
		attempt(g, index, r);
		if (!worth_a_retry(g, r))
			break;
		wait_before_retry(g, r);
		g->begun_ns = host_clock_ns(&g->host);
		r->headers = (struct report_headers){0};
	}
	monitor_meter(g->host.monitor, false);
	if (r->exit_code != 0 && g->host.kernel == NULL)
		blame_address(g, r);
}

void
get_one(struct get *g, uint32_t index)
{
	struct report *r = &g->report[index];
	struct target *t = &g->target[index];

	*r = (struct report){
		.index = index,
		.url = &t->url,
		.url_given = g->settings->urls.item[index],
		.path = t->path,
	};
	prepare_addresses(g, t, r);
	if (r->exit_code == 0)
		fetch_one(g, index, r);
	check_digest(g, r);
	explain_write_error(r);
	say_how_it_went(g, r);
}
