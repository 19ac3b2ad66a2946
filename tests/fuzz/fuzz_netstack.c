/* SPDX-License-Identifier: BSD-3-Clause */
/* A netstack with opening connections, by IPv4 and by IPv6, and two UDP ports under any frames and
 * time steps. */
#include <stdint.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "netstack.h"
#include "netstack_udp.h"
#include "test_buffer.h"
#include "wire_icmpv6.h"
#include "wire_ipv6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
drain_output(struct netstack *ns, uint64_t now_ns)
{
	static uint8_t bytes[8][2048];
	struct tx_frame tx[8];
	uint32_t i, rounds = 0;

	do {
		for (i = 0; i < 8; i++)
			tx[i] = (struct tx_frame){.data = bytes[i], .room = sizeof(bytes[i])};
		CHECK(++rounds < 10000);
	} while (netstack_output(ns, now_ns, tx, 8) > 0);
}

#define OUR_ADDRESS "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define ICMPV6_AT 54U

/* The ICMPv6 message right after the header, as far as it is there, with its checksum: nobody would
 * guess that. The bytes' lowest bit before it decides whether it went to us or to all nodes. */
static void
address_ipv6(uint8_t *bytes, uint32_t len)
{
	struct ipv6_addr src, dst = ipv6_addr_all_nodes;

	if (bytes[37] & 1)
		memcpy(dst.byte, OUR_ADDRESS, sizeof(dst.byte));
	memcpy(bytes + 12, "\x86\xdd\x60", 3);
	memcpy(bytes + 38, dst.byte, sizeof(dst.byte));
	if (bytes[20] != IPV6_NEXT_ICMPV6 || len < ICMPV6_AT + 4)
		return;
	memcpy(src.byte, bytes + 22, sizeof(src.byte));
	be16_store(bytes + 18, (uint16_t)(len - ICMPV6_AT));
	wire_icmpv6_set_checksum(bytes + ICMPV6_AT, len - ICMPV6_AT, &src, &dst);
}

/* Addressed to us, so that more than the filter is reached. */
static void
address(uint8_t *bytes, uint32_t len, uint8_t how)
{
	if (len < 34 || !(how & 0x20))
		return;
	memcpy(bytes, "\2\0\0\0\0\2", 6);
	if (!(how & 0x40) && len >= ICMPV6_AT && (bytes[12] & 0x80)) {
		address_ipv6(bytes, len);
		return;
	}
	memcpy(bytes + 12, how & 0x40 ? "\x08\x06" : "\x08\x00", 2);
	memcpy(bytes + 30, "\xc6\x12\0\2", 4);
}

/* One frame: flags, split point, length, bytes. Returns the input's bytes that it used. */
static size_t
frame_in(struct netstack *ns, struct test_buffers *buffers, const uint8_t *data, size_t size,
	uint64_t now_ns)
{
	size_t len = size > 2 ? MIN_OF((size_t)data[2] * 2U, size - 3) : 0;
	uint8_t bytes[512];
	uint32_t cut;
	struct payload first, second;
	struct frame frames[2];

	if (size < 3)
		return size;
	memcpy(bytes, data + 3, len);
	address(bytes, (uint32_t)len, data[0]);
	cut = (uint32_t)(data[0] & 0x80 ? data[1] % (len + 1) : len);
	first = test_buffer_make(buffers, bytes, cut);
	frames[0] = (struct frame){.data = first.owner,
		.len = first.len,
		.owner = first.owner,
		.flags = data[0] & 0x1fU};
	if (data[0] & 0x80) { /* else header prediction and reassembly may have it */
		second = test_buffer_make(buffers, bytes + cut, (uint32_t)len - cut);
		frames[0].next = &frames[1];
		frames[1] = (struct frame){
			.data = second.owner, .len = second.len, .owner = second.owner};
	}
	netstack_input(ns, frames, 1, now_ns);
	return 3 + len;
}

static void
drain_udp(struct netstack_udp *u)
{
	struct netstack_udp_received r;
	uint32_t rounds = 0;

	while (netstack_udp_recv(u, &r))
		CHECK(++rounds < 100 && (r.len == 0 || r.data[r.len - 1] <= 0xff));
	(void)netstack_udp_error(u);
}

static struct netstack *
create(struct test_buffers *buffers, struct counters *counters, bool probe, uint64_t now_ns)
{
	struct netstack_config cfg;

	netstack_config_defaults(&cfg);
	cfg.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	cfg.address = 0xc6120002;
	cfg.ipv6.enabled = cfg.ipv6.autoconf = true;
	memcpy(cfg.ipv6.address.byte, OUR_ADDRESS, sizeof(cfg.ipv6.address.byte));
	cfg.ipv6.prefix_len = 64;
	cfg.connections_max = 3;
	cfg.release = test_buffer_release;
	cfg.keep = test_buffer_keep;
	cfg.release_ctx = buffers;
	cfg.counters = counters;
	cfg.tcp.rcv_payloads_max = 64;
	cfg.tcp.snd_buffer_bytes = 2048;
	cfg.tcp.rcv_window_max_bytes = cfg.tcp.rcv_window_init_bytes = 65536;
	cfg.probe_address = probe;
	return netstack_create(&cfg, now_ns);
}

/* 2001:db8::1 or 198.18.0.1. */
static struct ip_address
neighbour(uint8_t family)
{
	struct ip_address remote = {.family = family};

	if (family == 4) {
		remote.v4 = 0xc6120001;
	} else {
		memcpy(remote.v6.byte, OUR_ADDRESS, sizeof(remote.v6.byte));
		remote.v6.byte[15] = 1;
	}
	return remote;
}

/* A connection to that neighbour, if there is a way yet. */
static void
connect_to(struct netstack *ns, uint8_t family, uint64_t now_ns)
{
	const struct ip_address remote = neighbour(family);
	struct netstack_conn *conn;

	(void)netstack_connect(ns, &remote, 80, NULL, now_ns, &conn);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_buffers buffers = {0};
	struct counters counters = {0};
	struct ip_address server = neighbour(4);
	struct netstack_udp *dhcp = NULL, *dns = NULL, *dns6 = NULL;
	uint64_t now_ns = NS_PER_SEC;
	struct netstack *ns = create(&buffers, &counters, size > 0 && (data[0] & 1) != 0, now_ns);
	size_t used;

	if (ns == NULL)
		return 0;
	CHECK(netstack_udp_open(ns, 68, &dhcp) == 0 && netstack_udp_open(ns, 0x3030, &dns) == 0 &&
		netstack_udp_open(ns, 0x3131, &dns6) == 0);
	(void)netstack_udp_send(ns, dns, &server, 53, "question", 8);
	server = neighbour(6);
	(void)netstack_udp_send(ns, dns6, &server, 53, "question", 8);
	connect_to(ns, 4, now_ns);
	connect_to(ns, 6, now_ns);
	while (size > 0) {
		drain_output(ns, now_ns);
		used = frame_in(ns, &buffers, data, size, now_ns);
		now_ns += (uint64_t)data[0] << (data[0] % 30);
		if (netstack_connections(ns) < 2)
			connect_to(ns, 6, now_ns);
		while (netstack_event_next(ns) != NULL)
			;
		drain_udp(dhcp);
		drain_udp(dns);
		drain_udp(dns6);
		if (!netstack_udp_waiting(dns6))
			(void)netstack_udp_send(ns, dns6, &server, 53, "again", 5);
		data += used;
		size -= used;
	}
	netstack_abort_all(ns);
	drain_output(ns, now_ns);
	netstack_destroy(ns);
	CHECK(test_buffers_live(&buffers) == 0);
	return 0;
}
