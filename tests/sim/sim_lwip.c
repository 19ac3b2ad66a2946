/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "base_check.h"
#include "base_time.h"
#include "sim_lwip.h"
#include "sim_lwip_http.h"
#include "sim_wire.h"

/* lwIP's interface, clock and timers. What it says over TCP is in sim_lwip_http.c. */

#define FRAME_MAX 1600U
#define LWIP_FIRST_ISS 6510U /* tcp_next_iss() counts from here, by tcp_ticks */

struct lwip {
	struct sim_site site;
	struct netif netif;
	struct sim_lwip_http http;
	uint16_t port; /* the client's, of the newest connection */
	uint32_t sent_end; /* sequence number after what was sent on it */
	uint64_t retransmissions;
};

/* lwIP asks for the time without saying on whose behalf, so there is one; 0: not started. */
static uint64_t lwip_now_ns;

u32_t
sys_now(void)
{
	return (u32_t)(lwip_now_ns / NS_PER_MS);
}

/* What it sends again. */
static void
observe(struct lwip *l, const uint8_t *frame, uint32_t len)
{
	struct sim_tcp t;
	uint32_t end;

	if (!sim_wire_is_tcp(frame, len) || sim_wire_read(frame, len, &t) != NULL)
		return;
	end = t.seq + t.len + ((t.flags & (SIM_SYN | SIM_FIN)) ? 1 : 0);
	if (t.dst_port != l->port) {
		if (!(t.flags & SIM_SYN))
			return;
		l->port = t.dst_port;
		l->sent_end = t.seq;
	}
	l->retransmissions += end != t.seq && (int32_t)(t.seq - l->sent_end) < 0;
	if ((int32_t)(end - l->sent_end) > 0)
		l->sent_end = end;
}

static err_t
link_output(struct netif *netif, struct pbuf *p)
{
	struct lwip *l = netif->state;
	uint8_t frame[FRAME_MAX];

	CHECK(p->tot_len <= sizeof(frame));
	pbuf_copy_partial(p, frame, p->tot_len, 0);
	observe(l, frame, p->tot_len);
	sim_link_send(l->site.out, frame, p->tot_len, lwip_now_ns);
	return ERR_OK;
}

static err_t
init_netif(struct netif *netif)
{
	const struct lwip *l = netif->state;

	netif->name[0] = 's';
	netif->name[1] = '0';
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	netif->mtu = (u16_t)(l->site.cfg->mss + 40U);
	netif->hwaddr_len = sizeof(l->site.mac);
	memcpy(netif->hwaddr, l->site.mac, sizeof(l->site.mac));
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void *
lwip_start(const struct sim_site *site, uint64_t now_ns)
{
	struct lwip *l = calloc(1, sizeof(*l));
	ip4_addr_t ip, mask, none = {0};

	CHECK(l != NULL && lwip_now_ns == 0 && now_ns > 0); /* one a process */
	l->site = *site;
	lwip_now_ns = now_ns;
	lwip_init();
	tcp_ticks = site->cfg->iss - LWIP_FIRST_ISS;
	ip.addr = lwip_htonl(site->ip);
	mask.addr = lwip_htonl(0xffffff00U);
	CHECK(netif_add(&l->netif, &ip, &mask, &none, l, init_netif, ethernet_input) != NULL);
	netif_set_default(&l->netif);
	netif_set_up(&l->netif);
	sim_lwip_http_start(&l->http, site);
	return l;
}

static void
lwip_serve(void *server, const struct sim_response *response)
{
	struct lwip *l = server;

	l->http.response = *response;
}

/* Damaged frames too: lwIP's own checksums have to notice. In RAM, not from the pool: in Debian's
 * 2.1.3 the pool's elements are of 592 bytes (memp_PBUF_POOL.size is 616), and pbuf_alloc() fills them
 * as if they had 1536. */
static void
lwip_input(void *server, const struct sim_frame *f, uint64_t now_ns)
{
	struct lwip *l = server;
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)f->len, PBUF_RAM);

	lwip_now_ns = now_ns;
	CHECK(p != NULL && pbuf_take(p, f->bytes, (u16_t)f->len) == ERR_OK);
	if (l->netif.input(p, &l->netif) != ERR_OK)
		pbuf_free(p);
}

static void
lwip_run(void *server, uint64_t now_ns)
{
	struct lwip *l = server;

	lwip_now_ns = now_ns;
	sys_check_timeouts();
	sim_lwip_http_run(&l->http, now_ns);
}

static uint64_t
lwip_deadline(const void *server)
{
	const struct lwip *l = server;
	uint32_t sleep_ms = sys_timeouts_sleeptime();
	uint64_t at_ns = sleep_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE
				 ? TIME_NEVER
				 : (lwip_now_ns / NS_PER_MS + sleep_ms) * NS_PER_MS;

	return time_min(at_ns, sim_lwip_http_deadline(&l->http));
}

static const char *
lwip_fault(const void *server)
{
	const struct lwip *l = server;

	return l->http.fault;
}

static void
lwip_describe(const void *server, char *buf, size_t room)
{
	const struct lwip *l = server;

	sim_lwip_http_describe(&l->http, buf, room);
}

static void
lwip_report(const void *server, struct sim_server_report *ret)
{
	const struct lwip *l = server;

	*ret = (struct sim_server_report){.retransmissions = l->retransmissions};
}

/* With its address go the connections. lwip_now_ns stays: what lwIP still remembers must not serve
 * another run. */
static void
lwip_stop(void *server)
{
	struct lwip *l = server;

	l->http.stopping = true;
	netif_remove(&l->netif);
	sim_lwip_http_stop(&l->http);
	free(l);
}

static const struct sim_server_ops lwip_ops = {
	.start = lwip_start,
	.serve = lwip_serve,
	.input = lwip_input,
	.run = lwip_run,
	.deadline = lwip_deadline,
	.fault = lwip_fault,
	.describe = lwip_describe,
	.report = lwip_report,
	.stop = lwip_stop,
};

const struct sim_server_ops *
sim_lwip_server(void)
{
	return &lwip_ops;
}
