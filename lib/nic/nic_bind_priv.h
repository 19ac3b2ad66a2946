/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_BIND_PRIV_H
#define NIC_BIND_PRIV_H

#include <jansson.h>

#include "nic_bind.h"

#define NIC_VFIO "vfio-pci"
#define NIC_UIO "uio_pci_generic"

/** The kernel's switch for vfio-pci without an IOMMU, in /sys/module/vfio/parameters. */
#define NIC_NO_IOMMU_SWITCH "enable_unsafe_noiommu_mode"

/** Says why in message, and returns rc. */
int nic_fail(char *message, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** May it be bound, and would it work? As nic_bind_check, of a device that has no journal. */
int nic_judge(const struct nic_system *s, const struct nic_bind_config *cfg,
	const struct nic_device *device, char *message);

/** Why a driver could not be loaded. */
int nic_explain_module(const struct nic_system *s, const char *driver, int rc, char *message);

/** Is the kernel locked down (Secure Boot)? false: it is not, or that is not known. */
bool nic_is_locked_down(const struct nic_system *s);

/** nic_restore, under the lock. */
int nic_restore_locked(const struct nic_system *s, const char *address, nic_say_fn say,
	void *say_ctx, char *message);

/** Why the lock could not be had. */
int nic_explain_lock(const char *address, int rc, int pid, char *message);

/** The boot that the machine runs since, "" unknown. */
void nic_boot_id(const struct nic_system *s, char ret[NIC_NAME_MAX]);

#endif
