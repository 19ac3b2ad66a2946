/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_IO_H
#define SINK_IO_H

#include <stdint.h>
#include <sys/types.h>

struct io_uring;

/*
 * The system calls that can fail for reasons that a test cannot bring about at will: short
 * writes, EIO, a kernel that forbids io_uring. The program uses sink_io_system; tests replace
 * single functions. Each but the last three behaves as the call of its name (-1 and errno).
 */
struct sink_io_ops {
	ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t offset);
	ssize_t (*write)(int fd, const void *data, size_t len);
	int (*fallocate)(int fd, int mode, off_t offset, off_t len);
	int (*ftruncate)(int fd, off_t length);
	int (*fsync)(int fd);
	int (*close)(int fd);
	/** io_uring_queue_init: 0 or -errno. */
	int (*uring_init)(unsigned int entries, struct io_uring *ring);
	/** io_uring_submit: how many entries, or -errno. */
	int (*uring_submit)(struct io_uring *ring);
	/** Sees a write's result (bytes or -errno, as in the CQE), returns what to believe. */
	int32_t (*uring_result)(int32_t result);
};

extern const struct sink_io_ops sink_io_system;

#endif
