/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "base_snapshot.h"

#define WORD sizeof(uint64_t)

struct snapshot {
	size_t words; /* of one copy */
	_Atomic uint64_t published; /* how often; an odd number: the second copy is valid */
	_Atomic uint64_t word[]; /* two copies */
};

struct snapshot *
snapshot_create(size_t bytes)
{
	struct snapshot *s;

	CHECK(bytes > 0 && bytes % WORD == 0);
	s = calloc(1, sizeof(*s) + 2 * bytes);
	if (s != NULL)
		s->words = bytes / WORD;
	return s;
}

void
snapshot_destroy(struct snapshot *s)
{
	free(s);
}

static size_t
first_word(const struct snapshot *s, uint64_t published)
{
	return published % 2 * s->words;
}

void
snapshot_publish(struct snapshot *s, const void *figures)
{
	uint64_t next = atomic_load_explicit(&s->published, memory_order_relaxed) + 1, value;
	size_t first = first_word(s, next), i;

	/* Who reads one of the words below sees also that the copy before was published, and that
	 * this one is therefore not to be read. Pairs with the fence of snapshot_read. */
	atomic_thread_fence(memory_order_release);
	for (i = 0; i < s->words; i++) {
		memcpy(&value, (const uint8_t *)figures + i * WORD, WORD);
		atomic_store_explicit(&s->word[first + i], value, memory_order_relaxed);
	}
	atomic_store_explicit(&s->published, next, memory_order_release);
}

static void
copy_words(const struct snapshot *s, uint64_t published, void *to)
{
	size_t first = first_word(s, published), i;
	uint64_t value;

	for (i = 0; i < s->words; i++) {
		value = atomic_load_explicit(&s->word[first + i], memory_order_relaxed);
		memcpy((uint8_t *)to + i * WORD, &value, WORD);
	}
}

bool
snapshot_read(const struct snapshot *s, void *ret_figures)
{
	uint64_t before, after = atomic_load_explicit(&s->published, memory_order_acquire);

	if (after == 0)
		return false;
	do {
		before = after;
		copy_words(s, before, ret_figures);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&s->published, memory_order_acquire);
	} while (after != before);
	return true;
}
