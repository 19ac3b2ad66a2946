/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "child.h"
#include "cmd_bench.h"
#include "cmd_get.h"
#include "kernel_transport.h"
#include "monitor.h"

#define REPORT_PATH_MAX 32U
#define ERROR_LINE_MAX 1024U

/* Those that end a command, and SIGCHLD. */
static void
awaited_signals(sigset_t *ret)
{
	monitor_signal_set(ret);
	sigaddset(ret, SIGCHLD);
}

void
child_block_signals(sigset_t *ret_before)
{
	sigset_t set;

	signal(SIGCHLD, SIG_DFL); /* ignored, a child's end would not be told */
	awaited_signals(&set);
	sigprocmask(SIG_BLOCK, &set, ret_before);
}

pid_t
child_fork(void)
{
	pid_t child, parent = getpid();
	sigset_t set;

	fflush(NULL); /* or the child would write it, too */
	child = fork();
	if (child != 0)
		return child;
	awaited_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		raise(SIGTERM); /* it was killed before that */
	return 0;
}

void
child_die_by_signal(int signo)
{
	sigset_t set;

	fflush(NULL); /* raise does not */
	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	raise(signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* One of the awaited signals, 0 at until_ns, or -errno. */
static int
await_signal(uint64_t until_ns)
{
	uint64_t now_ns = kernel_transport_clock_ns(),
		 left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	const struct timespec left = {
		.tv_sec = (time_t)(left_ns / NS_PER_SEC), .tv_nsec = (long)(left_ns % NS_PER_SEC)};
	sigset_t set;
	int signo;

	awaited_signals(&set);
	signo = until_ns == TIME_NEVER ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &left);
	if (signo > 0)
		return signo;
	return errno == EAGAIN ? 0 : errno == EINTR ? SIGCHLD : -errno;
}

int
child_wait(pid_t child, uint64_t timeout_ns, uint64_t grace_ns, int *signo)
{
	uint64_t until_ns = timeout_ns > 0 ? kernel_transport_clock_ns() + timeout_ns : TIME_NEVER;
	bool told = false;
	int status, came;
	pid_t ended;

	for (;;) {
		ended = waitpid(child, &status, WNOHANG);
		if (ended != 0)
			break;
		came = await_signal(until_ns);
		if (came < 0)
			return came;
		if (came == 0) {
			kill(child, told ? SIGKILL : SIGTERM);
			until_ns = told ? TIME_NEVER : kernel_transport_clock_ns() + grace_ns;
			told = true;
		} else if (came != SIGCHLD) { /* Ctrl-C's the child has had already */
			*signo = came;
			kill(child, came);
		}
	}
	if (ended != child)
		return -errno;
	return told ? -ETIMEDOUT : status;
}

int
child_errors_open(struct child_errors *ret)
{
	ret->fd = memfd_create("dpfetch-errors", MFD_CLOEXEC);
	return ret->fd >= 0 ? 0 : -errno;
}

void
child_errors_redirect(const struct child_errors *e)
{
	(void)dup2(e->fd, STDERR_FILENO);
	(void)dup2(e->fd, STDOUT_FILENO);
}

/* From its first byte, without moving the child's end. NULL: no memory. */
static FILE *
open_again(const struct child_errors *e)
{
	char path[REPORT_PATH_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", e->fd);
	return fopen(path, "re");
}

/* A line of message_error's or message_warning's; *ret_text: without the program's name and the exit code. */
static bool
is_said_by_us(const char *line, bool *ret_error, const char **ret_text)
{
	static const char name[] = "dpfetch: ";

	if (strncmp(line, name, sizeof(name) - 1) != 0)
		return false;
	line += sizeof(name) - 1;
	*ret_error = *line == '(' && strchr(line, ')') != NULL;
	if (*ret_error) {
		line = strchr(line, ')') + 1;
		line += strspn(line, " ");
	}
	*ret_text = line;
	return true;
}

void
child_errors_last(const struct child_errors *e, char *buf, size_t room)
{
	char line[ERROR_LINE_MAX];
	FILE *file = open_again(e);
	const char *text;
	bool error;

	buf[0] = '\0';
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (is_said_by_us(line, &error, &text) && error)
			(void)snprintf(buf, room, "%s", text);
	}
	fclose(file);
}

bool
child_errors_have(const struct child_errors *e, const char *wanted)
{
	char line[ERROR_LINE_MAX];
	FILE *file = open_again(e);
	bool found = false, error;
	const char *text;

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = is_said_by_us(line, &error, &text) && strstr(text, wanted) != NULL;
	fclose(file);
	return found;
}

void
child_errors_close(struct child_errors *e, bool tell)
{
	char block[ERROR_LINE_MAX];
	ssize_t n;

	if (tell && lseek(e->fd, 0, SEEK_SET) == 0) {
		while ((n = read(e->fd, block, sizeof(block))) > 0)
			fwrite(block, 1, (size_t)n, stderr);
	}
	close(e->fd);
	e->fd = -1;
}

static void __attribute__((noreturn)) run_command(const struct settings *s)
{
	int signo, code;

	code = s->command == SETTINGS_GET ? cmd_get(s, &signo) : cmd_bench(s, &signo);
	fflush(NULL);
	_exit(code); /* with a signal, too: its report is wanted */
}

int
child_run_command(const struct settings *s, uint64_t timeout_ns, const struct child_errors *errors,
	struct child_end *ret)
{
	struct settings own = *s;
	char path[REPORT_PATH_MAX];
	int rc, fd = memfd_create("dpfetch-report", MFD_CLOEXEC);
	pid_t child;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* the child has it, too */
	own.stats = path;
	child = child_fork();
	if (child == 0 && errors != NULL)
		child_errors_redirect(errors);
	if (child == 0)
		run_command(&own);
	*ret = (struct child_end){0};
	rc = child > 0 ? 0 : -errno;
	if (rc == 0) {
		ret->status = child_wait(child, timeout_ns, CHILD_GRACE_NS, &ret->signo);
		ret->report = json_loadfd(fd, 0, NULL);
	}
	close(fd);
	return rc;
}
