/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_ETHER_H
#define WIRE_ETHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "wire_frame.h"

#define ETHER_ADDR_LEN 6U
#define ETHER_HEADER_LEN 14U
#define ETHER_VLAN_LEN 4U
#define ETHER_TYPE_IPV4 0x0800U
#define ETHER_TYPE_ARP 0x0806U
#define ETHER_TYPE_VLAN 0x8100U
#define ETHER_TYPE_IPV6 0x86ddU
#define ETHER_VLAN_ID_MAX 4094U /* IEEE 802.1Q: 4095 is reserved; 0 is a priority tag */

struct ether_addr {
	uint8_t byte[ETHER_ADDR_LEN];
};

extern const struct ether_addr ether_addr_broadcast;

/** A parsed Ethernet header; vlan_id is 0 for an untagged or priority-tagged frame. */
struct ether_header {
	struct ether_addr dst, src;
	uint16_t type; /* EtherType after any tag */
	uint16_t vlan_id; /* 0..4094 */
	uint16_t header_len; /* bytes to the next header: 14 or 18 */
};

/**
 * Parses an Ethernet header with at most one 802.1Q tag, in the frame or stripped by the NIC.
 * Returns DROP_NONE and fills *ret, or DROP_ETH_SHORT.
 */
enum drop_reason wire_ether_parse(const struct frame *frame, struct ether_header *ret);

/** Writes the header (tagged when header->vlan_id is not 0) at p and returns its length in
 *  bytes, 14 or 18. The caller provides 18 bytes of room; header->header_len is ignored. */
uint32_t wire_ether_build(uint8_t *p, const struct ether_header *header);

bool ether_addr_equal(const struct ether_addr *a, const struct ether_addr *b);
bool ether_addr_is_broadcast(const struct ether_addr *a);
bool ether_addr_is_multicast(const struct ether_addr *a); /* group bit, broadcast included */

/** Parses "02:00:5e:10:00:01" (also with '-'). 0, or -EINVAL with *ret untouched. */
int ether_addr_parse(const char *text, struct ether_addr *ret);

/** Writes "02:00:5e:10:00:01" and a NUL to buf (18 bytes) and returns buf. */
#define ETHER_ADDR_TEXT_LEN 18U
char *ether_addr_format(const struct ether_addr *a, char *buf);

#endif
