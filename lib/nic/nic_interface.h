/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_INTERFACE_H
#define NIC_INTERFACE_H

#include "nic_info.h"

/** All facts of a network interface of this network namespace. They come from ioctl(2) where
 *  there is one: /sys may show another namespace. 0; -ENODEV; -errno of socket. */
int nic_interface_read(const char *name, struct nic_info *ret);

#endif
