/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nic_test_report.h"

/* What a test of nic test found, and the reports for people and programs. What JUnit XML and HTML are to
 * others' parsers is in test_app_nic_test_documents.py. */

#define RESULTS 4U

typedef int (*document_fn)(const struct nic_test_report *report, const char *path);

/* One of each verdict, and one without cases. */
struct fixture {
	struct nic_test_result results[RESULTS];
	struct nic_test_report report;
};

static void
fill_mtu(struct nic_test_result *r)
{
	strcpy(r->name, "mtu");
	r->seconds = 12.34;
	nic_test_add_case(r, NIC_TEST_PASS, "1500 bytes", "answered in %d us", 80);
	nic_test_add_case(r, NIC_TEST_FAIL, "9000 bytes", "nothing came\nraise the peer's MTU");
	nic_test_add_case(r, NIC_TEST_SKIPPED, "16000 bytes", "%s", "");
	nic_test_add_value(r, "mtu_bytes", 1500.0);
	nic_test_add_value(r, "loss_percent", 0.125);
	nic_test_conclude_cases(r, "all of them");
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fill_mtu(&f->results[0]);
	strcpy(f->results[1].name, "rss");
	nic_test_add_case(&f->results[1], NIC_TEST_SKIPPED, "2 queues", "the driver has one");
	nic_test_conclude_cases(&f->results[1], "spread");
	strcpy(f->results[2].name, "rx-checksum");
	f->results[2].seconds = 0.5;
	nic_test_add_case(&f->results[2], NIC_TEST_PASS, "bad TCP sum", "dropped");
	nic_test_conclude_cases(&f->results[2], "%u sums verified", 1U);
	strcpy(f->results[3].name, "link");
	f->results[3].seconds = 100.0;
	nic_test_conclude(&f->results[3], NIC_TEST_PASS, "10000 Mb/s");
	f->report = (struct nic_test_report){.results = f->results,
		.count = RESULTS,
		.nic = "0000:00:03.0",
		.url = "http://me:secret@198.18.0.1/file",
		.environment = json_pack(
			"{s:s, s:i, s:b}", "driver", "net_e1000_em", "mtu", 1500, "lro", 0),
		.started = "2026-11-29T13:58:12Z",
		.seconds = 132.4};
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->report.environment);
	free(f);
	return 0;
}

static void
test_nic_test_conclude_cases_fails_if_one_failed(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->results[0].verdict, NIC_TEST_FAIL);
	assert_string_equal(f->results[0].text, "9000 bytes: nothing came\nraise the peer's MTU");
}

static void
test_nic_test_conclude_cases_passes_if_one_passed_and_none_failed(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[2];

	assert_int_equal(r->verdict, NIC_TEST_PASS);
	assert_string_equal(r->text, "1 sums verified");
	nic_test_add_case(r, NIC_TEST_SKIPPED, "bad IPv4 sum", "no IPv4");
	nic_test_conclude_cases(r, "some");
	assert_int_equal(r->verdict, NIC_TEST_PASS);
	assert_string_equal(r->text, "some");
	nic_test_add_case(r, NIC_TEST_FAIL, "bad UDP sum", "taken");
	nic_test_conclude_cases(r, "some");
	assert_int_equal(r->verdict, NIC_TEST_FAIL);
	assert_string_equal(r->text, "bad UDP sum: taken");
}

static void
test_nic_test_conclude_cases_all_skipped_is_skipped_and_says_why(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->results[1].verdict, NIC_TEST_SKIPPED);
	assert_string_equal(f->results[1].text, "2 queues: the driver has one");
}

static void
test_nic_test_conclude_cases_without_a_case_fails(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[3];

	nic_test_conclude_cases(r, "fine");
	assert_int_equal(r->verdict, NIC_TEST_FAIL);
	assert_string_equal(r->text, "nothing was tried");
}

static void
test_nic_test_add_case_when_full_keeps_a_place_for_a_failure(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[3];
	uint32_t i;

	for (i = 0; i < NIC_TEST_CASES_MAX + 3; i++)
		nic_test_add_case(r, NIC_TEST_PASS, "a case", "number %u", i);
	assert_int_equal(r->case_count, NIC_TEST_CASES_MAX);
	assert_string_equal(r->cases[NIC_TEST_CASES_MAX - 1].text, "number 47");
	nic_test_add_case(r, NIC_TEST_SKIPPED, "late", "left out");
	assert_string_equal(r->cases[NIC_TEST_CASES_MAX - 1].name, "a case");
	nic_test_add_case(r, NIC_TEST_FAIL, "last", "lost");
	assert_int_equal(r->case_count, NIC_TEST_CASES_MAX);
	assert_string_equal(r->cases[NIC_TEST_CASES_MAX - 2].text, "number 46");
	nic_test_conclude_cases(r, "fine");
	assert_int_equal(r->verdict, NIC_TEST_FAIL);
	assert_string_equal(r->text, "last: lost");
}

static void
test_nic_test_texts_too_long_are_cut(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[3];
	char longest[2 * NIC_TEST_TEXT_MAX];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	nic_test_add_case(r, NIC_TEST_FAIL, longest, "%s", longest);
	nic_test_add_value(r, longest, 1.0);
	nic_test_conclude_cases(r, "%s", longest);
	assert_int_equal(strlen(r->cases[0].name), NIC_TEST_NAME_MAX - 1);
	assert_int_equal(strlen(r->cases[0].text), NIC_TEST_TEXT_MAX - 1);
	assert_int_equal(strlen(r->values[0].name), NIC_TEST_NAME_MAX - 1);
	assert_true(strlen(r->text) < NIC_TEST_TEXT_MAX);
	nic_test_conclude(r, NIC_TEST_PASS, "%s", longest);
	assert_int_equal(strlen(r->text), NIC_TEST_TEXT_MAX - 1);
}

static void
test_nic_test_add_value_takes_finite_ones_while_there_is_room(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[3];
	uint32_t i;

	nic_test_add_value(r, "nan", (double)NAN);
	nic_test_add_value(r, "inf", (double)INFINITY);
	assert_int_equal(r->value_count, 0);
	for (i = 0; i < NIC_TEST_VALUES_MAX + 3; i++)
		nic_test_add_value(r, "figure", (double)i);
	assert_int_equal(r->value_count, NIC_TEST_VALUES_MAX);
	assert_true(r->values[NIC_TEST_VALUES_MAX - 1].value == NIC_TEST_VALUES_MAX - 1.0);
}

/* The line of r; the caller's. */
static char *
line_of(const struct nic_test_result *r, bool all)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	nic_test_report_line(r, all, out);
	fclose(out);
	return text;
}

static void
assert_line(const struct nic_test_result *r, bool all, const char *expected)
{
	char *text = line_of(r, all);

	assert_string_equal(text, expected);
	free(text);
}

#define INDENT "                                         "

static void
test_nic_test_line_of_a_failure_has_its_cases_aligned_below(void **state)
{
	const struct fixture *f = *state;

	assert_line(&f->results[0], false,
		"FAIL     mtu                     12.3 s  9000 bytes: nothing came\n" INDENT
		"raise the peer's MTU\n"
		"         PASS     1500 bytes             answered in 80 us\n"
		"         FAIL     9000 bytes             nothing came\n" INDENT
		"raise the peer's MTU\n"
		"         SKIPPED  16000 bytes\n");
}

static void
test_nic_test_line_of_others_is_one_unless_all_is_asked_for(void **state)
{
	const struct fixture *f = *state;

	assert_line(&f->results[2], false,
		"PASS     rx-checksum              0.5 s  1 sums verified\n");
	assert_line(&f->results[2], true,
		"PASS     rx-checksum              0.5 s  1 sums verified\n"
		"         PASS     bad TCP sum            dropped\n");
	assert_line(&f->results[1], false,
		"SKIPPED  rss                      0.0 s  2 queues: the driver has one\n");
}

static void
test_nic_test_line_with_all_has_the_figures(void **state)
{
	const struct fixture *f = *state;
	char *text = line_of(&f->results[0], true);

	assert_non_null(strstr(text, "\n                  mtu_bytes              1500\n"));
	assert_non_null(strstr(text, "\n                  loss_percent           0.125\n"));
	free(text);
}

static void
test_nic_test_line_controls_no_terminal(void **state)
{
	struct fixture *f = *state;
	struct nic_test_result *r = &f->results[3];
	char *text;

	strcpy(r->name, "l\x1b[2Jk");
	nic_test_conclude(
		r, NIC_TEST_PASS, "%s", "a\x1b[31m\rb\tc\x9b\xc2\x9b\x7f \xc3\xa4 \xe4.\n");
	text = line_of(r, false);
	assert_string_equal(
		text, "PASS     l?[2Jk                 100.0 s  a?[31m?b c??? \xc3\xa4 ?.\n");
	free(text);
}

static void
test_nic_test_line_without_text_ends_with_the_time(void **state)
{
	struct fixture *f = *state;

	f->results[3].text[0] = '\0';
	assert_line(&f->results[3], false, "PASS     link                   100.0 s\n");
	strcpy(f->results[3].name, "a-name-longer-than-its-column");
	assert_line(&f->results[3], false, "PASS     a-name-longer-than-its-column   100.0 s\n");
}

static void
test_nic_test_summary_counts_each_verdict(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	nic_test_report_summary(&f->report, out);
	f->report.seconds = 0.44;
	nic_test_report_summary(&f->report, out);
	fclose(out);
	assert_string_equal(text, "2 passed, 1 failed, 1 skipped in 132 s\n"
				  "2 passed, 1 failed, 1 skipped in 0.4 s\n");
	free(text);
}

static void
test_nic_test_report_verdict_is_that_of_all(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nic_test_report_verdict(&f->report), NIC_TEST_FAIL);
	f->report.results = &f->results[1];
	f->report.count = 3;
	assert_int_equal(nic_test_report_verdict(&f->report), NIC_TEST_PASS);
	f->report.count = 1;
	assert_int_equal(nic_test_report_verdict(&f->report), NIC_TEST_SKIPPED);
	f->report.count = 0;
	assert_int_equal(nic_test_report_verdict(&f->report), NIC_TEST_FAIL);
}

/* What the document holds; the caller's. */
static char *
written_by(const struct nic_test_report *report, document_fn document)
{
	char path[] = "/tmp/test_app_nic_test_report-XXXXXX", *text = calloc(1, 1 << 20);
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0 && text != NULL);
	close(fd);
	assert_int_equal(document(report, path), 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	unlink(path);
	return text;
}

static json_t *
json_of(const struct nic_test_report *report)
{
	char *text = written_by(report, nic_test_report_json);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	free(text);
	return json;
}

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t
integer_of(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static void
test_nic_test_json_head_says_what_and_how_many(void **state)
{
	const struct fixture *f = *state;
	json_t *json = json_of(&f->report);

	assert_int_equal(integer_of(json, "schema"), NIC_TEST_REPORT_SCHEMA);
	assert_string_equal(text_of(json, "verdict"), "fail");
	assert_string_equal(text_of(json, "nic"), "0000:00:03.0");
	assert_string_equal(text_of(json, "url"), "http://198.18.0.1/file");
	assert_string_equal(text_of(json, "started"), "2026-11-29T13:58:12Z");
	assert_true(json_real_value(json_object_get(json, "seconds")) == 132.4);
	assert_int_equal(integer_of(json, "passed"), 2);
	assert_int_equal(integer_of(json, "failed"), 1);
	assert_int_equal(integer_of(json, "skipped"), 1);
	assert_true(json_equal(json_object_get(json, "environment"), f->report.environment));
	assert_int_equal(json_array_size(json_object_get(json, "tests")), RESULTS);
	json_decref(json);
}

static void
test_nic_test_json_has_cases_and_values_of_each_test(void **state)
{
	const struct fixture *f = *state;
	json_t *json = json_of(&f->report), *test, *expected;

	test = json_array_get(json_object_get(json, "tests"), 0);
	expected = json_pack("{s:s, s:s, s:s, s:f, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}, "
			     "{s:s, s:s, s:s}], s:{s:f, s:f}}",
		"name", "mtu", "verdict", "fail", "text",
		"9000 bytes: nothing came\nraise the peer's MTU", "seconds", 12.34, "cases", "name",
		"1500 bytes", "verdict", "pass", "text", "answered in 80 us", "name", "9000 bytes",
		"verdict", "fail", "text", "nothing came\nraise the peer's MTU", "name",
		"16000 bytes", "verdict", "skipped", "text", "", "values", "mtu_bytes", 1500.0,
		"loss_percent", 0.125);
	assert_non_null(expected);
	assert_true(json_equal(test, expected));
	json_decref(expected);
	json_decref(json);
}

static void
test_nic_test_json_what_is_not_known_is_null(void **state)
{
	struct fixture *f = *state;
	json_t *json, *environment = f->report.environment;

	f->report.environment = NULL;
	f->report.url = f->report.started = NULL;
	f->report.count = 0;
	json = json_of(&f->report);
	f->report.environment = environment;
	assert_true(json_is_null(json_object_get(json, "environment")));
	assert_true(json_is_null(json_object_get(json, "url")));
	assert_true(json_is_null(json_object_get(json, "started")));
	assert_int_equal(json_array_size(json_object_get(json, "tests")), 0);
	json_decref(json);
}

static const document_fn documents[] = {
	nic_test_report_json, nic_test_report_junit, nic_test_report_html};

static void
test_nic_test_documents_show_no_password(void **state)
{
	const struct fixture *f = *state;
	size_t i;
	char *text;

	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		text = written_by(&f->report, documents[i]);
		assert_non_null(strstr(text, "http://198.18.0.1/file"));
		assert_null(strstr(text, "secret"));
		free(text);
	}
}

static void
test_nic_test_documents_that_cannot_be_written_are_errors(void **state)
{
	const struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		assert_int_equal(documents[i](&f->report, "/dev/full"), -ENOSPC);
		assert_int_equal(documents[i](&f->report, "/no-such-directory/x"), -ENOENT);
		assert_int_equal(documents[i](&f->report, "/"), -EISDIR);
	}
}

/* Also of a document that is larger than a stream's buffer. */
static void
test_nic_test_documents_of_many_cases_on_a_full_disk_are_errors(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < NIC_TEST_CASES_MAX; i++)
		nic_test_add_case(&f->results[3], NIC_TEST_FAIL, "a case", "%0500d", 7);
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		assert_int_equal(documents[i](&f->report, "/dev/full"), -ENOSPC);
}

/* Without a buffer nothing is left to flush at the end: each write has failed before. */
static void
test_nic_test_documents_to_a_full_standard_output_are_errors(void **state)
{
	const struct fixture *f = *state;
	int rc[sizeof(documents) / sizeof(documents[0])], saved, fd = open("/dev/full", O_WRONLY);
	size_t i;

	assert_true(fd >= 0);
	fflush(stdout);
	setvbuf(stdout, NULL, _IONBF, 0);
	saved = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		rc[i] = documents[i](&f->report, "-");
		clearerr(stdout);
	}
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		assert_int_equal(rc[i], -ENOSPC);
}

/* Standard output, put in place of a file, gets what a file does. */
static void
test_nic_test_documents_to_a_dash_are_on_standard_output(void **state)
{
	const struct fixture *f = *state;
	char path[] = "/tmp/test_app_nic_test_report-XXXXXX", *expected, *text;
	size_t i, len;
	int saved, fd, rc;

	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		expected = written_by(&f->report, documents[i]);
		len = strlen(expected);
		text = calloc(1, len + 2);
		assert_non_null(text);
		strcpy(path + sizeof(path) - 7, "XXXXXX");
		fd = mkstemp(path);
		assert_true(fd >= 0);
		fflush(stdout);
		saved = dup(STDOUT_FILENO);
		dup2(fd, STDOUT_FILENO);
		rc = documents[i](&f->report, "-");
		dup2(saved, STDOUT_FILENO);
		close(saved);
		assert_int_equal(rc, 0);
		assert_int_equal(pread(fd, text, len + 1, 0), (ssize_t)len);
		assert_string_equal(text, expected);
		close(fd);
		unlink(path);
		free(text);
		free(expected);
	}
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_nic_test_conclude_cases_fails_if_one_failed),
		FRESH(test_nic_test_conclude_cases_passes_if_one_passed_and_none_failed),
		FRESH(test_nic_test_conclude_cases_all_skipped_is_skipped_and_says_why),
		FRESH(test_nic_test_conclude_cases_without_a_case_fails),
		FRESH(test_nic_test_add_case_when_full_keeps_a_place_for_a_failure),
		FRESH(test_nic_test_texts_too_long_are_cut),
		FRESH(test_nic_test_add_value_takes_finite_ones_while_there_is_room),
		FRESH(test_nic_test_line_of_a_failure_has_its_cases_aligned_below),
		FRESH(test_nic_test_line_of_others_is_one_unless_all_is_asked_for),
		FRESH(test_nic_test_line_with_all_has_the_figures),
		FRESH(test_nic_test_line_controls_no_terminal),
		FRESH(test_nic_test_line_without_text_ends_with_the_time),
		FRESH(test_nic_test_summary_counts_each_verdict),
		FRESH(test_nic_test_report_verdict_is_that_of_all),
		FRESH(test_nic_test_json_head_says_what_and_how_many),
		FRESH(test_nic_test_json_has_cases_and_values_of_each_test),
		FRESH(test_nic_test_json_what_is_not_known_is_null),
		FRESH(test_nic_test_documents_show_no_password),
		FRESH(test_nic_test_documents_that_cannot_be_written_are_errors),
		FRESH(test_nic_test_documents_of_many_cases_on_a_full_disk_are_errors),
		FRESH(test_nic_test_documents_to_a_full_standard_output_are_errors),
		FRESH(test_nic_test_documents_to_a_dash_are_on_standard_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
