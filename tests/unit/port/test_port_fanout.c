/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base_bytes.h"

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

/* ---- a group that is steered, in a network namespace of its own, over lo ---- */

#define QUEUES 3
#define ETHERTYPE_IPV4 0x0800U
#define ETHERTYPE_IPV6 0x86ddU

static int
packet_socket(void)
{
	const struct timeval patience = {.tv_sec = 2};
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x0003));

	assert_true(fd >= 0);
	lo.sll_ifindex = (int)if_nametoindex("lo");
	assert_int_equal(bind(fd, (const struct sockaddr *)&lo, sizeof(lo)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void
bring_lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/* A frame with a mark, and the port where TCP has it; returns its length. */
static uint32_t
make_frame(uint8_t *frame, uint32_t type, uint32_t header_len, uint8_t protocol, uint16_t port,
	uint8_t mark)
{
	uint8_t *ip = frame + 14;

	memset(frame, 0, 14 + header_len + 21);
	be16_store(frame + 12, (uint16_t)type);
	ip[0] = (uint8_t)(type == ETHERTYPE_IPV4 ? 0x40 | header_len / 4 : 0x60);
	ip[type == ETHERTYPE_IPV4 ? 9 : 6] = protocol;
	be16_store(ip + header_len + 2, port);
	ip[header_len + 20] = mark;
	return 14 + header_len + 21;
}

/* Which member got the frame with this mark? Others' frames (lo's, sent and received) are passed over. */
static int
who_got(const int *member, uint32_t len, uint8_t mark)
{
	uint8_t got[128];
	ssize_t n;
	int i, tries;

	for (tries = 0; tries < 200; tries++) {
		for (i = 0; i < QUEUES; i++) {
			n = recv(member[i], got, sizeof(got), MSG_DONTWAIT);
			if (n == (ssize_t)len && got[n - 1] == mark)
				return i;
		}
		usleep(1000);
	}
	return -1;
}

static int
queue_for(const int *member, int sender, uint32_t type, uint32_t header_len, uint8_t protocol,
	uint16_t port, uint16_t fragment)
{
	static uint8_t mark;
	uint8_t frame[128];
	uint32_t len = make_frame(frame, type, header_len, protocol, port, ++mark);

	if (type == ETHERTYPE_IPV4)
		be16_store(frame + 14 + 6, fragment);
	assert_int_equal(send(sender, frame, len, 0), len);
	return who_got(member, len, mark);
}

static void
test_steered_group_spreads_tcp_by_its_destination_port(void **state)
{
	const uint32_t flags = PACKET_FANOUT_FLAG_DEFRAG | PACKET_FANOUT_FLAG_ROLLOVER;
	const uint32_t driver = 77 | (PACKET_FANOUT_HASH | flags) << 16;
	int member[QUEUES], sender, i;
	uint16_t port;

	(void)state;
	if (unshare(CLONE_NEWNET) != 0) {
		skip(); /* no permission */
		return;
	}
	bring_lo_up();
	port_fanout_steer(QUEUES);
	for (i = 0; i < QUEUES; i++) {
		member[i] = packet_socket();
		assert_int_equal(
			setsockopt(member[i], SOL_PACKET, PACKET_FANOUT, &driver, sizeof(driver)),
			0);
	}
	port_fanout_steer(0);
	assert_true(port_fanout_is_steered(member, QUEUES));
	sender = packet_socket();
	assert_false(port_fanout_is_steered(&sender, 1));
	assert_false(port_fanout_is_steered(member, 0));
	for (port = 40000; port < 40007; port++) {
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV4, 20, IPPROTO_TCP, port, 0),
			port % QUEUES);
		/* With options; IPv4's DF is no fragment. */
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV4, 32, IPPROTO_TCP, port, 0x4000),
			port % QUEUES);
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV6, 40, IPPROTO_TCP, port, 0),
			port % QUEUES);
		/* All else goes to the first: no ports, or not where TCP has them. */
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV4, 20, IPPROTO_UDP, port, 0), 0);
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV6, 40, IPPROTO_UDP, port, 0), 0);
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV4, 20, IPPROTO_TCP, port, 0x2000),
			0);
		assert_int_equal(
			queue_for(member, sender, ETHERTYPE_IPV4, 20, IPPROTO_TCP, port, 100), 0);
		assert_int_equal(queue_for(member, sender, 0x0806, 20, IPPROTO_TCP, port, 0), 0);
	}
	for (i = 0; i < QUEUES; i++)
		close(member[i]);
	close(sender);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fanout_is_left_out_only_while_asked),
		cmocka_unit_test(test_other_options_reach_the_kernel),
		cmocka_unit_test(test_shared_libraries_find_ours),
		cmocka_unit_test(test_steered_group_spreads_tcp_by_its_destination_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
