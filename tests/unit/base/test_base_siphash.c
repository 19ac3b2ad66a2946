/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_siphash.h"

/* Key 00..0f and messages 00, 00 01, ...: the vectors of the SipHash paper's appendix A. */
static void
test_siphash_reference_vectors_match(void **state)
{
	const struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t message[15];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	assert_true(siphash24(&key, message, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash24(&key, message, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash24(&key, message, 8) == UINT64_C(0x93f5f5799a932462));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_reference_vectors_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
