/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_LOG_H
#define PORT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * What DPDK says while it starts: its log, and what its parser of options prints to standard output
 * and error. It is kept from the user's sight, and the reason of a failure picked out of it. Only
 * while the process has no thread that prints.
 */
struct port_log {
	int fd; /* in memory; -1: nothing is captured */
	int saved[2]; /* standard output and error */
	FILE *stream; /* DPDK's log */
};

/** Begins. `on` false, or where memory is short: everything is printed as ever. */
void port_log_begin(struct port_log *log, bool on);

/** Ends. Returns what was captured, for the caller to free; NULL if nothing was. */
char *port_log_end(struct port_log *log);

/** The lines of text that tell most of a failure, up to two, joined by "; ", into buf; empty if
 *  there is none. A fatal one stands alone. */
void port_log_reason(const char *text, char *buf, size_t room);

/** Where DPDK printed its usage: the first of these arguments that is a long option and not in it;
 *  NULL if there is none. */
const char *port_log_unknown_option(const char *text, char *const *args, int count);

#endif
