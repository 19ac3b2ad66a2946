/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "tcp_priv.h"
#include "test_buffer.h"

/* A connection and the peer's view of it. */
struct fixture {
	struct tcp_conn *c;
	struct test_buffers buffers;
	struct counters counters;
	struct histogram ack_delay;
	uint64_t now_ns;
	uint32_t iss, irs;
	uint32_t peer_nxt; /* what the peer sends next */
	uint32_t ts; /* the peer's timestamp clock */
};

#define PEER_WINDOW 1000U
#define ISS UINT32_C(0xfffffff0) /* so that sequence numbers wrap at once */
#define IRS UINT32_C(0xffffff00)

static void
setup(struct fixture *f, void (*change)(struct tcp_config *cfg))
{
	struct tcp_config cfg;
	const struct tcp_open open = {.local_port = 40000, .remote_port = 80, .iss = ISS};

	memset(f, 0, sizeof(*f));
	histogram_reset(&f->ack_delay);
	tcp_config_defaults(&cfg);
	cfg.release = test_buffer_release;
	cfg.release_ctx = &f->buffers;
	cfg.counters = &f->counters;
	cfg.ack_delay = &f->ack_delay;
	cfg.rcv_payloads_max = 64;
	if (change != NULL)
		change(&cfg);
	f->c = tcp_conn_create(&cfg);
	assert_non_null(f->c);
	f->now_ns = NS_PER_SEC;
	f->iss = ISS;
	f->irs = IRS;
	f->peer_nxt = IRS + 1;
	f->ts = 1000;
	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), 0);
}

static void
teardown(struct fixture *f)
{
	tcp_conn_destroy(f->c);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
}

/* The next segment, which must exist. */
static struct tcp_segment
expect_output(struct fixture *f)
{
	struct tcp_segment s;

	assert_true(tcp_conn_output(f->c, f->now_ns, &s));
	tcp_conn_check(f->c);
	return s;
}

/* The send buffer is a ring: a segment's bytes may lie in two runs. */
static uint32_t
payload_len(struct tcp_segment s)
{
	return s.payload.len + s.payload2.len;
}

static void
expect_silence(struct fixture *f)
{
	struct tcp_segment s;

	assert_false(tcp_conn_output(f->c, f->now_ns, &s));
	tcp_conn_check(f->c);
}

static void
input(struct fixture *f, struct tcp_segment s)
{
	bool kept;

	s.src_port = 80;
	s.dst_port = 40000;
	if (f->c->timestamps && !(s.flags & TCP_SYN)) {
		s.options |= TCP_OPT_TIMESTAMPS;
		s.ts_val = s.ts_val != 0 ? s.ts_val : f->ts;
	}
	kept = tcp_conn_input(f->c, &s, f->now_ns);
	if (!kept && s.payload.owner != NULL)
		test_buffer_release(&f->buffers, s.payload.owner);
	tcp_conn_check(f->c);
}

/* offset: from the peer's first data byte. The bytes are their own offsets. */
static struct tcp_segment
data_segment(struct fixture *f, uint32_t offset, uint32_t len)
{
	uint8_t bytes[4096];
	uint32_t i;

	assert_true(len <= sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(offset + i);
	return (struct tcp_segment){
		.seq = f->irs + 1 + offset,
		.ack = tcp_snd_nxt(f->c),
		.flags = TCP_ACK,
		.window = PEER_WINDOW,
		.payload = test_buffer_make(&f->buffers, bytes, len),
	};
}

static void
send_data(struct fixture *f, uint32_t offset, uint32_t len)
{
	input(f, data_segment(f, offset, len));
}

static void
send_control(struct fixture *f, uint32_t seq, uint32_t ack, uint8_t flags)
{
	input(f, (struct tcp_segment){
			 .seq = seq, .ack = ack, .flags = flags, .window = PEER_WINDOW});
}

static struct tcp_segment
syn_ack(const struct fixture *f)
{
	return (struct tcp_segment){
		.seq = f->irs,
		.ack = f->iss + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = PEER_WINDOW,
		.options =
			TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS,
		.mss = 1460,
		.wscale = 7,
		.ts_val = f->ts,
	};
}

static void
establish(struct fixture *f)
{
	struct tcp_segment s = expect_output(f);

	assert_int_equal(s.flags, TCP_SYN);
	f->now_ns += NS_PER_MS;
	input(f, syn_ack(f));
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	s = expect_output(f);
	assert_int_equal(s.flags, TCP_ACK);
	assert_int_equal(s.ack, f->irs + 1);
	expect_silence(f);
	/* The SYN's window is not scaled; the first scaled one follows. */
	send_control(f, f->irs + 1, tcp_snd_nxt(f->c), TCP_ACK);
	f->c->ack.quick_left = 0; /* tests of the first windows set it again */
}

static void
setup_established(struct fixture *f)
{
	setup(f, NULL);
	establish(f);
}

static uint32_t
read_all(struct fixture *f, uint32_t offset)
{
	struct payload p;
	uint32_t i, total = 0;

	while (tcp_conn_recv(f->c, &p, 1) == 1) {
		for (i = 0; i < p.len; i++)
			assert_int_equal(p.data[i], (uint8_t)(offset + total + i));
		total += p.len;
		test_buffer_release(&f->buffers, p.owner);
		tcp_conn_consumed(f->c, p.len, 1);
	}
	tcp_conn_check(f->c);
	return total;
}

/* ---- opening ---- */

static void
test_syn_sent_syn_offers_all_options(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup(&f, NULL);
	s = expect_output(&f);
	assert_int_equal(s.seq, ISS);
	assert_int_equal(s.flags, TCP_SYN);
	assert_int_equal(s.mss, 1460);
	assert_int_equal(s.options,
		TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS);
	assert_int_equal(s.window, 65535);
	expect_silence(&f);
	teardown(&f);
}

static void
test_syn_sent_rst_with_good_ack_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	send_control(&f, 0, f.iss + 1, TCP_RST | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f.c), -ECONNREFUSED);
	expect_silence(&f);
	teardown(&f);
}

static void
test_syn_sent_rst_with_bad_ack_is_ignored(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	send_control(&f, 0, f.iss, TCP_RST | TCP_ACK);
	send_control(&f, 0, f.iss + 2, TCP_RST | TCP_ACK);
	send_control(&f, 0, 0, TCP_RST);
	assert_int_equal(tcp_conn_state(f.c), TCP_SYN_SENT);
	expect_silence(&f);
	teardown(&f);
}

static void
test_syn_sent_ack_too_high_is_answered_with_rst(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	send_control(&f, 77, f.iss + 5, TCP_ACK);
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, f.iss + 5);
	assert_int_equal(tcp_conn_state(f.c), TCP_SYN_SENT);
	teardown(&f);
}

static void
test_syn_sent_no_answer_backs_off_and_times_out(void **state)
{
	struct fixture f;
	uint64_t last_ns = 0, gap_ns, previous_gap_ns = 0;
	uint32_t syns = 1;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	last_ns = f.now_ns;
	while (tcp_conn_state(f.c) == TCP_SYN_SENT) {
		f.now_ns = tcp_conn_deadline(f.c);
		assert_true(f.now_ns != TIME_NEVER);
		struct tcp_segment s;
		if (!tcp_conn_output(f.c, f.now_ns, &s))
			continue;
		assert_int_equal(s.flags, TCP_SYN);
		gap_ns = f.now_ns - last_ns;
		assert_true(gap_ns >= previous_gap_ns);
		previous_gap_ns = gap_ns;
		last_ns = f.now_ns;
		syns++;
	}
	assert_int_equal(syns, 7);
	assert_int_equal(tcp_conn_error(f.c), -ETIMEDOUT);
	teardown(&f);
}

static void
test_syn_received_simultaneous_open_establishes(void **state)
{
	struct fixture f;
	struct tcp_segment s, syn;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	syn = syn_ack(&f);
	syn.flags = TCP_SYN;
	syn.ack = 0;
	input(&f, syn);
	assert_int_equal(tcp_conn_state(f.c), TCP_SYN_RECEIVED);
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s.seq, ISS);
	assert_int_equal(s.ack, f.irs + 1);
	input(&f, syn_ack(&f));
	assert_int_equal(tcp_conn_state(f.c), TCP_ESTABLISHED);
	teardown(&f);
}

static void
test_syn_received_ack_too_low_sends_rst(void **state)
{
	struct fixture f;
	struct tcp_segment s, syn;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	syn = syn_ack(&f);
	syn.flags = TCP_SYN;
	input(&f, syn);
	expect_output(&f);
	send_control(&f, f.irs + 1, f.iss, TCP_ACK);
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, f.iss);
	assert_int_equal(tcp_conn_state(f.c), TCP_SYN_RECEIVED);
	teardown(&f);
}

static void
test_syn_ack_without_options_disables_them(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	s = syn_ack(&f);
	s.options = 0;
	input(&f, s);
	s = expect_output(&f);
	assert_int_equal(s.options, 0);
	assert_int_equal(f.c->smss, 536);
	assert_int_equal(f.c->rcv_wscale, 0);
	teardown(&f);
}

static void
test_syn_ack_mss_zero_is_taken_as_the_minimum(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	s = syn_ack(&f);
	s.mss = 0;
	input(&f, s);
	assert_int_equal(f.c->smss, TCP_MSS_MIN - TCP_TIMESTAMPS_LEN);
	teardown(&f);
}

/* ---- receiving ---- */

static void
test_established_in_order_burst_is_acked_once(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t i;

	(void)state;
	setup_established(&f);
	for (i = 0; i < 5; i++)
		send_data(&f, i * 1000, 1000);
	expect_silence(&f); /* held for merging, within its bound */
	f.now_ns += 10 * NS_PER_US;
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_ACK);
	assert_int_equal(s.ack, f.irs + 1 + 5000);
	expect_silence(&f);
	assert_int_equal(f.counters.value[COUNTER_TCP_FAST_PATH], 5);
	assert_int_equal(f.ack_delay.max, 10 * NS_PER_US);
	assert_int_equal(read_all(&f, 0), 5000);
	teardown(&f);
}

static void
test_established_merging_stops_at_the_segment_bound(void **state)
{
	struct fixture f;
	uint32_t i;

	(void)state;
	setup_established(&f);
	for (i = 0; i < 15; i++)
		send_data(&f, i * 100, 100);
	expect_silence(&f);
	send_data(&f, 1500, 100);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 1600);
	read_all(&f, 0);
	teardown(&f);
}

static void
test_established_first_windows_are_acked_every_second_segment(void **state)
{
	struct fixture f;
	uint32_t i;

	(void)state;
	setup_established(&f);
	f.c->ack.quick_left = 64;
	for (i = 0; i < 5; i++)
		send_data(&f, i * 1000, 1000);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 2000);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 4000);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 5000);
	expect_silence(&f);
	read_all(&f, 0);
	teardown(&f);
}

static void
policy_every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

static void
test_established_policy_every_acks_each_segment_of_a_burst(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t i, edge, new_edge;

	(void)state;
	setup(&f, policy_every);
	establish(&f);
	edge = f.c->window.adv;
	for (i = 0; i < 8; i++)
		send_data(&f, i * 100, 100);
	for (i = 1; i <= 8; i++) {
		s = expect_output(&f);
		assert_int_equal(s.ack, f.irs + 1 + i * 100);
		/* An ACK below RCV.NXT takes back no window (found by the simulation, seed 8). */
		new_edge = s.ack + ((uint32_t)s.window << f.c->rcv_wscale);
		assert_true(seq_geq(new_edge, edge));
		edge = new_edge;
	}
	expect_silence(&f);
	read_all(&f, 0);
	teardown(&f);
}

static void
policy_delayed(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_DELAYED;
}

static void
test_established_policy_delayed_acks_the_second_or_after_40_ms(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, policy_delayed);
	establish(&f);
	send_data(&f, 0, 1448);
	expect_silence(&f);
	send_data(&f, 1448, 1448);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 2896);
	send_data(&f, 2896, 10);
	f.now_ns += 39 * NS_PER_MS;
	expect_silence(&f);
	f.now_ns += NS_PER_MS;
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 2906);
	read_all(&f, 0);
	teardown(&f);
}

static void
test_established_each_out_of_order_segment_gets_its_own_ack_with_sack(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t base;

	(void)state;
	setup_established(&f);
	base = f.irs + 1;
	send_data(&f, 1000, 500);
	send_data(&f, 3000, 500);
	send_data(&f, 1500, 500);
	s = expect_output(&f);
	assert_int_equal(s.ack, base);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, base + 1000);
	assert_int_equal(s.sack[0].right, base + 1500);
	s = expect_output(&f);
	assert_int_equal(s.sack_count, 2);
	assert_int_equal(s.sack[0].left, base + 3000); /* the newest first */
	s = expect_output(&f);
	assert_int_equal(s.sack[0].left, base + 1000);
	assert_int_equal(s.sack[0].right, base + 2000);
	expect_silence(&f);
	send_data(&f, 0, 1000); /* the hole is filled: at once */
	s = expect_output(&f);
	assert_int_equal(s.ack, base + 2000);
	assert_int_equal(s.sack_count, 1);
	send_data(&f, 2000, 1000);
	s = expect_output(&f);
	assert_int_equal(s.ack, base + 3500);
	assert_int_equal(s.sack_count, 0);
	assert_int_equal(read_all(&f, 0), 3500);
	teardown(&f);
}

static void
test_established_duplicate_is_acked_at_once_with_dsack(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	send_data(&f, 0, 1000);
	f.now_ns += NS_PER_MS;
	expect_output(&f);
	send_data(&f, 200, 300);
	s = expect_output(&f);
	assert_int_equal(s.ack, f.irs + 1 + 1000);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0].left, f.irs + 1 + 200);
	assert_int_equal(s.sack[0].right, f.irs + 1 + 500);
	assert_int_equal(f.counters.value[COUNTER_TCP_DSACKS_SENT], 1);
	read_all(&f, 0);
	teardown(&f);
}

static void
test_established_window_closes_by_buffers_and_reopens_with_an_update(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t offset = 0, edge, new_edge;

	(void)state;
	setup_established(&f);
	edge = f.c->window.adv;
	while (tcp_reassembly_room(f.c->reassembly) > 0) {
		send_data(&f, offset, 10);
		offset += 10;
		f.now_ns += NS_PER_MS;
		s = expect_output(&f);
		new_edge = s.ack + ((uint32_t)s.window << f.c->rcv_wscale);
		assert_true(seq_geq(new_edge, edge)); /* it never retreats */
		edge = new_edge;
	}
	send_data(&f, offset, 10);
	assert_int_equal(f.counters.value[COUNTER_DROP_TCP_NO_BUFFER], 1);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + offset);
	assert_int_equal(read_all(&f, 0), offset);
	teardown(&f);
}

static void
small_window(struct tcp_config *cfg)
{
	cfg->rcv_window_max_bytes = cfg->rcv_window_init_bytes = 4000;
}

static void
test_established_zero_window_is_answered_and_reopened(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup(&f, small_window);
	establish(&f);
	send_data(&f, 0, 2000);
	send_data(&f, 2000, 2000);
	f.now_ns += NS_PER_MS;
	s = expect_output(&f);
	assert_int_equal(s.window, 0);
	send_data(&f, 4000, 1); /* a probe */
	s = expect_output(&f);
	assert_int_equal(s.ack, f.irs + 1 + 4000);
	assert_int_equal(s.window, 0);
	assert_int_equal(read_all(&f, 0), 4000);
	s = expect_output(&f);
	assert_int_equal(s.window, 4000);
	assert_int_equal(f.counters.value[COUNTER_TCP_WINDOW_UPDATES], 1);
	expect_silence(&f);
	teardown(&f);
}

static void
test_established_paws_rejects_an_old_timestamp(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	s = data_segment(&f, 0, 100);
	s.ts_val = f.ts - 1;
	input(&f, s);
	assert_int_equal(f.counters.value[COUNTER_DROP_TCP_PAWS], 1);
	assert_int_equal(expect_output(&f).ack, f.irs + 1);
	assert_int_equal(tcp_conn_recv_ready(f.c), 0);
	teardown(&f);
}

static void
test_established_timestamp_echo_follows_the_segment_that_opens_the_ack(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	s = data_segment(&f, 0, 100);
	s.ts_val = 2000;
	input(&f, s);
	s = data_segment(&f, 100, 100);
	s.ts_val = 2001;
	input(&f, s);
	f.now_ns += NS_PER_MS;
	s = expect_output(&f);
	assert_int_equal(s.ts_ecr, 2000); /* RFC 7323 §4.3: the earlier one */
	read_all(&f, 0);
	teardown(&f);
}

/* ---- attacks ---- */

static void
test_established_rst_in_window_is_challenged_exact_resets(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	send_control(&f, f.irs + 1 + 5, tcp_snd_nxt(f.c), TCP_RST);
	assert_int_equal(tcp_conn_state(f.c), TCP_ESTABLISHED);
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_ACK);
	assert_int_equal(f.counters.value[COUNTER_TCP_CHALLENGE_ACKS], 1);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_RST);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f.c), -ECONNRESET);
	teardown(&f);
}

static void
test_established_rst_between_last_ack_and_rcv_nxt_resets(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	send_data(&f, 0, 1000);
	send_data(&f, 1000, 1000); /* not yet acknowledged */
	send_control(&f, f.irs + 1 + 1000, tcp_snd_nxt(f.c), TCP_RST);
	assert_int_equal(tcp_conn_error(f.c), -ECONNRESET);
	assert_int_equal(read_all(&f, 0), 2000); /* what came before is not lost */
	teardown(&f);
}

static void
test_established_syn_in_window_is_challenged(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_SYN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_ESTABLISHED);
	assert_int_equal(expect_output(&f).flags, TCP_ACK);
	teardown(&f);
}

static void
test_established_ack_of_unsent_data_is_challenged(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c) + 1, TCP_ACK);
	assert_int_equal(f.counters.value[COUNTER_DROP_TCP_ACK], 1);
	assert_int_equal(expect_output(&f).ack, f.irs + 1);
	teardown(&f);
}

static void
test_challenge_acks_are_rate_limited(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t i, answered = 0;

	(void)state;
	setup_established(&f);
	for (i = 0; i < 100; i++) {
		send_control(&f, f.irs + 1 + 5, tcp_snd_nxt(f.c), TCP_RST);
		while (tcp_conn_output(f.c, f.now_ns, &s))
			answered++;
	}
	assert_in_range(answered, 1, 15);
	assert_int_equal(f.counters.value[COUNTER_DROP_TCP_RATE_LIMITED], 100 - answered);
	teardown(&f);
}

/* ---- sending ---- */

static void
test_established_request_is_sent_with_psh_and_acked(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	assert_int_equal(tcp_conn_send(f.c, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	s = expect_output(&f);
	assert_int_equal(s.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(s.payload.len + s.payload2.len, 18);
	assert_memory_equal(s.payload.data, "GET ", 4);
	expect_silence(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_ACK);
	assert_int_equal(tcp_conn_send_queued(f.c), 0);
	assert_int_equal(f.c->rto_ns, TIME_NEVER);
	teardown(&f);
}

static void
test_established_lost_request_is_sent_again_with_backoff_until_timeout(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t times = 0;
	uint64_t last_ns, gap_ns = 0;

	(void)state;
	setup_established(&f);
	tcp_conn_send(f.c, "hello", 5);
	expect_output(&f);
	last_ns = f.now_ns;
	while (tcp_conn_state(f.c) == TCP_ESTABLISHED) {
		f.now_ns = MAX_OF(f.now_ns + 1, tcp_conn_deadline(f.c));
		while (tcp_conn_output(f.c, f.now_ns, &s)) {
			if (s.payload.len == 0)
				continue;
			assert_int_equal(s.payload.len, 5);
			assert_true(f.now_ns - last_ns >= gap_ns);
			gap_ns = MIN_OF(f.now_ns - last_ns, 59 * NS_PER_SEC);
			last_ns = f.now_ns;
			times++;
		}
	}
	assert_true(times >= 5);
	assert_int_equal(tcp_conn_error(f.c), -ETIMEDOUT);
	teardown(&f);
}

static void
test_established_three_duplicate_acks_retransmit_fast(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint8_t bytes[6000] = {0};
	uint32_t i, una;

	(void)state;
	setup_established(&f);
	una = f.c->snd_una;
	assert_int_equal(tcp_conn_send(f.c, bytes, sizeof(bytes)), sizeof(bytes));
	for (i = 0; i < 4; i++)
		assert_int_equal(payload_len(expect_output(&f)), 1448);
	for (i = 2; i <= 4; i++) {
		s = (struct tcp_segment){.seq = f.irs + 1,
			.ack = una,
			.flags = TCP_ACK,
			.window = PEER_WINDOW,
			.options = TCP_OPT_SACK,
			.sack_count = 1,
			.sack = {{una + 1448, una + 1448 * i}}};
		input(&f, s);
	}
	s = expect_output(&f);
	while (s.seq != una) /* limited transmit may have sent new data before */
		s = expect_output(&f);
	assert_int_equal(payload_len(s), 1448);
	assert_int_equal(f.counters.value[COUNTER_TCP_RETRANSMITS], 1);
	assert_true(f.c->board.recovering);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_ACK);
	assert_false(f.c->board.recovering);
	teardown(&f);
}

static void
test_established_zero_window_of_the_peer_is_probed_until_it_opens(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	input(&f,
		(struct tcp_segment){
			.seq = f.irs + 1, .ack = tcp_snd_nxt(f.c), .flags = TCP_ACK, .window = 0});
	tcp_conn_send(f.c, "hello", 5);
	expect_silence(&f);
	f.now_ns = tcp_conn_deadline(f.c);
	s = expect_output(&f);
	assert_int_equal(s.seq, f.c->snd_una - 1);
	assert_int_equal(s.payload.len, 0);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_ACK);
	s = expect_output(&f);
	assert_int_equal(s.payload.len, 5);
	teardown(&f);
}

/* ---- closing ---- */

static void
test_established_fin_out_of_order_does_not_truncate(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	s = data_segment(&f, 1000, 500);
	s.flags |= TCP_FIN;
	input(&f, s);
	assert_false(tcp_conn_recv_finished(f.c));
	assert_int_equal(tcp_conn_state(f.c), TCP_ESTABLISHED);
	expect_output(&f);
	send_data(&f, 0, 1000);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSE_WAIT);
	s = expect_output(&f);
	assert_int_equal(s.ack, f.irs + 1 + 1501); /* the FIN too */
	assert_false(tcp_conn_recv_finished(f.c));
	assert_int_equal(read_all(&f, 0), 1500);
	assert_true(tcp_conn_recv_finished(f.c));
	teardown(&f);
}

static void
test_close_wait_close_sends_fin_and_ends_on_its_ack(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSE_WAIT);
	tcp_conn_close(f.c, f.now_ns);
	assert_int_equal(tcp_conn_state(f.c), TCP_LAST_ACK);
	s = expect_output(&f);
	assert_true(s.flags & TCP_FIN);
	send_control(&f, f.irs + 2, tcp_snd_nxt(f.c), TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(f.c), 0);
	teardown(&f);
}

static void
test_fin_wait_1_simultaneous_close_reaches_time_wait(void **state)
{
	struct fixture f;
	uint32_t before;

	(void)state;
	setup_established(&f);
	before = tcp_snd_nxt(f.c);
	tcp_conn_close(f.c, f.now_ns);
	assert_true(expect_output(&f).flags & TCP_FIN);
	send_control(&f, f.irs + 1, before, TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSING);
	assert_int_equal(expect_output(&f).ack, f.irs + 2);
	send_control(&f, f.irs + 2, before + 1, TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_TIME_WAIT);
	f.now_ns += 61 * NS_PER_SEC;
	expect_silence(&f);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	teardown(&f);
}

static void
test_fin_wait_2_data_is_still_received(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	tcp_conn_close(f.c, f.now_ns);
	expect_output(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_FIN_WAIT_2);
	send_data(&f, 0, 700);
	assert_int_equal(read_all(&f, 0), 700);
	send_control(&f, f.irs + 1 + 700, tcp_snd_nxt(f.c), TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_TIME_WAIT);
	assert_int_equal(expect_output(&f).ack, f.irs + 1 + 701);
	teardown(&f);
}

static void
test_time_wait_retransmitted_fin_is_acked_again(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	tcp_conn_close(f.c, f.now_ns);
	expect_output(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_FIN | TCP_ACK);
	assert_int_equal(tcp_conn_state(f.c), TCP_TIME_WAIT);
	expect_output(&f);
	expect_silence(&f);
	f.now_ns += 50 * NS_PER_SEC;
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_FIN | TCP_ACK);
	assert_int_equal(expect_output(&f).ack, f.irs + 2);
	f.now_ns += 50 * NS_PER_SEC; /* the 2 MSL began anew */
	expect_silence(&f);
	assert_int_equal(tcp_conn_state(f.c), TCP_TIME_WAIT);
	teardown(&f);
}

static void
test_fin_wait_2_data_after_discard_is_reset(void **state)
{
	struct fixture f;

	(void)state;
	setup_established(&f);
	tcp_conn_close(f.c, f.now_ns);
	tcp_conn_discard(f.c);
	expect_output(&f);
	send_control(&f, f.irs + 1, tcp_snd_nxt(f.c), TCP_ACK);
	send_data(&f, 0, 100);
	assert_true(expect_output(&f).flags & TCP_RST);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	teardown(&f);
}

static void
test_abort_sends_rst_and_releases_everything(void **state)
{
	struct fixture f;
	struct tcp_segment s;

	(void)state;
	setup_established(&f);
	send_data(&f, 1000, 100);
	send_data(&f, 0, 100);
	tcp_conn_abort(f.c);
	s = expect_output(&f);
	assert_true(s.flags & TCP_RST);
	assert_int_equal(s.seq, tcp_snd_nxt(f.c));
	expect_silence(&f);
	assert_int_equal(tcp_conn_state(f.c), TCP_CLOSED);
	teardown(&f);
}

static void
test_keepalive_probes_then_times_out(void **state)
{
	struct fixture f;
	struct tcp_segment s;
	uint32_t probes = 0;

	(void)state;
	setup_established(&f);
	while (tcp_conn_state(f.c) == TCP_ESTABLISHED) {
		f.now_ns = tcp_conn_deadline(f.c);
		assert_true(f.now_ns != TIME_NEVER);
		while (tcp_conn_output(f.c, f.now_ns, &s))
			probes += s.seq == f.c->snd_una - 1 && s.flags == TCP_ACK ? 1 : 0;
	}
	assert_int_equal(probes, 5);
	assert_int_equal(tcp_conn_error(f.c), -ETIMEDOUT);
	teardown(&f);
}

/* ---- ICMP ---- */

static void
test_icmp_hard_error_ends_an_opening_connection_only(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, NULL);
	expect_output(&f);
	assert_false(tcp_conn_icmp(f.c, TCP_ICMP_HARD, ISS + 9, 0, 20)); /* not ours */
	assert_true(tcp_conn_icmp(f.c, TCP_ICMP_HARD, ISS, 0, 20));
	assert_int_equal(tcp_conn_error(f.c), -ECONNREFUSED);
	teardown(&f);
	setup_established(&f);
	tcp_conn_send(f.c, "x", 1);
	expect_output(&f);
	assert_true(tcp_conn_icmp(f.c, TCP_ICMP_HARD, f.c->snd_una, 0, 20));
	assert_int_equal(tcp_conn_state(f.c), TCP_ESTABLISHED);
	teardown(&f);
}

static void
test_icmp_packet_too_big_makes_segments_smaller_never_larger(void **state)
{
	struct fixture f;
	uint8_t bytes[3000] = {0};

	(void)state;
	setup_established(&f);
	tcp_conn_send(f.c, bytes, sizeof(bytes));
	assert_int_equal(payload_len(expect_output(&f)), 1448);
	assert_false(tcp_conn_icmp(f.c, TCP_ICMP_PACKET_TOO_BIG, f.c->snd_una, 9000, 20));
	assert_true(tcp_conn_icmp(f.c, TCP_ICMP_PACKET_TOO_BIG, f.c->snd_una, 1000, 20));
	assert_int_equal(f.c->smss, 1000 - 20 - 20 - 12);
	assert_int_equal(payload_len(expect_output(&f)), 948); /* the lost one again */
	teardown(&f);
}

#define T(name) cmocka_unit_test(name)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_syn_sent_syn_offers_all_options),
		T(test_syn_sent_rst_with_good_ack_is_refused),
		T(test_syn_sent_rst_with_bad_ack_is_ignored),
		T(test_syn_sent_ack_too_high_is_answered_with_rst),
		T(test_syn_sent_no_answer_backs_off_and_times_out),
		T(test_syn_received_simultaneous_open_establishes),
		T(test_syn_received_ack_too_low_sends_rst),
		T(test_syn_ack_without_options_disables_them),
		T(test_syn_ack_mss_zero_is_taken_as_the_minimum),
		T(test_established_in_order_burst_is_acked_once),
		T(test_established_merging_stops_at_the_segment_bound),
		T(test_established_first_windows_are_acked_every_second_segment),
		T(test_established_policy_every_acks_each_segment_of_a_burst),
		T(test_established_policy_delayed_acks_the_second_or_after_40_ms),
		T(test_established_each_out_of_order_segment_gets_its_own_ack_with_sack),
		T(test_established_duplicate_is_acked_at_once_with_dsack),
		T(test_established_window_closes_by_buffers_and_reopens_with_an_update),
		T(test_established_zero_window_is_answered_and_reopened),
		T(test_established_paws_rejects_an_old_timestamp),
		T(test_established_timestamp_echo_follows_the_segment_that_opens_the_ack),
		T(test_established_rst_in_window_is_challenged_exact_resets),
		T(test_established_rst_between_last_ack_and_rcv_nxt_resets),
		T(test_established_syn_in_window_is_challenged),
		T(test_established_ack_of_unsent_data_is_challenged),
		T(test_challenge_acks_are_rate_limited),
		T(test_established_request_is_sent_with_psh_and_acked),
		T(test_established_lost_request_is_sent_again_with_backoff_until_timeout),
		T(test_established_three_duplicate_acks_retransmit_fast),
		T(test_established_zero_window_of_the_peer_is_probed_until_it_opens),
		T(test_established_fin_out_of_order_does_not_truncate),
		T(test_close_wait_close_sends_fin_and_ends_on_its_ack),
		T(test_fin_wait_1_simultaneous_close_reaches_time_wait),
		T(test_fin_wait_2_data_is_still_received),
		T(test_time_wait_retransmitted_fin_is_acked_again),
		T(test_fin_wait_2_data_after_discard_is_reset),
		T(test_abort_sends_rst_and_releases_everything),
		T(test_keepalive_probes_then_times_out),
		T(test_icmp_hard_error_ends_an_opening_connection_only),
		T(test_icmp_packet_too_big_makes_segments_smaller_never_larger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
