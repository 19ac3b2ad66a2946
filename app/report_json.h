/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <jansson.h>

#include "base_counters.h"
#include "base_histogram.h"
#include "machine.h"
#include "port.h"
#include "settings.h"
#include "worker.h"

/* What the JSON documents of all commands are made of. Each returns an object of its own, the
 * caller's to give away or to json_decref. */

/** The "schema" of --stats documents; it grows when a field changes its meaning or goes. */
#define REPORT_JSON_SCHEMA 1

/** A string; what is not UTF-8 is read as Latin-1. */
json_t *report_json_text(const char *text);

/** url as url_shown has it. */
json_t *report_json_url(const char *url);

/** The lines that options add to each request's head (--header, --range, --user-agent, --cps), an array. In
 *  place of credentials it has "(hidden)". */
json_t *report_json_headers(const struct settings *s);

/** Every counter by its name. */
json_t *report_json_counters(const struct counters *c);

/** Count, mean, percentiles and maximum of times, in microseconds, of which each is per_us recorded units. */
json_t *report_json_distribution(const struct histogram *h, double per_us);

/** What a poll core did with its cycles. */
json_t *report_json_core(int core, const struct worker_usage *u, uint64_t cycles_hz);

/** What the NIC counted. */
json_t *report_json_nic(const struct port_stats *n);

/** What CPUs, server and interface did. */
json_t *report_json_machine(const struct machine_sample *m);

/** Where and with what it was measured: versions, kernel, CPU, governor, NIC, driver, MTU, offloads, time. */
json_t *report_json_environment(const struct port_info *port, const struct settings *s);

/** The port's own non-zero statistics; port NULL: none. */
json_t *report_json_xstats(struct port *port);

/** What is at "a/b/c" of a document; NULL: there is nothing. */
const json_t *report_json_find(const json_t *at, const char *path);

/** A number at "a/b/c" of a document; NAN: there is none. */
double report_json_number(const json_t *run, const char *path);

/** Writes root to path ("-": standard output), indented. 0 or -errno. */
int report_json_write(const json_t *root, const char *path);

#endif
