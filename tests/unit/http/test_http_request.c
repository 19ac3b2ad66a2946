/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http_request.h"

static char buf[1024];

static struct http_url
url_of(const char *text)
{
	struct http_url u;
	const char *message;

	assert_int_equal(http_url_parse(text, &u, &message), 0);
	return u;
}

static void
assert_written(const char *url_text, const char *const *headers, uint32_t count, const char *want)
{
	struct http_url u = url_of(url_text);
	struct http_request request = {.method = "GET",
		.url = &u,
		.user_agent = "t/1",
		.headers = headers,
		.headers_count = count};
	int len = http_request_write(&request, buf, sizeof(buf));

	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf, want, strlen(want));
	http_url_free(&u);
}

static void
test_request_plain_has_host_agent_and_accept(void **state)
{
	(void)state;
	assert_written("http://h/a?b", NULL, 0,
		"GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: t/1\r\nAccept: */*\r\n\r\n");
}

static void
test_request_other_port_is_in_host(void **state)
{
	(void)state;
	assert_written("http://[2001:db8::1]:8080/", NULL, 0,
		"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\nUser-Agent: t/1\r\n"
		"Accept: */*\r\n\r\n");
	assert_written("http://h:65535/", NULL, 0,
		"GET / HTTP/1.1\r\nHost: h:65535\r\nUser-Agent: t/1\r\nAccept: */*\r\n\r\n");
}

static void
test_request_userinfo_becomes_basic_authorization(void **state)
{
	(void)state;
	/* RFC 7617 §2's example. */
	assert_written("http://Aladdin:open%20sesame@h/", NULL, 0,
		"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
		"User-Agent: t/1\r\nAccept: */*\r\n\r\n");
	assert_written("http://a:bc@h/", NULL, 0,
		"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpiYw==\r\n"
		"User-Agent: t/1\r\nAccept: */*\r\n\r\n");
	assert_written("http://a:b@h/", NULL, 0,
		"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpi\r\n"
		"User-Agent: t/1\r\nAccept: */*\r\n\r\n");
}

static void
test_request_header_argument_adds(void **state)
{
	static const char *const headers[] = {"X-A: 1", "X-A:   2\t3", "X-Empty;"};

	(void)state;
	assert_written("http://h/", headers, 3,
		"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: t/1\r\nAccept: */*\r\n"
		"X-A: 1\r\nX-A: 2\t3\r\nX-Empty:\r\n\r\n");
}

static void
test_request_header_argument_replaces_a_default(void **state)
{
	static const char *const headers[] = {"Accept: text/plain", "host: other", "Host: third"};

	(void)state;
	assert_written("http://h/", headers, 3,
		"GET / HTTP/1.1\r\nhost: other\r\nUser-Agent: t/1\r\nAccept: text/plain\r\n\r\n");
}

static void
test_request_header_argument_removes_a_default(void **state)
{
	static const char *const headers[] = {
		"Accept:", "User-Agent: ", "Authorization:", "Hos: 1"};

	(void)state;
	assert_written("http://a:b@h/", headers, 4, "GET / HTTP/1.1\r\nHost: h\r\nHos: 1\r\n\r\n");
}

static void
test_request_default_user_agent_names_the_program(void **state)
{
	struct http_url u = url_of("http://h/");
	struct http_request request = {.method = "GET", .url = &u};
	int len = http_request_write(&request, buf, sizeof(buf) - 1);

	(void)state;
	assert_true(len > 0);
	buf[len] = '\0';
	assert_non_null(strstr(buf, "\r\nUser-Agent: dpfetch/" DPFETCH_VERSION "\r\n"));
	request.user_agent = "";
	len = http_request_write(&request, buf, sizeof(buf) - 1);
	assert_true(len > 0);
	buf[len] = '\0';
	assert_null(strstr(buf, "User-Agent"));
	http_url_free(&u);
}

static void
test_request_that_does_not_fit_is_too_long(void **state)
{
	static const char want[] =
		"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: t/1\r\nAccept: */*\r\n\r\n";
	struct http_url u = url_of("http://h/");
	struct http_request request = {.method = "GET", .url = &u, .user_agent = "t/1"};
	uint32_t room;

	(void)state;
	for (room = 0; room < sizeof(want) - 1; room++)
		assert_int_equal(http_request_write(&request, buf, room), -EMSGSIZE);
	assert_int_equal(http_request_write(&request, buf, room), room);
	http_url_free(&u);
}

static void
test_request_splitting_is_refused(void **state)
{
	static const char *const split[] = {"X: a\r\nEvil: 1"};
	struct http_url u = url_of("http://h/");
	struct http_request request = {.method = "GET", .url = &u};

	(void)state;
	request.headers = split;
	request.headers_count = 1;
	assert_int_equal(http_request_write(&request, buf, sizeof(buf)), -EINVAL);
	request.headers_count = 0;
	request.user_agent = "a\r\nEvil: 1";
	assert_int_equal(http_request_write(&request, buf, sizeof(buf)), -EINVAL);
	request.user_agent = NULL;
	request.method = "GET / HTTP/1.1\r\nEvil: 1";
	assert_int_equal(http_request_write(&request, buf, sizeof(buf)), -EINVAL);
	request.method = "";
	assert_int_equal(http_request_write(&request, buf, sizeof(buf)), -EINVAL);
	http_url_free(&u);
}

static void
test_header_check_tells_good_from_bad(void **state)
{
	static const char *const good[] = {
		"A: b", "A:b", "A:", "A;", "A; ", "X-1.2_3!#$%&'*+^`|~: \xc3\xbc", "A: b\tc"};
	static const char *const bad[] = {"", "A", ": b", ";", "A b: c", "A : c", "A: b\rc",
		"A: b\nc", "A\n: b", "A; b", "A: \177", "\xc3\xbc: a"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(http_header_check(good[i]), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_header_check(bad[i]), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_plain_has_host_agent_and_accept),
		cmocka_unit_test(test_request_other_port_is_in_host),
		cmocka_unit_test(test_request_userinfo_becomes_basic_authorization),
		cmocka_unit_test(test_request_header_argument_adds),
		cmocka_unit_test(test_request_header_argument_replaces_a_default),
		cmocka_unit_test(test_request_header_argument_removes_a_default),
		cmocka_unit_test(test_request_default_user_agent_names_the_program),
		cmocka_unit_test(test_request_that_does_not_fit_is_too_long),
		cmocka_unit_test(test_request_splitting_is_refused),
		cmocka_unit_test(test_header_check_tells_good_from_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
