/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_dhcp.h"

#define OPTIONS 240U
#define SNAME 44U
#define FILE_FIELD 108U

/* An ACK with nothing but its fixed fields; the options are the test's. */
static void
bare(uint8_t *p)
{
	memset(p, 0, 600);
	p[0] = DHCP_OP_REPLY;
	p[1] = 1;
	p[2] = 6;
	be32_store(p + 236, 0x63825363);
	p[OPTIONS] = 255;
}

static enum drop_reason
parse(const uint8_t *p, uint32_t len, struct dhcp_message *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum drop_reason drop;

	assert_non_null(copy);
	memcpy(copy, p, len);
	drop = wire_dhcp_parse(copy, len, ret);
	free(copy);
	return drop;
}

/* The options as given, in an ACK of just their length. */
static enum drop_reason
parse_options(const void *options, uint32_t len, struct dhcp_message *ret)
{
	uint8_t p[600];

	bare(p);
	memcpy(p + OPTIONS, options, len);
	return parse(p, OPTIONS + len, ret);
}

static void
test_dhcp_what_was_built_is_parsed(void **state)
{
	const struct dhcp_message m = {
		.op = DHCP_OP_REPLY,
		.type = DHCP_TYPE_ACK,
		.broadcast = true,
		.secs = 7,
		.xid = 0x01020304,
		.ciaddr = 0x0a000001,
		.yiaddr = 0x0a000002,
		.giaddr = 0x0a000003,
		.chaddr = {{2, 0, 0, 0, 0, 9}},
		.requested = 0x0a000004,
		.server_id = 0x0a000005,
		.subnet_mask = 0xffffff00,
		.router = 0x0a000006,
		.dns = {0x0a000007, 0x0a000008, 0x0a000009},
		.dns_count = 3,
		.lease_s = 3600,
		.t1_s = 1800,
		.t2_s = 3150,
		.mtu = 1400,
	};
	struct dhcp_message ret;
	uint8_t p[DHCP_MESSAGE_LEN_MAX];
	uint32_t len = wire_dhcp_build(p, &m);

	(void)state;
	assert_true(len >= DHCP_MESSAGE_LEN_MIN && len <= DHCP_MESSAGE_LEN_MAX);
	memset(&ret, 0, sizeof(ret));
	assert_int_equal(parse(p, len, &ret), DROP_NONE);
	assert_memory_equal(&ret, &m, sizeof(m));
}

static void
test_dhcp_request_has_client_id_and_wishes_as_rfc_2132_says(void **state)
{
	static const uint8_t options[] = {53, 1, 1, 61, 7, 1, 2, 0, 0, 0, 0, 9, 57, 2, 5, 0xc0, 55,
		7, 1, 3, 6, 26, 51, 58, 59, 255};
	const struct dhcp_message m = {
		.op = DHCP_OP_REQUEST, .type = DHCP_TYPE_DISCOVER, .chaddr = {{2, 0, 0, 0, 0, 9}}};
	uint8_t p[DHCP_MESSAGE_LEN_MAX];

	(void)state;
	assert_int_equal(wire_dhcp_build(p, &m), DHCP_MESSAGE_LEN_MIN);
	assert_memory_equal(p + OPTIONS, options, sizeof(options));
	assert_memory_equal(p + 28, m.chaddr.byte, 6);
}

static void
test_dhcp_message_cut_short_or_of_another_kind_is_malformed(void **state)
{
	uint8_t p[600];
	struct dhcp_message m = {.type = 77};
	uint32_t len;

	(void)state;
	bare(p);
	for (len = 0; len < OPTIONS; len++)
		assert_int_equal(parse(p, len, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse(p, OPTIONS + 1, &m), DROP_NONE);
	m.type = 77;
	p[1] = 6;
	assert_int_equal(parse(p, OPTIONS + 1, &m), DROP_DHCP_MALFORMED);
	bare(p);
	p[2] = 16;
	assert_int_equal(parse(p, OPTIONS + 1, &m), DROP_DHCP_MALFORMED);
	bare(p);
	p[239] ^= 1;
	assert_int_equal(parse(p, OPTIONS + 1, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(m.type, 77); /* untouched */
}

static void
test_dhcp_option_that_passes_the_end_is_malformed(void **state)
{
	struct dhcp_message m;

	(void)state;
	assert_int_equal(parse_options("\x35\1\5", 3, &m), DROP_NONE); /* no END: tolerated */
	assert_int_equal(m.type, DHCP_TYPE_ACK);
	assert_int_equal(parse_options("\0\0\x35\1\5\xff\x35", 7, &m), DROP_NONE);
	assert_int_equal(parse_options("\x35", 1, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\x35\1", 2, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\x36\4\1\2\3", 5, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\x36\xff\1\2\3\4", 6, &m), DROP_DHCP_MALFORMED);
}

static void
test_dhcp_option_of_a_wrong_length_is_malformed(void **state)
{
	static const uint8_t fixed[] = {1, 50, 51, 54, 58, 59};
	uint8_t option[10] = {0};
	struct dhcp_message m;
	uint32_t i, len;

	(void)state;
	for (i = 0; i < sizeof(fixed); i++) {
		for (len = 1; len <= 8; len++) {
			option[0] = fixed[i];
			option[1] = (uint8_t)len;
			assert_int_equal(parse_options(option, 2 + len, &m),
				len == 4 ? DROP_NONE : DROP_DHCP_MALFORMED);
		}
	}
	assert_int_equal(parse_options("\x35\2\5\5", 4, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\x1a\1\5", 3, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\6\5\1\2\3\4\5", 7, &m), DROP_DHCP_MALFORMED);
	assert_int_equal(parse_options("\3\6\1\2\3\4\5\6", 8, &m), DROP_DHCP_MALFORMED);
}

/* RFC 2132 §9.3: options go on in "file", then in "sname". */
static void
test_dhcp_overloaded_fields_hold_options(void **state)
{
	uint8_t p[600], overload;
	struct dhcp_message m;

	(void)state;
	for (overload = 0; overload <= 3; overload++) {
		bare(p);
		memcpy(p + OPTIONS, "\x34\1\0\x35\1\5\xff", 7);
		p[OPTIONS + 2] = overload;
		memcpy(p + FILE_FIELD, "\3\4\1\2\3\4\xff", 7);
		memcpy(p + SNAME, "\x36\4\5\6\7\x8\xff", 7);
		assert_int_equal(parse(p, OPTIONS + 7, &m), DROP_NONE);
		assert_int_equal(m.router, overload & 1 ? 0x01020304 : 0);
		assert_int_equal(m.server_id, overload & 2 ? 0x05060708 : 0);
	}
	p[OPTIONS + 2] = 4;
	assert_int_equal(parse(p, OPTIONS + 7, &m), DROP_DHCP_MALFORMED);
	p[OPTIONS + 2] = 3;
	p[SNAME + 6] = 77; /* an option of 0 bytes instead of END ... */
	memset(p + SNAME + 7, 0, 64 - 7);
	assert_int_equal(parse(p, OPTIONS + 7, &m), DROP_NONE);
	p[SNAME + 62] = 77;
	p[SNAME + 63] = 1; /* ... and one that reaches into the next field */
	assert_int_equal(parse(p, OPTIONS + 7, &m), DROP_DHCP_MALFORMED);
	bare(p);
	memcpy(p + OPTIONS, "\x34\2\1\1\xff", 5);
	assert_int_equal(parse(p, OPTIONS + 5, &m), DROP_DHCP_MALFORMED);
}

/* RFC 3396 §5: the pieces are joined over all fields, "file" before "sname". */
static void
test_dhcp_option_in_pieces_is_joined(void **state)
{
	uint8_t p[600];
	struct dhcp_message m;

	(void)state;
	assert_int_equal(parse_options("\6\3\1\2\3\x35\1\2\6\5\4\5\6\7\x8", 15, &m), DROP_NONE);
	assert_int_equal(m.dns_count, 2);
	assert_int_equal(m.dns[0], 0x01020304);
	assert_int_equal(m.dns[1], 0x05060708);
	bare(p);
	memcpy(p + OPTIONS, "\x34\1\3\x36\1\1\xff", 7);
	memcpy(p + SNAME, "\x36\1\4\xff", 4);
	memcpy(p + FILE_FIELD, "\x36\2\2\3\xff", 5);
	assert_int_equal(parse(p, OPTIONS + 7, &m), DROP_NONE);
	assert_int_equal(m.server_id, 0x01020304);
}

static void
test_dhcp_lists_longer_than_ours_are_cut(void **state)
{
	struct dhcp_message m;

	(void)state;
	assert_int_equal(
		parse_options("\6\x14\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4\5\5\5\5\3\x8\6\6\6\6\7\7\7\7",
			32, &m),
		DROP_NONE);
	assert_int_equal(m.dns_count, DHCP_DNS_MAX);
	assert_int_equal(m.dns[2], 0x03030303);
	assert_int_equal(m.router, 0x06060606);
}

static void
test_dhcp_text_is_cut_and_made_printable(void **state)
{
	uint8_t option[257];
	struct dhcp_message m;

	(void)state;
	assert_int_equal(parse_options("\x38\6no\x1b[\xffx", 8, &m), DROP_NONE);
	assert_string_equal(m.text, "no?[?x");
	memset(option, 'a', sizeof(option));
	option[0] = 56;
	option[1] = 255;
	assert_int_equal(parse_options(option, sizeof(option), &m), DROP_NONE);
	assert_int_equal(strlen(m.text), DHCP_TEXT_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_what_was_built_is_parsed),
		cmocka_unit_test(test_dhcp_request_has_client_id_and_wishes_as_rfc_2132_says),
		cmocka_unit_test(test_dhcp_message_cut_short_or_of_another_kind_is_malformed),
		cmocka_unit_test(test_dhcp_option_that_passes_the_end_is_malformed),
		cmocka_unit_test(test_dhcp_option_of_a_wrong_length_is_malformed),
		cmocka_unit_test(test_dhcp_overloaded_fields_hold_options),
		cmocka_unit_test(test_dhcp_option_in_pieces_is_joined),
		cmocka_unit_test(test_dhcp_lists_longer_than_ours_are_cut),
		cmocka_unit_test(test_dhcp_text_is_cut_and_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
