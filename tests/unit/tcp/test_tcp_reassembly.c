/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_reassembly.h"
#include "test_buffer.h"
#include "test_reassembly_model.h"

#define PAYLOADS_MAX 32U /* of which out-of-order data may use 28 */

/* A store with RCV.NXT just below the wrap of the sequence numbers. */
struct fixture {
	struct tcp_reassembly *r;
	struct test_buffers buffers;
	uint32_t start, rcv_nxt;
	struct tcp_reassembly_result last;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->start = f->rcv_nxt = UINT32_C(0xfffffff0);
	f->r = test_reassembly_create(PAYLOADS_MAX, NULL, &f->buffers);
	assert_non_null(f->r);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	test_reassembly_destroy(f->r);
	assert_int_equal(test_buffers_live(&f->buffers), 0);
	free(f);
	return 0;
}

/* Inserts text at an offset from the start; true: kept. */
static bool
insert(struct fixture *f, int32_t offset, const char *text)
{
	struct payload p = test_buffer_make(&f->buffers, text, (uint32_t)strlen(text));
	bool kept =
		tcp_reassembly_insert(f->r, f->start + (uint32_t)offset, &p, f->rcv_nxt, &f->last);

	if (!kept)
		test_buffer_release(&f->buffers, p.owner);
	f->rcv_nxt = f->last.rcv_nxt;
	tcp_reassembly_check(f->r, f->rcv_nxt);
	return kept;
}

static void
assert_delivers(struct fixture *f, const char *text)
{
	struct payload part;
	char got[256];
	size_t len = 0;

	while (tcp_reassembly_recv(f->r, &part, 1) == 1) {
		assert_true(len + part.len < sizeof(got));
		memcpy(got + len, part.data, part.len);
		len += part.len;
		test_buffer_release(&f->buffers, part.owner);
		tcp_reassembly_consumed(f->r, 1);
	}
	got[len] = '\0';
	assert_string_equal(got, text);
}

static void
assert_block(
	const struct fixture *f, const struct tcp_sack_block *block, int32_t left, int32_t right)
{
	assert_int_equal((int32_t)(block->left - f->start), left);
	assert_int_equal((int32_t)(block->right - f->start), right);
}

static void
test_reassembly_in_order_is_delivered_and_advances_rcv_nxt(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 0, "hello "));
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_IN_ORDER);
	assert_false(f->last.filled_hole);
	assert_true(insert(f, 6, "world of wrapping numbers"));
	assert_int_equal(f->rcv_nxt, f->start + 31);
	assert_int_equal(tcp_reassembly_ready(f->r), 2);
	assert_int_equal(tcp_reassembly_ready_bytes(f->r), 31);
	assert_delivers(f, "hello world of wrapping numbers");
	assert_int_equal(tcp_reassembly_ready_bytes(f->r), 0);
}

static void
test_reassembly_append_fast_path_keeps_until_full(void **state)
{
	struct fixture *f = *state;
	struct payload p;
	uint32_t i;

	for (i = 0; i < PAYLOADS_MAX; i++) {
		p = test_buffer_make(&f->buffers, "x", 1);
		assert_true(tcp_reassembly_append_in_order(f->r, &p));
	}
	assert_int_equal(tcp_reassembly_room(f->r), 0);
	p = test_buffer_make(&f->buffers, "x", 1);
	assert_false(tcp_reassembly_append_in_order(f->r, &p));
	test_buffer_release(&f->buffers, p.owner);
	assert_delivers(f, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(tcp_reassembly_room(f->r), PAYLOADS_MAX);
}

static void
test_reassembly_append_with_a_hole_leaves_it_to_insert(void **state)
{
	struct fixture *f = *state;
	struct payload p = test_buffer_make(&f->buffers, "ab", 2);

	assert_true(insert(f, 4, "ef"));
	assert_false(tcp_reassembly_append_in_order(f->r, &p));
	test_buffer_release(&f->buffers, p.owner);
}

static void
test_reassembly_hole_filled_delivers_everything_contiguous(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 6, "ghi"));
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_OUT_OF_ORDER);
	assert_int_equal(f->rcv_nxt, f->start);
	assert_true(insert(f, 3, "def"));
	assert_true(insert(f, 12, "mno"));
	assert_int_equal(tcp_reassembly_ranges(f->r), 2);
	assert_int_equal(tcp_reassembly_high_seq(f->r, f->rcv_nxt), f->start + 15);
	assert_true(insert(f, 0, "abc"));
	assert_true(f->last.filled_hole);
	assert_int_equal(f->rcv_nxt, f->start + 9);
	assert_int_equal(tcp_reassembly_ranges(f->r), 1);
	assert_true(insert(f, 9, "jkl"));
	assert_true(f->last.filled_hole);
	assert_int_equal(tcp_reassembly_high_seq(f->r, f->rcv_nxt), f->rcv_nxt);
	assert_delivers(f, "abcdefghijklmno");
}

static void
test_reassembly_part_of_a_hole_filled_is_reported(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 9, "jkl"));
	assert_true(insert(f, 0, "abc")); /* RFC 5681 §4.2: "all or part of a gap" */
	assert_true(f->last.filled_hole);
	assert_int_equal(f->rcv_nxt, f->start + 3);
}

static void
test_reassembly_duplicate_of_delivered_data_is_not_kept(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 0, "abcdef"));
	assert_false(insert(f, 2, "CD"));
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_DUPLICATE);
	assert_int_equal(f->last.bytes_duplicate, 2);
	assert_block(f, &f->last.duplicate, 2, 4);
	assert_delivers(f, "abcdef");
}

static void
test_reassembly_empty_payload_is_a_duplicate_without_a_range(void **state)
{
	struct fixture *f = *state;
	int32_t offset;

	assert_true(insert(f, 4, "efgh"));
	for (offset = -1; offset < 10; offset++) {
		assert_false(insert(f, offset, ""));
		assert_int_equal(f->last.verdict, TCP_REASSEMBLY_DUPLICATE);
		assert_int_equal(f->last.duplicate.left, f->last.duplicate.right);
	}
}

static void
test_reassembly_overlap_with_delivered_data_is_trimmed(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 0, "abcd"));
	assert_true(insert(f, 2, "CDef"));
	assert_int_equal(f->last.bytes_new, 2);
	assert_block(f, &f->last.duplicate, 2, 4);
	assert_delivers(f, "abcdef");
}

static void
test_reassembly_overlap_with_ranges_keeps_first_bytes(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 2, "cde"));
	assert_true(insert(f, 8, "ij"));
	assert_true(insert(f, 3, "DEfghI")); /* from inside one range to inside the next */
	assert_int_equal(f->last.bytes_new, 3);
	assert_int_equal(f->last.bytes_duplicate, 3);
	assert_block(f, &f->last.duplicate, 3, 5);
	assert_int_equal(tcp_reassembly_ranges(f->r), 1);
	assert_true(insert(f, 0, "ab"));
	assert_delivers(f, "abcdefghij");
}

static void
test_reassembly_segment_over_whole_ranges_replaces_them(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 4, "E"));
	assert_true(insert(f, 6, "G"));
	assert_true(insert(f, 8, "I"));
	assert_int_equal(test_buffers_live(&f->buffers), 3);
	assert_true(insert(f, 3, "defghi")); /* the last range holds the end: it stays */
	assert_int_equal(f->last.bytes_new, 3);
	assert_int_equal(f->last.bytes_duplicate, 3);
	assert_int_equal(test_buffers_live(&f->buffers), 2);
	assert_true(insert(f, 0, "abcde"));
	assert_int_equal(f->last.bytes_new, 3);
	assert_delivers(f, "abcdefghI");
}

static void
test_reassembly_in_order_segment_over_whole_ranges_delivers_once(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 2, "C"));
	assert_true(insert(f, 5, "F"));
	assert_true(insert(f, 0, "abcdefgh"));
	assert_int_equal(f->last.bytes_new, 6);
	assert_int_equal(tcp_reassembly_ranges(f->r), 0);
	assert_delivers(f, "abcdefgh");
}

static void
test_reassembly_out_of_order_leaves_a_reserve_for_the_hole(void **state)
{
	struct fixture *f = *state;
	const uint32_t reserve = PAYLOADS_MAX / TCP_REASSEMBLY_RESERVE_DIVISOR;
	uint32_t i;

	assert_true(insert(f, 100, "x"));
	for (i = 0; i < PAYLOADS_MAX - reserve - 1; i++) /* four a range: there are few ranges */
		assert_true(insert(f, (int32_t)(102 + i + i / 4), "x"));
	assert_false(insert(f, 50, "y"));
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_int_equal(f->last.bytes_new, 0);
	assert_false(insert(f, 101, "y")); /* even if it would join two ranges */
	assert_true(insert(f, 99, "yyy")); /* replacing one takes no more room */
	for (i = 0; i < reserve; i++)
		assert_true(insert(f, (int32_t)i, "z"));
	assert_false(insert(f, (int32_t)reserve, "z"));
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_delivers(f, "zzzz");
	assert_true(insert(f, (int32_t)reserve, "z"));
}

static void
test_reassembly_taken_payloads_stay_charged_until_consumed(void **state)
{
	struct fixture *f = *state;
	struct payload parts[PAYLOADS_MAX];
	uint32_t i;

	for (i = 0; i < PAYLOADS_MAX; i++)
		assert_true(insert(f, (int32_t)i, "x"));
	assert_int_equal(tcp_reassembly_recv(f->r, parts, PAYLOADS_MAX), PAYLOADS_MAX);
	assert_int_equal(tcp_reassembly_held(f->r), PAYLOADS_MAX);
	assert_false(insert(f, (int32_t)PAYLOADS_MAX, "y"));
	tcp_reassembly_consumed(f->r, 1);
	assert_int_equal(tcp_reassembly_room(f->r), 1);
	assert_true(insert(f, (int32_t)PAYLOADS_MAX, "y"));
	for (i = 0; i < PAYLOADS_MAX; i++)
		test_buffer_release(&f->buffers, parts[i].owner);
}

static void
test_reassembly_reset_forgets_what_was_taken(void **state)
{
	struct fixture *f = *state;
	struct payload part;

	assert_true(insert(f, 0, "ab"));
	assert_true(insert(f, 2, "cd"));
	assert_true(insert(f, 8, "ij"));
	assert_int_equal(tcp_reassembly_recv(f->r, &part, 1), 1);
	tcp_reassembly_reset(f->r);
	assert_int_equal(test_buffers_live(&f->buffers), 1);
	assert_int_equal(tcp_reassembly_held(f->r), 0);
	tcp_reassembly_consumed(f->r, 1); /* late */
	assert_int_equal(tcp_reassembly_held(f->r), 0);
	tcp_reassembly_check(f->r, 12345);
	test_buffer_release(&f->buffers, part.owner);
}

static void
test_reassembly_null_owner_is_held_and_never_released(void **state)
{
	struct fixture *f = *state;
	const struct payload p = {.data = (const uint8_t *)"ab", .len = 2, .owner = NULL};

	assert_true(tcp_reassembly_insert(f->r, f->start + 4, &p, f->rcv_nxt, &f->last));
	assert_true(tcp_reassembly_insert(f->r, f->start, &p, f->rcv_nxt, &f->last));
	tcp_reassembly_reset(f->r);
	assert_int_equal(f->buffers.released, 0);
}

static void
test_reassembly_ranges_are_bounded(void **state)
{
	struct fixture f = {.start = 7, .rcv_nxt = 7};
	const int32_t beyond = 2 * (int32_t)TCP_REASSEMBLY_RANGES_MAX + 1000;
	uint32_t i;

	(void)state;
	f.r = test_reassembly_create(
		TCP_REASSEMBLY_RANGES_MAX * TCP_REASSEMBLY_RANGES_DIVISOR, NULL, &f.buffers);
	assert_non_null(f.r);
	/* From the highest down: the worst order for a sorted array. */
	for (i = TCP_REASSEMBLY_RANGES_MAX; i > 0; i--)
		assert_true(insert(&f, (int32_t)(2 * i), "x"));
	assert_false(insert(&f, beyond, "x"));
	assert_int_equal(f.last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_true(insert(&f, 2 * (int32_t)TCP_REASSEMBLY_RANGES_MAX + 1, "x")); /* extends */
	assert_true(insert(&f, 3, "x")); /* joins two: one is free again */
	assert_true(insert(&f, beyond, "x"));
	assert_true(insert(&f, 0, "ab"));
	assert_int_equal(f.rcv_nxt, 7 + 5);
	test_reassembly_destroy(f.r);
	assert_int_equal(test_buffers_live(&f.buffers), 0);
}

static void
test_reassembly_few_payloads_have_few_ranges(void **state)
{
	struct fixture f = {.start = 7, .rcv_nxt = 7};
	int32_t i;

	(void)state;
	f.r = test_reassembly_create(16, NULL, &f.buffers);
	for (i = 1; i <= 4; i++)
		assert_true(insert(&f, 2 * i, "x"));
	assert_false(insert(&f, 20, "x"));
	assert_int_equal(f.last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_true(insert(&f, 9, "x")); /* extends one */
	assert_true(insert(&f, 0, "ab")); /* and that delivers one */
	assert_true(insert(&f, 20, "x"));
	test_reassembly_destroy(f.r);
	assert_int_equal(test_buffers_live(&f.buffers), 0);
}

/* Two connections, one place for out-of-order data: who finds it taken refuses its own, takes what is
 * in order, and has the place when the other's hole is filled or the other ends. */
static void
test_reassembly_pool_is_for_those_with_holes(void **state)
{
	struct tcp_reassembly_pool *pool = tcp_reassembly_pool_create(16, 1);
	struct fixture a = {0}, b = {0};

	(void)state;
	a.r = test_reassembly_create(16, pool, &a.buffers);
	b.r = test_reassembly_create(16, pool, &b.buffers);
	assert_true(insert(&a, 4, "efgh"));
	assert_false(insert(&b, 4, "efgh"));
	assert_int_equal(b.last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_int_equal(tcp_reassembly_sack_blocks(b.r, NULL, &b.last.duplicate, 1), 0);
	assert_true(insert(&b, 0, "ab"));
	assert_int_equal(b.rcv_nxt, 2);
	assert_true(insert(&a, 8, "ij"));
	assert_true(insert(&a, 0, "abcd"));
	assert_int_equal(a.rcv_nxt, 10);
	assert_true(insert(&b, 4, "ef")); /* given back */
	assert_true(insert(&b, 3, "defg")); /* replaces all that is held */
	assert_false(insert(&a, 12, "x"));
	tcp_reassembly_reset(b.r);
	assert_true(insert(&a, 12, "x"));
	test_reassembly_destroy(a.r);
	test_reassembly_destroy(b.r);
	assert_int_equal(test_buffers_live(&a.buffers) + test_buffers_live(&b.buffers), 0);
	tcp_reassembly_pool_destroy(pool);
}

/* RFC 2018 §4: the first block holds the segment that triggered the ACK; then the others, the
 * most recently changed first. */
static void
test_reassembly_sack_newest_range_comes_first(void **state)
{
	struct fixture *f = *state;
	struct tcp_sack_block blocks[4];

	assert_int_equal(tcp_reassembly_sack_blocks(f->r, NULL, blocks, 4), 0);
	assert_true(insert(f, 10, "aa"));
	assert_true(insert(f, 30, "cc"));
	assert_true(insert(f, 20, "bb"));
	assert_int_equal(tcp_reassembly_sack_blocks(f->r, NULL, blocks, 4), 3);
	assert_block(f, &blocks[0], 20, 22);
	assert_block(f, &blocks[1], 30, 32);
	assert_block(f, &blocks[2], 10, 12);
	assert_true(insert(f, 12, "a")); /* grows */
	assert_int_equal(tcp_reassembly_sack_blocks(f->r, NULL, blocks, 2), 2);
	assert_block(f, &blocks[0], 10, 13);
	assert_block(f, &blocks[1], 20, 22);
	assert_false(insert(f, 31, "c")); /* duplicate */
	assert_int_equal(tcp_reassembly_sack_blocks(f->r, NULL, blocks, 4), 3);
	assert_block(f, &blocks[0], 30, 32);
}

/* RFC 2883 §4 (3): the D-SACK block, then the larger block that holds it. */
static void
test_reassembly_dsack_is_followed_by_its_containing_range(void **state)
{
	struct fixture *f = *state;
	struct tcp_sack_block blocks[4];

	assert_true(insert(f, 10, "abcdef"));
	assert_true(insert(f, 30, "zz"));
	assert_false(insert(f, 12, "cd"));
	assert_int_equal(tcp_reassembly_sack_blocks(f->r, &f->last.duplicate, blocks, 3), 3);
	assert_block(f, &blocks[0], 12, 14);
	assert_block(f, &blocks[1], 10, 16);
	assert_block(f, &blocks[2], 30, 32);
	assert_int_equal(tcp_reassembly_sack_blocks(f->r, &f->last.duplicate, blocks, 0), 0);
}

static void
test_reassembly_agrees_with_the_model_on_random_scripts(void **state)
{
	uint8_t script[1200];
	uint64_t random;
	uint32_t seed, i;
	const char *failure;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		random = seed * UINT64_C(0x9e3779b97f4a7c15);
		for (i = 0; i < sizeof(script); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			script[i] = (uint8_t)(random >> 32);
		}
		failure = test_reassembly_model_run(script, sizeof(script));
		if (failure != NULL)
			fail_msg("seed %u: %s differs", seed, failure);
	}
}

/* Only what waits behind a hole is moved to where it may stay, and only the bytes that are new. */
static void
test_reassembly_keep_is_asked_of_out_of_order_data_alone(void **state)
{
	struct fixture *f = *state;
	struct payload part[4];
	uint32_t i;

	assert_true(insert(f, 0, "abc"));
	assert_int_equal(f->buffers.moved, 0);
	assert_true(insert(f, 6, "ghi"));
	assert_true(insert(f, 8, "ijkl")); /* of which "jkl" is new */
	assert_int_equal(f->buffers.moved, 2);
	assert_true(insert(f, 3, "def"));
	assert_int_equal(f->buffers.moved, 2);
	assert_int_equal(tcp_reassembly_recv(f->r, part, 4), 4);
	assert_memory_equal(part[3].data, "jkl", 3);
	assert_ptr_equal(part[3].data, part[3].owner);
	for (i = 0; i < 4; i++)
		test_buffer_release(&f->buffers, part[i].owner);
	tcp_reassembly_consumed(f->r, 4);
}

/* As with a full store: the sender has it still, and it replaces nothing. */
static void
test_reassembly_keep_that_refuses_leaves_everything_as_it_was(void **state)
{
	struct fixture *f = *state;

	assert_true(insert(f, 3, "def"));
	f->buffers.keep_refuses = true;
	assert_false(insert(f, 2, "cdefg")); /* would replace it */
	assert_int_equal(f->last.verdict, TCP_REASSEMBLY_NO_BUFFER);
	assert_int_equal(f->last.bytes_new, 0);
	assert_int_equal(tcp_reassembly_ranges(f->r), 1);
	assert_int_equal(tcp_reassembly_out_of_order_bytes(f->r), 3);
	assert_true(insert(f, 0, "abc"));
	assert_delivers(f, "abcdef");
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_reassembly_in_order_is_delivered_and_advances_rcv_nxt),
		FIXTURE_TEST(test_reassembly_append_fast_path_keeps_until_full),
		FIXTURE_TEST(test_reassembly_append_with_a_hole_leaves_it_to_insert),
		FIXTURE_TEST(test_reassembly_hole_filled_delivers_everything_contiguous),
		FIXTURE_TEST(test_reassembly_part_of_a_hole_filled_is_reported),
		FIXTURE_TEST(test_reassembly_duplicate_of_delivered_data_is_not_kept),
		FIXTURE_TEST(test_reassembly_empty_payload_is_a_duplicate_without_a_range),
		FIXTURE_TEST(test_reassembly_overlap_with_delivered_data_is_trimmed),
		FIXTURE_TEST(test_reassembly_overlap_with_ranges_keeps_first_bytes),
		FIXTURE_TEST(test_reassembly_segment_over_whole_ranges_replaces_them),
		FIXTURE_TEST(test_reassembly_in_order_segment_over_whole_ranges_delivers_once),
		FIXTURE_TEST(test_reassembly_out_of_order_leaves_a_reserve_for_the_hole),
		FIXTURE_TEST(test_reassembly_taken_payloads_stay_charged_until_consumed),
		FIXTURE_TEST(test_reassembly_reset_forgets_what_was_taken),
		FIXTURE_TEST(test_reassembly_keep_is_asked_of_out_of_order_data_alone),
		FIXTURE_TEST(test_reassembly_keep_that_refuses_leaves_everything_as_it_was),
		FIXTURE_TEST(test_reassembly_null_owner_is_held_and_never_released),
		cmocka_unit_test(test_reassembly_few_payloads_have_few_ranges),
		cmocka_unit_test(test_reassembly_pool_is_for_those_with_holes),
		cmocka_unit_test(test_reassembly_ranges_are_bounded),
		FIXTURE_TEST(test_reassembly_sack_newest_range_comes_first),
		FIXTURE_TEST(test_reassembly_dsack_is_followed_by_its_containing_range),
		cmocka_unit_test(test_reassembly_agrees_with_the_model_on_random_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
