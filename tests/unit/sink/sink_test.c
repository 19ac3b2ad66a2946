/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "sink_priv.h"
#include "sink_test.h"

#define COMPLETIONS_MAX 64U
#define IDLE_LIMIT_NS (60 * NS_PER_SEC) /* of no progress at all: the sink hangs */

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void
sink_test_pattern(uint64_t seed, uint64_t offset, uint8_t *ret, uint32_t len)
{
	uint32_t i = 0, skip, part;
	uint64_t word;

	while (i < len) {
		word = mix(seed + ((offset + i) >> 3));
		skip = (uint32_t)((offset + i) & 7);
		part = 8 - skip < len - i ? 8 - skip : len - i;
		memcpy(ret + i, (const uint8_t *)&word + skip, part);
		i += part;
	}
}

static uint32_t
take_completions(struct sink_file *f, struct sink_test_result *r)
{
	struct sink_completion done[COMPLETIONS_MAX];
	uint32_t n = sink_file_ops.completions(f, done, COMPLETIONS_MAX), i;

	for (i = 0; i < n; i++) {
		r->credit_bytes += done[i].credit_bytes;
		r->credit_parts += done[i].credit_parts;
		if (done[i].owner != NULL)
			test_buffer_release(&r->buffers, done[i].owner);
	}
	r->completions += n;
	return n;
}

/* Every third buffer is given in two writes, of which only the second carries the owner. */
static void
write_span(struct sink_file *f, const struct payload *p, uint32_t split, uint64_t offset,
	struct sink_test_result *r)
{
	struct sink_write w = {.offset = offset, .data = p->data, .len = split};

	if (split > 0) {
		sink_file_ops.write(f, &w);
		r->writes++;
	}
	w = (struct sink_write){.offset = offset + split,
		.data = p->len > split ? p->data + split : NULL,
		.len = p->len - split,
		.credit_bytes = p->len,
		.credit_parts = 1,
		.owner = p->owner};
	sink_file_ops.write(f, &w);
	r->writes++;
	r->given += p->len;
}

static void
feed_one(struct sink_file *f, const struct sink_test_feed *feed, uint64_t *random,
	struct sink_test_result *r)
{
	uint64_t rest = feed->bytes - r->given;
	uint32_t len, split = 0;
	struct payload p;
	uint8_t *data;

	*random = mix(*random);
	len = 1 + (uint32_t)(*random % feed->span_max);
	if (len > rest)
		len = (uint32_t)rest;
	data = malloc(len);
	assert_non_null(data);
	sink_test_pattern(feed->seed, r->given, data, len);
	p = test_buffer_make(&r->buffers, data, len);
	free(data);
	if (*random >> 62 == 0)
		split = (uint32_t)((*random >> 32) % len);
	write_span(f, &p, split, r->given, r);
}

static bool
feed_some(struct sink_file *f, const struct sink_test_feed *feed, uint64_t *random,
	struct sink_test_result *r)
{
	bool progress = false;
	uint32_t room;

	while (r->given < feed->bytes) {
		room = sink_file_ops.write_room(f);
		if (room < r->room_min)
			r->room_min = room;
		if (room < 2)
			break;
		feed_one(f, feed, random, r);
		progress = true;
	}
	return progress;
}

static void
wait_for_progress(bool progress, uint64_t *idle_since_ns)
{
	const struct timespec pause = {.tv_nsec = 20000};
	uint64_t now_ns = sink_clock_ns();

	if (progress) {
		*idle_since_ns = now_ns;
		return;
	}
	assert_true(now_ns - *idle_since_ns < IDLE_LIMIT_NS);
	nanosleep(&pause, NULL);
}

void
sink_test_drive(struct sink_file *f, const struct sink_test_feed *feed, bool keep_feeding,
	struct sink_test_result *ret)
{
	uint64_t random = feed->seed, idle_since_ns = sink_clock_ns();
	bool progress;

	*ret = (struct sink_test_result){.room_min = UINT32_MAX};
	if (feed->expect)
		sink_file_ops.expect(f, feed->expect_length);
	while (ret->given < feed->bytes && (keep_feeding || !ret->stopped)) {
		progress = feed_some(f, feed, &random, ret);
		progress = take_completions(f, ret) > 0 || progress;
		ret->stopped = sink_file_ops.status(f) < 0;
		wait_for_progress(progress, &idle_since_ns);
	}
	sink_file_ops.finish(f, !feed->incomplete);
	while ((ret->status = sink_file_ops.status(f)) == 0)
		wait_for_progress(take_completions(f, ret) > 0, &idle_since_ns);
	sink_file_info(f, &ret->info);
	assert_int_equal(ret->completions, ret->writes);
	assert_int_equal(ret->credit_bytes, ret->given);
	assert_int_equal(ret->credit_parts, ret->buffers.made);
	assert_int_equal(test_buffers_live(&ret->buffers), 0);
}

void
sink_test_run(struct sink *s, const struct sink_file_config *cfg, const struct sink_test_feed *feed,
	struct sink_test_result *ret)
{
	struct sink_file *f = NULL;

	assert_int_equal(sink_file_open(s, cfg, &f), 0);
	sink_test_drive(f, feed, false, ret);
	sink_file_close(f);
}

void
sink_test_assert_file(const char *path, uint64_t seed, uint64_t bytes)
{
	static uint8_t want[1 << 16], got[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t at = 0;
	struct stat st;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, bytes);
	while ((n = read(fd, got, sizeof(got))) > 0) {
		sink_test_pattern(seed, at, want, (uint32_t)n);
		assert_int_equal(memcmp(got, want, (size_t)n), 0);
		at += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, bytes);
	close(fd);
}

struct sink *
sink_test_create(const struct sink_io_ops *io, uint32_t ring_entries)
{
	const struct sink_config cfg = {.writer_cpu = -1,
		.numa_node = -1,
		.buffer_bytes = 1 << 16,
		.buffers = 4,
		.ring_entries = ring_entries};
	struct sink *s = NULL;

	assert_int_equal(sink_create_with(&cfg, io != NULL ? io : &sink_io_system, &s), 0);
	return s;
}

void
sink_test_directory_make(char ret[SINK_TEST_PATH_MAX])
{
	const char *top = getenv("TMPDIR");

	(void)snprintf(
		ret, SINK_TEST_PATH_MAX, "%s/dpfetch-sink-XXXXXX", top != NULL ? top : "/var/tmp");
	assert_non_null(mkdtemp(ret));
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
sink_test_directory_remove(const char *directory)
{
	assert_int_equal(nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *
sink_test_path(const char *directory, const char *name, char ret[SINK_TEST_PATH_MAX])
{
	int len = snprintf(ret, SINK_TEST_PATH_MAX, "%s/%s", directory, name);

	assert_true(len > 0 && len < (int)SINK_TEST_PATH_MAX);
	return ret;
}
