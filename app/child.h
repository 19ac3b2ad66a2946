/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHILD_H
#define CHILD_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base_time.h"
#include "settings.h"

/*
 * A part of the work in a process of its own: it has an EAL of its own, nothing of it is left in the next
 * one, and whatever happens to it, its parent tells.
 */

/** Blocks the signals that child_wait waits for, and lets children be waited for. Before the first
 *  child; *ret_before is what sigprocmask(2) is to put back. */
void child_block_signals(sigset_t *ret_before);

/** fork(2), with the signals of child_block_signals let through to the child, nothing unwritten in stdio's buffers,
 *  and SIGTERM for the child where its parent is killed. */
pid_t child_fork(void);

/** Ends this process by that signal, blocked or not: the shell, make, scripts and child_wait learn of Ctrl-C only from
 *  a process that died of it. What stdio has buffered is written. */
void child_die_by_signal(int signo);

#define CHILD_GRACE_NS \
	(10 * NS_PER_SEC) /* for a child that was told to end: to give the NIC back */

/**
 * Waits for the child's end, at most timeout_ns (0: for ever), after which it is told to end (SIGTERM), and
 * grace_ns later killed. A signal for this process is passed on to it, and left in *signo, which is else
 * untouched. Its wait status; -ETIMEDOUT, however it ended then; or another -errno.
 */
int child_wait(pid_t child, uint64_t timeout_ns, uint64_t grace_ns, int *signo);

/** What a child says on standard error and output, kept for its parent. */
struct child_errors {
	int fd;
};

/** 0 or -errno. */
int child_errors_open(struct child_errors *ret);
/** In the child: from now on both go there. */
void child_errors_redirect(const struct child_errors *e);
/** The last error that was said, without the program's name and the exit code, into buf; empty: none was. */
void child_errors_last(const struct child_errors *e, char *buf, size_t room);
/** Was there a warning or an error with that text in it? */
bool child_errors_have(const struct child_errors *e, const char *text);
/** Prints all that was said to standard error, if tell. */
void child_errors_close(struct child_errors *e, bool tell);

/** What became of a command in a child. */
struct child_end {
	int status; /* its wait status, or -errno of child_wait */
	json_t *report; /* its --stats; NULL: none. The caller's */
	int signo; /* as child_wait's */
};

/** Runs get or bench, whichever s->command says, in a child, with its report for the parent instead of
 *  s->stats. errors: what it says goes there; NULL: to our own standard error. A child that a signal told to end
 *  ends in order, with a report that has it (end/signal). 0, or -errno: there is no child. */
int child_run_command(const struct settings *s, uint64_t timeout_ns,
	const struct child_errors *errors, struct child_end *ret);

#endif
