/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INVENTORY_H
#define INVENTORY_H

#include "nic_inventory.h"

/** This machine's network devices, with the DPDK drivers that would take them: see
 *  nic_inventory_read. */
int inventory_read(struct nic_inventory *ret);

#endif
