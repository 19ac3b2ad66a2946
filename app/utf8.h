/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UTF8_H
#define UTF8_H

#include <stdint.h>

/** U+FFFD, what stands for text that cannot be read. */
#define UTF8_REPLACEMENT 0xfffdU

/** The code point that *text, not at its end, begins with; moves *text past it. A byte that begins none
 *  (Unicode 15 table 3-7: not overlong, no surrogate, at most U+10FFFF) is one UTF8_REPLACEMENT. */
uint32_t utf8_next(const char **text);

#endif
