/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"

/* Local ports (RFC 6056), initial sequence numbers (RFC 6528), the table, the timers. */

static void
many(struct netstack_config *cfg)
{
	cfg->connections_max = 200;
	cfg->tcp.rcv_payloads_max = 16;
}

/* Of another machine's run. */
static void
other_key(struct netstack_config *cfg)
{
	cfg->key.k1 += 1;
	cfg->lasting_key.k1 += 1;
}

TEST(test_ports_are_in_the_dynamic_range_and_never_twice_to_one_end)
{
	static uint8_t seen[65536];
	struct test_peer *p = fx_new(many);
	uint16_t port;
	uint32_t i;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 200; i++) {
		port = netstack_conn_local_port(fx_connect(p));
		assert_true(port >= NETSTACK_PORT_FIRST);
		assert_int_equal(seen[port]++, 0);
	}
	fx_end(p);
}

TEST(test_ports_depend_on_the_key_and_on_the_remote_end)
{
	struct test_peer *a = fx_new(many), *b = fx_new(other_key);
	uint16_t port = netstack_conn_local_port(fx_connect(a));
	uint16_t next = netstack_conn_local_port(fx_connect_to(a, TEST_PEER_ADDRESS, 81));

	assert_int_not_equal(port, netstack_conn_local_port(fx_connect(b)));
	assert_int_not_equal((uint16_t)(port + 1), next);
	fx_end(a);
	fx_end(b);
}

TEST(test_ports_table_full_is_an_error_and_a_freed_place_is_used_again)
{
	struct test_peer *p = fx_new(NULL);
	const struct ip_address remote = {.family = 4, .v4 = TEST_PEER_ADDRESS};
	struct netstack_conn *nc, *first = fx_connect(p);
	uint32_t i;

	for (i = 1; i < 8; i++)
		fx_connect(p);
	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), -ENOBUFS);
	tcp_conn_abort(netstack_conn_tcp(first));
	netstack_release_conn(p->ns, first, p->now_ns);
	fx_run(p);
	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), 0);
	fx_end(p);
}

TEST(test_ports_connect_to_ourselves_or_by_ipv6_is_refused)
{
	struct test_peer *p = fx_new(NULL);
	const struct ip_address own = {.family = 4, .v4 = TEST_OUR_ADDRESS}, six = {.family = 6};
	struct netstack_conn *nc;

	assert_int_equal(netstack_connect(p->ns, &own, 80, NULL, p->now_ns, &nc), -EADDRINUSE);
	assert_int_equal(netstack_connect(p->ns, &six, 80, NULL, p->now_ns, &nc), -EAFNOSUPPORT);
	fx_end(p);
}

static uint32_t
iss_of(struct netstack_conn *nc)
{
	struct tcp_info info;

	tcp_conn_info(netstack_conn_tcp(nc), &info);
	return info.iss;
}

/* The same four-tuple later: the clock's difference apart, 4 us a tick (RFC 9293 §3.4.1). */
TEST(test_isn_of_one_tuple_follows_the_clock)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_connect(p);
	struct tcp_open early, late;

	netstack_port_open(p->ns, nc, p->now_ns, &early);
	netstack_port_open(p->ns, nc, p->now_ns + NS_PER_SEC, &late);
	assert_int_equal(early.iss, iss_of(nc));
	assert_int_equal(late.iss - early.iss, 250000);
	assert_int_equal(late.ts_offset, early.ts_offset);
	fx_end(p);
}

TEST(test_isn_of_another_tuple_or_key_is_unrelated)
{
	struct test_peer *a = fx_new(NULL), *b = fx_new(other_key);
	struct netstack_conn *first = fx_connect(a), *second = fx_connect(a);
	struct netstack_conn copy = *first;
	struct tcp_open mine, theirs;
	uint32_t apart = iss_of(second) - iss_of(first);

	assert_true(apart > 1000 && apart < UINT32_MAX - 1000);
	netstack_port_open(a->ns, first, a->now_ns, &mine);
	netstack_port_open(b->ns, &copy, a->now_ns, &theirs);
	assert_int_not_equal(mine.iss, theirs.iss);
	fx_end(a);
	fx_end(b);
}

/* RFC 7323 §7.1, RFC 6191: a server in TIME-WAIT takes a new SYN of the same ports by its later
 * timestamp, so the clock that one host sees must not jump from connection to connection. */
TEST(test_timestamps_are_one_clock_for_each_host)
{
	struct test_peer *p = fx_new(NULL);
	struct tcp_open one, two, other;
	struct netstack_conn *nc = fx_connect(p);

	netstack_port_open(p->ns, nc, p->now_ns, &one);
	netstack_port_open(p->ns, fx_connect(p), p->now_ns + NS_PER_SEC, &two);
	assert_int_equal(one.ts_offset, two.ts_offset);
	netstack_port_open(p->ns, fx_connect_to(p, TEST_PEER_ADDRESS + 8, 80), p->now_ns, &other);
	assert_int_not_equal(one.ts_offset, other.ts_offset); /* and tells others nothing */
	fx_end(p);
}

static void
later_run(struct netstack_config *cfg)
{
	cfg->key = (struct siphash_key){8, 9};
	cfg->lasting_clock_ns = -5 * (int64_t)NS_PER_SEC;
}

/* Two runs whose clocks count from different moments: the ISN and the timestamps of a tuple go on where
 * the machine's clock is, so that a server's TIME-WAIT of the first run takes the second's SYN. */
TEST(test_isn_and_timestamps_go_on_from_run_to_run)
{
	struct test_peer *a = fx_new(NULL), *b = fx_new(later_run);
	struct netstack_conn *nc = fx_connect(a);
	struct netstack_conn copy = *nc;
	struct tcp_open first, second;
	uint64_t later_ns =
		a->now_ns + 7 * NS_PER_SEC; /* by b's clock; 2 s later by the machine's */

	netstack_port_open(a->ns, nc, a->now_ns, &first);
	netstack_port_open(b->ns, &copy, later_ns, &second);
	assert_int_equal(second.iss - first.iss, 500000);
	assert_int_equal((uint32_t)(later_ns / NS_PER_MS) + second.ts_offset -
				 ((uint32_t)(a->now_ns / NS_PER_MS) + first.ts_offset),
		2000);
	fx_end(a);
	fx_end(b);
}

/* Deadlines in any order come out in order, and those cancelled do not. */
TEST(test_timers_expire_in_order_of_deadline)
{
	static const uint64_t deadline_ns[8] = {50, 20, 70, 20, 90, 10, 60, 30};
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc;
	uint64_t last_ns = 0;
	uint32_t i, at, count = 0;

	for (i = 0; i < 8; i++)
		netstack_timer_set(p->ns, &p->ns->conn[i], deadline_ns[i]);
	netstack_timer_set(p->ns, &p->ns->conn[4], 15); /* earlier: it moves */
	netstack_timer_set(p->ns, &p->ns->conn[5], 80); /* later: looked at when the old comes */
	netstack_timer_set(p->ns, &p->ns->conn[0], TIME_NEVER);
	netstack_timer_cancel(p->ns, &p->ns->conn[6]);
	assert_int_equal(netstack_timer_next(p->ns), 10);
	assert_null(netstack_timer_expired(p->ns, 9));
	while ((nc = netstack_timer_expired(p->ns, 65)) != NULL) {
		at = (uint32_t)(nc - p->ns->conn);
		assert_in_range(at == 4 ? 15 : deadline_ns[at], last_ns, 65);
		assert_ptr_not_equal(nc, &p->ns->conn[6]);
		last_ns = at == 4 ? 15 : deadline_ns[at];
		count++;
	}
	assert_int_equal(count, 6);
	assert_int_equal(netstack_timer_next(p->ns), 70);
	netstack_timer_cancel(p->ns, &p->ns->conn[2]);
	assert_int_equal(netstack_timer_next(p->ns), TIME_NEVER);
	fx_end(p);
}

/* What does not fit the caller's frames now comes with the next call; nothing is lost. */
TEST(test_output_into_few_frames_goes_on_where_it_stopped)
{
	static uint8_t bytes[2048];
	struct test_peer *p = fx_new(many);
	struct tx_frame tx;
	uint32_t i, frames = 0;

	for (i = 0; i < 20; i++)
		fx_connect(p);
	fx_run(p);
	assert_int_equal(p->syns, 20);
	netstack_abort_all(p->ns);
	do {
		tx = (struct tx_frame){.data = bytes, .room = sizeof(bytes)};
		frames += netstack_output(p->ns, p->now_ns, &tx, 1);
	} while (netstack_deadline(p->ns) == 0);
	assert_true(frames >= 20); /* a reset each, or the handshake's ACK before it */
	assert_int_equal(netstack_connections(p->ns), 0);
	fx_end(p);
}

/* What the program's end leaves at the servers: nothing. */
TEST(test_output_after_abort_resets_each_open_connection_once)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc[3];
	uint32_t i;

	for (i = 0; i < 3; i++)
		nc[i] = fx_established(p);
	p->answers.syn = false;
	fx_connect(p);
	fx_run(p);
	assert_int_equal(netstack_connections(p->ns), 4);
	netstack_abort_all(p->ns);
	fx_run(p);
	assert_int_equal(p->resets, 3);
	assert_int_equal(netstack_connections(p->ns), 0);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc[0])), TCP_CLOSED);
	netstack_abort_all(p->ns);
	fx_run(p);
	assert_int_equal(p->resets, 3);
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ports_are_in_the_dynamic_range_and_never_twice_to_one_end),
		T(test_ports_depend_on_the_key_and_on_the_remote_end),
		T(test_ports_table_full_is_an_error_and_a_freed_place_is_used_again),
		T(test_ports_connect_to_ourselves_or_by_ipv6_is_refused),
		T(test_isn_of_one_tuple_follows_the_clock),
		T(test_isn_of_another_tuple_or_key_is_unrelated),
		T(test_isn_and_timestamps_go_on_from_run_to_run),
		T(test_timestamps_are_one_clock_for_each_host),
		T(test_timers_expire_in_order_of_deadline),
		T(test_output_into_few_frames_goes_on_where_it_stopped),
		T(test_output_after_abort_resets_each_open_connection_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
