/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "pd_layout.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"
#include "wire_tcp.h"

#define OPTIONS_MAX 40U

struct option_writer {
	uint8_t bytes[OPTIONS_MAX + 8];
	uint32_t len;
};

/* NOPs until the next option begins at this remainder of `unit`. */
static void
align(struct option_writer *w, uint32_t unit, uint32_t remainder)
{
	while (w->len % unit != remainder)
		w->bytes[w->len++] = 1;
}

static void
put_kind(struct option_writer *w, uint8_t kind, uint32_t len)
{
	w->bytes[w->len++] = kind;
	w->bytes[w->len++] = (uint8_t)len;
}

static void
put_syn_options(struct option_writer *w, const struct tcp_segment *s)
{
	if (s->options & TCP_OPT_MSS) {
		put_kind(w, 2, 4);
		be16_store(w->bytes + w->len, s->mss);
		w->len += 2;
	}
	if (s->options & TCP_OPT_WSCALE) {
		align(w, 2, 1);
		put_kind(w, 3, 3);
		w->bytes[w->len++] = s->wscale;
	}
	if (s->options & TCP_OPT_SACK_PERMITTED) {
		align(w, 2, 0);
		put_kind(w, 4, 2);
	}
}

static void
put_options(struct option_writer *w, const struct tcp_segment *s)
{
	uint32_t i;

	put_syn_options(w, s);
	if (s->options & TCP_OPT_TIMESTAMPS) {
		align(w, 4, 2);
		put_kind(w, 8, 10);
		be32_store(w->bytes + w->len, s->ts_val);
		be32_store(w->bytes + w->len + 4, s->ts_ecr);
		w->len += 8;
	}
	if (s->options & TCP_OPT_SACK) {
		align(w, 4, 2);
		put_kind(w, 5, 2 + 8U * s->sack_count);
		for (i = 0; i < s->sack_count; i++, w->len += 8) {
			be32_store(w->bytes + w->len, s->sack[i].left);
			be32_store(w->bytes + w->len + 4, s->sack[i].right);
		}
	}
	while (w->len % 4 != 0)
		w->bytes[w->len++] = 0;
}

static void
correct(uint8_t *packet, size_t len)
{
	bool v6 = packet[0] >> 4 == 6;
	uint32_t header_len = v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
	uint8_t *l4 = packet + header_len;
	uint32_t tcp_len = (uint32_t)len - header_len;
	/* The addresses, which lie next to each other, are all of the pseudo-header that is long. */
	uint64_t sum =
		wire_checksum_add(IPV4_PROTO_TCP + tcp_len, packet + (v6 ? 8 : 12), v6 ? 32 : 8);

	wire_tcp_set_checksum(l4, 0);
	wire_tcp_set_checksum(l4, wire_checksum_finish(wire_checksum_add(sum, l4, tcp_len)));
	if (v6) {
		be16_store(packet + 4, (uint16_t)tcp_len);
		return;
	}
	be16_store(packet + 2, (uint16_t)len);
	be16_store(packet + 10, 0);
	be16_store(
		packet + 10, wire_checksum_finish(wire_checksum_add(0, packet, IPV4_HEADER_LEN)));
}

size_t
pd_layout_freebsd(uint8_t *packet, size_t len)
{
	struct option_writer w = {.len = 0};
	bool v6 = packet[0] >> 4 == 6;
	uint32_t header_len = v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
	uint8_t *l4 = packet + header_len, *options = l4 + TCP_HEADER_LEN;
	struct tcp_segment s;

	if (packet[v6 ? 6 : 9] != IPV4_PROTO_TCP ||
		wire_tcp_parse(l4, (uint32_t)len - header_len, &s) != DROP_NONE)
		return len;
	put_options(&w, &s);
	memmove(options + w.len, s.payload.data, s.payload.len);
	memcpy(options, w.bytes, w.len);
	len = header_len + TCP_HEADER_LEN + w.len + s.payload.len;
	l4[12] = (uint8_t)((TCP_HEADER_LEN + w.len) / 4 << 4);
	correct(packet, len);
	return len;
}
