/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base_bytes.h"
#include "base_time.h"
#include "nic_test.h"
#include "wire_ipv4.h"
#include "report_json.h"

#define FETCH_MAX_NS (120 * NS_PER_SEC) /* but for the user's --max-time */
#define CONNECT_MAX_NS (10 * NS_PER_SEC)
#define GRACE_NS (30 * NS_PER_SEC) /* for all else that a get does */
#define SHORT_BYTES 65536U
#define HEADERS 52U /* IPv4, TCP, timestamps */
#define FULL_SHARE 0.8 /* of the largest segments: the last one of a response is shorter */

/* What one fetch showed. */
struct fetched {
	double seconds;
	uint64_t bytes;
	const char *digest, *remote; /* in the report */
	uint16_t remote_port;
	double segment_bytes; /* data segments', on average */
	double mss; /* that we may send */
	double missed, no_mbuf, rx_errors, duplicate, bad_sums;
};

static void
read_report(const json_t *report, struct fetched *ret)
{
	const json_t *end = json_array_get(json_object_get(report, "transfers"), 0);
	const json_t *result = json_object_get(end, "result");
	double segments = nic_test_number(end, "counters/tcp_data_segments");

	*ret = (struct fetched){.seconds = nic_test_number(result, "time_total"),
		.bytes = (uint64_t)nic_test_number(result, "size_download"),
		.digest = json_string_value(json_object_get(result, "checksum")),
		.remote = json_string_value(json_object_get(result, "remote_ip")),
		.remote_port = (uint16_t)nic_test_number(result, "remote_port"),
		.segment_bytes =
			segments > 0
				? nic_test_number(end, "counters/tcp_bytes_received") / segments
				: 0,
		.mss = nic_test_number(end, "tcp/mss_send"),
		.missed = nic_test_number(end, "nic/imissed"),
		.no_mbuf = nic_test_number(end, "nic/rx_nombuf"),
		.rx_errors = nic_test_number(end, "nic/ierrors"),
		.duplicate = nic_test_number(end, "counters/tcp_duplicate"),
		.bad_sums = nic_test_number(end, "counters/drop_tcp_checksum") +
			    nic_test_number(end, "counters/drop_ip_checksum")};
	ret->digest = ret->digest != NULL ? ret->digest : "";
	ret->remote = ret->remote != NULL ? ret->remote : "";
}

static uint64_t
limit(uint64_t users_ns, uint64_t ours_ns)
{
	return users_ns > 0 ? MIN_OF(users_ns, ours_ns) : ours_ns;
}

/* One fetch to nowhere with its digest. NULL: it failed, and r says how. */
static json_t *
fetch(struct nic_test *t, uint16_t mtu, struct nic_test_result *r)
{
	struct settings s = nic_test_settings(t, SETTINGS_GET);
	char checksum[] = "sha-256", null[] = "/dev/null", *output = null;
	struct child_errors errors;
	json_t *report;
	int rc = child_errors_open(&errors);

	if (rc != 0) {
		nic_test_conclude(r, NIC_TEST_FAIL, "no memory: %s", strerror(-rc));
		return NULL;
	}
	if (s.checksum == NULL)
		s.checksum = checksum;
	s.outputs = (struct settings_list){&output, 1};
	s.fail = true;
	s.mtu = mtu;
	s.max_time_ns = limit(s.max_time_ns, FETCH_MAX_NS);
	s.connect_timeout_ns = limit(s.connect_timeout_ns, CONNECT_MAX_NS);
	report = nic_test_run_command(
		t, &s, s.max_time_ns + s.link_timeout_ns + GRACE_NS, &errors, r);
	child_errors_close(&errors, t->level.details);
	return report;
}

/* ---- the first fetch ---- */

static void
note_server(struct nic_test *t, const struct fetched *f)
{
	t->facts.fetched = f->bytes > 0 && ipv4_addr_parse(f->remote, &t->facts.remote) == 0;
	t->facts.remote_port = f->remote_port;
	t->facts.body_bytes = f->bytes;
	t->facts.fetch_seconds = f->seconds;
	(void)snprintf(t->facts.digest, sizeof(t->facts.digest), "%s", f->digest);
}

void
nic_test_fetch(struct nic_test *t, struct nic_test_result *r)
{
	const char *algorithm = t->settings->checksum != NULL ? t->settings->checksum : "sha-256";
	json_t *report = fetch(t, (uint16_t)t->settings->mtu, r);
	struct fetched f;

	if (report == NULL)
		return;
	read_report(report, &f);
	note_server(t, &f);
	nic_test_add_value(r, "bytes", (double)f.bytes);
	nic_test_add_value(r, "seconds", f.seconds);
	if (f.bytes == 0)
		nic_test_conclude(
			r, NIC_TEST_FAIL, "the response is empty: give the URL of a file");
	else if (!t->facts.fetched)
		nic_test_conclude(r, NIC_TEST_FAIL,
			"the server was reached at %s, and the tests speak IPv4", f.remote);
	else
		nic_test_conclude(r, NIC_TEST_PASS, "%llu bytes in %.3f s, %.*s %.12s...%s",
			(unsigned long long)f.bytes, f.seconds, (int)strcspn(algorithm, "="),
			algorithm, f.digest,
			f.bytes < SHORT_BYTES ? "; a larger file would try more" : "");
	json_decref(report);
}

/* ---- MTUs ---- */

static void
judge_segments(uint16_t mtu, const struct fetched *f, struct nic_test_result *r, const char *name)
{
	uint32_t full = mtu - HEADERS;

	if (f->bytes < 8 * (uint64_t)full)
		nic_test_add_case(r, NIC_TEST_PASS, name,
			"byte-exact; too short a file to tell the segments' size");
	else if (f->segment_bytes >= FULL_SHARE * full)
		nic_test_add_case(r, NIC_TEST_PASS, name, "byte-exact, %.0f bytes a segment",
			f->segment_bytes);
	else if (f->mss < full)
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"byte-exact, but the server's MTU is %.0f, and so are the frames: there "
			"ip link set dev IF mtu %u",
			f->mss + HEADERS, mtu);
	else
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"byte-exact, but by segments of %.0f bytes: full-sized frames do not reach "
			"us, "
			"and the server found that out",
			f->segment_bytes);
}

static void
try_mtu(struct nic_test *t, uint16_t mtu, struct nic_test_result *r)
{
	struct nic_test_result own = {0};
	json_t *report = fetch(t, mtu, &own);
	char name[NIC_TEST_NAME_MAX];
	struct fetched f;

	(void)snprintf(name, sizeof(name), "%u bytes", mtu);
	if (report == NULL) {
		nic_test_add_case(r, NIC_TEST_FAIL, name, "%.400s", own.text);
		return;
	}
	read_report(report, &f);
	if (strcmp(f.digest, t->facts.digest) != 0 || f.bytes != t->facts.body_bytes)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"%llu bytes with another digest than the first fetch: does the file "
			"change?",
			(unsigned long long)f.bytes);
	else if (f.bad_sums + f.rx_errors > 0)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"byte-exact, but %.0f frames had come damaged (%.0f ierrors, %.0f wrong "
			"checksums)",
			f.bad_sums + f.rx_errors, f.rx_errors, f.bad_sums);
	else
		judge_segments(mtu, &f, r, name);
	json_decref(report);
}

void
nic_test_mtu(struct nic_test *t, struct nic_test_result *r)
{
	static const uint16_t mtus[] = {576, 1280, 1492, 1500, 2048, 4096, 9000};
	uint16_t last = 0, max = nic_test_mtu_max(t);
	size_t i;

	for (i = 0; i < sizeof(mtus) / sizeof(mtus[0]) && t->signo == 0; i++) {
		if (mtus[i] > max)
			break;
		try_mtu(t, mtus[i], r);
		last = mtus[i];
	}
	if (last < max && t->signo == 0)
		try_mtu(t, max, r);
	nic_test_add_value(r, "mtu_max", max);
	nic_test_conclude_cases(
		r, "byte-exact at each, up to %u bytes%s", max, max < 9000 ? "" : " (jumbo)");
}
