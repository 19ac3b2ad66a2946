/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"
#include "tcp_limits.h"

/* ACKs that wait for more data: each goes when its own 10 us are over, unless it went before. */

#define DELAY_NS (10 * NS_PER_US)
#define BODY_LEN 100U

/* What the host remembers of one of its connections while it speaks on another. */
struct line {
	struct netstack_conn *nc;
	uint32_t seq, ack;
	uint16_t client_port;
};

static void
from_host(struct test_peer *p, struct line *l, uint32_t segments)
{
	static const uint8_t body[BODY_LEN];

	p->seq = l->seq;
	p->ack = l->ack;
	p->client_port = l->client_port;
	for (; segments > 0; segments--)
		test_peer_send(p, TCP_ACK, body, sizeof(body));
	l->seq = p->seq;
	test_peer_deliver(p);
}

static void
read_all(struct test_peer *p, struct line *l)
{
	uint8_t bytes[4 * BODY_LEN];

	while (fx_read(p, l->nc, bytes, sizeof(bytes)) > 0)
		;
}

/* Past the quick ACKs of its start, nothing waits. */
static struct line
established(struct test_peer *p)
{
	struct line l = {.nc = fx_established(p)};
	uint32_t i;

	l.seq = p->seq;
	l.ack = p->ack;
	l.client_port = p->client_port;
	for (i = 0; i <= TCP_ACK_QUICK_SEGMENTS; i++) {
		from_host(p, &l, 1);
		read_all(p, &l);
		test_peer_wait(p, DELAY_NS);
	}
	assert_int_equal(netstack_ack_wait_next(p->ns), TIME_NEVER);
	return l;
}

/* Passes this time, in which so many frames are sent, and no more. */
static void
wait_and_expect(struct test_peer *p, uint64_t ns, uint32_t frames)
{
	p->now_ns += ns;
	assert_int_equal(test_peer_take(p), frames);
}

TEST(test_ack_waits_its_time_and_goes)
{
	struct test_peer *p = fx_new(NULL);
	struct line l = established(p);

	from_host(p, &l, 1);
	wait_and_expect(p, 0, 0);
	assert_int_equal(netstack_deadline(p->ns), p->now_ns + DELAY_NS);
	wait_and_expect(p, DELAY_NS - 1, 0);
	wait_and_expect(p, 1, 1);
	assert_int_equal(fx_last_tcp(p).ack, l.seq);
	assert_int_equal(netstack_ack_wait_next(p->ns), TIME_NEVER);
	read_all(p, &l);
	fx_end(p);
}

TEST(test_acks_of_two_connections_go_each_in_time)
{
	struct test_peer *p = fx_new(NULL);
	struct line first = established(p), second = established(p);

	from_host(p, &first, 1);
	wait_and_expect(p, 0, 0);
	p->now_ns += 4 * NS_PER_US;
	from_host(p, &second, 1);
	wait_and_expect(p, 6 * NS_PER_US - 1, 0);
	wait_and_expect(p, 1, 1);
	assert_int_equal(fx_last_tcp(p).dst_port, 80);
	assert_int_equal(fx_last_tcp(p).src_port, first.client_port);
	wait_and_expect(p, 4 * NS_PER_US - 1, 0);
	wait_and_expect(p, 1, 1);
	assert_int_equal(fx_last_tcp(p).src_port, second.client_port);
	read_all(p, &first);
	read_all(p, &second);
	fx_end(p);
}

/* A segment comes, and its ACK goes at once, with data of ours. */
static struct line
answered(struct test_peer *p)
{
	struct line l = established(p);

	from_host(p, &l, 1);
	wait_and_expect(p, 0, 0);
	assert_int_equal(tcp_conn_send(netstack_conn_tcp(l.nc), "x", 1), 1);
	netstack_conn_touch(p->ns, l.nc);
	wait_and_expect(p, 0, 1);
	l.ack++;
	return l;
}

TEST(test_ack_that_went_with_data_wakes_nobody)
{
	struct test_peer *p = fx_new(NULL);
	struct line l = answered(p);

	p->now_ns += DELAY_NS;
	assert_null(netstack_ack_waited(p->ns, p->now_ns));
	assert_int_equal(netstack_ack_wait_next(p->ns), TIME_NEVER);
	assert_false(l.nc->ready || l.nc->ack_listed);
	read_all(p, &l);
	fx_end(p);
}

TEST(test_ack_that_waits_anew_has_its_whole_time)
{
	struct test_peer *p = fx_new(NULL);
	struct line l = answered(p);

	p->now_ns += 6 * NS_PER_US;
	from_host(p, &l, 1);
	wait_and_expect(p, 0, 0);
	wait_and_expect(p, DELAY_NS - 1, 0);
	wait_and_expect(p, 1, 1);
	read_all(p, &l);
	fx_end(p);
}

TEST(test_ack_that_began_earlier_than_the_last_is_not_late)
{
	struct test_peer *p = fx_new(NULL);
	struct line first = established(p), second = established(p);

	from_host(p, &first, 1);
	wait_and_expect(p, 0, 0);
	netstack_ack_wait(p->ns, second.nc, p->now_ns + 1);
	assert_false(second.nc->ack_listed);
	assert_true(netstack_timer_next(p->ns) <= p->now_ns + 1);
	read_all(p, &first);
	fx_end(p);
}

/* The ring is full: the heap has it. */
TEST(test_ack_without_a_place_is_not_late)
{
	struct test_peer *p = fx_new(NULL);
	struct line l = established(p);
	uint32_t i;

	for (i = 0; i < NETSTACK_ACK_WAIT_MAX; i++) {
		l.nc->ack_listed = false; /* as if each were another's */
		netstack_ack_wait(p->ns, l.nc, p->now_ns + 1);
		assert_true(l.nc->ack_listed);
	}
	assert_true(netstack_timer_next(p->ns) > p->now_ns + 1);
	l.nc->ack_listed = false;
	netstack_ack_wait(p->ns, l.nc, p->now_ns + 1);
	assert_false(l.nc->ack_listed);
	assert_true(netstack_timer_next(p->ns) <= p->now_ns + 1);
	fx_end(p);
}

TEST(test_ack_of_a_connection_that_has_ended_wakes_nobody)
{
	struct test_peer *p = fx_new(NULL);
	struct line l = established(p);
	struct netstack_conn *next;

	from_host(p, &l, 1);
	wait_and_expect(p, 0, 0);
	read_all(p, &l);
	netstack_table_free(p->ns, l.nc);
	p->now_ns += DELAY_NS;
	assert_null(netstack_ack_waited(p->ns, p->now_ns));
	next = fx_established(p); /* in its place */
	assert_ptr_equal(next, l.nc);
	assert_false(next->ack_listed);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ack_waits_its_time_and_goes),
		T(test_acks_of_two_connections_go_each_in_time),
		T(test_ack_that_went_with_data_wakes_nobody),
		T(test_ack_that_waits_anew_has_its_whole_time),
		T(test_ack_that_began_earlier_than_the_last_is_not_late),
		T(test_ack_without_a_place_is_not_late),
		T(test_ack_of_a_connection_that_has_ended_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
