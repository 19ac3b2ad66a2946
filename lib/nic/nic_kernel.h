/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_KERNEL_H
#define NIC_KERNEL_H

#include "nic_system.h"

/* Functions of struct nic_kernel, on this machine; see there. */

int nic_kernel_load_module(void *ctx, const char *name);

json_t *nic_kernel_namespace_save(void *ctx);
int nic_kernel_namespace_enter(void *ctx, const json_t *saved, int *ret_before);
void nic_kernel_namespace_leave(void *ctx, int before);
void nic_kernel_links_fetch(void *ctx, const char *pci_address);

#endif
