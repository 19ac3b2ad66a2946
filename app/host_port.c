/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>

#include "crew.h"
#include "exit_code.h"
#include "host_priv.h"
#include "netstack_exchange.h"
#include "netstack_limits.h"
#include "nic_info.h"

#define BUFFERS_SLACK 256U
#define SETTLE_LOOK_NS (50 * NS_PER_MS)

static enum port_nic_mode
port_mode(const struct settings *s)
{
	static const enum port_nic_mode modes[] = {
		[SETTINGS_NIC_AUTO] = PORT_NIC_AUTO,
		[SETTINGS_NIC_RING] = PORT_NIC_RING,
		[SETTINGS_NIC_AF_PACKET] = PORT_NIC_AF_PACKET,
		[SETTINGS_NIC_AF_XDP] = PORT_NIC_AF_XDP,
		[SETTINGS_NIC_VNET] = PORT_NIC_VNET,
		[SETTINGS_NIC_PCI] = PORT_NIC_PCI,
		[SETTINGS_NIC_VDEV] = PORT_NIC_VDEV,
	};

	return modes[s->nic_mode];
}

/* Each worker's may all be in use, and what it has handed over not yet be taken. */
static uint32_t
buffers_held_max(const struct host *h)
{
	uint32_t each = h->capacity.buffers_held + NETSTACK_FRAGMENTS_MAX + BUFFERS_SLACK;

	return h->queues * (each + netstack_exchange_held_max(h->queues));
}

static int
start_steering(struct host *h)
{
	struct netstack_steer_config cfg = {.queues = (uint16_t)h->queues};
	struct port_steering s;

	port_steering(h->port, &s);
	h->steering = s.kind;
	if (s.kind == PORT_STEERING_RSS) {
		cfg.kind = NETSTACK_STEER_RSS;
		cfg.key = s.key;
		cfg.key_len = s.key_len;
		cfg.reta = s.reta;
		cfg.reta_size = s.reta_size;
		h->steer = netstack_steer_create(&cfg);
	}
	if (h->steer == NULL) { /* not RSS, or of a kind that is not ours */
		h->steering = s.kind == PORT_STEERING_PORT ? s.kind : PORT_STEERING_UNKNOWN;
		cfg.kind = NETSTACK_STEER_PORT;
		h->steer = netstack_steer_create(&cfg);
	}
	h->exchange = netstack_exchange_create(
		h->queues, ETHER_HEADER_LEN + ETHER_VLAN_LEN + (uint32_t)h->settings->mtu);
	if (h->steer != NULL && h->exchange != NULL)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY, "no memory for %u workers' exchange",
		h->queues);
	return EXIT_CODE_OUT_OF_MEMORY;
}

static struct port_eal_config
eal_config_of(const struct host *h)
{
	const struct settings *s = h->settings;

	return (struct port_eal_config){
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
		.queues = (uint16_t)h->queues,
		.rx_frames_min = h->capacity.frames_in_flight,
	};
}

/* What of the port is known before it is there. */
static struct port_config
port_config_of(const struct host *h)
{
	const struct port_eal_config eal = eal_config_of(h);
	enum port_nic_mode mode = port_nic_mode_of(&eal);
	const struct settings *s = h->settings;

	return (struct port_config){
		.mode = mode,
		.interface = mode == PORT_NIC_RING || mode == PORT_NIC_VNET ? s->nic : NULL,
		.rx_frames_min = h->capacity.frames_in_flight,
		.queues = (uint16_t)h->queues,
		.mtu = (uint16_t)s->mtu,
		.rx_held_max = buffers_held_max(h),
		.numa_node = h->numa_node,
		.checksum_offload = s->checksum_offload,
		.lro = s->lro,
		.vlan_offload = h->vlan_offload,
		.promiscuous = s->promiscuous,
		.multicast = s->address6_set,
		.set_mac = s->mac_set,
		.visible = s->visible,
		.verbose = s->verbose,
		.mac = s->mac,
	};
}

uint64_t
host_memory_needed(const struct host *h)
{
	const struct port_config cfg = port_config_of(h);

	return port_memory_needed(&cfg);
}

int
host_start_port(struct host *h)
{
	struct counters *counters[SETTINGS_QUEUES_MAX];
	char message[PORT_MESSAGE_MAX];
	struct port_config cfg = port_config_of(h);
	struct port_eal_config eal = eal_config_of(h);
	uint32_t i;

	eal.memory_bytes = port_memory_needed(&cfg);
	eal.hugepage_bytes_free = nic_hugepages_free(h->numa_node);
	cfg.counters = counters;
	for (i = 0; i < h->queues; i++)
		counters[i] = &crew_worker(h, i)->counters;
	h->eal_started = port_eal_start(&eal, &cfg.port_id, message) == 0;
	if (h->eal_started && port_open(&cfg, &h->port, message) == 0)
		return h->queues > 1 ? start_steering(h) : 0;
	message_error(&h->level, EXIT_CODE_PORT, "%s", message);
	return EXIT_CODE_PORT;
}

const char *
host_steering_name(enum port_steering_kind kind)
{
	switch (kind) {
	case PORT_STEERING_UNKNOWN:
		break;
	case PORT_STEERING_PORT:
		return "by the destination port";
	case PORT_STEERING_RSS:
		return "by RSS, as its key and RETA say";
	}
	return "in a way that is not known";
}

static bool
link_tick(void *ctx, uint32_t left_s)
{
	const struct host *h = ctx;

	message_detail(
		&h->level, "waiting for the link of %s, %u s left", h->settings->nic, left_s);
	return monitor_signal(h->monitor) == 0;
}

/* Some links are up when the port is started, go down to negotiate, and come up again. */
static int
wait_settled(struct host *h)
{
	uint64_t settle_ns = h->settings->link_settle_ns, up_ns = 0;
	int rc;

	do {
		rc = port_wait_link(h->port, h->settings->link_timeout_ns, link_tick, h);
		if (up_ns >= settle_ns)
			return rc;
		usleep(SETTLE_LOOK_NS / NS_PER_US);
		up_ns = port_link_up(h->port) ? up_ns + SETTLE_LOOK_NS : 0;
	} while (rc == 0);
	return rc;
}

int
host_wait_link(struct host *h)
{
	int rc = wait_settled(h);

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

void
host_describe(const struct host *h)
{
	struct port_info i;
	char mac[ETHER_ADDR_TEXT_LEN];

	port_info(h->port, &i);
	message_detail(&h->level, "port %s (%s), MAC %s, MTU %u, link %u Mb/s, NUMA node %d",
		i.name, i.driver, ether_addr_format(&i.mac, mac), i.mtu, i.link_mbps, i.numa_node);
	message_detail(&h->level, "%u RX and %u TX descriptors, %u + %u buffers of %u bytes in %s",
		i.rx_descriptors, i.tx_descriptors, i.rx_pool_size, i.tx_pool_size,
		i.rx_buffer_bytes, i.hugepages ? "hugepages" : "ordinary pages");
	message_detail(&h->level, "checksums: receive %s, send %s; LRO %s; receive mode: %s",
		i.rx_l4_checksum ? "by the NIC" : "in software",
		i.tx_offloads & TX_FRAME_TCP_CSUM ? "by the NIC" : "in software",
		i.lro ? "on" : "off", i.rx_mode[0] != '\0' ? i.rx_mode : "not told");
	describe_addresses(h);
}
