/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Proportional rate reduction, RFC 9937: how much each ACK lets out in a recovery. */

#define MSS 1000U

static const uint8_t bytes[65536];

/* In recovery, with 10 segments outstanding, ssthresh 7. */
static struct tcp_congestion_control
reducing(void)
{
	struct tcp_congestion_control cc;

	tcp_congestion_init(&cc, &tcp_congestion_cubic, MSS);
	tcp_congestion_on_enter_recovery(&cc, 10 * MSS, true, 0);
	assert_int_equal(cc.ssthresh, 7 * MSS);
	tcp_congestion_begin_prr(&cc, 10 * MSS);
	return cc;
}

/* Whole segments that this ACK lets out; they are sent. */
static uint32_t
let_out(struct tcp_congestion_control *cc, uint32_t delivered, uint32_t *pipe, bool safe)
{
	uint32_t n = 0;

	tcp_congestion_on_recovery_ack(cc, delivered, *pipe, safe);
	for (; cc->cwnd >= *pipe + MSS; n++) {
		*pipe += MSS;
		tcp_congestion_on_recovery_sent(cc, MSS);
	}
	return n;
}

TEST(test_prr_sends_ssthresh_for_each_recover_fs_delivered)
{
	struct tcp_congestion_control cc = reducing();
	uint32_t pipe = 10 * MSS, i, sent = 0;

	for (i = 1; i <= 10; i++) { /* one segment was lost, and was not in the pipe */
		pipe -= MSS;
		sent += let_out(&cc, MSS, &pipe, false);
		assert_true(sent <= (7 * i + 9) / 10);
		assert_true(sent + 1 >= 7 * i / 10);
	}
	assert_int_equal(sent, 7);
	assert_int_equal(pipe, 7 * MSS);
	tcp_congestion_on_exit_recovery(&cc, pipe, 0);
	assert_int_equal(cc.cwnd, 7 * MSS);
}

TEST(test_prr_fast_retransmission_always_goes)
{
	struct tcp_congestion_control cc = reducing();
	uint32_t pipe = 9 * MSS;

	assert_int_equal(let_out(&cc, 0, &pipe, false), 1); /* by the reordering timer */
	assert_int_equal(let_out(&cc, 0, &pipe, false), 0);
}

/* Most of the window was lost: no burst fills the pipe. */
TEST(test_prr_below_ssthresh_sends_what_was_delivered)
{
	struct tcp_congestion_control cc = reducing();
	uint32_t pipe = 2 * MSS;

	assert_int_equal(let_out(&cc, MSS, &pipe, false), 1);
	pipe -= MSS;
	assert_int_equal(let_out(&cc, MSS, &pipe, false), 1);
	pipe -= 2 * MSS;
	assert_int_equal(let_out(&cc, 2 * MSS, &pipe, false), 2);
}

TEST(test_prr_safe_acks_grow_by_a_segment_up_to_ssthresh)
{
	struct tcp_congestion_control cc = reducing();
	uint32_t pipe = 2 * MSS, i;

	assert_int_equal(let_out(&cc, MSS, &pipe, false), 1);
	for (i = 0; i < 4; i++) {
		pipe -= MSS;
		assert_int_equal(let_out(&cc, MSS, &pipe, true), 2);
	}
	assert_int_equal(pipe, 7 * MSS);
	pipe -= MSS;
	assert_int_equal(let_out(&cc, MSS, &pipe, true), 1);
	assert_int_equal(pipe, 7 * MSS);
}

TEST(test_prr_outside_of_recovery_changes_nothing)
{
	struct tcp_congestion_control cc;

	tcp_congestion_init(&cc, &tcp_congestion_cubic, MSS);
	tcp_congestion_on_recovery_ack(&cc, MSS, 0, true);
	assert_int_equal(cc.cwnd, 10 * MSS);
	tcp_congestion_on_enter_recovery(&cc, 10 * MSS, false, 0); /* RFC 6582 */
	tcp_congestion_on_recovery_ack(&cc, MSS, 0, true);
	assert_int_equal(cc.cwnd, 10 * MSS);
}

static void
rfc6675(struct tcp_config *cfg)
{
	cfg->rack = false;
}

/* Seven of ten are lost. Each ACK of one segment lets out one, then two. */
static void
recover_from_heavy_loss(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = fx_open(TCP_ESTABLISHED, change);
	uint32_t i;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	f->now_ns += NS_PER_MS;
	fx_sack(f, FX_UNA, FX_UNA + 7 * FX_MSS, FX_UNA + 10 * FX_MSS);
	assert_true(f->c->board.recovering);
	assert_int_equal(fx_drain(f), 3); /* as much as was SACKed */
	f->now_ns += 2 * NS_PER_MS;
	for (i = 1; i <= 2; i++) {
		fx_window(f, FX_UNA + i * FX_MSS, FX_WINDOW);
		assert_int_equal(fx_drain(f), 2);
	}
	for (i = 3; i < 10 && f->c->board.recovering; i++) {
		fx_window(f, FX_UNA + i * FX_MSS, FX_WINDOW);
		assert_in_range(fx_drain(f), 0, 2);
	}
	fx_window(f, FX_UNA + 10 * FX_MSS, FX_WINDOW);
	assert_false(f->c->board.recovering);
	/* min(FlightSize, cwnd) was ten segments */
	assert_in_range(f->c->congestion.cwnd, 7 * FX_MSS - 1, 7 * FX_MSS);
	fx_end(f);
}

TEST(test_prr_recovery_by_rack_is_in_proportion)
{
	recover_from_heavy_loss(NULL);
}

TEST(test_prr_recovery_by_rfc6675_is_in_proportion)
{
	recover_from_heavy_loss(rfc6675);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_prr_sends_ssthresh_for_each_recover_fs_delivered),
		T(test_prr_fast_retransmission_always_goes),
		T(test_prr_below_ssthresh_sends_what_was_delivered),
		T(test_prr_safe_acks_grow_by_a_segment_up_to_ssthresh),
		T(test_prr_outside_of_recovery_changes_nothing),
		T(test_prr_recovery_by_rack_is_in_proportion),
		T(test_prr_recovery_by_rfc6675_is_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
