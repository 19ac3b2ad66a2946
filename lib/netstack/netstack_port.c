/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_priv.h"

#define ISN_TICK_NS UINT64_C(4000) /* RFC 9293 §3.4.1: the ISN clock ticks every 4 us */

struct tuple {
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
	uint32_t purpose; /* so that the uses of the one key do not reveal each other */
};

enum purpose { PURPOSE_ISN = 1, PURPOSE_PORT, PURPOSE_TIMESTAMP, PURPOSE_CHALLENGE };

static uint64_t
keyed(const struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t local_port, uint16_t remote_port, enum purpose purpose)
{
	struct tuple t;

	memset(&t, 0, sizeof(t)); /* an IPv4 address leaves room unused, which is hashed too */
	t.local.family = local->family;
	t.remote.family = remote->family;
	if (remote->family == 4) {
		t.local.v4 = local->v4;
		t.remote.v4 = remote->v4;
	} else {
		t.local.v6 = local->v6;
		t.remote.v6 = remote->v6;
	}
	t.local_port = local_port;
	t.remote_port = remote_port;
	t.purpose = (uint32_t)purpose;
	return siphash24(&ns->cfg.key, &t, sizeof(t));
}

/* RFC 6056 §3.3.3, the simple hash-based algorithm: ports of one remote end follow each other
 * from a secret offset, so that one is reused as late as possible. */
uint16_t
netstack_port_choose(struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port)
{
	uint32_t offset = (uint32_t)keyed(ns, local, remote, 0, remote_port, PURPOSE_PORT), i;
	uint16_t port;

	for (i = 0; i < NETSTACK_PORT_TRIES; i++) {
		port = (uint16_t)(NETSTACK_PORT_FIRST +
				  (offset + ns->port_counter++) % NETSTACK_PORT_COUNT);
		if (netstack_table_find(ns, local, remote, remote_port, port) == NULL)
			return port;
	}
	return 0;
}

void
netstack_port_open(const struct netstack *ns, const struct netstack_conn *nc, uint64_t now_ns,
	struct tcp_open *ret)
{
	/* RFC 6528 §3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey). */
	uint64_t f =
		keyed(ns, &nc->local, &nc->remote, nc->local_port, nc->remote_port, PURPOSE_ISN);

	ret->local_port = nc->local_port;
	ret->remote_port = nc->remote_port;
	ret->iss = (uint32_t)(now_ns / ISN_TICK_NS + f);
	/* RFC 7323 §7.1: one offset a host pair, so that timestamps stay monotonic between them. */
	ret->ts_offset = (uint32_t)keyed(ns, &nc->local, &nc->remote, 0, 0, PURPOSE_TIMESTAMP);
	ret->challenge_seed = keyed(
		ns, &nc->local, &nc->remote, nc->local_port, nc->remote_port, PURPOSE_CHALLENGE);
}
