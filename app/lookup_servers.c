/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "lease.h"
#include "lookup.h"
#include "resolve.h"

#define RESOLV_CONF "/etc/resolv.conf"
/* Where systemd-resolved keeps the real servers; its resolv.conf names only a loopback address. */
#define RESOLV_CONF_SYSTEMD "/run/systemd/resolve/resolv.conf"

static uint32_t
find_of_dhcp(const struct get *g, struct ip_address *ret)
{
	const struct dhcp_lease *l =
		g->settings->address_dhcp ? dhcp_host_lease(&g->host.dhcp) : NULL;
	uint32_t count = 0, i;

	for (i = 0; l != NULL && i < l->dns_count; i++) {
		ret[count] = ip_address_of_v4(l->dns[i]);
		count += resolve_is_server(&ret[count]) ? 1 : 0;
	}
	return count;
}

static uint32_t
find_of_routers(const struct get *g, struct ip_address *ret)
{
	struct ipv6_addr server;
	uint32_t count = 0;

	while (count < DNS_SERVERS_MAX &&
		netstack_ipv6_dns_server(g->host.netstack, count, &server))
		ret[count++] = ip_address_of_v6(&server);
	return count;
}

static uint32_t
find_of_files(const struct get *g, struct ip_address *ret)
{
	uint32_t count = resolve_servers_of(g->settings, RESOLV_CONF, ret);

	return count > 0 ? count : resolve_servers_of(g->settings, RESOLV_CONF_SYSTEMD, ret);
}

struct wait {
	struct get *get;
	struct ip_address *server;
	uint32_t count;
	uint64_t until_ns;
};

/* Is there a way to one of them, or to none and nothing to wait for? */
static bool
way_is_known(const struct wait *w)
{
	uint32_t i, in_progress = 0;
	int rc;

	for (i = 0; i < w->count; i++) {
		rc = netstack_route(w->get->host.netstack, &w->server[i]);
		if (rc == 0)
			return true;
		in_progress += rc == -EINPROGRESS ? 1 : 0;
	}
	return in_progress == 0;
}

static bool
servers_poll(void *ctx, uint64_t now_ns)
{
	struct wait *w = ctx;
	const struct host *h = &w->get->host;
	bool over = now_ns >= w->until_ns || monitor_signal(h->monitor) != 0 ||
		    monitor_port_gone(h->monitor);
	bool routers_asked =
		h->settings->address6_auto && netstack_ipv6_soliciting(h->netstack) && !over;

	if (w->count == 0)
		w->count = find_of_routers(w->get, w->server);
	if (w->count == 0 && routers_asked)
		return false;
	if (w->count == 0)
		w->count = find_of_files(w->get, w->server);
	return over || way_is_known(w);
}

uint32_t
lookup_servers_find(struct get *g, struct ip_address *ret)
{
	struct wait w = {.get = g,
		.server = ret,
		.count = resolve_servers_given(g->settings, ret),
		.until_ns = get_connect_until_ns(g)};

	if (w.count == 0)
		w.count = find_of_dhcp(g, ret);
	worker_run(&g->host.worker, servers_poll, &w);
	return w.count;
}
