/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_OUTPUT_H
#define SINK_OUTPUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sink_file.h"
#include "sink_io.h"
#include "sink_limits.h"
#include "sink_path.h"
#include "sink_uring.h"

/*
 * Large buffers on their way to one destination. Used by the writer thread only. Buffers come
 * from sink_output_buffer, are filled by the caller, and go back with sink_output_submit in the
 * order of their offsets; several can be under way. The first error is kept; from then on
 * submitted buffers are dropped.
 */

struct sink_buffer {
	uint8_t *data;
	uint64_t offset; /* in the file */
	uint32_t len; /* filled */
	uint32_t done; /* written */
	uint32_t index;
	bool direct; /* how the write under way goes out */
	uint64_t submitted_ns;
};

struct sink_output {
	/* Constant. */
	const struct sink_io_ops *io;
	struct sink_uring *uring; /* not open: pwrite */
	uint32_t buffer_bytes;
	uint32_t buffers_count;
	struct sink_buffer buffers[SINK_BUFFERS_MAX];
	/* Those not in use. */
	struct sink_buffer *free[SINK_BUFFERS_MAX];
	uint32_t free_count;
	/* The destination. */
	struct sink_path path;
	const _Atomic bool *give_up; /* a stream that takes nothing may be given up */
	enum sink_method method;
	bool by_uring; /* else pwrite */
	bool direct; /* writes go to path.fd_direct where alignment allows */
	uint32_t in_flight; /* writes that io_uring has */
	bool sized; /* blocks were preallocated: the end must be cut */
	uint64_t failed_at; /* the first byte not written; UINT64_MAX: no error */
	struct sink_file_info *info; /* counts and the first error go here */
};

/** Divides memory (buffers * buffer_bytes, page-aligned) into free buffers. */
void sink_output_init(struct sink_output *o, const struct sink_io_ops *io, struct sink_uring *uring,
	uint8_t *memory, uint32_t buffers, uint32_t buffer_bytes);

/** A destination; its descriptors become the output's. info stays the caller's until the end. */
void sink_output_begin(struct sink_output *o, const struct sink_path *path,
	const _Atomic bool *give_up, struct sink_file_info *info);

/** An empty buffer, or NULL while all are under way. */
struct sink_buffer *sink_output_buffer(struct sink_output *o);

/** Waits until a buffer is free; only when sink_output_buffer gave NULL. */
void sink_output_wait(struct sink_output *o);

/** Writes buffer->len bytes at buffer->offset. The buffer is the output's again. */
void sink_output_submit(struct sink_output *o, struct sink_buffer *b);

/** Takes what io_uring has finished, without waiting. */
void sink_output_poll(struct sink_output *o);

/** The file is going to be `length` bytes long: preallocate. */
void sink_output_expect(struct sink_output *o, uint64_t length);

/** Waits for all writes, cuts the file to what was written without a gap out of `total` bytes,
 *  syncs if asked, closes, and fills in info. 0 or the first error (-errno). */
int sink_output_end(struct sink_output *o, uint64_t total, bool sync);

/** The first error (-errno), 0 if there is none. */
static inline int
sink_output_error(const struct sink_output *o)
{
	return o->info->error;
}

/** The monotonic clock, ns. */
uint64_t sink_clock_ns(void);

#endif
