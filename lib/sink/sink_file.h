/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_FILE_H
#define SINK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch_sink.h"

/*
 * Files, written by one writer thread. The poll core puts writes on an SPSC ring and takes
 * completions from another; the thread copies into large aligned buffers (hugepages where there
 * are any, registered with io_uring), digests, and writes with io_uring: O_DIRECT where the file
 * system can, buffered otherwise, pwrite where io_uring is not to be had.
 */

struct sink_config {
	int writer_cpu; /* pin the thread there; -1: wherever the calling thread may run */
	int numa_node; /* buffers' node; -1: any */
	uint32_t buffer_bytes; /* one write, a power of two, 64 KiB .. 16 MiB; 0: 8 MiB */
	uint32_t buffers; /* 2 .. 64; 0: 8 */
	uint32_t ring_entries; /* writes under way to the thread, a power of two; 0: 4096 */
};

struct sink;
struct sink_file;

/** How the last file was written, for reports. */
enum sink_method {
	SINK_METHOD_URING_DIRECT,
	SINK_METHOD_URING_BUFFERED,
	SINK_METHOD_PWRITE,
	SINK_METHOD_STREAM, /* stdout, a pipe or a device: sequential write() */
	SINK_METHOD_DISCARD, /* no file: counted, digested if asked, thrown away */
};
const char *sink_method_name(enum sink_method method);

/** Starts the writer thread and allocates its memory. 0 and *ret; -ENOMEM; -EINVAL (a value out of
 *  range, or no such CPU); -errno of pthread_create. The thread blocks all signals. */
int sink_create(const struct sink_config *cfg, struct sink **ret);

/** Ends the thread and frees everything. A file still open ends as with finish(false) and its
 *  handle becomes invalid; owners whose completions were not taken are lost. */
void sink_destroy(struct sink *s);

enum sink_digest {
	SINK_DIGEST_NONE,
	SINK_DIGEST_SHA256,
	SINK_DIGEST_SHA512,
	SINK_DIGEST_SHA1,
	SINK_DIGEST_MD5,
	SINK_DIGEST_XXH3_128,
};
#define SINK_DIGEST_HEX_MAX 129U

/** "sha-256" and so on (names as in RFC 9530, case-insensitive, with or without '-').
 *  0, or -EINVAL. */
int sink_digest_parse(const char *name, enum sink_digest *ret);
const char *sink_digest_name(enum sink_digest digest);
uint32_t sink_digest_hex_len(enum sink_digest digest); /* digits of its value in hexadecimal */

struct sink_file_config {
	const char *path; /* NULL: SINK_METHOD_DISCARD; "-": standard output */
	bool create_dirs; /* make missing parent directories (curl's --create-dirs) */
	bool fsync; /* before finish reports success */
	bool direct; /* O_DIRECT where the file system can; the normal case is true */
	enum sink_digest digest;
};

/**
 * Opens (creates, truncates) a file for one download. Blocks for as long as open(2) does, but
 * for a FIFO without a reader: -EAGAIN, try again. Only one file of a sink may be open at a time. 0
 * and *ret; -errno of open or mkdir; -EBUSY; -ENOMEM; -ENOTSUP (the digest is forbidden by OpenSSL's settings).
 * May be called from another thread than the poll core's, as long as the two do not overlap.
 * An existing file is truncated only now, so a bad URL or a dead server must be found out first
 * where the user expects the old file kept: open lazily, at the first body byte.
 */
int sink_file_open(struct sink *s, const struct sink_file_config *cfg, struct sink_file **ret);

/**
 * What fetch uses; the file argument is the struct sink_file. The thread is woken for writes by
 * the next call of completions or status, so that a wake costs the poll core at most one system
 * call an iteration: call completions in every iteration.
 */
extern const struct fetch_sink_ops sink_file_ops;

struct sink_file_info {
	enum sink_method method;
	uint64_t bytes_written; /* in the file, from its start without a gap: its size */
	uint32_t writes; /* system writes */
	uint64_t write_ns_total; /* summed time of writes, several of which may overlap */
	uint64_t stall_ns; /* thread time spent waiting for the disk with data at hand */
	int error; /* 0 or -errno, the first one */
	const char
		*error_call; /* "write", "fsync", "fallocate", "ftruncate", "close", ...; or NULL */
	char digest_hex[SINK_DIGEST_HEX_MAX]; /* after a finish with complete; else empty */
};

/** Valid after status is not 0. */
void sink_file_info(const struct sink_file *f, struct sink_file_info *ret);

/** Frees the handle. After status has become 1, or not 0 after finish, it does not block and
 *  nothing is lost. Earlier, it ends the file as finish(false) does, waits for that, and drops the
 *  completions not taken. */
void sink_file_close(struct sink_file *f);

#endif
