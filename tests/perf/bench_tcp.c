/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cycles a segment of the TCP core alone: bursts of in-order full segments into one connection,
 * its ACKs out, its data taken and consumed. No frames, no HTTP, no DPDK.
 *
 *   bench_tcp [MILLION-SEGMENTS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "base_check.h"
#include "tcp_conn.h"

#define BURST 32U
#define MSS 1448U
#define BURST_NS (4 * NS_PER_US)

static void
release(void *ctx, void *owner)
{
	(void)ctx;
	(void)owner;
}

static struct tcp_conn *
establish(struct counters *counters, struct histogram *ack_delay, uint64_t *now_ns)
{
	const struct tcp_open open = {.local_port = 1, .remote_port = 2, .iss = 100};
	const struct tcp_segment syn_ack = {.seq = 999,
		.ack = 101,
		.flags = TCP_SYN | TCP_ACK,
		.window = 1000,
		.options = TCP_OPT_MSS | TCP_OPT_TIMESTAMPS | TCP_OPT_WSCALE,
		.mss = 1460};
	struct tcp_segment out;
	static struct tcp_config cfg;
	struct tcp_conn *c;

	tcp_config_defaults(&cfg);
	cfg.counters = counters;
	cfg.buffers.release = release;
	cfg.ack_delay = ack_delay;
	c = tcp_conn_create(&cfg);
	CHECK(c != NULL && tcp_conn_connect(c, &open, *now_ns) == 0);
	CHECK(tcp_conn_output(c, *now_ns, &out));
	*now_ns += NS_PER_MS;
	tcp_conn_input(c, &syn_ack, *now_ns);
	while (tcp_conn_output(c, *now_ns, &out))
		;
	return c;
}

/* One burst: what netstack and fetch do with a connection in an iteration. */
static void
burst(struct tcp_conn *c, struct tcp_segment *s, uint64_t now_ns)
{
	static const uint8_t bytes[MSS];
	struct payload parts[BURST];
	struct tcp_segment out;
	uint32_t i, n;

	for (i = 0; i < BURST; i++) {
		s->payload = (struct payload){.data = bytes, .len = MSS, .owner = s};
		CHECK(tcp_conn_input(c, s, now_ns));
		s->seq += MSS;
	}
	n = tcp_conn_recv(c, parts, BURST);
	CHECK(n == BURST);
	tcp_conn_consumed(c, n * MSS, n);
	while (tcp_conn_output(c, now_ns, &out))
		;
}

int
main(int argc, char **argv)
{
	uint64_t segments = (argc > 1 ? strtoull(argv[1], NULL, 10) : 50) * 1000000, n;
	static struct histogram ack_delay;
	struct counters counters = {0};
	uint64_t now_ns = NS_PER_SEC, cycles;
	struct tcp_conn *c;
	struct tcp_segment s = {.seq = 1000,
		.ack = 101,
		.flags = TCP_ACK,
		.window = 1000,
		.options = TCP_OPT_TIMESTAMPS};

	histogram_reset(&ack_delay);
	c = establish(&counters, &ack_delay, &now_ns);
	cycles = __rdtsc();
	for (n = 0; n < segments; n += BURST) {
		now_ns += BURST_NS;
		s.ts_val = (uint32_t)(now_ns / NS_PER_MS);
		burst(c, &s, now_ns);
	}
	cycles = __rdtsc() - cycles;
	printf("%.1f cycles a segment; %.4f ACKs a segment, %.2f%% by the fast path\n",
		(double)cycles / (double)n,
		(double)counters.value[COUNTER_TCP_ACKS_SENT] / (double)n,
		100.0 * (double)counters.value[COUNTER_TCP_FAST_PATH] / (double)n);
	tcp_conn_destroy(c);
	return 0;
}
