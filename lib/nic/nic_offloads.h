/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_OFFLOADS_H
#define NIC_OFFLOADS_H

#include <stdbool.h>

#include "nic_info.h"

/** What a kernel interface leaves to its hardware, or pretends to (`ethtool -k` shows the same). */
struct nic_offloads {
	bool rx_checksum, tx_checksum;
	bool tso, gso; /* large packets are cut up late */
	bool gro, lro; /* small ones are joined early */
};

/** Reads an interface of this network namespace. 0; -ENODEV; -errno of socket or ioctl. */
int nic_offloads_read(const char *interface, struct nic_offloads *ret);

/** What the driver of an interface calls its firmware, "" where it says nothing. */
void nic_firmware_read(const char *interface, char ret[NIC_NAME_MAX]);

#endif
