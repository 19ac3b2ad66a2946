/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_RSS_H
#define WIRE_RSS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_ip.h"

/*
 * The Toeplitz hash by which NICs spread TCP over their receive queues (Microsoft, "RSS hashing
 * functions"): over source address, destination address, source port and destination port, all in
 * network order. It is linear: a byte of the input contributes to the hash by an exclusive or, so each
 * byte has a table of its contributions, and a hash is as many lookups as there are bytes.
 */

#define WIRE_RSS_KEY_MIN 40U /* bytes: an IPv6 tuple takes 36, and 32 bits behind its last one */
#define WIRE_RSS_INPUT_MAX 36U /* bytes: two IPv6 addresses and two ports */

/** A key, prepared; 36 KiB. Read only once it is made, so workers may share it. */
struct wire_rss {
	uint32_t table[WIRE_RSS_INPUT_MAX][256];
};

/** Prepares the key of key_len bytes. false: it has fewer than WIRE_RSS_KEY_MIN. */
bool wire_rss_init(struct wire_rss *ret, const uint8_t *key, uint32_t key_len);

/** The hash of a TCP segment as the NIC receives it. Both addresses are of the same family, 4 or 6;
 *  ports in host order. */
uint32_t wire_rss_hash(const struct wire_rss *r, const struct ip_address *src,
	const struct ip_address *dst, uint16_t src_port, uint16_t dst_port);

/** What dst_port contributes to it: a hash with another destination port is
 *  wire_rss_hash(..., 0) ^ wire_rss_dst_port(r, family, port). */
uint32_t wire_rss_dst_port(const struct wire_rss *r, uint8_t family, uint16_t dst_port);

#endif
