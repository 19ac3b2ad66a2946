/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "port_fanout.h"

static int
set_packet_option(int name)
{
	int value = 1;

	errno = 0;
	return setsockopt(-1, SOL_PACKET, name, &value, sizeof(value));
}

static void
test_fanout_is_left_out_only_while_asked(void **state)
{
	(void)state;
	port_fanout_skip(true);
	assert_int_equal(set_packet_option(PACKET_FANOUT), 0);
	port_fanout_skip(false);
	assert_int_equal(set_packet_option(PACKET_FANOUT), -1);
	assert_int_equal(errno, EBADF);
}

static void
test_other_options_reach_the_kernel(void **state)
{
	int value = 1, got = 0;
	socklen_t len = sizeof(got);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_true(fd >= 0);
	port_fanout_skip(true);
	assert_int_equal(set_packet_option(PACKET_QDISC_BYPASS), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value)), 0);
	port_fanout_skip(false);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &got, &len), 0);
	assert_int_equal(got, 1);
}

/* The driver is a shared library: it must find ours before libc's. */
static void
test_shared_libraries_find_ours(void **state)
{
	int (*found)(int, int, int, const void *, socklen_t);
	int value = 1;

	(void)state;
	*(void **)&found = dlsym(RTLD_DEFAULT, "setsockopt");
	assert_non_null(found);
	port_fanout_skip(true);
	assert_int_equal(found(-1, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)), 0);
	port_fanout_skip(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fanout_is_left_out_only_while_asked),
		cmocka_unit_test(test_other_options_reach_the_kernel),
		cmocka_unit_test(test_shared_libraries_find_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
