/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_tcp.h"

/* Option kinds, IANA TCP parameters. */
#define OPTION_END 0U
#define OPTION_NOP 1U
#define OPTION_MSS 2U
#define OPTION_WSCALE 3U
#define OPTION_SACK_PERMITTED 4U
#define OPTION_SACK 5U
#define OPTION_TIMESTAMPS 8U

#define OPTION_MSS_LEN 4U
#define OPTION_WSCALE_LEN 3U
#define OPTION_SACK_PERMITTED_LEN 2U
#define OPTION_TIMESTAMPS_LEN 10U
#define SACK_BLOCK_LEN 8U

/* NOP NOP TIMESTAMPS 10: what every kernel sends on data segments (RFC 7323, appendix A). */
#define TIMESTAMPS_ALIGNED UINT32_C(0x0101080a)
#define HEADER_LEN_ALIGNED 32U

static void
parse_sack(const uint8_t *p, uint32_t len, struct tcp_segment *ret)
{
	uint32_t i, count = (len - 2) / SACK_BLOCK_LEN;

	count = MIN_OF(count, TCP_SACK_BLOCKS_MAX);
	for (i = 0; i < count; i++) {
		ret->sack[i].left = be32_load(p + 2 + i * SACK_BLOCK_LEN);
		ret->sack[i].right = be32_load(p + 6 + i * SACK_BLOCK_LEN);
	}
	ret->sack_count = (uint8_t)count;
	ret->options |= TCP_OPT_SACK;
}

/* One option of len bytes at p, its length checked against the header's end. A known kind with a
 * wrong length is malformed; unknown kinds are skipped (RFC 9293 §3.1, MUST-6 and MUST-68). */
static bool
parse_option(const uint8_t *p, uint32_t len, struct tcp_segment *ret)
{
	switch (p[0]) {
	case OPTION_MSS:
		if (len != OPTION_MSS_LEN)
			return false;
		ret->mss = be16_load(p + 2);
		ret->options |= TCP_OPT_MSS;
		return true;
	case OPTION_WSCALE:
		if (len != OPTION_WSCALE_LEN)
			return false;
		ret->wscale = p[2];
		ret->options |= TCP_OPT_WSCALE;
		return true;
	case OPTION_SACK_PERMITTED:
		if (len != OPTION_SACK_PERMITTED_LEN)
			return false;
		ret->options |= TCP_OPT_SACK_PERMITTED;
		return true;
	case OPTION_SACK:
		if (len < 2 + SACK_BLOCK_LEN || (len - 2) % SACK_BLOCK_LEN != 0)
			return false;
		parse_sack(p, len, ret);
		return true;
	case OPTION_TIMESTAMPS:
		if (len != OPTION_TIMESTAMPS_LEN)
			return false;
		ret->ts_val = be32_load(p + 2);
		ret->ts_ecr = be32_load(p + 6);
		ret->options |= TCP_OPT_TIMESTAMPS;
		return true;
	default:
		return true;
	}
}

static bool
parse_options(const uint8_t *p, const uint8_t *end, struct tcp_segment *ret)
{
	uint32_t len;

	while (p < end && p[0] != OPTION_END) {
		if (p[0] == OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return false;
		len = p[1];
		if (!parse_option(p, len, ret))
			return false;
		p += len;
	}
	return true;
}

enum drop_reason
wire_tcp_parse(const uint8_t *data, uint32_t len, struct tcp_segment *ret)
{
	uint32_t header_len;

	if (len < TCP_HEADER_LEN)
		return DROP_TCP_HEADER;
	header_len = (uint32_t)(data[12] >> 4) * 4U;
	if (header_len < TCP_HEADER_LEN || header_len > len)
		return DROP_TCP_HEADER;
	ret->options = 0;
	ret->sack_count = 0;
	if (header_len == HEADER_LEN_ALIGNED && be32_load(data + 20) == TIMESTAMPS_ALIGNED) {
		ret->ts_val = be32_load(data + 24);
		ret->ts_ecr = be32_load(data + 28);
		ret->options = TCP_OPT_TIMESTAMPS;
	} else if (!parse_options(data + TCP_HEADER_LEN, data + header_len, ret)) {
		return DROP_TCP_HEADER;
	}
	ret->src_port = be16_load(data);
	ret->dst_port = be16_load(data + 2);
	ret->seq = be32_load(data + 4);
	ret->ack = be32_load(data + 8);
	ret->flags = data[13];
	ret->window = be16_load(data + 14);
	ret->urgent = be16_load(data + 18);
	ret->ecn = 0;
	ret->payload = (struct payload){.data = data + header_len, .len = len - header_len};
	return DROP_NONE;
}

/* Bytes of the options, padded to words as build_options lays them out. */
static uint32_t
options_len(const struct tcp_segment *s)
{
	uint32_t len = 0;

	len += s->options & TCP_OPT_MSS ? 4 : 0;
	len += s->options & TCP_OPT_TIMESTAMPS ? 12 : 0;
	/* Without timestamps in front of it SACK-permitted brings its own two NOPs. */
	len += (s->options & TCP_OPT_SACK_PERMITTED) && !(s->options & TCP_OPT_TIMESTAMPS) ? 4 : 0;
	len += s->options & TCP_OPT_WSCALE ? 4 : 0;
	len += s->options & TCP_OPT_SACK ? 4 + s->sack_count * SACK_BLOCK_LEN : 0;
	return len;
}

uint32_t
wire_tcp_header_len(const struct tcp_segment *segment)
{
	return TCP_HEADER_LEN + options_len(segment);
}

static uint8_t *
build_timestamps(uint8_t *p, const struct tcp_segment *s)
{
	/* Linux puts SACK-permitted where the two NOPs would be. */
	bool permitted = (s->options & TCP_OPT_SACK_PERMITTED) != 0;

	p[0] = permitted ? OPTION_SACK_PERMITTED : OPTION_NOP;
	p[1] = permitted ? OPTION_SACK_PERMITTED_LEN : OPTION_NOP;
	p[2] = OPTION_TIMESTAMPS;
	p[3] = OPTION_TIMESTAMPS_LEN;
	be32_store(p + 4, s->ts_val);
	be32_store(p + 8, s->ts_ecr);
	return p + 12;
}

static uint8_t *
build_sack(uint8_t *p, const struct tcp_segment *s)
{
	uint32_t i;

	p[0] = OPTION_NOP;
	p[1] = OPTION_NOP;
	p[2] = OPTION_SACK;
	p[3] = (uint8_t)(2 + s->sack_count * SACK_BLOCK_LEN);
	for (i = 0; i < s->sack_count; i++) {
		be32_store(p + 4 + i * SACK_BLOCK_LEN, s->sack[i].left);
		be32_store(p + 8 + i * SACK_BLOCK_LEN, s->sack[i].right);
	}
	return p + 4 + s->sack_count * SACK_BLOCK_LEN;
}

static void
build_options(uint8_t *p, const struct tcp_segment *s)
{
	if (s->options & TCP_OPT_MSS) {
		p[0] = OPTION_MSS;
		p[1] = OPTION_MSS_LEN;
		be16_store(p + 2, s->mss);
		p += 4;
	}
	if (s->options & TCP_OPT_TIMESTAMPS) {
		p = build_timestamps(p, s);
	} else if (s->options & TCP_OPT_SACK_PERMITTED) {
		p[0] = OPTION_NOP;
		p[1] = OPTION_NOP;
		p[2] = OPTION_SACK_PERMITTED;
		p[3] = OPTION_SACK_PERMITTED_LEN;
		p += 4;
	}
	if (s->options & TCP_OPT_WSCALE) {
		p[0] = OPTION_NOP;
		p[1] = OPTION_WSCALE;
		p[2] = OPTION_WSCALE_LEN;
		p[3] = s->wscale;
		p += 4;
	}
	if (s->options & TCP_OPT_SACK)
		build_sack(p, s);
}

uint32_t
wire_tcp_build(uint8_t *p, const struct tcp_segment *segment)
{
	uint32_t header_len = wire_tcp_header_len(segment);

	be16_store(p, segment->src_port);
	be16_store(p + 2, segment->dst_port);
	be32_store(p + 4, segment->seq);
	be32_store(p + 8, segment->ack);
	p[12] = (uint8_t)(header_len / 4 << 4);
	p[13] = segment->flags;
	be16_store(p + 14, segment->window);
	be16_store(p + 16, 0);
	be16_store(p + 18, segment->urgent);
	build_options(p + TCP_HEADER_LEN, segment);
	if (segment->payload.len > 0)
		memcpy(p + header_len, segment->payload.data, segment->payload.len);
	if (segment->payload2.len > 0)
		memcpy(p + header_len + segment->payload.len, segment->payload2.data,
			segment->payload2.len);
	return header_len + segment->payload.len + segment->payload2.len;
}

void
wire_tcp_set_checksum(uint8_t *p, uint16_t sum)
{
	be16_store(p + 16, sum);
}
