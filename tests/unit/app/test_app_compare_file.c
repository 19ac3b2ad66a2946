/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "compare_fixture.h"
#include "compare_plots.h"
#include "compare_warned.h"
#include "exit_code.h"
#include "report_json.h"

/* compare -o: a folder of its own for each test, with a curl of its own. */

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct fixture {
	struct compare *c;
	struct settings settings;
	char folder[64], file[96], nic[8], url[32], *urls[1], *outputs[1];
	char *path_before;
};

static void
in_folder(const struct fixture *f, const char *name, char *buf, size_t room)
{
	snprintf(buf, room, "%s/%s", f->folder, name);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/test_compare_file-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	in_folder(f, "file", f->file, sizeof(f->file));
	snprintf(f->url, sizeof(f->url), "http://198.18.0.1/x");
	snprintf(f->nic, sizeof(f->nic), "lo");
	f->urls[0] = f->url;
	f->outputs[0] = f->file;
	f->settings = (struct settings){
		.nic = f->nic, .writer_core = -1, .urls = {f->urls, 1}, .outputs = {f->outputs, 1}};
	f->c = compare_fixture_begin(&f->settings, &f->path_before);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	compare_file_free(f->c);
	compare_fixture_end(f->c, f->path_before, f->folder);
	free(f);
	return 0;
}

/* The next curl writes text to its -o, and says that it had 1,000 bytes a second for 2 s. */
static void
curl_gives(const struct fixture *f, const char *text)
{
	char path[96];
	FILE *file;

	in_folder(f, "curl", path, sizeof(path));
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\n[ ! -e \"$2\" ] || exit 9\n"
		"printf '%s' >\"$2\"\necho 1000 2\n",
		text);
	fclose(file);
	chmod(path, 0755);
	setenv("PATH", f->folder, 1);
	snprintf(path, sizeof(path), "%s:%s", f->folder, "/usr/bin:/bin");
	setenv("PATH", path, 1);
}

static void
test_compare_file_alike_each_time_is_verified(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	int code;

	assert_int_equal(compare_file_open(f->c), 0);
	curl_gives(f, "abc");
	assert_true(compare_file_curl(f->c, &curl, &code));
	assert_true(compare_file_curl(f->c, &curl, &code)); /* it was removed in between */
	assert_int_equal(code, 0);
	assert_int_equal(f->c->file->verified, 2);
	assert_int_equal(f->c->file->bytes, 3);
	assert_string_equal(f->c->file->hex, SHA256_OF_ABC);
	assert_true(fabs(curl.bits_per_second - 8000.0) < 1e-6);
}

static void
test_compare_file_that_differs_is_told(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	int code;

	assert_int_equal(compare_file_open(f->c), 0);
	curl_gives(f, "abc");
	assert_true(compare_file_curl(f->c, &curl, &code));
	curl_gives(f, "abd");
	assert_false(compare_file_curl(f->c, &curl, &code));
	assert_int_equal(code, EXIT_CODE_CHECKSUM);
	assert_int_equal(f->c->file->verified, 1);
	assert_int_equal(access(f->file, F_OK), 0); /* kept */
}

static void
test_compare_file_is_what_checksum_says(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	int code;

	f->settings.checksum = (char[]){"sha-256=" SHA256_OF_ABC};
	assert_int_equal(compare_file_open(f->c), 0);
	curl_gives(f, "abd");
	assert_false(compare_file_curl(f->c, &curl, &code));
	assert_int_equal(code, EXIT_CODE_CHECKSUM);
	curl_gives(f, "abc");
	assert_true(compare_file_curl(f->c, &curl, &code));
}

static void
test_compare_file_fsync_is_in_curls_time(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	int code;

	f->settings.fsync = true;
	assert_int_equal(compare_file_open(f->c), 0);
	curl_gives(f, "abc");
	assert_true(compare_file_curl(f->c, &curl, &code));
	assert_true(curl.seconds > 2.0);
	assert_true(fabs(curl.bits_per_second - 16000.0 / curl.seconds) < 1e-6);
}

static void
test_compare_file_without_curl_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	int code;

	assert_int_equal(compare_file_open(f->c), 0);
	setenv("PATH", f->folder, 1);
	assert_false(compare_file_curl(f->c, &curl, &code));
	assert_int_equal(code, 0);
}

static void
test_compare_file_that_cannot_be_made_anew_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	assert_int_equal(compare_file_open(f->c), EXIT_CODE_USAGE);
	assert_int_equal(access(f->file, F_OK), 0);
	compare_file_free(f->c);
	f->outputs[0] = f->folder;
	assert_int_equal(compare_file_open(f->c), EXIT_CODE_USAGE);
	compare_file_free(f->c);
	f->outputs[0] = (char[]){"/tmp/no-such-directory/file"};
	assert_int_equal(compare_file_open(f->c), EXIT_CODE_WRITE_ERROR);
	compare_file_free(f->c);
	f->outputs[0] = f->file;
	unlink(f->file);
	f->settings.checksum = (char[]){"sha-256=abc"};
	assert_int_equal(compare_file_open(f->c), EXIT_CODE_USAGE);
	compare_file_free(f->c);
	f->settings.checksum = (char[]){"crc"};
	assert_int_equal(compare_file_open(f->c), EXIT_CODE_USAGE);
}

static json_t *
run_with(double bits, const char *method)
{
	return json_pack("{s:{s:f, s:{s:s}, s:{s:i}}}", "end", "body_bits_per_second", bits, "sink",
		"method", method, "core", "core", 0);
}

/* A pair to nowhere and one to the file, and curl's. */
static void
add_pair(struct compare *c, const double *null, const double *file, const char *const *method)
{
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		c->null->run[side][c->pairs] = run_with(null[side], "discard");
		c->run[side][c->pairs] = run_with(file[side], method[side]);
	}
	c->null->curl[c->curls].bits_per_second = null[2];
	c->curl[c->curls].bits_per_second = file[2];
	c->null->pairs = ++c->pairs;
	c->null->curls = ++c->curls;
}

static const char *const direct[] = {"io_uring, direct", "io_uring, direct"};
static const char *const unlike[] = {"io_uring, direct", "io_uring, buffered"};
static const char *const buffered[] = {"io_uring, buffered", "io_uring, buffered"};

static void
test_compare_file_ratios_are_those_of_the_pairs(void **state)
{
	struct fixture *f = *state;
	json_t *ratios;
	FILE *out;
	char *text;
	size_t len;

	assert_int_equal(compare_file_open(f->c), 0);
	add_pair(f->c, (const double[]){8e9, 4e9, 4e9}, (const double[]){6e9, 2e9, 1e9}, direct);
	ratios = compare_file_ratios_json(f->c);
	assert_true(fabs(report_json_number(ratios, "file_to_null/dpfetch/median") - 0.75) < 1e-9);
	assert_true(fabs(report_json_number(ratios, "file_to_null/curl/median") - 0.25) < 1e-9);
	assert_true(fabs(report_json_number(ratios, "to_curl_null/dpfetch/median") - 2.0) < 1e-9);
	assert_true(fabs(report_json_number(ratios, "to_curl_file/dpfetch/median") - 6.0) < 1e-9);
	assert_true(fabs(report_json_number(ratios, "to_curl_file/kernel/median") - 2.0) < 1e-9);
	json_decref(ratios);
	out = open_memstream(&text, &len);
	compare_file_text(f->c, out);
	fclose(out);
	assert_non_null(strstr(text, "/ curl, to the file"));
	assert_non_null(strstr(text, "6.00 (6.00-6.00) x"));
	assert_non_null(strstr(text, "GB free before"));
	assert_non_null(strstr(text, "No fsync, for all three"));
	free(text);
	out = open_memstream(&text, &len);
	compare_plot_transfers(f->c, out);
	fclose(out);
	assert_non_null(strstr(text, "curl to the file: 1.000 Gb/s"));
	assert_non_null(strstr(text, "dpfetch to nowhere: 8.000 Gb/s"));
	free(text);
	out = open_memstream(&text, &len);
	compare_plot_transfers(f->c->null, out); /* a load has no such plot */
	fclose(out);
	assert_string_equal(text, "");
	free(text);
}

/* Does a warning contain this, of a file on this file system? */
static bool
warned(struct compare *c, const char *file_system, const char *text)
{
	json_t *conditions = json_pack("{s:o}", "file", compare_file_conditions(c));

	json_object_set_new(
		json_object_get(conditions, "file"), "file_system", json_string(file_system));
	c->warnings = 0;
	compare_file_check_fairness(c, conditions);
	json_decref(conditions);
	return compare_has_warning(c, text);
}

static void
test_compare_file_unlike_writing_is_warned_of(void **state)
{
	struct fixture *f = *state;
	const double any[] = {1e9, 1e9, 1e9};

	assert_int_equal(compare_file_open(f->c), 0);
	add_pair(f->c, any, any, direct);
	assert_true(warned(f->c, "ext4", "used O_DIRECT"));
	assert_true(warned(f->c, "tmpfs", "in memory (tmpfs)"));
	f->settings.fsync = true;
	assert_false(warned(f->c, "ext4", "O_DIRECT"));
	f->settings.fsync = false;
	f->c->curls = 0;
	assert_false(warned(f->c, "ext4", "used O_DIRECT"));
	json_object_set_new(json_object_get(json_object_get(f->c->run[1][0], "end"), "sink"),
		"method", json_string(unlike[1]));
	assert_true(warned(f->c, "ext4", "only one of the two"));
	json_object_set_new(json_object_get(json_object_get(f->c->run[0][0], "end"), "sink"),
		"method", json_string(buffered[0]));
	assert_true(warned(f->c, "ext4", "memory may have been measured"));
	f->c->file->bytes = f->c->file->free_bytes;
	assert_true(warned(f->c, "ext4", "slow to find room"));
	f->settings.server_pid = (uint64_t)getpid();
	f->settings.writer_core = 0;
	assert_true(warned(f->c, "ext4", "may run on CPU 0, where our writer"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_compare_file_alike_each_time_is_verified, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_that_differs_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_is_what_checksum_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_fsync_is_in_curls_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_without_curl_is_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_that_cannot_be_made_anew_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_ratios_are_those_of_the_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_compare_file_unlike_writing_is_warned_of, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
