/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_TRACE_H
#define COMPARE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The first TCP segments that pass an interface, as a packet socket sees them: so both stacks are
 * looked at from the same place.
 */

#define COMPARE_TRACE_SEGMENTS 400U

struct compare_segment {
	uint64_t time_ns; /* since the first one */
	bool from_server;
	uint8_t flags; /* TCP_FLAG_* */
	uint32_t offset; /* from the server: of its first byte in the stream; else: what it
			  * acknowledges, as an offset in the server's stream */
	uint32_t len; /* payload bytes */
};

struct compare_trace {
	uint32_t count;
	struct compare_segment segment[COMPARE_TRACE_SEGMENTS];
};

/** Opens a packet socket that keeps the headers of what passes this interface. A file
 *  descriptor, or -errno. */
int compare_trace_open(const char *interface);

/** What it kept of the first connection; closes fd. Allocated, the caller's to free; NULL: nothing, or
 *  out of memory. */
struct compare_trace *compare_trace_close(int fd, uint16_t server_port);

#endif
