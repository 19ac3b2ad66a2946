/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "dns_resolver.h"

/* A resolver and servers that answer as the test says, in virtual time. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define SERVER(i) (UINT32_C(0xc6120001) + (i))
#define FLAG_TC 0x0200U

struct fixture {
	struct dns_resolver *r;
	struct counters counters;
	uint64_t now_ns;
	struct dns_output out; /* the last question */
	uint8_t message[2048]; /* the answer under construction */
	uint32_t len;
};

static void
start(struct fixture *f, uint32_t servers, const char *name, uint8_t family)
{
	struct dns_config cfg = {.server_count = servers, .key = {1, 2}, .counters = &f->counters};
	uint32_t i;

	memset(f, 0, sizeof(*f));
	f->now_ns = 1000 * NS_PER_SEC;
	for (i = 0; i < servers; i++)
		cfg.server[i] = (struct ip_address){.family = 4, .v4 = SERVER(i)};
	f->r = dns_resolver_create(&cfg);
	assert_non_null(f->r);
	assert_int_equal(dns_resolver_start(f->r, name, family), 0);
}

static const struct dns_result *
result(const struct fixture *f)
{
	return dns_resolver_result(f->r);
}

static void
finish(struct fixture *f, enum dns_outcome outcome)
{
	assert_int_equal(result(f)->outcome, outcome);
	assert_int_equal(dns_resolver_deadline(f->r), TIME_NEVER);
	assert_false(dns_resolver_output(f->r, f->now_ns + 100 * NS_PER_SEC, &f->out));
	dns_resolver_destroy(f->r);
}

/* The question that is due goes to this server. */
static void
expect(struct fixture *f, uint32_t server, bool tcp)
{
	assert_true(dns_resolver_output(f->r, f->now_ns, &f->out));
	assert_int_equal(f->out.server.v4, SERVER(server));
	assert_int_equal(f->out.tcp, tcp);
	if (tcp) {
		assert_int_equal(be16_load(f->out.data), f->out.len - 2);
		f->out.data += 2;
		f->out.len -= 2;
	}
	assert_false(dns_resolver_output(f->r, f->now_ns, &(struct dns_output){0}));
}

static void
wait_for_next(struct fixture *f, uint64_t ns)
{
	struct dns_output none;

	assert_int_equal(dns_resolver_deadline(f->r), f->now_ns + ns);
	f->now_ns += ns - 1;
	assert_false(dns_resolver_output(f->r, f->now_ns, &none));
	f->now_ns++;
}

/* The question's own header and question, as an answer without records. */
static void
begin_answer(struct fixture *f, uint16_t flags)
{
	const uint8_t *end = memchr(f->out.data + 12, 0, f->out.len - 12);

	assert_non_null(end);
	f->len = (uint32_t)(end + 5 - f->out.data);
	memcpy(f->message, f->out.data, f->len);
	be16_store(f->message + 2, (uint16_t)(0x8180 | flags));
	memset(f->message + 6, 0, 6);
}

static void
add_record(struct fixture *f, uint16_t type, const void *rdata, uint32_t len)
{
	uint8_t *p = f->message + f->len;

	memcpy(p, "\xc0\x0c\0\0\0\1\0\0\0\x3c", 10);
	be16_store(p + 2, type);
	be16_store(p + 10, (uint16_t)len);
	memcpy(p + 12, rdata, len);
	f->len += 12 + len;
	be16_store(f->message + 6, (uint16_t)(be16_load(f->message + 6) + 1));
}

static enum drop_reason
deliver_from(struct fixture *f, uint32_t server, uint16_t port)
{
	const struct ip_address from = {.family = 4, .v4 = SERVER(server)};

	return dns_resolver_input(f->r, &from, port, f->message, f->len, f->now_ns);
}

static void
deliver(struct fixture *f)
{
	const struct ip_address from = f->out.server;

	assert_int_equal(
		dns_resolver_input(f->r, &from, 53, f->message, f->len, f->now_ns), DROP_NONE);
}

static void
answer_rcode(struct fixture *f, uint16_t rcode)
{
	begin_answer(f, rcode);
	deliver(f);
}

TEST(test_dns_answer_gives_all_addresses_in_order)
{
	struct fixture f;

	start(&f, 1, "www.lab", 4);
	assert_int_equal(dns_resolver_deadline(f.r), 0);
	expect(&f, 0, false);
	assert_int_equal(be16_load(f.out.data + 10), 1); /* EDNS */
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\4", 4);
	deliver(&f);
	assert_int_equal(result(&f)->count, 2);
	assert_int_equal(result(&f)->address[0].family, 4);
	assert_int_equal(result(&f)->address[0].v4, 0xc6120005);
	assert_int_equal(result(&f)->address[1].v4, 0xc6120004);
	assert_int_equal(result(&f)->questions, 1);
	assert_int_equal(result(&f)->server.v4, SERVER(0));
	finish(&f, DNS_FOUND);
}

TEST(test_dns_aaaa_is_asked_for_as_told)
{
	static const uint8_t families[] = {6, 0};
	struct fixture f;
	size_t i;

	for (i = 0; i < 2; i++) {
		start(&f, 1, "six.lab", families[i]);
		expect(&f, 0, false);
		if (families[i] == 0) { /* A first */
			assert_int_equal(be16_load(f.out.data + 12 + 9), DNS_TYPE_A);
			begin_answer(&f, 0);
			deliver(&f);
			expect(&f, 0, false);
		}
		assert_int_equal(be16_load(f.out.data + 12 + 9), DNS_TYPE_AAAA);
		begin_answer(&f, 0);
		add_record(&f, DNS_TYPE_AAAA, "0123456789abcdef", 16);
		deliver(&f);
		assert_int_equal(result(&f)->address[0].family, 6);
		assert_memory_equal(result(&f)->address[0].v6.byte, "0123456789abcdef", 16);
		finish(&f, DNS_FOUND);
	}
}

TEST(test_dns_name_without_address_or_without_existence_is_final)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_NOERROR);
	finish(&f, DNS_NO_ADDRESS);
	start(&f, 2, "www.lab", 0);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_NOERROR);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_NOERROR);
	finish(&f, DNS_NO_ADDRESS);
	start(&f, 2, "www.lab", 0);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_NXDOMAIN);
	finish(&f, DNS_NO_NAME);
}

TEST(test_dns_silence_asks_every_server_twice_then_ends)
{
	struct fixture f;
	uint16_t id[4];
	uint32_t i;

	start(&f, 2, "www.lab", 4);
	for (i = 0; i < 4; i++) {
		expect(&f, i % 2, false);
		id[i] = be16_load(f.out.data);
		wait_for_next(&f, i < 2 ? DNS_TIMEOUT_FIRST_NS : DNS_TIMEOUT_SECOND_NS);
	}
	assert_false(dns_resolver_output(f.r, f.now_ns, &f.out));
	assert_int_equal(f.now_ns, (1000 + 12) * NS_PER_SEC);
	assert_true(id[0] != id[1] && id[1] != id[2] && id[2] != id[3]); /* of this key */
	assert_int_equal(result(&f)->questions, 4);
	finish(&f, DNS_TIMED_OUT);
}

TEST(test_dns_server_that_fails_leads_on_to_the_next_at_once)
{
	static const uint16_t rcodes[] = {DNS_RCODE_SERVFAIL, DNS_RCODE_REFUSED, 9};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		start(&f, 2, "www.lab", 4);
		expect(&f, 0, false);
		answer_rcode(&f, rcodes[i]);
		expect(&f, 1, false);
		answer_rcode(&f, rcodes[i]);
		expect(&f, 0, false);
		answer_rcode(&f, rcodes[i]);
		expect(&f, 1, false);
		answer_rcode(&f, rcodes[i]);
		assert_int_equal(result(&f)->rcode, rcodes[i]);
		finish(&f, DNS_FAILED);
	}
}

TEST(test_dns_failure_is_that_of_the_server_that_answered)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_SERVFAIL);
	expect(&f, 1, false);
	wait_for_next(&f, DNS_TIMEOUT_FIRST_NS);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_SERVFAIL);
	expect(&f, 1, false);
	wait_for_next(&f, DNS_TIMEOUT_SECOND_NS);
	assert_false(dns_resolver_output(f.r, f.now_ns, &f.out));
	assert_int_equal(result(&f)->rcode, DNS_RCODE_SERVFAIL);
	assert_int_equal(result(&f)->server.v4, SERVER(0));
	finish(&f, DNS_FAILED);
}

TEST(test_dns_server_that_cannot_be_reached_leads_on_to_the_next)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	dns_resolver_on_error(f.r); /* nothing is under way yet */
	expect(&f, 0, false);
	dns_resolver_on_error(f.r);
	expect(&f, 1, false);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	deliver(&f);
	finish(&f, DNS_FOUND);
}

/* RFC 6891 §6.2.2. */
TEST(test_dns_server_without_edns_is_asked_again_without)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	answer_rcode(&f, DNS_RCODE_FORMERR);
	expect(&f, 0, false);
	assert_int_equal(be16_load(f.out.data + 10), 0);
	answer_rcode(&f, DNS_RCODE_FORMERR);
	expect(&f, 1, false);
	dns_resolver_destroy(f.r);
}

/* RFC 6891 §7: who cannot read a question need not repeat it. Whoever forges that gains nothing but a
 * question more. */
TEST(test_dns_server_without_edns_may_answer_with_a_header_alone)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	begin_answer(&f, DNS_RCODE_FORMERR);
	be16_store(f.message + 4, 0);
	f.len = DNS_HEADER_LEN;
	f.message[3] = 0x80 | DNS_RCODE_REFUSED;
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH);
	f.message[3] = 0x80 | DNS_RCODE_FORMERR;
	f.message[0]++;
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH);
	f.message[0]--;
	assert_int_equal(deliver_from(&f, 0, 53), DROP_NONE);
	expect(&f, 0, false);
	assert_int_equal(be16_load(f.out.data + 10), 0);
	dns_resolver_destroy(f.r);
}

/* RFC 5452 §9: server, port, id and question must be right. */
TEST(test_dns_forged_answers_are_counted_and_change_nothing)
{
	struct fixture f;
	uint8_t right;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	assert_int_equal(deliver_from(&f, 1, 53), DROP_DNS_MISMATCH);
	assert_int_equal(deliver_from(&f, 0, 54), DROP_DNS_MISMATCH);
	f.message[0]++;
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH);
	f.message[0]--;
	right = f.message[13];
	f.message[13] = 'x';
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH);
	f.message[13] = right;
	f.len--;
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MALFORMED);
	f.len++;
	assert_int_equal(f.counters.value[COUNTER_DROP_DNS_MISMATCH], 4);
	assert_int_equal(f.counters.value[COUNTER_DROP_DNS_MALFORMED], 1);
	assert_int_equal(result(&f)->outcome, DNS_RUNNING);
	assert_int_equal(deliver_from(&f, 0, 53), DROP_NONE);
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH); /* once is enough */
	finish(&f, DNS_FOUND);
}

TEST(test_dns_answer_of_a_server_given_up_comes_too_late)
{
	struct fixture f;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	wait_for_next(&f, DNS_TIMEOUT_FIRST_NS);
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH); /* before the next is sent */
	expect(&f, 1, false);
	assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH);
	dns_resolver_destroy(f.r);
}

TEST(test_dns_alias_that_the_server_did_not_follow_is_asked_for)
{
	struct fixture f;
	uint32_t i;

	start(&f, 2, "www.lab", 4);
	expect(&f, 0, false);
	dns_resolver_on_error(f.r);
	expect(&f, 1, false);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_CNAME, "\1x\3lab\0", 7);
	deliver(&f);
	expect(&f, 0, false); /* from the first server on */
	assert_memory_equal(f.out.data + 12, "\1x\3lab", 7);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
	deliver(&f);
	assert_string_equal(result(&f)->name, "x.lab");
	finish(&f, DNS_FOUND);
	/* A server that names new aliases for ever is not believed for ever. */
	start(&f, 1, "b.lab", 4);
	for (i = 0; i <= DNS_CNAMES_MAX; i++) {
		expect(&f, 0, false);
		begin_answer(&f, 0);
		add_record(&f, DNS_TYPE_CNAME, i % 2 == 0 ? "\1a\3lab\0" : "\1b\3lab\0", 7);
		deliver(&f);
	}
	finish(&f, DNS_NO_ADDRESS);
}

/* RFC 1034 §3.6.2 allows it, and no host has that name. */
TEST(test_dns_alias_for_the_root_is_no_address)
{
	struct fixture f;

	start(&f, 1, "www.lab", 4);
	expect(&f, 0, false);
	begin_answer(&f, 0);
	add_record(&f, DNS_TYPE_CNAME, "\0", 1);
	deliver(&f);
	finish(&f, DNS_NO_ADDRESS);
}

static void
start_tcp(struct fixture *f)
{
	start(f, 2, "www.lab", 4);
	expect(f, 0, false);
	answer_rcode(f, FLAG_TC);
	assert_false(dns_resolver_wants_tcp(f->r)); /* not yet asked */
	expect(f, 0, true);
	assert_true(dns_resolver_wants_tcp(f->r));
	begin_answer(f, 0);
	add_record(f, DNS_TYPE_A, "\xc6\x12\0\5", 4);
}

TEST(test_dns_truncated_answer_is_asked_for_by_tcp_in_any_pieces)
{
	struct fixture f;
	uint8_t stream[512];
	uint32_t piece, at, n;

	for (piece = 1; piece < 60; piece++) {
		start_tcp(&f);
		assert_int_equal(deliver_from(&f, 0, 53), DROP_DNS_MISMATCH); /* not by UDP */
		be16_store(stream, (uint16_t)f.len);
		memcpy(stream + 2, f.message, f.len);
		memset(stream + 2 + f.len, 0xff, 10); /* what follows is not read */
		for (at = 0; at < f.len + 2; at += n) {
			assert_int_equal(result(&f)->outcome, DNS_RUNNING);
			n = MIN_OF(piece, f.len + 12 - at);
			assert_int_equal(dns_resolver_input_tcp(f.r, stream + at, n),
				MIN_OF(n, f.len + 2 - at));
		}
		assert_true(result(&f)->by_tcp);
		assert_int_equal(result(&f)->address[0].v4, 0xc6120005);
		assert_int_equal(dns_resolver_input_tcp(f.r, stream, 1), 0);
		finish(&f, DNS_FOUND);
	}
}

TEST(test_dns_tcp_that_fails_or_lies_leads_on_to_the_next_server_by_udp)
{
	struct fixture f;
	uint8_t stream[512];
	uint32_t way;

	for (way = 0; way < 5; way++) {
		start_tcp(&f);
		be16_store(stream, (uint16_t)f.len);
		memcpy(stream + 2, f.message, f.len);
		if (way == 0)
			dns_resolver_on_error(f.r);
		else if (way == 1)
			wait_for_next(&f, DNS_TIMEOUT_TCP_NS);
		else if (way == 2)
			stream[2]++; /* another id */
		else if (way == 3)
			be16_store(stream, 0);
		else
			stream[4] |= 2; /* truncated even so */
		if (way >= 2)
			(void)dns_resolver_input_tcp(f.r, stream, f.len + 2);
		expect(&f, 1, false);
		assert_false(dns_resolver_wants_tcp(f.r));
		dns_resolver_destroy(f.r);
	}
}

TEST(test_dns_what_is_no_name_is_refused_and_no_server_is_no_resolver)
{
	struct dns_config cfg = {.counters = &(struct counters){{0}}};
	struct fixture f;
	char text[300];

	assert_null(dns_resolver_create(&cfg));
	cfg.server_count = DNS_SERVERS_MAX + 1;
	assert_null(dns_resolver_create(&cfg));
	start(&f, 1, "www.lab", 4);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(dns_resolver_start(f.r, text, 4), -EINVAL);
	text[64] = '\0';
	assert_int_equal(dns_resolver_start(f.r, text, 4), -EINVAL);
	assert_int_equal(dns_resolver_start(f.r, "", 4), -EINVAL);
	text[63] = '\0';
	assert_int_equal(dns_resolver_start(f.r, text, 4), 0);
	dns_resolver_destroy(f.r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_answer_gives_all_addresses_in_order),
		cmocka_unit_test(test_dns_aaaa_is_asked_for_as_told),
		cmocka_unit_test(test_dns_name_without_address_or_without_existence_is_final),
		cmocka_unit_test(test_dns_silence_asks_every_server_twice_then_ends),
		cmocka_unit_test(test_dns_server_that_fails_leads_on_to_the_next_at_once),
		cmocka_unit_test(test_dns_failure_is_that_of_the_server_that_answered),
		cmocka_unit_test(test_dns_server_that_cannot_be_reached_leads_on_to_the_next),
		cmocka_unit_test(test_dns_server_without_edns_is_asked_again_without),
		cmocka_unit_test(test_dns_server_without_edns_may_answer_with_a_header_alone),
		cmocka_unit_test(test_dns_forged_answers_are_counted_and_change_nothing),
		cmocka_unit_test(test_dns_answer_of_a_server_given_up_comes_too_late),
		cmocka_unit_test(test_dns_alias_that_the_server_did_not_follow_is_asked_for),
		cmocka_unit_test(test_dns_alias_for_the_root_is_no_address),
		cmocka_unit_test(test_dns_truncated_answer_is_asked_for_by_tcp_in_any_pieces),
		cmocka_unit_test(
			test_dns_tcp_that_fails_or_lies_leads_on_to_the_next_server_by_udp),
		cmocka_unit_test(test_dns_what_is_no_name_is_refused_and_no_server_is_no_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
