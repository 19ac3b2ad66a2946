/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"

#define RCV_WINDOW_MIN 2048U
#define RCV_WINDOW_MAX (1U << 30) /* RFC 7323 §2.3 */
#define SND_BUFFER_MIN 1024U
#define SND_BUFFER_MAX (1U << 28)
#define MSS_MAX_MIN 88U

void
tcp_config_defaults(struct tcp_config *ret)
{
	*ret = (struct tcp_config){
		.ack_policy = TCP_ACK_BURST,
		.congestion = TCP_CONGESTION_CUBIC,
		.ack_segments_max = 32,
		.ack_delay_max_ns = 10 * NS_PER_US,
		.rcv_window_max_bytes = 4U << 20,
		.rcv_window_init_bytes = 256U << 10,
		.rcv_payloads_max = 8192,
		.snd_buffer_bytes = 64U << 10,
		.mss_max = 1460,
		.timestamps = true,
		.sack = true,
		.rack = true,
		.window_scaling = true,
		.syn_retries = 7, /* RFC 9293 MUST-23: R2 of at least 3 minutes for a SYN */
		.data_retries = 15, /* RFC 9293 SHLD-11: R2 of at least 100 s */
		.rto_initial_ns = NS_PER_SEC, /* RFC 6298 §2.1 */
		.rto_min_ns = 200 * NS_PER_MS, /* RFC 6298 §2.4 says 1 s; every kernel uses less */
		.rto_max_ns = 60 * NS_PER_SEC,
		.keepalive_idle_ns = 60 * NS_PER_SEC, /* as curl sets it */
		.keepalive_interval_ns = 15 * NS_PER_SEC,
		.keepalive_probes = 5,
		.time_wait_ns = 60 * NS_PER_SEC, /* 2 MSL with an MSL of 30 s */
		.fin_wait_2_ns = 60 * NS_PER_SEC,
	};
}

bool
tcp_config_valid(const struct tcp_config *cfg)
{
	return cfg->counters != NULL && cfg->buffers.release != NULL &&
	       cfg->mss_max >= MSS_MAX_MIN && cfg->rcv_window_max_bytes >= RCV_WINDOW_MIN &&
	       cfg->rcv_window_max_bytes <= RCV_WINDOW_MAX && cfg->rcv_window_init_bytes > 0 &&
	       cfg->rcv_window_init_bytes <= cfg->rcv_window_max_bytes &&
	       cfg->rcv_payloads_max >= TCP_REASSEMBLY_PAYLOADS_MIN &&
	       cfg->rcv_payloads_max <= TCP_REASSEMBLY_PAYLOADS_MAX &&
	       cfg->snd_buffer_bytes >= SND_BUFFER_MIN && cfg->snd_buffer_bytes <= SND_BUFFER_MAX &&
	       cfg->ack_segments_max > 0 && cfg->rto_min_ns > 0 &&
	       cfg->rto_min_ns <= cfg->rto_initial_ns && cfg->rto_initial_ns <= cfg->rto_max_ns;
}

/* ---- memory: the struct, then what its parts need, one after the other ---- */

static uint32_t
ack_records(const struct tcp_config *cfg)
{
	uint32_t n = TCP_ACK_RING;

	while (n > TCP_ACK_RING_MIN && n * TCP_ACK_RING_PAYLOADS > cfg->rcv_payloads_max)
		n /= 2;
	return n;
}

static uint32_t
scoreboard_ranges(const struct tcp_config *cfg)
{
	uint32_t n = cfg->snd_buffer_bytes / TCP_SENT_RECORD_BYTES;

	return MIN_OF(MAX_OF(n, TCP_SCOREBOARD_RANGES_MIN), TCP_SCOREBOARD_RANGES_MAX);
}

uint64_t
tcp_conn_bytes(const struct tcp_config *cfg, bool pooled)
{
	uint64_t bytes = sizeof(struct tcp_conn);

	bytes += ack_records(cfg) * sizeof(struct tcp_ack_record);
	bytes += tcp_reassembly_bytes(cfg->rcv_payloads_max, pooled);
	bytes += scoreboard_ranges(cfg) * sizeof(struct tcp_sack_block);
	bytes += tcp_sent_records(cfg->snd_buffer_bytes) * sizeof(struct tcp_sent_record);
	bytes += tcp_send_buffer_size(cfg->snd_buffer_bytes);
	return (bytes + TCP_CONN_ALIGNMENT - 1) / TCP_CONN_ALIGNMENT * TCP_CONN_ALIGNMENT;
}

struct tcp_conn *
tcp_conn_init(void *memory, const struct tcp_config *cfg)
{
	struct tcp_conn *c = memory;
	uint8_t *at = (uint8_t *)(c + 1);

	*c = (struct tcp_conn){.cfg = cfg, .counters = cfg->counters};
	c->ack.ring = (struct tcp_ack_record *)at;
	c->ack.ring_size = ack_records(cfg);
	at += c->ack.ring_size * sizeof(struct tcp_ack_record);
	tcp_reassembly_init(
		&c->reassembly, at, cfg->rcv_payloads_max, cfg->reorder_pool, &cfg->buffers);
	at += tcp_reassembly_bytes(cfg->rcv_payloads_max, cfg->reorder_pool != NULL);
	tcp_sent_init(
		&c->sent, (struct tcp_sent_record *)at, tcp_sent_records(cfg->snd_buffer_bytes));
	at += c->sent.size * sizeof(struct tcp_sent_record);
	tcp_scoreboard_init(&c->board, (struct tcp_sack_block *)at, scoreboard_ranges(cfg));
	at += c->board.ranges_max * sizeof(struct tcp_sack_block);
	c->send.bytes = at;
	c->send.size = tcp_send_buffer_size(cfg->snd_buffer_bytes);
	tcp_conn_reset(c);
	return c;
}

struct tcp_conn *
tcp_conn_create(const struct tcp_config *cfg)
{
	void *memory;

	if (!tcp_config_valid(cfg))
		return NULL;
	memory = aligned_alloc(TCP_CONN_ALIGNMENT, tcp_conn_bytes(cfg, cfg->reorder_pool != NULL));
	return memory != NULL ? tcp_conn_init(memory, cfg) : NULL;
}

/* The struct as far as a connection without losses uses it. */
void
tcp_conn_prefetch(const struct tcp_conn *c)
{
	const uint8_t *at = (const uint8_t *)c, *end = at + offsetof(struct tcp_conn, undo);

	for (; at < end; at += TCP_CONN_ALIGNMENT)
		__builtin_prefetch(at, 1);
}

void
tcp_conn_end(struct tcp_conn *c)
{
	tcp_reassembly_reset(&c->reassembly);
	c->state = TCP_CLOSED;
	c->rst = TCP_RST_NONE;
}

void
tcp_conn_destroy(struct tcp_conn *c)
{
	if (c == NULL)
		return;
	tcp_conn_end(c);
	free(c);
}

struct tcp_reassembly_pool *
tcp_reorder_pool_create(const struct tcp_config *cfg, uint32_t connections)
{
	return tcp_config_valid(cfg)
		       ? tcp_reassembly_pool_create(cfg->rcv_payloads_max, connections)
		       : NULL;
}

void
tcp_reorder_pool_destroy(struct tcp_reassembly_pool *pool)
{
	tcp_reassembly_pool_destroy(pool);
}

uint64_t
tcp_reorder_pool_bytes(const struct tcp_config *cfg)
{
	return tcp_reassembly_store_bytes(cfg->rcv_payloads_max);
}

void
tcp_conn_reset(struct tcp_conn *c)
{
	/* What it is made of stays. Not a whole struct with these in it: that would be written twice. */
	const struct tcp_config *cfg = c->cfg;
	struct counters *counters = c->counters;
	const struct tcp_reassembly reassembly = c->reassembly;
	const struct tcp_ack_state ack = {.ring = c->ack.ring, .ring_size = c->ack.ring_size};
	const struct tcp_scoreboard board = {
		.range = c->board.range, .ranges_max = c->board.ranges_max};
	const struct tcp_send_buffer send = {.bytes = c->send.bytes, .size = c->send.size};
	const struct tcp_sent sent = {.ring = c->sent.ring, .size = c->sent.size};

	memset(c, 0, sizeof(*c));
	c->cfg = cfg;
	c->counters = counters;
	c->reassembly = reassembly;
	c->ack = ack;
	c->board = board;
	c->send = send;
	c->sent = sent;
	tcp_reassembly_reset(&c->reassembly);
	tcp_ack_reset(&c->ack, c->cfg->ack_policy);
	tcp_timer_stop_all(c);
	c->mss_max = c->cfg->mss_max;
	c->mss_default = TCP_MSS_DEFAULT_IPV4;
	tcp_window_init(c);
	c->smss = c->mss_max;
	c->mss_peer = c->mss_default;
	tcp_rtt_init(&c->rtt, c->cfg->rto_initial_ns, c->cfg->rto_min_ns, c->cfg->rto_max_ns);
	tcp_congestion_init(&c->congestion,
		c->cfg->congestion == TCP_CONGESTION_CUBIC ? &tcp_congestion_cubic
							   : &tcp_congestion_newreno,
		c->smss);
	tcp_ecn_reset(c);
	tcp_send_start(c, 0);
}

static void
set_segment_sizes(struct tcp_conn *c, const struct tcp_open *open)
{
	if (open->mss_default != 0)
		c->mss_peer = c->mss_default = open->mss_default;
	if (open->mss_max < MSS_MAX_MIN || open->mss_max >= c->cfg->mss_max)
		return;
	c->mss_max = open->mss_max;
	tcp_window_init(c);
	tcp_send_on_smss(c, c->mss_max);
}

int
tcp_conn_connect(struct tcp_conn *c, const struct tcp_open *open, uint64_t now_ns)
{
	if (c->state != TCP_CLOSED)
		return -EISCONN;
	tcp_conn_reset(c);
	c->local_port = open->local_port;
	c->remote_port = open->remote_port;
	set_segment_sizes(c, open);
	c->ts_offset = open->ts_offset;
	c->challenge_seed = open->challenge_seed;
	c->challenge_start_ns = now_ns;
	c->challenge_left = TCP_CHALLENGE_MAX;
	tcp_send_start(c, open->iss);
	c->syn_due = true;
	c->last_received_ns = now_ns;
	tcp_set_state(c, TCP_SYN_SENT);
	return 0;
}

bool
tcp_conn_input(struct tcp_conn *c, const struct tcp_segment *segment, uint64_t now_ns)
{
	return tcp_input_segment(c, segment, now_ns);
}

bool
tcp_conn_run_expected(const struct tcp_conn *c, const struct tcp_segment *first, uint64_t now_ns)
{
	return tcp_text_run_expected(c, first, now_ns);
}

uint32_t
tcp_conn_input_run(struct tcp_conn *c, const struct tcp_segment *first, const struct payload *part,
	uint32_t n, uint64_t now_ns)
{
	return tcp_input_run(c, first, part, n, now_ns);
}

uint64_t
tcp_conn_deadline(const struct tcp_conn *c)
{
	return time_min(tcp_conn_timer_deadline(c), tcp_conn_ack_deadline(c));
}

uint64_t
tcp_conn_timer_deadline(const struct tcp_conn *c)
{
	if (c->rst != TCP_RST_NONE || c->syn_due || c->probe_due)
		return 0;
	return c->state != TCP_CLOSED ? tcp_timer_deadline(c) : TIME_NEVER;
}

uint64_t
tcp_conn_ack_deadline(const struct tcp_conn *c)
{
	return c->state != TCP_CLOSED ? tcp_ack_deadline(c) : TIME_NEVER;
}

bool
tcp_conn_output_pending(const struct tcp_conn *c)
{
	const struct tcp_ack_state *a = &c->ack;

	return c->rst != TCP_RST_NONE || c->syn_due || c->probe_due || a->now || a->window_update ||
	       a->segments > 0 || tcp_ack_recorded(c) || c->retransmit_first || c->tlp_due ||
	       (tcp_state_synchronised(c->state) && tcp_send_pending(c)) || c->board.recovering ||
	       c->board.after_rto;
}

uint32_t
tcp_conn_send(struct tcp_conn *c, const void *data, uint32_t len)
{
	struct tcp_send_buffer *b = &c->send;
	uint32_t room = b->size - (b->end_seq - b->base_seq), at, first;
	const uint8_t *from = data;

	if (c->fin_queued || c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
		return 0;
	len = MIN_OF(len, room);
	at = b->end_seq & (b->size - 1);
	first = MIN_OF(len, b->size - at);
	memcpy(b->bytes + at, from, first);
	memcpy(b->bytes, from + first, len - first);
	b->end_seq += len;
	return len;
}

uint32_t
tcp_conn_send_queued(const struct tcp_conn *c)
{
	return c->send.end_seq - c->send.base_seq;
}

uint32_t
tcp_conn_recv(struct tcp_conn *c, struct payload *ret_parts, uint32_t parts_max)
{
	return tcp_reassembly_recv(&c->reassembly, ret_parts, parts_max);
}

uint32_t
tcp_conn_recv_ready(const struct tcp_conn *c)
{
	return tcp_reassembly_ready(&c->reassembly);
}

void
tcp_conn_consumed(struct tcp_conn *c, uint32_t bytes, uint32_t parts)
{
	tcp_reassembly_consumed(&c->reassembly, parts);
	tcp_window_on_consumed(c, bytes);
}

bool
tcp_conn_recv_finished(const struct tcp_conn *c)
{
	return c->fin_received && tcp_reassembly_ready(&c->reassembly) == 0;
}

void
tcp_conn_close(struct tcp_conn *c, uint64_t now_ns)
{
	(void)now_ns;
	switch (c->state) {
	case TCP_SYN_SENT:
		tcp_state_end(c, 0);
		break;
	case TCP_SYN_RECEIVED: /* "queue for processing after entering ESTABLISHED" */
		c->fin_queued = true;
		break;
	case TCP_ESTABLISHED:
		c->fin_queued = true;
		tcp_set_state(c, TCP_FIN_WAIT_1);
		break;
	case TCP_CLOSE_WAIT:
		c->fin_queued = true;
		tcp_set_state(c, TCP_LAST_ACK);
		break;
	case TCP_CLOSED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
		break;
	}
}

void
tcp_conn_discard(struct tcp_conn *c)
{
	struct payload part;

	c->discard = true;
	/* What lies behind a hole may stay until the end. */
	while (tcp_reassembly_recv(&c->reassembly, &part, 1) > 0) {
		if (part.owner != NULL)
			c->cfg->buffers.release(c->cfg->buffers.ctx, part.owner);
		tcp_conn_consumed(c, part.len, 1);
	}
}

void
tcp_conn_abort(struct tcp_conn *c)
{
	switch (c->state) {
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
		c->rst = TCP_RST_CLOSE;
		c->rst_seq = tcp_snd_nxt(c);
		tcp_state_end(c, -ECONNABORTED);
		break;
	case TCP_SYN_SENT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
		tcp_state_end(c, -ECONNABORTED);
		break;
	case TCP_CLOSED:
		break;
	}
}

enum tcp_state
tcp_conn_state(const struct tcp_conn *c)
{
	return c->state;
}

int
tcp_conn_error(const struct tcp_conn *c)
{
	return c->error;
}

bool
tcp_conn_was_established(const struct tcp_conn *c)
{
	return c->established_ns != 0;
}

bool
tcp_conn_way_in_doubt(const struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t timeouts = c->retries + (now_ns >= c->rto_at_ns);

	return timeouts >=
	       (tcp_state_synchronised(c->state) ? TCP_R1_TIMEOUTS : TCP_R1_SYN_TIMEOUTS);
}

void
tcp_conn_info(const struct tcp_conn *c, struct tcp_info *ret)
{
	*ret = (struct tcp_info){
		.state = c->state,
		.syn_sent_ns = c->syn_sent_ns,
		.established_ns = c->established_ns,
		.answered = c->answered,
		.last_received_ns = c->last_received_ns,
		.srtt_ns = c->rtt.srtt_ns,
		.rttvar_ns = c->rtt.rttvar_ns,
		.rto_ns = tcp_rtt_rto(&c->rtt),
		.rcv_rtt_ns = c->rtt.min_rtt_ns,
		.snd_una = c->snd_una,
		.snd_nxt = tcp_snd_nxt(c),
		.snd_wnd = c->snd_wnd,
		.snd_cwnd = c->congestion.cwnd,
		.snd_ssthresh = c->congestion.ssthresh,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = tcp_rcv_wnd(c),
		.rcv_window_limit = c->window.limit,
		.iss = c->iss,
		.irs = c->irs,
		.mss_send = c->smss,
		.mss_peer = c->mss_peer,
		.snd_wscale = c->snd_wscale,
		.rcv_wscale = c->rcv_wscale,
		.timestamps = c->timestamps,
		.sack = c->sack,
		.window_scaling = c->window_scaling,
		.ecn = c->ecn.on,
		.retransmits = c->retransmits,
		.payloads_held = tcp_reassembly_held(&c->reassembly),
		.payloads_out_of_order = tcp_reassembly_out_of_order(&c->reassembly),
		.rcv_bytes_unread = tcp_reassembly_ready_bytes(&c->reassembly),
	};
}

static void
check_sending(const struct tcp_conn *c)
{
	const struct tcp_send_buffer *b = &c->send;

	tcp_scoreboard_check(&c->board);
	CHECK(c->snd_una == c->board.snd_una);
	CHECK(c->congestion.recovering == c->board.recovering);
	CHECK(seq_leq(c->snd_una, tcp_snd_nxt(c)));
	CHECK(b->end_seq - b->base_seq <= b->size);
	CHECK(seq_leq(tcp_snd_nxt(c), b->end_seq + (c->fin_queued ? 1U : 0U)));
	CHECK(c->limited_bytes <= tcp_snd_nxt(c) - c->snd_una);
	if (c->rack.on && tcp_state_synchronised(c->state))
		tcp_sent_check(&c->sent, c->snd_una, tcp_snd_nxt(c));
}

static void
check_receiving(const struct tcp_conn *c)
{
	const struct tcp_window *w = &c->window;

	tcp_reassembly_check(&c->reassembly, c->rcv_nxt);
	CHECK(seq_leq(c->last_ack_sent, c->ack.covered) && seq_leq(c->ack.covered, c->rcv_nxt));
	/* The FIN takes a number that no window needs to cover. */
	CHECK(seq_leq(c->rcv_nxt, w->adv + (c->fin_received ? 1U : 0U)));
	CHECK(tcp_rcv_wnd(c) >> c->rcv_wscale <= TCP_WINDOW_FIELD_MAX);
	CHECK(w->limit <= w->goal && w->goal <= c->cfg->rcv_window_max_bytes &&
		w->limit >> c->rcv_wscale > 0);
	CHECK(w->unread >= tcp_reassembly_ready_bytes(&c->reassembly));
	CHECK(!c->fin_received || (c->fin_seen && c->rcv_nxt == c->fin_seq + 1));
}

void
tcp_conn_check(const struct tcp_conn *c)
{
	check_sending(c);
	CHECK(c->ack.ring_tail - c->ack.ring_head <= c->ack.ring_size);
	CHECK(c->ack.now || c->ack.segments > 0 || !c->ack.push);
	CHECK(c->rst == TCP_RST_NONE || c->state != TCP_SYN_SENT || c->rst == TCP_RST_REPLY);
	/* Whatever waits for the peer has a timer that ends the waiting. */
	CHECK(!tcp_state_synchronised(c->state) || c->snd_una == tcp_snd_nxt(c) ||
		c->rto_ns != TIME_NEVER);
	CHECK(c->state != TCP_TIME_WAIT || c->linger_ns != TIME_NEVER);
	if (tcp_state_synchronised(c->state) || c->state == TCP_SYN_RECEIVED)
		check_receiving(c);
}
