/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_time.h"
#include "tcp_congestion.h"

#define SMSS 1000U
#define MS NS_PER_MS

static struct tcp_congestion_control
control(const struct tcp_congestion_ops *ops)
{
	struct tcp_congestion_control cc;

	tcp_congestion_init(&cc, ops, SMSS);
	return cc;
}

/* In congestion avoidance at a window of so many segments, after a reduction that led there. */
static struct tcp_congestion_control
avoiding(const struct tcp_congestion_ops *ops, uint32_t segments)
{
	struct tcp_congestion_control cc = control(ops);

	cc.cwnd = cc.ssthresh = segments * SMSS;
	return cc;
}

/* One RTT of full-window flight, one ACK a segment; the ACKs spread over the RTT. */
static void
one_round_trip(struct tcp_congestion_control *cc, uint64_t rtt_ns, uint64_t *now_ns)
{
	uint32_t i, segments = cc->cwnd / SMSS;

	for (i = 0; i < segments; i++) {
		*now_ns += rtt_ns / segments;
		tcp_congestion_on_ack(cc, SMSS, cc->cwnd, rtt_ns, *now_ns);
	}
}

static void
test_congestion_initial_window_is_rfc6928(void **state)
{
	(void)state;
	assert_int_equal(tcp_congestion_initial_window(1460), 14600);
	assert_int_equal(tcp_congestion_initial_window(536), 5360);
	assert_int_equal(tcp_congestion_initial_window(1), 10);
	assert_int_equal(tcp_congestion_initial_window(4000), 14600);
	assert_int_equal(tcp_congestion_initial_window(8960), 17920);
	assert_int_equal(tcp_congestion_initial_window(65535), 131070);
}

static void
test_congestion_lost_syn_begins_with_one_segment(void **state)
{
	struct tcp_congestion_control cc = control(&tcp_congestion_newreno);

	(void)state;
	tcp_congestion_on_established(&cc, true);
	assert_int_equal(cc.cwnd, SMSS);
	tcp_congestion_on_established(&cc, false);
	assert_int_equal(cc.cwnd, 10 * SMSS);
}

static void
test_congestion_slow_start_doubles_a_round_trip(void **state)
{
	struct tcp_congestion_control cc = control(&tcp_congestion_cubic);
	uint64_t now = 0;

	(void)state;
	one_round_trip(&cc, 10 * MS, &now);
	assert_int_equal(cc.cwnd, 20 * SMSS);
	one_round_trip(&cc, 10 * MS, &now);
	assert_int_equal(cc.cwnd, 40 * SMSS);
}

static void
test_congestion_slow_start_takes_two_segments_of_a_stretch_ack(void **state)
{
	struct tcp_congestion_control cc = control(&tcp_congestion_newreno);

	(void)state;
	tcp_congestion_on_ack(&cc, 8 * SMSS, cc.cwnd, 0, 0);
	assert_int_equal(cc.cwnd, 12 * SMSS);
	tcp_congestion_on_ack(&cc, 1, cc.cwnd, 0, 0); /* a tiny ACK earns a tiny growth */
	assert_int_equal(cc.cwnd, 12 * SMSS + 1);
}

static void
test_congestion_slow_start_stops_at_ssthresh(void **state)
{
	struct tcp_congestion_control cc = control(&tcp_congestion_newreno);

	(void)state;
	cc.ssthresh = 10 * SMSS + 300;
	tcp_congestion_on_ack(&cc, SMSS, cc.cwnd, 0, 0);
	assert_int_equal(cc.cwnd, 10 * SMSS + 300);
	assert_false(tcp_congestion_in_slow_start(&cc));
}

static void
test_congestion_unused_window_does_not_grow(void **state)
{
	const struct tcp_congestion_ops *ops[] = {&tcp_congestion_newreno, &tcp_congestion_cubic};
	struct tcp_congestion_control cc;
	uint32_t i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		cc = control(ops[i]);
		tcp_congestion_on_ack(&cc, SMSS, cc.cwnd / 2 - 1, 0, 0);
		assert_int_equal(cc.cwnd, 10 * SMSS);
		tcp_congestion_on_ack(&cc, SMSS, cc.cwnd / 2, 0, 0);
		assert_int_equal(cc.cwnd, 11 * SMSS);
		cc = avoiding(ops[i], 10);
		for (j = 0; j < 1000; j++)
			tcp_congestion_on_ack(&cc, SMSS, 9 * SMSS, 10 * MS, (uint64_t)j * 10 * MS);
		assert_int_equal(cc.cwnd, 10 * SMSS);
	}
}

static void
test_congestion_window_is_bounded(void **state)
{
	const struct tcp_congestion_ops *ops[] = {&tcp_congestion_newreno, &tcp_congestion_cubic};
	struct tcp_congestion_control cc;
	uint32_t i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		cc = control(ops[i]);
		cc.cwnd = TCP_CONGESTION_CWND_MAX - SMSS / 2;
		tcp_congestion_on_ack(&cc, SMSS, cc.cwnd, 0, 0);
		for (j = 0; j < 20; j++)
			tcp_congestion_on_ack(
				&cc, cc.cwnd, cc.cwnd, 0, (uint64_t)j * 100 * NS_PER_SEC);
		assert_int_equal(cc.cwnd, TCP_CONGESTION_CWND_MAX);
	}
}

static void
test_congestion_smss_change_keeps_the_floors(void **state)
{
	struct tcp_congestion_control cc = control(&tcp_congestion_cubic);

	(void)state;
	tcp_congestion_on_rto(&cc, 10 * SMSS, true, 0);
	tcp_congestion_on_smss(&cc, 9000);
	assert_int_equal(cc.cwnd, 9000);
	assert_int_equal(cc.ssthresh, 18000);
}

static void
test_newreno_avoidance_adds_one_segment_a_window(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 20);
	uint64_t now = 0;
	uint32_t i;

	(void)state;
	for (i = 1; i <= 10; i++) {
		one_round_trip(&cc, 10 * MS, &now);
		assert_int_equal(cc.cwnd, (20 + i) * SMSS);
	}
}

/* RFC 5681 §3.2 and RFC 6582 §3.2, without SACK. */
static void
test_newreno_recovery_inflates_and_deflates(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 20);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 20 * SMSS, false, 0);
	assert_int_equal(cc.ssthresh, 10 * SMSS);
	assert_int_equal(cc.cwnd, 13 * SMSS);
	tcp_congestion_on_dup_ack(&cc);
	assert_int_equal(cc.cwnd, 14 * SMSS);
	tcp_congestion_on_ack(&cc, SMSS, 20 * SMSS, 0, 0); /* not in recovery */
	assert_int_equal(cc.cwnd, 14 * SMSS);
	tcp_congestion_on_partial_ack(&cc, 4 * SMSS);
	assert_int_equal(cc.cwnd, 11 * SMSS);
	tcp_congestion_on_partial_ack(&cc, SMSS / 2);
	assert_int_equal(cc.cwnd, 10 * SMSS + SMSS / 2);
	tcp_congestion_on_partial_ack(&cc, 1000 * SMSS);
	assert_int_equal(cc.cwnd, SMSS);
	tcp_congestion_on_exit_recovery(&cc, 3 * SMSS, 0);
	assert_int_equal(cc.cwnd, 4 * SMSS);
	assert_false(cc.recovering);
}

static void
test_newreno_exit_from_recovery_is_not_above_ssthresh(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 20);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 20 * SMSS, false, 0);
	tcp_congestion_on_exit_recovery(&cc, 15 * SMSS, 0);
	assert_int_equal(cc.cwnd, 10 * SMSS);
	tcp_congestion_on_exit_recovery(&cc, 0, 0); /* not in recovery: nothing */
	assert_int_equal(cc.cwnd, 10 * SMSS);
}

static void
test_newreno_sack_recovery_holds_cwnd_at_ssthresh(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 20);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 20 * SMSS, true, 0);
	tcp_congestion_on_dup_ack(&cc);
	tcp_congestion_on_partial_ack(&cc, 4 * SMSS);
	assert_int_equal(cc.cwnd, 10 * SMSS);
	tcp_congestion_on_exit_recovery(&cc, SMSS, 0);
	assert_int_equal(cc.cwnd, 10 * SMSS);
}

static void
test_newreno_ssthresh_is_at_least_two_segments(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 2);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, SMSS, true, 0);
	assert_int_equal(cc.ssthresh, 2 * SMSS);
}

static void
test_newreno_rto_restarts_from_one_segment(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 20);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 20 * SMSS, true, 0);
	tcp_congestion_on_rto(&cc, 16 * SMSS, true, 0);
	assert_int_equal(cc.cwnd, SMSS);
	assert_int_equal(cc.ssthresh, 8 * SMSS);
	assert_false(cc.recovering);
	tcp_congestion_on_rto(&cc, 2 * SMSS, false, 0); /* the same data again */
	assert_int_equal(cc.ssthresh, 8 * SMSS);
	/* RFC 3465 §2.3: one segment an ACK while a timeout is being repaired. */
	tcp_congestion_on_ack(&cc, 3 * SMSS, SMSS, 0, 0);
	assert_int_equal(cc.cwnd, 2 * SMSS);
}

static void
test_congestion_idle_restarts_but_remembers(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_newreno, 100);

	(void)state;
	cc.ssthresh = 50 * SMSS;
	tcp_congestion_on_idle(&cc, 200 * MS, 200 * MS);
	assert_int_equal(cc.cwnd, 100 * SMSS);
	tcp_congestion_on_idle(&cc, 200 * MS + 1, 200 * MS);
	assert_int_equal(cc.cwnd, 10 * SMSS);
	assert_int_equal(cc.ssthresh, 75 * SMSS);
	cc.cwnd = 3 * SMSS;
	tcp_congestion_on_idle(&cc, NS_PER_SEC, 200 * MS); /* never grows it */
	assert_int_equal(cc.cwnd, 3 * SMSS);
}

static void
test_cubic_loss_reduces_to_seven_tenths_of_the_flight(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 100);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 90 * SMSS, true, 0);
	assert_int_equal(cc.ssthresh, 63 * SMSS);
	assert_int_equal(cc.cwnd, 63 * SMSS);
	assert_true(fabs(cc.cubic.w_max - 100.0 * SMSS) < 1.0);
}

/* RFC 9438 §4.7 */
static void
test_cubic_fast_convergence_lowers_w_max_when_cwnd_shrank(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 100);

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 100 * SMSS, true, 0);
	tcp_congestion_on_exit_recovery(&cc, 70 * SMSS, 0);
	tcp_congestion_on_enter_recovery(&cc, 70 * SMSS, true, 0);
	assert_true(fabs(cc.cubic.w_max - 70.0 * SMSS * 0.85) < 1.0);
}

/* RFC 9438 §4.2: cwnd follows C (t - K)^3 + W_max, flat around W_max at t = K. */
static void
test_cubic_growth_follows_the_curve(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 1000);
	const uint64_t rtt = 100 * MS;
	const double k = cbrt(300.0 / 0.4); /* 9.09 s */
	uint64_t now = 5 * NS_PER_SEC, begin;
	double t, curve, low = 1e9, high = 0.0;

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 1000 * SMSS, true, now);
	tcp_congestion_on_exit_recovery(&cc, 700 * SMSS, now);
	for (begin = now; now < begin + 15 * NS_PER_SEC;) {
		one_round_trip(&cc, rtt, &now);
		t = (double)(now - begin) / 1e9;
		curve = 0.4 * pow(t - k, 3.0) + 1000.0;
		low = fmin(low, (double)cc.cwnd / SMSS / curve);
		high = fmax(high, (double)cc.cwnd / SMSS / curve);
	}
	assert_true(low > 0.98);
	assert_true(high < 1.02);
	assert_true(cc.cwnd > 1050 * SMSS); /* convex by now */
}

static void
test_cubic_growth_is_at_most_half_a_window_a_round_trip(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 100);
	uint64_t now = 0;
	uint32_t before;

	(void)state;
	tcp_congestion_on_ack(&cc, SMSS, cc.cwnd, 100 * MS, now);
	before = cc.cwnd;
	now += 100 * NS_PER_SEC; /* the curve is far above */
	tcp_congestion_on_ack(&cc, before, before, 100 * MS, now);
	assert_in_range(cc.cwnd, before + before / 2 - 2, before + before / 2);
	/* A jump of the ACK beyond the window counts as one window. */
	before = cc.cwnd;
	tcp_congestion_on_ack(&cc, 100 * before, before, 100 * MS, now);
	assert_in_range(cc.cwnd, before + before / 2 - 2, before + before / 2);
}

/* RFC 9438 §4.3: with a short RTT and a small window, Reno's rate is the faster one. */
static void
test_cubic_is_not_slower_than_reno_on_short_paths(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 20);
	uint64_t now = 0;
	uint32_t i;

	(void)state;
	tcp_congestion_on_enter_recovery(&cc, 20 * SMSS, true, now);
	tcp_congestion_on_exit_recovery(&cc, 14 * SMSS, now);
	for (i = 0; i < 11; i++) /* 6 segments back to cwnd_prior at alpha = 0.53 */
		one_round_trip(&cc, MS, &now);
	assert_in_range(cc.cwnd, 19 * SMSS, 20 * SMSS);
	for (i = 0; i < 10; i++) /* then a segment a round trip, as Reno */
		one_round_trip(&cc, MS, &now);
	assert_in_range(cc.cwnd, 28 * SMSS, 30 * SMSS);
}

static void
test_cubic_without_a_loss_grows_from_where_slow_start_ended(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 100);
	uint64_t now = 0;

	(void)state;
	tcp_congestion_on_ack(&cc, SMSS, cc.cwnd, 100 * MS, now);
	assert_true(cc.cubic.k < 1e-9);
	assert_true(fabs(cc.cubic.w_max - 100.0 * SMSS) < 1.0);
}

/* RFC 9438 §4.8 */
static void
test_cubic_rto_sets_ssthresh_and_forgets_w_max(void **state)
{
	struct tcp_congestion_control cc = avoiding(&tcp_congestion_cubic, 100);
	uint64_t now = 0;

	(void)state;
	tcp_congestion_on_rto(&cc, 100 * SMSS, true, now);
	assert_int_equal(cc.cwnd, SMSS);
	assert_int_equal(cc.ssthresh, 70 * SMSS);
	while (tcp_congestion_in_slow_start(&cc))
		one_round_trip(&cc, 10 * MS, &now);
	tcp_congestion_on_ack(&cc, SMSS, cc.cwnd, 10 * MS, now);
	assert_true(cc.cubic.k < 1e-9);
	assert_in_range(cc.cwnd, 70 * SMSS, 71 * SMSS);
}

/* RFC 9438 §5.8: an application's pause must not turn into a jump along the curve. */
static void
test_cubic_time_without_using_the_window_does_not_count(void **state)
{
	struct tcp_congestion_control busy = avoiding(&tcp_congestion_cubic, 100), paused;
	uint64_t now = 0, later;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20; i++)
		one_round_trip(&busy, 100 * MS, &now);
	paused = busy;
	later = now;
	tcp_congestion_on_ack(&paused, SMSS, SMSS, 100 * MS, later);
	later += 60 * NS_PER_SEC;
	tcp_congestion_on_ack(&paused, SMSS, SMSS, 100 * MS, later);
	for (i = 0; i < 20; i++) {
		one_round_trip(&busy, 100 * MS, &now);
		one_round_trip(&paused, 100 * MS, &later);
	}
	assert_in_range(paused.cwnd, busy.cwnd - SMSS, busy.cwnd + SMSS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_congestion_initial_window_is_rfc6928),
		cmocka_unit_test(test_congestion_lost_syn_begins_with_one_segment),
		cmocka_unit_test(test_congestion_slow_start_doubles_a_round_trip),
		cmocka_unit_test(test_congestion_slow_start_takes_two_segments_of_a_stretch_ack),
		cmocka_unit_test(test_congestion_slow_start_stops_at_ssthresh),
		cmocka_unit_test(test_congestion_unused_window_does_not_grow),
		cmocka_unit_test(test_congestion_window_is_bounded),
		cmocka_unit_test(test_congestion_smss_change_keeps_the_floors),
		cmocka_unit_test(test_newreno_avoidance_adds_one_segment_a_window),
		cmocka_unit_test(test_newreno_recovery_inflates_and_deflates),
		cmocka_unit_test(test_newreno_exit_from_recovery_is_not_above_ssthresh),
		cmocka_unit_test(test_newreno_sack_recovery_holds_cwnd_at_ssthresh),
		cmocka_unit_test(test_newreno_ssthresh_is_at_least_two_segments),
		cmocka_unit_test(test_newreno_rto_restarts_from_one_segment),
		cmocka_unit_test(test_congestion_idle_restarts_but_remembers),
		cmocka_unit_test(test_cubic_loss_reduces_to_seven_tenths_of_the_flight),
		cmocka_unit_test(test_cubic_fast_convergence_lowers_w_max_when_cwnd_shrank),
		cmocka_unit_test(test_cubic_growth_follows_the_curve),
		cmocka_unit_test(test_cubic_growth_is_at_most_half_a_window_a_round_trip),
		cmocka_unit_test(test_cubic_is_not_slower_than_reno_on_short_paths),
		cmocka_unit_test(test_cubic_without_a_loss_grows_from_where_slow_start_ended),
		cmocka_unit_test(test_cubic_rto_sets_ssthresh_and_forgets_w_max),
		cmocka_unit_test(test_cubic_time_without_using_the_window_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
