/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_BIND_H
#define NIC_BIND_H

#include <stdbool.h>
#include <stdint.h>

#include "nic_inventory.h"
#include "nic_system.h"

/*
 * Handing a PCI NIC to user space, and giving it back. Before anything is changed a journal is written
 * (nic_journal.h), so that nic_restore puts all back whatever became of the program that bound it.
 */

#define NIC_MESSAGE_MAX 1024U

struct nic_bind_config {
	const char *address; /* "0000:3b:00.0" */
	const char *driver; /* "vfio-pci" or "uio_pci_generic" */
	bool no_iommu; /* vfio-pci without an IOMMU, where there is none: the NIC may then write to
			* any memory */
	const char
		*force; /* the address again: although a route or a session needs it; NULL: not */
	const char *const
		*together; /* devices that are bound together, this one among them: of one IOMMU
				      * group none stands in the others' way. NULL: only this one */
	uint32_t together_count;
	bool keep; /* it stays bound when the program ends */
	bool as_bound; /* one that stays bound already, whatever it is bound to, is taken as it is */
	const struct nic_inventory_config *inventory;
	nic_say_fn say; /* told of what is worth knowing */
	void *say_ctx;
};

/** A NIC that this program works with. It is locked for others until nic_hold_end. */
struct nic_hold {
	char address[NIC_NAME_MAX]; /* "" none is held */
	char driver[NIC_NAME_MAX]; /* what it is bound to */
	int lock;
	bool restore; /* it is to be given back at the end */
};

/**
 * Could the device be bound, as far as can be told without changing anything? 0; 1: there is nothing to
 * bind (it is bound, or its driver works beside the kernel's), message says which; or -errno with a
 * message that tells the cause and what mends it.
 */
int nic_bind_check(const struct nic_system *s, const struct nic_bind_config *cfg, char *message);

/**
 * Binds the device: journal, then driver. One that a dpfetch left bound (it was killed, or asked to keep
 * it) is taken over. 0 and *ret, for nic_hold_end; 1: nothing was to be bound (or it is bound, and this
 * user may not keep journals), the message says why, and *ret holds nothing; -errno with a message (NIC_MESSAGE_MAX) as above, and the device as it was.
 */
int nic_bind(const struct nic_system *s, const struct nic_bind_config *cfg, struct nic_hold *ret,
	char *message);

/** Gives the device back if hold->restore says so, else leaves it bound; and the lock. What cannot be
 *  put back is told to say. 0, or -errno with a message. */
int nic_hold_end(const struct nic_system *s, struct nic_hold *hold, nic_say_fn say, void *say_ctx,
	char *message);

/** Gives a device back that has a journal: its driver, its interfaces and all that nic_state.h names.
 *  It may be repeated. 0; -ENOENT: no journal; -EBUSY: a running program has the device; -errno. With a message. */
int nic_restore(const struct nic_system *s, const char *address, nic_say_fn say, void *say_ctx,
	char *message);

/** Gives back what programs left bound that were to give it back and are no more, but for the device at
 *  `except` (NULL: all). Tells say of each. How many could not be given back. */
uint32_t nic_restore_abandoned(
	const struct nic_system *s, const char *except, nic_say_fn say, void *say_ctx);

#endif
