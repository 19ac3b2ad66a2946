/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_priv.h"
#include "test_alloc.h"
#include "test_buffer.h"

/* A connection is made with all the memory that it will ever use, or not at all. */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

static struct counters counters;
static struct test_buffers buffers;

static struct tcp_config
valid(void)
{
	struct tcp_config cfg;

	tcp_config_defaults(&cfg);
	cfg.counters = &counters;
	cfg.buffers = (struct payload_buffers){.release = test_buffer_release, .ctx = &buffers};
	return cfg;
}

static bool
creates(const struct tcp_config *cfg)
{
	struct tcp_conn *c = tcp_conn_create(cfg);
	bool created = c != NULL;

	tcp_conn_destroy(c);
	return created;
}

#define ASSERT_REFUSED(field, bad)                             \
	do {                                                   \
		struct tcp_config refused = valid();           \
		refused.field = (bad);                         \
		if (creates(&refused))                         \
			fail_msg("taken: " #field " = " #bad); \
	} while (0)

#define ASSERT_TAKEN(field, good)                                 \
	do {                                                      \
		struct tcp_config taken = valid();                \
		taken.field = (good);                             \
		if (!creates(&taken))                             \
			fail_msg("refused: " #field " = " #good); \
	} while (0)

TEST(test_create_defaults_need_only_their_pointers)
{
	struct tcp_config cfg = valid();

	assert_true(creates(&cfg));
	ASSERT_REFUSED(counters, NULL);
	ASSERT_REFUSED(buffers.release, NULL);
}

/* RFC 7323 §2.3: no window above 2^30. The rest are the ranges that tcp_conn.h states. */
TEST(test_create_config_out_of_range_returns_null)
{
	ASSERT_REFUSED(mss_max, 87);
	ASSERT_TAKEN(mss_max, 88);
	ASSERT_REFUSED(rcv_window_init_bytes, 0);
	ASSERT_REFUSED(rcv_window_init_bytes, (4U << 20) + 1); /* above the largest */
	ASSERT_TAKEN(rcv_window_init_bytes, 4U << 20);
	ASSERT_REFUSED(rcv_window_max_bytes, (1U << 30) + 1);
	ASSERT_TAKEN(rcv_window_max_bytes, 1U << 30);
	ASSERT_REFUSED(rcv_payloads_max, 15);
	ASSERT_TAKEN(rcv_payloads_max, 16);
	ASSERT_REFUSED(rcv_payloads_max, TCP_REASSEMBLY_PAYLOADS_MAX + 1);
	ASSERT_REFUSED(snd_buffer_bytes, 1023);
	ASSERT_TAKEN(snd_buffer_bytes, 1024);
	ASSERT_REFUSED(snd_buffer_bytes, (1U << 28) + 1);
	ASSERT_REFUSED(ack_segments_max, 0);
	ASSERT_TAKEN(ack_segments_max, 1);
}

TEST(test_create_window_below_two_segments_returns_null)
{
	struct tcp_config cfg = valid();

	cfg.rcv_window_init_bytes = 1;
	cfg.rcv_window_max_bytes = 2047;
	assert_false(creates(&cfg));
	cfg.rcv_window_max_bytes = 2048;
	assert_true(creates(&cfg));
}

/* RFC 6298 §2.4, §2.5: a minimum, a maximum, and the first value between them. */
TEST(test_create_rto_bounds_out_of_order_return_null)
{
	ASSERT_REFUSED(rto_min_ns, 0);
	ASSERT_REFUSED(rto_min_ns, NS_PER_SEC + 1);
	ASSERT_TAKEN(rto_min_ns, NS_PER_SEC);
	ASSERT_REFUSED(rto_max_ns, NS_PER_SEC - 1);
	ASSERT_TAKEN(rto_max_ns, NS_PER_SEC);
}

TEST(test_create_out_of_memory_at_any_allocation_returns_null_and_leaves_nothing)
{
	const struct tcp_config cfg = valid();
	int64_t before = test_alloc_live();
	uint32_t n;
	bool created;

	for (n = 1;; n++) {
		test_alloc_fail_from(n);
		created = creates(&cfg);
		assert_int_equal(test_alloc_live(), before);
		assert_int_equal(created, !test_alloc_failed());
		if (created)
			break;
	}
	test_alloc_fail_from(0);
	assert_int_equal(n, 2); /* the first one was enough: all lies in one block */
}

/* As the header says: all its memory is there from the start. */
TEST(test_create_is_the_last_allocation_of_a_connection)
{
	const struct tcp_config cfg = valid();
	const struct tcp_open open = {.local_port = 1, .remote_port = 80, .iss = 7};
	struct tcp_conn *c = tcp_conn_create(&cfg);
	struct tcp_segment s;

	assert_non_null(c);
	test_alloc_fail_from(1);
	assert_int_equal(tcp_conn_connect(c, &open, NS_PER_SEC), 0);
	assert_true(tcp_conn_output(c, NS_PER_SEC, &s));
	s = (struct tcp_segment){.seq = 99, .ack = 8, .flags = TCP_SYN | TCP_ACK, .window = 9000};
	tcp_conn_input(c, &s, NS_PER_SEC);
	assert_int_equal(tcp_conn_send(c, "hello", 5), 5);
	assert_true(tcp_conn_output(c, NS_PER_SEC, &s));
	tcp_conn_reset(c);
	assert_false(test_alloc_failed());
	test_alloc_fail_from(0);
	tcp_conn_destroy(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_create_defaults_need_only_their_pointers),
		T(test_create_config_out_of_range_returns_null),
		T(test_create_window_below_two_segments_returns_null),
		T(test_create_rto_bounds_out_of_order_return_null),
		T(test_create_out_of_memory_at_any_allocation_returns_null_and_leaves_nothing),
		T(test_create_is_the_last_allocation_of_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
