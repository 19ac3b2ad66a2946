/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-process ceiling: our whole receive path (RX burst, netstack, TCP, HTTP, null sink, ACKs)
 * on one core, and on another a modelled server that sends full segments as fast as our window
 * allows; two rte_rings are the cable, no kernel is in the way.
 *
 *   bench_ceiling [OPTIONS] [SECONDS [CPU-OF-US [CPU-OF-SERVER]]]
 *   bench_ceiling [OPTIONS] --lockstep [MODEL_SERVER_BURSTS]
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

#include <rte_launch.h>
#include <rte_lcore.h>

#include "in_process.h"
#include "transport_netstack.h"

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

static void
start_load(struct in_process *o, uint32_t connections)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: 198.18.0.1\r\n\r\n";
	const struct load_target target = {.remote = {4, {MODEL_SERVER_IP}},
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
	o->load = load_create(&lc);
	in_process_check(o->load != NULL, "load_create");
	load_start(o->load, port_clock_ns());
}

static void
run(struct in_process *o, double seconds)
{
	rte_eal_remote_launch(model_server_run, &o->server, 1);
	in_process_run_for(o, 0.2); /* warm-up */
	in_process_forget(o);
	in_process_run_for(o, seconds);
	report(&o->counters, &o->worker.usage, seconds, &o->delay);
	atomic_store(&o->server.stop, true);
	rte_eal_mp_wait_lcore();
}

/* One burst from the server, one iteration of ours: no cache misses between cores and no empty
 * polls, so that the instructions are the same from run to run. */
static void
run_lockstep(struct in_process *o, uint32_t connections, unsigned long bursts)
{
	double segments, cycles;

	while (o->server.streaming < connections) {
		in_process_run_for(o, 0);
		model_server_turn(&o->server);
	}
	while (rte_ring_count(o->server.out) >
		0) /* else each iteration has the halves of two bursts */
		in_process_run_for(o, 0);
	in_process_forget(o);
	for (; bursts > 0; bursts--) {
		model_server_turn(&o->server);
		in_process_run_for(o, 0);
	}
	segments = (double)o->counters.value[COUNTER_TCP_DATA_SEGMENTS];
	cycles = (double)o->worker.usage.cycles_busy;
	printf("%.0f segments, %.0f busy cycles a segment, that is %.1f Gb/s of body\n", segments,
		cycles / segments,
		segments * MODEL_SERVER_MSS * 8 / (cycles / (double)port_cycles_hz()) / 1e9);
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
	struct options o = {.connections = 1,
		.run = MODEL_SERVER_BURST,
		.seconds = 3,
		.bursts = 20000,
		.cpu = 1};
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
	in_process_check(o.connections > 0 && o.connections <= MODEL_SERVER_CONNECTIONS_MAX &&
				 o.run > 0 && o.run <= MODEL_SERVER_BURST,
		"a number");
	return o;
}

int
main(int argc, char **argv)
{
	const struct options o = options_of(argc, argv);
	static struct fetch_sink_null sink;
	static struct in_process in;

	in.server.run = o.run;
	in.server.body_bytes = UINT64_C(1) << 60;
	in_process_create(&in, argv[0], o.cpu, o.server_cpu, o.connections);
	if (o.connections == 1)
		in_process_fetch(&in, &fetch_sink_null_ops, &sink);
	else
		start_load(&in, o.connections);
	if (o.lockstep)
		run_lockstep(&in, o.connections, o.bursts);
	else
		run(&in, o.seconds);
	in_process_end(&in);
	return 0;
}
