/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "kernel_fixture.h"
#include "kernel_limits.h"

#define BUFFER_BYTES 4096U
#define SHORT_NS (30 * NS_PER_MS) /* for what must not happen */
#define STREAM (UINT64_C(1) << 20)
#define SHORT_STREAM 20000U /* fits into a socket */

static void
serve_stream(struct kx_server *s, int fd)
{
	uint8_t text[4096];
	uint64_t at;

	for (at = 0; at < STREAM; at += sizeof(text)) {
		kx_pattern(at, text, sizeof(text));
		if (!kx_server_send(s, fd, text, sizeof(text)))
			return;
	}
	kx_server_drain(s, fd);
}

static void
serve_short_stream(struct kx_server *s, int fd)
{
	uint8_t text[SHORT_STREAM];

	kx_pattern(0, text, sizeof(text));
	if (kx_server_send(s, fd, text, sizeof(text)))
		kx_server_drain(s, fd);
}

/* A connection of which so many bytes have been read, and all others have come. */
static void
wait_for_the_rest(struct kx *k, struct transport_conn *c, uint32_t read)
{
	struct tcp_info info;

	do {
		assert_true(kernel_transport_wait(k->kt, NS_PER_MS) >= 0);
		k->t.ops->info(c, &info);
	} while (info.rcv_bytes_unread < SHORT_STREAM - read);
	assert_true(kernel_transport_wait(k->kt, 0) >= 0); /* the last event of it */
}

static void
give_back(struct kx *k, const struct payload *p)
{
	k->t.release(k->t.release_ctx, p->owner);
}

TEST(test_kernel_no_buffer_free_sleeps_until_one_comes_back)
{
	struct transport_conn *c;
	struct payload p, other;
	uint64_t start_ns;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, 1, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_short_stream, NULL);
	c = kx_establish(&k, &s);
	while (k.t.ops->recv(k.t.ctx, c, &p, 1) == 0)
		kx_wait(&k);
	wait_for_the_rest(&k, c, p.len);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c, &other, 1), 0);
	assert_true(k.t.ops->recv_ready(c));
	assert_int_equal(kernel_transport_buffers_out(k.kt), 1);
	start_ns = kx_now();
	assert_int_equal(kernel_transport_wait(k.kt, SHORT_NS), 0);
	assert_true(kx_now() - start_ns >= SHORT_NS);
	give_back(&k, &p);
	assert_true(kernel_transport_wait(k.kt, TIME_NEVER) > 0);
	kx_take_pattern_from(&k, c, p.len, SHORT_STREAM);
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

TEST(test_kernel_promised_buffer_that_is_not_taken_lets_the_wait_sleep)
{
	struct transport_conn *c;
	struct payload p, other;
	struct kx_server s;
	void *user;
	struct kx k;

	kx_make(&k, 1, 1, 16);
	kx_server_start(&s, 4, 1, serve_short_stream, NULL);
	c = kx_establish(&k, &s);
	while (k.t.ops->recv(k.t.ctx, c, &p, 1) == 0)
		kx_wait(&k);
	wait_for_the_rest(&k, c, p.len);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c, &other, 1), 0);
	while (k.t.ops->event_next(k.t.ctx, &user) != NULL)
		;
	give_back(&k, &p);
	assert_true(kernel_transport_wait(k.kt, TIME_NEVER) > 0);
	assert_ptr_equal(k.t.ops->event_next(k.t.ctx, &user), c);
	assert_int_equal(kernel_transport_wait(k.kt, SHORT_NS), 0);
	assert_int_equal(kx_take(&k, c, p.len), 16);
	k.t.ops->release(k.t.ctx, c, true, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

#define RIVALS 5U

/* Each takes what it can whenever it is asked, and gives it back at the end of the round, so that at
 * each wait all buffers are free, and in each round there are fewer than rivals. */
TEST(test_kernel_fewer_buffers_than_connections_all_come_to_their_end)
{
	struct payload p[RIVALS];
	struct transport_conn *c[RIVALS];
	uint64_t at[RIVALS] = {0};
	uint32_t i, n, held, done = 0;
	struct kx_server s[RIVALS];
	struct kx k;

	kx_make(&k, RIVALS, 2, BUFFER_BYTES);
	for (i = 0; i < RIVALS; i++) {
		kx_server_start(&s[i], 4, 1, serve_stream, NULL);
		c[i] = kx_establish(&k, &s[i]);
	}
	while (done < RIVALS) {
		for (i = held = 0; i < RIVALS; i++) {
			n = k.t.ops->recv(k.t.ctx, c[i], &p[held], 1);
			if (n == 0)
				continue;
			assert_true(kx_is_pattern(at[i], p[held].data, p[held].len));
			at[i] += p[held].len;
			done += at[i] == STREAM;
			held++;
		}
		for (i = 0; i < held; i++)
			give_back(&k, &p[i]);
		if (held == 0 && done < RIVALS)
			kx_wait(&k);
		else
			assert_true(kernel_transport_wait(k.kt, 0) >= 0);
	}
	for (i = 0; i < RIVALS; i++) {
		assert_int_equal(at[i], STREAM);
		k.t.ops->release(k.t.ctx, c[i], false, kx_now());
		kx_server_join(&s[i]);
	}
	kx_end(&k);
}

/* The first is asked first in every round, and would have the only buffer each time. */
TEST(test_kernel_one_buffer_for_two_goes_from_one_to_the_other)
{
	struct transport_conn *c[2];
	struct kx_server s[2];
	uint64_t at[2] = {0};
	uint32_t i, round;
	struct kx k;

	kx_make(&k, 2, 1, 64);
	for (i = 0; i < 2; i++) {
		kx_server_start(&s[i], 4, 1, serve_stream, NULL);
		c[i] = kx_establish(&k, &s[i]);
	}
	for (i = 0; i < 2; i++)
		kx_wait_until(&k, k.t.ops->recv_ready, c[i]);
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 2; i++) {
			struct payload p, other;

			if (k.t.ops->recv(k.t.ctx, c[i], &p, 1) == 0)
				continue;
			at[i] += p.len;
			assert_int_equal(k.t.ops->recv(k.t.ctx, c[1 - i], &other, 1), 0);
			give_back(&k, &p);
		}
		assert_true(kernel_transport_wait(k.kt, 0) >= 0);
	}
	assert_true(at[0] >= 40 * 64 && at[1] >= 40 * 64);
	for (i = 0; i < 2; i++) {
		k.t.ops->release(k.t.ctx, c[i], true, kx_now());
		kx_server_join(&s[i]);
	}
	kx_end(&k);
}

/* As many are woken as there are buffers, in the order in which they asked. */
TEST(test_kernel_one_buffer_for_two_wakes_the_one_that_asked_first)
{
	struct transport_conn *c[2];
	struct kx_server s[2];
	struct payload p, other;
	uint32_t i;
	void *user;
	struct kx k;

	kx_make(&k, 2, 1, 16);
	for (i = 0; i < 2; i++) {
		kx_server_start(&s[i], 4, 1, serve_short_stream, NULL);
		c[i] = kx_establish(&k, &s[i]);
		wait_for_the_rest(&k, c[i], 0);
	}
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[0], &p, 1), 1);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[1], &other, 1), 0);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[0], &other, 1), 0);
	while (k.t.ops->event_next(k.t.ctx, &user) != NULL)
		;
	give_back(&k, &p);
	for (i = 2; i-- > 0;) {
		assert_true(kernel_transport_wait(k.kt, TIME_NEVER) > 0);
		assert_ptr_equal(k.t.ops->event_next(k.t.ctx, &user), c[i]);
		assert_null(k.t.ops->event_next(k.t.ctx, &user));
	}
	for (i = 0; i < 2; i++) {
		k.t.ops->release(k.t.ctx, c[i], true, kx_now());
		kx_server_join(&s[i]);
	}
	kx_end(&k);
}

TEST(test_kernel_released_while_it_lacks_a_buffer_lets_the_other_on)
{
	struct transport_conn *c[2];
	struct payload p, other;
	struct kx_server s[2];
	uint32_t i;
	struct kx k;

	kx_make(&k, 2, 1, 16);
	for (i = 0; i < 2; i++) {
		kx_server_start(&s[i], 4, 1, serve_short_stream, NULL);
		c[i] = kx_establish(&k, &s[i]);
	}
	while (k.t.ops->recv(k.t.ctx, c[0], &p, 1) == 0)
		kx_wait(&k);
	wait_for_the_rest(&k, c[0], p.len);
	wait_for_the_rest(&k, c[1], 0);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[1], &other, 1), 0);
	give_back(&k, &p);
	kx_wait(&k); /* c[1] has the promise */
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[0], &p, 1), 0);
	k.t.ops->release(k.t.ctx, c[1], true, kx_now());
	assert_int_equal(k.t.ops->recv(k.t.ctx, c[0], &p, 1), 1);
	give_back(&k, &p);
	k.t.ops->release(k.t.ctx, c[0], true, kx_now());
	for (i = 0; i < 2; i++)
		kx_server_join(&s[i]);
	kx_end(&k);
}

TEST(test_kernel_a_turn_has_an_end_and_the_next_one_comes_at_once)
{
	struct payload p[KERNEL_READS_PER_WAIT + 1];
	struct transport_conn *c;
	uint32_t i, n = 0;
	struct kx_server s;
	void *user;
	struct kx k;

	kx_make(&k, 1, 64, 64);
	kx_server_start(&s, 4, 1, serve_stream, NULL);
	c = kx_establish(&k, &s);
	while ((n = k.t.ops->recv(k.t.ctx, c, p, KERNEL_READS_PER_WAIT + 1)) == 0)
		kx_wait(&k);
	assert_int_equal(n, KERNEL_READS_PER_WAIT);
	for (i = 0; i < n; i++)
		give_back(&k, &p[i]);
	assert_int_equal(k.t.ops->recv(k.t.ctx, c, p, 1), 0);
	assert_true(k.t.ops->recv_ready(c));
	while (k.t.ops->event_next(k.t.ctx, &user) != NULL)
		;
	assert_true(kernel_transport_wait(k.kt, TIME_NEVER) > 0);
	assert_ptr_equal(k.t.ops->event_next(k.t.ctx, &user), c);
	assert_int_equal(kx_take(&k, c, n * 64), 64);
	k.t.ops->release(k.t.ctx, c, true, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kernel_no_buffer_free_sleeps_until_one_comes_back),
		T(test_kernel_promised_buffer_that_is_not_taken_lets_the_wait_sleep),
		T(test_kernel_fewer_buffers_than_connections_all_come_to_their_end),
		T(test_kernel_one_buffer_for_two_goes_from_one_to_the_other),
		T(test_kernel_one_buffer_for_two_wakes_the_one_that_asked_first),
		T(test_kernel_released_while_it_lacks_a_buffer_lets_the_other_on),
		T(test_kernel_a_turn_has_an_end_and_the_next_one_comes_at_once),
	};

	return cmocka_run_group_tests_name("kernel_buffers", tests, NULL, NULL);
}
