/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>

#include "host_trouble.h"
#include "lease.h"

void
host_trouble_conflict_text(
	const struct ip_address *own, const struct ether_addr *mac, char *text, size_t room)
{
	char mac_text[ETHER_ADDR_TEXT_LEN], ip[IP_ADDRESS_TEXT_LEN];

	snprintf(text, room, "%s uses our address %s too; choose another %s",
		ether_addr_format(mac, mac_text), ip_address_format(own, ip),
		own->family == 4 ? "--address" : "--address6 or --mac");
}

enum host_trouble
host_trouble_check(struct host *h, uint64_t now_ns, char *text, size_t room)
{
	const struct settings *s = h->settings;
	struct ip_address address;
	struct ether_addr mac;
	int signo = monitor_signal(h->monitor);

	if (signo != 0) {
		snprintf(text, room, "interrupted by %s",
			signo == SIGINT ? "SIGINT" : "a signal to terminate");
		return HOST_TROUBLE_SIGNAL;
	}
	if (h->kernel != NULL)
		return HOST_TROUBLE_NONE; /* addresses and link are the kernel's */
	if (!lease_keep(h, now_ns, text, room))
		return HOST_TROUBLE_LEASE;
	if (netstack_address_conflict(h->netstack, &address, &mac)) {
		host_trouble_conflict_text(&address, &mac, text, room);
		return HOST_TROUBLE_CONFLICT;
	}
	if (monitor_port_gone(h->monitor)) {
		snprintf(text, room, "%.40s is gone: deleted, moved away or unplugged", s->nic);
		return HOST_TROUBLE_GONE;
	}
	if (monitor_link_down_ns(h->monitor) > s->link_timeout_ns) {
		snprintf(text, room, "the link of %.40s has been down for %.0f s", s->nic,
			(double)s->link_timeout_ns / 1e9);
		return HOST_TROUBLE_LINK;
	}
	return HOST_TROUBLE_NONE;
}
