/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INVENTORY_H
#define INVENTORY_H

#include "nic_inventory.h"
#include "port_pmd.h"

/** What lib/nic is to know beside the machine itself: DPDK's drivers, and our own SSH session. */
struct inventory_source {
	struct port_pmds *pmds;
	struct nic_inventory_config config; /* for nic_inventory_read and nic_bind */
};

/** 0, for inventory_close; -ENOMEM. */
int inventory_open(struct inventory_source *ret);
void inventory_close(struct inventory_source *source);

#endif
