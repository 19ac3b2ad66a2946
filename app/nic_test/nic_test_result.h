/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_TEST_RESULT_H
#define NIC_TEST_RESULT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a test of dpfetch nic test found. A result holds no pointer, so that a child process can fill it in
 * in memory that it shares with its parent.
 */

#define NIC_TEST_NAME_MAX 48U
#define NIC_TEST_TEXT_MAX 512U
#define NIC_TEST_CASES_MAX 48U
#define NIC_TEST_VALUES_MAX 48U

enum nic_test_verdict {
	NIC_TEST_FAIL, /* also of a test that came to no end */
	NIC_TEST_PASS,
	NIC_TEST_SKIPPED, /* the NIC, its driver or the server has not what it takes */
};

/** "FAIL", "PASS", "SKIPPED". Static storage. */
const char *nic_test_verdict_name(enum nic_test_verdict verdict);

/** One of the things that a test tried: an MTU, a frame size, a rate. */
struct nic_test_case {
	char name[NIC_TEST_NAME_MAX]; /* "1500 bytes" */
	enum nic_test_verdict verdict;
	char text[NIC_TEST_TEXT_MAX]; /* what was found; of one that did not pass, why */
};

/** A figure that a test measured. */
struct nic_test_value {
	char name[NIC_TEST_NAME_MAX]; /* with its unit last, as in JSON: "link_mbps" */
	double value; /* finite */
};

struct nic_test_result {
	char name[NIC_TEST_NAME_MAX]; /* "mtu"; what --only knows it by */
	enum nic_test_verdict verdict;
	char text
		[NIC_TEST_TEXT_MAX]; /* of a pass, what was found; else why, and what to do. May be empty */
	double seconds; /* that it took */
	uint32_t case_count, value_count;
	struct nic_test_case cases[NIC_TEST_CASES_MAX];
	struct nic_test_value values[NIC_TEST_VALUES_MAX];
};

/** Sets the verdict and its text. */
void nic_test_conclude(struct nic_test_result *r, enum nic_test_verdict verdict, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/** Adds a case; what finds no room is left out, but for a failure, which takes the last one's place. */
void nic_test_add_case(struct nic_test_result *r, enum nic_test_verdict verdict, const char *name,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Adds a figure; one that is not finite, or finds no room, is left out. */
void nic_test_add_value(struct nic_test_result *r, const char *name, double value);

/** Concludes from the cases: FAIL if one failed, with the first such's text; else PASS if one passed, with
 *  text; else SKIPPED, with the first one's text;
 *  without any case FAIL. */
void nic_test_conclude_cases(struct nic_test_result *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
