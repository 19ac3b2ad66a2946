/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_NIC_H
#define CMD_NIC_H

#include "settings.h"

/** dpfetch nic: the machine's NICs. An exit code, after having said why where it is not 0. */
int cmd_nic(const struct settings *s);

#endif
