/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim_world.h"

static void
run(const struct sim_config *cfg, struct sim_outcome *out)
{
	sim_world_run(cfg, out);
	if (out->failure[0] != '\0')
		fail_msg("%s", out->failure);
}

/* The blog post's second failure: a lossless cable, and not one retransmission either way. */
static void
test_sim_lossless_link_sees_no_retransmission(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(4U << 20, &cfg);
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.server_retransmissions, 0);
	assert_int_equal(out.counters.value[COUNTER_TCP_RETRANSMITS], 0);
	assert_int_equal(out.counters.value[COUNTER_TCP_OUT_OF_ORDER], 0);
	assert_true(out.counters.value[COUNTER_TCP_FAST_PATH] > 2500);
}

/* The blog post's third: what comes out of order is acknowledged at once, with SACK, and kept. */
static void
test_sim_out_of_order_data_is_sacked_at_once_and_kept(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(2U << 20, &cfg);
	cfg.to_client.loss_per_mille = 10;
	run(&cfg, &out);
	assert_true(out.counters.value[COUNTER_TCP_OUT_OF_ORDER] > 0);
	assert_true(out.counters.value[COUNTER_TCP_SACKS_SENT] >=
		    out.counters.value[COUNTER_TCP_OUT_OF_ORDER]);
	/* Only what the cable lost is sent again, and never a second copy of what we had. */
	assert_true(out.server_retransmissions <= out.lost + 2);
	assert_int_equal(out.counters.value[COUNTER_TCP_DUPLICATE], 0);
}

/* The blog post's fourth: FIN on the last data closes in order, without a reset. */
static void
test_sim_fin_with_data_closes_in_order(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(5000, &cfg);
	cfg.answer[0] = SIM_ANSWER_CLOSE;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 5000);
	assert_int_equal(out.counters.value[COUNTER_TCP_RST_SENT], 0);
}

static void
test_sim_reordering_alone_loses_nothing(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1U << 20, &cfg);
	cfg.to_client.jitter_ns = 30 * NS_PER_US;
	run(&cfg, &out);
	assert_true(out.counters.value[COUNTER_TCP_OUT_OF_ORDER] > 10);
	assert_int_equal(out.bytes, 1U << 20);
}

static void
test_sim_heavy_loss_of_handshake_and_close_ends_well(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 50; seed++) {
		sim_case_plain(100, &cfg);
		cfg.seed = seed;
		cfg.to_client.loss_per_mille = cfg.to_server.loss_per_mille = 300;
		run(&cfg, &out);
		assert_int_equal(out.bytes, 100);
	}
}

static void
test_sim_tiny_window_of_ours_is_exact(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(300000, &cfg);
	cfg.window_bytes = 4096;
	cfg.payloads_max = 16;
	run(&cfg, &out);
	assert_int_equal(out.bytes, 300000);
}

static void
test_sim_slow_disk_closes_the_window_and_drops_nothing(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1U << 20, &cfg);
	cfg.window_bytes = 65536;
	cfg.sink_delay_max_ns = 50 * NS_PER_MS;
	run(&cfg, &out);
	assert_true(out.counters.value[COUNTER_TCP_ZERO_WINDOW_SENT] > 0);
	assert_true(out.counters.value[COUNTER_TCP_WINDOW_UPDATES] > 0);
	assert_int_equal(out.counters.value[COUNTER_DROP_TCP_NO_BUFFER], 0);
	assert_int_equal(out.bytes, 1U << 20);
}

static void
test_sim_shut_window_of_the_server_is_probed(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1000, &cfg);
	cfg.peer.shut_segments =
		4; /* the handshake's ACK and three probes, backed off from 200 ms */
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 1000);
	assert_in_range(out.end_ns - cfg.start_ns, NS_PER_SEC, 10 * NS_PER_SEC);
}

static void
test_sim_ack_delay_stays_within_its_bound(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(4U << 20, &cfg);
	run(&cfg, &out);
	/* The bound, and a poll's 2 us. */
	assert_true(out.ack_delay.max <= 12 * NS_PER_US);
	assert_true(out.ack_delay.count > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_lossless_link_sees_no_retransmission),
		cmocka_unit_test(test_sim_out_of_order_data_is_sacked_at_once_and_kept),
		cmocka_unit_test(test_sim_fin_with_data_closes_in_order),
		cmocka_unit_test(test_sim_reordering_alone_loses_nothing),
		cmocka_unit_test(test_sim_heavy_loss_of_handshake_and_close_ends_well),
		cmocka_unit_test(test_sim_tiny_window_of_ours_is_exact),
		cmocka_unit_test(test_sim_slow_disk_closes_the_window_and_drops_nothing),
		cmocka_unit_test(test_sim_shut_window_of_the_server_is_probed),
		cmocka_unit_test(test_sim_ack_delay_stays_within_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
