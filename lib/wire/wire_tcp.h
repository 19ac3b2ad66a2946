/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_payload.h"

#define TCP_HEADER_LEN 20U
#define TCP_HEADER_LEN_MAX 60U
#define TCP_SACK_BLOCKS_MAX 4U /* RFC 2018 §3; 3 beside timestamps */

/* Control bits, RFC 9293 §3.1. */
#define TCP_FIN (1U << 0)
#define TCP_SYN (1U << 1)
#define TCP_RST (1U << 2)
#define TCP_PSH (1U << 3)
#define TCP_ACK (1U << 4)
#define TCP_URG (1U << 5)
#define TCP_ECE (1U << 6)
#define TCP_CWR (1U << 7)

/* tcp_segment.options: which option fields are meaningful. */
#define TCP_OPT_MSS (1U << 0)
#define TCP_OPT_WSCALE (1U << 1)
#define TCP_OPT_SACK_PERMITTED (1U << 2)
#define TCP_OPT_TIMESTAMPS (1U << 3)
#define TCP_OPT_SACK (1U << 4)

/** SEG bytes left .. right - 1 have been received (RFC 2018). */
struct tcp_sack_block {
	uint32_t left, right;
};

/** One TCP segment, parsed or to be built; all fields in host order. */
struct tcp_segment {
	uint32_t seq, ack;
	uint32_t ts_val, ts_ecr; /* TCP_OPT_TIMESTAMPS, RFC 7323 */
	uint16_t src_port, dst_port;
	uint16_t window; /* as on the wire, not scaled */
	uint16_t mss; /* TCP_OPT_MSS, bytes as on the wire; may be 0 from a hostile peer */
	uint8_t flags; /* TCP_FIN.. */
	uint8_t options; /* TCP_OPT_* */
	uint8_t wscale; /* TCP_OPT_WSCALE, shift as on the wire (may exceed 14) */
	uint8_t sack_count; /* TCP_OPT_SACK, 0..TCP_SACK_BLOCKS_MAX */
	uint8_t ecn; /* the IP header's ECN codepoint, 0..3; received or to be sent */
	uint16_t urgent;
	bool more; /* received: the next input is the same segment's payload in another buffer;
		    * FIN and PSH are with the last one */
	struct payload payload; /* received: all of it. To be sent: its first run, */
	struct payload payload2; /* and its second, where a ring wraps. len 0: none */
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
};

/**
 * Parses a TCP header with options and the contiguous payload after it.
 * data, len: from the first TCP byte to the IP payload's end, or to the buffer's if the frame
 * has more parts. ret->payload.data/len are the bytes after the header, ret->payload.owner is
 * set NULL, ret->ecn 0 and ret->more false for the caller to fill in; payload2 and fields whose option bit is not
 * set are not written. The checksum is not looked at. Unknown options, and known ones of another
 * length than theirs, are skipped; an option of length 0 or 1, or one that passes the header's
 * end, makes the segment malformed (RFC 9293 MUST-7).
 * DROP_NONE, or DROP_TCP_HEADER with *ret untouched.
 */
enum drop_reason wire_tcp_parse(const uint8_t *data, uint32_t len, struct tcp_segment *ret);

/** Bytes that the header of segment takes with its options, padded: 20..60, a multiple of 4.
 *  SACK blocks that find no room beside the other options, the last ones, do not count. */
uint32_t wire_tcp_header_len(const struct tcp_segment *segment);

/**
 * Writes the header with options, then both payload runs, at p; the checksum field is left 0.
 * The caller provides wire_tcp_header_len() + payload bytes of room. Options are laid out as
 * Linux does (NOP NOP TS first) so that header prediction on the other side works. SACK blocks
 * without room are left out; with none left, so is the option.
 * Returns the bytes written.
 */
uint32_t wire_tcp_build(uint8_t *p, const struct tcp_segment *segment);

/** Stores sum, big-endian, in the checksum field of the TCP header at p. */
void wire_tcp_set_checksum(uint8_t *p, uint16_t sum);

/** Sequence space that a segment occupies: payload bytes, plus SYN and FIN. */
static inline uint32_t
tcp_segment_seq_len(const struct tcp_segment *s)
{
	return s->payload.len + s->payload2.len + ((s->flags & TCP_SYN) ? 1U : 0U) +
	       ((s->flags & TCP_FIN) ? 1U : 0U);
}

/* Sequence arithmetic modulo 2^32, RFC 9293 §3.4. */
static inline bool
seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool
seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool
seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static inline uint32_t
seq_max(uint32_t a, uint32_t b)
{
	return seq_gt(a, b) ? a : b;
}

static inline uint32_t
seq_min(uint32_t a, uint32_t b)
{
	return seq_lt(a, b) ? a : b;
}

#endif
