/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include <sys/socket.h>

#include "kernel_fixture.h"

#define BUFFERS 4U
#define BUFFER_BYTES 4096U
#define ANSWER 10000U

static void
send_answer(struct kx_server *s, int fd)
{
	uint8_t text[ANSWER];

	kx_pattern(0, text, sizeof(text));
	kx_server_send(s, fd, text, sizeof(text));
}

static void
serve_answer(struct kx_server *s, int fd)
{
	char byte;

	if (kx_server_receive(s, fd, &byte, 1))
		send_answer(s, fd);
}

static void
serve_answer_and_reset(struct kx_server *s, int fd)
{
	serve_answer(s, fd);
	kx_server_reset(fd);
}

/* Without waiting for a word. */
static void
serve_unasked_and_reset(struct kx_server *s, int fd)
{
	send_answer(s, fd);
	kx_server_reset(fd);
}

static void
serve_unasked(struct kx_server *s, int fd)
{
	send_answer(s, fd);
}

static void
serve_reset(struct kx_server *s, int fd)
{
	(void)s;
	kx_server_reset(fd);
}

static void
serve_drain(struct kx_server *s, int fd)
{
	kx_server_drain(s, fd);
}

/* Sends for ever. */
static void
serve_flood(struct kx_server *s, int fd)
{
	static uint8_t text[65521];

	kx_pattern(0, text, sizeof(text));
	while (kx_server_send(s, fd, text, sizeof(text)))
		;
}

/* Finished in order, and nothing more to read. */
static void
expect_finished(struct kx *k, struct transport_conn *c)
{
	while (!k->t.ops->recv_finished(c)) {
		assert_int_equal(kx_take(k, c, 0), 0);
		if (!k->t.ops->recv_finished(c))
			kx_wait(k);
	}
	assert_false(k->t.ops->recv_ready(c));
	assert_false(k->t.ops->reusable(c));
	assert_int_equal(kx_take(k, c, 0), 0);
}

/* Ended by this error, with no word of an end in order. */
static void
expect_error(struct kx *k, struct transport_conn *c, int error)
{
	while (!k->t.ops->ended(c)) {
		assert_int_equal(kx_take(k, c, 0), 0);
		if (!k->t.ops->ended(c))
			kx_wait(k);
	}
	assert_int_equal(k->t.ops->error(c), error);
	assert_false(k->t.ops->recv_finished(c));
	assert_false(k->t.ops->recv_ready(c));
	assert_false(k->t.ops->reusable(c));
	assert_int_equal(k->t.ops->send(k->t.ctx, c, "x", 1), 0);
	assert_int_equal(kx_take(k, c, 0), 0);
}

static void
release_and_end(struct kx *k, struct transport_conn *c)
{
	k->t.ops->release(k->t.ctx, c, false, kx_now());
	kx_end(k);
}

TEST(test_kernel_connect_to_a_closed_port_is_refused)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 0, NULL, NULL);
	kx_server_join(&s); /* the port is free again, and nobody's */
	c = kx_connect(&k, &s, NULL);
	expect_error(&k, c, -ECONNREFUSED);
	assert_false(k.t.ops->established(c));
	release_and_end(&k, c);
}

TEST(test_kernel_peer_closes_is_finished_and_may_still_be_sent_to)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_answer, NULL);
	c = kx_establish(&k, &s);
	kx_send(&k, c, "a", 1);
	kx_server_join(&s);
	kx_take_pattern(&k, c, ANSWER);
	expect_finished(&k, c);
	assert_false(k.t.ops->ended(c));
	assert_int_equal(k.t.ops->error(c), 0);
	assert_int_equal(k.t.ops->send(k.t.ctx, c, "b", 1), 1);
	release_and_end(&k, c);
}

/* What we send after its FIN is answered with a reset, as its socket is gone. */
TEST(test_kernel_reset_after_the_fin_is_finished_and_an_error)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_unasked, NULL);
	c = kx_establish(&k, &s);
	kx_server_join(&s);
	kx_send(&k, c, "a", 1);
	kx_take_pattern(&k, c, ANSWER);
	expect_finished(&k, c);
	kx_wait_until(&k, k.t.ops->ended, c);
	assert_int_equal(k.t.ops->error(c), -ECONNRESET);
	assert_true(k.t.ops->recv_finished(c));
	release_and_end(&k, c);
}

TEST(test_kernel_peer_resets_data_comes_first_and_then_the_error)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_answer_and_reset, NULL);
	c = kx_establish(&k, &s);
	kx_send(&k, c, "a", 1);
	kx_server_join(&s);
	kx_take_pattern(&k, c, ANSWER);
	expect_error(&k, c, -ECONNRESET);
	release_and_end(&k, c);
}

TEST(test_kernel_all_over_before_the_first_wait_was_established)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_unasked_and_reset, NULL);
	c = kx_connect(&k, &s, NULL);
	kx_server_join(&s);
	kx_take_pattern(&k, c, ANSWER);
	assert_true(k.t.ops->established(c));
	expect_error(&k, c, -ECONNRESET);
	release_and_end(&k, c);
}

TEST(test_kernel_reset_before_the_first_wait_was_established)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_reset, NULL);
	c = kx_connect(&k, &s, NULL);
	kx_server_join(&s);
	expect_error(&k, c, -ECONNRESET);
	assert_true(k.t.ops->established(c));
	release_and_end(&k, c);
}

/* send takes the error from the socket, and recv would see an end in order. */
TEST(test_kernel_reset_that_send_meets_first_is_an_error)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_answer_and_reset, NULL);
	c = kx_establish(&k, &s);
	kx_send(&k, c, "a", 1);
	kx_server_join(&s);
	assert_int_equal(k.t.ops->send(k.t.ctx, c, "b", 1), 0);
	kx_take_pattern(&k, c, ANSWER);
	expect_error(&k, c, -ECONNRESET);
	release_and_end(&k, c);
}

TEST(test_kernel_abort_half_read_resets)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_flood, NULL);
	c = kx_establish(&k, &s);
	kx_take_pattern(&k, c, BUFFER_BYTES);
	k.t.ops->release(k.t.ctx, c, true, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.error, ECONNRESET);
	kx_end(&k);
}

static void
released(bool abort, int error)
{
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_drain, NULL);
	c = kx_establish(&k, &s);
	kx_send(&k, c, "abc", 3);
	while (k.t.ops->send_queued(c) > 0)
		usleep(1000);
	k.t.ops->release(k.t.ctx, c, abort, kx_now());
	kx_server_join(&s);
	assert_int_equal(s.received, 3);
	assert_int_equal(s.error, error);
	kx_end(&k);
}

TEST(test_kernel_release_closes_in_order)
{
	released(false, 0);
}

TEST(test_kernel_release_with_abort_resets)
{
	released(true, ECONNRESET);
}

TEST(test_kernel_destroy_resets_what_is_left)
{
	struct kx_server s;
	struct kx k;

	kx_make(&k, 2, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_drain, NULL);
	kx_establish(&k, &s);
	kernel_transport_destroy(k.kt);
	kx_server_join(&s);
	assert_int_equal(s.error, ECONNRESET);
	assert_int_equal(kx_descriptors(), k.descriptors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kernel_connect_to_a_closed_port_is_refused),
		T(test_kernel_peer_closes_is_finished_and_may_still_be_sent_to),
		T(test_kernel_reset_after_the_fin_is_finished_and_an_error),
		T(test_kernel_peer_resets_data_comes_first_and_then_the_error),
		T(test_kernel_all_over_before_the_first_wait_was_established),
		T(test_kernel_reset_before_the_first_wait_was_established),
		T(test_kernel_reset_that_send_meets_first_is_an_error),
		T(test_kernel_abort_half_read_resets),
		T(test_kernel_release_closes_in_order),
		T(test_kernel_release_with_abort_resets),
		T(test_kernel_destroy_resets_what_is_left),
	};

	return cmocka_run_group_tests_name("kernel_end", tests, NULL, NULL);
}
