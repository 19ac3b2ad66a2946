/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_ALLOC_H
#define TEST_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Memory that runs out when the test says so. A test that links dep_test_alloc has the linker lead
 * every call of malloc, calloc, realloc, aligned_alloc, strdup, asprintf and free in its own objects
 * here (ld --wrap); calls inside shared libraries are not touched.
 */

/** The nth allocation from now on, 1.., and all after it return NULL. 0: none fails. */
void test_alloc_fail_from(uint32_t nth);

/** Has one failed since test_alloc_fail_from? */
bool test_alloc_failed(void);

/** Bytes that malloc, calloc and aligned_alloc were asked for and gave so far. */
uint64_t test_alloc_bytes(void);

/** Blocks that were allocated and not freed, of all that went this way. */
int64_t test_alloc_live(void);

#endif
