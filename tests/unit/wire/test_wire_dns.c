/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire_dns.h"

/* An answer under construction. */
struct message {
	uint8_t p[16384];
	uint32_t len;
};

static struct dns_query
query_for(const char *name, enum dns_type type)
{
	struct dns_query q = {.id = 0x1234, .type = type};

	snprintf(q.name, sizeof(q.name), "%s", name);
	return q;
}

/* The query's bytes with the response bit set, and no EDNS record. */
static struct message
begin(const struct dns_query *q)
{
	struct message m;
	int len = wire_dns_build_query(m.p, sizeof(m.p), q);

	assert_true(len > 0);
	m.len = (uint32_t)len;
	be16_store(m.p + 2, 0x8180);
	return m;
}

static void
put(struct message *m, const void *bytes, uint32_t len)
{
	assert_true(m->len + len <= sizeof(m->p));
	memcpy(m->p + m->len, bytes, len);
	m->len += len;
}

/* A record of this owner (in wire format), counted among the answers. */
static void
add(struct message *m, const void *owner, uint32_t owner_len, uint16_t type, const void *rdata,
	uint32_t rdata_len)
{
	uint8_t fixed[10] = {0, 0, 0, 1, 0, 0, 0, 60, 0, 0};

	be16_store(fixed, type);
	be16_store(fixed + 8, (uint16_t)rdata_len);
	put(m, owner, owner_len);
	put(m, fixed, sizeof(fixed));
	put(m, rdata, rdata_len);
	be16_store(m->p + 6, (uint16_t)(be16_load(m->p + 6) + 1));
}

#define QNAME "\xc0\x0c", 2 /* a pointer to the question's name */
#define ALIAS "\1x\3lab\0", 7
#define OTHER "\1y\3lab\0", 7

static enum drop_reason
parse(const struct message *m, const struct dns_query *q, struct dns_answer *ret)
{
	uint8_t *copy = malloc(m->len);
	enum drop_reason drop;

	assert_non_null(copy);
	memcpy(copy, m->p, m->len);
	drop = wire_dns_parse(copy, m->len, q, ret);
	free(copy);
	return drop;
}

static void
test_dns_query_is_what_rfc_1035_and_6891_say(void **state)
{
	static const uint8_t expected[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1\3www\3lab\0\0\x1c\0\1"
					  "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct dns_query q = query_for("www.lab", DNS_TYPE_AAAA);
	uint8_t p[DNS_QUERY_LEN_MAX];

	(void)state;
	q.edns = true;
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), sizeof(expected) - 1);
	assert_memory_equal(p, expected, sizeof(expected) - 1);
	q.edns = false;
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), sizeof(expected) - 1 - 11);
	assert_int_equal(be16_load(p + 10), 0);
	assert_int_equal(wire_dns_build_query(p, sizeof(expected) - 1 - 12, &q), -EMSGSIZE);
}

static void
test_dns_query_for_what_is_no_name_is_refused(void **state)
{
	static const char label[] =
		"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"; /* 63 */
	char text[DNS_NAME_MAX];
	struct dns_query q = query_for("", DNS_TYPE_A);
	uint8_t p[DNS_QUERY_LEN_MAX];

	(void)state;
	q.edns = true;
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), -EINVAL);
	q = query_for(".", DNS_TYPE_A);
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), -EINVAL);
	q = query_for("a..b", DNS_TYPE_A);
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), -EINVAL);
	snprintf(text, sizeof(text), "%sd.lab", label);
	q = query_for(text, DNS_TYPE_A);
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), -EINVAL);
	/* 3 * 64 + 62 + 1 = 255 bytes are the longest name; one more is too long. */
	snprintf(text, sizeof(text), "%s.%s.%s.%.61s", label, label, label, label);
	q = query_for(text, DNS_TYPE_A);
	q.edns = true;
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), DNS_QUERY_LEN_MAX);
	snprintf(text, sizeof(text), "%s.%s.%s.%.62s", label, label, label, label);
	q = query_for(text, DNS_TYPE_A);
	assert_int_equal(wire_dns_build_query(p, sizeof(p), &q), -EINVAL);
}

static void
test_dns_addresses_of_the_name_are_taken_others_left(void **state)
{
	struct dns_query q = query_for("WWW.lab.", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;

	(void)state;
	add(&m, "\3www\3LAB\0", 9, DNS_TYPE_A, "\xc6\x12\0\1", 4); /* RFC 4343: without case */
	add(&m, OTHER, DNS_TYPE_A, "\1\2\3\4", 4);
	add(&m, QNAME, 16, "\3txt", 4);
	add(&m, QNAME, DNS_TYPE_AAAA, "0123456789abcdef", 16);
	add(&m, QNAME, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.rcode, DNS_RCODE_NOERROR);
	assert_int_equal(a.count, 2);
	assert_memory_equal(a.address[0], "\xc6\x12\0\1", 4);
	assert_memory_equal(a.address[1], "\xc6\x12\0\5", 4);
	q.type = DNS_TYPE_AAAA;
	be16_store(m.p + 12 + 9, DNS_TYPE_AAAA);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.count, 1);
	assert_memory_equal(a.address[0], "0123456789abcdef", 16);
}

static void
test_dns_more_addresses_than_there_is_room_for_are_left_out(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;
	uint8_t address[4] = {10, 0, 0, 0};

	(void)state;
	for (; address[3] < 100; address[3]++)
		add(&m, QNAME, DNS_TYPE_A, address, 4);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.count, DNS_ADDRESSES_MAX);
	assert_int_equal(a.address[DNS_ADDRESSES_MAX - 1][3], DNS_ADDRESSES_MAX - 1);
	for (; address[3] < 200; address[3]++)
		add(&m, QNAME, DNS_TYPE_A, address, 4);
	for (address[3] = 0; address[3] < 57; address[3]++)
		add(&m, QNAME, DNS_TYPE_A, address, 4);
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED); /* 257 records */
}

static void
test_dns_aliases_are_followed_in_any_order(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;

	(void)state;
	add(&m, OTHER, DNS_TYPE_A, "\xc6\x12\0\7", 4);
	add(&m, ALIAS, DNS_TYPE_CNAME, OTHER);
	add(&m, QNAME, DNS_TYPE_CNAME, ALIAS);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.count, 1);
	assert_memory_equal(a.address[0], "\xc6\x12\0\7", 4);
	assert_string_equal(a.name, "y.lab");
}

static void
test_dns_alias_that_leads_nowhere_names_its_end(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;

	(void)state;
	assert_int_equal(parse(&m, &q, &a), DROP_NONE); /* the name exists, without an address */
	assert_int_equal(a.count, 0);
	assert_string_equal(a.name, "www.lab");
	add(&m, QNAME, DNS_TYPE_CNAME, ALIAS);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.count, 0);
	assert_string_equal(a.name, "x.lab");
}

/* a.lab is b.lab is c.lab ... */
static void
add_aliases(struct message *m, uint32_t n)
{
	uint8_t from[7] = {1, 'a', 3, 'l', 'a', 'b', 0}, to[7] = {1, 'b', 3, 'l', 'a', 'b', 0};
	uint32_t i;

	for (i = 0; i < n; i++, from[1]++, to[1]++)
		add(m, from, 7, DNS_TYPE_CNAME, to, 7);
	add(m, from, 7, DNS_TYPE_A, "\xc6\x12\0\7", 4);
}

static void
test_dns_chain_of_aliases_is_bounded(void **state)
{
	struct dns_query q = query_for("a.lab", DNS_TYPE_A);
	struct message m = begin(&q), loop = begin(&q);
	struct dns_answer a;

	(void)state;
	add_aliases(&m, DNS_CNAMES_MAX);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_int_equal(a.count, 1);
	assert_string_equal(a.name, "i.lab");
	m = begin(&q);
	add_aliases(&m, DNS_CNAMES_MAX + 1);
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
	add(&loop, QNAME, DNS_TYPE_CNAME, ALIAS);
	add(&loop, ALIAS, DNS_TYPE_CNAME, "\xc0\x0c", 2);
	assert_int_equal(parse(&loop, &q, &a), DROP_DNS_MALFORMED);
}

static void
test_dns_answer_to_another_question_does_not_match(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A),
			 other = query_for("wwx.lab", DNS_TYPE_A);
	struct message m = begin(&q), bad;
	struct dns_answer a = {.rcode = 77};

	(void)state;
	add(&m, QNAME, DNS_TYPE_A, "\xc6\x12\0\1", 4);
	assert_int_equal(parse(&m, &other, &a), DROP_DNS_MISMATCH);
	other = query_for("www.lab", DNS_TYPE_AAAA);
	assert_int_equal(parse(&m, &other, &a), DROP_DNS_MISMATCH);
	other = q;
	other.id ^= 0x100;
	assert_int_equal(parse(&m, &other, &a), DROP_DNS_MISMATCH);
	bad = m;
	bad.p[2] &= 0x7f; /* a query */
	assert_int_equal(parse(&bad, &q, &a), DROP_DNS_MISMATCH);
	bad = m;
	bad.p[2] |= 0x08; /* another opcode */
	assert_int_equal(parse(&bad, &q, &a), DROP_DNS_MISMATCH);
	bad = m;
	bad.p[12 + 9 + 3] = 3; /* class CHAOS */
	assert_int_equal(parse(&bad, &q, &a), DROP_DNS_MISMATCH);
	assert_int_equal(a.rcode, 77); /* untouched */
}

static void
test_dns_rcode_and_tc_are_told(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;
	uint8_t rcode;

	(void)state;
	add(&m, QNAME, DNS_TYPE_A, "\xc6\x12\0\1", 4);
	for (rcode = 1; rcode < 16; rcode++) {
		m.p[3] = (uint8_t)(0x80 | rcode);
		assert_int_equal(parse(&m, &q, &a), DROP_NONE);
		assert_int_equal(a.rcode, rcode);
		assert_int_equal(a.count, 0);
	}
	m.p[3] = 0x80;
	m.p[2] |= 2;
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	assert_true(a.truncated);
	assert_int_equal(a.count, 0);
}

static void
test_dns_answer_that_is_cut_short_anywhere_is_dropped(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;

	(void)state;
	add(&m, QNAME, DNS_TYPE_CNAME, ALIAS);
	add(&m, ALIAS, DNS_TYPE_A, "\xc6\x12\0\1", 4);
	assert_int_equal(parse(&m, &q, &a), DROP_NONE);
	while (m.len-- > 1)
		assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
}

static void
test_dns_names_and_lengths_that_lie_are_dropped(void **state)
{
	struct dns_query q = query_for("www.lab", DNS_TYPE_A);
	struct message m = begin(&q);
	struct dns_answer a;
	uint8_t self[2] = {0xc0, 0};

	(void)state;
	self[1] = (uint8_t)m.len; /* a pointer to itself */
	add(&m, self, 2, DNS_TYPE_A, "\xc6\x12\0\1", 4);
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
	m = begin(&q);
	add(&m, "\xff\xff", 2, DNS_TYPE_A, "\xc6\x12\0\1", 4); /* beyond the end */
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
	m = begin(&q);
	add(&m, QNAME, DNS_TYPE_CNAME, "\7x", 2); /* a label beyond the end */
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
	m = begin(&q);
	add(&m, QNAME, DNS_TYPE_A, "\xc6\x12\0", 3); /* three bytes of address */
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
	m = begin(&q);
	add(&m, QNAME, DNS_TYPE_A, "0123456789abcdef", 16);
	assert_int_equal(parse(&m, &q, &a), DROP_DNS_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_query_is_what_rfc_1035_and_6891_say),
		cmocka_unit_test(test_dns_query_for_what_is_no_name_is_refused),
		cmocka_unit_test(test_dns_addresses_of_the_name_are_taken_others_left),
		cmocka_unit_test(test_dns_more_addresses_than_there_is_room_for_are_left_out),
		cmocka_unit_test(test_dns_aliases_are_followed_in_any_order),
		cmocka_unit_test(test_dns_alias_that_leads_nowhere_names_its_end),
		cmocka_unit_test(test_dns_chain_of_aliases_is_bounded),
		cmocka_unit_test(test_dns_answer_to_another_question_does_not_match),
		cmocka_unit_test(test_dns_rcode_and_tc_are_told),
		cmocka_unit_test(test_dns_answer_that_is_cut_short_anywhere_is_dropped),
		cmocka_unit_test(test_dns_names_and_lengths_that_lie_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
