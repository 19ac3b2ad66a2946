/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_checksum.h"

/*
 * The one's complement sum is the same in either byte order up to a swap (RFC 1071 §2B), so
 * words are added as they lie in memory and the result is swapped once. Four accumulators of
 * 32-bit words let the compiler use vector registers.
 */
static uint64_t
sum_words(const uint8_t *data, uint32_t len)
{
	uint64_t lane[8] = {0};
	uint32_t word, i, tail = 0;

	for (; len >= 32; len -= 32, data += 32) {
		for (i = 0; i < 8; i++) {
			memcpy(&word, data + 4 * i, 4);
			lane[i] += word;
		}
	}
	for (; len >= 4; len -= 4, data += 4) {
		memcpy(&word, data, 4);
		lane[0] += word;
	}
	memcpy(&tail, data, len);
	return lane[0] + lane[1] + lane[2] + lane[3] + lane[4] + lane[5] + lane[6] + lane[7] + tail;
}

static uint16_t
fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t
wire_checksum_add(uint64_t sum, const uint8_t *data, uint32_t len)
{
	return sum + __builtin_bswap16(fold(sum_words(data, len)));
}

uint64_t
wire_checksum_add_odd(uint64_t sum, const uint8_t *data, uint32_t len)
{
	/* At an odd offset every byte changes places: not swapping is the swap (RFC 1071 §2B). */
	return sum + fold(sum_words(data, len));
}

uint16_t
wire_checksum_fold(uint64_t sum)
{
	return fold(sum);
}

uint16_t
wire_checksum_finish(uint64_t sum)
{
	return (uint16_t)~fold(sum);
}

uint64_t
wire_checksum_pseudo_ipv4(uint32_t src, uint32_t dst, uint8_t protocol, uint32_t length)
{
	return (uint64_t)(src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + protocol +
	       (length >> 16) + (length & 0xffff);
}

uint64_t
wire_checksum_pseudo_ipv6(
	const struct ipv6_addr *src, const struct ipv6_addr *dst, uint8_t protocol, uint32_t length)
{
	uint64_t sum = wire_checksum_add(0, src->byte, sizeof(src->byte));

	sum = wire_checksum_add(sum, dst->byte, sizeof(dst->byte));
	return sum + protocol + (length >> 16) + (length & 0xffff);
}

uint64_t
wire_checksum_pseudo(const struct ip_address *src, const struct ip_address *dst, uint8_t protocol,
	uint32_t length)
{
	if (src->family == 4)
		return wire_checksum_pseudo_ipv4(src->v4, dst->v4, protocol, length);
	return wire_checksum_pseudo_ipv6(&src->v6, &dst->v6, protocol, length);
}
