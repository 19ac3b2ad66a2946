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
	int writer_cpu; /* pin the thread there; -1: leave it to the scheduler */
	int numa_node; /* buffers' node; -1: any */
	uint32_t buffer_bytes; /* one write, a power of two, 64 KiB .. 16 MiB; 0: 1 MiB */
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

/** Starts the writer thread and allocates its memory. 0 and *ret; -ENOMEM; -errno of
 *  pthread_create. */
int sink_create(const struct sink_config *cfg, struct sink **ret);

/** Ends the thread (after open files have finished or failed) and frees everything. */
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

struct sink_file_config {
	const char *path; /* NULL: SINK_METHOD_DISCARD; "-": standard output */
	bool create_dirs; /* make missing parent directories (curl's --create-dirs) */
	bool fsync; /* before finish reports success */
	bool direct; /* try O_DIRECT (default true) */
	enum sink_digest digest;
};

/**
 * Opens (creates, truncates) a file for one download. Blocking; call before the transfer.
 * Only one file of a sink may be open at a time. 0 and *ret; -errno of open or mkdir; -EBUSY.
 * An existing file is truncated only now, so a bad URL or a dead server must be found out first
 * where the user expects the old file kept: open lazily, at the first body byte.
 */
int sink_file_open(struct sink *s, const struct sink_file_config *cfg, struct sink_file **ret);

/** What fetch uses; the file argument is the struct sink_file. */
extern const struct fetch_sink_ops sink_file_ops;

struct sink_file_info {
	enum sink_method method;
	uint64_t bytes_written; /* on the file, from its start without a gap */
	uint32_t writes; /* system writes */
	uint64_t write_ns_total; /* summed time of writes */
	uint64_t stall_ns; /* thread time spent waiting for the disk with data at hand */
	int error; /* 0 or -errno, the first one */
	const char *error_call; /* "write", "open", "fsync", "fallocate", "close" */
	char digest_hex[SINK_DIGEST_HEX_MAX]; /* after a finish with complete; else empty */
};

/** Valid after status is not 0. */
void sink_file_info(const struct sink_file *f, struct sink_file_info *ret);

/** Frees the handle; finish must have been carried out (status not 0). */
void sink_file_close(struct sink_file *f);

#endif
