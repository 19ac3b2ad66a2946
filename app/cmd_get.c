/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "cmd_get.h"
#include "exit_code.h"
#include "get.h"
#include "host_run.h"
#include "lease.h"
#include "lookup.h"

static bool
ready_poll(void *ctx, uint64_t now_ns)
{
	const struct get *g = ctx;
	struct ip_address address;
	struct ether_addr mac;

	(void)now_ns;
	return netstack_ready(g->host.netstack) ||
	       netstack_address_conflict(g->host.netstack, &address, &mac) ||
	       monitor_signal(g->host.monitor) != 0;
}

static int
write_stats(const struct get *g, uint32_t done)
{
	int rc;

	if (g->settings->stats == NULL)
		return 0;
	rc = report_stats_write(g->settings->stats, g->report, done, g->settings, g->host.port);
	if (rc == 0)
		return 0;
	message_error(&g->host.level, EXIT_CODE_REPORT, "--stats: cannot write '%s': %s",
		g->settings->stats, strerror(-rc));
	return EXIT_CODE_REPORT;
}

/* All URLs in turn. The exit code is the last failure's, so that none goes unseen. */
static int
get_all(struct get *g)
{
	struct fetch_config cfg = {
		.transport = host_transport(&g->host),
	};
	uint32_t i;
	int code = 0, rc;

	http_limits_defaults(&cfg.limits);
	g->fetch = fetch_create(&cfg);
	if (g->fetch == NULL)
		return EXIT_CODE_OUT_OF_MEMORY;
	if (g->host.kernel == NULL)
		worker_run(&g->host.worker, ready_poll, g);
	for (i = 0; i < g->count && monitor_signal(g->host.monitor) == 0; i++) {
		get_one(g, i);
		if (g->report[i].exit_code != 0)
			code = g->report[i].exit_code;
	}
	lookup_end(g);
	rc = write_stats(g, i);
	fetch_shutdown(g->fetch, host_clock_ns(&g->host));
	fetch_destroy(g->fetch);
	return code != 0 ? code : rc;
}

/* curl's rule: on a terminal, unless the body goes there too. */
static bool
wants_meter(const struct get *g)
{
	uint32_t i;

	if (g->settings->silent || !isatty(STDERR_FILENO))
		return false;
	for (i = 0; i < g->count; i++) {
		if (g->target[i].path != NULL && strcmp(g->target[i].path, "-") == 0 &&
			isatty(STDOUT_FILENO))
			return false;
	}
	return true;
}

static bool
keeps_bytes(const struct get *g)
{
	bool keeps = g->digest != SINK_DIGEST_NONE;
	uint32_t i;

	for (i = 0; i < g->count; i++)
		keeps |= g->target[i].path != NULL;
	return keeps;
}

int
cmd_get(const struct settings *s, int *ret_signal)
{
	struct get g = {.settings = s};
	int code, rc;

	*ret_signal = 0;
	g.host.level = message_level_of(s);
	code = get_prepare(&g);
	if (code == 0)
		code = host_check(&g.host, s);
	if (code == 0 && s->check) {
		message_note(&g.host.level, "settings, URLs, core and address are in order");
		get_cleanup(&g);
		return 0;
	}
	if (code == 0) {
		g.host.keeps_bytes = keeps_bytes(&g);
		monitor_block_signals(); /* until here Ctrl-C just ends us */
		code = host_start(&g.host, wants_meter(&g));
	}
	if (code == 0) {
		code = lease_ensure(&g.host);
		code = code != 0 ? code : get_all(&g);
		g.host.failed = code != 0;
		rc = host_stop(&g.host);
		code = code != 0 ? code : rc;
	}
	*ret_signal = g.host.signo;
	get_cleanup(&g);
	return code;
}
