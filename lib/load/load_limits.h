/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_LIMITS_H
#define LOAD_LIMITS_H

#include "base_time.h"

/* After a connection could not be made it rests: a server that refuses is not flooded with SYNs. */
#define LOAD_RETRY_NS (100U * NS_PER_MS)

/* Connections opened in one poll: their SYN-ACKs, which come together, have to fit into the
 * receive ring (1,024 descriptors and more). */
#define LOAD_OPENS_PER_POLL 256U

/* Connections closed in one poll: each is answered by two frames, and a poll takes in 32. */
#define LOAD_CLOSES_PER_POLL 16U

#define LOAD_PARTS 64U /* received payloads taken at once */
#define LOAD_BATCH_BYTES 16384U /* requests sent at once; 64 of 256 bytes */

#define LOAD_RATE_MAX 1e9 /* requests a second: one a nanosecond, the clock's unit */

#endif
