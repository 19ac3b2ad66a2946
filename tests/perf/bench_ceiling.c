/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-process ceiling: our whole receive path (RX burst, netstack, TCP, HTTP, null sink, ACKs)
 * on one core, and on another a modelled server that sends full segments as fast as our window
 * allows; two rte_rings are the cable, no kernel is in the way.
 *
 *   bench_ceiling [SECONDS [CPU-OF-US [CPU-OF-SERVER]]]
 *   bench_ceiling --lockstep [BURSTS]    both on one core, turn by turn: for counting instructions
 *                                        (valgrind --tool=callgrind --toggle-collect='worker_run*')
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base_bytes.h"
#include "fetch.h"
#include "port.h"
#include "transport_netstack.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "worker.h"

#define RING_SIZE 4096U
#define POOL_SIZE 8191U
#define MSS 1448U
#define HEADERS_LEN (14U + 20U + 32U)
#define BURST 32U
#define SERVER_IP UINT32_C(0xc6120001)
#define CLIENT_IP UINT32_C(0xc6120002)
#define WINDOW (2U << 20)

static const char response_head[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\n";

/* The server: just enough TCP for a lossless ring. It checks no window but ours. */
struct server {
	struct rte_ring *in, *out;
	struct rte_mempool *pool;
	atomic_bool stop;
	uint8_t frame[HEADERS_LEN]; /* Ethernet, IPv4 and TCP headers of a data segment */
	uint32_t seq, edge, rcv_nxt, ts_recent;
	uint8_t wscale;
	bool streaming;
	uint64_t sent;
};

static void
server_send(struct server *s, struct rte_mbuf *m)
{
	while (rte_ring_sp_enqueue(s->out, m) != 0 &&
		!atomic_load_explicit(&s->stop, memory_order_relaxed))
		rte_pause();
}

static struct rte_mbuf *
server_frame(struct server *s, const struct tcp_segment *segment, const uint8_t *eth_dst)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);
	struct ipv4_header ip = {
		.src = SERVER_IP, .dst = CLIENT_IP, .protocol = IPV4_PROTO_TCP, .ttl = 64};
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

static void
server_input(struct server *s, struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct tcp_segment in = {0}, out = {0};

	if (m->data_len < 54 || p[12] != 0x08 || p[13] != 0x00 ||
		wire_tcp_parse(p + 34, (uint32_t)m->data_len - 34, &in) != DROP_NONE)
		return;
	out.src_port = in.dst_port;
	out.dst_port = in.src_port;
	out.flags = TCP_ACK;
	out.window = 65535;
	out.options = TCP_OPT_TIMESTAMPS;
	out.ts_val = 1;
	out.ts_ecr = in.ts_val;
	if (in.flags & TCP_SYN) {
		s->seq = 1;
		s->rcv_nxt = in.seq + 1;
		s->wscale = in.wscale;
		out.flags |= TCP_SYN;
		out.ack = s->rcv_nxt;
		out.options |= TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED;
		out.mss = 1460;
		out.wscale = 7;
		server_send(s, server_frame(s, &out, p + 6));
		return;
	}
	s->edge = in.ack + ((uint32_t)in.window << s->wscale);
	if (in.payload.len == 0 || s->streaming)
		return;
	s->rcv_nxt += in.payload.len;
	out.seq = s->seq;
	out.ack = s->rcv_nxt;
	out.payload =
		(struct payload){(const uint8_t *)response_head, sizeof(response_head) - 1, NULL};
	m = server_frame(s, &out, p + 6);
	memcpy(s->frame, rte_pktmbuf_mtod(m, uint8_t *), HEADERS_LEN);
	server_send(s, m);
	s->seq += (uint32_t)sizeof(response_head) - 1;
	be16_store(s->frame + 16, 20 + 32 + MSS);
	be16_store(s->frame + 24, 0);
	be16_store(s->frame + 24, wire_checksum_finish(wire_checksum_add(0, s->frame + 14, 20)));
	s->streaming = true;
}

/* Full segments up to the window's edge; only headers are written, the body is what it is. */
static void
server_stream(struct server *s)
{
	struct rte_mbuf *m[BURST];
	uint32_t i, n, room = (s->edge - s->seq) / MSS;
	uint8_t *p;

	if ((int32_t)(s->edge - s->seq) < (int32_t)MSS)
		return;
	n = RTE_MIN(RTE_MIN(room, BURST), rte_ring_free_count(s->out));
	if (n == 0 || rte_pktmbuf_alloc_bulk(s->pool, m, n) != 0)
		return;
	for (i = 0; i < n; i++) {
		p = rte_pktmbuf_mtod(m[i], uint8_t *);
		memcpy(p, s->frame, HEADERS_LEN);
		be32_store(p + 38, s->seq);
		s->seq += MSS;
		m[i]->data_len = HEADERS_LEN + MSS;
		m[i]->pkt_len = HEADERS_LEN + MSS;
		m[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	}
	s->sent += rte_ring_sp_enqueue_burst(s->out, (void **)m, n, NULL);
}

static void
server_turn(struct server *s)
{
	struct rte_mbuf *m[BURST];
	uint32_t i, n = rte_ring_sc_dequeue_burst(s->in, (void **)m, BURST, NULL);

	for (i = 0; i < n; i++)
		server_input(s, m[i]);
	if (n > 0)
		rte_pktmbuf_free_bulk(m, n);
	if (s->streaming)
		server_stream(s);
}

static int
server_run(void *ctx)
{
	struct server *s = ctx;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		server_turn(s);
	return 0;
}

struct client {
	struct fetch *fetch;
	uint64_t until_ns;
};

static bool
client_poll(void *ctx, uint64_t now_ns)
{
	struct client *c = ctx;

	return fetch_poll(c->fetch, now_ns) || now_ns >= c->until_ns;
}

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_ceiling: %s failed\n", what);
	exit(1);
}

static void
report(const struct counters *c, const struct worker_usage *u, double seconds,
	const struct histogram *delay)
{
	double segments = (double)c->value[COUNTER_TCP_DATA_SEGMENTS];

	printf("%.2f Mseg/s, %.1f Gb/s of body, %.0f busy cycles a segment (%.0f with idle), busy "
	       "%.0f %%, "
	       "%.1f segments an ACK, ACK delay p50 %.1f p99 %.1f max %.1f us, fast path %.1f %%\n",
		segments / seconds / 1e6,
		(double)c->value[COUNTER_TCP_BYTES_RECEIVED] * 8 / seconds / 1e9,
		(double)u->cycles_busy / segments, (double)u->cycles / segments,
		100.0 * (double)u->cycles_busy / (double)u->cycles,
		segments / (double)c->value[COUNTER_TCP_ACKS_SENT],
		(double)histogram_percentile(delay, 50) / 1e3,
		(double)histogram_percentile(delay, 99) / 1e3, (double)delay->max / 1e3,
		100.0 * (double)c->value[COUNTER_TCP_FAST_PATH] / segments);
}

/* Our side of the cable. */
struct ours {
	struct counters counters, *of_queue;
	struct histogram delay;
	struct port *port;
	struct http_url url;
	struct fetch_sink_null sink;
	struct worker worker;
	struct client client;
};

static void
open_port(struct ours *o, uint16_t port_id)
{
	struct port_config pc = {.port_id = port_id,
		.queues = 1,
		.mtu = 1500,
		.rx_held_max = 8192,
		.numa_node = -1,
		.checksum_offload = true,
		.counters = &o->of_queue};
	char message[PORT_MESSAGE_MAX];

	o->of_queue = &o->counters;
	check(port_open(&pc, &o->port, message) == 0, message);
	o->worker.queue = port_queue_of(o->port, 0);
	o->worker.rx_burst = worker_rx_burst(1500);
}

static void
create_netstack(struct ours *o)
{
	struct netstack_config nc;

	netstack_config_defaults(&nc);
	nc.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	nc.address = CLIENT_IP;
	nc.gateway_mac_set = true;
	nc.gateway_mac = (struct ether_addr){{2, 0, 0, 0, 0, 1}};
	nc.tcp.rcv_window_max_bytes = nc.tcp.rcv_window_init_bytes = WINDOW;
	nc.tcp.ack_delay = &o->delay;
	nc.release = port_release;
	nc.release_ctx = o->worker.queue;
	nc.counters = &o->counters;
	o->worker.netstack = netstack_create(&nc, port_clock_ns());
	check(o->worker.netstack != NULL, "netstack_create");
}

static void
start_fetch(struct ours *o)
{
	struct fetch_job job = {.url = &o->url,
		.remote = {4, {SERVER_IP}},
		.remote_port = 80,
		.connect_timeout_ns = TIME_NEVER,
		.max_time_ns = TIME_NEVER,
		.sink = &fetch_sink_null_ops,
		.sink_file = &o->sink};
	struct fetch_config fc = {.transport = transport_of_netstack(
					  o->worker.netstack, port_release, o->worker.queue)};
	const char *why;

	http_limits_defaults(&fc.limits);
	o->client.fetch = fetch_create(&fc);
	check(o->client.fetch != NULL &&
			http_url_parse("http://198.18.0.1/x", &o->url, &why) == 0 &&
			fetch_start(o->client.fetch, &job, port_clock_ns()) == 0,
		"fetch_start");
}

static void
end(struct ours *o)
{
	fetch_cancel(o->client.fetch, FETCH_ABORTED_BY_CALLBACK, "the end", port_clock_ns());
	fetch_destroy(o->client.fetch);
	netstack_destroy(o->worker.netstack);
	http_url_free(&o->url);
	port_release_flush(o->worker.queue);
	port_close(o->port);
}

static void
forget(struct ours *o)
{
	memset(&o->counters, 0, sizeof(o->counters));
	memset(&o->worker.usage, 0, sizeof(o->worker.usage));
	histogram_reset(&o->delay);
}

static void
run_for(struct ours *o, double seconds)
{
	o->client.until_ns = port_clock_ns() + (uint64_t)(seconds * 1e9);
	worker_run(&o->worker, client_poll, &o->client);
}

static void
run(struct ours *o, struct server *s, double seconds)
{
	rte_eal_remote_launch(server_run, s, 1);
	run_for(o, 0.2); /* warm-up */
	forget(o);
	run_for(o, seconds);
	report(&o->counters, &o->worker.usage, seconds, &o->delay);
	atomic_store(&s->stop, true);
	rte_eal_mp_wait_lcore();
}

/* One burst from the server, one iteration of ours: no cache misses between cores and no empty
 * polls, so that the instructions are the same from run to run. */
static void
run_lockstep(struct ours *o, struct server *s, unsigned long bursts)
{
	while (!s->streaming) {
		run_for(o, 0);
		server_turn(s);
	}
	forget(o);
	for (; bursts > 0; bursts--) {
		server_turn(s);
		run_for(o, 0);
	}
	printf("%" PRIu64 " segments, %.0f busy cycles a segment\n",
		o->counters.value[COUNTER_TCP_DATA_SEGMENTS],
		(double)o->worker.usage.cycles_busy /
			(double)o->counters.value[COUNTER_TCP_DATA_SEGMENTS]);
}

int
main(int argc, char **argv)
{
	bool lockstep = argc > 1 && strcmp(argv[1], "--lockstep") == 0;
	double seconds = argc > 1 ? atof(argv[1]) : 3.0;
	int cpu = argc > 2 && !lockstep ? atoi(argv[2]) : 1;
	int server_cpu = argc > 3 ? atoi(argv[3]) : 0;
	char lcores[64];
	char *eal[] = {argv[0], lcores, (char[]){"--no-huge"}, (char[]){"--no-shconf"},
		(char[]){"--no-pci"}, (char[]){"-m"}, (char[]){"512"}, (char[]){"--no-telemetry"},
		(char[]){"--log-level=4"}};
	struct server server = {0};
	static struct ours ours;
	int port;

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d,1@%d", cpu, server_cpu);
	check(rte_eal_init((int)RTE_DIM(eal), eal) >= 0, "rte_eal_init");
	server.out = rte_ring_create(
		"to_client", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	server.in = rte_ring_create(
		"to_server", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	server.pool =
		rte_pktmbuf_pool_create("server", POOL_SIZE, 256, 0, 2048 + 128, SOCKET_ID_ANY);
	check(server.out != NULL && server.in != NULL && server.pool != NULL, "memory");
	port = rte_eth_from_rings("net_ring0", &server.out, 1, &server.in, 1, 0);
	check(port >= 0, "rte_eth_from_rings");
	open_port(&ours, (uint16_t)port);
	create_netstack(&ours);
	start_fetch(&ours);
	if (lockstep)
		run_lockstep(&ours, &server, argc > 2 ? strtoul(argv[2], NULL, 10) : 20000);
	else
		run(&ours, &server, seconds);
	end(&ours);
	rte_eal_cleanup();
	return 0;
}
