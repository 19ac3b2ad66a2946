/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_DUMP_H
#define SIM_DUMP_H

#include <stdbool.h>
#include <stdint.h>

/** Prints one line for a frame on stdout, much as tcpdump would: the virtual time since the
 *  start in us, the direction, flags, sequence numbers, window, options. */
void sim_dump_frame(
	uint64_t elapsed_ns, bool to_server, bool damaged, const uint8_t *frame, uint32_t len);

#endif
