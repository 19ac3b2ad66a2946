/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include <stdint.h>

#include "base_counters.h"
#include "wire_ether.h"

#define ARP_PACKET_LEN 28U /* Ethernet/IPv4, RFC 826 */

enum arp_operation {
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

/** An ARP packet for IPv4 over Ethernet; protocol addresses in host order. */
struct arp_packet {
	uint16_t operation; /* enum arp_operation; others parse and are the caller's to ignore */
	struct ether_addr sender_mac, target_mac;
	uint32_t sender_ip, target_ip;
};

/** Parses len bytes after the Ethernet header (padding allowed). DROP_NONE, or
 *  DROP_ARP_MALFORMED with *ret untouched. */
enum drop_reason wire_arp_parse(const uint8_t *data, uint32_t len, struct arp_packet *ret);

/** Writes ARP_PACKET_LEN bytes at p and returns that length. */
uint32_t wire_arp_build(uint8_t *p, const struct arp_packet *arp);

#endif
