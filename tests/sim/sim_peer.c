/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "sim_peer.h"
#include "wire_arp.h"
#include "wire_checksum.h"

#define RTO_MIN_NS (200 * NS_PER_MS)
#define RTO_MAX_NS (10 * NS_PER_SEC)
#define SIM_PEER_ECT 2U /* RFC 3168 §5 */
#define SIM_PEER_CE 3U

static void
fault(struct sim_peer *p, const char *text)
{
	if (p->fault[0] == '\0')
		snprintf(p->fault, sizeof(p->fault), "%s", text);
}

void
sim_peer_start(struct sim_peer *p)
{
	p->state = SIM_LISTEN;
	p->rto_at_ns = p->probe_at_ns = p->answer_at_ns = p->close_at_ns = TIME_NEVER;
}

void
sim_peer_stop(struct sim_peer *p)
{
	free(p->stream.bytes);
	free(p->seg);
	sim_ranges_clear(&p->request_got);
	p->stream = (struct sim_stream){0};
	p->seg = NULL;
}

/* ---- sending ---- */

static void
send_tcp(struct sim_peer *p, struct tcp_segment *s, uint64_t now_ns)
{
	uint8_t frame[14 + 20 + 60 + 70000];
	const struct ether_header ether = {
		.dst = p->client_mac, .src = p->mac, .type = ETHER_TYPE_IPV4};
	struct ipv4_header ip = {
		.src = p->ip, .dst = p->client_ip, .protocol = IPV4_PROTO_TCP, .ttl = 64};
	uint32_t l2 = wire_ether_build(frame, &ether), len;
	uint8_t *l4 = frame + l2 + IPV4_HEADER_LEN;
	uint64_t sum;

	ip.ecn = s->ecn;
	if (p->ece && (s->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK)
		s->flags |= TCP_ECE;
	s->src_port = 80;
	if (s->dst_port == 0)
		s->dst_port = p->client_port;
	if (p->ts && !(s->flags & TCP_RST)) {
		s->options |= TCP_OPT_TIMESTAMPS;
		s->ts_val = (uint32_t)(now_ns / NS_PER_MS) + 77;
		s->ts_ecr = p->ts_recent;
		p->ts_first = p->ts_first == 0 ? s->ts_val : p->ts_first;
		p->ts_last = s->ts_val;
	}
	len = wire_tcp_build(l4, s);
	sum = wire_checksum_pseudo_ipv4(ip.src, ip.dst, IPV4_PROTO_TCP, len);
	wire_tcp_set_checksum(l4, wire_checksum_finish(wire_checksum_add(sum, l4, len)));
	ip.total_len = (uint16_t)(IPV4_HEADER_LEN + len);
	wire_ipv4_build(frame + l2, &ip, true);
	sim_link_send(p->out, frame, l2 + ip.total_len, now_ns);
}

static uint32_t
seq_of(const struct sim_peer *p, uint64_t offset)
{
	return p->cfg.iss + 1 + (uint32_t)offset;
}

static uint16_t
window_field(const struct sim_peer *p)
{
	uint32_t units = p->ws ? p->cfg.window >> p->cfg.wscale : p->cfg.window;

	units = MIN_OF(MAX_OF(units, 1U), 65535U); /* a large scale would round it away for good */
	if (p->cfg.window_shrinks)
		return (uint16_t)sim_random_range(p->random, 0, units);
	return (uint16_t)(p->shut > 0 ? 0 : units);
}

static void
add_sack(struct sim_peer *p, struct tcp_segment *s, struct sim_range block)
{
	uint32_t first = p->rcv_nxt - p->request_len;

	if (block.left == block.right || s->sack_count == (p->ts ? 3 : 4))
		return;
	s->options |= TCP_OPT_SACK;
	s->sack[s->sack_count++] = (struct tcp_sack_block){
		first + (uint32_t)block.left, first + (uint32_t)block.right};
}

/* RFC 2018 §4, RFC 2883 §4: the duplicate, the block of the newest segment, the others. */
static void
add_sacks(struct sim_peer *p, struct tcp_segment *s)
{
	struct sim_range newest = p->request_newest;
	uint32_t i;

	add_sack(p, s, p->request_twice);
	add_sack(p, s, newest);
	for (i = 0; i < p->request_got.count; i++) {
		if (p->request_got.at[i].left > p->request_len &&
			p->request_got.at[i].left != newest.left)
			add_sack(p, s, p->request_got.at[i]);
	}
}

static void
send_ack(struct sim_peer *p, uint64_t now_ns)
{
	struct tcp_segment s = {.flags = TCP_ACK, .ack = p->rcv_nxt, .window = window_field(p)};

	s.seq = seq_of(p, p->nxt);
	if (p->sack)
		add_sacks(p, &s);
	send_tcp(p, &s, now_ns);
}

static void
send_syn_ack(struct sim_peer *p, uint64_t now_ns)
{
	struct tcp_segment s = {
		.flags = TCP_SYN | TCP_ACK,
		.seq = p->cfg.iss,
		.ack = p->rcv_nxt,
		.window = (uint16_t)MIN_OF(p->shut > 0 ? 0U : p->cfg.window, 65535U),
		.options = TCP_OPT_MSS,
		.mss = p->cfg.mss,
		.wscale = p->cfg.wscale,
	};

	s.flags |= p->ecn ? TCP_ECE : 0;
	s.options |= p->ws ? TCP_OPT_WSCALE : 0;
	s.options |= p->sack ? TCP_OPT_SACK_PERMITTED : 0;
	send_tcp(p, &s, now_ns);
	p->rto_at_ns = now_ns + p->rto_ns;
}

static void
send_reset(struct sim_peer *p, uint64_t now_ns)
{
	struct tcp_segment s = {.flags = TCP_RST | TCP_ACK, .ack = p->rcv_nxt};

	s.seq = seq_of(p, p->nxt);
	send_tcp(p, &s, now_ns);
	p->state = SIM_CLOSED;
	p->rto_at_ns = p->probe_at_ns = TIME_NEVER;
}

/* RFC 9293 §3.10.7.1: no such connection. */
static void
refuse_stray(struct sim_peer *p, const struct tcp_segment *stray, uint64_t now_ns)
{
	struct tcp_segment s = {.flags = TCP_RST, .seq = stray->ack, .dst_port = stray->src_port};

	if ((stray->flags & (TCP_ACK | TCP_RST)) == TCP_ACK)
		send_tcp(p, &s, now_ns);
}

static void
transmit(struct sim_peer *p, struct sim_segment *g, uint64_t now_ns)
{
	struct tcp_segment s = {.flags = TCP_ACK, .ack = p->rcv_nxt, .window = window_field(p)};

	s.seq = seq_of(p, g->offset);
	s.payload = (struct payload){.data = p->stream.bytes + g->offset, .len = g->len};
	if (g->fin)
		s.flags |= TCP_FIN;
	if (g->offset + g->len == p->stream.len)
		s.flags |= TCP_PSH;
	if (p->cfg.urgent_per_mille > 0 && sim_random_chance(p->random, p->cfg.urgent_per_mille)) {
		s.flags |= TCP_URG;
		s.urgent = (uint16_t)sim_random_range(p->random, 0, 2000);
	}
	if (p->ecn && g->sent == 0 && g->len > 0) {
		s.ecn = SIM_PEER_ECT;
		s.flags |= p->cwr_due ? TCP_CWR : 0;
		p->cwr_due = false;
	}
	g->lost = false;
	g->sent_ns = now_ns;
	p->data_segments += g->len > 0;
	if (g->sent++ > 0)
		p->retransmissions++;
	send_tcp(p, &s, now_ns);
	if (p->rto_at_ns == TIME_NEVER)
		p->rto_at_ns = now_ns + p->rto_ns;
}

static uint32_t
segment_size(struct sim_peer *p)
{
	uint32_t mss = MIN_OF(p->client_mss, 1460U) - (p->ts ? 12U : 0U);

	if (p->cfg.segment_max > 0)
		mss = MIN_OF(mss, p->cfg.segment_max);
	if (p->cfg.small_segments && sim_random_chance(p->random, 300))
		return (uint32_t)sim_random_range(p->random, 1, mss);
	return mss;
}

static struct sim_segment *
new_segment(struct sim_peer *p, uint32_t len, bool fin)
{
	struct sim_segment *g;

	if (p->segs == p->segs_room) {
		p->segs_room = p->segs_room > 0 ? 2 * p->segs_room : 256;
		p->seg = realloc(p->seg, p->segs_room * sizeof(*p->seg));
		CHECK(p->seg != NULL);
	}
	g = &p->seg[p->segs++];
	*g = (struct sim_segment){.offset = p->nxt, .len = len, .fin = fin};
	p->nxt += len + (fin ? 1 : 0);
	return g;
}

static uint64_t
in_flight(const struct sim_peer *p)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = p->seg_first; i < p->segs; i++)
		bytes += p->seg[i].sacked || p->seg[i].lost ? 0 : p->seg[i].len;
	return bytes;
}

static bool
fin_sent(const struct sim_peer *p)
{
	return p->nxt > p->stream.len;
}

/* Everything that the windows allow: what was lost first, then what is new. */
static void
push(struct sim_peer *p, uint64_t now_ns)
{
	uint64_t flight = in_flight(p), open, left;
	uint32_t i, len, size;
	bool fin;

	if (p->state != SIM_OPEN)
		return;
	for (i = p->seg_first; i < p->segs && flight < (uint64_t)p->cwnd; i++) {
		if (p->seg[i].lost) {
			flight += p->seg[i].len;
			transmit(p, &p->seg[i], now_ns);
		}
	}
	while (!fin_sent(p) && flight < (uint64_t)p->cwnd) {
		left = p->stream.len - p->nxt;
		open = p->right_edge > p->nxt ? p->right_edge - p->nxt : 0;
		open = p->cfg.ignores_window ? left : open;
		size = segment_size(p);
		len = (uint32_t)MIN_OF(MIN_OF((uint64_t)size, left), open);
		fin = p->fin_queued && len == left && (!p->cfg.fin_alone || len == 0);
		if (len == 0 && !(fin && left == 0))
			break;
		flight += len;
		transmit(p, new_segment(p, len, fin), now_ns);
	}
	if (p->una == p->nxt && p->nxt < p->stream.len && p->probe_at_ns == TIME_NEVER)
		p->probe_at_ns = now_ns + p->rto_ns; /* their window is shut */
	if (p->reset_queued && p->una == p->stream.len)
		send_reset(p, now_ns);
	if (p->cfg.idle_close_ns > 0 && p->nxt > 0 && p->nxt == p->stream.len &&
		p->close_at_ns == TIME_NEVER)
		p->close_at_ns = now_ns + p->cfg.idle_close_ns;
}

/* ---- receiving ---- */

/* As Linux makes them: only the timestamp has room for the other options. */
static void
issue_cookie(struct sim_peer *p)
{
	p->cfg.iss = (uint32_t)sim_random_next(p->random);
	p->cookie[p->cookies++ % SIM_COOKIES] = p->cfg.iss;
	p->sack = p->sack && p->ts;
	p->ws = p->ws && p->ts;
	p->client_wscale = p->ws ? p->client_wscale : 0;
	p->client_mss = p->client_mss >= 1460 ? 1460 : 536;
}

static void
open_connection(struct sim_peer *p, const struct tcp_segment *s, uint64_t now_ns)
{
	bool again = p->state == SIM_SYN_RECEIVED && p->client_port == s->src_port;

	p->state = SIM_SYN_RECEIVED;
	if (!again) {
		p->old_port = p->client_port;
		p->old_iss = p->client_iss;
	}
	p->client_port = s->src_port;
	p->client_iss = s->seq;
	p->ecn = p->cfg.ecn && (s->flags & TCP_ECE) && (s->flags & TCP_CWR);
	p->ece = p->cwr_due = false;
	p->ecn_recover = 0;
	p->rcv_nxt = s->seq + 1;
	p->ts = p->cfg.timestamps && (s->options & TCP_OPT_TIMESTAMPS);
	p->sack = p->cfg.sack && (s->options & TCP_OPT_SACK_PERMITTED);
	p->ws = p->cfg.window_scaling && (s->options & TCP_OPT_WSCALE);
	p->client_wscale = p->ws ? s->wscale : 0;
	p->client_mss = s->options & TCP_OPT_MSS ? s->mss : 536;
	p->ts_recent = s->options & TCP_OPT_TIMESTAMPS ? s->ts_val : 0;
	if (!again)
		p->ts_first = p->ts_last = 0;
	p->request_len = p->requests = 0;
	sim_ranges_clear(&p->request_got);
	p->request_newest = p->request_twice = (struct sim_range){0};
	p->client_fin = p->fin_queued = p->reset_queued = p->in_recovery = false;
	p->shut = p->cfg.shut_segments;
	p->stream.len = p->una = p->nxt = 0;
	p->right_edge = s->window;
	p->segs = p->seg_first = p->dup_acks = 0;
	p->cwnd = 10.0 * p->client_mss;
	p->delivered_sent_ns = 0;
	p->ssthresh = 1e9;
	p->rto_ns = NS_PER_SEC;
	p->probe_at_ns = p->answer_at_ns = p->close_at_ns = TIME_NEVER;
	if (p->cfg.syn_cookies)
		issue_cookie(p);
	send_syn_ack(p, now_ns);
	if (p->cfg.syn_cookies)
		p->rto_at_ns = TIME_NEVER; /* nothing is remembered that could be sent again */
}

/* RFC 4987 §3.6: the ACK brings back what the SYN said, if its number is one of ours. */
static bool
handshake_acked(struct sim_peer *p, const struct tcp_segment *s)
{
	uint32_t i;

	for (i = 0; i < MIN_OF(p->cookies, SIM_COOKIES); i++) {
		if (p->cookie[i] == s->ack - 1)
			p->cfg.iss = p->cookie[i];
	}
	if (s->ack != p->cfg.iss + 1)
		return false;
	if (p->cfg.syn_cookies && p->cfg.forgets_options) {
		p->ws = p->sack = p->ecn = false;
		p->client_wscale = 0;
	}
	p->state = SIM_OPEN;
	p->rto_at_ns = TIME_NEVER;
	return true;
}

/* Into its place in the request, in order or not. false: nothing new. */
static bool
store_request(struct sim_peer *p, uint32_t seq, const struct payload *d)
{
	uint32_t at = seq - (p->rcv_nxt - p->request_len), i;
	struct sim_ranges *got = &p->request_got;

	p->request_newest = p->request_twice = (struct sim_range){0};
	/* Of an earlier request, or more than a request can be. */
	if (d->len == 0 || at > sizeof(p->request) || at + d->len > sizeof(p->request))
		return false;
	if (sim_ranges_hold(got, at, at + d->len)) {
		p->request_twice = (struct sim_range){at, at + d->len};
		return false;
	}
	memcpy(p->request + at, d->data, d->len);
	sim_ranges_add(got, at, at + d->len);
	for (i = 0; i < got->count; i++) {
		if (got->at[i].left <= at && at < got->at[i].right && got->at[i].left > 0)
			p->request_newest = got->at[i];
	}
	p->rcv_nxt -= p->request_len;
	p->request_len = (uint32_t)sim_ranges_gap(got, 0);
	p->rcv_nxt += p->request_len;
	return true;
}

/* The request is whole when its empty line has come. */
static void
take_request(struct sim_peer *p, const struct tcp_segment *s, uint64_t now_ns)
{
	if (p->shut > 0) /* they may only probe: one byte is refused */
		return;
	if (!store_request(p, s->seq, &s->payload))
		return;
	if (p->request_len < 4 || memcmp(p->request + p->request_len - 4, "\r\n\r\n", 4) != 0)
		return;
	if (memcmp(p->request, "GET /file HTTP/1.1\r\n", 20) != 0)
		fault(p, "the request is not what was asked for");
	p->request_len = 0;
	sim_ranges_clear(&p->request_got);
	p->requests++;
	p->answer_at_ns = now_ns + p->cfg.think_ns;
}

static void
note_delivered(struct sim_peer *p, const struct sim_segment *g)
{
	if (!g->sacked && !g->lost)
		p->delivered_sent_ns = MAX_OF(p->delivered_sent_ns, g->sent_ns);
}

static void
mark_sacked(struct sim_peer *p, const struct tcp_segment *s)
{
	uint32_t i, b, left, right;

	for (b = 0; b < s->sack_count; b++) {
		left = s->sack[b].left;
		right = s->sack[b].right;
		if (seq_geq(left, right) || seq_gt(right, seq_of(p, p->nxt)))
			fault(p, "a SACK block covers what was never sent");
		if (seq_leq(right, s->ack))
			continue; /* D-SACK */
		for (i = p->seg_first; i < p->segs; i++) {
			if (p->seg[i].len > 0 && seq_geq(seq_of(p, p->seg[i].offset), left) &&
				seq_leq(seq_of(p, p->seg[i].offset + p->seg[i].len), right)) {
				note_delivered(p, &p->seg[i]);
				p->seg[i].sacked = true;
				p->seg[i].lost = false;
			}
		}
	}
}

static void
enter_recovery(struct sim_peer *p)
{
	if (p->cfg.exact_recovery)
		p->cwnd = MIN_OF(p->cwnd, (double)(p->nxt - p->una));
	p->in_recovery = true;
	p->recover = p->nxt;
	p->ssthresh = MAX_OF(p->cwnd / 2.0, 2.0 * p->client_mss);
	p->cwnd = p->ssthresh;
	p->cwr_due = p->ecn;
}

/* RFC 3168 §6.1.2: once a window. */
static void
on_ece(struct sim_peer *p)
{
	if (p->in_recovery || p->una <= p->ecn_recover)
		return;
	p->ecn_recover = p->nxt;
	p->ssthresh = MAX_OF(p->cwnd / 2.0, 2.0 * p->client_mss);
	p->cwnd = MIN_OF(p->cwnd, p->ssthresh);
	p->cwr_due = true;
	p->ecn_reductions++;
}

/* RFC 3168 §6.1.3: what the cable marked is said until the client reduces. */
static void
take_marks(struct sim_peer *p, const struct tcp_segment *s)
{
	if (!p->ecn || s->payload.len == 0)
		return;
	if (s->flags & TCP_CWR)
		p->ece = false;
	if (s->ecn == SIM_PEER_CE)
		p->ece = true;
}

static bool
lost_again(const struct sim_peer *p, const struct sim_segment *g)
{
	return p->cfg.exact_recovery && g->sent_ns < p->delivered_sent_ns;
}

/* Three segments SACKed above it, or three duplicate ACKs without SACK: it is lost. */
static void
find_losses(struct sim_peer *p)
{
	uint32_t i, above = 0;
	bool any = false;

	if (!p->sack) {
		any = p->dup_acks == 3 && p->seg_first < p->segs;
		if (any)
			p->seg[p->seg_first].lost = true;
	}
	for (i = p->segs; p->sack && i-- > p->seg_first;) {
		if (p->seg[i].sacked) {
			above++;
		} else if (above >= 3 && !p->seg[i].lost &&
			   (p->seg[i].sent == 1 || lost_again(p, &p->seg[i]))) {
			p->seg[i].lost = true;
			any = true;
		}
	}
	if (any && !p->in_recovery)
		enter_recovery(p);
}

static void
advance(struct sim_peer *p, uint64_t una, uint64_t now_ns)
{
	uint64_t bytes = una - p->una;

	p->una = una;
	p->dup_acks = 0;
	while (p->seg_first < p->segs && p->seg[p->seg_first].offset + p->seg[p->seg_first].len +
							 (p->seg[p->seg_first].fin ? 1 : 0) <=
						 una) {
		note_delivered(p, &p->seg[p->seg_first]);
		p->seg_first++;
	}
	p->rto_ns = RTO_MIN_NS + 2 * p->out->cfg.delay_ns * 2;
	p->rto_at_ns = p->una == p->nxt ? TIME_NEVER : now_ns + p->rto_ns;
	p->probe_at_ns = TIME_NEVER;
	if (p->in_recovery && una >= p->recover)
		p->in_recovery = false;
	else if (p->in_recovery && !p->sack && p->seg_first < p->segs)
		p->seg[p->seg_first].lost = true; /* NewReno's partial ACK */
	else if (p->cwnd < p->ssthresh)
		p->cwnd += (double)bytes;
	else
		p->cwnd += (double)p->client_mss * (double)bytes / p->cwnd;
}

/* The referee's rules, then what the ACK means. */
static void
take_ack(struct sim_peer *p, const struct tcp_segment *s, uint64_t now_ns)
{
	int32_t ahead = (int32_t)(s->ack - seq_of(p, p->una));
	uint64_t ack, edge;

	if ((int32_t)(s->ack - seq_of(p, p->nxt)) > 0) {
		fault(p, "an ACK covers what was never sent");
		return;
	}
	if (ahead < 0)
		return; /* overtaken on the way */
	ack = p->una + (uint32_t)ahead;
	edge = ack + ((uint64_t)s->window << p->client_wscale);
	p->right_edge = MAX_OF(p->right_edge, edge);
	mark_sacked(p, s);
	if (ahead > 0)
		advance(p, ack, now_ns);
	else if (s->payload.len == 0 && p->una < p->nxt)
		p->dup_acks++;
	if (p->ecn && (s->flags & TCP_ECE))
		on_ece(p);
	find_losses(p);
}

static bool
checks_out(struct sim_peer *p, const struct tcp_segment *s)
{
	if (p->state != SIM_LISTEN && p->ts && !(s->flags & (TCP_RST | TCP_SYN)) &&
		!(s->options & TCP_OPT_TIMESTAMPS))
		fault(p, "a segment without the negotiated timestamp");
	if (p->ts && (s->flags & TCP_ACK) && !(s->flags & (TCP_RST | TCP_SYN)) &&
		p->ts_first != 0 &&
		((int32_t)(s->ts_ecr - p->ts_first) < 0 || (int32_t)(s->ts_ecr - p->ts_last) > 0))
		fault(p, "TSecr is no timestamp that was sent");
	return p->fault[0] == '\0';
}

static void
input_open(struct sim_peer *p, const struct tcp_segment *s, uint64_t now_ns)
{
	uint32_t end = s->seq + tcp_segment_seq_len(s);

	if (s->flags & TCP_RST) {
		p->state = SIM_CLOSED;
		p->rto_at_ns = p->probe_at_ns = p->answer_at_ns = p->close_at_ns = TIME_NEVER;
		return;
	}
	if (p->state == SIM_SYN_RECEIVED && (s->flags & TCP_SYN)) {
		send_syn_ack(p, now_ns);
		return;
	}
	if (!(s->flags & TCP_ACK))
		return;
	if (p->state == SIM_SYN_RECEIVED && !handshake_acked(p, s))
		return;
	if (p->ts && seq_leq(s->seq, p->rcv_nxt))
		p->ts_recent = s->ts_val;
	take_marks(p, s);
	take_ack(p, s, now_ns);
	take_request(p, s, now_ns);
	if ((s->flags & TCP_FIN) && end - 1 == p->rcv_nxt && !p->client_fin) {
		p->rcv_nxt++;
		p->client_fin = true;
		p->fins_crossed = p->una < p->nxt && fin_sent(p);
		p->fin_queued = true;
	}
	if (tcp_segment_seq_len(s) > 0 || (s->seq == p->rcv_nxt - 1))
		send_ack(p, now_ns);
	/* The window opens in silence: the client learns of it by its next probe. */
	p->shut -= p->shut > 0;
	push(p, now_ns);
}

static bool
is_syn(const struct tcp_segment *s)
{
	return (s->flags & ~(TCP_ECE | TCP_CWR)) == TCP_SYN;
}

/* A middlebox that takes the two bits for an attack: RFC 3168 §6.1.1.1. */
static bool
stops_ecn(struct sim_peer *p, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_segment rst = {
		.flags = TCP_RST | TCP_ACK, .ack = s->seq + 1, .dst_port = s->src_port};

	if (!is_syn(s) || !(p->cfg.ecn_drops_syn || p->cfg.ecn_resets_syn))
		return false;
	if (p->cfg.ecn_resets_syn)
		send_tcp(p, &rst, now_ns);
	return true;
}

static void
input_tcp(struct sim_peer *p, const struct sim_frame *f, const struct ipv4_header *ip, uint32_t l4,
	uint64_t now_ns)
{
	struct tcp_segment s = {0};
	uint32_t len = (uint32_t)ip->total_len - ip->header_len;
	uint64_t sum = wire_checksum_pseudo_ipv4(ip->src, ip->dst, IPV4_PROTO_TCP, len);
	bool good = wire_checksum_finish(wire_checksum_add(sum, f->bytes + l4, len)) == 0;

	if (!good && !f->damaged)
		fault(p, "the client sent a wrong TCP checksum");
	if (!good || f->damaged || wire_tcp_parse(f->bytes + l4, len, &s) != DROP_NONE)
		return;
	if (p->cfg.silent_from > 0 && ++p->taken >= p->cfg.silent_from) {
		p->rto_at_ns = p->probe_at_ns = p->answer_at_ns = p->close_at_ns = TIME_NEVER;
		return;
	}
	s.ecn = ip->ecn;
	if ((s.flags & TCP_SYN) && s.src_port == p->old_port && s.seq == p->old_iss)
		return; /* overtaken by the next connection, which it must not replace */
	if ((s.flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) && stops_ecn(p, &s, now_ns))
		return;
	if (is_syn(&s) && (p->state == SIM_LISTEN || s.src_port != p->client_port ||
				  (p->state == SIM_SYN_RECEIVED && p->cfg.syn_cookies))) {
		open_connection(p, &s, now_ns);
		return;
	}
	if (p->state == SIM_LISTEN || p->state == SIM_CLOSED || s.src_port != p->client_port) {
		refuse_stray(p, &s, now_ns);
		return;
	}
	if (checks_out(p, &s))
		input_open(p, &s, now_ns);
}

static void
answer_arp(struct sim_peer *p, const struct arp_packet *a, uint64_t now_ns)
{
	uint8_t frame[14 + ARP_PACKET_LEN];
	const struct ether_header ether = {
		.dst = a->sender_mac, .src = p->mac, .type = ETHER_TYPE_ARP};
	const struct arp_packet reply = {.operation = ARP_REPLY,
		.sender_mac = p->mac,
		.sender_ip = p->ip,
		.target_mac = a->sender_mac,
		.target_ip = a->sender_ip};

	if (a->operation != ARP_REQUEST || a->target_ip != p->ip || a->sender_ip == 0)
		return;
	p->client_mac = a->sender_mac;
	p->client_ip = a->sender_ip;
	wire_arp_build(frame + wire_ether_build(frame, &ether), &reply);
	sim_link_send(p->out, frame, sizeof(frame), now_ns);
}

void
sim_peer_input(struct sim_peer *p, const struct sim_frame *f, uint64_t now_ns)
{
	const struct frame view = {.data = (uint8_t *)(uintptr_t)f->bytes, .len = f->len};
	struct ether_header ether;
	struct ipv4_header ip;
	struct arp_packet arp;

	if (wire_ether_parse(&view, &ether) != DROP_NONE)
		return;
	if (ether.type == ETHER_TYPE_ARP &&
		wire_arp_parse(f->bytes + 14, f->len - 14, &arp) == DROP_NONE)
		answer_arp(p, &arp, now_ns);
	if (ether.type == ETHER_TYPE_IPV4 &&
		wire_ipv4_parse(f->bytes + 14, f->len - 14, f->len - 14, true, &ip) == DROP_NONE &&
		ip.protocol == IPV4_PROTO_TCP && ip.dst == p->ip)
		input_tcp(p, f, &ip, 14U + ip.header_len, now_ns);
}

/* ---- timers ---- */

static void
on_rto(struct sim_peer *p, uint64_t now_ns)
{
	uint32_t i;

	p->rto_ns = MIN_OF(2 * p->rto_ns, RTO_MAX_NS);
	p->rto_at_ns = TIME_NEVER;
	if (p->state == SIM_SYN_RECEIVED) {
		send_syn_ack(p, now_ns);
		return;
	}
	/* What was SACKed stays so: a client that reneged would never get it, and stall. */
	for (i = p->seg_first; i < p->segs; i++)
		p->seg[i].lost = !p->seg[i].sacked;
	p->ssthresh = MAX_OF(p->cwnd / 2.0, 2.0 * p->client_mss);
	p->cwnd = p->client_mss;
	p->cwr_due = p->ecn;
	p->in_recovery = false;
	p->dup_acks = 0;
	push(p, now_ns);
	if (p->rto_at_ns == TIME_NEVER && p->una < p->nxt)
		p->rto_at_ns = now_ns + p->rto_ns;
}

/* One byte beyond the window. */
static void
on_probe(struct sim_peer *p, uint64_t now_ns)
{
	p->probe_at_ns = TIME_NEVER;
	if (p->una != p->nxt || p->nxt >= p->stream.len)
		return;
	if (p->right_edge > p->nxt)
		push(p, now_ns);
	else
		transmit(p, new_segment(p, 1, false), now_ns);
	p->rto_ns = MIN_OF(2 * p->rto_ns, RTO_MAX_NS);
}

static void
answer(struct sim_peer *p)
{
	bool close = sim_answer_append(
		&p->stream, &p->response, p->random, p->requests >= p->cfg.keep_alive);

	p->reset_queued = p->reset_queued || p->response.answer == SIM_ANSWER_RESET;
	p->fin_queued = p->fin_queued || close;
}

void
sim_peer_run(struct sim_peer *p, uint64_t now_ns)
{
	if (now_ns >= p->answer_at_ns) {
		p->answer_at_ns = TIME_NEVER;
		answer(p);
		push(p, now_ns);
	}
	if (now_ns >= p->close_at_ns) {
		p->close_at_ns = TIME_NEVER;
		p->fin_queued = true;
		push(p, now_ns);
	}
	if (now_ns >= p->rto_at_ns)
		on_rto(p, now_ns);
	if (now_ns >= p->probe_at_ns)
		on_probe(p, now_ns);
}

uint64_t
sim_peer_deadline(const struct sim_peer *p)
{
	return time_min(
		time_min(p->answer_at_ns, p->close_at_ns), time_min(p->rto_at_ns, p->probe_at_ns));
}
