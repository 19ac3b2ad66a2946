/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* SYN-SENT, SYN-RECEIVED and what the handshake negotiates: RFC 9293 §3.10.7.3, §3.5. */

static void
no_options(struct tcp_config *cfg)
{
	cfg->timestamps = cfg->sack = cfg->window_scaling = false;
}

static struct fx *
connecting(void (*change)(struct tcp_config *cfg))
{
	return fx_open(TCP_SYN_SENT, change);
}

TEST(test_closed_connect_sends_syn_with_all_options)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s;

	f->now_ns += NS_PER_SEC; /* its retransmission is the same */
	s = fx_expect_flags(f, TCP_SYN);
	assert_int_equal(s.seq, FX_ISS);
	assert_int_equal(s.mss, 1460);
	assert_int_equal(s.options,
		TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS);
	assert_int_equal(s.window, 65535);
	assert_int_equal(s.wscale, 7); /* 4 MiB in 65,535 units */
	assert_int_equal(s.src_port, 40000);
	assert_int_equal(s.dst_port, 80);
	assert_int_equal(s.ts_val, f->now_ns / NS_PER_MS + FX_TS_OFFSET);
	assert_int_equal(s.ts_ecr, 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_closed_connect_without_options_offers_only_mss)
{
	struct fx *f = connecting(no_options);
	struct tcp_segment s;

	f->now_ns += NS_PER_SEC;
	s = fx_expect_flags(f, TCP_SYN);
	assert_int_equal(s.options, TCP_OPT_MSS);
	fx_end(f);
}

TEST(test_closed_segment_is_dropped)
{
	struct fx *f = connecting(NULL);

	tcp_conn_abort(f->c);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	fx_data(f, 0, 100);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_NO_CONNECTION), 1);
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_deadline(f->c), TIME_NEVER);
	fx_end(f);
}

TEST(test_connect_twice_is_refused)
{
	struct fx *f = connecting(NULL);
	struct tcp_open open = {.local_port = 1, .remote_port = 2};

	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), -EISCONN);
	fx_end(f);
}

TEST(test_connect_again_after_close_starts_anew)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_open open = {.local_port = 1, .remote_port = 2, .iss = 77};
	struct tcp_segment s;

	fx_data(f, 0, 500);
	fx_data(f, 1000, 500);
	tcp_conn_abort(f->c);
	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), 0);
	tcp_conn_check(f->c);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
	s = fx_expect_flags(f, TCP_SYN);
	assert_int_equal(s.seq, 77);
	assert_int_equal(tcp_conn_error(f->c), 0);
	fx_end(f);
}

TEST(test_create_out_of_range_is_refused)
{
	struct fx *f = connecting(NULL);
	struct tcp_config good = f->cfg, bad;

	bad = good;
	bad.mss_max = 87;
	assert_null(tcp_conn_create(&bad));
	bad = good;
	bad.rcv_window_max_bytes = (1U << 30) + 1;
	assert_null(tcp_conn_create(&bad));
	bad = good;
	bad.rcv_payloads_max = 15;
	assert_null(tcp_conn_create(&bad));
	bad = good;
	bad.counters = NULL;
	assert_null(tcp_conn_create(&bad));
	bad = good;
	bad.rto_min_ns = bad.rto_max_ns + 1;
	assert_null(tcp_conn_create(&bad));
	tcp_conn_destroy(NULL);
	fx_end(f);
}

TEST(test_syn_sent_rst_with_good_ack_is_refused)
{
	struct fx *f = connecting(NULL);
	struct tcp_info info;

	tcp_conn_info(f->c, &info);
	assert_false(info.answered);
	fx_control(f, 0, FX_ISS + 1, TCP_RST | TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), -ECONNREFUSED);
	tcp_conn_info(f->c, &info);
	assert_true(info.answered);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_syn_sent_rst_with_bad_ack_is_ignored)
{
	struct fx *f = connecting(NULL);

	fx_control(f, 0, FX_ISS, TCP_RST | TCP_ACK);
	fx_control(f, 0, FX_ISS + 2, TCP_RST | TCP_ACK);
	fx_control(f, 0, 0, TCP_RST);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_SENT);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_syn_sent_bad_ack_is_answered_with_rst)
{
	static const uint32_t bad[] = {FX_ISS, FX_ISS + 2, FX_ISS - 1, FX_ISS + 0x70000000};
	struct fx *f = connecting(NULL);
	struct tcp_segment s;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		fx_control(f, 77, bad[i], TCP_SYN | TCP_ACK);
		s = fx_expect_flags(f, TCP_RST);
		assert_int_equal(s.seq, bad[i]);
		assert_int_equal(tcp_conn_state(f->c), TCP_SYN_SENT);
	}
	fx_end(f);
}

TEST(test_syn_sent_ack_without_syn_is_dropped)
{
	struct fx *f = connecting(NULL);

	fx_control(f, FX_IRS, FX_ISS + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_SENT);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_syn_sent_close_ends_at_once)
{
	struct fx *f = connecting(NULL);

	tcp_conn_close(f->c, f->now_ns);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_syn_sent_no_answer_backs_off_and_times_out)
{
	struct fx *f = connecting(NULL);
	uint64_t last_ns = f->now_ns, gap_ns = NS_PER_SEC;
	uint32_t retries = 0;

	for (; tcp_conn_state(f->c) == TCP_SYN_SENT; retries++) {
		fx_advance_to_deadline(f);
		assert_int_equal(f->now_ns - last_ns, MIN_OF(gap_ns << retries, 60 * NS_PER_SEC));
		last_ns = f->now_ns;
		if (fx_drain(f) == 0)
			break;
	}
	assert_int_equal(retries, f->c->cfg->syn_retries);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	fx_end(f);
}

/* RFC 9293 MUST-23 for a SYN, SHLD-11 for data; the application may give up earlier. */
TEST(test_defaults_try_for_three_minutes_to_open_and_for_100_s_to_send)
{
	static const enum tcp_state states[] = {TCP_SYN_SENT, TCP_ESTABLISHED};
	static const uint64_t least_ns[] = {180 * NS_PER_SEC, 100 * NS_PER_SEC};
	uint32_t i;

	for (i = 0; i < 2; i++) {
		struct fx *f = fx_open(states[i], NULL);
		uint64_t start_ns = f->now_ns;

		tcp_conn_send(f->c, "x", 1);
		fx_drain(f);
		while (tcp_conn_state(f->c) != TCP_CLOSED) {
			fx_advance_to_deadline(f);
			fx_drain(f);
		}
		assert_true(f->now_ns - start_ns >= least_ns[i]);
		fx_end(f);
	}
}

TEST(test_syn_sent_data_queued_goes_after_the_handshake)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s;

	assert_int_equal(tcp_conn_send(f->c, "early", 5), 5);
	fx_expect_silence(f);
	fx_input(f, fx_syn_ack(f));
	assert_true(tcp_conn_output_pending(f->c));
	s = fx_expect_flags(f, TCP_ACK | TCP_PSH); /* carries the handshake's ACK */
	assert_int_equal(s.seq, FX_UNA);
	assert_int_equal(s.ack, FX_BASE);
	assert_int_equal(s.ts_ecr, f->ts);
	assert_memory_equal(s.payload.data, "early", s.payload.len);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_syn_sent_syn_ack_with_data_and_fin_is_taken)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s = fx_syn_ack(f), data = fx_segment(f, 0, 300);

	s.payload = data.payload;
	s.flags |= TCP_FIN;
	fx_input(f, s);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	assert_int_equal(fx_expect(f).ack, FX_BASE + 301);
	assert_int_equal(fx_read(f, 0), 300);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_syn_sent_syn_ack_without_options_disables_them)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s = fx_syn_ack(f);
	struct tcp_info info;

	s.options = 0;
	fx_input(f, s);
	s = fx_expect_ack(f, 0);
	assert_int_equal(s.options, 0);
	assert_int_equal(s.window, 65535); /* 256 KiB do not fit without scaling */
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.mss_send, 536);
	assert_int_equal(info.rcv_wscale, 0);
	assert_int_equal(info.snd_wnd, FX_WINDOW);
	assert_false(info.timestamps || info.sack || info.window_scaling);
	fx_end(f);
}

TEST(test_syn_sent_options_that_were_not_offered_are_not_used)
{
	struct fx *f = connecting(no_options);
	struct tcp_info info;

	fx_input(f, fx_syn_ack(f));
	tcp_conn_info(f->c, &info);
	assert_false(info.timestamps || info.sack || info.window_scaling);
	assert_int_equal(info.snd_wscale, 0);
	assert_int_equal(fx_expect_ack(f, 0).options, 0);
	fx_end(f);
}

TEST(test_syn_sent_window_scale_above_14_is_taken_as_14)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s = fx_syn_ack(f);

	s.wscale = 255;
	s.window = 65535;
	fx_input(f, s);
	assert_int_equal(f->c->snd_wscale, 14);
	assert_int_equal(f->c->snd_wnd, 65535); /* the SYN's window is not scaled */
	fx_window(f, FX_UNA, 65535);
	assert_int_equal(f->c->snd_wnd, 65535U << 14);
	fx_end(f);
}

TEST(test_syn_sent_mss_is_bounded_by_ours_and_by_the_minimum)
{
	static const struct {
		uint16_t theirs, effective;
	} cases[] = {{0, 64}, {1, 64}, {65535, 1460}, {1000, 1000}};
	struct tcp_segment s;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		struct fx *f = connecting(NULL);

		s = fx_syn_ack(f);
		s.mss = cases[i].theirs;
		fx_input(f, s);
		/* RFC 6691: the timestamp's space comes off. */
		assert_int_equal(f->c->smss, cases[i].effective - 12);
		assert_true(f->c->congestion.cwnd >= f->c->smss);
		fx_end(f);
	}
}

/* ARP, or our address probes, may hold the SYN back: that time is no part of the round trip. */
TEST(test_syn_sent_round_trip_counts_from_the_syn_not_from_connect)
{
	struct fx *f = connecting(NULL);
	struct tcp_open open = {.local_port = 40000, .remote_port = 80, .iss = FX_ISS};
	struct tcp_info info;

	tcp_conn_abort(f->c);
	f->now_ns += NS_PER_SEC;
	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), 0);
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.syn_sent_ns, 0); /* it has not happened */
	f->now_ns += 3 * NS_PER_SEC;
	fx_expect_flags(f, TCP_SYN);
	f->now_ns += NS_PER_MS;
	fx_input(f, fx_syn_ack(f));
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.established_ns - info.syn_sent_ns, NS_PER_MS);
	assert_int_equal(info.srtt_ns, NS_PER_MS);
	assert_int_equal(info.rto_ns, f->c->cfg->rto_min_ns);
	fx_end(f);
}

TEST(test_syn_sent_retransmitted_syn_restarts_cwnd_and_rto)
{
	struct fx *f = connecting(NULL);
	struct tcp_info info;

	f->now_ns += NS_PER_SEC;
	fx_expect_flags(f, TCP_SYN);
	f->now_ns += NS_PER_MS;
	fx_input(f, fx_syn_ack(f));
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.snd_cwnd, info.mss_send); /* RFC 5681 §3.1 */
	assert_int_equal(info.rto_ns, 3 * NS_PER_SEC); /* RFC 6298 §5.7 */
	assert_int_equal(info.srtt_ns, 0); /* Karn */
	assert_int_equal(info.established_ns - info.syn_sent_ns, NS_PER_SEC + NS_PER_MS);
	assert_int_equal(info.retransmits, 1);
	assert_int_equal(f->c->retries, 0);
	fx_end(f);
}

TEST(test_established_lost_handshake_ack_is_repeated)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_input(f, fx_syn_ack(f)); /* the SYN-ACK again */
	fx_expect_ack(f, 0);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_expect_silence(f);
	fx_end(f);
}

/* ---- simultaneous open ---- */

TEST(test_syn_received_syn_ack_establishes)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_input(f, fx_syn_ack(f));
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	assert_int_equal(f->c->snd_una, FX_UNA);
	assert_int_equal(f->c->rto_ns, TIME_NEVER);
	tcp_conn_send(f->c, "x", 1);
	assert_int_equal(fx_expect(f).seq, FX_UNA);
	fx_end(f);
}

TEST(test_syn_received_ack_establishes_and_its_data_is_taken)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_data(f, 0, 100);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	assert_int_equal(f->c->snd_wnd, FX_WINDOW << 7);
	fx_expect_ack(f, 100);
	assert_int_equal(fx_read(f, 0), 100);
	fx_end(f);
}

TEST(test_syn_received_data_on_the_syn_ack_is_not_shifted)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);
	struct tcp_segment s, data;

	s = fx_syn_ack(f);
	data = fx_segment(f, 0, 50);
	s.payload = data.payload;
	fx_input(f, s);
	assert_int_equal(fx_read(f, 0), 50);
	fx_end(f);
}

TEST(test_syn_received_syn_ack_repeats_only_what_both_offered)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment syn = fx_syn_ack(f), s;

	syn.flags = TCP_SYN;
	syn.options = TCP_OPT_MSS;
	fx_input(f, syn);
	s = fx_expect_flags(f, TCP_SYN | TCP_ACK);
	assert_int_equal(s.options, TCP_OPT_MSS);
	assert_int_equal(s.seq, FX_ISS);
	assert_int_equal(s.ack, FX_BASE);
	fx_end(f);
}

TEST(test_syn_received_ack_too_low_sends_rst)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_control(f, FX_BASE, FX_ISS, TCP_ACK);
	assert_int_equal(fx_expect_flags(f, TCP_RST).seq, FX_ISS);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_RECEIVED);
	fx_end(f);
}

TEST(test_syn_received_ack_too_high_sends_rst)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_control(f, FX_BASE, FX_ISS + 2, TCP_ACK);
	assert_int_equal(fx_expect_flags(f, TCP_RST).seq, FX_ISS + 2);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_RECEIVED);
	fx_end(f);
}

TEST(test_syn_received_rst_is_refused)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_control(f, FX_BASE, FX_ISS + 1, TCP_RST | TCP_ACK);
	assert_int_equal(tcp_conn_error(f->c), -ECONNREFUSED);
	fx_end(f);
}

TEST(test_syn_received_retransmits_its_syn_ack)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_advance_to_deadline(f);
	fx_expect_flags(f, TCP_SYN | TCP_ACK);
	fx_end(f);
}

TEST(test_syn_received_close_sends_fin_after_the_handshake)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);
	struct tcp_segment s;

	assert_int_equal(tcp_conn_send(f->c, "abc", 3), 3);
	tcp_conn_close(f->c, f->now_ns);
	fx_advance_to_deadline(f);
	fx_expect_flags(f, TCP_SYN | TCP_ACK); /* not a FIN yet */
	fx_input(f, fx_syn_ack(f));
	assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_1);
	s = fx_expect_flags(f, TCP_FIN | TCP_PSH | TCP_ACK);
	assert_int_equal(s.seq, FX_UNA);
	assert_int_equal(fx_payload_len(&s), 3);
	fx_control(f, FX_BASE, FX_UNA + 4, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_2);
	fx_end(f);
}

TEST(test_syn_received_abort_sends_rst)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	tcp_conn_abort(f->c);
	fx_expect_flags(f, TCP_RST | TCP_ACK);
	assert_int_equal(tcp_conn_error(f->c), -ECONNABORTED);
	fx_end(f);
}

TEST(test_syn_sent_data_of_a_dropped_segment_is_not_kept)
{
	struct fx *f = connecting(NULL);
	struct tcp_segment s = fx_syn_ack(f), data = fx_segment(f, 0, 100);

	s.ack = FX_ISS + 7;
	s.payload = data.payload;
	fx_input(f, s);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
	fx_end(f);
}

TEST(test_syn_sent_output_is_due_until_the_syn_has_gone)
{
	struct fx *f = connecting(NULL);
	struct tcp_open open = {.local_port = 1, .remote_port = 2};

	assert_false(tcp_conn_output_pending(f->c));
	tcp_conn_abort(f->c);
	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), 0);
	assert_true(tcp_conn_output_pending(f->c));
	assert_true(tcp_conn_deadline(f->c) <= f->now_ns);
	tcp_conn_abort(f->c); /* before it has gone */
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_send(f->c, "x", 1), 0);
	fx_end(f);
}

TEST(test_syn_received_segment_outside_the_window_is_not_accepted)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_control(f, FX_BASE + (1U << 20), FX_UNA, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_RECEIVED);
	fx_end(f);
}

TEST(test_syn_received_another_syn_is_challenged)
{
	struct fx *f = fx_open(TCP_SYN_RECEIVED, NULL);

	fx_control(f, FX_BASE + 10, FX_UNA, TCP_SYN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_SYN_RECEIVED);
	assert_int_equal(fx_count(f, COUNTER_TCP_CHALLENGE_ACKS), 1);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_closed_connect_sends_syn_with_all_options),
		T(test_closed_connect_without_options_offers_only_mss),
		T(test_closed_segment_is_dropped),
		T(test_connect_twice_is_refused),
		T(test_connect_again_after_close_starts_anew),
		T(test_create_out_of_range_is_refused),
		T(test_syn_sent_rst_with_good_ack_is_refused),
		T(test_syn_sent_rst_with_bad_ack_is_ignored),
		T(test_syn_sent_bad_ack_is_answered_with_rst),
		T(test_syn_sent_ack_without_syn_is_dropped),
		T(test_syn_sent_close_ends_at_once),
		T(test_syn_sent_no_answer_backs_off_and_times_out),
		T(test_defaults_try_for_three_minutes_to_open_and_for_100_s_to_send),
		T(test_syn_sent_data_queued_goes_after_the_handshake),
		T(test_syn_sent_syn_ack_with_data_and_fin_is_taken),
		T(test_syn_sent_syn_ack_without_options_disables_them),
		T(test_syn_sent_options_that_were_not_offered_are_not_used),
		T(test_syn_sent_window_scale_above_14_is_taken_as_14),
		T(test_syn_sent_mss_is_bounded_by_ours_and_by_the_minimum),
		T(test_syn_sent_round_trip_counts_from_the_syn_not_from_connect),
		T(test_syn_sent_retransmitted_syn_restarts_cwnd_and_rto),
		T(test_established_lost_handshake_ack_is_repeated),
		T(test_syn_received_syn_ack_establishes),
		T(test_syn_received_ack_establishes_and_its_data_is_taken),
		T(test_syn_received_data_on_the_syn_ack_is_not_shifted),
		T(test_syn_received_syn_ack_repeats_only_what_both_offered),
		T(test_syn_received_ack_too_low_sends_rst),
		T(test_syn_received_ack_too_high_sends_rst),
		T(test_syn_received_rst_is_refused),
		T(test_syn_received_retransmits_its_syn_ack),
		T(test_syn_received_close_sends_fin_after_the_handshake),
		T(test_syn_received_abort_sends_rst),
		T(test_syn_sent_data_of_a_dropped_segment_is_not_kept),
		T(test_syn_sent_output_is_due_until_the_syn_has_gone),
		T(test_syn_received_segment_outside_the_window_is_not_accepted),
		T(test_syn_received_another_syn_is_challenged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
