/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stdint.h>

/** Counter ids, COUNTER_<ID>, in the order of counters.def; drop reasons are among them. */
enum counter_id {
#define COUNTER(id, name, help) COUNTER_##id,
#define DROP(id, name, help) COUNTER_DROP_##id,
#include "counters.def"
#undef COUNTER
#undef DROP
	COUNTER_COUNT
};

/** Why a frame or segment was dropped; DROP_NONE (0) says that it was not. */
enum drop_reason {
	DROP_NONE = 0,
#define COUNTER(id, name, help)
#define DROP(id, name, help) DROP_##id,
#include "counters.def"
#undef COUNTER
#undef DROP
	DROP_COUNT
};

/** One worker's counters. Written by that worker only; plain memory, zero-initialised. */
struct counters {
	uint64_t value[COUNTER_COUNT];
};

/** The counter of a drop reason. reason: not DROP_NONE. */
enum counter_id counter_of_drop(enum drop_reason reason);

/** The name that --stats prints, e.g. "rx_frames". Static storage. */
const char *counter_name(enum counter_id id);

/** One line that says what is counted. Static storage. */
const char *counter_help(enum counter_id id);

static inline void
counter_add(struct counters *c, enum counter_id id, uint64_t n)
{
	c->value[id] += n;
}

/** Adds all of from to to. */
void counters_add(struct counters *to, const struct counters *from);

/** The first drop reason that counted something between two looks at the counters, or DROP_NONE. */
enum drop_reason counters_dropped(const struct counters *before, const struct counters *after);

/** Counts one drop; DROP_NONE counts nothing. */
static inline void
counter_drop(struct counters *c, enum drop_reason reason)
{
	if (reason != DROP_NONE)
		c->value[counter_of_drop(reason)]++;
}

#endif
