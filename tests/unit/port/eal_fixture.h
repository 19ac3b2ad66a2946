/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_FIXTURE_H
#define EAL_FIXTURE_H

#include <stdio.h>

#include <rte_common.h>
#include <rte_eal.h>

#define EAL_FIXTURE_MORE_MAX 4U

/* The EAL, once in a process: ordinary pages, no PCI, and so many more arguments. 0 or -1, as a cmocka
 * group's setup does. */
static inline int
eal_fixture_start(const char *const *more, unsigned int count)
{
	char args[][32] = {"test", "--no-huge", "--no-shconf", "--no-pci", "-m", "256",
		"--no-telemetry", "--log-level=4", "--lcores=0@0"};
	char text[EAL_FIXTURE_MORE_MAX][32];
	char *argv[RTE_DIM(args) + EAL_FIXTURE_MORE_MAX];
	unsigned int i;

	for (i = 0; i < RTE_DIM(args); i++)
		argv[i] = args[i];
	for (i = 0; i < count && i < EAL_FIXTURE_MORE_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "%s", more[i]);
		argv[RTE_DIM(args) + i] = text[i];
	}
	return rte_eal_init((int)(RTE_DIM(args) + i), argv) >= 0 ? 0 : -1;
}

#endif
