/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_priv.h"
#include "wire_checksum.h"

/*
 * Header prediction below TCP, as Van Jacobson's in it (RFC 1323 appendix A): the frames of a
 * transfer come in runs in which the Ethernet header, the addresses and the ports stay as they
 * are. What must be equal is compared as five words, instead of being parsed again.
 */

#define L4_OFFSET (ETHER_HEADER_LEN + IPV4_HEADER_LEN)
#define WORDS_LEN (NETSTACK_FLOW_WORDS * sizeof(uint64_t))

_Static_assert(WORDS_LEN <= L4_OFFSET + TCP_HEADER_LEN, "the words lie within the headers");

/* The bits of a frame's first 40 bytes that decide where it goes. */
static const union {
	uint8_t bytes[WORDS_LEN];
	uint64_t words[NETSTACK_FLOW_WORDS];
} mask = {.bytes = {
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination MAC address */
		  0, 0, 0, 0, 0, 0, /* source MAC address: anybody may forward it */
		  0xff, 0xff, /* EtherType */
		  0xff, 0, /* version and header length; DSCP and ECN */
		  0, 0, 0, 0, /* total length, identification */
		  0xbf, 0xff, /* fragment: all but DF */
		  0, 0xff, 0, 0, /* TTL, protocol, header checksum */
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* addresses */
		  0xff, 0xff, 0xff, 0xff, /* ports */
		  0, 0, /* sequence number */
	  }};

static uint64_t
word_at(const uint8_t *p, uint32_t i)
{
	uint64_t word;

	memcpy(&word, p + i * sizeof(word), sizeof(word));
	return word;
}

void
netstack_flow_learn(struct netstack_flow *flow, struct netstack_conn *nc, const struct frame *f,
	const struct ether_header *ether, const struct ipv4_header *ip)
{
	uint32_t i;

	flow->conn = nc;
	flow->known = f->next == NULL && f->len >= L4_OFFSET + TCP_HEADER_LEN &&
		      !(f->flags & FRAME_VLAN_STRIPPED) && ether->header_len == ETHER_HEADER_LEN &&
		      ip->header_len == IPV4_HEADER_LEN;
	for (i = 0; flow->known && i < NETSTACK_FLOW_WORDS; i++)
		flow->header[i] = word_at(f->data, i) & mask.words[i];
}

static bool
header_equal(const struct netstack_flow *flow, const uint8_t *p)
{
	uint64_t differs = 0;
	uint32_t i;

	for (i = 0; i < NETSTACK_FLOW_WORDS; i++)
		differs |= (word_at(p, i) & mask.words[i]) ^ flow->header[i];
	return differs == 0;
}

static bool
ip_sum_right(const struct frame *f, const uint8_t *l3)
{
	return (f->flags & FRAME_IP_CSUM_GOOD) ||
	       wire_checksum_finish(wire_checksum_add(0, l3, IPV4_HEADER_LEN)) == 0;
}

bool
netstack_flow_matches(const struct netstack_flow *flow, const struct frame *f)
{
	const uint8_t *l3 = f->data + ETHER_HEADER_LEN;
	uint32_t total_len;

	if (!flow->known || f->len < L4_OFFSET + TCP_HEADER_LEN || f->next != NULL ||
		(f->flags & (FRAME_IP_CSUM_BAD | FRAME_VLAN_STRIPPED)) ||
		!header_equal(flow, f->data))
		return false;
	total_len = be16_load(l3 + 2);
	return total_len >= IPV4_HEADER_LEN + TCP_HEADER_LEN &&
	       total_len <= f->len - ETHER_HEADER_LEN && ip_sum_right(f, l3);
}

/* TCP's acknowledgment, data offset, flags and window. */
#define ACK_TO_WINDOW (L4_OFFSET + 8U)
#define OPTIONS (L4_OFFSET + TCP_HEADER_LEN)
#define TIMESTAMPS_LEN 12U

static bool
options_equal(const uint8_t *a, const uint8_t *b, uint32_t header_len)
{
	return header_len == TCP_HEADER_LEN ||
	       (header_len == TCP_HEADER_LEN + TIMESTAMPS_LEN &&
		       memcmp(a + OPTIONS, b + OPTIONS, TIMESTAMPS_LEN) == 0);
}

bool
netstack_flow_continues(const struct netstack_flow *flow, const struct frame *first,
	const struct frame *f, uint32_t seq)
{
	const uint8_t *a = first->data, *b = f->data;
	uint32_t header_len = (uint32_t)(a[L4_OFFSET + 12] >> 4) * 4U;

	return netstack_flow_matches(flow, f) && be32_load(b + L4_OFFSET + 4) == seq &&
	       memcmp(a + ACK_TO_WINDOW, b + ACK_TO_WINDOW, 8) == 0 &&
	       a[ETHER_HEADER_LEN + 1] == b[ETHER_HEADER_LEN + 1] && /* ECN */
	       be16_load(b + ETHER_HEADER_LEN + 2) > IPV4_HEADER_LEN + header_len &&
	       options_equal(a, b, header_len);
}
