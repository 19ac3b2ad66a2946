/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim_wire.h"

#define ETHERNET_LEN 14U
#define IP_LEN 20U
#define TCP_LEN 20U

enum { OPTION_END, OPTION_NOP, OPTION_MSS, OPTION_WSCALE, OPTION_SACK_PERMITTED, OPTION_SACK };
#define OPTION_TIMESTAMPS 8

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071 §4.1, word by word. */
static uint32_t
add_words(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += get16(p + i);
		sum = (sum & 0xffffU) + (sum >> 16);
	}
	if (len % 2 == 1)
		sum += (uint32_t)p[len - 1] << 8;
	return (sum & 0xffffU) + (sum >> 16);
}

bool
sim_wire_is_tcp(const uint8_t *frame, uint32_t len)
{
	return len >= ETHERNET_LEN + IP_LEN && get16(frame + 12) == 0x0800 &&
	       frame[ETHERNET_LEN + 9] == 6;
}

/* Kind and length agree? The data of an option may be read only then. */
static const char *
check_option(uint8_t kind, uint32_t len)
{
	switch (kind) {
	case OPTION_MSS:
		return len == 4 ? NULL : "the MSS option's length";
	case OPTION_WSCALE:
		return len == 3 ? NULL : "the window scale option's length";
	case OPTION_SACK_PERMITTED:
		return len == 2 ? NULL : "the SACK-permitted option's length";
	case OPTION_SACK:
		return len % 8 == 2 && len > 2 && len <= 2 + 8 * SIM_SACK_MAX
			       ? NULL
			       : "the SACK option's length";
	case OPTION_TIMESTAMPS:
		return len == 10 ? NULL : "the timestamps option's length";
	default:
		return "an option that nobody defined";
	}
}

static void
take_option(const uint8_t *o, uint32_t len, struct sim_tcp *t)
{
	uint32_t i;

	t->has_mss |= o[0] == OPTION_MSS;
	t->has_wscale |= o[0] == OPTION_WSCALE;
	t->has_sack_permitted |= o[0] == OPTION_SACK_PERMITTED;
	t->has_timestamps |= o[0] == OPTION_TIMESTAMPS;
	if (o[0] == OPTION_MSS)
		t->mss = get16(o + 2);
	if (o[0] == OPTION_WSCALE)
		t->wscale = o[2];
	if (o[0] == OPTION_TIMESTAMPS) {
		t->ts_val = get32(o + 2);
		t->ts_ecr = get32(o + 6);
	}
	t->sacks = o[0] == OPTION_SACK ? (len - 2) / 8 : t->sacks;
	for (i = 0; o[0] == OPTION_SACK && i < t->sacks; i++) {
		t->sack[i].left = get32(o + 2 + 8 * i);
		t->sack[i].right = get32(o + 6 + 8 * i);
	}
}

static const char *
read_options(const uint8_t *o, uint32_t len, struct sim_tcp *t)
{
	const char *wrong = NULL;
	uint32_t at = 0;

	while (at < len && o[at] != OPTION_END && wrong == NULL) {
		if (o[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= len || o[at + 1] < 2 || at + o[at + 1] > len)
			return "an option passes the header's end";
		wrong = check_option(o[at], o[at + 1]);
		if (wrong == NULL)
			take_option(o + at, o[at + 1], t);
		at += o[at + 1];
	}
	return wrong;
}

static const char *
check_ip(const uint8_t *ip, uint32_t room)
{
	uint32_t total = get16(ip + 2);

	if (ip[0] != 0x45)
		return "the IP version or header length";
	if (total > room || total < IP_LEN + TCP_LEN)
		return "the IP total length";
	if (add_words(0, ip, IP_LEN) != 0xffff)
		return "the IP header checksum";
	if ((get16(ip + 6) & 0x3fff) != 0)
		return "an IP fragment";
	return ip[8] > 0 ? NULL : "the IP time to live";
}

const char *
sim_wire_read(const uint8_t *frame, uint32_t len, struct sim_tcp *ret)
{
	const uint8_t *ip = frame + ETHERNET_LEN, *t = ip + IP_LEN;
	const char *wrong = check_ip(ip, len - ETHERNET_LEN);
	uint32_t total, header;

	if (wrong != NULL)
		return wrong;
	total = get16(ip + 2) - IP_LEN;
	header = (uint32_t)(t[12] >> 4) * 4U;
	if (header < TCP_LEN || header > total)
		return "the TCP data offset";
	/* The pseudo-header: addresses, protocol, length (RFC 9293 §3.1). */
	if (add_words(add_words(6 + total, ip + 12, 8), t, total) != 0xffff)
		return "the TCP checksum";
	if ((t[12] & 0x0f) != 0)
		return "reserved bits";
	*ret = (struct sim_tcp){
		.src_ip = get32(ip + 12),
		.dst_ip = get32(ip + 16),
		.src_port = get16(t),
		.dst_port = get16(t + 2),
		.seq = get32(t + 4),
		.ack = get32(t + 8),
		.flags = t[13],
		.ecn = ip[1] & 3,
		.window = get16(t + 14),
		.options_len = header - TCP_LEN,
		.data = t + header,
		.len = total - header,
	};
	return read_options(t + TCP_LEN, ret->options_len, ret);
}
