/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MONITOR_H
#define MONITOR_H

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "progress.h"

struct port;

/*
 * The thread beside the poll core: it waits for signals, watches the link and draws the progress
 * meter, so that the poll core makes no system call for them. They meet in the atomics below.
 */
struct monitor;

struct monitor_config {
	struct port *port; /* whose link is watched */
	const char *nic; /* its name, for messages */
	const struct message_level *level;
	uint64_t link_timeout_ns; /* how long the caller waits for a link that went down */
	bool meter; /* draw the progress meter on standard error */
	uint64_t
		flap_ns; /* takes the link down for so long, a second after it is watched; 0: never */
	const cpu_set_t *others; /* the CPUs that do not poll: the thread runs on these */
};

/** Blocks SIGINT, SIGTERM and SIGHUP for the calling thread and all it makes later, and ignores
 *  SIGPIPE and SIGXFSZ. Call before any thread exists. */
void monitor_block_signals(void);

/** The signals that end a command: SIGINT, SIGTERM and SIGHUP, but for those that whoever started us
 *  has had ignored (nohup, a shell's background). */
void monitor_signal_set(sigset_t *ret);

/** Starts the thread. 0 and *ret, or -errno. */
int monitor_start(const struct monitor_config *cfg, struct monitor **ret);

/** Draws the meter a last time, ends the thread and frees m. NULL is allowed. */
void monitor_stop(struct monitor *m);

/** The signal that asked us to stop, 0 if none. Cheap; poll core. */
int monitor_signal(const struct monitor *m);

/** How many of these signals have come. Cheap; poll core. */
uint32_t monitor_signals(const struct monitor *m);

/** The link has come up: from now on the thread watches it, and says when it goes and comes. */
void monitor_watch_link(struct monitor *m);

/** How long the link has been down, in ns; 0: it is up. Cheap; poll core. */
uint64_t monitor_link_down_ns(const struct monitor *m);

/** Is the port's device gone for good? Cheap; poll core. */
bool monitor_port_gone(const struct monitor *m);

/** What the meter shows from now on. Cheap; poll core. */
void monitor_progress(struct monitor *m, const struct progress *p);

/** Begins a transfer's meter (true), or ends it: its last line is drawn. Not on the data path;
 *  the thread's own drawing is kept out meanwhile. */
void monitor_meter(struct monitor *m, bool on);

#endif
