/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a frame through all parsers; a TCP header that parses is built and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "wire_arp.h"
#include "wire_ether.h"
#include "wire_icmp.h"
#include "wire_ipv4.h"
#include "wire_tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_tcp(const uint8_t *data, uint32_t len)
{
	static uint8_t built[UINT16_MAX + TCP_HEADER_LEN_MAX];
	struct tcp_segment s = {0}, again = {0};
	uint32_t header_len;

	if (wire_tcp_parse(data, len, &s) != DROP_NONE)
		return;
	CHECK(s.payload.data + s.payload.len == data + len);
	header_len = wire_tcp_header_len(&s);
	CHECK(header_len <= TCP_HEADER_LEN_MAX);
	CHECK(wire_tcp_parse(built, wire_tcp_build(built, &s), &again) == DROP_NONE);
	CHECK(again.seq == s.seq && again.ack == s.ack && again.flags == s.flags);
	CHECK((again.options | TCP_OPT_SACK) == (s.options | TCP_OPT_SACK));
	CHECK(again.payload.len == s.payload.len && again.sack_count <= s.sack_count);
	/* A SACK block is left out only where it has no room; the first needs four bytes more. */
	if (again.sack_count < s.sack_count)
		CHECK(header_len + (again.sack_count > 0 ? 8 : 12) > TCP_HEADER_LEN_MAX);
	CHECK(memcmp(again.payload.data, s.payload.data, s.payload.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct frame frame = {.data = copy, .len = (uint32_t)size};
	struct ether_header ether;
	struct ipv4_header ip;
	struct arp_packet arp;
	struct icmp_message icmp;
	uint8_t *l3, *l4;
	uint32_t len;

	if (copy == NULL || size > UINT16_MAX) {
		free(copy);
		return 0;
	}
	memcpy(copy, data, size);
	if (wire_ether_parse(&frame, &ether) == DROP_NONE) {
		l3 = copy + ether.header_len;
		len = (uint32_t)size - ether.header_len;
		(void)wire_arp_parse(l3, len, &arp);
		if (wire_ipv4_parse(l3, len, len, false, &ip) == DROP_NONE) {
			l4 = l3 + ip.header_len;
			len = (uint32_t)ip.total_len - ip.header_len;
			(void)wire_icmp_parse(l4, len, &icmp);
			check_tcp(l4, len);
		}
	}
	free(copy);
	return 0;
}
