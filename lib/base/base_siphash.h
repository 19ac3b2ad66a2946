/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/** A 128-bit secret key. Filled from the system's random source by the program, fixed in tests. */
struct siphash_key {
	uint64_t k0, k1;
};

/**
 * SipHash-2-4 of len bytes (Aumasson and Bernstein, 2012): the keyed function behind initial
 * sequence numbers (RFC 6528), port choice (RFC 6056 algorithm 3) and hash tables that a peer
 * must not be able to flood.
 */
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t len);

#endif
