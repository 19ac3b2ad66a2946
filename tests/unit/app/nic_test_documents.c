/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic_test_report.h"

/* Writes the documents of results with hostile names and texts into a folder, for
 * test_app_nic_test_documents.py to read. */

#define HOSTILE                                                                            \
	"\"q\" 'a' <b>&amp;</b> ]]> --> </system-out> \x01\x1b[31m \xff\xc0\xbc \xc3\xa4 " \
	"\xef\xbf\xbf"
#define TESTS 5U

static int
write_in(const char *folder, const char *name, const struct nic_test_report *report,
	int (*write)(const struct nic_test_report *report, const char *path))
{
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	rc = write(report, path);
	if (rc != 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-rc));
	return rc;
}

static void
fill(struct nic_test_result *r)
{
	uint32_t i;

	(void)snprintf(r[0].name, sizeof(r[0].name), "mtu");
	r[0].seconds = 12.3456;
	nic_test_add_case(&r[0], NIC_TEST_PASS, "1500 bytes", "answered");
	nic_test_add_case(&r[0], NIC_TEST_FAIL, "9000 <bytes>", "nothing came");
	nic_test_add_value(&r[0], "mtu_bytes", 1500.0);
	nic_test_conclude_cases(&r[0], "fine");
	(void)snprintf(r[1].name, sizeof(r[1].name), "link");
	r[1].seconds = 1.5;
	nic_test_conclude(&r[1], NIC_TEST_PASS, "10000 Mb/s");
	(void)snprintf(r[2].name, sizeof(r[2].name), "rss");
	nic_test_add_case(&r[2], NIC_TEST_SKIPPED, "2 queues", "the driver has one");
	nic_test_conclude_cases(&r[2], "spread");
	(void)snprintf(r[3].name, sizeof(r[3].name), "<i>\x01\xff");
	for (i = 0; i < 2; i++)
		nic_test_add_case(&r[3], NIC_TEST_FAIL, "<\"&]]>\x01\xff", HOSTILE);
	nic_test_add_value(&r[3], "a<b\xff", 1.25);
	nic_test_conclude(&r[3], NIC_TEST_FAIL, HOSTILE);
	(void)snprintf(r[4].name, sizeof(r[4].name), "cut");
	nic_test_conclude(&r[4], NIC_TEST_SKIPPED, HOSTILE "\n\xe2\x82");
}

int
main(int argc, char **argv)
{
	struct nic_test_result *results = calloc(TESTS, sizeof(*results));
	struct nic_test_report report = {.results = results,
		.count = TESTS,
		.nic = "0000:00:03.0,<\"&\x01\xff",
		.url = "http://me:secret@198.18.0.1/<\"&\xff",
		.environment = json_pack("{s:s, s:s, s:i, s:b}", "nic", "0000:00:03.0", "driver",
			"net_<&\"x\"", "mtu", 1500, "lro", 1),
		.started = "2026-11-29T13:58:12Z",
		.seconds = 132.4};
	int failed;

	if (argc != 2 || results == NULL || report.environment == NULL)
		return 2;
	fill(results);
	failed = write_in(argv[1], "hostile.json", &report, nic_test_report_json) != 0;
	failed |= write_in(argv[1], "hostile.xml", &report, nic_test_report_junit) != 0;
	failed |= write_in(argv[1], "hostile.html", &report, nic_test_report_html) != 0;
	json_decref(report.environment);
	report = (struct nic_test_report){.nic = "lo", .seconds = 0.5};
	failed |= write_in(argv[1], "empty.json", &report, nic_test_report_json) != 0;
	failed |= write_in(argv[1], "empty.xml", &report, nic_test_report_junit) != 0;
	failed |= write_in(argv[1], "empty.html", &report, nic_test_report_html) != 0;
	free(results);
	return failed;
}
