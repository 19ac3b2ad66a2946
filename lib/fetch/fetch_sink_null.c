/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "fetch_sink.h"

#define RING 256U

static uint32_t
null_write_room(void *file)
{
	const struct fetch_sink_null *s = file;

	return RING - (s->tail - s->head);
}

static void
null_write(void *file, const struct sink_write *write)
{
	struct fetch_sink_null *s = file;

	struct sink_completion *done = &s->ring[s->tail++ % RING];

	s->bytes += write->len;
	done->credit_bytes = write->credit_bytes;
	done->credit_parts = write->credit_parts;
	done->owner = write->owner;
}

static uint32_t
null_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct fetch_sink_null *s = file;
	uint32_t i;

	n = MIN_OF(n, s->tail - s->head);
	for (i = 0; i < n; i++)
		ret[i] = s->ring[s->head++ % RING];
	return n;
}

static void
null_expect(void *file, uint64_t length)
{
	(void)file;
	(void)length;
}

static void
null_finish(void *file, bool complete)
{
	struct fetch_sink_null *s = file;

	(void)complete;
	s->finished = true;
}

static int
null_status(void *file)
{
	const struct fetch_sink_null *s = file;

	return s->finished && s->head == s->tail ? 1 : 0;
}

const struct fetch_sink_ops fetch_sink_null_ops = {
	.write_room = null_write_room,
	.write = null_write,
	.completions = null_completions,
	.expect = null_expect,
	.finish = null_finish,
	.status = null_status,
};
