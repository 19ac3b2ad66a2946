/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "tcp_fixture.h"

static uint8_t
stream_byte(uint32_t offset)
{
	return (uint8_t)(offset ^ offset >> 8 ^ offset >> 16);
}

struct fx *
fx_open_syn(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = calloc(1, sizeof(*f));
	const struct tcp_open open = {
		.local_port = 40000, .remote_port = 80, .iss = FX_ISS, .ts_offset = FX_TS_OFFSET};

	assert_non_null(f);
	histogram_reset(&f->ack_delay);
	tcp_config_defaults(&f->cfg);
	f->cfg.buffers =
		(struct payload_buffers){test_buffer_release, test_buffer_keep, &f->buffers};
	f->cfg.counters = &f->counters;
	f->cfg.ack_delay = &f->ack_delay;
	f->cfg.rcv_payloads_max = 64;
	if (change != NULL)
		change(&f->cfg);
	f->c = tcp_conn_create(&f->cfg);
	assert_non_null(f->c);
	f->now_ns = NS_PER_SEC;
	f->ts = 1000;
	assert_int_equal(tcp_conn_connect(f->c, &open, f->now_ns), 0);
	tcp_conn_check(f->c);
	return f;
}

static struct fx *
start(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = fx_open_syn(change);

	fx_expect_flags(f, f->c->cfg->ecn ? TCP_SYN | TCP_ECE | TCP_CWR : TCP_SYN);
	return f;
}

static void
establish(struct fx *f)
{
	f->now_ns += NS_PER_MS;
	fx_input(f, fx_syn_ack(f));
	fx_expect_ack(f, 0);
	fx_expect_silence(f);
	/* The SYN's window is not scaled; the first scaled one follows. */
	fx_window(f, FX_UNA, FX_WINDOW);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
}

static void
receive_simultaneous_syn(struct fx *f)
{
	struct tcp_segment syn = fx_syn_ack(f);

	syn.flags = TCP_SYN;
	syn.ack = 0;
	fx_input(f, syn);
	fx_expect_flags(f, TCP_SYN | TCP_ACK);
}

/* Our FIN goes; the peer's acknowledgment number that covers it is FX_UNA + 1. */
static void
send_fin(struct fx *f)
{
	tcp_conn_close(f->c, f->now_ns);
	tcp_conn_check(f->c);
	fx_expect_flags(f, TCP_FIN | TCP_ACK);
	fx_expect_silence(f);
}

/* The peer's FIN comes; it acknowledges `ack`. */
static void
receive_fin(struct fx *f, uint32_t ack)
{
	fx_control(f, FX_BASE, ack, TCP_FIN | TCP_ACK);
	fx_expect_ack(f, 1);
	fx_expect_silence(f);
}

static void
close_to(struct fx *f, enum tcp_state state)
{
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
		receive_fin(f, FX_UNA);
	if (state == TCP_LAST_ACK)
		send_fin(f);
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_ESTABLISHED)
		return;
	send_fin(f);
	if (state == TCP_FIN_WAIT_2)
		fx_control(f, FX_BASE, FX_UNA + 1, TCP_ACK);
	else if (state == TCP_CLOSING)
		receive_fin(f, FX_UNA);
	else if (state == TCP_TIME_WAIT)
		receive_fin(f, FX_UNA + 1);
}

struct fx *
fx_open_quick(void (*change)(struct tcp_config *cfg))
{
	struct fx *f = start(change);

	establish(f);
	return f;
}

struct fx *
fx_open(enum tcp_state state, void (*change)(struct tcp_config *cfg))
{
	struct fx *f = start(change);

	if (state == TCP_SYN_RECEIVED) {
		receive_simultaneous_syn(f);
	} else if (state != TCP_SYN_SENT) {
		establish(f);
		f->c->ack.quick_left = 0;
		f->c->ack.since_ns = f->now_ns; /* not idle */
		close_to(f, state);
	}
	assert_int_equal(tcp_conn_state(f->c), state);
	fx_expect_silence(f);
	return f;
}

void
fx_end(struct fx *f)
{
	tcp_conn_destroy(f->c);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
	free(f);
}

uint32_t
fx_payload_len(const struct tcp_segment *s)
{
	return s->payload.len + s->payload2.len;
}

static void
check_sent(struct fx *f, const struct tcp_segment *s)
{
	uint32_t edge = s->ack + ((uint32_t)s->window << f->c->rcv_wscale);

	assert_true(
		wire_tcp_header_len(s) + fx_payload_len(s) <= TCP_HEADER_LEN + f->c->cfg->mss_max);
	if (!(s->flags & TCP_ACK) || (s->flags & (TCP_SYN | TCP_RST)))
		return;
	assert_true(seq_geq(edge, f->edge));
	f->edge = edge;
}

struct tcp_segment
fx_expect(struct fx *f)
{
	struct tcp_segment s;

	assert_true(tcp_conn_output(f->c, f->now_ns, &s));
	tcp_conn_check(f->c);
	check_sent(f, &s);
	return s;
}

struct tcp_segment
fx_expect_flags(struct fx *f, uint8_t flags)
{
	struct tcp_segment s = fx_expect(f);

	assert_int_equal(s.flags, flags);
	return s;
}

struct tcp_segment
fx_expect_ack(struct fx *f, uint32_t offset)
{
	struct tcp_segment s = fx_expect_flags(f, TCP_ACK);

	assert_int_equal(fx_payload_len(&s), 0);
	assert_int_equal(s.ack, FX_BASE + offset);
	return s;
}

void
fx_expect_data(struct fx *f, uint32_t offset, uint32_t len)
{
	struct tcp_segment s = fx_expect(f);

	assert_int_equal(s.seq - FX_UNA, offset);
	assert_int_equal(fx_payload_len(&s), len);
}

void
fx_expect_silence(struct fx *f)
{
	struct tcp_segment s;

	assert_false(tcp_conn_output(f->c, f->now_ns, &s));
	tcp_conn_check(f->c);
}

uint32_t
fx_drain(struct fx *f)
{
	struct tcp_segment s;
	uint32_t n = 0;

	for (; tcp_conn_output(f->c, f->now_ns, &s); n++) {
		tcp_conn_check(f->c);
		check_sent(f, &s);
		assert_true(n < 1000);
	}
	return n;
}

void
fx_advance_to_deadline(struct fx *f)
{
	uint64_t deadline_ns = tcp_conn_deadline(f->c);

	assert_true(deadline_ns != TIME_NEVER);
	f->now_ns = MAX_OF(f->now_ns, deadline_ns);
}

struct tcp_segment
fx_segment(struct fx *f, uint32_t offset, uint32_t len)
{
	uint8_t bytes[4096];
	uint32_t i;

	assert_true(len <= sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = stream_byte(offset + i);
	return (struct tcp_segment){
		.seq = FX_BASE + offset,
		.ack = tcp_snd_nxt(f->c),
		.flags = TCP_ACK,
		.window = FX_WINDOW,
		.payload = test_buffer_make(&f->buffers, bytes, len),
	};
}

struct tcp_segment
fx_syn_ack(const struct fx *f)
{
	return (struct tcp_segment){
		.seq = FX_IRS,
		.ack = FX_ISS + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = FX_WINDOW,
		.options =
			TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS,
		.mss = 1460,
		.wscale = 7,
		.ts_val = f->ts,
	};
}

void
fx_input(struct fx *f, struct tcp_segment s)
{
	bool syn_sent = tcp_conn_state(f->c) == TCP_SYN_SENT, kept;

	s.src_port = 80;
	s.dst_port = 40000;
	if (f->c->timestamps && !(s.flags & TCP_SYN) && !(s.options & TCP_OPT_TIMESTAMPS)) {
		s.options |= TCP_OPT_TIMESTAMPS;
		s.ts_val = f->ts;
	}
	kept = tcp_conn_input(f->c, &s, f->now_ns);
	if (!kept && s.payload.owner != NULL)
		test_buffer_release(&f->buffers, s.payload.owner);
	tcp_conn_check(f->c);
	if (syn_sent && tcp_conn_state(f->c) != TCP_SYN_SENT)
		f->edge = f->c->window.adv; /* the SYN's window, unscaled */
}

void
fx_data_flags(struct fx *f, uint32_t offset, uint32_t len, uint8_t flags)
{
	struct tcp_segment s = fx_segment(f, offset, len);

	s.flags |= flags;
	fx_input(f, s);
}

void
fx_data(struct fx *f, uint32_t offset, uint32_t len)
{
	fx_data_flags(f, offset, len, 0);
}

void
fx_control(struct fx *f, uint32_t seq, uint32_t ack, uint8_t flags)
{
	fx_input(f,
		(struct tcp_segment){.seq = seq, .ack = ack, .flags = flags, .window = FX_WINDOW});
}

void
fx_window(struct fx *f, uint32_t ack, uint16_t window)
{
	fx_input(f, (struct tcp_segment){
			    .seq = f->c->rcv_nxt, .ack = ack, .flags = TCP_ACK, .window = window});
}

void
fx_sack(struct fx *f, uint32_t ack, uint32_t left, uint32_t right)
{
	struct tcp_segment s = {.seq = f->c->rcv_nxt,
		.ack = ack,
		.flags = TCP_ACK,
		.window = FX_WINDOW,
		.options = TCP_OPT_SACK,
		.sack_count = 1,
		.sack = {{left, right}}};

	if (f->c->timestamps) {
		s.options |= TCP_OPT_TIMESTAMPS;
		s.ts_val = f->ts;
	}
	fx_input(f, s);
}

uint32_t
fx_read(struct fx *f, uint32_t offset)
{
	struct payload p;
	uint32_t i, total = 0;

	while (tcp_conn_recv(f->c, &p, 1) == 1) {
		for (i = 0; i < p.len; i++)
			assert_int_equal(p.data[i], stream_byte(offset + total + i));
		total += p.len;
		test_buffer_release(&f->buffers, p.owner);
		tcp_conn_consumed(f->c, p.len, 1);
	}
	tcp_conn_check(f->c);
	return total;
}

uint64_t
fx_count(const struct fx *f, enum counter_id id)
{
	return f->counters.value[id];
}
