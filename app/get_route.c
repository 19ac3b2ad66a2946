/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit_code.h"
#include "get.h"
#include "host_trouble.h"

/* What the link's routers have to say is waited for, and the test of our own addresses. */
struct route_wait {
	struct get *g;
	const struct ip_address *remote;
	uint64_t until_ns;
	int rc;
};

static bool
route_poll(void *ctx, uint64_t now_ns)
{
	struct route_wait *w = ctx;

	w->rc = netstack_route(w->g->host.netstack, w->remote);
	return w->rc != -EINPROGRESS || now_ns >= w->until_ns ||
	       monitor_signal(w->g->host.monitor) != 0 || monitor_port_gone(w->g->host.monitor);
}

static const char *
why_no_route(int rc)
{
	switch (rc) {
	case -EAFNOSUPPORT:
		return "no router of the link advertised a prefix for us to take an address from; "
		       "give one with --address6 CIDR";
	case -ENETUNREACH:
		return "it is not on our link, and no router advertised itself; name the router "
		       "with --gateway6";
	case -EADDRNOTAVAIL:
		return "another host has our address; choose another";
	case -EADDRINUSE:
		return "that address is our own";
	case -EINPROGRESS:
		return "the link's routers did not answer in time";
	default:
		return strerror(-rc);
	}
}

uint64_t
get_time_left_ns(const struct get *g, uint64_t limit_ns, uint64_t now_ns)
{
	uint64_t taken_ns = now_ns - g->begun_ns;

	if (limit_ns == 0)
		return TIME_NEVER;
	return limit_ns > taken_ns ? limit_ns - taken_ns : 1;
}

uint64_t
get_connect_until_ns(const struct get *g)
{
	const struct settings *s = g->settings;
	uint64_t limit_ns = time_min(get_time_left_ns(g, s->connect_timeout_ns, g->begun_ns),
		get_time_left_ns(g, s->max_time_ns, g->begun_ns));

	return limit_ns == TIME_NEVER ? TIME_NEVER : g->begun_ns + limit_ns;
}

int
get_route(struct get *g, const struct target *t, char *text, size_t room)
{
	struct route_wait w = {.g = g, .remote = &t->remote, .until_ns = get_connect_until_ns(g)};
	struct ip_address own;
	struct ether_addr mac;
	char ip[IP_ADDRESS_TEXT_LEN];

	if (netstack_route(g->host.netstack, &t->remote) == 0)
		return 0;
	worker_run(&g->host.worker, route_poll, &w);
	if (w.rc == 0)
		return 0;
	if (monitor_signal(g->host.monitor) != 0) {
		g->interrupted = true;
		snprintf(text, room, "interrupted while looking for a way to the server");
		return EXIT_CODE_ABORTED;
	}
	if (netstack_address_conflict(g->host.netstack, &own, &mac)) {
		host_trouble_conflict_text(&own, &mac, text, room);
		return EXIT_CODE_ADDRESS;
	}
	snprintf(text, room, "Failed to connect to %s port %u: %s",
		ip_address_format(&t->remote, ip), t->url.port, why_no_route(w.rc));
	return w.rc == -EINPROGRESS ? (int)FETCH_OPERATION_TIMEDOUT : EXIT_CODE_COULDNT_CONNECT;
}
