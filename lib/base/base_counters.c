/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_check.h"
#include "base_counters.h"

static const char *const names[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = name,
#define DROP(id, name, help) [COUNTER_DROP_##id] = name,
#include "counters.def"
#undef COUNTER
#undef DROP
};

static const char *const helps[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = help,
#define DROP(id, name, help) [COUNTER_DROP_##id] = help,
#include "counters.def"
#undef COUNTER
#undef DROP
};

static const enum counter_id drop_ids[DROP_COUNT] = {
#define COUNTER(id, name, help)
#define DROP(id, name, help) [DROP_##id] = COUNTER_DROP_##id,
#include "counters.def"
#undef COUNTER
#undef DROP
};

enum counter_id
counter_of_drop(enum drop_reason reason)
{
	CHECK(reason > DROP_NONE && reason < DROP_COUNT);
	return drop_ids[reason];
}

const char *
counter_name(enum counter_id id)
{
	CHECK(id < COUNTER_COUNT);
	return names[id];
}

const char *
counter_help(enum counter_id id)
{
	CHECK(id < COUNTER_COUNT);
	return helps[id];
}

void
counters_add(struct counters *to, const struct counters *from)
{
	int i;

	for (i = 0; i < COUNTER_COUNT; i++)
		to->value[i] += from->value[i];
}

enum drop_reason
counters_dropped(const struct counters *before, const struct counters *after)
{
	int reason;

	for (reason = DROP_NONE + 1; reason < DROP_COUNT; reason++) {
		if (after->value[drop_ids[reason]] != before->value[drop_ids[reason]])
			return (enum drop_reason)reason;
	}
	return DROP_NONE;
}
