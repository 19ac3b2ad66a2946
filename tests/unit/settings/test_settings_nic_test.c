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

#include "settings_fixture.h"
#include "settings_option.h"

/* dpfetch nic test: a command of two words beside dpfetch nic. */

#define TEXT_BYTES 65536U
#define URL "http://198.18.0.1/big"
#define MINE "nic", "test", "--nic", "eth9", "--address", "198.18.0.2/24"

#define ARGS(...) ((const char *const[]){"dpfetch", __VA_ARGS__, NULL})

/* Are these refused, in reading them or as a whole, with these words? */
static void
expect_refused(const char *const *args, const char *words)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;
	enum settings_result result = load(&s, message, args);

	if (result == SETTINGS_OK) {
		result = settings_check(&s, message);
		settings_free(&s);
	}
	assert_int_equal(result, SETTINGS_USAGE);
	if (strstr(message, words) == NULL)
		fail_msg("'%s' does not say '%s'", message, words);
}

static void
test_nic_test_is_a_command_of_two_words(void **state)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	assert_int_equal(load(&s, message,
				 ARGS(MINE, "--only", "mtu,soak", "--soak", "2.5", "--flap",
					 "manual", "--test-vlan", "100", "--junit", "a.xml",
					 "--html", "a.html", "--stats", "-", "--queues", "2", URL)),
		SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_NIC_TEST);
	assert_int_equal(s.nic_action, SETTINGS_NIC_NOTHING);
	assert_string_equal(s.nic, "eth9");
	assert_string_equal(s.only, "mtu,soak");
	assert_null(s.skip);
	assert_int_equal(s.soak_ns, UINT64_C(2500000000));
	assert_int_equal(s.flap, SETTINGS_FLAP_MANUAL);
	assert_int_equal(s.test_vlan_id, 100);
	assert_string_equal(s.junit, "a.xml");
	assert_int_equal(s.urls.count, 1);
	assert_string_equal(s.urls.item[0], URL);
	if (settings_check(&s, message) != SETTINGS_OK)
		fail_msg("%s", message);
	settings_free(&s);
}

static void
test_nic_test_defaults_are_a_minute_of_soak_and_a_flap_by_the_driver(void **state)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	assert_int_equal(load(&s, message, ARGS(MINE, URL)), SETTINGS_OK);
	assert_int_equal(s.soak_ns, UINT64_C(60000000000));
	assert_int_equal(s.flap, SETTINGS_FLAP_AUTO);
	assert_int_equal(s.test_vlan_id, 0);
	assert_null(s.only);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	settings_free(&s);
}

static void
test_nic_test_comes_after_eal_options(void **state)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	assert_int_equal(load(&s, message, ARGS("--no-huge", "--", MINE, URL)), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_NIC_TEST);
	assert_int_equal(s.eal_args_count, 1);
	settings_free(&s);
}

/* A file called test, or a URL. */
static void
test_nic_test_words_elsewhere_are_no_command(void **state)
{
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	assert_int_equal(load(&s, message, ARGS("test", URL)), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_GET);
	assert_int_equal(s.urls.count, 2);
	settings_free(&s);
	assert_int_equal(load(&s, message, ARGS("nic", "list")), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_NIC);
	settings_free(&s);
	assert_int_equal(load(&s, message, ARGS(URL, "nic", "test")), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_GET);
	settings_free(&s);
}

static void
test_nic_test_words_apart_are_refused_with_the_way_to_write_them(void **state)
{
	(void)state;
	expect_refused(
		ARGS("nic", "--format", "json", "test"), "write \"dpfetch nic test\" together");
	expect_refused(ARGS("nic", "--verbose", "test"), "write \"dpfetch nic test\" together");
	expect_refused(ARGS("nic", "test2"), "knows no 'test2'");
	expect_refused(ARGS("nic", "tes"), "knows no 'tes'");
}

static void
test_nic_test_needs_one_url_an_ipv4_address_of_its_own_and_a_port(void **state)
{
	(void)state;
	expect_refused(ARGS(MINE), "dpfetch nic test --nic DEV");
	expect_refused(ARGS(MINE, URL, URL), "one URL");
	expect_refused(ARGS("nic", "test", "--address", "198.18.0.2/24", URL), "--nic is missing");
	expect_refused(ARGS("nic", "test", "--nic", "eth9", URL), "--address");
	expect_refused(
		ARGS("nic", "test", "--nic", "eth9", "--address", "dhcp", URL), "IPv4 address");
	expect_refused(ARGS("nic", "test", "--nic", "eth9", "--address6", "2001:2:0:18::2/64",
			       "http://[2001:2:0:18::1]/"),
		"IPv4 address");
	expect_refused(ARGS(MINE, "--address6", "2001:2:0:18::2/64", "-6", URL), "speaks IPv4");
}

static void
test_nic_test_options_that_contradict_or_do_not_fit_are_refused(void **state)
{
	(void)state;
	expect_refused(ARGS(MINE, "--only", "mtu", "--skip", "soak", URL), "exclude each other");
	expect_refused(ARGS(MINE, "--cores", "1,1", URL), "--cores");
	expect_refused(ARGS(MINE, "--soak", "0", URL), "--soak");
	expect_refused(ARGS(MINE, "--flap", "never", URL), "auto, manual");
	expect_refused(ARGS(MINE, "--test-vlan", "4095", URL), "--test-vlan");
}

static void
test_nic_test_and_the_others_refuse_each_others_options(void **state)
{
	static const char *const not_its[] = {"--output", "--connections", "--pairs", "--retry",
		"--pcap", "--telemetry", "--keep-bound", "--format", "--fix", "--device"};
	static const char *const its_own[] = {
		"--only", "--skip", "--soak", "--flap", "--test-vlan", "--junit"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(not_its) / sizeof(not_its[0]); i++)
		expect_refused(ARGS(MINE, not_its[i], "1", URL), "dpfetch nic test has no --");
	for (i = 0; i < sizeof(its_own) / sizeof(its_own[0]); i++) {
		expect_refused(ARGS(its_own[i], "1", URL), "nic test");
		expect_refused(ARGS("bench", its_own[i], "1", URL), "dpfetch bench has no --");
		expect_refused(ARGS("nic", "list", its_own[i], "1"), "dpfetch nic has no --");
	}
}

static void
append(void *ctx, const char *text)
{
	char *all = ctx;

	assert_true(strlen(all) + strlen(text) < TEXT_BYTES);
	strcat(all, text);
}

static void
test_nic_test_dump_is_read_back(void **state)
{
	char path[] = "test_settings_XXXXXX", message[SETTINGS_MESSAGE_MAX];
	char *first = calloc(1, TEXT_BYTES), *second = calloc(1, TEXT_BYTES);
	struct settings s, again;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0 && first != NULL && second != NULL);
	assert_int_equal(load(&s, message,
				 ARGS(MINE, "--skip", "soak,rates", "--soak", "1.5", "--flap",
					 "manual", "--test-vlan", "4094", "--junit", "x.xml", URL)),
		SETTINGS_OK);
	assert_null(settings_dump(&s, append, first));
	assert_int_equal(write(fd, first, strlen(first)), (ssize_t)strlen(first));
	close(fd);
	assert_int_equal(load(&again, message, ARGS("nic", "test", "--config", path)), SETTINGS_OK);
	unlink(path);
	settings_dump(&again, append, second);
	assert_string_equal(first, second);
	assert_string_equal(again.skip, "soak,rates");
	assert_int_equal(again.soak_ns, UINT64_C(1500000000));
	assert_int_equal(settings_check(&again, message), SETTINGS_OK);
	settings_free(&s);
	settings_free(&again);
	free(first);
	free(second);
}

static void
test_nic_test_texts_name_its_options_and_have_no_hole(void **state)
{
	char *text = calloc(1, TEXT_BYTES);
	int command;

	(void)state;
	assert_non_null(text);
	settings_man(append, text);
	assert_null(strstr(text, "(null)"));
	assert_non_null(strstr(text, "Only for \\fBdpfetch nic test\\fR"));
	for (command = 0; command < SETTINGS_COMMAND_COUNT; command++) {
		text[0] = '\0';
		settings_help((enum settings_command)command, append, text);
		assert_null(strstr(text, "(null)"));
		assert_int_equal(strstr(text, "--test-vlan") != NULL, command == SETTINGS_NIC_TEST);
	}
	assert_string_equal(settings_command_name(SETTINGS_NIC_TEST), "nic test");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nic_test_is_a_command_of_two_words),
		cmocka_unit_test(
			test_nic_test_defaults_are_a_minute_of_soak_and_a_flap_by_the_driver),
		cmocka_unit_test(test_nic_test_comes_after_eal_options),
		cmocka_unit_test(test_nic_test_words_elsewhere_are_no_command),
		cmocka_unit_test(test_nic_test_words_apart_are_refused_with_the_way_to_write_them),
		cmocka_unit_test(test_nic_test_needs_one_url_an_ipv4_address_of_its_own_and_a_port),
		cmocka_unit_test(test_nic_test_options_that_contradict_or_do_not_fit_are_refused),
		cmocka_unit_test(test_nic_test_and_the_others_refuse_each_others_options),
		cmocka_unit_test(test_nic_test_dump_is_read_back),
		cmocka_unit_test(test_nic_test_texts_name_its_options_and_have_no_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
