/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* The receive window. That its edge never retreats is checked of every segment by the fixture. */

static uint32_t
window_bytes(const struct fx *f, struct tcp_segment s)
{
	return (uint32_t)s.window << f->c->rcv_wscale;
}

static struct fx *
established(void (*change)(struct tcp_config *cfg))
{
	return fx_open(TCP_ESTABLISHED, change);
}

static void
window_4000(struct tcp_config *cfg)
{
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 4000;
}

static struct fx *
shut(void)
{
	struct fx *f = established(window_4000);

	fx_data(f, 0, 2000);
	fx_data(f, 2000, 2000);
	f->now_ns += NS_PER_MS;
	assert_int_equal(fx_count(f, COUNTER_TCP_ZERO_WINDOW_SENT), 0);
	assert_int_equal(fx_expect_ack(f, 4000).window, 0);
	return f;
}

TEST(test_window_zero_is_reopened_by_an_update)
{
	struct fx *f = shut();

	assert_int_equal(fx_count(f, COUNTER_TCP_ZERO_WINDOW_SENT), 1);
	assert_int_equal(fx_read(f, 0), 4000);
	assert_true(tcp_conn_output_pending(f->c));
	assert_int_equal(fx_expect_ack(f, 4000).window, 4000);
	assert_int_equal(fx_count(f, COUNTER_TCP_WINDOW_UPDATES), 1);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_window_zero_probe_with_data_is_answered)
{
	struct fx *f = shut();

	fx_data(f, 4000, 1);
	assert_int_equal(fx_expect_ack(f, 4000).window, 0);
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_SEQUENCE), 1);
	fx_data(f, 3999, 0); /* as Linux probes: an old number and no data */
	assert_int_equal(fx_expect_ack(f, 4000).window, 0);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_window_zero_ack_in_a_probe_is_taken)
{
	struct fx *f = shut();
	struct tcp_segment s;

	tcp_conn_send(f->c, "hello", 5);
	fx_expect(f);
	s = fx_segment(f, 4000, 1); /* acknowledges "hello" */
	fx_input(f, s);
	assert_int_equal(tcp_conn_send_queued(f->c), 0);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_window_zero_fin_is_accepted)
{
	struct fx *f = shut();

	fx_data_flags(f, 4000, 0, TCP_FIN);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSE_WAIT);
	fx_expect_ack(f, 4001);
	fx_read(f, 0);
	assert_true(tcp_conn_recv_finished(f->c));
	fx_end(f);
}

TEST(test_window_zero_rst_is_accepted)
{
	struct fx *f = shut();

	fx_control(f, FX_BASE + 4000, FX_UNA, TCP_RST);
	assert_int_equal(tcp_conn_error(f->c), -ECONNRESET);
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_window_overrun_is_cut_at_the_edge_with_its_fin)
{
	struct fx *f = established(window_4000);
	struct tcp_segment s;

	fx_data(f, 0, 2000);
	s = fx_segment(f, 2000, 2500);
	s.flags |= TCP_FIN;
	fx_input(f, s);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	fx_expect_ack(f, 4000);
	assert_int_equal(fx_read(f, 0), 4000);
	fx_end(f);
}

TEST(test_window_small_steps_are_not_announced)
{
	struct fx *f = established(window_4000);
	uint32_t offset, i;

	for (i = 0; i < 40; i++)
		fx_data(f, i * 100, 100);
	fx_drain(f);
	for (i = 0, offset = 0; i < 19; i++, offset += 100) {
		struct payload p;

		assert_int_equal(tcp_conn_recv(f->c, &p, 1), 1);
		test_buffer_release(&f->buffers, p.owner);
		tcp_conn_consumed(f->c, p.len, 1);
		fx_expect_silence(f);
	}
	fx_read(f, offset); /* half of the buffer: worth it */
	assert_true(window_bytes(f, fx_expect_ack(f, 4000)) >= 2000);
	fx_expect_silence(f);
	fx_end(f);
}

static void
window_2048(struct tcp_config *cfg)
{
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 2048;
}

/* A window shut by `bytes`; how much must be read until the answer to a probe opens it? */
static uint32_t
read_until_probe_opens(void (*change)(struct tcp_config *cfg), uint32_t bytes)
{
	struct fx *f = established(change);
	uint32_t i, offset = 0, window = 0;
	struct payload p;

	for (i = 0; i < bytes; i += 64)
		fx_data(f, i, MIN_OF(64U, bytes - i));
	fx_drain(f);
	while (window == 0) {
		assert_int_equal(tcp_conn_recv(f->c, &p, 1), 1);
		test_buffer_release(&f->buffers, p.owner);
		tcp_conn_consumed(f->c, p.len, 1);
		f->c->ack.window_update = false; /* not by itself: only what a probe brings */
		offset += p.len;
		fx_data(f, bytes - 1, 0);
		window = window_bytes(f, fx_expect_ack(f, bytes));
	}
	assert_true(window >= offset - 64 && window <= offset);
	fx_read(f, offset);
	fx_end(f);
	return offset;
}

/* RFC 9293 §3.8.6.2.2: by a segment, or by half of the buffer if that is less. */
TEST(test_window_small_steps_are_not_told_to_probes_either)
{
	assert_in_range(read_until_probe_opens(window_4000, 4000), 1460, 1460 + 64);
	assert_in_range(read_until_probe_opens(window_2048, 2048), 1024, 1024 + 64);
}

static void
scale_14(struct tcp_config *cfg)
{
	cfg->rcv_window_max_bytes = 1U << 30;
	cfg->rcv_window_init_bytes = 1;
}

TEST(test_window_smaller_than_the_scale_unit_is_raised_to_it)
{
	struct fx *f = established(scale_14);

	assert_int_equal(f->c->rcv_wscale, 14);
	fx_data_flags(f, 0, 1000, TCP_PSH);
	fx_read(f, 0);
	assert_true(window_bytes(f, fx_expect_ack(f, 1000)) >= 1U << 14);
	fx_end(f);
}

TEST(test_window_scale_rounding_never_shrinks_it)
{
	struct fx *f = established(scale_14);
	uint32_t i;

	for (i = 0; i < 60; i++) { /* the fixture looks at the edge */
		fx_data_flags(f, i * 7, 7, TCP_PSH);
		fx_expect_ack(f, (i + 1) * 7);
	}
	fx_read(f, 0);
	fx_end(f);
}

static void
every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

TEST(test_window_of_recorded_acks_is_counted_from_their_own_number)
{
	struct fx *f = established(every);
	uint32_t edge = f->edge, i;

	for (i = 0; i < 8; i++)
		fx_data(f, i * 1000, 1000);
	for (i = 1; i <= 8; i++) { /* nothing was read: the edge stands, but for rounding up */
		struct tcp_segment s = fx_expect_ack(f, i * 1000);

		assert_in_range(s.ack + window_bytes(f, s) - edge, 0, i * 127);
	}
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_window_closes_by_buffers_before_bytes)
{
	struct fx *f = established(NULL);
	struct tcp_segment s = {0};
	uint32_t i;

	for (i = 0; i < 64; i++) {
		fx_data_flags(f, i * 10, 10, TCP_PSH);
		s = fx_expect_ack(f, (i + 1) * 10);
	}
	fx_data(f, 640, 10); /* within the promise, but there is no buffer */
	assert_int_equal(fx_count(f, COUNTER_DROP_TCP_NO_BUFFER), 1);
	fx_expect_ack(f, 640);
	assert_int_equal(s.ack + window_bytes(f, s), f->edge);
	fx_read(f, 0);
	fx_end(f);
}

static void
tiny_window_of_buffers(struct tcp_config *cfg)
{
	cfg->rcv_payloads_max = 16;
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 2048;
	cfg->mss_max = 1460;
}

TEST(test_window_reopens_after_tiny_segments_shut_it)
{
	struct fx *f = established(tiny_window_of_buffers);
	uint32_t offset = 0;

	while (offset < 3000) { /* the mean payload becomes one byte */
		fx_data_flags(f, offset, 1, TCP_PSH);
		fx_read(f, offset++);
		fx_drain(f);
		/* All is consumed, so the peer may send again, whatever the mean is. */
		assert_true(tcp_rcv_wnd(f->c) > 0);
	}
	fx_end(f);
}

static void
tiny_buffers_scale_14(struct tcp_config *cfg)
{
	cfg->rcv_payloads_max = 16;
	cfg->rcv_window_max_bytes = 1U << 30;
	cfg->rcv_window_init_bytes = 16384;
}

TEST(test_window_reopens_though_buffers_bring_less_than_the_scale_unit)
{
	struct fx *f = established(tiny_buffers_scale_14);
	uint32_t offset = 0, i;

	while (offset < 200000) { /* 16 buffers of 500 bytes are half a unit */
		for (i = 0; i < 16; i++, offset += 500)
			fx_data(f, offset, 500);
		fx_drain(f);
		fx_read(f, offset - 8000);
		fx_drain(f);
		assert_true(tcp_rcv_wnd(f->c) >= 8000);
	}
	fx_end(f);
}

static void
window_grows(struct tcp_config *cfg)
{
	cfg->rcv_window_init_bytes = 16384;
	cfg->rcv_window_max_bytes = 65536;
	cfg->rcv_payloads_max = 1024;
}

/* One round trip (1 ms, the fixture's handshake) of a sender that fills the window. */
static void
transfer_round(struct fx *f, uint32_t *offset, uint32_t bytes)
{
	uint32_t sent;

	for (sent = 0; sent < bytes; sent += 1024, *offset += 1024) {
		fx_data(f, *offset, 1024);
		fx_read(f, *offset);
	}
	f->now_ns += NS_PER_MS;
	fx_drain(f);
}

TEST(test_window_auto_tuning_doubles_up_to_the_maximum)
{
	struct fx *f = established(window_grows);
	uint32_t offset = 0, i;

	for (i = 0; i < 6; i++)
		transfer_round(f, &offset, 7 * 1024);
	assert_int_equal(f->c->window.limit, 32768); /* 7 KiB a round trip is less than a quarter */
	for (i = 0; i < 20; i++)
		transfer_round(f, &offset, 40 * 1024 > tcp_rcv_wnd(f->c) ? 28 * 1024 : 40 * 1024);
	assert_int_equal(f->c->window.limit, 65536);
	fx_end(f);
}

static void
window_of_a_long_path(struct tcp_config *cfg)
{
	cfg->rcv_window_init_bytes = 65536;
	cfg->rcv_window_max_bytes = 4U << 20;
	cfg->rcv_payloads_max = 8192;
}

/* RFC 5681: its window doubles in each round trip. The one that we tell must not be what stops it. */
TEST(test_window_auto_tuning_stays_ahead_of_slow_start)
{
	struct fx *f = established(window_of_a_long_path);
	uint32_t offset = 0, bytes;

	for (bytes = 14 * 1024; bytes <= 1U << 20; bytes *= 2) {
		assert_true(tcp_rcv_wnd(f->c) >= bytes);
		transfer_round(f, &offset, bytes);
	}
	fx_end(f);
}

/* Of a window that doubles, a sender that waits for its edge would send the whole new half at once. */
TEST(test_window_auto_tuning_opens_it_no_faster_than_twice_what_was_read)
{
	struct fx *f = established(window_of_a_long_path);
	uint32_t offset = 0, edge = f->c->window.adv, slack = 1U << f->c->rcv_wscale, read = 0, i;

	for (i = 0; f->c->window.limit < 4U << 20; i++) {
		assert_true(i < 10000);
		fx_data(f, offset, 1024);
		fx_data(f, offset + 1024, 1024);
		fx_read(f, offset);
		offset += 2048;
		read += 2048;
		f->now_ns += NS_PER_US;
		fx_drain(f);
		if (f->c->window.adv == edge)
			continue; /* no ACK yet */
		assert_true(f->c->window.adv - edge <= 2 * read + slack);
		edge = f->c->window.adv;
		read = 0;
	}
	assert_true(tcp_rcv_wnd(f->c) >= (4U << 20) - 65536); /* but for what waits for an ACK */
	fx_end(f);
}

TEST(test_window_auto_tuning_leaves_a_slow_sender_alone)
{
	struct fx *f = established(window_grows);
	uint32_t offset = 0, i;

	for (i = 0; i < 20; i++)
		transfer_round(f, &offset, 4 * 1024);
	assert_int_equal(f->c->window.limit, 16384);
	fx_end(f);
}

/* A reader that takes everything, but late (its thread waits for a CPU, or for the disk): the sender
 * fills the window in an instant, and stands still for five round trips. */
static void
late_round(struct fx *f, uint32_t *offset)
{
	uint32_t bytes = tcp_rcv_wnd(f->c) / 1024 * 1024, begin = *offset;

	for (; *offset < begin + bytes; *offset += 1024)
		fx_data(f, *offset, 1024);
	fx_drain(f);
	f->now_ns += 5 * NS_PER_MS;
	fx_drain(f);
	assert_int_equal(fx_read(f, begin), bytes);
	fx_drain(f);
}

TEST(test_window_auto_tuning_grows_for_a_late_reader)
{
	struct fx *f = established(window_grows);
	uint32_t offset = 0, i;

	late_round(f, &offset);
	assert_int_equal(f->c->window.limit, 32768);
	for (i = 0; i < 4; i++)
		late_round(f, &offset);
	assert_int_equal(f->c->window.limit, 65536);
	fx_end(f);
}

/* A connection whose window has grown loses a frame, is sent it again, and goes on. Returns the limit. */
static uint32_t
limit_after_a_loss(uint64_t rtt_ns, uint32_t payload_mean)
{
	struct fx *f = established(window_of_a_long_path);
	uint32_t offset = 0, edge, limit, i;

	f->c->rtt.min_rtt_ns = rtt_ns;
	for (i = 0; i < 12; i++)
		late_round(f, &offset);
	assert_int_equal(f->c->window.limit, 4U << 20);
	edge = f->c->window.adv;
	f->c->window.payload_mean = payload_mean;
	fx_data(f, offset + 1024, 1024);
	fx_drain(f);
	fx_data(f, offset, 1024);
	fx_read(f, offset);
	offset += 2048;
	fx_drain(f);
	assert_true(seq_geq(f->c->window.adv, edge)); /* it is not taken back */
	for (i = 0; i < 12; i++)
		late_round(f, &offset);
	limit = f->c->window.limit;
	assert_true(tcp_rcv_wnd(f->c) <= limit);
	fx_end(f);
	return limit;
}

/* There it came of a queue that a burst overran, and would again. Frames that were joined are few. */
TEST(test_window_after_a_loss_on_a_near_path_is_what_queues_take)
{
	assert_int_equal(limit_after_a_loss(50 * NS_PER_US, 1024), 960 * 1024);
	assert_int_equal(limit_after_a_loss(50 * NS_PER_US, 16384), 4U << 20);
	assert_int_equal(limit_after_a_loss(NS_PER_MS, 1024), 4U << 20);
}

/* Or of a burst that merely came in another order, before there was a window to speak of. */
TEST(test_window_after_an_early_loss_on_a_near_path_grows_to_what_queues_take)
{
	struct fx *f = established(window_of_a_long_path);
	uint32_t offset = 2048, i;

	f->c->rtt.min_rtt_ns = 50 * NS_PER_US;
	f->c->window.payload_mean = 1024;
	fx_data(f, 1024, 1024);
	fx_drain(f);
	fx_data(f, 0, 1024);
	fx_read(f, 0);
	fx_drain(f);
	assert_int_equal(f->c->window.limit, 65536);
	for (i = 0; i < 12; i++)
		late_round(f, &offset);
	assert_int_equal(f->c->window.limit, 960 * 1024);
	fx_end(f);
}

TEST(test_window_update_waits_while_the_peer_has_room)
{
	struct fx *f = established(NULL);

	fx_data(f, 0, 3000);
	fx_read(f, 0);
	assert_false(f->c->ack.window_update); /* of 256 KiB most are still open */
	fx_end(f);
}

static void
no_scaling(struct tcp_config *cfg)
{
	cfg->window_scaling = false;
	cfg->rcv_payloads_max = 1024;
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 1U << 20;
}

/* The peer would take an ACK that repeats number and window for a duplicate one. */
TEST(test_window_without_scaling_is_not_announced_beyond_its_field)
{
	struct fx *f = established(no_scaling);

	fx_data(f, 0, 3000);
	f->now_ns += NS_PER_MS;
	assert_int_equal(fx_expect_ack(f, 3000).window, 65535);
	fx_read(f, 0);
	fx_expect_silence(f);
	assert_int_equal(fx_count(f, COUNTER_TCP_WINDOW_UPDATES), 0);
	fx_end(f);
}

TEST(test_window_update_is_not_sent_after_the_peers_fin)
{
	struct fx *f = established(window_4000);

	fx_data(f, 0, 2000);
	fx_data_flags(f, 2000, 2000, TCP_FIN);
	fx_drain(f);
	fx_read(f, 0);
	fx_expect_silence(f);
	fx_end(f);
}

TEST(test_window_scale_fits_the_largest_window)
{
	assert_int_equal(tcp_window_scale(65535), 0);
	assert_int_equal(tcp_window_scale(65536), 1);
	assert_int_equal(tcp_window_scale(1U << 30), 14);
	assert_int_equal(tcp_window_scale(UINT32_MAX), 14);
}

TEST(test_window_probe_answers_are_not_rate_limited)
{
	struct fx *f = shut();
	uint32_t i;

	for (i = 0; i < 50; i++) {
		fx_data(f, 3999, 0);
		fx_expect_ack(f, 4000);
		fx_data(f, 4000, 1);
		fx_expect_ack(f, 4000);
	}
	fx_read(f, 0);
	fx_end(f);
}

TEST(test_window_step_counts_from_what_is_open)
{
	struct fx *f = established(window_4000);
	struct payload p;

	fx_data(f, 0, 1000);
	fx_data(f, 1000, 2000);
	fx_advance_to_deadline(f);
	fx_expect_ack(f, 3000);
	assert_int_equal(tcp_conn_recv(f->c, &p, 1), 1);
	test_buffer_release(&f->buffers, p.owner);
	tcp_conn_consumed(f->c, p.len, 1); /* 1,000 open, 1,000 more: not worth it */
	fx_expect_silence(f);
	fx_read(f, 1000);
	fx_expect_ack(f, 3000);
	fx_end(f);
}

static void
window_unscaled(struct tcp_config *cfg)
{
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 65535;
}

TEST(test_window_follows_the_size_of_segments_to_what_buffers_hold)
{
	struct fx *f = established(window_unscaled);
	uint32_t offset;

	for (offset = 0; offset < 5000; offset += 10) {
		fx_data_flags(f, offset, 10, TCP_PSH);
		fx_read(f, offset);
		fx_drain(f);
	}
	/* 64 buffers hold 64 full segments, but not so many bytes of these: the promise is kept,
	 * and used up. */
	assert_in_range(tcp_rcv_wnd(f->c), 65535 - 5000, 65535 - 4000);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_window_zero_is_reopened_by_an_update),
		T(test_window_zero_probe_with_data_is_answered),
		T(test_window_zero_ack_in_a_probe_is_taken),
		T(test_window_zero_fin_is_accepted),
		T(test_window_zero_rst_is_accepted),
		T(test_window_overrun_is_cut_at_the_edge_with_its_fin),
		T(test_window_small_steps_are_not_announced),
		T(test_window_small_steps_are_not_told_to_probes_either),
		T(test_window_smaller_than_the_scale_unit_is_raised_to_it),
		T(test_window_scale_rounding_never_shrinks_it),
		T(test_window_of_recorded_acks_is_counted_from_their_own_number),
		T(test_window_closes_by_buffers_before_bytes),
		T(test_window_reopens_after_tiny_segments_shut_it),
		T(test_window_reopens_though_buffers_bring_less_than_the_scale_unit),
		T(test_window_auto_tuning_doubles_up_to_the_maximum),
		T(test_window_auto_tuning_stays_ahead_of_slow_start),
		T(test_window_auto_tuning_opens_it_no_faster_than_twice_what_was_read),
		T(test_window_auto_tuning_leaves_a_slow_sender_alone),
		T(test_window_auto_tuning_grows_for_a_late_reader),
		T(test_window_after_an_early_loss_on_a_near_path_grows_to_what_queues_take),
		T(test_window_after_a_loss_on_a_near_path_is_what_queues_take),
		T(test_window_update_waits_while_the_peer_has_room),
		T(test_window_without_scaling_is_not_announced_beyond_its_field),
		T(test_window_update_is_not_sent_after_the_peers_fin),
		T(test_window_scale_fits_the_largest_window),
		T(test_window_probe_answers_are_not_rate_limited),
		T(test_window_step_counts_from_what_is_open),
		T(test_window_follows_the_size_of_segments_to_what_buffers_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
