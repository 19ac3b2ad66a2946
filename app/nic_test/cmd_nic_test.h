/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_NIC_TEST_H
#define CMD_NIC_TEST_H

#include "settings.h"

/** dpfetch nic test: tries the port out against the web server of the URL. Returns the exit code, EXIT_CODE_NIC_TEST
 *  where a test failed; *ret_signal is the signal that ended it (0: none), by which the caller should end the
 *  process. */
int cmd_nic_test(const struct settings *s, int *ret_signal);

#endif
