/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_checksum.h"
#include "wire_icmp.h"

#define ERROR_LEN 36U /* ICMP header, quoted IP header, eight bytes */

/* A port unreachable about 198.18.0.2:40000 -> 198.18.0.1:80; fragment: the quote's field. */
static enum drop_reason
parse_quote_of(uint16_t fragment, struct icmp_message *ret)
{
	uint8_t data[ERROR_LEN] = {3, 3, 0, 0, 0, 0, 0, 0, 0x45, 0, 5, 0xdc, 0, 7, 0, 0, 63, 6, 0,
		0, 198, 18, 0, 2, 198, 18, 0, 1, 0x9c, 0x40, 0, 80, 1, 2, 3, 4};

	be16_store(data + 14, fragment);
	be16_store(data + 2, wire_checksum_finish(wire_checksum_add(0, data, sizeof(data))));
	return wire_icmp_parse(data, sizeof(data), ret);
}

static void
test_icmp_quote_of_a_datagrams_beginning_gives_the_ports(void **state)
{
	const uint16_t fragments[] = {0, 0x4000, 0x2000}; /* none, DF, the first */
	struct icmp_message m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
		assert_int_equal(parse_quote_of(fragments[i], &m), DROP_NONE);
		assert_int_equal(m.quote.src_port, 40000);
		assert_int_equal(m.quote.total_len, 1500);
		assert_int_equal(m.quote.dst_port, 80);
		assert_int_equal(m.quote.seq, 0x01020304);
	}
}

static void
test_icmp_quote_of_a_later_fragment_is_malformed(void **state)
{
	struct icmp_message m;

	(void)state;
	assert_int_equal(parse_quote_of(0x0001, &m), DROP_ICMP_MALFORMED);
	assert_int_equal(parse_quote_of(0x3000, &m), DROP_ICMP_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_icmp_quote_of_a_datagrams_beginning_gives_the_ports),
		cmocka_unit_test(test_icmp_quote_of_a_later_fragment_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
