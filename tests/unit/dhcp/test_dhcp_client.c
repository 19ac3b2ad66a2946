/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp_client.h"
#include "dhcp_limits.h"

/* A client and a server that answers as the test says, in virtual time. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define SERVER UINT32_C(0xc6120001)
#define OTHER_SERVER UINT32_C(0xc6120009)
#define ADDRESS UINT32_C(0xc6120032)
#define LEASE_S 3600U

static const struct ether_addr our_mac = {{2, 0, 0, 0, 0, 2}};

struct fixture {
	struct dhcp_client c;
	uint64_t now_ns;
	struct dhcp_message last; /* that the client sent */
	uint32_t src, dst; /* of it */
};

static void
start(struct fixture *f)
{
	const struct siphash_key key = {1, 2};

	memset(f, 0, sizeof(*f));
	f->now_ns = 1000 * NS_PER_SEC;
	dhcp_client_start(&f->c, &our_mac, &key, f->now_ns);
}

/* Takes the message that is due, which must be of this type; DHCP_TYPE_NONE: none is. */
static void
expect(struct fixture *f, enum dhcp_type type)
{
	struct dhcp_output out;
	bool due = dhcp_client_output(&f->c, f->now_ns, &out);

	assert_int_equal(due, type != DHCP_TYPE_NONE);
	if (!due)
		return;
	assert_int_equal(wire_dhcp_parse(out.data, out.len, &f->last), DROP_NONE);
	assert_int_equal(f->last.op, DHCP_OP_REQUEST);
	assert_int_equal(f->last.type, type);
	assert_memory_equal(f->last.chaddr.byte, our_mac.byte, 6);
	f->src = out.src;
	f->dst = out.dst;
	assert_false(dhcp_client_output(&f->c, f->now_ns, &out));
}

/* Time goes on to the deadline, which must be between the two. */
static void
wait_between(struct fixture *f, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t deadline_ns = dhcp_client_deadline(&f->c);

	assert_in_range(deadline_ns, f->now_ns + from_ns, f->now_ns + to_ns);
	f->now_ns = deadline_ns - 1;
	expect(f, DHCP_TYPE_NONE);
	f->now_ns++;
}

/* A complete answer to the last message, for the test to spoil. */
static struct dhcp_message
answer(const struct fixture *f, enum dhcp_type type)
{
	return (struct dhcp_message){
		.op = DHCP_OP_REPLY,
		.type = (uint8_t)type,
		.xid = f->last.xid,
		.chaddr = our_mac,
		.yiaddr = ADDRESS,
		.server_id = SERVER,
		.subnet_mask = 0xffffff00,
		.router = SERVER,
		.dns = {SERVER, OTHER_SERVER},
		.dns_count = 2,
		.lease_s = LEASE_S,
	};
}

static enum drop_reason
receive(struct fixture *f, const struct dhcp_message *m)
{
	uint8_t p[DHCP_MESSAGE_LEN_MAX];

	return dhcp_client_input(&f->c, p, wire_dhcp_build(p, m), f->now_ns);
}

static void
receive_plain(struct fixture *f, enum dhcp_type type)
{
	const struct dhcp_message m = answer(f, type);

	assert_int_equal(receive(f, &m), DROP_NONE);
}

static void
start_requesting(struct fixture *f)
{
	start(f);
	expect(f, DHCP_TYPE_DISCOVER);
	receive_plain(f, DHCP_TYPE_OFFER);
	expect(f, DHCP_TYPE_REQUEST);
}

static void
start_bound(struct fixture *f)
{
	start_requesting(f);
	receive_plain(f, DHCP_TYPE_ACK);
	assert_int_equal(dhcp_client_event(&f->c), DHCP_CLIENT_GOT_LEASE);
	assert_int_equal(dhcp_client_event(&f->c), DHCP_CLIENT_NOTHING);
}

TEST(test_dhcp_discover_offer_request_ack_gives_the_lease)
{
	struct fixture f;
	const struct dhcp_lease *l;

	start(&f);
	assert_null(dhcp_client_lease(&f.c));
	expect(&f, DHCP_TYPE_DISCOVER);
	assert_int_equal(f.src, 0);
	assert_int_equal(f.dst, UINT32_MAX);
	assert_false(f.last.broadcast);
	receive_plain(&f, DHCP_TYPE_OFFER);
	expect(&f, DHCP_TYPE_REQUEST);
	assert_int_equal(f.src, 0);
	assert_int_equal(f.dst, UINT32_MAX);
	assert_int_equal(f.last.requested, ADDRESS); /* RFC 2131 table 5 */
	assert_int_equal(f.last.server_id, SERVER);
	assert_int_equal(f.last.ciaddr, 0);
	assert_null(dhcp_client_lease(&f.c));
	f.now_ns += NS_PER_SEC;
	receive_plain(&f, DHCP_TYPE_ACK);
	l = dhcp_client_lease(&f.c);
	assert_non_null(l);
	assert_int_equal(l->address, ADDRESS);
	assert_int_equal(l->prefix_len, 24);
	assert_int_equal(l->router, SERVER);
	assert_int_equal(l->dns_count, 2);
	assert_int_equal(l->dns[1], OTHER_SERVER);
	/* From when the REQUEST went out, not from when the ACK came. */
	assert_int_equal(l->expires_ns, 1000 * NS_PER_SEC + LEASE_S * NS_PER_SEC);
}

TEST(test_dhcp_silence_backs_off_4_to_64_s_and_asks_for_broadcasts)
{
	struct fixture f;
	uint64_t delay_s, total_ns;
	uint32_t xid;

	start(&f);
	expect(&f, DHCP_TYPE_DISCOVER);
	xid = f.last.xid;
	for (delay_s = 4; delay_s <= 64; delay_s *= 2) {
		wait_between(&f, (delay_s - 1) * NS_PER_SEC, (delay_s + 1) * NS_PER_SEC);
		expect(&f, DHCP_TYPE_DISCOVER);
		assert_true(f.last.broadcast);
		assert_int_equal(f.last.xid, xid);
	}
	total_ns = f.now_ns - 1000 * NS_PER_SEC;
	assert_int_equal(f.last.secs, total_ns / NS_PER_SEC);
	wait_between(&f, 63 * NS_PER_SEC, 65 * NS_PER_SEC);
	expect(&f, DHCP_TYPE_DISCOVER);
}

TEST(test_dhcp_delays_and_xids_differ_from_key_to_key)
{
	struct fixture f;
	struct siphash_key key = {1, 2};
	uint64_t first_ns, different = 0;
	uint32_t xid;

	start(&f);
	expect(&f, DHCP_TYPE_DISCOVER);
	xid = f.last.xid;
	first_ns = dhcp_client_deadline(&f.c);
	for (key.k0 = 10; key.k0 < 20; key.k0++) {
		dhcp_client_start(&f.c, &our_mac, &key, f.now_ns);
		expect(&f, DHCP_TYPE_DISCOVER);
		different += dhcp_client_deadline(&f.c) != first_ns;
		assert_int_not_equal(f.last.xid, xid);
	}
	assert_true(different >= 9);
}

TEST(test_dhcp_message_for_another_is_no_answer)
{
	struct fixture f;
	struct dhcp_message m;

	start(&f);
	expect(&f, DHCP_TYPE_DISCOVER);
	m = answer(&f, DHCP_TYPE_OFFER);
	m.xid++;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_OFFER);
	m.chaddr.byte[5]++;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_OFFER);
	m.op = DHCP_OP_REQUEST;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_ACK); /* out of turn */
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_NAK);
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_NONE);
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	assert_int_equal(
		dhcp_client_input(&f.c, (const uint8_t *)"", 0, f.now_ns), DROP_DHCP_MALFORMED);
	expect(&f, DHCP_TYPE_NONE);
}

TEST(test_dhcp_offer_that_no_host_can_use_is_refused)
{
	static const uint32_t bad[] = {0, 0x7f000001, 0xe0000001, UINT32_MAX};
	struct fixture f;
	struct dhcp_message m;
	size_t i;

	start(&f);
	expect(&f, DHCP_TYPE_DISCOVER);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m = answer(&f, DHCP_TYPE_OFFER);
		m.yiaddr = bad[i];
		assert_int_equal(receive(&f, &m), DROP_DHCP_MALFORMED);
	}
	m = answer(&f, DHCP_TYPE_OFFER);
	m.subnet_mask = 0xff00ff00;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MALFORMED);
	m = answer(&f, DHCP_TYPE_OFFER);
	m.server_id = 0;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MALFORMED);
	receive_plain(&f, DHCP_TYPE_OFFER);
	expect(&f, DHCP_TYPE_REQUEST);
	m = answer(&f, DHCP_TYPE_ACK);
	m.lease_s = 0;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MALFORMED);
	assert_null(dhcp_client_lease(&f.c));
}

TEST(test_dhcp_the_chosen_server_and_address_only_count)
{
	struct fixture f;
	struct dhcp_message m;

	start_requesting(&f);
	m = answer(&f, DHCP_TYPE_OFFER); /* a second server's */
	m.server_id = OTHER_SERVER;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m.type = DHCP_TYPE_ACK;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m.type = DHCP_TYPE_NAK;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	m = answer(&f, DHCP_TYPE_ACK);
	m.yiaddr++;
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	receive_plain(&f, DHCP_TYPE_ACK);
	assert_non_null(dhcp_client_lease(&f.c));
}

TEST(test_dhcp_request_without_answer_begins_anew_after_a_minute)
{
	struct fixture f;
	uint64_t delay_s;
	uint32_t xid;

	start_requesting(&f);
	xid = f.last.xid;
	for (delay_s = 4; delay_s <= 16; delay_s *= 2) {
		wait_between(&f, (delay_s - 1) * NS_PER_SEC, (delay_s + 1) * NS_PER_SEC);
		expect(&f, DHCP_TYPE_REQUEST);
		assert_int_equal(f.last.xid, xid);
	}
	wait_between(&f, 31 * NS_PER_SEC, 33 * NS_PER_SEC);
	expect(&f, DHCP_TYPE_DISCOVER);
	assert_int_not_equal(f.last.xid, xid);
}

TEST(test_dhcp_nak_begins_anew_and_its_words_are_kept)
{
	uint8_t p[DHCP_MESSAGE_LEN_MAX + 20];
	struct fixture f;
	struct dhcp_message m;
	struct dhcp_client_info info;

	start_requesting(&f);
	m = answer(&f, DHCP_TYPE_NAK);
	(void)wire_dhcp_build(p, &m);
	memcpy(p + 300,
		"\x38\4"
		"busy\xff",
		7);
	memset(p + 240 + 3 + 6, 0, 51); /* PAD up to there */
	assert_int_equal(dhcp_client_input(&f.c, p, 307, f.now_ns), DROP_NONE);
	dhcp_client_info(&f.c, &info);
	assert_int_equal(info.naks_received, 1);
	assert_string_equal(info.text, "busy");
	wait_between(&f, NS_PER_SEC, NS_PER_SEC);
	expect(&f, DHCP_TYPE_DISCOVER);
}

TEST(test_dhcp_lease_is_renewed_by_unicast_then_by_broadcast_then_lost)
{
	struct fixture f;
	uint64_t t2_ns = LEASE_S * NS_PER_SEC * 7 / 8, bound_ns;

	start_bound(&f);
	bound_ns = f.now_ns;
	wait_between(&f, 1710 * NS_PER_SEC, 1890 * NS_PER_SEC); /* T1: 1800 s, 5 % more or less */
	expect(&f, DHCP_TYPE_REQUEST);
	assert_int_equal(f.src, ADDRESS);
	assert_int_equal(f.dst, SERVER);
	assert_int_equal(f.last.ciaddr, ADDRESS);
	assert_int_equal(f.last.requested, 0); /* RFC 2131 table 5 */
	assert_int_equal(f.last.server_id, 0);
	while (dhcp_client_deadline(&f.c) < bound_ns + t2_ns) {
		wait_between(&f, 60 * NS_PER_SEC, 720 * NS_PER_SEC);
		expect(&f, DHCP_TYPE_REQUEST);
		assert_int_equal(f.dst, SERVER);
	}
	f.now_ns = bound_ns + t2_ns;
	expect(&f, DHCP_TYPE_REQUEST);
	assert_int_equal(f.dst, UINT32_MAX);
	assert_int_equal(f.src, ADDRESS);
	f.now_ns = bound_ns + LEASE_S * NS_PER_SEC - 1;
	(void)dhcp_client_output(&f.c, f.now_ns, &(struct dhcp_output){0});
	assert_non_null(dhcp_client_lease(&f.c));
	assert_int_equal(dhcp_client_event(&f.c), DHCP_CLIENT_NOTHING);
	f.now_ns++;
	expect(&f, DHCP_TYPE_DISCOVER);
	assert_null(dhcp_client_lease(&f.c));
	assert_int_equal(dhcp_client_event(&f.c), DHCP_CLIENT_LOST_LEASE);
}

TEST(test_dhcp_renewal_extends_the_lease_whoever_answers)
{
	struct fixture f;
	struct dhcp_message m;
	uint64_t sent_ns;

	start_bound(&f);
	f.now_ns = dhcp_client_deadline(&f.c);
	sent_ns = f.now_ns;
	expect(&f, DHCP_TYPE_REQUEST);
	m = answer(&f, DHCP_TYPE_ACK);
	m.yiaddr++; /* another address is no renewal */
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	receive_plain(&f, DHCP_TYPE_ACK);
	assert_int_equal(dhcp_client_event(&f.c), DHCP_CLIENT_RENEWED_LEASE);
	assert_int_equal(dhcp_client_lease(&f.c)->expires_ns, sent_ns + LEASE_S * NS_PER_SEC);
	f.now_ns = sent_ns + LEASE_S * NS_PER_SEC * 7 / 8;
	expect(&f, DHCP_TYPE_REQUEST);
	m = answer(&f, DHCP_TYPE_ACK);
	m.server_id = OTHER_SERVER;
	assert_int_equal(receive(&f, &m), DROP_NONE);
	assert_int_equal(dhcp_client_lease(&f.c)->server_id, OTHER_SERVER);
	expect(&f, DHCP_TYPE_NONE);
}

TEST(test_dhcp_nak_to_a_renewal_takes_the_lease_at_once)
{
	struct fixture f;
	struct dhcp_message m;

	start_bound(&f);
	f.now_ns = dhcp_client_deadline(&f.c);
	expect(&f, DHCP_TYPE_REQUEST);
	m = answer(&f, DHCP_TYPE_NAK);
	m.server_id = OTHER_SERVER; /* it was not asked */
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
	receive_plain(&f, DHCP_TYPE_NAK);
	assert_null(dhcp_client_lease(&f.c));
	assert_int_equal(dhcp_client_event(&f.c), DHCP_CLIENT_LOST_LEASE);
}

TEST(test_dhcp_times_given_by_the_server_are_taken_if_they_make_sense)
{
	static const uint32_t given[][2] = {
		{100, 200}, {0, 0}, {200, 100}, {4000, 5000}, {0, 4000}};
	struct fixture f;
	struct dhcp_message m;
	const struct dhcp_lease *l;
	uint64_t t1_s, t2_s;
	size_t i;

	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		start_requesting(&f);
		m = answer(&f, DHCP_TYPE_ACK);
		m.t1_s = given[i][0];
		m.t2_s = given[i][1];
		assert_int_equal(receive(&f, &m), DROP_NONE);
		l = dhcp_client_lease(&f.c);
		t1_s = (l->renew_ns - f.now_ns) / NS_PER_SEC;
		t2_s = (l->rebind_ns - f.now_ns) / NS_PER_SEC;
		assert_true(t1_s <= t2_s && t2_s < LEASE_S);
		assert_int_equal(
			t2_s, given[i][1] == 0 || given[i][1] > LEASE_S ? 3150 : given[i][1]);
		if (i == 0)
			assert_in_range(t1_s, 94, 105);
	}
}

TEST(test_dhcp_lease_for_ever_needs_no_renewal)
{
	struct fixture f;
	struct dhcp_message m;

	start_requesting(&f);
	m = answer(&f, DHCP_TYPE_ACK);
	m.lease_s = UINT32_MAX;
	assert_int_equal(receive(&f, &m), DROP_NONE);
	assert_int_equal(dhcp_client_deadline(&f.c), TIME_NEVER);
	f.now_ns += 1000000 * NS_PER_SEC;
	expect(&f, DHCP_TYPE_NONE);
	assert_non_null(dhcp_client_lease(&f.c));
}

TEST(test_dhcp_mtu_and_mask_are_taken_if_they_make_sense)
{
	struct fixture f;
	struct dhcp_message m;

	start_requesting(&f);
	m = answer(&f, DHCP_TYPE_ACK);
	m.mtu = 575;
	m.subnet_mask = 0;
	assert_int_equal(receive(&f, &m), DROP_NONE);
	assert_int_equal(dhcp_client_lease(&f.c)->mtu, 0);
	assert_int_equal(dhcp_client_lease(&f.c)->prefix_len, 24); /* 198/8 was class C */
	start_requesting(&f);
	m = answer(&f, DHCP_TYPE_ACK);
	m.mtu = 576;
	m.subnet_mask = UINT32_MAX;
	assert_int_equal(receive(&f, &m), DROP_NONE);
	assert_int_equal(dhcp_client_lease(&f.c)->mtu, 576);
	assert_int_equal(dhcp_client_lease(&f.c)->prefix_len, 32);
}

TEST(test_dhcp_decline_tells_the_server_and_begins_anew_in_10_s)
{
	struct fixture f;

	start_bound(&f);
	dhcp_client_decline(&f.c, f.now_ns);
	assert_null(dhcp_client_lease(&f.c));
	expect(&f, DHCP_TYPE_DECLINE);
	assert_int_equal(f.src, 0);
	assert_int_equal(f.dst, UINT32_MAX);
	assert_int_equal(f.last.requested, ADDRESS); /* RFC 2131 table 5 */
	assert_int_equal(f.last.server_id, SERVER);
	assert_int_equal(f.last.ciaddr, 0);
	wait_between(&f, 10 * NS_PER_SEC, 10 * NS_PER_SEC);
	expect(&f, DHCP_TYPE_DISCOVER);
	dhcp_client_decline(&f.c, f.now_ns); /* nothing to decline */
	expect(&f, DHCP_TYPE_NONE);
}

TEST(test_dhcp_release_goes_to_the_server_and_ends_the_client)
{
	struct fixture f;
	struct dhcp_message m;

	start_bound(&f);
	dhcp_client_release(&f.c);
	assert_int_equal(dhcp_client_deadline(&f.c), 0);
	expect(&f, DHCP_TYPE_RELEASE);
	assert_int_equal(f.src, ADDRESS);
	assert_int_equal(f.dst, SERVER);
	assert_int_equal(f.last.ciaddr, ADDRESS); /* RFC 2131 table 5 */
	assert_int_equal(f.last.requested, 0);
	assert_int_equal(f.last.server_id, SERVER);
	assert_int_equal(dhcp_client_deadline(&f.c), TIME_NEVER);
	start_requesting(&f);
	dhcp_client_release(&f.c); /* nothing to give back */
	expect(&f, DHCP_TYPE_NONE);
	m = answer(&f, DHCP_TYPE_ACK); /* late */
	assert_int_equal(receive(&f, &m), DROP_DHCP_MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_discover_offer_request_ack_gives_the_lease),
		cmocka_unit_test(test_dhcp_silence_backs_off_4_to_64_s_and_asks_for_broadcasts),
		cmocka_unit_test(test_dhcp_delays_and_xids_differ_from_key_to_key),
		cmocka_unit_test(test_dhcp_message_for_another_is_no_answer),
		cmocka_unit_test(test_dhcp_offer_that_no_host_can_use_is_refused),
		cmocka_unit_test(test_dhcp_the_chosen_server_and_address_only_count),
		cmocka_unit_test(test_dhcp_request_without_answer_begins_anew_after_a_minute),
		cmocka_unit_test(test_dhcp_nak_begins_anew_and_its_words_are_kept),
		cmocka_unit_test(test_dhcp_lease_is_renewed_by_unicast_then_by_broadcast_then_lost),
		cmocka_unit_test(test_dhcp_renewal_extends_the_lease_whoever_answers),
		cmocka_unit_test(test_dhcp_nak_to_a_renewal_takes_the_lease_at_once),
		cmocka_unit_test(test_dhcp_times_given_by_the_server_are_taken_if_they_make_sense),
		cmocka_unit_test(test_dhcp_lease_for_ever_needs_no_renewal),
		cmocka_unit_test(test_dhcp_mtu_and_mask_are_taken_if_they_make_sense),
		cmocka_unit_test(test_dhcp_decline_tells_the_server_and_begins_anew_in_10_s),
		cmocka_unit_test(test_dhcp_release_goes_to_the_server_and_ends_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
