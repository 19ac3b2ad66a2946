/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_PMD_H
#define PORT_PMD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which of DPDK's network drivers takes a PCI device. It is read from the drivers' files, in which
 * each leaves its PCI ids for programs to find (PMD_INFO_STRING, as dpdk-pmdinfo.py reads it), so that
 * the EAL need not be started.
 */

struct port_pmds;

struct port_pmd {
	const char *name; /* "net_e1000_em"; lives as long as the table */
	bool bifurcated; /* works beside the kernel's driver: of mlx5 the kernel modules that it names
			  * are its own, and vfio-pci is not among them */
};

/** The drivers in the folder, NULL: where this DPDK's EAL loads them from; and those that the program
 *  itself contains. 0 and *ret; -ENOMEM. No such folder: there are none. */
int port_pmds_read(const char *folder, struct port_pmds **ret);

/** Who takes the device? false: nobody. */
bool port_pmds_find(const struct port_pmds *pmds, uint16_t vendor, uint16_t device,
	uint16_t subsystem_vendor, uint16_t subsystem_device, struct port_pmd *ret);

void port_pmds_free(struct port_pmds *pmds);

#endif
