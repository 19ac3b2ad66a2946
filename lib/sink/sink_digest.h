/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_DIGEST_H
#define SINK_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "sink_file.h"

/** A digest being computed. */
struct sink_hasher;

/** 0 and *ret (NULL for SINK_DIGEST_NONE); -ENOMEM; -ENOTSUP where OpenSSL's configuration
 *  forbids the digest (FIPS). */
int sink_hasher_create(enum sink_digest digest, struct sink_hasher **ret);

/** Nothing happens with a NULL hasher. */
void sink_hasher_feed(struct sink_hasher *h, const void *data, size_t len);

/** Lower-case hex, NUL-terminated, of all that was fed; empty with a NULL hasher. */
void sink_hasher_final(struct sink_hasher *h, char ret_hex[SINK_DIGEST_HEX_MAX]);
void sink_hasher_destroy(struct sink_hasher *h);

#endif
