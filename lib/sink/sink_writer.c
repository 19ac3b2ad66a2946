/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <sys/prctl.h>

#include "base_check.h"
#include "sink_priv.h"

static void
complete(struct sink *s, const struct sink_write *w)
{
	struct sink_completion *c = sink_ring_slot(&s->completions);

	/* The poll core never has more writes under way than this ring has room for. */
	CHECK(c != NULL);
	*c = (struct sink_completion){.credit_bytes = w->credit_bytes,
		.credit_parts = w->credit_parts,
		.owner = w->owner};
	sink_ring_put(&s->completions);
}

static void
digest_catch_up(struct sink_writer *w)
{
	if (w->fill == NULL)
		return;
	sink_hasher_feed(w->file->hasher, w->fill->data + w->digested, w->fill->len - w->digested);
	w->digested = w->fill->len;
}

static void
flush_fill(struct sink_writer *w)
{
	if (w->fill == NULL)
		return;
	digest_catch_up(w);
	sink_output_submit(&w->output, w->fill);
	w->fill = NULL;
}

static void
next_fill(struct sink *s, struct sink_writer *w)
{
	w->fill = sink_output_buffer(&w->output);
	if (w->fill == NULL) {
		/* The poll core need not wait for the disk to get back what was copied. */
		sink_ring_publish(&s->completions);
		sink_output_wait(&w->output);
		w->fill = sink_output_buffer(&w->output);
	}
	w->fill->offset = w->taken;
	w->digested = 0;
}

static void
copy_in(struct sink *s, struct sink_writer *w, const uint8_t *data, uint32_t len)
{
	uint32_t part, room;

	while (len > 0) {
		if (w->fill == NULL)
			next_fill(s, w);
		room = s->buffer_bytes - w->fill->len;
		part = len < room ? len : room;
		memcpy(w->fill->data + w->fill->len, data, part);
		w->fill->len += part;
		w->taken += part;
		data += part;
		len -= part;
		if (part == room)
			flush_fill(w);
	}
}

/* Ends the destination and tells the poll core. From here on info is the poll core's to read. */
static void
settle(struct sink_writer *w, bool whole)
{
	struct sink_file *f = w->file;
	int rc;

	flush_fill(w);
	rc = sink_output_end(&w->output, w->taken, f->sync);
	if (rc == 0 && whole)
		sink_hasher_final(f->hasher, f->info.digest_hex);
	w->failed = rc < 0;
	atomic_store_explicit(&f->status, rc < 0 ? rc : 1, memory_order_release);
}

static void
settle_on_error(struct sink_writer *w)
{
	if (w->file != NULL && !w->failed && sink_output_error(&w->output) < 0)
		settle(w, false);
}

static void
on_open(struct sink *s, struct sink_writer *w)
{
	struct sink_file *f = &s->file;

	w->file = f;
	w->fill = NULL;
	w->taken = 0;
	w->failed = false;
	w->copies = f->path.fd >= 0 || f->hasher != NULL;
	sink_output_begin(&w->output, &f->path, &f->give_up, &f->info);
}

static void
on_write(struct sink *s, struct sink_writer *w, const struct sink_write *write)
{
	CHECK(w->file != NULL);
	if (!w->failed) {
		if (w->copies)
			copy_in(s, w, write->data, write->len);
		else
			w->taken += write->len;
	}
	complete(s, write);
}

static void
on_finish(struct sink *s, struct sink_writer *w, bool whole)
{
	struct sink_file *f = w->file;

	/* A second finish only hurries up the first. */
	if (f == NULL)
		return;
	if (!w->failed)
		settle(w, whole);
	w->file = NULL;
	sink_ring_publish(&s->completions);
	atomic_store_explicit(&f->finished, true, memory_order_release);
}

static void
on_command(struct sink *s, struct sink_writer *w, const struct sink_command *c)
{
	switch (c->type) {
	case SINK_COMMAND_OPEN:
		on_open(s, w);
		break;
	case SINK_COMMAND_EXPECT:
		if (w->file != NULL && !w->failed)
			sink_output_expect(&w->output, c->length);
		break;
	case SINK_COMMAND_WRITE:
		on_write(s, w, &c->write);
		break;
	case SINK_COMMAND_FINISH:
		on_finish(s, w, c->complete);
		break;
	case SINK_COMMAND_QUIT:
		on_finish(s, w, false);
		w->quit = true;
		break;
	}
}

/* A received buffer was written by another core or by the NIC, and no two of them are neighbours: without
 * this each line of the copy waits for its own. */
static void
prefetch_data(const struct sink_command *c)
{
	uint32_t at, len = c->write.len < SINK_PREFETCH_BYTES ? c->write.len : SINK_PREFETCH_BYTES;

	if (c->type != SINK_COMMAND_WRITE)
		return;
	for (at = 0; at < len; at += SINK_CACHE_LINE)
		__builtin_prefetch(c->write.data + at);
}

static void
take_batch(struct sink *s, struct sink_writer *w, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (w->copies && i + SINK_PREFETCH_AHEAD < n)
			prefetch_data(sink_ring_at(&s->commands, i + SINK_PREFETCH_AHEAD));
		on_command(s, w, sink_ring_at(&s->commands, i));
	}
	sink_ring_drop(&s->commands, n);
	sink_ring_publish(&s->completions);
	digest_catch_up(w);
	sink_output_poll(&w->output);
	settle_on_error(w);
}

/* Whoever reads our pipe wants what there is, not a full buffer. */
static void
flush_stream(struct sink_writer *w)
{
	if (w->file == NULL || w->failed || w->output.method != SINK_METHOD_STREAM)
		return;
	flush_fill(w);
	settle_on_error(w);
}

static void
idle(struct sink *s, struct sink_writer *w)
{
	uint32_t pile = s->ring_entries / 4 < SINK_NAP_WAKE_WRITES ? s->ring_entries / 4
								   : SINK_NAP_WAKE_WRITES;

	flush_stream(w);
	sink_output_poll(&w->output);
	settle_on_error(w);
	if (w->naps < SINK_NAPS_MAX || w->output.in_flight > 0) {
		w->naps++;
		sink_wake_wait(&s->wake, &s->commands, pile > 0 ? pile : 1, SINK_NAP_NS);
	} else {
		sink_wake_wait(&s->wake, &s->commands, 1, 0);
	}
}

static void
writer_start(struct sink *s, struct sink_writer *w)
{
	struct iovec buffers[SINK_BUFFERS_MAX];
	uint32_t i;

	pthread_setname_np(pthread_self(), "dpfetch-sink");
	/* Else a nap is 50 us longer than asked for. */
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	for (i = 0; i < s->buffers; i++)
		buffers[i] =
			(struct iovec){.iov_base = s->memory.base + (size_t)i * s->buffer_bytes,
				.iov_len = s->buffer_bytes};
	if (sink_uring_open(&w->uring, s->io, buffers, s->buffers) == 0 && s->writer_cpu >= 0)
		sink_uring_pin(&w->uring, s->writer_cpu);
	sink_output_init(&w->output, s->io, &w->uring, s->memory.base, s->buffers, s->buffer_bytes);
	w->naps = SINK_NAPS_MAX;
}

void *
sink_writer_main(void *arg)
{
	struct sink *s = arg;
	struct sink_writer *w = &s->writer;
	uint32_t n;

	writer_start(s, w);
	while (!w->quit) {
		n = sink_ring_ready(&s->commands);
		if (n == 0) {
			idle(s, w);
			continue;
		}
		w->naps = 0;
		take_batch(s, w, n < SINK_BATCH_WRITES ? n : SINK_BATCH_WRITES);
	}
	sink_uring_close(&w->uring);
	return NULL;
}
