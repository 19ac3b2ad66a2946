/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/time.h>

#include "kernel_fixture.h"

#define BUFFERS 4U
#define BUFFER_BYTES 4096U
#define SHORT_NS (30 * NS_PER_MS) /* for what must not happen */

/* Sends back what comes. */
static void
serve_echo(struct kx_server *s, int fd)
{
	char some[4096];
	ssize_t n;

	while ((n = recv(fd, some, sizeof(some), 0)) > 0) {
		s->received += (uint64_t)n;
		if (!kx_server_send(s, fd, some, (size_t)n))
			return;
	}
}

static void
echo_over(uint8_t family)
{
	struct transport_conn *c;
	struct ip_address local;
	struct kx_server s;
	uint8_t text[1000];
	uint16_t port;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, family, 1, serve_echo, NULL);
	c = kx_establish(&k, &s);
	kx_pattern(0, text, sizeof(text));
	kx_send(&k, c, text, sizeof(text));
	kx_take_pattern(&k, c, sizeof(text));
	k.t.ops->local(c, &local, &port);
	assert_true(ip_address_equal(&local, &s.address));
	assert_true(port != 0 && port != s.port);
	assert_int_equal(k.t.ops->error(c), 0);
	assert_false(k.t.ops->ended(c));
	assert_true(k.t.ops->reusable(c));
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.received, sizeof(text));
	assert_int_equal(s.error, 0);
	kx_end(&k);
}

TEST(test_kernel_echo_over_ipv4_comes_back)
{
	echo_over(4);
}

TEST(test_kernel_echo_over_ipv6_comes_back)
{
	echo_over(6);
}

TEST(test_kernel_info_of_a_connection_tells_what_the_kernel_knows)
{
	uint64_t start_ns = kx_now();
	struct transport_conn *c;
	struct tcp_info info;
	struct kx_server s;
	uint8_t text[100];
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_echo, NULL);
	c = kx_establish(&k, &s);
	kx_pattern(0, text, sizeof(text));
	kx_send(&k, c, text, sizeof(text));
	kx_wait_until(&k, k.t.ops->recv_ready, c);
	k.t.ops->info(c, &info);
	assert_int_equal(info.state, TCP_ESTABLISHED);
	assert_true(info.syn_sent_ns >= start_ns && info.established_ns >= info.syn_sent_ns);
	assert_true(info.established_ns <= kx_now() && info.last_received_ns <= kx_now());
	assert_true(info.srtt_ns > 0 && info.srtt_ns < NS_PER_SEC && info.rttvar_ns > 0);
	assert_true(info.mss_send > 500 && info.snd_cwnd >= 2U * info.mss_send);
	assert_true(info.snd_wnd > 0 && info.rcv_window_limit > 0);
	assert_int_equal(info.rcv_bytes_unread, sizeof(text));
	assert_int_equal(info.retransmits, 0);
	assert_int_equal(k.t.ops->send_queued(c), 0);
	kx_take_pattern(&k, c, sizeof(text));
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

/* Reads nothing until it is told to. */
static void
serve_slowly(struct kx_server *s, int fd)
{
	int *may_read = s->serve_ctx;
	char byte;

	(void)!read(*may_read, &byte, 1);
	kx_server_drain(s, fd);
}

TEST(test_kernel_send_into_a_full_window_waits_for_an_event)
{
	static uint8_t chunk[1 << 16];
	struct transport_conn *c;
	uint64_t sent = 0, all;
	struct kx_server s;
	int may_read[2];
	uint32_t n;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	assert_int_equal(pipe(may_read), 0);
	kx_server_start(&s, 4, 1, serve_slowly, &may_read[0]);
	c = kx_establish(&k, &s);
	while ((n = k.t.ops->send(k.t.ctx, c, chunk, sizeof(chunk))) > 0)
		sent += n;
	assert_true(k.t.ops->send_queued(c) > 0);
	while (kernel_transport_wait(k.kt, SHORT_NS) > 0) /* what is under way to the full window */
		while ((n = k.t.ops->send(k.t.ctx, c, chunk, sizeof(chunk))) > 0)
			sent += n;
	assert_int_equal(write(may_read[1], "", 1), 1);
	for (all = sent + 8 * sizeof(chunk); sent < all; sent += n) {
		n = k.t.ops->send(k.t.ctx, c, chunk, sizeof(chunk));
		if (n == 0)
			kx_wait(&k);
	}
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.received, sent);
	close(may_read[0]);
	close(may_read[1]);
	kx_end(&k);
}

/* Says something once it has heard something, and then once more. */
static void
serve_two_words(struct kx_server *s, int fd)
{
	uint8_t text[BUFFER_BYTES];
	char byte;

	kx_pattern(0, text, sizeof(text));
	if (kx_server_receive(s, fd, &byte, 1) && kx_server_send(s, fd, text, sizeof(text)) &&
		kx_server_receive(s, fd, &byte, 1) && kx_server_send(s, fd, text, 1))
		kx_server_drain(s, fd);
}

TEST(test_kernel_reusable_when_idle_and_not_with_unexpected_bytes)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_two_words, NULL);
	c = kx_connect(&k, &s, NULL);
	assert_false(k.t.ops->reusable(c));
	kx_wait_until(&k, k.t.ops->established, c);
	assert_true(k.t.ops->reusable(c));
	kx_send(&k, c, "a", 1);
	/* As long as a buffer: where the last read filled it, only a look tells that nothing is left. */
	kx_take_pattern(&k, c, BUFFER_BYTES);
	assert_true(k.t.ops->reusable(c));
	kx_send(&k, c, "b", 1);
	while (k.t.ops->reusable(c))
		kx_wait(&k);
	assert_true(k.t.ops->recv_ready(c));
	kx_take_pattern(&k, c, 1);
	assert_true(k.t.ops->reusable(c));
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.error, 0);
	kx_end(&k);
}

TEST(test_kernel_event_comes_once_a_wait_with_its_user)
{
	struct transport_conn *c, *got;
	struct kx_server s;
	void *user = NULL;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_echo, NULL);
	c = kx_connect(&k, &s, &s);
	kx_wait_until(&k, k.t.ops->established, c);
	got = k.t.ops->event_next(k.t.ctx, &user);
	assert_ptr_equal(got, c);
	assert_ptr_equal(user, &s);
	assert_null(k.t.ops->event_next(k.t.ctx, &user));
	kx_send(&k, c, "\0", 1);
	kx_wait(&k);
	assert_int_equal(kernel_transport_wait(k.kt, SHORT_NS), 0); /* it is still queued */
	assert_ptr_equal(k.t.ops->event_next(k.t.ctx, &user), c);
	assert_null(k.t.ops->event_next(k.t.ctx, &user));
	kx_take_pattern(&k, c, 1);
	kx_send(&k, c, "\0", 1);
	kx_wait(&k);
	k.t.ops->release(k.t.ctx, c, true, kx_now()); /* takes its event along */
	assert_null(k.t.ops->event_next(k.t.ctx, &user));
	kx_server_join(&s);
	kx_end(&k);
}

TEST(test_kernel_wait_without_an_event_ends_in_time)
{
	uint64_t start_ns;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	assert_int_equal(kernel_transport_wait(k.kt, 0), 0);
	start_ns = kx_now();
	assert_int_equal(kernel_transport_wait(k.kt, SHORT_NS), 0);
	assert_true(kx_now() - start_ns >= SHORT_NS);
	kx_end(&k);
}

static void
on_signal(int number)
{
	(void)number;
}

TEST(test_kernel_wait_with_a_signal_is_interrupted)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	struct sigaction action = {.sa_handler = on_signal}, before;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(kernel_transport_wait(k.kt, TIME_NEVER), -EINTR);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	kx_end(&k);
}

/* Urgent data stops a read at its mark, though there is more behind it. */
static void
serve_urgently(struct kx_server *s, int fd)
{
	uint8_t text[3000];
	char byte;

	if (!kx_server_receive(s, fd, &byte, 1))
		return;
	kx_pattern(0, text, sizeof(text));
	if (kx_server_send(s, fd, text, 1000) && send(fd, "!", 1, MSG_OOB) == 1 &&
		kx_server_send(s, fd, text + 1000, 2000))
		kx_server_drain(s, fd);
}

TEST(test_kernel_urgent_data_does_not_hide_what_follows)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_urgently, NULL);
	c = kx_establish(&k, &s);
	kx_send(&k, c, "a", 1);
	usleep(20000); /* so that all of it is there at the first read */
	kx_take_pattern(&k, c, 3000);
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.error, 0);
	kx_end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kernel_echo_over_ipv4_comes_back),
		T(test_kernel_echo_over_ipv6_comes_back),
		T(test_kernel_info_of_a_connection_tells_what_the_kernel_knows),
		T(test_kernel_send_into_a_full_window_waits_for_an_event),
		T(test_kernel_reusable_when_idle_and_not_with_unexpected_bytes),
		T(test_kernel_event_comes_once_a_wait_with_its_user),
		T(test_kernel_wait_without_an_event_ends_in_time),
		T(test_kernel_wait_with_a_signal_is_interrupted),
		T(test_kernel_urgent_data_does_not_hide_what_follows),
	};

	return cmocka_run_group_tests_name("kernel_conn", tests, NULL, NULL);
}
