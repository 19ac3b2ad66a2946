/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_GOODPUT_H
#define SIM_GOODPUT_H

#include <stdbool.h>

/** Prints goodput over loss, RTT and bandwidth, beside what the Reno of the modelled server may give
 *  at best. In virtual time and from one seed: the same figures each time. false: a run failed. */
bool sim_goodput_table(void);

#endif
