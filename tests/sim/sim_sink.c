/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_check.h"
#include "base_time.h"
#include "sim_sink.h"

#define SHUT_NS (100 * NS_PER_US)

static uint32_t
sim_write_room(void *file)
{
	struct sim_sink *s = file;

	/* One answer for one moment: room does not go away but by writing. */
	if (s->asked_ns != *s->now_ns) {
		s->asked_ns = *s->now_ns;
		s->shut = !sim_random_chance(s->random, s->room_per_mille);
	}
	return s->shut ? 0 : SIM_SINK_RING - (s->tail - s->head);
}

static void
sim_write(void *file, const struct sink_write *write)
{
	struct sim_sink *s = file;
	uint64_t previous_ns = s->tail != s->head ? s->ready_ns[(s->tail - 1) % SIM_SINK_RING] : 0;
	uint64_t ready_ns = *s->now_ns + sim_random_range(s->random, 0, s->delay_max_ns);

	CHECK(s->tail - s->head < SIM_SINK_RING);
	s->ring[s->tail % SIM_SINK_RING] = *write;
	s->ready_ns[s->tail % SIM_SINK_RING] = ready_ns > previous_ns ? ready_ns : previous_ns;
	s->tail++;
}

static void
compare(struct sim_sink *s, const struct sink_write *w)
{
	uint32_t i;

	s->mismatch |= w->offset != s->written;
	for (i = 0; i < w->len; i++)
		s->mismatch |= w->data[i] != sim_body_byte(s->body_seed, w->offset + i);
	s->written += w->len;
}

static uint32_t
sim_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct sim_sink *s = file;
	const struct sink_write *w;
	uint32_t i;

	for (i = 0; i < n && s->head != s->tail; i++) {
		if (s->ready_ns[s->head % SIM_SINK_RING] > *s->now_ns)
			break;
		w = &s->ring[s->head++ % SIM_SINK_RING];
		if (s->written < s->fail_at)
			compare(s, w);
		ret[i] = (struct sink_completion){w->credit_bytes, w->credit_parts, w->owner};
	}
	return i;
}

static void
sim_expect(void *file, uint64_t length)
{
	struct sim_sink *s = file;

	s->expected = length;
}

static void
sim_finish(void *file, bool complete)
{
	struct sim_sink *s = file;

	s->finished = true;
	s->complete = complete;
}

static int
sim_status(void *file)
{
	const struct sim_sink *s = file;

	if (s->finished && s->head != s->tail)
		return 0;
	if (s->written >= s->fail_at)
		return -ENOSPC;
	return s->finished ? 1 : 0;
}

const struct fetch_sink_ops sim_sink_ops = {
	.write_room = sim_write_room,
	.write = sim_write,
	.completions = sim_completions,
	.expect = sim_expect,
	.finish = sim_finish,
	.status = sim_status,
};

uint64_t
sim_sink_deadline(const struct sim_sink *s)
{
	if (s->shut && !s->finished)
		return *s->now_ns + SHUT_NS; /* ask again soon */
	return s->head != s->tail ? s->ready_ns[s->head % SIM_SINK_RING] : TIME_NEVER;
}
