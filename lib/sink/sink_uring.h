/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_URING_H
#define SINK_URING_H

#include <stdbool.h>
#include <stdint.h>

#include <liburing.h>
#include <sys/uio.h>

#include "sink_io.h"

/** An io_uring for writes only, from buffers and to files that are registered where possible.
 *  Used by one thread. */
struct sink_uring {
	struct io_uring ring;
	bool open;
	bool broken; /* a submission failed for good: nothing is submitted any more */
	bool buffers_registered;
	bool files_registered;
	int fds[2]; /* registered slots: 0 buffered, 1 direct */
	const struct sink_io_ops *io;
};

/** 0; or -errno where io_uring cannot be had (ENOSYS, EPERM, ENOMEM): u->open is false then. */
int sink_uring_open(struct sink_uring *u, const struct sink_io_ops *io, const struct iovec *buffers,
	uint32_t buffers_count);
void sink_uring_close(struct sink_uring *u);

/** Keeps the kernel's helper threads for blocking writes on `cpu`, away from the poll core. */
void sink_uring_pin(struct sink_uring *u, int cpu);

/** The file that writes go to; fd_direct may be -1. Both -1 at its end. */
void sink_uring_set_files(struct sink_uring *u, int fd, int fd_direct);

/** One write of a buffer's part. tag comes back with the result. */
struct sink_uring_write {
	const uint8_t *data;
	uint32_t len;
	uint64_t offset;
	uint32_t buffer; /* index among the buffers of sink_uring_open */
	bool direct; /* through fd_direct: data, len and offset are aligned */
	void *tag;
};

/** 0, or -errno of io_uring_enter: the kernel has not taken it. Its entry is still in the ring and would go with the
 *  next one, so that the ring is broken, and not to be submitted to again; what is under way is reaped as ever. */
int sink_uring_submit(struct sink_uring *u, const struct sink_uring_write *w);

/** Takes one result, waiting for it with `wait`. true: *ret_tag and *ret_result (bytes or
 *  -errno); false: there is none. With `wait` something must be under way. */
bool sink_uring_reap(struct sink_uring *u, bool wait, void **ret_tag, int32_t *ret_result);

#endif
