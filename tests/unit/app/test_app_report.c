/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base_time.h"
#include "report.h"
#include "stats_documented.h"

static struct http_url url = {
	.host = (char[]){"h"}, .canonical = (char[]){"http://h/x"}, .port = 80};

static struct report *
make_report(void)
{
	struct report *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->url = &url;
	r->url_given = "h/x";
	r->path = "out";
	r->attempts = 2;
	r->result.status = 200;
	r->result.body_bytes = 1000000;
	r->result.start_ns = 10 * NS_PER_SEC;
	r->result.connected_ns = r->result.start_ns + NS_PER_MS;
	r->result.end_ns = r->result.start_ns + 2 * NS_PER_SEC;
	r->remote_address = ip_address_of_v4(0xc6120001);
	r->counters.value[COUNTER_TCP_SEGMENTS_RECEIVED] = 700;
	r->usage.cycles = 1000000;
	r->usage.cycles_busy = 350000;
	histogram_reset(&r->ack_delay);
	histogram_reset(&r->iteration);
	histogram_record(&r->ack_delay, 5000);
	snprintf(r->headers.content_type, sizeof(r->headers.content_type), "text/\"x\"");
	return r;
}

static char *
expand(const char *format, char **ret_err)
{
	struct report *r = make_report();
	char *out_text = NULL, *err_text = NULL;
	size_t out_len, err_len;
	FILE *out = open_memstream(&out_text, &out_len), *err = open_memstream(&err_text, &err_len);

	report_write_out(r, format, out, err);
	fclose(out);
	fclose(err);
	free(r);
	if (ret_err != NULL)
		*ret_err = err_text;
	else
		free(err_text);
	return out_text;
}

static void
expect(const char *format, const char *text)
{
	char *got = expand(format, NULL);

	assert_string_equal(got, text);
	free(got);
}

static char *
summary(bool kernel)
{
	struct report *r = make_report();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	r->kernel = kernel;
	r->cpu_user_ns = NS_PER_SEC / 2;
	r->cpu_system_ns = NS_PER_SEC;
	report_summary(r, out);
	fclose(out);
	free(r);
	return text;
}

static void
test_summary_of_the_kernels_stack_shows_its_cpu_and_no_zeroes(void **state)
{
	char *text = summary(true);

	(void)state;
	assert_non_null(strstr(text, "1000000 bytes in 2.000 s"));
	assert_non_null(strstr(text, "0.50 s user and 1.00 s system (75 % of a CPU)"));
	assert_null(strstr(text, "ACKs"));
	assert_null(strstr(text, "cycles a segment"));
	free(text);
	text = summary(false);
	assert_non_null(strstr(text, "segments 700"));
	assert_null(strstr(text, "s system"));
	free(text);
}

static void
test_write_out_curl_variables_and_escapes(void **state)
{
	(void)state;
	expect("%{http_code} %{size_download}\\n", "200 1000000\n");
	expect("%{time_connect} %{time_total} %{speed_download}", "0.001000 2.000000 500000");
	expect("%{remote_ip}:%{remote_port} %{num_retries}", "198.18.0.1:80 1");
	expect("100%% %{url_effective}\\t|", "100% http://h/x\t|");
	expect("%{busy_percent} %{cycles_per_segment}", "35.000000 500.000000");
	expect("a%b\\q", "a%b\\q");
	expect("open %{http_code", "open %{http_code");
}

static void
test_write_out_unknown_variable_is_named_on_stderr(void **state)
{
	char *err, *out = expand("x%{nonsense}y%{stderr}z", &err);

	(void)state;
	assert_string_equal(out, "xy");
	assert_non_null(strstr(err, "'nonsense'"));
	assert_non_null(strstr(err, "z"));
	free(out);
	free(err);
}

static void
test_write_out_json_parses_and_agrees(void **state)
{
	char *out = expand("%{json}", NULL);
	json_t *j = json_loads(out, 0, NULL);

	(void)state;
	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(j, "segments")), 700);
	assert_string_equal(json_string_value(json_object_get(j, "content_type")), "text/\"x\"");
	json_decref(j);
	free(out);
}

static void
test_write_out_onerror_prints_the_rest_only_after_a_failure(void **state)
{
	struct report *r = make_report();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	expect("a%{onerror}b", "a");
	r->exit_code = 7;
	report_write_out(r, "a%{onerror}b", out, out);
	fclose(out);
	assert_string_equal(text, "ab");
	free(text);
	free(r);
}

static void
test_write_out_redirect_url_is_the_location_resolved(void **state)
{
	struct report *r = make_report();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	r->result.status = 301;
	report_note_header(&r->headers, "LOCATION", "../y?z", 0);
	report_write_out(r, "%{redirect_url} %{num_headers}", out, out);
	fclose(out);
	assert_string_equal(text, "http://h/y?z 1");
	free(text);
	free(r);
}

static void
test_json_of_latin_1_text_is_utf_8(void **state)
{
	struct report *r = make_report();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *j;

	(void)state;
	report_note_header(&r->headers, "Content-Type", "text/caf\xe9", 0);
	report_write_out(r, "%{json}", out, out);
	fclose(out);
	j = json_loads(text, 0, NULL);
	assert_string_equal(
		json_string_value(json_object_get(j, "content_type")), "text/caf\xc3\xa9");
	json_decref(j);
	free(text);
	free(r);
}

/* The document of one transfer with these settings; the caller's. */
static json_t *
stats_of(const struct settings *s)
{
	struct machine_sample *machine = calloc(1, sizeof(*machine));
	struct report *r = make_report();
	char path[] = "/tmp/dpfetch-test-XXXXXX";
	int fd = mkstemp(path);
	json_t *root;

	assert_true(fd >= 0 && machine != NULL);
	close(fd);
	machine->cpus = 1;
	machine->server = machine->interface = true;
	r->machine = machine;
	r->url_given = "http://me:secret@h/x";
	r->cycles_hz = 1000000000;
	assert_int_equal(report_stats_write(path, r, 1, s, NULL), 0);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	unlink(path);
	free(machine);
	free(r);
	return root;
}

static void
test_stats_say_what_was_run_and_where_without_passwords(void **state)
{
	char *header[] = {
		"Cookie: secret", "X-A: caf\xe9", "X-Api-Key: secret", "PRIVATE-TOKEN: secret"};
	const struct settings s = {.headers = {.item = header, .count = 4}};
	json_t *root = stats_of(&s), *headers = json_object_get(root, "headers");
	const json_t *environment = json_object_get(root, "environment");
	char *text = json_dumps(root, 0);

	(void)state;
	assert_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "\"http://h/x\""));
	assert_string_equal(json_string_value(json_array_get(headers, 0)), "Cookie: (hidden)");
	assert_string_equal(json_string_value(json_array_get(headers, 1)), "X-A: caf\xc3\xa9");
	assert_string_equal(json_string_value(json_array_get(headers, 2)), "X-Api-Key: (hidden)");
	assert_non_null(strstr(json_string_value(json_object_get(environment, "dpdk")), "DPDK"));
	assert_true(strlen(json_string_value(json_object_get(environment, "cpu"))) > 0);
	assert_true(strlen(json_string_value(json_object_get(environment, "governor"))) > 0);
	free(text);
	json_decref(root);
}

static void
test_stats_fields_are_all_documented(void **state)
{
	const struct settings s = {.stack = SETTINGS_STACK_DPDK};
	char *text = stats_documented_read();
	const char *name, *help;
	json_t *root = stats_of(&s);
	uint32_t i;

	(void)state;
	assert_non_null(json_object_get(
		json_object_get(json_array_get(json_object_get(root, "transfers"), 0), "machine"),
		"interface"));
	stats_documented_check(text, root, stats_documented_chapter(text, "get"), "");
	for (i = 0; report_variable_describe(i, &name, &help); i++)
		stats_documented_check_help(text, "result", name, help);
	json_decref(root);
	free(text);
}

static void
test_seconds_of_what_never_came_are_zero(void **state)
{
	struct report *r = make_report();

	(void)state;
	assert_true(report_seconds(r, 0) == 0.0);
	r->resolve_ns = 5 * NS_PER_MS;
	assert_true(report_seconds(r, r->result.connected_ns) > 0.0059);
	r->counters.value[COUNTER_TCP_SEGMENTS_RECEIVED] = 0;
	assert_true(report_cycles_per_segment(r) == 0.0);
	free(r);
}

static void
test_retry_after_is_seconds_or_a_date_and_bounded(void **state)
{
	const time_t now = 784111777; /* RFC 9110 §5.6.7's example date */

	(void)state;
	assert_int_equal(report_retry_after_ns("120", now), 120 * NS_PER_SEC);
	assert_int_equal(report_retry_after_ns("0", now), 0);
	assert_int_equal(report_retry_after_ns("", now), 0);
	assert_int_equal(report_retry_after_ns("-5", now), 0);
	assert_int_equal(report_retry_after_ns("soon", now), 0);
	assert_int_equal(
		report_retry_after_ns("99999999999999999999", now), UINT64_C(21600) * NS_PER_SEC);
	assert_int_equal(
		report_retry_after_ns("Sun, 06 Nov 1994 08:49:40 GMT", now), 3 * NS_PER_SEC);
	assert_int_equal(report_retry_after_ns("Sun, 06 Nov 1994 08:49:00 GMT", now), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary_of_the_kernels_stack_shows_its_cpu_and_no_zeroes),
		cmocka_unit_test(test_write_out_onerror_prints_the_rest_only_after_a_failure),
		cmocka_unit_test(test_write_out_redirect_url_is_the_location_resolved),
		cmocka_unit_test(test_json_of_latin_1_text_is_utf_8),
		cmocka_unit_test(test_retry_after_is_seconds_or_a_date_and_bounded),
		cmocka_unit_test(test_write_out_curl_variables_and_escapes),
		cmocka_unit_test(test_write_out_unknown_variable_is_named_on_stderr),
		cmocka_unit_test(test_write_out_json_parses_and_agrees),
		cmocka_unit_test(test_stats_say_what_was_run_and_where_without_passwords),
		cmocka_unit_test(test_stats_fields_are_all_documented),
		cmocka_unit_test(test_seconds_of_what_never_came_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
