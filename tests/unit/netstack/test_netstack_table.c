/* SPDX-License-Identifier: BSD-3-Clause */
#include "netstack_fixture.h"

/* The table's lists: the unused places, those in TIME-WAIT, what is ready and what has events; and the
 * free ports. */

static void
all_ports(struct netstack_config *cfg)
{
	cfg->connections_max = 70;
	cfg->port_first = 1024;
	cfg->port_count = 70; /* a word and some */
	cfg->tcp.rcv_payloads_max = 16;
}

static void
shared_places(struct netstack_config *cfg)
{
	cfg->out_of_order_max = 1;
	cfg->tcp.rcv_payloads_max = 16;
}

TEST(test_table_every_port_is_used_once_and_again_when_free)
{
	struct test_peer *p = fx_new(all_ports);
	struct netstack_conn *nc[70];
	bool seen[70] = {false};
	uint32_t i, at;

	for (i = 0; i < 70; i++) {
		nc[i] = fx_connect(p);
		at = netstack_conn_local_port(nc[i]) - 1024U;
		assert_in_range(at, 0, 69);
		assert_false(seen[at]);
		seen[at] = true;
	}
	for (i = 5; i < 70; i += 31) { /* the only one that is free is found at once */
		at = netstack_conn_local_port(nc[i]);
		tcp_conn_abort(netstack_conn_tcp(nc[i]));
		netstack_release_conn(p->ns, nc[i], p->now_ns);
		(void)test_peer_take(p);
		nc[i] = fx_connect(p);
		assert_int_equal(netstack_conn_local_port(nc[i]), at);
	}
	fx_end(p);
}

static void
fin_from_peer(struct test_peer *p, struct netstack_conn *nc)
{
	p->client_port = netstack_conn_local_port(nc);
	test_peer_send(p, TCP_FIN | TCP_ACK, NULL, 0);
	fx_run(p);
}

/* Established, closed by us first, then by the host: TIME-WAIT. */
static struct netstack_conn *
in_time_wait(struct test_peer *p)
{
	struct netstack_conn *nc = fx_established(p);

	netstack_release_conn(p->ns, nc, p->now_ns);
	fx_run(p);
	fin_from_peer(p, nc);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_TIME_WAIT);
	return nc;
}

TEST(test_table_full_takes_the_oldest_in_time_wait)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *waiting[3], *nc;
	const struct ip_address remote = ip_address_of_v4(TEST_PEER_ADDRESS);
	uint32_t i;

	for (i = 0; i < 3; i++)
		waiting[i] = in_time_wait(p);
	for (i = 3; i < 8; i++)
		(void)fx_connect(p);
	/* The middle one ends by itself: the list closes over it. */
	netstack_table_free(p->ns, waiting[1]);
	assert_ptr_equal(fx_connect(p), waiting[1]);
	assert_ptr_equal(fx_connect(p), waiting[0]);
	assert_ptr_equal(fx_connect(p), waiting[2]);
	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), -ENOBUFS);
	fx_end(p);
}

static void
more_places_than_ports(struct netstack_config *cfg)
{
	cfg->connections_max = 16;
	cfg->address_count = 2;
	cfg->port_first = 1024;
	cfg->port_count = 2;
}

/* Ports run out before places do: what is in TIME-WAIT has to give up its own. */
TEST(test_table_without_a_port_takes_the_oldest_in_time_wait)
{
	struct test_peer *p = fx_new(more_places_than_ports);
	const struct ip_address remote = ip_address_of_v4(TEST_PEER_ADDRESS);
	struct netstack_conn *waiting[3], *nc;
	uint16_t port[3];
	uint32_t i, address[3];

	(void)fx_established(p); /* has the fourth */
	for (i = 0; i < 3; i++) {
		waiting[i] = in_time_wait(p);
		port[i] = netstack_conn_local_port(waiting[i]);
		address[i] = netstack_conn_local(waiting[i])->v4;
	}
	for (i = 0; i < 3; i++) {
		nc = fx_connect(p);
		assert_int_equal(netstack_conn_local_port(nc), port[i]);
		assert_int_equal(netstack_conn_local(nc)->v4, address[i]);
	}
	assert_int_equal(
		netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &nc), -EADDRNOTAVAIL);
	fx_end(p);
}

/* It stays among the timers: when its time comes it is passed over. */
TEST(test_table_deadline_of_an_ended_connection_wakes_nobody)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = in_time_wait(p);
	uint64_t deadline_ns;

	netstack_table_free(p->ns, nc);
	deadline_ns = netstack_timer_next(p->ns);
	assert_int_not_equal(deadline_ns, TIME_NEVER);
	p->now_ns = deadline_ns;
	fx_run(p);
	assert_false(nc->ready || nc->ready_listed || nc->in_use);
	assert_int_equal(nc->heap_index, NETSTACK_NO_INDEX);
	fx_end(p);
}

/* Nor does it keep the next one in its place from being woken in time. */
TEST(test_table_deadline_of_the_next_in_its_place_holds)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = in_time_wait(p), *next;

	netstack_table_free(p->ns, nc);
	next = fx_connect(p);
	assert_ptr_equal(next, nc);
	(void)test_peer_take(p); /* its SYN, which is lost */
	assert_true(netstack_timer_next(p->ns) <= tcp_conn_deadline(netstack_conn_tcp(next)));
	fx_end(p);
}

TEST(test_table_time_wait_that_is_held_is_not_taken)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p), *other;
	const struct ip_address remote = ip_address_of_v4(TEST_PEER_ADDRESS);
	uint32_t i;

	tcp_conn_close(netstack_conn_tcp(nc), p->now_ns);
	netstack_conn_touch(p->ns, nc);
	fx_run(p);
	fin_from_peer(p, nc);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(nc)), TCP_TIME_WAIT);
	for (i = 1; i < 8; i++)
		(void)fx_connect(p);
	assert_int_equal(netstack_connect(p->ns, &remote, 80, NULL, p->now_ns, &other), -ENOBUFS);
	netstack_release_conn(p->ns, nc, p->now_ns);
	assert_ptr_equal(fx_connect(p), nc);
	fx_end(p);
}

/* Freed while it stands in both lists, and used again before their turn: the new one is told of
 * nothing that happened to the old one, and stands in each once. */
TEST(test_table_place_used_again_inherits_no_event)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *first = fx_established(p), *second = fx_established(p), *again;

	while (netstack_event_next(p->ns) != NULL)
		;
	netstack_event_push(p->ns, first);
	netstack_event_push(p->ns, second);
	netstack_ready_push(p->ns, first);
	netstack_table_free(p->ns, first);
	again = fx_connect(p);
	assert_ptr_equal(again, first);
	assert_ptr_equal(netstack_event_next(p->ns), second);
	assert_null(netstack_event_next(p->ns));
	netstack_event_push(p->ns, again);
	netstack_event_push(p->ns, again);
	assert_ptr_equal(netstack_event_next(p->ns), again);
	assert_null(netstack_event_next(p->ns));
	fx_run(p);
	assert_int_equal(tcp_conn_state(netstack_conn_tcp(again)), TCP_ESTABLISHED);
	fx_end(p);
}

TEST(test_table_released_has_no_event_left)
{
	struct test_peer *p = fx_new(NULL);
	struct netstack_conn *nc = fx_established(p);

	netstack_event_push(p->ns, nc);
	netstack_release_conn(p->ns, nc, p->now_ns);
	assert_null(netstack_event_next(p->ns));
	fx_end(p);
}

static void
data_from_peer(struct test_peer *p, struct netstack_conn *nc, uint32_t offset)
{
	struct tcp_info info;
	struct tcp_segment s = {.flags = TCP_ACK,
		.window = 60000,
		.dst_port = netstack_conn_local_port(nc),
		.payload = {.data = (const uint8_t *)"0123456789", .len = 10}};

	tcp_conn_info(netstack_conn_tcp(nc), &info);
	s.seq = info.irs + 1 + offset;
	s.ack = info.snd_nxt;
	test_peer_send_segment(p, &s);
	fx_run(p);
}

static uint32_t
out_of_order(struct netstack_conn *nc)
{
	struct tcp_info info;

	tcp_conn_info(netstack_conn_tcp(nc), &info);
	return info.payloads_out_of_order;
}

/* One place for out-of-order data: the second connection's is dropped until the first needs no more. */
TEST(test_table_out_of_order_places_are_shared)
{
	struct test_peer *p = fx_new(shared_places);
	struct netstack_conn *a = fx_established(p), *b = fx_established(p);
	uint8_t bytes[64];

	data_from_peer(p, a, 10);
	data_from_peer(p, b, 10);
	assert_int_equal(out_of_order(a), 1);
	assert_int_equal(out_of_order(b), 0);
	assert_int_equal(fx_count(p, COUNTER_DROP_TCP_NO_BUFFER), 1);
	data_from_peer(p, a, 0);
	data_from_peer(p, b, 10);
	assert_int_equal(out_of_order(b), 1);
	data_from_peer(p, b, 0);
	assert_int_equal(fx_read(p, a, bytes, sizeof(bytes)), 20);
	assert_int_equal(fx_read(p, b, bytes, sizeof(bytes)), 20);
	data_from_peer(p, b, 30); /* what is held at the end goes back, too */
	fx_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_table_every_port_is_used_once_and_again_when_free),
		T(test_table_full_takes_the_oldest_in_time_wait),
		T(test_table_without_a_port_takes_the_oldest_in_time_wait),
		T(test_table_deadline_of_an_ended_connection_wakes_nobody),
		T(test_table_deadline_of_the_next_in_its_place_holds),
		T(test_table_time_wait_that_is_held_is_not_taken),
		T(test_table_place_used_again_inherits_no_event),
		T(test_table_released_has_no_event_left),
		T(test_table_out_of_order_places_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
