/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Explicit congestion notification, RFC 3168. */

static void
ask(struct tcp_config *cfg)
{
	cfg->ecn = true;
	cfg->ack_segments_max = 1;
}

static void
ask_delayed(struct tcp_config *cfg)
{
	cfg->ecn = true;
	cfg->ack_policy = TCP_ACK_DELAYED;
}

static void
syn_ack_with(struct fx *f, uint8_t bits)
{
	struct tcp_segment s = fx_syn_ack(f);

	s.flags |= bits;
	f->now_ns += NS_PER_MS;
	fx_input(f, s);
	fx_expect_ack(f, 0);
	fx_window(f, FX_UNA, FX_WINDOW);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	f->c->ack.quick_left = 0;
	f->c->ack.since_ns = f->now_ns;
}

/* An ECN connection in ESTABLISHED. */
static struct fx *
open_ecn(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = fx_open(TCP_SYN_SENT, change);

	syn_ack_with(f, TCP_ECE);
	assert_true(f->c->ecn.on);
	return f;
}

static void
data_with(struct fx *f, uint32_t offset, uint32_t len, uint8_t flags, uint8_t ecn)
{
	struct tcp_segment s = fx_segment(f, offset, len);

	s.flags |= flags;
	s.ecn = ecn;
	fx_input(f, s);
}

static void
queue(struct fx *f, uint32_t bytes)
{
	static const uint8_t zeros[65536];

	assert_int_equal(tcp_conn_send(f->c, zeros, bytes), bytes);
}

/* ---- negotiation, §6.1.1 ---- */

TEST(test_ecn_syn_by_default_does_not_ask)
{
	struct fx *f = fx_open(TCP_SYN_SENT, NULL);
	struct tcp_info info;

	f->now_ns += NS_PER_SEC;
	fx_expect_flags(f, TCP_SYN);
	syn_ack_with(f, TCP_ECE); /* §6.1.1: an answer to no question */
	tcp_conn_info(f->c, &info);
	assert_false(info.ecn);
	fx_end(f);
}

/* §6.1.1: the ECN-setup SYN. §6.1.1.1: a second one may do, a third one would be stubborn. */
TEST(test_ecn_syn_lost_twice_asks_no_more)
{
	struct fx *f = fx_open_syn(ask);

	fx_expect_flags(f, TCP_SYN | TCP_ECE | TCP_CWR);
	fx_advance_to_deadline(f);
	fx_expect_flags(f, TCP_SYN | TCP_ECE | TCP_CWR);
	fx_advance_to_deadline(f);
	fx_expect_flags(f, TCP_SYN);
	syn_ack_with(f, TCP_ECE); /* it answers one of the first two */
	assert_true(f->c->ecn.on); /* what the peer marks is echoed, */
	queue(f, 100);
	assert_int_equal(fx_expect(f).ecn, 0); /* but §6.1.1: no ECT after a non-ECN-setup SYN */
	fx_end(f);
}

/* §6.1.1.1: "SHOULD resend a SYN packet with CWR and ECE cleared" */
TEST(test_ecn_syn_refused_is_tried_once_without)
{
	struct fx *f = fx_open_syn(ask);

	fx_expect_flags(f, TCP_SYN | TCP_ECE | TCP_CWR);
	fx_control(f, 0, FX_ISS + 1, TCP_RST | TCP_ACK);
	fx_expect_flags(f, TCP_SYN);
	fx_control(f, 0, FX_ISS + 1, TCP_RST | TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), -ECONNREFUSED);
	fx_end(f);
}

TEST(test_ecn_syn_ack_without_ece_leaves_it_off)
{
	struct fx *f = fx_open(TCP_SYN_SENT, ask);

	syn_ack_with(f, 0);
	data_with(f, 0, 100, 0, TCP_ECN_CE);
	fx_expect_ack(f, 100);
	queue(f, 100);
	assert_int_equal(fx_expect(f).ecn, 0);
	fx_end(f);
}

/* §6.1.1: a host that reflects the reserved bits does not mean it. */
TEST(test_ecn_syn_ack_that_reflects_both_bits_leaves_it_off)
{
	struct fx *f = fx_open(TCP_SYN_SENT, ask);

	syn_ack_with(f, TCP_ECE | TCP_CWR);
	assert_false(f->c->ecn.on);
	fx_end(f);
}

TEST(test_ecn_simultaneous_syn_is_answered_with_ece)
{
	struct fx *f = fx_open(TCP_SYN_SENT, ask);
	struct tcp_segment syn = fx_syn_ack(f);

	syn.flags = TCP_SYN | TCP_ECE | TCP_CWR;
	syn.ack = 0;
	fx_input(f, syn);
	fx_expect_flags(f, TCP_SYN | TCP_ACK | TCP_ECE);
	assert_true(f->c->ecn.on);
	fx_end(f);
}

/* ---- the receiver, §6.1.3 ---- */

TEST(test_ecn_ce_is_echoed_until_cwr)
{
	struct fx *f = open_ecn(ask);

	data_with(f, 0, 100, 0, TCP_ECN_ECT0);
	fx_expect_ack(f, 100);
	data_with(f, 100, 100, 0, TCP_ECN_CE);
	fx_expect_flags(f, TCP_ACK | TCP_ECE);
	data_with(f, 200, 100, 0, TCP_ECN_ECT0);
	fx_expect_flags(f, TCP_ACK | TCP_ECE);
	data_with(f, 300, 100, TCP_CWR, TCP_ECN_ECT0);
	fx_expect_ack(f, 400);
	assert_int_equal(fx_count(f, COUNTER_TCP_CE_RECEIVED), 1);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECE_SENT), 2);
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH), 2); /* the plain ones */
	assert_int_equal(fx_read(f, 0), 400);
	fx_end(f);
}

/* A mark on the segment that says CWR belongs to the next window. */
TEST(test_ecn_ce_on_cwr_is_echoed_again)
{
	struct fx *f = open_ecn(ask);

	data_with(f, 0, 100, TCP_CWR, TCP_ECN_CE);
	fx_expect_flags(f, TCP_ACK | TCP_ECE);
	fx_end(f);
}

/* Header prediction must see the mark, and merging must not lose it. */
TEST(test_ecn_ce_among_merged_segments_is_echoed)
{
	struct fx *f = open_ecn(ask);

	data_with(f, 0, 100, 0, TCP_ECN_ECT0);
	data_with(f, 100, 100, 0, TCP_ECN_CE);
	data_with(f, 200, 100, TCP_PSH, TCP_ECN_ECT0);
	assert_int_equal(fx_expect_flags(f, TCP_ACK | TCP_ECE).ack, FX_BASE + 300);
	fx_end(f);
}

TEST(test_ecn_ece_is_on_data_and_on_duplicate_acks_too)
{
	struct fx *f = open_ecn(ask);

	data_with(f, 100, 100, 0, TCP_ECN_CE);
	fx_expect_flags(f, TCP_ACK | TCP_ECE);
	queue(f, 10);
	fx_expect_flags(f, TCP_ACK | TCP_PSH | TCP_ECE);
	fx_end(f);
}

/* The sender that says CWR may have no more than a segment to send. */
TEST(test_ecn_cwr_is_acknowledged_at_once)
{
	struct fx *f = open_ecn(ask_delayed);

	data_with(f, 0, 100, 0, TCP_ECN_ECT0);
	fx_expect_silence(f);
	f->now_ns += 40 * NS_PER_MS;
	fx_expect_ack(f, 100);
	data_with(f, 100, 100, TCP_CWR, TCP_ECN_ECT0);
	fx_expect_ack(f, 200);
	fx_end(f);
}

/* §6.1.5: what lies outside of the window may come from anyone. */
TEST(test_ecn_ce_outside_of_the_window_is_ignored)
{
	struct fx *f = open_ecn(ask);

	data_with(f, 0, 100, 0, TCP_ECN_ECT0);
	fx_expect_ack(f, 100);
	data_with(f, 0, 100, 0, TCP_ECN_CE); /* old */
	assert_int_equal(fx_expect(f).flags, TCP_ACK);
	data_with(f, 1U << 23, 100, 0, TCP_ECN_CE); /* beyond */
	fx_drain(f);
	assert_false(f->c->ecn.echo);
	fx_end(f);
}

/* Nor may a stranger clear what is due: his numbers are not acceptable, or his ACK is not. */
TEST(test_ecn_cwr_of_a_stranger_is_ignored)
{
	struct fx *f = open_ecn(ask);
	struct tcp_segment s;

	data_with(f, 0, 100, 0, TCP_ECN_CE);
	fx_expect_flags(f, TCP_ACK | TCP_ECE);
	data_with(f, 1U << 23, 100, TCP_CWR, 0);
	s = fx_segment(f, 100, 100);
	s.ack += 5000; /* never sent: RFC 5961 §5 */
	s.flags |= TCP_CWR;
	fx_input(f, s);
	fx_drain(f);
	assert_true(f->c->ecn.echo);
	fx_end(f);
}

/* §6.1.4: a pure ACK is never ECT; a mark on it is no router's. */
TEST(test_ecn_ce_on_a_pure_ack_is_ignored)
{
	struct fx *f = open_ecn(ask);

	fx_input(f, (struct tcp_segment){.seq = FX_BASE,
			    .ack = FX_UNA,
			    .flags = TCP_ACK,
			    .window = FX_WINDOW,
			    .ecn = TCP_ECN_CE});
	assert_false(f->c->ecn.echo);
	fx_end(f);
}

/* ---- the sender, §6.1.2, §6.1.4, §6.1.5, §6.1.6 ---- */

TEST(test_ecn_only_new_data_is_ect)
{
	struct fx *f = open_ecn(ask);
	struct tcp_segment s;

	queue(f, 100);
	assert_int_equal(fx_expect(f).ecn, TCP_ECN_ECT0);
	fx_advance_to_deadline(f); /* RTO */
	s = fx_expect(f);
	assert_int_equal(fx_payload_len(&s), 100);
	assert_int_equal(s.ecn, 0); /* §6.1.5 */
	fx_window(f, FX_UNA + 100, FX_WINDOW);
	data_with(f, 0, 100, 0, 0);
	s = fx_expect_ack(f, 100);
	assert_int_equal(s.ecn, 0); /* §6.1.4 */
	tcp_conn_close(f->c, f->now_ns);
	assert_int_equal(fx_expect_flags(f, TCP_FIN | TCP_ACK).ecn, 0);
	fx_end(f);
}

TEST(test_ecn_zero_window_probe_is_not_ect)
{
	struct fx *f = open_ecn(ask);

	fx_window(f, FX_UNA, 0);
	queue(f, 100);
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).ecn, 0); /* §6.1.6 */
	fx_end(f);
}

static void
ack_with(struct fx *f, uint32_t ack, uint8_t flags)
{
	fx_control(f, FX_BASE, ack, (uint8_t)(TCP_ACK | flags));
}

/* §6.1.2: as for a loss, but nothing is sent again; once a window; CWR on the next new data. */
TEST(test_ecn_ece_halves_the_window_once_and_says_cwr)
{
	struct fx *f = open_ecn(ask);
	uint32_t cwnd;

	queue(f, 20 * FX_MSS);
	assert_int_equal(fx_drain(f), 10);
	ack_with(f, FX_UNA + FX_MSS, TCP_ECE);
	cwnd = f->c->congestion.cwnd;
	assert_int_equal(cwnd, 7 * 10 * FX_MSS / 10); /* CUBIC: RFC 9438 §4.6 */
	assert_int_equal(f->c->congestion.ssthresh, cwnd);
	fx_expect_silence(f);
	ack_with(f, FX_UNA + 3 * FX_MSS, TCP_ECE); /* of the same window */
	fx_expect_silence(f);
	ack_with(f, FX_UNA + 4 * FX_MSS, TCP_ECE);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 1);
	assert_int_equal(fx_expect(f).flags & TCP_CWR, TCP_CWR);
	ack_with(f, FX_UNA + 5 * FX_MSS, TCP_ECE);
	assert_int_equal(fx_expect(f).flags & TCP_CWR, 0);
	ack_with(f, FX_UNA + 10 * FX_MSS, TCP_ECE);
	fx_drain(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 1);
	ack_with(f, FX_UNA + 11 * FX_MSS, TCP_ECE); /* the segment with CWR was marked too */
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 2);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 0);
	fx_end(f);
}

/* §6.1.2: "the CWR flag [...] whenever it reduces the congestion window for any reason". */
TEST(test_ecn_timeout_is_followed_by_cwr_on_new_data_only)
{
	struct fx *f = open_ecn(ask);
	struct tcp_segment s;

	queue(f, 100);
	fx_drain(f);
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).flags & TCP_CWR, 0); /* a probe, RFC 8985 §7.3 */
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).flags & TCP_CWR, 0);
	ack_with(f, FX_UNA + 100, 0);
	queue(f, 100);
	s = fx_expect(f);
	assert_int_equal(s.flags & TCP_CWR, TCP_CWR);
	assert_int_equal(s.ecn, TCP_ECN_ECT0);
	fx_end(f);
}

/* "Not later than the last reduction" is said modulo 2^32. */
TEST(test_ecn_ece_is_heard_two_gigabytes_after_the_last_reduction)
{
	struct fx *f = open_ecn(ask);

	f->c->ecn.reduced_at = FX_UNA + FX_MSS - (UINT32_C(1) << 31); /* nearly as long ago */
	queue(f, 6 * FX_MSS);
	assert_int_equal(fx_drain(f), 6);
	ack_with(f, FX_UNA + FX_MSS / 2, 0);
	ack_with(f, FX_UNA + 3 * FX_MSS, TCP_ECE);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 1);
	fx_end(f);
}

TEST(test_ecn_ece_of_a_stranger_is_ignored)
{
	struct fx *f = open_ecn(ask);

	queue(f, 20 * FX_MSS);
	fx_drain(f);
	ack_with(f, FX_UNA + 50 * FX_MSS, TCP_ECE); /* never sent */
	fx_control(f, FX_BASE - 5000, FX_UNA + FX_MSS, TCP_ACK | TCP_ECE);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 0);
	fx_end(f);
}

/* While we have nothing to say CWR with, ECE goes on; the fast path goes on as well. */
TEST(test_ecn_ece_without_news_stays_in_header_prediction)
{
	struct fx *f = open_ecn(ask);

	queue(f, 100);
	fx_drain(f);
	data_with(f, 0, 100, TCP_ECE, TCP_ECN_ECT0);
	data_with(f, 100, 100, TCP_ECE, TCP_ECN_ECT0);
	data_with(f, 200, 100, TCP_ECE, TCP_ECN_ECT0);
	assert_int_equal(fx_count(f, COUNTER_TCP_FAST_PATH), 2);
	assert_int_equal(fx_count(f, COUNTER_TCP_ECN_REDUCTIONS), 1);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ecn_syn_by_default_does_not_ask),
		T(test_ecn_syn_lost_twice_asks_no_more),
		T(test_ecn_syn_refused_is_tried_once_without),
		T(test_ecn_syn_ack_without_ece_leaves_it_off),
		T(test_ecn_syn_ack_that_reflects_both_bits_leaves_it_off),
		T(test_ecn_simultaneous_syn_is_answered_with_ece),
		T(test_ecn_ce_is_echoed_until_cwr),
		T(test_ecn_ce_on_cwr_is_echoed_again),
		T(test_ecn_ce_among_merged_segments_is_echoed),
		T(test_ecn_ece_is_on_data_and_on_duplicate_acks_too),
		T(test_ecn_cwr_is_acknowledged_at_once),
		T(test_ecn_ce_outside_of_the_window_is_ignored),
		T(test_ecn_cwr_of_a_stranger_is_ignored),
		T(test_ecn_ce_on_a_pure_ack_is_ignored),
		T(test_ecn_only_new_data_is_ect),
		T(test_ecn_zero_window_probe_is_not_ect),
		T(test_ecn_ece_halves_the_window_once_and_says_cwr),
		T(test_ecn_timeout_is_followed_by_cwr_on_new_data_only),
		T(test_ecn_ece_is_heard_two_gigabytes_after_the_last_reduction),
		T(test_ecn_ece_of_a_stranger_is_ignored),
		T(test_ecn_ece_without_news_stays_in_header_prediction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
