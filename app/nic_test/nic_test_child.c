/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base_bytes.h"
#include "nic_test.h"
#include "settings_option.h"
#include "report_json.h"

#define MTU_TRIED_MAX 9000U /* the usual jumbo frame; --mtu goes beyond */

struct settings
nic_test_settings(const struct nic_test *t, enum settings_command command)
{
	struct settings s = *t->settings;

	s.command = (int)command;
	s.link_settle_ns = t->facts.abilities.virtual_device ? 0 : NIC_TEST_SETTLE_NS;
	s.silent = false; /* what it says is read, and not shown */
	s.html = s.junit = NULL;
	return s;
}

uint16_t
nic_test_mtu_max(const struct nic_test *t)
{
	const struct settings *s = t->settings;

	if (settings_option_given(s, settings_option_find("mtu")) ||
		t->facts.abilities.virtual_device)
		return (uint16_t)s->mtu;
	return (uint16_t)MIN_OF((uint32_t)t->facts.abilities.mtu_max, MTU_TRIED_MAX);
}

/* Ended by a signal: by ours, by somebody's, or by its own fault. */
static void
conclude_signal(struct nic_test *t, int signo, struct nic_test_result *r)
{
	if (t->signo == 0 && (signo == SIGINT || signo == SIGTERM || signo == SIGHUP))
		t->signo = signo;
	if (t->signo != 0)
		nic_test_conclude(r, NIC_TEST_FAIL, "interrupted");
	else
		nic_test_conclude(r, NIC_TEST_FAIL,
			"the test's process was ended by a signal: %s; please report this",
			strsignal(signo));
}

void
nic_test_conclude_child(struct nic_test *t, int status, const struct child_errors *errors,
	struct nic_test_result *r)
{
	char text[NIC_TEST_TEXT_MAX];

	if (t->signo != 0) {
		nic_test_conclude(r, NIC_TEST_FAIL, "interrupted");
		return;
	}
	child_errors_last(errors, text, sizeof(text));
	if (status == -ETIMEDOUT)
		nic_test_conclude(r, NIC_TEST_FAIL, "it came to no end and was ended%s%.400s",
			text[0] != '\0' ? ": " : "", text);
	else if (status < 0)
		nic_test_conclude(r, NIC_TEST_FAIL, "the test's process could not be run: %s",
			strerror(-status));
	else if (WIFSIGNALED(status))
		conclude_signal(t, WTERMSIG(status), r);
	else if (text[0] != '\0')
		nic_test_conclude(r, NIC_TEST_FAIL, "%s", text);
	else
		nic_test_conclude(r, NIC_TEST_FAIL, "the test's process ended with status %d",
			WEXITSTATUS(status));
}

json_t *
nic_test_run_command(struct nic_test *t, const struct settings *s, uint64_t timeout_ns,
	struct child_errors *errors, struct nic_test_result *r)
{
	struct child_end end;
	int rc = child_run_command(s, timeout_ns, errors, &end);

	if (rc != 0) {
		nic_test_conclude(r, NIC_TEST_FAIL, "no process for the test: %s", strerror(-rc));
		return NULL;
	}
	if (end.signo == 0) /* the child alone may have been told */
		end.signo = (int)json_integer_value(report_json_find(end.report, "end/signal"));
	if (end.signo != 0)
		t->signo = end.signo;
	if (end.status == 0 && end.report != NULL && t->signo == 0)
		return end.report;
	nic_test_conclude_child(t, end.status, errors, r);
	json_decref(end.report);
	return NULL;
}

double
nic_test_number(const json_t *report, const char *path)
{
	double value = report_json_number(report, path);

	return isnan(value) ? 0 : value;
}
