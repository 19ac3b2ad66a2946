/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "affinity.h"
#include "base_bytes.h"
#include "exit_code.h"
#include "host.h"
#include "kernel_transport.h"
#include "lasting.h"
#include "lease.h"
#include "nic_info.h"
#include "wire_ipv4.h"

#define BUFFERS_SLACK 256U
#define CLOSE_WAIT_NS (500 * NS_PER_MS)
/* For each connection, between two looks at all of them, which take a tenth of that. */
#define DRAIN_LOOK_NS UINT64_C(200)
#define FILES_BESIDE 64U /* open ones that are no connections */

static enum port_nic_mode
port_mode(const struct settings *s)
{
	static const enum port_nic_mode modes[] = {
		[SETTINGS_NIC_AUTO] = PORT_NIC_AUTO,
		[SETTINGS_NIC_AF_PACKET] = PORT_NIC_AF_PACKET,
		[SETTINGS_NIC_AF_XDP] = PORT_NIC_AF_XDP,
		[SETTINGS_NIC_PCI] = PORT_NIC_PCI,
		[SETTINGS_NIC_VDEV] = PORT_NIC_VDEV,
	};

	return modes[s->nic_mode];
}

static bool
cpu_allowed(int64_t cpu)
{
	cpu_set_t set;

	return cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       CPU_ISSET((size_t)cpu, &set);
}

static int
check_cores(struct host *h)
{
	const struct settings *s = h->settings;

	h->core = s->core >= 0 ? (int)s->core : nic_cpu_choose(h->numa_node);
	if (!cpu_allowed(h->core) || (s->writer_core >= 0 && !cpu_allowed(s->writer_core))) {
		message_error(&h->level, EXIT_CODE_CORE,
			"CPU %lld is not one that this process may run on; `taskset -p $$` shows "
			"which are",
			cpu_allowed(h->core) ? (long long)s->writer_core : (long long)h->core);
		return EXIT_CODE_CORE;
	}
	if (nic_cpu_allowed_count() < 2)
		message_warning(&h->level,
			"there is only one CPU: the poll loop shares it with the "
			"kernel and with the file writer, and is slow");
	return 0;
}

int
host_check_numa(
	const struct message_level *level, int core, int core_node, int nic_node, bool strict)
{
	if (nic_node < 0 || core_node < 0 || core_node == nic_node)
		return 0;
	if (strict) {
		message_error(level, EXIT_CODE_NUMA,
			"CPU %d is on NUMA node %d, the NIC on node %d, and --strict-numa is set; "
			"choose a core of node %d with --core (`numactl -H` lists them)",
			core, core_node, nic_node, nic_node);
		return EXIT_CODE_NUMA;
	}
	message_warning(level,
		"CPU %d is on NUMA node %d, the NIC on node %d: every frame crosses the "
		"interconnect; choose a core of node %d with --core",
		core, core_node, nic_node, nic_node);
	return 0;
}

/* The kernel would answer our SYN-ACKs with RST if it owned our address. */
static int
check_address6(const struct host *h, const struct ipv6_addr *own, const char *remedy)
{
	struct ip_address address = ip_address_of_v6(own);
	char interface[NIC_NAME_MAX], text[IP_ADDRESS_TEXT_LEN];

	if (nic_kernel_owns_address6(own->byte, interface) != 1)
		return 0;
	message_error(&h->level, EXIT_CODE_ADDRESS,
		"the kernel owns %s on %s and would reset our connections; %s",
		ip_address_format(&address, text), interface, remedy);
	return EXIT_CODE_ADDRESS;
}

int
host_check_address(const struct host *h, uint32_t address, uint8_t prefix_len)
{
	char interface[NIC_NAME_MAX], text[IPV4_ADDR_TEXT_LEN];
	int rc = nic_kernel_owns_address(address, interface);

	if (rc != 1)
		return 0;
	ipv4_addr_format(address, text);
	message_error(&h->level, EXIT_CODE_ADDRESS,
		"the kernel owns %s on %s and would reset our connections; use another --address, "
		"or "
		"take it from the kernel: ip addr del %s/%u dev %s",
		text, interface, text, prefix_len, interface);
	return EXIT_CODE_ADDRESS;
}

/* Those that are known before the port is up. */
static int
check_addresses(const struct host *h)
{
	const struct settings *s = h->settings;
	uint32_t i;
	int rc = 0;

	if (s->address6_set && !s->address6_auto)
		rc = check_address6(h, &s->address6, "use another --address6");
	for (i = 0; rc == 0 && s->address_set && !s->address_dhcp && i < s->addresses; i++)
		rc = host_check_address(h, s->address + i, s->prefix_len);
	return rc;
}

/* A vdev string may name something that the kernel does not know. */
static bool
may_be_vdev(const struct settings *s)
{
	return s->nic_mode == SETTINGS_NIC_VDEV ||
	       (s->nic_mode == SETTINGS_NIC_AUTO &&
		       (strchr(s->nic, ',') != NULL || strncmp(s->nic, "net_", 4) == 0));
}

static int
check_nic(struct host *h)
{
	struct nic_info nic;
	char address[NIC_NAME_MAX];
	const char *nic_name = h->settings->nic;

	if (nic_info_find(nic_name, &nic) == 0) {
		h->numa_node = nic.numa_node;
		return 0;
	}
	if (may_be_vdev(h->settings))
		return 0;
	if (nic_pci_address_parse(nic_name, address))
		message_error(&h->level, EXIT_CODE_PORT,
			"there is no PCI device %s (`dpdk-devbind.py -s` lists them)", nic_name);
	else
		message_error(&h->level, EXIT_CODE_PORT,
			"there is no interface '%s' (`ip -br link` lists them)", nic_name);
	return EXIT_CODE_PORT;
}

/* The kernel's stack needs none of the port's; its interface may be named. */
static int
check_kernel(struct host *h, const struct settings *s)
{
	return s->nic != NULL ? check_nic(h) : 0;
}

int
host_check(struct host *h, const struct settings *s)
{
	int rc;

	*h = (struct host){.settings = s,
		.level = message_level_of(s),
		.numa_node = -1,
		.capacity = host_capacity_of_get(s)};
	rc = s->stack == SETTINGS_STACK_KERNEL ? check_kernel(h, s) : check_nic(h);
	if (rc == 0)
		rc = check_cores(h);
	if (rc == 0)
		rc = host_check_numa(
			&h->level, h->core, nic_cpu_node(h->core), h->numa_node, s->strict_numa);
	if (rc == 0 && s->stack == SETTINGS_STACK_DPDK)
		rc = check_addresses(h);
	return rc;
}

static int
start_port(struct host *h)
{
	const struct settings *s = h->settings;
	struct counters *counters = &h->counters;
	char message[PORT_MESSAGE_MAX];
	struct port_config cfg = {
		.queues = 1,
		.mtu = (uint16_t)s->mtu,
		.rx_held_max = h->capacity.buffers_held + NETSTACK_FRAGMENTS_MAX + BUFFERS_SLACK,
		.numa_node = h->numa_node,
		.checksum_offload = s->checksum_offload,
		.promiscuous = s->promiscuous,
		.multicast = s->address6_set,
		.set_mac = s->mac_set,
		.verbose = s->verbose,
		.mac = s->mac,
		.counters = &counters,
	};
	const struct port_eal_config eal = {
		.program = "dpfetch",
		.nic = s->nic,
		.mode = port_mode(s),
		.mtu = (uint16_t)s->mtu,
		.main_cpu = h->core,
		.numa_node = h->numa_node,
		.user_args = s->eal_args,
		.user_args_count = s->eal_args_count,
		.visible = s->visible,
		.verbose = s->verbose,
		.telemetry = s->telemetry,
		.memory_bytes = port_memory_needed(&cfg),
		.queues = 1,
		.rx_frames_min = h->capacity.frames_in_flight,
		.hugepage_bytes_free = nic_hugepages_free(h->numa_node),
	};

	h->eal_started = port_eal_start(&eal, &cfg.port_id, message) == 0;
	if (h->eal_started && port_open(&cfg, &h->port, message) == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_PORT, "%s", message);
	return EXIT_CODE_PORT;
}

static bool
link_tick(void *ctx, uint32_t left_s)
{
	const struct host *h = ctx;

	message_detail(
		&h->level, "waiting for the link of %s, %u s left", h->settings->nic, left_s);
	return monitor_signal(h->monitor) == 0;
}

static int
wait_link(struct host *h)
{
	int rc = port_wait_link(h->port, h->settings->link_timeout_ns, link_tick, h);

	if (rc == 0) {
		monitor_watch_link(h->monitor);
		return 0;
	}
	if (rc == -EINTR) {
		message_error(&h->level, EXIT_CODE_ABORTED,
			"interrupted while waiting for the link of %s", h->settings->nic);
		return EXIT_CODE_ABORTED;
	}
	if (rc == -ENODEV) {
		message_error(&h->level, EXIT_CODE_LINK,
			"%s is gone: deleted, moved away or unplugged", h->settings->nic);
		return EXIT_CODE_LINK;
	}
	message_error(&h->level, EXIT_CODE_LINK,
		"the link of %s did not come up within %.0f s; check cable and switch port, or `ip "
		"link set %s up` for a kernel interface; --link-timeout waits longer",
		h->settings->nic, (double)h->settings->link_timeout_ns / 1e9, h->settings->nic);
	return EXIT_CODE_LINK;
}

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
	return check_address6(
		h, &own, "take another MAC address, with --mac 02:00:5e:12:00:02, for example");
}

static int
start_netstack(struct host *h)
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
	cfg.tx_offloads = info.tx_offloads;
	cfg.address_count = (uint16_t)s->addresses;
	cfg.connections_max = h->capacity.connections;
	cfg.out_of_order_max = h->capacity.out_of_order;
	cfg.port_first = h->capacity.port_first;
	cfg.port_count = h->capacity.port_count;
	cfg.probe_address = s->probe_address;
	cfg.release = port_release;
	cfg.release_ctx = port_queue_of(h->port, 0);
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
		.rx_burst = worker_rx_burst((uint32_t)s->mtu)};
	return 0;
}

static int
start_sink(struct host *h)
{
	const struct sink_config cfg = {
		.writer_cpu = h->settings->writer_core >= 0 ? (int)h->settings->writer_core
							    : affinity_other_cpu(h->core),
		.numa_node = h->numa_node,
	};
	int rc = sink_create(&cfg, &h->sink);

	if (rc == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
		"the file writer could not be started: %s", strerror(-rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static int
start_monitor(struct host *h, bool meter)
{
	const struct monitor_config cfg = {
		.port = h->port,
		.nic = h->settings->nic,
		.level = &h->level,
		.link_timeout_ns = h->settings->link_timeout_ns,
		.meter = meter,
		.avoid_cpu = h->core,
	};
	int rc = monitor_start(&cfg, &h->monitor);

	if (rc == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
		"the monitor thread could not be started: %s", strerror(-rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static void
describe_addresses(const struct host *h)
{
	const struct settings *s = h->settings;
	char v4[IPV4_ADDR_TEXT_LEN], v6[IP_ADDRESS_TEXT_LEN];
	struct ip_address address6 = ip_address_of_v6(&s->address6);

	if (s->address_set && !s->address_dhcp)
		message_detail(
			&h->level, "we are %s/%u", ipv4_addr_format(s->address, v4), s->prefix_len);
	if (s->address6_auto)
		message_detail(&h->level, "we take an IPv6 address from the link's router");
	else if (s->address6_set)
		message_detail(&h->level, "we are %s/%u", ip_address_format(&address6, v6),
			s->prefix6_len);
	message_detail(&h->level, "polling on CPU %d", h->core);
}

static void
describe(const struct host *h)
{
	struct port_info i;
	char mac[ETHER_ADDR_TEXT_LEN];

	port_info(h->port, &i);
	message_detail(&h->level, "port %s (%s), MAC %s, MTU %u, link %u Mb/s, NUMA node %d",
		i.name, i.driver, ether_addr_format(&i.mac, mac), i.mtu, i.link_mbps, i.numa_node);
	message_detail(&h->level, "%u RX and %u TX descriptors, %u + %u buffers of %u bytes in %s",
		i.rx_descriptors, i.tx_descriptors, i.rx_pool_size, i.tx_pool_size,
		i.rx_buffer_bytes, i.hugepages ? "hugepages" : "ordinary pages");
	message_detail(&h->level, "checksums: receive %s, send %s",
		i.rx_l4_checksum ? "by the NIC" : "in software",
		i.tx_offloads & TX_FRAME_TCP_CSUM ? "by the NIC" : "in software");
	describe_addresses(h);
}

static int
start_own_stack(struct host *h, bool meter)
{
	int rc = start_port(h);

	if (rc == 0)
		rc = start_monitor(h, meter);
	if (rc == 0)
		rc = wait_link(h);
	if (rc == 0)
		rc = start_netstack(h);
	return rc;
}

/* Each connection of the kernel's is an open file; the usual limit of 1024 is soon reached. 0 or an
 * exit code. */
static int
allow_files(const struct host *h)
{
	rlim_t need = (rlim_t)h->settings->connections + FILES_BESIDE;
	struct rlimit now, all = {need, need};

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= need)
		return 0;
	all.rlim_max = MAX_OF(now.rlim_max, need);
	if (setrlimit(RLIMIT_NOFILE, &all) == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_USAGE,
		"%llu connections of the kernel's need as many open files, and %llu are allowed "
		"(ulimit -Hn): use fewer or raise the limit",
		(unsigned long long)h->settings->connections, (unsigned long long)now.rlim_max);
	return EXIT_CODE_USAGE;
}

static int
start_kernel_stack(struct host *h, bool meter)
{
	struct kernel_transport_config cfg;
	int rc = allow_files(h);

	if (rc == 0)
		rc = start_monitor(h, meter);
	if (rc != 0)
		return rc;
	affinity_pin(h->core);
	kernel_transport_config_defaults(&cfg);
	cfg.connections_max = h->capacity.connections;
	cfg.interface = h->settings->nic;
	rc = kernel_transport_create(&cfg, &h->kernel);
	if (rc == 0) {
		message_detail(&h->level, "the kernel's stack, from CPU %d", h->core);
		return 0;
	}
	message_error(&h->level, EXIT_CODE_PORT, "the kernel's sockets could not be set up%s%s: %s",
		cfg.interface != NULL ? " on " : "", cfg.interface != NULL ? cfg.interface : "",
		strerror(-rc));
	return EXIT_CODE_PORT;
}

int
host_start(struct host *h, bool meter)
{
	int rc;

	histogram_reset(&h->ack_delay);
	rc = h->settings->stack == SETTINGS_STACK_KERNEL ? start_kernel_stack(h, meter)
							 : start_own_stack(h, meter);
	if (rc == 0)
		rc = start_sink(h);
	if (rc != 0) {
		host_stop(h);
		return rc;
	}
	affinity_raise_priority(); /* the last: threads made before keep the usual one */
	if (h->kernel == NULL)
		describe(h);
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

static void
stop_netstack(struct host *h)
{
	struct drain drain = {h, port_clock_ns() + CLOSE_WAIT_NS, 0};

	worker_run(&h->worker, drained, &drain);
	netstack_abort_all(h->netstack);
	drain.until_ns = port_clock_ns() + CLOSE_WAIT_NS;
	worker_run(&h->worker, flushed, &drain);
	lease_give_back(h);
	netstack_destroy(h->netstack);
	h->netstack = NULL;
}

int
host_stop(struct host *h)
{
	uint32_t lost = 0;

	if (h->sink != NULL)
		sink_destroy(h->sink);
	h->sink = NULL;
	if (h->netstack != NULL)
		stop_netstack(h);
	if (h->kernel != NULL)
		kernel_transport_destroy(h->kernel);
	h->kernel = NULL;
	if (h->monitor != NULL)
		h->signo = monitor_signal(h->monitor);
	monitor_stop(h->monitor);
	h->monitor = NULL;
	if (h->port != NULL) {
		port_release_flush(port_queue_of(h->port, 0));
		lost = port_close(h->port);
	}
	h->port = NULL;
	if (h->eal_started)
		port_eal_stop();
	h->eal_started = false;
	if (lost == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_INTERNAL,
		"internal error: %u received buffers were not given back; please report this",
		lost);
	return EXIT_CODE_INTERNAL;
}
