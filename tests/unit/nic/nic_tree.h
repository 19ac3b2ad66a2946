/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_TREE_H
#define NIC_TREE_H

#include "nic_system.h"

/*
 * A made-up machine: a folder with sys, proc, dev and run below it, and interfaces and addresses that a
 * made-up kernel knows.
 */

#define TREE_LINKS_MAX 16U

struct nic_tree {
	char root[64];
	struct nic_system system;
	struct nic_info link[TREE_LINKS_MAX];
	uint32_t link_count;
	struct {
		int family;
		uint8_t address[16];
		const char *interface;
	} owner[TREE_LINKS_MAX];
	uint32_t owner_count;
	/* what binding does to it: see nic_tree.c */
	uint32_t steps; /* changes so far */
	uint32_t die_at; /* the process ends before this change, from 1; 0: it does not */
	const char *refuse; /* part of a path whose writing fails with refuse_errno */
	int refuse_errno;
	int load_errno; /* of loading modules */
	bool busy; /* device files are in use */
	uint32_t late; /* pauses until an interface that was made is there */
	uint32_t pauses;
};

/** An empty machine. */
void nic_tree_make(struct nic_tree *t);

/** Removes all of it. */
void nic_tree_remove(struct nic_tree *t);

/** A file below the root, with the folders that lead to it. */
void nic_tree_file(const struct nic_tree *t, const char *path, const char *text);

/** A symbolic link; what it leads to need not be there. */
void nic_tree_link(const struct nic_tree *t, const char *path, const char *target);

struct nic_tree_pci {
	const char *address, *driver; /* driver NULL: none */
	const char *vendor, *device, *class; /* as in sysfs, "0x8086" */
	int numa_node, iommu_group; /* -1: none */
};

/** A PCI device, its group's folder, and its driver's. */
void nic_tree_pci(const struct nic_tree *t, const struct nic_tree_pci *p);

/** An interface, on the PCI device at pci_address, or "" */
struct nic_info *nic_tree_interface(
	struct nic_tree *t, const char *name, const char *driver, const char *pci_address);

/** The interface has this address ("192.0.2.1", "2001:db8::1"). */
void nic_tree_address(struct nic_tree *t, const char *interface, const char *address);

/** `upper` stands on `lower`. */
void nic_tree_stack(const struct nic_tree *t, const char *lower, const char *upper);

/** What the kernel says of an interface now: a file of the tree, which nic_tree_state_set writes and the
 *  driver empties. The caller's. */
json_t *nic_tree_state(const struct nic_tree *t, const char *interface);
void nic_tree_state_set(const struct nic_tree *t, const char *interface, json_t *state);

#define TREE_DEATH 99 /* exit status of die_at */

#endif
