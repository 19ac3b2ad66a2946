/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_TEST_REPORT_H
#define NIC_TEST_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "nic_test_result.h"

/*
 * The reports of dpfetch nic test, all made from the same results: lines while it runs, and documents when
 * it is over. Names and texts may hold any bytes: what is no character of the document's is replaced
 * (in JSON, read as Latin-1).
 */

/** The "schema" of the JSON document; it grows when a field changes its meaning or goes. */
#define NIC_TEST_REPORT_SCHEMA 1

struct nic_test_report {
	const struct nic_test_result *results; /* in the order of the documents */
	uint32_t count; /* of results; 0 is no pass */
	const char *nic; /* as the user named it */
	const char *url; /* the server's, NULL: none. Its user and password are never shown */
	json_t *environment; /* report_json_environment; NULL: nobody came so far. Stays the caller's */
	const char *started; /* UTC, "2026-11-29T13:58:12Z"; NULL: not known */
	double seconds; /* that all of it took */
};

/** How many results have this verdict. */
uint32_t nic_test_report_count(const struct nic_test_report *report, enum nic_test_verdict verdict);

/** That of all of it: FAIL if one failed or there is none; else PASS if one passed; else SKIPPED. */
enum nic_test_verdict nic_test_report_verdict(const struct nic_test_report *report);

/** For people, when a test has ended: a line of verdict, name, seconds and text, then the cases of one that
 *  failed, indented. all: the cases and figures of every test. Nothing in it controls a terminal. */
void nic_test_report_line(const struct nic_test_result *r, bool all, FILE *out);

/** For people: "14 passed, 1 failed, 3 skipped in 132 s" and a newline. */
void nic_test_report_summary(const struct nic_test_report *report, FILE *out);

/* The documents. Each is written to path ("-": standard output), which is made anew. 0; or -errno, then
 * path may hold a part of it. */

/** "schema", "verdict" ("pass", "fail", "skipped"), "nic", "url", "started", "seconds", "passed", "failed",
 *  "skipped", "environment", "tests": [{"name", "verdict", "text", "seconds", "cases": [{"name",
 *  "verdict", "text"}], "values": {name: figure}}]. What is not known is null. */
int nic_test_report_json(const struct nic_test_report *report, const char *path);

/** JUnit XML as Jenkins and GitLab read it: one <testsuite>, a <testcase> for each test, its cases in
 *  <failure> and <system-out>. The class name has the NIC's in it, since GitLab takes two tests of the
 *  same class and name for one. */
int nic_test_report_junit(const struct nic_test_report *report, const char *path);

/** A page for people that needs nothing but itself. */
int nic_test_report_html(const struct nic_test_report *report, const char *path);

#endif
