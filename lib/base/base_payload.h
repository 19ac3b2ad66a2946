/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_PAYLOAD_H
#define BASE_PAYLOAD_H

#include <stdbool.h>
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

/**
 * Says that payload may stay for long: behind a hole, for one, that may never be filled. Some buffers have to be
 * given back in the order in which they came; whoever made it may move the bytes to another one and change data
 * and owner, and has then been given the old owner back, whose bytes stay as they are until the next owner is given back. false:
 * there is no room for it, nothing has changed, and it must not stay. ctx is that of the buffer_release_fn.
 */
typedef bool (*buffer_keep_fn)(void *ctx, struct payload *payload);

/** Whom to ask about received buffers. */
struct payload_buffers {
	buffer_release_fn release;
	buffer_keep_fn keep; /* NULL: anything may stay */
	void *ctx; /* of both */
};

#endif
