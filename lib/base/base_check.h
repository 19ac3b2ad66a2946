/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/*
 * CHECK(): an invariant of our own code. It stays on in release builds, prints where and what on
 * stderr, and aborts. A peer's input must never reach one: input is validated, counted under a
 * drop reason, and dropped.
 */
#define CHECK(condition)                              \
	(__builtin_expect(!!(condition), 1) ? (void)0 \
					    : base_check_failed(#condition, __FILE__, __LINE__))

/** Prints the failed condition and its place on stderr and aborts. Does not return. */
_Noreturn void base_check_failed(const char *condition, const char *file, int line)
	__attribute__((cold));

#endif
