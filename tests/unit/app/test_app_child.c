/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base_time.h"
#include "child.h"
#include "monitor.h"

#define SHORT_NS (50 * NS_PER_MS)
#define LONG_NS (60 * NS_PER_SEC) /* no test waits so long */

/* What a child does; returns its exit code. It must say when it is ready (say_ready). */
typedef int (*child_fn)(int ready);

static void
say_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(99);
}

/* A child that does fn, once it is ready. */
static pid_t
start(child_fn fn)
{
	int pipe_of[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(pipe_of), 0);
	child = child_fork();
	if (child == 0)
		_exit(fn(pipe_of[1]));
	assert_true(child > 0);
	close(pipe_of[1]);
	assert_int_equal(read(pipe_of[0], &byte, 1), 1);
	close(pipe_of[0]);
	return child;
}

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
assert_gone(pid_t child)
{
	assert_int_equal(kill(child, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static int
end_with_seven(int ready)
{
	say_ready(ready);
	return 7;
}

static int
sleep_for_ever(int ready)
{
	say_ready(ready);
	while (pause() == -1)
		;
	return 0;
}

static int
ignore_what_it_is_told(int ready)
{
	signal(SIGTERM, SIG_IGN);
	return sleep_for_ever(ready);
}

static void
end_in_order(int signo)
{
	(void)signo;
	usleep(100000);
	_exit(0);
}

static int
take_a_while_to_end(int ready)
{
	signal(SIGTERM, end_in_order);
	return sleep_for_ever(ready);
}

static void
test_wait_tells_the_exit_code(void **state)
{
	int signo = 0, status;

	(void)state;
	status = child_wait(start(end_with_seven), 0, CHILD_GRACE_NS, &signo);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(signo, 0);
	status = child_wait(start(end_with_seven), LONG_NS, CHILD_GRACE_NS, &signo);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
test_wait_tells_the_signal_that_ended_the_child_alone(void **state)
{
	pid_t child = start(sleep_for_ever);
	int signo = 0, status;

	(void)state;
	kill(child, SIGKILL);
	status = child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(signo, 0);
}

static void
test_wait_for_no_child_is_an_error(void **state)
{
	pid_t child = start(end_with_seven);
	int signo = 0;

	(void)state;
	assert_true(child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo) >= 0);
	assert_int_equal(child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo), -ECHILD);
}

static void
test_wait_ends_a_child_that_comes_to_no_end(void **state)
{
	pid_t child = start(sleep_for_ever);
	int signo = 0;

	(void)state;
	assert_int_equal(child_wait(child, SHORT_NS, LONG_NS, &signo), -ETIMEDOUT);
	assert_int_equal(signo, 0);
	assert_gone(child);
}

static void
test_wait_kills_a_child_that_ignores_that_it_is_told(void **state)
{
	pid_t child = start(ignore_what_it_is_told);
	double start_s = seconds_now();
	int signo = 0;

	(void)state;
	assert_int_equal(child_wait(child, SHORT_NS, SHORT_NS, &signo), -ETIMEDOUT);
	assert_true(seconds_now() - start_s >= 2 * (double)SHORT_NS / 1e9);
	assert_gone(child);
}

/* To give its NIC back: an exit code of 0 makes no pass of it. */
static void
test_wait_lets_a_child_that_was_told_end_in_order(void **state)
{
	pid_t child = start(take_a_while_to_end);
	double start_s = seconds_now();
	int signo = 0;

	(void)state;
	assert_int_equal(child_wait(child, SHORT_NS, LONG_NS, &signo), -ETIMEDOUT);
	assert_true(seconds_now() - start_s >= 0.1);
	assert_gone(child);
}

static void
test_wait_passes_a_signal_on_and_tells_it(void **state)
{
	pid_t child = start(sleep_for_ever);
	int signo = 0, status;

	(void)state;
	kill(getpid(), SIGINT);
	status = child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(signo, SIGINT);
}

/* A signal while nobody waits is the next wait's. */
static void
test_wait_finds_a_signal_that_came_between_two_children(void **state)
{
	int signo = 0;
	pid_t child;

	(void)state;
	assert_int_equal(WEXITSTATUS(child_wait(start(end_with_seven), 0, 0, &signo)), 7);
	kill(getpid(), SIGTERM);
	child = start(sleep_for_ever);
	(void)child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo);
	assert_int_equal(signo, SIGTERM);
	assert_gone(child);
}

static int
has_unblocked(int ready)
{
	sigset_t now;

	say_ready(ready);
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGINT) || sigismember(&now, SIGTERM) ||
	       sigismember(&now, SIGCHLD);
}

static void
test_fork_child_hears_the_signals_that_its_parent_blocks(void **state)
{
	sigset_t now;
	int signo = 0;

	(void)state;
	sigprocmask(SIG_BLOCK, NULL, &now);
	assert_true(sigismember(&now, SIGINT) && sigismember(&now, SIGCHLD));
	assert_int_equal(child_wait(start(has_unblocked), LONG_NS, CHILD_GRACE_NS, &signo), 0);
}

/* With a child of its own, which is what says that it is ready. */
static int
have_a_child(int ready)
{
	if (child_fork() == 0)
		_exit(sleep_for_ever(ready));
	while (pause() == -1)
		;
	return 0;
}

static void
test_fork_child_is_told_to_end_where_its_parent_is_killed(void **state)
{
	struct pollfd ended = {.events = POLLIN};
	int pipe_of[2], signo = 0;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipe_of), 0);
	child = child_fork();
	if (child == 0)
		_exit(have_a_child(pipe_of[1]));
	close(pipe_of[1]);
	assert_int_equal(read(pipe_of[0], &byte, 1), 1);
	kill(child, SIGKILL);
	assert_true(WIFSIGNALED(child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo)));
	/* The grandchild holds the pipe's other end as long as it lives. */
	ended.fd = pipe_of[0];
	assert_int_equal(poll(&ended, 1, 20000), 1);
	assert_int_equal(read(pipe_of[0], &byte, 1), 0);
	close(pipe_of[0]);
}

static int
die_by_a_blocked_signal(int ready)
{
	sigset_t set;

	say_ready(ready);
	monitor_signal_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child_die_by_signal(SIGTERM);
	return 0;
}

static void
test_die_by_signal_is_of_a_blocked_one_too(void **state)
{
	int signo = 0, status;

	(void)state;
	status = child_wait(start(die_by_a_blocked_signal), LONG_NS, CHILD_GRACE_NS, &signo);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(signo, 0);
}

/* Whoever started us may have ignored it: then a child's end would not be told. */
static void
test_block_signals_lets_children_be_waited_for(void **state)
{
	int signo = 0;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	child_block_signals(NULL);
	assert_int_equal(
		WEXITSTATUS(child_wait(start(end_with_seven), LONG_NS, CHILD_GRACE_NS, &signo)), 7);
}

static void
test_fork_nothing_unwritten_is_written_twice(void **state)
{
	FILE *file = tmpfile();
	int signo = 0;
	pid_t child;

	(void)state;
	assert_non_null(file);
	fputs("once", file);
	child = child_fork();
	if (child == 0)
		_exit(fflush(NULL));
	assert_int_equal(child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo), 0);
	fflush(file);
	assert_int_equal(lseek(fileno(file), 0, SEEK_END), 4);
	fclose(file);
}

/* ---- what a child says ---- */

/* A child that says so on standard error, and on standard output. */
static void
say(struct child_errors *e, const char *on_stderr, const char *on_stdout)
{
	int signo = 0;
	pid_t child;

	assert_int_equal(child_errors_open(e), 0);
	child = child_fork();
	if (child == 0) {
		child_errors_redirect(e);
		fputs(on_stderr, stderr);
		fputs(on_stdout, stdout);
		_exit(fflush(NULL));
	}
	assert_int_equal(child_wait(child, LONG_NS, CHILD_GRACE_NS, &signo), 0);
}

static void
assert_last(const char *said, const char *expect)
{
	struct child_errors e;
	char text[128] = "before";

	say(&e, said, "");
	child_errors_last(&e, text, sizeof(text));
	assert_string_equal(text, expect);
	child_errors_last(&e, text, sizeof(text)); /* asking changes nothing */
	assert_string_equal(text, expect);
	child_errors_close(&e, false);
	assert_int_equal(e.fd, -1);
}

static void
test_errors_last_is_the_last_one_without_name_and_code(void **state)
{
	(void)state;
	assert_last("dpfetch: (7) refused\n", "refused");
	assert_last(
		"dpfetch: (7) first\ndpfetch: (28) last one (really)\ndpfetch: a warning\nEAL: x\n",
		"last one (really)");
	assert_last("dpfetch: (7) no newline", "no newline");
	assert_last("EAL: dpfetch: (7) another's\ndpfetch: (3) ours\n", "ours");
}

static void
test_errors_last_is_empty_where_there_is_none(void **state)
{
	(void)state;
	assert_last("", "");
	assert_last("dpfetch: only a warning\nEAL: (7) not ours\n(7) nobody's\n", "");
}

static void
test_errors_last_is_cut_to_the_room(void **state)
{
	struct child_errors e;
	char text[6];

	(void)state;
	say(&e, "dpfetch: (7) refused\n", "");
	child_errors_last(&e, text, sizeof(text));
	assert_string_equal(text, "refus");
	child_errors_close(&e, false);
}

static void
test_errors_have_looks_into_errors_and_warnings_only(void **state)
{
	struct child_errors e;

	(void)state;
	say(&e,
		"dpfetch: the link of x is down; waiting\nEAL: link is up again\ndpfetch: (28) "
		"late\n",
		"");
	assert_true(child_errors_have(&e, " is down"));
	assert_true(child_errors_have(&e, "late"));
	assert_false(child_errors_have(&e, " is up again"));
	assert_false(child_errors_have(&e, "(28)"));
	assert_false(child_errors_have(&e, "dpfetch: "));
	child_errors_close(&e, false);
}

/* All, unchanged, and in its order; more than one block of it. */
static void
test_errors_close_tells_all_that_was_said(void **state)
{
	char said[4096], got[8192] = "";
	struct child_errors e;
	FILE *kept = tmpfile();
	int own = dup(STDERR_FILENO);

	(void)state;
	memset(said, 'x', sizeof(said) - 2);
	said[sizeof(said) - 2] = '\n';
	said[sizeof(said) - 1] = '\0';
	say(&e, said, "out\n");
	assert_non_null(kept);
	fflush(stderr);
	dup2(fileno(kept), STDERR_FILENO);
	child_errors_close(&e, true);
	fflush(stderr);
	dup2(own, STDERR_FILENO);
	close(own);
	rewind(kept);
	assert_int_equal(fread(got, 1, sizeof(got) - 1, kept), sizeof(said) - 1 + 4);
	assert_memory_equal(got, said, sizeof(said) - 1);
	assert_string_equal(got + sizeof(said) - 1, "out\n");
	fclose(kept);
}

static int
block_signals(void **state)
{
	sigset_t before;

	(void)state;
	/* Whatever whoever started the test had ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	child_block_signals(&before);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_tells_the_exit_code),
		cmocka_unit_test(test_wait_tells_the_signal_that_ended_the_child_alone),
		cmocka_unit_test(test_wait_for_no_child_is_an_error),
		cmocka_unit_test(test_wait_ends_a_child_that_comes_to_no_end),
		cmocka_unit_test(test_wait_kills_a_child_that_ignores_that_it_is_told),
		cmocka_unit_test(test_wait_lets_a_child_that_was_told_end_in_order),
		cmocka_unit_test(test_wait_passes_a_signal_on_and_tells_it),
		cmocka_unit_test(test_wait_finds_a_signal_that_came_between_two_children),
		cmocka_unit_test(test_fork_child_hears_the_signals_that_its_parent_blocks),
		cmocka_unit_test(test_fork_child_is_told_to_end_where_its_parent_is_killed),
		cmocka_unit_test(test_die_by_signal_is_of_a_blocked_one_too),
		cmocka_unit_test(test_block_signals_lets_children_be_waited_for),
		cmocka_unit_test(test_fork_nothing_unwritten_is_written_twice),
		cmocka_unit_test(test_errors_last_is_the_last_one_without_name_and_code),
		cmocka_unit_test(test_errors_last_is_empty_where_there_is_none),
		cmocka_unit_test(test_errors_last_is_cut_to_the_room),
		cmocka_unit_test(test_errors_have_looks_into_errors_and_warnings_only),
		cmocka_unit_test(test_errors_close_tells_all_that_was_said),
	};

	return cmocka_run_group_tests(tests, block_signals, NULL);
}
