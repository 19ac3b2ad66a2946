/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Losses found by time, RFC 8985 §6, and the records of what is in flight. */

static const uint8_t bytes[65536];

static void
no_timestamps(struct tcp_config *cfg)
{
	cfg->timestamps = false;
}

static struct fx *
established(void (*change)(struct tcp_config *cfg))
{
	return fx_open(TCP_ESTABLISHED, change);
}

/* Segments of FX_MSS (or, without timestamps, of twelve bytes more), a round trip of 40 ms. */
static struct fx *
in_flight(uint32_t segments)
{
	struct fx *f = established(NULL);

	f->c->rtt.min_rtt_ns = f->c->rtt.srtt_ns = 40 * NS_PER_MS;
	f->c->rtt.base_rto_ns = 400 * NS_PER_MS;
	tcp_conn_send(f->c, bytes, segments * FX_MSS);
	assert_int_equal(fx_drain(f), segments);
	f->now_ns += 40 * NS_PER_MS;
	return f;
}

/* Segments from..to (exclusive) are SACKed. */
static void
sack(struct fx *f, uint32_t from, uint32_t to)
{
	fx_sack(f, f->c->snd_una, FX_UNA + from * FX_MSS, FX_UNA + to * FX_MSS);
}

TEST(test_rack_three_segments_sacked_are_enough_without_reordering)
{
	struct fx *f = in_flight(5);

	sack(f, 1, 2);
	fx_expect_silence(f);
	sack(f, 1, 3);
	fx_expect_silence(f);
	sack(f, 1, 4);
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_silence(f); /* the fifth is not lost: nothing that was sent after it came */
	assert_true(f->c->board.recovering);
	fx_window(f, FX_UNA + 5 * FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 0);
	fx_end(f);
}

TEST(test_rack_one_segment_sacked_is_after_the_reordering_window)
{
	struct fx *f = in_flight(4);
	uint64_t sacked_ns = f->now_ns;

	sack(f, 3, 4);
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	assert_int_equal(f->now_ns - sacked_ns, 10 * NS_PER_MS); /* min_RTT / 4 */
	fx_expect_data(f, 0, FX_MSS);
	fx_expect_silence(f); /* PRR: nothing was delivered */
	assert_true(f->c->board.recovering);
	assert_int_equal(f->c->sent.lost_count, 2);
	f->now_ns += 40 * NS_PER_MS;
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	fx_expect_data(f, FX_MSS, FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_end(f);
}

TEST(test_rack_segment_that_comes_within_the_window_was_only_late)
{
	struct fx *f = in_flight(4);

	sack(f, 1, 2);
	f->now_ns += 9 * NS_PER_MS;
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	assert_true(f->c->rack.reordering_seen);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_PTO);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 0);
	/* From now on three segments are not enough. */
	tcp_conn_send(f->c, bytes, 4 * FX_MSS);
	fx_drain(f);
	f->now_ns += 40 * NS_PER_MS;
	fx_sack(f, FX_UNA + 2 * FX_MSS, FX_UNA + 4 * FX_MSS, FX_UNA + 8 * FX_MSS);
	/* The third and fourth went 49 ms before the newest delivered. */
	assert_true(f->c->board.recovering);
	f->now_ns += NS_PER_MS;
	fx_end(f);
}

TEST(test_rack_three_segments_sacked_wait_once_reordering_was_seen)
{
	struct fx *f = in_flight(5);

	f->c->rack.reordering_seen = true;
	sack(f, 1, 5);
	fx_expect_silence(f);
	assert_false(f->c->board.recovering);
	fx_advance_to_deadline(f);
	fx_expect_data(f, 0, FX_MSS);
	fx_end(f);
}

TEST(test_rack_retransmission_lost_again_is_found_without_a_timeout)
{
	struct fx *f = in_flight(6);

	sack(f, 1, 4);
	fx_expect_data(f, 0, FX_MSS);
	fx_drain(f);
	tcp_conn_send(f->c, bytes, 2 * FX_MSS);
	assert_int_equal(fx_drain(f), 1);
	f->now_ns += 40 * NS_PER_MS;
	fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + 7 * FX_MSS); /* sent after it */
	fx_expect_data(f, 0, FX_MSS);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 0);
	fx_end(f);
}

/* A retransmission starts the RTO anew; the segments that wait for the reordering window to close go on
 * waiting for that only. */
TEST(test_rack_retransmission_leaves_the_reordering_timer)
{
	struct fx *f = in_flight(1);
	uint64_t sacked_ns;

	tcp_conn_send(f->c, bytes, 4 * FX_MSS);
	assert_int_equal(fx_drain(f), 4);
	f->now_ns += 40 * NS_PER_MS;
	f->c->rack.reordering_seen = true;
	sacked_ns = f->now_ns;
	sack(f, 2, 5);
	fx_expect_data(f, 0, FX_MSS); /* sent 40 ms before the newest delivered */
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	assert_int_equal(f->now_ns - sacked_ns, 10 * NS_PER_MS);
	fx_expect_data(f, FX_MSS, FX_MSS);
	fx_end(f);
}

/* The recovery is over, nothing is SACKed, yet what was sent in it is older than its last
 * retransmission, which arrived. */
TEST(test_rack_segment_overtaken_by_a_retransmission_is_found_after_the_recovery)
{
	struct fx *f = in_flight(6);
	struct tcp_segment ack = {.flags = TCP_ACK,
		.ack = FX_UNA + 6 * FX_MSS,
		.window = FX_WINDOW,
		.options = TCP_OPT_TIMESTAMPS};
	uint64_t over_ns;

	sack(f, 1, 4);
	fx_expect_data(f, 0, FX_MSS);
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_expect_data(f, 6 * FX_MSS, FX_MSS); /* gets lost */
	f->now_ns += 5 * NS_PER_MS;
	sack(f, 5, 6);
	fx_expect_data(f, 4 * FX_MSS, FX_MSS);
	ack.seq = f->c->rcv_nxt;
	ack.ts_val = f->ts;
	ack.ts_ecr = tcp_options_clock(f->c, f->now_ns);
	f->now_ns += 40 * NS_PER_MS;
	fx_input(f, ack);
	assert_false(f->c->board.recovering);
	assert_int_equal(f->c->sent.count, 1);
	fx_expect_silence(f);
	over_ns = f->now_ns;
	fx_advance_to_deadline(f);
	assert_in_range(f->now_ns - over_ns, 1, 10 * NS_PER_MS);
	fx_expect_data(f, 6 * FX_MSS, FX_MSS);
	assert_true(f->c->board.recovering);
	fx_end(f);
}

/* RFC 5681 §4.3: the loss of a retransmission is a further indication of congestion. */
TEST(test_rack_retransmission_lost_after_a_timeout_lowers_the_window_again)
{
	struct fx *f = established(no_timestamps);
	uint32_t smss = f->c->smss, ssthresh, lowered, i;

	f->c->rtt.min_rtt_ns = f->c->rtt.srtt_ns = 40 * NS_PER_MS;
	tcp_conn_send(f->c, bytes, 10 * smss);
	while (fx_count(f, COUNTER_TCP_RTO_EXPIRED) == 0) {
		fx_drain(f);
		fx_advance_to_deadline(f);
		tcp_timer_run(f->c, f->now_ns);
	}
	ssthresh = f->c->congestion.ssthresh;
	fx_expect_data(f, 0, smss);
	f->now_ns += 40 * NS_PER_MS;
	fx_window(f, FX_UNA + smss, FX_WINDOW);
	assert_int_equal(fx_drain(f), 2);
	f->now_ns += 40 * NS_PER_MS;
	for (i = 2; i <= 3; i++) {
		fx_window(f, FX_UNA + i * smss, FX_WINDOW);
		assert_int_equal(fx_drain(f), 2);
	}
	/* The fourth to seventh are under way, and every second one gets lost again. */
	assert_int_equal(f->c->congestion.ssthresh, ssthresh);
	f->now_ns += 40 * NS_PER_MS;
	fx_sack(f, FX_UNA + 3 * smss, FX_UNA + 4 * smss, FX_UNA + 5 * smss);
	lowered = f->c->congestion.ssthresh;
	assert_true(lowered < ssthresh);
	assert_true(f->c->congestion.cwnd <= lowered);
	fx_sack(f, FX_UNA + 3 * smss, FX_UNA + 6 * smss, FX_UNA + 7 * smss);
	assert_int_equal(f->c->congestion.ssthresh, lowered); /* of the same window */
	fx_expect_data(f, 3 * smss, smss);
	f->now_ns += 40 * NS_PER_MS;
	fx_window(f, FX_UNA + 10 * smss, FX_WINDOW);
	assert_false(tcp_recovery_on(f->c));
	fx_end(f);
}

/* An ACK that comes sooner than a round trip, or echoes an older timestamp, is that of the first
 * transmission. */
TEST(test_rack_ack_of_an_earlier_transmission_teaches_nothing)
{
	struct fx *f = in_flight(4);
	uint64_t xmit_ns;
	struct tcp_segment s = {.flags = TCP_ACK, .window = FX_WINDOW, .ack = FX_UNA + FX_MSS};

	sack(f, 1, 4);
	xmit_ns = f->c->rack.xmit_ns;
	fx_expect_data(f, 0, FX_MSS);
	f->now_ns += 60 * NS_PER_MS; /* long enough, were it not for the echo */
	s.seq = f->c->rcv_nxt;
	s.options = TCP_OPT_TIMESTAMPS;
	s.ts_val = f->ts;
	s.ts_ecr = tcp_options_clock(f->c, f->now_ns - 100 * NS_PER_MS);
	fx_input(f, s);
	assert_int_equal(f->c->rack.xmit_ns, xmit_ns);
	fx_end(f);
	f = established(no_timestamps);
	tcp_conn_send(f->c, bytes, 4 * 1460);
	fx_drain(f);
	f->now_ns += 40 * NS_PER_MS;
	f->c->rtt.min_rtt_ns = 40 * NS_PER_MS;
	fx_sack(f, FX_UNA, FX_UNA + 1460, FX_UNA + 4 * 1460);
	xmit_ns = f->c->rack.xmit_ns;
	fx_expect_data(f, 0, 1460);
	f->now_ns += 39 * NS_PER_MS;
	fx_window(f, FX_UNA + 4 * 1460, FX_WINDOW);
	assert_int_equal(f->c->rack.xmit_ns, xmit_ns);
	fx_end(f);
}

TEST(test_rack_dsack_widens_the_window_once_a_round_for_sixteen_recoveries)
{
	struct fx *f = in_flight(4);
	struct tcp_rack_event event = {.recovered = true};
	struct tcp_scoreboard_news news = {0};
	struct tcp_segment s = {0};
	uint32_t i;

	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	for (i = 0; i < 3; i++) /* of one round */
		fx_sack(f, FX_UNA + FX_MSS, FX_UNA, FX_UNA + 100);
	assert_int_equal(f->c->rack.reo_wnd_mult, 2);
	for (i = 0; i < 16; i++) {
		assert_int_equal(f->c->rack.reo_wnd_mult, 2);
		tcp_rack_on_ack(f->c, &s, &news, &event, f->now_ns);
	}
	assert_int_equal(f->c->rack.reo_wnd_mult, 1);
	f->c->rack.reo_wnd_mult = 2;
	fx_sack(f, FX_UNA + FX_MSS, FX_UNA + 3 * FX_MSS, FX_UNA + 4 * FX_MSS);
	assert_int_equal(f->c->rto_ns - f->now_ns, 20 * NS_PER_MS);
	fx_end(f);
}

/* §6.3: what was sent less than a round trip ago is not lost because the first segment is. */
TEST(test_rack_timeout_spares_what_was_sent_just_now)
{
	struct fx *f = established(NULL);

	tcp_conn_send(f->c, bytes, 2 * FX_MSS);
	fx_drain(f);
	f->now_ns += 2 * NS_PER_MS;
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	f->c->rack.rtt_ns = 40 * NS_PER_MS;
	f->c->tlp.outstanding = true; /* no probe */
	tcp_timer_cancel(f->c, TCP_TIMER_PTO);
	f->now_ns = f->c->rto_at_ns - NS_PER_MS;
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_advance_to_deadline(f);
	fx_expect_data(f, FX_MSS, FX_MSS);
	fx_expect_silence(f);
	assert_int_equal(f->c->sent.lost_count, 0);
	fx_window(f, FX_UNA + 3 * FX_MSS, FX_WINDOW);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 1);
	fx_end(f);
}

TEST(test_rack_sack_of_an_overtaken_ack_counts)
{
	struct fx *f = in_flight(6);

	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	fx_sack(f, FX_UNA + FX_MSS, FX_UNA + 3 * FX_MSS, FX_UNA + 6 * FX_MSS);
	assert_int_equal(f->c->board.sacked_bytes, 3 * FX_MSS);
	fx_expect_data(f, 2 * FX_MSS, FX_MSS);
	fx_end(f);
}

TEST(test_rack_sack_of_a_part_is_no_delivery_and_the_part_is_not_sent_again)
{
	struct fx *f = in_flight(2);

	fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + FX_MSS + 100);
	assert_int_equal(f->c->sent.sacked_count, 0);
	assert_false(f->c->rack.delivered_any);
	sack(f, 0, 0); /* nothing */
	tcp_rack_on_all_lost(f->c);
	f->c->retransmit_first = true;
	fx_expect_data(f, 0, FX_MSS); /* up to what was SACKed */
	assert_int_equal(tcp_sent_left(&f->c->sent, 1), FX_UNA + FX_MSS);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	fx_end(f);
}

/* Their memory is bounded: what does not fit waits, and goes in fewer segments. */
TEST(test_rack_records_bound_the_segments_in_flight)
{
	struct fx *f = established(NULL);
	struct tcp_segment s;
	uint32_t i, sent = 0;

	for (i = 0; i < 300; i++) {
		tcp_conn_send(f->c, bytes, 1);
		sent += fx_drain(f);
	}
	assert_int_equal(sent, f->c->sent.size / 2);
	fx_window(f, FX_UNA + 1, FX_WINDOW);
	s = fx_expect(f);
	assert_int_equal(fx_payload_len(&s), 300 - sent);
	fx_expect_silence(f);
	fx_end(f);
}

/* A peer that SACKs crumbs of every segment makes records split. */
TEST(test_rack_crumbs_sacked_split_records_and_all_arrives)
{
	struct fx *f = established(NULL);
	uint32_t i, rounds = 0;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	fx_drain(f);
	for (i = 1; i < 10 * FX_MSS - 8; i += 8) {
		fx_sack(f, FX_UNA, FX_UNA + i, FX_UNA + i + 4);
		if (i % 16 == 1) {
			f->now_ns += NS_PER_MS;
			fx_drain(f);
		}
	}
	while (rounds++ < 12) {
		fx_advance_to_deadline(f);
		fx_drain(f);
		for (i = 1; i < 10 * FX_MSS - 8; i += 80)
			fx_sack(f, FX_UNA, FX_UNA + i, FX_UNA + i + 4);
		fx_window(f, FX_UNA, FX_WINDOW);
	}
	assert_true(f->c->sent.count > 10);
	while (tcp_conn_send_queued(f->c) > 0) {
		fx_window(f, f->c->snd_una + MIN_OF(tcp_snd_nxt(f->c) - f->c->snd_una, 1000U),
			FX_WINDOW);
		fx_drain(f);
	}
	assert_int_equal(f->c->sent.count, 0);
	fx_end(f);
}

#define TINY 16U
#define HOSTILE_BYTES (128U * TINY)

/* SACKs the tail and, of every third segment below, a byte or two in the middle. */
static void
sack_crumbs(struct fx *f, uint32_t round)
{
	uint32_t i, at, una = f->c->snd_una, nxt = tcp_snd_nxt(f->c);

	for (i = round % 3; (i + 1) * TINY < HOSTILE_BYTES; i += 3) {
		at = FX_UNA + i * TINY + 3 + 4 * (round % 3);
		if (seq_gt(at, una) && seq_lt(at + 2, nxt))
			fx_sack(f, una, at, at + 1 + round % 2);
	}
	fx_sack(f, una, nxt - 1, nxt);
	fx_sack(f, una, nxt - TINY, nxt);
}

/* A peer that SACKs crumbs of many tiny segments uses up all the records, reneges at each timeout, and
 * at last takes it all. */
TEST(test_rack_hostile_sacks_exhaust_the_records_and_all_arrives)
{
	struct fx *f = established(NULL);
	uint32_t i, round, most = 0;
	struct tcp_segment s;
	uint32_t has = FX_UNA, before;

	f->c->congestion.cwnd = 1U << 20;
	for (i = 0; i < HOSTILE_BYTES / TINY; i++) {
		tcp_conn_send(f->c, bytes, TINY);
		assert_int_equal(fx_drain(f), 1);
	}
	for (round = 0; round < 60; round++) {
		f->now_ns += 5 * NS_PER_MS;
		sack_crumbs(f, round);
		(void)fx_drain(f);
		if (round % 12 == 11) {
			fx_advance_to_deadline(f);
			(void)fx_drain(f);
		}
		f->c->congestion.cwnd = 1U << 20; /* the worst case: nothing holds it back */
		(void)fx_drain(f);
		most = MAX_OF(most, f->c->sent.count);
	}
	assert_int_equal(most, f->c->sent.size);
	for (round = 0; round < 200 && tcp_conn_send_queued(f->c) > 0; round++) {
		before = has;
		while (tcp_conn_output(f->c, f->now_ns, &s)) {
			tcp_conn_check(f->c);
			if (seq_leq(s.seq, has) && seq_gt(s.seq + fx_payload_len(&s), has))
				has = s.seq + fx_payload_len(&s);
		}
		f->now_ns += NS_PER_MS;
		if (has != before)
			fx_window(f, has, FX_WINDOW);
		else
			fx_advance_to_deadline(f);
	}
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	assert_int_equal(f->c->sent.count, 0);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	tcp_conn_send(f->c, bytes, FX_MSS); /* and goes on */
	assert_int_equal(fx_drain(f), 1);
	fx_end(f);
}

TEST(test_sent_split_without_room_takes_the_whole_record)
{
	struct tcp_sent_record ring[TCP_SENT_RECORDS_MIN];
	struct tcp_sent s;
	uint32_t i;

	assert_int_equal(tcp_sent_records(1024), TCP_SENT_RECORDS_MIN);
	tcp_sent_init(&s, ring, TCP_SENT_RECORDS_MIN);
	tcp_sent_reset(&s, 100);
	for (i = 0; i < s.size; i++)
		tcp_sent_on_new(&s, 110 + 10 * i, 1);
	tcp_sent_set_lost(&s, 3);
	tcp_sent_on_retransmit(&s, 3, &(struct tcp_sack_block){133, 136}, 5);
	assert_int_equal(s.count, s.size);
	assert_int_equal(s.lost_count, 0);
	assert_int_equal(tcp_sent_at(&s, 3)->xmit_ns, 5);
	tcp_sent_check(&s, 100, 100 + 10 * s.size);
	tcp_sent_on_ack(&s, 125);
	tcp_sent_set_lost(&s, 0);
	tcp_sent_on_retransmit(&s, 0, &(struct tcp_sack_block){126, 128}, 6);
	assert_int_equal(s.lost_count, 2); /* 125..126 and 128..130 */
	assert_int_equal(tcp_sent_left(&s, 1), 126);
	assert_int_equal(tcp_sent_left(&s, 2), 128);
	tcp_sent_check(&s, 125, 100 + 10 * s.size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rack_three_segments_sacked_are_enough_without_reordering),
		T(test_rack_one_segment_sacked_is_after_the_reordering_window),
		T(test_rack_segment_that_comes_within_the_window_was_only_late),
		T(test_rack_three_segments_sacked_wait_once_reordering_was_seen),
		T(test_rack_retransmission_lost_again_is_found_without_a_timeout),
		T(test_rack_retransmission_leaves_the_reordering_timer),
		T(test_rack_segment_overtaken_by_a_retransmission_is_found_after_the_recovery),
		T(test_rack_retransmission_lost_after_a_timeout_lowers_the_window_again),
		T(test_rack_ack_of_an_earlier_transmission_teaches_nothing),
		T(test_rack_dsack_widens_the_window_once_a_round_for_sixteen_recoveries),
		T(test_rack_timeout_spares_what_was_sent_just_now),
		T(test_rack_sack_of_an_overtaken_ack_counts),
		T(test_rack_sack_of_a_part_is_no_delivery_and_the_part_is_not_sent_again),
		T(test_rack_records_bound_the_segments_in_flight),
		T(test_rack_crumbs_sacked_split_records_and_all_arrives),
		T(test_rack_hostile_sacks_exhaust_the_records_and_all_arrives),
		T(test_sent_split_without_room_takes_the_whole_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
