/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
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

#define LOAD(s, message, ...) \
	load(s, message, ((const char *const[]){"dpfetch", __VA_ARGS__, NULL}))

static void
write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
test_load_full_command_line_fills_every_field(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "--nic", "eth9", "--nic-mode=af_xdp", "--address",
				 "198.18.0.2/24", "--gateway", "198.18.0.1", "--mac",
				 "02:00:00:00:00:07", "--vlan", "12", "--mtu", "9000", "-o", "a",
				 "-f", "-m", "1.5", "--window", "4m", "--ack", "every", "-H",
				 "A: b", "-H", "C: d", "http://198.18.0.1/x", "--core", "1"),
		SETTINGS_OK);
	assert_string_equal(s.nic, "eth9");
	assert_int_equal(s.nic_mode, SETTINGS_NIC_AF_XDP);
	assert_int_equal(s.address, 0xc6120002);
	assert_int_equal(s.prefix_len, 24);
	assert_int_equal(s.gateway, 0xc6120001);
	assert_true(s.mac_set);
	assert_int_equal(s.mac.byte[5], 7);
	assert_int_equal(s.vlan_id, 12);
	assert_int_equal(s.mtu, 9000);
	assert_string_equal(s.outputs.item[0], "a");
	assert_true(s.fail);
	assert_int_equal(s.max_time_ns, UINT64_C(1500000000));
	assert_int_equal(s.window_bytes, 4 << 20);
	assert_int_equal(s.ack, TCP_ACK_EVERY);
	assert_int_equal(s.headers.count, 2);
	assert_string_equal(s.headers.item[1], "C: d");
	assert_int_equal(s.urls.count, 1);
	assert_int_equal(s.core, 1);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	settings_free(&s);
}

static void
test_load_eal_options_stand_before_the_separator(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(
		LOAD(&s, message, "-l", "1", "--no-pci", "--", "--nic", "eth9", "http://a/"),
		SETTINGS_OK);
	assert_int_equal(s.eal_args_count, 3);
	assert_string_equal(s.eal_args[2], "--no-pci");
	assert_string_equal(s.nic, "eth9");
	settings_free(&s);
}

static void
test_load_own_option_before_the_separator_is_named(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "--nic=eth9", "--", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "--nic stands before"));
	assert_int_equal(LOAD(&s, message, "-s", "-o", "x", "--", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "-o stands before"));
}

static void
test_load_bad_values_name_the_option_and_what_is_right(void **state)
{
	static const struct {
		const char *option, *value, *expect;
	} bad[] = {
		{"--vlan", "4095", "0 to 4094"},
		{"--vlan", "-1", "whole number"},
		{"--vlan", "12x", "whole number"},
		{"--mtu", "575", "576"},
		{"--window", "2g", "bytes"},
		{"--window", "99999999999999999999", "bytes"},
		{"--window", "4q", "bytes"},
		{"--max-time", "nan", "seconds"},
		{"--max-time", "-2", "seconds"},
		{"--ack", "never", "burst, every, delayed"},
		{"--address", "198.18.0.2/33", "IPv4"},
		{"--address", "198.18.0.256/24", "IPv4"},
		{"--gateway", "here", "IPv4"},
		{"--mac", "01:00:00:00:00:07", "unicast"},
		{"--core", "9999", "CPU"},
	};
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(LOAD(&s, message, bad[i].option, bad[i].value, "http://a/"),
			SETTINGS_USAGE);
		assert_non_null(strstr(message, bad[i].option));
		assert_non_null(strstr(message, bad[i].value));
		assert_non_null(strstr(message, bad[i].expect));
	}
}

static void
test_load_unknown_option_and_missing_value_are_named(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "--frobnicate", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "--frobnicate"));
	assert_int_equal(LOAD(&s, message, "-Z", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "-Z"));
	assert_int_equal(LOAD(&s, message, "http://a/", "--nic"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "--nic needs a value"));
	assert_int_equal(LOAD(&s, message, "--nic", "c0", "-sZf", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "option -Z is not"));
	assert_int_equal(LOAD(&s, message, "--silent=yes", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "--silent=yes takes no value"));
	assert_int_equal(LOAD(&s, message, "--nic", "c0", "--re", "http://a/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "--re is not an option, or is ambiguous"));
}

static void
test_load_command_line_overrides_the_config_file(void **state)
{
	char path[] = "test_settings_XXXXXX", message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	write_file(path, "# lab\nnic = veth0\nmtu = 9000\nheader = A: 1\nheader = B: 2\n"
			 "url = http://file/\nfail = true\nvlan = 7\n");
	assert_int_equal(LOAD(&s, message, "--config", path, "--mtu", "1500", "-H", "C: 3",
				 "--no-fail", "http://argv/"),
		SETTINGS_OK);
	unlink(path);
	assert_string_equal(s.nic, "veth0");
	assert_int_equal(s.mtu, 1500);
	assert_int_equal(s.vlan_id, 7);
	assert_false(s.fail);
	assert_int_equal(s.headers.count, 1);
	assert_string_equal(s.headers.item[0], "C: 3");
	assert_int_equal(s.urls.count, 1);
	assert_string_equal(s.urls.item[0], "http://argv/");
	settings_free(&s);
}

static void
test_load_config_file_mistakes_name_file_and_line(void **state)
{
	static const struct {
		const char *text, *expect;
	} bad[] = {
		{"nic = a\nfrob = 1\n", ":2: 'frob'"},
		{"nic = a\n\nmtu = big\n", ":3: mtu"},
		{"[elsewhere]\nnic = a\n", "[elsewhere]"},
		{"nic\n", "key = value"},
		{"config = other.ini\n", "cannot name another"},
	};
	char path[32], message[SETTINGS_MESSAGE_MAX];
	struct settings s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(path, sizeof(path), "test_settings_XXXXXX");
		write_file(path, bad[i].text);
		assert_int_equal(LOAD(&s, message, "--config", path, "http://a/"), SETTINGS_FILE);
		unlink(path);
		assert_non_null(strstr(message, bad[i].expect));
	}
	assert_int_equal(LOAD(&s, message, "--config", "does-not-exist.ini"), SETTINGS_FILE);
	assert_non_null(strstr(message, "does-not-exist.ini"));
}

static void
test_load_config_line_too_long_for_inih_is_refused_not_cut(void **state)
{
	char path[] = "test_settings_XXXXXX", message[SETTINGS_MESSAGE_MAX], text[400];
	struct settings s;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "header = A:", 11);
	text[sizeof(text) - 1] = '\0';
	write_file(path, text);
	assert_int_equal(LOAD(&s, message, "--config", path), SETTINGS_FILE);
	unlink(path);
	assert_non_null(strstr(message, "longer than"));
}

static void
append(void *ctx, const char *text)
{
	char *all = ctx;

	strcat(all, text);
}

static void
test_dump_read_back_gives_the_same_settings(void **state)
{
	char path[] = "test_settings_XXXXXX", message[SETTINGS_MESSAGE_MAX];
	char *first = calloc(1, 65536), *second = calloc(1, 65536);
	struct settings s, again;

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(
		LOAD(&s, message, "--nic", "eth9", "--address", "198.18.0.2/24", "--mac",
			"02:00:00:00:00:07", "-H", "A: b", "-H", "C: d", "--ack-delay", "12.5",
			"--no-direct", "-m", "0.25", "--window", "1g", "http://a/", "http://b/"),
		SETTINGS_OK);
	settings_dump(&s, append, first);
	write_file(path, first);
	assert_int_equal(LOAD(&again, message, "--config", path), SETTINGS_OK);
	unlink(path);
	settings_dump(&again, append, second);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "ack-delay = 12.5\n"));
	assert_non_null(strstr(first, "direct = false\n"));
	settings_free(&s);
	settings_free(&again);
	free(first);
	free(second);
}

static void
test_dump_leaves_out_and_names_what_a_file_cannot_hold(void **state)
{
	static const char *const bad[] = {"a\nb", " lead", "trail ", "a ;b", ";c"};
	char message[SETTINGS_MESSAGE_MAX], *text = calloc(1, 65536), longest[300] = {0};
	struct settings s;
	size_t i;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	for (i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		const char *value = i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : longest;

		text[0] = '\0';
		assert_int_equal(LOAD(&s, message, "--write-out", value, "http://a/"), SETTINGS_OK);
		assert_string_equal(settings_dump(&s, append, text), "write-out");
		assert_null(strstr(text, "write-out"));
		assert_non_null(strstr(text, "url = http://a/\n"));
		settings_free(&s);
	}
	free(text);
}

static void
test_load_indented_key_is_a_key_of_its_own(void **state)
{
	char path[] = "test_settings_XXXXXX", message[SETTINGS_MESSAGE_MAX];
	struct settings s;

	(void)state;
	write_file(path, "nic = c0\n    mtu = 9000\n");
	assert_int_equal(LOAD(&s, message, "--config", path), SETTINGS_OK);
	unlink(path);
	assert_string_equal(s.nic, "c0");
	assert_int_equal(s.mtu, 9000);
	settings_free(&s);
}

static void
test_load_config_that_is_a_directory_is_refused(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "--config", "/"), SETTINGS_FILE);
	assert_non_null(strstr(message, "Is a directory"));
}

/* An option is in the help of its commands, and no other's; what follows it stands apart. */
static void
check_help(const char *help, const struct settings_option *option, int command)
{
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), "%s%s%s", option->name, option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	for (at = strstr(help, word); at != NULL; at = strstr(at + 1, word)) {
		if ((strncmp(at - 2, "--", 2) == 0 || strncmp(at - 5, "--no-", 5) == 0) &&
			isspace(at[strlen(word)]))
			break;
	}
	assert_int_equal(at != NULL, settings_option_is_of(option, command));
}

static void
test_load_bench_takes_its_options_and_get_refuses_them(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "bench", "-c", "100", "-d", "2m", "-R", "50k", "--ramp",
				 "250ms", "http://198.18.0.1/"),
		SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_BENCH);
	assert_int_equal(s.connections, 100);
	assert_int_equal(s.duration_ns, 120 * NS_PER_SEC);
	assert_int_equal(s.ramp_ns, NS_PER_SEC / 4);
	assert_true(s.rate == 50000.0);
	assert_int_equal(s.urls.count, 1);
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "-c", "100", "http://198.18.0.1/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "dpfetch bench"));
	assert_int_equal(
		LOAD(&s, message, "bench", "--pairs", "3", "http://198.18.0.1/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "dpfetch bench has no --pairs"));
	assert_int_equal(
		LOAD(&s, message, "bench", "-o", "x", "http://198.18.0.1/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "dpfetch bench has no --output"));
	assert_int_equal(LOAD(&s, message, "http://198.18.0.1/", "bench"), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_GET); /* only as the first word */
	settings_free(&s);
}

static void
test_load_nic_takes_an_action_and_no_url(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];

	(void)state;
	assert_int_equal(LOAD(&s, message, "nic", "list", "--format", "json"), SETTINGS_OK);
	assert_int_equal(s.command, SETTINGS_NIC);
	assert_int_equal(s.nic_action, SETTINGS_NIC_LIST);
	assert_int_equal(s.format, SETTINGS_FORMAT_JSON);
	assert_int_equal(s.urls.count, 0);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic", "list", "3b:00.0"), SETTINGS_OK);
	assert_int_equal(settings_check(&s, message), SETTINGS_USAGE);
	assert_non_null(strstr(message, "lists all"));
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic"), SETTINGS_OK);
	assert_int_equal(settings_check(&s, message), SETTINGS_USAGE);
	assert_non_null(strstr(message, "list"));
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic", "bind", "3b:00.0", "--driver", "uio_pci_generic",
				 "3b:00.1", "--force", "3b:00.1"),
		SETTINGS_OK);
	assert_int_equal(s.nic_action, SETTINGS_NIC_BIND);
	assert_int_equal(s.driver, SETTINGS_DRIVER_UIO);
	assert_int_equal(s.devices.count, 2);
	assert_string_equal(s.devices.item[1], "3b:00.1");
	assert_int_equal(s.force.count, 1);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic", "restore"), SETTINGS_OK);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic", "unbind"), SETTINGS_OK);
	assert_int_equal(settings_check(&s, message), SETTINGS_USAGE);
	assert_non_null(strstr(message, "nic unbind needs a PCI address"));
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "nic", "destroy"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "'destroy'"));
	assert_int_equal(LOAD(&s, message, "nic", "list", "--mtu", "1500"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "dpfetch nic has no --mtu"));
	assert_int_equal(
		LOAD(&s, message, "--format", "json", "http://198.18.0.1/"), SETTINGS_USAGE);
	assert_non_null(strstr(message, "dpfetch nic"));
}

static void
test_load_config_keys_of_another_command_are_passed_over(void **state)
{
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX], path[] = "/tmp/dpfetch-test-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "connections = 7\noutput = x\nmtu = 9000\n";

	(void)state;
	assert_true(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
	close(fd);
	assert_int_equal(LOAD(&s, message, "--config", path), SETTINGS_OK);
	assert_int_equal(s.outputs.count, 1);
	assert_int_equal(s.connections, 10);
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "bench", "--config", path), SETTINGS_OK);
	assert_int_equal(s.outputs.count, 0);
	assert_int_equal(s.connections, 7);
	assert_int_equal(s.mtu, 9000);
	settings_free(&s);
	unlink(path);
}

static void
test_load_bad_rates_and_times_are_refused(void **state)
{
	static const char *const bad[][2] = {{"-R", "x"}, {"-R", "10g"}, {"-R", "-1"},
		{"-R", "1kk"}, {"-R", "nan"}, {"-d", "1d"}, {"-d", "-1"}, {"-d", "25h"}, {"-d", ""},
		{"-d", "ms"}, {"-d", "inf"}, {"-R", ""}, {"-c", "0"}, {"-c", "1k"}};
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(LOAD(&s, message, "bench", bad[i][0], bad[i][1]), SETTINGS_USAGE);
}

static void
test_help_man_and_completion_name_every_option(void **state)
{
	char *help[SETTINGS_COMMAND_COUNT], *man = calloc(1, 65536), *completion = calloc(1, 65536);
	uint32_t i, count;
	const struct settings_option *options = settings_options(&count);
	int command;

	(void)state;
	for (command = 0; command < SETTINGS_COMMAND_COUNT; command++) {
		help[command] = calloc(1, 65536);
		settings_help((enum settings_command)command, append, help[command]);
	}
	settings_man(append, man);
	settings_completion(append, completion);
	for (i = 0; i < count; i++) {
		for (command = 0; command < SETTINGS_COMMAND_COUNT; command++)
			check_help(help[command], &options[i], command);
		assert_non_null(strstr(completion, options[i].name));
	}
	assert_non_null(strstr(man, "connect\\-timeout"));
	for (command = 0; command < SETTINGS_COMMAND_COUNT; command++)
		free(help[command]);
	free(man);
	free(completion);
}

/* A value that the option takes. */
static const char *
any_value(const struct settings_option *option)
{
	switch (option->type) {
	case OPTION_FLAG:
		return "true";
	case OPTION_TEXT:
	case OPTION_LIST:
	case OPTION_CONFIG:
		return "text";
	case OPTION_COUNT:
	case OPTION_CPU:
	case OPTION_BYTES:
		return option->min > 1 ? "4096" : "1";
	case OPTION_SECONDS:
	case OPTION_MICROSECONDS:
	case OPTION_RATE:
		return "1";
	case OPTION_CHOICE:
		return option->choices[0];
	case OPTION_CIDR:
		return "198.18.0.2/24";
	case OPTION_IPV4:
		return "198.18.0.1";
	case OPTION_CIDR6:
		return "2001:2::2/64";
	case OPTION_IPV6:
		return "2001:2::1";
	case OPTION_MAC:
		return "02:00:00:00:00:01";
	}
	return NULL;
}

static void
test_check_kernel_stack_refuses_each_option_of_our_own(void **state)
{
	uint32_t i, count, own = 0;
	const struct settings_option *options = settings_options(&count);
	char message[SETTINGS_MESSAGE_MAX], name[64];
	struct settings s;

	(void)state;
	for (i = 0; i < count; i++) {
		if (options[i].type == OPTION_CONFIG)
			continue;
		assert_int_equal(
			LOAD(&s, message, "bench", "--stack=kernel", "http://a/"), SETTINGS_OK);
		assert_int_equal(settings_check(&s, message), SETTINGS_OK);
		s.command = settings_option_is_of(&options[i], SETTINGS_BENCH) ? SETTINGS_BENCH
									       : SETTINGS_GET;
		assert_int_equal(
			settings_option_set(&s, &options[i], any_value(&options[i]), "it", message),
			SETTINGS_OK);
		assert_true(settings_option_given(&s, &options[i]));
		if (options[i].own_stack) {
			own++;
			snprintf(name, sizeof(name), "--%s is our own stack's", options[i].name);
			s.stack = SETTINGS_STACK_KERNEL;
			assert_int_equal(settings_check(&s, message), SETTINGS_USAGE);
			assert_non_null(strstr(message, name));
			s.compared = true; /* it is for the other side */
			assert_int_equal(settings_check(&s, message), SETTINGS_OK);
		}
		settings_free(&s);
	}
	assert_true(own >= 23);
}

static void
test_dump_of_the_kernels_stack_is_read_back(void **state)
{
	char *text = calloc(1, 65536), path[] = "/tmp/test_settings_XXXXXX";
	char message[SETTINGS_MESSAGE_MAX];
	struct settings s, again;

	(void)state;
	assert_int_equal(LOAD(&s, message, "--stack=kernel", "--nic=a", "http://a/"), SETTINGS_OK);
	assert_null(settings_dump(&s, append, text));
	assert_null(strstr(text, "\nmtu"));
	write_file(path, text);
	assert_int_equal(LOAD(&again, message, "--config", path), SETTINGS_OK);
	assert_int_equal(settings_check(&again, message), SETTINGS_OK);
	assert_int_equal(again.stack, SETTINGS_STACK_KERNEL);
	unlink(path);
	settings_free(&s);
	settings_free(&again);
	free(text);
}

static void
test_check_missing_or_contradicting_settings_are_refused(void **state)
{
	static const struct {
		const char *args[8], *expect;
	} bad[] = {
		{{"dpfetch", "--nic", "a", "--address", "198.18.0.2/24"}, "no URL"},
		{{"dpfetch", "--address", "198.18.0.2/24", "http://a/"}, "--nic is missing"},
		{{"dpfetch", "--nic", "a", "http://a/"}, "--address is missing"},
		{{"dpfetch", "--nic", "a", "--address", "198.18.0.0/24", "http://a/"}, "host"},
		{{"dpfetch", "--nic", "a", "--address", "198.18.0.255/24", "http://a/"}, "host"},
		{{"dpfetch", "--nic", "a", "--address", "127.0.0.1/8", "http://a/"}, "host"},
		{{"dpfetch", "--nic=a", "--address=198.18.0.2/24", "--gateway=198.18.1.1",
			 "http://a/"},
			"subnet"},
		{{"dpfetch", "--nic=a", "--address=198.18.0.2/24", "-oa", "-ob", "http://a/"},
			"2 -o and 1 URLs"},
		{{"dpfetch", "--nic=a", "--address=198.18.0.2/24", "-o", "", "http://a/"},
			"empty name"},
		{{"dpfetch", "--nic=a", "--address=198.18.0.2/24", "-oa", "-O", "http://a/"},
			"exclude"},
		{{"dpfetch", "bench", "--nic=a", "--address=198.18.0.2/24", "--csv=-", "--stats=-",
			 "http://a/"},
			"only one"},
		{{"dpfetch", "bench", "--stack=kernel", "--stats-stream=-", "--stats=-",
			 "http://a/"},
			"only one"},
		{{"dpfetch", "bench", "--stack=kernel", "--telemetry", "http://a/"}, "--metrics"},
		{{"dpfetch", "--stack=kernel", "-oa", "-O", "http://a/"}, "exclude"},
		{{"dpfetch", "--stack=kernel"}, "no URL"},
		{{"dpfetch", "compare", "--nic=a", "--address=198.18.0.2/24", "-of", "-c2",
			 "http://a/"},
			"--connections is a load's"},
		{{"dpfetch", "compare", "--nic=a", "--address=198.18.0.2/24", "-of", "http://a/",
			 "http://b/"},
			"one FILE and one URL"},
		{{"dpfetch", "compare", "--nic=a", "--address=198.18.0.2/24", "-o-", "http://a/"},
			"needs a file"},
		{{"dpfetch", "-l", "0", "--", "--stack=kernel", "http://a/"}, "EAL"},
	};
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(&s, message, bad[i].args), SETTINGS_OK);
		assert_int_equal(settings_check(&s, message), SETTINGS_USAGE);
		assert_non_null(strstr(message, bad[i].expect));
		settings_free(&s);
	}
}

static void
test_address_by_dhcp_needs_no_prefix_and_the_last_one_given_counts(void **state)
{
	const struct settings_option *address = settings_option_find("address");
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX], text[64];

	(void)state;
	assert_int_equal(LOAD(&s, message, "--nic=a", "--address", "198.18.0.2/24", "--address",
				 "DHCP", "--gateway", "10.0.0.1", "http://a/"),
		SETTINGS_OK);
	assert_true(s.address_dhcp && s.address_set);
	assert_int_equal(s.address, 0);
	assert_int_equal(settings_check(&s, message), SETTINGS_OK);
	assert_true(settings_option_format(&s, address, 0, text, sizeof(text)));
	assert_string_equal(text, "dhcp");
	settings_free(&s);
	assert_int_equal(LOAD(&s, message, "--nic=a", "--address", "dhcp", "--address",
				 "198.18.0.2/24", "http://a/"),
		SETTINGS_OK);
	assert_false(s.address_dhcp);
	assert_int_equal(s.address, 0xc6120002);
	settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_full_command_line_fills_every_field),
		cmocka_unit_test(test_load_eal_options_stand_before_the_separator),
		cmocka_unit_test(test_load_own_option_before_the_separator_is_named),
		cmocka_unit_test(test_load_bad_values_name_the_option_and_what_is_right),
		cmocka_unit_test(test_load_unknown_option_and_missing_value_are_named),
		cmocka_unit_test(test_load_command_line_overrides_the_config_file),
		cmocka_unit_test(test_load_config_file_mistakes_name_file_and_line),
		cmocka_unit_test(test_load_config_line_too_long_for_inih_is_refused_not_cut),
		cmocka_unit_test(test_dump_read_back_gives_the_same_settings),
		cmocka_unit_test(test_dump_leaves_out_and_names_what_a_file_cannot_hold),
		cmocka_unit_test(test_load_indented_key_is_a_key_of_its_own),
		cmocka_unit_test(test_load_config_that_is_a_directory_is_refused),
		cmocka_unit_test(test_load_bench_takes_its_options_and_get_refuses_them),
		cmocka_unit_test(test_load_nic_takes_an_action_and_no_url),
		cmocka_unit_test(test_load_config_keys_of_another_command_are_passed_over),
		cmocka_unit_test(test_load_bad_rates_and_times_are_refused),
		cmocka_unit_test(test_help_man_and_completion_name_every_option),
		cmocka_unit_test(
			test_address_by_dhcp_needs_no_prefix_and_the_last_one_given_counts),
		cmocka_unit_test(test_check_missing_or_contradicting_settings_are_refused),
		cmocka_unit_test(test_check_kernel_stack_refuses_each_option_of_our_own),
		cmocka_unit_test(test_dump_of_the_kernels_stack_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
