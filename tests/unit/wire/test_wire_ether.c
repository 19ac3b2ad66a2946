/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_ether.h"

static enum drop_reason
parse(uint8_t *bytes, uint32_t len, struct ether_header *ret)
{
	const struct frame frame = {.data = bytes, .len = len};

	return wire_ether_parse(&frame, ret);
}

static void
test_ether_frame_shorter_than_its_header_is_dropped(void **state)
{
	uint8_t bytes[18] = {0};
	struct ether_header h = {.header_len = 7};

	(void)state;
	assert_int_equal(parse(bytes, 13, &h), DROP_ETH_SHORT);
	be16_store(
		bytes + 12, ETHER_TYPE_VLAN); /* and then the tag is missing, wholly or in part */
	assert_int_equal(parse(bytes, 14, &h), DROP_ETH_SHORT);
	assert_int_equal(parse(bytes, 17, &h), DROP_ETH_SHORT);
	assert_int_equal(h.header_len, 7); /* untouched */
	assert_int_equal(parse(bytes, 18, &h), DROP_NONE);
}

/* IEEE 802.1Q §9.6: priority and DEI stand above the twelve bits of the VLAN's number. */
static void
test_ether_tag_in_the_frame_gives_vlan_and_inner_type(void **state)
{
	uint8_t bytes[18] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00, 0xf1, 0x23, 0x08, 0x06};
	struct ether_header h;

	(void)state;
	assert_int_equal(parse(bytes, sizeof(bytes), &h), DROP_NONE);
	assert_int_equal(h.vlan_id, 0x123);
	assert_int_equal(h.type, ETHER_TYPE_ARP);
	assert_int_equal(h.header_len, 18);
	assert_int_equal(h.dst.byte[5], 2);
	assert_int_equal(h.src.byte[5], 1);
}

/* A frame that had two tags keeps one: what is inside is then no type of ours, not a tag again. */
static void
test_ether_tag_stripped_by_the_nic_is_taken_from_there(void **state)
{
	uint8_t bytes[18] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00};
	struct frame frame = {.data = bytes,
		.len = sizeof(bytes),
		.flags = FRAME_VLAN_STRIPPED,
		.vlan_tci = 0xe456};
	struct ether_header h;

	(void)state;
	assert_int_equal(wire_ether_parse(&frame, &h), DROP_NONE);
	assert_int_equal(h.vlan_id, 0x456);
	assert_int_equal(h.type, ETHER_TYPE_IPV4);
	assert_int_equal(h.header_len, 14);
	be16_store(bytes + 12, ETHER_TYPE_VLAN);
	assert_int_equal(wire_ether_parse(&frame, &h), DROP_NONE);
	assert_int_equal(h.type, ETHER_TYPE_VLAN);
	assert_int_equal(h.vlan_id, 0x456);
}

static void
test_ether_header_built_is_parsed_with_and_without_a_tag(void **state)
{
	struct ether_header in = {
		.dst = ether_addr_broadcast, .src = {{2, 0, 0, 0, 0, 1}}, .type = ETHER_TYPE_IPV4};
	struct ether_header out;
	uint8_t bytes[18];
	uint32_t len;

	(void)state;
	for (in.vlan_id = 0; in.vlan_id <= ETHER_VLAN_ID_MAX; in.vlan_id += 4094) {
		len = wire_ether_build(bytes, &in);
		assert_int_equal(len, in.vlan_id == 0 ? 14 : 18);
		assert_int_equal(parse(bytes, len, &out), DROP_NONE);
		assert_true(ether_addr_equal(&out.dst, &in.dst));
		assert_true(ether_addr_equal(&out.src, &in.src));
		assert_int_equal(out.type, in.type);
		assert_int_equal(out.vlan_id, in.vlan_id);
		assert_int_equal(out.header_len, len);
	}
}

static void
test_ether_addr_group_bit_is_the_first_bytes_lowest(void **state)
{
	const struct ether_addr unicast = {{2, 1, 1, 1, 1, 1}}, multicast = {{1, 0, 0x5e, 0, 0, 1}};

	(void)state;
	assert_false(ether_addr_is_multicast(&unicast));
	assert_true(ether_addr_is_multicast(&multicast));
	assert_true(ether_addr_is_multicast(&ether_addr_broadcast));
	assert_false(ether_addr_is_broadcast(&multicast));
	assert_true(ether_addr_is_broadcast(&ether_addr_broadcast));
}

static void
test_ether_addr_text_of_either_case_and_separator_is_parsed(void **state)
{
	static const char *const texts[] = {"02:a0:5e:1f:09:ff", "02-A0-5E-1F-09-FF"};
	char text[ETHER_ADDR_TEXT_LEN];
	struct ether_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(ether_addr_parse(texts[i], &a), 0);
		assert_string_equal(ether_addr_format(&a, text), "02:a0:5e:1f:09:ff");
	}
}

/* The characters next to the digits in ASCII are among them. */
static void
test_ether_addr_text_malformed_is_invalid_and_leaves_the_output(void **state)
{
	static const char *const texts[] = {"", "0", "02", "02:00:00:00:00",
		"02:00:00:00:00:", "02:00:00:00:00:0", "02:00:00:00:00:011", "02:00:00:00:00:01:02",
		"02.00.00.00.00.01", "020000000001", "2:0:0:0:0:1", "02:00:00:00:00:0g",
		"02:00:00:00:00:/0", "02:00:00:00:00:0:", "02:00:00:00:00:@0", "02:00:00:00:00:0G",
		"02:00:00:00:00:`0", " 02:00:00:00:00:01", "02:00:00:00:00:01 "};
	struct ether_addr a = {{9, 9, 9, 9, 9, 9}}, before = a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (ether_addr_parse(texts[i], &a) != -EINVAL)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_true(ether_addr_equal(&a, &before));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ether_frame_shorter_than_its_header_is_dropped),
		cmocka_unit_test(test_ether_tag_in_the_frame_gives_vlan_and_inner_type),
		cmocka_unit_test(test_ether_tag_stripped_by_the_nic_is_taken_from_there),
		cmocka_unit_test(test_ether_header_built_is_parsed_with_and_without_a_tag),
		cmocka_unit_test(test_ether_addr_group_bit_is_the_first_bytes_lowest),
		cmocka_unit_test(test_ether_addr_text_of_either_case_and_separator_is_parsed),
		cmocka_unit_test(test_ether_addr_text_malformed_is_invalid_and_leaves_the_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
