/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "host.h"

/** What came of a worker's connections. */
enum self_test_result {
	SELF_TEST_NOT_RUN, /* there were none: one worker, or the kernel's stack */
	SELF_TEST_OWN_QUEUE, /* each was answered, on the worker's own queue */
	SELF_TEST_OTHER_QUEUE, /* another worker received an answer, and handed it over */
	SELF_TEST_NO_ANSWER, /* not all were answered in time: nothing is known */
};

/** "not run", "own queue", "other queue", "no answer". Static storage. */
const char *self_test_result_name(enum self_test_result result);

/**
 * Does the port steer as it says? Each worker makes a few connections to this server and looks where the
 * answers arrive; a refusal is an answer, too, if it is TCP's: an ICMP error arrives as the port likes. Takes a round
 * trip; without answers SELF_TEST_WAIT_NS, or until a signal is to end us. The workers' counters have the connections in them. ret: of each worker.
 */
void self_test_run(
	struct host *h, const struct ip_address *remote, uint16_t port, enum self_test_result *ret);

/** Tells the user what that means: of a port that is not steered a warning, else with -v. */
void self_test_tell(const struct host *h, const enum self_test_result *result);

#endif
