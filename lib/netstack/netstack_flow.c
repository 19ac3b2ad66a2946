/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_compiler.h"
#include "netstack_priv.h"
#include "wire_checksum.h"

/*
 * Header prediction below TCP, as Van Jacobson's in it (RFC 1323 appendix A): the frames of a
 * transfer come in runs in which the Ethernet header, the addresses and the ports stay as they
 * are. What must be equal is compared as a few words, instead of being parsed again.
 */

#define WORDS_LEN_IPV4 (NETSTACK_FLOW_WORDS_IPV4 * sizeof(uint64_t))
#define WORDS_LEN_IPV6 (NETSTACK_FLOW_WORDS_IPV6 * sizeof(uint64_t))

_Static_assert(WORDS_LEN_IPV4 <= ETHER_HEADER_LEN + IPV4_HEADER_LEN + TCP_HEADER_LEN &&
		       WORDS_LEN_IPV6 <= ETHER_HEADER_LEN + IPV6_HEADER_LEN + TCP_HEADER_LEN,
	"the words lie within the headers");

/* The bits of a frame's first bytes that decide where it goes. The source MAC address does not:
 * anybody may forward it. */
static const union {
	uint8_t bytes[WORDS_LEN_IPV4];
	uint64_t words[NETSTACK_FLOW_WORDS_IPV4];
} mask_ipv4 = {.bytes = {
		       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination MAC address */
		       0, 0, 0, 0, 0, 0, /* source MAC address */
		       0xff, 0xff, /* EtherType */
		       0xff, 0, /* version and header length; DSCP and ECN */
		       0, 0, 0, 0, /* total length, identification */
		       0xbf, 0xff, /* fragment: all but DF */
		       0, 0xff, 0, 0, /* TTL, protocol, header checksum */
		       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* addresses */
		       0xff, 0xff, 0xff, 0xff, /* ports */
		       0, 0, /* sequence number */
	       }};

static const union {
	uint8_t bytes[WORDS_LEN_IPV6];
	uint64_t words[NETSTACK_FLOW_WORDS_IPV6];
} mask_ipv6 = {
	.bytes = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination MAC address */
		0, 0, 0, 0, 0, 0, /* source MAC address */
		0xff, 0xff, /* EtherType */
		0xf0, 0, 0, 0, /* version; traffic class, flow label */
		0, 0, 0xff, 0, /* payload length, next header, hop limit */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* source */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, /* destination */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* ports */
		0, 0, 0, 0, 0, 0, /* sequence number, acknowledgment */
	}};

static uint64_t
word_at(const uint8_t *p, uint32_t i)
{
	uint64_t word;

	memcpy(&word, p + i * sizeof(word), sizeof(word));
	return word;
}

static void
remember(struct netstack_flow *flow, const struct frame *f)
{
	uint32_t words = flow->v6 ? NETSTACK_FLOW_WORDS_IPV6 : NETSTACK_FLOW_WORDS_IPV4, i;
	const uint64_t *mask = flow->v6 ? mask_ipv6.words : mask_ipv4.words;

	for (i = 0; flow->known && i < words; i++)
		flow->header[i] = word_at(f->data, i) & mask[i];
}

void
netstack_flow_learn(struct netstack_flow *flow, struct netstack_conn *nc, const struct frame *f,
	const struct netstack_packet *p)
{
	bool v6 = p->src.family == 6;
	uint32_t offset = ETHER_HEADER_LEN + (v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN);

	flow->conn = nc;
	flow->v6 = v6;
	flow->known = f->next == NULL && f->len >= offset + TCP_HEADER_LEN &&
		      !(f->flags & FRAME_VLAN_STRIPPED) &&
		      p->ether->header_len == ETHER_HEADER_LEN && p->l4 == f->data + offset;
	remember(flow, f);
}

void
netstack_flow_learn_plain(
	struct netstack_flow *flow, struct netstack_conn *nc, const struct frame *f, bool many)
{
	/* Of many connections the next frame is another's; a second one of this begins a run. */
	flow->known = !many || flow->conn == nc;
	flow->conn = nc;
	flow->v6 = false;
	remember(flow, f);
}

/* From here on v6 and words are constants at each call: each family has code of its own. */
static ALWAYS_INLINE bool
header_equal(const uint64_t *header, const uint8_t *p, const uint64_t *mask, uint32_t words)
{
	uint64_t differs = 0;
	uint32_t i;

	for (i = 0; i < words; i++)
		differs |= (word_at(p, i) & mask[i]) ^ header[i];
	return differs == 0;
}

static bool
ip_sum_right(const struct frame *f, const uint8_t *l3)
{
	return (f->flags & FRAME_IP_CSUM_GOOD) ||
	       wire_checksum_finish(wire_checksum_add(0, l3, IPV4_HEADER_LEN)) == 0;
}

/* words: so many of the header are compared. */
static ALWAYS_INLINE bool
matches_ipv4(const uint64_t *header, uint32_t words, const struct frame *f)
{
	const uint8_t *l3 = f->data + ETHER_HEADER_LEN;
	uint32_t total_len;

	if (f->len < ETHER_HEADER_LEN + IPV4_HEADER_LEN + TCP_HEADER_LEN ||
		!header_equal(header, f->data, mask_ipv4.words, words))
		return false;
	total_len = be16_load(l3 + 2);
	return total_len >= IPV4_HEADER_LEN + TCP_HEADER_LEN &&
	       total_len <= f->len - ETHER_HEADER_LEN && ip_sum_right(f, l3);
}

static ALWAYS_INLINE bool
matches_ipv6(const struct netstack_flow *flow, const struct frame *f)
{
	uint32_t payload_len;

	if (f->len < ETHER_HEADER_LEN + IPV6_HEADER_LEN + TCP_HEADER_LEN ||
		!header_equal(flow->header, f->data, mask_ipv6.words, NETSTACK_FLOW_WORDS_IPV6))
		return false;
	payload_len = be16_load(f->data + ETHER_HEADER_LEN + 4);
	return payload_len >= TCP_HEADER_LEN &&
	       payload_len <= f->len - ETHER_HEADER_LEN - IPV6_HEADER_LEN;
}

static ALWAYS_INLINE bool
in_one_piece(const struct frame *f)
{
	return f->next == NULL && !(f->flags & (FRAME_IP_CSUM_BAD | FRAME_VLAN_STRIPPED));
}

static ALWAYS_INLINE bool
matches(const struct netstack_flow *flow, const struct frame *f, bool v6)
{
	if (!in_one_piece(f))
		return false;
	return v6 ? matches_ipv6(flow, f) : matches_ipv4(flow->header, NETSTACK_FLOW_WORDS_IPV4, f);
}

bool
netstack_flow_matches(const struct netstack_flow *flow, const struct frame *f)
{
	if (!flow->known)
		return false;
	return flow->v6 ? matches(flow, f, true) : matches(flow, f, false);
}

void
netstack_flow_plain_init(uint64_t ret[NETSTACK_FLOW_WORDS_PLAIN], const struct ether_addr *mac)
{
	uint8_t bytes[NETSTACK_FLOW_WORDS_PLAIN * sizeof(uint64_t)] = {0};
	uint32_t i;

	memcpy(bytes, mac->byte, ETHER_ADDR_LEN);
	be16_store(bytes + 2 * ETHER_ADDR_LEN, ETHER_TYPE_IPV4);
	bytes[ETHER_HEADER_LEN] = 0x45; /* version 4, no options */
	bytes[ETHER_HEADER_LEN + 9] = IPV4_PROTO_TCP;
	for (i = 0; i < NETSTACK_FLOW_WORDS_PLAIN; i++)
		ret[i] = word_at(bytes, i);
}

bool
netstack_flow_is_plain(const uint64_t header[NETSTACK_FLOW_WORDS_PLAIN], const struct frame *f)
{
	return in_one_piece(f) && matches_ipv4(header, NETSTACK_FLOW_WORDS_PLAIN, f);
}

#define TIMESTAMPS_LEN 12U

static ALWAYS_INLINE bool
options_equal(const uint8_t *a, const uint8_t *b, uint32_t header_len)
{
	a += TCP_HEADER_LEN;
	b += TCP_HEADER_LEN;
	return header_len == TCP_HEADER_LEN ||
	       (header_len == TCP_HEADER_LEN + TIMESTAMPS_LEN && word_at(a, 0) == word_at(b, 0) &&
		       be32_load(a + 8) == be32_load(b + 8));
}

/* Is f a segment like that of first but for SEQ, which is seq, and with data? */
static ALWAYS_INLINE bool
continues(const struct netstack_flow *flow, const struct frame *first, const struct frame *f,
	uint32_t seq, uint32_t header_len, bool v6)
{
	const uint8_t *a = first->data + netstack_flow_l4_offset(v6);
	const uint8_t *b = f->data + netstack_flow_l4_offset(v6);

	return matches(flow, f, v6) && be32_load(b + 4) == seq &&
	       word_at(a, 1) == word_at(b, 1) && /* acknowledgment, data offset, flags, window */
	       netstack_flow_ecn(first, v6) == netstack_flow_ecn(f, v6) &&
	       netstack_flow_l4_len(f, v6) > header_len && options_equal(a, b, header_len);
}

static ALWAYS_INLINE uint32_t
collect(const struct netstack_flow *flow, const struct tcp_segment *first,
	const struct frame *frames, uint32_t n, struct payload *ret, bool v6)
{
	uint32_t header_len = (uint32_t)(first->payload.data - frames[0].data), i;
	uint32_t tcp_header_len = header_len - netstack_flow_l4_offset(v6), len;
	uint32_t seq = first->seq + first->payload.len;

	ret[0] = (struct payload){first->payload.data, first->payload.len, frames[0].owner};
	for (i = 1; i < n; i++) {
		if (!continues(flow, &frames[0], &frames[i], seq, tcp_header_len, v6))
			break;
		len = netstack_flow_l4_len(&frames[i], v6) - tcp_header_len;
		ret[i] = (struct payload){frames[i].data + header_len, len, frames[i].owner};
		seq += len;
	}
	return i;
}

OUT_OF_LINE uint32_t
netstack_flow_collect(const struct netstack_flow *flow, const struct tcp_segment *first,
	const struct frame *frames, uint32_t n, struct payload *ret)
{
	return flow->v6 ? collect(flow, first, frames, n, ret, true)
			: collect(flow, first, frames, n, ret, false);
}
