/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* When and how received data is acknowledged: the policies, duplicates, SACK and D-SACK. */

static void
policy_every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

static void
policy_delayed(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_DELAYED;
}

static struct fx *
established(void (*change)(struct tcp_config *cfg))
{
	return fx_open(TCP_ESTABLISHED, change);
}

static void
send_run(struct fx *f, uint32_t offset, uint32_t segments, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < segments; i++)
		fx_data(f, offset + i * len, len);
}

/* ---- TCP_ACK_BURST ---- */

TEST(test_burst_in_order_burst_is_acked_once)
{
	struct fx *f = established(NULL);

	send_run(f, 0, 5, 1000);
	fx_expect_silence(f); /* held for merging, within its bound */
	assert_int_equal(tcp_conn_deadline(f->c), f->now_ns + 10 * NS_PER_US);
	fx_advance_to_deadline(f);
	fx_expect_ack(f, 5000);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH), 5);
	assert_int_equal(f->ack_delay.count, 1);
	assert_int_equal(f->ack_delay.max, 10 * NS_PER_US);
	assert_int_equal(fx_read(f, 0), 5000);
	fx_end(f);
}

TEST(test_burst_merging_counts_from_the_oldest_segment)
{
	struct fx *f = established(NULL);

	fx_data(f, 0, 1000);
	fx_expect_silence(f);
	f->now_ns += 6 * NS_PER_US;
	fx_data(f, 1000, 1000);
	fx_expect_silence(f);
	f->now_ns += 4 * NS_PER_US;
	fx_expect_ack(f, 2000);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_burst_merging_stops_at_the_segment_bound)
{
	struct fx *f = established(NULL);

	send_run(f, 0, 31, 100);
	fx_expect_silence(f);
	fx_data(f, 3100, 100);
	fx_expect_ack(f, 3200);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_burst_push_is_acked_at_the_end_of_the_burst)
{
	struct fx *f = established(NULL);

	fx_data(f, 0, 100);
	fx_data_flags(f, 100, 100, TCP_PSH);
	fx_data(f, 200, 100);
	fx_expect_ack(f, 300);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_burst_first_windows_are_acked_every_second_segment)
{
	struct fx *f = fx_open_quick(NULL);
	uint32_t i;

	send_run(f, 0, 5, 1000);
	fx_expect_ack(f, 2000);
	fx_expect_ack(f, 4000);
	fx_expect_ack(f, 5000); /* not merged with the next burst */
	fx_expect_silence(f);
	assert_int_equal(f->ack_delay.count, 3);
	for (i = 5; i < TCP_ACK_QUICK_SEGMENTS; i++) {
		fx_data(f, i * 1000, 1000);
		fx_read(f, i < 6 ? 0 : i * 1000);
		fx_expect_ack(f, (i + 1) * 1000);
	}
	fx_data(f, i * 1000, 1000); /* the first windows are over */
	fx_expect_silence(f);
	fx_read(f, i * 1000);
	fx_end(f);
}

TEST(test_burst_after_idle_acks_every_second_segment_again)
{
	struct fx *f = established(NULL);

	f->now_ns += TCP_ACK_IDLE_NS + 1;
	send_run(f, 0, 4, 1000);
	fx_expect_ack(f, 2000);
	fx_expect_ack(f, 4000);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_burst_data_that_we_send_carries_the_ack)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 0, 1000);
	tcp_conn_send(f->c, "x", 1);
	s = fx_expect_flags(f, TCP_ACK | TCP_PSH);
	assert_int_equal(s.ack, FX_BASE + 1000);
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_deadline(f->c), f->c->rto_ns); /* no ACK waits */
	fx_read(f, 0);
	fx_end(f);
}

/* ---- TCP_ACK_EVERY ---- */

TEST(test_every_acks_each_segment_of_a_burst)
{
	struct fx *f = established(policy_every);
	uint32_t i;

	send_run(f, 0, 8, 100);
	for (i = 1; i <= 8; i++)
		fx_expect_ack(f, i * 100);
	fx_expect_silence(f);
	assert_int_equal(f->ack_delay.count, 8);
	assert_int_equal(fx_count(f, COUNTER_TCP_ACKS_SENT), 8 + 1); /* and the handshake's */
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_every_burst_above_the_ring_is_still_acked_to_the_end)
{
	struct fx *f = established(policy_every);

	send_run(f, 0, 40, 100);
	assert_int_equal(fx_drain(f), f->c->ack.ring_size);
	assert_int_equal(f->c->last_ack_sent, FX_BASE + 4000);
	assert_int_equal(fx_count(f, COUNTER_TCP_ACKS_COALESCED), 40 - f->c->ack.ring_size);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_every_timestamp_echo_is_each_segments_own)
{
	struct fx *f = established(policy_every);
	uint32_t i;

	for (i = 0; i < 3; i++) {
		f->ts = 2000 + i;
		fx_data(f, i * 100, 100);
	}
	for (i = 0; i < 3; i++)
		assert_int_equal(fx_expect_ack(f, (i + 1) * 100).ts_ecr, 2000 + i);
	fx_read(f, 0);
	fx_end(f);
}

/* ---- TCP_ACK_DELAYED ---- */

TEST(test_delayed_acks_every_second_full_segment_of_a_burst)
{
	struct fx *f = established(policy_delayed);

	fx_data(f, 0, 1448); /* less than the MSS by the timestamp: full all the same */
	fx_expect_silence(f);
	send_run(f, 1448, 3, 1448);
	fx_expect_ack(f, 2 * 1448);
	fx_expect_ack(f, 4 * 1448);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_delayed_acks_a_lone_segment_after_40_ms)
{
	struct fx *f = established(policy_delayed);

	fx_data(f, 0, 10);
	f->now_ns += 39 * NS_PER_MS;
	fx_expect_silence(f);
	f->now_ns += NS_PER_MS;
	fx_expect_ack(f, 10);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_delayed_small_segments_do_not_count_as_full)
{
	struct fx *f = established(policy_delayed);

	send_run(f, 0, 2, 1448);
	fx_expect_ack(f, 2896);
	fx_data(f, 2896, 200);
	fx_data(f, 3096, 300);
	fx_data(f, 3396, 1448);
	fx_expect_silence(f);
	f->now_ns += 40 * NS_PER_MS;
	fx_expect_ack(f, 4844);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_delayed_full_size_follows_a_smaller_path)
{
	struct fx *f = established(policy_delayed);
	uint32_t i;

	send_run(f, 0, 2, 1448);
	fx_expect_ack(f, 2896);
	for (i = 0; i < 8; i++) {
		fx_data(f, 2896 + i * 500, 500);
		fx_drain(f);
	}
	f->now_ns += 40 * NS_PER_MS;
	fx_drain(f);
	send_run(f, 2896 + 4000, 2, 500);
	fx_expect_ack(f, 2896 + 5000);
	fx_read(f, 0);
	fx_end(f);
}

/* ---- at once under every policy ---- */

TEST(test_each_out_of_order_segment_gets_its_own_ack_newest_block_first)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 1000, 500);
	fx_data(f, 3000, 500);
	fx_data(f, 1500, 500);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, FX_BASE + 1000);
	assert_int_equal(s.sack[0].right, FX_BASE + 1500);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.sack_count, 2);
	assert_int_equal(s.sack[0].left, FX_BASE + 3000);
	assert_int_equal(s.sack[1].left, FX_BASE + 1000);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.sack[0].left, FX_BASE + 1000);
	assert_int_equal(s.sack[0].right, FX_BASE + 2000);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_OUT_OF_ORDER), 3);
	assert_int_equal(fx_count(f, COUNTER_TCP_SACKS_SENT), 3);
	assert_int_equal(fx_count(f, COUNTER_TCP_DSACKS_SENT), 0);
	assert_int_equal(f->ack_delay.count, 0);
	fx_end(f);
}

TEST(test_hole_filled_is_acked_at_once_and_only_once)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 1000, 500);
	fx_data(f, 2000, 500);
	assert_int_equal(fx_drain(f), 2);
	fx_data(f, 0, 1000);
	s = fx_expect_ack(f, 1500);
	assert_int_equal(s.sack_count, 1);
	fx_expect_silence(f);
	fx_data(f, 1500, 500);
	s = fx_expect_ack(f, 2500);
	assert_int_equal(s.sack_count, 0);
	fx_expect_silence(f);
	assert_int_equal(fx_read(f, 0), 2500);
	fx_end(f);
}

TEST(test_hole_filled_under_every_is_not_acked_twice)
{
	struct fx *f = established(policy_every);

	fx_data(f, 1000, 500);
	fx_data(f, 0, 1000);
	fx_expect_ack(f, 0);
	fx_expect_ack(f, 1500);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_duplicate_acks_within_one_burst_keep_their_order_and_number)
{
	struct fx *f = established(NULL);

	fx_data(f, 0, 500);
	fx_data(f, 1000, 500);
	fx_data(f, 1500, 500);
	fx_data(f, 2000, 500);
	fx_data(f, 500, 500);
	fx_expect_ack(f, 500);
	fx_expect_ack(f, 500);
	fx_expect_ack(f, 500);
	fx_expect_ack(f, 2500);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

static void
many_buffers(struct tcp_config *cfg)
{
	cfg->rcv_payloads_max = 4096;
}

TEST(test_duplicate_acks_keep_the_window_still)
{
	struct fx *f = established(many_buffers);
	uint16_t window;

	fx_data(f, 0, 3000);
	f->now_ns += NS_PER_MS;
	window = fx_expect_ack(f, 3000).window;
	fx_data(f, 4000, 500);
	fx_data(f, 4500, 500);
	fx_read(f, 0); /* makes room, which waits until the hole is filled */
	assert_int_equal(fx_expect_ack(f, 3000).window, window);
	assert_int_equal(fx_expect_ack(f, 3000).window, window);
	fx_expect_silence(f);
	fx_data(f, 3000, 1000);
	assert_true(fx_expect_ack(f, 5000).window > window);
	fx_read(f, 3000);
	fx_end(f);
}

TEST(test_out_of_order_above_the_ring_is_counted)
{
	struct fx *f = established(NULL);
	uint32_t i;

	for (i = 0; i < f->c->ack.ring_size + 5; i++)
		fx_data(f, 1000 + i * 10, 10);
	assert_int_equal(fx_drain(f), f->c->ack.ring_size);
	assert_int_equal(fx_count(f, COUNTER_TCP_ACKS_COALESCED), 5);
	fx_end(f);
}

TEST(test_duplicate_is_acked_at_once_with_dsack)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 0, 1000);
	f->now_ns += NS_PER_MS;
	fx_expect_ack(f, 1000);
	fx_data(f, 200, 300);
	s = fx_expect_ack(f, 1000);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, FX_BASE + 200);
	assert_int_equal(s.sack[0].right, FX_BASE + 500);
	assert_int_equal(fx_count(f, COUNTER_TCP_DSACKS_SENT), 1);
	fx_expect_silence(f); /* each is reported once */
	fx_data(f, 2000, 100);
	assert_int_equal(fx_expect_ack(f, 1000).sack[0].left, FX_BASE + 2000);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_duplicate_of_out_of_order_data_is_reported_beside_its_range)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 1000, 500);
	fx_data(f, 1100, 200);
	fx_expect_ack(f, 0);
	s = fx_expect_ack(f, 0); /* RFC 2883 §4.1, figure 4 */
	assert_int_equal(s.sack_count, 2);
	assert_int_equal(s.sack[0].left, FX_BASE + 1100);
	assert_int_equal(s.sack[0].right, FX_BASE + 1300);
	assert_int_equal(s.sack[1].left, FX_BASE + 1000);
	assert_int_equal(s.sack[1].right, FX_BASE + 1500);
	fx_end(f);
}

TEST(test_partial_duplicate_is_reported_by_dsack)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 0, 1000);
	f->now_ns += NS_PER_MS;
	fx_expect_ack(f, 1000);
	fx_data(f, 600, 1000); /* RFC 2883 §4.3 */
	s = fx_expect_ack(f, 1600);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, FX_BASE + 600);
	assert_int_equal(s.sack[0].right, FX_BASE + 1000);
	fx_expect_silence(f);
	assert_int_equal(fx_read(f, 0), 1600);
	fx_end(f);
}

TEST(test_sack_blocks_are_three_beside_timestamps)
{
	struct fx *f = established(NULL);
	struct tcp_segment s = {0};
	uint32_t i;

	for (i = 1; i <= 5; i++) {
		fx_data(f, i * 1000, 500);
		s = fx_expect_ack(f, 0);
	}
	assert_int_equal(s.sack_count, 3);
	assert_int_equal(s.sack[0].left, FX_BASE + 5000);
	assert_int_equal(s.sack[2].left, FX_BASE + 3000);
	fx_end(f);
}

static void
no_timestamps(struct tcp_config *cfg)
{
	cfg->timestamps = false;
}

TEST(test_sack_blocks_are_four_without_timestamps)
{
	struct fx *f = established(no_timestamps);
	struct tcp_segment s = {0};
	uint32_t i;

	for (i = 1; i <= 5; i++) {
		fx_data(f, i * 1000, 500);
		s = fx_expect_ack(f, 0);
	}
	assert_int_equal(s.sack_count, 4);
	fx_end(f);
}

static void
no_sack(struct tcp_config *cfg)
{
	cfg->sack = false;
}

TEST(test_sack_is_not_sent_unless_negotiated)
{
	struct fx *f = established(no_sack);

	fx_data(f, 1000, 500);
	fx_data(f, 1000, 500);
	assert_int_equal(fx_expect_ack(f, 0).sack_count, 0);
	assert_int_equal(fx_expect_ack(f, 0).sack_count, 0);
	fx_end(f);
}

TEST(test_full_data_segment_leaves_out_sack_blocks_that_do_not_fit)
{
	struct fx *f = established(NULL);
	static const uint8_t bytes[FX_MSS + 100];
	struct tcp_segment s;

	fx_data(f, 1000, 500);
	fx_data(f, 2000, 500);
	fx_drain(f);
	tcp_conn_send(f->c, bytes, sizeof(bytes));
	s = fx_expect(f); /* the fixture checks that it fits the path */
	assert_int_equal(fx_payload_len(&s), FX_MSS);
	assert_int_equal(s.sack_count, 0);
	s = fx_expect(f);
	assert_int_equal(fx_payload_len(&s), 100);
	assert_int_equal(s.sack_count, 2);
	fx_end(f);
}

TEST(test_out_of_order_beyond_the_buffers_is_acked_and_not_sacked)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;
	uint32_t i;

	for (i = 0; i < 56; i++) /* 64 less the eighth kept for in-order data */
		fx_data(f, 1000 + i * 10, 10);
	fx_drain(f);
	fx_data(f, 5000, 10);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_NO_BUFFER), 1);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].right, FX_BASE + 1560);
	fx_end(f);
}

TEST(test_burst_after_a_hole_was_filled_acks_every_second_segment)
{
	struct fx *f = established(NULL);

	fx_data(f, 1000, 1000);
	fx_data(f, 0, 1000);
	fx_drain(f);
	send_run(f, 2000, 4, 1000);
	fx_expect_ack(f, 4000);
	fx_expect_ack(f, 6000);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_burst_acks_of_the_first_windows_open_the_window)
{
	struct fx *f = fx_open_quick(NULL);
	uint32_t i, before = f->edge;

	for (i = 0; i < 32; i++) {
		fx_data(f, i * 1448, 1448);
		fx_data(f, i * 1448 + 1448, 0);
		fx_read(f, i * 1448);
		fx_drain(f);
	}
	assert_true(f->edge - before >= 30 * 1448);
	fx_end(f);
}

TEST(test_delayed_hole_filled_is_acked_at_once)
{
	struct fx *f = established(policy_delayed);

	fx_data(f, 1000, 1000);
	fx_expect_ack(f, 0);
	fx_data(f, 0, 1000);
	fx_expect_ack(f, 2000);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_delayed_fin_and_duplicate_are_acked_at_once)
{
	struct fx *f = established(policy_delayed);

	fx_data(f, 0, 100);
	fx_data(f, 0, 100);
	fx_expect_ack(f, 100);
	fx_expect_silence(f);
	fx_data_flags(f, 100, 0, TCP_FIN);
	fx_expect_ack(f, 101);
	fx_read(f, 0);
	fx_end(f);
}

static void
every_in_a_small_window(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
	cfg->rcv_window_init_bytes = cfg->rcv_window_max_bytes = 4096;
}

/* The reader made room before the ACKs went: the last one says so, and needs no update after it. */
TEST(test_every_ack_that_opens_the_window_is_the_update)
{
	struct fx *f = established(every_in_a_small_window);

	send_run(f, 0, 2, 1448);
	fx_read(f, 0);
	assert_true(f->c->ack.window_update);
	fx_expect_ack(f, 1448);
	fx_expect_ack(f, 2896);
	assert_int_equal(tcp_rcv_wnd(f->c), 4096);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_every_acks_the_last_data_and_a_duplicate_after_it)
{
	struct fx *f = established(policy_every);

	fx_data(f, 0, 100);
	fx_data_flags(f, 100, 100, TCP_FIN);
	fx_data(f, 0, 100);
	fx_expect_ack(f, 100);
	fx_expect_ack(f, 201);
	fx_expect_ack(f, 201);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_ack_delay_is_recorded_for_each_ack_of_data)
{
	struct fx *f = established(policy_every);

	fx_data(f, 0, 100);
	f->now_ns += 3 * NS_PER_US;
	fx_data(f, 100, 100);
	f->now_ns += 2 * NS_PER_US;
	fx_data(f, 300, 100); /* out of order: no record */
	assert_int_equal(fx_drain(f), 3);
	assert_int_equal(f->ack_delay.count, 2);
	assert_int_equal(f->ack_delay.max, 5 * NS_PER_US);
	assert_int_equal(f->ack_delay.min, 2 * NS_PER_US);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_output_pending_tells_whether_something_waits)
{
	struct fx *f = established(NULL);

	assert_false(tcp_conn_output_pending(f->c));
	fx_data(f, 0, 100);
	assert_true(tcp_conn_output_pending(f->c));
	f->now_ns += NS_PER_MS;
	fx_drain(f);
	assert_false(tcp_conn_output_pending(f->c));
	fx_data(f, 500, 100);
	assert_true(tcp_conn_output_pending(f->c));
	fx_drain(f);
	assert_false(tcp_conn_output_pending(f->c));
	tcp_conn_abort(f->c);
	assert_true(tcp_conn_output_pending(f->c));
	fx_drain(f);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_burst_in_order_burst_is_acked_once),
		T(test_burst_merging_counts_from_the_oldest_segment),
		T(test_burst_merging_stops_at_the_segment_bound),
		T(test_burst_push_is_acked_at_the_end_of_the_burst),
		T(test_burst_first_windows_are_acked_every_second_segment),
		T(test_burst_after_idle_acks_every_second_segment_again),
		T(test_burst_data_that_we_send_carries_the_ack),
		T(test_every_acks_each_segment_of_a_burst),
		T(test_every_burst_above_the_ring_is_still_acked_to_the_end),
		T(test_every_timestamp_echo_is_each_segments_own),
		T(test_delayed_acks_every_second_full_segment_of_a_burst),
		T(test_delayed_acks_a_lone_segment_after_40_ms),
		T(test_delayed_small_segments_do_not_count_as_full),
		T(test_delayed_full_size_follows_a_smaller_path),
		T(test_each_out_of_order_segment_gets_its_own_ack_newest_block_first),
		T(test_hole_filled_is_acked_at_once_and_only_once),
		T(test_hole_filled_under_every_is_not_acked_twice),
		T(test_duplicate_acks_within_one_burst_keep_their_order_and_number),
		T(test_duplicate_acks_keep_the_window_still),
		T(test_out_of_order_above_the_ring_is_counted),
		T(test_duplicate_is_acked_at_once_with_dsack),
		T(test_duplicate_of_out_of_order_data_is_reported_beside_its_range),
		T(test_partial_duplicate_is_reported_by_dsack),
		T(test_sack_blocks_are_three_beside_timestamps),
		T(test_sack_blocks_are_four_without_timestamps),
		T(test_sack_is_not_sent_unless_negotiated),
		T(test_full_data_segment_leaves_out_sack_blocks_that_do_not_fit),
		T(test_out_of_order_beyond_the_buffers_is_acked_and_not_sacked),
		T(test_burst_after_a_hole_was_filled_acks_every_second_segment),
		T(test_burst_acks_of_the_first_windows_open_the_window),
		T(test_delayed_hole_filled_is_acked_at_once),
		T(test_delayed_fin_and_duplicate_are_acked_at_once),
		T(test_every_ack_that_opens_the_window_is_the_update),
		T(test_every_acks_the_last_data_and_a_duplicate_after_it),
		T(test_ack_delay_is_recorded_for_each_ack_of_data),
		T(test_output_pending_tells_whether_something_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
