/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
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
#include "nic_info.h"
#include "report_json.h"

/* What was asked for and under what conditions, as the reports say it; and what curl is given. */

struct fixture {
	struct compare *c;
	struct settings settings;
	char folder[64], nic[8], url[64], *urls[1];
	char *path_before;
};

static const char list_text[] = "# a comment\n3 http://198.18.0.1/big\n\nhttp://198.18.0.1/small\n";

static void
write_file(const struct fixture *f, const char *name, const char *text, char *ret_path)
{
	FILE *file;

	snprintf(ret_path, 96, "%s/%s", f->folder, name);
	file = fopen(ret_path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(ret_path, 0755);
}

static json_t *
run_of(const char *stack)
{
	return json_pack("{s:{s:s, s:i, s:i, s:f, s:b, s:f, s:f, s:f, s:i}, s:{}}", "load", "stack",
		stack, "connections", 64, "pipeline", 2, "rate", 0.0, "one_request_a_connection", 0,
		"ramp_s", 0.0, "warmup_s", 1.5, "duration_s", 10.0, "requests", 0, "end");
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/test_compare_workload-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->url, sizeof(f->url), "http://me:secret@198.18.0.1/x");
	snprintf(f->nic, sizeof(f->nic), "lo");
	f->urls[0] = f->url;
	f->settings = (struct settings){.nic = f->nic, .mtu = 1500, .urls = {f->urls, 1}};
	f->c = compare_fixture_begin(&f->settings, &f->path_before);
	f->c->run[COMPARE_DPDK][0] = run_of("dpdk");
	f->c->run[COMPARE_KERNEL][0] = run_of("kernel");
	f->c->pairs = 1;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	url_list_free(&f->c->listed);
	compare_fixture_end(f->c, f->path_before, f->folder);
	free(f);
	return 0;
}

static void
read_list(struct fixture *f)
{
	char path[96];
	uint32_t line;

	write_file(f, "list", list_text, path);
	assert_int_equal(url_list_read(&f->c->listed, path, &line), 0);
}

static json_t *
made_up_conditions(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:i, "
			 "s:{s:b, s:b, s:b, s:b, s:b, s:b}}",
		"dpfetch", "9.8.7", "dpdk", "DPDK 24.11.1", "kernel", "6.1.2", "curl", "8.5.0",
		"server", "nginx/1.24.0", "congestion_control", "cubic", "tcp_rmem",
		"4096 131072 6291456", "busy_poll_us", "50", "busy_read_us", "60", "cpu",
		"A CPU 3000", "governor", "performance", "cpus", 8, "interface", "eth7",
		"interface_mtu", 9000, "offloads", "rx_checksum", 1, "tx_checksum", 1, "tso", 0,
		"gso", 0, "gro", 1, "lro", 0);
}

static void
test_compare_text_states_workload_and_conditions(void **state)
{
	static const char *const lines[] = {
		"  URL         http://198.18.0.1/x (weight 1)\n",
		"              http://198.18.0.1/big (weight 3)\n",
		"  load        64 connections, pipeline 2, closed loop, 10 s; ramp 0 s, warm-up "
		"1.5 "
		"s\n",
		"  interface   eth7, MTU 1500 of ours, 9000 of the kernel's\n",
		"TSO off, GSO off, GRO on, LRO off\n",
		"  kernel's    cubic, tcp_rmem 4096 131072 6291456, busy poll 50 us, busy read 60 "
		"us\n",
		"  machine     A CPU 3000, 8 CPUs, governor performance\n",
		"  versions    dpfetch 9.8.7, DPDK 24.11.1, kernel 6.1.2, curl 8.5.0, server "
		"nginx/1.24.0\n",
	};
	struct fixture *f = *state;
	json_t *conditions = made_up_conditions();
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	read_list(f);
	compare_report_text(f->c, conditions, out);
	fclose(out);
	json_decref(conditions);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strstr(text, lines[i]) == NULL)
			fail_msg("'%s' is not in:\n%s", lines[i], text);
	}
	assert_null(strstr(text, "secret"));
	free(text);
}

static void
test_compare_json_and_page_state_the_workload(void **state)
{
	struct fixture *f = *state;
	json_t *conditions = compare_conditions(f->c), *json;
	char path[96], text[32768];
	const json_t *urls;
	FILE *file;

	read_list(f);
	compare_note(f->c, "nothing %s", "here");
	compare_note(f->c, "nothing %s", "here");
	write_file(f, "report", "", path);
	assert_int_equal(compare_report_json_write(f->c, conditions, path), 0);
	json = json_load_file(path, 0, NULL);
	urls = report_json_find(json, "workload/urls");
	assert_int_equal(json_array_size(urls), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(urls, 0), "url")),
		"http://198.18.0.1/x");
	assert_true(report_json_number(json_array_get(urls, 1), "weight") == 3.0);
	assert_true(report_json_number(json, "workload/connections") == 64.0);
	assert_true(report_json_number(json, "workload/duration_s") == 10.0);
	assert_null(report_json_find(json, "workload/stack"));
	assert_int_equal(json_array_size(json_object_get(json, "notes")), 1);
	assert_non_null(report_json_find(json, "conditions/dpdk"));
	assert_non_null(report_json_find(json, "pairs"));
	assert_true(json_is_string(
		json_object_get(json_object_get(f->c->run[COMPARE_DPDK][0], "load"), "stack")));
	json_decref(json);
	assert_int_equal(compare_report_html_write(f->c, conditions, path), 0);
	file = fopen(path, "re");
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	json_decref(conditions);
	assert_non_null(strstr(text, ">http://198.18.0.1/x and 2 more, "));
	assert_non_null(strstr(text, "<td>http://198.18.0.1/x (weight 1), http://198.18.0.1/big "
				     "(weight 3), http://198.18.0.1/small (weight 1)</td>"));
	assert_non_null(strstr(text, "<td>64 connections, pipeline 2, closed loop, 10 s; "));
	assert_non_null(strstr(text, ">nothing here<"));
	assert_null(strstr(text, "secret"));
}

/* A curl that leaves its words in FOLDER/words, and knows its version. */
static void
curl_says(const struct fixture *f, const char *says)
{
	char path[96], text[512];

	snprintf(text, sizeof(text),
		"#!/bin/sh\n[ \"$2\" != --version ] || { echo 'curl 8.5.0 (x) libcurl/8.5.0'; exit "
		"0; }\necho \"$@\" >%s/words\nprintf '%s'\n",
		f->folder, says);
	write_file(f, "curl", text, path);
	snprintf(text, sizeof(text), "%s:/usr/bin:/bin", f->folder);
	setenv("PATH", text, 1);
}

/* With --url-file alone there is a first URL, too. */
static void
test_compare_curl_gets_the_first_url_of_the_list(void **state)
{
	struct fixture *f = *state;
	char path[96], words[512] = "";
	struct compare_curl curl;
	FILE *file;

	read_list(f);
	f->settings.urls.count = 0;
	curl_says(f, "1000 2 nginx/1.24.0\\033[2J");
	assert_true(compare_run_curl(f->c, "/dev/null", &curl));
	assert_true(curl.bits_per_second == 8000.0 && curl.seconds == 2.0);
	assert_string_equal(f->c->server, "nginx/1.24.0"); /* nothing for a terminal */
	snprintf(path, sizeof(path), "%s/words", f->folder);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(words, sizeof(words), file));
	fclose(file);
	assert_non_null(strstr(words, " --interface lo "));
	assert_non_null(strstr(words, " http://198.18.0.1/big\n"));
	compare_run_curl_version(f->c);
	assert_string_equal(f->c->curl_version, "8.5.0");
}

/* curl before 7.84 has no %header{}, and others' curls may say nothing of their version. */
static void
test_compare_curl_that_says_less_is_enough(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	char path[96];

	curl_says(f, "1000 2 %%header{server}");
	assert_true(compare_run_curl(f->c, "/dev/null", &curl));
	assert_string_equal(f->c->server, "");
	curl_says(f, "1000 2");
	assert_true(compare_run_curl(f->c, "/dev/null", &curl));
	assert_string_equal(f->c->server, "");
	write_file(f, "curl", "#!/bin/sh\nexit 22\n", path);
	compare_run_curl_version(f->c);
	assert_string_equal(f->c->curl_version, "");
}

/* curl and packet sockets know nothing of PCI addresses. */
static void
test_compare_pci_address_becomes_the_kernels_interface(void **state)
{
	struct fixture *f = *state;
	struct if_nameindex *list = if_nameindex(), *at;
	struct nic_info nic, back;
	char name[NIC_NAME_MAX];

	f->settings.nic = (char[]){"ffff:ff:1f.7"};
	assert_false(compare_interface(f->c, name));
	assert_string_equal(name, "");
	f->settings.nic = (char[]){"lo"};
	assert_true(compare_interface(f->c, name));
	assert_string_equal(name, "lo");
	assert_non_null(list);
	for (at = list; at->if_index != 0; at++) {
		if (nic_info_find(at->if_name, &nic) != 0 || nic.pci_address[0] == '\0')
			continue;
		f->settings.nic = nic.pci_address;
		assert_true(compare_interface(f->c, name));
		assert_int_equal(nic_info_find(name, &back), 0);
		assert_string_equal(back.pci_address, nic.pci_address);
	}
	if_freenameindex(list);
}

static void
test_compare_curl_without_an_interface_is_not_run(void **state)
{
	struct fixture *f = *state;
	struct compare_curl curl;
	char path[96];

	curl_says(f, "1000 2");
	f->settings.nic = (char[]){"ffff:ff:1f.7"};
	assert_false(compare_run_curl(f->c, "/dev/null", &curl));
	snprintf(path, sizeof(path), "%s/words", f->folder);
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_url_list_bad_line_is_told_by_its_number(void **state)
{
	static const char *const bad[] = {
		"#\n0 http://h/\n", "\n1000001 http://h/\n", "http://h/\nhttp://h/ 3\n"};
	struct fixture *f = *state;
	struct url_list list = {0};
	char path[96];
	uint32_t line, i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(f, "bad", bad[i], path);
		line = 0;
		assert_int_equal(url_list_read(&list, path, &line), -EBADMSG);
		assert_int_equal(line, 2);
		url_list_free(&list);
	}
	assert_int_equal(url_list_read(&list, "/nonexistent/list", &line), -ENOENT);
	assert_int_equal(list.count, 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_compare_text_states_workload_and_conditions),
		IN_FOLDER(test_compare_json_and_page_state_the_workload),
		IN_FOLDER(test_compare_curl_gets_the_first_url_of_the_list),
		IN_FOLDER(test_compare_curl_that_says_less_is_enough),
		IN_FOLDER(test_compare_pci_address_becomes_the_kernels_interface),
		IN_FOLDER(test_compare_curl_without_an_interface_is_not_run),
		IN_FOLDER(test_url_list_bad_line_is_told_by_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
