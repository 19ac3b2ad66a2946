/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_CAPACITY_H
#define HOST_CAPACITY_H

#include <stdint.h>

#include "settings.h"

/** How much a host makes room for; all of it is allocated at the start. */
struct host_capacity {
	uint32_t connections; /* of the netstack, those that close included */
	uint32_t out_of_order; /* of them, that may hold data out of order at once; 0: all */
	uint16_t port_first, port_count; /* the local ports that they take */
	uint32_t window_bytes; /* the receive window of each, at most */
	uint32_t buffers_each; /* received buffers that one may hold */
	uint32_t buffers_held; /* that all together may hold */
	uint32_t frames_in_flight; /* full-sized ones that may arrive before the poll core looks */
	uint32_t snd_buffer_bytes; /* of each connection */
};

/** One transfer at a time: a large window and many buffers for it. */
struct host_capacity host_capacity_of_get(const struct settings *s);

/** One worker's part of s->connections at a time, among settings_queues(s) workers, which send at most request_bytes ahead each: the more there are, the
 *  smaller each one's window, so that all of it fits into memory and rings. */
struct host_capacity host_capacity_of_bench(const struct settings *s, uint32_t request_bytes);

#endif
