/* SPDX-License-Identifier: BSD-3-Clause */
/* A netstack with one opening connection and two UDP ports under any frames and time steps. */
#include <stdint.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "netstack.h"
#include "netstack_udp.h"
#include "test_buffer.h"

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

/* One frame: flags, split point, length, bytes; addressed to us so that more than the filter is
 * reached. Returns the input's bytes that it used. */
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
	if (len >= 34 && (data[0] & 0x20)) {
		memcpy(bytes, "\2\0\0\0\0\2", 6);
		memcpy(bytes + 12, data[0] & 0x40 ? "\x08\x06" : "\x08\x00", 2);
		memcpy(bytes + 30, "\xc6\x12\0\2", 4);
	}
	cut = (uint32_t)(data[0] & 0x80 ? data[1] % (len + 1) : len);
	first = test_buffer_make(buffers, bytes, cut);
	second = test_buffer_make(buffers, bytes + cut, (uint32_t)len - cut);
	frames[1] = (struct frame){.data = second.owner, .len = second.len, .owner = second.owner};
	frames[0] = (struct frame){.data = first.owner,
		.len = first.len,
		.owner = first.owner,
		.flags = data[0] & 0x1fU,
		.next = &frames[1]};
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_buffers buffers = {0};
	struct counters counters = {0};
	struct netstack_config cfg;
	const struct ip_address remote = {.family = 4, .v4 = 0xc6120001};
	struct netstack_conn *conn = NULL;
	struct netstack_udp *dhcp = NULL, *dns = NULL;
	struct netstack *ns;
	uint64_t now_ns = NS_PER_SEC;
	size_t used;

	netstack_config_defaults(&cfg);
	cfg.mac = (struct ether_addr){{2, 0, 0, 0, 0, 2}};
	cfg.address = 0xc6120002;
	cfg.connections_max = 2;
	cfg.release = test_buffer_release;
	cfg.release_ctx = &buffers;
	cfg.counters = &counters;
	cfg.tcp.rcv_payloads_max = 64;
	cfg.tcp.snd_buffer_bytes = 2048;
	cfg.tcp.rcv_window_max_bytes = cfg.tcp.rcv_window_init_bytes = 65536;
	cfg.probe_address = size > 0 && (data[0] & 1) != 0;
	ns = netstack_create(&cfg, now_ns);
	if (ns == NULL)
		return 0;
	CHECK(netstack_udp_open(ns, 68, &dhcp) == 0 && netstack_udp_open(ns, 0x3030, &dns) == 0);
	(void)netstack_udp_send(ns, dns, &remote, 53, "question", 8);
	(void)netstack_connect(ns, &remote, 80, NULL, now_ns, &conn);
	while (size > 0) {
		drain_output(ns, now_ns);
		used = frame_in(ns, &buffers, data, size, now_ns);
		now_ns += (uint64_t)data[0] << (data[0] % 30);
		while (netstack_event_next(ns) != NULL)
			;
		drain_udp(dhcp);
		drain_udp(dns);
		data += used;
		size -= used;
	}
	netstack_abort_all(ns);
	drain_output(ns, now_ns);
	netstack_destroy(ns);
	CHECK(test_buffers_live(&buffers) == 0);
	return 0;
}
