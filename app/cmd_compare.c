/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "cmd_bench.h"
#include "cmd_compare.h"
#include "cmd_get.h"
#include "compare.h"
#include "exit_code.h"
#include "http_url.h"
#include "nic_info.h"
#include "report_path.h"
#include "report_json.h"

static int
usage(const struct compare *c, const char *message)
{
	message_error(&c->level, EXIT_CODE_USAGE, "%s", message);
	return EXIT_CODE_USAGE;
}

/* Now, not when all has been measured. */
static int
check_reports(const struct compare *c)
{
	const struct settings *s = c->settings;
	int code = 0;

	if (s->stats != NULL)
		code = report_path_tell(&c->level, "stats", s->stats, report_path_check(s->stats));
	if (code == 0 && s->html != NULL)
		code = report_path_tell(&c->level, "html", s->html, report_path_check(s->html));
	return code;
}

/* The kernel must have the link, too; the rest is bench's to find wrong. */
static int
check(const struct compare *c)
{
	const struct settings *s = c->settings;
	char message[SETTINGS_MESSAGE_MAX];
	struct nic_info nic;

	if (settings_check(s, message) != SETTINGS_OK)
		return usage(c, message);
	if (nic_info_find(s->nic, &nic) != 0 || nic.interface[0] == '\0') {
		snprintf(message, sizeof(message),
			"compare needs a link that the kernel has, too, and '%.60s' is no "
			"interface of "
			"it (`ip -br link` lists them); a NIC that is bound to a DPDK driver is "
			"not the "
			"kernel's",
			s->nic);
		return usage(c, message);
	}
	return check_reports(c);
}

/* For what is not a load's: the first URL, and the report. What is wrong with the list is for bench to say. */
static int
read_list(struct compare *c)
{
	const char *path = c->settings->url_file;
	struct stat st;
	uint32_t line;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		return usage(c, "compare's runs read the --url-file one after the other: give a "
				"regular file, not standard input or a pipe");
	(void)url_list_read(&c->listed, path, &line);
	return 0;
}

/* What runs are made of: loads, or with -o transfers. */
static int
prepare(struct compare *c)
{
	int code = check(c);

	if (code == 0)
		code = read_list(c);
	return code == 0 && c->settings->outputs.count > 0 ? compare_file_open(c) : code;
}

/* --check: what bench or get, over each stack, says before it begins. */
static int
check_runs(const struct compare *c)
{
	struct settings s = *c->settings;
	int code = 0, side, signo;

	s.command = c->file != NULL ? SETTINGS_GET : SETTINGS_BENCH;
	s.silent = s.show_error = s.compared = true;
	for (side = 0; code == 0 && side < COMPARE_SIDES; side++) {
		s.stack = side == COMPARE_KERNEL ? SETTINGS_STACK_KERNEL : SETTINGS_STACK_DPDK;
		code = c->file != NULL ? cmd_get(&s, &signo) : cmd_bench(&s, &signo);
	}
	if (code == 0)
		message_note(&c->level, "settings, URLs, interface and addresses are in order");
	return code;
}

static void
say_run(const struct compare *c, uint32_t pair, enum compare_side side, const json_t *run)
{
	if (c->path != NULL) {
		message_note(&c->level, "pair %u of %llu, %-7s: %8.3f Gb/s to %s", pair + 1,
			(unsigned long long)c->settings->pairs, compare_side_name(side),
			report_json_number(run, "end/body_bits_per_second") / 1e9,
			c->file != NULL ? c->path : "nowhere");
		return;
	}
	message_note(&c->level, "pair %u of %llu, %-7s: %8.3f Gb/s, %10.1f requests/s, p99 %.1f us",
		pair + 1, (unsigned long long)c->settings->pairs, compare_side_name(side),
		report_json_number(run, "end/body_bits_per_second") / 1e9,
		report_json_number(run, "end/requests_per_second"),
		report_json_number(run, "end/latency/p99_us"));
}

static int
run_side(struct compare *c, enum compare_side side, json_t **ret)
{
	return c->path != NULL ? compare_file_run(c, side, ret) : compare_run(c, side, 0, ret);
}

static int
run_curl(struct compare *c, uint32_t pair)
{
	int code = 0;
	bool done;

	if (!c->settings->curl || c->no_curl || c->curls != pair)
		return 0; /* it has failed before, or cannot be run */
	done = c->path != NULL ? compare_file_curl(c, &c->curl[pair], &code)
			       : compare_run_curl(c, "/dev/null", &c->curl[pair]);
	if (done)
		c->curls = pair + 1;
	else if (c->signo == 0 && code == 0)
		compare_warn(c,
			"curl did not fetch the URL in pair %u and was not tried again: is it "
			"installed, and does `curl -f` get it?",
			pair + 1);
	return code;
}

/* Before the first pair: is there what curl needs? */
static void
prepare_curl(struct compare *c)
{
	char interface[NIC_NAME_MAX];

	if (!c->settings->curl)
		return;
	if (!compare_interface(c, interface)) {
		c->no_curl = true;
		compare_note(c,
			"curl was left out: the kernel has no interface of %.60s that it could be "
			"bound to",
			c->settings->nic);
	}
	if (c->null != NULL)
		c->null->no_curl = c->no_curl;
	if (!c->no_curl)
		compare_run_curl_version(c);
}

/* A B, and curl. 0 or an exit code. */
static int
measure_pair(struct compare *c, uint32_t pair)
{
	json_t *run[COMPARE_SIDES] = {NULL, NULL};
	int code = 0, side;

	for (side = 0; code == 0 && c->signo == 0 && side < COMPARE_SIDES; side++) {
		code = run_side(c, (enum compare_side)side, &run[side]);
		if (code == 0)
			say_run(c, pair, (enum compare_side)side, run[side]);
	}
	if (code != 0 || run[COMPARE_KERNEL] == NULL || c->signo != 0) {
		for (side = 0; side < COMPARE_SIDES; side++)
			json_decref(run[side]);
		return code;
	}
	for (side = 0; side < COMPARE_SIDES; side++)
		c->run[side][pair] = run[side];
	c->pairs = pair + 1;
	return run_curl(c, pair);
}

/* With -o first to nowhere. */
static int
measure_all(struct compare *c, uint32_t pair)
{
	int code;

	if (c->null == NULL)
		return measure_pair(c, pair);
	code = measure_pair(c->null, pair);
	c->signo = c->null->signo;
	if (code != 0 || c->signo != 0)
		return code;
	return measure_pair(c, pair);
}

static int
run_traced(struct compare *c, enum compare_side side, json_t **ret)
{
	return c->path != NULL ? compare_run_get(c, side, "/dev/null", true, ret)
			       : compare_run(c, side, 1, ret);
}

/* One side's transfer, of a URL with this port. */
static void
take_trace(struct compare *c, enum compare_side side, uint16_t port)
{
	char interface[NIC_NAME_MAX];
	json_t *run = NULL;
	struct compare_tap tap;
	int rc = compare_interface(c, interface) ? compare_trace_open(interface, &tap) : -ENODEV;

	if (rc != 0) {
		compare_note(c,
			"no ACK delays and no time line of %s: a packet socket on %.60s cannot be "
			"had: %s",
			compare_side_name(side), c->settings->nic, strerror(-rc));
		return;
	}
	if (run_traced(c, side, &run) == 0)
		json_decref(run);
	c->trace[side] = compare_trace_close(&tap, port);
	if (c->trace[side] == NULL && c->signo == 0)
		compare_note(c,
			"no ACK delays and no time line of %s: a packet socket on %s saw none of "
			"its packets%s",
			compare_side_name(side), interface,
			side == COMPARE_DPDK ? ", as where DPDK has the device to itself" : "");
}

/* One transfer each, looked at by a packet socket. What cannot be had is left out, with a note. */
static void
take_traces(struct compare *c)
{
	const char *first = compare_first_url(c), *why;
	struct http_url url;
	int side;

	if (first == NULL || http_url_parse(first, &url, &why) != 0)
		return;
	for (side = 0; side < COMPARE_SIDES && c->signo == 0; side++)
		take_trace(c, (enum compare_side)side, url.port);
	compare_trace_cut_alike(c->trace[COMPARE_DPDK], c->trace[COMPARE_KERNEL]);
	http_url_free(&url);
}

static int
report(struct compare *c)
{
	const struct settings *s = c->settings;
	FILE *text = s->stats != NULL && strcmp(s->stats, "-") == 0 ? stderr : stdout;
	json_t *conditions = compare_conditions(c);
	int code = 0, rc;

	compare_check_fairness(c, conditions);
	if (!s->silent)
		compare_report_text(c, conditions, text);
	if (s->stats != NULL)
		code = report_path_tell(&c->level, "stats", s->stats,
			compare_report_json_write(c, conditions, s->stats));
	if (s->html != NULL) {
		rc = report_path_tell(&c->level, "html", s->html,
			compare_report_html_write(c, conditions, s->html));
		code = code != 0 ? code : rc;
	}
	json_decref(conditions);
	return code;
}

static int
measure(struct compare *c)
{
	uint32_t pair;
	int code = 0, rc;

	prepare_curl(c);
	for (pair = 0; code == 0 && c->signo == 0 && pair < c->settings->pairs; pair++)
		code = measure_all(c, pair);
	if (c->pairs == 0)
		return code;
	take_traces(c);
	rc = report(c);
	return code != 0 ? code : rc;
}

static void
free_runs(struct compare *c)
{
	uint32_t i;
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		for (i = 0; i < c->pairs; i++)
			json_decref(c->run[side][i]);
		free(c->trace[side]);
	}
}

int
cmd_compare(const struct settings *s, int *ret_signal)
{
	struct compare *c = calloc(1, sizeof(*c));
	sigset_t before;
	int code;

	*ret_signal = 0;
	if (c == NULL)
		return EXIT_CODE_OUT_OF_MEMORY;
	c->settings = s;
	c->level = message_level_of(s);
	code = prepare(c);
	if (code == 0 && s->check) {
		code = check_runs(c);
	} else if (code == 0) {
		child_block_signals(&before);
		code = measure(c);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	*ret_signal = c->signo;
	compare_file_free(c);
	free_runs(c);
	url_list_free(&c->listed);
	free(c);
	return code;
}
