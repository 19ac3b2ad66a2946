/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base_histogram.h"
#include "fetch.h"
#include "machine.h"
#include "message.h"
#include "port.h"
#include "settings.h"
#include "sink_file.h"
#include "worker.h"

#define REPORT_TEXT_MAX 256U
#define REPORT_URL_MAX 2048U

/* What the last response's header fields say. */
struct report_headers {
	char content_type[REPORT_TEXT_MAX];
	char location[REPORT_URL_MAX];
	uint64_t retry_after_ns; /* what Retry-After asks for, 0: nothing */
	uint32_t count;
};

/*
 * All that is known of one transfer. The summary, -w and --stats are made from this alone, so
 * that they cannot disagree.
 */
struct report {
	const struct http_url *url;
	const char *url_given; /* as the user wrote it */
	const char *path; /* the file, "-" standard output, NULL discarded */
	int exit_code; /* the transfer's: fetch_code, or the app's (checksum) */
	char error[2 * REPORT_TEXT_MAX];
	struct fetch_result result;
	uint32_t index; /* of the URL, from 0 */
	uint32_t attempts; /* 1 and the retries */
	uint64_t resolve_ns;
	struct ip_address local_address, remote_address; /* no family: none yet */
	uint16_t local_port;
	struct report_headers headers;
	struct tcp_info tcp;
	struct counters counters; /* of this transfer */
	struct histogram ack_delay; /* ns */
	struct histogram iteration; /* cycles of the busy iterations of the poll loop */
	struct worker_usage usage; /* of this transfer */
	struct port_stats nic; /* of this transfer */
	struct port_info port;
	struct sink_file_info sink;
	const char *digest_name; /* NULL: none asked for */
	int core;
	uint64_t cycles_hz;
	bool kernel; /* over the kernel's stack: what ours counts is 0 */
	uint64_t cpu_user_ns, cpu_system_ns; /* of this process, during the transfer */
	struct machine_sample *machine; /* during the transfer; NULL: not looked at. Owned */
};

/** Seconds from the transfer's start to a moment on the poll clock, name resolution included;
 *  0 for one that did not come. */
double report_seconds(const struct report *r, uint64_t moment_ns);

/** Takes what the report needs of one header field. now: seconds of the epoch. */
void report_note_header(struct report_headers *h, const char *name, const char *value, time_t now);

/** How long a Retry-After field asks to wait: seconds or an HTTP date (RFC 9110 §10.2.3), counted
 *  from now (seconds of the epoch). At most 6 hours, curl's limit. 0: at once, or no such value. */
uint64_t report_retry_after_ns(const char *value, time_t now);

double report_total_seconds(const struct report *r);
double report_goodput_bps(const struct report *r); /* body bits a second over the total time */
double report_cycles_per_segment(const struct report *r); /* busy cycles; 0 without segments */
double report_busy_percent(const struct report *r); /* of the poll core's cycles */
double report_segments_per_ack(const struct report *r);

/** The summary after a transfer, lines with newlines, to out. */
void report_summary(const struct report *r, FILE *out);

/** Warns of what a link did to frames that only other settings mend, with those or the command. */
void report_link_hints(const struct message_level *level, const struct counters *counters,
	const struct settings *settings);

/** -w: expands format to out (or to err after %{stderr}). Unknown variables are named on err, as
 *  curl does. */
void report_write_out(const struct report *r, const char *format, FILE *out, FILE *err);

/** --stats: writes all reports as one JSON document to path ("-": standard output).
 *  xstats: the port's own non-zero statistics, or NULL. 0 or -errno. */
int report_stats_write(const char *path, const struct report *reports, uint32_t count,
	const struct settings *s, struct port *port);

/** Each -w variable's name and help line in turn; index from 0. false past the end. */
bool report_variable_describe(uint32_t index, const char **ret_name, const char **ret_help);

#endif
