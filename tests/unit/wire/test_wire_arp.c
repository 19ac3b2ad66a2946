/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire_arp.h"

static const struct arp_packet request = {.operation = ARP_REQUEST,
	.sender_mac = {{2, 0, 0, 0, 0, 2}},
	.sender_ip = 0xc6120002,
	.target_mac = {{0}},
	.target_ip = 0xc6120001};

/* RFC 826, "Packet format". */
static void
test_arp_packet_built_has_the_bytes_of_rfc826(void **state)
{
	static const uint8_t expected[ARP_PACKET_LEN] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2,
		198, 18, 0, 2, 0, 0, 0, 0, 0, 0, 198, 18, 0, 1};
	uint8_t bytes[ARP_PACKET_LEN];

	(void)state;
	assert_int_equal(wire_arp_build(bytes, &request), ARP_PACKET_LEN);
	assert_memory_equal(bytes, expected, ARP_PACKET_LEN);
}

static void
test_arp_packet_built_is_parsed_padding_ignored(void **state)
{
	uint8_t bytes[46] = {0};
	struct arp_packet a;

	(void)state;
	wire_arp_build(bytes, &request);
	assert_int_equal(wire_arp_parse(bytes, sizeof(bytes), &a), DROP_NONE);
	assert_int_equal(a.operation, ARP_REQUEST);
	assert_memory_equal(a.sender_mac.byte, request.sender_mac.byte, ETHER_ADDR_LEN);
	assert_int_equal(a.sender_ip, request.sender_ip);
	assert_int_equal(a.target_ip, request.target_ip);
}

/* RFC 826, "Packet reception": hardware, protocol and their lengths are looked at first. */
static void
test_arp_packet_short_or_of_other_networks_is_malformed(void **state)
{
	uint8_t bytes[ARP_PACKET_LEN];
	struct arp_packet a = {.operation = 7};
	uint32_t at;

	(void)state;
	wire_arp_build(bytes, &request);
	assert_int_equal(wire_arp_parse(bytes, ARP_PACKET_LEN - 1, &a), DROP_ARP_MALFORMED);
	for (at = 0; at < 6; at++) {
		wire_arp_build(bytes, &request);
		bytes[at] ^= 1;
		assert_int_equal(wire_arp_parse(bytes, ARP_PACKET_LEN, &a), DROP_ARP_MALFORMED);
	}
	assert_int_equal(a.operation, 7); /* untouched */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp_packet_built_has_the_bytes_of_rfc826),
		cmocka_unit_test(test_arp_packet_built_is_parsed_padding_ignored),
		cmocka_unit_test(test_arp_packet_short_or_of_other_networks_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
