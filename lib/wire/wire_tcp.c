/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_compiler.h"
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
#define OPTIONS_LEN_MAX (TCP_HEADER_LEN_MAX - TCP_HEADER_LEN)

/* NOP NOP TIMESTAMPS 10: what every kernel sends on data segments (RFC 7323, appendix A). */
#define TIMESTAMPS_ALIGNED UINT32_C(0x0101080a)
#define HEADER_LEN_ALIGNED 32U

/* MSS, SACK-permitted and timestamps, NOP and window scale: what Linux sends on a SYN-ACK. */
#define SYN_OPTIONS_LEN 20U
#define SYN_MSS_KIND_LEN UINT32_C(0x0204)
#define SYN_SACK_TIMESTAMPS UINT32_C(0x0402080a)
#define SYN_WSCALE_KIND_LEN UINT32_C(0x010303)

/* Bytes of the option at p, 0 where its length is illegal (RFC 9293 §3.1, MUST-7). */
static uint32_t
option_len(const uint8_t *p, const uint8_t *end)
{
	if (p[0] == OPTION_NOP)
		return 1;
	if (end - p < 2 || p[1] < 2 || p[1] > end - p)
		return 0;
	return p[1];
}

static bool
options_well_formed(const uint8_t *p, const uint8_t *end)
{
	uint32_t len;

	for (; p < end && p[0] != OPTION_END; p += len) {
		len = option_len(p, end);
		if (len == 0)
			return false;
	}
	return true;
}

static void
parse_sack(const uint8_t *p, uint32_t len, struct tcp_segment *ret)
{
	uint32_t i, count = (len - 2) / SACK_BLOCK_LEN;

	if (count == 0 || count > TCP_SACK_BLOCKS_MAX || len != 2 + count * SACK_BLOCK_LEN)
		return;
	for (i = 0; i < count; i++) {
		ret->sack[i].left = be32_load(p + 2 + i * SACK_BLOCK_LEN);
		ret->sack[i].right = be32_load(p + 6 + i * SACK_BLOCK_LEN);
	}
	ret->sack_count = (uint8_t)count;
	ret->options |= TCP_OPT_SACK;
}

/* One option of len bytes at p. Unknown kinds (RFC 9293 §3.1, MUST-6) and known ones of another
 * length than theirs say nothing. */
static void
parse_option(const uint8_t *p, uint32_t len, struct tcp_segment *ret)
{
	if (p[0] == OPTION_TIMESTAMPS && len == OPTION_TIMESTAMPS_LEN) {
		ret->ts_val = be32_load(p + 2);
		ret->ts_ecr = be32_load(p + 6);
		ret->options |= TCP_OPT_TIMESTAMPS;
	} else if (p[0] == OPTION_SACK) {
		parse_sack(p, len, ret);
	} else if (p[0] == OPTION_MSS && len == OPTION_MSS_LEN) {
		ret->mss = be16_load(p + 2);
		ret->options |= TCP_OPT_MSS;
	} else if (p[0] == OPTION_WSCALE && len == OPTION_WSCALE_LEN) {
		ret->wscale = p[2];
		ret->options |= TCP_OPT_WSCALE;
	} else if (p[0] == OPTION_SACK_PERMITTED && len == OPTION_SACK_PERMITTED_LEN) {
		ret->options |= TCP_OPT_SACK_PERMITTED;
	}
}

/* The layout that most SYN-ACKs have, read at once. false, and nothing written: it is another one. */
static bool
parse_usual_syn(const uint8_t *p, uint32_t len, struct tcp_segment *ret)
{
	if (len != SYN_OPTIONS_LEN || be32_load(p) >> 16 != SYN_MSS_KIND_LEN ||
		be32_load(p + 4) != SYN_SACK_TIMESTAMPS ||
		be32_load(p + 16) >> 8 != SYN_WSCALE_KIND_LEN)
		return false;
	ret->mss = be16_load(p + 2);
	ret->ts_val = be32_load(p + 8);
	ret->ts_ecr = be32_load(p + 12);
	ret->wscale = p[19];
	ret->options = TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS | TCP_OPT_WSCALE;
	ret->sack_count = 0;
	return true;
}

/* false, and nothing written: malformed. */
static OUT_OF_LINE bool
parse_options(const uint8_t *p, const uint8_t *end, struct tcp_segment *ret)
{
	uint32_t len;

	if (parse_usual_syn(p, (uint32_t)(end - p), ret))
		return true;
	if (!options_well_formed(p, end))
		return false;
	ret->options = 0;
	ret->sack_count = 0;
	for (; p < end && p[0] != OPTION_END; p += len) {
		len = option_len(p, end);
		parse_option(p, len, ret);
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
	if (header_len == HEADER_LEN_ALIGNED && be32_load(data + 20) == TIMESTAMPS_ALIGNED) {
		ret->ts_val = be32_load(data + 24);
		ret->ts_ecr = be32_load(data + 28);
		ret->options = TCP_OPT_TIMESTAMPS;
		ret->sack_count = 0;
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
	ret->more = false;
	ret->ecn = 0;
	ret->payload = (struct payload){.data = data + header_len, .len = len - header_len};
	return DROP_NONE;
}

/* Bytes of all options but SACK, padded to words as build_options lays them out, by the options' bits:
 * 4 for MSS and for window scale, 12 for timestamps. Without timestamps in front of it SACK-permitted
 * brings its own two NOPs: 4. */
static const uint8_t fixed_options_len[TCP_OPT_SACK] = {
	0, 4, 4, 8, 4, 8, 8, 12, 12, 16, 16, 20, 12, 16, 16, 20};

static uint32_t
fixed_len(const struct tcp_segment *s)
{
	return fixed_options_len[s->options & (TCP_OPT_SACK - 1U)];
}

/* SACK blocks that find room after the other options, with NOP NOP, kind and length. */
static uint32_t
sack_blocks(const struct tcp_segment *s)
{
	uint32_t room = OPTIONS_LEN_MAX - 4 - fixed_len(s);

	return s->options & TCP_OPT_SACK ? MIN_OF(s->sack_count, room / SACK_BLOCK_LEN) : 0;
}

static uint32_t
header_len_with(const struct tcp_segment *s, uint32_t blocks)
{
	return TCP_HEADER_LEN + fixed_len(s) + (blocks > 0 ? 4 + blocks * SACK_BLOCK_LEN : 0);
}

uint32_t
wire_tcp_header_len(const struct tcp_segment *segment)
{
	return header_len_with(segment, sack_blocks(segment));
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

static void
build_sack(uint8_t *p, const struct tcp_segment *s, uint32_t blocks)
{
	uint32_t i;

	p[0] = OPTION_NOP;
	p[1] = OPTION_NOP;
	p[2] = OPTION_SACK;
	p[3] = (uint8_t)(2 + blocks * SACK_BLOCK_LEN);
	for (i = 0; i < blocks; i++) {
		be32_store(p + 4 + i * SACK_BLOCK_LEN, s->sack[i].left);
		be32_store(p + 8 + i * SACK_BLOCK_LEN, s->sack[i].right);
	}
}

static void
build_options(uint8_t *p, const struct tcp_segment *s, uint32_t blocks)
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
	if (blocks > 0)
		build_sack(p, s, blocks);
}

uint32_t
wire_tcp_build(uint8_t *p, const struct tcp_segment *segment)
{
	uint32_t blocks = sack_blocks(segment), header_len = header_len_with(segment, blocks);

	be16_store(p, segment->src_port);
	be16_store(p + 2, segment->dst_port);
	be32_store(p + 4, segment->seq);
	be32_store(p + 8, segment->ack);
	p[12] = (uint8_t)(header_len / 4 << 4);
	p[13] = segment->flags;
	be16_store(p + 14, segment->window);
	be16_store(p + 16, 0);
	be16_store(p + 18, segment->urgent);
	build_options(p + TCP_HEADER_LEN, segment, blocks);
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
