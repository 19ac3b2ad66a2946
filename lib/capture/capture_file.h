/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <stdint.h>
#include <stdio.h>

#include "capture_ring.h"

/** A pcapng file that is being written. */
struct capture_file {
	FILE *stream;
	uint8_t *block; /* one block */
	uint64_t bytes, packets;
	int error; /* 0 or the first -errno; nothing is written any more then */
};

/** Creates or truncates path and writes the blocks before the packets. 0, -ENOMEM or -errno. */
int capture_file_open(struct capture_file *f, const char *path, const char *application,
	const char *interface, uint32_t snaplen);

/** Writes one packet. */
void capture_file_write(struct capture_file *f, const struct capture_record *c);

/** Writes the statistics (see capture_pcapng_statistics) and closes. Returns f->error. */
int capture_file_close(struct capture_file *f, uint64_t left_out);

#endif
