/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_STACK_H
#define NIC_STACK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* Interfaces that stand on others: bridges, bonds, VLANs, macvlans. */

/* The kernel limits their depth to 8 (MAX_NEST_DEV); some may branch. */
#define NIC_STACK_MAX 32U

/** The interface itself, and all that stands on it, nearest first (sysfs below root, "" for this
 *  machine, has a link upper_NAME for each). How many names; what is beyond NIC_STACK_MAX is left out. */
uint32_t nic_stack_of(const char *root, const char *interface, char ret[NIC_STACK_MAX][IFNAMSIZ]);

/** Is `name` the interface, or does it stand on it? */
bool nic_stack_has(const char *root, const char *interface, const char *name);

#endif
