/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-process ceiling: our whole receive path (RX burst, netstack, TCP, HTTP, null sink, ACKs)
 * on one core, and on another a modelled server that sends full segments as fast as our window
 * allows; two rte_rings are the cable, no kernel is in the way.
 *
 *   bench_ceiling [OPTIONS] [SECONDS [CPU-OF-US [CPU-OF-SERVER]]]
 *   bench_ceiling [OPTIONS] --lockstep [BURSTS]
 *                        both on one core, turn by turn: for counting instructions
 *                        (valgrind --tool=callgrind --toggle-collect='worker_run*')
 *   --connections N      1 (the default) is a fetch, more are those of the load generator
 *   --run N              frames of one connection that follow each other (32, a burst)
 */
#include <getopt.h>
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
#include "load.h"
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
#define CONNECTIONS_MAX 1024U

static const char response_head[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\n";

/* The server: just enough TCP for a lossless ring. It checks no window but ours. */
struct stream {
	uint8_t frame[HEADERS_LEN]; /* Ethernet, IPv4 and TCP headers of a data segment */
	uint16_t client_port;
	uint32_t seq, edge, rcv_nxt;
	uint8_t wscale;
	bool streaming;
};

struct server {
	struct rte_ring *in, *out;
	struct rte_mempool *pool;
	atomic_bool stop;
	struct stream stream[CONNECTIONS_MAX];
	uint16_t of_port[UINT16_MAX + 1]; /* a stream's number + 1 by the client's port */
	uint32_t streams, streaming; /* there are, and that have begun */
	uint32_t run; /* frames of one stream that follow each other */
	uint32_t next; /* the stream whose turn it is */
};

/* NULL: there are too many. */
static struct stream *
stream_of(struct server *s, uint16_t client_port, bool syn)
{
	if (syn && s->of_port[client_port] == 0 && s->streams < CONNECTIONS_MAX)
		s->of_port[client_port] = (uint16_t)++s->streams;
	return s->of_port[client_port] != 0 ? &s->stream[s->of_port[client_port] - 1] : NULL;
}

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

/* The response's head; then the stream goes on with full segments. */
static void
server_respond(struct server *s, struct stream *t, const struct tcp_segment *answer,
	const uint8_t *eth_dst)
{
	struct tcp_segment out = *answer;
	struct rte_mbuf *m;

	out.seq = t->seq;
	out.ack = t->rcv_nxt;
	out.payload =
		(struct payload){(const uint8_t *)response_head, sizeof(response_head) - 1, NULL};
	m = server_frame(s, &out, eth_dst);
	memcpy(t->frame, rte_pktmbuf_mtod(m, uint8_t *), HEADERS_LEN);
	server_send(s, m);
	t->seq += (uint32_t)sizeof(response_head) - 1;
	be16_store(t->frame + 16, 20 + 32 + MSS);
	be16_store(t->frame + 24, 0);
	be16_store(t->frame + 24, wire_checksum_finish(wire_checksum_add(0, t->frame + 14, 20)));
	t->streaming = true;
	s->streaming++;
}

static void
server_input(struct server *s, struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct tcp_segment in = {0}, out = {0};
	struct stream *t;

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
server_stream(struct server *s, struct stream *t)
{
	struct rte_mbuf *m[BURST];
	uint32_t i, n, room = (t->edge - t->seq) / MSS;
	uint8_t *p;

	if ((int32_t)(t->edge - t->seq) < (int32_t)MSS)
		return;
	n = RTE_MIN(RTE_MIN(room, s->run), rte_ring_free_count(s->out));
	if (n == 0 || rte_pktmbuf_alloc_bulk(s->pool, m, n) != 0)
		return;
	for (i = 0; i < n; i++) {
		p = rte_pktmbuf_mtod(m[i], uint8_t *);
		memcpy(p, t->frame, HEADERS_LEN);
		be32_store(p + 38, t->seq);
		t->seq += MSS;
		m[i]->data_len = HEADERS_LEN + MSS;
		m[i]->pkt_len = HEADERS_LEN + MSS;
		m[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	}
	rte_ring_sp_enqueue_burst(s->out, (void **)m, n, NULL);
}

/* A burst, from as many streams as it takes. */
static void
server_burst(struct server *s)
{
	struct stream *t;
	uint32_t i;

	for (i = 0; i < BURST; i += s->run) {
		t = &s->stream[s->next];
		s->next = s->next + 1 < s->streams ? s->next + 1 : 0;
		if (t->streaming)
			server_stream(s, t);
	}
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
	if (s->streaming > 0)
		server_burst(s);
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
	struct fetch *fetch; /* of one connection */
	struct load *load; /* of more */
	uint64_t until_ns;
};

static bool
client_poll(void *ctx, uint64_t now_ns)
{
	struct client *c = ctx;

	return (c->load != NULL ? load_poll(c->load, now_ns) : fetch_poll(c->fetch, now_ns)) ||
	       now_ns >= c->until_ns;
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
create_netstack(struct ours *o, uint32_t connections)
{
	struct netstack_config nc;

	netstack_config_defaults(&nc);
	nc.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	nc.address = CLIENT_IP;
	nc.gateway_mac_set = true;
	nc.gateway_mac = (struct ether_addr){{2, 0, 0, 0, 0, 1}};
	nc.connections_max = connections;
	nc.tcp.rcv_window_max_bytes = nc.tcp.rcv_window_init_bytes = WINDOW / connections;
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
start_load(struct ours *o, uint32_t connections)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: 198.18.0.1\r\n\r\n";
	const struct load_target target = {.remote = {4, {SERVER_IP}},
		.remote_port = 80,
		.request = request,
		.request_len = sizeof(request) - 1,
		.weight = 1};
	struct load_config lc;

	load_config_defaults(&lc);
	lc.transport = transport_of_netstack(o->worker.netstack, port_release, o->worker.queue);
	lc.target = &target;
	lc.targets = 1;
	lc.connections = connections;
	lc.duration_ns = lc.silence_ns = TIME_NEVER;
	lc.connect_timeout_ns = lc.request_timeout_ns = TIME_NEVER;
	o->client.load = load_create(&lc);
	check(o->client.load != NULL, "load_create");
	load_start(o->client.load, port_clock_ns());
}

static void
end(struct ours *o)
{
	if (o->client.load != NULL) {
		load_destroy(o->client.load);
	} else {
		fetch_cancel(
			o->client.fetch, FETCH_ABORTED_BY_CALLBACK, "the end", port_clock_ns());
		fetch_destroy(o->client.fetch);
		http_url_free(&o->url);
	}
	netstack_destroy(o->worker.netstack);
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
run_lockstep(struct ours *o, struct server *s, uint32_t connections, unsigned long bursts)
{
	while (s->streaming < connections) {
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

struct options {
	bool lockstep;
	uint32_t connections, run;
	double seconds;
	unsigned long bursts;
	int cpu, server_cpu;
};

static struct options
options_of(int argc, char **argv)
{
	static const struct option names[] = {{"lockstep", no_argument, NULL, 'l'},
		{"connections", required_argument, NULL, 'c'},
		{"run", required_argument, NULL, 'r'}, {0}};
	struct options o = {
		.connections = 1, .run = BURST, .seconds = 3, .bursts = 20000, .cpu = 1};
	int opt;

	while ((opt = getopt_long(argc, argv, "", names, NULL)) != -1) {
		o.lockstep |= opt == 'l';
		if (opt == 'c')
			o.connections = (uint32_t)strtoul(optarg, NULL, 10);
		if (opt == 'r')
			o.run = (uint32_t)strtoul(optarg, NULL, 10);
	}
	argv += optind;
	argc -= optind;
	if (argc > 0) {
		o.seconds = atof(argv[0]);
		o.bursts = strtoul(argv[0], NULL, 10);
	}
	o.cpu = argc > 1 ? atoi(argv[1]) : o.cpu;
	o.server_cpu = argc > 2 ? atoi(argv[2]) : o.server_cpu;
	check(o.connections > 0 && o.connections <= CONNECTIONS_MAX && o.run > 0 && o.run <= BURST,
		"a number");
	return o;
}

int
main(int argc, char **argv)
{
	const struct options o = options_of(argc, argv);
	char lcores[64];
	char *eal[] = {argv[0], lcores, (char[]){"--no-huge"}, (char[]){"--no-shconf"},
		(char[]){"--no-pci"}, (char[]){"-m"}, (char[]){"512"}, (char[]){"--no-telemetry"},
		(char[]){"--log-level=4"}};
	static struct server server;
	static struct ours ours;
	int port;

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d,1@%d", o.cpu, o.server_cpu);
	check(rte_eal_init((int)RTE_DIM(eal), eal) >= 0, "rte_eal_init");
	server.run = o.run;
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
	create_netstack(&ours, o.connections);
	if (o.connections == 1)
		start_fetch(&ours);
	else
		start_load(&ours, o.connections);
	if (o.lockstep)
		run_lockstep(&ours, &server, o.connections, o.bursts);
	else
		run(&ours, &server, o.seconds);
	end(&ours);
	rte_eal_cleanup();
	return 0;
}
