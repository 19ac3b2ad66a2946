/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_arp.h"

#define ARP_HARDWARE_ETHERNET 1U /* RFC 826 */
#define ARP_PROTOCOL_LEN_IPV4 4U

enum drop_reason
wire_arp_parse(const uint8_t *data, uint32_t len, struct arp_packet *ret)
{
	if (len < ARP_PACKET_LEN || be16_load(data) != ARP_HARDWARE_ETHERNET ||
		be16_load(data + 2) != ETHER_TYPE_IPV4 || data[4] != ETHER_ADDR_LEN ||
		data[5] != ARP_PROTOCOL_LEN_IPV4)
		return DROP_ARP_MALFORMED;
	ret->operation = be16_load(data + 6);
	memcpy(ret->sender_mac.byte, data + 8, ETHER_ADDR_LEN);
	ret->sender_ip = be32_load(data + 14);
	memcpy(ret->target_mac.byte, data + 18, ETHER_ADDR_LEN);
	ret->target_ip = be32_load(data + 24);
	return DROP_NONE;
}

uint32_t
wire_arp_build(uint8_t *p, const struct arp_packet *arp)
{
	be16_store(p, ARP_HARDWARE_ETHERNET);
	be16_store(p + 2, ETHER_TYPE_IPV4);
	p[4] = ETHER_ADDR_LEN;
	p[5] = ARP_PROTOCOL_LEN_IPV4;
	be16_store(p + 6, arp->operation);
	memcpy(p + 8, arp->sender_mac.byte, ETHER_ADDR_LEN);
	be32_store(p + 14, arp->sender_ip);
	memcpy(p + 18, arp->target_mac.byte, ETHER_ADDR_LEN);
	be32_store(p + 24, arp->target_ip);
	return ARP_PACKET_LEN;
}
