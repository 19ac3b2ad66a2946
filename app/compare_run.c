/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "affinity.h"
#include "base_time.h"
#include "child.h"
#include "compare.h"
#include "exit_code.h"
#include "nic_info.h"
#include "report_json.h"

#define CURL_OUTPUT_MAX 512U
#define CURL_TIME_MAX "600" /* seconds */
#define CURL_OPTIONS_MAX 11U /* words: four with values, one without, the URL, the end */
#define INTERVAL_NS (100 * NS_PER_MS) /* of the plots */
#define NO_CURL 127 /* the child's exit code, as a shell's */

/* What a child is to do: command, over one side, in silence. */
static struct settings
settings_of_child(const struct settings *s, enum settings_command command, enum compare_side side)
{
	struct settings child = *s;

	child.command = (int)command;
	child.stack = side == COMPARE_KERNEL ? SETTINGS_STACK_KERNEL : SETTINGS_STACK_DPDK;
	child.silent = child.show_error = child.compared = true;
	return child;
}

/* bench. requests: of the first URL alone, *first, so that its port is the one that a trace looks at; NULL:
 * there is none. */
static struct settings
settings_of_load(const struct settings *s, enum compare_side side, uint64_t requests, char **first)
{
	struct settings child = settings_of_child(s, SETTINGS_BENCH, side);
	int cpus[SETTINGS_QUEUES_MAX];

	if (child.interval_ns == 0)
		child.interval_ns = INTERVAL_NS;
	if (requests == 0)
		return child;
	child.visible = true; /* a trace is taken */
	child.requests = requests;
	if (*first != NULL) {
		child.urls = (struct settings_list){first, 1};
		child.url_file = NULL;
	}
	child.connections = child.pipeline = child.queues = 1;
	if (settings_cores(s, cpus) > 0)
		child.core = cpus[0];
	child.cores = NULL; /* s has it */
	child.duration_ns = child.ramp_ns = child.warmup_ns = 0;
	child.rate = 0;
	child.cps = false;
	return child;
}

static int
failed(const struct compare *c, const char *what, int error)
{
	message_error(&c->level, EXIT_CODE_INTERNAL, "%s: %s", what, strerror(error));
	return EXIT_CODE_INTERNAL;
}

/* Of a child that has failed, or was killed. */
static int
exit_code_of(struct compare *c, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status) && c->signo == 0) {
		if (WTERMSIG(status) != SIGINT) {
			message_error(&c->level, EXIT_CODE_INTERNAL,
				"the measurement's process was ended by a signal: %s",
				strsignal(WTERMSIG(status)));
			return EXIT_CODE_INTERNAL;
		}
		c->signo = SIGINT;
	}
	return EXIT_CODE_ABORTED;
}

/* Runs what s says in a child. 0 and its report; or an exit code, said. */
static int
run_child(struct compare *c, const struct settings *s, json_t **ret)
{
	struct child_end end;
	int rc = child_run_command(s, 0, NULL, &end);

	if (rc != 0)
		return failed(c, "the measurement's process could not be made", -rc);
	if (end.signo != 0)
		c->signo = end.signo;
	*ret = end.report;
	if (end.status == 0 && *ret != NULL)
		return 0;
	json_decref(*ret);
	*ret = NULL;
	if (end.status < 0)
		return failed(c, "the measurement's process could not be run", -end.status);
	return exit_code_of(c, end.status);
}

int
compare_run(struct compare *c, enum compare_side side, uint64_t requests, json_t **ret)
{
	const char *url = compare_first_url(c);
	char *first = url != NULL ? strdup(url) : NULL;
	struct settings s = settings_of_load(c->settings, side, requests, &first);
	int code = run_child(c, &s, ret);

	free(first);
	/* a part of a run is none, also when only the child was told to end */
	if (code == 0 && c->signo == 0)
		c->signo = (int)json_integer_value(report_json_find(*ret, "end/signal"));
	return code;
}

/* What a load's document says, of get's: one transfer, which is the whole run. */
static json_t *
document_of_transfer(json_t *stats)
{
	json_t *end = json_array_get(json_object_get(stats, "transfers"), 0);
	json_t *result = json_object_get(end, "result");
	double seconds = report_json_number(end, "cpu/wall_s");

	if (result == NULL)
		return NULL;
	json_object_set_new(end, "body_bits_per_second",
		json_real(report_json_number(result, "goodput_gbps") * 1e9));
	json_object_set_new(end, "connect",
		json_pack("{s:f}", "p50_us", report_json_number(result, "time_connect") * 1e6));
	json_object_set_new(end, "first_byte",
		json_pack(
			"{s:f}", "p50_us", report_json_number(result, "time_starttransfer") * 1e6));
	return json_pack("{s:{s:O}, s:[{s:f, s:f, s:{s:O}}], s:O, s:O}", "load", "stack",
		json_object_get(stats, "stack"), "intervals", "start_s", 0.0, "end_s", seconds,
		"counts", "body_bytes", json_object_get(result, "size_download"), "end", end,
		"environment", json_object_get(stats, "environment"));
}

int
compare_run_get(
	struct compare *c, enum compare_side side, const char *path, bool traced, json_t **ret)
{
	struct settings s = settings_of_child(c->settings, SETTINGS_GET, side);
	char *output = strdup(path);
	json_t *stats = NULL;
	int code;

	if (output == NULL)
		return failed(c, "no memory for a name", ENOMEM);
	s.outputs = (struct settings_list){&output, 1};
	s.remote_name = false;
	s.checksum = s.output_dir = s.write_out =
		NULL; /* the file is read back, see compare_file.c */
	s.fail = true;
	s.retries = 0;
	s.visible = traced;
	code = run_child(c, &s, &stats);
	free(output);
	if (code != 0)
		return code;
	*ret = document_of_transfer(stats);
	json_decref(stats);
	return *ret != NULL ? 0 : failed(c, "the transfer's report cannot be read", EINVAL);
}

static size_t
add_option(const char **argv, size_t n, const char *option, const char *value)
{
	if (value == NULL)
		return n;
	argv[n++] = option;
	argv[n++] = value;
	return n;
}

/* What it prints goes to out. */
static void __attribute__((noreturn)) execute_curl(char *const *argv, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	affinity_raise_priority(); /* as both stacks' clients do */
	if (null >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0)
		execvp("curl", argv);
	_exit(NO_CURL);
}

static void __attribute__((noreturn))
run_curl(const struct compare *c, const char *interface, const char *path, int out)
{
	const struct settings *s = c->settings;
	/* -q: nobody's .curlrc; -g: [] and {} of the URL are what they are */
	static const char *const always[] = {"curl", "-q", "-g", "-sS", "-f", "--noproxy", "*",
		"-m", CURL_TIME_MAX, "-w", "%{speed_download} %{time_total} %header{server}"};
	size_t n = sizeof(always) / sizeof(always[0]);
	union { /* execvp(3) takes char *const, for C's sake */
		const char **constant;
		char **changeable;
	} words = {.constant =
			   calloc(n + CURL_OPTIONS_MAX + 2U * (s->resolve.count + s->headers.count),
				   sizeof(char *))};
	const char **argv = words.constant;
	uint32_t i;

	if (argv == NULL)
		_exit(NO_CURL);
	memcpy(argv, always, sizeof(always));
	n = add_option(argv, n, "-o", path);
	n = add_option(argv, n, "--interface", interface);
	n = add_option(argv, n, "-r", s->range);
	n = add_option(argv, n, "-A", s->user_agent);
	for (i = 0; i < s->resolve.count; i++)
		n = add_option(argv, n, "--resolve", s->resolve.item[i]);
	for (i = 0; i < s->headers.count; i++)
		n = add_option(argv, n, "-H", s->headers.item[i]);
	if (s->ipv4_only || s->ipv6_only)
		argv[n++] = s->ipv6_only ? "-6" : "-4";
	argv[n] = compare_first_url(c);
	execute_curl(words.changeable, out); /* which changes none */
}

/* What curl says is to be shown: up to what no terminal should get. What curl before 7.84 says of a header is none. */
static void
keep_text(char *buf, size_t room, const char *text)
{
	size_t len = 0;

	text += strspn(text, " ");
	while (isprint((unsigned char)text[len]))
		len++;
	if (len > 0 && text[0] != '%')
		snprintf(buf, room, "%.*s", (int)len, text);
}

/* interface, path NULL: its version. Its first words to text (CURL_OUTPUT_MAX bytes). false: it failed. */
static bool
read_curl(struct compare *c, const char *interface, const char *path, char *text)
{
	char *const version[] = {(char[]){"curl"}, (char[]){"-q"}, (char[]){"--version"}, NULL};
	int pipe_fd[2], status;
	ssize_t len;
	pid_t child;

	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return false;
	child = child_fork();
	if (child == 0 && path == NULL)
		execute_curl(version, pipe_fd[1]);
	if (child == 0)
		run_curl(c, interface, path, pipe_fd[1]);
	close(pipe_fd[1]);
	status = child > 0 ? child_wait(child, 0, CHILD_GRACE_NS, &c->signo) : -errno;
	len = read(pipe_fd[0], text, CURL_OUTPUT_MAX - 1);
	close(pipe_fd[0]);
	text[len > 0 ? len : 0] = '\0';
	return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
compare_run_curl(struct compare *c, const char *path, struct compare_curl *ret)
{
	char text[CURL_OUTPUT_MAX], interface[NIC_NAME_MAX];
	double bytes_per_second;
	int server_at = 0;

	if (compare_first_url(c) == NULL || !compare_interface(c, interface) ||
		!read_curl(c, interface, path, text))
		return false;
	if (sscanf(text, "%lf %lf%n", &bytes_per_second, &ret->seconds, &server_at) < 2)
		return false;
	ret->bits_per_second = bytes_per_second * 8.0;
	keep_text(c->server, sizeof(c->server), text + server_at);
	return true;
}

void
compare_run_curl_version(struct compare *c)
{
	static const char begins[] = "curl ";
	char text[CURL_OUTPUT_MAX];

	if (!read_curl(c, NULL, NULL, text) || strncmp(text, begins, sizeof(begins) - 1) != 0)
		return;
	text[sizeof(begins) - 1 + strcspn(text + sizeof(begins) - 1, " \r\n")] = '\0';
	keep_text(c->curl_version, sizeof(c->curl_version), text + sizeof(begins) - 1);
}
