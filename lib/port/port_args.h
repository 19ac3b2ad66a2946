/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_ARGS_H
#define PORT_ARGS_H

#include <stdbool.h>

#include "port.h"

/** The argument vector for rte_eal_init, of any number and length. */
struct port_args {
	int count;
	char **item; /* the EAL may reorder them */
	char *text; /* all of them, one after the other */
};

/** Makes the arguments for cfg, whose mode has been resolved. 0, to be freed by port_args_free;
 *  or -errno with a message. */
int port_args_build(const struct port_eal_config *cfg, enum port_nic_mode mode,
	struct port_args *ret, char *ret_message);
void port_args_free(struct port_args *a);

/** Do the user's own EAL options make the device that cfg->nic means: by the same PCI address, the
 *  same device name, or as a virtual device on that very interface? */
bool port_args_user_named(const struct port_eal_config *cfg);

#endif
