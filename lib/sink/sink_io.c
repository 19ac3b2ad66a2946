/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <unistd.h>

#include <liburing.h>

#include "sink_io.h"

static int
uring_init(unsigned int entries, struct io_uring *ring)
{
	return io_uring_queue_init(entries, ring, 0);
}

static int
uring_submit(struct io_uring *ring)
{
	return io_uring_submit(ring);
}

static int32_t
uring_result(int32_t result)
{
	return result;
}

const struct sink_io_ops sink_io_system = {
	.pwrite = pwrite,
	.write = write,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.fsync = fsync,
	.close = close,
	.uring_init = uring_init,
	.uring_submit = uring_submit,
	.uring_result = uring_result,
};
