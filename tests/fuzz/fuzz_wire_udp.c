/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a UDP datagram; one that parses is built and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "wire_udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t built[UINT16_MAX];
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct udp_datagram udp, again;

	if (copy == NULL || size > UINT16_MAX) {
		free(copy);
		return 0;
	}
	memcpy(copy, data, size);
	if (wire_udp_parse(copy, (uint32_t)size, &udp) == DROP_NONE) {
		CHECK(udp.data + udp.data_len <= copy + size && udp.len == udp.data_len + 8);
		(void)wire_udp_verify(copy, &udp, 0x1234);
		CHECK(wire_udp_build(built, &udp, 0x1234) == udp.len);
		CHECK(wire_udp_parse(built, udp.len, &again) == DROP_NONE);
		CHECK(wire_udp_verify(built, &again, 0x1234) == DROP_NONE);
		CHECK(again.src_port == udp.src_port && again.dst_port == udp.dst_port);
		CHECK(memcmp(again.data, udp.data, udp.data_len) == 0);
	}
	free(copy);
	return 0;
}
