/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_time.h"
#include "cmd_bench.h"
#include "compare.h"
#include "exit_code.h"
#include "monitor.h"

#define CURL_OUTPUT_MAX 256U
#define CURL_TIME_MAX "600" /* seconds */
#define CURL_OPTIONS_MAX 9U /* words: three with values, one without, the URL, the end */
#define REPORT_PATH_MAX 32U
#define INTERVAL_NS (100 * NS_PER_MS) /* of the plots */
#define NO_CURL 127 /* the child's exit code, as a shell's */

/* What the child is to do: bench, over one side, in silence, with its report in path. */
static struct settings
settings_of_child(const struct settings *s, enum compare_side side, uint64_t requests, char *path)
{
	struct settings child = *s;

	child.command = SETTINGS_BENCH;
	child.stack = side == COMPARE_KERNEL ? SETTINGS_STACK_KERNEL : SETTINGS_STACK_DPDK;
	child.silent = child.show_error = child.compared = true;
	child.stats = path;
	if (child.interval_ns == 0)
		child.interval_ns = INTERVAL_NS;
	if (requests == 0)
		return child;
	child.visible = true; /* a trace is taken */
	child.requests = requests;
	child.connections = child.pipeline = 1;
	child.duration_ns = child.ramp_ns = child.warmup_ns = 0;
	child.rate = 0;
	child.cps = false;
	return child;
}

void
compare_signals(sigset_t *ret)
{
	monitor_signal_set(ret);
	sigaddset(ret, SIGCHLD);
}

/* Waits for the child's end; a signal is passed on to it, which Ctrl-C's has had already. Returns its
 * wait status, or -errno. */
static int
wait_for(struct compare *c, pid_t child)
{
	int status, signo;
	sigset_t set;
	pid_t ended;

	compare_signals(&set);
	for (;;) {
		ended = waitpid(child, &status, WNOHANG);
		if (ended != 0)
			return ended == child ? status : -errno;
		signo = sigwaitinfo(&set, NULL);
		if (signo < 0 && errno != EINTR)
			return -errno;
		if (signo <= 0 || signo == SIGCHLD)
			continue;
		c->signo = signo;
		kill(child, signo);
	}
}

/* With the parent's signals as they were before it blocked them. */
static pid_t
fork_child(void)
{
	sigset_t set;
	pid_t child;

	fflush(NULL); /* or the child would write it, too */
	child = fork();
	if (child != 0)
		return child;
	compare_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static void __attribute__((noreturn)) run_bench(const struct settings *s)
{
	int signo, code = cmd_bench(s, &signo);

	fflush(NULL);
	if (signo != 0) {
		signal(signo, SIG_DFL);
		raise(signo);
	}
	_exit(code);
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

int
compare_run(struct compare *c, enum compare_side side, uint64_t requests, json_t **ret)
{
	char path[REPORT_PATH_MAX];
	int fd = memfd_create("dpfetch-compare", MFD_CLOEXEC), status;
	struct settings s;
	pid_t child;

	if (fd < 0)
		return failed(c, "no memory for a report", errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* the child has it, too */
	s = settings_of_child(c->settings, side, requests, path);
	child = fork_child();
	if (child == 0)
		run_bench(&s);
	status = child > 0 ? wait_for(c, child) : -errno;
	*ret = json_loadfd(fd, 0, NULL);
	close(fd);
	if (status < 0)
		return failed(c, "the measurement's process could not be run", -status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && *ret != NULL) {
		/* a part of a run is none, also when only the child was told to end */
		if (c->signo == 0)
			c->signo = (int)json_integer_value(compare_find(*ret, "end/signal"));
		return 0;
	}
	json_decref(*ret);
	*ret = NULL;
	return exit_code_of(c, status);
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

static void __attribute__((noreturn)) run_curl(const struct settings *s, const char *url, int out)
{
	/* -q: nobody's .curlrc; -g: [] and {} of the URL are what they are */
	static const char *const always[] = {"curl", "-q", "-g", "-sS", "-f", "--noproxy", "*",
		"-m", CURL_TIME_MAX, "-o", "/dev/null", "-w", "%{speed_download} %{time_total}"};
	size_t n = sizeof(always) / sizeof(always[0]);
	union { /* execvp(3) takes char *const, for C's sake */
		const char **constant;
		char **changeable;
	} words = {.constant =
			   calloc(n + CURL_OPTIONS_MAX + 2U * (s->resolve.count + s->headers.count),
				   sizeof(char *))};
	const char **argv = words.constant;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t i;

	if (argv == NULL)
		_exit(NO_CURL);
	memcpy(argv, always, sizeof(always));
	n = add_option(argv, n, "--interface", s->nic);
	n = add_option(argv, n, "-r", s->range);
	n = add_option(argv, n, "-A", s->user_agent);
	for (i = 0; i < s->resolve.count; i++)
		n = add_option(argv, n, "--resolve", s->resolve.item[i]);
	for (i = 0; i < s->headers.count; i++)
		n = add_option(argv, n, "-H", s->headers.item[i]);
	if (s->ipv4_only || s->ipv6_only)
		argv[n++] = s->ipv6_only ? "-6" : "-4";
	argv[n] = url;
	if (null < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(NO_CURL);
	execvp("curl", words.changeable); /* it changes none */
	_exit(NO_CURL);
}

bool
compare_run_curl(struct compare *c, struct compare_curl *ret)
{
	char text[CURL_OUTPUT_MAX] = "";
	double bytes_per_second;
	int pipe_fd[2], status;
	ssize_t len;
	pid_t child;

	if (c->settings->urls.count == 0 || pipe2(pipe_fd, O_CLOEXEC) != 0)
		return false;
	child = fork_child();
	if (child == 0)
		run_curl(c->settings, c->settings->urls.item[0], pipe_fd[1]);
	close(pipe_fd[1]);
	status = child > 0 ? wait_for(c, child) : -errno;
	len = read(pipe_fd[0], text, sizeof(text) - 1);
	close(pipe_fd[0]);
	if (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || len <= 0)
		return false;
	if (sscanf(text, "%lf %lf", &bytes_per_second, &ret->seconds) != 2)
		return false;
	ret->bits_per_second = bytes_per_second * 8.0;
	return true;
}
