/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "base_bytes.h"
#include "base_time.h"
#include "message.h"
#include "nic_info.h"
#include "nic_test.h"
#include "prober.h"
#include "report_json.h"

#define GRACE_NS (60 * NS_PER_SEC) /* of a load, for its begin and end */
#define INTERVAL_NS (100 * NS_PER_MS)
#define QUEUE_REQUESTS 64U /* of each queue, but no more bytes than */
#define QUEUES_BYTES_MAX (UINT64_C(256) << 20)
#define QUEUE_CONNECTIONS 4U
#define CONNECTIONS_MAX 8U
#define RESPONSES_EACH 8.0 /* of each connection, at least, where the file is short enough */
#define FLAP_NS (2 * NS_PER_SEC)
#define FLAP_LOAD_NS (12 * NS_PER_SEC)
#define FLAP_BY_HAND_NS (40 * NS_PER_SEC)
#define LINK_WAIT_NS (10 * NS_PER_SEC)
#define TROUBLE_TEXT_MAX 256U

/* Errors of a load by kind, as "3 timeout, 1 reset"; returns their number. */
static double
count_errors(const json_t *report, char *ret_text, size_t room)
{
	json_t *errors, *value,
		*copy = json_deep_copy(report_json_find(report, "end/counts/errors"));
	const char *key;
	double sum = 0;
	size_t used = 0;

	errors = copy;
	ret_text[0] = '\0';
	json_object_foreach(errors, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		sum += (double)json_integer_value(value);
		used += (size_t)snprintf(ret_text + used, room - used, "%s%lld %s",
			used > 0 ? ", " : "", (long long)json_integer_value(value), key);
		used = MIN_OF(used, room - 1);
	}
	json_decref(copy);
	return sum;
}

static double
bad_sums(const json_t *report)
{
	return nic_test_number(report, "end/counters/drop_tcp_checksum") +
	       nic_test_number(report, "end/counters/drop_ip_checksum");
}

/* What no load may show: r says it. false: it showed none. */
static bool
conclude_trouble(const json_t *report, struct nic_test_result *r)
{
	char errors[TROUBLE_TEXT_MAX];
	double responses = nic_test_number(report, "end/counts/responses"),
	       right = nic_test_number(report, "end/counts/status/2xx");

	if (count_errors(report, errors, sizeof(errors)) > 0)
		nic_test_conclude(r, NIC_TEST_FAIL, "requests failed: %s", errors);
	else if (responses == 0)
		nic_test_conclude(r, NIC_TEST_FAIL, "nothing was answered");
	else if (right < responses)
		nic_test_conclude(r, NIC_TEST_FAIL, "%.0f of %.0f responses were no success (2xx)",
			responses - right, responses);
	else if (bad_sums(report) + nic_test_number(report, "end/nic/ierrors") > 0)
		nic_test_conclude(r, NIC_TEST_FAIL,
			"frames came damaged: %.0f ierrors, %.0f wrong checksums; look at cable "
			"and "
			"transceiver",
			nic_test_number(report, "end/nic/ierrors"), bad_sums(report));
	else
		return false;
	return true;
}

static void
note_load(const json_t *report, struct nic_test_result *r)
{
	nic_test_add_value(r, "responses", nic_test_number(report, "end/counts/responses"));
	nic_test_add_value(
		r, "body_bits_per_second", nic_test_number(report, "end/body_bits_per_second"));
	nic_test_add_value(r, "imissed", nic_test_number(report, "end/nic/imissed"));
	nic_test_add_value(r, "rx_nombuf", nic_test_number(report, "end/nic/rx_nombuf"));
}

static struct settings
settings_of_load(const struct nic_test *t)
{
	struct settings s = nic_test_settings(t, SETTINGS_BENCH);

	s.queues = 1;
	s.core = t->settings->core;
	s.cores = NULL;
	s.checksum = NULL;
	s.interval_ns = INTERVAL_NS;
	return s;
}

/* As many as can be answered several times in that time, as fast as the first fetch was; 0: not one. */
static uint64_t
connections_for(const struct nic_test *t, uint64_t duration_ns)
{
	double fetches = (double)duration_ns / 1e9 / MAX_OF(t->facts.fetch_seconds, 1e-6);

	if (fetches < 1)
		return 0;
	fetches /= RESPONSES_EACH;
	return fetches < CONNECTIONS_MAX ? (uint64_t)fetches + 1 : CONNECTIONS_MAX;
}

/* A load for so long. false: the file is too long for it, and r says so. */
static bool
settings_for(const struct nic_test *t, uint64_t duration_ns, struct nic_test_result *r,
	struct settings *ret)
{
	*ret = settings_of_load(t);
	ret->duration_ns = duration_ns;
	ret->connections = connections_for(t, duration_ns);
	if (ret->connections > 0)
		return true;
	nic_test_conclude(r, NIC_TEST_SKIPPED,
		"one response takes %.0f s, and the test %.0f: give the URL of a shorter file",
		t->facts.fetch_seconds, (double)duration_ns / 1e9);
	return false;
}

static json_t *
run_load(struct nic_test *t, const struct settings *s, struct child_errors *errors,
	struct nic_test_result *r)
{
	int rc = child_errors_open(errors);

	if (rc == 0)
		return nic_test_run_command(
			t, s, s->duration_ns + s->link_timeout_ns + GRACE_NS, errors, r);
	nic_test_conclude(r, NIC_TEST_FAIL, "no memory: %s", strerror(-rc));
	return NULL;
}

/* ---- several queues ---- */

static void
judge_workers(const json_t *report, struct nic_test_result *r)
{
	const json_t *workers = report_json_find(report, "end/workers");
	double handed = nic_test_number(report, "end/counters/wrong_queue"), responses;
	const char *steering = json_string_value(report_json_find(report, "end/steering"));
	bool says = steering == NULL || strcmp(steering, "unknown") != 0;
	char name[NIC_TEST_NAME_MAX];
	size_t i;

	for (i = 0; i < json_array_size(workers); i++) {
		(void)snprintf(name, sizeof(name), "queue %zu", i);
		responses = nic_test_number(json_array_get(workers, i), "responses");
		if (responses > 0)
			nic_test_add_case(r, NIC_TEST_PASS, name, "%.0f responses", responses);
		else
			nic_test_add_case(r, NIC_TEST_FAIL, name, "no response");
	}
	nic_test_add_value(r, "wrong_queue", handed);
	if (handed > 0 && says)
		nic_test_add_case(r, NIC_TEST_FAIL, "own queue",
			"%.0f segments came on another worker's queue: the port does not spread "
			"frames "
			"as it says",
			handed);
	else if (handed > 0)
		nic_test_add_case(r, NIC_TEST_SKIPPED, "own queue",
			"%.0f segments came on another worker's queue and were handed over: the "
			"port does not say how it spreads frames",
			handed);
	nic_test_conclude_cases(r, "%.0f responses, %s; %.2f Gb/s",
		nic_test_number(report, "end/counts/responses"),
		handed > 0 ? "some handed over from another queue" : "each on its own queue",
		nic_test_number(report, "end/body_bits_per_second") / 1e9);
}

void
nic_test_queues(struct nic_test *t, struct nic_test_result *r)
{
	uint32_t cpus = (uint32_t)nic_cpu_allowed_count();
	uint32_t most_queues = nic_test_queues_max(t), queues = MIN_OF(most_queues, cpus);
	struct settings s = settings_of_load(t);
	struct child_errors errors;
	json_t *report;
	uint64_t most = QUEUES_BYTES_MAX / MAX_OF(t->facts.body_bytes, UINT64_C(1));

	if (queues < 2) {
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"%s: a worker for each of several queues needs a CPU of its own",
			cpus < 2 ? "there is one CPU" : "the port has one queue here");
		return;
	}
	if (queues < most_queues && host_nic_is_vdev(t->settings)) {
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"the vdev string has %u queues, and there are %u CPUs: what comes on a "
			"queue without a worker would be lost",
			most_queues, cpus);
		return;
	}
	s.queues = queues;
	s.cores = t->settings->cores;
	s.connections = (uint64_t)queues * QUEUE_CONNECTIONS;
	s.requests = MAX_OF(MIN_OF((uint64_t)queues * QUEUE_REQUESTS, most), s.connections);
	report = run_load(t, &s, &errors, r);
	if (report != NULL && !conclude_trouble(report, r))
		judge_workers(report, r);
	if (report != NULL)
		note_load(report, r);
	json_decref(report);
	child_errors_close(&errors, t->level.details);
}

/* ---- soak ---- */

/* Intervals in which nothing came, and the slowest and fastest of the others, in bits a second. */
static uint32_t
look_over(const json_t *report, double *ret_slowest, double *ret_fastest)
{
	const json_t *intervals = json_object_get(report, "intervals"), *i;
	uint32_t silent = 0;
	double rate, seconds;
	size_t k;

	*ret_slowest = *ret_fastest = 0;
	for (k = 0; k + 1 < json_array_size(intervals); k++) { /* the last one is a part */
		i = json_array_get(intervals, k);
		seconds = nic_test_number(i, "end_s") - nic_test_number(i, "start_s");
		rate = seconds > 0 ? nic_test_number(i, "counts/body_bytes") * 8 / seconds : 0;
		silent += rate == 0;
		if (rate > *ret_fastest)
			*ret_fastest = rate;
		if (rate > 0 && (*ret_slowest == 0 || rate < *ret_slowest))
			*ret_slowest = rate;
	}
	return silent;
}

static void
judge_soak(const json_t *report, const struct child_errors *errors, struct nic_test_result *r)
{
	double slowest, fastest, missed = nic_test_number(report, "end/nic/imissed"),
				 no_mbuf = nic_test_number(report, "end/nic/rx_nombuf");
	uint32_t silent = look_over(report, &slowest, &fastest);

	nic_test_add_value(r, "slowest_second_bits_per_second", slowest);
	nic_test_add_value(r, "fastest_second_bits_per_second", fastest);
	if (child_errors_have(errors, " is down"))
		nic_test_conclude(r, NIC_TEST_FAIL, "the link was lost meanwhile");
	else if (silent > 0)
		nic_test_conclude(r, NIC_TEST_FAIL, "in %u seconds nothing came", silent);
	else if (missed + no_mbuf > 0)
		nic_test_conclude(r, NIC_TEST_FAIL,
			"frames were lost at the port: %.0f in the receive ring (imissed), %.0f in "
			"the "
			"mempool (rx_nombuf); all responses are complete all the same. Does the "
			"poll "
			"core have its CPU to itself (dpfetch doctor)?",
			missed, no_mbuf);
	else
		nic_test_conclude(r, NIC_TEST_PASS,
			"%.0f responses, all complete; %.2f Gb/s (by the second %.2f to %.2f); "
			"nothing "
			"lost at the port",
			nic_test_number(report, "end/counts/responses"),
			nic_test_number(report, "end/body_bits_per_second") / 1e9, slowest / 1e9,
			fastest / 1e9);
}

void
nic_test_soak(struct nic_test *t, struct nic_test_result *r)
{
	struct child_errors errors;
	struct settings s;
	json_t *report;

	if (!settings_for(t, t->settings->soak_ns, r, &s))
		return;
	s.interval_ns = NS_PER_SEC;
	report = run_load(t, &s, &errors, r);
	if (report != NULL && !conclude_trouble(report, r))
		judge_soak(report, &errors, r);
	if (report != NULL)
		note_load(report, r);
	json_decref(report);
	child_errors_close(&errors, t->level.details);
}

/* ---- a lost link ---- */

static bool
becomes(struct prober *p, bool up)
{
	uint64_t until_ns = port_clock_ns() + LINK_WAIT_NS;

	while (prober_link_up(p) != up && port_clock_ns() < until_ns && !prober_must_end(p))
		prober_idle(p, INTERVAL_NS);
	return prober_link_up(p) == up;
}

/* Can the driver do it? */
static void
try_link(struct prober *p, struct nic_test_result *r)
{
	int rc = port_set_link_up(p->host.port, false);
	bool down = rc == 0 && becomes(p, false);
	int rc_up = rc == 0 ? port_set_link_up(p->host.port, true) : 0;

	if (rc != 0)
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"driver %s cannot take the link down: %s; with --flap manual you pull the "
			"cable",
			p->facts->port.driver, strerror(-rc));
	else if (!down)
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"driver %s was told to take the link down, and it stayed up; with --flap "
			"manual "
			"you pull the cable",
			p->facts->port.driver);
	else if (rc_up != 0 || !becomes(p, true))
		nic_test_conclude(r, NIC_TEST_FAIL,
			"the link did not come up again after driver %s had taken it down",
			p->facts->port.driver);
	else
		nic_test_conclude(r, NIC_TEST_PASS, "went down and came up");
}

/* From the first interval in which nothing came: does anything come after it? */
static bool
went_on(const json_t *report)
{
	const json_t *intervals = json_object_get(report, "intervals");
	bool silent = false, after = false;
	size_t i;

	for (i = 0; i < json_array_size(intervals); i++) {
		if (nic_test_number(json_array_get(intervals, i), "counts/body_bytes") == 0)
			silent = true;
		else
			after = silent;
	}
	return after;
}

static void
judge_flap(const struct nic_test *t, const json_t *report, const struct child_errors *errors,
	struct nic_test_result *r)
{
	if (!child_errors_have(errors, " is down"))
		nic_test_conclude(r, NIC_TEST_SKIPPED, "the link did not go down%s",
			t->settings->flap == SETTINGS_FLAP_MANUAL
				? ": nobody has pulled the cable, or the driver does not notice"
				: "");
	else if (!child_errors_have(errors, " is up again"))
		nic_test_conclude(r, NIC_TEST_FAIL, "the link did not come up again");
	else if (!went_on(report))
		nic_test_conclude(r, NIC_TEST_FAIL,
			"after the link was up again nothing came on the connections");
	else
		nic_test_conclude(r, NIC_TEST_PASS,
			"the link went and came, the connections went on, and no response was lost "
			"(%.0f)",
			nic_test_number(report, "end/counts/responses"));
}

static void
load_while_flapping(struct nic_test *t, struct nic_test_result *r)
{
	bool by_hand = t->settings->flap == SETTINGS_FLAP_MANUAL;
	struct child_errors errors;
	struct settings s;
	json_t *report;

	if (!settings_for(t, by_hand ? FLAP_BY_HAND_NS : FLAP_LOAD_NS, r, &s))
		return;
	s.flap_ns = by_hand ? 0 : FLAP_NS;
	if (by_hand)
		message_note(&t->level,
			"flap: pull the cable of %s for two or three seconds within the next %.0f "
			"s",
			s.nic, (double)FLAP_BY_HAND_NS / 2e9);
	report = run_load(t, &s, &errors, r);
	if (report != NULL && !conclude_trouble(report, r))
		judge_flap(t, report, &errors, r);
	if (report != NULL)
		note_load(report, r);
	json_decref(report);
	child_errors_close(&errors, t->level.details);
}

void
nic_test_flap(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {.port_only = true};

	if (t->settings->flap == SETTINGS_FLAP_AUTO) {
		if (t->facts.abilities.virtual_device)
			nic_test_conclude(r, NIC_TEST_SKIPPED,
				"%s is an interface of the kernel's, which would lose addresses "
				"and "
				"routes; "
				"with --flap manual you pull the cable",
				t->settings->nic);
		else
			prober_run(t, &cfg, try_link, r);
		if (r->verdict != NIC_TEST_PASS || t->signo != 0)
			return;
	}
	load_while_flapping(t, r);
}
