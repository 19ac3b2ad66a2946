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

/* Slow start overruns the queue of a long path, which loses every second segment of a round trip: as
 * many holes as segments are lost, and all between them is kept. */
static void
test_sim_thousands_of_holes_lose_nothing_of_what_came(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(32U << 20, &cfg);
	cfg.to_client.bits_per_second = cfg.to_server.bits_per_second = UINT64_C(1000000000);
	cfg.to_client.delay_ns = cfg.to_server.delay_ns = 15 * NS_PER_MS;
	cfg.to_client.queue_bytes = 2U << 20;
	cfg.peer.exact_recovery = true;
	cfg.window_bytes = 16U << 20;
	cfg.payloads_max = 2 * cfg.window_bytes / 1448;
	run(&cfg, &out);
	assert_true(out.lost > 1000);
	assert_int_equal(out.counters.value[counter_of_drop(DROP_TCP_NO_BUFFER)], 0);
	assert_true(out.server_retransmissions <= out.lost + 2);
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

/* ---- a server that falls silent, with the cable up ---- */

/* A lost segment leaves what follows it out of order, so that there is something to give back. */
static void
silent(struct sim_config *cfg, uint32_t from)
{
	sim_case_plain(2U << 20, cfg);
	cfg->peer.silent_from = from;
	cfg->own_limits = cfg->keepalive = true;
}

static void
test_sim_silent_to_the_syn_times_out_after_three_minutes(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	silent(&cfg, 1);
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OPERATION_TIMEDOUT);
	assert_in_range(out.end_ns - cfg.start_ns, 180 * NS_PER_SEC, 190 * NS_PER_SEC);
	assert_int_equal(out.counters.value[COUNTER_TCP_RST_SENT], 0);
}

static void
test_sim_silent_to_the_request_ends_by_retransmission(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	silent(&cfg, 2);
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_RECV_ERROR);
	/* RFC 9293's R2 of them by time-outs, and one as a tail loss probe. */
	assert_int_equal(out.counters.value[COUNTER_TCP_RETRANSMITS], 16);
	assert_int_equal(out.counters.value[COUNTER_TCP_TLP_PROBES], 1);
	assert_int_equal(out.counters.value[COUNTER_TCP_RST_SENT], 1);
	assert_in_range(out.end_ns - cfg.start_ns, 100 * NS_PER_SEC, 1000 * NS_PER_SEC);
}

/* We have nothing to send again: 60 s of nothing, and five probes 15 s apart. */
static void
test_sim_silent_in_the_body_ends_by_keepalive_and_gives_all_back(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	silent(&cfg, 12);
	cfg.to_client.drop_ip = UINT64_C(1) << 25;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_PARTIAL_FILE);
	assert_true(out.counters.value[COUNTER_TCP_OUT_OF_ORDER] > 0); /* held to the end */
	assert_true(out.bytes > 10000);
	assert_int_equal(out.counters.value[COUNTER_TCP_RST_SENT], 1);
	assert_in_range(out.end_ns - cfg.start_ns, 135 * NS_PER_SEC, 137 * NS_PER_SEC);
}

static void
test_sim_silent_in_the_body_ends_by_max_time_and_gives_all_back(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	silent(&cfg, 12);
	cfg.to_client.drop_ip = UINT64_C(1) << 25;
	cfg.max_time_ns = 5 * NS_PER_SEC;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OPERATION_TIMEDOUT);
	assert_int_equal(out.counters.value[COUNTER_TCP_RST_SENT], 1);
	assert_in_range(out.end_ns - cfg.start_ns, 5 * NS_PER_SEC, 5001 * NS_PER_MS);
}

/* From each segment of a short exchange on, our FIN among them. */
static void
test_sim_silent_from_any_segment_ends_in_bounded_time(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t n, whole = 0;

	(void)state;
	for (n = 1; n <= 24; n++) {
		silent(&cfg, n);
		cfg.body_len[0] = 20000;
		run(&cfg, &out);
		whole += out.code[0] == FETCH_OK;
		assert_true(out.code[0] != FETCH_OK || out.bytes == 20000);
		assert_in_range(out.end_ns - cfg.start_ns, 0, 1000 * NS_PER_SEC);
	}
	assert_in_range(whole, 1, 20);
}

/* ---- closing at the same time ---- */

static void
test_sim_both_ends_close_at_once_in_order(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint64_t after_us;
	uint32_t crossed = 0;

	(void)state;
	for (after_us = 1; after_us <= 40; after_us++) {
		sim_case_plain(5000, &cfg);
		cfg.peer.idle_close_ns = after_us * NS_PER_US;
		run(&cfg, &out);
		assert_int_equal(out.code[0], FETCH_OK);
		assert_int_equal(out.bytes, 5000);
		assert_true(out.all_ended);
		assert_int_equal(out.seen.resets, 0);
		assert_int_equal(out.counters.value[COUNTER_TCP_RETRANSMITS], 0);
		crossed += out.fins_crossed;
	}
	assert_in_range(crossed, 10, 39); /* the cable is 20 us long */
}

/* The ACKs of crossing FINs, and the FINs themselves, may be lost. */
static void
test_sim_both_ends_close_at_once_on_a_bad_cable(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t crossed = 0;

	(void)state;
	for (cfg.seed = 1; cfg.seed <= 60; cfg.seed++) {
		uint64_t seed = cfg.seed;

		sim_case_plain(5000, &cfg);
		cfg.seed = seed;
		cfg.peer.idle_close_ns = 10 * NS_PER_US;
		cfg.to_client.loss_per_mille = cfg.to_server.loss_per_mille = 200;
		run(&cfg, &out);
		assert_int_equal(out.code[0], FETCH_OK);
		assert_int_equal(out.seen.resets, 0);
		crossed += out.fins_crossed;
	}
	assert_true(crossed > 10);
}

/* ---- strangers ---- */

/* RFC 5961 §10: the answers of all kinds of challenge come out of one budget. */
static void
test_sim_forged_segments_and_errors_change_nothing(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t seed;
	uint64_t seconds;

	(void)state;
	for (seed = 1; seed <= 24; seed++) {
		sim_case_plain(1U << 20, &cfg);
		cfg.seed = seed;
		cfg.attack_per_mille = 400;
		cfg.peer.timestamps = seed % 2 == 0;
		cfg.peer.sack = seed % 4 < 2;
		cfg.peer.keep_alive = 1000;
		cfg.downloads = 3;
		cfg.body_len[1] = cfg.body_len[2] = 1U << 20;
		cfg.long_request_bytes = 4000;
		cfg.to_client.loss_per_mille = seed % 3 == 0 ? 20 : 0;
		run(&cfg, &out);
		seconds = (out.end_ns - cfg.start_ns) / NS_PER_SEC;
		assert_int_equal(out.bytes, 3U << 20);
		assert_true(out.forged > 100);
		assert_int_equal(out.seen.connections, 1);
		assert_int_equal(out.seen.resets, 0);
		assert_in_range(
			out.counters.value[COUNTER_TCP_CHALLENGE_ACKS], 5, 15 * (seconds + 1));
		assert_true(out.counters.value[COUNTER_DROP_TCP_RATE_LIMITED] > 0);
		assert_true(out.counters.value[COUNTER_DROP_ICMP_IGNORED] > 0);
	}
}

/* ---- SYN cookies ---- */

/* Each SYN gets another ISN, none is sent again, and the first ACK may be lost. */
static void
test_sim_syn_cookies_and_any_one_packet_lost(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t n, kind;

	(void)state;
	for (n = 0; n < 48; n++) {
		for (kind = 0; kind < 3; kind++) {
			sim_case_plain(20000, &cfg);
			cfg.answer[0] = SIM_ANSWER_CLOSE;
			cfg.peer.syn_cookies = true;
			cfg.peer.timestamps = kind > 0;
			cfg.peer.forgets_options = kind > 1;
			(n % 2 == 0 ? &cfg.to_server : &cfg.to_client)->drop_ip = UINT64_C(1)
										  << (n / 2);
			run(&cfg, &out);
			assert_int_equal(out.code[0], FETCH_OK);
			assert_int_equal(out.bytes, 20000);
			assert_int_equal(out.seen.resets, 0);
			assert_in_range(out.end_ns - cfg.start_ns, 0, 3 * NS_PER_SEC);
		}
	}
}

/* The round trip is longer than the SYN's time-out: SYN-ACKs of several ISNs come. */
static void
test_sim_syn_cookies_of_several_isns_open_one_connection(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(50000, &cfg);
	cfg.peer.syn_cookies = true;
	cfg.to_client.delay_ns = 2500 * NS_PER_MS;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 50000);
	assert_int_equal(out.seen.connections, 1);
	assert_int_equal(out.seen.resets, 0);
	assert_true(out.counters.value[COUNTER_TCP_CHALLENGE_ACKS] > 0);
}

/* It granted scales and SACK, and then takes our window as it stands and answers no SACK. */
static void
test_sim_server_that_forgets_its_options_is_served(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		sim_case_plain(1U << 20, &cfg);
		cfg.seed = seed;
		cfg.peer.syn_cookies = cfg.peer.forgets_options = true;
		cfg.to_client.loss_per_mille = 10 * (seed % 3);
		run(&cfg, &out);
		assert_int_equal(out.code[0], FETCH_OK);
		assert_int_equal(out.bytes, 1U << 20);
	}
}

/* ---- servers that keep to no rule ---- */

/* RFC 9293 §3.8.6: what was offered is taken back with any ACK, down to nothing. */
static void
test_sim_server_that_shrinks_its_window_gets_the_request(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 40; seed++) {
		sim_case_plain(20000, &cfg);
		cfg.seed = seed;
		cfg.downloads = 3;
		cfg.body_len[1] = cfg.body_len[2] = 20000;
		cfg.long_request_bytes = 4000;
		cfg.peer.window_shrinks = true;
		cfg.peer.window = 4000;
		cfg.peer.wscale = 0;
		cfg.peer.mss = seed % 2 == 0 ? 1460 : 200;
		cfg.to_server.loss_per_mille = seed % 3 == 0 ? 50 : 0;
		run(&cfg, &out);
		assert_int_equal(out.bytes, 60000);
		assert_int_equal(out.seen.resets, 0);
	}
}

/* It sends on, whatever we offer, to a disk that is slow. */
static void
test_sim_server_that_ignores_our_window_is_exact_within_the_bound(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1U << 20, &cfg);
	cfg.peer.ignores_window = true;
	cfg.window_bytes = 32768;
	cfg.payloads_max = 64;
	cfg.sink_delay_max_ns = NS_PER_MS;
	run(&cfg, &out);
	assert_int_equal(out.bytes, 1U << 20);
	assert_true(out.counters.value[COUNTER_DROP_TCP_SEQUENCE] > 100); /* it did ignore it */
	assert_in_range(out.buffers_max, 20, 64);
}

/* A buffer for each byte; and our request goes in segments of 64 less the options. */
static void
test_sim_tiny_mss_and_tiny_segments_are_exact_within_the_bound(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(20000, &cfg);
	cfg.peer.mss = 64;
	cfg.peer.segment_max = 1;
	cfg.long_request_bytes = 4000;
	cfg.payloads_max = 2048;
	run(&cfg, &out);
	assert_int_equal(out.bytes, 20000);
	assert_in_range(out.buffers_max, 20, 2048);
}

static void
test_sim_million_tiny_chunks_are_exact_within_the_bound(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1000000, &cfg);
	cfg.answer[0] = SIM_ANSWER_CHUNKED;
	cfg.peer.chunk_max = 1;
	cfg.payloads_max = 256;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 1000000);
	assert_true(out.counters.value[COUNTER_TCP_BYTES_RECEIVED] > 6000000);
	assert_in_range(out.buffers_max, 1, 256);
}

static void
test_sim_urgent_data_is_part_of_the_body(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	sim_case_plain(1U << 20, &cfg);
	cfg.peer.urgent_per_mille = 300;
	cfg.to_client.loss_per_mille = 10;
	run(&cfg, &out);
	assert_int_equal(out.code[0], FETCH_OK);
	assert_int_equal(out.bytes, 1U << 20);
}

static void
ecn_case(struct sim_config *cfg)
{
	sim_case_plain(1U << 20, cfg);
	cfg->ecn = cfg->peer.ecn = true;
	cfg->downloads = 3;
	cfg->body_len[1] = cfg->body_len[2] = 10000;
	cfg->long_request_bytes = 4000;
}

/* RFC 3168: routers mark in both directions, both ends slow down, and nothing is lost. */
static void
test_sim_ecn_marks_slow_both_ends_without_a_loss(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;

	(void)state;
	ecn_case(&cfg);
	cfg.to_client.mark_per_mille = 20;
	cfg.to_server.mark_per_mille = 900;
	run(&cfg, &out);
	assert_true(out.marked > 0 && out.counters.value[COUNTER_TCP_CE_RECEIVED] > 0);
	assert_true(out.counters.value[COUNTER_TCP_ECE_SENT] > 0);
	assert_true(out.server_ecn_reductions > 0);
	assert_true(out.counters.value[COUNTER_TCP_ECN_REDUCTIONS] > 0);
	assert_true(out.counters.value[COUNTER_TCP_CWR_SENT] > 0);
	assert_int_equal(out.server_retransmissions + out.seen.retransmissions, 0);
}

/* RFC 3168 §6.1.1.1: a path that drops, or refuses, ECN-setup SYNs is no obstacle. */
static void
test_sim_ecn_hostile_middlebox_is_passed_without_ecn(void **state)
{
	struct sim_config cfg;
	struct sim_outcome out;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		ecn_case(&cfg);
		cfg.peer.ecn_drops_syn = i == 0;
		cfg.peer.ecn_resets_syn = i == 1;
		run(&cfg, &out);
		assert_int_equal(out.code[0], FETCH_OK);
		assert_int_equal(out.counters.value[COUNTER_TCP_ECN_CONNECTIONS], 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_lossless_link_sees_no_retransmission),
		cmocka_unit_test(test_sim_out_of_order_data_is_sacked_at_once_and_kept),
		cmocka_unit_test(test_sim_thousands_of_holes_lose_nothing_of_what_came),
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
		cmocka_unit_test(test_sim_silent_to_the_syn_times_out_after_three_minutes),
		cmocka_unit_test(test_sim_silent_to_the_request_ends_by_retransmission),
		cmocka_unit_test(test_sim_silent_in_the_body_ends_by_keepalive_and_gives_all_back),
		cmocka_unit_test(test_sim_silent_in_the_body_ends_by_max_time_and_gives_all_back),
		cmocka_unit_test(test_sim_silent_from_any_segment_ends_in_bounded_time),
		cmocka_unit_test(test_sim_both_ends_close_at_once_in_order),
		cmocka_unit_test(test_sim_both_ends_close_at_once_on_a_bad_cable),
		cmocka_unit_test(test_sim_forged_segments_and_errors_change_nothing),
		cmocka_unit_test(test_sim_syn_cookies_and_any_one_packet_lost),
		cmocka_unit_test(test_sim_syn_cookies_of_several_isns_open_one_connection),
		cmocka_unit_test(test_sim_server_that_forgets_its_options_is_served),
		cmocka_unit_test(test_sim_server_that_shrinks_its_window_gets_the_request),
		cmocka_unit_test(test_sim_server_that_ignores_our_window_is_exact_within_the_bound),
		cmocka_unit_test(test_sim_tiny_mss_and_tiny_segments_are_exact_within_the_bound),
		cmocka_unit_test(test_sim_million_tiny_chunks_are_exact_within_the_bound),
		cmocka_unit_test(test_sim_urgent_data_is_part_of_the_body),
		cmocka_unit_test(test_sim_ecn_marks_slow_both_ends_without_a_loss),
		cmocka_unit_test(test_sim_ecn_hostile_middlebox_is_passed_without_ecn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
