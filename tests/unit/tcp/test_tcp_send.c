/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tcp_fixture.h"

/* What we send: new data, recovery with and without SACK, limited transmit, the peer's window. */

static const uint8_t bytes[40000];

static void
no_sack(struct tcp_config *cfg)
{
	cfg->sack = false;
}

static void
newreno_no_sack(struct tcp_config *cfg)
{
	cfg->sack = false;
	cfg->congestion = TCP_CONGESTION_NEWRENO;
}

/* Without RACK-TLP, whose recovery test_tcp_rack.c and test_tcp_tlp.c are about. */
static void
rfc6675(struct tcp_config *cfg)
{
	cfg->rack = false;
}

static struct fx *
established(void (*change)(struct tcp_config *cfg))
{
	return fx_open(TCP_ESTABLISHED, change);
}

static void
send_full_segments(struct fx *f, uint32_t segments)
{
	uint32_t i;

	assert_int_equal(tcp_conn_send(f->c, bytes, segments * FX_MSS), segments * FX_MSS);
	for (i = 0; i < segments; i++)
		fx_expect_data(f, i * FX_MSS, FX_MSS);
	fx_expect_silence(f);
}

TEST(test_send_request_goes_at_once_with_psh)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	assert_int_equal(tcp_conn_send(f->c, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	assert_true(tcp_conn_output_pending(f->c));
	assert_int_equal(tcp_conn_send_queued(f->c), 18);
	s = fx_expect_flags(f, TCP_ACK | TCP_PSH);
	assert_memory_equal(s.payload.data, "GET ", 4);
	tcp_conn_send(f->c, "b", 1); /* Nagle is off */
	fx_expect_data(f, 18, 1);
	fx_expect_silence(f);
	fx_window(f, FX_UNA + 19, FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	assert_int_equal(f->c->rto_ns, TIME_NEVER);
	fx_end(f);
}

TEST(test_send_psh_is_set_where_the_queue_ends)
{
	struct fx *f = established(NULL);

	tcp_conn_send(f->c, bytes, FX_MSS + 10);
	assert_int_equal(fx_expect(f).flags, TCP_ACK);
	assert_int_equal(fx_expect(f).flags, TCP_ACK | TCP_PSH);
	fx_end(f);
}

TEST(test_send_buffer_takes_what_it_holds_and_wraps)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;
	uint8_t data[1000], got[1000];
	uint32_t round, i;

	while (tcp_conn_send(f->c, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(tcp_conn_send_queued(f->c), 64U << 10);
	fx_end(f);
	f = established(NULL);
	for (round = 0; round < 200; round++) { /* three times around */
		for (i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(round + i);
		assert_int_equal(tcp_conn_send(f->c, data, sizeof(data)), sizeof(data));
		s = fx_expect(f);
		memcpy(got, s.payload.data, s.payload.len);
		memcpy(got + s.payload.len, s.payload2.data, s.payload2.len);
		assert_memory_equal(got, data, sizeof(data));
		fx_window(f, tcp_snd_nxt(f->c), FX_WINDOW);
	}
	fx_end(f);
}

TEST(test_send_initial_window_is_ten_segments)
{
	struct fx *f = established(NULL);

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10); /* RFC 6928 */
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	assert_int_equal(fx_drain(f), 4); /* slow start */
	fx_end(f);
}

TEST(test_send_after_idle_restarts_from_the_initial_window)
{
	struct fx *f = established(NULL);
	uint32_t i;

	for (i = 0; i < 4; i++) {
		tcp_conn_send(f->c, bytes, sizeof(bytes));
		while (tcp_conn_send_queued(f->c) > 0) {
			fx_drain(f);
			fx_window(f, tcp_snd_nxt(f->c), FX_WINDOW);
		}
	}
	assert_true(f->c->congestion.cwnd > 11 * FX_MSS);
	f->now_ns += 10 * NS_PER_SEC;
	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10); /* RFC 5681 §4.1 */
	fx_end(f);
}

/* ---- fast retransmit and recovery ---- */

TEST(test_sack_three_duplicates_retransmit_fast)
{
	struct fx *f = established(rfc6675);
	uint32_t i;

	send_full_segments(f, 4);
	for (i = 2; i <= 4; i++) {
		fx_expect_silence(f);
		fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + i * FX_MSS);
	}
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_silence(f);
	assert_true(f->c->board.recovering);
	fx_window(f, FX_UNA + 4 * FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 0);
	fx_end(f);
}

TEST(test_sack_recovery_rescues_the_tail_once)
{
	struct fx *f = established(rfc6675);
	uint32_t i;

	send_full_segments(f, 5);
	for (i = 2; i <= 4; i++)
		fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + i * FX_MSS);
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_silence(f); /* PRR */
	fx_window(f, FX_UNA + 4 * FX_MSS, FX_WINDOW);
	fx_expect_data(f, 4 * FX_MSS, FX_MSS); /* RFC 6675 §4, NextSeg (4) */
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_sack_news_in_data_segments_count_as_duplicates)
{
	struct fx *f = established(rfc6675);
	struct tcp_segment s;
	uint32_t i;

	send_full_segments(f, 5);
	for (i = 0; i < 3; i++) { /* the peer is sending, too */
		s = fx_segment(f, i * 100, 100);
		s.ack = FX_UNA;
		s.options = TCP_OPT_SACK | TCP_OPT_TIMESTAMPS;
		s.ts_val = f->ts;
		s.sack_count = 1;
		s.sack[0].left = FX_UNA + FX_MSS;
		s.sack[0].right = FX_UNA + (i + 2) * FX_MSS;
		fx_input(f, s);
	}
	fx_expect_data(f, 0, FX_MSS);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_sack_two_holes_are_repaired_in_one_recovery)
{
	struct fx *f = established(rfc6675);

	send_full_segments(f, 10);
	fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + 2 * FX_MSS);
	fx_sack(f, FX_UNA, FX_UNA + 3 * FX_MSS, FX_UNA + 5 * FX_MSS);
	fx_sack(f, FX_UNA, FX_UNA + 3 * FX_MSS, FX_UNA + 9 * FX_MSS);
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_window(f, FX_UNA + 9 * FX_MSS, FX_WINDOW);
	fx_window(f, FX_UNA + 10 * FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 2);
	fx_end(f);
}

static void
duplicate_acks(struct fx *f, uint32_t n)
{
	for (; n > 0; n--)
		fx_window(f, FX_UNA, FX_WINDOW);
}

TEST(test_newreno_three_duplicates_retransmit_and_partial_acks_go_on)
{
	struct fx *f = established(newreno_no_sack);

	send_full_segments(f, 6);
	duplicate_acks(f, 3);
	fx_expect_data(f, 0, FX_MSS);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW); /* partial: the third was lost as well */
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	assert_true(f->c->board.recovering);
	fx_window(f, FX_UNA + 6 * FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	fx_end(f);
}

TEST(test_newreno_window_updates_and_data_are_no_duplicates)
{
	struct fx *f = established(no_sack);
	uint32_t i;

	send_full_segments(f, 4);
	for (i = 0; i < 5; i++)
		fx_window(f, FX_UNA, (uint16_t)(FX_WINDOW + 1 + i));
	for (i = 0; i < 5; i++) {
		struct tcp_segment s = fx_segment(f, i * 10, 10);

		s.ack = FX_UNA;
		s.window = FX_WINDOW + 5;
		fx_input(f, s);
	}
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 0);
	assert_false(f->c->board.recovering);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_limited_transmit_sends_one_segment_for_each_of_two_duplicates)
{
	struct fx *f = established(no_sack);

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	duplicate_acks(f, 1);
	fx_expect_data(f, 10 * FX_MSS, FX_MSS); /* RFC 3042 */
	fx_expect_silence(f);
	duplicate_acks(f, 1);
	fx_expect_data(f, 11 * FX_MSS, FX_MSS);
	fx_expect_silence(f);
	duplicate_acks(f, 1);
	fx_expect_data(f, 0, FX_MSS);
	/* RFC 5681 §3.2 step 2: FlightSize without what limited transmit added; CUBIC's 0.7. */
	assert_in_range(f->c->congestion.ssthresh, 7 * FX_MSS - 1, 7 * FX_MSS);
	fx_end(f);
}

TEST(test_dsack_alone_is_no_duplicate)
{
	struct fx *f = established(rfc6675);
	uint32_t i;

	send_full_segments(f, 4);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	for (i = 0; i < 5; i++)
		fx_sack(f, FX_UNA + FX_MSS, FX_UNA, FX_UNA + 100);
	assert_int_equal(fx_drain(f), 0);
	fx_end(f);
}

TEST(test_rto_sends_everything_again_from_one_segment)
{
	struct fx *f = established(rfc6675);

	send_full_segments(f, 4);
	fx_advance_to_deadline(f);
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_silence(f); /* cwnd is one segment */
	assert_int_equal(f->c->congestion.cwnd, FX_MSS);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	fx_expect_data(f, FX_MSS, FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_window(f, FX_UNA + 4 * FX_MSS, FX_WINDOW);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 3);
	fx_end(f);
}

TEST(test_rto_karn_takes_no_sample_of_a_retransmission)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;
	uint64_t srtt_ns = f->c->rtt.srtt_ns;

	f->c->timestamps = false; /* the send time alone */
	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	fx_advance_to_deadline(f);
	s = fx_expect(f);
	assert_int_equal(s.seq, FX_UNA);
	f->now_ns += 50 * NS_PER_MS;
	fx_window(f, FX_UNA + 1, FX_WINDOW);
	assert_int_equal(f->c->rtt.srtt_ns, srtt_ns);
	fx_end(f);
}

TEST(test_rtt_is_measured_from_the_segment_timed)
{
	struct fx *f = established(NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	f->now_ns += 9 * NS_PER_MS;
	fx_window(f, FX_UNA + 1, FX_WINDOW);
	assert_int_equal(f->c->rtt.latest_ns, 9 * NS_PER_MS);
	assert_int_equal(f->c->rtt.srtt_ns, 2 * NS_PER_MS); /* 7/8 of 1 ms and 1/8 of 9 ms */
	fx_end(f);
}

/* ---- the peer's window ---- */

static struct fx *
with_window(uint32_t window)
{
	struct fx *f = established(NULL);

	f->c->snd_wscale = 0;
	fx_window(f, FX_UNA, (uint16_t)window);
	return f;
}

TEST(test_window_of_the_peer_is_not_exceeded)
{
	struct fx *f = with_window(3 * FX_MSS + 5);

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_data(f, FX_MSS, FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_expect_silence(f); /* no silly five bytes */
	fx_window(f, FX_UNA + FX_MSS, 3 * FX_MSS);
	fx_expect_data(f, 3 * FX_MSS, FX_MSS);
	fx_end(f);
}

TEST(test_window_zero_is_probed_with_backoff_until_it_opens)
{
	struct fx *f = with_window(0);
	uint64_t last_ns = f->now_ns, gap_ns = 0;
	uint32_t i;

	tcp_conn_send(f->c, "hello", 5);
	fx_expect_silence(f);
	for (i = 0; i < 6; i++) {
		struct tcp_segment s;

		fx_advance_to_deadline(f);
		s = fx_expect_flags(f, TCP_ACK);
		assert_int_equal(s.seq, FX_UNA - 1);
		assert_int_equal(fx_payload_len(&s), 0);
		assert_true(f->now_ns - last_ns > gap_ns);
		gap_ns = f->now_ns - last_ns;
		last_ns = f->now_ns;
		fx_window(f, FX_UNA, 0);
		fx_expect_silence(f);
	}
	fx_window(f, FX_UNA, 100);
	fx_expect_data(f, 0, 5);
	fx_expect_silence(f);
	assert_int_equal(f->c->persist_ns, TIME_NEVER);
	fx_end(f);
}

TEST(test_window_zero_is_borne_as_long_as_the_peer_answers)
{
	struct fx *f = with_window(0);
	uint32_t i;

	tcp_conn_send(f->c, "hello", 5);
	fx_drain(f);
	for (i = 0; i < 1000; i++) { /* more than ten hours */
		fx_advance_to_deadline(f);
		fx_drain(f);
		f->now_ns += NS_PER_MS;
		fx_window(f, FX_UNA, 0);
		fx_drain(f);
		assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	}
	fx_end(f);
}

static void
no_keepalive(struct tcp_config *cfg)
{
	cfg->keepalive_idle_ns = TIME_NEVER;
}

TEST(test_window_zero_of_a_dead_peer_times_out)
{
	struct fx *f = established(no_keepalive);
	uint32_t probes = 0;

	fx_window(f, FX_UNA, 0);
	tcp_conn_send(f->c, "hello", 5);
	fx_drain(f);
	while (tcp_conn_state(f->c) != TCP_CLOSED) {
		fx_advance_to_deadline(f);
		probes += fx_drain(f);
		assert_true(probes < 100);
	}
	assert_int_equal(probes, f->c->cfg->data_retries + 1); /* and the RST */
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	fx_end(f);
}

TEST(test_window_shut_on_data_in_flight_is_borne)
{
	struct fx *f = established(no_keepalive);
	uint32_t i;

	tcp_conn_send(f->c, "hello", 5);
	fx_expect(f);
	for (i = 0; i < 100; i++) { /* the peer took its window back, but it is there */
		fx_window(f, FX_UNA, 0);
		fx_advance_to_deadline(f);
		fx_drain(f);
		assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	}
	fx_window(f, FX_UNA + 5, FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

static void
no_scaling(struct tcp_config *cfg)
{
	cfg->window_scaling = false;
}

/* RFC 9293 §3.8.6.2.1 (3): of a host whose window never holds a segment, half of it is enough. */
TEST(test_window_of_half_the_largest_is_used_at_once)
{
	struct fx *f = established(no_scaling);

	assert_int_equal(f->c->snd_wnd_max, FX_WINDOW);
	tcp_conn_send(f->c, bytes, 3000);
	fx_expect_data(f, 0, 1000);
	fx_window(f, FX_UNA + 1000, 499);
	fx_expect_silence(f);
	fx_window(f, FX_UNA + 1000, 500);
	fx_expect_data(f, 1000, 500);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_window_too_small_for_a_segment_is_used_after_a_while)
{
	struct fx *f = with_window(4000);

	fx_window(f, FX_UNA, 10); /* the peer never opens further */
	tcp_conn_send(f->c, bytes, 25);
	fx_expect_silence(f);
	fx_advance_to_deadline(f); /* RFC 9293 §3.8.6.2.1 (4), the override timeout */
	fx_expect_data(f, 0, 10);
	fx_expect_silence(f);
	fx_window(f, FX_UNA + 10, 10);
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	fx_expect_data(f, 10, 10);
	fx_window(f, FX_UNA + 20, 10);
	fx_expect_data(f, 20, 5); /* the rest fits */
	fx_end(f);
}

TEST(test_window_update_from_an_old_segment_is_ignored)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	fx_data(f, 1000, 100);
	s = fx_segment(f, 1100, 100);
	s.window = 2000; /* the newest */
	fx_input(f, s);
	assert_int_equal(f->c->snd_wnd, 2000U << 7);
	s = fx_segment(f, 0, 1000); /* late: it was sent before */
	s.window = 1;
	fx_input(f, s);
	assert_int_equal(f->c->snd_wnd, 2000U << 7);
	fx_data(f, 1200, 10); /* and the fast path moves SND.WL1, too */
	fx_data(f, 1210, 10);
	assert_int_equal(f->c->snd_wl1, FX_BASE + 1210);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_ack_of_part_of_a_segment_frees_that_part)
{
	struct fx *f = established(NULL);

	tcp_conn_send(f->c, bytes, 1000);
	fx_expect(f);
	fx_window(f, FX_UNA + 300, FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 700);
	fx_advance_to_deadline(f);
	fx_expect_data(f, 300, 700);
	fx_end(f);
}

TEST(test_newreno_duplicates_in_recovery_let_new_data_out)
{
	struct fx *f = established(newreno_no_sack);
	uint32_t i;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	for (i = 0; i < 3; i++) {
		duplicate_acks(f, 1);
		fx_drain(f);
	}
	assert_int_equal(f->c->congestion.cwnd, 8 * FX_MSS); /* half, and three that left */
	duplicate_acks(f, 4);
	assert_int_equal(f->c->congestion.cwnd, 12 * FX_MSS);
	fx_expect_silence(f); /* 12 are in flight */
	duplicate_acks(f, 1);
	fx_expect_data(f, 12 * FX_MSS, FX_MSS);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	assert_int_equal(f->c->congestion.cwnd, 12 * FX_MSS); /* 13 - 2 + 1, RFC 6582 step 3 */
	fx_end(f);
}

TEST(test_newreno_progress_starts_the_count_of_duplicates_anew)
{
	struct fx *f = established(no_sack);

	send_full_segments(f, 6);
	duplicate_acks(f, 2);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	assert_true(f->c->board.recovering);
	fx_end(f);
}

TEST(test_sack_blocks_are_ignored_unless_negotiated)
{
	struct fx *f = established(no_sack);

	send_full_segments(f, 4);
	fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + 4 * FX_MSS);
	assert_int_equal(f->c->board.sacked_bytes, 0);
	fx_end(f);
}

TEST(test_fast_retransmit_takes_no_sample)
{
	struct fx *f = established(rfc6675);
	uint64_t latest_ns = f->c->rtt.latest_ns;
	uint32_t i;

	f->c->timestamps = false; /* the send time alone */
	send_full_segments(f, 4);
	for (i = 2; i <= 4; i++)
		fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + i * FX_MSS);
	fx_drain(f);
	f->now_ns += 50 * NS_PER_MS;
	fx_window(f, FX_UNA + 4 * FX_MSS, FX_WINDOW);
	assert_int_equal(f->c->rtt.latest_ns, latest_ns);
	fx_end(f);
}

TEST(test_rtt_of_a_retransmission_is_taken_from_its_timestamp)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	fx_advance_to_deadline(f);
	s = fx_expect(f);
	f->now_ns += 30 * NS_PER_MS;
	fx_input(f, (struct tcp_segment){.seq = FX_BASE,
			    .ack = FX_UNA + 1,
			    .flags = TCP_ACK,
			    .window = FX_WINDOW,
			    .options = TCP_OPT_TIMESTAMPS,
			    .ts_val = f->ts,
			    .ts_ecr = s.ts_val});
	assert_int_equal(f->c->rtt.latest_ns, 30 * NS_PER_MS); /* RFC 7323 §4 */
	assert_int_equal(f->c->rtt.backoff, 0);
	fx_end(f);
}

TEST(test_rto_restarts_with_each_ack_of_new_data)
{
	struct fx *f = established(NULL);

	send_full_segments(f, 4);
	f->now_ns += 150 * NS_PER_MS;
	f->c->timed_ns = 0; /* no sample: the RTO stays */
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	assert_int_equal(f->c->rto_at_ns, f->now_ns + tcp_rtt_rto(&f->c->rtt)); /* RFC 6298 §5.3 */
	fx_end(f);
}

TEST(test_rto_of_the_same_data_lowers_ssthresh_once)
{
	struct fx *f = established(rfc6675);
	uint32_t ssthresh;

	send_full_segments(f, 10);
	fx_advance_to_deadline(f);
	fx_drain(f);
	ssthresh = f->c->congestion.ssthresh;
	assert_in_range(ssthresh, 7 * FX_MSS - 1, 7 * FX_MSS);
	fx_advance_to_deadline(f);
	fx_drain(f);
	assert_int_equal(f->c->congestion.ssthresh, ssthresh); /* RFC 5681 §3.1 */
	fx_end(f);
}

TEST(test_window_zero_again_is_probed_from_the_first_interval)
{
	struct fx *f = with_window(0);
	uint64_t first_ns;
	uint32_t i;

	tcp_conn_send(f->c, "hello", 5);
	fx_expect_silence(f);
	first_ns = f->c->persist_ns - f->now_ns;
	for (i = 0; i < 3; i++) {
		fx_advance_to_deadline(f);
		fx_drain(f);
		fx_window(f, FX_UNA, 0);
	}
	fx_window(f, FX_UNA, 100);
	fx_drain(f);
	f->c->timed_ns = 0; /* no sample: the RTO stays */
	fx_window(f, FX_UNA + 5, 0);
	tcp_conn_send(f->c, "again", 5);
	fx_expect_silence(f);
	assert_int_equal(f->c->persist_ns - f->now_ns, first_ns);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_send_request_goes_at_once_with_psh),
		T(test_send_psh_is_set_where_the_queue_ends),
		T(test_send_buffer_takes_what_it_holds_and_wraps),
		T(test_send_initial_window_is_ten_segments),
		T(test_send_after_idle_restarts_from_the_initial_window),
		T(test_sack_three_duplicates_retransmit_fast),
		T(test_sack_recovery_rescues_the_tail_once),
		T(test_sack_news_in_data_segments_count_as_duplicates),
		T(test_sack_two_holes_are_repaired_in_one_recovery),
		T(test_newreno_three_duplicates_retransmit_and_partial_acks_go_on),
		T(test_newreno_window_updates_and_data_are_no_duplicates),
		T(test_limited_transmit_sends_one_segment_for_each_of_two_duplicates),
		T(test_dsack_alone_is_no_duplicate),
		T(test_rto_sends_everything_again_from_one_segment),
		T(test_rto_karn_takes_no_sample_of_a_retransmission),
		T(test_rtt_is_measured_from_the_segment_timed),
		T(test_window_of_the_peer_is_not_exceeded),
		T(test_window_zero_is_probed_with_backoff_until_it_opens),
		T(test_window_zero_is_borne_as_long_as_the_peer_answers),
		T(test_window_zero_of_a_dead_peer_times_out),
		T(test_window_shut_on_data_in_flight_is_borne),
		T(test_window_of_half_the_largest_is_used_at_once),
		T(test_window_too_small_for_a_segment_is_used_after_a_while),
		T(test_window_update_from_an_old_segment_is_ignored),
		T(test_ack_of_part_of_a_segment_frees_that_part),
		T(test_newreno_duplicates_in_recovery_let_new_data_out),
		T(test_newreno_progress_starts_the_count_of_duplicates_anew),
		T(test_sack_blocks_are_ignored_unless_negotiated),
		T(test_fast_retransmit_takes_no_sample),
		T(test_rtt_of_a_retransmission_is_taken_from_its_timestamp),
		T(test_rto_restarts_with_each_ack_of_new_data),
		T(test_rto_of_the_same_data_lowers_ssthresh_once),
		T(test_window_zero_again_is_probed_from_the_first_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
