/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Retransmission back-off, keepalive, ICMP errors, path MTU. */

static void
no_probes(struct tcp_config *cfg)
{
	cfg->rack = false;
}

TEST(test_rto_backs_off_doubling_until_timeout)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, no_probes);
	uint64_t sent_ns, gap_ns = f->c->cfg->rto_min_ns;
	struct tcp_segment s;
	uint32_t retries = 0;

	tcp_conn_send(f->c, "hello", 5);
	fx_expect(f);
	sent_ns = f->now_ns;
	for (;; retries++) {
		while (tcp_conn_deadline(f->c) < f->c->rto_ns) { /* keepalive looks, in silence */
			fx_advance_to_deadline(f);
			fx_expect_silence(f);
		}
		fx_advance_to_deadline(f);
		assert_int_equal(f->now_ns - sent_ns, gap_ns);
		s = fx_expect(f);
		if (s.flags & TCP_RST)
			break;
		assert_int_equal(s.seq, FX_UNA);
		sent_ns = f->now_ns;
		gap_ns = MIN_OF(2 * gap_ns, 60 * NS_PER_SEC);
	}
	assert_int_equal(retries, f->c->cfg->data_retries);
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	fx_end(f);
}

TEST(test_rto_progress_starts_the_count_anew)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	static const uint8_t bytes[5000];
	uint32_t i;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	for (i = 0; i < 3; i++) {
		fx_drain(f);
		fx_advance_to_deadline(f);
	}
	fx_drain(f);
	assert_true(f->c->retries > 0);
	fx_window(f, FX_UNA + 1000, FX_WINDOW);
	assert_int_equal(f->c->retries, 0);
	fx_end(f);
}

TEST(test_rto_deadline_is_reported)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	assert_int_equal(tcp_conn_deadline(f->c), f->now_ns + 200 * NS_PER_MS);
	fx_end(f);
}

/* ---- keepalive ---- */

TEST(test_keepalive_probes_a_silent_peer_then_times_out)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;
	uint32_t probes = 0;
	uint64_t start_ns = f->now_ns;

	for (;; probes++) {
		fx_advance_to_deadline(f);
		s = fx_expect(f);
		if (s.flags & TCP_RST)
			break;
		assert_int_equal(s.flags, TCP_ACK);
		assert_int_equal(s.seq, FX_UNA - 1);
		assert_int_equal(f->now_ns - start_ns, (60 + 15 * probes) * NS_PER_SEC);
	}
	assert_int_equal(probes, 5);
	assert_int_equal(s.seq, FX_UNA);
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	fx_end(f);
}

TEST(test_keepalive_answer_starts_anew)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i;

	for (i = 0; i < 50; i++) {
		fx_advance_to_deadline(f);
		if (fx_drain(f) > 0)
			fx_window(f, FX_UNA, FX_WINDOW);
		assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	}
	fx_end(f);
}

/* A stranger who knows the ports must not keep a dead connection alive (RFC 5961 §1). */
TEST(test_keepalive_is_not_put_off_by_what_is_not_acceptable)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint64_t start_ns = f->now_ns;
	struct tcp_segment s;

	f->now_ns += 30 * NS_PER_SEC;
	fx_data(f, 1U << 30, 100); /* far beyond the window */
	s = fx_segment(f, 0, 100);
	s.ack = FX_UNA + 5000; /* of what was never sent */
	fx_input(f, s);
	s = fx_segment(f, 0, 100);
	s.options = TCP_OPT_TIMESTAMPS;
	s.ts_val = f->c->ts_recent - 1000; /* PAWS */
	fx_input(f, s);
	fx_control(f, FX_BASE + (1U << 30), FX_UNA, TCP_RST);
	fx_control(f, FX_BASE + 100, FX_UNA, TCP_SYN);
	fx_drain(f);
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).seq, FX_UNA - 1);
	assert_int_equal(f->now_ns - start_ns, 60 * NS_PER_SEC);
	fx_end(f);
}

TEST(test_keepalive_is_silent_while_data_comes)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i;

	for (i = 0; i < 10; i++) {
		f->now_ns += 50 * NS_PER_SEC;
		fx_data_flags(f, i * 10, 10, TCP_PSH);
		fx_expect_ack(f, (i + 1) * 10);
		fx_expect_silence(f);
		fx_read(f, i * 10);
	}
	fx_end(f);
}

/* From the last segment, not from when the timer last looked. */
TEST(test_keepalive_counts_from_the_last_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint64_t heard_ns;

	f->now_ns += 30 * NS_PER_SEC;
	heard_ns = f->now_ns;
	fx_window(f, FX_UNA, FX_WINDOW);
	fx_advance_to_deadline(f);
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	assert_int_equal(f->now_ns - heard_ns, 60 * NS_PER_SEC);
	assert_int_equal(fx_expect_flags(f, TCP_ACK).seq, FX_UNA - 1);
	fx_end(f);
}

TEST(test_keepalive_leaves_data_in_flight_to_retransmission)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;
	uint32_t i;

	tcp_conn_send(f->c, "hello", 5);
	for (i = 0; i < 12; i++) {
		while (tcp_conn_output(f->c, f->now_ns, &s))
			assert_int_equal(s.seq, FX_UNA);
		fx_advance_to_deadline(f);
	}
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_end(f);
}

TEST(test_keepalive_of_the_peer_is_answered)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	fx_control(f, FX_BASE - 1, FX_UNA, TCP_ACK);
	fx_expect_ack(f, 0);
	fx_data(f, UINT32_MAX, 1); /* with one byte of garbage, RFC 1122 §4.2.3.6 */
	fx_expect_ack(f, 0);
	assert_int_equal(tcp_conn_recv_ready(f->c), 0);
	fx_end(f);
}

/* ---- ICMP: RFC 5461, RFC 5927, RFC 1191 ---- */

/* packet_len: of the packet of ours that it is about, 0 when it does not tell. */
static bool
icmp(struct fx *f, enum tcp_icmp_kind kind, uint32_t seq, uint32_t mtu, uint32_t packet_len)
{
	const struct tcp_icmp what = {kind, seq, mtu, packet_len, .ip_header_len = 20};

	return tcp_conn_icmp(f->c, &what);
}

TEST(test_icmp_hard_error_ends_an_opening_connection)
{
	struct fx *f = fx_open(TCP_SYN_SENT, NULL);
	struct tcp_info info;

	assert_false(icmp(f, TCP_ICMP_HARD, FX_ISS + 9, 0, 0)); /* not ours */
	assert_false(icmp(f, TCP_ICMP_HARD, FX_ISS + 1, 0, 0));
	assert_false(icmp(f, TCP_ICMP_HARD, FX_ISS - 1, 0, 0));
	assert_false(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_ISS, 500, 0));
	assert_true(icmp(f, TCP_ICMP_HARD, FX_ISS, 0, 0));
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f->c), -ECONNREFUSED);
	tcp_conn_info(f->c, &info);
	assert_false(info.answered);
	assert_false(icmp(f, TCP_ICMP_HARD, FX_ISS, 0, 0));
	fx_end(f);
}

TEST(test_icmp_hard_error_does_not_end_an_open_connection)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	assert_true(icmp(f, TCP_ICMP_HARD, FX_UNA, 0, 0));
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED); /* RFC 5927 §5.2 */
	assert_int_equal(f->c->soft_error, -EHOSTUNREACH);
	fx_end(f);
}

TEST(test_icmp_soft_error_names_the_cause_of_a_timeout)
{
	struct fx *f = fx_open(TCP_SYN_SENT, NULL);

	assert_true(icmp(f, TCP_ICMP_SOFT, FX_ISS, 0, 0));
	while (tcp_conn_state(f->c) != TCP_CLOSED) {
		fx_advance_to_deadline(f);
		fx_drain(f);
	}
	assert_int_equal(tcp_conn_error(f->c), -EHOSTUNREACH);
	fx_end(f);
}

TEST(test_icmp_soft_error_is_forgotten_when_the_peer_answers)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "xy", 2);
	fx_expect(f);
	assert_true(icmp(f, TCP_ICMP_SOFT, FX_UNA, 0, 0));
	fx_window(f, FX_UNA + 1, FX_WINDOW);
	while (tcp_conn_state(f->c) != TCP_CLOSED) {
		fx_advance_to_deadline(f);
		fx_drain(f);
	}
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	fx_end(f);
}

TEST(test_icmp_soft_error_is_forgotten_when_the_connection_opens)
{
	struct fx *f = fx_open(TCP_SYN_SENT, NULL);

	assert_true(icmp(f, TCP_ICMP_SOFT, FX_ISS, 0, 0));
	fx_input(f, fx_syn_ack(f)); /* the route came back */
	fx_drain(f);
	while (tcp_conn_state(f->c) != TCP_CLOSED) { /* keepalive */
		fx_advance_to_deadline(f);
		fx_drain(f);
	}
	assert_int_equal(tcp_conn_error(f->c), -ETIMEDOUT);
	fx_end(f);
}

TEST(test_icmp_packet_too_big_sends_all_again_in_smaller_segments)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	static const uint8_t bytes[3 * FX_MSS];
	uint32_t cwnd, total = 0, n = 0;
	struct tcp_segment s;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 3);
	cwnd = f->c->congestion.cwnd;
	assert_false(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 9000, 0));
	assert_false(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 1500, 0));
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 1000, 0));
	assert_int_equal(f->c->smss, 1000 - 20 - 20 - 12);
	for (; tcp_conn_output(f->c, f->now_ns, &s); n++) { /* without waiting for a timeout */
		assert_int_equal(s.seq, FX_UNA + total);
		assert_true(fx_payload_len(&s) <= 948);
		total += fx_payload_len(&s);
		tcp_conn_check(f->c);
	}
	assert_int_equal(total, sizeof(bytes));
	assert_int_equal(n, 5);
	assert_int_equal(f->c->congestion.cwnd, cwnd); /* not congestion */
	fx_window(f, tcp_snd_nxt(f->c), FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

TEST(test_icmp_packet_too_big_without_mtu_steps_down_a_plateau)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 0, 0));
	assert_int_equal(f->c->smss, 1492 - 52); /* RFC 1191 §7.1: below 1500 */
	fx_end(f);
}

/* RFC 1191 §5: each of a flight's packets brings its own error, and all say the same. */
TEST(test_icmp_packet_too_big_without_mtu_for_a_whole_flight_is_one_step)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	static const uint8_t bytes[5 * FX_MSS];
	uint32_t i;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(
			icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA + i * FX_MSS, 0, 1500), i == 0);
	assert_int_equal(f->c->smss, 1492 - 52);
	fx_drain(f);
	/* The next ones are as large as the path was thought to be, and still too big. */
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 0, 1492));
	assert_int_equal(f->c->smss, 1006 - 52);
	fx_drain(f);
	fx_end(f);
}

TEST(test_icmp_packet_too_big_about_one_that_fits_is_ignored)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	assert_false(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 576, 53));
	assert_false(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 576, 576));
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 576, 577));
	fx_drain(f);
	fx_end(f);
}

TEST(test_icmp_packet_too_big_of_nonsense_leaves_a_usable_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	tcp_conn_send(f->c, "x", 1);
	fx_expect(f);
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 1, 0));
	assert_int_equal(f->c->smss, TCP_MSS_MIN);
	fx_drain(f);
	fx_end(f);
}

TEST(test_icmp_packet_too_big_during_recovery_ends_it)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	static const uint8_t bytes[6 * FX_MSS];
	uint32_t i;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	fx_drain(f);
	for (i = 2; i <= 4; i++)
		fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + i * FX_MSS);
	assert_true(f->c->board.recovering);
	assert_true(icmp(f, TCP_ICMP_PACKET_TOO_BIG, FX_UNA, 1000, 0));
	tcp_conn_check(f->c);
	fx_drain(f);
	for (i = 2; i <= 5; i++) /* more SACKs: no second recovery on top */
		fx_sack(f, FX_UNA, FX_UNA + FX_MSS, FX_UNA + i * FX_MSS);
	fx_drain(f);
	fx_window(f, tcp_snd_nxt(f->c), FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rto_backs_off_doubling_until_timeout),
		T(test_rto_progress_starts_the_count_anew),
		T(test_rto_deadline_is_reported),
		T(test_keepalive_probes_a_silent_peer_then_times_out),
		T(test_keepalive_answer_starts_anew),
		T(test_keepalive_is_not_put_off_by_what_is_not_acceptable),
		T(test_keepalive_is_silent_while_data_comes),
		T(test_keepalive_counts_from_the_last_segment),
		T(test_keepalive_leaves_data_in_flight_to_retransmission),
		T(test_keepalive_of_the_peer_is_answered),
		T(test_icmp_hard_error_ends_an_opening_connection),
		T(test_icmp_hard_error_does_not_end_an_open_connection),
		T(test_icmp_soft_error_names_the_cause_of_a_timeout),
		T(test_icmp_soft_error_is_forgotten_when_the_peer_answers),
		T(test_icmp_soft_error_is_forgotten_when_the_connection_opens),
		T(test_icmp_packet_too_big_sends_all_again_in_smaller_segments),
		T(test_icmp_packet_too_big_without_mtu_steps_down_a_plateau),
		T(test_icmp_packet_too_big_without_mtu_for_a_whole_flight_is_one_step),
		T(test_icmp_packet_too_big_about_one_that_fits_is_ignored),
		T(test_icmp_packet_too_big_of_nonsense_leaves_a_usable_segment),
		T(test_icmp_packet_too_big_during_recovery_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
