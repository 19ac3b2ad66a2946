/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_SYSFS_H
#define NIC_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#include "nic_info.h"

#define NIC_SYSFS_PCI "/sys/bus/pci/devices"

/** The first line of dir/name without its newline into buf. false: it cannot be read. */
bool nic_sysfs_text(const char *dir, const char *name, char *buf, size_t room);

/** The number in dir/name (decimal, or hexadecimal with 0x), or fallback. */
long nic_sysfs_number(const char *dir, const char *name, long fallback);

/** The last component of what the link dir/name leads to; empty if there is none. */
void nic_sysfs_link(const char *dir, const char *name, char ret[NIC_NAME_MAX]);

/** The node of a PCI device ("0000:3b:00.0"), -1 unknown. */
int nic_sysfs_pci_node(const char *pci_address);

#endif
