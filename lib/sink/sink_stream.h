/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sink_io.h"

/** Something that takes bytes in order only: standard output, a pipe, a device. */
struct sink_stream {
	const struct sink_io_ops *io;
	int fd; /* may be non-blocking: it is shared with whoever started us */
	bool chunked; /* can block: wait for room, write small chunks */
	const _Atomic bool *give_up; /* once set, a stream that takes nothing is given up */
};

/**
 * Writes len bytes. 0, or -errno of write, or -ETIMEDOUT when given up. *done gains the bytes
 * written, *writes the system calls. SIGPIPE must be blocked in the calling thread.
 */
int sink_stream_write(const struct sink_stream *s, const uint8_t *data, uint32_t len,
	uint32_t *done, uint32_t *writes);

#endif
