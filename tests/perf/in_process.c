/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>

#include "in_process.h"
#include "transport_netstack.h"

#define RING_SIZE 2048U /* as PORT_RX_DESCRIPTORS: more than that a NIC does not hold either */
#define POOL_SIZE 8191U
#define WINDOW (2U << 20) /* of all connections */
#define WINDOW_MIN (256U << 10) /* of one; dpfetch bench gives as much to 256 (host_capacity.c) */

void
in_process_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(1);
}

static void
open_port(struct in_process *o, uint16_t port_id)
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
	in_process_check(port_open(&pc, &o->port, message) == 0, message);
	o->worker.queue = port_queue_of(o->port, 0);
	o->worker.rx_burst = worker_rx_burst(1500);
}

static void
create_netstack(struct in_process *o, uint32_t connections)
{
	struct netstack_config nc;

	netstack_config_defaults(&nc);
	nc.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	nc.address = MODEL_CLIENT_IP;
	nc.gateway_mac_set = true;
	nc.gateway_mac = (struct ether_addr){{2, 0, 0, 0, 0, 1}};
	nc.connections_max = connections;
	nc.tcp.rcv_window_max_bytes = RTE_MAX(WINDOW / connections, WINDOW_MIN);
	nc.tcp.rcv_window_init_bytes = nc.tcp.rcv_window_max_bytes;
	nc.tcp.ack_delay = &o->delay;
	nc.release = port_release;
	nc.release_ctx = o->worker.queue;
	nc.counters = &o->counters;
	o->worker.netstack = netstack_create(&nc, port_clock_ns());
	in_process_check(o->worker.netstack != NULL, "netstack_create");
}

void
in_process_create(
	struct in_process *o, char *program, int cpu, int server_cpu, uint32_t connections)
{
	struct model_server *s = &o->server;
	char lcores[64];
	char *eal[] = {program, lcores, (char[]){"--no-huge"}, (char[]){"--no-shconf"},
		(char[]){"--no-pci"}, (char[]){"-m"}, (char[]){"512"}, (char[]){"--no-telemetry"},
		(char[]){"--log-level=4"}};
	int port;

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d,1@%d", cpu, server_cpu);
	in_process_check(rte_eal_init((int)RTE_DIM(eal), eal) >= 0, "rte_eal_init");
	s->out = rte_ring_create(
		"to_client", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	s->in = rte_ring_create(
		"to_server", RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	s->pool = rte_pktmbuf_pool_create("server", POOL_SIZE, 256, 0, 2048 + 128, SOCKET_ID_ANY);
	in_process_check(s->out != NULL && s->in != NULL && s->pool != NULL, "memory");
	port = rte_eth_from_rings("net_ring0", &s->out, 1, &s->in, 1, 0);
	in_process_check(port >= 0, "rte_eth_from_rings");
	open_port(o, (uint16_t)port);
	create_netstack(o, connections);
	in_process_forget(o);
}

void
in_process_fetch(struct in_process *o, const struct fetch_sink_ops *ops, void *file)
{
	struct fetch_job job = {.url = &o->url,
		.remote = {4, {MODEL_SERVER_IP}},
		.remote_port = 80,
		.connect_timeout_ns = TIME_NEVER,
		.max_time_ns = TIME_NEVER,
		.sink = ops,
		.sink_file = file};
	struct fetch_config fc = {.transport = transport_of_netstack(
					  o->worker.netstack, port_release, o->worker.queue)};
	const char *why;

	http_limits_defaults(&fc.limits);
	o->fetch = fetch_create(&fc);
	in_process_check(o->fetch != NULL &&
				 http_url_parse("http://198.18.0.1/x", &o->url, &why) == 0 &&
				 fetch_start(o->fetch, &job, port_clock_ns()) == 0,
		"fetch_start");
}

void
in_process_forget(struct in_process *o)
{
	memset(&o->counters, 0, sizeof(o->counters));
	memset(&o->worker.usage, 0, sizeof(o->worker.usage));
	histogram_reset(&o->worker.iteration);
	histogram_reset(&o->delay);
}

static bool
poll(void *ctx, uint64_t now_ns)
{
	struct in_process *o = ctx;

	o->over = o->load != NULL ? load_poll(o->load, now_ns) : fetch_poll(o->fetch, now_ns);
	return o->over || now_ns >= o->until_ns;
}

void
in_process_run_for(struct in_process *o, double seconds)
{
	o->until_ns = port_clock_ns() + (uint64_t)(seconds * 1e9);
	worker_run(&o->worker, poll, o);
}

void
in_process_end(struct in_process *o)
{
	if (o->load != NULL) {
		load_destroy(o->load);
	} else {
		if (!o->over)
			fetch_cancel(
				o->fetch, FETCH_ABORTED_BY_CALLBACK, "the end", port_clock_ns());
		fetch_destroy(o->fetch);
		http_url_free(&o->url);
	}
	netstack_destroy(o->worker.netstack);
	port_release_flush(o->worker.queue);
	port_close(o->port);
	rte_eal_cleanup();
}
