/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_CHECKSUM_H
#define WIRE_CHECKSUM_H

#include <stdint.h>

#include "wire_ip.h"

/**
 * Adds len bytes to a running one's complement sum (RFC 1071), as if they stood at an even
 * offset. sum: 0 to begin. The result is an unfolded accumulator for further calls or
 * wire_checksum_finish. Odd lengths only in the last call, or see wire_checksum_add_odd.
 */
uint64_t wire_checksum_add(uint64_t sum, const uint8_t *data, uint32_t len);

/** The same for bytes that stand at an odd offset of the checksummed data (chained buffers). */
uint64_t wire_checksum_add_odd(uint64_t sum, const uint8_t *data, uint32_t len);

/** Folds and complements: the value to store big-endian in the header. 0 over data that holds
 *  its own correct checksum. */
uint16_t wire_checksum_finish(uint64_t sum);

/** Folds without complementing: what hardware offload wants in the TCP checksum field. */
uint16_t wire_checksum_fold(uint64_t sum);

/** The accumulator of the IPv4 pseudo-header (RFC 9293 §3.1). Addresses in host order;
 *  length is TCP header plus payload in bytes. */
uint64_t wire_checksum_pseudo_ipv4(uint32_t src, uint32_t dst, uint8_t protocol, uint32_t length);

/** The accumulator of the IPv6 pseudo-header (RFC 8200 §8.1); length in bytes. */
uint64_t wire_checksum_pseudo_ipv6(const struct ipv6_addr *src, const struct ipv6_addr *dst,
	uint8_t protocol, uint32_t length);

/** Either of them; both addresses of one family. */
uint64_t wire_checksum_pseudo(const struct ip_address *src, const struct ip_address *dst,
	uint8_t protocol, uint32_t length);

#endif
