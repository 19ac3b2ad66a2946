/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "transport_netstack.h"

static struct netstack_conn *
conn_of(struct transport_conn *c)
{
	return (struct netstack_conn *)c;
}

static struct tcp_conn *
tcp_of(struct transport_conn *c)
{
	return netstack_conn_tcp(conn_of(c));
}

static const struct tcp_conn *
look_at(const struct transport_conn *c)
{
	return netstack_conn_look((const struct netstack_conn *)c);
}

static int
start(void *ctx, const struct ip_address *remote, uint16_t remote_port, void *user, uint64_t now_ns,
	struct transport_conn **ret)
{
	struct netstack_conn *nc;
	int rc = netstack_connect(ctx, remote, remote_port, user, now_ns, &nc);

	if (rc == 0)
		*ret = (struct transport_conn *)nc;
	return rc;
}

static bool
established(const struct transport_conn *c)
{
	return tcp_conn_was_established(look_at(c));
}

static bool
ended(const struct transport_conn *c)
{
	return tcp_conn_state(look_at(c)) == TCP_CLOSED;
}

static int
error(const struct transport_conn *c)
{
	return netstack_conn_error((const struct netstack_conn *)c);
}

static bool
reusable(const struct transport_conn *c)
{
	const struct tcp_conn *tcp = look_at(c);

	return tcp_conn_state(tcp) == TCP_ESTABLISHED && tcp_conn_recv_ready(tcp) == 0 &&
	       tcp_conn_send_queued(tcp) == 0;
}

static uint32_t
send(void *ctx, struct transport_conn *c, const void *data, uint32_t len)
{
	uint32_t taken = tcp_conn_send(tcp_of(c), data, len);

	if (taken > 0)
		netstack_conn_touch(ctx, conn_of(c));
	return taken;
}

static uint32_t
send_queued(const struct transport_conn *c)
{
	return tcp_conn_send_queued(look_at(c));
}

static uint32_t
recv(void *ctx, struct transport_conn *c, struct payload *ret_parts, uint32_t parts_max)
{
	(void)ctx;
	return tcp_conn_recv(tcp_of(c), ret_parts, parts_max);
}

static bool
recv_ready(const struct transport_conn *c)
{
	return tcp_conn_recv_ready(look_at(c)) > 0;
}

static bool
recv_finished(const struct transport_conn *c)
{
	return tcp_conn_recv_finished(look_at(c));
}

static void
consumed(void *ctx, struct transport_conn *c, uint32_t bytes, uint32_t parts)
{
	tcp_conn_consumed(tcp_of(c), bytes, parts);
	netstack_conn_touch(ctx, conn_of(c));
}

static void
release(void *ctx, struct transport_conn *c, bool abort, uint64_t now_ns)
{
	if (abort)
		tcp_conn_abort(tcp_of(c));
	netstack_release_conn(ctx, conn_of(c), now_ns);
}

static struct transport_conn *
event_next(void *ctx, void **ret_user)
{
	struct netstack_conn *nc = netstack_event_next(ctx);

	if (nc != NULL)
		*ret_user = netstack_conn_user(nc);
	return (struct transport_conn *)nc;
}

static void
local(const struct transport_conn *c, struct ip_address *ret_address, uint16_t *ret_port)
{
	*ret_address = *netstack_conn_local((const struct netstack_conn *)c);
	*ret_port = netstack_conn_local_port((const struct netstack_conn *)c);
}

static void
info(const struct transport_conn *c, struct tcp_info *ret)
{
	tcp_conn_info(look_at(c), ret);
}

/* A next hop that is silent: who it was, how often it was asked, and who was heard meanwhile. */
static bool
explain(void *ctx, int why, char *text, size_t room)
{
	struct netstack_next_hop_failure a;
	char ip[IP_ADDRESS_TEXT_LEN], heard[128] = "nobody";
	size_t used = 0;
	uint32_t i;

	netstack_next_hop_failure(ctx, &a);
	if (why != -EHOSTUNREACH || !a.failed)
		return false;
	for (i = 0; i < a.heard_count && used < sizeof(heard); i++)
		used += (size_t)snprintf(heard + used, sizeof(heard) - used, "%s%s",
			i > 0 ? ", " : "", ip_address_format(&a.heard_ip[i], ip));
	snprintf(text, room, "%s did not answer %u %s; heard %s",
		ip_address_format(&a.next_hop, ip), a.requests_sent,
		a.next_hop.family == 4 ? "who-has" : "neighbour solicitations", heard);
	return true;
}

static const struct transport_ops netstack_ops = {
	.connect = start,
	.established = established,
	.ended = ended,
	.error = error,
	.reusable = reusable,
	.send = send,
	.send_queued = send_queued,
	.recv = recv,
	.recv_ready = recv_ready,
	.recv_finished = recv_finished,
	.consumed = consumed,
	.release = release,
	.event_next = event_next,
	.local = local,
	.info = info,
	.explain = explain,
};

struct transport
transport_of_netstack(struct netstack *ns, buffer_release_fn release_fn, void *release_ctx)
{
	return (struct transport){
		.ops = &netstack_ops,
		.ctx = ns,
		.release = release_fn,
		.release_ctx = release_ctx,
	};
}

struct tcp_conn *
transport_netstack_tcp(struct transport_conn *c)
{
	return tcp_of(c);
}
