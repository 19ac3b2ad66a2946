/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_VIRTIO_H
#define NIC_VIRTIO_H

#include "nic_system.h"

/** How a virtio device gets at memory. */
enum nic_virtio_way {
	NIC_VIRTIO_UNKNOWN, /* no virtio device, or not one that the kernel's driver has */
	NIC_VIRTIO_BY_IOMMU, /* VIRTIO_F_ACCESS_PLATFORM: by whatever the platform has */
	NIC_VIRTIO_DIRECT, /* by addresses of memory itself, past any IOMMU */
};

/** Of the PCI device, as it agreed with the kernel's driver (virtio 1.2 §6). */
enum nic_virtio_way nic_virtio_way(const struct nic_system *s, const char *address);

#endif
