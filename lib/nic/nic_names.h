/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_NAMES_H
#define NIC_NAMES_H

#include <stddef.h>
#include <stdint.h>

/** "Intel Corporation 82574L Gigabit Network Connection", as pci.ids of this machine has it; where it
 *  does not know vendor or device (or is not there), their numbers: "1af4:1041". */
void nic_names_model(uint16_t vendor, uint16_t device, char *ret, size_t room);

#endif
