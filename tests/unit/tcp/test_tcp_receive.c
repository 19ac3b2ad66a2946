/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Received data, timestamps and header prediction: RFC 9293 §3.10.7.4 seventh, RFC 7323. */

static struct fx *
established(void)
{
	return fx_open(TCP_ESTABLISHED, NULL);
}

TEST(test_established_out_of_order_data_is_delivered_in_order)
{
	static const uint32_t order[] = {3, 1, 4, 0, 2};
	struct fx *f = established();
	uint32_t i;

	for (i = 0; i < 5; i++)
		fx_data(f, order[i] * 700, 700);
	assert_int_equal(fx_read(f, 0), 3500);
	assert_int_equal(fx_count(f, COUNTER_TCP_BYTES_RECEIVED), 3500);
	fx_end(f);
}

TEST(test_established_overlapping_data_counts_each_byte_once)
{
	struct fx *f = established();

	fx_data(f, 500, 1000);
	fx_data(f, 0, 800);
	fx_data(f, 1200, 600);
	assert_int_equal(fx_read(f, 0), 1800);
	assert_int_equal(fx_count(f, COUNTER_TCP_BYTES_RECEIVED), 1800);
	assert_int_equal(fx_count(f, COUNTER_TCP_DUPLICATE_BYTES), 600);
	fx_end(f);
}

TEST(test_established_segment_outside_the_window_is_dropped)
{
	struct fx *f = established();

	fx_data(f, 2U << 20, 100);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_SEQUENCE), 1);
	fx_expect_ack(f, 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_established_info_tells_what_is_held)
{
	struct fx *f = established();
	struct tcp_info info;
	struct payload p;

	fx_data(f, 0, 300);
	fx_data(f, 1000, 300);
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.state, TCP_ESTABLISHED);
	assert_int_equal(info.payloads_held, 2);
	assert_int_equal(info.payloads_out_of_order, 1);
	assert_int_equal(info.rcv_bytes_unread, 300);
	assert_int_equal(info.rcv_nxt, FX_BASE + 300);
	assert_int_equal(info.established_ns - info.syn_sent_ns, NS_PER_MS);
	assert_int_equal(info.srtt_ns, NS_PER_MS);
	assert_int_equal(tcp_conn_recv(f->c, &p, 1), 1);
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.payloads_held, 2); /* charged until consumed */
	test_buffer_release(&f->buffers, p.owner);
	tcp_conn_consumed(f->c, p.len, 1);
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.payloads_held, 1);
	fx_end(f);
}

/* ---- header prediction ---- */

static void
expect_fast(struct tcp_segment s, struct fx *f, bool fast)
{
	uint64_t before = fx_count(f, COUNTER_TCP_FAST_PATH);

	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH) - before, fast ? 1 : 0);
	fx_read(f, s.seq - FX_BASE);
}

TEST(test_fast_path_takes_only_the_plain_next_segment)
{
	struct fx *f = established();
	struct tcp_segment s;

	expect_fast(fx_segment(f, 0, 100), f, true);
	s = fx_segment(f, 100, 100);
	s.flags |= TCP_PSH;
	expect_fast(s, f, true);
	s = fx_segment(f, 200, 100);
	s.flags |= TCP_URG;
	expect_fast(s, f, false);
	s = fx_segment(f, 300, 100);
	s.window++;
	expect_fast(s, f, false);
	assert_int_equal(f->c->snd_wnd, (FX_WINDOW + 1) << 7);
	fx_end(f);
}

TEST(test_fast_path_is_left_while_data_is_in_flight_or_missing)
{
	struct fx *f = established();
	struct tcp_segment s;

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	expect_fast(fx_segment(f, 0, 100), f, false); /* acknowledges it */
	expect_fast(fx_segment(f, 100, 100), f, true);
	fx_data(f, 500, 100);
	expect_fast(fx_segment(f, 200, 100), f, false);
	s = fx_segment(f, 300, 200);
	expect_fast(s, f, false); /* fills the hole */
	expect_fast(fx_segment(f, 600, 100), f, true);
	fx_end(f);
}

TEST(test_fast_path_stops_at_the_last_buffer)
{
	struct fx *f = established();
	uint32_t i;

	for (i = 0; i < 66; i++)
		fx_data(f, i * 10, 10);
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH), 64);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_NO_BUFFER), 2);
	fx_read(f, 0);
	fx_end(f);
}

/* ---- urgent data, RFC 9293 §3.8.5 ---- */

static void
urgent_data(struct fx *f, uint32_t offset, uint32_t len, uint8_t flags, uint16_t pointer)
{
	struct tcp_segment s = fx_segment(f, offset, len);

	s.flags |= TCP_URG | flags;
	s.urgent = pointer;
	fx_input(f, s);
}

/* HTTP has none. A stack that cut the byte out, or skipped to the pointer, would lose data. */
TEST(test_urgent_data_is_delivered_inline)
{
	static const uint16_t pointers[] = {0, 1, 50, 99, 100, 101, 65535};
	struct fx *f = established();
	uint32_t i, offset = 0;

	for (i = 0; i < 7; i++, offset += 200) {
		urgent_data(f, offset, 100, 0, pointers[i]);
		fx_data(f, offset + 100, 100);
		fx_advance_to_deadline(f);
		fx_expect_ack(f, offset + 200);
	}
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH), 7); /* what is not urgent */
	assert_int_equal(fx_read(f, 0), 1400);
	fx_end(f);
}

TEST(test_urgent_data_out_of_order_and_again_is_delivered_once)
{
	struct fx *f = established();

	urgent_data(f, 100, 100, 0, 20);
	assert_int_equal(fx_expect_ack(f, 0).sack[0].right, FX_BASE + 200);
	urgent_data(f, 100, 100, 0, 20);
	assert_int_equal(fx_expect_ack(f, 0).sack_count, 2); /* D-SACK, and its range */
	urgent_data(f, 0, 100, TCP_PSH, 120);
	fx_expect_ack(f, 200);
	urgent_data(f, 200, 0, TCP_FIN, 1);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_expect_ack(f, 201);
	assert_int_equal(fx_read(f, 0), 200);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

/* "Urgent data is coming": nothing that we have to answer. */
TEST(test_urgent_pointer_without_data_changes_nothing)
{
	struct fx *f = established();
	struct tcp_segment s;

	urgent_data(f, 0, 0, 0, 500);
	fx_expect_silence(f);
	s = fx_segment(f, 0, 100);
	s.urgent = 50; /* without URG it means nothing */
	expect_fast(s, f, true);
	fx_end(f);
}

/* ---- timestamps ---- */

static struct tcp_segment
stamped(struct fx *f, uint32_t offset, uint32_t len, uint32_t ts_val)
{
	struct tcp_segment s = fx_segment(f, offset, len);

	s.options |= TCP_OPT_TIMESTAMPS;
	s.ts_val = ts_val;
	return s;
}

TEST(test_paws_old_timestamp_is_dropped_and_acked)
{
	struct fx *f = established();

	fx_input(f, stamped(f, 0, 100, f->ts - 1));
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_PAWS), 1);
	fx_expect_ack(f, 0);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_end(f);
}

TEST(test_paws_wrapped_timestamp_is_newer)
{
	struct fx *f = established();

	f->c->ts_recent = 0xfffffff0;
	fx_input(f, stamped(f, 0, 100, 5));
	assert_int_equal(fx_read(f, 0), 100);
	assert_int_equal(f->c->ts_recent, 5);
	fx_end(f);
}

TEST(test_paws_after_24_days_of_silence_any_timestamp_is_good)
{
	struct fx *f = established();

	f->now_ns += 25 * 86400 * NS_PER_SEC;
	f->c->keepalive_ns = TIME_NEVER;
	fx_input(f, stamped(f, 0, 100, f->ts - 1000));
	assert_int_equal(fx_read(f, 0), 100);
	fx_end(f);
}

TEST(test_paws_silence_counts_from_the_last_segment)
{
	struct fx *f = established();

	f->c->keepalive_ns = TIME_NEVER;
	f->now_ns += 20 * 86400 * NS_PER_SEC;
	fx_input(f, stamped(f, 0, 100, f->ts));
	f->now_ns += 20 * 86400 * NS_PER_SEC;
	fx_input(f, stamped(f, 100, 100, f->ts - 1));
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_PAWS), 1);
	assert_int_equal(fx_read(f, 0), 100);
	fx_end(f);
}

TEST(test_paws_does_not_apply_to_rst)
{
	struct fx *f = established();

	fx_input(f, (struct tcp_segment){.seq = FX_BASE,
			    .flags = TCP_RST,
			    .options = TCP_OPT_TIMESTAMPS,
			    .ts_val = f->ts - 5});
	assert_int_equal(tcp_conn_error(f->c), -ECONNRESET);
	fx_end(f);
}

TEST(test_timestamp_missing_is_dropped_silently)
{
	struct fx *f = established();
	struct tcp_segment s = fx_segment(f, 0, 100);

	/* not by fx_input, which would add one */
	assert_false(tcp_conn_input(f->c, &s, f->now_ns));
	test_buffer_release(&f->buffers, s.payload.owner);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_PAWS), 1);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_timestamp_echo_is_that_of_the_segment_that_opens_the_ack)
{
	struct fx *f = established();
	struct tcp_segment s;

	fx_input(f, stamped(f, 0, 100, 2000));
	fx_input(f, stamped(f, 100, 100, 2001));
	f->now_ns += NS_PER_MS;
	s = fx_expect_ack(f, 200);
	assert_int_equal(s.ts_ecr, 2000); /* RFC 7323 §4.3: the earlier one */
	fx_input(f, stamped(f, 200, 100, 2002));
	f->now_ns += NS_PER_MS;
	assert_int_equal(fx_expect_ack(f, 300).ts_ecr, 2002);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_timestamp_echo_does_not_follow_out_of_order_segments)
{
	struct fx *f = established();

	fx_input(f, stamped(f, 500, 100, 2000));
	assert_int_equal(fx_expect_ack(f, 0).ts_ecr, f->ts);
	fx_input(f, stamped(f, 0, 500, 2001)); /* the hole filler opens the ACK */
	assert_int_equal(fx_expect_ack(f, 600).ts_ecr, 2001);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_timestamp_of_a_segment_with_a_bad_ack_is_not_remembered)
{
	struct fx *f = established();
	struct tcp_segment s = stamped(f, 0, 0, f->ts + 1000000);

	s.ack = tcp_snd_nxt(f->c) + 1;
	fx_input(f, s);
	assert_int_equal(f->c->ts_recent, f->ts);
	fx_end(f);
}

TEST(test_timestamp_clock_ticks_in_milliseconds_from_its_offset)
{
	struct fx *f = established();
	uint32_t first;

	fx_data(f, 1000, 10);
	first = fx_expect_ack(f, 0).ts_val;
	f->now_ns += 250 * NS_PER_MS;
	fx_data(f, 1000, 10);
	assert_int_equal(fx_expect_ack(f, 0).ts_val - first, 250);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_established_out_of_order_data_is_delivered_in_order),
		T(test_established_overlapping_data_counts_each_byte_once),
		T(test_established_segment_outside_the_window_is_dropped),
		T(test_established_info_tells_what_is_held),
		T(test_fast_path_takes_only_the_plain_next_segment),
		T(test_fast_path_is_left_while_data_is_in_flight_or_missing),
		T(test_fast_path_stops_at_the_last_buffer),
		T(test_urgent_data_is_delivered_inline),
		T(test_urgent_data_out_of_order_and_again_is_delivered_once),
		T(test_urgent_pointer_without_data_changes_nothing),
		T(test_paws_old_timestamp_is_dropped_and_acked),
		T(test_paws_wrapped_timestamp_is_newer),
		T(test_paws_after_24_days_of_silence_any_timestamp_is_good),
		T(test_paws_silence_counts_from_the_last_segment),
		T(test_paws_does_not_apply_to_rst),
		T(test_timestamp_missing_is_dropped_silently),
		T(test_timestamp_echo_is_that_of_the_segment_that_opens_the_ack),
		T(test_timestamp_echo_does_not_follow_out_of_order_segments),
		T(test_timestamp_of_a_segment_with_a_bad_ack_is_not_remembered),
		T(test_timestamp_clock_ticks_in_milliseconds_from_its_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
