/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_PAYLOAD_H
#define BASE_PAYLOAD_H

#include <stdint.h>

/**
 * A run of received bytes inside a buffer that somebody owns.
 *
 * owner is an opaque handle: an mbuf in the program, malloc'd memory in a test, NULL for memory
 * that needs no release. Whoever holds the payload holds the owner, and either passes both on or
 * gives the owner back through the buffer_release it was configured with, exactly once.
 */
struct payload {
	const uint8_t *data;
	uint32_t len; /* bytes */
	void *owner;
};

/**
 * Gives one owner handle back to whoever made it (the port, or a test's allocator).
 * Called on the poll core only. ctx is what was configured beside the function.
 */
typedef void (*buffer_release_fn)(void *ctx, void *owner);

#endif
