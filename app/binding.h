/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BINDING_H
#define BINDING_H

#include "message.h"
#include "nic_bind.h"
#include "settings.h"

/* A PCI NIC for the time that dpfetch needs it: nic_bind.h with the user's options and messages. */

/** Is --nic a PCI device for DPDK that nobody holds for us? Its address, normalised, to ret (NIC_NAME_MAX). */
bool binding_is_wanted(const struct settings *s, char *ret_address);

/** Would the device be bound? 0 (also if there is nothing to bind), or EXIT_CODE_BIND after having said
 *  why not. Changes nothing. */
int binding_check(const struct settings *s, const struct message_level *level, const char *address);

/**
 * Binds the device. keep: it stays so at the program's end. 0, and *ret, which holds nothing where nothing was
 * to be bound; or EXIT_CODE_BIND after having said why.
 */
int binding_take(const struct settings *s, const struct message_level *level, const char *address,
	bool keep, struct nic_hold *ret);

/** Gives it back, or leaves it, as was agreed. 0, or EXIT_CODE_BIND after having said why. */
int binding_end(const struct message_level *level, struct nic_hold *hold);

/** dpfetch nic unbind and restore: gives one back that has a journal. As binding_end. */
int binding_restore(const struct message_level *level, const char *address);

/** Gives back what a killed dpfetch left bound, but for `except` (NULL: all), and says so. */
void binding_restore_abandoned(const struct message_level *level, const char *except);

#endif
