/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/** Where a transfer stands. */
struct progress {
	uint64_t bytes; /* of the body so far */
	uint64_t total; /* its length, HTTP_LENGTH_UNKNOWN (UINT64_MAX) if not known */
	uint64_t elapsed_ns; /* since the start */
};

/** What the meter remembers between lines: the last seconds' speed. */
#define PROGRESS_SAMPLES 6U
struct progress_meter {
	struct progress sample[PROGRESS_SAMPLES];
	uint32_t samples; /* taken so far */
};

/** curl's two heading lines, with a newline at the end. Static storage. */
const char *progress_heading(void);

/** Formats one line of curl's meter, beginning with '\r' and without newline, and takes p as a
 *  sample of the current speed. Returns buf. */
char *progress_line(struct progress_meter *meter, const struct progress *p, char *buf, size_t room);

/** A byte count in at most five characters, as curl writes it: "1024", "9999k", "12.3M". */
#define PROGRESS_BYTES_TEXT_LEN 8U
char *progress_bytes_format(uint64_t bytes, char *buf);

#endif
