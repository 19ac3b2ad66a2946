/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_rss.h"

#define PORTS_AT_IPV4 8U /* bytes before the ports */
#define PORTS_AT_IPV6 32U

/* The 32 bits of the key that begin at this bit: of the input's 36 bytes the last bit needs the key's
 * byte 39. */
static uint32_t
window(const uint8_t *key, uint32_t bit)
{
	uint32_t word = be32_load(key + bit / 8), shift = bit % 8;

	return shift == 0 ? word : word << shift | (uint32_t)key[bit / 8 + 4] >> (8 - shift);
}

bool
wire_rss_init(struct wire_rss *ret, const uint8_t *key, uint32_t key_len)
{
	uint32_t at, bit, value, lowest;

	if (key_len < WIRE_RSS_KEY_MIN)
		return false;
	for (at = 0; at < WIRE_RSS_INPUT_MAX; at++) {
		uint32_t *table = ret->table[at];

		table[0] = 0;
		for (bit = 0; bit < 8; bit++) /* the input's bits from the highest on */
			table[UINT32_C(0x80) >> bit] = window(key, at * 8 + bit);
		for (value = 1; value < 256; value++) {
			lowest = value & -value;
			table[value] = table[value ^ lowest] ^ table[lowest];
		}
	}
	return true;
}

static uint32_t
hash_port(const struct wire_rss *r, uint32_t at, uint16_t port)
{
	return r->table[at][port >> 8] ^ r->table[at + 1][port & 0xff];
}

static uint32_t
hash_v4(const struct wire_rss *r, uint32_t at, uint32_t address)
{
	return hash_port(r, at, (uint16_t)(address >> 16)) ^
	       hash_port(r, at + 2, (uint16_t)address);
}

static uint32_t
hash_v6(const struct wire_rss *r, uint32_t at, const struct ipv6_addr *address)
{
	uint32_t i, hash = 0;

	for (i = 0; i < sizeof(address->byte); i++)
		hash ^= r->table[at + i][address->byte[i]];
	return hash;
}

uint32_t
wire_rss_dst_port(const struct wire_rss *r, uint8_t family, uint16_t dst_port)
{
	return hash_port(r, (family == 4 ? PORTS_AT_IPV4 : PORTS_AT_IPV6) + 2, dst_port);
}

uint32_t
wire_rss_hash(const struct wire_rss *r, const struct ip_address *src, const struct ip_address *dst,
	uint16_t src_port, uint16_t dst_port)
{
	uint32_t ports = wire_rss_dst_port(r, src->family, dst_port);

	if (src->family == 4)
		return ports ^ hash_v4(r, 0, src->v4) ^ hash_v4(r, 4, dst->v4) ^
		       hash_port(r, PORTS_AT_IPV4, src_port);
	return ports ^ hash_v6(r, 0, &src->v6) ^ hash_v6(r, 16, &dst->v6) ^
	       hash_port(r, PORTS_AT_IPV6, src_port);
}
