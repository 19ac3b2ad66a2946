/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_time.h"
#include "tcp_rtt.h"

#define MS NS_PER_MS

static void
init(struct tcp_rtt *t)
{
	tcp_rtt_init(t, NS_PER_SEC, 200 * MS, 60 * NS_PER_SEC);
}

static void
test_rtt_before_any_sample_rto_is_initial(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	assert_int_equal(tcp_rtt_rto(&t), NS_PER_SEC);
	assert_int_equal(t.srtt_ns, 0);
}

static void
test_rtt_first_sample_follows_rfc6298_2_2(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	assert_int_equal(t.srtt_ns, 100 * MS);
	assert_int_equal(t.rttvar_ns, 50 * MS);
	assert_int_equal(tcp_rtt_rto(&t), 300 * MS);
}

static void
test_rtt_second_sample_follows_rfc6298_2_3(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	tcp_rtt_on_sample(&t, 180 * MS, 1);
	/* RTTVAR = 3/4 * 50 + 1/4 * |100 - 180|; SRTT = 7/8 * 100 + 1/8 * 180 */
	assert_int_equal(t.rttvar_ns, 57500 * NS_PER_US);
	assert_int_equal(t.srtt_ns, 110 * MS);
	assert_int_equal(tcp_rtt_rto(&t), 340 * MS);
	assert_int_equal(t.min_rtt_ns, 100 * MS);
	assert_int_equal(t.latest_ns, 180 * MS);
}

static void
test_rtt_several_expected_samples_share_the_gain(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	tcp_rtt_on_sample(&t, 180 * MS, 10);
	assert_int_equal(t.srtt_ns, 101 * MS);
	assert_int_equal(t.rttvar_ns, 50750 * NS_PER_US);
	tcp_rtt_on_sample(&t, 101 * MS, 0); /* 0 counts as 1 */
	assert_int_equal(t.srtt_ns, 101 * MS);
}

static void
test_rtt_steady_samples_converge_and_rto_has_its_floor(void **state)
{
	struct tcp_rtt t;
	int i;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 400 * MS, 1);
	for (i = 0; i < 200; i++)
		tcp_rtt_on_sample(&t, 50 * NS_PER_US, 1);
	assert_in_range(t.srtt_ns, 50 * NS_PER_US, 50 * NS_PER_US + 10);
	assert_int_equal(tcp_rtt_rto(&t), 200 * MS);
	assert_int_equal(t.min_rtt_ns, 50 * NS_PER_US);
}

static void
test_rtt_tiny_variance_is_raised_to_the_granularity(void **state)
{
	struct tcp_rtt t;
	int i;

	(void)state;
	tcp_rtt_init(&t, NS_PER_SEC, 1, 60 * NS_PER_SEC);
	for (i = 0; i < 300; i++)
		tcp_rtt_on_sample(&t, 10 * MS, 1);
	assert_int_equal(tcp_rtt_rto(&t), 10 * MS + TCP_RTT_GRANULARITY_NS);
}

static void
test_rtt_zero_sample_is_taken_as_one_ns(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 0, 1);
	assert_int_equal(t.samples, 1);
	assert_int_equal(t.srtt_ns, 1);
}

static void
test_rtt_huge_sample_is_ignored_and_rto_has_its_ceiling(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, TCP_RTT_SAMPLE_MAX_NS + 1, 1);
	tcp_rtt_on_sample(&t, UINT64_MAX, 1);
	assert_int_equal(t.samples, 0);
	tcp_rtt_on_sample(&t, TCP_RTT_SAMPLE_MAX_NS, 1);
	assert_int_equal(tcp_rtt_rto(&t), 60 * NS_PER_SEC);
}

static void
test_rtt_timeouts_double_up_to_the_maximum(void **state)
{
	struct tcp_rtt t;
	uint64_t want = NS_PER_SEC;
	int i;

	(void)state;
	init(&t);
	for (i = 0; i < 100; i++) {
		assert_int_equal(tcp_rtt_rto(&t), want);
		tcp_rtt_on_timeout(&t);
		want = want * 2 < 60 * NS_PER_SEC ? want * 2 : 60 * NS_PER_SEC;
	}
}

/* Karn: the backed-off RTO stays until a valid sample comes. */
static void
test_rtt_backoff_ends_with_a_sample(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	tcp_rtt_on_timeout(&t);
	tcp_rtt_on_timeout(&t);
	assert_int_equal(tcp_rtt_rto(&t), 1200 * MS);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	assert_int_equal(tcp_rtt_rto(&t), 250 * MS); /* RTTVAR 37.5 ms */
	tcp_rtt_on_timeout(&t);
	tcp_rtt_on_progress(&t);
	assert_int_equal(tcp_rtt_rto(&t), 250 * MS);
}

static void
test_rtt_syn_loss_makes_rto_three_seconds(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	tcp_rtt_on_timeout(&t);
	tcp_rtt_on_syn_retransmitted(&t);
	assert_int_equal(tcp_rtt_rto(&t), 3 * NS_PER_SEC);
	tcp_rtt_on_sample(&t, 100 * MS, 1);
	assert_int_equal(tcp_rtt_rto(&t), 300 * MS);
	tcp_rtt_on_syn_retransmitted(&t); /* a sample is there: nothing to re-initialise */
	assert_int_equal(tcp_rtt_rto(&t), 300 * MS);
}

static void
test_rtt_timestamp_echo_is_a_sample_across_the_wrap(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	assert_true(tcp_rtt_on_timestamp_echo(&t, 40, UINT32_MAX - 59, MS, 1));
	assert_int_equal(t.srtt_ns, 100 * MS);
}

static void
test_rtt_timestamp_echo_of_the_same_tick_is_half_a_tick(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	assert_true(tcp_rtt_on_timestamp_echo(&t, 7, 7, MS, 1));
	assert_int_equal(t.srtt_ns, MS / 2);
}

static void
test_rtt_timestamp_echo_that_cannot_be_is_ignored(void **state)
{
	struct tcp_rtt t;

	(void)state;
	init(&t);
	assert_false(tcp_rtt_on_timestamp_echo(&t, 7, 8, MS, 1)); /* the future */
	assert_false(tcp_rtt_on_timestamp_echo(&t, 300001, 0, MS, 1));
	assert_true(tcp_rtt_on_timestamp_echo(&t, 300000, 0, MS, 1));
	assert_int_equal(t.samples, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtt_before_any_sample_rto_is_initial),
		cmocka_unit_test(test_rtt_first_sample_follows_rfc6298_2_2),
		cmocka_unit_test(test_rtt_second_sample_follows_rfc6298_2_3),
		cmocka_unit_test(test_rtt_several_expected_samples_share_the_gain),
		cmocka_unit_test(test_rtt_steady_samples_converge_and_rto_has_its_floor),
		cmocka_unit_test(test_rtt_tiny_variance_is_raised_to_the_granularity),
		cmocka_unit_test(test_rtt_zero_sample_is_taken_as_one_ns),
		cmocka_unit_test(test_rtt_huge_sample_is_ignored_and_rto_has_its_ceiling),
		cmocka_unit_test(test_rtt_timeouts_double_up_to_the_maximum),
		cmocka_unit_test(test_rtt_backoff_ends_with_a_sample),
		cmocka_unit_test(test_rtt_syn_loss_makes_rto_three_seconds),
		cmocka_unit_test(test_rtt_timestamp_echo_is_a_sample_across_the_wrap),
		cmocka_unit_test(test_rtt_timestamp_echo_of_the_same_tick_is_half_a_tick),
		cmocka_unit_test(test_rtt_timestamp_echo_that_cannot_be_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
