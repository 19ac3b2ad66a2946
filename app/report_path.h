/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_PATH_H
#define REPORT_PATH_H

/** Could a report be written to path, as far as permissions tell? "-" always can. Nothing is opened: it
 *  may be a FIFO. 0 or -errno. To be asked before a measurement whose figures would else be lost. */
int report_path_check(const char *path);

#endif
