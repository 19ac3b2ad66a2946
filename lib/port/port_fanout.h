/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_FANOUT_H
#define PORT_FANOUT_H

#include <stdbool.h>

/**
 * While on, and only on the calling thread, setsockopt(SOL_PACKET, PACKET_FANOUT) succeeds
 * without an effect; every other option reaches the kernel as ever.
 *
 * net_af_packet puts its socket into a fanout group (hash, defragmentation, rollover) even where
 * it is the only one. The kernel then hashes each frame, and looks at a second ring slot to learn
 * whether the only member has room, which costs goodput on a virtual cable. No option of
 * DPDK 22.11 to 26 leaves it out (docs/adr/no-fanout-for-one-queue.md).
 */
void port_fanout_skip(bool on);

#endif
