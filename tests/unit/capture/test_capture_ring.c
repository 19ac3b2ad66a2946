/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture_limits.h"
#include "capture_ring.h"

#define BYTES (UINT64_C(1) << 18)
#define FRAME 1000U

/* The number of a frame is in all of its bytes. */
static bool
put(struct capture_ring *r, uint32_t number, uint32_t len)
{
	struct capture_record *c = capture_ring_begin(r, len);

	if (c == NULL)
		return false;
	assert_int_equal(c->captured, len);
	assert_false(c->gap);
	assert_true(capture_record_data(c) + len <= r->memory + r->bytes);
	c->original = number;
	memset(capture_record_data(c), (int)(number & 0xff), len);
	capture_ring_commit(r);
	return true;
}

static bool
take(struct capture_ring *r, uint32_t number, uint32_t len)
{
	const struct capture_record *c = capture_ring_first(r);
	const uint8_t *data = (const uint8_t *)(c + 1);
	uint32_t i;

	if (c == NULL)
		return false;
	assert_int_equal(c->original, number);
	assert_int_equal(c->captured, len);
	for (i = 0; i < len; i++)
		assert_int_equal(data[i], number & 0xff);
	capture_ring_drop(r);
	return true;
}

static void
test_ring_keeps_the_order_over_many_rounds(void **state)
{
	struct capture_ring r;
	uint32_t number, len;

	(void)state;
	assert_int_equal(capture_ring_init(&r, BYTES, false, 0), 0);
	for (number = 0; number < 3000; number++) {
		len = number * 37 % 9001;
		assert_true(put(&r, number, len));
		assert_true(put(&r, number + 1, 60));
		assert_true(take(&r, number, len));
		assert_true(take(&r, number + 1, 60));
	}
	assert_null(capture_ring_first(&r));
	assert_int_equal(r.left_out, 0);
	capture_ring_free(&r);
}

static void
test_ring_full_leaves_the_newest_out_and_counts(void **state)
{
	struct capture_ring r;
	uint32_t stored = 0, number;

	(void)state;
	assert_int_equal(capture_ring_init(&r, BYTES, false, 0), 0);
	while (put(&r, stored, FRAME))
		stored++;
	assert_int_equal(r.left_out, 1);
	assert_in_range(stored, BYTES / (FRAME + 2 * sizeof(struct capture_record)), BYTES / FRAME);
	assert_false(put(&r, 0, FRAME));
	assert_int_equal(r.left_out, 2);
	assert_true(take(&r, 0, FRAME));
	assert_true(take(&r, 1, FRAME)); /* room for one, even with a gap before it */
	assert_true(put(&r, stored, FRAME));
	for (number = 2; number <= stored; number++)
		assert_true(take(&r, number, FRAME));
	assert_null(capture_ring_first(&r));
	capture_ring_free(&r);
}

static void
test_ring_begun_but_not_committed_is_not_seen(void **state)
{
	struct capture_ring r;

	(void)state;
	assert_int_equal(capture_ring_init(&r, BYTES, false, 0), 0);
	assert_non_null(capture_ring_begin(&r, FRAME));
	assert_null(capture_ring_first(&r));
	assert_true(put(&r, 7, FRAME)); /* takes its place */
	assert_true(take(&r, 7, FRAME));
	capture_ring_free(&r);
}

static void
test_ring_that_keeps_has_the_last_frames(void **state)
{
	struct capture_ring r;
	const struct capture_record *c;
	uint32_t number, first, kept = 0;

	(void)state;
	assert_int_equal(capture_ring_init(&r, BYTES, true, 0), 0);
	for (number = 0; number < 5000; number++)
		assert_true(put(&r, number, number * 37 % 9001));
	c = capture_ring_first(&r);
	assert_non_null(c);
	first = c->original;
	for (number = first; number < 5000; number++, kept++)
		assert_true(take(&r, number, number * 37 % 9001));
	assert_null(capture_ring_first(&r));
	assert_in_range(kept, BYTES / 9100, BYTES / 2000);
	assert_int_equal(r.left_out, 0);
	capture_ring_free(&r);
}

static void
test_ring_that_keeps_has_no_more_than_was_asked_for(void **state)
{
	struct capture_ring r;
	uint32_t number;

	(void)state;
	assert_int_equal(capture_ring_init(&r, BYTES, true, 10), 0);
	for (number = 0; number < 2000; number++)
		assert_true(put(&r, number, FRAME));
	for (number = 1990; number < 2000; number++)
		assert_true(take(&r, number, FRAME));
	assert_null(capture_ring_first(&r));
	capture_ring_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_keeps_the_order_over_many_rounds),
		cmocka_unit_test(test_ring_full_leaves_the_newest_out_and_counts),
		cmocka_unit_test(test_ring_begun_but_not_committed_is_not_seen),
		cmocka_unit_test(test_ring_that_keeps_has_the_last_frames),
		cmocka_unit_test(test_ring_that_keeps_has_no_more_than_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
