/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_FANOUT_H
#define PORT_FANOUT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * net_af_packet puts its sockets, one a queue, into a fanout group (hash, defragmentation, rollover), and
 * no option of DPDK 22.11 to 26 changes that (docs/adr/no-fanout-for-one-queue.md, docs/adr/workers.md).
 * These change it from outside, while the driver makes its sockets: on the calling thread alone, and of
 * setsockopt(SOL_PACKET, PACKET_FANOUT) alone.
 */

/** While on, it succeeds without an effect. With one queue the kernel would hash each frame, and look at
 *  a second ring slot to learn whether the only member has room, which costs goodput on a virtual
 *  cable. */
void port_fanout_skip(bool on);

/**
 * From now on (0: no longer) it makes a group in which TCP segments that are no fragments go to the
 * member whose number, in the order of joining, is their destination port modulo `queues`, and all else
 * to the first one. The kernel's own hash has a secret, so no source port could be chosen by it; and
 * rollover would reorder. Where the kernel has no such group (before Linux 4.3) the driver's is made.
 */
void port_fanout_steer(uint16_t queues);

/** Are these sockets in a group of that kind, all of them? */
bool port_fanout_is_steered(const int *sockets, uint32_t count);

#endif
