/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* A segment in several buffers counts, and is acknowledged, once. */

static void
every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

static void
delayed(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_DELAYED;
}

/* len bytes in parts of at most `part`, with flags on the last. */
static void
in_parts(struct fx *f, uint32_t offset, uint32_t len, uint32_t part, uint8_t flags)
{
	uint32_t done, n;

	for (done = 0; done < len; done += n) {
		struct tcp_segment s;

		n = MIN_OF(part, len - done);
		s = fx_segment(f, offset + done, n);
		s.more = done + n < len;
		s.flags |= s.more ? 0 : flags;
		fx_input(f, s);
	}
}

TEST(test_parts_in_order_are_one_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, every);
	uint64_t before = fx_count(f, COUNTER_TCP_SEGMENTS_RECEIVED);

	in_parts(f, 0, 1400, 500, TCP_PSH);
	fx_expect_ack(f, 1400);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_DATA_SEGMENTS), 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_SEGMENTS_RECEIVED), before + 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_BYTES_RECEIVED), 1400);
	assert_int_equal(fx_read(f, 0), 1400);
	fx_end(f);
}

TEST(test_parts_out_of_order_bring_one_duplicate_ack)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	in_parts(f, 1000, 1000, 300, 0);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, FX_BASE + 1000);
	assert_int_equal(s.sack[0].right, FX_BASE + 2000);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_OUT_OF_ORDER), 1);
	in_parts(f, 0, 1000, 300, 0);
	fx_expect_ack(f, 2000);
	fx_expect_silence(f);
	assert_int_equal(fx_read(f, 0), 2000);
	fx_end(f);
}

TEST(test_parts_of_an_old_segment_bring_one_dsack_of_them_all)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	fx_data(f, 0, 1400);
	fx_drain(f);
	fx_read(f, 0);
	f->now_ns += NS_PER_MS;
	fx_drain(f);
	in_parts(f, 0, 1400, 300, 0);
	s = fx_expect_ack(f, 1400);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, FX_BASE);
	assert_int_equal(s.sack[0].right, FX_BASE + 1400);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_DUPLICATE), 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_DSACKS_SENT), 1);
	fx_end(f);
}

TEST(test_parts_of_which_the_first_is_old_bring_the_rest_and_a_dsack)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	fx_data(f, 0, 500);
	f->now_ns += NS_PER_MS;
	fx_drain(f);
	in_parts(f, 0, 1400, 500, 0);
	s = fx_expect_ack(f, 1400);
	assert_int_equal(s.sack[0].left, FX_BASE);
	assert_int_equal(s.sack[0].right, FX_BASE + 500);
	fx_expect_silence(f);
	assert_int_equal(fx_read(f, 0), 1400);
	fx_end(f);
}

/* Two full segments are what a delayed ACK waits for, however many buffers they came in. */
TEST(test_parts_together_are_full_sized)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, delayed);

	in_parts(f, 0, 1400, 500, 0);
	fx_expect_silence(f);
	in_parts(f, 1400, 1400, 500, 0);
	fx_expect_ack(f, 2800);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_parts_with_a_fin_close_once)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	in_parts(f, 0, 1400, 500, TCP_FIN);
	fx_expect_ack(f, 1401);
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_read(f, 0);
	fx_end(f);
}

/* Data that nobody will read resets the connection at the first part; the others find it closed. */
TEST(test_parts_after_the_end_leave_nothing_due)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_discard(f->c);
	in_parts(f, 0, 1400, 500, 0);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_true(fx_expect(f).flags & TCP_RST);
	fx_expect_silence(f);
	assert_false(tcp_conn_output_pending(f->c));
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_parts_in_order_are_one_segment),
		T(test_parts_out_of_order_bring_one_duplicate_ack),
		T(test_parts_of_an_old_segment_bring_one_dsack_of_them_all),
		T(test_parts_of_which_the_first_is_old_bring_the_rest_and_a_dsack),
		T(test_parts_together_are_full_sized),
		T(test_parts_with_a_fin_close_once),
		T(test_parts_after_the_end_leave_nothing_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
