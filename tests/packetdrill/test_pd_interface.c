/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "pd.h"
#include "pd_interface.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

/* The module as packetdrill sees it: sockets, raw IP packets, virtual time. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define REMOTE UINT32_C(0xc0000201)
#define PORT 8080U
#define REMOTE_PORT 5000U

/* The module's own (pd_interpose.c) stands in for libc, which a test must not have. */
void
pd_interpose_begin(struct pd *p)
{
	(void)p;
}

static struct sockaddr_in
address_of(uint32_t ip)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(ip)};
}

static void
inject(const struct pd_interface *pd, const struct tcp_segment *s)
{
	struct ipv4_header ip = {
		.src = REMOTE, .dst = PD_LOCAL_ADDRESS, .protocol = IPV4_PROTO_TCP, .ttl = 64};
	uint8_t packet[256], *l4 = packet + IPV4_HEADER_LEN;
	uint32_t len = wire_tcp_build(l4, s);
	uint64_t sum = wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_TCP, len);

	wire_tcp_set_checksum(l4, wire_checksum_finish(wire_checksum_add(sum, l4, len)));
	ip.total_len = (uint16_t)(IPV4_HEADER_LEN + len);
	wire_ipv4_build(packet, &ip, true);
	assert_int_equal(pd->netdev_send(pd->userdata, packet, ip.total_len), 0);
}

/* The next segment that the stack sends; *ret_us: when. */
static struct tcp_segment
sniff(const struct pd_interface *pd, long long *ret_us)
{
	static uint8_t packet[2048];
	size_t len = sizeof(packet);
	struct tcp_segment s;

	assert_int_equal(pd->netdev_receive(pd->userdata, packet, &len, ret_us), 0);
	assert_true(len > IPV4_HEADER_LEN);
	assert_int_equal(
		wire_tcp_parse(packet + IPV4_HEADER_LEN, (uint32_t)(len - IPV4_HEADER_LEN), &s),
		DROP_NONE);
	return s;
}

TEST(test_pd_connect_sends_a_syn_again_after_a_virtual_second)
{
	struct sockaddr_in to = address_of(REMOTE);
	struct pd_interface pd;
	long long first_us, second_us;
	int fd;

	packetdrill_interface_init("linux", &pd);
	fd = pd.socket(pd.userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	assert_true(fd >= 0);
	assert_int_equal(pd.connect(pd.userdata, fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(sniff(&pd, &first_us).flags, TCP_SYN);
	assert_int_equal(sniff(&pd, &second_us).flags, TCP_SYN);
	assert_in_range(second_us - first_us, 1000000, 1000010);
	assert_int_equal(pd.close(pd.userdata, fd), 0);
	pd.free(pd.userdata);
}

static int
listening(const struct pd_interface *pd)
{
	struct sockaddr_in at = address_of(PD_LOCAL_ADDRESS);
	int fd = pd->socket(pd->userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

	assert_int_equal(pd->bind(pd->userdata, fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(pd->listen(pd->userdata, fd, 1), 0);
	return fd;
}

TEST(test_pd_listener_accepts_and_reads)
{
	struct tcp_segment in = {.src_port = REMOTE_PORT, .dst_port = PORT, .window = 60000};
	struct pd_interface pd;
	struct tcp_segment out;
	char text[8];
	long long us;
	int listener, fd;

	packetdrill_interface_init("freebsd", &pd);
	listener = listening(&pd);
	in.flags = TCP_SYN;
	inject(&pd, &in);
	out = sniff(&pd, &us);
	assert_int_equal(out.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(out.ack, 1);
	in.seq = 1;
	in.ack = out.seq + 1;
	in.flags = TCP_ACK | TCP_PSH;
	in.payload = (struct payload){.data = (const uint8_t *)"hello", .len = 5};
	inject(&pd, &in);
	fd = pd.accept(pd.userdata, listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(pd.recv(pd.userdata, fd, text, sizeof(text), MSG_PEEK), 5);
	assert_int_equal(pd.read(pd.userdata, fd, text, sizeof(text)), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(pd.close(pd.userdata, fd), 0);
	assert_int_equal(sniff(&pd, &us).flags & TCP_FIN, TCP_FIN);
	pd.free(pd.userdata);
}

TEST(test_pd_listener_drops_a_reset_and_refuses_an_ack)
{
	struct tcp_segment in = {
		.src_port = REMOTE_PORT, .dst_port = PORT, .ack = 34, .flags = TCP_RST};
	struct pd_interface pd;
	struct tcp_segment out;
	long long us;

	packetdrill_interface_init("linux", &pd);
	(void)listening(&pd);
	inject(&pd, &in);
	in.flags = TCP_ACK;
	inject(&pd, &in);
	out = sniff(&pd, &us);
	assert_int_equal(out.flags, TCP_RST);
	assert_int_equal(out.seq, 34);
	pd.free(pd.userdata);
}

struct blocked_accept {
	const struct pd_interface *pd;
	int listener;
	int fd;
	struct timeval ended;
};

static void *
accept_in_thread(void *ctx)
{
	struct blocked_accept *b = ctx;

	b->fd = b->pd->accept(b->pd->userdata, b->listener, NULL, NULL);
	b->pd->gettimeofday(b->pd->userdata, &b->ended, NULL);
	return NULL;
}

/* packetdrill's second thread: its call ends at the virtual moment of what it waited for. */
TEST(test_pd_blocked_call_ends_at_the_packet_that_it_waits_for)
{
	struct tcp_segment in = {
		.src_port = REMOTE_PORT, .dst_port = PORT, .flags = TCP_SYN, .window = 60000};
	struct pd_interface pd;
	struct blocked_accept b = {.pd = &pd};
	pthread_t thread;
	struct timeval now;
	long long us;

	packetdrill_interface_init("linux", &pd);
	b.listener = listening(&pd);
	assert_int_equal(pthread_create(&thread, NULL, accept_in_thread, &b), 0);
	inject(&pd, &in);
	in.ack = sniff(&pd, &us).seq + 1;
	in.seq = 1;
	in.flags = TCP_ACK;
	pd.usleep(pd.userdata, 300000);
	usleep(20000); /* real time: the thread gets to its call */
	inject(&pd, &in);
	pd.gettimeofday(pd.userdata, &now, NULL);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(b.fd >= 0);
	assert_in_range(
		(now.tv_sec - b.ended.tv_sec) * 1000000 + now.tv_usec - b.ended.tv_usec, 0, 1000);
	pd.free(pd.userdata);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pd_connect_sends_a_syn_again_after_a_virtual_second),
		cmocka_unit_test(test_pd_listener_accepts_and_reads),
		cmocka_unit_test(test_pd_listener_drops_a_reset_and_refuses_an_ack),
		cmocka_unit_test(test_pd_blocked_call_ends_at_the_packet_that_it_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
