/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many connections, and how many small responses, one core manages: netstack, TCP and the response
 * parser on one side, a model of a server on the other, in turns on this core. No DPDK, no kernel; the
 * NIC is taken to do the checksums.
 *
 *   bench_rates [--connections N] [--flight N] [--runs N] [--cycles N] [--only connections|responses]
 *
 * So many connections stand open (100,000). In the first measurement the oldest is closed and another
 * opened in its place, with a request and its response: SYN to FIN; in the second all are kept and each
 * gets a request when its turn comes. --flight of them (256) are at work at a time.
 *
 * The server's model has no state: it answers each frame from what stands in it, the response to 1 KiB
 * (head and body in one segment) lies in its buffers already. The time it takes is read from the clock
 * around each burst of frames that it is given, and printed beside the whole: the rate is what both do in
 * turns, "without the model" what the client's part takes alone (with the reading of the clock, and with
 * the frames that the model has just written in its caches, as a NIC would leave them there).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_compiler.h"
#include "http_response.h"
#include "netstack.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

#define BURST 32U
#define BURST_NS (10 * NS_PER_US)
#define SERVER_IP UINT32_C(0xc6120001)
#define CLIENT_IP UINT32_C(0xc6130000)
#define ADDRESSES 4U
#define L3 14U
#define L4 34U
#define TIMESTAMPS_LEN 12U
#define PAYLOAD_AT (L4 + 20U + TIMESTAMPS_LEN)
#define RESPONSE_LEN 1024U
#define BUFFER_LEN 1152U
#define AHEAD 4U /* slots whose connection is called into the cache */
#define RUNS_MAX 101U

static const char request[] = "GET /1k HTTP/1.1\r\nHost: 198.18.0.1\r\nUser-Agent: dpfetch\r\n"
			      "Accept: */*\r\n\r\n";
static const char response_head[] =
	"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 28 Nov 2026 00:00:00 GMT\r\n"
	"Content-Type: application/octet-stream\r\nContent-Length: %u\r\n"
	"Last-Modified: Sat, 28 Nov 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n"
	"ETag: \"65655555-400\"\r\nAccept-Ranges: bytes\r\n\r\n";

/* ---- the server and the cable: frames towards the client ---- */

struct buffer {
	struct buffer *next_free;
	uint8_t bytes[BUFFER_LEN];
};

struct cable {
	struct buffer *free_response, *free_control;
	struct frame *queue; /* a ring */
	uint32_t head, tail, mask;
};

static struct buffer *
make_buffers(uint32_t n, const void *payload, uint32_t len)
{
	struct buffer *all = calloc(n, sizeof(*all));
	uint32_t i;

	CHECK(all != NULL);
	for (i = 0; i < n; i++) {
		all[i].next_free = i + 1 < n ? &all[i + 1] : NULL;
		memcpy(all[i].bytes + PAYLOAD_AT, payload, len);
	}
	return all;
}

static void
cable_init(struct cable *c, uint32_t frames)
{
	char payload[RESPONSE_LEN] = {0};
	int head = snprintf(payload, sizeof(payload), response_head, 0U);
	uint32_t n = 1;

	head += 2; /* three digits in place of one */
	(void)snprintf(payload, sizeof(payload), response_head, RESPONSE_LEN - (uint32_t)head);
	while (n < frames)
		n *= 2;
	c->mask = n - 1;
	c->queue = calloc(n, sizeof(*c->queue));
	CHECK(c->queue != NULL);
	c->free_response = make_buffers(n, payload, sizeof(payload));
	c->free_control = make_buffers(n, payload, 0);
}

/* The owner's lowest bit says which list it came from. */
static void
release(void *ctx, void *owner)
{
	struct cable *c = ctx;
	uintptr_t tagged = (uintptr_t)owner;
	struct buffer **list = tagged & 1 ? &c->free_response : &c->free_control;
	struct buffer *b = (struct buffer *)(tagged & ~(uintptr_t)1);

	b->next_free = *list;
	*list = b;
}

static void
enqueue(struct cable *c, struct buffer *b, uint32_t len, bool response)
{
	CHECK(c->tail - c->head <= c->mask);
	c->queue[c->tail++ & c->mask] = (struct frame){.data = b->bytes,
		.len = len,
		.flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD,
		.owner = (void *)((uintptr_t)b | response)};
}

/* Ethernet, IPv4 and the ports, turned about. */
static void
turn_about(uint8_t *to, const uint8_t *from, uint32_t tcp_len)
{
	memcpy(to, from + 6, 6);
	memcpy(to + 6, from, 6);
	memcpy(to + 12, from + 12, L3 + 12 - 12);
	be16_store(to + L3 + 2, (uint16_t)(IPV4_HEADER_LEN + tcp_len));
	memcpy(to + L3 + 12, from + L3 + 16, 4);
	memcpy(to + L3 + 16, from + L3 + 12, 4);
	memcpy(to + L4, from + L4 + 2, 2);
	memcpy(to + L4 + 2, from + L4, 2);
}

static void
answer_syn(struct cable *c, const uint8_t *frame, uint32_t len)
{
	struct buffer *b = c->free_control;
	struct tcp_segment in, out = {.flags = TCP_SYN | TCP_ACK,
				       .window = 65535,
				       .seq = 1,
				       .options = TCP_OPT_MSS | TCP_OPT_WSCALE |
						  TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS,
				       .mss = 1460,
				       .wscale = 7,
				       .ts_val = 1};
	uint32_t tcp_len;

	CHECK(b != NULL && wire_tcp_parse(frame + L4, len - L4, &in) == DROP_NONE);
	c->free_control = b->next_free;
	out.src_port = in.dst_port;
	out.dst_port = in.src_port;
	out.ack = in.seq + 1;
	out.ts_ecr = in.ts_val;
	tcp_len = wire_tcp_build(b->bytes + L4, &out);
	turn_about(b->bytes, frame, tcp_len);
	enqueue(c, b, L4 + tcp_len, false);
}

/* A request gets the response, a FIN another one, a plain ACK nothing. */
static void
answer(struct cable *c, const uint8_t *frame, uint32_t len)
{
	uint32_t payload_len = len - PAYLOAD_AT, seq, response;
	uint8_t flags = frame[L4 + 13];
	struct buffer *b, **list;

	if (len <= PAYLOAD_AT && !(flags & (TCP_SYN | TCP_FIN)))
		return;
	if (flags & TCP_SYN) {
		answer_syn(c, frame, len);
		return;
	}
	response = payload_len > 0 ? RESPONSE_LEN : 0;
	list = response > 0 ? &c->free_response : &c->free_control;
	b = *list;
	CHECK(b != NULL);
	*list = b->next_free;
	turn_about(b->bytes, frame, 20 + TIMESTAMPS_LEN + response);
	seq = be32_load(frame + L4 + 4) + payload_len + ((flags & TCP_FIN) != 0);
	memcpy(b->bytes + L4 + 4, frame + L4 + 8, 4);
	be32_store(b->bytes + L4 + 8, seq);
	b->bytes[L4 + 12] = 8U << 4;
	b->bytes[L4 + 13] = (uint8_t)(TCP_ACK | (flags & TCP_FIN) | (response > 0 ? TCP_PSH : 0U));
	be16_store(b->bytes + L4 + 14, 512);
	memcpy(b->bytes + L4 + 20, frame + L4 + 20, 4);
	be32_store(b->bytes + L4 + 24, 1);
	memcpy(b->bytes + L4 + 28, frame + L4 + 24, 4);
	enqueue(c, b, PAYLOAD_AT + response, response > 0);
}

/* ---- the client ---- */

struct slot {
	struct netstack_conn *conn;
	struct http_response *response;
	enum { IDLE, OPENING, ASKED } state;
};

struct client {
	struct netstack *ns;
	struct counters counters;
	struct cable cable;
	struct slot *slot;
	uint32_t slots, next, in_flight;
	bool reopen; /* close and open for each request */
	uint64_t now_ns, done, frames_out;
	uint64_t model_tsc; /* cycles that the server's model took */
	uint8_t tx[BURST][BUFFER_LEN];
};

static void
ask(struct client *c, struct slot *s)
{
	s->state = ASKED;
	http_response_reset(s->response, false);
	CHECK(tcp_conn_send(netstack_conn_tcp(s->conn), request, sizeof(request) - 1) ==
		sizeof(request) - 1);
	netstack_conn_touch(c->ns, s->conn);
}

static void
prefetch_bytes(const void *at, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i += 64)
		__builtin_prefetch((const uint8_t *)at + i, 1);
}

/* The slot whose turn it is begins another request. */
static void
begin(struct client *c)
{
	const struct ip_address remote = ip_address_of_v4(SERVER_IP);
	struct slot *s = &c->slot[c->next];

	struct slot *ahead = &c->slot[(c->next + AHEAD) % c->slots];

	if (ahead->conn != NULL)
		netstack_conn_prefetch(ahead->conn);
	prefetch_bytes(ahead->response, 384);
	c->next = c->next + 1 < c->slots ? c->next + 1 : 0;
	c->in_flight++;
	if (!c->reopen) {
		ask(c, s);
		return;
	}
	if (s->conn != NULL)
		netstack_release_conn(c->ns, s->conn, c->now_ns);
	CHECK(netstack_connect(c->ns, &remote, 80, s, c->now_ns, &s->conn) == 0);
	s->state = OPENING;
}

static void
read_response(struct client *c, struct slot *s)
{
	struct tcp_conn *tcp = netstack_conn_tcp(s->conn);
	enum http_status_event event = HTTP_NEED_MORE;
	struct payload part;
	const uint8_t *body;
	uint32_t used, body_len;

	while (tcp_conn_recv(tcp, &part, 1) == 1) {
		event = http_response_feed(
			s->response, part.data, part.len, &used, &body, &body_len);
		CHECK(used == part.len);
		release(&c->cable, part.owner);
		tcp_conn_consumed(tcp, part.len, 1);
	}
	if (event != HTTP_COMPLETE)
		return;
	s->state = IDLE;
	c->done++;
	c->in_flight--;
}

static void
handle_events(struct client *c)
{
	struct netstack_conn *nc;
	struct slot *s;

	while ((nc = netstack_event_next(c->ns)) != NULL) {
		s = netstack_conn_user(nc);
		if (s == NULL)
			continue;
		if (s->state == ASKED)
			read_response(c, s);
		else if (s->state == OPENING &&
			 tcp_conn_state(netstack_conn_tcp(nc)) == TCP_ESTABLISHED)
			ask(c, s);
	}
}

static void
send_frames(struct client *c)
{
	struct tx_frame tx[BURST];
	uint32_t i, n;
	uint64_t tsc;

	do {
		for (i = 0; i < BURST; i++) { /* as a port does */
			tx[i].data = c->tx[i];
			tx[i].room = BUFFER_LEN;
			tx[i].len = tx[i].flags = 0;
		}
		n = netstack_output(c->ns, c->now_ns, tx, BURST);
		c->frames_out += n;
		tsc = __rdtsc();
		for (i = 0; i < n; i++)
			answer(&c->cable, tx[i].data, tx[i].len);
		c->model_tsc += __rdtsc() - tsc;
	} while (n == BURST);
}

/* One iteration of a worker, as app/worker.c has it. */
static void
turn(struct client *c, uint32_t flight)
{
	struct cable *cable = &c->cable;
	uint32_t n = MIN_OF(BURST, cable->tail - cable->head), at = cable->head & cable->mask;

	n = MIN_OF(n, cable->mask + 1 - at);
	c->now_ns += BURST_NS;
	netstack_input(c->ns, cable->queue + at, n, c->now_ns);
	cable->head += n;
	handle_events(c);
	while (c->in_flight < flight)
		begin(c);
	send_frames(c);
}

static void
client_init(struct client *c, uint32_t connections, uint32_t flight)
{
	struct netstack_config cfg;
	struct http_head_cache *heads = http_head_cache_create();
	struct http_limits limits;
	uint32_t i;

	netstack_config_defaults(&cfg);
	cfg.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	cfg.address = CLIENT_IP;
	cfg.address_count = ADDRESSES;
	cfg.prefix_len = 8;
	cfg.gateway_mac_set = true;
	cfg.gateway_mac = (struct ether_addr){{2, 0, 0, 0, 0, 1}};
	cfg.tx_offloads = TX_FRAME_IP_CSUM | TX_FRAME_TCP_CSUM;
	cfg.connections_max = connections + 8 * flight; /* and some in TIME-WAIT */
	cfg.port_first = 1024;
	cfg.port_count = 64511;
	cfg.out_of_order_max = MAX_OF(connections / 16, 1U);
	cfg.tcp.snd_buffer_bytes = 2048;
	cfg.tcp.rcv_payloads_max = 16;
	cfg.tcp.rcv_window_init_bytes = cfg.tcp.rcv_window_max_bytes = 16384;
	cfg.key = (struct siphash_key){1, 2};
	cfg.counters = &c->counters;
	cfg.release = release;
	cfg.release_ctx = &c->cable;
	cable_init(&c->cable, MAX_OF(16 * flight, 16384U));
	c->now_ns = NS_PER_SEC;
	c->ns = netstack_create(&cfg, c->now_ns);
	c->slot = calloc(connections, sizeof(*c->slot));
	c->slots = connections;
	CHECK(c->ns != NULL && c->slot != NULL);
	http_limits_defaults(&limits);
	for (i = 0; i < connections; i++) {
		c->slot[i].response = http_response_create(&limits, NULL, NULL);
		CHECK(c->slot[i].response != NULL && heads != NULL);
		http_response_share_heads(c->slot[i].response, heads);
	}
	printf("%" PRIu32 " connections, %" PRIu64 " bytes each\n", connections,
		netstack_bytes_per_connection(&cfg));
}

/* ---- measuring ---- */

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
drain(struct client *c)
{
	uint32_t i;

	for (i = 0; i < 1000 && (c->in_flight > 0 || c->cable.head != c->cable.tail); i++)
		turn(c, 0);
	CHECK(c->in_flight == 0);
}

/* Out of line: callgrind counts what is in it (tools/bench --profile). */
static OUT_OF_LINE void
run(struct client *c, uint32_t flight, uint64_t count)
{
	uint64_t begun = c->done;

	while (c->done - begun < count)
		turn(c, flight);
}

static void
measure(struct client *c, const char *what, uint32_t flight, uint64_t count, uint32_t runs)
{
	double rate[RUNS_MAX], cycles[RUNS_MAX], model[RUNS_MAX], start, all, mine;
	uint64_t begun, tsc, frames = c->frames_out, total = 0;
	uint32_t i;

	for (i = 0; i < runs; i++) {
		begun = c->done;
		c->model_tsc = 0;
		start = seconds_now();
		tsc = __rdtsc();
		run(c, flight, count);
		tsc = __rdtsc() - tsc;
		total += c->done - begun;
		rate[i] = (double)(c->done - begun) / (seconds_now() - start);
		cycles[i] = (double)tsc / (double)(c->done - begun);
		model[i] = (double)c->model_tsc / (double)(c->done - begun);
	}
	qsort(rate, runs, sizeof(rate[0]), compare);
	qsort(cycles, runs, sizeof(cycles[0]), compare);
	qsort(model, runs, sizeof(model[0]), compare);
	all = cycles[runs / 2];
	mine = all - model[runs / 2];
	printf("%-12s %.3f M a second a core (%.3f-%.3f in %" PRIu32 " runs), %.0f cycles each, "
	       "%.1f frames sent each; of them the server's model %.0f: without it %.3f M\n",
		what, rate[runs / 2] / 1e6, rate[0] / 1e6, rate[runs - 1] / 1e6, runs, all,
		(double)(c->frames_out - frames) / (double)total, model[runs / 2],
		rate[runs / 2] / 1e6 * all / mine);
	drain(c);
}

static uint32_t
number(const char *text)
{
	unsigned long n = strtoul(text, NULL, 10);

	CHECK(n > 0 && n <= 100000000);
	return (uint32_t)n;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
		{"flight", required_argument, NULL, 'f'}, {"runs", required_argument, NULL, 'r'},
		{"cycles", required_argument, NULL, 'n'}, {"only", required_argument, NULL, 'o'},
		{0}};
	const char *only = "";
	uint32_t connections = 100000, flight = 256, runs = 5, count = 500000;
	static struct client c;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'c')
			connections = number(optarg);
		else if (opt == 'f')
			flight = number(optarg);
		else if (opt == 'r')
			runs = MIN_OF(number(optarg), RUNS_MAX);
		else if (opt == 'n')
			count = number(optarg);
		else if (opt == 'o')
			only = optarg;
		else
			return 2;
	}
	flight = MIN_OF(flight, connections);
	client_init(&c, connections, flight);
	c.reopen = true;
	while (c.done < connections) /* all open */
		turn(&c, flight);
	if (strcmp(only, "responses") != 0)
		measure(&c, "connections:", flight, count, runs);
	c.reopen = false;
	if (strcmp(only, "connections") != 0)
		measure(&c, "responses:", flight, count, runs);
	CHECK(c.counters.value[COUNTER_TCP_RETRANSMITS] == 0);
	return 0;
}
