/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "exit_code.h"
#include "resolve.h"

static char message[SETTINGS_MESSAGE_MAX];

static int
resolve(const struct settings *s, const char *text, struct ip_address *ret)
{
	struct http_url url;
	const char *why;
	int rc;

	assert_int_equal(http_url_parse(text, &url, &why), 0);
	rc = resolve_url(s, &url, ret, message);
	http_url_free(&url);
	return rc;
}

static void
test_resolve_literal_and_given_entry_come_before_all_else(void **state)
{
	char entry[] = "www.lab:80:198.18.0.7";
	char *entries[] = {entry};
	struct settings s = {.resolve = {entries, 1}};
	struct ip_address a;

	(void)state;
	assert_int_equal(resolve(&s, "http://198.18.0.9/", &a), 0);
	assert_int_equal(a.family, 4);
	assert_int_equal(a.v4, 0xc6120009);
	assert_int_equal(resolve(&s, "http://WWW.lab/", &a), 0);
	assert_int_equal(a.v4, 0xc6120007);
	assert_int_equal(resolve(&s, "http://www.lab:81/", &a), -ENOENT); /* another port */
}

static void
test_resolve_hosts_file_is_read_and_other_names_are_for_dns(void **state)
{
	const struct settings s = {0};
	struct ip_address a = {.family = 77};

	(void)state;
	assert_int_equal(resolve(&s, "http://no-such-name-anywhere.invalid/", &a), -ENOENT);
	assert_int_equal(a.family, 77); /* untouched */
	assert_int_equal(resolve(&s, "http://localhost/", &a), 0);
	assert_int_equal(a.v4, 0x7f000001);
}

static int
check_dns(const char *text)
{
	char copy[100];
	const struct settings s = {.dns = copy};

	snprintf(copy, sizeof(copy), "%s", text);
	return resolve_check(&s, message);
}

static void
test_resolve_dns_option_is_a_short_list_or_system(void **state)
{
	static const char *const good[] = {"1.1.1.1", "1.1.1.1,2.2.2.2", "1.1.1.1,2.2.2.2,3.3.3.3",
		"system", "SYSTEM", "2001:db8::53", "[2001:db8::53]",
		"[fe80::53%c0],1.1.1.1,2001:db8::1"};
	static const char *const bad[] = {"", ",", "1.1.1.1,", "1.1.1.1,,2.2.2.2", "1.1.1", "www",
		"127.0.0.53", "0.0.0.0", "1.1.1.1, 2.2.2.2", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4",
		"111.111.111.1111", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1",
		"[2001:db8::53", "[2001:db8::53]:53", "[2001:db8::53],", "2001:db8::g"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(check_dns(good[i]), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(check_dns(bad[i]), -EINVAL);
		assert_non_null(strstr(message, "--dns"));
	}
}

static void
test_resolve_servers_given_keep_their_order(void **state)
{
	char list[] = "198.18.0.9,[2001:db8::1],198.18.0.1", word[] = "system";
	struct settings s = {.dns = list};
	struct ip_address server[DNS_SERVERS_MAX];

	(void)state;
	assert_int_equal(resolve_servers_given(&s, server), 3);
	assert_int_equal(server[0].v4, 0xc6120009);
	assert_int_equal(server[1].family, 6);
	assert_int_equal(server[1].v6.byte[15], 1);
	assert_int_equal(server[2].v4, 0xc6120001);
	s.dns = word;
	assert_int_equal(resolve_servers_given(&s, server), 0);
	s.dns = NULL;
	assert_int_equal(resolve_servers_given(&s, server), 0);
}

static uint32_t
servers_of(const struct settings *s, const char *text, struct ip_address *ret)
{
	char path[] = "/tmp/test-resolve-XXXXXX";
	int fd = mkstemp(path);
	uint32_t count;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	count = resolve_servers_of(s, path, ret);
	unlink(path);
	return count;
}

static void
test_resolve_conf_servers_are_those_that_our_stack_can_reach(void **state)
{
	const struct settings s = {.address_set = true};
	struct ip_address server[DNS_SERVERS_MAX];

	(void)state;
	assert_int_equal(servers_of(&s,
				 "# nameserver 9.9.9.9\nsearch lab\n; nameserver 9.9.9.9\n"
				 "nameserver 127.0.0.53\nnameserver ::1\n"
				 "nameserver\t198.18.0.1  \n options rotate\n"
				 "nameserver 198.18.0.2",
				 server),
		2);
	assert_int_equal(server[0].v4, 0xc6120001);
	assert_int_equal(server[1].v4, 0xc6120002);
	assert_int_equal(servers_of(&s,
				 "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n"
				 "nameserver 1.1.1.4\n",
				 server),
		DNS_SERVERS_MAX);
	assert_int_equal(servers_of(&s, "", server), 0);
	assert_int_equal(resolve_servers_of(&s, "/nonexistent/resolv.conf", server), 0);
}

static void
test_resolve_conf_servers_are_of_the_versions_that_we_speak(void **state)
{
	static const char text[] = "nameserver 2001:db8::1\nnameserver 198.18.0.1\n"
				   "nameserver fe80::1\nnameserver fe80::1%eth0\n"
				   "nameserver 2001:db8:1111:2222:3333:4444:5555:6666\n"
				   "nameserver ff02::1\nnameserver 0.0.0.0\n";
	struct settings s = {.address6_set = true};
	struct ip_address server[DNS_SERVERS_MAX];

	(void)state;
	assert_int_equal(servers_of(&s, text, server), 2);
	assert_int_equal(server[0].v6.byte[15], 1);
	assert_int_equal(server[1].v6.byte[15], 0x66);
	s.address_set = true;
	assert_int_equal(servers_of(&s, text, server), 3);
	assert_int_equal(server[1].v4, 0xc6120001);
	s.address6_set = false;
	assert_int_equal(servers_of(&s, text, server), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_literal_and_given_entry_come_before_all_else),
		cmocka_unit_test(test_resolve_hosts_file_is_read_and_other_names_are_for_dns),
		cmocka_unit_test(test_resolve_dns_option_is_a_short_list_or_system),
		cmocka_unit_test(test_resolve_servers_given_keep_their_order),
		cmocka_unit_test(test_resolve_conf_servers_are_those_that_our_stack_can_reach),
		cmocka_unit_test(test_resolve_conf_servers_are_of_the_versions_that_we_speak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
