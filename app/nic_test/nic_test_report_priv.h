/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_TEST_REPORT_PRIV_H
#define NIC_TEST_REPORT_PRIV_H

#include "nic_test_report.h"

/* What the reports share. */

#define NIC_TEST_FIGURE_MAX 32U

/** A figure for people: whole numbers and large ones without decimals. Returns buf. */
const char *nic_test_figure_text(double value, char buf[NIC_TEST_FIGURE_MAX]);

/** Opens path ("-": standard output) and lets write write to it. 0 or -errno. */
int nic_test_report_write(const struct nic_test_report *report, const char *path,
	void (*write)(const struct nic_test_report *report, FILE *out));

#endif
