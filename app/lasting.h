/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LASTING_H
#define LASTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_siphash.h"

/*
 * What runs of dpfetch between two starts of the machine have in common, without leaving anything on
 * it (docs/adr/lasting-secret.md): for initial sequence numbers and timestamps that go on from run to
 * run. See netstack_config.
 */

/**
 * A secret made of what this machine alone knows: random numbers of the kernel's start, of the
 * installation and, for root only, of the mainboard. Other programs that do the same get other ones.
 * false: there is none of them, and *ret is a new random number.
 */
bool lasting_secret(struct siphash_key *ret);

/** The same of given files. Those that cannot be read are left out. Exported for tests. */
bool lasting_secret_of(const char *const *path, size_t count, struct siphash_key *ret);

/** The clock that every process sees alike: ns since the machine was started, its sleep included. */
int64_t lasting_clock_ns(void);

#endif
