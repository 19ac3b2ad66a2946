/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base_bytes.h"
#include "model_server.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

#define HEAD_MAX 128U

/* NULL: there are too many. */
static struct model_stream *
stream_of(struct model_server *s, uint16_t client_port, bool syn)
{
	if (syn && s->of_port[client_port] == 0 && s->streams < MODEL_SERVER_CONNECTIONS_MAX)
		s->of_port[client_port] = (uint16_t)++s->streams;
	return s->of_port[client_port] != 0 ? &s->stream[s->of_port[client_port] - 1] : NULL;
}

static void
server_send(struct model_server *s, struct rte_mbuf *m)
{
	while (rte_ring_sp_enqueue(s->out, m) != 0 &&
		!atomic_load_explicit(&s->stop, memory_order_relaxed))
		rte_pause();
}

static struct rte_mbuf *
server_frame(struct model_server *s, const struct tcp_segment *segment, const uint8_t *eth_dst)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);
	struct ipv4_header ip = {.src = MODEL_SERVER_IP,
		.dst = MODEL_CLIENT_IP,
		.protocol = IPV4_PROTO_TCP,
		.ttl = 64};
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t len;

	memcpy(p, eth_dst, 6);
	memcpy(p + 6, "\x02\0\0\0\0\x01\x08\0", 8);
	len = wire_tcp_build(p + 34, segment);
	ip.total_len = (uint16_t)(20 + len);
	wire_ipv4_build(p + 14, &ip, true);
	m->data_len = (uint16_t)(34 + len);
	m->pkt_len = m->data_len;
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return m;
}

/* The response's head; then the stream goes on with full segments. */
static void
server_respond(struct model_server *s, struct model_stream *t, const struct tcp_segment *answer,
	const uint8_t *eth_dst)
{
	struct tcp_segment out = *answer;
	char head[HEAD_MAX];
	int len = snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n\r\n", s->body_bytes);
	struct rte_mbuf *m;

	out.seq = t->seq;
	out.ack = t->rcv_nxt;
	out.payload = (struct payload){(const uint8_t *)head, (uint32_t)len, NULL};
	m = server_frame(s, &out, eth_dst);
	memcpy(t->frame, rte_pktmbuf_mtod(m, uint8_t *), MODEL_SERVER_HEADERS_LEN);
	server_send(s, m);
	t->seq += (uint32_t)len;
	be16_store(t->frame + 16, 20 + 32 + MODEL_SERVER_MSS);
	be16_store(t->frame + 24, 0);
	be16_store(t->frame + 24, wire_checksum_finish(wire_checksum_add(0, t->frame + 14, 20)));
	t->streaming = true;
	s->streaming++;
}

static void
server_input(struct model_server *s, struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct tcp_segment in = {0}, out = {0};
	struct model_stream *t;

	if (m->data_len < 54 || p[12] != 0x08 || p[13] != 0x00 ||
		wire_tcp_parse(p + 34, (uint32_t)m->data_len - 34, &in) != DROP_NONE)
		return;
	t = stream_of(s, in.src_port, (in.flags & TCP_SYN) != 0);
	if (t == NULL)
		return;
	out.src_port = in.dst_port;
	out.dst_port = in.src_port;
	out.flags = TCP_ACK;
	out.window = 65535;
	out.options = TCP_OPT_TIMESTAMPS;
	out.ts_val = 1;
	out.ts_ecr = in.ts_val;
	if (in.flags & TCP_SYN) {
		t->seq = 1;
		t->rcv_nxt = in.seq + 1;
		t->wscale = in.wscale;
		out.flags |= TCP_SYN;
		out.ack = t->rcv_nxt;
		out.options |= TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED;
		out.mss = 1460;
		out.wscale = 7;
		server_send(s, server_frame(s, &out, p + 6));
		return;
	}
	t->edge = in.ack + ((uint32_t)in.window << t->wscale);
	if (in.payload.len == 0 || t->streaming)
		return;
	t->rcv_nxt += in.payload.len;
	server_respond(s, t, &out, p + 6);
}

/* Full segments up to the window's edge; only headers are written, the body is what it is. */
static void
server_stream(struct model_server *s, struct model_stream *t)
{
	struct rte_mbuf *m[MODEL_SERVER_BURST];
	uint32_t i, n, room = (t->edge - t->seq) / MODEL_SERVER_MSS;
	uint8_t *p;

	if ((int32_t)(t->edge - t->seq) < (int32_t)MODEL_SERVER_MSS)
		return;
	n = RTE_MIN(RTE_MIN(room, s->run), rte_ring_free_count(s->out));
	if (n == 0 || rte_pktmbuf_alloc_bulk(s->pool, m, n) != 0)
		return;
	for (i = 0; i < n; i++) {
		p = rte_pktmbuf_mtod(m[i], uint8_t *);
		memcpy(p, t->frame, MODEL_SERVER_HEADERS_LEN);
		be32_store(p + 38, t->seq);
		t->seq += MODEL_SERVER_MSS;
		m[i]->data_len = MODEL_SERVER_HEADERS_LEN + MODEL_SERVER_MSS;
		m[i]->pkt_len = MODEL_SERVER_HEADERS_LEN + MODEL_SERVER_MSS;
		m[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	}
	rte_ring_sp_enqueue_burst(s->out, (void **)m, n, NULL);
}

/* A burst, from as many streams as it takes. */
static void
server_burst(struct model_server *s)
{
	struct model_stream *t;
	uint32_t i;

	for (i = 0; i < MODEL_SERVER_BURST; i += s->run) {
		t = &s->stream[s->next];
		s->next = s->next + 1 < s->streams ? s->next + 1 : 0;
		if (t->streaming)
			server_stream(s, t);
	}
}

void
model_server_turn(struct model_server *s)
{
	struct rte_mbuf *m[MODEL_SERVER_BURST];
	uint32_t i, n = rte_ring_sc_dequeue_burst(s->in, (void **)m, MODEL_SERVER_BURST, NULL);

	for (i = 0; i < n; i++)
		server_input(s, m[i]);
	if (n > 0)
		rte_pktmbuf_free_bulk(m, n);
	if (s->streaming > 0)
		server_burst(s);
}

int
model_server_run(void *server)
{
	struct model_server *s = server;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		model_server_turn(s);
	return 0;
}
