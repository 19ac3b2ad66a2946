/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_PRIV_H
#define SINK_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sink_digest.h"
#include "sink_file.h"
#include "sink_io.h"
#include "sink_memory.h"
#include "sink_output.h"
#include "sink_ring.h"
#include "sink_wake.h"

/* What the poll core tells the writer thread, in order. */
enum sink_command_type {
	SINK_COMMAND_OPEN,
	SINK_COMMAND_EXPECT,
	SINK_COMMAND_WRITE,
	SINK_COMMAND_FINISH,
	SINK_COMMAND_QUIT,
};

struct sink_command {
	enum sink_command_type type;
	bool complete; /* FINISH */
	uint64_t length; /* EXPECT */
	struct sink_write write; /* WRITE */
};

/* One file. Members belong to one side each; what crosses over does so through the rings and the
 * atomics (release on the thread's side, acquire on the poll core's). */
struct sink_file {
	struct sink *sink;
	/* Set by open, then the thread's. */
	struct sink_path path;
	struct sink_hasher *hasher;
	bool sync;
	struct sink_file_info info; /* readable once status is not 0 */
	/* The poll core's. */
	bool in_use;
	bool finish_sent;
	bool unkicked; /* something was published since the last kick */
	uint64_t next_offset;
	uint32_t outstanding; /* writes whose completions have not been taken */
	/* Shared. */
	_Atomic int status; /* 0 under way, 1 written, -errno */
	_Atomic bool finished; /* the thread has carried out FINISH and forgets the file */
	_Atomic bool give_up; /* the download was given up: no waiting for a stream's reader */
};

/* The thread's own. */
struct sink_writer {
	struct sink_file *file; /* NULL: none is open */
	struct sink_output output;
	struct sink_uring uring;
	struct sink_buffer *fill; /* being filled; NULL: none yet */
	uint32_t digested; /* of fill->len */
	uint64_t taken; /* bytes of the file so far */
	bool copies; /* somebody wants to see the bytes */
	bool failed; /* the file ended with an error: writes complete without effect */
	bool quit;
	uint32_t naps; /* in a row that brought nothing */
};

struct sink {
	struct sink_ring commands;
	struct sink_ring completions;
	struct sink_wake wake;
	/* Constant. */
	const struct sink_io_ops *io;
	uint32_t ring_entries;
	uint32_t buffers;
	uint32_t buffer_bytes;
	int writer_cpu;
	struct sink_memory memory;
	pthread_t thread;
	struct sink_file file;
	struct sink_writer writer;
};

/** sink_create with other system calls, for tests; *io must outlive the sink. */
int sink_create_with(
	const struct sink_config *cfg, const struct sink_io_ops *io, struct sink **ret);

/** The writer thread's main function; arg is the struct sink. */
void *sink_writer_main(void *arg);

#endif
