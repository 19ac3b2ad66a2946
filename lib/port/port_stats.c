/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/if.h>

#include <errno.h>

#include <rte_cycles.h>

#include "base_time.h"
#include "port_priv.h"

void
port_stats(struct port *p, struct port_stats *ret)
{
	p->driver->stats(p, ret);
	p->packet_drops += port_packet_drops(p->packet_socket, p->packet_sockets);
	ret->rx_missed += p->packet_drops;
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
	if (p->driver->xstats != NULL)
		p->driver->xstats(p, fn, ctx);
}

bool
port_link_up(const struct port *p)
{
	return p->interface[0] != '\0' ? port_interface_carrier(p->interface)
				       : p->driver->link_up(p);
}

bool
port_is_gone(const struct port *p)
{
	unsigned int index;

	if (p->interface[0] == '\0')
		return p->driver->is_gone(p);
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
