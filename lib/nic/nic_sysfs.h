/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_SYSFS_H
#define NIC_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

/** The first line of dir/name without its newline into buf. false: it cannot be read. */
bool nic_sysfs_text(const char *dir, const char *name, char *buf, size_t room);

/** The number in dir/name (decimal, or hexadecimal with 0x), or fallback. */
long nic_sysfs_number(const char *dir, const char *name, long fallback);

#endif
