/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Tail loss probes, RFC 8985 §7. The round trip is 1 ms, the RTO 200 ms. */

static const uint8_t bytes[40000];

static struct fx *
in_flight(uint32_t segments)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, bytes, segments * FX_MSS);
	assert_int_equal(fx_drain(f), segments);
	return f;
}

/* The PTO has come: this segment goes, alone. */
static void
expect_probe(struct fx *f, uint32_t segment)
{
	struct tcp_segment s;

	assert_int_equal(f->c->timer_kind, TCP_TIMER_PTO);
	fx_advance_to_deadline(f);
	s = fx_expect(f);
	assert_int_equal(s.seq - FX_UNA, segment * FX_MSS);
	assert_int_equal(fx_payload_len(&s), FX_MSS);
	fx_expect_silence(f);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_RTO);
	assert_int_equal(f->c->rto_ns, f->now_ns + tcp_rtt_rto(&f->c->rtt));
}

/* The segment is SACKed, as sent now_ns - 1 ms. */
static void
sack_with_echo(struct fx *f, uint32_t segment)
{
	fx_input(
		f, (struct tcp_segment){.seq = f->c->rcv_nxt,
			   .ack = FX_UNA,
			   .flags = TCP_ACK,
			   .window = FX_WINDOW,
			   .options = TCP_OPT_SACK | TCP_OPT_TIMESTAMPS,
			   .ts_val = f->ts,
			   .ts_ecr = tcp_options_clock(f->c, f->now_ns - NS_PER_MS),
			   .sack_count = 1,
			   .sack = {{FX_UNA + segment * FX_MSS, FX_UNA + (segment + 1) * FX_MSS}}});
}

TEST(test_tlp_sends_the_last_segment_again_after_two_round_trips)
{
	struct fx *f = in_flight(4);

	assert_int_equal(f->c->rto_ns, f->now_ns + 2 * f->c->rtt.srtt_ns);
	expect_probe(f, 3);
	assert_int_equal(fx_count(f, COUNTER_TCP_TLP_PROBES), 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 0);
	/* The peer has it, and so shows the hole. */
	f->now_ns += NS_PER_MS;
	sack_with_echo(f, 3);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	assert_true(f->c->board.recovering);
	assert_false(f->c->tlp.outstanding);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 0);
	fx_end(f);
}

/* A single segment's ACK may be delayed; with an RTO that is no longer, the probe takes its place. */
TEST(test_tlp_of_one_segment_waits_for_a_delayed_ack_but_not_beyond_the_rto)
{
	struct fx *f = in_flight(1);

	assert_int_equal(f->c->rto_ns, f->now_ns + 200 * NS_PER_MS);
	expect_probe(f, 0);
	fx_end(f);
	f = fx_open(TCP_ESTABLISHED, NULL);
	f->c->rtt.base_rto_ns = NS_PER_SEC;
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_drain(f);
	assert_int_equal(f->c->rto_ns, f->now_ns + 200 * NS_PER_MS + 2 * f->c->rtt.srtt_ns);
	assert_int_equal(f->c->rto_at_ns, f->now_ns + NS_PER_SEC);
	fx_end(f);
}

TEST(test_tlp_without_a_round_trip_time_waits_a_second)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	f->c->rtt.samples = 0;
	f->c->rtt.base_rto_ns = 3 * NS_PER_SEC;
	tcp_conn_send(f->c, bytes, 100);
	fx_drain(f);
	assert_int_equal(f->c->rto_ns, f->now_ns + NS_PER_SEC);
	fx_end(f);
}

/* §7.3: one segment more than cwnd, the initial window included. */
TEST(test_tlp_of_new_data_goes_beyond_cwnd_by_one_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	expect_probe(f, 10);
	assert_false(f->c->tlp.is_retrans);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 0);
	fx_window(f, FX_UNA + 11 * FX_MSS, FX_WINDOW);
	assert_false(f->c->tlp.outstanding);
	assert_int_equal(f->c->congestion.ssthresh, TCP_CONGESTION_CWND_MAX); /* nothing was lost */
	fx_end(f);
}

TEST(test_tlp_of_new_data_stays_within_the_peers_window)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	f->c->snd_wscale = 0;
	fx_window(f, FX_UNA, 3 * FX_MSS);
	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 3);
	expect_probe(f, 2);
	assert_true(f->c->tlp.is_retrans);
	fx_end(f);
}

TEST(test_tlp_is_followed_by_the_rto_and_no_second_probe)
{
	struct fx *f = in_flight(4);

	expect_probe(f, 3);
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	assert_int_equal(fx_count(f, COUNTER_TCP_RTO_EXPIRED), 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_TLP_PROBES), 1);
	assert_false(f->c->tlp.outstanding);
	fx_end(f);
}

/* ---- what the probe's ACK says, §7.4 ---- */

TEST(test_tlp_that_repaired_a_loss_reduces_the_window)
{
	struct fx *f = in_flight(10);
	uint32_t cwnd = f->c->congestion.cwnd;

	expect_probe(f, 9);
	f->now_ns += NS_PER_MS;
	fx_window(f, FX_UNA + 10 * FX_MSS, FX_WINDOW);
	assert_true(f->c->tlp.outstanding); /* the original or the probe? */
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_drain(f);
	f->now_ns += NS_PER_MS;
	fx_window(f, FX_UNA + 11 * FX_MSS, FX_WINDOW); /* no D-SACK between */
	assert_false(f->c->tlp.outstanding);
	assert_true(f->c->congestion.cwnd < cwnd);
	fx_end(f);
}

TEST(test_tlp_that_was_needless_reduces_nothing)
{
	struct fx *f = in_flight(10);
	uint32_t mult = f->c->rack.reo_wnd_mult;

	expect_probe(f, 9);
	f->now_ns += NS_PER_MS;
	fx_window(f, FX_UNA + 10 * FX_MSS, FX_WINDOW);
	fx_sack(f, FX_UNA + 10 * FX_MSS, FX_UNA + 9 * FX_MSS, FX_UNA + 10 * FX_MSS);
	assert_false(f->c->tlp.outstanding);
	assert_int_equal(f->c->rack.reo_wnd_mult, mult); /* nor is it RACK's fault */
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_drain(f);
	f->now_ns += NS_PER_MS;
	fx_window(f, FX_UNA + 11 * FX_MSS, FX_WINDOW);
	assert_int_equal(f->c->congestion.ssthresh, TCP_CONGESTION_CWND_MAX);
	fx_end(f);
}

TEST(test_tlp_answered_by_a_duplicate_ack_without_sack_was_needless)
{
	struct fx *f = in_flight(2);

	expect_probe(f, 1);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	assert_false(f->c->tlp.outstanding);
	fx_end(f);
}

/* §7.3: one probe until the round trip is measured anew. */
TEST(test_tlp_needs_a_sample_since_the_last_one)
{
	struct fx *f = in_flight(2);

	expect_probe(f, 1);
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW); /* Karn: no sample */
	fx_window(f, FX_UNA + 2 * FX_MSS, FX_WINDOW);
	tcp_conn_send(f->c, bytes, 2 * FX_MSS);
	fx_drain(f);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_RTO);
	f->now_ns += NS_PER_MS;
	fx_window(f, FX_UNA + 4 * FX_MSS, FX_WINDOW);
	tcp_conn_send(f->c, bytes, 2 * FX_MSS);
	fx_drain(f);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_PTO);
	fx_end(f);
}

TEST(test_tlp_is_forgotten_when_recovery_begins)
{
	struct fx *f = in_flight(6);

	expect_probe(f, 5);
	f->now_ns += NS_PER_MS;
	fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + 4 * FX_MSS);
	assert_true(f->c->board.recovering);
	assert_false(f->c->tlp.outstanding);
	assert_false(f->c->tlp_due);
	fx_drain(f);
	fx_window(f, FX_UNA + 6 * FX_MSS, FX_WINDOW);
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_drain(f);
	fx_window(f, FX_UNA + 7 * FX_MSS, FX_WINDOW); /* no second reduction */
	assert_false(f->c->board.recovering);
	fx_end(f);
}

TEST(test_tlp_is_not_scheduled_while_sacks_tell_of_holes)
{
	struct fx *f = in_flight(6);

	f->now_ns += NS_PER_MS;
	f->c->rack.reordering_seen = true;
	fx_sack(f, FX_UNA, FX_UNA + 2 * FX_MSS, FX_UNA + 3 * FX_MSS);
	fx_window(f, FX_UNA + FX_MSS, FX_WINDOW);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_REO);
	tcp_conn_send(f->c, bytes, FX_MSS);
	fx_drain(f);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_REO);
	fx_end(f);
}

TEST(test_tlp_of_a_fin_sends_the_fin_again)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_close(f->c, f->now_ns);
	fx_expect_flags(f, TCP_FIN | TCP_ACK);
	fx_advance_to_deadline(f);
	assert_int_equal(f->c->timer_kind, TCP_TIMER_PTO);
	fx_expect_flags(f, TCP_FIN | TCP_ACK);
	fx_control(f, FX_BASE, FX_UNA + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_2);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tlp_sends_the_last_segment_again_after_two_round_trips),
		T(test_tlp_of_one_segment_waits_for_a_delayed_ack_but_not_beyond_the_rto),
		T(test_tlp_without_a_round_trip_time_waits_a_second),
		T(test_tlp_of_new_data_goes_beyond_cwnd_by_one_segment),
		T(test_tlp_of_new_data_stays_within_the_peers_window),
		T(test_tlp_is_followed_by_the_rto_and_no_second_probe),
		T(test_tlp_that_repaired_a_loss_reduces_the_window),
		T(test_tlp_that_was_needless_reduces_nothing),
		T(test_tlp_answered_by_a_duplicate_ack_without_sack_was_needless),
		T(test_tlp_needs_a_sample_since_the_last_one),
		T(test_tlp_is_forgotten_when_recovery_begins),
		T(test_tlp_is_not_scheduled_while_sacks_tell_of_holes),
		T(test_tlp_of_a_fin_sends_the_fin_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
