/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base_snapshot.h"

#define WORDS 101U /* odd, so that the copies do not share all their cache lines' offsets */
#define READS 500U /* that saw another publication than the one before */

static void
fill(uint64_t *figures, uint64_t value)
{
	uint32_t i;

	for (i = 0; i < WORDS; i++)
		figures[i] = value;
}

static void
test_snapshot_read_before_the_first_publication_is_false(void **state)
{
	struct snapshot *s = snapshot_create(WORDS * sizeof(uint64_t));
	uint64_t figures[WORDS];

	(void)state;
	assert_non_null(s);
	fill(figures, 7);
	assert_false(snapshot_read(s, figures));
	assert_int_equal(figures[0], 7);
	snapshot_destroy(s);
	snapshot_destroy(NULL);
}

static void
test_snapshot_read_gives_the_last_publication_again_and_again(void **state)
{
	struct snapshot *s = snapshot_create(WORDS * sizeof(uint64_t));
	uint64_t in[WORDS], out[WORDS], round, i;

	(void)state;
	assert_non_null(s);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < WORDS; i++)
			in[i] = (round << 40) + i;
		snapshot_publish(s, in);
		memset(out, 0xff, sizeof(out));
		assert_true(snapshot_read(s, out));
		assert_memory_equal(in, out, sizeof(in));
		assert_true(snapshot_read(s, out));
		assert_memory_equal(in, out, sizeof(in));
	}
	snapshot_destroy(s);
}

struct writer {
	struct snapshot *snapshot;
	atomic_bool stop;
};

/* Publishes figures that are all the same number, without a pause. */
static void *
write_on(void *ctx)
{
	struct writer *w = ctx;
	uint64_t figures[WORDS], n;

	for (n = 1; !atomic_load_explicit(&w->stop, memory_order_relaxed); n++) {
		fill(figures, n);
		snapshot_publish(w->snapshot, figures);
	}
	return NULL;
}

/* Are all figures of one moment? */
static bool
whole(const uint64_t *figures)
{
	uint32_t i;

	for (i = 1; i < WORDS; i++) {
		if (figures[i] != figures[0])
			return false;
	}
	return true;
}

static void
test_snapshot_read_while_another_thread_publishes_is_whole_and_never_older(void **state)
{
	struct writer w = {.snapshot = snapshot_create(WORDS * sizeof(uint64_t))};
	uint64_t figures[WORDS], last = 0, mixed = 0, older = 0;
	uint32_t seen = 0;
	pthread_t thread;

	(void)state;
	assert_non_null(w.snapshot);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	while (seen < READS) {
		if (!snapshot_read(w.snapshot, figures) || figures[0] == last) {
			sched_yield(); /* there may be one CPU for both */
			continue;
		}
		mixed += !whole(figures);
		older += figures[0] < last;
		last = figures[0];
		seen++;
	}
	atomic_store_explicit(&w.stop, true, memory_order_relaxed);
	assert_int_equal(pthread_join(thread, NULL), 0);
	snapshot_destroy(w.snapshot);
	assert_int_equal(mixed, 0);
	assert_int_equal(older, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snapshot_read_before_the_first_publication_is_false),
		cmocka_unit_test(test_snapshot_read_gives_the_last_publication_again_and_again),
		cmocka_unit_test(
			test_snapshot_read_while_another_thread_publishes_is_whole_and_never_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
