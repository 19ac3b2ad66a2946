/* SPDX-License-Identifier: BSD-3-Clause */
#include "dhcp_host.h"

int
dhcp_host_start(struct dhcp_host *h, const struct dhcp_host_config *cfg, uint64_t now_ns)
{
	int rc;

	*h = (struct dhcp_host){.cfg = *cfg};
	rc = netstack_udp_open(cfg->netstack, DHCP_CLIENT_PORT, &h->udp);
	if (rc != 0) {
		h->udp = NULL;
		return rc;
	}
	dhcp_client_start(&h->client, &cfg->mac, &cfg->key, now_ns);
	return 0;
}

static void
receive(struct dhcp_host *h, uint64_t now_ns)
{
	struct netstack_udp_received r;

	while (netstack_udp_recv(h->udp, &r))
		counter_drop(h->cfg.counters,
			r.from_port == DHCP_SERVER_PORT
				? dhcp_client_input(&h->client, r.data, r.len, now_ns)
				: DROP_DHCP_MISMATCH);
}

static void
apply_event(struct dhcp_host *h, uint64_t now_ns)
{
	const struct dhcp_lease *l = dhcp_client_lease(&h->client);

	switch (dhcp_client_event(&h->client)) {
	case DHCP_CLIENT_NOTHING:
		return;
	case DHCP_CLIENT_GOT_LEASE:
	case DHCP_CLIENT_RENEWED_LEASE:
		if (l != NULL)
			netstack_set_address(h->cfg.netstack, l->address, l->prefix_len,
				h->cfg.gateway != 0 ? h->cfg.gateway : l->router, h->cfg.probe,
				now_ns);
		return;
	case DHCP_CLIENT_LOST_LEASE:
		h->lost++;
		netstack_set_address(h->cfg.netstack, 0, 0, 0, false, now_ns);
		return;
	}
}

/* RFC 2131 §3.1.5, §4.4.1: by a probe's answer, or later. */
static void
decline_in_conflict(struct dhcp_host *h, uint64_t now_ns)
{
	const struct dhcp_lease *l = dhcp_client_lease(&h->client);
	struct ip_address own;
	struct ether_addr mac;

	if (l == NULL || !netstack_address_conflict(h->cfg.netstack, &own, &mac) || own.family != 4)
		return;
	h->declined_mac = mac;
	h->declined++;
	h->declined_address = l->address;
	dhcp_client_decline(&h->client, now_ns);
	netstack_set_address(h->cfg.netstack, 0, 0, 0, false, now_ns);
}

static void
transmit(struct dhcp_host *h, uint64_t now_ns)
{
	struct ip_address server = {.family = 4};
	struct dhcp_output out;

	while (dhcp_client_output(&h->client, now_ns, &out)) {
		apply_event(h, now_ns); /* with a lease that has run out its address goes first */
		server.v4 = out.dst;
		/* What cannot be sent is lost, as on any network: the timers see to it. */
		(void)netstack_udp_send(
			h->cfg.netstack, h->udp, &server, DHCP_SERVER_PORT, out.data, out.len);
	}
}

bool
dhcp_host_poll(struct dhcp_host *h, uint64_t now_ns)
{
	receive(h, now_ns);
	apply_event(h, now_ns);
	decline_in_conflict(h, now_ns);
	transmit(h, now_ns);
	apply_event(h, now_ns);
	return dhcp_client_lease(&h->client) != NULL && netstack_ready(h->cfg.netstack);
}

const struct dhcp_lease *
dhcp_host_lease(const struct dhcp_host *h)
{
	return dhcp_client_lease(&h->client);
}

void
dhcp_host_release(struct dhcp_host *h, uint64_t now_ns)
{
	if (h->udp == NULL)
		return;
	dhcp_client_release(&h->client);
	transmit(h, now_ns);
}

bool
dhcp_host_released(const struct dhcp_host *h)
{
	return h->udp == NULL || !netstack_udp_waiting(h->udp);
}
