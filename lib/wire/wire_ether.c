/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "base_bytes.h"
#include "wire_ether.h"

#define VLAN_ID_MASK 0x0fffU /* IEEE 802.1Q §9.6: the tag's low twelve bits */

const struct ether_addr ether_addr_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

enum drop_reason
wire_ether_parse(const struct frame *frame, struct ether_header *ret)
{
	const uint8_t *p = frame->data;
	uint16_t header_len = ETHER_HEADER_LEN, type, vlan_id = 0;

	if (frame->len < ETHER_HEADER_LEN)
		return DROP_ETH_SHORT;
	type = be16_load(p + 12);
	if (frame->flags & FRAME_VLAN_STRIPPED) {
		vlan_id = frame->vlan_tci & VLAN_ID_MASK;
	} else if (type == ETHER_TYPE_VLAN) {
		header_len += ETHER_VLAN_LEN;
		if (frame->len < header_len)
			return DROP_ETH_SHORT;
		vlan_id = be16_load(p + 14) & VLAN_ID_MASK;
		type = be16_load(p + 16);
	}
	memcpy(ret->dst.byte, p, ETHER_ADDR_LEN);
	memcpy(ret->src.byte, p + ETHER_ADDR_LEN, ETHER_ADDR_LEN);
	ret->type = type;
	ret->vlan_id = vlan_id;
	ret->header_len = header_len;
	return DROP_NONE;
}

uint32_t
wire_ether_build(uint8_t *p, const struct ether_header *header)
{
	uint8_t *at = p + 2 * ETHER_ADDR_LEN;

	memcpy(p, header->dst.byte, ETHER_ADDR_LEN);
	memcpy(p + ETHER_ADDR_LEN, header->src.byte, ETHER_ADDR_LEN);
	if (header->vlan_id != 0) {
		be16_store(at, ETHER_TYPE_VLAN);
		be16_store(at + 2, header->vlan_id);
		at += ETHER_VLAN_LEN;
	}
	be16_store(at, header->type);
	return (uint32_t)(at + 2 - p);
}

bool
ether_addr_equal(const struct ether_addr *a, const struct ether_addr *b)
{
	return memcmp(a->byte, b->byte, ETHER_ADDR_LEN) == 0;
}

bool
ether_addr_is_broadcast(const struct ether_addr *a)
{
	return ether_addr_equal(a, &ether_addr_broadcast);
}

bool
ether_addr_is_multicast(const struct ether_addr *a)
{
	return (a->byte[0] & 1U) != 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
ether_addr_parse(const char *text, struct ether_addr *ret)
{
	struct ether_addr a;
	unsigned int i;
	int high, low;

	for (i = 0; i < ETHER_ADDR_LEN; i++) {
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		a.byte[i] = (uint8_t)(high * 16 + low);
		text += 2;
		if (i + 1 < ETHER_ADDR_LEN && *text != ':' && *text != '-')
			return -EINVAL;
		text += i + 1 < ETHER_ADDR_LEN ? 1 : 0;
	}
	if (*text != '\0')
		return -EINVAL;
	*ret = a;
	return 0;
}

char *
ether_addr_format(const struct ether_addr *a, char *buf)
{
	snprintf(buf, ETHER_ADDR_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", a->byte[0], a->byte[1],
		a->byte[2], a->byte[3], a->byte[4], a->byte[5]);
	return buf;
}
