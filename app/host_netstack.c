/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base_bytes.h"
#include "exit_code.h"
#include "host_priv.h"
#include "lasting.h"
#include "lease.h"

#define CLOSE_WAIT_NS (500 * NS_PER_MS)
/* For each connection, between two looks at all of them, which take a tenth of that. */
#define DRAIN_LOOK_NS UINT64_C(200)

static void
fill_tcp_config(struct host *h, struct tcp_config *tcp)
{
	const struct settings *s = h->settings;

	tcp->ack_policy = (enum tcp_ack_policy)s->ack;
	tcp->congestion = (enum tcp_congestion)s->congestion;
	tcp->ecn = s->ecn;
	tcp->ack_segments_max = (uint32_t)s->ack_segments;
	tcp->ack_delay_max_ns = s->ack_delay_ns;
	tcp->rcv_window_max_bytes = h->capacity.window_bytes;
	tcp->rcv_window_init_bytes = MIN_OF(tcp->rcv_window_init_bytes, tcp->rcv_window_max_bytes);
	tcp->rcv_payloads_max = h->capacity.buffers_each;
	tcp->snd_buffer_bytes = h->capacity.snd_buffer_bytes;
	tcp->ack_delay = &h->ack_delay;
}

/* The addresses that are made from the MAC address are the kernel's, where the MAC address is. */
static int
check_made_address(const struct host *h, const struct ether_addr *mac)
{
	struct ipv6_addr own = ipv6_addr_of_mac(&ipv6_addr_link_local_prefix, mac);

	if (!h->settings->address6_set)
		return 0;
	return host_check_address6(
		h, &own, "take another MAC address, with --mac 02:00:5e:12:00:02, for example");
}

int
host_start_netstack(struct host *h)
{
	const struct settings *s = h->settings;
	struct netstack_config cfg;
	struct port_info info;
	int rc;

	port_info(h->port, &info);
	netstack_config_defaults(&cfg);
	cfg.mac = s->mac_set ? s->mac : info.mac;
	if (s->address_set)
		cfg.address = s->address;
	cfg.prefix_len = s->prefix_len;
	cfg.gateway = s->gateway;
	cfg.ipv6 = (struct netstack_ipv6_config){
		.enabled = s->address6_set,
		.autoconf = s->address6_auto,
		.address = s->address6,
		.prefix_len = s->prefix6_len,
		.gateway = s->gateway6,
	};
	rc = check_made_address(h, &cfg.mac);
	if (rc != 0)
		return rc;
	cfg.gateway_mac_set = s->gateway_mac_set;
	cfg.gateway_mac = s->gateway_mac;
	cfg.vlan_id = (uint16_t)s->vlan_id;
	cfg.mtu = (uint16_t)s->mtu;
	cfg.tx_offloads = info.tx_offloads & ~TX_FRAME_VLAN; /* it writes tags itself */
	cfg.address_count = (uint16_t)s->addresses;
	cfg.connections_max = h->capacity.connections;
	cfg.out_of_order_max = h->capacity.out_of_order;
	cfg.port_first = h->capacity.port_first;
	cfg.port_count = h->capacity.port_count;
	cfg.probe_address = s->probe_address && h->queue == 0; /* for all of us */
	cfg.steer = h->steer;
	cfg.exchange = h->exchange;
	cfg.queue = h->queue;
	cfg.release = port_release;
	cfg.keep = port_keep;
	cfg.release_ctx = port_queue_of(h->port, h->queue);
	cfg.counters = &h->counters;
	fill_tcp_config(h, &cfg.tcp);
	if (getrandom(&cfg.key, sizeof(cfg.key), 0) != (ssize_t)sizeof(cfg.key)) {
		message_error(&h->level, EXIT_CODE_INTERNAL,
			"no random numbers from the system: %s", strerror(errno));
		return EXIT_CODE_INTERNAL;
	}
	if (!lasting_secret(&cfg.lasting_key))
		message_detail(&h->level,
			"this machine has no secret that lasts from run to run: servers may not "
			"take connections from ports of the run before for a minute");
	cfg.lasting_clock_ns = lasting_clock_ns() - (int64_t)port_clock_ns();
	h->bytes_per_connection = netstack_bytes_per_connection(&cfg);
	h->netstack = netstack_create(&cfg, port_clock_ns());
	if (h->netstack == NULL) {
		message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
			"no memory for %u connections with a window of %llu bytes; try a smaller "
			"--window",
			cfg.connections_max, (unsigned long long)cfg.tcp.rcv_window_max_bytes);
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	h->worker = (struct worker){.queue = cfg.release_ctx,
		.netstack = h->netstack,
		.rx_burst = worker_rx_burst((uint32_t)s->mtu),
		.counters = &h->counters,
		.tap = h->capture != NULL ? capture_tap_of(h->capture, h->queue) : NULL};
	return 0;
}

struct drain {
	struct host *host;
	uint64_t until_ns, look_ns;
};

/* Lets FINs and RSTs out and their ACKs in, for a bounded time. */
static bool
drained(void *ctx, uint64_t now_ns)
{
	struct drain *d = ctx;

	if (now_ns >= d->until_ns)
		return true;
	if (now_ns < d->look_ns)
		return false;
	d->look_ns = now_ns + d->host->capacity.connections * DRAIN_LOOK_NS;
	return netstack_connections(d->host->netstack) == 0;
}

/* All is out that can be. */
static bool
flushed(void *ctx, uint64_t now_ns)
{
	const struct drain *d = ctx;

	return netstack_deadline(d->host->netstack) > now_ns || now_ns >= d->until_ns;
}

void
host_drain_netstack(struct host *h, void *ctx)
{
	struct drain drain = {h, port_clock_ns() + CLOSE_WAIT_NS, 0};

	(void)ctx;
	worker_run(&h->worker, drained, &drain);
	netstack_abort_all(h->netstack);
	drain.until_ns = port_clock_ns() + CLOSE_WAIT_NS;
	worker_run(&h->worker, flushed, &drain);
}

void
host_stop_netstack(struct host *h)
{
	lease_give_back(h);
	netstack_destroy(h->netstack);
	h->netstack = NULL;
}
