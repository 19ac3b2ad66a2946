/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_PATH_H
#define SINK_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "sink_file.h"

/** An opened destination. */
struct sink_path {
	int fd; /* -1: nothing to write to */
	int fd_direct; /* the same regular file with O_DIRECT; -1: the file system cannot */
	bool keep_open; /* fd is the process's standard output */
	bool regular; /* random access; else a stream */
	bool chunked; /* a stream that can block: wait for room, write small chunks */
	bool memory; /* tmpfs: preallocating would only touch every page twice */
};

/** Opens cfg->path (NULL and "-" too), creating and truncating. 0, or -errno of open, mkdir or
 *  fstat, with nothing left open. Never waits for a FIFO's reader: -EAGAIN as long as there is none,
 *  and only then. */
int sink_path_open(const struct sink_file_config *cfg, struct sink_path *ret);

/** Makes the missing directories that `path` lies in, mode 0750. 0 or -errno of mkdir. */
int sink_path_create_dirs(const char *path);

/** Bytes that there is still room for on fd's file system. 0 and *ret_bytes, or -errno. */
int sink_path_room(int fd, uint64_t *ret_bytes);

#endif
