/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_FIXTURE_H
#define WIRE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_ip.h"

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** The IPv6 address of this text, which must be one. */
static inline struct ipv6_addr
fx_v6(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	assert_int_equal(a.family, 6);
	return a.v6;
}

#endif
