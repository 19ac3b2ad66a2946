/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base_bytes.h"
#include "base_time.h"
#include "binding.h"
#include "cmd_get.h"
#include "cmd_nic_test.h"
#include "exit_code.h"
#include "host.h"
#include "kernel_transport.h"
#include "nic_test.h"
#include "nic_test_report.h"
#include "report_json.h"
#include "report_path.h"

enum need { NEEDS_NOTHING, NEEDS_PORT, NEEDS_SERVER };

struct entry {
	const char *name;
	nic_test_fn run;
	enum need need;
};

/* In this order: the first ones find what the others need, and the longest come last. */
static const struct entry entries[] = {
	{"link", nic_test_link, NEEDS_NOTHING},
	{"fetch", nic_test_fetch, NEEDS_PORT},
	{"mac", nic_test_mac, NEEDS_SERVER},
	{"mtu", nic_test_mtu, NEEDS_SERVER},
	{"checksum-tx", nic_test_checksum_tx, NEEDS_SERVER},
	{"checksum-rx", nic_test_checksum_rx, NEEDS_SERVER},
	{"vlan", nic_test_vlan, NEEDS_SERVER},
	{"rss", nic_test_rss, NEEDS_SERVER},
	{"queues", nic_test_queues, NEEDS_SERVER},
	{"sizes", nic_test_sizes, NEEDS_SERVER},
	{"rates", nic_test_rates, NEEDS_SERVER},
	{"pause", nic_test_pause, NEEDS_SERVER},
	{"flap", nic_test_flap, NEEDS_SERVER},
	{"soak", nic_test_soak, NEEDS_SERVER},
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

/* ---- which tests ---- */

/* Is name one of those in list, which commas part? */
static bool
is_listed(const char *list, const char *name)
{
	size_t len = strlen(name), n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, name, n) == 0)
			return true;
	}
	return false;
}

static bool
is_wanted(const struct settings *s, const struct entry *e)
{
	if (e->need != NEEDS_SERVER)
		return true;
	return (s->only == NULL || is_listed(s->only, e->name)) &&
	       (s->skip == NULL || !is_listed(s->skip, e->name));
}

/* --only and --skip name tests that there are. */
static int
check_names(const struct message_level *level, const char *option, const char *list)
{
	size_t n, i;

	for (; list != NULL && *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		for (i = 0; i < ENTRIES; i++) {
			if (strlen(entries[i].name) == n && strncmp(entries[i].name, list, n) == 0)
				break;
		}
		if (i < ENTRIES)
			continue;
		message_error(level, EXIT_CODE_USAGE,
			"--%s: there is no test '%.*s' (dpfetch nic test --help names them)",
			option, (int)MIN_OF(n, (size_t)60), list);
		return EXIT_CODE_USAGE;
	}
	return 0;
}

/* ---- before ---- */

/* How many reports go to standard output. */
static int
on_standard_output(const struct settings *s)
{
	const char *const path[] = {s->stats, s->junit, s->html};
	int n = 0;
	size_t i;

	for (i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		n += path[i] != NULL && strcmp(path[i], "-") == 0;
	return n;
}

/* Now, not when all has been tried. */
static int
check_reports(const struct message_level *level, const struct settings *s)
{
	const struct {
		const char *option, *path;
	} reports[] = {{"stats", s->stats}, {"junit", s->junit}, {"html", s->html}};
	int code = 0;
	size_t i;

	for (i = 0; i < sizeof(reports) / sizeof(reports[0]) && code == 0; i++) {
		if (reports[i].path != NULL)
			code = report_path_tell(level, reports[i].option, reports[i].path,
				report_path_check(reports[i].path));
	}
	if (code != 0 || on_standard_output(s) < 2)
		return code;
	message_error(level, EXIT_CODE_USAGE,
		"standard output takes one report: give --stats, --junit and --html \"-\" but "
		"once");
	return EXIT_CODE_USAGE;
}

static int
check(const struct message_level *level, const struct settings *s)
{
	char message[SETTINGS_MESSAGE_MAX];
	int code;

	if (settings_check(s, message) != SETTINGS_OK) {
		message_error(level, EXIT_CODE_USAGE, "%s", message);
		return EXIT_CODE_USAGE;
	}
	code = check_names(level, "only", s->only);
	if (code == 0)
		code = check_names(level, "skip", s->skip);
	return code == 0 ? check_reports(level, s) : code;
}

/* As get says before it begins; changes nothing. */
static int
check_as_get(const struct settings *s)
{
	struct settings own = *s;
	int signo;

	own.command = SETTINGS_GET;
	own.check = own.silent = own.show_error = true;
	return cmd_get(&own, &signo);
}

/* ---- the tests ---- */

/* false: it is run. */
static bool
is_in_vain(const struct nic_test *t, const struct entry *e, struct nic_test_result *r)
{
	if (e->need >= NEEDS_PORT && !t->facts.port_known)
		nic_test_conclude(r, NIC_TEST_SKIPPED, "there is no port to try");
	else if (e->need == NEEDS_SERVER && !t->facts.fetched)
		nic_test_conclude(r, NIC_TEST_SKIPPED, "the server was not reached");
	else
		return false;
	return true;
}

static void
run_one(struct nic_test *t, const struct entry *e, struct nic_test_result *r)
{
	uint64_t start_ns = kernel_transport_clock_ns();

	(void)snprintf(r->name, sizeof(r->name), "%s", e->name);
	if (!is_in_vain(t, e, r))
		e->run(t, r);
	r->seconds = (double)(kernel_transport_clock_ns() - start_ns) / 1e9;
}

static uint32_t
run_all(struct nic_test *t, struct nic_test_result *results, FILE *text)
{
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < ENTRIES && t->signo == 0; i++) {
		if (!is_wanted(t->settings, &entries[i]))
			continue;
		run_one(t, &entries[i], &results[count]);
		if (text != NULL)
			nic_test_report_line(&results[count], t->settings->verbose, text);
		if (text != NULL)
			fflush(text);
		count++;
	}
	return count;
}

/* ---- reports ---- */

static int
write_reports(const struct nic_test *t, const struct nic_test_report *report)
{
	const struct settings *s = t->settings;
	int code = 0, rc = 0;

	if (s->stats != NULL)
		code = report_path_tell(
			&t->level, "stats", s->stats, nic_test_report_json(report, s->stats));
	if (s->junit != NULL)
		rc = report_path_tell(
			&t->level, "junit", s->junit, nic_test_report_junit(report, s->junit));
	code = code != 0 ? code : rc;
	if (s->html != NULL)
		rc = report_path_tell(
			&t->level, "html", s->html, nic_test_report_html(report, s->html));
	return code != 0 ? code : rc;
}

/* Standard output may be a report's. */
static FILE *
text_stream(const struct settings *s)
{
	if (s->silent)
		return NULL;
	return on_standard_output(s) > 0 ? stderr : stdout;
}

static bool
has_failed(const struct nic_test_result *results, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (results[i].verdict == NIC_TEST_FAIL)
			return true;
	}
	return false;
}

static int
test_and_report(struct nic_test *t, struct nic_test_result *results)
{
	FILE *text = text_stream(t->settings);
	char started[32];
	uint64_t start_ns = kernel_transport_clock_ns();
	time_t now = time(NULL);
	struct tm tm;
	uint32_t count;
	int code;

	gmtime_r(&now, &tm);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	count = run_all(t, results, text);
	struct nic_test_report report = {
		.results = results,
		.count = count,
		.nic = t->settings->nic,
		.url = t->settings->urls.item[0],
		.environment = t->facts.port_known
				       ? report_json_environment(&t->facts.port, t->settings)
				       : NULL,
		.started = started,
		.seconds = (double)(kernel_transport_clock_ns() - start_ns) / 1e9,
	};

	if (text != NULL)
		nic_test_report_summary(&report, text);
	code = write_reports(t, &report);
	json_decref(report.environment);
	return has_failed(results, count) ? EXIT_CODE_NIC_TEST : code;
}

/* With the NIC ours from the first to the last test. */
static int
test_bound(struct nic_test *t, struct settings *own, struct nic_test_result *results)
{
	struct nic_hold hold = {.lock = -1};
	char address[NIC_NAME_MAX];
	int code = 0, rc;

	if (binding_is_wanted(own, address)) {
		code = binding_take(own, &t->level, address, own->keep_bound, &hold);
		own->nic_bound = true;
	}
	if (code != 0)
		return code;
	code = test_and_report(t, results);
	rc = binding_end(&t->level, &hold);
	return code != 0 ? code : rc;
}

int
cmd_nic_test(const struct settings *s, int *ret_signal)
{
	struct settings own = *s;
	struct nic_test t = {.settings = &own, .level = message_level_of(s)};
	struct nic_test_result *results = calloc(ENTRIES, sizeof(*results));
	sigset_t before;
	int code;

	*ret_signal = 0;
	if (results == NULL)
		return EXIT_CODE_OUT_OF_MEMORY;
	code = check(&t.level, s);
	if (code == 0)
		code = check_as_get(s);
	if (code == 0 && s->check) {
		message_note(&t.level, "settings, URL, NIC, core and address are in order");
	} else if (code == 0) {
		child_block_signals(&before);
		code = test_bound(&t, &own, results);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	*ret_signal = t.signo;
	free(results);
	return code;
}
