/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Peers that see the connection and cheat: S. Savage et al., "TCP Congestion Control with a
 * Misbehaving Receiver" (1999), and what RFC 9293 says of windows that are not kept to. */

static uint8_t bytes[65536];

static void
newreno(struct tcp_config *cfg)
{
	cfg->congestion = TCP_CONGESTION_NEWRENO;
}

/* RFC 9293 §3.8.6: a usable window below zero sends no new data (SHLD-15); what was sent may go
 * again (SHLD-16). */
TEST(test_window_shrunk_below_the_flight_lets_nothing_new_out)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	fx_window(
		f, FX_UNA + 2 * FX_MSS, 2048 >> 7); /* six segments of the flight are outside now */
	assert_int_equal(fx_drain(f), 0);
	fx_advance_to_deadline(f);
	assert_int_equal(fx_expect(f).seq, FX_UNA + 9 * FX_MSS); /* a probe of old data */
	fx_expect_silence(f);
	fx_advance_to_deadline(f);
	s = fx_expect(f);
	assert_int_equal(s.seq, FX_UNA + 2 * FX_MSS);
	assert_int_equal(fx_payload_len(&s), FX_MSS);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 2);
	fx_end(f);
}

TEST(test_window_shrunk_is_kept_to_once_the_flight_is_acknowledged)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	fx_window(f, FX_UNA + 2 * FX_MSS, 2048 >> 7);
	fx_window(f, FX_UNA + 10 * FX_MSS, 2048 >> 7);
	s = fx_expect(f);
	assert_int_equal(s.seq, FX_UNA + 10 * FX_MSS);
	assert_int_equal(fx_payload_len(&s), FX_MSS);
	fx_expect_silence(f); /* 600 bytes are left of the window: SWS avoidance */
	fx_window(f, FX_UNA + 11 * FX_MSS, FX_WINDOW);
	assert_true(fx_drain(f) >= 10);
	fx_end(f);
}

/* ACKs the next len bytes one by one; each may let out what it likes, but only full segments. */
static void
ack_byte_by_byte(struct fx *f, uint32_t len)
{
	uint32_t una = f->c->snd_una, i;
	struct tcp_segment s;

	for (i = 1; i <= len; i++) {
		fx_window(f, una + i, FX_WINDOW);
		while (tcp_conn_output(f->c, f->now_ns, &s))
			assert_int_equal(fx_payload_len(&s), FX_MSS);
	}
}

/* RFC 3465 §2.2: counted by bytes, a thousand ACKs of one segment are worth one. */
TEST(test_acks_split_into_bytes_grow_slow_start_by_the_bytes)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, newreno);
	uint32_t before = f->c->congestion.cwnd;

	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	ack_byte_by_byte(f, FX_MSS);
	assert_int_equal(f->c->congestion.cwnd, before + FX_MSS);
	assert_int_equal(fx_count(f, COUNTER_TCP_RETRANSMITS), 0);
	fx_end(f);
}

/* RFC 5681 §3.1: at most one SMSS a round trip, however many ACKs that took. */
TEST(test_acks_split_into_bytes_grow_avoidance_by_a_segment_a_window)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, newreno);
	uint32_t before = f->c->congestion.cwnd;

	f->c->congestion.ssthresh = before;
	tcp_conn_send(f->c, bytes, sizeof(bytes));
	assert_int_equal(fx_drain(f), 10);
	ack_byte_by_byte(f, 10 * FX_MSS);
	assert_int_equal(f->c->congestion.cwnd, before + FX_MSS);
	fx_end(f);
}

/* RFC 5961 §5.2, and so no faith in a receiver that is ahead of the data. */
TEST(test_acks_ahead_of_the_data_are_challenged_and_grow_nothing)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t cwnd = f->c->congestion.cwnd, i;
	uint64_t srtt_ns = f->c->rtt.srtt_ns;

	tcp_conn_send(f->c, bytes, 3 * FX_MSS);
	assert_int_equal(fx_drain(f), 3);
	for (i = 1; i <= 100; i++)
		fx_window(f, FX_UNA + 3 * FX_MSS + i, 0);
	assert_int_equal(f->c->snd_una, FX_UNA);
	assert_int_equal(f->c->congestion.cwnd, cwnd);
	assert_int_equal(f->c->rtt.srtt_ns, srtt_ns);
	assert_int_equal(f->c->snd_wnd, FX_WINDOW << 7);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_ACK), 100);
	fx_window(f, FX_UNA + 3 * FX_MSS, FX_WINDOW);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_end(f);
}

static void
small_window(struct tcp_config *cfg)
{
	cfg->rcv_window_init_bytes = cfg->rcv_window_max_bytes = 32768;
}

/* A sender that waits for no ACK and looks at no window: memory stays what we said it would be,
 * what was refused is not acknowledged, and comes when it is sent again. */
TEST(test_sender_that_ignores_the_window_is_held_to_it)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, small_window);
	struct tcp_info info;
	uint32_t at, taken;

	for (at = 0; at < 200 * FX_MSS; at += FX_MSS) {
		fx_data(f, at, FX_MSS);
		fx_drain(f);
		assert_true(test_buffers_live(&f->buffers) <= 64); /* rcv_payloads_max */
	}
	tcp_conn_info(f->c, &info);
	assert_in_range(info.rcv_bytes_unread, 32768 - FX_MSS, 32768);
	assert_true(fx_count(f, COUNTER_DROP_TCP_SEQUENCE) > 150);
	taken = fx_read(f, 0);
	assert_int_equal(taken, info.rcv_bytes_unread);
	fx_drain(f);
	fx_data(f, taken, FX_MSS);
	assert_int_equal(fx_read(f, taken), FX_MSS);
	fx_end(f);
}

/* The same with holes: every second segment, so that none is in order but the first. */
TEST(test_sender_of_holes_only_is_held_to_the_bound)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i;

	for (i = 0; i < 2000; i++) {
		fx_data(f, 2 * i + 1, 1);
		fx_drain(f);
		assert_true(test_buffers_live(&f->buffers) <= 64);
	}
	assert_true(fx_count(f, COUNTER_DROP_TCP_NO_BUFFER) > 1900);
	fx_data(f, 0, 1); /* the first hole can always be filled */
	assert_int_equal(fx_read(f, 0), 2);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_window_shrunk_below_the_flight_lets_nothing_new_out),
		T(test_window_shrunk_is_kept_to_once_the_flight_is_acknowledged),
		T(test_acks_split_into_bytes_grow_slow_start_by_the_bytes),
		T(test_acks_split_into_bytes_grow_avoidance_by_a_segment_a_window),
		T(test_acks_ahead_of_the_data_are_challenged_and_grow_nothing),
		T(test_sender_that_ignores_the_window_is_held_to_it),
		T(test_sender_of_holes_only_is_held_to_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
