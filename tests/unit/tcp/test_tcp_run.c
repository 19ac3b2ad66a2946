/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Header prediction for a run of segments: as if they had come one after the other. */

#define RUN_MAX 40U

static uint64_t
counted(const struct fx *f, enum counter_id id)
{
	return f->counters.value[id];
}

/* n segments of len bytes from offset on, the last shorter: at once, the rest one by one. Returns
 * how many went at once. */
static uint32_t
input_at_once(struct fx *f, uint32_t offset, uint32_t n, uint32_t len)
{
	struct payload part[RUN_MAX];
	struct tcp_segment s[RUN_MAX];
	uint32_t i, kept = 0;

	assert_true(n <= RUN_MAX);
	for (i = 0; i < n; i++) {
		s[i] = fx_segment(f, offset + i * len, i + 1 == n && n > 1 ? len / 2 : len);
		s[i].options = f->c->timestamps ? TCP_OPT_TIMESTAMPS : 0;
		s[i].ts_val = f->ts;
		part[i] = s[i].payload;
	}
	if (tcp_conn_run_expected(f->c, &s[0], f->now_ns)) {
		kept = tcp_conn_input_run(f->c, &s[0], part, n, f->now_ns);
		tcp_conn_check(f->c);
		assert_in_range(kept, 1, n);
	}
	for (i = kept; i < n; i++)
		fx_input(f, s[i]);
	return kept;
}

static void
input_one_by_one(struct fx *f, uint32_t offset, uint32_t n, uint32_t len)
{
	struct tcp_segment s;
	uint32_t i;

	for (i = 0; i < n; i++) {
		s = fx_segment(f, offset + i * len, i + 1 == n && n > 1 ? len / 2 : len);
		fx_input(f, s);
	}
}

static void
assert_same(const struct fx *a, const struct fx *b)
{
	const struct tcp_window *w = &a->c->window, *v = &b->c->window;

	assert_memory_equal(&a->counters, &b->counters, sizeof(a->counters));
	assert_int_equal(a->c->rcv_nxt, b->c->rcv_nxt);
	assert_int_equal(a->c->snd_wl1, b->c->snd_wl1);
	assert_int_equal(a->c->ts_recent, b->c->ts_recent);
	assert_int_equal(a->c->ts_recent_ns, b->c->ts_recent_ns);
	assert_int_equal(a->c->last_received_ns, b->c->last_received_ns);
	assert_int_equal(a->c->ack.segments, b->c->ack.segments);
	assert_int_equal(a->c->ack.since_ns, b->c->ack.since_ns);
	assert_int_equal(a->c->ack.push, b->c->ack.push);
	assert_int_equal(a->c->ack.quick_left, b->c->ack.quick_left);
	assert_int_equal(w->adv, v->adv);
	assert_int_equal(w->unread, v->unread);
	assert_int_equal(w->used_up, v->used_up);
	assert_int_equal(w->payload_mean, v->payload_mean);
	assert_int_equal(tcp_conn_recv_ready(a->c), tcp_conn_recv_ready(b->c));
}

/* The same input both ways, the same output and the same state afterwards. */
static uint32_t
check_same(void (*change)(struct tcp_config *cfg), void (*prepare)(struct fx *f), uint32_t offset,
	uint32_t n, uint32_t len)
{
	struct fx *a = fx_open(TCP_ESTABLISHED, change), *b = fx_open(TCP_ESTABLISHED, change);
	uint32_t kept;

	if (prepare != NULL) {
		prepare(a);
		prepare(b);
	}
	a->ts++;
	b->ts++;
	a->now_ns += NS_PER_US;
	b->now_ns += NS_PER_US;
	kept = input_at_once(a, offset, n, len);
	input_one_by_one(b, offset, n, len);
	assert_same(a, b);
	assert_int_equal(fx_drain(a), fx_drain(b));
	assert_same(a, b);
	assert_int_equal(fx_read(a, 0), fx_read(b, 0));
	fx_end(a);
	fx_end(b);
	return kept;
}

TEST(test_run_of_any_length_leaves_what_single_segments_would)
{
	uint32_t n;

	for (n = 1; n <= RUN_MAX; n++)
		assert_int_equal(check_same(NULL, NULL, 0, n, 1448), n);
}

static void
small_window(struct tcp_config *cfg)
{
	cfg->rcv_window_init_bytes = cfg->rcv_window_max_bytes = 8192;
	cfg->window_scaling = false;
}

/* RFC 9293 §3.10.7.4: the last one reaches beyond the window and is trimmed on the long way. */
TEST(test_run_beyond_the_window_is_kept_up_to_it)
{
	assert_int_equal(check_same(small_window, NULL, 0, 8, 1448), 5);
}

static void
few_buffers(struct tcp_config *cfg)
{
	cfg->rcv_payloads_max = TCP_REASSEMBLY_PAYLOADS_MIN;
}

TEST(test_run_beyond_the_buffers_is_kept_up_to_their_number)
{
	uint32_t n = TCP_REASSEMBLY_PAYLOADS_MIN;

	assert_int_equal(check_same(few_buffers, NULL, 0, n + 3, 10), n);
}

static void
no_timestamps(struct tcp_config *cfg)
{
	cfg->timestamps = false;
}

TEST(test_run_without_timestamps_is_taken)
{
	assert_int_equal(check_same(no_timestamps, NULL, 0, 9, 1460), 9);
}

static void
every(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_EVERY;
}

static void
delayed(struct tcp_config *cfg)
{
	cfg->ack_policy = TCP_ACK_DELAYED;
}

/* Where each segment may call for an ACK of its own there are no runs. */
TEST(test_run_is_not_expected_where_single_segments_are_acknowledged)
{
	assert_int_equal(check_same(every, NULL, 0, 9, 1448), 0);
	assert_int_equal(check_same(delayed, NULL, 0, 9, 1448), 0);
}

static void
hold_out_of_order(struct fx *f)
{
	fx_data(f, 5 * 1448, 100);
}

TEST(test_run_is_not_expected_while_a_hole_is_open)
{
	assert_int_equal(check_same(NULL, hold_out_of_order, 0, 5, 1448), 0);
}

static void
stay_idle(struct fx *f)
{
	f->now_ns += 2 * TCP_ACK_IDLE_NS;
}

/* The sender's window is small again: quick ACKs (RFC 5681 §4.1). */
TEST(test_run_is_not_expected_after_idle_time)
{
	assert_int_equal(check_same(NULL, stay_idle, 0, 5, 1448), 0);
}

static void
discard(struct fx *f)
{
	tcp_conn_discard(f->c);
}

TEST(test_run_is_not_expected_by_who_reads_no_more)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);

	discard(f);
	assert_int_equal(input_at_once(f, 0, 3, 1448), 0);
	assert_int_equal(tcp_conn_state(f->c), TCP_CLOSED);
	fx_end(f);
}

static bool
expected(struct fx *f, struct tcp_segment s)
{
	bool yes;

	s.options |= f->c->timestamps ? TCP_OPT_TIMESTAMPS : 0;
	s.ts_val = s.ts_val != 0 ? s.ts_val : f->ts;
	yes = tcp_conn_run_expected(f->c, &s, f->now_ns);
	test_buffer_release(&f->buffers, s.payload.owner);
	return yes;
}

/* Anything but the plain next segment. */
TEST(test_run_is_not_expected_after_an_unusual_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_segment s;

	assert_true(expected(f, fx_segment(f, 0, 100)));
	assert_false(expected(f, fx_segment(f, 1, 100)));
	s = fx_segment(f, 0, 100);
	s.flags |= TCP_PSH;
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.flags |= TCP_FIN;
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.window++;
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.ack++;
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.ts_val = f->c->ts_recent - 1; /* RFC 7323 §5: PAWS is for the long way */
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.options |= TCP_OPT_SACK;
	assert_false(expected(f, s));
	s = fx_segment(f, 0, 100);
	s.more = true;
	assert_false(expected(f, s));
	fx_end(f);
}

TEST(test_run_counts_each_segment)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint64_t before = counted(f, COUNTER_TCP_SEGMENTS_RECEIVED);

	assert_int_equal(input_at_once(f, 0, 7, 1000), 7);
	assert_int_equal(counted(f, COUNTER_TCP_SEGMENTS_RECEIVED) - before, 7);
	assert_int_equal(counted(f, COUNTER_TCP_FAST_PATH), 7);
	assert_int_equal(counted(f, COUNTER_TCP_BYTES_RECEIVED), 6500);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_run_of_any_length_leaves_what_single_segments_would),
		T(test_run_beyond_the_window_is_kept_up_to_it),
		T(test_run_beyond_the_buffers_is_kept_up_to_their_number),
		T(test_run_without_timestamps_is_taken),
		T(test_run_is_not_expected_where_single_segments_are_acknowledged),
		T(test_run_is_not_expected_while_a_hole_is_open),
		T(test_run_is_not_expected_after_idle_time),
		T(test_run_is_not_expected_by_who_reads_no_more),
		T(test_run_is_not_expected_after_an_unusual_segment),
		T(test_run_counts_each_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
