/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"

#define IPV4_VERSION 4U
#define IPV4_FLAG_DF 0x4000U
#define IPV4_FLAG_MF 0x2000U
#define IPV4_FRAGMENT_OFFSET 0x1fffU

enum drop_reason
wire_ipv4_parse(const uint8_t *data, uint32_t len, uint32_t frame_len, bool check_sum,
	struct ipv4_header *ret)
{
	uint32_t header_len, total_len;
	uint16_t fragment;

	if (len < IPV4_HEADER_LEN || data[0] >> 4 != IPV4_VERSION)
		return DROP_IP_HEADER;
	header_len = (data[0] & 0x0fU) * 4U;
	total_len = be16_load(data + 2);
	if (header_len < IPV4_HEADER_LEN || header_len > len || total_len < header_len)
		return DROP_IP_HEADER;
	if (total_len > frame_len)
		return DROP_IP_TRUNCATED;
	if (check_sum && wire_checksum_finish(wire_checksum_add(0, data, header_len)) != 0)
		return DROP_IP_CHECKSUM;
	fragment = be16_load(data + 6);
	ret->src = be32_load(data + 12);
	ret->dst = be32_load(data + 16);
	ret->total_len = (uint16_t)total_len;
	ret->header_len = (uint16_t)header_len;
	ret->id = be16_load(data + 4);
	ret->protocol = data[9];
	ret->ttl = data[8];
	ret->ecn = data[1] & IPV4_ECN_MASK;
	ret->fragment_offset = (uint16_t)((fragment & IPV4_FRAGMENT_OFFSET) * 8U);
	ret->more_fragments = (fragment & IPV4_FLAG_MF) != 0;
	ret->dont_fragment = (fragment & IPV4_FLAG_DF) != 0;
	return DROP_NONE;
}

uint32_t
wire_ipv4_build(uint8_t *p, const struct ipv4_header *header, bool fill_sum)
{
	p[0] = IPV4_VERSION << 4 | IPV4_HEADER_LEN / 4;
	p[1] = header->ecn & IPV4_ECN_MASK;
	be16_store(p + 2, header->total_len);
	be16_store(p + 4, header->id);
	be16_store(p + 6, IPV4_FLAG_DF);
	p[8] = header->ttl;
	p[9] = header->protocol;
	be16_store(p + 10, 0);
	be32_store(p + 12, header->src);
	be32_store(p + 16, header->dst);
	if (fill_sum)
		be16_store(p + 10, wire_checksum_finish(wire_checksum_add(0, p, IPV4_HEADER_LEN)));
	return IPV4_HEADER_LEN;
}

/* A decimal number of at most max without leading zeros, as inet_pton takes it. */
static bool
parse_small(const char **text, uint32_t max, uint32_t *ret)
{
	const char *p = *text;
	uint32_t value = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (uint32_t)(*p - '0');
		if (value > max)
			return false;
	}
	*text = p;
	*ret = value;
	return true;
}

static bool
parse_quad(const char **text, uint32_t *ret)
{
	uint32_t addr = 0, byte;
	int i;

	for (i = 0; i < 4; i++) {
		if (i > 0 && *(*text)++ != '.')
			return false;
		if (!parse_small(text, 255, &byte))
			return false;
		addr = addr << 8 | byte;
	}
	*ret = addr;
	return true;
}

int
ipv4_addr_parse(const char *text, uint32_t *ret)
{
	uint32_t addr;

	if (!parse_quad(&text, &addr) || *text != '\0')
		return -EINVAL;
	*ret = addr;
	return 0;
}

int
ipv4_cidr_parse(const char *text, uint32_t *ret_addr, uint8_t *ret_prefix_len)
{
	uint32_t addr, prefix_len = 32;

	if (!parse_quad(&text, &addr))
		return -EINVAL;
	if (*text == '/') {
		text++;
		if (!parse_small(&text, 32, &prefix_len))
			return -EINVAL;
	}
	if (*text != '\0')
		return -EINVAL;
	*ret_addr = addr;
	*ret_prefix_len = (uint8_t)prefix_len;
	return 0;
}

char *
ipv4_addr_format(uint32_t addr, char *buf)
{
	snprintf(buf, IPV4_ADDR_TEXT_LEN, "%u.%u.%u.%u", addr >> 24, (addr >> 16) & 0xff,
		(addr >> 8) & 0xff, addr & 0xff);
	return buf;
}

uint32_t
ipv4_prefix_mask(uint8_t prefix_len)
{
	return prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);
}
