/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_BUFFER_H
#define TEST_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base_payload.h"

/*
 * Received buffers for tests: each payload is its own malloc block of exactly its length, so that
 * ASan sees every overrun, and the number alive is known. A test ends with test_buffers_live == 0.
 */

struct test_buffers {
	uint64_t made;
	uint64_t released;
	uint64_t moved; /* by test_buffer_keep */
	bool keep_refuses;
};

/** A payload with a copy of len bytes at data; its owner counts as alive in *b. */
struct payload test_buffer_make(struct test_buffers *b, const void *data, uint32_t len);

/** A buffer_release_fn; ctx is the struct test_buffers. A double release trips ASan. */
void test_buffer_release(void *ctx, void *owner);

/** A buffer_keep_fn; ctx is the struct test_buffers. The bytes move to a block of their own, and the old one is
 *  gone at once, so that ASan sees who still looks at it. */
bool test_buffer_keep(void *ctx, struct payload *payload);

/** Made and not yet released. */
uint64_t test_buffers_live(const struct test_buffers *b);

#endif
