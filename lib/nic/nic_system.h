/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_SYSTEM_H
#define NIC_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "nic_info.h"
#include "nic_state.h"

/*
 * The machine that the rest of lib/nic works on: files below a root, and the kernel's operations
 * that are no files to be read. Tests have a made-up tree and a made-up kernel.
 */

#define NIC_PATH_MAX 512U

typedef void (*nic_link_fn)(void *ctx, const struct nic_info *link);

struct nic_kernel {
	/** Calls visit for each interface of this network namespace, lo among them; default_route is
	 *  not filled in. 0 or -errno. */
	int (*each_link)(void *ctx, nic_link_fn visit, void *visit_ctx);

	/** Which interface has this address (family 4 or 6, network order)? false: none. */
	bool (*address_owner)(void *ctx, int family, const uint8_t *address, char *ret_interface);

	/** Writes text to a file of sysfs, which must be there. 0 or -errno. */
	int (*write)(void *ctx, const char *path, const char *text);

	/** Loads a module, which may be there already. 0; -ENOENT: there is no such one; -errno. */
	int (*load_module)(void *ctx, const char *name);

	/** Can the device file be opened? 0; -EBUSY: somebody has it; -errno. */
	int (*try_open)(void *ctx, const char *path);

	/** See nic_state_save and nic_state_apply. */
	int (*state_save)(void *ctx, const char *interface, json_t **ret);
	int (*state_apply)(
		void *ctx, const char *interface, json_t *state, nic_say_fn say, void *say_ctx);

	/** The network namespace that this thread is in, for a journal: an object with its inode and, if
	 *  it has one, its name; json_null in the one that the machine started with. */
	json_t *(*namespace_save)(void *ctx);

	/** Takes this thread there. 0 and what namespace_leave wants; -ENOENT: it is no more; -errno. */
	int (*namespace_enter)(void *ctx, const json_t *saved, int *ret_before);
	void (*namespace_leave)(void *ctx, int before);

	/** A driver makes its interfaces in the namespace that the machine started with: those of this
	 *  PCI device are brought into this thread's. */
	void (*links_fetch)(void *ctx, const char *pci_address);

	void (*pause)(void *ctx, uint32_t ms);
};

struct nic_system {
	const char *root; /* before /sys, /proc, /dev, /run; "" is this machine */
	const struct nic_kernel *kernel;
	void *ctx; /* for the kernel's functions */
};

/** This machine. */
struct nic_system nic_system_host(void);

/** root and the rest, as snprintf makes it, into ret. */
void nic_system_path(const struct nic_system *s, char ret[NIC_PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
