/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_TEST_H
#define SINK_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "sink_file.h"
#include "sink_io.h"
#include "test_buffer.h"

/*
 * Drives a sink as a poll core does: spans of random sizes, each in its own malloc block that is
 * freed when its completion comes, so that ASan sees a read after completion.
 */

#define SINK_TEST_PATH_MAX 256U

/** The test's bytes at [offset, offset + len) of a file made from seed. */
void sink_test_pattern(uint64_t seed, uint64_t offset, uint8_t *ret, uint32_t len);

struct sink_test_feed {
	uint64_t bytes; /* to write */
	uint64_t seed;
	uint32_t span_max; /* spans are 1 .. span_max bytes long */
	bool expect; /* announce expect_length before */
	uint64_t expect_length;
	bool incomplete; /* finish(false) */
};

struct sink_test_result {
	int status; /* what finish came to */
	bool stopped; /* an error was seen before all was written */
	uint64_t given; /* bytes handed to the sink */
	uint64_t credit_bytes, credit_parts; /* sums of the completions */
	uint64_t writes, completions;
	uint32_t room_min; /* the least write_room seen */
	struct test_buffers buffers; /* live is 0 after a correct run */
	struct sink_file_info info;
};

/** Opens, feeds, finishes, closes. The open must succeed. */
void sink_test_run(struct sink *s, const struct sink_file_config *cfg,
	const struct sink_test_feed *feed, struct sink_test_result *ret);

/** As sink_test_run without the open; with `keep_feeding` also after an error. */
void sink_test_drive(struct sink_file *f, const struct sink_test_feed *feed, bool keep_feeding,
	struct sink_test_result *ret);

/** Asserts that the file holds exactly the first `bytes` of the pattern. */
void sink_test_assert_file(const char *path, uint64_t seed, uint64_t bytes);

/** A sink with 64 KiB buffers and a small ring, and these system calls (NULL: the real ones). */
struct sink *sink_test_create(const struct sink_io_ops *io, uint32_t ring_entries);

/** A new directory on a disk (TMPDIR, or /var/tmp), and its end with all in it. */
void sink_test_directory_make(char ret[SINK_TEST_PATH_MAX]);
void sink_test_directory_remove(const char *directory);

/** directory/name */
const char *sink_test_path(const char *directory, const char *name, char ret[SINK_TEST_PATH_MAX]);

#endif
