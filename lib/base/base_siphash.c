/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_siphash.h"

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotl64(uint64_t x, unsigned int bits)
{
	return (x << bits) | (x >> (64U - bits));
}

static void
sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl64(s->v1, 13) ^ s->v0;
	s->v0 = rotl64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl64(s->v1, 17) ^ s->v2;
	s->v2 = rotl64(s->v2, 32);
}

static void
sip_compress(struct sip_state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

uint64_t
siphash24(const struct siphash_key *key, const void *data, size_t len)
{
	struct sip_state s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *p = data;
	uint64_t word, last = (uint64_t)len << 56;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8); /* little-endian by definition; x86-64 and arm64 are */
		sip_compress(&s, word);
	}
	for (; left > 0; left--)
		last |= (uint64_t)p[left - 1] << (8 * (left - 1));
	sip_compress(&s, last);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
