/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "exit_code.h"
#include "lease.h"
#include "lookup.h"
#include "resolve.h"

static int
create_client(struct get *g, const char *host, char *message)
{
	struct dns_client_config cfg = {
		.netstack = g->host.netstack,
		.release = port_release,
		.release_ctx = port_queue_of(g->host.port, 0),
		.dns = {.counters = &g->host.counters},
	};

	cfg.dns.server_count = lookup_servers_find(g, cfg.dns.server);
	if (monitor_signal(g->host.monitor) != 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX, "interrupted while resolving %.200s", host);
		return EXIT_CODE_ABORTED;
	}
	if (cfg.dns.server_count == 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (no DNS server is known that our own stack "
			"could reach); name one with --dns, or use --dns system",
			host);
		return EXIT_CODE_COULDNT_RESOLVE_HOST;
	}
	if (getrandom(&cfg.dns.key, sizeof(cfg.dns.key), 0) == (ssize_t)sizeof(cfg.dns.key))
		g->dns = dns_client_create(&cfg);
	if (g->dns != NULL)
		return 0;
	snprintf(message, SETTINGS_MESSAGE_MAX, "no memory or random numbers for DNS");
	return EXIT_CODE_OUT_OF_MEMORY;
}

struct wait {
	struct get *get;
	char *message;
	uint64_t until_ns;
	bool lease_lost, timed_out;
};

static bool
lookup_poll(void *ctx, uint64_t now_ns)
{
	struct wait *w = ctx;
	struct host *h = &w->get->host;

	w->lease_lost = !lease_keep(h, now_ns, w->message, SETTINGS_MESSAGE_MAX);
	if (dns_client_poll(w->get->dns, now_ns))
		return true;
	w->timed_out = now_ns >= w->until_ns;
	return w->timed_out || w->lease_lost || monitor_signal(h->monitor) != 0 ||
	       monitor_port_gone(h->monitor);
}

/* Why nothing came of it, and what helps. */
static const char *
hint_for_silence(const struct get *g)
{
	bool v6 = dns_client_result(g->dns)->server.family == 6;

	switch (dns_client_error(g->dns)) {
	case -ENETUNREACH:
		return v6 ? "it is not on our link, and no router is known; name one with "
			    "--gateway6, or another server with --dns"
			  : "it is outside our subnet; name the router with --gateway, or another "
			    "server with --dns";
	case -EAFNOSUPPORT:
		return v6 ? "we have no IPv6 address to ask it from; give one with --address6 "
			    "CIDR, or name another server with --dns"
			  : "we have no IPv4 address to ask it from; give one with --address CIDR, "
			    "or name another server with --dns";
	case -EINPROGRESS:
		return "the link's routers did not answer in time";
	case -EHOSTUNREACH:
		return "it cannot be reached; name another server with --dns";
	case -ECONNREFUSED:
		return "no DNS server runs there; name another one with --dns";
	default:
		break;
	}
	if (g->host.counters.value[COUNTER_DROP_UDP_CHECKSUM_PARTIAL] > 0)
		return "its kernel left the checksums of its answers to hardware: at the SERVER's "
		       "end of the link: ethtool -K IF tx off";
	return "name another server with --dns, or give the address with --resolve";
}

static void
explain(const struct get *g, const char *host, char *message)
{
	static const char *const rcodes[16] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	const struct dns_result *r = dns_client_result(g->dns);
	char ip[IP_ADDRESS_TEXT_LEN];

	ip_address_format(&r->server, ip);
	switch (r->outcome) {
	case DNS_RUNNING: /* interrupted */
		snprintf(message, SETTINGS_MESSAGE_MAX, "interrupted while resolving %.200s", host);
		return;
	case DNS_FOUND:
		return;
	case DNS_NO_NAME:
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (the DNS server %s knows no such name)",
			host, ip);
		return;
	case DNS_NO_ADDRESS:
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (the DNS server %s knows no address of it "
			"that we could connect to)",
			host, ip);
		return;
	case DNS_FAILED:
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (the DNS server %s answered %s); name "
			"another one with --dns",
			host, ip,
			rcodes[r->rcode % 16] != NULL ? rcodes[r->rcode % 16] : "an error");
		return;
	case DNS_TIMED_OUT:
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (no answer to %u questions, the last one "
			"to %s): %s",
			host, r->questions, ip, hint_for_silence(g));
		return;
	}
}

static bool
take_from_another(const struct get *g, struct target *t)
{
	uint32_t i;

	for (i = 0; i < g->count; i++) {
		if (g->target[i].remote.family == 0 ||
			strcasecmp(g->target[i].url.host, t->url.host) != 0 ||
			g->target[i].resolve_ns == 0)
			continue; /* unknown, another, or --resolve's for its port alone */
		t->remote = g->target[i].remote;
		return true;
	}
	return false;
}

int
lookup_target(struct get *g, struct target *t, char *message)
{
	struct wait w = {.get = g, .message = message, .until_ns = get_connect_until_ns(g)};
	const struct dns_result *r;
	uint64_t start_ns = port_clock_ns();
	char ip[IP_ADDRESS_TEXT_LEN];
	int code;

	if (take_from_another(g, t))
		return 0;
	lookup_end(g); /* the servers may be others now: a lease, an advertisement has its time */
	code = create_client(g, t->url.host, message);
	if (code != 0)
		return code;
	if (dns_client_start(g->dns, t->url.host, resolve_family(g->settings)) != 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (it is no name of DNS)", t->url.host);
		return EXIT_CODE_COULDNT_RESOLVE_HOST;
	}
	worker_run(&g->host.worker, lookup_poll, &w);
	if (w.lease_lost)
		return EXIT_CODE_INTERFACE_FAILED;
	if (w.timed_out) { /* curl's words */
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Resolving timed out after %" PRIu64 " milliseconds",
			(port_clock_ns() - g->begun_ns) / NS_PER_MS);
		return (int)FETCH_OPERATION_TIMEDOUT;
	}
	r = dns_client_result(g->dns);
	if (r->outcome != DNS_FOUND) {
		explain(g, t->url.host, message);
		return monitor_signal(g->host.monitor) != 0 ? EXIT_CODE_ABORTED
							    : EXIT_CODE_COULDNT_RESOLVE_HOST;
	}
	t->remote = r->address[0];
	t->resolve_ns = port_clock_ns() - start_ns;
	message_detail(&g->host.level, "%s is %s (%s%s)", t->url.host,
		ip_address_format(&t->remote, ip), r->name, r->by_tcp ? ", by TCP" : "");
	return 0;
}

void
lookup_end(struct get *g)
{
	if (g->dns == NULL)
		return;
	dns_client_destroy(g->dns, port_clock_ns());
	g->dns = NULL;
}
