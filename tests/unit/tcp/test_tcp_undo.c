/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Recoveries taken back: RFC 3522 by timestamps, RFC 3708 by D-SACK, the response of RFC 4015. */

static const uint8_t bytes[40000];

static void
no_timestamps(struct tcp_config *cfg)
{
	cfg->timestamps = false;
}

static void
rfc6675(struct tcp_config *cfg)
{
	cfg->rack = false;
}

static void
newreno_no_sack(struct tcp_config *cfg)
{
	cfg->sack = false;
	cfg->congestion = TCP_CONGESTION_NEWRENO;
}

/* Ten segments, a round trip of 20 ms, and the window as it was in congestion avoidance. */
static struct fx *
in_flight(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = fx_open(TCP_ESTABLISHED, change);

	f->c->rtt.min_rtt_ns = f->c->rtt.srtt_ns = 20 * NS_PER_MS;
	f->c->congestion.ssthresh = 9 * FX_MSS;
	tcp_conn_send(f->c, bytes, 10 * f->c->smss);
	assert_int_equal(fx_drain(f), 10);
	f->now_ns += 20 * NS_PER_MS;
	return f;
}

/* An ACK of the first segments that echoes what we sent ago_ns ago. */
static void
ack_echoing(struct fx *f, uint32_t segments, uint64_t ago_ns, uint8_t flags)
{
	fx_input(f, (struct tcp_segment){.seq = f->c->rcv_nxt,
			    .ack = FX_UNA + segments * f->c->smss,
			    .flags = TCP_ACK | flags,
			    .window = FX_WINDOW,
			    .options = TCP_OPT_TIMESTAMPS,
			    .ts_val = f->ts,
			    .ts_ecr = tcp_options_clock(f->c, f->now_ns - ago_ns)});
}

static void
sack(struct fx *f, uint32_t from, uint32_t to)
{
	fx_sack(f, f->c->snd_una, FX_UNA + from * f->c->smss, FX_UNA + to * f->c->smss);
}

/* Until the first segment goes again because the RTO expired. */
static void
time_out(struct fx *f)
{
	while (fx_count(f, COUNTER_TCP_RTO_EXPIRED) == 0) {
		fx_advance_to_deadline(f);
		fx_drain(f);
	}
	assert_true(f->c->board.after_rto);
	assert_int_equal(f->c->congestion.cwnd, f->c->smss);
}

static void
spurious_timeout(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = in_flight(change);
	uint64_t retransmits, rto_ns = tcp_rtt_rto(&f->c->rtt);

	time_out(f);
	retransmits = fx_count(f, COUNTER_TCP_RETRANSMITS);
	f->now_ns += 10 * NS_PER_MS;
	ack_echoing(f, 2, 600 * NS_PER_MS, 0); /* of the originals */
	assert_false(f->c->board.after_rto);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 1);
	assert_int_equal(f->c->congestion.ssthresh, 10 * FX_MSS); /* FlightSize was more */
	assert_int_equal(f->c->congestion.cwnd, 10 * FX_MSS); /* 8 in flight and 2 */
	assert_int_equal(fx_drain(f), 0); /* nothing goes again */
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), retransmits);
	assert_true(tcp_rtt_rto(&f->c->rtt) >= MAX_OF(rto_ns, 600 * NS_PER_MS));
	fx_window(f, FX_UNA + 10 * FX_MSS, FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

TEST(test_undo_timeout_before_late_acks_is_taken_back)
{
	spurious_timeout(NULL);
	spurious_timeout(rfc6675);
	spurious_timeout(newreno_no_sack);
}

TEST(test_undo_timeout_that_repaired_a_loss_stays)
{
	struct fx *f = in_flight(NULL);

	time_out(f);
	f->now_ns += 20 * NS_PER_MS;
	ack_echoing(f, 2, 20 * NS_PER_MS, 0); /* of the retransmission, to the tick */
	assert_true(f->c->board.after_rto);
	ack_echoing(f, 3, 600 * NS_PER_MS, 0); /* only the first such ACK decides */
	assert_true(f->c->board.after_rto);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	fx_end(f);
}

TEST(test_undo_recovery_before_a_late_segment_is_taken_back)
{
	struct fx *f = in_flight(NULL);

	sack(f, 1, 4);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	assert_true(f->c->congestion.ssthresh < 9 * FX_MSS);
	f->now_ns += 5 * NS_PER_MS;
	ack_echoing(f, 4, 25 * NS_PER_MS, 0);
	assert_false(f->c->board.recovering);
	assert_int_equal(f->c->congestion.ssthresh, 10 * FX_MSS);
	assert_int_equal(f->c->congestion.cwnd, 10 * FX_MSS);
	assert_true(f->c->rack.reordering_seen); /* RACK waits longer from now on */
	assert_int_equal(f->c->sent.lost_count, 0);
	assert_int_equal(f->c->congestion.cubic.cwnd_prior, 0); /* no reduction yet */
	fx_drain(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 1);
	fx_end(f);
}

TEST(test_undo_with_ecn_echo_does_not_happen)
{
	struct fx *f = in_flight(NULL);

	f->c->ecn.on = true;
	sack(f, 1, 4);
	fx_drain(f);
	f->now_ns += 5 * NS_PER_MS;
	ack_echoing(f, 4, 25 * NS_PER_MS, TCP_ECE);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	assert_true(f->c->board.recovering);
	fx_end(f);
}

TEST(test_undo_by_dsack_needs_one_for_each_retransmission)
{
	struct fx *f = in_flight(no_timestamps);
	uint32_t smss = f->c->smss, ssthresh;

	sack(f, 2, 6);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	fx_drain(f);
	sack(f, 2, 7);
	fx_drain(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 2);
	fx_window(f, FX_UNA + 10 * smss, FX_WINDOW); /* the recovery is over */
	assert_false(f->c->board.recovering);
	ssthresh = f->c->congestion.ssthresh;
	fx_sack(f, FX_UNA + 10 * smss, FX_UNA, FX_UNA + smss);
	assert_int_equal(f->c->congestion.ssthresh, ssthresh);
	fx_sack(f, FX_UNA + 10 * smss, FX_UNA + smss, FX_UNA + 2 * smss);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 1);
	assert_int_equal(f->c->congestion.ssthresh, 10 * smss);
	fx_sack(f, FX_UNA + 10 * smss, FX_UNA + smss, FX_UNA + 2 * smss);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 1);
	fx_end(f);
}

/* Of data that was acknowledged before the recovery began. */
TEST(test_undo_by_dsack_of_older_data_does_not_happen)
{
	struct fx *f = in_flight(NULL);

	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	sack(f, 2, 5);
	assert_int_equal(fx_expect(f).seq, FX_UNA + FX_MSS);
	fx_drain(f);
	fx_sack(f, FX_UNA + FX_MSS, FX_UNA, FX_UNA + FX_MSS);
	assert_true(f->c->board.recovering);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	fx_end(f);
}

/* The probe before the recovery was needless, as its D-SACK says; the recovery was not. */
TEST(test_undo_by_the_dsack_of_a_tail_loss_probe_does_not_happen)
{
	struct fx *f = in_flight(no_timestamps);
	uint32_t tail = FX_UNA + 9 * f->c->smss, end = tail + f->c->smss;
	struct tcp_segment s = {.flags = TCP_ACK,
		.ack = FX_UNA,
		.window = FX_WINDOW,
		.options = TCP_OPT_SACK,
		.sack_count = 2,
		.sack = {{tail, end}, {tail, end}}};

	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).seq, tail);
	assert_true(f->c->tlp.outstanding);
	f->now_ns += 20 * NS_PER_MS;
	sack(f, 9, 10);
	assert_true(f->c->board.recovering);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	fx_expect_silence(f);
	s.seq = f->c->rcv_nxt;
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	assert_true(f->c->board.recovering);
	fx_end(f);
}

/* A D-SACK that comes a round trip after the recovery is due to the network, not to it. */
TEST(test_undo_by_dsack_long_after_the_recovery_does_not_happen)
{
	struct fx *f = in_flight(no_timestamps);
	uint32_t smss = f->c->smss, ssthresh;

	sack(f, 1, 4);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	fx_drain(f);
	fx_window(f, FX_UNA + 10 * smss, FX_WINDOW);
	assert_false(f->c->board.recovering);
	ssthresh = f->c->congestion.ssthresh;
	tcp_conn_send(f->c, bytes, 2 * smss);
	fx_drain(f);
	f->now_ns += 20 * NS_PER_MS;
	fx_window(f, FX_UNA + 11 * smss, FX_WINDOW);
	fx_sack(f, FX_UNA + 11 * smss, FX_UNA + 10 * smss, FX_UNA + 11 * smss);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	assert_int_equal(f->c->congestion.ssthresh, ssthresh);
	fx_end(f);
}

/* The network made a second one of a segment that never went again. */
TEST(test_undo_by_dsack_of_what_was_not_sent_again_does_not_happen)
{
	struct fx *f = in_flight(no_timestamps);
	uint32_t smss = f->c->smss;
	struct tcp_segment s = {.flags = TCP_ACK,
		.ack = FX_UNA,
		.window = FX_WINDOW,
		.options = TCP_OPT_SACK,
		.sack_count = 2,
		.sack = {{FX_UNA + 2 * smss, FX_UNA + 3 * smss},
			{FX_UNA + smss, FX_UNA + 4 * smss}}};

	sack(f, 1, 4);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	fx_drain(f);
	s.seq = f->c->rcv_nxt;
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	assert_true(f->c->board.recovering);
	s.ack = FX_UNA + 4 * smss; /* and now of that which did */
	s.sack_count = 1;
	s.sack[0] = (struct tcp_sack_block){FX_UNA, FX_UNA + smss};
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 1);
	fx_end(f);
}

/* More places than are remembered: D-SACKs cannot account for all of them. */
TEST(test_undo_by_dsack_of_very_many_retransmissions_does_not_happen)
{
	struct fx *f = in_flight(no_timestamps);
	uint32_t smss = f->c->smss, i, n = 2 * (TCP_UNDO_RANGES + 2);
	uint64_t retransmits;

	f->c->congestion.cwnd = 40 * smss;
	tcp_conn_send(f->c, bytes, (n - 10) * smss);
	assert_int_equal(fx_drain(f), n - 10);
	f->now_ns += 20 * NS_PER_MS;
	for (i = 1; i < n; i += 2) {
		sack(f, i, i + 1);
		f->c->congestion.cwnd = 40 * smss;
		fx_drain(f);
	}
	retransmits = fx_count(f, COUNTER_TCP_RETRANSMITS);
	assert_int_equal(retransmits, n / 2);
	fx_window(f, FX_UNA + n * smss, FX_WINDOW);
	for (i = 0; i < n; i += 2)
		fx_sack(f, FX_UNA + n * smss, FX_UNA + i * smss, FX_UNA + (i + 1) * smss);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	fx_end(f);
}

/* The segment at SND.UNA went again in the recovery before: its ACK says nothing of this one, whose
 * first retransmission lies above. */
TEST(test_undo_by_the_ack_of_an_earlier_retransmission_does_not_happen)
{
	struct fx *f = in_flight(NULL);
	uint64_t again_ns;

	tcp_conn_send(f->c, bytes, 10 * FX_MSS);
	sack(f, 1, 4);
	f->c->congestion.cwnd = 20 * FX_MSS;
	fx_drain(f); /* the first segment, then new ones */
	assert_int_equal(tcp_snd_nxt(f->c) - FX_UNA, 20 * FX_MSS);
	f->now_ns += 5 * NS_PER_MS;
	sack(f, 5, 10);
	f->c->congestion.cwnd = 20 * FX_MSS; /* whatever PRR says */
	assert_int_equal(fx_expect(f).seq, FX_UNA + 4 * FX_MSS);
	f->now_ns += 15 * NS_PER_MS;
	again_ns = f->now_ns;
	ack_echoing(f, 4, 20 * NS_PER_MS, 0);
	sack(f, 11, 13);
	f->c->congestion.cwnd = 20 * FX_MSS;
	assert_int_equal(fx_expect(f).seq, FX_UNA + 10 * FX_MSS);
	fx_drain(f);
	f->now_ns += 5 * NS_PER_MS;
	ack_echoing(f, 10, 25 * NS_PER_MS, 0);
	assert_false(f->c->board.recovering);
	f->now_ns += 5 * NS_PER_MS;
	sack(f, 14, 15);
	assert_true(f->c->board.recovering);
	assert_int_equal(fx_expect(f).seq, FX_UNA + 13 * FX_MSS);
	f->now_ns += 10 * NS_PER_MS;
	ack_echoing(f, 13, f->now_ns - again_ns, 0);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	assert_true(f->c->board.recovering);
	fx_end(f);
}

TEST(test_undo_of_a_timeout_within_a_recovery_does_not_happen)
{
	struct fx *f = in_flight(NULL);

	sack(f, 1, 4);
	fx_drain(f);
	time_out(f);
	f->now_ns += 10 * NS_PER_MS;
	ack_echoing(f, 2, 600 * NS_PER_MS, 0);
	assert_true(f->c->board.after_rto);
	assert_int_equal(fx_count(f, COUNTER_TCP_UNDOS), 0);
	fx_end(f);
}

TEST(test_undo_never_exceeds_the_window_that_was)
{
	struct tcp_congestion_control cc;

	tcp_congestion_init(&cc, &tcp_congestion_newreno, 1000);
	tcp_congestion_save(&cc, 4000);
	tcp_congestion_on_rto(&cc, 4000, true, 0);
	assert_int_equal(cc.ssthresh, 2000);
	tcp_congestion_undo(&cc, 9000, 5000);
	assert_int_equal(cc.cwnd, 10000);
	assert_int_equal(cc.ssthresh, TCP_CONGESTION_CWND_MAX);
	assert_false(cc.after_rto);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_undo_timeout_before_late_acks_is_taken_back),
		T(test_undo_timeout_that_repaired_a_loss_stays),
		T(test_undo_recovery_before_a_late_segment_is_taken_back),
		T(test_undo_with_ecn_echo_does_not_happen),
		T(test_undo_by_dsack_needs_one_for_each_retransmission),
		T(test_undo_by_dsack_of_older_data_does_not_happen),
		T(test_undo_by_the_dsack_of_a_tail_loss_probe_does_not_happen),
		T(test_undo_by_dsack_long_after_the_recovery_does_not_happen),
		T(test_undo_by_dsack_of_what_was_not_sent_again_does_not_happen),
		T(test_undo_by_dsack_of_very_many_retransmissions_does_not_happen),
		T(test_undo_by_the_ack_of_an_earlier_retransmission_does_not_happen),
		T(test_undo_of_a_timeout_within_a_recovery_does_not_happen),
		T(test_undo_never_exceeds_the_window_that_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
