/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/** For what a hot function rarely calls: inlined, it would cost every call its registers. */
#define OUT_OF_LINE __attribute__((noinline))

/** For what is to be compiled anew at each call, where an argument is a constant. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

#define LIKELY(condition) __builtin_expect((condition), 1)
#define UNLIKELY(condition) __builtin_expect((condition), 0)

#endif
