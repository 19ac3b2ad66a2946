/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <liburing.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sink_priv.h"
#include "sink_test.h"

#define MIB (UINT64_C(1) << 20)
#define TMPFS_BYTES (2 * MIB)

static char directory[SINK_TEST_PATH_MAX];

/* What the replaced system calls count; reset by each test, touched by the writer thread. */
static _Atomic uint32_t calls;

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
	char path[SINK_TEST_PATH_MAX];

	(void)state;
	/* Left behind by a test that failed half way. */
	(void)umount2(sink_test_path(directory, "small", path), MNT_DETACH);
	sink_test_directory_remove(directory);
	return 0;
}

static int
reset_calls(void **state)
{
	(void)state;
	atomic_store(&calls, 0);
	return 0;
}

static int
refuse_uring(unsigned int entries, struct io_uring *ring)
{
	(void)entries;
	(void)ring;
	return -ENOSYS;
}

/* One download of `bytes` to `name` with these calls. */
static void
run(const struct sink_io_ops *io, const char *name, const struct sink_test_feed *feed,
	struct sink_test_result *r)
{
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = sink_test_path(directory, name, path),
		.direct = true,
		.fsync = true,
		.digest = SINK_DIGEST_XXH3_128};
	struct sink *s = sink_test_create(io, 64);

	sink_test_run(s, &cfg, feed, r);
	sink_destroy(s);
}

static void
assert_exact(const char *name, const struct sink_test_feed *feed, const struct sink_test_result *r)
{
	char path[SINK_TEST_PATH_MAX];

	assert_int_equal(r->status, 1);
	assert_int_equal(r->info.error, 0);
	assert_null(r->info.error_call);
	sink_test_assert_file(sink_test_path(directory, name, path), feed->seed, feed->bytes);
}

/* Failed with error in call; the file holds the bytes that info tells, and no more. */
static void
assert_failed(const char *name, const struct sink_test_feed *feed, const struct sink_test_result *r,
	int error, const char *call)
{
	char path[SINK_TEST_PATH_MAX];

	assert_int_equal(r->status, error);
	assert_int_equal(r->info.error, error);
	assert_string_equal(r->info.error_call, call);
	assert_string_equal(r->info.digest_hex, "");
	assert_true(r->info.bytes_written <= feed->bytes);
	sink_test_assert_file(
		sink_test_path(directory, name, path), feed->seed, r->info.bytes_written);
}

static int32_t
shorten_result(int32_t result)
{
	static const int32_t lengths[] = {4096, 1000, 8192, 1, 12288};

	if (result <= 4096)
		return result;
	return lengths[atomic_fetch_add(&calls, 1) % 5];
}

static ssize_t
shorten_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	uint32_t n = atomic_fetch_add(&calls, 1);

	if (n % 4 == 1) {
		errno = EINTR;
		return -1;
	}
	if (len > 20000)
		len = n % 4 == 2 ? 777 : 16384;
	return pwrite(fd, data, len, offset);
}

static void
test_fault_short_writes_are_completed(void **state)
{
	const struct sink_test_feed feed = {.bytes = MIB + 5, .seed = 30, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_result = shorten_result;
	run(&io, "short-uring", &feed, &r);
	assert_exact("short-uring", &feed, &r);
	io.uring_init = refuse_uring;
	io.pwrite = shorten_pwrite;
	run(&io, "short-pwrite", &feed, &r);
	assert_exact("short-pwrite", &feed, &r);
	assert_true(atomic_load(&calls) > 0);
}

static int32_t
refuse_five_results(int32_t result)
{
	return atomic_fetch_add(&calls, 1) < 5 ? -EINVAL : result;
}

static int32_t
refuse_results(int32_t result)
{
	(void)result;
	return -EOPNOTSUPP;
}

static void
test_fault_refused_kinds_of_write_fall_back_to_simpler_ones(void **state)
{
	const struct sink_test_feed feed = {.bytes = MIB + 5, .seed = 31, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_result = refuse_five_results;
	run(&io, "refused", &feed, &r);
	assert_exact("refused", &feed, &r);
	io.uring_result = refuse_results;
	run(&io, "refused-all", &feed, &r);
	assert_exact("refused-all", &feed, &r);
	assert_int_equal(r.info.method, SINK_METHOD_PWRITE);
}

/* The fourth is refused for good, as by a ring whose descriptor is bad; others would pass. */
static int
refuse_fourth_submit(struct io_uring *ring)
{
	return atomic_fetch_add(&calls, 1) == 3 ? -EBADF : io_uring_submit(ring);
}

static _Atomic uint32_t shortened;

static int32_t
halve_result(int32_t result)
{
	return result > 8192 && atomic_fetch_add(&shortened, 1) % 2 == 0 ? 4096 : result;
}

static void
test_fault_ring_that_refuses_is_left_and_its_entry_never_goes(void **state)
{
	const struct sink_test_feed feed = {.bytes = 3 * MIB + 5, .seed = 42, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_submit = refuse_fourth_submit;
	io.uring_result = halve_result; /* so that rests are due after it */
	run(&io, "refused-ring", &feed, &r);
	assert_exact("refused-ring", &feed, &r);
	assert_int_equal(r.info.method, SINK_METHOD_PWRITE);
	assert_int_equal(atomic_load(&calls), 4);
}

static int32_t
fail_fourth_result(int32_t result)
{
	return atomic_fetch_add(&calls, 1) == 3 ? -EIO : result;
}

static ssize_t
fail_fourth_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (atomic_fetch_add(&calls, 1) != 3)
		return pwrite(fd, data, len, offset);
	errno = EIO;
	return -1;
}

static void
test_fault_write_error_keeps_the_bytes_before_it(void **state)
{
	const struct sink_test_feed feed = {.bytes = 2 * MIB, .seed = 32, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_result = fail_fourth_result;
	io.pwrite = fail_fourth_pwrite;
	run(&io, "eio", &feed, &r);
	assert_failed("eio", &feed, &r, -EIO, "write");
	atomic_store(&calls, 0);
	io.uring_init = refuse_uring;
	run(&io, "eio-pwrite", &feed, &r);
	assert_failed("eio-pwrite", &feed, &r, -EIO, "write");
	assert_int_equal(r.info.bytes_written, 3 * 65536);
}

static ssize_t
write_nothing(int fd, const void *data, size_t len, off_t offset)
{
	(void)fd;
	(void)data;
	(void)len;
	(void)offset;
	return 0;
}

static void
test_fault_write_of_nothing_ends_with_eio(void **state)
{
	const struct sink_test_feed feed = {.bytes = 100000, .seed = 33, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_init = refuse_uring;
	io.pwrite = write_nothing;
	run(&io, "nothing", &feed, &r);
	assert_failed("nothing", &feed, &r, -EIO, "write");
}

static void
test_fault_writes_after_an_error_complete_without_effect(void **state)
{
	const struct sink_test_feed feed = {.bytes = 4 * MIB, .seed = 34, .span_max = 9000};
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = sink_test_path(directory, "drain", path),
		.direct = true,
		.digest = SINK_DIGEST_SHA1};
	struct sink_io_ops io = sink_io_system;
	struct sink_file *f = NULL;
	struct sink_test_result r;
	struct sink *s;

	(void)state;
	io.uring_init = refuse_uring;
	io.pwrite = fail_fourth_pwrite;
	s = sink_test_create(&io, 64);
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	sink_test_drive(f, &feed, true, &r);
	sink_file_close(f);
	assert_int_equal(r.given, feed.bytes);
	assert_failed("drain", &feed, &r, -EIO, "write");
	/* The next file is none the worse. */
	sink_test_run(s, &cfg, &feed, &r);
	assert_exact("drain", &feed, &r);
	sink_destroy(s);
}

static ssize_t
slow_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	usleep(3000);
	return pwrite(fd, data, len, offset);
}

static void
test_fault_slow_disk_takes_away_the_room_and_drops_nothing(void **state)
{
	const struct sink_test_feed feed = {.bytes = 2 * MIB, .seed = 41, .span_max = 1448};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.uring_init = refuse_uring;
	io.pwrite = slow_pwrite;
	run(&io, "slow", &feed, &r);
	assert_exact("slow", &feed, &r);
	assert_true(r.room_min < 2);
	assert_int_equal(r.info.writes, 2 * MIB / 65536);
	assert_true(r.info.stall_ns >= 3 * NS_PER_MS * r.info.writes);
}

static int
fallocate_no_space(int fd, int mode, off_t offset, off_t len)
{
	(void)fd;
	(void)mode;
	(void)offset;
	(void)len;
	if (atomic_fetch_add(&calls, 1) == 0) {
		errno = EINTR;
		return -1;
	}
	errno = ENOSPC;
	return -1;
}

static int
fallocate_unsupported(int fd, int mode, off_t offset, off_t len)
{
	(void)fd;
	(void)mode;
	(void)offset;
	(void)len;
	atomic_fetch_add(&calls, 1);
	errno = EOPNOTSUPP;
	return -1;
}

static void
test_fault_preallocation_without_space_fails_before_the_first_byte(void **state)
{
	const struct sink_test_feed feed = {.bytes = 4 * MIB,
		.seed = 35,
		.span_max = 9000,
		.expect = true,
		.expect_length = 4 * MIB};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.fallocate = fallocate_no_space;
	run(&io, "no-space", &feed, &r);
	assert_failed("no-space", &feed, &r, -ENOSPC, "fallocate");
	assert_int_equal(r.info.bytes_written, 0);
	assert_true(r.stopped);
}

static void
test_fault_preallocation_that_is_not_supported_is_not_missed(void **state)
{
	const struct sink_test_feed feed = {
		.bytes = MIB, .seed = 36, .span_max = 9000, .expect = true, .expect_length = MIB};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.fallocate = fallocate_unsupported;
	run(&io, "no-fallocate", &feed, &r);
	assert_exact("no-fallocate", &feed, &r);
	assert_int_equal(atomic_load(&calls), 1);
}

static int
fail_fsync(int fd)
{
	(void)fd;
	errno = EIO;
	return -1;
}

static int
fail_ftruncate(int fd, off_t length)
{
	(void)fd;
	(void)length;
	errno = EIO;
	return -1;
}

static int
fail_close(int fd)
{
	close(fd);
	errno = EDQUOT;
	return -1;
}

static void
test_fault_errors_at_the_end_are_told_by_their_call(void **state)
{
	const struct sink_test_feed feed = {.bytes = 70000,
		.seed = 37,
		.span_max = 9000,
		.expect = true,
		.expect_length = 70000};
	struct sink_io_ops io = sink_io_system;
	struct sink_test_result r;

	(void)state;
	io.fsync = fail_fsync;
	run(&io, "fsync", &feed, &r);
	assert_failed("fsync", &feed, &r, -EIO, "fsync");
	assert_int_equal(r.info.bytes_written, feed.bytes);
	io = sink_io_system;
	io.close = fail_close;
	run(&io, "close", &feed, &r);
	assert_failed("close", &feed, &r, -EDQUOT, "close");
	io = sink_io_system;
	io.ftruncate = fail_ftruncate;
	run(&io, "ftruncate", &feed, &r);
	assert_failed("ftruncate", &feed, &r, -EIO, "ftruncate");
}

static void
test_fault_file_size_limit_is_efbig_and_no_signal(void **state)
{
	const struct sink_test_feed feed = {.bytes = MIB, .seed = 38, .span_max = 9000};
	struct sink_io_ops io = sink_io_system;
	struct rlimit before, limit;
	struct sink_test_result r, r_pwrite;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 300001, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	run(NULL, "limit", &feed, &r);
	io.uring_init = refuse_uring;
	run(&io, "limit-pwrite", &feed, &r_pwrite);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	/* Though later buffers may fail before the one that reaches the limit has been written. */
	assert_failed("limit", &feed, &r, -EFBIG, "write");
	assert_int_equal(r.info.bytes_written, 300001);
	assert_failed("limit-pwrite", &feed, &r_pwrite, -EFBIG, "write");
	assert_int_equal(r_pwrite.info.bytes_written, 300001);
}

/* false: the test cannot mount here. */
static bool
mount_small_tmpfs(char *path)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%llu", (unsigned long long)TMPFS_BYTES);
	sink_test_path(directory, "small", path);
	if (mkdir(path, 0700) == 0 && mount("tmpfs", path, "tmpfs", 0, options) == 0)
		return true;
	print_message("skipped: cannot mount a tmpfs (not root?)\n");
	rmdir(path);
	return false;
}

static void
unmount(const char *path)
{
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(rmdir(path), 0);
}

static void
check_full_disk(const struct sink_io_ops *io)
{
	const struct sink_test_feed feed = {.bytes = 5 * MIB, .seed = 39, .span_max = 9000};
	const struct sink_test_feed told = {.bytes = 5 * MIB,
		.seed = 40,
		.span_max = 9000,
		.expect = true,
		.expect_length = 5 * MIB};
	struct sink_test_result r;

	run(io, "small/full", &feed, &r);
	assert_failed("small/full", &feed, &r, -ENOSPC, "write");
	assert_true(r.info.bytes_written > TMPFS_BYTES / 2);
	run(io, "small/full", &told, &r);
	assert_failed("small/full", &told, &r, -ENOSPC, "fallocate");
	assert_int_equal(r.info.bytes_written, 0);
}

static void
test_fault_full_disk_keeps_an_exact_part(void **state)
{
	struct sink_io_ops io = sink_io_system;
	char path[SINK_TEST_PATH_MAX];

	(void)state;
	if (!mount_small_tmpfs(path))
		skip();
	check_full_disk(NULL);
	io.uring_init = refuse_uring;
	check_full_disk(&io);
	unmount(path);
}

static void
test_fault_read_only_file_system_is_erofs(void **state)
{
	char path[SINK_TEST_PATH_MAX], file[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {
		.path = sink_test_path(directory, "small/file", file), .create_dirs = true};
	struct sink_file *f = NULL;
	struct sink *s;

	(void)state;
	if (!mount_small_tmpfs(path))
		skip();
	assert_int_equal(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	s = sink_test_create(NULL, 64);
	assert_int_equal(sink_file_open(s, &cfg, &f), -EROFS);
	sink_destroy(s);
	unmount(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fault_short_writes_are_completed, reset_calls),
		cmocka_unit_test_setup(
			test_fault_refused_kinds_of_write_fall_back_to_simpler_ones, reset_calls),
		cmocka_unit_test_setup(
			test_fault_ring_that_refuses_is_left_and_its_entry_never_goes, reset_calls),
		cmocka_unit_test_setup(
			test_fault_write_error_keeps_the_bytes_before_it, reset_calls),
		cmocka_unit_test(test_fault_write_of_nothing_ends_with_eio),
		cmocka_unit_test_setup(
			test_fault_writes_after_an_error_complete_without_effect, reset_calls),
		cmocka_unit_test(test_fault_slow_disk_takes_away_the_room_and_drops_nothing),
		cmocka_unit_test_setup(
			test_fault_preallocation_without_space_fails_before_the_first_byte,
			reset_calls),
		cmocka_unit_test_setup(
			test_fault_preallocation_that_is_not_supported_is_not_missed, reset_calls),
		cmocka_unit_test(test_fault_errors_at_the_end_are_told_by_their_call),
		cmocka_unit_test(test_fault_file_size_limit_is_efbig_and_no_signal),
		cmocka_unit_test(test_fault_full_disk_keeps_an_exact_part),
		cmocka_unit_test(test_fault_read_only_file_system_is_erofs),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
