/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_REASSEMBLY_MODEL_H
#define TEST_REASSEMBLY_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "tcp_reassembly.h"
#include "test_buffer.h"

/**
 * Runs a tcp_reassembly beside a reference that keeps one record a byte, and compares them after
 * every action: verdicts, bytes delivered, ranges and their SACK order, charges, live owners.
 * script: the set-up and the actions, decoded so that any bytes are a valid script (what a fuzzer
 * or a random generator makes). Each segment carries its own bytes, so that it shows which of two
 * overlapping segments a delivered byte came from.
 * Returns NULL when all agreed, or what did not (static storage).
 */
const char *test_reassembly_model_run(const uint8_t *script, size_t len);

/** A store in memory of its own, exactly as much as it needs; pool: NULL or as tcp_reassembly_init has
 *  it. */
struct tcp_reassembly *test_reassembly_create(
	uint32_t payloads_max, struct tcp_reassembly_pool *pool, struct test_buffers *buffers);
void test_reassembly_destroy(struct tcp_reassembly *r);

#endif
