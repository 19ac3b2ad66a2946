/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Closing, half closing, aborting, in each state: RFC 9293 §3.6, §3.10.4, §3.10.5, "eighth". */

/* ---- ESTABLISHED, and the peer's FIN ---- */

TEST(test_established_fin_is_acked_at_once)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data(f, 0, 100);
	fx_data_flags(f, 100, 0, TCP_FIN);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_expect_ack(f, 101);
	fx_expect_silence(f);
	assert_false(tcp_conn_recv_finished(f->c));
	fx_read(f, 0);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_established_fin_with_data_is_acked_with_both)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data_flags(f, 0, 1000, TCP_FIN | TCP_PSH);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_expect_ack(f, 1001);
	fx_expect_silence(f);
	assert_int_equal(fx_read(f, 0), 1000);
	fx_end(f);
}

static void
ack_every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

TEST(test_established_fin_with_data_is_acked_once_where_each_segment_is)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, ack_every);

	fx_data_flags(f, 0, 1000, TCP_FIN | TCP_PSH);
	fx_expect_ack(f, 1001);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);

	f = fx_open_quick(NULL);
	fx_data(f, 0, 1000);
	fx_data_flags(f, 1000, 1000, TCP_FIN | TCP_PSH);
	fx_expect_ack(f, 2001);
	fx_expect_silence(f);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_established_fin_out_of_order_does_not_truncate)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data_flags(f, 1000, 500, TCP_FIN);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_expect_ack(f, 0);
	assert_false(tcp_conn_recv_finished(f->c));
	fx_data(f, 0, 1000);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_expect_ack(f, 1501);
	assert_false(tcp_conn_recv_finished(f->c));
	assert_int_equal(fx_read(f, 0), 1500);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_established_fin_alone_above_a_hole_waits_for_it)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data_flags(f, 1000, 0, TCP_FIN);
	fx_expect_ack(f, 0);
	fx_data_flags(f, 1000, 0, TCP_FIN); /* again: our ACK was lost */
	fx_expect_ack(f, 0);
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_data(f, 0, 500);
	fx_data(f, 500, 500);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	assert_int_equal(fx_read(f, 0), 1000);
	fx_end(f);
}

TEST(test_established_data_after_the_fin_is_cut_off)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data_flags(f, 500, 500, TCP_FIN);
	fx_data(f, 800, 700);
	fx_data(f, 0, 500);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	assert_int_equal(fx_read(f, 0), 1000);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_established_fin_below_held_data_is_not_believed)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data(f, 1000, 500);
	fx_data_flags(f, 0, 500, TCP_FIN);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_data(f, 500, 500);
	assert_int_equal(fx_read(f, 0), 1500);
	assert_false(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_established_close_sends_queued_data_then_fin)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	tcp_conn_send(f->c, "bye", 3);
	tcp_conn_close(f->c, f->now_ns);
	assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_1);
	assert_int_equal(tcp_conn_send(f->c, "more", 4), 0);
	s = fx_expect_flags(f, TCP_FIN | TCP_PSH | TCP_ACK);
	assert_int_equal(fx_payload_len(&s), 3);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_established_fin_does_not_fit_beside_a_full_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	static const uint8_t bytes[FX_MSS];
	struct tcp_segment s;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	tcp_conn_close(f->c, f->now_ns);
	s = fx_expect(f);
	assert_int_equal(fx_payload_len(&s), FX_MSS);
	s = fx_expect_flags(f, TCP_FIN | TCP_ACK);
	assert_int_equal(s.seq, FX_UNA + FX_MSS);
	fx_end(f);
}

/* ---- FIN-WAIT-1 ---- */

TEST(test_fin_wait_1_lost_fin_is_sent_again)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_1, NULL);

	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect_flags(f, TCP_FIN | TCP_ACK).seq, FX_UNA);
	fx_control(f, FX_BASE, FX_UNA + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_2);
	fx_end(f);
}

TEST(test_fin_wait_1_fin_without_our_ack_is_a_simultaneous_close)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_1, NULL);

	fx_control(f, FX_BASE, FX_UNA, TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSING);
	fx_expect_ack(f, 1);
	fx_end(f);
}

TEST(test_fin_wait_1_fin_with_our_ack_goes_to_time_wait)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_1, NULL);

	fx_control(f, FX_BASE, FX_UNA + 1, TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	fx_expect_ack(f, 1);
	fx_end(f);
}

TEST(test_fin_wait_1_data_and_fin_are_received)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_1, NULL);

	fx_data(f, 0, 300);
	assert_int_equal(fx_read(f, 0), 300);
	fx_data_flags(f, 300, 300, TCP_FIN); /* its ACK covers our FIN */
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	assert_int_equal(fx_read(f, 300), 300);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

/* ---- FIN-WAIT-2 ---- */

TEST(test_fin_wait_2_data_is_still_received)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_2, NULL);

	fx_data(f, 0, 700);
	assert_int_equal(fx_read(f, 0), 700);
	fx_data_flags(f, 700, 0, TCP_FIN);
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	fx_expect_ack(f, 701);
	fx_end(f);
}

TEST(test_fin_wait_2_waits_for_the_fin_only_so_long)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_2, NULL);

	f->now_ns += f->c->cfg->fin_wait_2_ns;
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_deadline(f->c), TIME_NEVER);
	fx_end(f);
}

TEST(test_fin_wait_2_data_that_comes_extends_the_wait)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_2, NULL);
	uint32_t i;

	for (i = 0; i < 5; i++) { /* a long download after a half close */
		f->now_ns += f->c->cfg->fin_wait_2_ns - NS_PER_SEC;
		fx_data(f, i * 100, 100);
		fx_drain(f);
		assert_int_equal(tcp_conn_state(f->c), TCP_FIN_WAIT_2);
		fx_read(f, i * 100);
	}
	fx_end(f);
}

TEST(test_fin_wait_2_data_after_discard_is_reset)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_2, NULL);

	fx_data(f, 0, 100);
	fx_read(f, 0);
	fx_drain(f);
	tcp_conn_discard(f->c);
	fx_data(f, 0, 100); /* old */
	fx_expect_ack(f, 100);
	fx_data(f, 100, 100);
	assert_int_equal(fx_expect_flags(f, TCP_RST | TCP_ACK).seq, tcp_snd_nxt(f->c));
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_AFTER_CLOSE), 1);
	fx_end(f);
}

/* Its buffers may be such as somebody waits for. */
TEST(test_discard_gives_back_what_was_not_read)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_info info;

	fx_data(f, 0, 100);
	fx_data(f, 100, 100);
	fx_drain(f);
	assert_int_equal(test_buffers_live(&f->buffers), 2);
	tcp_conn_discard(f->c);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
	tcp_conn_info(f->c, &info);
	assert_int_equal(info.rcv_bytes_unread, 0);
	fx_end(f);
}

TEST(test_fin_wait_2_fin_after_discard_closes_in_order)
{
	struct fx *f = fx_open(TCP_FIN_WAIT_2, NULL);

	tcp_conn_discard(f->c);
	fx_data_flags(f, 0, 0, TCP_FIN);
	fx_expect_ack(f, 1);
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	fx_end(f);
}

/* ---- CLOSE-WAIT, CLOSING, LAST-ACK ---- */

TEST(test_close_wait_still_sends)
{
	struct fx *f = fx_open(TCP_CLOSE_WAIT, NULL);

	assert_int_equal(tcp_conn_send(f->c, "late", 4), 4);
	fx_expect_flags(f, TCP_ACK | TCP_PSH);
	fx_control(f, FX_BASE + 1, FX_UNA + 4, TCP_ACK);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

TEST(test_close_wait_data_after_the_fin_is_not_taken)
{
	struct fx *f = fx_open(TCP_CLOSE_WAIT, NULL);

	fx_data(f, 1, 100);
	fx_expect_ack(f, 1);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_end(f);
}

TEST(test_close_wait_close_goes_to_last_ack)
{
	struct fx *f = fx_open(TCP_CLOSE_WAIT, NULL);

	tcp_conn_close(f->c, f->now_ns);
	assert_int_equal(tcp_conn_state(f->c), TCP_LAST_ACK);
	fx_expect_flags(f, TCP_FIN | TCP_ACK);
	fx_end(f);
}

TEST(test_closing_ack_goes_to_time_wait_and_that_ends)
{
	struct fx *f = fx_open(TCP_CLOSING, NULL);

	fx_control(f, FX_BASE + 1, FX_UNA, TCP_ACK); /* not yet of our FIN */
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSING);
	fx_control(f, FX_BASE + 1, FX_UNA + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	assert_int_equal(f->c->keepalive_ns, TIME_NEVER);
	fx_advance_to_deadline(f);
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), 0);
	fx_end(f);
}

TEST(test_closing_lost_fin_is_sent_again)
{
	struct fx *f = fx_open(TCP_CLOSING, NULL);

	fx_advance_to_deadline(f);
	fx_expect_flags(f, TCP_FIN | TCP_ACK);
	fx_end(f);
}

TEST(test_last_ack_ends_on_the_ack_of_our_fin)
{
	struct fx *f = fx_open(TCP_LAST_ACK, NULL);

	fx_control(f, FX_BASE + 1, FX_UNA, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_LAST_ACK);
	fx_control(f, FX_BASE + 1, FX_UNA + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_last_ack_fin_again_is_acked_again)
{
	struct fx *f = fx_open(TCP_LAST_ACK, NULL);

	fx_control(f, FX_BASE, FX_UNA, TCP_FIN | TCP_ACK);
	assert_int_equal(fx_expect_flags(f, TCP_ACK).ack, FX_BASE + 1);
	assert_int_equal(tcp_conn_state(f->c), TCP_LAST_ACK);
	fx_end(f);
}

/* ---- TIME-WAIT ---- */

TEST(test_time_wait_fin_again_is_acked_and_restarts_it)
{
	struct fx *f = fx_open(TCP_TIME_WAIT, NULL);

	f->now_ns += 50 * NS_PER_SEC;
	fx_control(f, FX_BASE, FX_UNA + 1, TCP_FIN | TCP_ACK);
	fx_expect_ack(f, 1);
	f->now_ns += 50 * NS_PER_SEC;
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_TIME_WAIT);
	f->now_ns += 10 * NS_PER_SEC;
	fx_expect_silence(f);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	fx_end(f);
}

TEST(test_time_wait_another_fin_does_not_restart_it)
{
	struct fx *f = fx_open(TCP_TIME_WAIT, NULL);
	uint64_t ends_ns = f->c->linger_ns;

	f->now_ns += NS_PER_SEC;
	fx_control(f, FX_BASE + 100, FX_UNA + 1, TCP_FIN | TCP_ACK);
	fx_control(f, FX_BASE - 100, FX_UNA + 1, TCP_FIN | TCP_ACK);
	assert_int_equal(f->c->linger_ns, ends_ns);
	fx_end(f);
}

TEST(test_fin_above_the_first_is_acked_and_changes_nothing)
{
	static const enum tcp_state states[] = {
		TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, TCP_TIME_WAIT};
	uint32_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct fx *f = fx_open(states[i], NULL);

		fx_control(f, FX_BASE + 1, f->c->snd_una, TCP_FIN | TCP_ACK);
		assert_int_equal(tcp_conn_state(f->c), states[i]);
		fx_expect_ack(f, 1);
		fx_expect_silence(f);
		fx_end(f);
	}
}

TEST(test_time_wait_data_again_is_acked)
{
	struct fx *f = fx_open(TCP_TIME_WAIT, NULL);

	fx_data(f, UINT32_MAX - 49, 50); /* old */
	fx_expect_ack(f, 1);
	fx_end(f);
}

/* ---- abort ---- */

TEST(test_abort_sends_rst_where_the_rfc_does_and_releases_all)
{
	static const struct {
		enum tcp_state state;
		bool rst;
	} cases[] = {
		{TCP_SYN_SENT, false},
		{TCP_SYN_RECEIVED, true},
		{TCP_ESTABLISHED, true},
		{TCP_FIN_WAIT_1, true},
		{TCP_FIN_WAIT_2, true},
		{TCP_CLOSE_WAIT, true},
		{TCP_CLOSING, false},
		{TCP_LAST_ACK, false},
		{TCP_TIME_WAIT, false},
	};
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fx *f = fx_open(cases[i].state, NULL);

		tcp_conn_abort(f->c);
		tcp_conn_check(f->c);
		assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
		assert_int_equal(tcp_conn_error(f->c), -ECONNABORTED);
		if (cases[i].rst)
			assert_int_equal(fx_expect(f).seq, tcp_snd_nxt(f->c));
		assert_int_equal(fx_count(f, COUNTER_TCP_RST_SENT), cases[i].rst ? 1 : 0);
		fx_expect_silence(f);
		tcp_conn_abort(f->c); /* again: nothing */
		fx_expect_silence(f);
		fx_end(f);
	}
}

TEST(test_abort_with_data_held_releases_it_on_destroy)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data(f, 1000, 100);
	fx_data(f, 0, 100);
	tcp_conn_abort(f->c);
	fx_expect_flags(f, TCP_RST | TCP_ACK);
	fx_end(f);
}

/* RFC 7323 §3.2 */
TEST(test_abort_rst_carries_the_timestamp)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	fx_data(f, 0, 100);
	fx_drain(f);
	f->now_ns += NS_PER_SEC;
	tcp_conn_abort(f->c);
	s = fx_expect_flags(f, TCP_RST | TCP_ACK);
	assert_int_equal(s.options, TCP_OPT_TIMESTAMPS);
	assert_int_equal(s.ts_val, tcp_options_clock(f->c, f->now_ns));
	assert_int_equal(s.ts_ecr, f->c->ts_recent);
	fx_end(f);
}

TEST(test_close_in_any_state_is_harmless_when_repeated)
{
	int state;

	for (state = TCP_SYN_SENT; state <= TCP_TIME_WAIT; state++) {
		struct fx *f = fx_open((enum tcp_state)state, NULL);
		enum tcp_state after;

		tcp_conn_close(f->c, f->now_ns);
		fx_drain(f);
		after = tcp_conn_state(f->c);
		tcp_conn_close(f->c, f->now_ns);
		tcp_conn_check(f->c);
		fx_expect_silence(f);
		assert_int_equal(tcp_conn_state(f->c), after);
		fx_end(f);
	}
}

TEST(test_every_state_ends_without_the_peer)
{
	int state;

	for (state = TCP_SYN_SENT; state <= TCP_TIME_WAIT; state++) {
		struct fx *f = fx_open((enum tcp_state)state, NULL);
		uint32_t steps = 0;

		tcp_conn_close(f->c, f->now_ns);
		fx_drain(f);
		for (; tcp_conn_state(f->c) != TCP_CLOSED; steps++) {
			assert_true(steps < 100);
			fx_advance_to_deadline(f);
			fx_drain(f);
		}
		assert_int_equal(tcp_conn_deadline(f->c), TIME_NEVER);
		fx_end(f);
	}
}

TEST(test_state_names_are_the_rfcs)
{
	assert_string_equal(tcp_state_name(TCP_SYN_RECEIVED), "SYN-RECEIVED");
	assert_string_equal(tcp_state_name(TCP_TIME_WAIT), "TIME-WAIT");
}

TEST(test_established_data_that_runs_past_a_known_fin_is_taken_up_to_it)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data_flags(f, 1000, 0, TCP_FIN);
	fx_data(f, 0, 500);
	fx_data(f, 500, 800);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	assert_int_equal(fx_read(f, 0), 1000);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_time_wait_has_no_other_timer)
{
	struct fx *f = fx_open(TCP_TIME_WAIT, NULL);

	assert_int_equal(f->c->keepalive_ns, TIME_NEVER);
	assert_int_equal(f->c->rto_ns, TIME_NEVER);
	assert_int_equal(tcp_conn_deadline(f->c), f->now_ns + f->c->cfg->time_wait_ns);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_established_fin_is_acked_at_once),
		T(test_established_fin_with_data_is_acked_with_both),
		T(test_established_fin_with_data_is_acked_once_where_each_segment_is),
		T(test_established_fin_out_of_order_does_not_truncate),
		T(test_established_fin_alone_above_a_hole_waits_for_it),
		T(test_established_data_after_the_fin_is_cut_off),
		T(test_established_fin_below_held_data_is_not_believed),
		T(test_established_close_sends_queued_data_then_fin),
		T(test_established_fin_does_not_fit_beside_a_full_segment),
		T(test_fin_wait_1_lost_fin_is_sent_again),
		T(test_fin_wait_1_fin_without_our_ack_is_a_simultaneous_close),
		T(test_fin_wait_1_fin_with_our_ack_goes_to_time_wait),
		T(test_fin_wait_1_data_and_fin_are_received),
		T(test_fin_wait_2_data_is_still_received),
		T(test_fin_wait_2_waits_for_the_fin_only_so_long),
		T(test_fin_wait_2_data_that_comes_extends_the_wait),
		T(test_fin_wait_2_data_after_discard_is_reset),
		T(test_discard_gives_back_what_was_not_read),
		T(test_fin_wait_2_fin_after_discard_closes_in_order),
		T(test_close_wait_still_sends),
		T(test_close_wait_data_after_the_fin_is_not_taken),
		T(test_close_wait_close_goes_to_last_ack),
		T(test_closing_ack_goes_to_time_wait_and_that_ends),
		T(test_closing_lost_fin_is_sent_again),
		T(test_last_ack_ends_on_the_ack_of_our_fin),
		T(test_last_ack_fin_again_is_acked_again),
		T(test_time_wait_fin_again_is_acked_and_restarts_it),
		T(test_time_wait_another_fin_does_not_restart_it),
		T(test_fin_above_the_first_is_acked_and_changes_nothing),
		T(test_time_wait_data_again_is_acked),
		T(test_abort_sends_rst_where_the_rfc_does_and_releases_all),
		T(test_abort_rst_carries_the_timestamp),
		T(test_abort_with_data_held_releases_it_on_destroy),
		T(test_close_in_any_state_is_harmless_when_repeated),
		T(test_every_state_ends_without_the_peer),
		T(test_state_names_are_the_rfcs),
		T(test_established_data_that_runs_past_a_known_fin_is_taken_up_to_it),
		T(test_time_wait_has_no_other_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
