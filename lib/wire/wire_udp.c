/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_udp.h"

#define CHECKSUM_OFFSET 6U

enum drop_reason
wire_udp_parse(const uint8_t *data, uint32_t len, struct udp_datagram *ret)
{
	uint16_t udp_len;

	if (len < UDP_HEADER_LEN)
		return DROP_UDP_HEADER;
	udp_len = be16_load(data + 4);
	if (udp_len < UDP_HEADER_LEN || udp_len > len)
		return DROP_UDP_LENGTH;
	*ret = (struct udp_datagram){
		.src_port = be16_load(data),
		.dst_port = be16_load(data + 2),
		.len = udp_len,
		.checksum = be16_load(data + CHECKSUM_OFFSET),
		.data = data + UDP_HEADER_LEN,
		.data_len = udp_len - UDP_HEADER_LEN,
	};
	return DROP_NONE;
}

enum drop_reason
wire_udp_verify(const uint8_t *data, const struct udp_datagram *udp, uint64_t pseudo)
{
	if (udp->checksum == 0)
		return DROP_NONE;
	if (wire_checksum_finish(wire_checksum_add(pseudo, data, udp->len)) == 0)
		return DROP_NONE;
	/* A kernel that counts on its NIC leaves just the pseudo-header's sum (CHECKSUM_PARTIAL). */
	if (udp->checksum == wire_checksum_fold(pseudo))
		return DROP_UDP_CHECKSUM_PARTIAL;
	return DROP_UDP_CHECKSUM;
}

uint32_t
wire_udp_build(uint8_t *p, const struct udp_datagram *udp, uint64_t pseudo)
{
	uint32_t len = UDP_HEADER_LEN + udp->data_len;
	uint16_t sum;

	be16_store(p, udp->src_port);
	be16_store(p + 2, udp->dst_port);
	be16_store(p + 4, (uint16_t)len);
	be16_store(p + CHECKSUM_OFFSET, 0);
	memcpy(p + UDP_HEADER_LEN, udp->data, udp->data_len);
	sum = wire_checksum_finish(wire_checksum_add(pseudo, p, len));
	be16_store(p + CHECKSUM_OFFSET, sum != 0 ? sum : 0xffff); /* RFC 768: 0 says "none" */
	return len;
}
