/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"
#include "test_buffer.h"

/*
 * One connection under any sequence of {segment, time step, read, send, close, ICMP ...}. A
 * script's bytes are a few of configuration and then actions. Whatever the peer does: no CHECK
 * fails, every byte that is delivered or sent is the one that belongs to its sequence number, the
 * window's edge never retreats, segments fit the path, output ends and leaves no deadline in the
 * past, and no buffer is lost.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_MAX 100000U /* segments that one moment may bring forth */

struct script {
	const uint8_t *at, *end;
};

struct fuzz {
	struct script script;
	struct tcp_conn *c;
	struct test_buffers buffers;
	struct counters counters;
	struct histogram ack_delay;
	struct tcp_config cfg;
	uint64_t now_ns;
	uint32_t edge, delivered, queued, ts;
	bool edge_known;
	struct payload taken[8]; /* read, not yet consumed */
	uint32_t taken_count;
};

static uint8_t
next(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static uint32_t
next16(struct script *s)
{
	uint32_t high = next(s);

	return high << 8 | next(s);
}

static uint8_t
stream_byte(uint32_t seq)
{
	return (uint8_t)(seq ^ seq >> 8 ^ seq >> 16 ^ seq >> 24);
}

static void
start(struct fuzz *f)
{
	const struct tcp_open open = {
		.local_port = 1000, .remote_port = 80, .iss = 0xfffffff0U + next(&f->script)};

	CHECK(tcp_conn_connect(f->c, &open, f->now_ns) == 0);
	f->edge_known = false;
	f->delivered = f->queued = 0;
}

static void
create(struct fuzz *f)
{
	static const uint32_t windows[] = {2048, 4000, 65535, 100000, 1U << 20, 1U << 30};
	uint8_t options = next(&f->script), more = next(&f->script);
	struct tcp_config *cfg = &f->cfg;

	tcp_config_defaults(cfg);
	cfg->buffers = (struct payload_buffers){test_buffer_release, test_buffer_keep, &f->buffers};
	cfg->counters = &f->counters;
	cfg->ack_delay = &f->ack_delay;
	cfg->timestamps = (options & 1) != 0;
	cfg->sack = (options & 2) != 0;
	cfg->window_scaling = (options & 4) != 0;
	cfg->congestion = options & 8 ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_NEWRENO;
	cfg->ack_policy = (enum tcp_ack_policy)((options >> 4) % 3);
	cfg->ecn = (more & 128) != 0;
	cfg->rcv_window_max_bytes = windows[more % 6];
	cfg->rcv_window_init_bytes = MIN_OF(windows[(more >> 3) % 6], cfg->rcv_window_max_bytes);
	cfg->rcv_payloads_max = 16 + (more & 64);
	cfg->mss_max = options & 128 ? 1460 : 88;
	cfg->snd_buffer_bytes = 4096;
	f->c = tcp_conn_create(cfg);
	CHECK(f->c != NULL);
	f->now_ns = NS_PER_SEC;
	f->ts = 1000;
	start(f);
}

/* ---- what the connection sends ---- */

static void
check_payload(const struct fuzz *f, const struct payload *p, uint32_t seq)
{
	uint32_t i;

	for (i = 0; i < p->len; i++)
		CHECK(p->data[i] == stream_byte(seq + i - f->c->iss));
}

static void
check_sent(struct fuzz *f, const struct tcp_segment *s)
{
	uint32_t len = s->payload.len + s->payload2.len;
	uint32_t edge = s->ack + ((uint32_t)s->window << f->c->rcv_wscale);

	CHECK(wire_tcp_header_len(s) + len <= TCP_HEADER_LEN + f->c->cfg->mss_max);
	check_payload(f, &s->payload, s->seq);
	check_payload(f, &s->payload2, s->seq + s->payload.len);
	if (!(s->flags & TCP_ACK) || (s->flags & (TCP_SYN | TCP_RST)))
		return;
	CHECK(!f->edge_known || seq_geq(edge, f->edge));
	f->edge = edge;
	f->edge_known = true;
}

static void
output_all(struct fuzz *f)
{
	struct tcp_segment s;
	uint32_t n = 0;
	bool quiet = !tcp_conn_output_pending(f->c) && tcp_conn_deadline(f->c) > f->now_ns;

	while (tcp_conn_output(f->c, f->now_ns, &s)) {
		CHECK(!quiet && ++n < OUTPUT_MAX);
		tcp_conn_check(f->c);
		check_sent(f, &s);
	}
	tcp_conn_check(f->c);
	CHECK(tcp_conn_deadline(f->c) > f->now_ns);
}

/* ---- what the peer sends ---- */

/* A number near one that matters, so that the interesting cases are likely. */
static uint32_t
near(struct script *s, uint32_t a, uint32_t b, uint32_t c)
{
	uint8_t how = next(s);
	uint32_t offset = how & 4 ? next16(s) : next(s), base = how & 1 ? a : how & 2 ? b : c;

	return how & 8 ? base - offset : base + (how & 16 ? 0 : offset);
}

static void
fill_payload(struct fuzz *f, struct tcp_segment *s, uint32_t len)
{
	uint32_t first = s->seq + (s->flags & TCP_SYN ? 1U : 0U), i;
	uint8_t bytes[2048];

	len = MIN_OF(len, sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = stream_byte(first + i);
	if (len > 0)
		s->payload = test_buffer_make(&f->buffers, bytes, len);
}

static void
fill_options(struct fuzz *f, struct tcp_segment *s)
{
	struct script *in = &f->script;
	uint32_t i;

	s->options = next(in) & 31;
	if (f->c->timestamps && !(s->options & TCP_OPT_TIMESTAMPS) && next(in) % 16 != 0)
		s->options |= TCP_OPT_TIMESTAMPS;
	if (s->options & TCP_OPT_TIMESTAMPS) {
		f->ts += next(in) % 4;
		s->ts_val = f->ts - (next(in) % 16 == 1 ? next16(in) : 0);
		s->ts_ecr = tcp_options_clock(f->c, f->now_ns) - next(in);
	}
	s->mss = (uint16_t)next16(in);
	s->wscale = next(in) % 20;
	if (!(s->options & TCP_OPT_SACK))
		return;
	s->sack_count = next(in) % (TCP_SACK_BLOCKS_MAX + 1);
	for (i = 0; i < s->sack_count; i++) {
		s->sack[i].left = f->c->snd_una + next16(in) % 5000 - 100;
		s->sack[i].right = s->sack[i].left + next16(in) % 3000;
	}
}

static void
input(struct fuzz *f, struct tcp_segment *s)
{
	bool syn_sent = f->c->state == TCP_SYN_SENT;
	bool kept = tcp_conn_input(f->c, s, f->now_ns);

	CHECK(!kept || s->payload.owner != NULL);
	if (!kept && s->payload.owner != NULL)
		test_buffer_release(&f->buffers, s->payload.owner);
	tcp_conn_check(f->c);
	if (syn_sent && f->c->state != TCP_SYN_SENT && f->c->state != TCP_CLOSED) {
		f->edge = f->c->window.adv; /* the SYN's window, unscaled */
		f->edge_known = true;
	}
}

static void
any_segment(struct fuzz *f)
{
	struct script *in = &f->script;
	const struct tcp_conn *c = f->c;
	struct tcp_segment s = {.flags = next(in)};

	s.ecn = c->ecn.on && (s.flags & 1) ? TCP_ECN_CE : 0;
	s.seq = near(in, c->rcv_nxt, c->window.adv, c->irs);
	s.ack = near(in, tcp_snd_nxt(c), c->snd_una, c->iss);
	s.window = (uint16_t)next16(in);
	fill_options(f, &s);
	fill_payload(f, &s, next(in) & 1 ? next16(in) : 0);
	input(f, &s);
}

/* A segment that an honest peer would send: data, ACK, FIN at or above RCV.NXT. */
static void
honest_segment(struct fuzz *f)
{
	struct script *in = &f->script;
	const struct tcp_conn *c = f->c;
	uint8_t how = next(in);
	struct tcp_segment s = {.flags = TCP_ACK, .ack = tcp_snd_nxt(c), .window = 1000};

	s.seq = c->rcv_nxt + (how & 1 ? next(in) * 8U : 0);
	s.flags |= how & 2 ? TCP_PSH : 0;
	s.flags |= (how & 0xfc) == 0xfc ? TCP_FIN : 0;
	if (how & 4)
		s.ack = c->snd_una;
	if (c->timestamps) {
		s.options = TCP_OPT_TIMESTAMPS;
		s.ts_val = f->ts += how >> 7;
		s.ts_ecr = tcp_options_clock(c, f->now_ns);
	}
	fill_payload(f, &s, how & 8 ? 1448 : next(in));
	input(f, &s);
}

static void
syn_ack(struct fuzz *f)
{
	struct tcp_segment s = {.seq = 0xffffff00U + next(&f->script),
		.ack = f->c->iss + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = (uint16_t)next16(&f->script),
		.options =
			TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS,
		.mss = 1460,
		.wscale = next(&f->script) % 15,
		.ts_val = f->ts};

	if (next(&f->script) & 1)
		s.flags = TCP_SYN;
	input(f, &s);
}

/* ---- what the application does ---- */

static void
consume(struct fuzz *f)
{
	uint32_t i, bytes = 0;

	for (i = 0; i < f->taken_count; i++) {
		bytes += f->taken[i].len;
		test_buffer_release(&f->buffers, f->taken[i].owner);
	}
	tcp_conn_consumed(f->c, bytes, f->taken_count);
	f->taken_count = 0;
}

static void
read_some(struct fuzz *f)
{
	uint32_t n, i, j;

	consume(f);
	n = tcp_conn_recv(f->c, f->taken, 1 + next(&f->script) % 8U);
	for (i = 0; i < n; i++) {
		for (j = 0; j < f->taken[i].len; j++)
			CHECK(f->taken[i].data[j] == stream_byte(f->c->irs + 1 + f->delivered + j));
		f->delivered += f->taken[i].len;
	}
	f->taken_count = n;
	if (tcp_conn_recv_finished(f->c))
		CHECK(f->c->irs + 1 + f->delivered == f->c->fin_seq);
}

static void
send_some(struct fuzz *f)
{
	uint32_t len = next16(&f->script) % 5000, i;
	uint8_t bytes[5000];

	for (i = 0; i < len; i++)
		bytes[i] = stream_byte(1 + f->queued + i);
	f->queued += tcp_conn_send(f->c, bytes, len);
}

static void
step_time(struct fuzz *f)
{
	static const uint64_t steps_ns[] = {1, NS_PER_US, 10 * NS_PER_US, NS_PER_MS, 40 * NS_PER_MS,
		200 * NS_PER_MS, NS_PER_SEC, 60 * NS_PER_SEC};
	uint8_t how = next(&f->script);
	uint64_t deadline_ns = tcp_conn_deadline(f->c);

	if ((how & 8) && deadline_ns != TIME_NEVER)
		f->now_ns = MAX_OF(f->now_ns, deadline_ns);
	else
		f->now_ns += steps_ns[how % 8];
}

static void
icmp(struct fuzz *f, struct script *in)
{
	uint8_t what = next(in);
	struct tcp_icmp icmp = {.kind = (enum tcp_icmp_kind)(what % 3),
		.packet_len = what / 3U * 20U,
		.ip_header_len = 20};

	icmp.seq = f->c->snd_una + next(in);
	icmp.mtu = next16(in);
	tcp_conn_icmp(f->c, &icmp);
}

static void
other(struct fuzz *f)
{
	struct script *in = &f->script;

	switch (next(in) % 8) {
	case 0:
		tcp_conn_close(f->c, f->now_ns);
		break;
	case 1:
		tcp_conn_abort(f->c);
		break;
	case 2:
		f->delivered += tcp_reassembly_ready_bytes(&f->c->reassembly); /* to nobody */
		tcp_conn_discard(f->c);
		break;
	case 3:
	case 4:
		icmp(f, in);
		break;
	case 5:
		syn_ack(f);
		break;
	case 6:
		consume(f);
		break;
	default:
		if (tcp_conn_state(f->c) != TCP_CLOSED)
			break;
		consume(f);
		start(f);
		break;
	}
}

static void
act(struct fuzz *f)
{
	switch (next(&f->script) % 8) {
	case 0:
		any_segment(f);
		break;
	case 1:
	case 2:
		honest_segment(f);
		break;
	case 3:
		output_all(f);
		break;
	case 4:
		step_time(f);
		output_all(f);
		break;
	case 5:
		read_some(f);
		break;
	case 6:
		send_some(f);
		break;
	default:
		other(f);
		break;
	}
	tcp_conn_check(f->c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = calloc(1, sizeof(*f));

	CHECK(f != NULL);
	f->script = (struct script){data, data + size};
	histogram_reset(&f->ack_delay);
	create(f);
	output_all(f);
	syn_ack(f);
	while (f->script.at < f->script.end)
		act(f);
	output_all(f);
	consume(f);
	tcp_conn_destroy(f->c);
	CHECK(test_buffers_live(&f->buffers) == 0);
	free(f);
	return 0;
}
