/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "netstack_priv.h"
#include "pd_layout.h"
#include "pd_stack.h"
#include "tcp_limits.h"
#include "tcp_priv.h"
#include "test_buffer.h"

#define FRAME_MAX (ETHER_HEADER_LEN + ETHER_VLAN_LEN + PD_MTU_MAX + 64U)
#define BURST 16U
#define SND_BUFFER_BYTES (1U << 20) /* more than any script's SO_SNDBUF, which the socket keeps */
#define CONNECTIONS_MAX 64U

_Static_assert((int)PD_TIME_WAIT == (int)TCP_TIME_WAIT, "enum pd_state follows enum tcp_state");

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};
static const struct ether_addr peer_mac = {{2, 0, 0, 0, 0, 1}};

struct sent_packet {
	struct sent_packet *next;
	uint64_t sent_ns;
	size_t len;
	uint8_t bytes[];
};

struct pd_stack {
	const struct pd_settings *settings;
	struct netstack *ns;
	struct test_buffers buffers;
	struct counters counters;
	struct sent_packet *head, **tail;
	struct tcp_config cfg[CONNECTIONS_MAX]; /* by their places in the table */
};

struct pd_stack *
pd_stack_create(const struct pd_settings *settings, uint64_t now_ns)
{
	struct pd_stack *st = calloc(1, sizeof(*st));
	struct netstack_config cfg;

	if (st == NULL)
		return NULL;
	st->settings = settings;
	st->tail = &st->head;
	netstack_config_defaults(&cfg);
	cfg.mac = our_mac;
	cfg.address = PD_LOCAL_ADDRESS;
	cfg.gateway_mac_set = true; /* the cable is packetdrill: no ARP */
	cfg.gateway_mac = peer_mac;
	cfg.mtu = settings->mtu;
	cfg.ipv6 = (struct netstack_ipv6_config){.enabled = settings->mtu >= IPV6_MTU_MIN,
		.address = PD_LOCAL_ADDRESS_IPV6,
		.prefix_len = 64};
	cfg.connections_max = CONNECTIONS_MAX;
	cfg.key = (struct siphash_key){1, 2};
	cfg.tcp.snd_buffer_bytes = SND_BUFFER_BYTES;
	cfg.release = test_buffer_release;
	cfg.release_ctx = &st->buffers;
	cfg.counters = &st->counters;
	st->ns = netstack_create(&cfg, now_ns);
	if (st->ns == NULL) {
		free(st);
		return NULL;
	}
	return st;
}

void
pd_stack_destroy(struct pd_stack *st)
{
	struct sent_packet *packet;

	netstack_destroy(st->ns);
	if (test_buffers_live(&st->buffers) != 0) {
		fprintf(stderr, "%llu received buffers were not given back\n",
			(unsigned long long)test_buffers_live(&st->buffers));
		abort();
	}
	while ((packet = st->head) != NULL) {
		st->head = packet->next;
		free(packet);
	}
	free(st);
}

/* ---- opening ---- */

/* FreeBSD rounds a socket buffer up to whole segments; scripts count on the window. */
static uint32_t
rcvbuf_of(const struct pd_settings *settings, const struct pd_open *open, uint32_t mss)
{
	uint32_t bytes = open->rcvbuf != 0 ? open->rcvbuf : settings->rcvbuf;

	if (settings->host == PD_HOST_FREEBSD)
		bytes = (bytes + mss - 1) / mss * mss;
	return bytes;
}

static void
configure_times(
	struct tcp_config *cfg, const struct pd_settings *settings, const struct pd_open *open)
{
	uint32_t idle_ms = open->keepalive_idle_ms, interval_ms = open->keepalive_interval_ms;

	cfg->rto_initial_ns = settings->rto_initial_ms * NS_PER_MS;
	cfg->syn_retries = open->syn_retries != 0 ? open->syn_retries : settings->syn_retries;
	cfg->keepalive_idle_ns = TIME_NEVER;
	if (settings->keepalive || open->keepalive)
		cfg->keepalive_idle_ns =
			(idle_ms != 0 ? idle_ms : settings->keepalive_idle_ms) * NS_PER_MS;
	cfg->keepalive_interval_ns =
		(interval_ms != 0 ? interval_ms : settings->keepalive_interval_ms) * NS_PER_MS;
	cfg->keepalive_probes =
		open->keepalive_probes != 0 ? open->keepalive_probes : settings->keepalive_probes;
}

/* What the host of the scripts would do where our stack has a choice; the rest is the product's. */
static void
configure(struct tcp_config *cfg, const struct pd_settings *settings, const struct pd_open *open)
{
	cfg->timestamps = settings->timestamps;
	cfg->sack = settings->sack;
	cfg->ecn = settings->ecn;
	cfg->window_scaling = settings->window_scaling;
	cfg->mss_max = open->mss_max != 0 ? open->mss_max : cfg->mss_max;
	/* Linux acknowledges the first segments one by one ("quick ACKs"), FreeBSD every second. */
	cfg->ack_policy = settings->host == PD_HOST_FREEBSD ? TCP_ACK_DELAYED : TCP_ACK_EVERY;
	cfg->congestion = settings->cubic ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_NEWRENO;
	cfg->rcv_window_init_bytes = rcvbuf_of(settings, open, cfg->mss_max);
	cfg->rcv_window_max_bytes = MAX_OF(settings->rcvbuf_max, cfg->rcv_window_init_bytes);
	configure_times(cfg, settings, open);
}

struct netstack_conn *
pd_stack_open(struct pd_stack *st, const struct pd_open *open, bool passive, uint64_t now_ns)
{
	struct netstack_conn *nc = netstack_table_take(st->ns);
	struct tcp_open tcp = {0};
	struct tcp_config *cfg;

	if (nc == NULL)
		return NULL;
	cfg = &st->cfg[nc - st->ns->conn];
	*cfg = *nc->tcp->cfg; /* with the pointers, and the sizes of what it allocated */
	cfg->mss_max = (uint16_t)(st->settings->mtu - TCP_HEADER_LEN -
				  (open->remote.family == 6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN));
	configure(cfg, st->settings, open);
	nc->tcp->cfg = cfg;
	nc->in_use = true;
	nc->remote = nc->next_hop = open->remote;
	nc->local = pd_stack_local(&open->remote);
	nc->remote_port = open->remote_port;
	nc->local_port = open->local_port != 0 ? open->local_port
					       : netstack_port_choose(st->ns, &nc->local,
							 &nc->remote, open->remote_port);
	netstack_port_open(st->ns, nc, now_ns, &tcp);
	tcp.mss_default = open->remote.family == 6 ? TCP_MSS_DEFAULT_IPV6 : TCP_MSS_DEFAULT_IPV4;
	tcp_conn_connect(nc->tcp, &tcp, now_ns);
	nc->last_state = TCP_SYN_SENT;
	netstack_table_insert(st->ns, nc);
	/* A SYN in SYN-SENT makes it SYN-RECEIVED, and our SYN then goes with an ACK: the other
	 * half of a simultaneous open is a passive open. The SYN itself must not go first. */
	if (!passive)
		netstack_ready_push(st->ns, nc);
	return nc;
}

/* ---- packets ---- */

static bool
parse_ip(const uint8_t *p, uint32_t len, struct ip_address *ret_src, struct ip_address *ret_dst,
	uint32_t *ret_offset, uint32_t *ret_len)
{
	struct ipv4_header ip;
	struct ipv6_header ip6;

	if (wire_ipv4_parse(p, len, len, true, &ip) == DROP_NONE) {
		*ret_src = ip_address_of_v4(ip.src);
		*ret_dst = ip_address_of_v4(ip.dst);
		*ret_offset = ip.header_len;
		*ret_len = (uint32_t)ip.total_len - ip.header_len;
		return ip.protocol == IPV4_PROTO_TCP;
	}
	if (wire_ipv6_parse(p, len, len, &ip6) != DROP_NONE)
		return false;
	*ret_src = ip_address_of_v6(&ip6.src);
	*ret_dst = ip_address_of_v6(&ip6.dst);
	*ret_offset = ip6.header_len;
	*ret_len = ip6.total_len - ip6.header_len;
	return ip6.protocol == IPV4_PROTO_TCP;
}

bool
pd_stack_arrival(const struct pd_stack *st, const void *packet, size_t len, struct pd_arrival *ret)
{
	struct ip_address src, dst, own;
	uint32_t offset, tcp_len;
	struct tcp_segment s;
	const uint8_t *p = packet;
	struct netstack_conn *nc;

	if (!parse_ip(p, (uint32_t)len, &src, &dst, &offset, &tcp_len))
		return false;
	own = pd_stack_local(&dst);
	if (!ip_address_equal(&dst, &own) || wire_tcp_parse(p + offset, tcp_len, &s) != DROP_NONE)
		return false;
	nc = netstack_table_find(st->ns, &dst, &src, s.src_port, s.dst_port);
	*ret = (struct pd_arrival){.remote = src,
		.remote_port = s.src_port,
		.local_port = s.dst_port,
		.syn = (s.flags & TCP_SYN) != 0,
		.ack = (s.flags & TCP_ACK) != 0,
		.rst = (s.flags & TCP_RST) != 0,
		.known = nc != NULL && tcp_conn_state(nc->tcp) != TCP_CLOSED};
	return true;
}

void
pd_stack_input(struct pd_stack *st, const void *packet, size_t len, uint64_t now_ns)
{
	const struct ether_header ether = {.dst = our_mac,
		.src = peer_mac,
		.type = *(const uint8_t *)packet >> 4 == 6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4};
	uint8_t *bytes = malloc(ETHER_HEADER_LEN + len);
	struct payload buffer;
	struct frame frame;
	uint32_t l2;

	if (bytes == NULL)
		abort();
	l2 = wire_ether_build(bytes, &ether);
	memcpy(bytes + l2, packet, len);
	buffer = test_buffer_make(&st->buffers, bytes, l2 + (uint32_t)len);
	free(bytes);
	frame = (struct frame){
		.data = buffer.owner, .len = l2 + (uint32_t)len, .owner = buffer.owner};
	netstack_input(st->ns, &frame, 1, now_ns);
}

/* Neither ARP nor what IPv6 says of its own accord. */
static bool
is_for_the_script(const uint8_t *frame)
{
	uint16_t type = be16_load(frame + ETHER_HEADER_LEN - 2);

	return type == ETHER_TYPE_IPV4 ||
	       (type == ETHER_TYPE_IPV6 && frame[ETHER_HEADER_LEN + 6] == IPV4_PROTO_TCP);
}

static void
queue_sent(struct pd_stack *st, const struct tx_frame *tx, uint64_t now_ns)
{
	struct sent_packet *packet;

	if (!is_for_the_script(tx->data))
		return;
	packet = malloc(sizeof(*packet) + tx->len + 64); /* options may be laid out wider */
	if (packet == NULL)
		abort();
	packet->next = NULL;
	packet->sent_ns = now_ns;
	packet->len = tx->len - ETHER_HEADER_LEN;
	memcpy(packet->bytes, tx->data + ETHER_HEADER_LEN, packet->len);
	if (st->settings->host == PD_HOST_FREEBSD)
		packet->len = pd_layout_freebsd(packet->bytes, packet->len);
	*st->tail = packet;
	st->tail = &packet->next;
}

void
pd_stack_run(struct pd_stack *st, uint64_t now_ns)
{
	uint8_t bytes[BURST][FRAME_MAX];
	struct tx_frame tx[BURST];
	uint32_t i, n;

	do {
		for (i = 0; i < BURST; i++)
			tx[i] = (struct tx_frame){.data = bytes[i], .room = FRAME_MAX};
		n = netstack_output(st->ns, now_ns, tx, BURST);
		for (i = 0; i < n; i++)
			queue_sent(st, &tx[i], now_ns);
	} while (n > 0);
	while (netstack_event_next(st->ns) != NULL)
		;
	for (i = 0; i < CONNECTIONS_MAX; i++)
		tcp_conn_check(st->ns->conn[i].tcp);
}

uint64_t
pd_stack_deadline(const struct pd_stack *st)
{
	return netstack_deadline(st->ns);
}

size_t
pd_stack_take(struct pd_stack *st, void *ret, size_t room, uint64_t *ret_sent_ns)
{
	struct sent_packet *packet = st->head;
	size_t len;

	if (packet == NULL)
		return 0;
	st->head = packet->next;
	if (st->head == NULL)
		st->tail = &st->head;
	len = MIN_OF(packet->len, room);
	memcpy(ret, packet->bytes, len);
	*ret_sent_ns = packet->sent_ns;
	free(packet);
	return len;
}

/* ---- connections ---- */

static uint32_t
sacked_bytes(const struct tcp_scoreboard *board)
{
	uint32_t i, bytes = 0;

	for (i = 0; i < board->range_count; i++)
		bytes += board->range[i].right - board->range[i].left;
	return bytes;
}

void
pd_stack_look(struct netstack_conn *nc, struct pd_look *ret)
{
	struct tcp_info info;

	tcp_conn_info(nc->tcp, &info);
	*ret = (struct pd_look){
		.state = (enum pd_state)info.state,
		.error = netstack_conn_error(nc),
		.mss_send = info.mss_send,
		.mss_advertised = nc->tcp->cfg->mss_max,
		.unacked_bytes = info.snd_nxt - info.snd_una,
		.cwnd = info.snd_cwnd,
		.ssthresh = info.snd_ssthresh,
		.rto_us = (uint32_t)(info.rto_ns / NS_PER_US),
		.srtt_us = (uint32_t)(info.srtt_ns / NS_PER_US),
		.rttvar_us = (uint32_t)(info.rttvar_ns / NS_PER_US),
		.retransmits = info.retransmits,
		.snd_wnd = info.snd_wnd,
		.rcv_wnd = info.rcv_wnd,
		.unread = info.rcv_bytes_unread,
		.snd_wscale = info.snd_wscale,
		.rcv_wscale = info.rcv_wscale,
		.timestamps = info.timestamps,
		.sack = info.sack,
		.window_scaling = info.window_scaling,
		.ecn = info.ecn,
		.recovering = nc->tcp->board.recovering,
		.after_rto = nc->tcp->board.after_rto,
		.sacked_bytes = sacked_bytes(&nc->tcp->board),
	};
}

uint16_t
pd_stack_local_port(struct netstack_conn *nc)
{
	return nc->local_port;
}

void
pd_stack_remote(struct netstack_conn *nc, struct ip_address *ret_ip, uint16_t *ret_port)
{
	*ret_ip = nc->remote;
	*ret_port = nc->remote_port;
}

struct ip_address
pd_stack_local(const struct ip_address *a)
{
	static const struct ipv6_addr v6 = PD_LOCAL_ADDRESS_IPV6;

	return a->family == 6 ? ip_address_of_v6(&v6) : ip_address_of_v4(PD_LOCAL_ADDRESS);
}

uint32_t
pd_stack_send(struct pd_stack *st, struct netstack_conn *nc, const void *data, uint32_t len,
	uint32_t limit)
{
	uint32_t queued = tcp_conn_send_queued(nc->tcp), taken;

	if (queued >= limit)
		return 0;
	taken = tcp_conn_send(nc->tcp, data, MIN_OF(len, limit - queued));
	netstack_conn_touch(st->ns, nc);
	return taken;
}

uint32_t
pd_stack_send_queued(struct netstack_conn *nc)
{
	return tcp_conn_send_queued(nc->tcp);
}

bool
pd_stack_recv(
	struct netstack_conn *nc, const uint8_t **ret_data, uint32_t *ret_len, void **ret_owner)
{
	struct payload run;

	if (tcp_conn_recv(nc->tcp, &run, 1) == 0)
		return false;
	*ret_data = run.data;
	*ret_len = run.len;
	*ret_owner = run.owner;
	return true;
}

void
pd_stack_consumed(struct pd_stack *st, struct netstack_conn *nc, uint32_t len, void *owner)
{
	tcp_conn_consumed(nc->tcp, len, owner != NULL ? 1 : 0);
	netstack_conn_touch(st->ns, nc);
	pd_stack_drop(st, owner);
}

void
pd_stack_drop(struct pd_stack *st, void *owner)
{
	if (owner != NULL)
		test_buffer_release(&st->buffers, owner);
}

bool
pd_stack_recv_finished(struct netstack_conn *nc)
{
	return tcp_conn_recv_finished(nc->tcp);
}

void
pd_stack_shutdown(struct pd_stack *st, struct netstack_conn *nc, uint64_t now_ns)
{
	tcp_conn_close(nc->tcp, now_ns);
	netstack_conn_touch(st->ns, nc);
}

void
pd_stack_abort(struct pd_stack *st, struct netstack_conn *nc)
{
	tcp_conn_abort(nc->tcp);
	netstack_conn_touch(st->ns, nc);
}

void
pd_stack_release(struct pd_stack *st, struct netstack_conn *nc, uint64_t now_ns)
{
	netstack_release_conn(st->ns, nc, now_ns);
}

uint32_t
pd_stack_count(const struct pd_stack *st, enum pd_state state)
{
	uint32_t i, count = 0;

	for (i = 0; i < CONNECTIONS_MAX; i++)
		count += st->ns->conn[i].in_use &&
			 (int)tcp_conn_state(st->ns->conn[i].tcp) == (int)state;
	return count;
}
