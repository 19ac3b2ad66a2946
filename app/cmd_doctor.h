/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "settings.h"

/** dpfetch doctor: is the machine fit? 0; EXIT_CODE_DOCTOR where something is in the way, after having said
 *  what; another exit code where that could not be found out. */
int cmd_doctor(const struct settings *s);

#endif
