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

/* Each packet of a short exchange in turn: SYN, SYN-ACK, its ACK, request, data, FIN, last ACK. */
static void
test_sim_any_one_packet_lost_is_repaired(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t n, lost = 0;
	bool to_server;

	(void)state;
	for (n = 0; n < 64; n++) {
		to_server = n % 2 == 0;
		sim_case_plain(20000, &cfg);
		cfg.answer[0] = SIM_ANSWER_CLOSE;
		(to_server ? &cfg.to_server : &cfg.to_client)->drop_ip = UINT64_C(1) << (n / 2);
		run(&cfg, &out);
		assert_int_equal(out.code[0], FETCH_OK);
		assert_int_equal(out.bytes, 20000);
		assert_true(out.lost <= 1);
		lost += (uint32_t)out.lost;
		/* A SYN's time-out is 1 s; everything later goes by the round trip. */
		assert_in_range(out.end_ns - cfg.start_ns, 0, 3 * NS_PER_SEC);
	}
	assert_in_range(lost, 16, 60); /* the exchange is shorter than 32 packets, but has some */
}

static void
test_sim_lost_syn_is_sent_again_after_a_second(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(100, &cfg);
	cfg.to_server.drop_ip = 3; /* twice: 1 s, then 2 s */
	run(&cfg, &out);
	assert_int_equal(out.bytes, 100);
	assert_in_range(out.end_ns - cfg.start_ns, 3 * NS_PER_SEC, 3500 * NS_PER_MS);
}

static void
test_sim_cable_out_for_three_seconds_goes_on(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(4U << 20, &cfg);
	cfg.to_client.down_from_ns = cfg.to_server.down_from_ns = cfg.start_ns + NS_PER_MS;
	cfg.to_client.down_until_ns = cfg.to_server.down_until_ns = cfg.start_ns + 3 * NS_PER_SEC;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 4U << 20);
	assert_true(out.lost > 0);
	assert_in_range(out.end_ns - cfg.start_ns, 3 * NS_PER_SEC, 10 * NS_PER_SEC);
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

/* For minutes: the probes back off to one a minute, and go on as long as they are answered. */
static void
test_sim_window_shut_for_minutes_is_waited_for(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1000, &cfg);
	cfg.peer.shut_segments = 14;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 1000);
	assert_in_range(out.end_ns - cfg.start_ns, 120 * NS_PER_SEC, 600 * NS_PER_SEC);
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
		cmocka_unit_test(test_sim_any_one_packet_lost_is_repaired),
		cmocka_unit_test(test_sim_lost_syn_is_sent_again_after_a_second),
		cmocka_unit_test(test_sim_cable_out_for_three_seconds_goes_on),
		cmocka_unit_test(test_sim_tiny_window_of_ours_is_exact),
		cmocka_unit_test(test_sim_slow_disk_closes_the_window_and_drops_nothing),
		cmocka_unit_test(test_sim_shut_window_of_the_server_is_probed),
		cmocka_unit_test(test_sim_window_shut_for_minutes_is_waited_for),
		cmocka_unit_test(test_sim_ack_delay_stays_within_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
