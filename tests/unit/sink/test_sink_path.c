/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "sink_path.h"
#include "sink_test.h"

#define NOBODY 65534

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
open_path(const char *path, bool create_dirs)
{
	const struct sink_file_config cfg = {
		.path = path, .create_dirs = create_dirs, .direct = true};
	struct sink_path p = {.fd = -1, .fd_direct = -1};
	int rc = sink_path_open(&cfg, &p);

	if (rc < 0)
		assert_int_equal(p.fd, -1);
	if (p.fd_direct >= 0)
		close(p.fd_direct);
	if (p.fd >= 0 && !p.keep_open)
		close(p.fd);
	return rc;
}

static int
open_name(const char *name, bool create_dirs)
{
	char path[SINK_TEST_PATH_MAX];

	return open_path(sink_test_path(directory, name, path), create_dirs);
}

static void
test_path_missing_directory_is_enoent(void **state)
{
	(void)state;
	assert_int_equal(open_name("no/file", false), -ENOENT);
	assert_int_equal(open_path("", false), -ENOENT);
	assert_int_equal(open_path("", true), -ENOENT);
}

/* Waiting for a reader is the caller's, who can be told to stop. */
static void
test_path_fifo_without_reader_is_eagain_and_with_one_a_blocking_stream(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = path};
	struct sink_path p;
	int reader;

	(void)state;
	assert_int_equal(mkfifo(sink_test_path(directory, "unread", path), 0600), 0);
	assert_int_equal(open_path(path, false), -EAGAIN);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(sink_path_open(&cfg, &p), 0);
	assert_false(p.regular);
	assert_int_equal(fcntl(p.fd, F_GETFL) & O_NONBLOCK, 0);
	close(p.fd);
	close(reader);
}

static void
test_path_directory_is_eisdir(void **state)
{
	(void)state;
	assert_int_equal(open_path(directory, false), -EISDIR);
}

static void
test_path_below_a_file_is_enotdir(void **state)
{
	(void)state;
	assert_int_equal(open_name("plain", false), 0);
	assert_int_equal(open_name("plain/file", false), -ENOTDIR);
	assert_int_equal(open_name("plain/a/file", true), -ENOTDIR);
}

static void
test_path_too_long_name_is_enametoolong(void **state)
{
	char name[512];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(open_path(name, false), -ENAMETOOLONG);
}

/* Root may write everywhere: as root, be somebody else for the attempt. */
static void
test_path_without_permission_is_eacces(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	int rc, rc_dirs;

	(void)state;
	assert_int_equal(mkdir(sink_test_path(directory, "locked", path), 0555), 0);
	assert_int_equal(chmod(directory, 0755), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	rc = open_name("locked/file", false);
	rc_dirs = open_name("locked/a/file", true);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -EACCES);
	assert_int_equal(rc_dirs, -EACCES);
}

static void
test_path_create_dirs_makes_all_that_is_missing(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	assert_int_equal(open_name("a/b//c/file", true), 0);
	assert_int_equal(open_name("a/b/c/file", true), 0);
	umask(mask);
	assert_int_equal(stat(sink_test_path(directory, "a/b/c", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(stat(sink_test_path(directory, "a/b/c/file", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void
test_path_create_dirs_relative_and_absolute_names_without_directories(void **state)
{
	(void)state;
	assert_int_equal(sink_path_create_dirs("file"), 0);
	assert_int_equal(sink_path_create_dirs("/file"), 0);
	assert_int_equal(sink_path_create_dirs("/"), 0);
	assert_int_equal(sink_path_create_dirs("./file"), 0);
}

static void
assert_kind(const char *path, bool regular, bool chunked)
{
	const struct sink_file_config cfg = {.path = path};
	struct sink_path p;

	assert_int_equal(sink_path_open(&cfg, &p), 0);
	assert_int_equal(p.regular, regular);
	assert_int_equal(p.chunked, chunked);
	assert_int_equal(p.fd_direct, -1);
	assert_false(p.keep_open);
	close(p.fd);
}

static void
test_path_kinds_are_told_apart(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	int reader;

	(void)state;
	assert_kind(sink_test_path(directory, "kind", path), true, false);
	assert_kind("/dev/null", false, false);
	assert_kind("/dev/full", false, true);
	sink_test_path(directory, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_kind(path, false, true);
	close(reader);
}

static void
test_path_closed_standard_output_is_ebadf(void **state)
{
	int saved = dup(STDOUT_FILENO), rc;

	(void)state;
	assert_true(saved >= 0);
	close(STDOUT_FILENO);
	rc = open_path("-", false);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	assert_int_equal(rc, -EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_missing_directory_is_enoent),
		cmocka_unit_test(
			test_path_fifo_without_reader_is_eagain_and_with_one_a_blocking_stream),
		cmocka_unit_test(test_path_directory_is_eisdir),
		cmocka_unit_test(test_path_below_a_file_is_enotdir),
		cmocka_unit_test(test_path_too_long_name_is_enametoolong),
		cmocka_unit_test(test_path_without_permission_is_eacces),
		cmocka_unit_test(test_path_create_dirs_makes_all_that_is_missing),
		cmocka_unit_test(
			test_path_create_dirs_relative_and_absolute_names_without_directories),
		cmocka_unit_test(test_path_kinds_are_told_apart),
		cmocka_unit_test(test_path_closed_standard_output_is_ebadf),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
