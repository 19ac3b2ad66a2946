/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http_url.h"

static void
parse(const char *text, struct http_url *u)
{
	const char *message = "none";
	int e = http_url_parse(text, u, &message);

	if (e != 0)
		fail_msg("%s: %s", text, message);
}

static void
assert_parse_error(const char *text, int error, const char *message)
{
	struct http_url u = {.port = 7};
	const char *got = NULL;

	assert_int_equal(http_url_parse(text, &u, &got), error);
	assert_non_null(got);
	if (message != NULL)
		assert_string_equal(got, message);
	assert_int_equal(u.port, 7); /* untouched */
}

static void
test_url_plain_has_its_parts(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://198.18.0.1/dir/file.bin?x=1&y=2", &u);
	assert_string_equal(u.host, "198.18.0.1");
	assert_string_equal(u.path, "/dir/file.bin?x=1&y=2");
	assert_string_equal(u.filename, "file.bin");
	assert_string_equal(u.canonical, "http://198.18.0.1/dir/file.bin?x=1&y=2");
	assert_null(u.userinfo);
	assert_int_equal(u.port, 80);
	assert_true(u.port_default);
	http_url_free(&u);
	assert_null(u.host);
}

static void
test_url_without_scheme_is_http(void **state)
{
	struct http_url u;

	(void)state;
	parse("example.org:8080/a", &u);
	assert_string_equal(u.host, "example.org");
	assert_int_equal(u.port, 8080);
	assert_false(u.port_default);
	assert_string_equal(u.canonical, "http://example.org:8080/a");
	http_url_free(&u);
	parse("ftp.example.org/a", &u); /* CURLU would guess ftp */
	assert_string_equal(u.canonical, "http://ftp.example.org/a");
	assert_int_equal(u.port, 80);
	http_url_free(&u);
}

static void
test_url_scheme_is_case_insensitive(void **state)
{
	struct http_url u;

	(void)state;
	parse("HTTP://h/", &u);
	assert_string_equal(u.canonical, "http://h/");
	http_url_free(&u);
}

static void
test_url_without_path_gets_a_slash(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h", &u);
	assert_string_equal(u.path, "/");
	assert_null(u.filename);
	http_url_free(&u);
	parse("http://h?q", &u);
	assert_string_equal(u.path, "/?q");
	http_url_free(&u);
	parse("http://h/?", &u);
	assert_string_equal(u.path, "/?");
	http_url_free(&u);
}

static void
test_url_explicit_default_port_is_default(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h:80/", &u);
	assert_int_equal(u.port, 80);
	assert_true(u.port_default);
	http_url_free(&u);
}

static void
test_url_userinfo_is_decoded_and_kept_out_of_canonical(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://us%20er:p%40ss@h/a", &u);
	assert_string_equal(u.userinfo, "us er:p@ss");
	assert_string_equal(u.canonical, "http://h/a");
	assert_string_equal(u.host, "h");
	http_url_free(&u);
	parse("http://user@h/", &u);
	assert_string_equal(u.userinfo, "user:");
	http_url_free(&u);
	parse("http://:secret@h/", &u);
	assert_string_equal(u.userinfo, ":secret");
	http_url_free(&u);
}

/* It would go into the Host field; found by the URL fuzzer. */
static void
test_url_host_with_an_encoded_control_character_is_malformed(void **state)
{
	(void)state;
	assert_parse_error("http://h%7f/", -EINVAL, "Bad hostname");
	assert_parse_error("http://h%0d%0aX:1/", -EINVAL, NULL);
}

static void
test_url_userinfo_outside_ascii_is_taken(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://\xc3\xbc:p@h/", &u);
	assert_string_equal(u.userinfo, "\xc3\xbc:p");
	http_url_free(&u);
}

static void
test_url_ipv6_literal_keeps_its_brackets(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://[2001:db8::1]:8080/", &u);
	assert_string_equal(u.host, "[2001:db8::1]");
	assert_int_equal(u.port, 8080);
	http_url_free(&u);
}

static void
test_url_fragment_is_dropped(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h/a?b#c", &u);
	assert_string_equal(u.path, "/a?b");
	assert_string_equal(u.canonical, "http://h/a?b");
	http_url_free(&u);
}

static void
test_url_blanks_and_non_ascii_are_percent_encoded(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h/a b/\xc3\xbc.iso?q r", &u);
	assert_string_equal(u.path, "/a%20b/%c3%bc.iso?q+r");
	assert_string_equal(u.filename, "\xc3\xbc.iso");
	http_url_free(&u);
}

static void
test_url_encoded_path_stays_as_it_is(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h/a%20b%2fc%25", &u);
	assert_string_equal(u.path, "/a%20b%2fc%25");
	http_url_free(&u);
}

static void
test_url_filename_can_name_no_other_folder(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h/a/..%2f..%2fetc%2fpasswd", &u);
	assert_string_equal(u.filename, "..%2f..%2fetc%2fpasswd");
	http_url_free(&u);
	parse("http://h/a/b/..", &u);
	assert_string_equal(u.path, "/a/");
	assert_null(u.filename);
	http_url_free(&u);
	parse("http://h/dir/", &u);
	assert_null(u.filename);
	http_url_free(&u);
}

static void
test_url_dot_segments_are_removed(void **state)
{
	struct http_url u;

	(void)state;
	parse("http://h/a/./b/../c", &u);
	assert_string_equal(u.path, "/a/c");
	http_url_free(&u);
}

static void
test_url_other_scheme_is_not_supported(void **state)
{
	(void)state;
	assert_parse_error("https://h/", -EPROTONOSUPPORT, "only http:// is supported");
	assert_parse_error("ftp://h/", -EPROTONOSUPPORT, NULL);
	assert_parse_error("gopher+x://h/", -EPROTONOSUPPORT, NULL);
	assert_parse_error("file:///etc/passwd", -EPROTONOSUPPORT, NULL);
}

static void
test_url_malformed_is_invalid(void **state)
{
	(void)state;
	assert_parse_error("", -EINVAL, NULL);
	assert_parse_error("http://", -EINVAL, NULL);
	assert_parse_error("http:///", -EINVAL, NULL);
	assert_parse_error("http://h:99999/", -EINVAL,
		"Port number was not a decimal number between 0 and 65535");
	assert_parse_error("http://h:0/", -EINVAL, NULL);
	assert_parse_error("http://h:x/", -EINVAL, NULL);
	assert_parse_error("http://[::1/", -EINVAL, NULL);
	assert_parse_error("http://a b/", -EINVAL, NULL);
	assert_parse_error("http://h/a\r\nX: y", -EINVAL, NULL);
	assert_parse_error("http://h/a\001", -EINVAL, NULL);
	assert_parse_error("http://us%0aer@h/", -EINVAL, NULL);
}

/* libcurl calls it out of memory; found by the URL fuzzer. */
static void
test_url_host_outside_ascii_is_malformed_not_out_of_memory(void **state)
{
	static const char *const error =
		"the host has letters outside ASCII; write it in its xn-- form";

	(void)state;
	assert_parse_error("http://\xc3\xbcml.example/", -EINVAL, error);
	assert_parse_error("\xc3\xbcml.example/", -EINVAL, error);
	assert_parse_error("http:/\xfb?", -EINVAL, error);
	assert_parse_error("http://%c3%bcml.example/", -EINVAL, error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_host_outside_ascii_is_malformed_not_out_of_memory),
		cmocka_unit_test(test_url_plain_has_its_parts),
		cmocka_unit_test(test_url_without_scheme_is_http),
		cmocka_unit_test(test_url_scheme_is_case_insensitive),
		cmocka_unit_test(test_url_without_path_gets_a_slash),
		cmocka_unit_test(test_url_explicit_default_port_is_default),
		cmocka_unit_test(test_url_userinfo_is_decoded_and_kept_out_of_canonical),
		cmocka_unit_test(test_url_host_with_an_encoded_control_character_is_malformed),
		cmocka_unit_test(test_url_userinfo_outside_ascii_is_taken),
		cmocka_unit_test(test_url_ipv6_literal_keeps_its_brackets),
		cmocka_unit_test(test_url_fragment_is_dropped),
		cmocka_unit_test(test_url_blanks_and_non_ascii_are_percent_encoded),
		cmocka_unit_test(test_url_encoded_path_stays_as_it_is),
		cmocka_unit_test(test_url_filename_can_name_no_other_folder),
		cmocka_unit_test(test_url_dot_segments_are_removed),
		cmocka_unit_test(test_url_other_scheme_is_not_supported),
		cmocka_unit_test(test_url_malformed_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
