/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "exit_code.h"
#include "lease.h"
#include "port.h"
#include "wire_ipv4.h"

#define WAIT_FOR_OFFER_NS (30 * NS_PER_SEC) /* four DISCOVERs: at 0, 4, 12 and 28 s */
#define WAIT_NS (60 * NS_PER_SEC) /* with offers: probes, a decline and its 10 s included */
#define RELEASE_WAIT_NS (500 * NS_PER_MS)

static bool
is_started(const struct host *h)
{
	return h->dhcp.udp != NULL;
}

static int
start(struct host *h)
{
	const struct settings *s = h->settings;
	struct port_info info;
	struct dhcp_host_config cfg = {
		.netstack = h->netstack,
		.gateway = s->gateway,
		.probe = s->probe_address,
		.counters = &h->counters,
	};
	int rc;

	port_info(h->port, &info);
	cfg.mac = s->mac_set ? s->mac : info.mac;
	if (getrandom(&cfg.key, sizeof(cfg.key), 0) != (ssize_t)sizeof(cfg.key))
		rc = -errno;
	else
		rc = dhcp_host_start(&h->dhcp, &cfg, port_clock_ns());
	if (rc == 0)
		return 0;
	message_error(
		&h->level, EXIT_CODE_INTERNAL, "DHCP could not be started: %s", strerror(-rc));
	return EXIT_CODE_INTERNAL;
}

struct wait {
	struct host *host;
	uint64_t start_ns, until_ns;
	bool ready;
};

static bool
wait_poll(void *ctx, uint64_t now_ns)
{
	struct wait *w = ctx;
	struct dhcp_client_info info;

	w->ready = dhcp_host_poll(&w->host->dhcp, now_ns);
	dhcp_client_info(&w->host->dhcp.client, &info);
	return w->ready || now_ns >= w->until_ns || monitor_signal(w->host->monitor) != 0 ||
	       monitor_port_gone(w->host->monitor) ||
	       (info.offers_received == 0 && now_ns - w->start_ns >= WAIT_FOR_OFFER_NS);
}

/* Answers that never arrive because of what the other end leaves to hardware look like silence. */
static const char *
checksum_hint(const struct host *h)
{
	return h->counters.value[COUNTER_DROP_UDP_CHECKSUM_PARTIAL] > 0
		       ? "; answers came with checksums that the server's kernel left to hardware: "
			 "at the SERVER's end of the link: ethtool -K IF tx off"
		       : "";
}

static int
explain_failure(const struct host *h)
{
	char ip[IPV4_ADDR_TEXT_LEN], mac[ETHER_ADDR_TEXT_LEN];
	const char *nic = h->settings->nic;
	struct dhcp_client_info info;

	dhcp_client_info(&h->dhcp.client, &info);
	if (monitor_signal(h->monitor) != 0) {
		message_error(&h->level, EXIT_CODE_ABORTED, "interrupted while waiting for DHCP");
		return EXIT_CODE_ABORTED;
	}
	if (h->dhcp.declined > 0)
		message_error(&h->level, EXIT_CODE_INTERFACE_FAILED,
			"the DHCP server gave us %s, which %s uses, and no other address since "
			"then; correct the server's range, or choose with --address CIDR",
			ipv4_addr_format(h->dhcp.declined_address, ip),
			ether_addr_format(&h->dhcp.declined_mac, mac));
	else if (info.naks_received > 0)
		message_error(&h->level, EXIT_CODE_INTERFACE_FAILED,
			"the DHCP server offers an address and then refuses it%s%s; look at its "
			"log, or choose with --address CIDR",
			info.text[0] != '\0' ? ": " : "", info.text);
	else if (info.offers_received > 0)
		message_error(&h->level, EXIT_CODE_INTERFACE_FAILED,
			"a DHCP server made %u offers on %s but no lease came of them; look at its "
			"log, or choose with --address CIDR",
			info.offers_received, nic);
	else
		message_error(&h->level, EXIT_CODE_INTERFACE_FAILED,
			"no DHCP server answered on %s: %u DISCOVERs were sent%s; check the cable "
			"and --vlan, or choose an address with --address CIDR",
			nic, info.discovers_sent, checksum_hint(h));
	return EXIT_CODE_INTERFACE_FAILED;
}

static void
describe(const struct host *h, const struct dhcp_lease *l)
{
	char ip[IPV4_ADDR_TEXT_LEN], server[IPV4_ADDR_TEXT_LEN], router[IPV4_ADDR_TEXT_LEN];
	uint64_t now_ns = port_clock_ns();

	message_detail(&h->level,
		"DHCP: we are %s/%u by %s, router %s, %u name servers, for %" PRIu64 " s",
		ipv4_addr_format(l->address, ip), l->prefix_len,
		ipv4_addr_format(l->server_id, server),
		l->router != 0 ? ipv4_addr_format(l->router, router) : "none", l->dns_count,
		l->expires_ns == TIME_NEVER ? UINT64_MAX : (l->expires_ns - now_ns) / NS_PER_SEC);
	if (l->mtu != 0 && l->mtu < h->settings->mtu)
		message_warning(&h->level,
			"the DHCP server says that packets here have %u bytes at most, and --mtu "
			"is %" PRIu64 "; use --mtu %u",
			l->mtu, h->settings->mtu, l->mtu);
}

int
lease_ensure(struct host *h)
{
	struct wait w = {.host = h};
	const struct dhcp_lease *l;
	int rc;

	if (!h->settings->address_dhcp || h->netstack == NULL)
		return 0;
	w.start_ns = port_clock_ns();
	if (!is_started(h)) {
		rc = start(h);
		if (rc != 0)
			return rc;
	} else if (dhcp_host_poll(&h->dhcp, w.start_ns)) {
		return 0;
	}
	w.until_ns = w.start_ns + WAIT_NS;
	worker_run(&h->worker, wait_poll, &w);
	if (!w.ready)
		return explain_failure(h);
	l = dhcp_host_lease(&h->dhcp);
	describe(h, l);
	return host_check_address(h, l->address, l->prefix_len);
}

bool
lease_keep(struct host *h, uint64_t now_ns, char *text, size_t room)
{
	uint32_t declined = h->dhcp.declined;
	char ip[IPV4_ADDR_TEXT_LEN], mac[ETHER_ADDR_TEXT_LEN];
	struct dhcp_client_info info;

	if (!is_started(h))
		return true;
	(void)dhcp_host_poll(&h->dhcp, now_ns);
	if (dhcp_host_lease(&h->dhcp) != NULL)
		return true;
	dhcp_client_info(&h->dhcp.client, &info);
	if (h->dhcp.declined > declined)
		snprintf(text, room, "%s took our DHCP address %s; try again for another",
			ether_addr_format(&h->dhcp.declined_mac, mac),
			ipv4_addr_format(h->dhcp.declined_address, ip));
	else
		snprintf(text, room,
			"the DHCP lease is lost: %s%s; look at the server, or use --address CIDR",
			info.naks_received > 0 ? "the server took it back "
					       : "no server renewed it in time",
			info.text);
	return false;
}

static bool
released(void *ctx, uint64_t now_ns)
{
	const struct wait *w = ctx;

	return dhcp_host_released(&w->host->dhcp) || now_ns >= w->until_ns;
}

void
lease_give_back(struct host *h)
{
	struct wait w = {.host = h, .until_ns = port_clock_ns() + RELEASE_WAIT_NS};

	if (!is_started(h))
		return;
	dhcp_host_release(&h->dhcp, port_clock_ns());
	worker_run(&h->worker, released, &w);
}
