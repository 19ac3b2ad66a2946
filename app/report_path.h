/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_PATH_H
#define REPORT_PATH_H

#include "message.h"

/** Could a report be written to path, as far as permissions tell? "-" always can. Nothing is opened: it
 *  may be a FIFO. 0 or -errno. To be asked before a measurement whose figures would else be lost. */
int report_path_check(const char *path);

/** What became of the report of --option at path: rc 0 or -errno. 0, or EXIT_CODE_REPORT after having said why. */
int report_path_tell(
	const struct message_level *level, const char *option, const char *path, int rc);

#endif
