/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_FIXTURE_H
#define LOAD_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "load.h"
#include "load_server.h"

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

#define LF_START (10 * NS_PER_SEC)
#define LF_TARGETS 4U

struct lf {
	struct server server;
	struct load_target target[LF_TARGETS]; /* "/a", "/b", ...; all at one endpoint, weight 1 */
	struct load_config cfg; /* of target[0] alone; closed loop, one connection, 1 s */
	struct load *load;
	uint64_t now_ns;
	bool over;
	uint64_t polls;
	struct load_interval *series; /* of lf_series; NULL: not asked for yet */
};

/** A load that is not created yet: the test may change cfg, target and server. */
struct lf *lf_new(void);
/** Creates and starts it, at LF_START. */
void lf_start(struct lf *f);
/** Time goes on by ns, or until the load is over: from one event, action or deadline to the next. */
void lf_run(struct lf *f, uint64_t ns);
/** Runs until it is over, which must be within an hour. Returns the statistics. */
const struct load_stats *lf_run_to_end(struct lf *f);
/** Start and run to the end. */
const struct load_stats *lf_run_all(struct lf *f);
/** All errors of requests; those of connections are no requests. */
uint64_t lf_request_errors(const struct load_counts *c);
/** What must hold of the whole: each request ended once, histograms and status agree. */
void lf_check(const struct lf *f);
/** A copy of the time series so far, of which none may be gone; *ret_count of them. Until the next call or
 *  lf_end. */
const struct load_interval *lf_series(struct lf *f, uint32_t *ret_count);
/** The sum of the time series. */
void lf_sum(const struct lf *f, struct load_counts *ret);
/** lf_check where the load is over; destroys everything; nothing may be left. */
void lf_end(struct lf *f);

#endif
