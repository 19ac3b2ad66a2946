/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Somebody who reads a pipe and compares. */
struct reader {
	int fd;
	uint64_t seed;
	uint64_t bytes;
	bool same;
	pthread_t thread;
};

static void *
read_all(void *arg)
{
	struct reader *r = arg;
	uint8_t got[5000], want[5000];
	ssize_t n;

	r->same = true;
	while ((n = read(r->fd, got, sizeof(got))) > 0) {
		sink_test_pattern(r->seed, r->bytes, want, (uint32_t)n);
		r->same = r->same && memcmp(got, want, (size_t)n) == 0;
		r->bytes += (uint64_t)n;
	}
	close(r->fd);
	return NULL;
}

/* Runs a download to standard output, which is `fd` meanwhile. fd is closed. */
static void
run_to_stdout(struct sink *s, int fd, const struct sink_test_feed *feed, struct sink_test_result *r)
{
	const struct sink_file_config cfg = {.path = "-"};
	int saved = dup(STDOUT_FILENO);

	assert_true(saved >= 0 && fflush(stdout) == 0);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
	sink_test_run(s, &cfg, feed, r);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
}

static void
check_pipe(int flags)
{
	const struct sink_test_feed feed = {.bytes = 3 * MIB + 17, .seed = 20, .span_max = 9000};
	struct sink *s = sink_test_create(NULL, 64);
	struct reader reader = {.seed = feed.seed};
	struct sink_test_result r;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, flags), 0);
	reader.fd = fds[0];
	assert_int_equal(pthread_create(&reader.thread, NULL, read_all, &reader), 0);
	run_to_stdout(s, fds[1], &feed, &r);
	assert_int_equal(pthread_join(reader.thread, NULL), 0);
	assert_int_equal(r.status, 1);
	assert_int_equal(r.info.method, SINK_METHOD_STREAM);
	assert_int_equal(r.info.bytes_written, feed.bytes);
	assert_int_equal(reader.bytes, feed.bytes);
	assert_true(reader.same);
	sink_destroy(s);
}

static void
test_stream_pipe_on_standard_output_is_byte_exact(void **state)
{
	(void)state;
	check_pipe(0);
}

static void
test_stream_nonblocking_pipe_on_standard_output_is_byte_exact(void **state)
{
	(void)state;
	check_pipe(O_NONBLOCK);
}

static void
test_stream_regular_file_on_standard_output_is_appended_to(void **state)
{
	const struct sink_test_feed feed = {.bytes = 100000, .seed = 21, .span_max = 9000};
	struct sink *s = sink_test_create(NULL, 64);
	char path[SINK_TEST_PATH_MAX];
	struct sink_test_result r;
	int fd = open(sink_test_path(directory, "stdout", path),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	run_to_stdout(s, fd, &feed, &r);
	assert_int_equal(r.status, 1);
	sink_test_assert_file(path, feed.seed, feed.bytes);
	sink_destroy(s);
}

static void
test_stream_closed_pipe_is_epipe_and_no_signal(void **state)
{
	const struct sink_test_feed feed = {.bytes = 3 * MIB, .seed = 22, .span_max = 9000};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;
	int fds[2];

	(void)state;
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	run_to_stdout(s, fds[1], &feed, &r);
	assert_int_equal(r.status, -EPIPE);
	assert_true(r.stopped);
	assert_string_equal(r.info.error_call, "write");
	assert_int_equal(r.info.bytes_written, 0);
	sink_destroy(s);
}

static void
test_stream_few_bytes_are_passed_on_before_the_end(void **state)
{
	char path[SINK_TEST_PATH_MAX];
	const struct sink_file_config cfg = {.path = sink_test_path(directory, "prompt", path)};
	const struct sink_write w = {.data = (const uint8_t *)"hello", .len = 5};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_file *f = NULL;
	char got[6] = "";
	int reader;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(sink_file_open(s, &cfg, &f), 0);
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	sink_file_ops.write(f, &w);
	assert_int_equal(sink_file_ops.status(f), 0);
	assert_int_equal(read(reader, got, 5), 5);
	assert_string_equal(got, "hello");
	close(reader);
	sink_file_close(f);
	sink_destroy(s);
}

static void
test_stream_reader_that_takes_nothing_is_given_up_when_told(void **state)
{
	const struct sink_test_feed feed = {
		.bytes = 300000, .seed = 23, .span_max = 9000, .incomplete = true};
	struct sink *s = sink_test_create(NULL, 4096);
	struct reader reader = {.seed = feed.seed};
	struct sink_test_result r;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	run_to_stdout(s, fds[1], &feed, &r);
	assert_int_equal(r.status, -ETIMEDOUT);
	/* What was accepted is in the pipe, its writer is gone. */
	reader.fd = fds[0];
	read_all(&reader);
	assert_true(reader.same && reader.bytes > 0);
	assert_int_equal(r.info.bytes_written, reader.bytes);
	sink_destroy(s);
}

static void
test_stream_full_device_is_enospc(void **state)
{
	const struct sink_file_config cfg = {.path = "/dev/full", .digest = SINK_DIGEST_MD5};
	const struct sink_test_feed feed = {.bytes = MIB, .seed = 24, .span_max = 9000};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, -ENOSPC);
	assert_int_equal(r.info.error, -ENOSPC);
	assert_string_equal(r.info.error_call, "write");
	assert_string_equal(r.info.digest_hex, "");
	sink_destroy(s);
}

static void
test_stream_null_device_takes_all_even_with_fsync(void **state)
{
	const struct sink_file_config cfg = {.path = "/dev/null", .fsync = true};
	const struct sink_test_feed feed = {
		.bytes = MIB, .seed = 25, .span_max = 9000, .expect = true, .expect_length = MIB};
	struct sink *s = sink_test_create(NULL, 64);
	struct sink_test_result r;

	(void)state;
	sink_test_run(s, &cfg, &feed, &r);
	assert_int_equal(r.status, 1);
	assert_int_equal(r.info.method, SINK_METHOD_STREAM);
	assert_int_equal(r.info.bytes_written, MIB);
	sink_destroy(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_pipe_on_standard_output_is_byte_exact),
		cmocka_unit_test(test_stream_nonblocking_pipe_on_standard_output_is_byte_exact),
		cmocka_unit_test(test_stream_regular_file_on_standard_output_is_appended_to),
		cmocka_unit_test(test_stream_closed_pipe_is_epipe_and_no_signal),
		cmocka_unit_test(test_stream_few_bytes_are_passed_on_before_the_end),
		cmocka_unit_test(test_stream_reader_that_takes_nothing_is_given_up_when_told),
		cmocka_unit_test(test_stream_full_device_is_enospc),
		cmocka_unit_test(test_stream_null_device_takes_all_even_with_fsync),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
