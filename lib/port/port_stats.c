/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/if.h>

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "base_time.h"
#include "port_priv.h"

void
port_stats(struct port *p, struct port_stats *ret)
{
	struct rte_eth_stats s = {0};
	const struct rte_eth_stats *b = &p->baseline;

	rte_eth_stats_get(p->cfg.port_id, &s);
	p->packet_drops += port_packet_drops(p->packet_socket, p->packet_sockets);
	*ret = (struct port_stats){
		.rx_packets = s.ipackets - b->ipackets,
		.rx_bytes = s.ibytes - b->ibytes,
		.tx_packets = s.opackets - b->opackets,
		.tx_bytes = s.obytes - b->obytes,
		.rx_missed = s.imissed - b->imissed + p->packet_drops,
		.rx_errors = s.ierrors - b->ierrors,
		.tx_errors = s.oerrors - b->oerrors,
		.rx_no_mbuf = s.rx_nombuf - b->rx_nombuf,
	};
}

void
port_stats_subtract(struct port_stats *s, const struct port_stats *earlier)
{
	s->rx_packets -= earlier->rx_packets;
	s->rx_bytes -= earlier->rx_bytes;
	s->tx_packets -= earlier->tx_packets;
	s->tx_bytes -= earlier->tx_bytes;
	s->rx_missed -= earlier->rx_missed;
	s->rx_errors -= earlier->rx_errors;
	s->tx_errors -= earlier->tx_errors;
	s->rx_no_mbuf -= earlier->rx_no_mbuf;
}

void
port_xstats(struct port *p, void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx)
{
	int i, count = rte_eth_xstats_get_names(p->cfg.port_id, NULL, 0);
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;

	if (count <= 0)
		return;
	names = calloc((size_t)count, sizeof(*names));
	values = calloc((size_t)count, sizeof(*values));
	if (names != NULL && values != NULL &&
		rte_eth_xstats_get_names(p->cfg.port_id, names, (unsigned int)count) == count &&
		rte_eth_xstats_get(p->cfg.port_id, values, (unsigned int)count) == count) {
		for (i = 0; i < count; i++) {
			if (values[i].value != 0)
				fn(ctx, names[values[i].id].name, values[i].value);
		}
	}
	free(names);
	free(values);
}

bool
port_link_up(const struct port *p)
{
	struct rte_eth_link link = {0};

	if (p->interface[0] != '\0')
		return port_interface_carrier(p->interface);
	return rte_eth_link_get_nowait(p->cfg.port_id, &link) == 0 &&
	       link.link_status == RTE_ETH_LINK_UP;
}

bool
port_is_gone(const struct port *p)
{
	unsigned int index;

	if (p->interface[0] == '\0')
		return rte_eth_dev_is_removed(p->cfg.port_id) == 1;
	index = if_nametoindex(p->interface);
	/* It may fail for want of a descriptor, too. */
	return index != p->interface_index && (index != 0 || errno == ENODEV);
}

int
port_wait_link(
	struct port *p, uint64_t timeout_ns, bool (*tick)(void *ctx, uint32_t left_s), void *ctx)
{
	uint64_t until_ns = port_clock_ns() + timeout_ns, next_tick_ns = 0, now_ns;

	while (!port_link_up(p)) {
		now_ns = port_clock_ns();
		if (port_is_gone(p))
			return -ENODEV;
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		if (tick != NULL && now_ns >= next_tick_ns) {
			next_tick_ns = now_ns + NS_PER_SEC;
			if (!tick(ctx,
				    (uint32_t)((until_ns - now_ns + NS_PER_SEC - 1) / NS_PER_SEC)))
				return -EINTR;
		}
		rte_delay_us_sleep(PORT_LINK_POLL_US);
	}
	return 0;
}

uint64_t
port_clock_ns(void)
{
	uint64_t hz = rte_get_tsc_hz(), cycles = rte_rdtsc();

	/* Whole seconds apart, so that nothing overflows; both divisions are by the same number. */
	return cycles / hz * NS_PER_SEC + cycles % hz * NS_PER_SEC / hz;
}

uint64_t
port_cycles(void)
{
	return rte_rdtsc();
}

uint64_t
port_cycles_hz(void)
{
	return rte_get_tsc_hz();
}
