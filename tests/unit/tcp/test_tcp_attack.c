/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* RFC 5961: what a stranger who cannot see the connection may try, in each state. */

static const enum tcp_state synchronised[] = {TCP_ESTABLISHED, TCP_FIN_WAIT_1, TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, TCP_TIME_WAIT};
#define STATES (sizeof(synchronised) / sizeof(synchronised[0]))

TEST(test_rst_in_window_is_challenged_in_each_state)
{
	uint32_t i;

	for (i = 0; i < STATES; i++) {
		struct fx *f = fx_open(synchronised[i], NULL);

		fx_control(f, f->c->rcv_nxt + 5, tcp_snd_nxt(f->c), TCP_RST);
		assert_int_equal(tcp_conn_state(f->c), synchronised[i]);
		assert_int_equal(fx_expect_flags(f, TCP_ACK).ack, f->c->rcv_nxt);
		assert_int_equal(fx_count(f, COUNTER_TCP_CHALLENGE_ACKS), 1);
		fx_end(f);
	}
}

TEST(test_rst_exact_ends_each_state)
{
	static const int errors[] = {-ECONNRESET, -ECONNRESET, -ECONNRESET, -ECONNRESET, 0, 0, 0};
	uint32_t i;

	for (i = 0; i < STATES; i++) {
		struct fx *f = fx_open(synchronised[i], NULL);

		fx_control(f, f->c->rcv_nxt, 0, TCP_RST);
		assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
		assert_int_equal(tcp_conn_error(f->c), errors[i]);
		fx_expect_silence(f);
		assert_int_equal(fx_count(f, COUNTER_TCP_RST_RECEIVED), 1);
		fx_end(f);
	}
}

TEST(test_rst_outside_the_window_is_dropped_silently)
{
	uint32_t i;

	for (i = 0; i < STATES; i++) {
		struct fx *f = fx_open(synchronised[i], NULL);

		fx_control(f, f->c->rcv_nxt - 10, 0, TCP_RST);
		fx_control(f, f->c->window.adv + 10, 0, TCP_RST);
		assert_int_equal(tcp_conn_state(f->c), synchronised[i]);
		fx_expect_silence(f);
		assert_int_equal(fx_count(f, COUNTER_DROP_TCP_SEQUENCE), 2);
		fx_end(f);
	}
}

TEST(test_rst_between_last_ack_and_rcv_nxt_resets)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_data(f, 0, 1000);
	fx_data(f, 1000, 1000); /* not yet acknowledged: the peer does not know that we have it */
	fx_control(f, FX_BASE + 1000, 0, TCP_RST);
	assert_int_equal(tcp_conn_error(f->c), -ECONNRESET);
	assert_int_equal(fx_read(f, 0), 2000); /* what came before is not lost */
	fx_end(f);
}

TEST(test_syn_in_window_is_challenged_in_each_state)
{
	uint32_t i;

	for (i = 0; i < STATES; i++) {
		struct fx *f = fx_open(synchronised[i], NULL);

		fx_control(f, f->c->rcv_nxt, tcp_snd_nxt(f->c), TCP_SYN);
		fx_control(f, f->c->rcv_nxt + 3, tcp_snd_nxt(f->c), TCP_SYN | TCP_ACK);
		assert_int_equal(tcp_conn_state(f->c), synchronised[i]);
		fx_expect_flags(f, TCP_ACK);
		assert_int_equal(fx_count(f, COUNTER_TCP_CHALLENGE_ACKS), 2);
		fx_end(f);
	}
}

TEST(test_ack_of_unsent_data_is_challenged_and_its_data_dropped)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s = fx_segment(f, 0, 100);

	s.ack = tcp_snd_nxt(f->c) + 1;
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_ACK), 1);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_expect_ack(f, 0);
	fx_end(f);
}

TEST(test_ack_far_below_is_challenged_and_its_data_dropped)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s = fx_segment(f, 0, 100);

	s.ack = f->c->snd_una - f->c->snd_wnd_max - 1; /* RFC 5961 §5.2 */
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_ACK), 1);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_end(f);
}

TEST(test_ack_little_below_is_ignored_but_its_data_taken)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s = fx_segment(f, 0, 100);

	s.ack = f->c->snd_una - 1;
	s.window = 0; /* says nothing about now */
	fx_input(f, s);
	assert_int_equal(fx_read(f, 0), 100);
	assert_int_equal(f->c->snd_wnd, FX_WINDOW << 7);
	fx_end(f);
}

TEST(test_segment_without_ack_is_dropped)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s = fx_segment(f, 0, 100);

	s.flags = TCP_PSH;
	fx_input(f, s);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_ACK), 1);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_end(f);
}

TEST(test_challenge_acks_are_rate_limited_and_come_again)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i, answered = 0;

	for (i = 0; i < 100; i++) {
		fx_control(f, FX_BASE + 5, tcp_snd_nxt(f->c), TCP_RST);
		answered += fx_drain(f);
	}
	assert_in_range(answered, 1, 15);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_RATE_LIMITED), 100 - answered);
	f->now_ns += TCP_CHALLENGE_INTERVAL_NS;
	fx_control(f, FX_BASE + 5, tcp_snd_nxt(f->c), TCP_RST);
	fx_expect_ack(f, 0);
	fx_end(f);
}

TEST(test_challenge_budget_is_not_the_same_in_each_interval)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t budgets[8], interval, i, different = 0;

	for (interval = 0; interval < 8; interval++) {
		f->now_ns += TCP_CHALLENGE_INTERVAL_NS;
		for (i = 0, budgets[interval] = 0; i < 30; i++) {
			fx_control(f, FX_BASE + 5, tcp_snd_nxt(f->c), TCP_RST);
			budgets[interval] += fx_drain(f);
		}
		assert_in_range(budgets[interval], 1, 15);
		different += interval > 0 && budgets[interval] != budgets[0];
	}
	assert_true(different > 0); /* CVE-2016-5696: nothing to count with */
	fx_end(f);
}

TEST(test_out_of_window_acks_do_not_start_an_ack_war)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i, answered = 0;

	for (i = 0; i < 1000; i++) {
		fx_control(f, f->c->window.adv + 100, tcp_snd_nxt(f->c), TCP_ACK);
		answered += fx_drain(f);
	}
	assert_in_range(answered, 1, 15);
	fx_end(f);
}

/* Both ends may come to see the other's ACKs as old, after one segment that neither sent. */
TEST(test_old_acks_do_not_start_an_ack_war)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i, answered = 0;

	for (i = 0; i < 1000; i++) {
		fx_control(f, FX_BASE - 100, FX_UNA, TCP_ACK);
		answered += fx_drain(f);
	}
	assert_in_range(answered, 1, 15);
	fx_control(f, FX_BASE - 1, FX_UNA, TCP_ACK); /* a probe is no old ACK */
	fx_expect_ack(f, 0);
	fx_end(f);
}

/* RFC 5961 §4.2: wherever in the sequence space it lies, and whatever it carries. */
TEST(test_old_syns_are_challenged_at_a_limited_rate)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_SYN | TCP_FIN};
	uint32_t i, answered, len;

	for (len = 0; len <= 10; len += 10) {
		struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

		for (i = 0, answered = 0; i < 300; i++) {
			struct tcp_segment s = fx_segment(f, UINT32_MAX - 1000 * i, len);

			s.flags = flags[i % 3];
			fx_input(f, s);
			answered += fx_drain(f);
		}
		assert_in_range(answered, 1, 15);
		assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
		assert_int_equal(fx_count(f, COUNTER_TCP_DUPLICATE), 0);
		fx_end(f);
	}
}

TEST(test_sack_blocks_of_nonsense_change_nothing)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "hello", 5);
	fx_expect(f);
	fx_sack(f, FX_UNA, FX_UNA + 3, FX_UNA + 1);
	fx_sack(f, FX_UNA, FX_UNA + 100, FX_UNA + 200);
	fx_sack(f, FX_UNA, FX_UNA - 100, FX_UNA + 200);
	assert_int_equal(f->c->board.sacked_bytes, 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_segment_at_the_windows_edge_is_outside)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_control(f, f->c->window.adv, FX_UNA, TCP_ACK);
	fx_control(f, f->c->window.adv, FX_UNA, TCP_RST);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_SEQUENCE), 2);
	assert_int_equal(fx_count(f, COUNTER_TCP_CHALLENGE_ACKS), 1);
	fx_end(f);
}

TEST(test_ack_at_the_lower_bound_is_taken)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s = fx_segment(f, 0, 100);

	s.ack = f->c->snd_una - f->c->snd_wnd_max;
	fx_input(f, s);
	assert_int_equal(fx_read(f, 0), 100);
	fx_end(f);
}

TEST(test_old_timestamps_without_data_are_challenged_at_a_limited_rate)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i, answered = 0;

	f->ts -= 5;
	for (i = 0; i < 100; i++) {
		fx_window(f, FX_UNA, FX_WINDOW);
		answered += fx_drain(f);
	}
	assert_in_range(answered, 1, 15);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_PAWS), 100);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rst_in_window_is_challenged_in_each_state),
		T(test_rst_exact_ends_each_state),
		T(test_rst_outside_the_window_is_dropped_silently),
		T(test_rst_between_last_ack_and_rcv_nxt_resets),
		T(test_syn_in_window_is_challenged_in_each_state),
		T(test_ack_of_unsent_data_is_challenged_and_its_data_dropped),
		T(test_ack_far_below_is_challenged_and_its_data_dropped),
		T(test_ack_little_below_is_ignored_but_its_data_taken),
		T(test_segment_without_ack_is_dropped),
		T(test_challenge_acks_are_rate_limited_and_come_again),
		T(test_challenge_budget_is_not_the_same_in_each_interval),
		T(test_out_of_window_acks_do_not_start_an_ack_war),
		T(test_old_acks_do_not_start_an_ack_war),
		T(test_old_syns_are_challenged_at_a_limited_rate),
		T(test_sack_blocks_of_nonsense_change_nothing),
		T(test_segment_at_the_windows_edge_is_outside),
		T(test_ack_at_the_lower_bound_is_taken),
		T(test_old_timestamps_without_data_are_challenged_at_a_limited_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
