/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_H
#define COMPARE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "base_bootstrap.h"
#include "compare_trace.h"
#include "message.h"
#include "settings.h"
#include "sink_file.h"
#include "url_list.h"

/*
 * The inside of the compare command. Each measurement is a process of its own that runs what dpfetch
 * bench runs, over one stack or the other, and leaves its report as JSON: so neither stack is there
 * while the other is measured, and nothing of one run is left in the next.
 */

enum compare_side { COMPARE_DPDK, COMPARE_KERNEL, COMPARE_SIDES };

#define COMPARE_PAIRS_MAX 100U
#define COMPARE_TEXT_MAX 256U
#define COMPARE_WARNINGS_MAX 16U
#define COMPARE_NOTES_MAX 8U
#define COMPARE_VERSION_MAX 128U
#define COMPARE_CONFIDENCE 0.95

/** What curl said of one transfer. */
struct compare_curl {
	double bits_per_second, seconds; /* with --fsync the file's is in them */
};

/** With -o: the file that each transfer writes, and what is known of it. */
struct compare_file {
	const char *path;
	enum sink_digest digest;
	const char *given_hex; /* --checksum's; NULL: all must be like the first */
	char hex[SINK_DIGEST_HEX_MAX]; /* of the first one */
	uint64_t bytes; /* of the first one */
	uint64_t free_bytes; /* of the file system, before the first run */
	uint32_t verified; /* files read back and found alike */
};

struct compare {
	const struct settings *settings;
	const char *path; /* where each transfer's body goes, "/dev/null": nowhere; NULL: a run is a
			   * load */
	struct compare_file *file; /* with -o; owned. NULL: path is no file */
	struct compare *null; /* with -o: the same pairs to nowhere; owned */
	struct url_list listed; /* what --url-file holds; owned */
	struct message_level level;
	json_t *run[COMPARE_SIDES][COMPARE_PAIRS_MAX]; /* bench's documents; owned */
	struct compare_curl curl[COMPARE_PAIRS_MAX];
	uint32_t pairs; /* that are whole */
	uint32_t curls; /* the first so many pairs have curl's figures */
	bool no_curl; /* it cannot be run: a note says why */
	char curl_version[COMPARE_VERSION_MAX]; /* "": unknown */
	char server[COMPARE_VERSION_MAX]; /* the Server field that curl got; "": none */
	struct compare_trace *trace[COMPARE_SIDES]; /* the beginning of one transfer; NULL: none */
	char warning[COMPARE_WARNINGS_MAX][COMPARE_TEXT_MAX]; /* why it may not be fair */
	uint32_t warnings;
	char note[COMPARE_NOTES_MAX][COMPARE_TEXT_MAX]; /* what is left out, and why */
	uint32_t notes;
	int signo; /* that ended it early, 0: none */
};

/** "dpfetch", "kernel". */
const char *compare_side_name(enum compare_side side);

/* compare_run.c */

/** Runs one measurement over side; requests: instead of the settings' load, so many requests of
 *  the first URL on one connection (0: the settings' load). 0 and *ret, the caller's; or an exit code, after the child has
 *  said why. c->signo is set when a signal ended it. */
int compare_run(struct compare *c, enum compare_side side, uint64_t requests, json_t **ret);

/** Runs one transfer over side to path; traced: so that packet sockets see our frames. As compare_run.
 *  The document has what figures want of a load's. */
int compare_run_get(
	struct compare *c, enum compare_side side, const char *path, bool traced, json_t **ret);

/** Lets curl fetch the first URL to path. false: there is no curl, or it failed. */
bool compare_run_curl(struct compare *c, const char *path, struct compare_curl *ret);

/** Asks curl for its version: c->curl_version. */
void compare_run_curl_version(struct compare *c);

/* compare_file.c */

/** With -o: makes c->file and c->null, and finds wrong what can be before anything is measured. 0, or
 *  an exit code after having said why. */
int compare_file_open(struct compare *c);
void compare_file_free(struct compare *c);

/** As compare_run, of c->path: the file is removed before, and read back after. */
int compare_file_run(struct compare *c, enum compare_side side, json_t **ret);

/** As compare_run_curl, of c->path. *ret_code: an exit code, said, where the file is not the one that
 *  it should be; else 0. */
bool compare_file_curl(struct compare *c, struct compare_curl *ret, int *ret_code);

/** File system, room, how it was written, what was flushed when, digest. The caller's. */
json_t *compare_file_conditions(const struct compare *c);

/* compare_file_report.c */

/** What is not fair with files. */
void compare_file_check_fairness(struct compare *c, const json_t *conditions);

/** The ratios of file to nowhere and of dpfetch to curl, and the file's conditions, for people. */
void compare_file_text(const struct compare *c, FILE *out);
void compare_file_html(const struct compare *c, FILE *out);
/** The ratios, for JSON: the caller's. */
json_t *compare_file_ratios_json(const struct compare *c);

/* compare_figures.c */

/** One line of the comparison. */
struct compare_figure {
	const char *key; /* in JSON */
	const char *name; /* for people, with its unit */
	double scale; /* from the JSON's unit to the name's */
	const char *path; /* where it is in a run's report; NULL: */
	double (*value)(const json_t *run, double hz); /* made from it; NAN: it is not there */
	bool less_is_better;
};

/** All lines; *ret_count. Static storage. */
const struct compare_figure *compare_figures(uint32_t *ret_count);

/** The line's medians of both sides with their intervals, and the ratio of dpfetch's to the kernel's.
 *  false: not all runs have it. */
bool compare_figure_estimate(const struct compare *c, const struct compare_figure *figure,
	struct bootstrap_estimate ret_side[COMPARE_SIDES], struct bootstrap_estimate *ret_ratio);

/** CPU time of the client's process in a run, s; NAN: unknown. */
double compare_process_seconds(const json_t *run);

/** How much of it our poll cores spent looking for work in vain, s: 0 of the kernel's. */
double compare_idle_polling_seconds(const json_t *run);
/** The same of the poll core that is this CPU: 0 where there is none. */
double compare_idle_polling_seconds_on(const json_t *run, uint32_t cpu);

/** "7.79 (7.40-8.05)", with as many decimals as the size asks for. Returns buf. */
const char *compare_estimate_text(
	const struct bootstrap_estimate *e, double scale, char *buf, size_t room);

/** {"median", "low", "high"}; null for what is not finite. The caller's. */
json_t *compare_estimate_json(const struct bootstrap_estimate *e);

/** How many decimals a value of this size is written with, in tables. */
int compare_decimals(double value);

/** Cycles a second of this machine's clock, as our stack calibrated it. 0: no run. */
double compare_hz(const struct compare *c);

/* compare_conditions.c */

/** Prints a warning into c's list; the list is bounded. */
void compare_warn(struct compare *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints a note into c's list, which is bounded; the same one only once. */
void compare_note(struct compare *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The kernel's name of --nic, which may be a PCI address, into ret (NIC_NAME_MAX bytes). false: it has
 *  none now, as of a device that is bound to vfio-pci; ret is empty then. */
bool compare_interface(const struct compare *c, char *ret);

/** Under what conditions it was measured: versions, CPU, MTU, offloads, busy poll, governor. The
 *  caller's. */
json_t *compare_conditions(const struct compare *c);

/** Looks for what is not fair in the runs and the conditions, and adds warnings. */
void compare_check_fairness(struct compare *c, const json_t *conditions);

/* compare_workload.c */

/** The first URL, of the command line or of the --url-file. c's; NULL: there is none. */
const char *compare_first_url(const struct compare *c);

/** What was asked for: the URLs with their weights, without users and passwords, and the load as bench
 *  reports it. The caller's. */
json_t *compare_workload(const struct compare *c);

/** The same for people: "URL" and "load", each a text. The caller's. */
json_t *compare_workload_facts(const struct compare *c);

/** Workload and conditions in a few lines, for people. */
void compare_conditions_text(const struct compare *c, const json_t *conditions, FILE *out);

/* compare_report.c, compare_html.c */

void compare_report_text(const struct compare *c, const json_t *conditions, FILE *out);
/** --stats. 0 or -errno. */
int compare_report_json_write(const struct compare *c, const json_t *conditions, const char *path);
/** --html. 0 or -errno. */
int compare_report_html_write(const struct compare *c, const json_t *conditions, const char *path);

#endif
