/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include <stdint.h>

#include "base_counters.h"

#define UDP_HEADER_LEN 8U /* RFC 768 */

/** A parsed UDP datagram (RFC 768); ports in host order. */
struct udp_datagram {
	uint16_t src_port, dst_port;
	uint16_t len; /* bytes, header included, 8.. */
	uint16_t checksum; /* as received; 0: the sender made none */
	const uint8_t *data; /* inside the parsed bytes */
	uint32_t data_len; /* bytes */
};

/**
 * Parses a UDP header. data, len: the contiguous bytes of the IP packet's payload. What follows
 * the length that the header gives is padding and no part of the datagram. The checksum is not
 * looked at.
 * DROP_NONE; or, with *ret untouched, DROP_UDP_HEADER (shorter than a header) or DROP_UDP_LENGTH
 * (the header's length is less than its own, or more than what came).
 */
enum drop_reason wire_udp_parse(const uint8_t *data, uint32_t len, struct udp_datagram *ret);

/**
 * Verifies the checksum of the datagram at data, which wire_udp_parse has put into *udp.
 * pseudo: the accumulator of the pseudo-header (wire_checksum_pseudo_ipv4 with IPV4_PROTO_UDP and
 * udp->len). A checksum of 0 passes: the caller refuses it where IPv6 does (RFC 8200 §8.1).
 * DROP_NONE, DROP_UDP_CHECKSUM, or DROP_UDP_CHECKSUM_PARTIAL where only the pseudo-header's sum is
 * in the field.
 */
enum drop_reason wire_udp_verify(
	const uint8_t *data, const struct udp_datagram *udp, uint64_t pseudo);

/**
 * Writes header and data at p, with the checksum, and returns the datagram's length,
 * UDP_HEADER_LEN + data_len, for which the caller provides the room. udp: src_port, dst_port, data
 * and data_len (0..65527) are used. pseudo: as above, with that length.
 */
uint32_t wire_udp_build(uint8_t *p, const struct udp_datagram *udp, uint64_t pseudo);

#endif
