/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink_ring.h"
#include "sink_wake.h"

#define MESSAGES UINT64_C(300000)

struct message {
	uint64_t number;
	uint64_t twice;
};

static void
put(struct sink_ring *r, uint64_t number)
{
	struct message *m = sink_ring_slot(r);

	assert_non_null(m);
	*m = (struct message){number, 2 * number};
	sink_ring_put(r);
}

static void
test_ring_full_has_no_slot_and_unpublished_is_unseen(void **state)
{
	struct sink_ring r;

	(void)state;
	assert_int_equal(sink_ring_init(&r, 2, sizeof(struct message)), 0);
	assert_int_equal(sink_ring_ready(&r), 0);
	put(&r, 1);
	assert_int_equal(sink_ring_ready(&r), 0);
	put(&r, 2);
	assert_null(sink_ring_slot(&r));
	sink_ring_publish(&r);
	assert_int_equal(sink_ring_ready(&r), 2);
	assert_int_equal(((const struct message *)sink_ring_at(&r, 1))->number, 2);
	sink_ring_drop(&r, 1);
	assert_non_null(sink_ring_slot(&r));
	assert_int_equal(((const struct message *)sink_ring_at(&r, 0))->twice, 4);
	sink_ring_free(&r);
}

static void
test_ring_indices_wrap(void **state)
{
	struct sink_ring r;
	uint64_t i;

	(void)state;
	assert_int_equal(sink_ring_init(&r, 4, sizeof(struct message)), 0);
	r.put = r.tail_seen = r.head_seen = UINT32_MAX - 5;
	atomic_store(&r.head, UINT32_MAX - 5);
	atomic_store(&r.tail, UINT32_MAX - 5);
	for (i = 0; i < 20; i++) {
		put(&r, i);
		put(&r, i + 100);
		sink_ring_publish(&r);
		assert_int_equal(sink_ring_ready(&r), 2);
		assert_int_equal(((const struct message *)sink_ring_at(&r, 0))->number, i);
		assert_int_equal(((const struct message *)sink_ring_at(&r, 1))->number, i + 100);
		sink_ring_drop(&r, 2);
	}
	sink_ring_free(&r);
}

struct channel {
	struct sink_ring ring;
	struct sink_wake wake;
	uint64_t received;
	uint64_t wrong;
};

static void *
consume(void *arg)
{
	struct channel *c = arg;
	const struct message *m;
	uint32_t n, i;

	while (c->received < MESSAGES) {
		n = sink_ring_ready(&c->ring);
		if (n == 0)
			/* No time-out: a lost wake hangs the test. */
			sink_wake_wait(&c->wake, &c->ring, 1, 0);
		for (i = 0; i < n; i++) {
			m = sink_ring_at(&c->ring, i);
			c->wrong += m->number != c->received || m->twice != 2 * c->received;
			c->received++;
		}
		if (n > 0)
			sink_ring_drop(&c->ring, n);
	}
	return NULL;
}

static void
produce(struct channel *c)
{
	struct message *m;
	uint64_t i;

	for (i = 0; i < MESSAGES; i++) {
		while ((m = sink_ring_slot(&c->ring)) == NULL)
			sched_yield();
		*m = (struct message){i, 2 * i};
		sink_ring_put(&c->ring);
		sink_ring_publish(&c->ring);
		sink_wake_kick(&c->wake, &c->ring, false);
		/* Let the consumer go to sleep now and then. */
		if (i % 1000 == 0)
			sched_yield();
	}
}

static void
test_ring_two_threads_lose_no_message_and_no_wake(void **state)
{
	struct channel c = {.received = 0};
	pthread_t thread;

	(void)state;
	assert_int_equal(sink_ring_init(&c.ring, 64, sizeof(struct message)), 0);
	assert_int_equal(pthread_create(&thread, NULL, consume, &c), 0);
	produce(&c);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(c.received, MESSAGES);
	assert_int_equal(c.wrong, 0);
	sink_ring_free(&c.ring);
}

static void
test_wake_kick_below_the_wanted_pile_leaves_the_sleeper(void **state)
{
	struct sink_wake w = {.asleep = 1, .wake_at = 3};
	struct sink_ring r;

	(void)state;
	assert_int_equal(sink_ring_init(&r, 8, sizeof(struct message)), 0);
	put(&r, 0);
	put(&r, 1);
	sink_ring_publish(&r);
	sink_wake_kick(&w, &r, false);
	assert_int_equal(atomic_load(&w.asleep), 1);
	put(&r, 2);
	sink_ring_publish(&r);
	sink_wake_kick(&w, &r, false);
	assert_int_equal(atomic_load(&w.asleep), 0);
	atomic_store(&w.asleep, 1);
	atomic_store(&w.wake_at, 8);
	sink_wake_kick(&w, &r, true);
	assert_int_equal(atomic_load(&w.asleep), 0);
	sink_ring_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_full_has_no_slot_and_unpublished_is_unseen),
		cmocka_unit_test(test_ring_indices_wrap),
		cmocka_unit_test(test_ring_two_threads_lose_no_message_and_no_wake),
		cmocka_unit_test(test_wake_kick_below_the_wanted_pile_leaves_the_sleeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
