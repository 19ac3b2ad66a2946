/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <liburing.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sink_priv.h"
#include "sink_test.h"

#define MIB (UINT64_C(1) << 20)

static char directory[SINK_TEST_PATH_MAX];

static int
make_directory(void **state)
{
	(void)state;
	sink_test_directory_make(directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	sink_test_directory_remove(directory);
	return 0;
}

static int
refuse_uring(unsigned int entries, struct io_uring *ring)
{
	(void)entries;
	(void)ring;
	return -EPERM;
}

static struct sink_io_ops
io_without_uring(void)
{
	struct sink_io_ops io = sink_io_system;

	io.uring_init = refuse_uring;
	return io;
}

static bool
uring_allowed(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(4, &ring, 0) < 0)
		return false;
	io_uring_queue_exit(&ring);
	return true;
}

static bool
direct_allowed(void)
{
	char path[SINK_TEST_PATH_MAX];
	int fd = open(sink_test_path(directory, "probe", path),
		O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Sizes around blocks, buffers (64 KiB here) and the ring of buffers (4 of them). */
static void
check_sizes(struct sink *s, bool direct, enum sink_method method)
{
	static const uint64_t sizes[] = {0, 1, 511, 4095, 4096, 4097, 65535, 65536, 65537, 69632,
		262144, 262145, MIB, 10 * MIB, 10 * MIB + 1234};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "sizes", path), .direct = direct};
	struct sink_test_result r;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct sink_test_feed feed = {.bytes = sizes[i],
			.seed = 1000 + i,
			.span_max = i % 2 == 0 ? 1448 : 70000,
			.expect = i % 3 != 0,
			.expect_length = sizes[i]};

		sink_test_run(s, &cfg, &feed, &r);
		assert_int_equal(r.status, 1);
		assert_int_equal(r.info.error, 0);
		assert_int_equal(r.info.method, method);
		assert_int_equal(r.info.bytes_written, sizes[i]);
		sink_test_assert_file(path, feed.seed, sizes[i]);
	}
}

static void
test_file_all_sizes_by_uring_direct_are_byte_exact(void **state)
{
	struct sink *s;

	(void)state;
	if (!uring_allowed() || !direct_allowed()) {
		print_message("skipped: no io_uring, or no O_DIRECT in %s\n", directory);
		skip();
	}
	s = sink_test_create(NULL, 256);
	check_sizes(s, true, SINK_METHOD_URING_DIRECT);
	sink_destroy(s);
}

static void
test_file_all_sizes_by_uring_buffered_are_byte_exact(void **state)
{
	struct sink *s;

	(void)state;
	if (!uring_allowed()) {
		print_message("skipped: io_uring is not allowed here\n");
		skip();
	}
	s = sink_test_create(NULL, 256);
	check_sizes(s, false, SINK_METHOD_URING_BUFFERED);
	sink_destroy(s);
}

static void
test_file_all_sizes_by_pwrite_are_byte_exact(void **state)
{
	const struct sink_io_ops io = io_without_uring();
	struct sink *s = sink_test_create(&io, 256);

	(void)state;
	check_sizes(s, true, SINK_METHOD_PWRITE);
	check_sizes(s, false, SINK_METHOD_PWRITE);
	sink_destroy(s);
}

static void
test_file_300_mib_with_default_settings_is_byte_exact(void **state)
{
	const struct sink_config defaults = {.writer_cpu = -1, .numa_node = 0};
	const struct sink_test_feed feed = {
		.bytes = 300 * MIB + 777, .seed = 5, .span_max = 131072};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "large", path), .direct = true};
	struct sink_test_result r;
	struct sink *s = NULL;

	(void)state;
	assert_int_equal(sink_create(&defaults, &s), 0);
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	sink_test_assert_file(path, feed.seed, feed.bytes);
	sink_destroy(s);
}

static void
test_file_tiny_ring_pushes_back_and_drops_nothing(void **state)
{
	const struct sink_test_feed feed = {.bytes = 2 * MIB + 1, .seed = 6, .span_max = 3000};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "tiny", path), .direct = true};
	struct sink *s = sink_test_create(NULL, 2);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	assert_int_equal(r.room_min, 0);
	sink_test_assert_file(path, feed.seed, feed.bytes);
	sink_destroy(s);
}

static void
test_file_expect_larger_than_the_body_leaves_no_extra_bytes_or_blocks(void **state)
{
	const struct sink_test_feed feed = {.bytes = 10000,
		.seed = 7,
		.span_max = 1448,
		.expect = true,
		.expect_length = 8 * MIB,
		.incomplete = true};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "larger", path), .direct = true};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;
	struct stat st;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	sink_test_assert_file(path, feed.seed, feed.bytes);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks * 512 < (blkcnt_t)MIB);
	sink_destroy(s);
}

/* A process that is killed must not leave a file that looks whole. */
static void
test_file_expect_reserves_blocks_but_no_length(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = sink_test_path(directory, "reserve", path)};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_file *f = NULL;
	struct stat st = {0};
	int tries;

	(void)state;
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	sink_file_ops.expect(f, 8 * MIB);
	for (tries = 0; tries < 1000 && st.st_blocks == 0; tries++) {
		usleep(1000);
		assert_int_equal(stat(path, &st), 0);
	}
	assert_int_equal(st.st_size, 0);
	sink_file_close(f);
	sink_destroy(s);
	if (st.st_blocks == 0) {
		print_message("skipped: %s does not preallocate\n", directory);
		skip();
	}
	assert_true(st.st_blocks * 512 >= (blkcnt_t)(8 * MIB));
}

static void
test_file_expect_smaller_than_the_body_keeps_the_whole_body(void **state)
{
	const struct sink_test_feed feed = {
		.bytes = MIB + 3, .seed = 8, .span_max = 9000, .expect = true, .expect_length = 10};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "smaller", path), .direct = true};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	sink_test_assert_file(path, feed.seed, feed.bytes);
	sink_destroy(s);
}

static void
test_file_finish_incomplete_keeps_what_came_and_gives_no_digest(void **state)
{
	const struct sink_test_feed feed = {
		.bytes = 70001, .seed = 9, .span_max = 1448, .incomplete = true};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = sink_test_path(directory, "part", path),
		.direct = true,
		.digest = SINK_DIGEST_SHA256};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	assert_string_equal(r.info.digest_hex, "");
	sink_test_assert_file(path, feed.seed, feed.bytes);
	sink_destroy(s);
}

static void
check_digest(struct sink *s, const char *path, enum sink_digest digest)
{
	const struct sink_file_config cfg = {
		.path = path, .direct = true, .fsync = true, .digest = digest};
	const struct sink_test_feed feed = {.bytes = 200001, .seed = 10, .span_max = 1448};
	char want[SINK_DIGEST_HEX_MAX];
	struct sink_hasher *h = NULL;
	struct sink_test_result r;
	uint8_t *all = malloc(feed.bytes);

	assert_non_null(all);
	sink_test_pattern(feed.seed, 0, all, (uint32_t)feed.bytes);
	assert_int_equal(sink_hasher_create(digest, &h), 0);
	sink_hasher_feed(h, all, feed.bytes);
	sink_hasher_final(h, want);
	sink_hasher_destroy(h);
	free(all);
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	assert_int_equal(r.info.bytes_written, feed.bytes);
	assert_string_equal(r.info.digest_hex, want);
	assert_true(strlen(want) >= 32);
}

static void
test_file_digest_equals_the_one_of_all_bytes_at_once(void **state)
{
	struct sink *s = sink_test_create(NULL, 64);
	char path[SINK_TEST_PATH_MAX];

	(void)state;
	sink_test_path(directory, "digest", path);
	check_digest(s, path, SINK_DIGEST_SHA256);
	check_digest(s, path, SINK_DIGEST_SHA512);
	check_digest(s, path, SINK_DIGEST_SHA1);
	check_digest(s, path, SINK_DIGEST_MD5);
	check_digest(s, path, SINK_DIGEST_XXH3_128);
	check_digest(s, NULL, SINK_DIGEST_SHA256);
	sink_destroy(s);
}

static void
test_file_without_a_path_counts_and_discards(void **state)
{
	const struct sink_test_feed feed = {.bytes = 5 * MIB, .seed = 11, .span_max = 9000};
	const struct sink_file_config cfg = {.path = NULL};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	assert_int_equal(r.info.method, SINK_METHOD_DISCARD);
	assert_int_equal(r.info.bytes_written, feed.bytes);
	assert_int_equal(r.info.writes, 0);
	sink_destroy(s);
}

static void
test_file_existing_longer_file_is_replaced(void **state)
{
	const struct sink_test_feed longer = {.bytes = MIB, .seed = 12, .span_max = 9000};
	const struct sink_test_feed shorter = {.bytes = 100, .seed = 13, .span_max = 9};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "again", path), .direct = true};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &longer, &r);
	sink_test_run(s, &cfg, &shorter, &r);
	assert_int_equal(r.status, 1);
	sink_test_assert_file(path, shorter.seed, shorter.bytes);
	sink_destroy(s);
}

static void
test_file_second_open_while_one_is_open_is_busy(void **state)
{
	const struct sink_file_config cfg = {.path = NULL};
	struct sink_file *first = NULL, *second = NULL;
	struct sink *s = sink_test_create(NULL, 64);

	(void)state;
	assert_int_equal(sink_file_open(s, &cfg, &first), 0);
	assert_int_equal(sink_file_open(s, &cfg, &second), -EBUSY);
	assert_null(second);
	sink_file_close(first);
	assert_int_equal(sink_file_open(s, &cfg, &second), 0);
	sink_file_close(second);
	sink_destroy(s);
}

static void
test_file_destroy_with_an_open_file_keeps_what_was_written(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "open", path), .direct = true};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_file *f = NULL;
	struct sink_write w = {.len = 5000};
	uint8_t data[5000];

	(void)state;
	sink_test_pattern(14, 0, data, sizeof(data));
	w.data = data;
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	sink_file_ops.write(f, &w);
	sink_destroy(s);
	sink_test_assert_file(path, 14, sizeof(data));
}

static void
test_file_write_without_bytes_only_completes(void **state)
{
	const struct sink_file_config cfg = {.path = NULL};
	const struct sink_write w = {.credit_bytes = 7, .credit_parts = 1};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_completion done = {0};
	struct sink_file *f = NULL;

	(void)state;
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	sink_file_ops.write(f, &w);
	while (sink_file_ops.completions(f, &done, 1) == 0)
		usleep(20);
	assert_int_equal(done.credit_bytes, 7);
	assert_null(done.owner);
	assert_int_equal(sink_file_ops.status(f), 0);
	sink_file_ops.finish(f, true);
	while (sink_file_ops.status(f) == 0)
		usleep(20);
	assert_int_equal(sink_file_ops.write_room(f), 0);
	sink_file_close(f);
	sink_destroy(s);
}

static uint64_t
cpu_ns(clockid_t clock)
{
	struct timespec t;

	assert_int_equal(clock_gettime(clock, &t), 0);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static void
test_file_idle_thread_sleeps_and_a_write_wakes_it(void **state)
{
	const struct sink_file_config cfg = {.path = NULL};
	const struct sink_write w = {.credit_parts = 1};
	struct sink *s = sink_test_create(NULL, 4096);
	struct sink_completion done;
	struct sink_file *f = NULL;
	clockid_t thread_clock;
	uint64_t start_ns;

	(void)state;
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	assert_int_equal(pthread_getcpuclockid(s->thread, &thread_clock), 0);
	usleep(50000);
	start_ns = cpu_ns(thread_clock);
	usleep(300000);
	assert_true(cpu_ns(thread_clock) - start_ns < 3 * NS_PER_MS);
	sink_file_ops.write(f, &w);
	start_ns = cpu_ns(CLOCK_MONOTONIC);
	while (sink_file_ops.completions(f, &done, 1) == 0)
		usleep(20);
	assert_true(cpu_ns(CLOCK_MONOTONIC) - start_ns < NS_PER_SEC);
	sink_file_close(f);
	sink_destroy(s);
}

static void
test_file_names_of_methods_are_distinct(void **state)
{
	int i;

	(void)state;
	for (i = SINK_METHOD_URING_DIRECT; i < SINK_METHOD_DISCARD; i++)
		assert_string_not_equal(sink_method_name((enum sink_method)i),
			sink_method_name((enum sink_method)(i + 1)));
}

static void
test_create_values_out_of_range_are_refused(void **state)
{
	const struct sink_config bad[] = {
		{.writer_cpu = -1, .buffer_bytes = 4096},
		{.writer_cpu = -1, .buffer_bytes = 100000},
		{.writer_cpu = -1, .buffers = 1},
		{.writer_cpu = -1, .buffers = 65},
		{.writer_cpu = -1, .ring_entries = 3},
		{.writer_cpu = 1 << 20},
		{.writer_cpu = CPU_SETSIZE - 1},
	};
	struct sink *s = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sink_create(&bad[i], &s), -EINVAL);
	assert_null(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_all_sizes_by_uring_direct_are_byte_exact),
		cmocka_unit_test(test_file_all_sizes_by_uring_buffered_are_byte_exact),
		cmocka_unit_test(test_file_all_sizes_by_pwrite_are_byte_exact),
		cmocka_unit_test(test_file_300_mib_with_default_settings_is_byte_exact),
		cmocka_unit_test(test_file_tiny_ring_pushes_back_and_drops_nothing),
		cmocka_unit_test(
			test_file_expect_larger_than_the_body_leaves_no_extra_bytes_or_blocks),
		cmocka_unit_test(test_file_expect_reserves_blocks_but_no_length),
		cmocka_unit_test(test_file_expect_smaller_than_the_body_keeps_the_whole_body),
		cmocka_unit_test(test_file_finish_incomplete_keeps_what_came_and_gives_no_digest),
		cmocka_unit_test(test_file_digest_equals_the_one_of_all_bytes_at_once),
		cmocka_unit_test(test_file_without_a_path_counts_and_discards),
		cmocka_unit_test(test_file_existing_longer_file_is_replaced),
		cmocka_unit_test(test_file_second_open_while_one_is_open_is_busy),
		cmocka_unit_test(test_file_destroy_with_an_open_file_keeps_what_was_written),
		cmocka_unit_test(test_file_write_without_bytes_only_completes),
		cmocka_unit_test(test_file_idle_thread_sleeps_and_a_write_wakes_it),
		cmocka_unit_test(test_file_names_of_methods_are_distinct),
		cmocka_unit_test(test_create_values_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
