/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LWIP_H
#define SIM_LWIP_H

#include "sim_server.h"

/*
 * lwIP as the server: a TCP that we did not write, as Debian packages it (liblwip), so that two
 * implementations meet on the bad cable. It runs in virtual time and without a thread of its own:
 * only its raw API is used, its timers are asked by us, and sim_lwip.c defines sys_now(), which the
 * library calls through its PLT.
 *
 * Debian's build has NewReno without partial ACKs, a clock of 500 ms for retransmissions (the first
 * RTO is 3 s), 64 KiB of send buffer and of window, window scaling, a queue for out-of-order data;
 * no timestamps, SACK or ECN. Of struct sim_peer_config it heeds mss (by its interface's MTU), iss,
 * small_segments, fin_alone, keep_alive, think_ns and chunk_max.
 *
 * lwIP's state is global and cannot be reset: one run a process (sim_apart.h).
 */

/** NULL where the program was built without liblwip. */
const struct sim_server_ops *sim_lwip_server(void);

#endif
