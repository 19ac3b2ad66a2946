/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_DRIVER_H
#define NIC_DRIVER_H

#include <stdbool.h>

#include "nic_system.h"

/* A PCI device and its kernel driver: Documentation/ABI/testing/sysfs-bus-pci. */

/** What the device is bound to, "" nothing, into ret (NIC_NAME_MAX). false: there is no such device. */
bool nic_driver_of(const struct nic_system *s, const char *address, char *ret);

/** Is the driver there? Else its module, whose name is the driver's, is loaded. 0; -ENOENT: no such
 *  module; -errno. */
int nic_driver_load(const struct nic_system *s, const char *driver);

/** The only driver that may take the device, "" any that knows it. 0 or -errno. */
int nic_driver_override(const struct nic_system *s, const char *address, const char *driver);

/** Takes the device from its driver, if it has one; waits for as long as that takes. 0 or -errno. */
int nic_driver_unbind(const struct nic_system *s, const char *address);

/** Gives it to the driver. 0, also if it is there already; -errno, as the driver says it. */
int nic_driver_bind(const struct nic_system *s, const char *address, const char *driver);

/** Is this a driver that leaves the device to user space? */
bool nic_driver_is_for_users(const char *driver);

/** Who has the device open (a process, its name and number) through vfio or uio, or its IOMMU group, which only one
 *  process can have, as far as we may see.
 *  false: nobody. */
bool nic_driver_user(const struct nic_system *s, const char *address, char *text, size_t room);

#endif
