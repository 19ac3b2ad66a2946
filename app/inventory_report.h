/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INVENTORY_REPORT_H
#define INVENTORY_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "nic_inventory.h"

/** What nic list prints: for people, a table and below it a line for what does not fit in; */
void inventory_report_table(const struct nic_inventory *inventory, FILE *file);

/** and for programs. NULL: no memory. */
json_t *inventory_report_json(const struct nic_inventory *inventory);

#endif
